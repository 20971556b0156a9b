//! Text in HTML.

use std::fmt::Write;

use crate::number::percent;
use crate::survey::Name;

/// The text, cut to `max_chars` characters and escaped for an element or a quoted attribute: at most six bytes a
/// character. Control characters become U+FFFD.
pub(crate) fn text(text: &str, max_chars: usize) -> String {
    let mut escaped = String::with_capacity(text.len().min(6 * max_chars));
    for (position, character) in text.chars().enumerate() {
        if position == max_chars {
            escaped.push('…');
            break;
        }
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Someone's name for an element: what people call them, with the id beside it where that is another.
pub(crate) fn name(name: &Name, max_chars: usize) -> String {
    let shown = text(name.shown(), max_chars);
    if name.label.is_empty() || name.label == name.id {
        return shown;
    }
    format!("{shown} <span class=\"id\">{}</span>", text(&name.id, max_chars))
}

/// A share as a cell of a table: percent, with all digits on demand.
pub(crate) fn share(share: f64) -> String {
    format!(
        "<td class=\"number\" title=\"{}\">{}</td>",
        text(&share.to_string(), 40),
        text(&percent(share), 40)
    )
}

/// On which side the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// On the left.
    Text,
    /// On the right.
    Number,
}

/// A growing page. Everything that is not a literal of this crate goes in through [`text`].
#[derive(Default)]
pub(crate) struct Page(pub(crate) String);

impl Page {
    /// Appends markup.
    pub(crate) fn push(&mut self, markup: std::fmt::Arguments<'_>) {
        self.0.write_fmt(markup).expect("writing to a string does not fail");
    }

    /// Opens a table in a frame that scrolls where the page is narrow. Heads are names and whether numbers are below.
    pub(crate) fn table(&mut self, label: &str, heads: &[(&str, Align)]) {
        let label = text(label, 120);
        self.push(format_args!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">\n<table>\n<thead><tr>"
        ));
        for (head, align) in heads {
            let class = match align {
                Align::Text => "",
                Align::Number => " class=\"number\"",
            };
            self.push(format_args!("<th scope=\"col\"{class}>{}</th>", text(head, 60)));
        }
        self.0.push_str("</tr></thead>\n<tbody>\n");
    }

    /// Closes what [`Page::table`] opened.
    pub(crate) fn end_table(&mut self) {
        self.0.push_str("</tbody>\n</table>\n</div>\n");
    }

    /// A paragraph about what is not shown.
    pub(crate) fn note(&mut self, words: &str) {
        self.push(format_args!("<p class=\"cut\">{}</p>\n", text(words, 600)));
    }

    /// Opens a list of terms and descriptions, adds the entries and closes it.
    pub(crate) fn terms<'t>(&mut self, entries: impl IntoIterator<Item = (&'t str, String)>) {
        self.0.push_str("<dl>\n");
        for (term, description) in entries {
            let (term, description) = (text(term, 60), text(&description, 160));
            self.push(format_args!("<dt>{term}</dt><dd>{description}</dd>\n"));
        }
        self.0.push_str("</dl>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(
            text("<script>alert('\"&\0')</script>", 99),
            "&lt;script&gt;alert(&#39;&quot;&amp;\u{fffd}&#39;)&lt;/script&gt;"
        );
    }

    #[test]
    fn cutting_counts_characters_and_shows() {
        assert_eq!(text("äöü", 3), "äöü");
        assert_eq!(text("äöüß", 3), "äöü…");
    }
}
