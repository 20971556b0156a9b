//! A cumulative curve over ranks, the ranks on a logarithmic axis.

use serde::{Deserialize, Serialize};

use crate::frame::{self, Frame, Tick, along, log_ticks};
use crate::html::{Page, text};
use crate::number::{compact, grouped, percent};

/// How much of a whole the largest, the two largest, the three largest ... of many have together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    title: String,
    counted: String,
    /// How many have more than nothing.
    ranks: u64,
    /// What the whole is.
    whole: f64,
    /// Rank, and the part of the whole that is reached there; ascending.
    points: Vec<(u64, f64)>,
    /// The first rank at which each of [`PARTS`] is reached.
    reached: Vec<u64>,
}

/// Parts of the whole that are told in words.
const PARTS: [f64; 4] = [0.4, 0.8, 0.9, 0.99];

/// Points kept for each tenfold of ranks, so that a curve has a few hundred however many ranks there are.
const PER_DECADE: u64 = 60;

impl Curve {
    /// The curve of `values`, which may be in any order; those that are not above 0 are left out. `None` if all are.
    ///
    /// `counted` is the plural of what has the values: `holders`. O(n log n).
    #[must_use]
    pub fn new(title: &str, counted: &str, values: Vec<f64>) -> Option<Self> {
        Self::make(title, counted, values, None)
    }

    /// The same where the values are parts of a larger whole, which the curve then does not reach.
    #[must_use]
    pub fn of_whole(title: &str, counted: &str, values: Vec<f64>, whole: f64) -> Option<Self> {
        Self::make(title, counted, values, Some(whole))
    }

    fn make(title: &str, counted: &str, mut values: Vec<f64>, given: Option<f64>) -> Option<Self> {
        values.retain(|&value| value > 0.0);
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        let whole: f64 = given.unwrap_or_else(|| values.iter().sum());
        let last = values.len() as u64;
        let mut curve = Self {
            title: title.to_owned(),
            counted: counted.to_owned(),
            ranks: last,
            whole,
            points: Vec::new(),
            reached: Vec::new(),
        };
        let (mut sum, mut next) = (0.0, 1);
        for (rank, value) in (1..).zip(&values) {
            sum += value;
            let all = rank == last && given.is_none();
            let part = if all { 1.0 } else { (sum / whole).min(1.0) };
            while PARTS.get(curve.reached.len()).is_some_and(|&wanted| part >= wanted) {
                curve.reached.push(rank);
            }
            if rank == next || rank == last {
                curve.points.push((rank, part));
                next = rank + (rank / PER_DECADE).max(1);
            }
        }
        (last > 0).then_some(curve)
    }

    /// What the curve is a part of: the sum of the values, or what was given.
    #[must_use]
    pub fn whole(&self) -> f64 {
        self.whole
    }

    /// Draws the curve, with its numbers for those who cannot see it.
    pub(crate) fn draw(&self, page: &mut Page) {
        let (title, counted) = (text(&self.title, 120), text(&self.counted, 40));
        let quarters = (0..=4_u32).map(|quarter| Tick {
            at: f64::from(quarter) / 4.0,
            label: format!("{}%", quarter * 25),
            below: String::new(),
        });
        let ranks = log_ticks(self.ranks).into_iter().map(|rank| Tick {
            at: along(rank, self.ranks),
            label: compact(rank),
            below: percent(rank as f64 / self.ranks as f64),
        });
        let frame = Frame {
            title: &title,
            up: "part of the whole, cumulative",
            up_ticks: quarters.collect(),
            across: &format!("{counted} by rank, and as a part of all of them (logarithmic)"),
            across_ticks: ranks.collect(),
        };
        let points = self.points.iter().map(|&(rank, part)| (along(rank, self.ranks), part));
        page.push(format_args!("<figure>\n<figcaption>{title}</figcaption>\n"));
        frame::lines(page, &frame, &[("a", points.collect())]);
        self.tell(page, &counted);
        page.push(format_args!("</figure>\n"));
    }

    fn tell(&self, page: &mut Page, counted: &str) {
        page.push(format_args!(
            "<details>\n<summary>The numbers of this plot</summary>\n<table>\n<thead><tr>\
             <th scope=\"col\">part of the whole</th><th scope=\"col\" class=\"number\">{counted} needed, of {}</th>\
             </tr></thead>\n<tbody>\n",
            grouped(self.ranks)
        ));
        for (part, &rank) in PARTS.iter().zip(&self.reached) {
            page.push(format_args!(
                "<tr><td>{:.0} percent</td><td class=\"number\">{}</td></tr>\n",
                part * 100.0,
                grouped(rank)
            ));
        }
        page.push(format_args!("</tbody>\n</table>\n</details>\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_counts_from_the_largest() {
        let curve = Curve::new("t", "holders", vec![1.0, 0.0, 8.0, f64::NAN, 1.0]).unwrap();
        assert_eq!(curve.points, [(1, 0.8), (2, 0.9), (3, 1.0)]);
        assert_eq!((curve.ranks, curve.reached), (3, vec![1, 1, 2, 3]));
        assert_eq!(Curve::new("t", "holders", vec![0.0]), None);
    }

    #[test]
    fn many_ranks_have_few_points_which_rise_within_the_plot() {
        let values: Vec<f64> = (1..1_000_000).map(|rank| 1.0 / f64::from(rank)).collect();
        let curve = Curve::new("t", "holders", values).unwrap();
        assert!(curve.points.len() < 1000 && curve.points.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
        assert_eq!(curve.points.last(), Some(&(999_999, 1.0)));
        assert_eq!(log_ticks(curve.ranks), [1, 10, 100, 1000, 10_000, 100_000, 999_999]);
        let mut page = Page::default();
        curve.draw(&mut page);
        let line = page.0.split("points=\"").nth(1).and_then(|rest| rest.split('"').next());
        let points: Vec<(f64, f64)> = line
            .unwrap()
            .lines()
            .map(|point| point.split_once(',').unwrap())
            .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
            .collect();
        assert!(
            points
                .iter()
                .all(|&(x, y)| (0.0..=1000.0).contains(&x) && (0.0..=1000.0).contains(&y))
        );
        assert_eq!(points.last(), Some(&(1000.0, 0.0)));
    }

    #[test]
    fn one_rank_is_a_curve_too() {
        let mut page = Page::default();
        Curve::new("<t>", "<h>", vec![5.0]).unwrap().draw(&mut page);
        assert!(page.0.contains("0.0,0.0") && !page.0.contains("NaN") && !page.0.contains("<t>"));
    }
}
