//! `V v` by rows is what the pairs add up to.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use ownership::{
    ColumnsOver100, Error, Network, NetworkBuilder, OnClosed, Policies, Resolvent, Share, Solver, Stopped, Unit,
};
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

/// More companies than are summed together, of every kind anywhere in the order of names: chains, rings of 3 and of 200,
/// one that holds itself, columns over one, companies that hold one or two others and one that holds very many.
fn large(is_closed: bool) -> Network {
    let mut random = Random(4);
    let mut builder = NetworkBuilder::new(Policies {
        columns_over_100: ColumnsOver100::Keep,
        ..Policies::default()
    });
    let anywhere = |company: usize| company * 37 % 1000;
    let between = |company: usize| format!("{:03} between {company}", anywhere(company % 1000));
    let mut hold = |owner: &str, owned: &str, thousandths: usize| {
        let share = Share::from_f64(thousandths as f64 / 1e3, Unit::Fraction).unwrap();
        builder.add(owner, owned, share, 1).unwrap();
    };
    for leaf in 0..80_000 {
        let owned = format!("{:03} leaf {leaf}", anywhere(leaf % 1000));
        let owner = match leaf % 4 {
            0 => between(random.below(1000)),
            1 => format!("{:03} owner", random.below(1000)),
            2 => format!("{:03} of few {}", anywhere(leaf % 1000), leaf / 3),
            _ => "of many".to_owned(),
        };
        hold(&owner, &owned, 1 + random.below(900));
    }
    for company in 0..1000 {
        let holder = match company {
            0..3 => (company + 1) % 3,
            100..300 => 100 + (company - 99) % 200,
            company => company + 1,
        };
        if holder < 1000 {
            hold(&between(holder), &between(company), 1 + random.below(300));
        }
        hold(
            &format!("{:03} owner", random.below(1000)),
            &between(company),
            1 + random.below(300),
        );
        hold("of many", &between(company), 1);
    }
    hold(&between(500), &between(500), 250);
    hold("of many", &between(700), 900);
    if is_closed {
        hold("000 closed", "999 closed", 1000);
        hold("999 closed", "000 closed", 1000);
        hold("of many", "000 closed", 1);
        hold("000 closed", &between(600), 100);
        hold("999 closed", "500 leaf 500", 10);
    }
    builder.finish().unwrap()
}

fn values(network: &Network) -> Vec<f64> {
    (0..network.len()).map(|company| 1.0 + (company % 13) as f64).collect()
}

/// `x = v + W x`, company by company; what a closed group has, each of its members has.
#[test]
fn every_company_of_a_large_network_has_what_it_holds() {
    let network = large(true);
    let closed = ["000 closed", "999 closed"].map(|name| network.find(name).unwrap());
    let values = values(&network);
    let direct = Solver::direct(&network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    for x in [direct.solve(&values), Solver::new(&network, &resolvent).solve(&values)] {
        let worth = |company: u32| {
            let held = network.holdings(company).filter(|(owned, _)| !closed.contains(owned));
            values[company as usize] + held.map(|(owned, share)| share * x[owned as usize]).sum::<f64>()
        };
        let group: f64 = closed.into_iter().map(worth).sum();
        for (company, &found) in (0..).zip(&x) {
            let expected = if closed.contains(&company) {
                group
            } else {
                worth(company)
            };
            assert_close(found, expected, 1e-12);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let network = large(false);
    let values = values(&network);
    let on_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let direct = Solver::direct(&network, OnClosed::Fail, &mut |_| Ok(())).unwrap();
            let resolvent = Resolvent::new(&network, OnClosed::Fail, &mut |_| Ok(())).unwrap();
            [direct.solve(&values), Solver::new(&network, &resolvent).solve(&values)]
        })
    };
    assert!(on_threads(1) == on_threads(4));
}

/// As many companies as are summed together, and one more.
#[test]
fn a_network_may_end_where_companies_that_are_summed_together_do() {
    for companies in [32_767, 32_768, 32_769, 65_536] {
        let mut builder = NetworkBuilder::new(Policies::default());
        let half = Share::parse("0.5", Unit::Fraction).unwrap();
        for company in 1..companies {
            let before = if company % 3 == 0 { 1 } else { company % 3 };
            let holder = company - before;
            builder
                .add(&format!("{holder:05}"), &format!("{company:05}"), half, 1)
                .unwrap();
        }
        let network = builder.finish().unwrap();
        assert_eq!(network.len(), companies);
        let values = values(&network);
        let x = Solver::direct(&network, OnClosed::Fail, &mut |_| Ok(()))
            .unwrap()
            .solve(&values);
        for (company, value) in (0..).zip(&values) {
            let held: f64 = network
                .holdings(company)
                .map(|(owned, share)| share * x[owned as usize])
                .sum();
            assert_close(x[company as usize], value + held, 1e-12);
        }
    }
}

/// Also where leaves are looked for at the same time.
#[test]
fn a_solver_of_a_large_network_stops_when_it_is_told_to() {
    let network = large(true);
    for most in 0..3 {
        let mut calls = 0;
        let stopped = Solver::direct(&network, OnClosed::RingFence, &mut |_| {
            calls += 1;
            if calls > most { Err(Stopped) } else { Ok(()) }
        });
        assert_eq!((stopped.unwrap_err(), calls), (Error::Stopped(Stopped), most + 1));
    }
}
