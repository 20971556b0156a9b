//! A column chunk of texts for a Parquet file, encoded from the dictionaries that blocks have already.
//!
//! The encoder of the `parquet` crate looks up every value of every row by its hash. A block says for each row which text
//! of its own dictionary it has, so here each text is looked up once a block, and rows are translated by position.
//! Layout: Apache Parquet, "Encodings", sections "Dictionary Encoding" and "Run Length Encoding / Bit-Packing Hybrid".

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::{Block, Texts, Values};

/// A page ends with the block that reaches this number of rows.
const PAGE_ROWS: usize = 1 << 16;

/// The longest text that is told as the least or greatest of a chunk.
const LONGEST_BOUND: usize = 64;

/// An encoded column chunk, and what the file's footer says about it.
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    pub(super) closed: ColumnCloseResult,
}

/// Encodes the companies of blocks, each as often as it has rows. Companies ascend, so the first and the last are told
/// as bounds: a reader that looks for one company skips the other row groups.
pub(super) fn companies(
    blocks: &[Arc<Block>],
    column: ColumnDescPtr,
    compressor: &mut Compressor<'_>,
) -> Result<Chunk, ParquetError> {
    let mut dictionary = Texts::default();
    let mut runs = Vec::new();
    for block in blocks {
        for (company, &count) in block.companies.iter().zip(&block.counts) {
            if count > 0 {
                if dictionary.last() != Some(company) {
                    dictionary.push(company);
                }
                runs.push((position(&dictionary), count));
            }
        }
    }
    let bound = |text: Option<&str>| text.filter(|text| text.len() <= LONGEST_BOUND).map(ByteArray::from);
    let bounds = bound(dictionary.first()).zip(bound(dictionary.last()));
    let mut writer = ChunkWriter::new(column, compressor);
    writer.write_dictionary(&dictionary)?;
    let width = bit_width(dictionary.len());
    let mut page = vec![width];
    let mut rows = 0;
    for (at, count) in runs {
        push_run(&mut page, at, count, width);
        rows += count as usize;
        if rows >= PAGE_ROWS {
            writer.write_page(&page, rows)?;
            page.truncate(1);
            rows = 0;
        }
    }
    if rows > 0 {
        writer.write_page(&page, rows)?;
    }
    writer.finish(bounds)
}

/// Encodes a column of texts of blocks, which is at `cell` among their columns.
pub(super) fn texts(
    blocks: &[Arc<Block>],
    cell: usize,
    column: ColumnDescPtr,
    compressor: &mut Compressor<'_>,
) -> Result<Chunk, ParquetError> {
    let mut all = Texts::default();
    let mut known: HashMap<&str, u32, hashbrown::DefaultHashBuilder> = HashMap::default();
    let mut translated = Vec::with_capacity(blocks.len());
    for block in blocks {
        let Values::Text { dictionary, index } = &block.columns[cell] else {
            return Err(ParquetError::General("a column does not hold text".to_owned()));
        };
        let positions = dictionary.iter().map(|text| {
            *known.entry(text).or_insert_with(|| {
                all.push(text);
                position(&all)
            })
        });
        translated.push((positions.collect::<Vec<u32>>(), index));
    }
    let mut writer = ChunkWriter::new(column, compressor);
    writer.write_dictionary(&all)?;
    let width = bit_width(all.len());
    let mut page = vec![width];
    let mut rows = Vec::with_capacity(2 * PAGE_ROWS);
    let mut blocks = translated.into_iter().peekable();
    while let Some((positions, index)) = blocks.next() {
        rows.extend(index.iter().map(|&at| positions[at as usize]));
        if rows.len() >= PAGE_ROWS || blocks.peek().is_none() {
            page.truncate(1);
            push_packed(&mut page, &rows, width);
            writer.write_page(&page, rows.len())?;
            rows.clear();
        }
    }
    writer.finish(None)
}

/// Where the last text stands.
fn position(texts: &Texts) -> u32 {
    u32::try_from(texts.len() - 1).expect("a row group has few texts")
}

/// The bits of an index into a dictionary; at least one, as not every reader takes none.
fn bit_width(texts: usize) -> u8 {
    let last = texts.saturating_sub(1) as u64;
    u8::try_from(u64::BITS - last.leading_zeros()).map_or(u8::MAX, |bits| bits.max(1))
}

fn push_varint(page: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        page.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    page.push((value & 0x7f) as u8);
}

/// A run of equal values: its length, then the value in as few bytes as hold `width` bits.
fn push_run(page: &mut Vec<u8>, value: u32, count: u32, width: u8) {
    push_varint(page, u64::from(count) << 1);
    page.extend_from_slice(&value.to_le_bytes()[..usize::from(width).div_ceil(8)]);
}

/// Values of `width` bits each, from the lowest bit of each byte on, in groups of eight.
fn push_packed(page: &mut Vec<u8>, values: &[u32], width: u8) {
    let groups = values.len().div_ceil(8);
    push_varint(page, (groups as u64) << 1 | 1);
    let end = page.len() + groups * usize::from(width);
    page.reserve(end - page.len() + size_of::<u64>());
    let (mut bits, mut held) = (0_u64, 0_u32);
    for &value in values {
        bits |= u64::from(value) << held;
        held += u32::from(width);
        if held >= 32 {
            let [a, b, c, d, ..] = bits.to_le_bytes();
            page.extend_from_slice(&[a, b, c, d]);
            bits >>= 32;
            held -= 32;
        }
    }
    page.extend_from_slice(&bits.to_le_bytes());
    page.resize(end, 0);
}

