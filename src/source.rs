//! File texts and places in them. The only module that turns byte offsets into lines and columns.

use std::sync::{Arc, OnceLock};

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

/// One file that was read: its path and its text.
#[derive(Debug)]
pub struct Source {
    path: String,
    text: Arc<str>,
    line_starts: OnceLock<Vec<u32>>,
}

impl Source {
    /// `path` is relative to the root of the scan, with `/` between its parts. `text` carries no byte order mark.
    pub fn new(path: impl Into<String>, text: impl Into<Arc<str>>) -> Source {
        Source { path: path.into(), text: text.into(), line_starts: OnceLock::new() }
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
        Source::new(self.path.clone(), self.shared_text())
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
        self.line_starts().partition_point(|start| *start <= offset) as u32
    }

    /// Line and column of the byte at `offset`.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line(offset);
        let start = self.line_starts()[line as usize - 1] as usize;
        let end = (offset as usize).clamp(start, self.text.len());
        let mut end_on_boundary = end;
        while !self.text.is_char_boundary(end_on_boundary) {
            end_on_boundary -= 1;
        }
        let column = self.text[start..end_on_boundary].encode_utf16().count() as u32 + 1;
        Position { line, column }
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
    fn first_line_of_a_block_ends_at_its_header() {
        let source = Source::new("main.tf", "resource \"a\" \"b\" {\n  x = 1\n}\n");
        let whole = Span::new(FileId(0), 0, source.text().len() as u32);
        assert_eq!(source.slice(source.first_line(whole)), "resource \"a\" \"b\" {");
    }
}
