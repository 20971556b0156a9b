//! Which column of a header is owner, owned and share.

use crate::error::InputError;

/// What a column can be.
pub(super) struct Role {
    pub(super) name: &'static str,
    /// Names that say what the column holds.
    pub(super) names: &'static [&'static str],
    /// Words of any graph, which count if no column has one of the names: `source` may be a web address.
    pub(super) general: &'static [&'static str],
    /// What companies are called, which counts if no column has an id.
    pub(super) labels: &'static [&'static str],
}

const ROLES: [Role; 3] = [
    Role {
        name: "owner",
        names: &[
            "owner",
            "owner_id",
            "shareholder",
            "shareholder_id",
            "holder",
            "holder_id",
            "investor",
            "investor_id",
            "shareholder_bvd_id_number",
        ],
        general: &[
            "parent",
            "parent_id",
            "parent_lei",
            "source",
            "source_id",
            "from",
            "from_id",
        ],
        labels: &[
            "owner_name",
            "shareholder_name",
            "holder_name",
            "investor_name",
            "parent_name",
        ],
    },
    Role {
        name: "owned",
        names: &[
            "owned",
            "owned_id",
            "company",
            "company_id",
            "issuer",
            "issuer_id",
            "investee",
            "investee_id",
            "subsidiary",
            "subsidiary_id",
            "bvd_id_number",
        ],
        general: &["child", "child_id", "child_lei", "target", "target_id", "to", "to_id"],
        labels: &[
            "owned_name",
            "company_name",
            "issuer_name",
            "investee_name",
            "subsidiary_name",
            "child_name",
        ],
    },
    Role {
        name: "share",
        names: &[
            "share",
            "shares",
            "coefficient",
            "share_pct",
            "share_percent",
            "stake",
            "ownership",
            "ownership_pct",
            "ownership_percent",
            "ownership_percentage",
            "percentage",
            "percent",
            "pct",
            "fraction",
            "shareholding",
            "shareholding_pct",
            "shareholding_percent",
            "shareholding_percentage",
            "share_percentage",
            "stake_pct",
            "stake_percent",
            "percentage_held",
            "percent_held",
            "pct_held",
            "percentage_of_shares",
            "shareholder_direct",
        ],
        general: &["weight", "holding", "equity"],
        labels: &[],
    },
];

/// The columns of a file that matter.
#[derive(Debug, PartialEq)]
pub(super) struct Columns {
    /// Positions of owner, owned and share.
    pub(super) positions: [usize; 3],
    /// Their names as the header spells them.
    pub(super) names: [String; 3],
}

/// Finds owner, owned and share among the header's fields: by `asked`, or by the usual names, whose case, blanks,
/// dashes and underscores do not matter.
pub(super) fn find(header: &[String], asked: Option<&[String; 3]>) -> Result<Columns, InputError> {
    find_roles(header, asked, &ROLES)
}

/// The same for three columns of other names.
pub(super) fn find_roles(
    header: &[String],
    asked: Option<&[String; 3]>,
    roles: &[Role; 3],
) -> Result<Columns, InputError> {
    let positions = match asked {
        Some(asked) => find_asked(header, asked, roles)?,
        None => find_usual(header, roles)?,
    };
    let share = &header[positions[2]];
    let by_name = asked.is_some_and(|[.., name]| name.trim() == share);
    if number(share) && !by_name {
        return Err(InputError::NoHeader { first: shown(header) });
    }
    Ok(Columns {
        positions,
        names: positions.map(|position| cut(&header[position])),
    })
}

fn find_asked(header: &[String], asked: &[String; 3], roles: &[Role; 3]) -> Result<[usize; 3], InputError> {
    let mut positions = [0; 3];
    for (position, name) in positions.iter_mut().zip(asked) {
        *position = find_name(header, name.trim())?;
    }
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        if positions[a] == positions[b] {
            return Err(InputError::AmbiguousColumn {
                role: cut(&header[positions[a]]),
                first: roles[a].name.to_owned(),
                second: roles[b].name.to_owned(),
            });
        }
    }
    Ok(positions)
}

fn find_name(header: &[String], name: &str) -> Result<usize, InputError> {
    let exact = |field: &String| field == name;
    let alike = |field: &String| !plain(name).is_empty() && plain(field) == plain(name);
    if let Some(position) = only(header, name, exact)?.or(only(header, name, alike)?) {
        return Ok(position);
    }
    match name.parse::<usize>() {
        Ok(position) if (1..=header.len()).contains(&position) => Ok(position - 1),
        _ => Err(InputError::MissingColumn {
            role: name.to_owned(),
            header: shown(header),
            accepted: header.iter().map(|field| cut(field)).take(MAX_SHOWN).collect(),
        }),
    }
}

fn find_usual(header: &[String], roles: &[Role; 3]) -> Result<[usize; 3], InputError> {
    let mut positions = [0; 3];
    for (position, role) in positions.iter_mut().zip(roles) {
        let among = |names: &[&str], field: &String| names.iter().any(|name| plain(name) == plain(field));
        let found = match only(header, role.name, |field| among(role.names, field))? {
            Some(found) => Some(found),
            None => only(header, role.name, |field| among(role.general, field))?,
        };
        let found = match found {
            Some(found) => Some(found),
            None => only(header, role.name, |field| among(role.labels, field))?,
        };
        *position = found.ok_or_else(|| {
            if header.len() == 3 && number(&header[2]) {
                return InputError::NoHeader { first: shown(header) };
            }
            InputError::MissingColumn {
                role: role.name.to_owned(),
                header: shown(header),
                accepted: role
                    .names
                    .iter()
                    .chain(role.general)
                    .chain(role.labels)
                    .map(|&name| name.to_owned())
                    .collect(),
            }
        })?;
    }
    Ok(positions)
}

/// The one field that matches; an error if two do.
fn only(header: &[String], role: &str, matches: impl Fn(&String) -> bool) -> Result<Option<usize>, InputError> {
    let mut found = (0..header.len()).filter(|&position| matches(&header[position]));
    match (found.next(), found.next()) {
        (Some(first), Some(second)) => Err(InputError::AmbiguousColumn {
            role: cut(role),
            first: format!("{} (column {})", cut(&header[first]), first + 1),
            second: format!("{} (column {})", cut(&header[second]), second + 1),
        }),
        (first, _) => Ok(first),
    }
}

/// A name without case, blanks and punctuation: `Shareholder-ID`, `shareholder id` and `shareholderId` are alike.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn number(field: &str) -> bool {
    field
        .trim_end_matches('%')
        .trim()
        .parse::<f64>()
        .is_ok_and(f64::is_finite)
}

const MAX_SHOWN: usize = 20;

pub(super) fn shown(header: &[String]) -> Vec<String> {
    let mut fields: Vec<String> = header
        .iter()
        .take(MAX_SHOWN)
        .map(|field| format!("{:?}", cut(field)))
        .collect();
    if header.len() > MAX_SHOWN {
        fields.push(format!("and {} more", header.len() - MAX_SHOWN));
    }
    fields
}

fn cut(field: &str) -> String {
    field.chars().take(60).collect()
}
