//! Dirty data: what is noticed, what is done, what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use ownership::{ColumnsOver100, Duplicates, Error, Finding, Limits, Network, NetworkBuilder, Policies, Share, Unit};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use support::{assert_close, network, network_with};

fn finding<'a>(network: &'a Network, code: &str) -> Option<&'a Finding> {
    network.findings().iter().find(|finding| finding.code == code)
}

fn share(network: &Network, owner: &str, owned: &str) -> Option<f64> {
    let owner = network.find(owner).unwrap();
    let held = network
        .holders(network.find(owned).unwrap())
        .find(|&(holder, _)| holder == owner);
    let holding = network
        .holdings(owner)
        .find(|&(company, _)| network.name(company) == owned);
    assert_eq!(
        held.map(|held| held.1),
        holding.map(|holding| holding.1),
        "both ends tell the same"
    );
    held.map(|held| held.1)
}

const TWICE: [(&str, &str, &str); 3] = [("A", "B", "0.3"), ("A", "B", "0.2"), ("C", "B", "0.5")];

fn duplicates(duplicates: Duplicates) -> Policies {
    Policies {
        duplicates,
        ..Policies::default()
    }
}

#[test]
fn duplicates_are_added_up() {
    let network = network(TWICE);
    assert_eq!(
        (share(&network, "A", "B"), share(&network, "C", "B")),
        (Some(0.5), Some(0.5))
    );
    let found = finding(&network, "duplicate_stake").unwrap();
    assert_eq!(
        (found.count, found.examples.as_slice()),
        (1, ["A holds 0.2 and 0.3 of B: taken as 0.5".to_owned()].as_slice())
    );
    assert_eq!(
        finding(&network, "undisclosed_share"),
        None,
        "0.3 + 0.2 + 0.5 is exactly 1"
    );
}

