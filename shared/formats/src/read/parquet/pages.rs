//! Looks at the pages of a column before they are unpacked: a small file may say of its pages that they are huge, and memory
//! is taken for what they say.
//!
//! The header of a page is a struct in Thrift's compact protocol
//! (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>), whose second field is the size of
//! the page unpacked and whose third its size as it is. The seventh, of a dictionary, says how many values it has; the
//! decoder makes room for them all before it reads one.

use parquet::data_type::ByteArray;
use parquet::file::metadata::ColumnChunkMetaData;

use crate::error::InputError;

/// What a value of a dictionary takes, at most: those of texts are the largest.
const VALUE_BYTES: u64 = size_of::<ByteArray>() as u64;

/// Adds up what the pages of a file unpack to.
pub(super) struct Pages {
    /// The most that a page may take.
    max_page: u64,
    /// The most that all pages may unpack to.
    max_bytes: u64,
    total: u64,
}

impl Pages {
    pub(super) fn new(max_page: u64, max_bytes: u64) -> Self {
        Self {
            max_page,
            max_bytes,
            total: 0,
        }
    }

    /// Checks that no page of a column takes more than may be held, and that all pages checked so far don't unpack to more
    /// than may be read.
    ///
    /// # Errors
    ///
    /// [`InputError::HoldsTooMuch`], [`InputError::TooLarge`], or [`InputError::NotReadable`] if the pages are not where
    /// they should be.
    pub(super) fn check(&mut self, file: &[u8], column: &ColumnChunkMetaData) -> Result<(), InputError> {
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let range = usize::try_from(start)
            .ok()
            .zip(usize::try_from(column.compressed_size()).ok());
        let chunk = range.and_then(|(start, length)| file.get(start..)?.get(..length));
        let mut pages = chunk.ok_or_else(|| broken("a column lies outside of the file"))?;
        while !pages.is_empty() {
            let (page, rest) = page(pages).ok_or_else(|| broken("the header of a page is broken"))?;
            // The decoder makes room for as many texts as the page itself says, which nothing bounds.
            if page.is_delta {
                return Err(broken(
                    "its texts are in a DELTA encoding; write it with dictionaries, or plain",
                ));
            }
            if page.unpacked + page.values * VALUE_BYTES > self.max_page {
                return Err(InputError::HoldsTooMuch {
                    max_bytes: self.max_page,
                });
            }
            self.total = self.total.saturating_add(page.unpacked);
            if self.total > self.max_bytes {
                return Err(InputError::TooLarge {
                    max_bytes: self.max_bytes,
                });
            }
            pages = rest;
        }
        Ok(())
    }
}

fn broken(what: &str) -> InputError {
    InputError::NotReadable {
        reason: format!("as Parquet: {what}"),
    }
}

struct Page {
    unpacked: u64,
    /// Of a dictionary.
    values: u64,
    /// Texts as DELTA_LENGTH_BYTE_ARRAY or DELTA_BYTE_ARRAY.
    is_delta: bool,
}

/// The first page, and what follows it.
///
/// Nothing if a field that counts is there twice or of another type: the decoder takes the last one as whatever it needs,
/// so that it might see other numbers than those here.
fn page(bytes: &[u8]) -> Option<(Page, &[u8])> {
    let mut thrift = Thrift(bytes);
    let (mut unpacked, mut packed, mut values, mut encoding) = (None, None, None, None);
    let mut field = 0;
    while let Some(kind) = thrift.field(&mut field)? {
        match field {
            2 => once(&mut unpacked, thrift.size(kind)?)?,
            3 => once(&mut packed, thrift.size(kind)?)?,
            5 => once(&mut encoding, thrift.inner(kind, 2)?)?,
            7 => once(&mut values, thrift.inner(kind, 1)?)?,
            8 => once(&mut encoding, thrift.inner(kind, 4)?)?,
            _ => thrift.skip(kind, 0)?,
        }
    }
    let rest = thrift.0.get(usize::try_from(packed?).ok()?..)?;
    let page = Page {
        unpacked: unpacked?.into(),
        values: values.unwrap_or(0).into(),
        is_delta: matches!(encoding, Some(6 | 7)),
    };
    Some((page, rest))
}

