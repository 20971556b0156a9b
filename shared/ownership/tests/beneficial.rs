//! Beneficial owners, and the chains that explain them.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use ownership::{
    Basis, BeneficialRules, ChainLimits, ControlEdges, Error, Network, OnClosed, PairLimits, Resolvent, Share, Unit,
    beneficial_owners, chains, company_control, without_owner,
};
use proptest::prelude::*;
use support::reference::{self, Double, Matrix};
use support::{assert_close, network};

fn share(text: &str) -> Share {
    Share::parse(text, Unit::Fraction).unwrap()
}

fn rules(interest: &str, inclusive: bool) -> BeneficialRules {
    BeneficialRules {
        interest: share(interest),
        inclusive,
        control: share("0.5"),
        edges: ControlEdges::Ignore,
    }
}

/// At most `most` pairs, whatever the memory.
fn pairs(most: usize) -> PairLimits {
    PairLimits {
        pairs: most,
        ..PairLimits::default()
    }
}

fn solve(network: &Network) -> Resolvent {
    Resolvent::new(network, OnClosed::RingFence, &mut |_| Ok(())).unwrap()
}

/// (owner, share, rules that apply) of one company, the largest share first.
fn owners_at(network: &Network, company: &str, rules: BeneficialRules) -> Vec<(String, f64, String)> {
    let resolvent = solve(network);
    let found = beneficial_owners(network, &resolvent, rules, PairLimits::default(), &mut |_| Ok(())).unwrap();
    assert!(found.is_sorted_by(|a, b| a.company < b.company || (a.company == b.company && a.share >= b.share)));
    let of_company = found.iter().filter(|owner| network.name(owner.company) == company);
    of_company
        .map(|owner| {
            let Basis {
                ownership,
                control,
                control_of_holder,
                interest_in_controller,
            } = owner.basis;
            let applied = [
                ("52", ownership),
                ("53", control),
                ("54a", control_of_holder),
                ("54b", interest_in_controller),
            ];
            let applied: Vec<&str> = applied.into_iter().filter(|rule| rule.1).map(|rule| rule.0).collect();
            (
                resolvent.owner_name(network, owner.owner).to_owned(),
                owner.share,
                applied.join(" "),
            )
        })
        .collect()
}

fn owners(stakes: &[(&str, &str, &str)], company: &str) -> Vec<(String, f64, String)> {
    owners_at(&network(stakes.iter().copied()), company, rules("0.25", true))
}

