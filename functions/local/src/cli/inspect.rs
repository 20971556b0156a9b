//! `stakegraph inspect`: what is in a file, without a job.

use std::fs::File;
use std::io;

use anyhow::Context;
use formats::{Format, OnBadRecord, Read, ReadError, ReadOptions};
use ownership::{Finding, Kind, Network, NetworkBuilder, Policies, Unit};
use serde_json::{Value, json};

use super::client::three_columns;
use super::flags::{InspectFlags, UnitFlag};
use super::{Ended, UsageError, complain, say};

/// How many stakes are shown, and how many examples of a finding.
const SHOWN: usize = 10;

/// A stake, or control without a share.
struct Shown {
    row: u64,
    owner: String,
    owned: String,
    range: Option<(f64, f64)>,
}

/// What was found in a file.
struct Inspection {
    read: Read,
    bytes: u64,
    network: Network,
    /// The smallest and the largest share.
    shares: Option<(f64, f64)>,
    first: Vec<Shown>,
}

/// Reads the file as a job would, but goes on after bad records, which are counted.
pub(super) fn inspect(flags: &InspectFlags) -> anyhow::Result<Ended> {
    let unreadable = |error| UsageError(format!("cannot read {}: {error}", flags.file.display()));
    let mut file = File::open(&flags.file).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(UsageError(format!("{} is not a file", flags.file.display())).into());
    }
    let options = ReadOptions {
        format: flags.format.clone(),
        columns: flags.columns.as_deref().map(three_columns).transpose()?,
        unit: flags.unit.map(|unit| match unit {
            UnitFlag::Fraction => Unit::Fraction,
            UnitFlag::Percent => Unit::Percent,
        }),
        on_bad_record: OnBadRecord::Skip,
        name: flags.file.file_name().map(|name| name.to_string_lossy().into_owned()),
        ..ReadOptions::default()
    };
    match look(&mut file, &options, metadata.len()) {
        Ok(inspection) if flags.json => say(&inspection.to_json(flags).to_string()),
        Ok(inspection) => inspection.print(flags),
        Err(error) => {
            complain(&format!("failed to {error:#}"));
            return Ok(Ended::Failure);
        }
    }
    Ok(Ended::Success)
}

fn look(file: &mut dyn io::Read, options: &ReadOptions, bytes: u64) -> anyhow::Result<Inspection> {
    let mut builder = NetworkBuilder::new(Policies::default());
    let mut first = Vec::new();
    let mut shares: Option<(f64, f64)> = None;
    let read = formats::read_batches(file, options, &mut |batch| {
        batch.try_for_each_range(|owner, owned, range, row| {
            let range = range.map(|(lower, upper)| (lower.value(), upper.value()));
            if let Some((lower, upper)) = range {
                let (smallest, largest) = shares.unwrap_or((lower, upper));
                shares = Some((smallest.min(lower), largest.max(upper)));
            }
            if first.len() < SHOWN {
                first.push(Shown {
                    row,
                    owner: owner.to_owned(),
                    owned: owned.to_owned(),
                    range,
                });
            }
            Ok::<(), ownership::Error>(())
        })?;
        builder.append(batch)
    });
    let read = read.map_err(|error| match error {
        ReadError::Sink(error) => anyhow::Error::from(error),
        other => anyhow::anyhow!("{other}"),
    })?;
    let network = builder.finish().context("build a network of it")?;
    Ok(Inspection {
        read,
        bytes,
        network,
        shares,
        first,
    })
}

impl Inspection {
    /// What was noticed while reading, and in the network.
    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.read.findings.iter().chain(self.network.findings())
    }

    /// Persons and entities among the companies.
    fn kinds(&self) -> [usize; 2] {
        let count = |kind| {
            (0..)
                .take(self.network.len())
                .filter(|&company| self.network.kind(company) == kind)
                .count()
        };
        [count(Kind::Person), count(Kind::Entity)]
    }

    fn label(&self, id: &str) -> Option<&str> {
        let company = self.network.find(id)?;
        self.network.label(company).filter(|label| !label.is_empty())
    }

    fn to_json(&self, flags: &InspectFlags) -> Value {
        let [persons, entities] = self.kinds();
        let first = self.first.iter().map(|stake| {
            json!({
                "row": stake.row,
                "owner": stake.owner,
                "owner_name": self.label(&stake.owner),
                "owned": stake.owned,
                "owned_name": self.label(&stake.owned),
                "lower": stake.range.map(|(lower, _)| lower),
                "upper": stake.range.map(|(_, upper)| upper),
            })
        });
        let first: Vec<Value> = first.collect();
        json!({
            "file": flags.file.display().to_string(),
            "bytes": self.bytes,
            "format": self.read.format,
            "stakes": self.read.records,
            "ranges": self.read.ranges,
            "controls": self.read.controls,
            "companies": self.network.len(),
            "persons": persons,
            "entities": entities,
            "smallest_share": self.shares.map(|(smallest, _)| smallest),
            "largest_share": self.shares.map(|(_, largest)| largest),
            "findings": self.findings().collect::<Vec<_>>(),
            "first": first,
        })
    }

    fn print(&self, flags: &InspectFlags) {
        let Read {
            format,
            records,
            ranges,
            controls,
            ..
        } = &self.read;
        let summary = Format::from_name(format).map_or("", Format::summary);
        let [persons, entities] = self.kinds();
        let line = |name: &str, value: String| say(&format!("{name:<11}{value}"));
        line("file", format!("{}, {} bytes", flags.file.display(), self.bytes));
        line("format", format!("{format} ({summary})"));
        line("stakes", format!("{records}, of which {ranges} with a range"));
        if *controls > 0 {
            line("control", format!("{controls} without a share"));
        }
        let kinds = if persons + entities > 0 {
            format!(", of which {persons} persons and {entities} entities by what the file says")
        } else {
            String::new()
        };
        line("companies", format!("{}{kinds}", self.network.len()));
        if let Some((smallest, largest)) = self.shares {
            line("shares", format!("from {} to {}", percent(smallest), percent(largest)));
        }
        for finding in self.findings() {
            say(&format!("\n{} ({}): {}", finding.code, finding.count, finding.action));
            for example in &finding.examples {
                say(&format!("  {example}"));
            }
        }
        say(&format!("\nthe first {}:", self.first.len()));
        for stake in &self.first {
            let share = match stake.range {
                None => "control".to_owned(),
                Some((lower, upper)) if (upper - lower).abs() < f64::EPSILON => percent(lower),
                Some((lower, upper)) => format!("{} to {}", percent(lower), percent(upper)),
            };
            let name = |id: &str| match self.label(id) {
                Some(label) if label != id => format!("{id} ({label})"),
                _ => id.to_owned(),
            };
            say(&format!(
                "  row {}: {} of {}: {share}",
                stake.row,
                name(&stake.owner),
                name(&stake.owned)
            ));
        }
    }
}

/// Rounded to a millionth of one percent.
fn percent(share: f64) -> String {
    let text = format!("{:.6}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
