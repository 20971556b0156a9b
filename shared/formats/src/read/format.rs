//! Which format an input is in.

use crate::error::InputError;

/// A format of stakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// A header and a record per line; the delimiter is found in the header.
    Csv,
    /// The same, delimited by tabs.
    Tsv,
    /// A JSON document `{"stakes": [{"owner": "A", "owned": "Foo", "share": 0.33}]}`.
    Stakes,
}

impl Format {
    /// Every format, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Tsv, Self::Stakes];

    /// The name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Stakes => "stakes",
        }
    }

    /// The format of that name.
    ///
    /// # Errors
    ///
    /// [`InputError::UnknownFormat`], which lists the known names.
    pub fn from_name(name: &str) -> Result<Self, InputError> {
        let wanted = name.trim();
        Self::ALL
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(wanted))
            .ok_or_else(|| unknown(format!("there is no format {wanted:?}")))
    }

    /// The format of a file, from its name (a trailing `.gz` or `.zst` is set aside) and its first bytes, decompressed.
    ///
    /// Content that cannot be text wins over the name; a name wins over a guess.
    ///
    /// # Errors
    ///
    /// [`InputError::UnknownFormat`], which says what was seen.
    pub fn detect(name: Option<&str>, head: &[u8]) -> Result<Self, InputError> {
        if let Some(reason) = not_text(head) {
            return Err(unknown(reason));
        }
        let name = name.map(str::to_ascii_lowercase).unwrap_or_default();
        let name = name
            .strip_suffix(".gz")
            .or_else(|| name.strip_suffix(".zst"))
            .unwrap_or(&name);
        let content = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let first_line = content
            .split(|&byte| byte == b'\n' || byte == b'\r')
            .next()
            .unwrap_or_default();
        let tabs = first_line.contains(&b'\t');
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("csv") => return Ok(Self::Csv),
            Some("tsv" | "tab") if tabs => return Ok(Self::Tsv),
            _ => {}
        }
        if content.starts_with(b"{") || content.starts_with(b"[") {
            let stakes = content.starts_with(b"{") && memchr::memmem::find(content, b"\"stakes\"").is_some();
            return if stakes {
                Ok(Self::Stakes)
            } else {
                Err(unknown("it is JSON, but not a document {\"stakes\": [..]}".to_owned()))
            };
        }
        if content.starts_with(b"<") {
            return Err(unknown("it looks like XML or HTML".to_owned()));
        }
        Ok(if tabs { Self::Tsv } else { Self::Csv })
    }
}

/// Why `head` cannot be the beginning of a text, if it cannot.
fn not_text(head: &[u8]) -> Option<String> {
    const SIGNATURES: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
        (b"PAR1", "Parquet"),
        (b"%PDF-", "a PDF"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
        (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
        (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
    ];
    if let Some((_, what)) = SIGNATURES.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(format!("it looks like {what}"));
    }
    let control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c');
    // Bad characters further down are the fault of a record, which can be named; in the header nothing can be.
    let header_end = head.iter().position(|&byte| byte == b'\n').unwrap_or(head.len());
    let at = head[..header_end].iter().position(|&byte| control(byte))?;
    Some(format!("it is not text: byte {} is 0x{:02x}", at + 1, head[at]))
}

fn unknown(reason: String) -> InputError {
    InputError::UnknownFormat {
        reason,
        known: Format::ALL.map(Format::name).to_vec(),
    }
}
