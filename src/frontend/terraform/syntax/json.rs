//! Terraform's JSON syntax: `.tf.json` and `.tfvars.json` into the same arena as native files.
//!
//! Top-level properties become blocks by Terraform's own schema (types and numbers of labels); what lies in a block stays an
//! object expression, whose strings are templates. An array of objects stands for several blocks.

use std::sync::Arc;

use super::ast::*;
use super::parser::{Attempt, Draft, MAX_DEPTH, Parsed, Parser};
use crate::frontend::terraform::language::{BlockType, FILE};
use crate::source::FileId;

/// Parses a file in JSON syntax; `variables` for `.tfvars.json`, whose properties are plain values.
pub fn parse_json(id: FileId, text: Arc<str>, variables: bool) -> Parsed {
    let mut parser = Parser::new(id, text);
    let mut draft = Draft::default();
    parser.json_space();
    match parser.json_object(0) {
        Ok(entries) => {
            parser.json_space();
            if parser.at < parser.end {
                parser.report(parser.at, parser.at + 1, "unexpected text after the JSON document", "remove it");
            }
            for entry in entries {
                match FILE.block(&entry.name).filter(|_| !variables) {
                    Some(known) => parser.json_blocks(&mut draft, &entry.attribute, known, 0, &[], entry.value),
                    None => draft.attributes.push(entry.attribute),
                }
            }
        }
        Err(problem) => parser.note(*problem),
    }
    let root = parser.finish_body(draft);
    parser.file.root = root;
    parser.done()
}

/// A property of a JSON object.
struct Entry {
    name: String,
    attribute: Attribute,
    value: ExprId,
}

impl Parser {
    fn json_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn json_wrong(&self, message: &str) -> Box<crate::problem::Problem> {
        self.fail(self.at, self.at + 1, message, "mend the JSON")
    }

