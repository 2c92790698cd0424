//! JSON whose texts act nowhere: in a terminal, in the log of a workflow, inside HTML. What a reader gets is the same text.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter};

use crate::escape::is_active;

/// Writes `value` over several lines, for people too.
pub(crate) fn pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Inert(PrettyFormatter::new())))?;
    Ok(())
}

/// Writes `value` in one line.
pub(super) fn compact(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Inert(CompactFormatter)))?;
    Ok(())
}

/// JSON that was written elsewhere, so that nothing in its strings acts: what does stands nowhere else in it.
pub(crate) fn inert(json: &str) -> String {
    let mut bytes = Vec::with_capacity(json.len());
    // A vector takes all there is to write.
    _ = write_inert(json, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn write_inert<W: ?Sized + Write>(fragment: &str, writer: &mut W) -> io::Result<()> {
    // Most texts are plain, and reports may be large.
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && !matches!(byte, b'<' | b'>' | b'&' | b'#');
    if fragment.bytes().all(is_plain) {
        return writer.write_all(fragment.as_bytes());
    }
    let mut from = 0;
    for (at, char) in fragment.char_indices() {
        let acts = match char {
            '<' | '>' | '&' => true,
            '#' => fragment[at + 1..].starts_with('#'),
            char => is_active(char),
        };
        if acts {
            writer.write_all(&fragment.as_bytes()[from..at])?;
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            from = at + char.len_utf8();
        }
    }
    writer.write_all(&fragment.as_bytes()[from..])
}

/// Writes strings with escapes for what steers a terminal, for the `##[name]` of a runner's log, and for HTML's own signs.
struct Inert<F>(F);

impl<F: Formatter> Formatter for Inert<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        write_inert(fragment, writer)
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn texts_are_the_same_and_nothing_in_them_acts() {
        let text = "a\u{1b}[31m\u{9b}1m\u{7f}\u{202e}\u{e0041}</script><!-- ##[error]x ###vso[y] # & é😀\n\"\\";
        let mut bytes = Vec::new();
        compact(&text, &mut bytes).unwrap();
        let written = String::from_utf8(bytes).unwrap();
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        assert!(
            !written.contains(is_active) && !written.contains(['<', '>', '&']) && !written.contains("##"),
            "{written}"
        );
        assert!(written.contains("é😀") && written.contains("\\udb40\\udc41"), "{written}");
    }
}
