//! Recursive descent over the bytes of a file, straight into the arena.

use std::collections::HashSet;
use std::sync::Arc;

use super::ast::*;
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Span};

/// Levels of nesting that are read; deeper text is a limit problem. Real modules stay below thirty.
///
/// Terraform itself takes thousands. The parser needs about two kilobytes of stack a level, so that this fits in threads of
/// two megabytes in release builds; scans run on larger stacks.
pub const MAX_DEPTH: u32 = 400;

/// Problems of one file that are told one by one; the others are counted. A text that is broken on every line is of no use
/// to its reader, and a message takes more memory than the line.
pub(super) const MAX_PROBLEMS: usize = 100;

/// From so many arguments on, those of one body are looked up by a set.
const MANY_ARGUMENTS: usize = 24;

/// A file's tree and what was wrong with its text.
#[derive(Debug)]
pub struct Parsed {
    /// The tree of everything that could be read.
    pub file: Arc<File>,
    /// One problem for each thing that could not.
    pub problems: Vec<Problem>,
}

/// Parses a file in native syntax. Never fails as a whole.
pub fn parse(id: FileId, text: Arc<str>) -> Parsed {
    let mut parser = Parser::new(id, text);
    let mut body = Draft::default();
    loop {
        parser.items(&mut body, false);
        parser.space(true);
        if parser.at >= parser.end {
            break;
        }
        // A stray closing brace: skip it and go on with what follows.
        let at = parser.at;
        parser.at += 1;
        parser.report(at, at + 1, "unexpected `}`", "remove it, or add the block header that it closes");
    }
    let root = parser.finish_body(body);
    parser.file.root = root;
    parser.done()
}

/// Parses one expression, as the argument of an attribute that ends with the text.
pub fn parse_expression(id: FileId, text: Arc<str>) -> Result<(Arc<File>, ExprId), Problem> {
    // A heredoc ends with its line.
    let mut parser = Parser::new(id, format!("{text}\n").into());
    parser.space(false);
    let result = parser.expression(false).and_then(|expr| {
        parser.space(true);
        if parser.at < parser.end {
            return Err(parser.fail(parser.at, parser.at + 1, "unexpected text after the expression", "remove it"));
        }
        Ok(expr)
    });
    parser.whole(result)
}

/// Parses a template file: the text as the inside of a quoted template, without escapes.
pub fn parse_template(id: FileId, text: Arc<str>) -> Result<(Arc<File>, ExprId), Problem> {
    let mut parser = Parser::new(id, text);
    let result = parser.whole_template().map(|kind| parser.push(0, kind));
    parser.whole(result)
}

/// A failed piece of the text; boxed because it is rare and large.
pub(super) type Attempt<T> = Result<T, Box<Problem>>;

/// The state of one parse. Templates inside JSON strings are parsed by a parser over the pooled text.
pub(super) struct Parser {
    pub(super) file: File,
    pub(super) text: Arc<str>,
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) depth: u32,
    /// Added to places when the text is the arena's pool; with `fixed` all spans are this one.
    pub(super) pool_base: Option<u32>,
    pub(super) fixed: Option<(u32, u32)>,
    pub(super) problems: Vec<Problem>,
    /// Problems beyond those that are told.
    pub(super) untold: usize,
    /// No `*/` stands at or after this place.
    pub(super) no_comment_end: usize,
    /// A place whose line has been counted, and that line: errors come in the order of the file, so that counting goes on
    /// from the last one.
    pub(super) line_at: (usize, usize),
}

/// A body while its items are read.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) attributes: Vec<Attribute>,
    pub(super) blocks: Vec<Block>,
    /// The names of many arguments. Its hashes are seeded, so that no text makes them collide.
    names: HashSet<Box<str>>,
}

impl Parser {
    pub(super) fn new(id: FileId, text: Arc<str>) -> Parser {
        let size = text.len();
        let file = File {
            id,
            text: text.clone(),
            pool: String::new(),
            exprs: Vec::with_capacity(size / 24),
            expr_lists: Vec::with_capacity(size / 48),
            fors: Vec::new(),
            parts: Vec::new(),
            template_fors: Vec::new(),
            bodies: Vec::with_capacity(size / 200),
            attributes: Vec::with_capacity(size / 60),
            blocks: Vec::with_capacity(size / 200),
            labels: Vec::with_capacity(size / 200),
            comments: Vec::new(),
            root: BodyId(0),
        };
        Parser {
            file,
            text,
            at: 0,
            end: size,
            depth: 0,
            pool_base: None,
            fixed: None,
            problems: Vec::new(),
            untold: 0,
            no_comment_end: usize::MAX,
            line_at: (0, 1),
        }
    }