#[track_caller]
fn assert_owners(found: &[(String, f64, String)], expected: &[(&str, f64, &str)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((name, share, applied), expected) in found.iter().zip(expected) {
        assert_eq!((name.as_str(), applied.as_str()), (expected.0, expected.2), "{found:?}");
        assert_close(*share, expected.1, 1e-14);
    }
}

#[test]
fn shares_are_multiplied_along_chains_and_added() {
    // Art. 52 (1): 0.6 * 0.3 + 0.5 * 0.2 = 28%.
    let stakes = [
        ("P", "H1", "0.6"),
        ("P", "H2", "0.5"),
        ("H1", "T", "0.3"),
        ("H2", "T", "0.2"),
        ("Q", "H1", "0.4"),
        ("Q2", "H2", "0.5"),
        ("Z", "T", "0.5"),
    ];
    // P controls H1, which holds 30% of T.
    assert_owners(&owners(&stakes, "T"), &[("Z", 0.5, "52"), ("P", 0.28, "52 54a")]);
    assert_owners(&owners(&stakes, "H1"), &[("P", 0.6, "52 53"), ("Q", 0.4, "52")]);
}

#[test]
fn control_of_a_holder_counts_however_little_is_owned() {
    let stakes = [
        ("P", "H", "0.51"),
        ("O", "H", "0.49"),
        ("H", "T", "0.26"),
        ("R", "T", "0.74"),
    ];
    assert_owners(&owners(&stakes, "T"), &[("R", 0.74, "52 53"), ("P", 0.1326, "54a")]);
    // Two holders of 13% each, controlled by one person.
    let stakes = [
        ("P", "H1", "0.51"),
        ("P", "H2", "0.51"),
        ("H1", "T", "0.13"),
        ("H2", "T", "0.13"),
        ("R", "T", "0.74"),
    ];
    assert_owners(&owners(&stakes, "T"), &[("R", 0.74, "52 53"), ("P", 0.1326, "54a")]);
}

#[test]
fn an_interest_in_a_controller_counts_however_little_is_owned() {
    let stakes = [
        ("P", "C", "0.3"),
        ("Q", "C", "0.2"),
        ("C", "D", "0.6"),
        ("D", "T", "0.6"),
    ];
    assert_owners(&owners(&stakes, "T"), &[("P", 0.108, "54b")]);
}

#[test]
fn control_passes_down_a_long_chain() {
    let stakes = [
        ("P", "A", "0.6"),
        ("A", "B", "0.6"),
        ("B", "T", "0.6"),
        ("Q", "T", "0.4"),
    ];
    // A, in which P has an interest, controls T too; so does B.
    assert_owners(&owners(&stakes, "T"), &[("Q", 0.4, "52"), ("P", 0.216, "53 54a 54b")]);
}

#[test]
fn what_goes_round_in_cycles_is_owned_too() {
    // 0.2 / (1 - 0.5 * 0.5): more than a quarter only with the cycle.
    let stakes = [
        ("P", "A", "0.2"),
        ("B", "A", "0.5"),
        ("A", "B", "0.5"),
        ("Q", "B", "0.3"),
    ];
    assert_owners(&owners(&stakes, "A"), &[("P", 0.2 / 0.75, "52")]);
    // Q holds 0.3 * 0.5 / 0.75 of A, below the threshold.
    assert_owners(&owners(&stakes, "B"), &[("Q", 0.4, "52")]);
}

#[test]
fn a_closed_group_is_an_owner() {
    let stakes = [
        ("A", "B", "1"),
        ("B", "A", "1"),
        ("A", "T", "0.1"),
        ("B", "T", "0.2"),
        ("P", "T", "0.7"),
    ];
    assert_owners(
        &owners(&stakes, "T"),
        &[("P", 0.7, "52 53"), ("closed-group:1", 0.3, "52")],
    );
    assert_owners(&owners(&stakes, "A"), &[]);
}

/// Owner, owned, share.
type Stake<'a> = (&'a str, &'a str, &'a str);

