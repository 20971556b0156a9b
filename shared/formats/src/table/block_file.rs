//! A stream of blocks: a magic number, then each encoded block behind its length, then a zero and the number of blocks.
//! The end is written so that a stream cut short between two blocks is not taken for a whole one. Integers are
//! little-endian.

use std::io::{self, Read, Write};

use super::{Block, BlockError, MAX_ENCODED_BYTES};

const MAGIC: [u8; 4] = *b"SGB1";

/// Writes blocks one after another. Holds one block in memory.
pub struct BlockFileWriter<W> {
    writer: W,
    blocks: u64,
}

impl<W: Write> BlockFileWriter<W> {
    /// Begins a stream. The writer should be buffered.
    ///
    /// # Errors
    ///
    /// [`BlockError::Io`] if the writer fails.
    pub fn new(mut writer: W) -> Result<Self, BlockError> {
        writer.write_all(&MAGIC)?;
        Ok(Self { writer, blocks: 0 })
    }

    /// Appends a block.
    ///
    /// # Errors
    ///
    /// [`BlockError::Io`] if the writer fails, [`BlockError::BlockTooLarge`] for a block over
    /// [`MAX_ENCODED_BYTES`], which no builder makes.
    pub fn write(&mut self, block: &Block) -> Result<(), BlockError> {
        self.write_encoded(&block.encode())
    }

    /// Appends what [`Block::encode`] gave.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub fn write_encoded(&mut self, encoded: &[u8]) -> Result<(), BlockError> {
        let bytes = encoded.len();
        let length = u32::try_from(bytes)
            .ok()
            .filter(|_| (1..=MAX_ENCODED_BYTES).contains(&bytes));
        let length = length.ok_or(BlockError::BlockTooLarge { bytes })?;
        self.writer.write_all(&length.to_le_bytes())?;
        self.writer.write_all(encoded)?;
        self.blocks += 1;
        Ok(())
    }

    /// Ends the stream, flushes it and gives the writer back.
    ///
    /// # Errors
    ///
    /// [`BlockError::Io`] if the writer fails.
    pub fn finish(mut self) -> Result<W, BlockError> {
        self.writer.write_all(&0_u32.to_le_bytes())?;
        self.writer.write_all(&self.blocks.to_le_bytes())?;
        self.writer.flush()?;
        Ok(self.writer)
    }
}

/// Reads blocks one after another, as an iterator. Holds one block in memory. Ends after the first error.
pub struct BlockFileReader<R> {
    reader: R,
    blocks: u64,
    ended: bool,
}

impl<R: Read> BlockFileReader<R> {
    /// Opens a stream. The reader should be buffered.
    ///
    /// # Errors
    ///
    /// [`BlockError::Corrupt`] if it does not begin like one, [`BlockError::Io`] if the reader fails.
    pub fn new(mut reader: R) -> Result<Self, BlockError> {
        let mut magic = [0; 4];
        fill(&mut reader, &mut magic)?;
        if magic != MAGIC {
            return Err(BlockError::Corrupt(
                "it does not begin like a stream of blocks".to_owned(),
            ));
        }
        Ok(Self {
            reader,
            blocks: 0,
            ended: false,
        })
    }

    /// Reads the next block without decoding it; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`BlockError::Corrupt`] for an impossible length or a missing end, [`BlockError::Io`] if the reader fails.
    pub fn next_encoded(&mut self) -> Result<Option<Vec<u8>>, BlockError> {
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        let mut length = [0; 4];
        fill(&mut self.reader, &mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        if length == 0 {
            return self.end();
        }
        if length > MAX_ENCODED_BYTES {
            return Err(BlockError::Corrupt(format!(
                "a length of {length} is over {MAX_ENCODED_BYTES}"
            )));
        }
        let mut encoded = vec![0; length];
        fill(&mut self.reader, &mut encoded)?;
        self.blocks += 1;
        self.ended = false;
        Ok(Some(encoded))
    }

    fn end(&mut self) -> Result<Option<Vec<u8>>, BlockError> {
        let mut count = [0; 8];
        fill(&mut self.reader, &mut count)?;
        let count = u64::from_le_bytes(count);
        if count != self.blocks {
            return Err(BlockError::Corrupt(format!(
                "it has {} blocks and should have {count}",
                self.blocks
            )));
        }
        Ok(None)
    }
}

impl<R: Read> Iterator for BlockFileReader<R> {
    type Item = Result<Block, BlockError>;

    fn next(&mut self) -> Option<Self::Item> {
        let encoded = self.next_encoded().transpose()?;
        let block = encoded.and_then(|encoded| Block::decode(&encoded));
        self.ended |= block.is_err();
        Some(block)
    }
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<(), BlockError> {
    reader.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => BlockError::Corrupt("it ends too early".to_owned()),
        _ => BlockError::Io(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::samples;

    fn stream() -> (Vec<Block>, Vec<u8>) {
        let rows: Vec<_> = (0..30_000)
            .map(|n| (format!("o{n}"), format!("c{:05}", n / 3), 0.25, n))
            .collect();
        let blocks = samples::build(&rows);
        let mut writer = BlockFileWriter::new(Vec::new()).unwrap();
        blocks.iter().for_each(|block| writer.write(block).unwrap());
        (blocks, writer.finish().unwrap())
    }

    fn read(bytes: &[u8]) -> Result<Vec<Block>, BlockError> {
        BlockFileReader::new(bytes)?.collect()
    }

    #[test]
    fn blocks_come_back_in_order() {
        let (blocks, bytes) = stream();
        assert!(blocks.len() > 5);
        assert_eq!(read(&bytes).unwrap(), blocks);
        let empty = BlockFileWriter::new(Vec::new()).unwrap().finish().unwrap();
        assert_eq!(read(&empty).unwrap(), []);
    }

    #[test]
    fn a_stream_cut_anywhere_is_an_error() {
        let (blocks, bytes) = stream();
        let first = 4 + 4 + blocks[0].encode().len();
        for end in [0, 3, 4, 6, 100, first, first + 4, bytes.len() - 12, bytes.len() - 1] {
            assert!(
                matches!(read(&bytes[..end]), Err(BlockError::Corrupt(_))),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn an_impossible_length_is_an_error_and_ends_the_reading() {
        let (_, mut bytes) = stream();
        bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut reader = BlockFileReader::new(bytes.as_slice()).unwrap();
        assert!(matches!(reader.next(), Some(Err(BlockError::Corrupt(_)))));
        assert!(reader.next().is_none());
    }

    #[test]
    fn a_block_over_the_limit_is_refused() {
        let mut writer = BlockFileWriter::new(Vec::new()).unwrap();
        for bytes in [0, MAX_ENCODED_BYTES + 1] {
            assert!(matches!(
                writer.write_encoded(&vec![1; bytes]),
                Err(BlockError::BlockTooLarge { .. })
            ));
        }
    }
}
