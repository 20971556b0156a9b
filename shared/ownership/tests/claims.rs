//! Claims and flows: DebtRank, clearing payments, technical coefficients.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use ownership::*;
use proptest::prelude::*;
use support::{Random, Solved, assert_close};

/// Claims of (creditor, debtor, amount).
fn claims(edges: &[(&str, &str, f64)]) -> Amounts {
    built(edges, Duplicates::Sum, ToItself::Drop).unwrap()
}

fn built(edges: &[(&str, &str, f64)], duplicates: Duplicates, to_itself: ToItself) -> Result<Amounts, Error> {
    let mut builder = AmountsBuilder::new(duplicates, to_itself, Limits::default());
    for (row, &(owner, owned, amount)) in (2..).zip(edges) {
        builder.add(owner, owned, amount, row)?;
    }
    builder.finish()
}

/// By name, in the order of ids.
fn by_name(amounts: &Amounts, given: &[(&str, f64)]) -> Vec<f64> {
    let mut values = vec![0.0; amounts.len()];
    for &(name, value) in given {
        values[amounts.find(name).unwrap() as usize] = value;
    }
    values
}

fn cleared(claims: &Amounts, assets: &[f64]) -> Clearing {
    clearing(claims, assets, u64::MAX, &mut |_| Ok(())).unwrap()
}

const RULES: DebtRankRules = DebtRankRules {
    tolerance: 1e-13,
    max_rounds: 100_000,
};

fn spread(claims: &Amounts, equity: &[f64], shock: &[f64]) -> DebtRank {
    debtrank(claims, equity, shock, RULES, &mut |_| Ok(())).unwrap()
}

/// A dense random network: who owes whom how much.
#[derive(Debug)]
struct Dense {
    amounts: Amounts,
    /// `matrix[i][j]` is owed to i by j.
    matrix: Vec<Vec<f64>>,
}

fn dense(parties: usize, seed: u64, one_in: usize) -> Dense {
    let mut random = Random(seed);
    let mut matrix = vec![vec![0.0; parties]; parties];
    let mut edges = Vec::new();
    let names: Vec<String> = (0..parties).map(|party| format!("{party:03}")).collect();
    for creditor in 0..parties {
        for debtor in 0..parties {
            // A ring through everyone, so that nobody is left out.
            let is_next = (creditor + 1) % parties == debtor;
            if creditor != debtor && (is_next || random.below(one_in) == 0) {
                let amount = (1 + random.below(1000)) as f64 / 10.0;
                matrix[creditor][debtor] = amount;
                edges.push((names[creditor].as_str(), names[debtor].as_str(), amount));
            }
        }
    }
    Dense {
        amounts: claims(&edges),
        matrix,
    }
}

/// `min(pbar, e + P^T p)` again and again, from payments in full: above the greatest solution, and falling to it.
fn from_above(matrix: &[Vec<f64>], assets: &[f64], rounds: usize) -> Vec<f64> {
    let owed: Vec<f64> = (0..matrix.len())
        .map(|debtor| matrix.iter().map(|row| row[debtor]).sum())
        .collect();
    let mut payment = owed.clone();
    for _ in 0..rounds {
        payment = (0..matrix.len())
            .map(|party| {
                let paid = (0..matrix.len()).filter(|&debtor| owed[debtor] > 0.0);
                let paid: f64 = paid
                    .map(|debtor| matrix[party][debtor] / owed[debtor] * payment[debtor])
                    .sum();
                owed[party].min(assets[party] + paid)
            })
            .collect();
    }
    payment
}

#[test]
fn a_loss_is_passed_to_the_creditor() {
    // lastch1ld/debtrank-globe, test_debtrank.py: half of the lender's equity is lent to who loses all.
    let claims = claims(&[("1", "0", 50.0)]);
    let found = spread(&claims, &[100.0, 100.0], &[1.0, 0.0]);
    assert_eq!(found.loss, [1.0, 0.5]);
    assert!(found.converged && found.last_change == 0.0);
    let additional: f64 = found
        .loss
        .iter()
        .zip([1.0, 0.0])
        .map(|(h, start)| (h - start) * 0.5)
        .sum();
    assert_eq!(additional, 0.25);
}

#[test]
fn a_ring_passes_losses_round_and_round() {
    // h = s + L h with L = [[0, 0.5], [0.5, 0]] and s = (0.3, 0): h = (0.4, 0.2).
    let claims = claims(&[("A", "B", 50.0), ("B", "A", 50.0)]);
    let found = spread(&claims, &[100.0, 100.0], &[0.3, 0.0]);
    assert_close(found.loss[0], 0.4, 1e-12);
    assert_close(found.loss[1], 0.2, 1e-12);
    assert!(found.converged && found.rounds > 30);
    // Cut short, losses are too low, and say so.
    let rules = DebtRankRules { max_rounds: 1, ..RULES };
    let found = debtrank(&claims, &[100.0, 100.0], &[0.3, 0.0], rules, &mut |_| Ok(())).unwrap();
    assert_eq!((found.loss, found.rounds, found.converged), (vec![0.3, 0.15], 1, false));
}

