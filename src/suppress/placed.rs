//! Suppressions in files: found in comments and annotations, placed, and held against findings.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Context;
use super::annotated::{self, Holders};
use super::dialect::{self, Ids, Line, Mark, ROWS, Reach};
use super::json;
use super::near;
use super::reach::{Covered, Layout, Whole};
use super::rules::{Rules, is_pattern};
use super::told::About;
use crate::config::Config;
use crate::discover::Discovered;
use crate::finding::{Finding, Suppressed};
use crate::model::{Node, Number, Resource, Value};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Sources, Span};
use crate::spelling::did_you_mean;

/// A suppression in its place.
pub(super) struct Placed {
    pub dialect: &'static str,
    mark: Mark,
    pub at: Span,
    covered: Covered,
    /// The names as written, the rules that each stands for, and whether it has suppressed something.
    names: Vec<(String, Vec<usize>, bool)>,
}

/// No file has more suppressions that act; the limit keeps hostile files from costing their square.
const MAX_PER_FILE: usize = 5_000;
/// Unknown names of which it is told what they might be: that takes a look at every rule there is.
const MAX_NEAREST: usize = 100;

/// What the suppressions of all files come to.
#[derive(Default)]
pub(super) struct Taken {
    /// Those that act.
    pub placed: Vec<Placed>,
    /// What is said of the others.
    pub notes: Vec<Problem>,
    /// What rules tell of the others.
    pub told: Vec<(About, Problem)>,
    /// Messages about names of other tools: each is told once, however many comments speak of it.
    said: FxHashSet<String>,
    /// What unknown names might be.
    near: FxHashMap<String, Option<String>>,
}

impl Taken {
    /// Reads comments, members of JSON and annotations.
    pub fn from_files(cx: &Context<'_>, rules: &Rules<'_>) -> Taken {
        let mut taken = Taken::default();
        taken.comments(cx, rules);
        taken.remarks(cx, rules);
        taken.annotations(cx, rules);
        taken.notes.extend(behind_instructions(cx));
        taken.limit(&cx.discovered.sources);
        // Reasons in gate's own form are the ones to show.
        taken.placed.sort_by_key(|one| (one.dialect != "gate", one.at));
        taken
    }

    fn comments(&mut self, cx: &Context<'_>, rules: &Rules<'_>) {
        let sources = &cx.discovered.sources;
        let rows: Vec<_> = ROWS.iter().filter(|row| is_understood(cx.config, row.dialect)).collect();
        let has_needle = |comment: &Span| rows.iter().any(|row| sources.slice(*comment).contains(row.needle));
        let candidates: Vec<Span> = cx.comments.iter().copied().filter(has_needle).collect();
        if candidates.is_empty() {
            return;
        }
        let files: FxHashSet<FileId> = candidates.iter().map(|comment| comment.file).collect();
        let layout = Layout::new(sources, cx.model, cx.comments, &files);
        for comment in candidates {
            let format = layout.format(comment.file);
            for (at, text) in lines(sources, comment) {
                for row in rows.iter().filter(|row| text.contains(row.needle)) {
                    let mut marks = Vec::new();
                    (row.read)(&Line { text, format }, &mut marks);
                    for mark in marks {
                        let covered = layout.covered(comment, mark.reach);
                        self.add(cx, rules, (row.dialect, at, mark, covered));
                    }
                }
            }
        }
    }

    /// The members of JSON that stand for comments.
    fn remarks(&mut self, cx: &Context<'_>, rules: &Rules<'_>) {
        let sources = cx.discovered.sources.iter();
        for (file, source) in sources.filter(|(_, source)| source.path().ends_with(".json")) {
            for remark in json::remarks(source.text(), dialect::OWN.needle) {
                let span = |range: std::ops::Range<usize>| Span::new(file, range.start as u32, range.end as u32);
                let at = source.first_line(span(remark.at));
                let mut marks = Vec::new();
                (dialect::OWN.read)(&Line { text: remark.text.trim(), format: None }, &mut marks);
                for mark in marks {
                    let is_misplaced = mark.reach == Reach::FileTop && !remark.is_outermost;
                    let whole = if remark.is_outermost { Whole::Resources } else { Whole::Calls };
                    let covered = Covered { spans: vec![span(remark.object.clone())], whole, holders: None };
                    let covered = (!is_misplaced).then_some(covered);
                    self.add(cx, rules, (dialect::OWN.dialect, at, mark, covered));
                }
            }
        }
    }

