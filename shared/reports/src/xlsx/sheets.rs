//! The sheets beside the result.

use rust_xlsxwriter::{Worksheet, XlsxError};
use serde_json::Value;

use super::cells::{Formats, head, write_count, write_number, write_share, write_text};
use super::finish;
use crate::survey::{Holders, Survey};
use crate::{Summary, number};

/// Rows of findings and of closed groups; `summary.json` has them all.
const MOST: u32 = 20_000;

/// What the summary says of the result.
pub(super) struct Facts<'a> {
    pub(super) title: &'a str,
    pub(super) rows: u64,
    pub(super) shown: u64,
    pub(super) top_by: &'a str,
}

/// A value of the summary.
enum Fact {
    Text(String),
    Count(u64),
    Number(f64),
    Share(f64),
}

pub(super) fn summary(
    sheet: &mut Worksheet,
    formats: &Formats,
    summary: &Summary,
    survey: &Survey,
    facts: &Facts<'_>,
) -> Result<(), XlsxError> {
    sheet.set_column_width(0, 30)?;
    sheet.set_column_width(1, 80)?;
    sheet.write_string_with_format(0, 0, facts.title, &formats.title)?;
    let mut row = 1;
    for (section, entries) in [
        ("Job", job(summary)),
        ("Input", input(summary)),
        ("Answer", answer(summary, survey)),
        ("Sheets", sheets(survey, facts)),
    ] {
        row += 1;
        sheet.write_string_with_format(row, 0, section, &formats.head)?;
        sheet.write_string_with_format(row, 1, "", &formats.head)?;
        for (term, fact) in entries {
            row += 1;
            write_text(sheet, row, 0, &term)?;
            match fact {
                Fact::Text(text) => write_text(sheet, row, 1, &text)?,
                Fact::Count(count) => write_count(sheet, formats, row, 1, count)?,
                Fact::Number(number) => write_number(sheet, row, 1, number)?,
                Fact::Share(share) => write_share(sheet, formats, row, 1, share)?,
            }
        }
    }
    Ok(())
}

type Entries = Vec<(String, Fact)>;

fn job(summary: &Summary) -> Entries {
    let mut entries = Entries::new();
    for name in ["type", "id", "attempt", "created_at", "unit", "values"] {
        if let Some(value) = summary.job.get(name) {
            entries.push((name.to_owned(), plain(value)));
        }
    }
    let parameters = summary.job.get("parameters").and_then(Value::as_object);
    for (name, value) in parameters.into_iter().flatten().take(100) {
        entries.push((format!("parameter {name}"), plain(value)));
    }
    entries
}

fn input(summary: &Summary) -> Entries {
    let input = &summary.input;
    let mut entries = Entries::new();
    entries.extend(input.name.clone().map(|name| ("file".to_owned(), Fact::Text(name))));
    entries.extend([
        ("format".to_owned(), Fact::Text(input.format.clone())),
        ("SHA-256".to_owned(), Fact::Text(input.sha256.clone())),
        ("bytes".to_owned(), Fact::Count(input.bytes)),
        ("companies".to_owned(), Fact::Count(input.companies)),
        ("stakes".to_owned(), Fact::Count(input.stakes)),
    ]);
    entries
}

fn answer(summary: &Summary, survey: &Survey) -> Entries {
    let mut entries = vec![
        ("rows".to_owned(), Fact::Count(summary.result.rows)),
        ("rings".to_owned(), Fact::Count(summary.components.count)),
        (
            "companies in the largest ring".to_owned(),
            Fact::Count(summary.components.largest),
        ),
        (
            "closed groups".to_owned(),
            Fact::Count(summary.components.closed.len() as u64),
        ),
        ("residual".to_owned(), Fact::Number(summary.residual)),
    ];
    if let Some(floor) = summary.left_out.floor {
        entries.extend([
            ("floor".to_owned(), Fact::Number(floor)),
            ("pairs below the floor".to_owned(), Fact::Count(summary.left_out.pairs)),
            ("their sum".to_owned(), Fact::Number(summary.left_out.mass)),
        ]);
    }
    if let Some(balance) = &summary.balance {
        entries.extend([
            (
                "largest error of a sum of owners".to_owned(),
                Fact::Number(balance.largest_error),
            ),
            ("companies checked".to_owned(), Fact::Count(balance.checked)),
            (
                "companies that could not be checked".to_owned(),
                Fact::Count(balance.unchecked),
            ),
        ]);
    }
    for measure in &summary.measures.0 {
        entries.push((measure.name.to_owned(), plain(&measure.value)));
    }
    if let Some(shape) = &survey.shape {
        entries.push(("ultimate owners".to_owned(), Fact::Count(shape.ultimate)));
        entries.extend(
            shape
                .undisclosed
                .map(|part| ("undisclosed, on average".to_owned(), Fact::Share(part))),
        );
    }
    entries
}

