//! What all of the parser stands on: bytes, blanks and comments, words, problems, and new nodes in the arena.

use super::ast::*;
use super::parser::{Attempt, MAX_DEPTH, MAX_PROBLEMS, Parser};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

impl Parser {
    pub(super) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    pub(super) fn peek(&self) -> u8 {
        self.peek_at(0)
    }

    /// The byte `ahead` of the current one; zero past the end.
    pub(super) fn peek_at(&self, ahead: usize) -> u8 {
        let at = self.at + ahead;
        if at < self.end { self.bytes()[at] } else { 0 }
    }

    pub(super) fn fail(&self, start: usize, end: usize, message: impl Into<String>, help: &str) -> Box<Problem> {
        // Whole characters, whatever byte the parser stumbled over.
        let is_boundary = |at: &usize| self.text.is_char_boundary(*at);
        let start = (0..=start.min(self.end)).rev().find(is_boundary).unwrap_or(0);
        let end = (end.min(self.end)..=self.text.len()).find(is_boundary).unwrap_or(self.text.len());
        let (start, end) = self.fixed.unwrap_or((start as u32, end as u32));
        Box::new(Problem::at(ProblemKind::Syntax, Span::new(self.file.id, start, end), message).help(help))
    }

    pub(super) fn report(&mut self, start: usize, end: usize, message: impl Into<String>, help: &str) {
        self.note(*self.fail(start, end, message, help));
    }

