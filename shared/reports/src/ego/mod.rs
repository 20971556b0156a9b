//! The picture of a company: owners above, holdings below.
//!
//! Places across are percents and heights are pixels, so that names stay legible at any width; there are two drawings,
//! one for wide pages and paper, one for phones, and the style shows one of them.

mod layout;

use self::layout::{Layer, Layout};
use crate::html::{Page, text};
use crate::number::{grouped, percent};
use crate::survey::{Node, Picture, Role};

const BOX: usize = 54;
const ROW: usize = 64;
const GAP: usize = 38;

/// Boxes side by side on a wide page, and on a phone.
const WIDE: usize = 8;
const NARROW: usize = 3;

/// Characters that fit into a line of a box, which has two for the name.
const CHARS: usize = 14;

/// A number for everyone's place: from left to right in thousandths, and the upper edge in pixels.
#[derive(Clone, Copy, Default)]
struct Place {
    x: f64,
    y: usize,
    /// Where the layer begins and ends.
    layer: (usize, usize),
    /// The layer, counted from above.
    number: usize,
}

/// Draws a picture of whoever `name` is.
pub(crate) fn draw(page: &mut Page, picture: &Picture, name: &str) {
    let alone = picture.nodes.len() < 2;
    if alone {
        return;
    }
    page.push(format_args!("<figure class=\"ego\">\n"));
    let narrow = Layout::new(picture, NARROW);
    if narrow.widest() <= NARROW {
        page.push(format_args!("<div class=\"both\">\n"));
        svg(page, picture, &narrow, NARROW, name);
    } else {
        page.push(format_args!("<div class=\"wide\">\n"));
        svg(page, picture, &Layout::new(picture, WIDE), WIDE, name);
        page.push(format_args!("</div>\n<div class=\"narrow\">\n"));
        svg(page, picture, &narrow, NARROW, name);
    }
    page.push(format_args!("</div>\n"));
    caption(page, picture);
    page.push(format_args!("</figure>\n"));
}

fn caption(page: &mut Page, picture: &Picture) {
    let has = |role: Role| picture.nodes.iter().any(|node| node.role == role);
    page.push(format_args!("<p class=\"cut\">"));
    if has(Role::Ultimate) || has(Role::Between) {
        page.push(format_args!(
            "Above: owners, with what each has of it through everything; those whom nobody is recorded to hold are \
             filled. "
        ));
    }
    if has(Role::Holding) {
        page.push(format_args!("Below: what it holds, with its stake. "));
    }
    page.push(format_args!(
        "The thicker a line, the larger the stake, thickest for a majority; dashed lines close a ring."
    ));
    for (count, what) in [
        (picture.more_above, "holders and owners above"),
        (picture.more_below, "holdings below"),
    ] {
        if count > 0 {
            page.push(format_args!(" {} further {what} are not drawn.", grouped(count)));
        }
    }
    page.push(format_args!("</p>\n"));
}

fn svg(page: &mut Page, picture: &Picture, layout: &Layout, per_row: usize, name: &str) {
    let mut places = vec![None; picture.nodes.len()];
    let mut folds = Vec::new();
    let mut y = 2;
    let mut drawing = Drawing {
        half: 460.0 / per_row as f64,
        layers: Vec::with_capacity(layout.layers.len()),
    };
    for (number, layer) in layout.layers.iter().enumerate() {
        let top = y;
        let end = arrange(layer, per_row, (number, top), &mut places, &mut folds);
        let boxes = layer.nodes.iter().filter_map(|&node| places[node]).map(|place| place.x);
        let one_row = end == top + BOX;
        drawing.layers.push(Passed {
            top,
            end,
            boxes: boxes.filter(|_| one_row).collect(),
        });
        y = end + GAP;
    }
    let height = y - GAP + 2;
    page.push(format_args!(
        "<svg class=\"ego\" width=\"100%\" height=\"{height}\" role=\"img\" aria-label=\"Owners and holdings of {name}\">\n\
         <svg width=\"100%\" height=\"{height}\" viewBox=\"0 0 1000 {height}\" preserveAspectRatio=\"none\">\n"
    ));
    for (edge, &back) in picture.edges.iter().zip(&layout.back) {
        if let (Some(owner), Some(owned)) = (places[edge.owner], places[edge.owned]) {
            // What does not lead down is drawn as what closes a ring.
            let back = back || owner.number >= owned.number;
            let ends = [(edge.owner, owner), (edge.owned, owned)];
            line(page, picture, ends, edge.share, back, &drawing);
        }
    }
    page.push(format_args!("</svg>\n"));
    // Thousandths to percent; a gap between boxes.
    let width = 100.0 / per_row as f64 * 0.92;
    for (node, place) in picture.nodes.iter().zip(&places) {
        if let Some(place) = place {
            draw_node(page, node, *place, width);
        }
    }
    for (place, count) in folds {
        let (left, middle) = (place.x / 10.0 - width / 2.0, place.x / 10.0);
        page.push(format_args!(
            "<rect class=\"fold\" x=\"{left:.2}%\" y=\"{}\" width=\"{width:.2}%\" height=\"{BOX}\" rx=\"5\"/>\
             <text class=\"axis\" x=\"{middle:.2}%\" y=\"{}\" text-anchor=\"middle\">{} more</text>\n",
            place.y,
            place.y + 31,
            grouped(count)
        ));
    }
    page.push(format_args!("</svg>\n"));
}