#[test]
fn a_shock_is_passed_on_however_coarse_the_tolerance() {
    let claims = claims(&[("A", "B", 50.0)]);
    let rules = DebtRankRules {
        tolerance: 0.5,
        ..RULES
    };
    let found = debtrank(&claims, &[100.0, 100.0], &[0.0, 0.4], rules, &mut |_| Ok(())).unwrap();
    assert_eq!((found.loss, found.rounds, found.converged), (vec![0.2, 0.4], 1, true));
}

#[test]
fn a_creditor_needs_equity_and_a_debtor_does_not() {
    let claims = claims(&[("Lender", "Borrower", 50.0)]);
    let equity = by_name(&claims, &[("Lender", 100.0), ("Borrower", f64::NAN)]);
    let shock = by_name(&claims, &[("Borrower", 1.0)]);
    assert_eq!(spread(&claims, &equity, &shock).loss, [1.0, 0.5]);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let equity = by_name(&claims, &[("Lender", bad), ("Borrower", 1.0)]);
        let error = debtrank(&claims, &equity, &shock, RULES, &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.code(), "missing_equity");
        assert!(error.to_string().contains("\"Lender\""), "{error}");
    }
}

#[test]
fn an_insolvent_debtor_pays_what_it_has() {
    // lastch1ld/debtrank-globe, test_eisenberg_noe.py.
    let claims = claims(&[("1", "0", 100.0)]);
    let found = cleared(&claims, &[40.0, 0.0]);
    assert_eq!(found.payment, [40.0, 0.0]);
    assert_eq!(found.defaulted, [true, false]);
    assert_eq!(found.owed, [100.0, 0.0]);
}

#[test]
fn one_default_brings_the_next() {
    // A owes B and C 10 each and has 10; B owes C 8 and has 1; C owes A 4 and has nothing, in a ring.
    let claims = claims(&[("B", "A", 10.0), ("C", "A", 10.0), ("C", "B", 8.0), ("A", "C", 4.0)]);
    let found = cleared(&claims, &by_name(&claims, &[("A", 10.0), ("B", 0.5)]));
    // C pays in full. So A has 14 of 20, and pays 7 to each; B has 7.5 of 8.
    assert_eq!(found.payment, [14.0, 7.5, 4.0]);
    assert_eq!(
        (found.defaulted.as_slice(), found.rounds),
        (&[true, true, false][..], 2)
    );
    assert!(found.residual < 1e-15);
}

/// The greatest of many solutions: who owe each other the same can pay it with nothing.
#[test]
fn a_ring_without_assets_clears_in_full() {
    let claims = claims(&[("A", "B", 0.1), ("A", "C", 0.2), ("B", "A", 0.3), ("C", "B", 0.2)]);
    let found = cleared(&claims, &[0.0; 3]);
    assert_eq!(found.payment, found.owed);
    assert_eq!(found.defaulted, [false; 3]);
}

/// Sums of decimals are rounded: 0.7 + 0.1 is less than 0.8 in doubles, and no default.
#[test]
fn rounding_is_no_default() {
    let claims = claims(&[("B", "A", 0.7), ("C", "B", 0.8)]);
    let found = cleared(&claims, &by_name(&claims, &[("A", 0.7), ("B", 0.1)]));
    assert_eq!(found.defaulted, [false; 3]);
    assert_eq!(found.payment, found.owed);
}

#[test]
fn a_long_chain_of_defaults_takes_no_rounds() {
    let names: Vec<String> = (0..20_000).map(|party| format!("{party:05}")).collect();
    let edges: Vec<_> = names
        .windows(2)
        .map(|two| (two[1].as_str(), two[0].as_str(), 10.0))
        .collect();
    let claims = claims(&edges);
    let found = cleared(&claims, &by_name(&claims, &[("00000", 4.0)]));
    assert!(found.payment[..19_999].iter().all(|&payment| payment == 4.0));
    assert_eq!((found.rounds, found.payment[19_999]), (0, 0.0));
}

#[test]
fn a_ring_too_large_for_its_memory_is_refused() {
    let claims = dense(50, 1, 2).amounts;
    let error = clearing(&claims, &[0.1; 50], 100, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.code(), "not_enough_memory");
    let stopped = clearing(&claims, &[0.1; 50], u64::MAX, &mut |_| Err(Stopped)).unwrap_err();
    assert_eq!(stopped.code(), "stopped");
}

