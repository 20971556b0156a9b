//! Many short texts without an allocation each.

/// A list of texts: all of them one after another, and where each ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    text: String,
    ends: Vec<u32>,
}

impl Texts {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at a position.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<&str> {
        let end = *self.ends.get(position)? as usize;
        self.text.get(self.start(position)..end)
    }

    /// The first text.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.get(0)
    }

    /// The last text.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Every text, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let text = &self.text[start..end as usize];
            start = end as usize;
            text
        })
    }

    /// Where a text stands among texts that ascend by their bytes, in logarithmic time.
    #[must_use]
    pub fn search(&self, text: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self[middle].cmp(text) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Appends a text.
    ///
    /// # Panics
    ///
    /// If all together come to 4 GiB; blocks are far smaller.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends
            .push(u32::try_from(self.text.len()).expect("the texts of a block are few"));
    }

    /// Keeps the first texts.
    pub(super) fn truncate(&mut self, count: usize) {
        self.text.truncate(self.start(count.min(self.len())));
        self.ends.truncate(count);
    }

    /// All texts one after another.
    pub(super) fn joined(&self) -> &str {
        &self.text
    }

    /// Where each text ends in [`joined`](Self::joined).
    pub(super) fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Texts of which each ends where `ends` says; `None` if that is not a partition of `text` into texts.
    pub(super) fn from_parts(text: String, ends: Vec<u32>) -> Option<Self> {
        let last = ends.last().map_or(0, |&end| end as usize);
        let whole = ends.is_sorted() && last == text.len();
        // Ends within a text of single bytes are always between two characters.
        let cut = |&end: &u32| text.is_char_boundary(end as usize);
        (whole && (text.is_ascii() || ends.iter().all(cut))).then_some(Self { text, ends })
    }

    fn start(&self, position: usize) -> usize {
        match position.checked_sub(1) {
            Some(before) => self.ends[before] as usize,
            None => 0,
        }
    }
}

impl std::ops::Index<usize> for Texts {
    type Output = str;

    fn index(&self, position: usize) -> &str {
        &self.text[self.start(position)..self.ends[position] as usize]
    }
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut all = Self::default();
        texts.into_iter().for_each(|text| all.push(text.as_ref()));
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_come_back_as_they_were_pushed(given in prop::collection::vec("[aé漢]{0,3}", 0..9), keep in 0..9_usize) {
            let mut texts: Texts = given.iter().map(String::as_str).collect();
            prop_assert_eq!(texts.iter().collect::<Vec<_>>(), given.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(texts.last(), given.last().map(String::as_str));
            texts.truncate(keep);
            prop_assert_eq!(texts.len(), keep.min(given.len()));
            prop_assert_eq!(texts.get(keep), None);
            prop_assert_eq!(texts.joined(), given[..keep.min(given.len())].concat());
        }

        #[test]
        fn a_sorted_list_finds_its_members_alone(mut given in prop::collection::vec("[a-c]{0,2}", 0..9), other in "[a-c]{0,2}") {
            given.sort();
            given.dedup();
            let texts: Texts = given.iter().map(String::as_str).collect();
            prop_assert_eq!(texts.search(&other), given.iter().position(|text| *text == other));
        }
    }

    #[test]
    fn ends_within_a_character_or_apart_from_the_text_are_refused() {
        let parts = |text: &str, ends: &[u32]| Texts::from_parts(text.to_owned(), ends.to_vec());
        assert!(parts("aé", &[1, 3]).is_some());
        for (text, ends) in [
            ("aé", vec![2, 3]),
            ("ab", vec![1]),
            ("ab", vec![2, 1, 2]),
            ("ab", vec![]),
            ("a", vec![3]),
        ] {
            assert!(parts(text, &ends).is_none(), "{text} {ends:?}");
        }
    }
}
