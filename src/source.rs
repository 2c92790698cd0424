//! File texts and places in them. The only module that turns byte offsets into lines and columns.

use std::sync::{Arc, OnceLock};

use crate::path::{folder_of, name_of};
use crate::secret;

/// Index of a file among the [`Sources`] of one scan, in the order of the sorted paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

impl FileId {
    /// The file of a text that is none of the scan: an expression of the command line, a rendered template. Places in it
    /// are never shown.
    pub const OUTSIDE: FileId = FileId(u32::MAX);
}

/// A half-open range of bytes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset one past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `file`.
    pub fn new(file: FileId, start: u32, end: u32) -> Span {
        Span { file, start, end }
    }

    /// The smallest span that holds both; `self` when they lie in different files.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether `other` lies inside.
    pub fn contains(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// A place for people and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in UTF-16 code units, from 1, as SARIF and editors count.
    pub column: u32,
}

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnUnit {
    /// UTF-16 code units.
    Utf16,
    /// Unicode code points.
    CodePoint,
}

/// One file that was read: its path and its text.
#[derive(Debug)]
pub struct Source {
    path: String,
    text: Arc<str>,
    line_starts: OnceLock<Vec<u32>>,
    secrets: OnceLock<Vec<(usize, usize)>>,
    use_of: Use,
}

/// What a file is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It is judged.
    Judged,
    /// It is read to show places in it, and not judged.
    Aside,
    /// It is named only: nobody has its text, and offsets in it count lines from 0.
    Named,
}

impl Source {
    /// `path` is relative to the root of the scan, with `/` between its parts. `text` carries no byte order mark.
    pub fn new(path: impl Into<String>, text: impl Into<Arc<str>>) -> Source {
        Source {
            path: path.into(),
            text: text.into(),
            line_starts: OnceLock::new(),
            secrets: OnceLock::new(),
            use_of: Use::Judged,
        }
    }

    /// A file that is read only to show places in it: rules do not look at its text.
    pub fn aside(path: impl Into<String>, text: impl Into<Arc<str>>) -> Source {
        Source { use_of: Use::Aside, ..Source::new(path, text) }
    }

    /// A file that another tool names and that is not at hand, or is no file at all: an image, a package. A place in it is a
    /// line, written as the offset of the line's number less one; there is no text to show.
    pub fn unread(path: impl Into<String>) -> Source {
        Source { use_of: Use::Named, ..Source::new(path, "") }
    }

    /// The file's own name, without its folder.
    pub fn name(&self) -> &str {
        name_of(&self.path)
    }

    /// The path of its folder; empty for the root of the scan.
    pub fn folder(&self) -> &str {
        folder_of(&self.path)
    }

    /// Whether rules may look at the text.
    pub fn is_judged(&self) -> bool {
        self.use_of == Use::Judged
    }

    /// How many lines the text has; none when there is no text.
    pub fn lines(&self) -> Option<u32> {
        (self.use_of != Use::Named).then(|| self.line_count())
    }

    /// The path relative to the root of the scan.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text without a byte order mark; line ends as in the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same file once more; the text is not copied.
    pub fn shared(&self) -> Source {
        Source { use_of: self.use_of, ..Source::new(self.path.clone(), self.shared_text()) }
    }

    /// The text, shared.
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let mut starts = vec![0];
            starts
                .extend(self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1));
            starts
        })
    }

    /// The line (from 1) that holds the byte at `offset`; the last line for an offset past the end.
    pub fn line(&self, offset: u32) -> u32 {
        if self.use_of == Use::Named {
            return offset.saturating_add(1);
        }
        self.line_starts().partition_point(|start| *start <= offset) as u32
    }

    /// Line and column of the byte at `offset`.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line(offset);
        if self.use_of == Use::Named {
            return Position { line, column: 1 };
        }
        let start = self.line_starts()[line as usize - 1] as usize;
        let end = (offset as usize).clamp(start, self.text.len());
        let mut end_on_boundary = end;
        while !self.text.is_char_boundary(end_on_boundary) {
            end_on_boundary -= 1;
        }
        let column = self.text[start..end_on_boundary].encode_utf16().count() as u32 + 1;
        Position { line, column }
    }

    /// The offset of a place, at most the end of its line, and of the last line for one past that.
    pub fn offset(&self, at: Position, unit: ColumnUnit) -> u32 {
        let starts = self.line_starts();
        let line = (at.line.max(1) as usize).min(starts.len());
        starts[line - 1] + chars_in(self.line_text(line as u32), at.column.saturating_sub(1), unit)
    }

    /// The offset of the character with this number, from 0; the end of the text for one past it.
    pub fn offset_of_char(&self, number: u32, unit: ColumnUnit) -> u32 {
        chars_in(&self.text, number, unit)
    }

    /// The text of a line (from 1) without its line end; empty past the last line.
    pub fn line_text(&self, line: u32) -> &str {
        let starts = self.line_starts();
        let Some(start) = (line as usize).checked_sub(1).and_then(|index| starts.get(index)) else { return "" };
        let end = starts.get(line as usize).map_or(self.text.len(), |next| *next as usize);
        self.text[*start as usize..end].trim_end_matches(['\n', '\r'])
    }

    /// Offset of the first byte of a line (from 1); the length of the text past the last line.
    pub fn line_start(&self, line: u32) -> u32 {
        let start = (line as usize).checked_sub(1).and_then(|index| self.line_starts().get(index));
        start.copied().unwrap_or(self.text.len() as u32)
    }

    /// How many lines the file has; a final line end does not open another.
    pub fn line_count(&self) -> u32 {
        let starts = self.line_starts();
        let last_is_empty = starts.last().is_some_and(|start| *start as usize == self.text.len());
        (starts.len() - usize::from(last_is_empty && starts.len() > 1)) as u32
    }

    /// Where secrets stand that nobody may be shown: [`secret::find_to_hide`], once for all who ask.
    pub fn secrets(&self) -> &[(usize, usize)] {
        self.secrets.get_or_init(|| secret::find_to_hide(&self.path, &self.text))
    }

    /// The text of a line (from 1) without its secrets.
    pub fn line_without_secrets(&self, line: u32) -> String {
        let (text, start) = (self.line_text(line), self.line_start(line) as usize);
        let secrets = self.secrets();
        let first = secrets.partition_point(|place| place.1 <= start);
        let here = secrets[first..].iter().take_while(|place| place.0 < start + text.len());
        secret::without(text, here.map(|place| (place.0.max(start) - start, place.1.min(start + text.len()) - start)))
    }

    /// The text under `span`; empty when the span does not fit.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// `span` cut at the end of its first line, without trailing blanks: the region of a finding about a whole block.
    pub fn first_line(&self, span: Span) -> Span {
        let text = self.slice(span);
        let line = text.split(['\n', '\r']).next().unwrap_or("").trim_end();
        Span { end: span.start + line.len() as u32, ..span }
    }
}

