//! YAML and JSON texts as nodes of the common model, read as `kubectl` reads them.
//!
//! `kubectl` splits a file at lines that begin with `---` and reads each piece with sigs.k8s.io/yaml, which is go-yaml v2: YAML
//! 1.1 scalars, the last of equal keys, keys turned into strings. Each piece is parsed on its own, so a broken one loses only
//! itself.

pub mod block;
mod hygiene;
mod pieces;
mod scalar;

use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span as YamlSpan};
use rustc_hash::FxHashMap;

pub use hygiene::tab_lines;
pub use scalar::resolve;

use crate::model::{Entry, Names, Node, Observation, Value};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Span};

/// Nodes that the aliases of one document may stand for together; more is a bomb.
const MAX_ALIASED: usize = 200_000;

/// Lines of quoted scalars in one document that may be indented too little.
const MAX_PADS: usize = 64;

/// Bytes that are parsed again for such lines, each of which costs the whole document.
const MAX_REPARSED: usize = 32 << 20;

/// What such a line is indented by: go-yaml asks for no depth, the specification and the parser do. It is folded away.
const PAD: &str = "                                                                ";

/// Whose reader a text is read like, where they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// kubectl: go-yaml v2.
    Kubectl,
    /// Docker Compose: go-yaml v3, for which `yes`, `on` and their like are text and keys that are written win over merged ones.
    Compose,
    /// Helm's values: as kubectl, by sigs.k8s.io/yaml.
    Helm,
    /// GitHub's workflows and actions: YAML 1.2, so that `yes` and `on` are text and a leading zero means nothing.
    GitHub,
}

impl Dialect {
    /// Whether `yes`, `on` and their like are booleans.
    fn has_words(self) -> bool {
        matches!(self, Dialect::Kubectl | Dialect::Helm)
    }

    /// What becomes of a key that stands twice.
    fn of_duplicates(self) -> &'static str {
        match self {
            Dialect::Kubectl => "kubectl silently keeps the last",
            Dialect::Helm => "Helm silently keeps the last",
            Dialect::Compose => "Compose refuses the file",
            Dialect::GitHub => "GitHub refuses the file",
        }
    }
}

/// One document of a file.
#[derive(Debug)]
pub struct Document {
    /// Its value; documents without content are left out.
    pub root: Node,
    /// From its first to its last byte, without the separators.
    pub span: Span,
}

/// What a text holds.
#[derive(Debug, Default)]
pub struct Documents {
    /// The documents that could be read.
    pub documents: Vec<Document>,
    /// Those that could not.
    pub problems: Vec<Problem>,
    /// Duplicate keys, and scalars that mean something else than they look like.
    pub observations: Vec<Observation>,
    /// Every comment with its `#`.
    pub comments: Vec<Span>,
    /// Keys whose value has a tag of the application's own (`!reset`), with the tag's name.
    pub tagged: Vec<(Span, String)>,
}

/// Reads all documents of a text as kubectl does.
pub fn read(file: FileId, text: &str) -> Documents {
    read_as(file, text, Dialect::Kubectl)
}

/// Reads all documents of a text.
pub fn read_as(file: FileId, text: &str, dialect: Dialect) -> Documents {
    let mut out = Documents::default();
    let mut names = Names::default();
    let mut last = 0;
    for (start, end) in pieces::pieces(text) {
        // The comment beside a document mark, which is in no piece.
        let mark = &text[last..start];
        if let Some(at) = mark.find('#') {
            out.comments.push(Span::new(file, (last + at) as u32, (last + mark.trim_end().len()) as u32));
        }
        last = end;
        if text[start..end].trim().is_empty() {
            continue;
        }
        let mut reader = Reader {
            file,
            dialect,
            base: start,
            text: &text[start..end],
            out: &mut out,
            names: &mut names,
            padded: Vec::new(),
            anchors: FxHashMap::default(),
            aliased: 0,
        };
        match reader.document() {
            Ok(Some(root)) => {
                let lead = text[start..end].len() - text[start..end].trim_start().len();
                let trail = text[start..end].trim_end().len();
                let span = Span::new(file, (start + lead) as u32, (start + trail.max(lead)) as u32);
                out.documents.push(Document { root, span });
            }
            Ok(None) => {}
            Err(problem) => out.problems.push(*problem),
        }
    }
    out
}