/// Gives everyone in a layer a place, and those folded one at its end; returns where the layer ends.
fn arrange(
    layer: &Layer,
    per_row: usize,
    (number, top): (usize, usize),
    places: &mut [Option<Place>],
    folds: &mut Vec<(Place, u64)>,
) -> usize {
    let count = layer.nodes.len() + usize::from(layer.folded > 0);
    let rows = if count > per_row { 2 } else { 1 };
    let end = top + (rows - 1) * ROW + BOX;
    let place = |at: usize| {
        let margin = 500.0 / per_row as f64;
        let x = match rows {
            1 => 1000.0 * (at as f64 + 0.5) / count as f64,
            // From edge to edge, so that boxes of one row never touch.
            _ => margin + (1000.0 - 2.0 * margin) * at as f64 / (count - 1) as f64,
        };
        Place {
            x,
            y: top + (at % rows) * ROW,
            layer: (top, end),
            number,
        }
    };
    for (at, &node) in layer.nodes.iter().enumerate() {
        places[node] = Some(place(at));
    }
    if layer.folded > 0 {
        folds.push((place(layer.nodes.len()), layer.folded));
    }
    end
}

/// A stake: down from the owner between whoever is below it in its layer, through gaps of the layers that it passes,
/// down to the owned. One that closes a ring comes back at the side.
fn line(page: &mut Page, picture: &Picture, ends: [(usize, Place); 2], share: f64, back: bool, drawing: &Drawing) {
    let [(owner, from), (owned, to)] = ends;
    let class = match (back, share) {
        (true, _) => "back",
        (_, share) if share > 0.5 => "e3",
        (_, share) if share >= 0.25 => "e2",
        (_, share) if share >= 0.05 => "e1",
        _ => "e0",
    };
    page.push(format_args!("<path class=\"{class}\" d=\""));
    if back {
        let side = if from.x + to.x > 1000.0 { -1.0 } else { 1.0 };
        let edge = |place: Place| place.x + side * drawing.half;
        let out = side * 0.6 * drawing.half;
        page.push(format_args!(
            "M{:.0} {}C{:.0} {} {:.0} {} {:.0} {}",
            edge(from),
            from.y + BOX / 2,
            edge(from) + out,
            from.y + BOX / 2,
            edge(to) + out,
            to.y + BOX / 2,
            edge(to),
            to.y + BOX / 2
        ));
    } else {
        page.push(format_args!("M{:.0} {}V{}", from.x, from.y + BOX, from.layer.1));
        let mut here = (from.x, from.layer.1);
        for passed in drawing.layers.iter().take(to.number).skip(from.number + 1) {
            let straight = from.x + (to.x - from.x) * 0.5;
            let x = passed.gap(straight, drawing.half);
            curve(page, here, (x, passed.top));
            page.push(format_args!("V{}", passed.end));
            here = (x, passed.end);
        }
        curve(page, here, (to.x, to.layer.0));
        page.push(format_args!("V{}", to.y));
    }
    let name = |at: usize| text(picture.nodes[at].name.shown(), 40);
    page.push(format_args!(
        "\"><title>{} holds {} of {}</title></path>\n",
        name(owner),
        percent(share),
        name(owned)
    ));
}

/// From one point down to another, upright at both.
fn curve(page: &mut Page, from: (f64, usize), to: (f64, usize)) {
    let middle = usize::midpoint(from.1, to.1);
    page.push(format_args!(
        "C{:.0} {middle} {:.0} {middle} {:.0} {}",
        from.0, to.0, to.0, to.1
    ));
}