#[test]
fn the_order_of_duplicates_changes_no_bit() {
    // Three shares that differ below a unit of their decimals, and add up
    // differently in another order.
    let shares = [
        "0.000001234567890123401",
        "0.000001234567890123402",
        "0.000001234567890123403",
    ];
    for policy in [Duplicates::Sum, Duplicates::Max] {
        let build = |order: [usize; 3]| {
            let stakes = order.map(|k| ("A", "B", shares[k]));
            postcard::to_allocvec(&network_with(stakes, duplicates(policy)).unwrap()).unwrap()
        };
        assert!(
            [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
                .into_iter()
                .all(|order| build(order) == build([0, 1, 2]))
        );
    }
}

#[test]
fn of_duplicates_the_largest_can_be_taken() {
    let network = network_with(TWICE, duplicates(Duplicates::Max)).unwrap();
    assert_eq!(share(&network, "A", "B"), Some(0.3));
    assert_eq!(network.undisclosed(network.find("B").unwrap()), 0.2);
}

#[test]
fn duplicates_can_be_refused_naming_the_row() {
    let error = network_with(TWICE, duplicates(Duplicates::Reject)).unwrap_err();
    assert_eq!(
        error,
        Error::DuplicateStake {
            row: 2,
            owner: "A".to_owned(),
            owned: "B".to_owned()
        }
    );
    assert_eq!(error.code(), "duplicate_stake");
}

const OVER: [(&str, &str, &str); 3] = [("A", "T", "0.9"), ("B", "T", "0.6"), ("T", "S", "1")];

fn columns(columns_over_100: ColumnsOver100) -> Policies {
    Policies {
        columns_over_100,
        ..Policies::default()
    }
}

#[test]
fn columns_over_one_are_kept_normalised_or_refused() {
    let kept = network(OVER);
    let company = kept.find("T").unwrap();
    assert_eq!(
        (
            share(&kept, "A", "T"),
            kept.column_sum(company),
            kept.undisclosed(company)
        ),
        (Some(0.9), 1.5, 0.0)
    );
    let found = finding(&kept, "column_over_100").unwrap();
    assert_eq!(
        (found.count, found.examples.as_slice()),
        (1, ["T: its stakes sum to 1.5".to_owned()].as_slice())
    );

    let normalised = network_with(OVER, columns(ColumnsOver100::Normalise)).unwrap();
    assert_close(share(&normalised, "A", "T").unwrap(), 0.6, 1e-15);
    assert_eq!(
        (normalised.column_sum(company), normalised.undisclosed(company)),
        (1.0, 0.0)
    );
    assert_ne!(finding(&normalised, "column_over_100").unwrap().action, found.action);

    let error = network_with(OVER, columns(ColumnsOver100::Reject)).unwrap_err();
    assert_eq!(
        error,
        Error::ColumnOver100 {
            company: "T".to_owned(),
            sum: 1.5
        }
    );
    assert_eq!(error.code(), "column_over_100");
}

#[test]
fn duplicates_are_resolved_before_columns_are_checked() {
    let policies = Policies {
        duplicates: Duplicates::Max,
        columns_over_100: ColumnsOver100::Reject,
        ..Policies::default()
    };
    let stakes = [("A", "T", "0.6"), ("A", "T", "0.6")];
    assert!(network_with(stakes, policies).is_ok());
    assert!(network_with(stakes, columns(ColumnsOver100::Reject)).is_err());
}

#[test]
fn up_to_a_thousandth_over_one_is_rounding() {
    for (rest, code) in [
        ("0.5", None),
        ("0.501", Some("column_rounded")),
        ("0.501000000000000001", Some("column_over_100")),
    ] {
        for policy in [ColumnsOver100::Keep, ColumnsOver100::Normalise] {
            let network = network_with([("A", "T", "0.5"), ("B", "T", rest)], columns(policy)).unwrap();
            let codes: Vec<_> = network.findings().iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!(codes, Vec::from_iter(code));
            let changed = share(&network, "A", "T") != Some(0.5);
            assert_eq!(
                changed,
                code == Some("column_over_100") && policy == ColumnsOver100::Normalise
            );
        }
    }
}

#[test]
fn zero_shares_are_dropped_but_not_their_companies() {
    let network = network([("A", "B", "0"), ("A", "B", "0.0"), ("C", "B", "1"), ("D", "E", "0%")]);
    assert_eq!((network.len(), network.stakes()), (5, 1));
    let found = finding(&network, "zero_share").unwrap();
    assert_eq!((found.count, found.examples.len()), (3, 2));
    assert_eq!(
        finding(&network, "duplicate_stake"),
        None,
        "nothing held twice is not a duplicate"
    );
    assert_eq!(
        network.undisclosed(network.find("E").unwrap()),
        0.0,
        "without holders a company is its own owner"
    );
}

#[test]
fn a_network_of_zero_shares_has_companies_without_owners() {
    let solved = support::Solved::of(&[("A", "B", "0")]);
    assert!(solved.pairs.iter().all(Vec::is_empty) && solved.pairs.len() == 2);
    assert_eq!(solved.resolvent.balance(&solved.network).checked, 0);
}

#[test]
fn own_shares_are_noted_and_kept() {
    let network = network([("P", "F", "0.9"), ("F", "F", "0.1")]);
    assert_eq!(share(&network, "F", "F"), Some(0.1));
    assert_eq!(
        finding(&network, "self_holding").unwrap().examples,
        ["F holds 0.1 of itself"]
    );
}

#[test]
fn undisclosed_shares_are_exact_decimals() {
    // In floating point 0.1 + 0.2 + 0.7 is not 1.
    let full = network([("A", "T", "0.1"), ("B", "T", "0.2"), ("C", "T", "0.7")]);
    assert_eq!(finding(&full, "undisclosed_share"), None);
    let lacking = network([("A", "T", "0.1"), ("B", "T", "0.2"), ("C", "T", "0.699999999999999999")]);
    assert_eq!(lacking.undisclosed(lacking.find("T").unwrap()), 1e-18);
    assert_eq!(finding(&lacking, "undisclosed_share").unwrap().count, 1);
}

#[test]
fn at_most_ten_examples_are_kept_the_first_by_name() {
    let names: Vec<String> = (10..40).rev().map(|number| format!("co{number}")).collect();
    let network = network(names.iter().map(|name| ("P", name.as_str(), "0.5")));
    let found = finding(&network, "undisclosed_share").unwrap();
    assert_eq!((found.count, found.examples.len()), (30, 10));
    assert_eq!(found.examples[0], "co10: 0.5 undisclosed");
}

#[test]
fn an_empty_input_is_an_error() {
    let error = NetworkBuilder::new(Policies::default()).finish().unwrap_err();
    assert_eq!((error.code(), error), ("empty_input", Error::EmptyInput));
}

#[test]
fn limits_are_kept_to_the_last_company_and_stake() {
    let half = Share::parse("0.5", Unit::Fraction).unwrap();
    let mut builder = NetworkBuilder::with_limits(
        Policies::default(),
        Limits {
            companies: 3,
            stakes: 3,
        },
    );
    builder.add("A", "B", half, 1).unwrap();
    builder.add("A", "C", half, 2).unwrap();
    assert_eq!(
        builder.add("A", "D", half, 3),
        Err(Error::TooManyCompanies { limit: 3 })
    );
    builder.add("B", "C", half, 4).unwrap();
    assert_eq!(builder.add("C", "A", half, 5), Err(Error::TooManyStakes { limit: 3 }));
    assert_eq!(builder.finish().unwrap().len(), 3);
}

#[test]
fn policies_are_written_in_small_letters() {
    let read = |text: &'static str| -> StrDeserializer<'static, serde::de::value::Error> { text.into_deserializer() };
    assert_eq!(ColumnsOver100::deserialize(read("keep")), Ok(ColumnsOver100::Keep));
    assert_eq!(
        ColumnsOver100::deserialize(read("normalise")),
        Ok(ColumnsOver100::Normalise)
    );
    assert_eq!(Duplicates::deserialize(read("max")), Ok(Duplicates::Max));
    assert_eq!(
        ownership::OnClosed::deserialize(read("ring-fence")),
        Ok(ownership::OnClosed::RingFence)
    );
    assert!(ColumnsOver100::deserialize(read("Keep")).is_err());
}
