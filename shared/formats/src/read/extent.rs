//! Shares as people write them: a decimal with a point or a comma, or a range of two.

use std::borrow::Cow;

use ownership::{Share, ShareError, Unit};

/// From how much to how much is held; the same where that is known exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub(super) lower: Share,
    pub(super) upper: Share,
}

impl Extent {
    pub(super) fn exact(share: Share) -> Self {
        Self {
            lower: share,
            upper: share,
        }
    }

    pub(super) fn is_range(&self) -> bool {
        self.lower != self.upper
    }

    /// From the lowest to the highest of both.
    pub(super) fn joined(self, other: Self) -> Self {
        let lower = if other.lower.units() < self.lower.units() {
            other.lower
        } else {
            self.lower
        };
        let upper = if other.upper.units() > self.upper.units() {
            other.upper
        } else {
            self.upper
        };
        Self { lower, upper }
    }

    /// Reads `0.25`, `25%`, `0,25` or a range: `25-50%`, `25% to 50%`, `>25%`, `<=0.5`.
    ///
    /// A share has no thousands, so a single comma can only be a decimal one. A percent sign at the end of a range is meant
    /// for both its ends.
    ///
    /// # Errors
    ///
    /// Those of [`Share::parse`], and [`ShareError::NotANumber`] for a range whose ends are not in order.
    pub(super) fn parse(text: &str, unit: Unit) -> Result<Self, ShareError> {
        match number(text, unit) {
            Ok(share) => Ok(Self::exact(share)),
            Err(ShareError::NotANumber) => range(text.trim(), unit).unwrap_or(Err(ShareError::NotANumber)),
            Err(error) => Err(error),
        }
    }
}

fn number(text: &str, unit: Unit) -> Result<Share, ShareError> {
    match Share::parse(text, unit) {
        Err(ShareError::NotANumber) => Share::parse(&with_point(text).ok_or(ShareError::NotANumber)?, unit),
        read => read,
    }
}

/// The text with its only comma as a point, if it stands between digits.
fn with_point(text: &str) -> Option<Cow<'_, str>> {
    let (whole, decimals) = text.split_once(',')?;
    let is_decimal =
        whole.ends_with(|c: char| c.is_ascii_digit()) && decimals.starts_with(|c: char| c.is_ascii_digit());
    (is_decimal && !text.contains('.')).then(|| text.replacen(',', ".", 1).into())
}

/// `None` if it is no range at all.
fn range(text: &str, unit: Unit) -> Option<Result<Extent, ShareError>> {
    const AT_LEAST: [&str; 3] = [">=", "≥", ">"];
    const AT_MOST: [&str; 3] = ["<=", "≤", "<"];
    let whole = Share::parse("1", Unit::Fraction).ok()?;
    let after = |signs: [&str; 3]| signs.into_iter().find_map(|sign| text.strip_prefix(sign));
    let is_strict = !text.contains(['=', '≥', '≤']);
    if let Some(lower) = after(AT_LEAST) {
        return Some(number(lower, unit).map(|lower| Extent {
            lower: if is_strict { lower.just_above() } else { lower },
            upper: whole,
        }));
    }
    if let Some(upper) = after(AT_MOST) {
        return Some(number(upper, unit).map(|upper| Extent {
            lower: Share::default(),
            upper: if is_strict { upper.just_below() } else { upper },
        }));
    }
    let (lower, upper) = [" to ", "–", "—", "-"]
        .into_iter()
        .find_map(|between| text.split_once(between))?;
    let (lower, upper) = (lower.trim(), upper.trim());
    let is_end = |end: &str| end.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !is_end(lower) || !is_end(upper) {
        return None;
    }
    let of_lower = if upper.ends_with('%') { Unit::Percent } else { unit };
    Some(number(lower, of_lower).and_then(|lower| {
        let upper = number(upper, unit)?;
        if lower.units() > upper.units() {
            return Err(ShareError::NotANumber);
        }
        Ok(Extent { lower, upper })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, unit: Unit) -> Result<(f64, f64), ShareError> {
        Extent::parse(text, unit).map(|amount| (amount.lower.value(), amount.upper.value()))
    }

    #[test]
    fn a_single_comma_is_a_decimal_one() {
        assert_eq!(read("0,25", Unit::Fraction), Ok((0.25, 0.25)));
        assert_eq!(read("33,3 %", Unit::Fraction), Ok((0.333, 0.333)));
        assert_eq!(read("1,234", Unit::Percent), Ok((0.01234, 0.01234)));
        for text in ["1,234.5", "1.234,5", "1,000,000", ",5", "5,", "0, 5"] {
            assert_eq!(read(text, Unit::Percent), Err(ShareError::NotANumber), "{text}");
        }
    }

    #[test]
    fn a_range_is_two_shares_in_order() {
        for text in ["25-50%", "25% - 50%", "25–50 %", "25 to 50%", "25,0-50,0%"] {
            assert_eq!(read(text, Unit::Fraction), Ok((0.25, 0.5)), "{text}");
        }
        assert_eq!(read("0.25-0.5", Unit::Fraction), Ok((0.25, 0.5)));
        assert_eq!(read("25-50", Unit::Percent), Ok((0.25, 0.5)));
        assert_eq!(read("≥25%", Unit::Fraction), Ok((0.25, 1.0)));
        let above = Extent::parse(">25%", Unit::Fraction).unwrap().lower;
        assert_eq!(above.value(), 0.25_f64.next_up());
        assert_eq!(read("<= 0.05", Unit::Fraction), Ok((0.0, 0.05)));
        assert_eq!(read("2.5e-1", Unit::Fraction), Ok((0.25, 0.25)));
        for text in ["50-25%", "25-", "-25-50", "a-b", "25-50-75", ">", "25%-", "to"] {
            assert_eq!(read(text, Unit::Percent), Err(ShareError::NotANumber), "{text}");
        }
        assert_eq!(read("25-150%", Unit::Fraction), Err(ShareError::OverOne));
        assert_eq!(read("-5%", Unit::Fraction), Err(ShareError::Negative));
    }
}