/// What lines must know of a drawing.
struct Drawing {
    /// Half the width of a box in thousandths.
    half: f64,
    layers: Vec<Passed>,
}

/// A layer that lines pass.
struct Passed {
    top: usize,
    end: usize,
    /// Where its boxes stand, from left to right; none if there is no way between them.
    boxes: Vec<f64>,
}

impl Passed {
    /// The way between boxes, or beside them, that is nearest to `x`.
    fn gap(&self, x: f64, half: f64) -> f64 {
        let between = self.boxes.windows(2).map(|pair| f64::midpoint(pair[0], pair[1]));
        let sides = [
            self.boxes.first().map(|first| first - 1.2 * half),
            self.boxes.last().map(|last| last + 1.2 * half),
        ];
        let inside = sides.into_iter().flatten().filter(|side| (0.0..=1000.0).contains(side));
        let ways = between.chain(inside);
        ways.min_by(|a, b| (a - x).abs().total_cmp(&(b - x).abs())).unwrap_or(x)
    }
}

fn draw_node(page: &mut Page, node: &Node, place: Place, width: f64) {
    let class = match node.role {
        Role::Company => "company",
        Role::Ultimate => "ultimate",
        Role::Between => "between",
        Role::Holding => "holding",
    };
    let (full, id) = (text(node.name.shown(), 60), text(&node.name.id, 60));
    let also = if node.name.label.is_empty() {
        String::new()
    } else {
        format!(" ({id})")
    };
    let (left, middle) = (place.x / 10.0 - width / 2.0, place.x / 10.0);
    let share = percent(node.share);
    let (title, below) = match node.role {
        Role::Company => (format!("{full}{also}"), String::new()),
        Role::Ultimate | Role::Between => (format!("{full}{also} has {share} through everything"), share),
        Role::Holding => (format!("{share} of {full}{also}"), share),
    };
    // The company's own name is bold.
    let room = if node.role == Role::Company { CHARS - 2 } else { CHARS };
    let (upper, lower) = in_two(node.name.shown(), room);
    let lines = [upper.as_str(), &lower, &below];
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    // As many lines as there are stand in the middle of the box.
    let first = place.y + 31 - 7 * (lines.len() - 1);
    page.push(format_args!(
        "<g class=\"{class}\"><title>{title}</title>\
         <rect x=\"{left:.2}%\" y=\"{}\" width=\"{width:.2}%\" height=\"{BOX}\" rx=\"5\"/>",
        place.y
    ));
    for (number, line) in lines.iter().enumerate() {
        let is_share = number + 1 == lines.len() && !below.is_empty();
        let class = if is_share { " class=\"share\"" } else { "" };
        page.push(format_args!(
            "<text{class} x=\"{middle:.2}%\" y=\"{}\" text-anchor=\"middle\">{line}</text>",
            first + 14 * number
        ));
    }
    page.push(format_args!("</g>\n"));
}

/// A name in two lines of at most so many characters, escaped; the second is empty if the first has room for all.
fn in_two(name: &str, room: usize) -> (String, String) {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= room {
        return (text(name, room), String::new());
    }
    // At the last blank that lets the first line fit, else within the word.
    let blank = (1..=room).rev().find(|&at| chars[at] == ' ').unwrap_or(room);
    let upper: String = chars[..blank].iter().collect();
    let lower: String = chars[blank..].iter().collect();
    let lower = lower.trim_start();
    // With room for the sign that it is cut.
    let room = if lower.chars().count() > room { room - 1 } else { room };
    (text(&upper, blank), text(lower, room))
}

#[cfg(test)]
mod tests {
    use super::in_two;

    #[test]
    fn a_name_stands_in_two_lines() {
        for (name, upper, lower) in [
            ("Ada Lind", "Ada Lind", ""),
            ("Merkur Alpen Medien GmbH", "Merkur Alpen", "Medien GmbH"),
            ("Beteiligungsgesellschaft AG", "Beteiligungsge", "sellschaft AG"),
            ("Nord Süd Gesellschaft für Energie", "Nord Süd", "Gesellschaft …"),
            ("<b>", "&lt;b&gt;", ""),
        ] {
            assert_eq!(in_two(name, 14), (upper.to_owned(), lower.to_owned()));
        }
    }
}
