//! Blocks as bytes: a version, then a zstd frame.
//!
//! In the frame, integers are LEB128 where not said otherwise:
//!
//! ```text
//! block  := texts (the companies), a count for each, the number of columns, column*
//! texts  := how many, the length of each, the bytes of all
//! column := 0, texts (the dictionary), index*    each of 1 byte up to 256 texts, else of 2, little-endian
//!         | 1, tags, double*                     tags of 2 bits, the first in the lowest bits of a byte
//!         | 2, count*
//! ```
//!
//! Most numbers of a result are zero or what stands beside them: whoever has no recorded stake has a direct one of 0,
//! and who is in no ring an integrated share that needs no correction. So a number is a tag, and a little-endian double
//! only where the tag says [`GIVEN`]. That halves the bytes that are compressed, stored, sent and read.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

use super::{Block, BlockError, Texts, Values};

/// The most bytes that an encoded block has: 64 KiB.
pub const MAX_ENCODED_BYTES: usize = 64 << 10;

/// A block of at most this size before compression is within [`MAX_ENCODED_BYTES`] even if it does not compress at all:
/// zstd adds at most a 256th and 64 bytes.
pub(super) const MAX_PLAIN_BYTES: usize = 65_000;

const VERSION: u8 = 2;

/// The fastest level that still folds repeated columns.
const LEVEL: i32 = 1;

const TEXT: u8 = 0;
const NUMBER: u8 = 1;
const COUNT: u8 = 2;

/// Positive zero.
const ZERO: u8 = 0;
/// The same double as in the number column before, in the same row.
const SAME: u8 = 1;
/// The next double.
const GIVEN: u8 = 2;
/// The usual NaN: an absent value.
const ABSENT: u8 = 3;

/// The largest dictionary whose index takes one byte.
const SMALL_DICTIONARY: usize = 256;

/// How a number is encoded beside that of the number column before it.
pub(super) fn tag(number: f64, before: Option<f64>) -> u8 {
    let bits = number.to_bits();
    if bits == 0 {
        ZERO
    } else if before.is_some_and(|before| before.to_bits() == bits) {
        SAME
    } else if bits == f64::NAN.to_bits() {
        ABSENT
    } else {
        GIVEN
    }
}

/// The bytes that a number takes beside its tag.
pub(super) fn number_bytes(number: f64, before: Option<f64>) -> usize {
    if tag(number, before) == GIVEN {
        size_of::<f64>()
    } else {
        0
    }
}

thread_local! {
    /// Both keep some hundred KiB of tables, too much to make for each block.
    static COMPRESSOR: RefCell<Compressor<'static>> =
        RefCell::new(Compressor::new(LEVEL).expect("there is memory for a compressor"));
    static DECOMPRESSOR: RefCell<Decompressor<'static>> =
        RefCell::new(Decompressor::new().expect("there is memory for a decompressor"));
}

impl Block {
    /// Encodes the block. At most [`MAX_ENCODED_BYTES`] for a block of a [`BlockBuilder`](super::BlockBuilder).
    ///
    /// # Panics
    ///
    /// Only if memory for the compression cannot be had.
    pub fn encode(&self) -> Vec<u8> {
        let plain = self.plain();
        let packed = COMPRESSOR
            .with_borrow_mut(|compressor| compressor.compress(&plain))
            .expect("compressing into memory does not fail");
        let mut encoded = Vec::with_capacity(1 + packed.len());
        encoded.push(VERSION);
        encoded.extend_from_slice(&packed);
        encoded
    }

    /// Decodes a block and checks its invariants.
    ///
    /// # Errors
    ///
    /// [`BlockError::Corrupt`] if the bytes are not a block that a [`BlockBuilder`](super::BlockBuilder) made.
    pub fn decode(encoded: &[u8]) -> Result<Self, BlockError> {
        let plain = unpack(encoded)?;
        let mut reader = Reader(&plain);
        let block = reader.block()?;
        if !reader.0.is_empty() {
            return Err(corrupt("bytes follow its end"));
        }
        block.check_invariants()?;
        Ok(block)
    }

    /// The companies of a block without a look at its rows, and how many rows each has.
    ///
    /// # Errors
    ///
    /// [`BlockError::Corrupt`], for what [`decode`](Self::decode) would find on its way there.
    pub fn companies_of(encoded: &[u8]) -> Result<(Texts, Vec<u32>), BlockError> {
        let plain = unpack(encoded)?;
        let mut reader = Reader(&plain);
        let companies = reader.texts()?;
        let counts = reader.counts(companies.len())?;
        Ok((companies, counts))
    }

    fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::with_capacity(MAX_PLAIN_BYTES);
        push_texts(&mut plain, &self.companies);
        self.counts
            .iter()
            .for_each(|&count| push_count(&mut plain, count.into()));
        push_count(&mut plain, self.columns.len() as u64);
        let mut before: Option<&[f64]> = None;
        for values in &self.columns {
            match values {
                Values::Text { dictionary, index } => {
                    plain.push(TEXT);
                    push_texts(&mut plain, dictionary);
                    push_index(&mut plain, index, dictionary.len());
                }
                Values::Number(numbers) => {
                    plain.push(NUMBER);
                    push_numbers(&mut plain, numbers, before);
                    before = Some(numbers);
                }
                Values::Count(counts) => {
                    plain.push(COUNT);
                    counts.iter().for_each(|&count| push_count(&mut plain, count));
                }
            }
        }
        plain
    }
}

fn unpack(encoded: &[u8]) -> Result<Vec<u8>, BlockError> {
    let packed = match encoded.split_first() {
        Some((&VERSION, packed)) => packed,
        Some((version, _)) => return Err(corrupt(&format!("its version is {version}, not {VERSION}"))),
        None => return Err(corrupt("it is empty")),
    };
    DECOMPRESSOR
        .with_borrow_mut(|decompressor| decompressor.decompress(packed, MAX_PLAIN_BYTES))
        .map_err(|error| corrupt(&format!("its compression is broken ({error})")))
}

fn corrupt(reason: &str) -> BlockError {
    BlockError::Corrupt(reason.to_owned())
}

fn push_count(plain: &mut Vec<u8>, mut count: u64) {
    while count >= 0x80 {
        plain.push((count & 0x7f) as u8 | 0x80);
        count >>= 7;
    }
    plain.push((count & 0x7f) as u8);
}

fn push_texts(plain: &mut Vec<u8>, texts: &Texts) {
    push_count(plain, texts.len() as u64);
    let mut start = 0;
    for &end in texts.ends() {
        push_count(plain, (end - start).into());
        start = end;
    }
    plain.extend_from_slice(texts.joined().as_bytes());
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an index is below the size of its dictionary, and a block has less than 65,536 texts"
)]
fn push_index(plain: &mut Vec<u8>, index: &[u32], dictionary: usize) {
    if dictionary <= SMALL_DICTIONARY {
        plain.extend(index.iter().map(|&at| at as u8));
    } else {
        plain.extend(index.iter().flat_map(|&at| (at as u16).to_le_bytes()));
    }
}

fn push_numbers(plain: &mut Vec<u8>, numbers: &[f64], before: Option<&[f64]>) {
    let tags = plain.len();
    plain.resize(tags + numbers.len().div_ceil(4), 0);
    for (row, &number) in numbers.iter().enumerate() {
        let tag = tag(number, before.map(|before| before[row]));
        plain[tags + row / 4] |= tag << (2 * (row % 4));
        if tag == GIVEN {
            plain.extend_from_slice(&number.to_le_bytes());
        }
    }
}

/// What is left of the frame.
struct Reader<'p>(&'p [u8]);

impl<'p> Reader<'p> {
    fn block(&mut self) -> Result<Block, BlockError> {
        let companies = self.texts()?;
        let counts = self.counts(companies.len())?;
        let rows: usize = counts.iter().map(|&count| count as usize).sum();
        // What a row takes is known only to its columns; this keeps broken counts from filling the memory.
        if rows > 8 * MAX_PLAIN_BYTES {
            return Err(corrupt("its rows are too many"));
        }
        let columns = self.count()?;
        let mut block = Block {
            companies,
            counts,
            columns: Vec::new(),
        };
        let mut before: Option<usize> = None;
        for position in 0..columns {
            let values = match self.take(1)?[0] {
                TEXT => self.text_column(rows)?,
                NUMBER => {
                    let last = before.replace(usize::try_from(position).unwrap_or(usize::MAX));
                    self.number_column(rows, last.map(|last| &block.columns[last]))?
                }
                COUNT => Values::Count((0..rows).map(|_| self.count()).collect::<Result<_, _>>()?),
                _ => return Err(corrupt("a column is of no known kind")),
            };
            block.columns.push(values);
        }
        Ok(block)
    }

    fn text_column(&mut self, rows: usize) -> Result<Values, BlockError> {
        let dictionary = self.texts()?;
        let index = if dictionary.len() <= SMALL_DICTIONARY {
            self.take(rows)?.iter().map(|&at| at.into()).collect()
        } else {
            let (pairs, _) = self.take(2 * rows)?.as_chunks::<2>();
            pairs.iter().map(|&pair| u16::from_le_bytes(pair).into()).collect()
        };
        Ok(Values::Text { dictionary, index })
    }

    fn number_column(&mut self, rows: usize, before: Option<&Values>) -> Result<Values, BlockError> {
        let before = match before {
            Some(Values::Number(before)) => before.as_slice(),
            _ => &[],
        };
        let tags = self.take(rows.div_ceil(4))?;
        let mut numbers = Vec::with_capacity(rows);
        for row in 0..rows {
            numbers.push(match tags[row / 4] >> (2 * (row % 4)) & 3 {
                ZERO => 0.0,
                SAME => *before.get(row).ok_or_else(|| corrupt("a number refers to none"))?,
                ABSENT => f64::NAN,
                _ => {
                    let (number, rest) = self.0.split_first_chunk().ok_or_else(cut_short)?;
                    self.0 = rest;
                    f64::from_le_bytes(*number)
                }
            });
        }
        Ok(Values::Number(numbers))
    }

