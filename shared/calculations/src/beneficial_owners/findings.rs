//! Whom the law asks for and the data lacks: natural persons, and owners at all.

use ownership::{BeneficialOwner, Finding, Kind, Network, Resolvent};

use super::Owners;

/// Examples of one finding.
const EXAMPLES: usize = 10;

/// Leaves those owners that are asked for, and says who else there was.
///
/// Nobody holds an entity that is an owner here, so the persons behind it are not known. Someone of whom the input doesn't
/// say what they are can be a person, and stays.
pub(super) fn choose(
    network: &Network,
    resolvent: &Resolvent,
    asked: Owners,
    owners: &mut Vec<BeneficialOwner>,
) -> Vec<Finding> {
    let kind = |owner: u32| match network.len() > owner as usize {
        true => network.kind(owner),
        // Only companies can own each other.
        false => Kind::Entity,
    };
    if !network.has_labels() {
        let none = (asked == Owners::NaturalPersons).then(|| Finding {
            code: "kinds_unknown".to_owned(),
            count: 1,
            examples: Vec::new(),
            action: "all owners were kept: the input does not say who is a natural person".to_owned(),
        });
        return none.into_iter().collect();
    }
    let of_kind = |wanted: Kind| {
        let mut found: Vec<u32> = owners
            .iter()
            .map(|owner| owner.owner)
            .filter(|&owner| kind(owner) == wanted)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    let finding = |code: &str, found: Vec<u32>, action: &str| {
        let name = |&owner: &u32| {
            let id = resolvent.owner_name(network, owner);
            let label = if (owner as usize) < network.len() {
                network.label(owner)
            } else {
                None
            };
            label.map_or_else(|| id.to_owned(), |label| format!("{id} ({label})"))
        };
        (!found.is_empty()).then(|| Finding {
            code: code.to_owned(),
            count: found.len() as u64,
            examples: found.iter().take(EXAMPLES).map(name).collect(),
            action: action.to_owned(),
        })
    };
    let entities = match asked {
        Owners::Ultimate => "kept as owners, though they are no natural persons: nobody is recorded to hold them",
        Owners::NaturalPersons => "left out: they are no natural persons, and nobody is recorded to hold them",
    };
    let findings = [
        finding("entity_without_owner", of_kind(Kind::Entity), entities),
        finding(
            "owner_of_unknown_kind",
            of_kind(Kind::Unknown),
            "kept as owners: the input does not say whether they are natural persons",
        ),
    ];
    if asked == Owners::NaturalPersons {
        owners.retain(|owner| kind(owner.owner) != Kind::Entity);
    }
    findings.into_iter().flatten().collect()
}

/// Who has nobody.
pub(super) fn without_owner(network: &Network, resolvent: &Resolvent, owners: &[BeneficialOwner]) -> Option<Finding> {
    let (count, examples) = ownership::without_owner(network, resolvent, owners, EXAMPLES);
    (count > 0).then(|| Finding {
        code: "no_beneficial_owner".to_owned(),
        count,
        examples: examples
            .into_iter()
            .map(|company| network.name(company).to_owned())
            .collect(),
        action: "no row: nobody known meets a rule, and Article 63 then asks for the senior managing officials"
            .to_owned(),
    })
}
