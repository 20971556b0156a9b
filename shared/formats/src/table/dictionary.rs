//! Where texts stand in the dictionaries of the block at hand: found by their hashes, or by numbers that they are known by.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Texts;

/// Positions of a dictionary by hash.
#[derive(Default)]
pub(super) struct Hashed {
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Hashed {
    pub(super) fn find(&self, dictionary: &Texts, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        self.table.find(hash, |&at| &dictionary[at as usize] == text).copied()
    }

    /// Puts a text that is not there into the dictionary.
    pub(super) fn add(&mut self, dictionary: &mut Texts, text: &str) -> u32 {
        let at = push(dictionary, text);
        let hash = |at: &u32| self.hasher.hash_one(&dictionary[*at as usize]);
        self.table.insert_unique(self.hasher.hash_one(text), at, hash);
        at
    }

    /// For the next block.
    pub(super) fn clear(&mut self) {
        self.table.clear();
    }
}

/// Positions of a dictionary by numbers, without looking at texts.
pub(super) struct Numbered {
    /// For every number the block in which it was seen last, and where.
    places: Vec<(u32, u32)>,
    /// The number of the block, from 1.
    block: u32,
    /// The numbers of the texts in its dictionary.
    numbers: Vec<usize>,
}

impl Default for Numbered {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            block: 1,
            numbers: Vec::new(),
        }
    }
}

impl Numbered {
    pub(super) fn get(&self, number: usize) -> Option<u32> {
        let &(block, place) = self.places.get(number)?;
        (block == self.block).then_some(place)
    }

    /// Puts the text of a number that is not there into the dictionary.
    pub(super) fn add(&mut self, number: usize, dictionary: &mut Texts, text: &str) -> u32 {
        let at = push(dictionary, text);
        self.numbers.push(number);
        if number >= self.places.len() {
            self.places.resize((number + 1).max(2 * self.places.len()), (0, 0));
        }
        self.places[number] = (self.block, at);
        at
    }

    /// The numbers of the texts in the dictionary, in their order, which are forgotten.
    pub(super) fn take_numbers(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.numbers)
    }

    /// For the next block.
    pub(super) fn clear(&mut self) {
        self.numbers.clear();
        self.block = self.block.wrapping_add(1);
        if self.block == 0 {
            self.places.clear();
            self.block = 1;
        }
    }
}

fn push(dictionary: &mut Texts, text: &str) -> u32 {
    let at = u32::try_from(dictionary.len()).expect("a block's dictionary is small");
    dictionary.push(text);
    at
}
