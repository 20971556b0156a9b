//! Decimals as they are written, read without rounding.

use crate::share::{ONE, ShareError};

/// Significant digits that a `u64` holds whatever they are.
const DIGITS: u32 = 19;

/// `mantissa * 10^exponent`, plus something below one in the mantissa's last
/// place if `more`.
pub(crate) struct Decimal {
    negative: bool,
    mantissa: u64,
    exponent: i64,
    more: bool,
}

impl Decimal {
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let end = text
            .iter()
            .position(|byte| matches!(byte, b'e' | b'E'))
            .unwrap_or(text.len());
        let mut decimal = Self {
            negative,
            mantissa: 0,
            exponent: 0,
            more: false,
        };
        let (mut significant, mut digits, mut point) = (0, 0_usize, false);
        for &byte in &text[..end] {
            match byte {
                b'0'..=b'9' => {
                    digits += 1;
                    if significant < DIGITS {
                        decimal.mantissa = decimal.mantissa * 10 + u64::from(byte - b'0');
                        significant += u32::from(decimal.mantissa > 0);
                        decimal.exponent -= i64::from(point);
                    } else {
                        decimal.more |= byte != b'0';
                        decimal.exponent += i64::from(!point);
                    }
                }
                b'.' if !point => point = true,
                _ => return None,
            }
        }
        if digits == 0 {
            return None;
        }
        if let Some(exponent) = text.get(end + 1..) {
            decimal.exponent += read_exponent(exponent)?;
        } else if end < text.len() {
            return None;
        }
        Some(decimal)
    }

    /// The number times `10^shift` in units of `1e-18`, rounded to nearest.
    pub(crate) fn units(&self, shift: i32) -> Result<u64, ShareError> {
        if self.mantissa == 0 {
            return Ok(0);
        }
        if self.negative {
            return Err(ShareError::Negative);
        }
        let mantissa = u128::from(self.mantissa);
        let exponent = self.exponent + i64::from(shift) + 18;
        let (whole, rest, divisor) = match u32::try_from(exponent.unsigned_abs()) {
            Ok(power @ 0..=DIGITS) if exponent >= 0 => (mantissa * 10_u128.pow(power), 0, 1),
            _ if exponent >= 0 => return Err(ShareError::OverOne),
            Ok(power @ 0..=38) => {
                let divisor = 10_u128.pow(power);
                (mantissa / divisor, mantissa % divisor, divisor)
            }
            _ => (0, 0, 1),
        };
        let one = u128::from(ONE);
        if whole > one || (whole == one && (rest > 0 || self.more)) {
            return Err(ShareError::OverOne);
        }
        let rounded = whole + u128::from(rest * 2 >= divisor && divisor > 1);
        u64::try_from(rounded).map_err(|_| ShareError::OverOne)
    }
}

/// The exponent after `e`, held within a range in which sums can't overflow.
fn read_exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut exponent = 0_i64;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        exponent = (exponent * 10 + i64::from(byte - b'0')).min(1 << 40);
    }
    Some(sign * exponent)
}