/// Bytes of the first characters of a text, or of all of it.
fn chars_in(text: &str, count: u32, unit: ColumnUnit) -> u32 {
    let mut left = count as usize;
    for (at, char) in text.char_indices() {
        if left == 0 {
            return at as u32;
        }
        left = left.saturating_sub(if unit == ColumnUnit::Utf16 { char.len_utf16() } else { 1 });
    }
    text.len() as u32
}

/// All files of a scan that a frontend has claimed.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Takes the files in the order that gives them their ids.
    pub fn new(files: Vec<Source>) -> Sources {
        Sources { files }
    }

    /// Adds one file.
    pub fn add(&mut self, source: Source) -> FileId {
        self.files.push(source);
        FileId(self.files.len() as u32 - 1)
    }

    /// The file with this id.
    pub fn get(&self, file: FileId) -> &Source {
        &self.files[file.0 as usize]
    }

    /// Every file with its id, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.files.iter().enumerate().map(|(index, source)| (FileId(index as u32), source))
    }

    /// Takes a file out of what is judged: it stays there for places in it.
    pub fn set_aside(&mut self, file: FileId) {
        self.files[file.0 as usize].use_of = Use::Aside;
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The text under `span`.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.file).slice(span)
    }

    /// First and last position of `span`; the end is one past the last character.
    pub fn region(&self, span: Span) -> (Position, Position) {
        let source = self.get(span.file);
        (source.position(span.start), source.position(span.end))
    }

    /// Line (from 1) on which `span` starts.
    pub fn line(&self, span: Span) -> u32 {
        self.get(span.file).line(span.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_utf16_units_and_lines_start_at_one() {
        let source = Source::new("main.tf", "a = \"😀\" # x\r\nb = 1\n");
        let x = source.text().find('x').expect("the text has an x") as u32;
        assert_eq!(source.position(x), Position { line: 1, column: 12 });
        let b = source.text().find("b =").expect("the text has a b") as u32;
        assert_eq!(source.position(b), Position { line: 2, column: 1 });
        assert_eq!(source.line_text(1), "a = \"😀\" # x");
        assert_eq!(source.line_count(), 2);
    }

    #[test]
    fn places_of_other_tools_become_offsets() {
        let source = Source::new("main.tf", "a = \"😀\" # x\r\nb = 1");
        let at = |line, column, unit| source.offset(Position { line, column }, unit) as usize;
        assert_eq!(&source.text()[at(1, 12, ColumnUnit::Utf16)..at(1, 99, ColumnUnit::Utf16)], "x");
        assert_eq!(at(1, 11, ColumnUnit::CodePoint), at(1, 12, ColumnUnit::Utf16));
        assert_eq!(&source.text()[at(2, 1, ColumnUnit::Utf16)..at(9, 9, ColumnUnit::Utf16)], "b = 1");
        assert_eq!(source.offset_of_char(u32::MAX, ColumnUnit::Utf16) as usize, source.text().len());
    }

    #[test]
    fn a_file_that_is_only_named_has_lines_without_text() {
        let source = Source::unread("library/shop");
        assert_eq!(source.position(41), Position { line: 42, column: 1 });
        assert_eq!((source.line_text(42), source.lines(), source.is_judged()), ("", None, false));
    }

    #[test]
    fn first_line_of_a_block_ends_at_its_header() {
        let source = Source::new("main.tf", "resource \"a\" \"b\" {\n  x = 1\n}\n");
        let whole = Span::new(FileId(0), 0, source.text().len() as u32);
        assert_eq!(source.slice(source.first_line(whole)), "resource \"a\" \"b\" {");
    }
}
