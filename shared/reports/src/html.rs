//! Text in HTML.

use std::fmt::Write;

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

/// A growing page. Everything that is not a literal of this crate goes in through [`text`].
#[derive(Default)]
pub(crate) struct Page(pub(crate) String);

impl Page {
    /// Appends markup.
    pub(crate) fn push(&mut self, markup: std::fmt::Arguments<'_>) {
        self.0.write_fmt(markup).expect("writing to a string does not fail");
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
