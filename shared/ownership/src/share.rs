//! Shares: exact decimals that are also floating-point numbers.

use thiserror::Error;

use crate::decimal::Decimal;

/// One whole company, in units of `1e-18`.
pub(crate) const ONE: u64 = 1_000_000_000_000_000_000;

/// How shares are written in a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// `0.25` is a quarter.
    #[default]
    Fraction,
    /// `25` is a quarter.
    Percent,
}

/// A share of one company, from 0 to 1.
///
/// It is kept twice: as a decimal in units of `1e-18`, so that shares of a
/// column add up without rounding, and as the `f64` nearest to what was
/// written, so that small shares keep their relative precision. A share that
/// rounds to no unit at all (below `5e-19`) is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    units: u64,
    value: f64,
}

/// Why a text or number is not a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ShareError {
    /// Neither a plain decimal nor one in exponent notation.
    #[error("read the share: it is not a number")]
    NotANumber,
    /// Below zero.
    #[error("accept the share: it is negative")]
    Negative,
    /// Above one, or above 100 where shares are percentages.
    #[error("accept the share: it is over one (100 percent)")]
    OverOne,
}

impl Share {
    /// Reads `0.25`, `.25`, `2.5e-1` or, whatever the unit, `25%`.
    ///
    /// Surrounding blanks are trimmed. Decimals past the eighteenth (of the
    /// fraction) are rounded to the nearest unit; no digit is lost to the
    /// check against one.
    ///
    /// # Errors
    ///
    /// See [`ShareError`]. `nan`, `inf`, thousands separators and decimal
    /// commas are not numbers.
    ///
    /// # Example
    ///
    /// ```
    /// use ownership::{Share, Unit};
    ///
    /// let third = Share::parse("33.3%", Unit::Fraction)?;
    /// assert_eq!(third.units(), 333_000_000_000_000_000);
    /// assert_eq!(third.value(), 0.333);
    /// # Ok::<(), ownership::ShareError>(())
    /// ```
    pub fn parse(text: &str, unit: Unit) -> Result<Self, ShareError> {
        let text = text.trim();
        let (number, unit) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), Unit::Percent),
            None => (text, unit),
        };
        if let Some(share) = Self::from_digits(number.as_bytes(), unit) {
            return Ok(share);
        }
        let decimal = Decimal::read(number.as_bytes()).ok_or(ShareError::NotANumber)?;
        let shift = match unit {
            Unit::Fraction => 0,
            Unit::Percent => -2,
        };
        let units = decimal.units(shift)?;
        Ok(Self {
            units,
            value: nearest(units, number, shift)?,
        })
    }

    /// The same for 1 to 15 digits, a point among them or not; `None` for anything else, and if it is over one.
    ///
    /// Both numbers whose quotient is the value are exact then, so its rounding is the only one.
    #[inline]
    #[must_use]
    pub fn from_digits(number: &[u8], unit: Unit) -> Option<Self> {
        const DIGITS: usize = 15;
        const TENS: [u64; 19] = {
            let mut tens = [1; 19];
            let mut power = 1;
            while power < tens.len() {
                tens[power] = 10 * tens[power - 1];
                power += 1;
            }
            tens
        };
        let (mut mantissa, mut point) = (0_u64, None);
        if number.len() > DIGITS + 1 {
            return None;
        }
        for (position, &byte) in number.iter().enumerate() {
            match byte {
                b'0'..=b'9' => mantissa = 10 * mantissa + u64::from(byte - b'0'),
                b'.' if point.is_none() => point = Some(position),
                _ => return None,
            }
        }
        let digits = number.len() - usize::from(point.is_some());
        if !(1..=DIGITS).contains(&digits) {
            return None;
        }
        let decimals = point.map_or(0, |point| number.len() - point - 1);
        let decimals = match unit {
            Unit::Fraction => decimals,
            Unit::Percent => decimals + 2,
        };
        let whole = TENS[decimals];
        (mantissa <= whole).then(|| Self {
            units: mantissa * TENS[18 - decimals],
            value: mantissa as f64 / whole as f64,
        })
    }

    /// The share that `value` prints as, in the given unit.
    ///
    /// A percentage is divided by 100 as a decimal: `33.3` percent is `0.333`.
    ///
    /// # Errors
    ///
    /// See [`ShareError`].
    pub fn from_f64(value: f64, unit: Unit) -> Result<Self, ShareError> {
        if !value.is_finite() {
            return Err(ShareError::NotANumber);
        }
        Self::parse(&format!("{value:e}"), unit)
    }

    /// A number of units of `1e-18`, at most `1e18` of them.
    pub(crate) fn from_units(units: u64) -> Self {
        Self {
            units,
            value: fraction(u128::from(units)),
        }
    }

    /// The next larger share: the lower end of a range that is said to be *more than* this. One stays one.
    ///
    /// # Example
    ///
    /// ```
    /// use ownership::{Share, Unit};
    ///
    /// let half = Share::parse("0.5", Unit::Fraction)?;
    /// assert!(half.just_above().value() > 0.5 && half.just_above().just_below() == half);
    /// # Ok::<(), ownership::ShareError>(())
    /// ```
    #[must_use]
    pub fn just_above(self) -> Self {
        Self::from_value(self.value.next_up().min(1.0))
    }

    /// The next smaller share: the upper end of a range that is said to be *less than* this. Nothing stays nothing.
    #[must_use]
    pub fn just_below(self) -> Self {
        Self::from_value(self.value.next_down().max(0.0))
    }

    /// The decimal that a float from 0 to 1 stands for.
    fn from_value(value: f64) -> Self {
        Self::from_f64(value, Unit::Fraction).unwrap_or(Self { units: ONE, value: 1.0 })
    }

    /// The share as a fraction of one company.
    #[must_use]
    pub fn value(self) -> f64 {
        self.value
    }

    /// The share in units of `1e-18`, at most `1e18`.
    #[must_use]
    pub fn units(self) -> u64 {
        self.units
    }
}