/// A collection while its parts are read.
enum Frame {
    List {
        items: Vec<Node>,
        start: Span,
        anchor: usize,
    },
    Map {
        entries: Vec<Entry>,
        seen: FxHashMap<Arc<str>, usize>,
        key: Option<(Arc<str>, Span, bool)>,
        merges: Vec<Node>,
        start: Span,
        anchor: usize,
    },
}

struct Reader<'t, 'o> {
    file: FileId,
    dialect: Dialect,
    base: usize,
    text: &'t str,
    out: &'o mut Documents,
    /// The keys of the file: a manifest repeats few.
    names: &'o mut Names,
    /// Where blanks were put into the text that is parsed, in its own offsets, in order.
    padded: Vec<usize>,
    anchors: FxHashMap<usize, (Node, usize)>,
    aliased: usize,
}

type Attempt<T> = Result<T, Box<Problem>>;

impl Reader<'_, '_> {
    fn span(&self, span: &YamlSpan) -> Span {
        let start = span.start.byte_offset().unwrap_or(0);
        let end = span.end.byte_offset().unwrap_or(start).max(start);
        Span::new(self.file, self.offset(start), self.offset(end))
    }

    /// The offset in the file of one in the text as it is parsed.
    fn offset(&self, at: usize) -> u32 {
        let before = self.padded.iter().take_while(|pad| **pad < at);
        let added: usize = before.map(|pad| PAD.len().min(at - pad)).sum();
        (self.base + at - added) as u32
    }

    fn wrong(&self, kind: ProblemKind, span: Span, message: impl Into<String>, help: &str) -> Box<Problem> {
        Box::new(Problem::at(kind, span, message).help(help))
    }

    fn document(&mut self) -> Attempt<Option<Node>> {
        let text = self.text;
        if let Some(at) = text.find('\0') {
            let at = (self.base + at) as u32;
            return Err(self.wrong(
                ProblemKind::Syntax,
                Span::new(self.file, at, at + 1),
                "a NUL character in YAML",
                "remove it",
            ));
        }
        let before = (self.out.comments.len(), self.out.observations.len(), self.out.tagged.len());
        let mut padded = pieces::with_known_breaks(text, self.dialect);
        loop {
            let mut underindented = None;
            match self.parse(&padded, &mut underindented) {
                Err(_)
                    if let Some(at) = underindented
                        && self.padded.len() < MAX_PADS
                        && (self.padded.len() + 1) * text.len() <= MAX_REPARSED =>
                {
                    self.padded.push(at);
                    padded.to_mut().insert_str(at, PAD);
                    self.out.comments.truncate(before.0);
                    self.out.observations.truncate(before.1);
                    self.out.tagged.truncate(before.2);
                    self.anchors.clear();
                    self.aliased = 0;
                }
                result => return result,
            }
        }
    }

