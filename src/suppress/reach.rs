//! How far a suppression reaches: from the place of a comment to the text that it covers.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::annotated::Holders;
use super::dialect::Reach;
use crate::frontend::{terraform, yaml};
use crate::model::{Model, Node, Resource, Value};
use crate::source::{FileId, Source, Sources, Span};

/// What begins where, for files that have suppressions.
pub(super) struct Layout<'a> {
    sources: &'a Sources,
    /// All comments, sorted.
    comments: &'a [Span],
    /// Resources by file, each place once.
    resources: BTreeMap<FileId, Vec<&'a Resource>>,
    /// Resources by the line on which they begin.
    heads: BTreeMap<(FileId, u32), Vec<Span>>,
    /// Attributes, blocks and elements of several lines by the line on which they begin.
    parts: BTreeMap<(FileId, u32), Vec<Span>>,
    /// The lines of parser directives of Dockerfiles.
    directives: FxHashSet<(FileId, u32)>,
    /// For the files that have suppressions: many comments look for the next line of code.
    next: FxHashMap<FileId, OnceCell<Vec<Next>>>,
}

/// The nearest lines from one on, itself included; none where the text ends before.
#[derive(Debug, Clone, Copy, Default)]
struct Next {
    code: Option<u32>,
    blank: Option<u32>,
}

/// The text that a suppression covers.
#[derive(Debug, Default)]
pub(super) struct Covered {
    pub spans: Vec<Span>,
    /// How much goes with it.
    pub whole: Whole,
    /// The objects that it is about, for an annotation, which no text bounds.
    pub holders: Option<Holders>,
}

/// What a covered text stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whole {
    /// What is placed there.
    Places,
    /// The same, and the resources that stand there, wherever their values come from.
    Resources,
    /// The same, and what the module calls that stand there create.
    #[default]
    Calls,
}

impl Covered {
    /// Whether a place begins in the covered text.
    pub fn begins_in(&self, place: Span) -> bool {
        self.spans.iter().any(|span| span.file == place.file && (span.start..span.end).contains(&place.start))
    }

    /// Whether all of a resource is covered.
    pub fn holds(&self, scope: Span) -> bool {
        self.spans.iter().any(|span| span.contains(scope))
    }
}

impl<'a> Layout<'a> {
    /// Looks at the resources that touch the given files.
    pub fn new(sources: &'a Sources, model: &'a Model, comments: &'a [Span], files: &FxHashSet<FileId>) -> Layout<'a> {
        let directives = model.dockerfiles.iter().flat_map(|file| &file.directives);
        let mut layout = Layout {
            sources,
            comments,
            resources: BTreeMap::new(),
            heads: BTreeMap::new(),
            parts: BTreeMap::new(),
            directives: directives.map(|one| (one.span.file, sources.line(one.span))).collect(),
            next: files.iter().map(|file| (*file, OnceCell::new())).collect(),
        };
        let mut seen = FxHashSet::default();
        let mut visited: FxHashSet<Span> = FxHashSet::default();
        for resource in &model.resources {
            if files.contains(&resource.span.file) && seen.insert((resource.span, resource.format)) {
                layout.resources.entry(resource.span.file).or_default().push(resource);
            }
            // All of a Dockerfile's stage stands in it, and its instructions are made for those who look.
            if resource.format != "dockerfile" || files.contains(&resource.span.file) {
                layout.add_parts(resource, files, &mut visited);
            }
        }
        let mut ordered: Vec<FileId> = files.iter().copied().collect();
        ordered.sort_unstable();
        ordered.into_iter().for_each(|file| layout.add_unmodelled(file, &mut visited));
        layout.heads = layout.find_heads();
        layout
    }

    /// What the model does not hold: the `dynamic` around blocks, and YAML that makes no resource or is around several.
    fn add_unmodelled(&mut self, file: FileId, visited: &mut FxHashSet<Span>) {
        let source = self.sources.get(file);
        let files = FxHashSet::from_iter([file]);
        match self.format(file) {
            Some("terraform") => {
                for block in terraform::dynamic_blocks(file, source.shared_text()) {
                    self.add_part(block, &files, visited);
                }
            }
            _ if is_yaml(source.path()) => {
                for document in yaml::read_as(file, source.text(), yaml::Dialect::GitHub).documents {
                    self.add_parts_of(&document.root, false, &files, visited);
                }
            }
            _ => {}
        }
    }

    fn add_parts(&mut self, resource: &Resource, files: &FxHashSet<FileId>, visited: &mut FxHashSet<Span>) {
        self.add_parts_of(&resource.body, resource.format == "dockerfile", files, visited);
    }

    /// Values begin with their key, elements and nested blocks for themselves. A list or map does not begin where its first
    /// element does, else a comment on the first would speak for all.
    fn add_parts_of(
        &mut self,
        body: &Node,
        is_dockerfile: bool,
        files: &FxHashSet<FileId>,
        visited: &mut FxHashSet<Span>,
    ) {
        let mut nodes = vec![body];
        while let Some(node) = nodes.pop() {
            // What `jsonencode` makes a text of is written as parts too.
            nodes.extend(node.structure.as_deref());
            match &node.value {
                Value::List(items) => {
                    for item in items.iter() {
                        self.add_part(item.span, files, visited);
                        nodes.push(item);
                    }
                }
                Value::Map(map) => {
                    for entry in map.entries() {
                        let first = entry.node.items().first();
                        let is_blocks = first.is_some_and(|first| first.span.start <= entry.key_span.start);
                        let is_instructions = is_dockerfile && first.is_some();
                        if !is_blocks && !is_instructions {
                            self.add_part(entry.key_span.to(entry.node.span), files, visited);
                        }
                        nodes.push(&entry.node);
                    }
                }
                _ => {}
            }
        }
    }

    fn add_part(&mut self, span: Span, files: &FxHashSet<FileId>, visited: &mut FxHashSet<Span>) {
        if !files.contains(&span.file) || !visited.insert(span) {
            return;
        }
        let source = self.sources.get(span.file);
        let line = source.line(span.start);
        if source.line(span.end.saturating_sub(1)) > line {
            self.parts.entry((span.file, line)).or_default().push(span);
        }
    }

    /// The format of a file, as its resources tell.
    pub fn format(&self, file: FileId) -> Option<&'static str> {
        self.resources.get(&file).and_then(|resources| resources.first()).map(|resource| resource.format)
    }