/// Puts a value where none was.
fn once(place: &mut Option<u32>, value: u32) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// A cursor over Thrift's compact protocol.
struct Thrift<'a>(&'a [u8]);

const INT32: u8 = 5;
const STRUCT: u8 = 12;
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

    /// A size or a count, which is an `i32` that isn't negative.
    fn size(&mut self, kind: u8) -> Option<u32> {
        let number = (kind == INT32).then(|| self.number())??;
        let number = i32::try_from(number).ok()?;
        u32::try_from(number).ok()
    }

    /// A field of the header that a kind of page has of its own: how many values, or their encoding.
    fn inner(&mut self, kind: u8, wanted: i16) -> Option<u32> {
        if kind != STRUCT {
            return None;
        }
        let mut values = None;
        let mut field = 0;
        while let Some(kind) = self.field(&mut field)? {
            match field {
                number if number == wanted => once(&mut values, self.size(kind)?)?,
                _ => self.skip(kind, 0)?,
            }
        }
        values
    }

    /// The type of the next field of a struct, and its number in `field`; the inner `None` at its end.
    fn field(&mut self, field: &mut i16) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *field = match byte >> 4 {
            0 => i16::try_from(self.number()?).ok()?,
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
            STRUCT => {
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
            0x15, 0, 0x15, 0xd8, 0x04, 0x15, 8, 0x3c, 0x19, 0x25, 2, 4, 0, 0, 1, 2, 3, 4, 9,
        ];
        let (first, rest) = page(&bytes).unwrap();
        assert_eq!((first.unpacked, rest), (300, &[9_u8][..]));
        for length in 0..bytes.len() - 1 {
            assert!(page(&bytes[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn a_dictionary_says_how_many_values_it_has() {
        // Sizes 8 and 1, then in field 7 a struct of 300 values in encoding 0.
        let bytes = [0x25, 16, 0x15, 2, 0x4c, 0x15, 0xd8, 0x04, 0x15, 0, 0, 0, 1];
        let (first, rest) = page(&bytes).unwrap();
        assert_eq!((first.unpacked, first.values, rest), (8, 300, &[][..]));
    }

    #[test]
    fn a_page_says_whether_its_texts_are_deltas() {
        // Sizes 8 and 1, then a struct with the encoding: field 2 of field 5, or field 4 of field 8.
        for (bytes, expected) in [
            ([0x25, 16, 0x15, 2, 0x2c, 0x25, 14, 0, 0, 1], true),
            ([0x25, 16, 0x15, 2, 0x5c, 0x45, 12, 0, 0, 1], true),
            ([0x25, 16, 0x15, 2, 0x2c, 0x25, 0, 0, 0, 1], false),
        ] {
            assert_eq!(page(&bytes).unwrap().0.is_delta, expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_a_decoder_may_read_otherwise_is_no_header() {
        for (what, bytes) in [
            ("an i64 for the unpacked size", &[0x26, 2, 0x15, 0, 0][..]),
            ("an i16 for the packed size", &[0x25, 2, 0x14, 0, 0]),
            ("two unpacked sizes", &[0x25, 2, 0x15, 0, 0x05, 4, 2, 0]),
            ("two packed sizes", &[0x25, 2, 0x15, 0, 0x05, 6, 0, 0]),
            ("a negative size", &[0x25, 1, 0x15, 0, 0]),
            (
                "a field 2 beyond 16 bits",
                &[0x25, 2, 0x15, 0, 0x05, 0x84, 0x80, 0x08, 2, 0],
            ),
            (
                "two dictionaries",
                &[0x25, 2, 0x15, 0, 0x4c, 0x15, 2, 0, 0x0c, 14, 0x15, 2, 0, 0],
            ),
            ("two counts", &[0x25, 2, 0x15, 0, 0x4c, 0x15, 2, 0x05, 2, 2, 0, 0]),
            ("a dictionary without a count", &[0x25, 2, 0x15, 0, 0x4c, 0, 0]),
        ] {
            assert!(page(bytes).is_none(), "{what}");
        }
        assert!(page(&[0x25, 2, 0x15, 0, 0]).is_some());
    }
}
