//! A chart of horizontal bars as SVG.
//!
//! Positions across are percents and heights are pixels, so that the chart takes the width of its page while its
//! letters keep their size. Colours are the page's.

use crate::html::{Page, text};
use crate::number::{compact, grouped};

/// Where the bars begin and how wide the longest may be, in percent of the width.
const LEFT: f64 = 31.0;
const WIDTH: f64 = 66.0;
const ROW: usize = 26;
const TOP: usize = 30;
const BOTTOM: usize = 48;

/// A class or value and how many rows have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) count: u64,
}

/// The titles of a chart.
pub(crate) struct Titles<'a> {
    pub(crate) chart: &'a str,
    /// What the labels are, with their unit.
    pub(crate) labels: &'a str,
    /// What the lengths are, with their unit.
    pub(crate) lengths: &'a str,
}

/// Draws the bars, the first on top.
pub(crate) fn bars(page: &mut Page, bars: &[Bar], titles: &Titles<'_>) {
    let largest = bars.iter().map(|bar| bar.count).max().unwrap_or(0);
    let step = step(largest);
    let end = largest.div_ceil(step).max(1).saturating_mul(step);
    let floor = TOP + ROW * bars.len();
    let height = floor + BOTTOM;
    let (chart, labels, lengths) = (
        text(titles.chart, 120),
        text(titles.labels, 80),
        text(titles.lengths, 80),
    );
    page.push(format_args!(
        "<svg class=\"plot\" width=\"100%\" height=\"{height}\" role=\"img\" aria-label=\"{chart}\">\n\
         <text class=\"axis\" x=\"0\" y=\"14\">{labels}</text>\n"
    ));
    for tick in 0..=end / step {
        let x = LEFT + WIDTH * ratio(tick * step, end);
        let label = compact(tick * step);
        page.push(format_args!(
            "<line class=\"grid\" x1=\"{x:.3}%\" x2=\"{x:.3}%\" y1=\"{}\" y2=\"{floor}\"/>\
             <text x=\"{x:.3}%\" y=\"{}\" text-anchor=\"middle\">{label}</text>\n",
            TOP - 6,
            floor + 18,
        ));
    }
    for (row, bar) in bars.iter().enumerate() {
        draw(page, bar, TOP + ROW * row, ratio(bar.count, end));
    }
    let middle = LEFT + WIDTH / 2.0;
    page.push(format_args!(
        "<text class=\"axis\" x=\"{middle}%\" y=\"{}\" text-anchor=\"middle\">{lengths}</text>\n</svg>\n",
        floor + 40
    ));
}

fn draw(page: &mut Page, bar: &Bar, y: usize, ratio: f64) {
    let (label, full, count) = (text(&bar.label, 15), text(&bar.label, 120), grouped(bar.count));
    let baseline = y + 14;
    let (length, end) = (WIDTH * ratio, LEFT + WIDTH * ratio);
    // A long bar has its number inside, where there is room for it.
    let (class, anchor, offset) = if ratio > 0.6 {
        ("inside", "end", -6)
    } else {
        ("", "start", 6)
    };
    page.push(format_args!(
        "<g><title>{full}: {count}</title>\
         <text x=\"{}%\" y=\"{baseline}\" text-anchor=\"end\">{label}</text>\
         <rect x=\"{LEFT}%\" y=\"{y}\" width=\"{length:.3}%\" height=\"{}\"/>\
         <text class=\"{class}\" x=\"{end:.3}%\" dx=\"{offset}\" y=\"{baseline}\" text-anchor=\"{anchor}\">{count}</text></g>\n",
        LEFT - 1.5,
        ROW - 7,
    ));
}

fn ratio(count: u64, end: u64) -> f64 {
    count as f64 / end as f64
}

/// The distance of two ticks: 1, 2 or 5 times a power of ten, so that there are at most four of them.
fn step(largest: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for step in [power, power.saturating_mul(2), power.saturating_mul(5)] {
            if step.saturating_mul(4) >= largest {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for (largest, expected) in [
            (0, 1),
            (1, 1),
            (4, 1),
            (5, 2),
            (9, 5),
            (81, 50),
            (222_000_000, 100_000_000),
        ] {
            assert_eq!(step(largest), expected, "{largest}");
        }
        assert!(step(u64::MAX).checked_mul(2).is_some());
    }

    #[test]
    fn the_longest_bar_stays_within_the_chart() {
        let mut page = Page::default();
        let titles = Titles {
            chart: "c",
            labels: "l",
            lengths: "n",
        };
        bars(
            &mut page,
            &[
                Bar {
                    label: "<a>".to_owned(),
                    count: u64::MAX / 3,
                },
                Bar {
                    label: "b".to_owned(),
                    count: 0,
                },
            ],
            &titles,
        );
        let widths: Vec<f64> = page
            .0
            .split(" width=\"")
            .skip(2)
            .map(|rest| rest.split('%').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(widths.len(), 2);
        assert!(widths[0] > WIDTH / 2.0 && widths[0] <= WIDTH && widths[1] == 0.0);
        assert!(page.0.contains("&lt;a&gt;") && !page.0.contains("<a>"));
    }
}