    pub(super) fn done(mut self) -> Parsed {
        self.file.exprs.shrink_to_fit();
        self.file.expr_lists.shrink_to_fit();
        self.file.attributes.shrink_to_fit();
        self.file.bodies.shrink_to_fit();
        self.file.blocks.shrink_to_fit();
        self.file.labels.shrink_to_fit();
        self.file.parts.shrink_to_fit();
        self.file.fors.shrink_to_fit();
        self.file.template_fors.shrink_to_fit();
        self.file.comments.shrink_to_fit();
        self.file.pool.shrink_to_fit();
        if self.untold > 0 {
            let message = format!("{} more syntax errors in this file are not told", self.untold);
            let end = Span::new(self.file.id, self.text.len() as u32, self.text.len() as u32);
            self.problems.push(Problem::at(ProblemKind::Syntax, end, message).help("mend the first ones"));
        }
        Parsed { file: Arc::new(self.file), problems: self.problems }
    }

    /// An expression that stands for itself: what was wrong in it without stopping the parser is an error too.
    fn whole(self, result: Attempt<ExprId>) -> Result<(Arc<File>, ExprId), Problem> {
        let parsed = self.done();
        match (result, parsed.problems.into_iter().next()) {
            (Ok(expr), None) => Ok((parsed.file, expr)),
            (Err(problem), _) => Err(*problem),
            (Ok(_), Some(problem)) => Err(problem),
        }
    }

    // Space and names.

    // The arena.

    pub(super) fn finish_body(&mut self, draft: Draft) -> BodyId {
        let attributes = List { start: self.file.attributes.len() as u32, len: draft.attributes.len() as u32 };
        self.file.attributes.extend(draft.attributes);
        let blocks = List { start: self.file.blocks.len() as u32, len: draft.blocks.len() as u32 };
        self.file.blocks.extend(draft.blocks);
        self.file.bodies.push(Body { attributes, blocks });
        BodyId(self.file.bodies.len() as u32 - 1)
    }

    // Bodies.

    /// Reads items until a closing brace (left for the caller) or the end.
    fn items(&mut self, draft: &mut Draft, nested: bool) {
        loop {
            self.space(true);
            if self.at >= self.end || self.peek() == b'}' {
                return;
            }
            let (start, depth) = (self.at, self.depth);
            if let Err(problem) = self.item(draft) {
                self.depth = depth;
                let at_limit = problem.kind == ProblemKind::Limit;
                self.note(*problem);
                if at_limit && nested {
                    // Every level above would say the same: give up this block's rest.
                    self.at = self.end;
                    return;
                }
                self.recover(start);
            }
        }
    }

