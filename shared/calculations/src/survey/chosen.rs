//! Which companies have a section of their own.

use std::cmp::Reverse;
use std::collections::HashSet;

use ownership::{Network, Structure};

/// The most companies that have a section.
const MOST: usize = 24;

/// The fewest where there are as many.
const FEWEST: usize = 6;

/// Companies and stakes that may be gone through for all sections together: two million for each.
const WORK: usize = 48_000_000;

/// The choice.
pub(super) struct Chosen {
    /// How many there are to choose from.
    pub(super) all: u64,
    /// In words; empty if all were chosen.
    pub(super) by: String,
    /// Each with the reason.
    pub(super) companies: Vec<(u32, String)>,
}

/// All held companies of a small network in the order of names. Of a large one those that are asked about most, by
/// turns: with the most holders, with the most holdings, and in rings that multiply the most.
pub(super) fn choose(network: &Network, structure: &[Structure]) -> Chosen {
    let held = structure
        .iter()
        .filter(|place| network.holders(place.company).len() > 0);
    let held: Vec<&Structure> = held.collect();
    let most = (WORK / (network.len() + network.stakes()).max(1)).clamp(FEWEST, MOST);
    if held.len() <= most {
        return Chosen {
            all: held.len() as u64,
            by: String::new(),
            companies: held.iter().map(|place| (place.company, String::new())).collect(),
        };
    }
    let holders = |place: &Structure| network.holders(place.company).len();
    let holdings = |place: &Structure| network.holdings(place.company).len();
    let amplified = |place: &&&Structure| place.amplification.is_some_and(|by| by > 1.0);
    let by_holders = first(held.iter().map(|place| (Reverse(holders(place)), place.company)), most);
    let holding = held.iter().filter(|place| holdings(place) > 0);
    let by_holdings = first(holding.map(|place| (Reverse(holdings(place)), place.company)), most);
    let in_rings = held.iter().filter(amplified);
    // Bits of positive numbers are in the order of the numbers.
    let by = |place: &Structure| Reverse(place.amplification.unwrap_or(1.0).to_bits());
    let by_ring = first(in_rings.map(|place| (by(place), place.company)), most);
    let mut turns = [by_holders.iter(), by_holdings.iter(), by_ring.iter()];
    let mut seen = HashSet::new();
    let mut companies = Vec::with_capacity(most);
    'full: loop {
        let before = companies.len();
        for (turn, candidates) in turns.iter_mut().enumerate() {
            let Some(&company) = candidates.find(|&&company| seen.insert(company)) else {
                continue;
            };
            let place = &structure[company as usize];
            companies.push((company, why(turn, holders(place), holdings(place), place)));
            if companies.len() == most {
                break 'full;
            }
        }
        if companies.len() == before {
            break;
        }
    }
    Chosen {
        all: held.len() as u64,
        by: "by turns those with the most direct holders, those with the most holdings, and those of which rings \
             multiply the most"
            .to_owned(),
        companies,
    }
}

/// The companies with the smallest keys.
fn first<K: Ord>(keyed: impl Iterator<Item = (K, u32)>, most: usize) -> Vec<u32> {
    let mut keyed: Vec<(K, u32)> = keyed.collect();
    if keyed.len() > most {
        keyed.select_nth_unstable(most);
        keyed.truncate(most);
    }
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, company)| company).collect()
}

fn why(turn: usize, holders: usize, holdings: usize, place: &Structure) -> String {
    match turn {
        0 => format!("among those with the most direct holders: {holders}"),
        1 => format!("among those with the most direct holdings: {holdings}"),
        _ => format!(
            "among those of which rings multiply the most: {:.4} times",
            place.amplification.unwrap_or(1.0)
        ),
    }
}
