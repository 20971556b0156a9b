//! Who controls whom.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use ownership::{
    Batch, ControlEdges, Error, Network, NetworkBuilder, OnClosed, Policies, Resolvent, Share, Stopped, Unit,
    company_control,
};
use proptest::prelude::*;
use support::network;

/// (controller, company, share, ultimate)
type Row = (String, String, f64, bool);

fn control_at(network: &Network, threshold: &str) -> Vec<Row> {
    control_with(network, threshold, ControlEdges::Ignore)
}

fn control_with(network: &Network, threshold: &str, edges: ControlEdges) -> Vec<Row> {
    let resolvent = Resolvent::new(network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let threshold = Share::parse(threshold, Unit::Fraction).unwrap();
    let pairs = company_control(network, &resolvent, threshold, edges, usize::MAX, &mut |_| Ok(())).unwrap();
    assert!(pairs.is_sorted_by_key(|pair| (pair.company, pair.controller)));
    let row = |pair: &ownership::Control| {
        let controller = resolvent.owner_name(network, pair.controller).to_owned();
        (
            controller,
            network.name(pair.company).to_owned(),
            pair.share,
            pair.ultimate,
        )
    };
    pairs.iter().map(row).collect()
}

fn control(stakes: &[(&str, &str, &str)]) -> Vec<Row> {
    control_at(&network(stakes.iter().copied()), "0.5")
}

fn names(rows: &[Row]) -> BTreeSet<(&str, &str)> {
    rows.iter()
        .map(|(controller, company, ..)| (controller.as_str(), company.as_str()))
        .collect()
}

#[test]
fn votes_held_through_a_controlled_company_count_in_full() {
    // The example of the Vadalog documentation (prometheuxresearch/docs, "Thinking in Vadalog").
    let rows = control(&[
        ("Yum", "KFC", "0.6"),
        ("Yum", "Pizza Hut", "0.7"),
        ("FastFoodsGroup", "McDonalds", "0.45"),
        ("Yum", "FastFoodsGroup", "0.7"),
        ("Yum", "McDonalds", "0.1"),
    ]);
    let expected = [
        ("Yum", "FastFoodsGroup", 0.7, true),
        ("Yum", "KFC", 0.6, true),
        ("Yum", "McDonalds", 0.55, true),
        ("Yum", "Pizza Hut", 0.7, true),
    ];
    let expected = expected
        .map(|(controller, company, share, ultimate)| (controller.to_owned(), company.to_owned(), share, ultimate));
    assert_eq!(rows, expected);
}

#[test]
fn control_passes_down_a_chain_however_little_is_owned() {
    // The network `simple_chain` of CSI-ADS/OptimControl.
    let rows = control(&[
        ("0", "1", "0.9"),
        ("1", "2", "0.51"),
        ("2", "3", "0.3"),
        ("2", "4", "0.9"),
    ]);
    assert_eq!(
        names(&rows),
        BTreeSet::from([("0", "1"), ("1", "2"), ("0", "2"), ("2", "4"), ("1", "4"), ("0", "4")])
    );
    assert!(
        rows.iter()
            .all(|(controller, .., ultimate)| *ultimate == (controller == "0"))
    );
}

#[test]
fn exactly_half_is_not_control_whatever_it_is_made_of() {
    for parts in [
        ["0.3", "0.2"],
        ["0.1", "0.4"],
        ["0.15", "0.35"],
        ["0.499999999999", "0.000000000001"],
    ] {
        let stakes = [("P", "A", "1"), ("P", "T", parts[0]), ("A", "T", parts[1])];
        assert_eq!(names(&control(&stakes)), BTreeSet::from([("P", "A")]), "{parts:?}");
    }
    let tenths: Vec<String> = (0..6).map(|k| format!("H{k}")).collect();
    let mut stakes: Vec<_> = tenths.iter().map(|holder| ("P", holder.as_str(), "1")).collect();
    stakes.extend(tenths.iter().take(5).map(|holder| (holder.as_str(), "T", "0.1")));
    assert!(!names(&control(&stakes)).contains(&("P", "T")), "five tenths");
    stakes.push(("H5", "T", "1e-15"));
    assert!(names(&control(&stakes)).contains(&("P", "T")), "and a little more");
}

#[test]
fn a_cycle_below_is_controlled_and_a_cycle_controls_nothing_of_itself() {
    // Nobody outside has a majority of A or B; each has one of the other.
    let rows = control(&[
        ("A", "B", "0.6"),
        ("B", "A", "0.6"),
        ("P", "A", "0.4"),
        ("B", "C", "0.6"),
    ]);
    assert_eq!(
        names(&rows),
        BTreeSet::from([("A", "B"), ("B", "A"), ("A", "C"), ("B", "C")])
    );
    assert!(rows.iter().all(|row| row.3), "they are ultimate together");
    // What B gives back to A counts for P.
    let rows = control(&[
        ("P", "A", "0.6"),
        ("A", "B", "0.6"),
        ("B", "A", "0.3"),
        ("P", "B", "0.1"),
    ]);
    assert_eq!(rows[0], ("P".to_owned(), "A".to_owned(), 0.9, true));
    assert_eq!(names(&rows), BTreeSet::from([("P", "A"), ("P", "B"), ("A", "B")]));
}

#[test]
fn own_shares_have_no_votes() {
    // 45% of the 80% that can vote.
    let rows = control(&[("P", "F", "0.45"), ("F", "F", "0.2"), ("Q", "F", "0.35")]);
    assert_eq!(rows, [("P".to_owned(), "F".to_owned(), 0.5625, true)]);
    // 40% of 80% is not more than one half.
    assert_eq!(control(&[("P", "F", "0.4"), ("F", "F", "0.2"), ("Q", "F", "0.4")]), []);
}

#[test]
fn a_closed_group_controls_as_one() {
    let rows = control(&[
        ("A", "B", "1"),
        ("B", "A", "1"),
        ("A", "T", "0.3"),
        ("B", "T", "0.3"),
        ("T", "U", "0.9"),
    ]);
    assert_eq!(
        rows,
        [
            ("closed-group:1".to_owned(), "T".to_owned(), 0.6, true),
            ("T".to_owned(), "U".to_owned(), 0.9, false),
            ("closed-group:1".to_owned(), "U".to_owned(), 0.9, true),
        ]
    );
}

#[test]
fn control_without_a_share_counts_if_it_is_asked_for() {
    let share = |text| Share::parse(text, Unit::Fraction).unwrap();
    let mut batch = Batch::default();
    batch.push_control("P", "H", 1);
    batch.push_control("H", "K", 2);
    batch.push("H", "T", share("0.3"), 3);
    batch.push("K", "T", share("0.3"), 4);
    batch.push("P", "K", share("0.1"), 5);
    batch.push_control("T", "P", 6);
    batch.push_control("Z", "P", 7);
    let mut builder = NetworkBuilder::new(Policies::default());
    builder.append(&mut batch).unwrap();
    let network = builder.finish().unwrap();
    let rows = |edges| control_with(&network, "0.5", edges);
    assert_eq!(rows(ControlEdges::Ignore), []);
    let of = |controller: &str| -> Vec<(String, f64, bool)> {
        let rows = rows(ControlEdges::Use).into_iter().filter(|row| row.0 == controller);
        rows.map(|(_, company, share, ultimate)| (company, share, ultimate))
            .collect()
    };
    let row = |company: &str, share, ultimate| (company.to_owned(), share, ultimate);
    assert_eq!(
        of("P"),
        [row("H", 0.0, false), row("K", 0.1, false), row("T", 0.6, false)]
    );
    assert_eq!(
        of("H"),
        [row("K", 0.1, false), row("P", 0.0, false), row("T", 0.6, false)]
    );
    assert_eq!(of("Z").len(), 4, "all but itself");
    assert!(
        of("Z").iter().all(|row| row.2),
        "who controls a ring from outside is ultimate"
    );
}

#[test]
fn the_threshold_is_a_parameter() {
    let stakes = network([("P", "H", "0.25"), ("H", "T", "0.2"), ("Q", "H", "0.75")]);
    assert_eq!(names(&control_at(&stakes, "0.75")), BTreeSet::new());
    assert_eq!(names(&control_at(&stakes, "0.25")), BTreeSet::from([("Q", "H")]));
    assert_eq!(
        names(&control_at(&stakes, "0.1")),
        BTreeSet::from([("P", "H"), ("Q", "H"), ("P", "T"), ("Q", "T"), ("H", "T")])
    );
}

#[test]
fn it_ends_at_the_limit_and_when_it_is_told_to() {
    let network = network([("A", "B", "1"), ("B", "C", "1")]);
    let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let half = Share::parse("0.5", Unit::Fraction).unwrap();
    let with_limit = |limit| company_control(&network, &resolvent, half, ControlEdges::Ignore, limit, &mut |_| Ok(()));
    assert_eq!(with_limit(2), Err(Error::TooManyPairs { limit: 2 }));
    assert_eq!(with_limit(3).map(|pairs| pairs.len()), Ok(3));
    let names: Vec<String> = (0..30_000).map(|level| format!("{level:05}")).collect();
    let chain = support::network(names.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str(), "1")));
    let chained = Resolvent::new(&chain, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let found = company_control(&chain, &chained, half, ControlEdges::Ignore, 1_000, &mut |_| Ok(()));
    assert_eq!(found, Err(Error::TooManyPairs { limit: 1_000 }), "of 450 million");
    let stopped = company_control(&network, &resolvent, half, ControlEdges::Ignore, 3, &mut |_| {
        Err(Stopped)
    });
    assert_eq!(stopped, Err(Error::Stopped(Stopped)));
}

