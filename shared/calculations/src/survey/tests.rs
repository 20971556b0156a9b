//! What a survey says of small networks, and what it leaves out of large ones.

use ownership::{NetworkBuilder, OnClosed, Policies, Share, Unit};
use reports::{Company, Role};

use super::*;

fn network(stakes: &[(&str, &str, &str)]) -> Network {
    let mut builder = NetworkBuilder::new(Policies::default());
    for (row, (owner, owned, share)) in (1..).zip(stakes) {
        builder
            .add(owner, owned, Share::parse(share, Unit::Fraction).unwrap(), row)
            .unwrap();
    }
    builder.finish().unwrap()
}

fn surveyed(network: &Network) -> Survey {
    let resolvent = Resolvent::new(network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let wanted = Wanted {
        holders: None,
        share: "share",
        rows: ("", &[]),
    };
    Surveyed::new(network, &resolvent).survey(wanted, &|| Ok(())).unwrap()
}

fn company<'s>(survey: &'s Survey, id: &str) -> &'s Company {
    let shown = &survey.companies.as_ref().unwrap().shown;
    shown.iter().find(|company| company.name.id == id).unwrap()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
}

const RING: [(&str, &str, &str); 5] = [
    ("A", "Foo", "0.33"),
    ("Bar", "Foo", "0.34"),
    ("C", "Foo", "0.33"),
    ("Foo", "Bar", "0.5"),
    ("B", "Bar", "0.4"),
];

#[test]
fn owners_chains_cycles_and_the_undisclosed_add_up() {
    let network = network(&RING);
    let survey = surveyed(&network);
    let bar = company(&survey, "Bar");
    let v = 1.0 / (1.0 - 0.5 * 0.34);
    let owners: Vec<&str> = bar.owners.iter().map(|owner| owner.name.id.as_str()).collect();
    assert_eq!(owners, ["B", "A", "C"]);
    let (b, a) = (&bar.owners[0], &bar.owners[1]);
    close(b.integrated, 0.4 * v);
    close(b.direct, 0.4);
    close(b.rest, 0.4 * (v - 1.0));
    assert!(b.complete);
    let steps: Vec<_> = a.chains[0]
        .steps
        .iter()
        .map(|(name, share)| (name.id.as_str(), *share))
        .collect();
    assert_eq!(steps, [("A", 0.33), ("Foo", 0.5)]);
    close(a.chains[0].product, 0.165);
    let sum: f64 = bar.owners.iter().map(|owner| owner.integrated).sum();
    close(sum + bar.undisclosed.unwrap(), 1.0);
    close(bar.undisclosed_directly, 0.1);
    close(bar.amplification.unwrap(), v);
    let ring = &survey.rings.as_ref().unwrap().shown[0];
    assert_eq!((ring.number, ring.size, ring.group.as_deref()), (1, 2, None));
    let shape = survey.shape.unwrap();
    assert_eq!(shape.positions, [3, 2, 0, 0, 0, 0]);
    assert_eq!((shape.holders, shape.holdings), (vec![(2, 1), (3, 1)], vec![(1, 5)]));
}

#[test]
fn the_ranking_adds_up_to_what_is_disclosed() {
    let survey = surveyed(&network(&RING));
    let holders = survey.holders.unwrap();
    let ids: Vec<&str> = holders.rows.iter().map(|row| row.name.id.as_str()).collect();
    assert_eq!(ids, ["B", "A", "C"]);
    close(holders.whole, 2.0);
    let undisclosed: f64 = survey
        .companies
        .unwrap()
        .shown
        .iter()
        .filter_map(|company| company.undisclosed)
        .sum();
    close(holders.rows[2].cumulative + undisclosed, 2.0);
}