#[test]
fn dirty_amounts_are_sorted_out_and_told() {
    let edges = [
        ("B", "A", 2.0),
        ("A", "A", 7.0),
        ("B", "A", 3.0),
        ("C", "A", 0.0),
        ("A", "B", 1.0),
    ];
    let found = claims(&edges);
    let codes: Vec<_> = found.findings().iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["zero_amount", "amount_to_itself", "duplicate_amount"]);
    assert_eq!((found.len(), found.count()), (3, 2));
    let debts = |amounts: &Amounts| amounts.debts_of(0).collect::<Vec<_>>();
    assert_eq!(debts(&found), [(1, 5.0)]);
    let largest = built(&edges, Duplicates::Max, ToItself::Keep).unwrap();
    assert_eq!(debts(&largest), [(0, 7.0), (1, 3.0)]);
    let error = built(&edges, Duplicates::Reject, ToItself::Drop).unwrap_err();
    assert!(error.to_string().contains("row 4"), "{error}");
    assert_eq!(
        built(&[], Duplicates::Sum, ToItself::Drop).unwrap_err(),
        Error::EmptyInput
    );
    let large = [("A", "B", f64::MAX), ("A", "C", f64::MAX)];
    assert_eq!(
        built(&large, Duplicates::Sum, ToItself::Drop).unwrap_err(),
        Error::AmountsTooLarge
    );
}

/// Miller, Blair 2009, tables 2.3 and 2.4, as printed in pymrio, `test_math.py`.
#[test]
fn coefficients_are_flows_over_outputs() {
    let flows = [
        ("1", "1", 150.0),
        ("1", "2", 500.0),
        ("2", "1", 200.0),
        ("2", "2", 100.0),
    ];
    let flows = built(&flows, Duplicates::Sum, ToItself::Keep).unwrap();
    let network = flows.coefficients(&[1000.0, 2000.0], ColumnsOver100::Keep).unwrap();
    let a: Vec<Vec<_>> = (0..2).map(|sector| network.holders(sector).collect()).collect();
    assert_eq!(a, [[(0, 0.15), (1, 0.2)], [(0, 0.25), (1, 0.05)]]);
    let solved = Solved::new(network, 0.0);
    let requirements = [[1.254_125_41, 0.330_033], [0.264_026_4, 1.122_112_21]];
    for (i, from) in ["1", "2"].into_iter().enumerate() {
        for (j, to) in ["1", "2"].into_iter().enumerate() {
            let own = if i == j { 1.0 } else { 0.0 };
            assert_close(own + solved.integrated(from, to), requirements[i][j], 1e-7);
        }
    }
}

#[test]
fn inputs_are_compared_with_outputs() {
    let flows = [("A", "B", 0.1), ("B", "B", 0.2)];
    let flows = built(&flows, Duplicates::Sum, ToItself::Keep).unwrap();
    let coefficients = |output: f64, over| flows.coefficients(&[f64::NAN, output], over);
    // All of it, by the decimals: no value added, and nothing over.
    let network = coefficients(0.3, ColumnsOver100::Reject).unwrap();
    assert_eq!((network.undisclosed(1), network.findings().len()), (0.0, 0));
    let network = coefficients(0.299_999, ColumnsOver100::Reject).unwrap();
    assert_eq!(network.findings()[0].code, "column_rounded");
    let error = coefficients(0.2, ColumnsOver100::Reject).unwrap_err();
    assert_eq!(error.code(), "column_over_100");
    let network = coefficients(0.2, ColumnsOver100::Keep).unwrap();
    assert_close(network.column_sum(1), 1.5, 1e-14);
    let network = coefficients(0.2, ColumnsOver100::Normalise).unwrap();
    assert_close(network.holders(1).map(|(_, share)| share).sum(), 1.0, 1e-14);
    assert_eq!(network.findings()[0].code, "column_over_100");
    for bad in [0.0, -1.0, f64::NAN] {
        assert_eq!(
            coefficients(bad, ColumnsOver100::Keep).unwrap_err().code(),
            "missing_output"
        );
    }
    // An output in another unit is no reason to panic.
    assert!(coefficients(1e-300, ColumnsOver100::Keep).is_ok());
}

