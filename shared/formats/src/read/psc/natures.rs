//! Natures of control, as the register's codes say them.
//!
//! <https://github.com/companieshouse/api-enumerations/blob/master/psc_descriptions.yml>: what is held, then a band, then
//! in which capacity, such as `-as-trust` or `-limited-liability-partnership`.

use ownership::{Share, Unit};

use crate::read::extent::Extent;

/// What somebody has of a company.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Nature {
    /// Shares within a band.
    Shares(Extent),
    /// Rights to the surplus assets of a partnership, within a band.
    SurplusAssets(Extent),
    /// Votes within a band.
    Votes(Extent),
    /// The right to appoint and remove directors, or significant influence or control.
    Control,
    /// None of these.
    Unknown,
}

/// The nature that a code names.
pub(super) fn nature(code: &str) -> Nature {
    let after = |start: &str| code.strip_prefix(start).and_then(band);
    if let Some(band) = after("ownership-of-shares-") {
        return Nature::Shares(band);
    }
    if let Some(band) = after("right-to-share-surplus-assets-").or_else(|| after("part-right-to-share-surplus-assets-"))
    {
        return Nature::SurplusAssets(band);
    }
    if let Some(band) = after("voting-rights-") {
        return Nature::Votes(band);
    }
    let controls = ["right-to-appoint-and-remove-", "significant-influence-or-control"];
    if controls.iter().any(|start| code.starts_with(start)) {
        return Nature::Control;
    }
    Nature::Unknown
}

/// More than 25% up to 50%; more than 50% and less than 75%; 75% or more. Of overseas entities only: more than 25%.
fn band(code: &str) -> Option<Extent> {
    let percent = |percent: &str| Share::parse(percent, Unit::Percent).ok();
    let [quarter, half, three_quarters, whole] = [percent("25")?, percent("50")?, percent("75")?, percent("100")?];
    let bands = [
        ("25-to-50-percent", quarter.just_above(), half),
        ("50-to-75-percent", half.just_above(), three_quarters.just_below()),
        ("75-to-100-percent", three_quarters, whole),
        ("more-than-25-percent", quarter.just_above(), whole),
    ];
    let (.., lower, upper) = bands.into_iter().find(|(name, ..)| {
        code.strip_prefix(name)
            .is_some_and(|capacity| capacity.is_empty() || capacity.starts_with('-'))
    })?;
    Some(Extent { lower, upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_change_nothing() {
        for capacity in ["", "-as-trust", "-as-firm", "-limited-liability-partnership"] {
            let Nature::Shares(band) = nature(&format!("ownership-of-shares-25-to-50-percent{capacity}")) else {
                panic!("{capacity}");
            };
            assert_eq!((band.lower.value(), band.upper.value()), (0.25_f64.next_up(), 0.5));
        }
        assert!(
            matches!(nature("voting-rights-75-to-100-percent-as-firm"), Nature::Votes(band) if band.upper.value() == 1.0)
        );
        let overseas = "ownership-of-shares-more-than-25-percent-registered-overseas-entity";
        assert!(matches!(nature(overseas), Nature::Shares(band) if band.upper.value() == 1.0));
        let partnership = "right-to-share-surplus-assets-50-to-75-percent-limited-liability-partnership";
        assert!(matches!(nature(partnership), Nature::SurplusAssets(band) if band.upper.value() < 0.75));
    }

    #[test]
    fn control_is_no_share() {
        for code in [
            "right-to-appoint-and-remove-directors-as-trust",
            "significant-influence-or-control",
        ] {
            assert_eq!(nature(code), Nature::Control);
        }
        for code in [
            "",
            "ownership-of-shares-",
            "ownership-of-shares-25-to-50-percentage",
            "registered-owner-as-nominee",
        ] {
            assert_eq!(nature(code), Nature::Unknown, "{code}");
        }
    }
}