/// The fixpoint by trying every company again until nothing changes, with shares in twentieths.
fn by_brute_force(
    stakes: &[(usize, usize, u32)],
    closed: &[Vec<usize>],
    companies: usize,
) -> BTreeMap<(usize, usize), f64> {
    let group = |company: usize| closed.iter().position(|members| members.contains(&company));
    let owner = |company: usize| group(company).map_or(company, |group| companies + group);
    let mut found = BTreeMap::new();
    for controller in (0..companies)
        .filter(|&company| group(company).is_none())
        .chain(companies..companies + closed.len())
    {
        let mut set = BTreeSet::from([controller]);
        let share = |set: &BTreeSet<usize>, company: usize| {
            let of_company = stakes.iter().filter(|&&(_, owned, _)| owned == company);
            let held = of_company
                .clone()
                .filter(|&&(holder, ..)| holder != company && set.contains(&owner(holder)));
            let own = of_company.filter(|&&(holder, ..)| holder == company);
            let (held, own): (u32, u32) = (held.map(|stake| stake.2).sum(), own.map(|stake| stake.2).sum());
            (held, 20_u32.saturating_sub(own))
        };
        let free = |company: usize| company != controller && group(company).is_none();
        loop {
            let next = (0..companies)
                .filter(|&company| free(company) && !set.contains(&company))
                .find(|&company| {
                    let (held, votes) = share(&set, company);
                    held * 2 > votes && votes > 0
                });
            let Some(next) = next else { break };
            set.insert(next);
        }
        for &company in set.iter().filter(|&&company| company != controller) {
            let (held, votes) = share(&set, company);
            found.insert((controller, company), f64::from(held) / f64::from(votes));
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_is_the_least_fixpoint_in_any_order_of_rows(
        stakes in prop::collection::btree_map((0_usize..7, 0_usize..7), 1_u32..16, 1..16),
        seed in any::<u64>(),
    ) {
        let mut stakes: Vec<(usize, usize, u32)> = stakes.into_iter().map(|((i, j), share)| (i, j, share)).collect();
        let text: Vec<String> = (0..7).map(|company| company.to_string()).collect();
        let shares: Vec<String> = (0..=20).map(|part| format!("{}", f64::from(part) / 20.0)).collect();
        let build = |stakes: &[(usize, usize, u32)]| network(
            stakes.iter().map(|&(i, j, share)| (text[i].as_str(), text[j].as_str(), shares[share as usize].as_str())),
        );
        let network = build(&stakes);
        let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
        let closed: Vec<Vec<usize>> = resolvent.components().closed.iter()
            .map(|group| group.members.iter().map(|name| name.parse().unwrap()).collect())
            .collect();
        let rows = control_at(&network, "0.5");
        let number = |name: &str| name.strip_prefix("closed-group:")
            .map_or_else(|| name.parse().unwrap(), |k| 6 + k.parse::<usize>().unwrap());
        let found: BTreeMap<(usize, usize), f64> = rows.iter()
            .map(|(controller, company, share, _)| ((number(controller), number(company)), *share))
            .collect();
        let expected = by_brute_force(&stakes, &closed, 7);
        prop_assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (pair, share) in &expected {
            prop_assert!((found[pair] - share).abs() < 1e-15, "{:?}: {} is not {}", pair, found[pair], share);
        }
        for (controller, _, _, ultimate) in &rows {
            let controls = |a: &str, b: &str| rows.iter().any(|row| row.0 == a && row.1 == b);
            let mut above = rows.iter().filter(|other| other.1 == *controller);
            prop_assert_eq!(*ultimate, above.all(|other| controls(controller, &other.0)));
        }
        let mut random = support::Random(seed);
        for position in (1..stakes.len()).rev() {
            stakes.swap(position, random.below(position + 1));
        }
        prop_assert_eq!(rows, control_at(&build(&stakes), "0.5"));
    }
}
