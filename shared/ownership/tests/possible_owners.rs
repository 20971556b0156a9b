//! Beneficial owners where only bounds of stakes are known, and by control without a share.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test fails by panicking")]

mod support;

use ownership::*;
use support::assert_close;

fn share(text: &str) -> Share {
    Share::parse(text, Unit::Fraction).unwrap()
}

/// `from..to` is a range, `?` control, `>from..to` excludes the lower end.
fn network(stakes: &[(&str, &str, &str)]) -> Network {
    let mut batch = Batch::default();
    for (row, (owner, owned, text)) in (1..).zip(stakes) {
        match text.split_once("..") {
            Some((lower, upper)) => {
                let above = lower.strip_prefix('>').map(|lower| share(lower).just_above());
                batch.push_range(owner, owned, above.unwrap_or_else(|| share(lower)), share(upper), row);
            }
            None if *text == "?" => batch.push_control(owner, owned, row),
            None => batch.push(owner, owned, share(text), row),
        }
    }
    let mut builder = NetworkBuilder::new(Policies::default());
    builder.append(&mut batch).unwrap();
    builder.finish().unwrap()
}

fn applied(basis: Basis) -> String {
    let rules = [
        (basis.ownership, "52"),
        (basis.control, "53"),
        (basis.control_of_holder, "54a"),
        (basis.interest_in_controller, "54b"),
    ];
    let rules: Vec<&str> = rules.iter().filter(|rule| rule.0).map(|rule| rule.1).collect();
    rules.join(" ")
}

/// (owner, [lower, share, upper], rules that apply, rules that are possible)
type Row = (String, [f64; 3], String, String);

fn owners(stakes: &[(&str, &str, &str)], company: &str, edges: ControlEdges) -> Vec<Row> {
    let rules = BeneficialRules {
        interest: share("0.25"),
        inclusive: true,
        control: share("0.5"),
        edges,
    };
    owners_by(stakes, company, rules)
}

fn owners_by(stakes: &[(&str, &str, &str)], company: &str, rules: BeneficialRules) -> Vec<Row> {
    let network = network(stakes);
    let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let found = beneficial_owners(&network, &resolvent, rules, PairLimits::default(), &mut |_| Ok(())).unwrap();
    let of_company = found.into_iter().filter(|owner| network.name(owner.company) == company);
    of_company
        .map(|owner| {
            let name = resolvent.owner_name(&network, owner.owner).to_owned();
            let bounds = [owner.lower, owner.share, owner.upper];
            assert!(bounds.is_sorted(), "{name}: {bounds:?}");
            (name, bounds, applied(owner.basis), applied(owner.possible))
        })
        .collect()
}

#[track_caller]
fn assert_rows(found: &[Row], expected: &[(&str, [f64; 3], &str, &str)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(
            (found.0.as_str(), found.2.as_str(), found.3.as_str()),
            (expected.0, expected.2, expected.3)
        );
        for (found, expected) in found.1.into_iter().zip(expected.1) {
            assert_close(found, expected, 1e-14);
        }
    }
}

#[test]
fn a_band_that_begins_at_the_threshold_is_certain() {
    let found = owners(
        &[("P", "T", "0.25..0.5"), ("Q", "T", "0.1..0.25"), ("R", "T", "0.1..0.2")],
        "T",
        ControlEdges::Ignore,
    );
    assert_rows(
        &found,
        &[("P", [0.25, 0.375, 0.5], "52", ""), ("Q", [0.1, 0.175, 0.25], "", "52")],
    );
}

#[test]
fn a_band_of_more_than_the_threshold_is_more_than_the_threshold() {
    let rules = BeneficialRules {
        interest: share("0.25"),
        inclusive: false,
        control: share("0.5"),
        edges: ControlEdges::Ignore,
    };
    let found = owners_by(&[("P", "T", ">0.25..0.5"), ("Q", "T", "0.25..0.3")], "T", rules);
    assert_rows(
        &found,
        &[("P", [0.25, 0.375, 0.5], "52", ""), ("Q", [0.25, 0.275, 0.3], "", "52")],
    );
}

#[test]
fn what_is_uncertain_along_a_chain_is_possible_at_its_end() {
    let stakes = [
        ("P", "H", "0.5..0.75"),
        ("H", "T", "0.25..0.5"),
        ("Q", "H", "0.25"),
        ("R", "T", "0.5"),
    ];
    let found = owners(&stakes, "T", ControlEdges::Ignore);
    // H may hold a quarter of T or more, which it does by its lower bound; that P controls H is possible only.
    assert_rows(
        &found,
        &[
            ("R", [0.5, 0.5, 0.5], "52", ""),
            ("P", [0.125, 0.234_375, 0.375], "", "52 54a"),
        ],
    );
    // More than one half is control.
    let stakes = [
        ("P", "H", ">0.5..0.75"),
        ("H", "T", "0.25..0.5"),
        ("Q", "H", "0.25"),
        ("R", "T", "0.5"),
    ];
    let found = owners(&stakes, "T", ControlEdges::Ignore);
    assert_eq!((found[1].2.as_str(), found[1].3.as_str()), ("54a", "52"));
}

#[test]
fn what_others_are_known_to_hold_is_nobodys_possibility() {
    let stakes = [("P", "T", "0.1..0.6"), ("Q", "T", "0.8")];
    assert_rows(
        &owners(&stakes, "T", ControlEdges::Ignore),
        &[("Q", [0.8, 0.8, 0.8], "52 53", "")],
    );
    // P could have a majority of the votes, if Q were not there.
    let stakes = [("P", "T", "0.1..0.6"), ("Q", "T", "0.5")];
    let found = owners(&stakes, "T", ControlEdges::Ignore);
    assert_rows(
        &found,
        &[("Q", [0.5, 0.5, 0.5], "52", ""), ("P", [0.1, 0.35, 0.5], "", "52")],
    );
}

#[test]
fn shares_below_the_threshold_have_bounds_too() {
    let stakes = [("P", "H", "0.6..0.7"), ("H", "T", "0.3"), ("Q", "T", "0.7")];
    let found = owners(&stakes, "T", ControlEdges::Ignore);
    assert_rows(
        &found,
        &[
            ("Q", [0.7, 0.7, 0.7], "52 53", ""),
            ("P", [0.18, 0.195, 0.21], "54a", ""),
        ],
    );
}

#[test]
fn control_by_other_means_makes_owners_who_hold_nothing() {
    let stakes = [("P", "H", "?"), ("Q", "H", "0.3"), ("H", "T", "0.6")];
    assert_rows(
        &owners(&stakes, "H", ControlEdges::Ignore),
        &[("Q", [0.3, 0.3, 0.3], "52", "")],
    );
    let found = owners(&stakes, "H", ControlEdges::Use);
    assert_rows(
        &found,
        &[("Q", [0.3, 0.3, 0.3], "52", ""), ("P", [0.0, 0.0, 0.0], "53", "")],
    );
    let found = owners(&stakes, "T", ControlEdges::Use);
    assert_rows(
        &found,
        &[
            ("Q", [0.18, 0.18, 0.18], "54b", ""),
            ("P", [0.0, 0.0, 0.0], "53 54a", ""),
        ],
    );
}
