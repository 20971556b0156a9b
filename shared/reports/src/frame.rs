//! The frame of a plot with lines: grid, ticks, titles.
//!
//! Positions across are percents and heights are pixels, as in [`crate::plot`]; lines are stretched to fit, their
//! strokes are not.

use crate::html::Page;

const LEFT: f64 = 13.0;
const WIDTH: f64 = 84.0;
const TOP: u32 = 30;
const HEIGHT: u32 = 220;
const BOTTOM: u32 = 64;

/// A place on an axis, from 0 to 1, and what is written there; for the axis across in two lines.
pub(crate) struct Tick {
    pub(crate) at: f64,
    pub(crate) label: String,
    pub(crate) below: String,
}

/// The words and ticks of a plot, escaped already.
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    /// What is upwards.
    pub(crate) up: &'a str,
    pub(crate) up_ticks: Vec<Tick>,
    /// What is across.
    pub(crate) across: &'a str,
    pub(crate) across_ticks: Vec<Tick>,
}

/// Draws a frame with lines in it: a class for each, and points from 0 to 1 to the right and upwards.
pub(crate) fn lines(page: &mut Page, frame: &Frame<'_>, lines: &[(&str, Vec<(f64, f64)>)]) {
    let (floor, height) = (TOP + HEIGHT, TOP + HEIGHT + BOTTOM);
    let Frame { title, up, across, .. } = frame;
    page.push(format_args!(
        "<svg class=\"plot\" width=\"100%\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n\
         <text class=\"axis\" x=\"0\" y=\"14\">{up}</text>\n"
    ));
    for tick in &frame.up_ticks {
        let y = f64::from(floor) - f64::from(HEIGHT) * tick.at;
        page.push(format_args!(
            "<line class=\"grid\" x1=\"{LEFT}%\" x2=\"{}%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{}%\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            LEFT + WIDTH,
            LEFT - 1.5,
            y + 4.0,
            tick.label
        ));
    }
    for tick in &frame.across_ticks {
        let x = LEFT + WIDTH * tick.at;
        // The last one would reach beyond the page.
        let anchor = if tick.at > 0.97 { "end" } else { "middle" };
        page.push(format_args!(
            "<line class=\"grid\" x1=\"{x:.3}%\" x2=\"{x:.3}%\" y1=\"{TOP}\" y2=\"{floor}\"/>\
             <text x=\"{x:.3}%\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>\n",
            floor + 18,
            tick.label
        ));
        if !tick.below.is_empty() {
            page.push(format_args!(
                "<text class=\"axis\" x=\"{x:.3}%\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>\n",
                floor + 33,
                tick.below
            ));
        }
    }
    page.push(format_args!(
        "<svg x=\"{LEFT}%\" y=\"{TOP}\" width=\"{WIDTH}%\" height=\"{HEIGHT}\" viewBox=\"0 0 1000 1000\" \
         preserveAspectRatio=\"none\">\n"
    ));
    for (class, points) in lines {
        page.push(format_args!("<polyline class=\"{class}\" points=\""));
        for &(right, up) in points {
            page.push(format_args!("{:.1},{:.1}\n", 1000.0 * right, 1000.0 * (1.0 - up)));
        }
        page.push(format_args!("\"/>\n"));
    }
    page.push(format_args!(
        "</svg>\n<text class=\"axis\" x=\"{}%\" y=\"{}\" text-anchor=\"middle\">{across}</text>\n</svg>\n",
        LEFT + WIDTH / 2.0,
        floor + 56
    ));
}

/// Where a number is on a logarithmic axis from 1 to `last`, 0 to 1.
pub(crate) fn along(number: u64, last: u64) -> f64 {
    if last < 2 {
        return 0.0;
    }
    (number as f64).ln() / (last as f64).ln()
}

/// Powers of ten up to `last`, and `last` itself where it is not close to one; where there is one of these alone, twos
/// and fives too.
pub(crate) fn log_ticks(last: u64) -> Vec<u64> {
    let powers = std::iter::successors(Some(1_u64), |power| power.checked_mul(10));
    let mut ticks: Vec<u64> = powers.take_while(|&power| power <= last).collect();
    if last < 10 {
        ticks.extend([2, 5].into_iter().filter(|&tick| tick <= last));
    }
    if ticks.last().is_none_or(|&tick| along(tick, last) < 0.9) {
        ticks.push(last);
    }
    ticks
}