    /// Parses a text; a continuation of a quoted scalar that is not indented deeper than what holds it is told by its offset.
    fn parse(&mut self, text: &str, underindented: &mut Option<usize>) -> Attempt<Option<Node>> {
        let mut frames: Vec<Frame> = Vec::new();
        let mut root = None;
        // What begins with a brace is read as JSON, which knows the escape.
        let knows_no_slash = self.dialect.has_words() && !text.trim_start().starts_with('{');
        for next in Parser::new_from_str(text) {
            let (event, yaml_span) = match next {
                Ok(next) => next,
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
                    *underindented = matches!(error.kind(), ErrorKind::InvalidQuotedScalarIndent).then_some(at);
                    let at = self.offset(at);
                    let is_limit = matches!(
                        error.kind(),
                        ErrorKind::RecursionLimitExceeded
                            | ErrorKind::TooManyComments
                            | ErrorKind::AnchorCountOverflow
                            | ErrorKind::InputByteLimitExceeded { .. }
                            | ErrorKind::DirectiveByteLimitExceeded { .. }
                            | ErrorKind::TooManyReservedDirectiveParams { .. }
                    );
                    let kind = if is_limit { ProblemKind::Limit } else { ProblemKind::Syntax };
                    let message = format!("not valid YAML: {}", error.info());
                    return Err(self.wrong(
                        kind,
                        Span::new(self.file, at, at),
                        message,
                        "mend the document; the others of the file are judged",
                    ));
                }
            };
            let span = self.span(&yaml_span);
            match event {
                Event::Comment(..) => self.out.comments.push(span),
                // Lines of nothing but `---` have parted the documents already.
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(self.wrong(
                        ProblemKind::Syntax,
                        span,
                        "a document begins on the line of its `---`, which does not part it from the last one",
                        "put `---` on a line of its own; nothing of both documents is judged",
                    ));
                }
                Event::Scalar(text, style, anchor, tag) => {
                    if style == ScalarStyle::DoubleQuoted && knows_no_slash && self.escapes_slash(span) {
                        return Err(self.wrong(
                            ProblemKind::Syntax,
                            span,
                            "unknown escape `\\/` in a quoted text, which kubectl refuses",
                            "write `/` alone",
                        ));
                    }
                    let tag = tag.map(|tag| tag.suffix().to_string());
                    let is_plain = style == ScalarStyle::Plain;
                    let is_key = matches!(frames.last(), Some(Frame::Map { key: None, .. }));
                    self.mark(&frames, tag.as_deref());
                    let value = resolve(&text, is_plain, tag.as_deref());
                    let value = value.map_err(|message| {
                        self.wrong(ProblemKind::Syntax, span, message, "write a value that JSON can hold")
                    })?;
                    let value = match value {
                        Value::Bool(_) if !self.dialect.has_words() && is_plain && !hygiene::is_core_boolean(&text) => {
                            Value::String(text.as_ref().into())
                        }
                        value => value,
                    };
                    if is_plain && tag.is_none() {
                        let seen = match is_key {
                            true => hygiene::look_at_key(&text, &value, span),
                            false => hygiene::look_at(&text, &value, span, &frames, self.dialect),
                        };
                        self.out.observations.extend(seen);
                    }
                    let node = Node::new(value, span);
                    self.anchor(anchor, &node, 1);
                    self.place(&mut frames, &mut root, node, is_plain && &*text == "<<")?;
                }
                Event::SequenceStart(_, anchor, tag) => {
                    self.mark(&frames, tag.as_deref().map(|tag| tag.suffix()));
                    frames.push(Frame::List { items: Vec::new(), start: span, anchor })
                }
                Event::MappingStart(_, anchor, tag) => {
                    self.mark(&frames, tag.as_deref().map(|tag| tag.suffix()));
                    frames.push(Frame::Map {
                        entries: Vec::new(),
                        seen: FxHashMap::default(),
                        key: None,
                        merges: Vec::new(),
                        start: span,
                        anchor,
                    });
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(frame) = frames.pop() else { continue };
                    let (node, anchor) = self.close(frame, span);
                    if anchor > 0 {
                        let size = size(&node);
                        self.anchor(anchor, &node, size);
                    }
                    self.place(&mut frames, &mut root, node, false)?;
                }
                Event::Alias(id) => {
                    let Some((node, size)) = self.anchors.get(&id).cloned() else {
                        return Err(self.wrong(
                            ProblemKind::Syntax,
                            span,
                            "an alias inside its own anchor",
                            "name another anchor",
                        ));
                    };
                    self.aliased += size;
                    if self.aliased > MAX_ALIASED {
                        let message = format!("aliases stand for more than {MAX_ALIASED} values");
                        return Err(self.wrong(
                            ProblemKind::Limit,
                            span,
                            message,
                            "write the document out; such nesting of aliases is an attack",
                        ));
                    }
                    self.place(&mut frames, &mut root, Node { span, ..node }, false)?;
                }
                Event::UnresolvedAlias(name) => {
                    let message = format!("unknown anchor `{name}`");
                    return Err(self.wrong(ProblemKind::Syntax, span, message, "define the anchor before its use"));
                }
                _ => {}
            }
        }
        Ok(root.filter(|root: &Node| !matches!(root.value, Value::Null)))
    }

    /// Keeps a tag of the application's own, by the key of its value.
    fn mark(&mut self, frames: &[Frame], tag: Option<&str>) {
        const YAML: &[&str] = &["str", "int", "float", "bool", "null", "binary", "map", "seq", "set", "timestamp"];
        if let (Some(tag), Some(Frame::Map { key: Some((_, key, _)), .. })) = (tag, frames.last())
            && !YAML.contains(&tag)
        {
            self.out.tagged.push((*key, tag.to_string()));
        }
    }

    fn anchor(&mut self, id: usize, node: &Node, size: usize) {
        if id > 0 {
            self.anchors.insert(id, (node.clone(), size));
        }
    }

    /// Puts a finished value where it belongs: the document, a list, or a map as key or value.
    fn place(&mut self, frames: &mut [Frame], root: &mut Option<Node>, node: Node, is_merge: bool) -> Attempt<()> {
        match frames.last_mut() {
            None => *root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, seen, key, merges, .. }) => match key.take() {
                None => {
                    let Some(text) = scalar::key_text(&node.value) else {
                        return Err(self.wrong(
                            ProblemKind::Syntax,
                            node.span,
                            "a key that is not a string",
                            "quote the key",
                        ));
                    };
                    *key = Some((self.names.get(&text), node.span, is_merge));
                }
                Some((_, span, true)) => match &node.value {
                    Value::Map(_) => merges.push(node),
                    Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => {
                        // The first of a list wins, so that it is applied last.
                        merges.extend(items.iter().rev().cloned());
                    }
                    _ => {
                        return Err(self.wrong(
                            ProblemKind::Syntax,
                            span,
                            "`<<` merges a map or a list of maps",
                            "name an anchor of a map",
                        ));
                    }
                },
                Some((name, key_span, false)) => {
                    // What is missing in a block is reported at its key, not at the first thing in it.
                    let is_block = matches!(node.value, Value::Map(_) | Value::List(_));
                    let span = if is_block { key_span.to(node.span) } else { node.span };
                    let node = Node { span, ..node };
                    if let Some(index) = seen.get(&name) {
                        // As kubectl does: the last one counts, silently.
                        let message =
                            format!("key \"{name}\" stands twice in this mapping; {}", self.dialect.of_duplicates());
                        self.out.observations.push(Observation {
                            name: "yaml-duplicate-key",
                            span: key_span,
                            message,
                            address: None,
                        });
                        entries[*index] = Entry { key: name, key_span, node };
                    } else {
                        seen.insert(name.clone(), entries.len());
                        entries.push(Entry { key: name, key_span, node });
                    }
                }
            },
        }
        Ok(())
    }

    fn close(&mut self, frame: Frame, end: Span) -> (Node, usize) {
        match frame {
            Frame::List { items, start, anchor } => {
                let span = items.iter().fold(start, |span, item| span.to(item.span)).to(end_of(start, end, &items));
                (Node::list(items, span), anchor)
            }
            Frame::Map { mut entries, mut seen, merges, start, anchor, .. } => {
                let written = entries.len();
                for merge in merges {
                    for entry in merge.entries() {
                        match seen.get(&entry.key).copied() {
                            Some(index) if index < written && self.dialect == Dialect::Compose => {}
                            // go-yaml v2 lets a merge that stands after a key win; keys after the merge win over it.
                            Some(index) if entries[index].key_span.start < merge.span.start => {
                                entries[index].node = entry.node.clone()
                            }
                            Some(_) => {}
                            None => {
                                seen.insert(entry.key.clone(), entries.len());
                                entries.push(entry.clone());
                            }
                        }
                    }
                }
                let span = entries
                    .iter()
                    .filter(|entry| entry.key_span.start >= start.start)
                    .fold(start, |span, entry| span.to(entry.key_span).to(entry.node.span));
                let span = if start.start < start.end { span.to(end) } else { span };
                (Node::map(entries, span), anchor)
            }
        }
    }

    /// Whether a quoted scalar escapes a slash, as YAML 1.2 allows for JSON's sake and go-yaml v2 does not.
    fn escapes_slash(&self, span: Span) -> bool {
        let written = &self.text.as_bytes()[span.start as usize - self.base..span.end as usize - self.base];
        let mut bytes = written.iter();
        while let Some(byte) = bytes.next() {
            if *byte == b'\\' && bytes.next() == Some(&b'/') {
                return true;
            }
        }
        false
    }
}

/// Flow lists end at their bracket; block lists where their last item does.
fn end_of(start: Span, end: Span, items: &[Node]) -> Span {
    let is_flow = start.start < start.end || items.is_empty();
    if is_flow { end } else { start }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(map) => map.entries().iter().map(|entry| size(&entry.node)).sum::<usize>(),
        _ => 0,
    }
}