    /// The text that a comment covers; none when it stands where its reach does not exist.
    pub fn covered(&self, comment: Span, reach: Reach) -> Option<Covered> {
        let source = self.sources.get(comment.file);
        let line = source.line(comment.start);
        let whole = Span::new(comment.file, 0, source.text().len() as u32);
        let spans = match reach {
            Reach::File => vec![whole],
            Reach::FileTop => {
                let code = self.next(source, comment.file, 1).code;
                if code.is_some_and(|code| code < line) || self.is_trailing(comment) {
                    return None;
                }
                vec![whole]
            }
            Reach::Directive => match self.directives.contains(&(comment.file, line)) {
                true => vec![whole],
                false => return None,
            },
            Reach::Enclosing => self.around(comment, |first, last| first < line && line < last),
            Reach::Stage => self.around(comment, |first, _| first == line + 1),
            Reach::Statement | Reach::AdjacentStatement => {
                let target = self.target(comment, reach == Reach::AdjacentStatement)?;
                let mut spans = self.line_and_parts(comment.file, target);
                spans.extend(self.heads.get(&(comment.file, target)).into_iter().flatten());
                spans
            }
            Reach::AdjacentInstruction => {
                let below = source.line(comment.end.saturating_sub(1)) + 1;
                if self.is_trailing(comment) || !self.is_code(source, comment.file, below) {
                    return None;
                }
                let spans = self.line_and_parts(comment.file, below);
                return Some(Covered { spans, whole: Whole::Places, holders: None });
            }
            Reach::OwnLine => {
                let spans = vec![line_span(source, comment.file, line)];
                return Some(Covered { spans, whole: Whole::Places, holders: None });
            }
            Reach::LineBelow => {
                let target = self.target(comment, true)?;
                // A Dockerfile's line is an instruction, however many lines it takes.
                let spans = match self.format(comment.file) {
                    Some("dockerfile") => self.line_and_parts(comment.file, target),
                    _ => vec![line_span(source, comment.file, target)],
                };
                return Some(Covered { spans, whole: Whole::Places, holders: None });
            }
            Reach::Beside => {
                let last = source.line(comment.end.saturating_sub(1).max(comment.start));
                let lines = line.saturating_sub(1).max(1)..=(last + 1).min(source.line_count());
                let spans = lines.map(|line| line_span(source, comment.file, line)).collect();
                return Some(Covered { spans, whole: Whole::Places, holders: None });
            }
            // Annotations are resolved by their object.
            Reach::Object => Vec::new(),
        };
        // A file says nothing about what its module calls create in others.
        let is_file = matches!(reach, Reach::File | Reach::FileTop | Reach::Directive);
        let whole = if is_file { Whole::Resources } else { Whole::Calls };
        Some(Covered { spans, whole, holders: None })
    }

    /// A resource begins on its header and on its first line of code: the text of a manifest begins with its document
    /// mark and comments.
    fn find_heads(&self) -> BTreeMap<(FileId, u32), Vec<Span>> {
        let mut heads: BTreeMap<(FileId, u32), Vec<Span>> = BTreeMap::new();
        for (file, resource) in self.resources.iter().flat_map(|(file, all)| all.iter().map(move |one| (*file, one))) {
            let source = self.sources.get(file);
            let head = source.line(resource.head.start);
            let first = (source.line(resource.span.start)..head).find(|line| self.is_code(source, file, *line));
            let head = (resource.head.file == file).then_some(head);
            for line in head.into_iter().chain(first) {
                heads.entry((file, line)).or_default().push(resource.span);
            }
        }
        heads
    }

    fn around(&self, comment: Span, holds: impl Fn(u32, u32) -> bool) -> Vec<Span> {
        let source = self.sources.get(comment.file);
        let resources = self.resources.get(&comment.file).into_iter().flatten();
        let lines = |span: Span| (source.line(span.start), source.line(span.end.saturating_sub(1)));
        resources
            .map(|resource| resource.span)
            .filter(|span| {
                let (first, last) = lines(*span);
                holds(first, last)
            })
            .collect()
    }

