//! What the columns of `beneficial-owners` are, and by which rules.

use formats::{Kind, Schema};
use reports::{Formula, Plot, Reference};

use crate::presentation::{Presentation, column};

pub(super) static SCHEMA: Schema = Schema {
    key: 0,
    columns: &[
        column("company", Kind::Text, "", "the company"),
        column(
            "owner",
            Kind::Text,
            "",
            "a beneficial owner: someone whom nobody is recorded to hold, or a closed group; owners=natural-persons leaves out who is known to be none",
        ),
        column(
            "lower",
            Kind::Number,
            "fraction",
            "the least share that the recorded ranges allow; the share where stakes are exact",
        ),
        column(
            "share",
            Kind::Number,
            "fraction",
            "held through all chains and rings, multiplied along each and added up",
        ),
        column(
            "upper",
            Kind::Number,
            "fraction",
            "the largest share that the recorded ranges allow; the share where stakes are exact",
        ),
        column(
            "basis",
            Kind::Text,
            "",
            "the rules that apply, with their articles; `possible` before those that only the upper ends of ranges meet",
        ),
        column(
            "chains",
            Kind::Text,
            "",
            "the largest chains with their products, and what the others and rings add",
        ),
    ],
};

pub(super) const PRESENTATION: Presentation = Presentation {
    title: "Beneficial owners",
    schema: &SCHEMA,
    plot: Plot::Histogram {
        column: "share",
        title: "How large the shares of beneficial owners are",
    },
    top_by: "share",
    formulas: &[
        Formula {
            name: "share",
            formula: "V[u][T], V = (I - W)^-1",
            meaning: "multiplied along each chain and added over chains; what goes round in rings is part of it",
        },
        Formula {
            name: "ownership (Art. 52)",
            formula: "V[u][T] >= threshold",
            meaning: "an ownership interest, direct or indirect",
        },
        Formula {
            name: "control (Art. 53)",
            formula: "u and all that u controls have more than control_threshold of the votes of T",
            meaning: "control at every level of the structure",
        },
        Formula {
            name: "control of a holder (Art. 54 (a))",
            formula: "u and all that u controls hold at least threshold of T directly, a part of it through those controlled",
            meaning: "control above, ownership below",
        },
        Formula {
            name: "interest in a controller (Art. 54 (b))",
            formula: "V[u][c] >= threshold for some c that controls T",
            meaning: "ownership above, control below",
        },
        Formula {
            name: "lower, upper",
            formula: "the least and the largest V[u][T] of all W within the ranges whose columns sum to at most 1",
            meaning: "a rule applies if it does with every stake at its lower end, and is possible if it does with the upper ends",
        },
        Formula {
            name: "owners",
            formula: "W[k][u] = 0 for all k",
            meaning: "those whom nobody is recorded to hold: natural persons, and with owners=ultimate companies too",
        },
    ],
    references: &[
        Reference {
            text: "Regulation (EU) 2024/1624 on the prevention of the use of the financial system for money laundering, Articles 51 to 54",
            url: Some("https://eur-lex.europa.eu/eli/reg/2024/1624/oj"),
        },
        Reference {
            text: "Brioschi, Buzzacchi, Colombo: Risk capital financing and the separation of ownership and control in business groups. Journal of Banking and Finance 13 (1989)",
            url: Some("https://doi.org/10.1016/0378-4266(89)90040-X"),
        },
    ],
};
