//! Terraform's JSON syntax: `.tf.json` and `.tfvars.json` into the same arena as native files.
//!
//! Top-level properties become blocks by Terraform's own schema (types and numbers of labels); what lies in a block stays an
//! object expression, whose strings are templates. An array of objects stands for several blocks. Variable files and what a
//! variable is declared with hold no templates: their strings mean what they say, and that of a `type` is an expression.

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
    let strings = if variables { Strings::Literals } else { Strings::File };
    match parser.json_object(0, strings) {
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

/// What strings mean at a place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strings {
    /// Templates: the whole file, where `variable` and `output` begin something of their own.
    File,
    /// The names of variables or outputs lie here.
    Names {
        is_variable: bool,
    },
    /// The arguments of one lie here.
    Arguments {
        is_variable: bool,
    },
    Templates,
    Literals,
    /// An expression that names a type.
    Type,
}

impl Strings {
    /// What they mean in the value of a property.
    fn of_property(self, name: &str) -> Strings {
        match (self, name) {
            (Strings::File, "variable") => Strings::Names { is_variable: true },
            (Strings::File, "output") => Strings::Names { is_variable: false },
            (Strings::Names { is_variable }, _) => Strings::Arguments { is_variable },
            (Strings::Arguments { is_variable: true }, "type") => Strings::Type,
            (Strings::Arguments { is_variable: true }, "default") => Strings::Literals,
            (Strings::Arguments { .. }, "description") => Strings::Literals,
            (Strings::Literals, _) => Strings::Literals,
            _ => Strings::Templates,
        }
    }
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

