//! Who ultimately owns what, as a table on stderr.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context;

/// A larger result is for programs to look at.
const LARGEST_BYTES: u64 = 16 << 20;
const ROWS: usize = 20;

/// Shows the start of `result.csv`: of `integrated-ownership`, whoever nobody owns, and what they own through all
/// chains and rings; of other job types, the first rows. Names that `names.csv` beside it has follow their ids.
pub(super) fn show(job_type: &str, path: &Path) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    if file.metadata()?.len() > LARGEST_BYTES {
        return Ok(());
    }
    let (header, mut rows) = read(file)?;
    let mut title = format!("{job_type}:");
    if job_type == "integrated-ownership" {
        let owned: HashSet<String> = rows.iter().map(|row| row[1].clone()).collect();
        rows.retain(|row| !owned.contains(&row[0]));
        title = "Who ultimately owns what:".to_owned();
    }
    let more = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    name(&mut rows, &path.with_file_name("names.csv"))?;
    print(&title, &header, &rows);
    if more > 0 {
        super::complain(&format!("… and {more} more rows in {}", path.display()));
    }
    Ok(())
}

/// Adds what ids are called, if there is such a file.
fn name(rows: &mut [Vec<String>], path: &Path) -> anyhow::Result<()> {
    let Ok(file) = File::open(path) else {
        return Ok(());
    };
    let shown: HashSet<String> = rows.iter().flatten().cloned().collect();
    let mut names = HashMap::new();
    for record in csv::Reader::from_reader(file).records() {
        let record = record?;
        if let (Some(id), Some(name)) = (record.get(0), record.get(1))
            && !name.is_empty()
            && shown.contains(id)
        {
            names.insert(id.to_owned(), name.to_owned());
        }
    }
    for cell in rows.iter_mut().flatten() {
        if let Some(name) = names.get(cell) {
            *cell = format!("{cell} ({name})");
        }
    }
    Ok(())
}

fn read(file: impl Read) -> anyhow::Result<(Vec<String>, Vec<Vec<String>>)> {
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers()?.iter().map(str::to_owned).collect();
    let rows = reader
        .records()
        .map(|record| record.map(|record| record.iter().map(short).collect()))
        .collect::<Result<_, _>>()?;
    Ok((header, rows))
}

/// Numbers to six digits after the point: this is for eyes, the file has them all.
fn short(cell: &str) -> String {
    match cell.parse::<f64>() {
        Ok(number) if cell.contains('.') => format!("{number:.6}"),
        _ => cell.to_owned(),
    }
}

fn print(title: &str, header: &[String], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].len()]).max().unwrap_or(0).min(40)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        super::complain(&format!("  {}", padded.join("  ").trim_end()));
    };
    super::complain(title);
    line(header);
    for row in rows {
        line(row);
    }
}