    fn line_and_parts(&self, file: FileId, line: u32) -> Vec<Span> {
        let mut spans = vec![line_span(self.sources.get(file), file, line)];
        spans.extend(self.parts.get(&(file, line)).into_iter().flatten().copied());
        spans
    }

    /// The line that a comment speaks of.
    fn target(&self, comment: Span, is_adjacent: bool) -> Option<u32> {
        let source = self.sources.get(comment.file);
        if self.is_trailing(comment) {
            return Some(source.line(comment.start));
        }
        let own = source.line(comment.end.saturating_sub(1));
        if self.code_from(source, comment.file, own, comment.end) {
            return Some(own);
        }
        let next = self.next(source, comment.file, own + 1);
        next.code.filter(|code| !is_adjacent || next.blank.is_none_or(|blank| blank > *code))
    }

    /// Whether code stands before a comment on its line.
    fn is_trailing(&self, comment: Span) -> bool {
        let source = self.sources.get(comment.file);
        let line = source.line(comment.start);
        if is_document_mark(source, line) {
            return false;
        }
        let start = line_span(source, comment.file, line).start;
        self.has_code(source, comment.file, start, comment.start)
    }

    /// The nearest lines of code and without text from a line on.
    fn next(&self, source: &Source, file: FileId, line: u32) -> Next {
        let all = || {
            let mut all = Vec::with_capacity(source.line_count() as usize);
            let mut next = Next::default();
            for line in (1..=source.line_count()).rev() {
                if source.line_text(line).trim().is_empty() {
                    next.blank = Some(line);
                } else if self.is_code(source, file, line) {
                    next.code = Some(line);
                }
                all.push(next);
            }
            all.reverse();
            all
        };
        let known = self.next.get(&file).map(|known| known.get_or_init(all));
        known.and_then(|known| known.get(line as usize - 1)).copied().unwrap_or_default()
    }

    fn is_code(&self, source: &Source, file: FileId, line: u32) -> bool {
        let text = source.line_text(line).trim_end();
        match self.format(file) {
            // Document marks and directives of YAML begin nothing.
            _ if is_document_mark(source, line) => return false,
            Some("kubernetes" | "compose" | "yaml") if text.starts_with('%') => return false,
            // Parser directives look like comments and are none.
            Some("dockerfile") if text.starts_with('#') => return false,
            _ => {}
        }
        let span = line_span(source, file, line);
        self.has_code(source, file, span.start, span.end)
    }

    fn code_from(&self, source: &Source, file: FileId, line: u32, start: u32) -> bool {
        self.has_code(source, file, start, line_span(source, file, line).end)
    }

    /// Whether anything but blanks and comments stands in a range. The braces of a template around a comment are part of it.
    fn has_code(&self, source: &Source, file: FileId, start: u32, end: u32) -> bool {
        let text = source.text();
        let mut at = start;
        while at < end {
            if text.as_bytes()[at as usize].is_ascii_whitespace() {
                at += 1;
                continue;
            }
            if let Some(comment) = self.comment_at(file, at) {
                at = comment.end;
                continue;
            }
            let rest = text.get(at as usize..).unwrap_or("");
            let opening = opening(rest).filter(|length| self.comment_at(file, at + length).is_some());
            let before = text[..at as usize].trim_end().len() as u32;
            let closing = closing(rest).filter(|_| before > 0 && self.comment_at(file, before - 1).is_some());
            match opening.or(closing) {
                Some(length) => at += length,
                None => return true,
            }
        }
        false
    }

    fn comment_at(&self, file: FileId, at: u32) -> Option<Span> {
        let next = self.comments.partition_point(|span| (span.file, span.start) <= (file, at));
        let comment = next.checked_sub(1).map(|index| self.comments[index]);
        comment.filter(|comment| comment.file == file && at < comment.end)
    }
}

/// Bytes of the braces of a template before what may be a comment.
fn opening(text: &str) -> Option<u32> {
    let rest = text.strip_prefix("{{")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start_matches(' ');
    rest.starts_with("/*").then(|| (text.len() - rest.len()) as u32)
}

/// Bytes of the braces of a template behind a comment.
fn closing(text: &str) -> Option<u32> {
    ["-}}", "}}"].iter().find(|braces| text.starts_with(**braces)).map(|braces| braces.len() as u32)
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

/// Whether a line parts the documents of YAML, and has at most a comment beside the mark.
fn is_document_mark(source: &Source, line: u32) -> bool {
    let rest = source.line_text(line).strip_prefix("---").map(str::trim);
    is_yaml(source.path()) && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
}

/// A line (from 1) without its line end.
fn line_span(source: &Source, file: FileId, line: u32) -> Span {
    let text = source.line_text(line);
    let start = if text.is_empty() {
        source.text().len() as u32
    } else {
        (text.as_ptr() as usize - source.text().as_ptr() as usize) as u32
    };
    Span::new(file, start, start + text.len() as u32)
}
