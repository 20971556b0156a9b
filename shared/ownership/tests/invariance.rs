//! What must not matter: the order of rows, the floor, threads, storage.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use ownership::{
    Error, LeftOut, Network, NetworkBuilder, OnClosed, Pair, Policies, Resolvent, Share, Stopped, Unit,
    integrated_ownership, structure,
};
use support::{Random, Solved};

type Row = (String, String, String);

/// A network with all that can be in one: persons, a ring of 70, small rings, a
/// closed pair, columns over one, duplicates, zeros, own shares, 1,500 companies below.
fn rows() -> Vec<Row> {
    let mut random = Random(3);
    let mut rows: Vec<Row> = Vec::new();
    let mut push = |owner: String, owned: String, share: u64| {
        rows.push((owner, owned, format!("0.{share:06}")));
    };
    for company in 0..70 {
        push(
            format!("core{}", (company + 1) % 70),
            format!("core{company}"),
            200_000 + random.next() % 100_000,
        );
        push(format!("core{}", random.below(70)), format!("core{company}"), 300_001);
        push(
            format!("person{}", random.below(100)),
            format!("core{company}"),
            random.next() % 200_000,
        );
    }
    for ring in 0..20 {
        for member in 0..3 {
            push(
                format!("ring{ring}-{member}"),
                format!("ring{ring}-{}", (member + 1) % 3),
                500_000,
            );
            push(
                format!("core{}", random.below(70)),
                format!("ring{ring}-{member}"),
                333_333,
            );
            push(
                format!("ring{ring}-{member}"),
                format!("ring{ring}-{member}"),
                10_000 * (ring % 3),
            );
        }
    }
    for company in 0..1_500 {
        push(
            format!("ring{}-{}", random.below(20), random.below(3)),
            format!("co{company}"),
            400_000,
        );
        push(
            format!("person{}", random.below(100)),
            format!("co{company}"),
            random.next() % 999_999,
        );
        push(
            format!("co{}", random.below(company + 1) / 2),
            format!("co{company}"),
            100_000,
        );
        if company % 100 == 0 {
            push("closed-a".to_owned(), format!("co{company}"), 150_000);
        }
    }
    for owner in ["tie-b", "tie-a", "tie-c"] {
        push(owner.to_owned(), "tied".to_owned(), 300_000);
    }
    for (owner, owned) in [("closed-a", "closed-b"), ("closed-b", "closed-a")] {
        rows.push((owner.to_owned(), owned.to_owned(), "1".to_owned()));
    }
    rows
}

fn build(rows: &[Row]) -> Network {
    let mut builder = NetworkBuilder::new(Policies::default());
    for (row, (owner, owned, share)) in (1..).zip(rows) {
        builder
            .add(owner, owned, Share::parse(share, Unit::Fraction).unwrap(), row)
            .unwrap();
    }
    builder.finish().unwrap()
}

/// Everything that is computed, bit by bit.
fn everything(solved: &Solved) -> Vec<Vec<u8>> {
    vec![
        postcard::to_allocvec(&solved.network).unwrap(),
        postcard::to_allocvec(&solved.resolvent).unwrap(),
        postcard::to_allocvec(&structure(&solved.network, &solved.resolvent)).unwrap(),
        postcard::to_allocvec(&solved.pairs).unwrap(),
        postcard::to_allocvec(&solved.left_out).unwrap(),
    ]
}

#[test]
fn the_order_of_rows_changes_no_bit() {
    let mut rows = rows();
    let first = everything(&Solved::new(build(&rows), 0.001));
    let mut random = Random(4);
    for _ in 0..3 {
        for last in (1..rows.len()).rev() {
            rows.swap(last, random.below(last + 1));
        }
        assert!(everything(&Solved::new(build(&rows), 0.001)) == first);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let rows = rows();
    let on_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| everything(&Solved::new(build(&rows), 0.0)))
    };
    assert!(on_threads(1) == on_threads(5));
}

#[test]
fn a_floor_leaves_out_exactly_what_is_below() {
    let all = Solved::new(build(&rows()), 0.0);
    assert_eq!(all.left_out, LeftOut::default());
    // A floor that is some owner's very share keeps that owner: one in the ring
    // of 70, one above it, one below.
    let company = all.network.find("co1499").unwrap() as usize;
    let share_of = |prefix: &str| {
        let has_prefix = |pair: &&Pair| all.network.name(pair.owner).starts_with(prefix);
        all.pairs[company].iter().find(has_prefix).unwrap().integrated
    };
    let shares = ["core", "person", "ring"].map(share_of);
    for floor in shares.into_iter().chain([0.0001, 0.01, 0.5, 2.0]) {
        let some = Solved::new(build(&rows()), floor);
        let (mut left, mut mass) = (0, 0.0);
        for (found, whole) in some.pairs.iter().zip(&all.pairs) {
            let (kept, below): (Vec<Pair>, Vec<Pair>) = whole.iter().partition(|pair| pair.integrated >= floor);
            assert_eq!(*found, kept);
            left += below.len() as u64;
            mass += below.iter().map(|pair| pair.integrated).sum::<f64>();
        }
        assert_eq!(some.left_out.pairs, left);
        assert!((some.left_out.mass - mass).abs() <= 1e-12 * mass);
    }
}