    /// Moves past a broken item: to the next line that is indented no deeper than the item and begins like one.
    fn recover(&mut self, start: usize) {
        let bytes = self.text.clone();
        let bytes = bytes.as_bytes();
        let line_start = bytes[..start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let indent = start - line_start;
        let mut at = self.at.max(start + 1);
        while at < self.end {
            let Some(length) = bytes[at..self.end].iter().position(|byte| *byte == b'\n') else { break };
            at += length + 1;
            let width = bytes[at..self.end].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let first = bytes.get(at + width).copied().unwrap_or(b'\n');
            let begins_item = width <= indent && (first.is_ascii_alphabetic() || first == b'_' || first >= 0x80);
            if begins_item || (first == b'}' && width < indent) {
                self.at = at;
                return;
            }
        }
        self.at = self.end;
    }

    fn item(&mut self, draft: &mut Draft) -> Attempt<()> {
        let start = self.at;
        let Some(name) = self.identifier() else {
            if self.peek() == b'"' {
                let problem = self.fail(
                    start,
                    start + 1,
                    "an argument's name or block's type is not quoted",
                    "remove the quotes",
                );
                return Err(problem);
            }
            return Err(self.unexpected("an argument or block"));
        };
        let name_end = self.at;
        self.space(false);
        if self.peek() == b'=' && self.peek_at(1) != b'=' {
            self.at += 1;
            let attribute = self.attribute_value(name, start, name_end)?;
            if self.is_set(draft, name) {
                let message = format!("argument `{}` is set twice in one block", self.word(name));
                self.report(start, name_end, message, "keep one of them");
            }
            draft.attributes.push(attribute);
            return self.line_end("argument");
        }
        let block = self.block(name, start)?;
        draft.blocks.push(block);
        self.line_end("block")
    }

    /// Whether the body has an argument of this name already.
    fn is_set(&self, draft: &mut Draft, name: Text) -> bool {
        let word = self.word(name);
        if draft.attributes.len() < MANY_ARGUMENTS {
            return draft.attributes.iter().any(|other| self.word(other.name) == word);
        }
        if draft.names.is_empty() {
            draft.names.extend(draft.attributes.iter().map(|other| Box::from(self.word(other.name))));
        }
        !draft.names.insert(word.into())
    }

    fn attribute_value(&mut self, name: Text, start: usize, name_end: usize) -> Attempt<Attribute> {
        self.space(false);
        let value = self.expression(false)?;
        Ok(Attribute { name, start: start as u32, name_end: name_end as u32, value })
    }

    /// After an item its line must end.
    fn line_end(&mut self, what: &str) -> Attempt<()> {
        self.space(false);
        match self.peek() {
            _ if self.at >= self.end => Ok(()),
            b'\n' => Ok(()),
            b'\r' if self.peek_at(1) == b'\n' => Ok(()),
            _ => {
                let problem = self.unexpected("the end of the line");
                if !problem.message.starts_with("expected") {
                    return Err(problem);
                }
                let message = format!("{} after this {what}", problem.message);
                Err(Box::new(Problem { message, ..*problem }))
            }
        }
    }

    fn block(&mut self, kind: Text, start: usize) -> Attempt<Block> {
        let mut labels = Vec::new();
        loop {
            self.space(false);
            match self.peek() {
                b'{' => break,
                b'"' => {
                    let label = self.at;
                    match self.quoted()? {
                        ExprKind::String(text) => labels.push(text),
                        _ => {
                            return Err(self.fail(
                                label,
                                self.at,
                                "a block's label can't hold interpolation",
                                "write the label out",
                            ));
                        }
                    }
                }
                _ => match self.identifier() {
                    Some(label) => labels.push(label),
                    None => {
                        let wanted = if labels.is_empty() { "`=` or `{` after the name" } else { "`{` or a label" };
                        return Err(self.unexpected(wanted));
                    }
                },
            }
        }
        let open = self.at;
        self.at += 1;
        let header_end = self.at as u32;
        self.deeper()?;
        let labels_at = self.file.labels.len() as u32;
        self.file.labels.extend_from_slice(&labels);
        let labels = List { start: labels_at, len: labels.len() as u32 };
        let mut draft = Draft::default();
        self.space(false);
        let one_line = self.at < self.end && !matches!(self.peek(), b'\n' | b'\r');
        if one_line {
            self.one_line_body(&mut draft)?;
        } else {
            self.items(&mut draft, true);
            if self.peek() != b'}' && self.problems.last().is_none_or(|last| last.kind != ProblemKind::Limit) {
                self.report(start, open + 1, "this block is never closed", "add the missing `}`");
            }
        }
        self.at = (self.at + 1).min(self.end);
        let end = self.at as u32;
        self.depth -= 1;
        let body = self.finish_body(draft);
        Ok(Block { kind, labels, start: start as u32, header_end, end, body })
    }

    /// `{ name = value }` or `{}` on the line of its header, as the grammar has it: one argument at most and no block.
    fn one_line_body(&mut self, draft: &mut Draft) -> Attempt<()> {
        if self.peek() == b'}' {
            return Ok(());
        }
        let start = self.at;
        let Some(name) = self.identifier() else { return Err(self.unexpected("an argument or `}`")) };
        let name_end = self.at;
        self.space(false);
        if self.peek() != b'=' || self.peek_at(1) == b'=' {
            return Err(self.fail(start, self.at, "a block inside a one-line block", "put it on lines of its own"));
        }
        self.at += 1;
        let attribute = self.attribute_value(name, start, name_end)?;
        draft.attributes.push(attribute);
        self.space(false);
        match self.peek() {
            b'}' => Ok(()),
            _ => Err(self.unexpected("`}`: a one-line block holds a single argument")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_would_be_told_of_is_an_error_of_an_expression_too() {
        let text = "<<EOT\na\rb\nEOT";
        assert_eq!(parse(FileId(0), format!("a = {text}\n").into()).problems.len(), 1);
        assert!(parse_expression(FileId(0), text.into()).is_err());
    }
}
