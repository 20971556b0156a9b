//! A cumulative curve over ranks, the ranks on a logarithmic axis.

use serde::{Deserialize, Serialize};

use crate::html::{Page, text};
use crate::number::{compact, grouped};

/// How much of a whole the largest, the two largest, the three largest ... of many have together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    title: String,
    counted: String,
    /// How many have more than nothing.
    ranks: u64,
    /// Rank, and the part of the whole that is reached there; ascending.
    points: Vec<(u64, f64)>,
    /// The first rank at which each of [`PARTS`] is reached.
    reached: Vec<u64>,
}

/// Parts of the whole that are told in words.
const PARTS: [f64; 4] = [0.4, 0.8, 0.9, 0.99];

/// Points kept for each tenfold of ranks, so that a curve has a few hundred however many ranks there are.
const PER_DECADE: u64 = 60;

const LEFT: f64 = 12.0;
const WIDTH: f64 = 85.0;
const TOP: u32 = 30;
const HEIGHT: u32 = 220;
const BOTTOM: u32 = 48;

impl Curve {
    /// The curve of `values`, which may be in any order; those that are not above 0 are left out. `None` if all are.
    ///
    /// `counted` is the plural of what has the values: `holders`. O(n log n).
    #[must_use]
    pub fn new(title: &str, counted: &str, mut values: Vec<f64>) -> Option<Self> {
        values.retain(|&value| value > 0.0);
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        let whole: f64 = values.iter().sum();
        let last = values.len() as u64;
        let mut curve = Self {
            title: title.to_owned(),
            counted: counted.to_owned(),
            ranks: last,
            points: Vec::new(),
            reached: Vec::new(),
        };
        let (mut sum, mut next) = (0.0, 1);
        for (rank, value) in (1..).zip(&values) {
            sum += value;
            let part = if rank == last { 1.0 } else { (sum / whole).min(1.0) };
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

    /// Draws the curve, with its numbers for those who cannot see it.
    pub(crate) fn draw(&self, page: &mut Page) {
        let (title, counted) = (text(&self.title, 120), text(&self.counted, 40));
        let (floor, height) = (TOP + HEIGHT, TOP + HEIGHT + BOTTOM);
        page.push(format_args!(
            "<figure>\n<figcaption>{title}</figcaption>\n\
             <svg class=\"plot\" width=\"100%\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n\
             <text class=\"axis\" x=\"0\" y=\"14\">part of the whole, cumulative (percent)</text>\n"
        ));
        for quarter in 0..=4_u32 {
            let y = floor - HEIGHT * quarter / 4;
            page.push(format_args!(
                "<line class=\"grid\" x1=\"{LEFT}%\" x2=\"{}%\" y1=\"{y}\" y2=\"{y}\"/>\
                 <text x=\"{}%\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
                LEFT + WIDTH,
                LEFT - 1.5,
                y + 4,
                quarter * 25
            ));
        }
        for tick in self.ticks() {
            let x = LEFT + WIDTH * self.along(tick);
            page.push(format_args!(
                "<line class=\"grid\" x1=\"{x:.3}%\" x2=\"{x:.3}%\" y1=\"{TOP}\" y2=\"{floor}\"/>\
                 <text x=\"{x:.3}%\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                floor + 18,
                compact(tick)
            ));
        }
        page.push(format_args!(
            "<svg x=\"{LEFT}%\" y=\"{TOP}\" width=\"{WIDTH}%\" height=\"{HEIGHT}\" viewBox=\"0 0 1000 1000\" \
             preserveAspectRatio=\"none\"><polyline points=\""
        ));
        for &(rank, part) in &self.points {
            let (x, y) = (1000.0 * self.along(rank), 1000.0 * (1.0 - part));
            page.push(format_args!("{x:.1},{y:.1}\n"));
        }
        page.push(format_args!(
            "\"/></svg>\n<text class=\"axis\" x=\"{}%\" y=\"{}\" text-anchor=\"middle\">{counted} by rank, the largest \
             first (logarithmic)</text>\n</svg>\n",
            LEFT + WIDTH / 2.0,
            floor + 40
        ));
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

    /// Powers of ten, and the last rank where it is not close to one.
    fn ticks(&self) -> Vec<u64> {
        let powers = std::iter::successors(Some(1_u64), |power| power.checked_mul(10));
        let mut ticks: Vec<u64> = powers.take_while(|&power| power <= self.ranks).collect();
        if ticks.last().is_none_or(|&tick| self.along(tick) < 0.9) {
            ticks.push(self.ranks);
        }
        ticks
    }

    /// Where a rank is along the axis, 0 to 1.
    fn along(&self, rank: u64) -> f64 {
        if self.ranks < 2 {
            return 0.0;
        }
        (rank as f64).ln() / (self.ranks as f64).ln()
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
        assert_eq!(curve.ticks(), [1, 10, 100, 1000, 10_000, 100_000, 999_999]);
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