proptest! {
    #[test]
    fn payments_are_the_greatest_that_law_allows(
        parties in 2_usize..12, seed: u64, one_in in 1_usize..5, poor in 1_usize..6,
    ) {
        let Dense { amounts, matrix } = dense(parties, seed, one_in);
        let mut random = Random(seed ^ 1);
        let assets: Vec<f64> = (0..parties)
            .map(|_| if random.below(poor) == 0 { random.below(500) as f64 / 10.0 } else { 0.5 })
            .collect();
        let found = cleared(&amounts, &assets);
        prop_assert!(found.residual < 1e-11, "{}", found.residual);
        for party in 0..parties {
            let paid = (0..parties).map(|debtor| {
                let part = matrix[party][debtor] / found.owed[debtor];
                if part > 0.0 { part * found.payment[debtor] } else { 0.0 }
            });
            let means = assets[party] + paid.sum::<f64>();
            let (payment, owed) = (found.payment[party], found.owed[party]);
            // Limited liability: nobody pays more than it has, or owes.
            prop_assert!((0.0..=owed).contains(&payment) && payment <= means * (1.0 + 1e-10) + 1e-12 * owed);
            // Absolute priority: nobody keeps anything before it has paid all.
            prop_assert!((payment - owed.min(means)).abs() <= 1e-10 * owed);
            prop_assert_eq!(found.defaulted[party], payment < owed);
        }
        let greatest = from_above(&matrix, &assets, 20_000);
        for (found, greatest) in found.payment.iter().zip(greatest) {
            prop_assert!((found - greatest).abs() <= 1e-7 * greatest.max(1.0), "{found} {greatest}");
        }
    }

    #[test]
    fn losses_are_those_of_the_recurrence_and_rise_with_the_shock(
        parties in 2_usize..12, seed: u64, one_in in 1_usize..5, leverage in 1_usize..40,
    ) {
        let Dense { amounts, matrix } = dense(parties, seed, one_in);
        let mut random = Random(seed ^ 2);
        let equity: Vec<f64> = (0..parties).map(|_| (leverage * (1 + random.below(100))) as f64).collect();
        let shock: Vec<f64> = (0..parties).map(|_| random.below(30) as f64 / 100.0).collect();
        let step = |h: &[f64], before: &[f64]| -> Vec<f64> {
            (0..parties)
                .map(|i| {
                    let passed = (0..parties).map(|j| matrix[i][j] / equity[i] * (h[j] - before[j]));
                    (h[i] + passed.sum::<f64>()).min(1.0)
                })
                .collect()
        };
        let (mut before, mut h) = (vec![0.0; parties], shock.clone());
        for rounds in 1..20 {
            let next = step(&h, &before);
            before = std::mem::replace(&mut h, next);
            let rules = DebtRankRules { tolerance: 0.0, max_rounds: rounds };
            let found = debtrank(&amounts, &equity, &shock, rules, &mut |_| Ok(())).unwrap();
            for (found, expected) in found.loss.iter().zip(&h) {
                prop_assert!((found - expected).abs() <= 1e-13, "round {rounds}: {found} {expected}");
            }
        }
        // To the end: a tolerance would leave out what later rounds add.
        let rules = DebtRankRules { tolerance: 0.0, ..RULES };
        let found = debtrank(&amounts, &equity, &shock, rules, &mut |_| Ok(())).unwrap();
        prop_assert!(found.loss.iter().all(|loss| (0.0..=1.0).contains(loss)));
        prop_assert!(found.loss.iter().zip(&h).all(|(last, early)| *last >= early - 1e-13));
        let more: Vec<f64> = shock.iter().map(|shock| shock + 0.1).collect();
        let harder = spread(&amounts, &equity, &more);
        for (harder, found) in harder.loss.iter().zip(&found.loss) {
            prop_assert!(*harder >= found - 1e-9);
        }
    }

    /// What is computed does not depend on the order of rows.
    #[test]
    fn rows_in_any_order_say_the_same(seed: u64) {
        let Dense { matrix, .. } = dense(9, seed, 2);
        let mut edges = Vec::new();
        for (creditor, row) in matrix.iter().enumerate() {
            for (debtor, &amount) in row.iter().enumerate().filter(|(_, amount)| **amount > 0.0) {
                edges.push((format!("{creditor}"), format!("{debtor}"), amount));
            }
        }
        let found: Vec<_> = [false, true]
            .map(|reverse| {
                let mut edges: Vec<_> = edges.iter().map(|(a, b, amount)| (a.as_str(), b.as_str(), *amount)).collect();
                edges.push(edges[0]);
                if reverse {
                    edges.reverse();
                }
                let claims = claims(&edges);
                let again: Amounts = postcard::from_bytes(&postcard::to_allocvec(&claims).unwrap()).unwrap();
                let cleared = cleared(&again, &[3.0; 9]);
                (cleared.payment, spread(&claims, &[500.0; 9], &[0.01; 9]).loss)
            })
            .into();
        prop_assert_eq!(&found[0], &found[1]);
    }
}
