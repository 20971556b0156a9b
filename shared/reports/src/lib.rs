//! What a job leaves for people: `summary.json`, `report.html` and `report.xlsx`.
//!
//! A [`Summary`] says what was calculated from which input, what was odd about the data, and how good the answer is.
//! [`Highlights`] watch the result while it streams past and keep what a report shows of it: the largest rows and one
//! distribution. A [`Survey`] is what there is to see of the network. [`report_html`] makes one page of all: self-contained (nothing is fetched, nothing is run), readable on
//! a phone, on paper, in light and dark, and at most 2 MB whatever the input; where something was cut it says so. A
//! [`Spreadsheet`] takes the rows of the result as they pass, up to [`MAX_SHEET_ROWS`].
//!
//! ```
//! use formats::{BlockBuilder, Cell, Column, Kind, Schema};
//! use reports::{Highlights, Labels, Plot, Report, Summary, Survey, report_html};
//!
//! static SCHEMA: Schema = Schema {
//!     key: 1,
//!     columns: &[
//!         Column { name: "owner", kind: Kind::Text, unit: "", description: "who holds" },
//!         Column { name: "owned", kind: Kind::Text, unit: "", description: "what is held" },
//!         Column { name: "integrated", kind: Kind::Number, unit: "fraction", description: "held directly and through others" },
//!     ],
//! };
//! let plot = Plot::Histogram { column: "integrated", title: "How large the stakes are" };
//! let mut highlights = Highlights::new(&SCHEMA, plot, "integrated")?;
//! let mut builder = BlockBuilder::new(&SCHEMA);
//! builder.company("Bar")?;
//! builder.row(&[Cell::Text("A"), Cell::Number(0.198_795_18)])?;
//! highlights.add(&builder.finish().expect("there is a row"))?;
//!
//! let mut summary = Summary::default();
//! summary.job = serde_json::json!({"type": "integrated-ownership"});
//! let html = report_html(&Report {
//!     title: "Integrated ownership",
//!     version: "0.1.0",
//!     summary: &summary,
//!     schema: &SCHEMA,
//!     highlights: &highlights,
//!     survey: &Survey::default(),
//!     labels: Labels::default(),
//!     formulas: &[],
//!     references: &[],
//! });
//! assert!(html.contains("19.88%"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::float_cmp,
        reason = "a test fails by panicking, and compares what must be bitwise equal"
    )
)]

mod curve;
mod ego;
mod frame;
mod highlights;
mod html;
mod labels;
mod number;
mod plot;
mod report;
mod summary;
mod survey;
mod xlsx;

pub use curve::Curve;
pub use highlights::{Highlights, Plot, TOP_ROWS, UnknownColumn};
pub use labels::{Labels, Lookup};
pub use report::{Formula, MAX_REPORT_BYTES, Reference, Report, report_html};
pub use summary::{
    Balance, Components, Group, Input, LeftOut, Measure, Measures, Quality, ResultSize, Stages, Summary, quality,
};
pub use survey::{
    Chain, Companies, Company, Edge, Holder, Holders, Member, Name, Node, Owner, Picture, Ring, Rings, Role, Shape,
    Survey,
};
pub use xlsx::{MAX_SHEET_ROWS, Spreadsheet, SpreadsheetError};