/// What is where, and what was cut.
fn sheets(survey: &Survey, facts: &Facts<'_>) -> Entries {
    let grouped = number::grouped;
    let owners = if facts.shown < facts.rows {
        format!(
            "the {} of {} rows with the largest values of {}, largest first; result.csv and result.parquet have them all",
            grouped(facts.shown),
            grouped(facts.rows),
            facts.top_by
        )
    } else {
        format!("all {} rows of the result", grouped(facts.rows))
    };
    let mut entries = vec![
        ("Owners".to_owned(), owners),
        (
            "Quality".to_owned(),
            "what was odd about the data, with examples, and what was done".to_owned(),
        ),
        ("Rings".to_owned(), rings_told(survey)),
    ];
    if let Some(holders) = &survey.holders {
        let told = format!(
            "the first {} of {} by {}",
            grouped(holders.rows.len() as u64),
            grouped(holders.count),
            holders.measure
        );
        entries.push(("Holders".to_owned(), told));
    }
    entries
        .into_iter()
        .map(|(name, told)| (name, Fact::Text(told)))
        .collect()
}

fn rings_told(survey: &Survey) -> String {
    let Some(rings) = &survey.rings else {
        return "members of closed groups".to_owned();
    };
    let shown = rings
        .shown
        .iter()
        .filter(|ring| ring.members.len() as u64 == ring.size)
        .count() as u64;
    if shown < rings.count {
        return format!(
            "members of the largest {} of {} rings; the result of job type structure has them all",
            number::grouped(shown),
            number::grouped(rings.count)
        );
    }
    format!("members of all {} rings", number::grouped(rings.count))
}

fn plain(value: &Value) -> Fact {
    match value {
        Value::String(text) => Fact::Text(text.clone()),
        Value::Number(number) => number
            .as_f64()
            .map_or_else(|| Fact::Text(number.to_string()), Fact::Number),
        Value::Null => Fact::Text("not set".to_owned()),
        other => Fact::Text(other.to_string()),
    }
}

pub(super) fn quality(sheet: &mut Worksheet, formats: &Formats, summary: &Summary) -> Result<(), XlsxError> {
    sheet.set_name("Quality")?;
    head(
        sheet,
        formats,
        [
            ("finding", 26.0),
            ("count", 12.0),
            ("what was done", 60.0),
            ("example", 60.0),
        ],
    )?;
    let mut row = 1;
    for (code, finding) in &summary.quality {
        let examples = finding.examples.iter().map(String::as_str);
        let none = finding.examples.is_empty().then_some("");
        for example in examples.chain(none) {
            if row > MOST {
                break;
            }
            write_text(sheet, row, 0, code)?;
            write_count(sheet, formats, row, 1, finding.count)?;
            write_text(sheet, row, 2, &finding.action)?;
            write_text(sheet, row, 3, example)?;
            row += 1;
        }
    }
    finish(sheet, row, 4)
}

pub(super) fn rings(
    sheet: &mut Worksheet,
    formats: &Formats,
    summary: &Summary,
    survey: &Survey,
) -> Result<(), XlsxError> {
    sheet.set_name("Rings")?;
    head(
        sheet,
        formats,
        [
            ("ring", 10.0),
            ("size", 10.0),
            ("closed group", 20.0),
            ("member", 28.0),
            ("name", 28.0),
            ("amplification", 16.0),
            ("undisclosed", 14.0),
        ],
    )?;
    let mut row = 1;
    for ring in survey.rings.iter().flat_map(|rings| &rings.shown) {
        for member in &ring.members {
            write_count(sheet, formats, row, 0, ring.number)?;
            write_count(sheet, formats, row, 1, ring.size)?;
            write_text(sheet, row, 2, ring.group.as_deref().unwrap_or(""))?;
            write_text(sheet, row, 3, &member.name.id)?;
            write_text(sheet, row, 4, &member.name.label)?;
            write_number(sheet, row, 5, member.amplification.unwrap_or(f64::NAN))?;
            write_share(sheet, formats, row, 6, member.undisclosed.unwrap_or(f64::NAN))?;
            row += 1;
        }
    }
    // Where the network was not looked at again, the groups are known all the same.
    let groups = summary.components.closed.iter().filter(|_| survey.rings.is_none());
    for group in groups {
        for member in &group.members {
            if row > MOST {
                break;
            }
            write_count(sheet, formats, row, 1, group.members.len() as u64)?;
            write_text(sheet, row, 2, &group.name)?;
            write_text(sheet, row, 3, member)?;
            row += 1;
        }
    }
    finish(sheet, row, 7)
}

pub(super) fn holders(sheet: &mut Worksheet, formats: &Formats, holders: &Holders) -> Result<(), XlsxError> {
    sheet.set_name("Holders")?;
    head(
        sheet,
        formats,
        [
            ("rank", 8.0),
            ("holder", 28.0),
            ("name", 28.0),
            (&holders.measure, 34.0),
            ("of the whole", 14.0),
            ("cumulative", 14.0),
        ],
    )?;
    let mut row = 1;
    for holder in &holders.rows {
        write_count(sheet, formats, row, 0, u64::from(row))?;
        write_text(sheet, row, 1, &holder.name.id)?;
        write_text(sheet, row, 2, &holder.name.label)?;
        write_number(sheet, row, 3, holder.value)?;
        write_share(sheet, formats, row, 4, holder.value / holders.whole)?;
        write_share(sheet, formats, row, 5, holder.cumulative / holders.whole)?;
        row += 1;
    }
    finish(sheet, row, 6)
}
