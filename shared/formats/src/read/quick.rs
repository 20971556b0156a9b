//! The way of most records: short names and a plain decimal, on a line without quotes.

use ownership::{Share, ShortName, Unit};

use super::records::MAX_RECORD_BYTES;

/// A stake, and where the next record begins.
pub(super) struct Quick {
    pub(super) owner: ShortName,
    pub(super) owned: ShortName,
    pub(super) share: Share,
    pub(super) next: usize,
}

/// Where on a line the three fields are.
pub(super) struct Lookup {
    delimiter: u8,
    unit: Unit,
    width: usize,
    positions: [usize; 3],
    /// Where fields of the line begin, and where the last one ends; one more than that each.
    starts: Vec<usize>,
}

const ONES: u64 = u64::MAX / 255;

impl Lookup {
    pub(super) fn new(delimiter: u8, unit: Unit, width: usize, positions: [usize; 3]) -> Self {
        Self {
            delimiter,
            unit,
            width,
            positions,
            starts: Vec::with_capacity(width + 1),
        }
    }

    /// The record that begins at `at`, if it is one of the usual kind. Every line of the text ends in LF or CRLF.
    ///
    /// Eight bytes are looked at together: those that are a delimiter, a quote or a line end leave a bit.
    #[inline]
    pub(super) fn find(&mut self, text: &[u8], at: usize) -> Option<Quick> {
        let delimiters = ONES * u64::from(self.delimiter);
        self.starts.clear();
        self.starts.push(at);
        for begin in (at..).step_by(8) {
            let word = u64::from_le_bytes(*text.get(begin..)?.first_chunk()?);
            let line_ends = equal(word, ONES * u64::from(b'\n'));
            let quotes = equal(word, ONES * u64::from(b'"'));
            let mut found = equal(word, delimiters) | line_ends | quotes;
            while found != 0 {
                let bit = found & found.wrapping_neg();
                let position = begin + bit.trailing_zeros() as usize / 8;
                if quotes & bit != 0 {
                    return None;
                }
                self.starts.push(position + 1);
                if line_ends & bit != 0 {
                    return self.stake(text, position + 1);
                }
                if self.starts.len() > self.width {
                    return None;
                }
                found ^= bit;
            }
        }
        None
    }

    fn stake(&self, text: &[u8], next: usize) -> Option<Quick> {
        let is_too_long = next - self.starts[0] > MAX_RECORD_BYTES;
        if is_too_long || self.starts.len() != self.width + 1 {
            return None;
        }
        let [owner, owned, share] = self.positions.map(|position| {
            let (start, end) = (self.starts[position], self.starts[position + 1] - 1);
            let is_last = position + 1 == self.width;
            (
                start,
                if is_last && text[end - 1] == b'\r' {
                    end - 1
                } else {
                    end
                },
            )
        });
        let name = |(start, end): (usize, usize)| {
            let window = text.get(start..)?.first_chunk()?;
            ShortName::graphic(*window, end.checked_sub(start)?)
        };
        Some(Quick {
            owner: name(owner)?,
            owned: name(owned)?,
            share: Share::from_digits(text.get(share.0..share.1)?, self.unit)?,
            next,
        })
    }
}

/// The highest bit of each byte that two words have in common.
#[inline]
fn equal(a: u64, b: u64) -> u64 {
    const LOW: u64 = ONES * 0x7f;
    let different = a ^ b;
    !(((different & LOW) + LOW) | different | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_are_found_exactly() {
        for (a, b) in [
            (*b"a,b,,c\n,", b','),
            ([0x80, 0xac, 0x2c, 0x2d, 0x2b, 0, 0xff, 0x2c], b','),
            ([1, 0, 1, 0, 0, 1, 0x80, 0x81], 0),
        ] {
            let bits = equal(u64::from_le_bytes(a), ONES * u64::from(b));
            for (position, byte) in a.into_iter().enumerate() {
                assert_eq!(
                    bits >> (8 * position) & 0xff,
                    if byte == b { 0x80 } else { 0 },
                    "{a:?} {position}"
                );
            }
        }
    }
}
