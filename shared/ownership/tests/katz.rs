//! Katz centrality, and requirements of input and output.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use ownership::{OnClosed, Resolvent, katz};
use proptest::prelude::*;
use support::reference::{self, Double, Matrix};
use support::{Solved, assert_close, network};

#[test]
fn a_path_of_three() {
    // networkx, test_katz_centrality.py, test_P3, whose centralities have length 1.
    let stakes = [("1", "2", "1"), ("2", "1", "1"), ("2", "3", "1"), ("3", "2", "1")];
    let network = network(stakes).scaled(0.1);
    let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let found = katz(&network, &resolvent);
    let length = found.iter().map(|x| x * x).sum::<f64>().sqrt();
    for (found, published) in found.iter().zip([
        0.559_885_258_415_216_5,
        0.610_783_918_271_144_9,
        0.559_885_258_415_216_2,
    ]) {
        assert_close(found / length, published, 1e-4);
    }
}

#[test]
fn stakes_that_sum_to_more_than_one_fade() {
    let network = network([("P", "T", "0.9"), ("Q", "T", "0.9")]);
    let scaled = network.scaled(0.5);
    assert_close(scaled.undisclosed(scaled.find("T").unwrap()), 0.1, 1e-14);
    // Over one even so.
    let scaled = network.scaled(0.6);
    let t = scaled.find("T").unwrap();
    assert_close(scaled.column_sum(t), 1.08, 1e-14);
    let resolvent = Resolvent::new(&scaled, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    assert_close(katz(&scaled, &resolvent)[t as usize], 2.08, 1e-14);
}

#[test]
fn total_requirements_of_two_sectors() {
    // Miller, Blair 2009, tables 2.3 and 2.4, as printed in pymrio, test_math.py.
    let solved = Solved::of(&[
        ("1", "1", "0.15"),
        ("1", "2", "0.25"),
        ("2", "1", "0.2"),
        ("2", "2", "0.05"),
    ]);
    let requirements = [[1.254_125_41, 0.330_033], [0.264_026_4, 1.122_112_21]];
    for (i, from) in ["1", "2"].into_iter().enumerate() {
        for (j, to) in ["1", "2"].into_iter().enumerate() {
            let own = if i == j { 1.0 } else { 0.0 };
            assert_close(own + solved.integrated(from, to), requirements[i][j], 1e-7);
        }
    }
}

proptest! {
    #[test]
    fn centrality_is_that_of_a_dense_inverse(
        stakes in prop::collection::btree_map((0_usize..6, 0_usize..6), 1_u64..30, 1..20),
        alpha in 1_u64..20,
    ) {
        let names: Vec<String> = (0..6).map(|company| company.to_string()).collect();
        let texts: Vec<String> = stakes.values().map(|share| format!("{share}e-2")).collect();
        let rows = stakes.keys().zip(&texts).map(|(&(i, j), text)| (names[i].as_str(), names[j].as_str(), text.as_str()));
        let known = names.iter().map(|name| (name.as_str(), "0", "0"));
        let network = network(rows.chain(known));
        let scaled = network.scaled(alpha as f64 / 20.0);
        let resolvent = Resolvent::new(&scaled, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
        // Columns over one may not fade enough.
        prop_assume!(resolvent.components().closed.is_empty());
        let within = if (0..6).all(|company| scaled.column_sum(company) <= 1.0) { 1e-12 } else { 1e-8 };
        let mut w: Matrix = vec![vec![Double::ZERO; 6]; 6];
        for (&(i, j), &share) in &stakes {
            w[i][j] = Double::units(share * alpha * 500_000_000_000_000);
        }
        let v = reference::resolvent(&w).unwrap();
        for (j, found) in katz(&scaled, &resolvent).into_iter().enumerate() {
            assert_close(found, (0..6).map(|i| v[i][j].0).sum(), within);
        }
    }
}