/// Collects pages and what is to be said about them.
struct ChunkWriter<'c, 'z> {
    column: ColumnDescPtr,
    compressor: &'c mut Compressor<'z>,
    sink: TrackedWrite<Vec<u8>>,
    uncompressed: usize,
    rows: usize,
    pages: i32,
    data_offset: usize,
}

impl<'c, 'z> ChunkWriter<'c, 'z> {
    fn new(column: ColumnDescPtr, compressor: &'c mut Compressor<'z>) -> Self {
        Self {
            column,
            compressor,
            sink: TrackedWrite::new(Vec::new()),
            uncompressed: 0,
            rows: 0,
            pages: 0,
            data_offset: 0,
        }
    }

    fn write_dictionary(&mut self, texts: &Texts) -> Result<(), ParquetError> {
        let mut plain = Vec::with_capacity(texts.joined().len() + 4 * texts.len());
        for text in texts.iter() {
            let length = u32::try_from(text.len()).map_err(|error| ParquetError::External(error.into()))?;
            plain.extend_from_slice(&length.to_le_bytes());
            plain.extend_from_slice(text.as_bytes());
        }
        let page = Page::DictionaryPage {
            buf: self.compress(&plain)?,
            num_values: u32::try_from(texts.len()).map_err(|error| ParquetError::External(error.into()))?,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        self.write(page, plain.len())?;
        self.data_offset = self.sink.bytes_written();
        Ok(())
    }

    fn write_page(&mut self, plain: &[u8], rows: usize) -> Result<(), ParquetError> {
        let page = Page::DataPage {
            buf: self.compress(plain)?,
            num_values: u32::try_from(rows).map_err(|error| ParquetError::External(error.into()))?,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.rows += rows;
        self.pages += 1;
        self.write(page, plain.len())
    }

    fn write(&mut self, page: Page, uncompressed: usize) -> Result<(), ParquetError> {
        let page = CompressedPage::new(page, uncompressed);
        let written = SerializedPageWriter::new(&mut self.sink).write_page(page)?;
        self.uncompressed += written.uncompressed_size;
        Ok(())
    }

    fn compress(&mut self, plain: &[u8]) -> Result<Bytes, ParquetError> {
        Ok(self.compressor.compress(plain)?.into())
    }

    fn finish(self, bounds: Option<(ByteArray, ByteArray)>) -> Result<Chunk, ParquetError> {
        let bytes = self.sink.into_inner()?;
        let counted = |page_type, encoding, count| PageEncodingStats {
            page_type,
            encoding,
            count,
        };
        let signed = |count: usize| i64::try_from(count).map_err(|error| ParquetError::External(error.into()));
        let mut metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(Compression::ZSTD(Default::default()))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_page_encoding_stats(vec![
                counted(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1),
                counted(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, self.pages),
            ])
            .set_total_compressed_size(signed(bytes.len())?)
            .set_total_uncompressed_size(signed(self.uncompressed)?)
            .set_num_values(signed(self.rows)?)
            .set_dictionary_page_offset(Some(0))
            .set_data_page_offset(signed(self.data_offset)?);
        if let Some((least, greatest)) = bounds {
            let statistics = Statistics::byte_array(Some(least), Some(greatest), None, Some(0), false);
            metadata = metadata.set_statistics(statistics);
        }
        Ok(Chunk {
            closed: ColumnCloseResult {
                bytes_written: bytes.len() as u64,
                rows_written: self.rows as u64,
                metadata: metadata.build()?,
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            },
            bytes: bytes.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads packed values as the format describes them, bit by bit.
    fn unpack(packed: &[u8], width: u8, count: usize) -> Vec<u32> {
        let bit = |at: usize| u32::from(packed[at / 8] >> (at % 8) & 1);
        let value = |at: usize| {
            (0..usize::from(width))
                .map(|place| bit(at * usize::from(width) + place) << place)
                .sum()
        };
        (0..count).map(value).collect()
    }

    #[test]
    fn values_of_any_width_are_packed_from_the_lowest_bit() {
        for width in 1..=32_u8 {
            let most = u32::MAX >> (32 - width);
            let values: Vec<u32> = (0..43_u32).map(|n| n.wrapping_mul(2_654_435_761) & most).collect();
            let mut page = Vec::new();
            push_packed(&mut page, &values, width);
            // 43 values are 6 groups of 8.
            assert_eq!((page[0], page.len()), (6 << 1 | 1, 1 + 6 * usize::from(width)));
            assert_eq!(unpack(&page[1..], width, values.len()), values);
        }
    }

    #[test]
    fn indexes_have_as_many_bits_as_the_last_one_needs() {
        for (texts, bits) in [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (256, 8), (257, 9)] {
            assert_eq!(bit_width(texts), bits, "{texts}");
        }
    }
}
