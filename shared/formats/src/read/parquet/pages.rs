//! Looks at the pages of a column before they are unpacked: a small file may say of its pages that they are huge, and memory
//! is taken for what they say.
//!
//! The header of a page is a struct in Thrift's compact protocol
//! (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>), whose second field is the size of
//! the page unpacked and whose third its size as it is.

use parquet::file::metadata::ColumnChunkMetaData;

use crate::error::InputError;

/// Checks that no page of a column unpacks to more than may be held, and not all of them to more than may be read.
///
/// # Errors
///
/// [`InputError::HoldsTooMuch`], [`InputError::TooLarge`], or [`InputError::NotReadable`] if the pages are not where they
/// should be.
pub(super) fn check(
    file: &[u8],
    column: &ColumnChunkMetaData,
    max_page: u64,
    max_bytes: u64,
) -> Result<(), InputError> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let range = usize::try_from(start)
        .ok()
        .zip(usize::try_from(column.compressed_size()).ok());
    let chunk = range.and_then(|(start, length)| file.get(start..)?.get(..length));
    let mut pages = chunk.ok_or_else(|| broken("a column lies outside of the file"))?;
    let mut total = 0_u64;
    while !pages.is_empty() {
        let (page, rest) = page(pages).ok_or_else(|| broken("the header of a page is broken"))?;
        if page.unpacked > max_page {
            return Err(InputError::HoldsTooMuch { max_bytes: max_page });
        }
        total += page.unpacked;
        if total > max_bytes {
            return Err(InputError::TooLarge { max_bytes });
        }
        pages = rest;
    }
    Ok(())
}

fn broken(what: &str) -> InputError {
    InputError::NotReadable {
        reason: format!("as Parquet: {what}"),
    }
}

struct Page {
    unpacked: u64,
}

/// The first page, and what follows it.
fn page(bytes: &[u8]) -> Option<(Page, &[u8])> {
    let mut thrift = Thrift(bytes);
    let (mut unpacked, mut packed) = (None, None);
    let mut field = 0;
    while let Some(kind) = thrift.field(&mut field)? {
        match (field, kind) {
            (2, INT32) => unpacked = Some(thrift.number()?),
            (3, INT32) => packed = Some(thrift.number()?),
            _ => thrift.skip(kind, 0)?,
        }
    }
    let rest = thrift.0.get(usize::try_from(packed?).ok()?..)?;
    let unpacked = u64::try_from(unpacked?).ok()?;
    Some((Page { unpacked }, rest))
}

/// A cursor over Thrift's compact protocol.
struct Thrift<'a>(&'a [u8]);

const INT32: u8 = 5;
/// More deeply nested is no header.
const MAX_DEPTH: usize = 8;

impl Thrift<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A signed number, in zigzag.
    fn number(&mut self) -> Option<i64> {
        let number = self.varint()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// The type of the next field of a struct, and its number in `field`; the inner `None` at its end.
    fn field(&mut self, field: &mut i64) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *field = match byte >> 4 {
            0 => self.number()?,
            more => field.checked_add(more.into())?,
        };
        Some(Some(byte & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match kind {
            // Booleans are their type.
            1 | 2 => {}
            3 => drop(self.byte()?),
            4..=6 => drop(self.varint()?),
            7 => self.0 = self.0.get(8..)?,
            8 => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.0 = self.0.get(length..)?;
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.varint()?,
                    few => few.into(),
                };
                for _ in 0..count {
                    match head & 0x0f {
                        1 | 2 => drop(self.byte()?),
                        kind => self.skip(kind, depth + 1)?,
                    }
                }
            }
            12 => {
                let mut field = 0;
                while let Some(kind) = self.field(&mut field)? {
                    self.skip(kind, depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_how_large_it_is() {
        // Type 0, 300 bytes from 4, then a struct with a list, and the page itself.
        let bytes = [
            0x15, 0, 0x15, 0xd8, 0x04, 0x15, 8, 0x2c, 0x19, 0x25, 2, 4, 0, 0, 1, 2, 3, 4, 9,
        ];
        let (first, rest) = page(&bytes).unwrap();
        assert_eq!((first.unpacked, rest), (300, &[9_u8][..]));
        for length in 0..bytes.len() - 1 {
            assert!(page(&bytes[..length]).is_none(), "{length}");
        }
    }
}