    pub(super) fn note(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        } else {
            self.untold += 1;
        }
    }

    pub(super) fn unexpected(&self, wanted: &str) -> Box<Problem> {
        if self.peek() == b'/' && self.peek_at(1) == b'*' {
            return self.fail(self.at, self.at + 2, "this comment is never closed", "add `*/` where it ends");
        }
        let width = self.text[self.at.min(self.end)..].chars().next().map_or(0, char::len_utf8);
        let found = match self.text[self.at.min(self.end)..self.end].chars().next() {
            None => "the end of the file".to_string(),
            Some('\n' | '\r') => "the end of the line".to_string(),
            Some(char) => format!("`{}`", char.escape_default()),
        };
        self.fail(self.at, self.at + width, format!("expected {wanted}, found {found}"), "complete or correct the line")
    }

    /// One level deeper; refuses at the limit.
    pub(super) fn deeper(&mut self) -> Attempt<()> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        let (start, end) = self.fixed.unwrap_or((self.at as u32, self.at as u32 + 1));
        let message = format!("nested more than {MAX_DEPTH} levels deep");
        let problem = Problem::at(ProblemKind::Limit, Span::new(self.file.id, start, end), message);
        Err(Box::new(problem.help("split the expression with locals")))
    }

    /// Skips blanks and comments, and line ends too if `lines`.
    pub(super) fn space(&mut self, lines: bool) {
        loop {
            let bytes = self.bytes().get(..self.end).unwrap_or(&[]);
            let mut at = self.at;
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b' ' | b'\t' => {}
                    b'\n' if lines => {}
                    // A carriage return is a part of a line's end and nothing else.
                    b'\r' if lines && bytes.get(at + 1) == Some(&b'\n') => {}
                    _ => break,
                }
                at += 1;
            }
            self.at = at;
            match (self.peek(), self.peek_at(1)) {
                (b'#', _) | (b'/', b'/') => self.line_comment(),
                (b'/', b'*') if self.block_comment() => {}
                _ => return,
            }
        }
    }

    /// Passes a comment up to its `*/`; false if there is none.
    fn block_comment(&mut self) -> bool {
        let start = self.at;
        if start + 2 >= self.no_comment_end {
            return false;
        }
        let Some(length) = self.text.get(start + 2..self.end).and_then(|rest| rest.find("*/")) else {
            self.no_comment_end = start + 2;
            return false;
        };
        self.at = start + 2 + length + 2;
        self.comment(start);
        true
    }

    fn line_comment(&mut self) {
        let start = self.at;
        let rest = &self.bytes()[start..self.end];
        self.at = start + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        if self.at > start && self.bytes()[self.at - 1] == b'\r' && self.at < self.end {
            self.at -= 1;
        }
        self.comment(start);
    }

    fn comment(&mut self, start: usize) {
        // Looking ahead may pass a comment twice.
        let is_new = self.file.comments.last().is_none_or(|(last, _)| (*last as usize) < start);
        if self.fixed.is_none() && is_new {
            self.file.comments.push((start as u32, self.at as u32));
        }
    }

    /// Reads an identifier: letters, digits, `_` and `-`, by Unicode's rules.
    pub(super) fn identifier(&mut self) -> Option<Text> {
        let start = self.at;
        let first = self.peek();
        if first.is_ascii_alphabetic() || first == b'_' {
            self.at += 1;
        } else if first >= 0x80 {
            let char = self.text[self.at..self.end].chars().next()?;
            if !unicode_ident::is_xid_start(char) {
                return None;
            }
            self.at += char.len_utf8();
        } else {
            return None;
        }
        loop {
            let rest = &self.bytes()[self.at..self.end];
            let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            let width = rest.iter().position(|byte| !goes_on(byte)).unwrap_or(rest.len());
            self.at += width;
            if self.peek() < 0x80 {
                break;
            }
            match self.text[self.at..self.end].chars().next() {
                Some(char) if unicode_ident::is_xid_continue(char) => self.at += char.len_utf8(),
                _ => break,
            }
        }
        Some(self.source_text(start, self.at))
    }

    pub(super) fn source_text(&self, start: usize, end: usize) -> Text {
        match self.pool_base {
            None => Text { start: start as u32, end: end as u32 },
            Some(base) => Text { start: (base + start as u32) | Text::POOLED, end: base + end as u32 },
        }
    }

    pub(super) fn pooled(&mut self, text: &str) -> Text {
        let start = self.file.pool.len() as u32;
        self.file.pool.push_str(text);
        Text { start: start | Text::POOLED, end: self.file.pool.len() as u32 }
    }

    pub(super) fn word(&self, text: Text) -> &str {
        self.file.text(text)
    }

    /// Whether the keyword `word` stands here as a whole identifier.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let before = self.at;
        match self.identifier() {
            Some(text) if self.word(text) == word => true,
            _ => {
                self.at = before;
                false
            }
        }
    }

    /// Expects a closing bracket; `open` is where its partner stands.
    pub(super) fn close(&mut self, bracket: u8, open: usize) -> Attempt<()> {
        if self.peek() == bracket {
            self.at += 1;
            return Ok(());
        }
        let wanted = match self.fixed {
            None => format!("`{}` for the bracket opened on line {}", bracket as char, self.line(open)),
            Some(_) => format!("`{}`", bracket as char),
        };
        Err(self.unexpected(&wanted))
    }

    /// The line of a place, counted on from the last one that was asked for.
    fn line(&mut self, at: usize) -> usize {
        let (known, line) = if self.line_at.0 <= at { self.line_at } else { (0, 1) };
        let between = self.bytes().get(known..at).unwrap_or(&[]);
        self.line_at = (at, line + between.iter().filter(|byte| **byte == b'\n').count());
        self.line_at.1
    }

    pub(super) fn push(&mut self, start: usize, kind: ExprKind) -> ExprId {
        let (start, end) = self.fixed.unwrap_or((start as u32, self.at as u32));
        self.file.exprs.push(Expr { start, end, kind });
        ExprId(self.file.exprs.len() as u32 - 1)
    }

    pub(super) fn list(&mut self, items: &[ExprId]) -> List {
        let start = self.file.expr_lists.len() as u32;
        self.file.expr_lists.extend_from_slice(items);
        List { start, len: items.len() as u32 }
    }
}