    fn annotations(&mut self, cx: &Context<'_>, rules: &Rules<'_>) {
        for (dialect, at, mark, holders) in annotated::read(cx) {
            let covered = Covered { holders: Some(holders), ..Covered::default() };
            self.add(cx, rules, (dialect, at, mark, Some(covered)));
        }
    }

    fn limit(&mut self, sources: &Sources) {
        let mut counts: FxHashMap<FileId, usize> = FxHashMap::default();
        self.placed.retain(|one| {
            let count = counts.entry(one.at.file).or_default();
            *count += 1;
            if *count == MAX_PER_FILE + 1 {
                let mut problem = Problem::at(
                    ProblemKind::Limit,
                    one.at,
                    format!("more than {MAX_PER_FILE} suppressions in one file; those from here on do not act"),
                )
                .help("leave the file out with `exclude`, or the rules with `ignore-rules`");
                problem.path = sources.get(one.at.file).path().to_string();
                self.notes.push(problem);
            }
            *count <= MAX_PER_FILE
        });
    }

    /// Adds a suppression if it acts; says why if it does not.
    fn add(
        &mut self,
        cx: &Context<'_>,
        rules: &Rules<'_>,
        (dialect, at, mark, covered): (&'static str, Span, Mark, Option<Covered>),
    ) {
        let written = match &mark.ids {
            Ids::Named(ids) | Ids::AllBut(ids) => ids.clone(),
            Ids::All | Ids::Secrets => Vec::new(),
        };
        let what = if written.is_empty() { "all rules".to_string() } else { written.join(", ") };
        let is_own = dialect == "gate";
        let names = written.into_iter().map(|name| {
            let means = rules.means(dialect, &name);
            (name, means, false)
        });
        let is_file = mark.reach == Reach::FileTop;
        let mut one = Placed { dialect, mark, at, covered: Covered::default(), names: names.collect() };
        let Taken { placed, notes, told, said, near } = self;
        let mut tell = |one: &Placed, message: String, help: &str| {
            if is_own || !said.contains(&message) {
                let note = one.note_if_wanted(cx, message, help.to_string());
                said.extend(note.iter().filter(|_| !is_own).map(|note| note.message.clone()));
                notes.extend(note);
            }
        };
        if let Some((message, help)) = one.mark.fault.clone() {
            return tell(&one, message, &help);
        }
        if let (Ids::AllBut(_), Some((name, ..))) =
            (&one.mark.ids, one.names.iter().find(|(_, means, _)| means.is_empty()))
        {
            let message =
                format!("no rule or alias is called `{name}`: `enable` does not act, since it would hide all there is");
            return tell(&one, message, "name what is not to be found in `kics-scan disable=`");
        }
        for (name, means, _) in &one.names {
            if means.is_empty() && !cx.catalog.is_of_tool(name) && !is_of_shellcheck(name) {
                if is_own && near.len() < MAX_NEAREST && !near.contains_key(name) {
                    let known: Vec<&str> = cx.catalog.rules().iter().map(|rule| rule.id.as_str()).collect();
                    near.insert(name.clone(), did_you_mean(name, &known));
                }
                let near = near.get(name).cloned().flatten();
                let help = match is_own {
                    true => near.unwrap_or_else(|| "`gate rules` lists all ids and aliases".into()),
                    false => format!("no rule of gate's stands for it, so that only {dialect} heeds it"),
                };
                let called = if is_pattern(dialect, name) { "matches" } else { "is called" };
                tell(&one, format!("no rule or alias {called} `{name}`"), &help);
            }
        }
        if let Some(until) = one.mark.until.filter(|until| *until < cx.today) {
            let message = format!("the suppression of {what} ended on {until}");
            let problem = one.note_if_wanted(cx, message, "mend the finding, or give it a later day".into());
            return told.extend(problem.map(|problem| (About::Expired, problem)));
        }
        if is_own && cx.config.require_reason && !one.mark.reason.contains(char::is_alphanumeric) {
            let message = format!("the suppression of {what} has no reason, so it does not act");
            let help = "write the reason after the brackets, or after the colon of an annotation";
            let problem = one.note_if_wanted(cx, message, help.into());
            return told.extend(problem.map(|problem| (About::Reasonless, problem)));
        }
        match covered {
            Some(covered) => one.covered = covered,
            None if is_own && is_file => {
                let help = "move it above the first line of code, or write `ignore[…]` above what is meant";
                let message =
                    "`ignore-file` acts only in the first comments of a file, or in the outermost object of JSON";
                return tell(&one, message.into(), help);
            }
            None if !is_own => return,
            None => {}
        }
        placed.push(one);
    }
}

/// Comments for gate behind an instruction of a Dockerfile, where they are none.
fn behind_instructions(cx: &Context<'_>) -> Vec<Problem> {
    let sources = &cx.discovered.sources;
    let mut notes = Vec::new();
    for instruction in cx.model.dockerfiles.iter().flat_map(|file| &file.instructions) {
        let text = sources.slice(instruction.span);
        for (at, _) in text.match_indices("gate: ignore").take(MAX_NEAREST) {
            let Some(before) = text[..at].trim_end_matches(' ').strip_suffix('#') else { continue };
            let start = instruction.span.start + before.len() as u32;
            let length = text[before.len()..].lines().next().map_or(0, str::len) as u32;
            let place = Span::new(instruction.span.file, start, start + length);
            let next = cx.comments.partition_point(|comment| (comment.file, comment.start) <= (place.file, start));
            let is_comment = next.checked_sub(1).is_some_and(|index| cx.comments[index].contains(place));
            let is_wanted = cx.discovered.only.as_ref().is_none_or(|only| only.contains(&place.file));
            if is_wanted && !is_comment {
                let message = "a suppression does not act behind an instruction, where `#` begins no comment";
                let note = Problem::at(ProblemKind::Note, place, message).help("write it on a line of its own above");
                notes.push(Problem { path: sources.get(place.file).path().to_string(), ..note });
            }
        }
    }
    notes
}

pub(super) fn is_understood(config: &Config, dialect: &str) -> bool {
    dialect == "gate" || config.dialects.contains(&dialect)
}

/// The lines of a comment without its signs, each with its place.
pub(super) fn lines(sources: &Sources, comment: Span) -> Vec<(Span, &str)> {
    let whole = sources.slice(comment);
    let mut lines = Vec::new();
    let mut start = comment.start;
    for raw in whole.split_inclusive('\n') {
        let body = raw.trim_end_matches('\n').trim_end().trim_end_matches("*/");
        let body = body.trim_end_matches("-->");
        let text = body.trim_start();
        let text = near::without_word(sources.get(comment.file).path(), text);
        let text = text.trim_start_matches(['#', '/', '*', ';', '%', '<', '!']).trim_start_matches("--").trim();
        let offset = start + (raw.len() - raw.trim_start().len()) as u32;
        lines.push((Span::new(comment.file, offset, start + raw.trim_end().len() as u32), text));
        start += raw.len() as u32;
    }
    lines
}

/// Whether a name in a comment for hadolint is one of ShellCheck's, about whose rules gate says nothing.
fn is_of_shellcheck(name: &str) -> bool {
    let number = name.strip_prefix("SC").or_else(|| name.strip_prefix("sc"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Placed {
    pub fn means(&self, rule: Option<usize>, is_secret: bool) -> bool {
        let is_named = || rule.is_some_and(|rule| self.names.iter().any(|(_, means, _)| means.contains(&rule)));
        match self.mark.ids {
            Ids::All => true,
            Ids::Secrets => is_secret,
            Ids::Named(_) => is_named(),
            Ids::AllBut(_) => !is_named(),
        }
    }

    /// Whether it says which rules it means.
    pub fn names_rules(&self) -> bool {
        matches!(self.mark.ids, Ids::Named(_))
    }

    pub fn use_for(&mut self, rule: Option<usize>) {
        for (_, means, used) in &mut self.names {
            *used |= rule.is_some_and(|rule| means.contains(&rule));
        }
    }

    /// The files in which it may find something to act on.
    pub fn files(&self) -> BTreeSet<FileId> {
        let spans = self.covered.spans.iter().map(|span| span.file);
        spans.chain(self.covered.holders.iter().flat_map(Holders::files)).collect()
    }

    /// A finding is reached where it stands, where its value is used, by its whole resource, or by a module call that made
    /// the resource.
    pub fn reaches(&self, finding: &Finding, resources: &[&Resource], discovered: &Discovered) -> bool {
        let covered = &self.covered;
        if let Some(holders) = &covered.holders {
            return holders.hold(finding, resources);
        }
        let holds = |scope: Span| {
            covered.holds(scope)
                || finding.related.iter().any(|place| scope.contains(place.at) && covered.begins_in(place.at))
        };
        let mut calls = resources.iter().flat_map(|resource| resource.calls.iter());
        let is_reached = covered.begins_in(finding.at)
            || (covered.whole >= Whole::Resources && finding.scope.is_some_and(holds))
            || (covered.whole == Whole::Calls && calls.any(|call| covered.begins_in(call.span)));
        is_reached && self.filter_holds(finding, resources, &discovered.sources)
    }

    /// Whether some block around the finding, or its resource, has all attributes of the filter.
    fn filter_holds(&self, finding: &Finding, resources: &[&Resource], sources: &Sources) -> bool {
        if self.mark.filter.is_empty() {
            return true;
        }
        let mut blocks = Vec::new();
        for resource in resources {
            blocks.push(&resource.body);
            let mut nodes = vec![&resource.body];
            while let Some(node) = nodes.pop() {
                nodes.extend(node.items());
                nodes.extend(node.entries().iter().map(|entry| &entry.node));
                let source = sources.get(node.span.file);
                let around = finding.at.file == node.span.file
                    && source.line(node.span.start) <= source.line(finding.at.start)
                    && finding.at.start <= node.span.end;
                if around && !node.entries().is_empty() {
                    blocks.push(node);
                }
            }
        }
        self.mark.filter.iter().all(|(name, value)| {
            blocks.iter().any(|block| block.at(name).known().and_then(scalar).is_some_and(|text| text == *value))
        })
    }

    pub fn suppressed(&self, finding: &Finding) -> Suppressed {
        Suppressed {
            finding: finding.clone(),
            reason: self.mark.reason.clone(),
            at: Some(self.at),
            dialect: self.dialect,
            until: self.mark.until.map(|until| until.to_string()),
            owner: self.mark.owner.clone(),
        }
    }

    pub fn note(&self, cx: &Context<'_>, (message, help): (String, String)) -> Problem {
        let mut note = Problem::at(ProblemKind::Note, self.at, message).help(help);
        note.path = cx.discovered.sources.get(self.at.file).path().to_string();
        note
    }

    /// Files that are read as context are not what the run is about.
    fn note_if_wanted(&self, cx: &Context<'_>, message: String, help: String) -> Option<Problem> {
        let is_wanted = cx.discovered.only.as_ref().is_none_or(|only| only.contains(&self.at.file));
        is_wanted.then(|| self.note(cx, (message, help)))
    }

    /// Names of gate's own form that suppressed nothing though their rule ran, as far as such rules are asked for.
    pub fn unused(
        &self,
        cx: &Context<'_>,
        rules: &Rules<'_>,
        is_asked: impl Fn(usize) -> bool,
    ) -> Vec<(About, Problem)> {
        if self.dialect != "gate" {
            return Vec::new();
        }
        let idle = self.names.iter().filter(|(_, means, used)| {
            !used && means.iter().any(|rule| rules.ran.contains(rule)) && means.iter().any(|rule| is_asked(*rule))
        });
        idle.filter_map(|(name, ..)| {
            let message = format!("the suppression of {name} suppresses nothing");
            let problem = self.note_if_wanted(cx, message, "remove it, or place it above what is meant".into())?;
            Some((About::Unused, problem))
        })
        .collect()
    }
}

/// A known scalar as text.
fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(Number::Int(value)) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.to_string()),
        _ => None,
    }
}
