//! `V v` by rows is what the pairs add up to.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use ownership::{Error, Network, NetworkBuilder, OnClosed, Policies, Resolvent, Share, Solver, Unit};
use support::{Random, Solved, assert_close};

/// Rings of 70 and of 3, a company that holds itself, chains, and a closed pair.
fn solved() -> Solved {
    let mut random = Random(9);
    let mut stakes = vec![
        ("closed-a".to_owned(), "closed-b".to_owned(), "1".to_owned()),
        ("closed-b".to_owned(), "closed-a".to_owned(), "1".to_owned()),
        ("self".to_owned(), "self".to_owned(), "0.25".to_owned()),
        ("ring3".to_owned(), "self".to_owned(), "0.5".to_owned()),
    ];
    let mut hold = |owner: String, owned: &str| {
        stakes.push((owner, owned.to_owned(), format!("0.{:06}", 1 + random.next() % 300_000)));
        random.below(70)
    };
    let mut chord = 0;
    for member in 0..70 {
        let owned = format!("ring{member}");
        hold(format!("ring{}", (member + 1) % 70), &owned);
        if chord != member {
            hold(format!("ring{chord}"), &owned);
        }
        chord = hold(format!("person{}", chord % 7), &owned);
    }
    for member in 0..3 {
        let owned = format!("small{member}");
        hold(format!("small{}", (member + 1) % 3), &owned);
        hold("ring5".to_owned(), &owned);
        hold("closed-a".to_owned(), &owned);
        hold(owned.clone(), &format!("leaf{member}"));
        hold("person1".to_owned(), &format!("leaf{member}"));
    }
    Solved::new(
        support::network(stakes.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()))),
        0.0,
    )
}

#[test]
fn it_is_the_sum_of_integrated_shares() {
    let solved = solved();
    let network = &solved.network;
    let values: Vec<f64> = (0..network.len()).map(|company| (company % 13) as f64).collect();
    let x = Solver::new(network, &solved.resolvent).solve(&values);
    let group: Vec<usize> = (0..network.len())
        .filter(|&company| network.name(u32::try_from(company).unwrap()).starts_with("closed"))
        .collect();
    assert_eq!(group.len(), 2);
    let mut expected = values.clone();
    let mut of_group: f64 = group.iter().map(|&member| values[member]).sum();
    for (pairs, value) in solved.pairs.iter().zip(&values) {
        for pair in pairs {
            match expected.get_mut(pair.owner as usize) {
                Some(expected) => *expected += pair.integrated * value,
                None => of_group += pair.integrated * value,
            }
        }
    }
    group.iter().for_each(|&member| expected[member] = of_group);
    for (&found, &expected) in x.iter().zip(&expected) {
        assert_close(found, expected, 1e-13);
    }
}

/// Closed components and columns over one among them.
#[test]
fn a_solver_without_a_resolvent_finds_the_same() {
    let dirty = support::network([
        ("a", "b", "0.7"),
        ("c", "b", "0.6"),
        ("b", "a", "0.3"),
        ("p", "a", "0.2"),
        ("x", "y", "0.9"),
        ("y", "x", "0.8"),
        ("p", "x", "0.5"),
        ("y", "a", "0.1"),
        ("q", "r", "1"),
        ("r", "q", "1"),
        ("p", "q", "0.5"),
        ("q", "a", "0.01"),
    ]);
    for network in [&solved().network, &dirty] {
        let resolvent = Resolvent::new(network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
        let values: Vec<f64> = (0..network.len()).map(|company| (company % 13) as f64).collect();
        let direct = Solver::direct(network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
        for (found, expected) in direct
            .solve(&values)
            .into_iter()
            .zip(Solver::new(network, &resolvent).solve(&values))
        {
            assert_close(found, expected, 1e-13);
        }
        let failed = Solver::direct(network, OnClosed::Fail, &mut |_| Ok(())).unwrap_err();
        assert_eq!(
            failed,
            Resolvent::new(network, OnClosed::Fail, &mut |_| Ok(())).unwrap_err()
        );
        assert!(matches!(failed, Error::ClosedComponent { .. }));
    }
}

/// More companies than are summed together: owners before and behind those between, and many that hold nothing. A chain, a
/// ring of three and one of forty are in the middle.
fn large() -> Network {
    let mut random = Random(4);
    let mut builder = NetworkBuilder::new(Policies::default());
    let mut hold = |owner: &str, owned: &str, row| {
        let share = Share::from_f64((1 + random.below(300)) as f64 / 1e3, Unit::Fraction).unwrap();
        builder.add(owner, owned, share, row).unwrap();
        random.below(1000)
    };
    let mut any = 0;
    for leaf in 0..80_000 {
        let owned = format!("leaf{leaf:05}");
        any = match leaf % 4 {
            0 => hold(&format!("between{any:03}"), &owned, leaf),
            1 => hold(&format!("a{}", any % 50), &owned, leaf),
            // Some hold one or two, some very many.
            2 => hold(&format!("z{leaf}"), &owned, leaf),
            _ => hold("z", &owned, leaf),
        };
    }
    for company in 0..1000 {
        let owned = format!("between{company:03}");
        any = hold(&format!("a{}", any % 50), &owned, company);
        let holder = match company {
            0..3 => (company + 1) % 3,
            100..140 => 100 + (company - 99) % 40,
            company => company + 1,
        };
        hold(&format!("between{holder:03}"), &owned, company);
        hold("z", &owned, company);
    }
    builder.finish().unwrap()
}

/// `x = v + W x`, company by company.
#[test]
fn every_company_of_a_large_network_has_what_it_holds() {
    let network = large();
    let values: Vec<f64> = (0..network.len()).map(|company| 1.0 + (company % 13) as f64).collect();
    let direct = Solver::direct(&network, OnClosed::Fail, &mut |_| Ok(())).unwrap();
    let resolvent = Resolvent::new(&network, OnClosed::Fail, &mut |_| Ok(())).unwrap();
    for x in [direct.solve(&values), Solver::new(&network, &resolvent).solve(&values)] {
        for (company, value) in (0..).zip(&values) {
            let held: f64 = network
                .holdings(company)
                .map(|(owned, share)| share * x[owned as usize])
                .sum();
            assert_close(x[company as usize], value + held, 1e-13);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let network = large();
    let values: Vec<f64> = (0..network.len()).map(|company| 1.0 / (1 + company) as f64).collect();
    let on_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let solver = Solver::direct(&network, OnClosed::Fail, &mut |_| Ok(())).unwrap();
            solver.solve(&values)
        })
    };
    assert!(on_threads(1) == on_threads(4));
}
