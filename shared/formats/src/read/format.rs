//! Which format an input is in.

use super::gleif;
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
    /// A Parquet file with the columns of a CSV file.
    Parquet,
    /// Statements of the Beneficial Ownership Data Standard, as a JSON list or JSON lines.
    Bods,
    /// Relationship records of GLEIF Level 2, as CSV.
    GleifCsv,
    /// The same as XML.
    GleifXml,
    /// The snapshot of people with significant control of UK companies, as JSON lines.
    Psc,
    /// Entities of FollowTheMoney, as JSON lines.
    Ftm,
}

impl Format {
    /// Every format, in the order in which messages list them.
    pub const ALL: [Self; 9] = [
        Self::Csv,
        Self::Tsv,
        Self::Stakes,
        Self::Parquet,
        Self::Bods,
        Self::GleifCsv,
        Self::GleifXml,
        Self::Psc,
        Self::Ftm,
    ];

    /// The name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Stakes => "stakes",
            Self::Parquet => "parquet",
            Self::Bods => "bods",
            Self::GleifCsv => "gleif-csv",
            Self::GleifXml => "gleif-xml",
            Self::Psc => "psc",
            Self::Ftm => "ftm",
        }
    }

    /// What it is, in some words.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Csv => "comma-separated values",
            Self::Tsv => "tab-separated values",
            Self::Stakes => "a JSON document of stakes",
            Self::Parquet => "Parquet",
            Self::Bods => "Beneficial Ownership Data Standard",
            Self::GleifCsv => "GLEIF Level 2 relationship records, CSV",
            Self::GleifXml => "GLEIF Level 2 relationship records, XML",
            Self::Psc => "UK people with significant control",
            Self::Ftm => "FollowTheMoney",
        }
    }

    /// Whether owner, owned and share are columns that can be chosen.
    pub(super) fn has_columns(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv | Self::Parquet)
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
        if head.starts_with(b"PAR1") {
            return Ok(Self::Parquet);
        }
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
        if memchr::memmem::find(first_line, gleif::CHILD_COLUMN.as_bytes()).is_some() {
            return Ok(Self::GleifCsv);
        }
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("csv") => return Ok(Self::Csv),
            Some("tsv" | "tab") if tabs => return Ok(Self::Tsv),
            _ => {}
        }
        if content.starts_with(b"{") || content.starts_with(b"[") {
            return Self::of_json(content);
        }
        if content.starts_with(b"<") {
            let words: [&[u8]; 2] = [b"RelationshipData", b"RelationshipRecord"];
            return if words.iter().any(|word| memchr::memmem::find(content, word).is_some()) {
                Ok(Self::GleifXml)
            } else {
                Err(unknown(
                    "it is XML or HTML, but without relationship records of GLEIF".to_owned(),
                ))
            };
        }
        Ok(if tabs { Self::Tsv } else { Self::Csv })
    }

    /// The format of JSON, from the keys of its first object.
    fn of_json(content: &[u8]) -> Result<Self, InputError> {
        let keys = keys(content);
        let has = |key: &str| keys.contains(&key.as_bytes());
        if has("stakes") && content.starts_with(b"{") {
            return Ok(Self::Stakes);
        }
        if ["statementId", "statementID", "recordType", "recordDetails"]
            .into_iter()
            .any(has)
        {
            return Ok(Self::Bods);
        }
        if has("schema") && (has("properties") || has("id")) {
            return Ok(Self::Ftm);
        }
        if has("data") && (has("company_number") || keys.len() == 1) {
            return Ok(Self::Psc);
        }
        Err(unknown(
            "it is JSON, but its first object has neither \"stakes\", nor the fields of a statement of BODS, of a record of \
             the PSC snapshot or of an entity of FollowTheMoney"
                .to_owned(),
        ))
    }
}

/// The keys of the first object, as far as `text` goes.
fn keys(text: &[u8]) -> Vec<&[u8]> {
    let (mut keys, mut depth, mut at) = (Vec::new(), 0_usize, 0);
    // Lists around it don't count.
    while text
        .get(at)
        .is_some_and(|byte| *byte == b'[' || byte.is_ascii_whitespace())
    {
        at += 1;
    }
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => break,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let start = at;
                while let Some(length) = memchr::memchr2(b'"', b'\\', &text[at..]) {
                    at += length;
                    if text[at] == b'"' {
                        break;
                    }
                    at = (at + 2).min(text.len());
                }
                let end = at.min(text.len());
                at = end + 1;
                let rest = text.get(at..).unwrap_or_default().trim_ascii_start();
                if depth == 1 && rest.starts_with(b":") {
                    keys.push(&text[start..end]);
                }
            }
            _ => {}
        }
    }
    keys
}

/// Why `head` cannot be the beginning of a text, if it cannot.
fn not_text(head: &[u8]) -> Option<String> {
    const SIGNATURES: [(&[u8], &str); 6] = [
        (
            b"PK\x03\x04",
            "a ZIP archive or an Excel workbook; unpack it, or save the sheet as CSV",
        ),
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
