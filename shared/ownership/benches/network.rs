//! A network of the size of the one of Vitali, Glattfelder and Battiston (2011),
//! made from a seed: seconds, pairs and memory of each step.
//!
//! `cargo bench -p ownership --bench network [-- FLOOR...]`; floors default to
//! 0.01 and 0.001.
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::time::Instant;

use ownership::{
    Network, NetworkBuilder, OnClosed, Pair, Policies, Resolvent, Share, Unit, integrated_ownership, structure,
};

const COMPANIES: usize = 600_508;
const STAKES: usize = 1_006_987;
const ROOTS: usize = 77_456;
const CORE: usize = 1_318;
const RINGS: usize = 2_500;
/// Companies between roots and leaves, besides the core and rings.
const BETWEEN: usize = 24_000;
const LEVELS: usize = 24;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A position below `bound`, the first ones much more often than the last.
    fn heavy(&mut self, bound: usize) -> usize {
        let position = (bound as f64).powf(self.unit()) - 1.0;
        #[expect(clippy::cast_possible_truncation, reason = "a position below the bound")]
        let position = position as usize;
        position.min(bound - 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

/// Who holds each company; shares follow from the number of holders.
struct Generator {
    random: Random,
    holders: Vec<Vec<usize>>,
    stakes: usize,
    /// Companies that may hold those made next: between roots and the level made now.
    above: usize,
}

impl Generator {
    fn hold(&mut self, holder: usize, company: usize) {
        if holder != company && !self.holders[company].contains(&holder) {
            self.holders[company].push(holder);
            self.stakes += 1;
        }
    }

    fn hold_from_above(&mut self, company: usize) {
        let holder = match self.random.below(20) {
            0..12 => self.random.heavy(ROOTS),
            12..15 => ROOTS + self.random.heavy(CORE),
            _ => ROOTS + self.random.below(self.above - ROOTS),
        };
        self.hold(holder, company);
    }

    fn ring(&mut self, first: usize, size: usize, inside: usize) {
        for company in first..first + size {
            self.hold(first + (company + 1 - first) % size, company);
            for _ in 1..inside {
                let holder = first + self.random.heavy(size);
                self.hold(holder, company);
            }
        }
    }

    fn run(mut self) -> Vec<Vec<usize>> {
        self.ring(ROOTS, CORE, 9);
        for company in ROOTS..ROOTS + CORE {
            for _ in 0..2 {
                let holder = self.random.heavy(ROOTS);
                self.hold(holder, company);
            }
        }
        let mut next = ROOTS + CORE;
        for _ in 0..LEVELS {
            self.above = next;
            for _ in 0..RINGS / LEVELS + 1 {
                let size = 2 + self.random.heavy(19);
                self.ring(next, size, 2);
                self.hold_from_above(next);
                next += size;
            }
            for _ in 0..BETWEEN / LEVELS {
                for _ in 0..1 + self.random.heavy(4) {
                    self.hold_from_above(next);
                }
                next += 1;
            }
        }
        self.above = next;
        for company in next..COMPANIES {
            self.hold_from_above(company);
            // Nobody is without holdings.
            if company - next < ROOTS {
                self.hold(company - next, company);
            }
        }
        while self.stakes < STAKES {
            let company = next + self.random.heavy(COMPANIES - next);
            self.hold_from_above(company);
        }
        self.holders
    }
}

fn build() -> Network {
    let generator = Generator {
        random: Random(20_111_028),
        holders: vec![Vec::new(); COMPANIES],
        stakes: 0,
        above: 0,
    };
    let mut random = Random(7);
    let mut stakes = Vec::with_capacity(STAKES);
    for (company, holders) in generator.run().into_iter().enumerate() {
        let total = if random.below(2) == 0 {
            1.0
        } else {
            0.5 + random.unit() / 2.0
        };
        let weights: Vec<f64> = holders.iter().map(|_| random.unit().powi(2) + 0.001).collect();
        let sum: f64 = weights.iter().sum();
        for (&holder, weight) in holders.iter().zip(&weights) {
            let share = (total * weight / sum * 1e6).floor().max(1.0) / 1e6;
            stakes.push((holder, company, Share::from_f64(share, Unit::Fraction).unwrap()));
        }
    }
    let names: Vec<String> = (0..COMPANIES)
        .map(|company| format!("{:08x}", company * 2_654_435_761 % (1 << 32)))
        .collect();
    let start = Instant::now();
    let mut builder = NetworkBuilder::new(Policies::default());
    for (row, &(owner, owned, share)) in (1..).zip(&stakes) {
        builder.add(&names[owner], &names[owned], share, row).unwrap();
    }
    let network = builder.finish().unwrap();
    line(
        "build",
        start,
        &format!("{} companies, {} stakes", network.len(), network.stakes()),
    );
    network
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn line(step: &str, start: Instant, what: &str) {
    let seconds = start.elapsed().as_secs_f64();
    println!("{step:<24}{seconds:>9.3} s  {:>6} MiB  {what}", peak_mib());
}

/// The most memory that the process has had, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next())
        .and_then(|kib| kib.parse().ok())
        .map_or(0, |kib: u64| kib / 1024)
}

fn main() {
    let floors: Vec<f64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let floors = if floors.is_empty() { vec![0.01, 0.001] } else { floors };
    let network = build();

    let start = Instant::now();
    let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let components = resolvent.components();
    let residual = resolvent.residual();
    line(
        "resolvent",
        start,
        &format!(
            "{} rings, largest {}, {} closed, residual {residual:.1e}",
            components.count,
            components.largest,
            components.closed.len()
        ),
    );

    let start = Instant::now();
    let balance = resolvent.balance(&network);
    line(
        "balance",
        start,
        &format!("largest error {:.1e} of {}", balance.largest_error, balance.checked),
    );
    let start = Instant::now();
    line(
        "structure",
        start,
        &format!("{} rows", structure(&network, &resolvent).len()),
    );

    let start = Instant::now();
    integrated_ownership(&network, &resolvent, 0.01, &[], &mut |_| Ok(()), &mut |_, _| Ok(())).unwrap();
    line("pairs set-up", start, "");
    let order: Vec<u32> = (0..u32::try_from(network.len()).unwrap()).collect();
    for floor in floors {
        let start = Instant::now();
        let (mut pairs, mut mass) = (0, 0.0);
        let mut emit = |_: u32, found: &[Pair]| {
            pairs += found.len();
            mass += found.iter().map(|pair| pair.integrated).sum::<f64>();
            Ok(())
        };
        let left_out = integrated_ownership(&network, &resolvent, floor, &order, &mut |_| Ok(()), &mut emit).unwrap();
        line(
            &format!("pairs at {floor}"),
            start,
            &format!(
                "{pairs} pairs, mass {mass:.0}; left out {} and {:.0}",
                left_out.pairs, left_out.mass
            ),
        );
    }
}