/// A number of units as a fraction; exact to half a unit in the last place
/// when the number has at most 53 significant bits, to one otherwise.
pub(crate) fn fraction(units: u128) -> f64 {
    units as f64 / ONE as f64
}

/// The decimal that a float stands for, in units of `1e-18`: the shortest one
/// that reads as the same float.
///
/// It is what was recorded wherever that had at most 15 significant digits, or
/// was itself printed from a float.
pub(crate) fn decimal(share: f64) -> u128 {
    // The quotient of two exact numbers is rounded once: it is this float only
    // if the decimal reads as this float.
    for (scale, units) in [(1e12, 1_000_000), (1e15, 1_000)] {
        let scaled = (share * scale).round();
        if scaled < 9e15 && (scaled / scale).to_bits() == share.to_bits() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number from 0 to 9e15"
            )]
            let scaled = scaled as u64;
            return u128::from(scaled) * units;
        }
    }
    let whole = share.trunc();
    let rest = Share::from_f64(share - whole, Unit::Fraction).map_or(0, |rest| rest.units);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sum of shares, which are positive and at most one"
    )]
    let whole = whole as u64;
    u128::from(whole) * u128::from(ONE) + u128::from(rest)
}

/// The `f64` nearest to `number * 10^shift`, whose units are known.
fn nearest(units: u64, number: &str, shift: i32) -> Result<f64, ShareError> {
    // Both sides of the division are exact here, so its one rounding is the
    // only one; the text holds nothing below a unit, or it would not be read
    // again.
    let plain = !number.contains(['e', 'E']) && number.len() <= 16;
    if units == 0 {
        return Ok(0.0);
    }
    if plain && (units >> units.trailing_zeros()) < (1 << f64::MANTISSA_DIGITS) {
        return Ok(fraction(u128::from(units)));
    }
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i32 = exponent.parse().map_err(|_| ShareError::NotANumber)?;
    format!("{mantissa}e{}", exponent + shift)
        .parse()
        .map_err(|_| ShareError::NotANumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction_of(text: &str) -> Result<(u64, f64), ShareError> {
        Share::parse(text, Unit::Fraction).map(|share| (share.units(), share.value()))
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(fraction_of("0.1"), Ok((ONE / 10, 0.1)));
        assert_eq!(fraction_of(" +1.000 "), Ok((ONE, 1.0)));
        assert_eq!(fraction_of(".5"), fraction_of("5.e-1"));
        assert_eq!(fraction_of("33E-2"), Ok((ONE / 100 * 33, 0.33)));
        assert_eq!(
            fraction_of("0.123456789012345678"),
            Ok((123_456_789_012_345_678, 0.123_456_789_012_345_68))
        );
        assert_eq!(fraction_of("1e-18"), Ok((1, 1e-18)));
        assert_eq!(
            fraction_of("0.00000123456789012345678"),
            Ok((1_234_567_890_123, 0.000_001_234_567_890_123_456_8))
        );
    }

    #[test]
    fn decimals_below_a_unit_are_rounded() {
        assert_eq!(fraction_of("1.5e-18").map(|share| share.0), Ok(2));
        assert_eq!(fraction_of("1.4999999999999999999999e-18").map(|share| share.0), Ok(1));
        assert_eq!(fraction_of("4.9e-19"), Ok((0, 0.0)));
        assert_eq!(fraction_of("1e-999999999999"), Ok((0, 0.0)));
        assert_eq!(fraction_of("0.99999999999999999999"), Ok((ONE, 1.0)));
    }

    /// The short way and the long one, which an exponent takes, agree to the last bit.
    #[test]
    fn short_decimals_are_read_as_long_ones() {
        let mut state = 1_u64;
        for length in 1..=15 {
            for point in 0..=length {
                for unit in [Unit::Fraction, Unit::Percent] {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let width = length as usize;
                    let digits = format!("{:0width$}", (state >> 8) % 10_u64.pow(length));
                    let (whole, decimals) = digits.split_at(point as usize);
                    let text = format!("{whole}.{decimals}");
                    let long = format!("{text}e0");
                    assert_eq!(Share::parse(&text, unit), Share::parse(&long, unit), "{text}");
                    if point == length {
                        assert_eq!(Share::parse(whole, unit), Share::parse(&long, unit), "{whole}");
                    }
                }
            }
        }
    }

    #[test]
    fn percentages_are_divided_as_decimals() {
        let percent = |text| Share::parse(text, Unit::Percent).map(|share| (share.units(), share.value()));
        assert_eq!(percent("33.33"), Ok((ONE / 10_000 * 3_333, 0.3333)));
        assert_eq!(percent("100"), Ok((ONE, 1.0)));
        assert_eq!(percent("100.00000000000000000001"), Err(ShareError::OverOne));
        assert_eq!(fraction_of("33.33 %"), percent("33.33"));
        assert_eq!(percent("50%"), fraction_of("0.5"));
    }

    #[test]
    fn floats_are_what_they_print_as() {
        for value in [0.1, 1.0 / 3.0, 5e-7, 1.0, 0.0, -0.0] {
            assert_eq!(Share::from_f64(value, Unit::Fraction).map(Share::value), Ok(value));
        }
        assert_eq!(Share::from_f64(33.3, Unit::Percent).map(Share::value), Ok(0.333));
        assert_eq!(Share::from_f64(f64::NAN, Unit::Fraction), Err(ShareError::NotANumber));
        assert_eq!(
            Share::from_f64(f64::INFINITY, Unit::Fraction),
            Err(ShareError::NotANumber)
        );
        assert_eq!(
            Share::from_f64(1.0_f64.next_up(), Unit::Fraction),
            Err(ShareError::OverOne)
        );
        assert_eq!(
            Share::from_f64(-f64::MIN_POSITIVE, Unit::Fraction),
            Err(ShareError::Negative)
        );
    }

    #[test]
    fn a_float_gives_back_the_decimal_it_was_read_from() {
        for text in [
            "0.1",
            "0.3",
            "0.07",
            "1",
            "0.333333",
            "0.123456789012345",
            "0.000001",
            "1e-9",
            "0.999999999999999",
            "0.3333333333333333",
            "0.1234567890123456",
            "5e-17",
        ] {
            let share = Share::parse(text, Unit::Fraction).unwrap();
            assert_eq!(decimal(share.value()), u128::from(share.units()), "{text}");
        }
        assert_eq!(decimal(1.1), u128::from(ONE) / 10 * 11);
        assert_eq!(decimal(0.0), 0);
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in [
            "", " ", "%", ".", "e5", "1e", "1e+", "nan", "inf", "0,5", "1_0", "0x1", "--1", "1 2", "½", "1e1.5",
        ] {
            assert_eq!(fraction_of(text), Err(ShareError::NotANumber), "{text:?}");
        }
        for text in ["-0.1", "-5", "-1e-30"] {
            assert_eq!(fraction_of(text), Err(ShareError::Negative), "{text:?}");
        }
        for text in [
            "1.01",
            "25",
            "1.00000000000000000000001",
            "1e1",
            "1e999999999999",
            "99999999999999999999999999",
        ] {
            assert_eq!(fraction_of(text), Err(ShareError::OverOne), "{text:?}");
        }
        assert_eq!(fraction_of("-0.0"), Ok((0, 0.0)));
        assert_eq!(fraction_of("0e99999999999"), Ok((0, 0.0)));
    }
}