#[test]
fn exactly_a_quarter_is_decided_on_the_decimals() {
    let holders: Vec<String> = (0..10).map(|k| format!("H{k}")).collect();
    let tenths: Vec<_> = holders
        .iter()
        .flat_map(|holder| [("P", holder.as_str(), "0.1"), (holder.as_str(), "T", "0.1")])
        .collect();
    // Stakes, threshold, and how the share compares with it.
    let cases: [(Vec<Stake<'_>>, &str, i32); 8] = [
        (vec![("P", "T", "0.25")], "0.25", 0),
        (vec![("P", "T", "0.2499999999999999")], "0.25", -1),
        (vec![("P", "H", "0.5"), ("H", "T", "0.5")], "0.25", 0),
        (
            vec![("P", "H", "0.7"), ("H", "T", "0.3"), ("P", "T", "0.04")],
            "0.25",
            0,
        ),
        (
            vec![("P", "H", "0.7"), ("H", "T", "0.3"), ("P", "T", "0.0400000000000001")],
            "0.25",
            1,
        ),
        (
            vec![("P", "H", "0.7"), ("H", "T", "0.3"), ("P", "T", "0.0399999999999999")],
            "0.25",
            -1,
        ),
        (tenths, "0.1", 0),
        (
            vec![("P", "A", "0.1"), ("A", "B", "0.2"), ("B", "T", "0.3")],
            "0.006",
            0,
        ),
    ];
    for (stakes, threshold, order) in &cases {
        let network = network(stakes.iter().copied());
        for inclusive in [true, false] {
            let found = owners_at(&network, "T", rules(threshold, inclusive));
            let owns = found.iter().any(|owner| owner.2.contains("52"));
            assert_eq!(owns, *order > 0 || (*order == 0 && inclusive), "{stakes:?} {inclusive}");
        }
    }
}

#[test]
fn companies_without_an_owner_are_counted() {
    let network = network([
        ("P", "A", "0.2"),
        ("Q", "A", "0.2"),
        ("P", "B", "0.3"),
        ("X", "Y", "1"),
        ("Y", "X", "1"),
    ]);
    let resolvent = solve(&network);
    let found = beneficial_owners(&network, &resolvent, rules("0.25", true), pairs(10), &mut |_| Ok(())).unwrap();
    assert_eq!(
        without_owner(&network, &resolvent, &found, 5),
        (1, vec![network.find("A").unwrap()])
    );
    let limited = beneficial_owners(&network, &resolvent, rules("0.25", true), pairs(0), &mut |_| Ok(()));
    assert_eq!(limited, Err(Error::TooManyPairs { limit: 0 }));
}

/// Names of a chain, and its product.
type Told = (String, f64);

fn explained(stakes: &[(&str, &str, &str)], company: &str, owner: &str, keep: usize) -> (Vec<Told>, ownership::Chains) {
    let network = network(stakes.iter().copied());
    let resolvent = solve(&network);
    let id = |name: &str| {
        (0..u32::MAX)
            .take(network.len() + 1)
            .find(|&id| resolvent.owner_name(&network, id) == name)
            .unwrap()
    };
    let limits = ChainLimits {
        chains: keep,
        steps: 100,
    };
    let found = chains(
        &network,
        &resolvent,
        network.find(company).unwrap(),
        &[id(owner)],
        limits,
    )
    .remove(0);
    let name = |chain: &ownership::Chain| {
        let names: Vec<_> = chain
            .path
            .iter()
            .map(|&id| resolvent.owner_name(&network, id))
            .collect();
        (names.join(" > "), chain.product)
    };
    (found.best.iter().map(name).collect(), found)
}

#[test]
fn chains_come_by_their_products_and_the_rest_is_told() {
    let stakes = [
        ("P", "H1", "0.6"),
        ("P", "H2", "0.5"),
        ("H1", "T", "0.3"),
        ("H2", "T", "0.2"),
        ("P", "T", "0.01"),
    ];
    let (best, all) = explained(&stakes, "T", "P", 2);
    assert_eq!(best, [("P > H1 > T".to_owned(), 0.18), ("P > H2 > T".to_owned(), 0.1)]);
    assert_eq!((all.further, all.complete, all.cycles), ((1, 0.01), true, false));
}

#[test]
fn a_chain_names_nobody_twice_and_cycles_are_told() {
    let (best, all) = explained(&[("P", "A", "0.2"), ("B", "A", "0.5"), ("A", "B", "0.5")], "A", "P", 5);
    assert_eq!(best, [("P > A".to_owned(), 0.2)]);
    assert_eq!((all.further, all.complete, all.cycles), ((0, 0.0), true, true));
}

#[test]
fn a_closed_group_stands_for_its_members_in_a_chain() {
    let stakes = [
        ("A", "B", "1"),
        ("B", "A", "1"),
        ("A", "H", "0.1"),
        ("B", "H", "0.2"),
        ("H", "T", "0.5"),
    ];
    let (best, _) = explained(&stakes, "T", "closed-group:1", 5);
    let expected = [
        ("closed-group:1 > H > T".to_owned(), 0.1),
        ("closed-group:1 > H > T".to_owned(), 0.05),
    ];
    assert_eq!(best, expected);
}

const SIZE: usize = 6;

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

/// The products of all paths from `owner` to `company` on which nobody occurs twice.
fn paths(w: &[[f64; SIZE]; SIZE], owner: usize, company: usize) -> Vec<f64> {
    fn go(w: &[[f64; SIZE]; SIZE], owner: usize, path: &mut Vec<usize>, product: f64, found: &mut Vec<f64>) {
        let here = path[path.len() - 1];
        if here == owner {
            found.push(product);
            return;
        }
        for holder in 0..SIZE {
            if w[holder][here] > 0.0 && !path.contains(&holder) {
                path.push(holder);
                go(w, owner, path, product * w[holder][here], found);
                path.pop();
            }
        }
    }
    let mut found = Vec::new();
    go(w, owner, &mut vec![company], 1.0, &mut found);
    found.sort_by(|a, b| b.total_cmp(a));
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn owners_are_those_of_a_dense_inverse_and_of_the_definitions(
        stakes in prop::collection::btree_map((0..SIZE, 0..SIZE), 1_u64..16, 1..20),
        seed in any::<u64>(),
    ) {
        let mut stakes = clean(stakes);
        let names: Vec<String> = (0..SIZE).map(|company| company.to_string()).collect();
        let build = |stakes: &[(usize, usize, u64)]| {
            let texts: Vec<String> = stakes.iter().map(|stake| format!("{}e-6", stake.2)).collect();
            let known = names.iter().map(|name| (name.as_str(), "0", "0"));
            let rows = stakes.iter().zip(&texts).map(|(&(i, j, _), text)| (names[i].as_str(), names[j].as_str(), text.as_str()));
            network(rows.chain(known))
        };
        let network = build(&stakes);
        let resolvent = solve(&network);
        prop_assume!(resolvent.components().closed.is_empty());
        let quarter = rules("0.25", true);
        let found = beneficial_owners(&network, &resolvent, quarter, PairLimits::default(), &mut |_| Ok(())).unwrap();

        let mut w: Matrix = vec![vec![Double::ZERO; SIZE]; SIZE];
        let mut plain = [[0.0; SIZE]; SIZE];
        for &(i, j, share) in &stakes {
            w[i][j] = Double::units(share * 1_000_000_000_000);
            plain[i][j] = w[i][j].0;
        }
        let v = reference::resolvent(&w).unwrap();
        let ultimate: Vec<usize> = (0..SIZE).filter(|&i| (0..SIZE).all(|k| plain[k][i] == 0.0)).collect();
        let control: BTreeSet<(usize, usize)> = company_control(&network, &resolvent, share("0.5"), ControlEdges::Ignore, 1000, &mut |_| Ok(()))
            .unwrap().iter().map(|pair| (pair.controller as usize, pair.company as usize)).collect();
        let owns = |i: usize, j: usize| ultimate.contains(&i) && i != j && v[i][j].0 >= 0.25 * (1.0 - 1e-13);
        let found: BTreeMap<(usize, usize), _> =
            found.iter().map(|owner| ((owner.owner as usize, owner.company as usize), (owner.share, owner.basis))).collect();
        for i in 0..SIZE {
            for j in 0..SIZE {
                let votes = 1.0 - plain[j][j];
                let helped: f64 = (0..SIZE).filter(|&k| k != j && control.contains(&(i, k))).map(|k| plain[k][j]).sum();
                let holders = helped > 0.0 && (helped + plain[i][j]) / votes >= 0.25 * (1.0 - 1e-13);
                let expected = Basis {
                    ownership: owns(i, j),
                    control: ultimate.contains(&i) && control.contains(&(i, j)),
                    control_of_holder: ultimate.contains(&i) && i != j && holders,
                    interest_in_controller: (0..SIZE).any(|c| !ultimate.contains(&c) && control.contains(&(c, j)) && owns(i, c)),
                };
                let basis = found.get(&(i, j)).map_or(Basis::default(), |owner| owner.1);
                prop_assert_eq!(basis, expected, "{} of {}", i, j);
                if let Some(&(share, _)) = found.get(&(i, j)) {
                    prop_assert!((share - v[i][j].0).abs() <= 1e-12 * v[i][j].0);
                    let limits = ChainLimits { chains: 3, steps: 10_000 };
                    let ids = [i, j].map(|id| u32::try_from(id).unwrap());
                    let all = &chains(&network, &resolvent, ids[1], &ids[..1], limits)[0];
                    let products = paths(&plain, i, j);
                    prop_assert!(all.complete);
                    prop_assert_eq!(all.best.len() as u64 + all.further.0, products.len() as u64);
                    for (chain, product) in all.best.iter().zip(&products) {
                        prop_assert!((chain.product - product).abs() <= 1e-14 * product);
                    }
                    let sum: f64 = all.best.iter().map(|chain| chain.product).sum::<f64>() + all.further.1;
                    prop_assert!((sum - products.iter().sum::<f64>()).abs() < 1e-13);
                    prop_assert!(sum <= share * (1.0 + 1e-12));
                    if !all.cycles {
                        prop_assert!((sum - share).abs() <= 1e-12 * share);
                    }
                }
            }
        }
        let mut random = support::Random(seed);
        for position in (1..stakes.len()).rev() {
            stakes.swap(position, random.below(position + 1));
        }
        let again = build(&stakes);
        let again = beneficial_owners(&again, &solve(&again), quarter, PairLimits::default(), &mut |_| Ok(())).unwrap();
        for owner in &again {
            let before = found[&(owner.owner as usize, owner.company as usize)];
            prop_assert_eq!(before, (owner.share, owner.basis));
        }
        prop_assert_eq!(again.len(), found.len());
    }
}
