//! How many values there are of which size, whatever the sizes turn out to be.
//!
//! The classes are fixed: between 1, 2 and 5 times the powers of ten over the whole range of doubles, each without its
//! lower and with its upper end. A majority, which is *more* than one half, has a class boundary of its own, and the
//! whole of a company falls into the class below it.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::number::{grouped, rounded};
use crate::plot::Bar;

/// The most bars of one plot; smaller classes are shown as one.
const MAX_BARS: usize = 18;

/// The upper ends of the classes, ascending; values above the last have a class of their own.
static ENDS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let powers =
        (f64::MIN_10_EXP..=f64::MAX_10_EXP).flat_map(|power| [1, 2, 5].map(|digit| format!("{digit}e{power}")));
    powers
        .filter_map(|end| end.parse().ok())
        .filter(|end: &f64| end.is_finite())
        .collect()
});

/// For every binary exponent the first class that one of its values can be in.
static FIRST: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let least = |exponent: u64| f64::from_bits(exponent << 52);
    (0..2047)
        .map(|exponent| ENDS.partition_point(|&end| end < least(exponent)))
        .collect()
});

/// Counts by class.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    classes: Vec<u64>,
    zero: u64,
    negative: u64,
    absent: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            classes: vec![0; ENDS.len() + 1],
            zero: 0,
            negative: 0,
            absent: 0,
        }
    }
}

impl Histogram {
    pub(crate) fn add(&mut self, value: f64) {
        if value > 0.0 {
            self.classes[class(value)] += 1;
        } else if value < 0.0 {
            self.negative += 1;
        } else if value.is_nan() {
            self.absent += 1;
        } else {
            self.zero += 1;
        }
    }

    /// Bars from the largest class to the smallest, then zero and below, and a note on what they leave out.
    pub(crate) fn bars(&self) -> (Vec<Bar>, Cow<'static, str>) {
        let used = |&class: &usize| self.classes[class] > 0;
        let lowest = (0..self.classes.len()).find(used);
        let highest = (0..self.classes.len()).rfind(used);
        let mut bars = Vec::new();
        if let (Some(lowest), Some(highest)) = (lowest, highest) {
            let cut = lowest.max((highest + 1).saturating_sub(MAX_BARS));
            bars.extend((cut..=highest).rev().map(|class| Bar {
                label: label(class),
                count: self.classes[class],
            }));
            if cut > lowest {
                let count = self.classes[lowest..cut].iter().sum();
                bars.push(Bar {
                    label: format!("up to {}", rounded(ENDS[cut - 1])),
                    count,
                });
            }
        }
        for (label, count) in [("0", self.zero), ("below 0", self.negative)] {
            if count > 0 {
                bars.push(Bar {
                    label: label.to_owned(),
                    count,
                });
            }
        }
        let note = "Each class excludes its lower end and includes its upper end.";
        match self.absent {
            0 => (bars, note.into()),
            absent => (
                bars,
                format!("{note} {} rows have no value and are not shown.", grouped(absent)).into(),
            ),
        }
    }
}

/// The class of a positive value.
fn class(value: f64) -> usize {
    let exponent = (value.to_bits() >> 52) as usize;
    let Some(&first) = FIRST.get(exponent) else {
        return ENDS.len();
    };
    first + ENDS[first..].iter().take_while(|&&end| end < value).count()
}

fn label(class: usize) -> String {
    match (class.checked_sub(1), ENDS.get(class)) {
        (Some(lower), Some(&upper)) => format!("{}–{}", rounded(ENDS[lower]), rounded(upper)),
        (None, Some(&upper)) => format!("up to {}", rounded(upper)),
        (_, None) => format!("over {}", rounded(ENDS[ENDS.len() - 1])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(values: &[f64]) -> Vec<(String, u64)> {
        let mut histogram = Histogram::default();
        values.iter().for_each(|&value| histogram.add(value));
        histogram
            .bars()
            .0
            .into_iter()
            .map(|bar| (bar.label, bar.count))
            .collect()
    }

    #[test]
    fn classes_exclude_their_lower_and_include_their_upper_end() {
        let found = bars(&[0.5, 0.500_000_000_000_000_1, 1.0, 0.2, 0.200_000_000_000_000_04]);
        let expected = [("0.5–1", 2), ("0.2–0.5", 2), ("0.1–0.2", 1)];
        assert_eq!(found, expected.map(|(label, count)| (label.to_owned(), count)));
    }

    #[test]
    fn every_double_has_one_class_and_it_is_the_right_one() {
        for value in [
            f64::from_bits(1),
            f64::MIN_POSITIVE,
            1e-300,
            0.3,
            1.0,
            2.0,
            4.0,
            5.0,
            1e22,
            1.7e308,
            f64::INFINITY,
        ] {
            assert_eq!(class(value), ENDS.partition_point(|&end| end < value), "{value:e}");
        }
        for (position, &end) in ENDS.iter().enumerate() {
            assert_eq!(class(end), position);
            assert_eq!(class(end.next_up()), position + 1);
        }
    }

    #[test]
    fn zero_negative_and_absent_values_are_apart() {
        let mut histogram = Histogram::default();
        [0.0, -0.0, -3.0, f64::NAN, f64::NAN]
            .into_iter()
            .for_each(|value| histogram.add(value));
        let (bars, note) = histogram.bars();
        let expected = [("0", 2), ("below 0", 1)].map(|(label, count)| Bar {
            label: label.to_owned(),
            count,
        });
        assert_eq!(bars, expected);
        assert!(note.contains("2 rows have no value"), "{note}");
        assert_eq!(Histogram::default().bars().0, []);
    }

    #[test]
    fn a_wide_range_ends_in_one_class_for_all_smaller_values() {
        let found = bars(&[1e-200, 1e-100, 3.0, 1e5]);
        assert_eq!(found.len(), MAX_BARS + 1);
        assert_eq!(found[0], ("50000–100000".to_owned(), 1));
        assert_eq!(found[MAX_BARS], ("up to 0.1".to_owned(), 2));
        assert_eq!(found.iter().map(|(_, count)| count).sum::<u64>(), 4);
    }
}