    fn json_object(&mut self, depth: u32) -> Attempt<Vec<Entry>> {
        let open = self.at;
        if self.peek() != b'{' {
            return Err(self.json_wrong("expected a JSON object"));
        }
        if depth > MAX_DEPTH {
            let mut problem = self.json_wrong("JSON nested too deep");
            problem.kind = crate::problem::ProblemKind::Limit;
            return Err(problem);
        }
        self.at += 1;
        let mut entries = Vec::new();
        self.json_space();
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(entries);
        }
        loop {
            self.json_space();
            let start = self.at;
            let name = self.json_string()?;
            let name_end = self.at;
            self.json_space();
            if self.peek() != b':' {
                return Err(self.json_wrong("expected `:` after a property's name"));
            }
            self.at += 1;
            let value = self.json_value(depth + 1)?;
            let text = self.pooled(&name);
            let attribute = Attribute { name: text, start: start as u32, name_end: name_end as u32, value };
            // `//` is the comment of the JSON syntax.
            if name != "//" {
                entries.push(Entry { name, attribute, value });
            }
            self.json_space();
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(entries);
                }
                _ => {
                    self.close(b'}', open)?;
                }
            }
        }
    }

    /// A string's value, escapes resolved.
    fn json_string(&mut self) -> Attempt<String> {
        let start = self.at;
        if self.peek() != b'"' {
            return Err(self.json_wrong("expected a string in double quotes"));
        }
        self.at += 1;
        loop {
            match self.peek() {
                _ if self.at >= self.end => {
                    return Err(self.fail(start, start + 1, "this string is never closed", "add the quote"));
                }
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let end = self.at.min(self.end);
        serde_json::from_str(&self.text[start..end])
            .map_err(|error| self.fail(start, end, format!("{error}"), "mend the string"))
    }

    fn json_value(&mut self, depth: u32) -> Attempt<ExprId> {
        self.json_space();
        let start = self.at;
        match self.peek() {
            b'{' => {
                let entries = self.json_object(depth)?;
                let mut items = Vec::with_capacity(entries.len() * 2);
                for entry in entries {
                    let end = std::mem::replace(&mut self.at, entry.attribute.name_end as usize);
                    let key = self.json_template(entry.attribute.start as usize, &entry.name)?;
                    items.push(self.push(entry.attribute.start as usize, key));
                    self.at = end;
                    items.push(entry.value);
                }
                let items = self.list(&items);
                Ok(self.push(start, ExprKind::Object(items)))
            }
            b'[' => {
                if depth > MAX_DEPTH {
                    let mut problem = self.json_wrong("JSON nested too deep");
                    problem.kind = crate::problem::ProblemKind::Limit;
                    return Err(problem);
                }
                self.at += 1;
                let mut items = Vec::new();
                self.json_space();
                if self.peek() != b']' {
                    loop {
                        items.push(self.json_value(depth + 1)?);
                        self.json_space();
                        if self.peek() != b',' {
                            break;
                        }
                        self.at += 1;
                    }
                }
                self.close(b']', start)?;
                let items = self.list(&items);
                Ok(self.push(start, ExprKind::Tuple(items)))
            }
            b'"' => {
                let text = self.json_string()?;
                let kind = self.json_template(start, &text)?;
                Ok(self.push(start, kind))
            }
            _ => {
                while self.peek().is_ascii_alphanumeric() || matches!(self.peek(), b'-' | b'+' | b'.') {
                    self.at += 1;
                }
                let kind = match &self.text[start..self.at] {
                    "true" => ExprKind::Bool(true),
                    "false" => ExprKind::Bool(false),
                    "null" => ExprKind::Null,
                    number if serde_json::from_str::<f64>(number).is_ok() => {
                        ExprKind::Number(self.source_text(start, self.at))
                    }
                    _ => {
                        self.at = start;
                        return Err(self.json_wrong("expected a JSON value"));
                    }
                };
                Ok(self.push(start, kind))
            }
        }
    }

    /// Parses a string's text as a template; every part of it stands where the string does.
    fn json_template(&mut self, start: usize, text: &str) -> Attempt<ExprKind> {
        let pooled = self.pooled(text);
        if !text.contains("${") && !text.contains("%{") {
            return Ok(ExprKind::String(pooled));
        }
        let outer = (self.text.clone(), self.at, self.end, self.pool_base, self.fixed, self.no_comment_end);
        self.fixed = Some((start as u32, self.at as u32));
        self.pool_base = Some(pooled.start & !Text::POOLED);
        self.text = text.into();
        self.at = 0;
        self.end = text.len();
        self.no_comment_end = usize::MAX;
        let result = self.whole_template();
        (self.text, self.at, self.end, self.pool_base, self.fixed, self.no_comment_end) = outer;
        result
    }

    /// Turns a property's value into blocks: one level of objects a label, arrays into several blocks.
    fn json_blocks(
        &mut self,
        draft: &mut Draft,
        property: &Attribute,
        known: &'static BlockType,
        depth: usize,
        taken: &[Text],
        value: ExprId,
    ) {
        let Expr { start, end, kind } = *self.file.expr(value);
        match kind {
            ExprKind::Tuple(items) => {
                for item in self.file.exprs(items).to_vec() {
                    self.json_blocks(draft, property, known, depth, taken, item);
                }
            }
            ExprKind::Object(items) if depth < known.labels.len() => {
                for pair in self.file.exprs(items).to_vec().chunks(2) {
                    if let ExprKind::String(label) = self.file.expr(pair[0]).kind {
                        let taken: Vec<Text> = taken.iter().copied().chain([label]).collect();
                        self.json_blocks(draft, property, known, depth + 1, &taken, pair[1]);
                    }
                }
            }
            ExprKind::Object(items) => {
                let mut inner = Draft::default();
                for pair in self.file.exprs(items).to_vec().chunks(2) {
                    let Expr { start, end, kind } = *self.file.expr(pair[0]);
                    let ExprKind::String(name) = kind else { continue };
                    let attribute = Attribute { name, start, name_end: end, value: pair[1] };
                    match known.body.block(self.file.text(name)) {
                        Some(known) => self.json_blocks(&mut inner, &attribute, known, 0, &[], pair[1]),
                        None => inner.attributes.push(attribute),
                    }
                }
                let body = self.finish_body(inner);
                let labels_at = self.file.labels.len() as u32;
                self.file.labels.extend_from_slice(taken);
                let labels = List { start: labels_at, len: taken.len() as u32 };
                let header_end = self.text[start as usize..end as usize].find('\n').map_or(end, |at| start + at as u32);
                draft.blocks.push(Block { kind: property.name, labels, start, header_end, end, body });
            }
            _ => self.report(
                start as usize,
                end as usize,
                format!("`{}` wants an object here", known.name),
                "see the JSON syntax of Terraform",
            ),
        }
    }
}
