//! Networks of published sizes, made from seeds.
//!
//! From above to below: owners without holders, one large ring held by them,
//! levels of companies and small rings, and companies that hold nothing. A few
//! owners hold very much, most hold little.

use ownership::{Network, NetworkBuilder, Policies, Share, Unit};

/// What a network is made of.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    companies: usize,
    stakes: usize,
    /// Owners without holders; each holds a company that holds nothing.
    roots: usize,
    /// Members of the large ring.
    core: usize,
    /// Rings of 2 to 20.
    rings: usize,
    /// Companies between roots and leaves, besides core and rings.
    between: usize,
    levels: usize,
    /// Whether a company that is some root's own has other holders too.
    shared: bool,
}

/// The three networks of the benchmark.
pub(crate) const SHAPES: [Shape; 3] = [
    // The counts of Vitali, Glattfelder, Battiston (2011).
    Shape {
        name: "600k",
        companies: 600_508,
        stakes: 1_006_987,
        roots: 77_456,
        core: 1_318,
        rings: 2_500,
        between: 24_000,
        levels: 24,
        shared: true,
    },
    Shape {
        name: "4M",
        companies: 3_900_000,
        stakes: 6_000_000,
        roots: 503_000,
        core: 1_318,
        rings: 16_000,
        between: 156_000,
        levels: 24,
        shared: true,
    },
    // The counts of the register of the United Kingdom, most of whose companies have one person behind them.
    Shape {
        name: "UK",
        companies: 7_970_065,
        stakes: 5_096_560,
        roots: 3_500_000,
        core: 498,
        rings: 4_000,
        between: 60_000,
        levels: 12,
        shared: false,
    },
];

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
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
        usize::try_from(self.next() % bound as u64).expect("a position fits")
    }
}

/// Who holds each company.
struct Generator {
    shape: Shape,
    random: Random,
    holders: Vec<Vec<usize>>,
    stakes: usize,
    /// Companies that may hold those made next.
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
        let Shape { roots, core, .. } = self.shape;
        let holder = match self.random.below(20) {
            0..12 => self.random.heavy(roots),
            12..15 => roots + self.random.heavy(core),
            _ => roots + self.random.below(self.above - roots),
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
        let Shape {
            companies,
            stakes,
            roots,
            core,
            rings,
            between,
            levels,
            shared,
            ..
        } = self.shape;
        self.ring(roots, core, 9);
        for company in roots..roots + core {
            for _ in 0..2 {
                let holder = self.random.heavy(roots);
                self.hold(holder, company);
            }
        }
        let mut next = roots + core;
        for _ in 0..levels {
            self.above = next;
            for _ in 0..rings / levels + 1 {
                let size = 2 + self.random.heavy(19);
                self.ring(next, size, 2);
                self.hold_from_above(next);
                next += size;
            }
            for _ in 0..between / levels {
                for _ in 0..1 + self.random.heavy(4) {
                    self.hold_from_above(next);
                }
                next += 1;
            }
        }
        self.above = next;
        for company in next..companies {
            let root = company - next;
            if shared || root >= roots {
                self.hold_from_above(company);
            }
            if root < roots {
                self.hold(root, company);
            }
        }
        while self.stakes < stakes {
            let company = next + self.random.heavy(companies - next);
            self.hold_from_above(company);
        }
        self.holders
    }
}

/// The stakes of a shape: (owner, owned, share in millionths), in no order of names.
pub(crate) fn stakes(shape: Shape) -> Vec<(usize, usize, u32)> {
    let generator = Generator {
        shape,
        random: Random(20_111_028),
        holders: vec![Vec::new(); shape.companies],
        stakes: 0,
        above: 0,
    };
    let mut random = Random(7);
    let mut stakes = Vec::with_capacity(shape.stakes);
    for (company, holders) in generator.run().into_iter().enumerate() {
        let total = if random.below(2) == 0 {
            1.0
        } else {
            0.5 + random.unit() / 2.0
        };
        let weights: Vec<f64> = holders.iter().map(|_| random.unit().powi(2) + 0.001).collect();
        let sum: f64 = weights.iter().sum();
        for (&holder, weight) in holders.iter().zip(&weights) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at most a million"
            )]
            let share = (total * weight / sum * 1e6).floor().max(1.0) as u32;
            stakes.push((holder, company, share));
        }
    }
    stakes
}

/// A name whose order is not that of numbers.
pub(crate) fn name(company: usize) -> String {
    format!("{:08x}", company * 2_654_435_761 % (1 << 32))
}

/// The network of stakes.
pub(crate) fn build(stakes: &[(usize, usize, u32)]) -> Result<Network, ownership::Error> {
    let mut builder = NetworkBuilder::new(Policies::default());
    for (row, &(owner, owned, share)) in (1..).zip(stakes) {
        let share = Share::from_f64(f64::from(share) / 1e6, Unit::Fraction).expect("a share is from 0 to 1");
        builder.add(&name(owner), &name(owned), share, row)?;
    }
    builder.finish()
}
