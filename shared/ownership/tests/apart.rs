//! Ranges, control without a share, and labels, on their way into a network.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test fails by panicking")]

use ownership::*;

fn share(text: &str) -> Share {
    Share::parse(text, Unit::Fraction).unwrap()
}

/// `from..to` is a range, `?` control.
fn batch(stakes: &[(&str, &str, &str)]) -> Batch {
    let mut batch = Batch::default();
    for (row, (owner, owned, text)) in (1..).zip(stakes) {
        match text.split_once("..") {
            Some((lower, upper)) => batch.push_range(owner, owned, share(lower), share(upper), row),
            None if *text == "?" => batch.push_control(owner, owned, row),
            None => batch.push(owner, owned, share(text), row),
        }
    }
    batch
}

fn build(stakes: &[(&str, &str, &str)], policies: Policies) -> Result<Network, Error> {
    let mut builder = NetworkBuilder::new(policies);
    builder.append(&mut batch(stakes))?;
    builder.finish()
}

fn ranges(ranges: ImputedShare) -> Policies {
    Policies {
        ranges,
        ..Policies::default()
    }
}

fn holders(network: &Network, company: &str) -> Vec<(String, f64)> {
    let holders = network.holders(network.find(company).unwrap());
    holders
        .map(|(owner, share)| (network.name(owner).to_owned(), share))
        .collect()
}

#[test]
fn of_ranges_recorded_twice_one_takes_room() {
    let stakes = [
        ("P", "T", "0.25..0.5"),
        ("P", "T", "0.25..0.5"),
        ("Q", "T", "0.25..0.5"),
    ];
    let policies = Policies {
        duplicates: Duplicates::Max,
        ..ranges(ImputedShare::Upper)
    };
    let network = build(&stakes, policies).unwrap();
    assert_eq!(holders(&network, "T"), [("P".to_owned(), 0.5), ("Q".to_owned(), 0.5)]);
}

#[test]
fn a_policy_says_which_share_stands_for_a_range() {
    let stakes = [("P", "T", "0.25..0.5"), ("Q", "T", "0.3")];
    for (policy, expected) in [
        (ImputedShare::Midpoint, 0.375),
        (ImputedShare::Lower, 0.25),
        (ImputedShare::Upper, 0.5),
    ] {
        let network = build(&stakes, ranges(policy)).unwrap();
        assert_eq!(
            holders(&network, "T"),
            [("P".to_owned(), expected), ("Q".to_owned(), 0.3)]
        );
        assert!(network.has_ranges());
        let imputed = network
            .findings()
            .iter()
            .find(|finding| finding.code == "imputed_share")
            .unwrap();
        assert_eq!(imputed.count, 1);
        assert_eq!(
            imputed.examples,
            [format!("P holds 0.25 to 0.5 of T: taken as {expected}")]
        );
    }
}

#[test]
fn imputed_shares_leave_a_company_at_one() {
    let thirds = [
        ("A", "T", "0.25..0.5"),
        ("B", "T", "0.25..0.5"),
        ("C", "T", "0.25..0.5"),
    ];
    for policy in [ImputedShare::Midpoint, ImputedShare::Upper] {
        let network = build(&thirds, ranges(policy)).unwrap();
        let held = holders(&network, "T");
        assert!(
            held.iter().all(|(_, share)| (share - 1.0 / 3.0).abs() < 1e-15),
            "{held:?}"
        );
        let codes: Vec<_> = network.findings().iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, ["imputed_share"], "neither over one nor undisclosed");
    }
    // What the lower bounds leave is nothing: the stakes are known.
    let network = build(
        &[("A", "T", "0.25..0.5"), ("B", "T", "0.75..1")],
        ranges(ImputedShare::Upper),
    )
    .unwrap();
    assert_eq!(holders(&network, "T"), [("A".to_owned(), 0.25), ("B".to_owned(), 0.75)]);
    assert!(!network.has_ranges());
    // Lower bounds over one are dirty data, told as such.
    let network = build(
        &[("A", "T", "0.75..0.9"), ("B", "T", "0.75")],
        ranges(ImputedShare::Midpoint),
    )
    .unwrap();
    assert_eq!(network.column_sum(network.find("T").unwrap()), 1.5);
    assert!(
        network
            .findings()
            .iter()
            .any(|finding| finding.code == "column_over_100")
    );
}