#[test]
fn a_picture_has_who_is_above_and_below() {
    let network = network(&[
        ("P", "H", "0.6"),
        ("H", "T", "0.5"),
        ("T", "S", "0.7"),
        ("Q", "T", "0.1"),
        ("S", "H", "0.2"),
    ]);
    let survey = surveyed(&network);
    let picture = &company(&survey, "T").picture;
    let role = |id: &str| picture.nodes.iter().find(|node| node.name.id == id).unwrap().role;
    assert_eq!(picture.nodes[0].name.id, "T");
    assert_eq!(
        [role("P"), role("Q"), role("H"), role("S")],
        [Role::Ultimate, Role::Ultimate, Role::Between, Role::Holding]
    );
    let held = |owner: &str, owned: &str| {
        let at = |id: &str| picture.nodes.iter().position(|node| node.name.id == id).unwrap();
        let found = picture
            .edges
            .iter()
            .find(|edge| edge.owner == at(owner) && edge.owned == at(owned));
        found.map(|edge| edge.share)
    };
    assert_eq!(
        [held("P", "H"), held("H", "T"), held("T", "S")],
        [Some(0.6), Some(0.5), Some(0.7)]
    );
    assert_eq!((picture.more_above, picture.more_below), (0, 0));
}

#[test]
fn a_closed_group_is_one_owner_and_its_members_have_none() {
    // X and Y hold each other entirely, and both hold T.
    let network = network(&[
        ("X", "Y", "1"),
        ("Y", "X", "1"),
        ("X", "T", "0.3"),
        ("Y", "T", "0.2"),
        ("P", "T", "0.5"),
    ]);
    let survey = surveyed(&network);
    let t = company(&survey, "T");
    let group = t.owners.iter().find(|owner| owner.name.id == "closed-group:1").unwrap();
    close(group.integrated, 0.5);
    close(group.direct, 0.5);
    assert_eq!(group.chains.len(), 1);
    close(group.chains[0].product, 0.5);
    close(group.rest, 0.0);
    let x = company(&survey, "X");
    assert_eq!((x.group.as_deref(), x.owners.len()), (Some("closed-group:1"), 0));
    assert_eq!(survey.rings.unwrap().shown[0].group.as_deref(), Some("closed-group:1"));
}

#[test]
fn of_many_companies_the_ones_that_are_asked_about_are_chosen_by_turns() {
    let names: Vec<String> = (0..200).map(|number| format!("c{number:03}")).collect();
    let mut stakes: Vec<(&str, &str, &str)> = names[1..]
        .iter()
        .map(|name| (names[0].as_str(), name.as_str(), "0.1"))
        .collect();
    // c150 has the most holders, c151 the most holdings, c152 and c153 are a ring.
    stakes.extend(names[1..40].iter().map(|name| (name.as_str(), "c150", "0.01")));
    stakes.extend(names[60..140].iter().map(|name| ("c151", name.as_str(), "0.5")));
    stakes.extend([("c152", "c153", "0.5"), ("c153", "c152", "0.5")]);
    let survey = surveyed(&network(&stakes));
    let companies = survey.companies.unwrap();
    assert_eq!((companies.all, companies.shown.len()), (199, 24));
    let first: Vec<_> = companies
        .shown
        .iter()
        .take(3)
        .map(|company| company.name.id.as_str())
        .collect();
    assert_eq!(first, ["c150", "c151", "c152"]);
    assert!(
        companies.shown[0].why.contains("most direct holders: 40"),
        "{}",
        companies.shown[0].why
    );
    assert!(!companies.chosen_by.is_empty());
}

#[test]
fn a_picture_of_a_hub_is_bounded_and_says_what_is_left_out() {
    let owners: Vec<String> = (0..500).map(|number| format!("o{number:03}")).collect();
    let holdings: Vec<String> = (0..300).map(|number| format!("h{number:03}")).collect();
    let mut stakes: Vec<(&str, &str, &str)> = owners.iter().map(|owner| (owner.as_str(), "hub", "0.001")).collect();
    stakes.extend(holdings.iter().map(|held| ("hub", held.as_str(), "0.5")));
    let survey = surveyed(&network(&stakes));
    let hub = company(&survey, "hub");
    assert!(hub.picture.nodes.len() <= 50, "{}", hub.picture.nodes.len());
    let above = hub
        .picture
        .nodes
        .iter()
        .filter(|node| node.role == Role::Ultimate)
        .count() as u64;
    assert_eq!(above + hub.picture.more_above, 500);
    let below = hub
        .picture
        .nodes
        .iter()
        .filter(|node| node.role == Role::Holding)
        .count() as u64;
    assert_eq!(below + hub.picture.more_below, 300);
    assert_eq!(hub.owners.len() as u64 + hub.others.0, 500);
}
