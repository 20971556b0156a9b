//! Network value and network control.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use std::collections::BTreeMap;

use ownership::{
    ControlModel, Measures, Network, NetworkControl, OnClosed, Resolvent, bow_tie, network_control, structure,
};
use proptest::prelude::*;
use support::reference::{self, Double, Matrix};
use support::{assert_close, network};

/// What is found by name, closed groups included.
fn measured(network: &Network, model: ControlModel, values: &[f64]) -> BTreeMap<String, NetworkControl> {
    let control = model.apply(network);
    let resolvent = Resolvent::new(&control, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let found = network_control(&control, &resolvent, values);
    let named = |(company, found): (u32, NetworkControl)| (resolvent.owner_name(&control, company).to_owned(), found);
    (0..).zip(found).map(named).collect()
}

fn measures(network: &Network, model: ControlModel, values: &[f64]) -> BTreeMap<String, Measures> {
    let found = measured(network, model, values).into_iter();
    found
        .filter_map(|(name, found)| Some((name, found.measures?)))
        .collect()
}

/// Vitali, Glattfelder, Battiston 2011, supporting information 3.4.
const SIX_FIRMS: [(&str, &str, &str); 12] = [
    ("1", "2", "0.1"),
    ("2", "3", "0.5"),
    ("2", "4", "0.5"),
    ("2", "5", "0.2"),
    ("3", "2", "0.3"),
    ("3", "5", "0.2"),
    ("4", "2", "0.3"),
    ("4", "5", "0.6"),
    ("5", "2", "0.3"),
    ("5", "3", "0.5"),
    ("5", "4", "0.5"),
    ("5", "6", "1.0"),
];

#[test]
fn six_firms_of_vitali_glattfelder_battiston() {
    let network = network(SIX_FIRMS);
    let found = measures(&network, ControlModel::Linear, &[1.0; 6]);
    // The paper prints a network value of 55 for firm 5, and that control ranks firm 1 first.
    let network_value = [6.0, 50.0, 27.0, 49.0, 55.0, 1.0];
    let diagonal = [1.0, 10.0, 37.0 / 6.0, 10.5, 35.0 / 3.0, 1.0];
    let ranks = [1, 2, 5, 4, 3, 6];
    for (firm, found) in found.values().enumerate() {
        assert_close(found.network_value, network_value[firm], 1e-13);
        assert_close(found.integrated_value, network_value[firm] - 1.0, 1e-13);
        assert_close(found.corrected_value, network_value[firm] / diagonal[firm], 1e-13);
        assert_close(found.control, network_value[firm] / diagonal[firm] - 1.0, 1e-13);
        assert_eq!(found.rank, ranks[firm]);
    }
    let control: Vec<f64> = found.values().map(|found| found.control).collect();
    for (found, printed) in control
        .iter()
        .zip([5.0, 4.0, 3.378_378_378_378, 3.666_666_666_667, 3.714_285_714_286, 0.0])
    {
        assert_close(*found, printed, 1e-12);
    }
    assert!(
        bow_tie(&network)
            .iter()
            .map(|position| position.as_str())
            .eq(["in", "scc", "scc", "scc", "scc", "out"])
    );
}

#[test]
fn a_small_control_is_not_lost_beside_a_large_value() {
    let network = network([
        ("P", "A", "1e-9"),
        ("A", "P", "0.5"),
        ("Q", "P", "0.25"),
        ("Q", "A", "0.5"),
    ]);
    let found = measures(&network, ControlModel::Linear, &[1e-9, 1e12, 0.0]);
    // P holds 1e-9 of A's 1e-9, and its own value counts for nothing.
    assert_close(found["P"].control, 1e-18, 1e-14);
}

#[test]
fn a_majority_takes_all_in_the_threshold_model() {
    let network = network([
        ("P", "T", "0.51"),
        ("Q", "T", "0.49"),
        ("P", "U", "0.5"),
        ("Q", "U", "0.3"),
    ]);
    let found = measures(&network, ControlModel::Threshold, &[0.0, 0.0, 100.0, 10.0]);
    // Of U nobody has more than half, so it stays with the shares.
    assert_close(found["P"].control, 105.0, 1e-15);
    assert_close(found["Q"].control, 3.0, 1e-15);
}

#[test]
fn own_shares_have_no_votes_in_the_threshold_and_relative_models() {
    let network = network([("P", "T", "0.45"), ("T", "T", "0.2"), ("Q", "T", "0.35")]);
    let threshold = measures(&network, ControlModel::Threshold, &[0.0, 0.0, 1.0]);
    assert_eq!(
        (threshold["P"].control, threshold["Q"].control, threshold["T"].control),
        (1.0, 0.0, 0.0)
    );
    let relative = measures(&network, ControlModel::Relative, &[0.0, 0.0, 1.0]);
    assert_close(
        relative["P"].control,
        0.45_f64.powi(2) / (0.45_f64.powi(2) + 0.35_f64.powi(2)),
        1e-14,
    );
    assert_eq!(relative["T"].control, 0.0);
    // In the linear model they are on the diagonal, and the others' shares are multiplied.
    let linear = measures(&network, ControlModel::Linear, &[0.0, 0.0, 1.0]);
    assert_close(linear["P"].control, 0.45 / 0.8, 1e-14);
}

#[test]
fn the_relative_model_compares_holders_whatever_is_undisclosed() {
    let network = network([
        ("P", "T", "0.2"),
        ("Q", "T", "0.1"),
        ("R", "T", "1e-12"),
        ("P", "U", "0.001"),
    ]);
    let found = measures(&network, ControlModel::Relative, &[0.0, 0.0, 0.0, 5.0, 1.0]);
    assert_close(found["P"].control, 4.0 + 1.0, 1e-14);
    assert_close(found["Q"].control, 1.0, 1e-14);
    assert_close(found["R"].control, 5.0 * 1e-24 / 0.05, 1e-12);
}

#[test]
fn a_ring_that_majorities_close_is_one_holder() {
    let stakes = [
        ("A", "B", "0.6"),
        ("B", "A", "0.6"),
        ("P", "A", "0.4"),
        ("P", "B", "0.4"),
        ("A", "T", "0.3"),
        ("B", "T", "0.3"),
    ];
    let network = network(stakes);
    let values = [1.0, 2.0, 4.0, 10.0];
    let linear = measures(&network, ControlModel::Linear, &values);
    assert_close(linear["P"].control, 3.0 + 6.0, 1e-14);
    let threshold = measured(&network, ControlModel::Threshold, &values);
    assert_eq!(
        threshold["A"],
        NetworkControl {
            value: 1.0,
            measures: None
        }
    );
    let group = threshold["closed-group:1"];
    assert_eq!((group.value, group.measures.unwrap().control), (3.0, 6.0));
    assert_eq!(group.measures.unwrap().rank, 1);
    assert_eq!(threshold["P"].measures.unwrap().control, 0.0);
}

#[test]
fn who_holds_nothing_controls_zero_and_not_minus_zero() {
    let found = measures(&network([("P", "T", "0.5")]), ControlModel::Linear, &[1.0, 1.0]);
    assert_eq!(found["T"].control.to_bits(), 0.0_f64.to_bits());
    assert_eq!(found["T"].integrated_value.to_bits(), 0.0_f64.to_bits());
}

#[test]
fn equals_share_a_rank() {
    let network = network([("A", "T", "0.3"), ("B", "T", "0.3"), ("C", "T", "0.4"), ("D", "T", "0")]);
    let ranks: Vec<u32> = measures(&network, ControlModel::Linear, &[1.0; 5])
        .values()
        .map(|found| found.rank)
        .collect();
    assert_eq!(ranks, [2, 2, 1, 4, 4]);
}

/// Stakes (owner, owned, share in millionths) whose columns sum to at most one.
fn clean(stakes: BTreeMap<(usize, usize), u64>) -> Vec<(usize, usize, u64)> {
    let sum = |column: usize| {
        stakes
            .iter()
            .filter(|((_, j), _)| *j == column)
            .map(|(_, share)| share)
            .sum::<u64>()
    };
    let share = |j: usize, share: u64| share * 1_000_000 / sum(j).max(20);
    stakes.iter().map(|(&(i, j), &part)| (i, j, share(j, part))).collect()
}

fn matrix(stakes: &[(usize, usize, u64)], without: Option<usize>) -> Matrix {
    let mut w = vec![vec![Double::ZERO; SIZE]; SIZE];
    for &(i, j, share) in stakes.iter().filter(|stake| Some(stake.1) != without) {
        w[i][j] = Double::units(share * 1_000_000_000_000);
    }
    w
}

const SIZE: usize = 6;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// As Vitali et al. correct: nobody holds the company, and its stakes are followed down.
    #[test]
    fn correcting_is_dropping_the_links_into_each_company(
        stakes in prop::collection::btree_map((0..SIZE, 0..SIZE), 1_u64..16, 1..20),
        values in prop::collection::vec(0_u32..1000, SIZE),
    ) {
        let stakes = clean(stakes);
        let names: Vec<String> = (0..SIZE).map(|company| company.to_string()).collect();
        let texts: Vec<String> = stakes.iter().map(|stake| format!("{}e-6", stake.2)).collect();
        // A zero share makes a company known without a stake.
        let known = names.iter().map(|name| (name.as_str(), "0", "0"));
        let rows = stakes.iter().zip(&texts).map(|(&(i, j, _), text)| (names[i].as_str(), names[j].as_str(), text.as_str()));
        let network = network(rows.chain(known));
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
        prop_assume!(resolvent.components().closed.is_empty());
        let found = network_control(&network, &resolvent, &values);
        let value = |v: &Matrix, i: usize| (0..SIZE).map(|j| v[i][j].0 * values[j]).sum::<f64>();
        let whole = reference::resolvent(&matrix(&stakes, None)).unwrap();
        for (i, found) in found.iter().enumerate() {
            let measures = found.measures.unwrap();
            let cut = reference::resolvent(&matrix(&stakes, Some(i))).unwrap();
            assert_close(measures.network_value, value(&whole, i), 1e-12);
            assert_close(measures.corrected_value, value(&cut, i), 1e-12);
            prop_assert!((measures.control - (value(&cut, i) - values[i])).abs() <= 1e-11 * value(&cut, i));
            prop_assert!((measures.integrated_value - (value(&whole, i) - values[i])).abs() <= 1e-11 * value(&whole, i));
        }
        let positions: Vec<_> = structure(&network, &resolvent).iter().map(|row| row.position).collect();
        prop_assert_eq!(positions, bow_tie(&network));
    }

    /// In every model control is divided among holders: what those without owners control is what there is.
    #[test]
    fn control_is_divided_and_not_invented(
        stakes in prop::collection::btree_map((0..SIZE, 0..SIZE), 1_u64..16, 1..20),
        model in prop::sample::select(vec![ControlModel::Linear, ControlModel::Threshold, ControlModel::Relative]),
    ) {
        let stakes = clean(stakes);
        let names: Vec<String> = (0..SIZE).map(|company| company.to_string()).collect();
        let texts: Vec<String> = stakes.iter().map(|stake| format!("{}e-6", stake.2)).collect();
        let network = network(stakes.iter().zip(&texts).map(|(&(i, j, _), text)| (names[i].as_str(), names[j].as_str(), text.as_str())));
        let control = model.apply(&network);
        let resolvent = Resolvent::new(&control, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
        prop_assert!(resolvent.balance(&control).largest_error < 1e-12);
        let found = network_control(&control, &resolvent, &vec![1.0; network.len()]);
        let free = |company: usize| u32::try_from(company).is_ok_and(|id| company >= network.len() || control.holders(id).len() == 0);
        let top: f64 = found.iter().enumerate()
            .filter(|&(company, _)| free(company))
            .filter_map(|(_, found)| Some(found.measures?.corrected_value))
            .sum();
        prop_assert!(top <= network.len() as f64 * (1.0 + 1e-12));
        if model == ControlModel::Relative {
            prop_assert!(top >= network.len() as f64 * (1.0 - 1e-12), "{top}");
        }
    }
}
