//! How many rows have which text.

use std::borrow::Cow;
use std::collections::HashMap;

use formats::Texts;

use crate::number::grouped;
use crate::plot::Bar;

const MAX_BARS: usize = 12;

/// Distinct texts that are counted apart; rows with further ones are counted together.
const MAX_DISTINCT: usize = 4096;

/// Counts by text.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByValue {
    counts: HashMap<String, u64>,
    beyond: u64,
    scratch: Vec<u64>,
}

impl ByValue {
    pub(crate) fn add(&mut self, dictionary: &Texts, index: &[u32]) {
        self.scratch.clear();
        self.scratch.resize(dictionary.len(), 0);
        for &at in index {
            self.scratch[at as usize] += 1;
        }
        for (text, &count) in dictionary.iter().zip(&self.scratch) {
            if let Some(total) = self.counts.get_mut(text) {
                *total += count;
            } else if self.counts.len() < MAX_DISTINCT {
                self.counts.insert(text.to_owned(), count);
            } else {
                self.beyond += count;
            }
        }
    }

    /// Bars from the most frequent text to the least, and a note on what they leave out.
    pub(crate) fn bars(&self) -> (Vec<Bar>, Cow<'static, str>) {
        let mut sorted: Vec<(&String, u64)> = self.counts.iter().map(|(text, &count)| (text, count)).collect();
        sorted.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let others = sorted.split_off(sorted.len().min(MAX_BARS));
        let rest = others.iter().map(|(_, count)| count).sum::<u64>() + self.beyond;
        let mut bars: Vec<Bar> = sorted
            .into_iter()
            .map(|(text, count)| Bar {
                label: text.clone(),
                count,
            })
            .collect();
        if rest == 0 {
            return (bars, "".into());
        }
        bars.push(Bar {
            label: "all others".to_owned(),
            count: rest,
        });
        let note = format!(
            "The {MAX_BARS} most frequent values are shown; {} rows with {} others are shown as one.",
            grouped(rest),
            if self.beyond > 0 {
                "many".to_owned()
            } else {
                grouped(others.len() as u64)
            },
        );
        (bars, note.into())
    }
}
