//! Job type `network-control`: how much value each company could steer through the network.

use std::borrow::Cow;

use formats::{Cell, Kind, Schema};
use jobs::{Calculation, Failure, Invalid, Outcome, Run, Stage, StageRun};
use ownership::{ControlModel, Network, Position, bow_tie, network_control};
use reports::{Curve, Formula, Holders, Name, Plot, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::STAGES;
use crate::building::{Built, build};
use crate::calculating::{Solved, solve_network};
use crate::common::Common;
use crate::presentation::{Presentation, column, describe};
use crate::reporting::{Findings, report_with};
use crate::saving::save;
use crate::survey::{Wanted, named, rank, survey};
use crate::table::{Table, TableWriter};
use crate::values::values;

/// Parameters of `network-control`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct NetworkControl {
    /// How shares become control: as they are, all of it to a holder of more than half of the votes, or in proportion
    /// to their squares.
    #[schemars(with = "String", extend("enum" = ["linear", "threshold", "relative"]))]
    model: ControlModel,
    #[serde(flatten)]
    common: Common,
}

static SCHEMA: Schema = Schema {
    key: 0,
    columns: &[
        column("company", Kind::Text, "", "the company, or a closed group"),
        column(
            "value",
            Kind::Number,
            "unit of the values",
            "its own value; of a closed group the sum of its members'",
        ),
        column(
            "network_value",
            Kind::Number,
            "unit of the values",
            "own value and all that is held, through every chain and ring, V v",
        ),
        column(
            "integrated_value",
            Kind::Number,
            "unit of the values",
            "network value without the own value, V v - v",
        ),
        column(
            "corrected_value",
            Kind::Number,
            "unit of the values",
            "network value without the company's own loops, D V v",
        ),
        column(
            "control",
            Kind::Number,
            "unit of the values",
            "corrected value without the own value, D V v - v",
        ),
        column(
            "rank",
            Kind::Number,
            "",
            "by falling control, from 1; equals share a rank; empty for members of a closed group",
        ),
        column(
            "position",
            Kind::Text,
            "",
            "its place in the bow-tie of ownership: in, scc, out, tube, tendril, other",
        ),
    ],
};

const PRESENTATION: Presentation = Presentation {
    title: "Network control",
    schema: &SCHEMA,
    plot: Plot::Histogram {
        column: "control",
        title: "How much companies control",
    },
    top_by: "control",
    formulas: &[
        Formula {
            name: "C",
            formula: "linear: W; threshold: 1 for who has more than half of the votes, 0 for the others, else W; relative: W[i][j]^2 / sum of W[k][j]^2",
            meaning: "the control matrix of the model; own shares have no votes in the last two",
        },
        Formula {
            name: "network_value",
            formula: "V v, V = (I - C)^-1",
            meaning: "own values v, passed up through every chain and ring",
        },
        Formula {
            name: "integrated_value",
            formula: "V v - v",
            meaning: "network value without the own value",
        },
        Formula {
            name: "corrected_value",
            formula: "D V v, D = diag(V)^-1",
            meaning: "as if nobody held the company: what comes back to it in rings counts once",
        },
        Formula {
            name: "control",
            formula: "D V v - v",
            meaning: "the value of others that the company could steer. Along a chain the same value counts for each of its companies, so the sum of all control exceeds the value there is",
        },
    ],
    references: &[
        Reference {
            text: "Vitali, Glattfelder, Battiston: The network of global corporate control. PLoS ONE 6 (2011), and its supporting information",
            url: Some("https://doi.org/10.1371/journal.pone.0025995"),
        },
        Reference {
            text: "Glattfelder: Decoding Complexity. Springer Theses (2013), chapter 3: models of control",
            url: Some("https://doi.org/10.1007/978-3-642-33424-5"),
        },
    ],
};

/// What stage `building` leaves.
#[derive(Debug, Serialize, Deserialize)]
struct Valued {
    built: Built,
    values: Vec<f64>,
}

/// All rows, and who controls the most.
#[derive(Debug, Serialize, Deserialize)]
struct Mapped {
    table: Table,
    holders: Option<Holders>,
}

impl Calculation for NetworkControl {
    const NAME: &'static str = "network-control";
    const SUMMARY: &'static str = "How much value each company could steer through chains and rings of holdings.";
    const STAGES: &'static [Stage] = STAGES;
    const TAKES_VALUES: bool = true;

    fn columns() -> Value {
        describe(&SCHEMA)
    }