#[test]
fn duplicates_of_ranges_follow_the_policy() {
    let stakes = [("P", "T", "0.1..0.2"), ("P", "T", "0.2..0.4"), ("P", "T", "0.05")];
    let share_by = |duplicates| {
        let policies = Policies {
            duplicates,
            ..Policies::default()
        };
        build(&stakes, policies).map(|network| holders(&network, "T")[0].1)
    };
    assert!((share_by(Duplicates::Sum).unwrap() - 0.5).abs() < 1e-15);
    assert!((share_by(Duplicates::Max).unwrap() - 0.3).abs() < 1e-15);
    assert!(matches!(
        share_by(Duplicates::Reject),
        Err(Error::DuplicateStake { row: 2, .. })
    ));
}

#[test]
fn control_without_a_share_is_no_stake() {
    let network = build(
        &[("P", "H", "?"), ("H", "T", "0.4"), ("P", "H", "?"), ("A", "B", "?")],
        Policies::default(),
    )
    .unwrap();
    assert_eq!(network.stakes(), 1);
    let edges: Vec<_> = network
        .control_edges()
        .iter()
        .map(|&(controller, company)| (network.name(controller), network.name(company)))
        .collect();
    assert_eq!(edges, [("A", "B"), ("P", "H")]);
    let codes: Vec<_> = network
        .findings()
        .iter()
        .map(|finding| (finding.code.as_str(), finding.count))
        .collect();
    assert_eq!(codes, [("undisclosed_share", 1), ("control_without_share", 2)]);
    // A file of nothing else is a network too.
    assert_eq!(build(&[("P", "H", "?")], Policies::default()).unwrap().len(), 2);
}

#[test]
fn near_its_limit_a_builder_knows_ranges_too() {
    let stakes = [
        ("P", "T", "0.25..0.5"),
        ("P", "H", "?"),
        ("Q", "T", "0.1"),
        ("H", "T", "0.1..0.2"),
    ];
    let limits = Limits {
        companies: 4,
        stakes: 4,
    };
    let mut builder = NetworkBuilder::with_limits(Policies::default(), limits);
    builder.append(&mut batch(&stakes)).unwrap();
    let near = builder.finish().unwrap();
    let far = build(&stakes, Policies::default()).unwrap();
    assert_eq!(near.findings(), far.findings());
    assert_eq!(holders(&near, "T"), holders(&far, "T"));
    assert_eq!(near.control_edges(), far.control_edges());
}

#[test]
fn companies_have_names_and_kinds() {
    let mut builder = NetworkBuilder::new(Policies::default());
    let mut stakes = batch(&[("id-1", "id-2", "0.5")]);
    stakes.describe("id-1", "", Kind::Person);
    stakes.describe("id-9", "Nobody's owner", Kind::Entity);
    builder.append(&mut stakes).unwrap();
    let mut later = Batch::default();
    later.describe("id-1", "Ann", Kind::Unknown);
    later.describe("id-1", "Zoe", Kind::Unknown);
    later.describe("id-2", "", Kind::Entity);
    later.describe("id-2", "", Kind::Person);
    assert!(!later.is_empty(), "descriptions are worth handing on without a stake");
    builder.append(&mut later).unwrap();
    let network = builder.finish().unwrap();
    let stored = postcard::to_allocvec(&network).unwrap();
    let read: Network = postcard::from_bytes(&stored).unwrap();
    for network in [network, read] {
        assert!(network.has_labels());
        assert_eq!((network.label(0), network.kind(0)), (Some("Ann"), Kind::Person));
        assert_eq!((network.label(1), network.kind(1)), (None, Kind::Unknown));
    }
    assert!(!build(&[("A", "B", "1")], Policies::default()).unwrap().has_labels());
}
