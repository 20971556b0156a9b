//! The rows of `beneficial-owners`: shares, rules and chains in words.

use std::fmt::Write;

use formats::Cell;
use formats::chains::quoted;
use jobs::{Failure, StageRun};
use ownership::{Basis, BeneficialOwner, Chain, Chains, Network, Resolvent};

use super::presentation::SCHEMA;
use crate::presentation::bounds;
use crate::table::{Table, TableWriter};

/// The longest text of chains, in bytes, so that a row with the longest names fits into a block.
const MAX_CHAINS_BYTES: usize = 6 << 10;

/// The rows of the result; every company is in it, with or without owners.
pub(super) struct Rows<'n> {
    network: &'n Network,
    resolvent: &'n Resolvent,
    table: TableWriter,
    /// The next company to begin.
    next: u32,
}

impl<'n> Rows<'n> {
    pub(super) fn new(stage: &StageRun<'_>, network: &'n Network, resolvent: &'n Resolvent) -> Result<Self, Failure> {
        Ok(Self {
            network,
            resolvent,
            table: TableWriter::new(stage, &SCHEMA)?,
            next: 0,
        })
    }

    pub(super) fn write(&mut self, owner: &BeneficialOwner, chains: &Chains) -> Result<(), Failure> {
        self.begin_up_to(owner.company + 1)?;
        let (lower, upper) = bounds(owner.lower, owner.share, owner.upper);
        self.table.row(&[
            Cell::Text(self.resolvent.owner_name(self.network, owner.owner)),
            Cell::Number(lower),
            Cell::Number(owner.share),
            Cell::Number(upper),
            Cell::Text(&basis(owner)),
            Cell::Text(&self.told(owner.share, chains)),
        ])
    }

    fn begin_up_to(&mut self, end: u32) -> Result<(), Failure> {
        for company in self.next..end {
            self.table.company(self.network.name(company))?;
        }
        self.next = self.next.max(end);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Table, Failure> {
        let companies = u32::try_from(self.network.len()).unwrap_or(u32::MAX);
        self.begin_up_to(companies)?;
        self.table.finish()
    }

    /// Chains by the names on them, the largest first. Those from several members of a closed group are one: to whatever
    /// is below it, the group is one owner.
    fn named(&self, chains: &[Chain]) -> Vec<(String, f64)> {
        let mut named: Vec<(String, f64)> = Vec::with_capacity(chains.len());
        for chain in chains {
            let path = chain.path.iter();
            let names: Vec<_> = path
                .map(|&id| quoted(self.resolvent.owner_name(self.network, id)))
                .collect();
            let names = names.join(" > ");
            match named.iter_mut().find(|(same, _)| *same == names) {
                Some((_, product)) => *product += chain.product,
                None => named.push((names, chain.product)),
            }
        }
        named.sort_by(|a, b| b.1.total_cmp(&a.1));
        named
    }

    /// The chains in words: `P > H1 > T 0.18; P > H2 > T 0.1; through cycles 0.002`.
    fn told(&self, share: f64, chains: &Chains) -> String {
        let mut text = String::new();
        let (mut shown, mut listed) = (0, 0.0);
        let best = self.named(&chains.best);
        for (names, product) in &best {
            let next = format!("{names} {}", rounded(*product));
            if text.len() + next.len() > MAX_CHAINS_BYTES {
                break;
            }
            join(&mut text, &next);
            (shown, listed) = (shown + 1, listed + product);
        }
        let cut = &best[shown..];
        let more = cut.len() as u64 + chains.further.0;
        let found = listed + cut.iter().map(|(_, product)| product).sum::<f64>() + chains.further.1;
        // Less than this is what rounding leaves.
        let least = 1e-12 * share;
        if !chains.complete {
            if share - listed > least {
                let through = if chains.cycles { "chains and cycles" } else { "chains" };
                join(
                    &mut text,
                    &format!("through further {through} {}", rounded(share - listed)),
                );
            }
            return text;
        }
        if more > 0 {
            let chains = if more == 1 { "chain" } else { "chains" };
            join(
                &mut text,
                &format!("{more} further {chains} {}", rounded(found - listed)),
            );
        }
        if chains.cycles && share - found > least {
            join(&mut text, &format!("through cycles {}", rounded(share - found)));
        }
        text
    }
}

fn join(text: &mut String, part: &str) {
    let separator = if text.is_empty() { "" } else { "; " };
    write!(text, "{separator}{part}").expect("writing to a string does not fail");
}

/// Ten significant digits: enough to see, without the noise of the last ones.
fn rounded(number: f64) -> String {
    format!("{number:.9e}").parse::<f64>().unwrap_or(number).to_string()
}

/// The rules in words: `ownership (Art. 52); possible control (Art. 53)`.
fn basis(owner: &BeneficialOwner) -> String {
    let rules = |basis: Basis| {
        [
            (basis.ownership, "ownership (Art. 52)"),
            (basis.control, "control (Art. 53)"),
            (basis.control_of_holder, "control of a holder (Art. 54 (a))"),
            (basis.interest_in_controller, "interest in a controller (Art. 54 (b))"),
        ]
    };
    let applied = rules(owner.basis)
        .into_iter()
        .filter(|rule| rule.0)
        .map(|rule| rule.1.to_owned());
    let possible = rules(owner.possible).into_iter().filter(|rule| rule.0);
    let all: Vec<String> = applied
        .chain(possible.map(|rule| format!("possible {}", rule.1)))
        .collect();
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_like_chains_are_quoted() {
        assert_eq!(quoted("A > B"), "\"A > B\"");
        assert_eq!(quoted("A; B"), "\"A; B\"");
        assert_eq!(quoted("the \"A\""), "\"the \\\"A\\\"\"");
        for plain in ["A>B", "A;B", "Müller & Co.", "O'Neill"] {
            assert_eq!(quoted(plain), plain);
        }
    }
}