    fn json_object(&mut self, depth: u32, strings: Strings) -> Attempt<Vec<Entry>> {
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
            let value = self.json_value(depth + 1, strings.of_property(&name))?;
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

    fn json_value(&mut self, depth: u32, strings: Strings) -> Attempt<ExprId> {
        self.json_space();
        let start = self.at;
        match self.peek() {
            b'{' => {
                let entries = self.json_object(depth, strings)?;
                let mut items = Vec::with_capacity(entries.len() * 2);
                for entry in entries {
                    let end = std::mem::replace(&mut self.at, entry.attribute.name_end as usize);
                    let key = match strings {
                        Strings::Literals => ExprKind::String(entry.attribute.name),
                        _ => self.json_template(entry.attribute.start as usize, &entry.name)?,
                    };
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
                        items.push(self.json_value(depth + 1, strings)?);
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
                let kind = match strings {
                    Strings::Literals => ExprKind::String(self.pooled(&text)),
                    Strings::Type => self.json_type(start, &text),
                    _ => self.json_template(start, &text)?,
                };
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

    /// Parses a string's text as a template.
    fn json_template(&mut self, start: usize, text: &str) -> Attempt<ExprKind> {
        let pooled = self.pooled(text);
        if !text.contains("${") && !text.contains("%{") {
            return Ok(ExprKind::String(pooled));
        }
        self.within(start, pooled, text, Parser::whole_template)
    }

    /// Parses a string's text as a type. What is none is told, and taken for any type.
    fn json_type(&mut self, start: usize, text: &str) -> ExprKind {
        let pooled = self.pooled(text);
        let kind = self.within(start, pooled, text, |parser| {
            parser.space(true);
            let expr = parser.expression(false)?;
            parser.space(true);
            match parser.at < parser.end {
                true => Err(parser.fail(parser.at, parser.at + 1, "unexpected text after the type", "remove it")),
                false => Ok(parser.file.expr(expr).kind),
            }
        });
        kind.unwrap_or_else(|problem| {
            self.note(*problem);
            ExprKind::Variable(self.pooled("any"))
        })
    }

    /// Parses the text of a string; every part of it stands where the string does.
    fn within(
        &mut self,
        start: usize,
        pooled: Text,
        text: &str,
        parse: impl FnOnce(&mut Parser) -> Attempt<ExprKind>,
    ) -> Attempt<ExprKind> {
        let outer = (self.text.clone(), self.at, self.end, self.pool_base, self.fixed, self.no_comment_end);
        self.fixed = Some((start as u32, self.at as u32));
        self.pool_base = Some(pooled.start & !Text::POOLED);
        self.text = text.into();
        self.at = 0;
        self.end = text.len();
        self.no_comment_end = usize::MAX;
        let result = parse(self);
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
            ExprKind::Object(_) => {
                let mut inner = Draft::default();
                for attribute in self.json_properties(value) {
                    match known.body.block(self.file.text(attribute.name)) {
                        Some(known) => self.json_blocks(&mut inner, &attribute, known, 0, &[], attribute.value),
                        None if known.takes_dynamic() => self.json_item(&mut inner, attribute),
                        None => inner.attributes.push(attribute),
                    }
                }
                self.json_block(draft, property.name, taken, (start, end), inner);
            }
            _ => self.report(
                start as usize,
                end as usize,
                format!("`{}` wants an object here", known.name),
                "see the JSON syntax of Terraform",
            ),
        }
    }

    fn json_block(&mut self, draft: &mut Draft, kind: Text, taken: &[Text], (start, end): (u32, u32), inner: Draft) {
        let body = self.finish_body(inner);
        let labels_at = self.file.labels.len() as u32;
        self.file.labels.extend_from_slice(taken);
        let labels = List { start: labels_at, len: taken.len() as u32 };
        let header_end = self.text[start as usize..end as usize].find('\n').map_or(end, |at| start + at as u32);
        draft.blocks.push(Block { kind, labels, start, header_end, end, body });
    }

    /// A property of a body that a provider defines: an argument, or blocks. Which of the two only the provider knows; but
    /// where `dynamic` stands in it, it is blocks.
    fn json_item(&mut self, draft: &mut Draft, property: Attribute) {
        if self.is_dynamic(&property) {
            return self.json_dynamic(draft, &property);
        }
        let objects = self.json_objects(property.value);
        let holds_dynamic = |object: &ExprId| self.json_properties(*object).iter().any(|one| self.is_dynamic(one));
        match objects.iter().any(holds_dynamic) {
            true => objects.iter().for_each(|object| self.json_nested(draft, property.name, *object)),
            false => draft.attributes.push(property),
        }
    }

    /// Whether a property is what its name says, and no tag of that name.
    fn is_dynamic(&self, property: &Attribute) -> bool {
        if self.file.text(property.name) != "dynamic" {
            return false;
        }
        let is_there = |object: &ExprId, name: &str| {
            self.json_properties(*object).iter().any(|one| self.file.text(one.name) == name)
        };
        let kinds = self.json_objects(property.value).into_iter().flat_map(|kinds| self.json_properties(kinds));
        let mut bodies = kinds.flat_map(|kind| self.json_objects(kind.value));
        bodies.any(|body| is_there(&body, "for_each") && is_there(&body, "content"))
    }

    /// `"dynamic": {"ingress": {"for_each": …, "content": {…}}}` as the blocks of native syntax.
    fn json_dynamic(&mut self, draft: &mut Draft, property: &Attribute) {
        for kinds in self.json_objects(property.value) {
            for kind in self.json_properties(kinds) {
                for object in self.json_objects(kind.value) {
                    let Expr { start, end, .. } = *self.file.expr(object);
                    let mut inner = Draft::default();
                    for argument in self.json_properties(object) {
                        if self.file.text(argument.name) != "content" {
                            inner.attributes.push(argument);
                            continue;
                        }
                        for content in self.json_objects(argument.value) {
                            self.json_nested(&mut inner, argument.name, content);
                        }
                    }
                    self.json_block(draft, property.name, &[kind.name], (start, end), inner);
                }
            }
        }
    }

    fn json_nested(&mut self, draft: &mut Draft, kind: Text, object: ExprId) {
        let Expr { start, end, .. } = *self.file.expr(object);
        let mut inner = Draft::default();
        for property in self.json_properties(object) {
            self.json_item(&mut inner, property);
        }
        self.json_block(draft, kind, &[], (start, end), inner);
    }

    /// An object, or those of an array.
    fn json_objects(&self, value: ExprId) -> Vec<ExprId> {
        let items = match self.file.expr(value).kind {
            ExprKind::Tuple(items) => self.file.exprs(items),
            _ => &[value],
        };
        let is_object = |item: &&ExprId| matches!(self.file.expr(**item).kind, ExprKind::Object(_));
        items.iter().filter(is_object).copied().collect()
    }

    fn json_properties(&self, object: ExprId) -> Vec<Attribute> {
        let ExprKind::Object(items) = self.file.expr(object).kind else { return Vec::new() };
        let property = |pair: &[ExprId]| match (self.file.expr(pair[0]), pair[1]) {
            (Expr { start, end, kind: ExprKind::String(name) }, value) => {
                Some(Attribute { name: *name, start: *start, name_end: *end, value })
            }
            _ => None,
        };
        self.file.exprs(items).chunks(2).filter_map(property).collect()
    }
}
