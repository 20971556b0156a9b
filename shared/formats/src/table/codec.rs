//! Blocks as bytes: a version, then a zstd frame of the block in postcard.

use super::{Block, BlockError};

/// The most bytes that an encoded block has: 64 KiB.
pub const MAX_ENCODED_BYTES: usize = 64 << 10;

/// A block of at most this size in postcard is within [`MAX_ENCODED_BYTES`] even if it does not compress at all: zstd
/// adds at most a 256th and 64 bytes.
pub(super) const MAX_PLAIN_BYTES: usize = 65_000;

const VERSION: u8 = 1;

/// The fastest level that still folds repeated columns.
const LEVEL: i32 = 1;

impl Block {
    /// Encodes the block. At most [`MAX_ENCODED_BYTES`] for a block of a [`BlockBuilder`](super::BlockBuilder).
    ///
    /// # Panics
    ///
    /// Only if memory for the compression cannot be had.
    pub fn encode(&self) -> Vec<u8> {
        let plain = postcard::to_stdvec(self).expect("writing plain data to memory does not fail");
        let packed = zstd::bulk::compress(&plain, LEVEL).expect("compressing into memory does not fail");
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
        let corrupt = |reason: String| BlockError::Corrupt(reason);
        let packed = match encoded.split_first() {
            Some((&VERSION, packed)) => packed,
            Some((version, _)) => {
                return Err(corrupt(format!("its version is {version}, not {VERSION}")));
            }
            None => return Err(corrupt("it is empty".to_owned())),
        };
        let plain = zstd::bulk::decompress(packed, MAX_PLAIN_BYTES)
            .map_err(|error| corrupt(format!("its compression is broken ({error})")))?;
        let (block, rest) = postcard::take_from_bytes::<Self>(&plain).map_err(|error| corrupt(error.to_string()))?;
        if !rest.is_empty() {
            return Err(corrupt("bytes follow its end".to_owned()));
        }
        block.check_invariants()?;
        Ok(block)
    }
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

    proptest! {
        #[test]
        fn a_block_survives_its_encoding(block in samples::any_block()) {
            let encoded = block.encode();
            let decoded = Block::decode(&encoded).unwrap();
            // NaN is not equal to itself, its bytes are.
            prop_assert_eq!(decoded.encode(), encoded);
            prop_assert_eq!(decoded.companies, block.companies);
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
        fn foreign_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Block::decode(&bytes).is_err());
        }
    }
}