    fn check(&self) -> Result<(), Invalid> {
        self.common.check()
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let valued = run.stage("building", |stage| {
            let mut built = build(stage, &self.common)?;
            let (values, findings) = values(stage, &built.network, &self.common)?;
            built.findings.extend(findings);
            Ok(Valued { built, values })
        })?;
        let solved = run.stage("calculating", |stage| {
            solve_network(stage, &self.control(&valued.built.network), &self.common)
        })?;
        let mapped = run.stage("mapping", |stage| self.map(stage, &valued, &solved))?;
        let saved = run.stage("saving", |stage| {
            save(stage, &mapped.table, &SCHEMA, &valued.built.network)
        })?;
        let findings = Findings::new(&valued.built, &solved, &mapped.table, None, self.common.floor);
        let findings = match self.model {
            ControlModel::Linear => findings,
            ControlModel::Threshold | ControlModel::Relative => findings.told(
                "closed_component",
                "by this model its members have all control of each other: they count as one who controls; pairs inside \
                 it are undefined and absent",
            ),
        };
        let reports = run.stage("reporting", |stage| {
            let wanted = Wanted {
                holders: mapped.holders,
                share: self.share(),
                rows: (
                    "Its values and place",
                    &["value", "network_value", "control", "rank", "position"],
                ),
            };
            let survey = survey(stage, &self.control(&valued.built.network), &solved.resolvent, wanted)?;
            report_with(stage, &PRESENTATION, &findings, &mapped.table, &survey)
        })?;
        Ok(findings.outcome(saved, reports))
    }
}

impl NetworkControl {
    fn control<'n>(&self, network: &'n Network) -> Cow<'n, Network> {
        match self.model {
            ControlModel::Linear => Cow::Borrowed(network),
            model => Cow::Owned(model.apply(network)),
        }
    }

    /// What a share is in the control matrix.
    fn share(&self) -> &'static str {
        match self.model {
            ControlModel::Linear => "share",
            ControlModel::Threshold => "share of votes by the threshold model",
            ControlModel::Relative => "share of votes by the relative model",
        }
    }

    fn map(&self, stage: &StageRun<'_>, valued: &Valued, solved: &Solved) -> Result<Mapped, Failure> {
        let network = &valued.built.network;
        let resolvent = &solved.resolvent;
        let places = bow_tie(network);
        stage.progress(0.2)?;
        let found = network_control(&self.control(network), resolvent, &valued.values);
        if let Some(owner) = found.iter().position(overflows) {
            let name = resolvent.owner_name(network, u32::try_from(owner).unwrap_or(u32::MAX));
            let message = format!("the network value of {name} is larger than numbers go: scale the values down");
            return Err(Failure::permanent("values_too_large", message));
        }
        stage.progress(0.4)?;
        let holders = top(&found, |owner| named(network, resolvent, owner));
        // A closed group is where its members are.
        let groups = resolvent.components().closed.into_iter().map(|group| {
            let member = group.members.first().and_then(|name| network.find(name));
            member.map_or(Position::Other, |member| places[member as usize])
        });
        let positions: Vec<Position> = places.iter().copied().chain(groups).collect();
        let mut order: Vec<u32> = (0..).take(found.len()).collect();
        // Only closed groups are out of order.
        order.sort_by_key(|&owner| resolvent.owner_name(network, owner));
        let mut table = TableWriter::new(stage, &SCHEMA)?;
        for (written, owner) in order.into_iter().enumerate() {
            if written % 4096 == 0 {
                stage.progress(0.5 + 0.5 * written as f64 / found.len() as f64)?;
            }
            table.company(resolvent.owner_name(network, owner))?;
            table.row(&row(&found[owner as usize], positions[owner as usize]))?;
        }
        Ok(Mapped {
            table: table.finish()?,
            holders,
        })
    }
}

/// Who controls the most, and how it adds up.
fn top(found: &[ownership::NetworkControl], name: impl Fn(u32) -> Name) -> Option<Holders> {
    const MOST: usize = 1000;
    let control = (0..)
        .zip(found)
        .filter_map(|(owner, found)| Some((owner, found.measures?.control)));
    let control: Vec<(u32, f64)> = control.filter(|&(_, control)| control > 0.0).collect();
    let curve = Curve::new(
        "Cumulative control, by rank",
        "holders",
        control.iter().map(|&(_, control)| control).collect(),
    )?;
    Some(Holders {
        title: "Top holders".to_owned(),
        explained: "Ranked by control: the value of others that each could steer through all chains and rings. The curve \
                    is drawn as in Vitali, Glattfelder and Battiston (2011). Along a chain the same value counts for each \
                    of its holders, so the whole is all control together and not the value that there is."
            .to_owned(),
        measure: "control".to_owned(),
        whole: curve.whole(),
        count: control.len() as u64,
        rows: rank(control, MOST, name),
        curve: Some(curve),
    })
}

/// Whether a sum of values left the range of numbers.
fn overflows(found: &ownership::NetworkControl) -> bool {
    found
        .measures
        .is_some_and(|measures| !(measures.network_value.is_finite() && measures.control.is_finite()))
}

/// The cells after the name; those of a closed group's member are empty.
fn row(found: &ownership::NetworkControl, position: Position) -> [Cell<'static>; 7] {
    let cell =
        |measure: fn(&ownership::Measures) -> f64| Cell::Number(found.measures.as_ref().map_or(f64::NAN, measure));
    [
        Cell::Number(found.value),
        cell(|measures| measures.network_value),
        cell(|measures| measures.integrated_value),
        cell(|measures| measures.corrected_value),
        cell(|measures| measures.control),
        cell(|measures| f64::from(measures.rank)),
        Cell::Text(position.as_str()),
    ]
}