#[test]
fn owners_come_by_falling_share_and_then_by_name() {
    let solved = Solved::new(build(&rows()), 0.0);
    let name = |pair: &Pair| solved.resolvent.owner_name(&solved.network, pair.owner);
    let mut ties = 0;
    for pairs in solved.pairs.iter().flat_map(|pairs| pairs.windows(2)) {
        let (before, after) = (&pairs[0], &pairs[1]);
        ties += u32::from(before.integrated == after.integrated);
        assert!(
            before.integrated > after.integrated
                || (before.integrated == after.integrated && name(before) < name(after))
        );
    }
    assert!(ties > 0);
}

#[test]
fn direct_shares_are_the_stakes() {
    let solved = Solved::new(build(&rows()), 0.0);
    let closed = |company: u32| solved.resolvent.amplification(company).is_none();
    for (company, pairs) in (0..).zip(&solved.pairs) {
        let direct = pairs.iter().filter(|pair| pair.direct > 0.0).count();
        let holders = solved
            .network
            .holders(company)
            .filter(|&(holder, _)| !closed(holder))
            .count();
        let grouped = solved.network.holders(company).any(|(holder, _)| closed(holder));
        assert_eq!(
            direct,
            if closed(company) {
                0
            } else {
                holders + usize::from(grouped)
            }
        );
        for (holder, share) in solved.network.holders(company).filter(|&(holder, _)| !closed(holder)) {
            let pair = pairs.iter().find(|pair| pair.owner == holder).unwrap();
            assert!(pair.direct == share && pair.integrated >= share * (1.0 - 1e-15));
        }
    }
}

#[test]
fn only_the_companies_asked_for_are_emitted_in_the_order_asked() {
    let solved = Solved::new(build(&rows()), 0.0);
    let order: Vec<u32> = (0..1_000).rev().step_by(3).collect();
    let mut emitted = Vec::new();
    let mut emit = |company: u32, pairs: &[Pair]| {
        assert_eq!(pairs, solved.pairs[company as usize]);
        emitted.push(company);
        Ok(())
    };
    integrated_ownership(
        &solved.network,
        &solved.resolvent,
        0.0,
        &order,
        &mut |_| Ok(()),
        &mut emit,
    )
    .unwrap();
    assert_eq!(emitted, order);
}

#[test]
fn what_was_written_is_read_back() {
    let solved = Solved::new(build(&rows()), 0.001);
    let network: Network = postcard::from_bytes(&postcard::to_allocvec(&solved.network).unwrap()).unwrap();
    let resolvent: Resolvent = postcard::from_bytes(&postcard::to_allocvec(&solved.resolvent).unwrap()).unwrap();
    assert_eq!(
        structure(&network, &resolvent),
        structure(&solved.network, &solved.resolvent)
    );
    let again = Solved::new(network, 0.001);
    assert!(everything(&again) == everything(&solved));
}

#[test]
fn damaged_bytes_are_refused_or_harmless() {
    let rows = &rows()[..400];
    let bytes = postcard::to_allocvec(&build(rows)).unwrap();
    let mut random = Random(5);
    let mut refused = 0;
    for _ in 0..2_000 {
        let mut bytes = bytes.clone();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        match postcard::from_bytes::<Network>(&bytes) {
            Ok(network) => drop(Solved::new(network, 0.0)),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0);
}

#[test]
fn every_long_step_can_be_stopped() {
    let network = build(&rows());
    let stopped = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Err(Stopped));
    assert_eq!(stopped.unwrap_err(), Error::Stopped(Stopped));
    let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let order: Vec<u32> = (0..u32::try_from(network.len()).unwrap()).collect();
    let stop_after = |calls: usize, emits: usize| {
        let (mut calls_left, mut emits_left) = (calls, emits);
        let mut progress = |_| {
            calls_left = calls_left.checked_sub(1).ok_or(Stopped)?;
            Ok(())
        };
        let mut emit = |_, _: &[Pair]| {
            emits_left = emits_left.checked_sub(1).ok_or(Stopped)?;
            Ok(())
        };
        integrated_ownership(&network, &resolvent, 0.0, &order, &mut progress, &mut emit)
    };
    for (calls, emits) in [(0, 1_000_000), (2, 1_000_000), (1_000_000, 0), (1_000_000, 700)] {
        assert_eq!(stop_after(calls, emits).unwrap_err(), Error::Stopped(Stopped));
    }
    assert!(stop_after(1_000_000, 1_000_000).is_ok());
}

#[test]
fn progress_rises_from_0_to_1() {
    let network = build(&rows());
    let mut seen = Vec::new();
    let mut progress = |part| {
        seen.push(part);
        Ok(())
    };
    let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut progress).unwrap();
    let order: Vec<u32> = (0..u32::try_from(network.len()).unwrap()).collect();
    let solving = seen.len();
    let mut progress = |part| {
        seen.push(part);
        Ok(())
    };
    integrated_ownership(&network, &resolvent, 0.0, &order, &mut progress, &mut |_, _| Ok(())).unwrap();
    for part in [&seen[..solving], &seen[solving..]] {
        assert!(part.is_sorted() && part.len() >= 3);
        assert_eq!((part[0], part[part.len() - 1]), (0.0, 1.0));
    }
}