    fn texts(&mut self) -> Result<Texts, BlockError> {
        let count = self.count()?;
        // Each takes a byte for its length, if for nothing else.
        if count > self.0.len() as u64 {
            return Err(cut_short());
        }
        let mut end = 0_u32;
        let mut ends = Vec::with_capacity(self.0.len().min(usize::try_from(count).unwrap_or(0)));
        for _ in 0..count {
            end = end.checked_add(self.count32()?).ok_or_else(cut_short)?;
            ends.push(end);
        }
        let text = self.take(end as usize)?.to_vec();
        let text = String::from_utf8(text).map_err(|_| corrupt("a text is not UTF-8"))?;
        Texts::from_parts(text, ends).ok_or_else(|| corrupt("a text is not UTF-8"))
    }

    fn take(&mut self, bytes: usize) -> Result<&'p [u8], BlockError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn counts(&mut self, companies: usize) -> Result<Vec<u32>, BlockError> {
        (0..companies).map(|_| self.count32()).collect()
    }

    fn count32(&mut self) -> Result<u32, BlockError> {
        u32::try_from(self.count()?).map_err(|_| corrupt("a count is too large"))
    }

    fn count(&mut self) -> Result<u64, BlockError> {
        let mut count = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.take(1)?[0];
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                break;
            }
            count |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(count);
            }
        }
        Err(corrupt("a count is too large"))
    }
}

fn cut_short() -> BlockError {
    corrupt("it ends too early")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::samples;

    #[test]
    fn incompressible_blocks_stay_within_the_limit() {
        let version = 1;
        let most = version + zstd::zstd_safe::compress_bound(MAX_PLAIN_BYTES);
        assert!(most <= MAX_ENCODED_BYTES, "{most}");
    }

    #[test]
    fn numbers_that_repeat_or_are_zero_take_a_quarter_of_a_byte() {
        let column = |numbers: &[f64]| Values::Number(numbers.to_vec());
        let shares = [0.5, 0.0, -0.0, f64::NAN, 0.25];
        let block = Block {
            companies: ["c"].into_iter().collect(),
            counts: vec![5],
            columns: vec![column(&shares), column(&shares)],
        };
        let given = 3 * 8;
        // Companies and counts take 4 bytes, the number of columns 1; each column its kind and tags of 2 bytes.
        let head = 4 + 1;
        let minus_zero_and_two_shares = 3 + given;
        assert_eq!(block.plain().len(), head + minus_zero_and_two_shares + 3);
        let Values::Number(decoded) = &Block::decode(&block.encode()).unwrap().columns[1] else {
            panic!("a column of numbers");
        };
        let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(decoded), bits(&shares));
    }

    proptest! {
        #[test]
        fn a_block_survives_its_encoding(block in samples::any_block()) {
            let encoded = block.encode();
            let decoded = Block::decode(&encoded).unwrap();
            // NaN is not equal to itself, its bytes are.
            prop_assert_eq!(decoded.encode(), encoded);
            prop_assert_eq!(&decoded.companies, &block.companies);
            prop_assert_eq!(samples::bits(&[decoded]), samples::bits(&[block]));
        }

        #[test]
        fn companies_are_those_of_the_block(block in samples::any_block()) {
            prop_assert_eq!(Block::companies_of(&block.encode()).unwrap(), (block.companies, block.counts));
        }

        #[test]
        fn damaged_bytes_are_an_error_or_a_valid_block(
            block in samples::any_block(), at in any::<prop::sample::Index>(), byte in any::<u8>()
        ) {
            let mut encoded = block.encode();
            let at = at.index(encoded.len());
            encoded[at] = byte;
            if let Ok(decoded) = Block::decode(&encoded) {
                prop_assert!(decoded.check_invariants().is_ok());
            }
            prop_assert!(Block::decode(&encoded[..at]).is_err());
        }

        #[test]
        fn a_damaged_frame_is_an_error_or_a_valid_block(
            block in samples::any_block(), at in any::<prop::sample::Index>(), byte in any::<u8>()
        ) {
            let mut plain = block.plain();
            let at = at.index(plain.len());
            plain[at] = byte;
            for plain in [&plain[..], &plain[..at]] {
                let mut encoded = vec![VERSION];
                encoded.extend(zstd::bulk::compress(plain, LEVEL).unwrap());
                if let Ok(decoded) = Block::decode(&encoded) {
                    prop_assert!(decoded.check_invariants().is_ok());
                }
            }
        }

        #[test]
        fn foreign_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Block::decode(&bytes).is_err());
        }
    }
}
