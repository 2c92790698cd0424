//! Suppressions: comments, annotations and entries of `gate.yaml` that take findings out of the verdict.
//!
//! Comments are those that parsers found, never text that looks like one. A suppression names its rules; gate's own also
//! need a reason and may end on a day. What does not act, no longer acts or has nothing to act on is told in a note.

mod date;
mod dialect;
mod reach;

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

pub use date::Date;

use crate::config::Config;
use crate::discover::Discovered;
use crate::finding::{Finding, Suppressed};
use crate::model::{Lookup, Model, Node, Number, Resource, Value};
use crate::problem::{Problem, ProblemKind};
use crate::rules::Catalog;
use crate::rules::schema::nearest;
use crate::source::{FileId, Sources, Span};
use dialect::{ANNOTATION_ROWS, Ids, Line, Mark, ROWS, Reach};
use reach::{Covered, Layout};

/// Names of the tools whose suppressions are understood.
pub const DIALECTS: &[&str] = &["checkov", "trivy", "tfsec", "hadolint", "kics", "kube-linter"];

/// What suppressions are held against.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The texts, and which of them were asked for.
    pub discovered: &'a Discovered,
    /// The model that was judged.
    pub model: &'a Model,
    /// Every comment, sorted.
    pub comments: &'a [Span],
    /// All rules.
    pub catalog: &'a Catalog,
    /// Indices of the rules that ran: a suppression of another rule is not called unused.
    pub selected: &'a [usize],
    /// The configuration in force.
    pub config: &'a Config,
    /// The day by which suppressions end.
    pub today: Date,
}

/// Findings after suppressions.
#[derive(Debug, Default)]
pub struct Decided {
    /// Findings in force, in the order in which they came.
    pub kept: Vec<Finding>,
    /// Findings taken out of the verdict, in the order in which they came.
    pub suppressed: Vec<Suppressed>,
    /// Suppressions that do not act, have ended, or have nothing to act on; all of kind note.
    pub notes: Vec<Problem>,
}

/// Holds findings against all suppressions of the files and the configuration.
pub fn apply(findings: Vec<Finding>, cx: &Context<'_>) -> Decided {
    let rules = Rules::new(cx);
    let mut notes = Vec::new();
    let mut placed = placed(cx, &rules, &mut notes);
    let mut entries = entries(cx, &rules, &mut notes);
    let owners = owners(cx.model, placed.is_empty());
    let unignorable: BTreeSet<&str> = cx.config.unignorable(cx.catalog).into_iter().collect();
    let mut decided = Decided::default();
    for finding in findings {
        let resources = resources_of(cx.model, &owners, &finding);
        let rule = cx.catalog.find(&finding.rule);
        let mut by: Option<Suppressed> = None;
        let may = !unignorable.contains(&*finding.rule);
        for one in &mut placed {
            if !one.means(rule) || !one.reaches(&finding, &resources, cx.discovered) {
                continue;
            }
            one.use_for(rule);
            if !may {
                notes.push(one.note(cx, forbidden(&finding.rule, cx.config)));
            } else if by.is_none() {
                by = Some(one.suppressed(&finding));
            }
        }
        for entry in &mut entries {
            if entry.rule != rule || !entry.reaches(&finding, cx) {
                continue;
            }
            entry.used = true;
            if !may {
                let (message, help) = forbidden(&finding.rule, cx.config);
                notes.push(entry.note(cx, message, help));
            } else if by.is_none() {
                by = Some(entry.suppressed(&finding));
            }
        }
        match by {
            Some(suppressed) => decided.suppressed.push(suppressed),
            None => decided.kept.push(finding),
        }
    }
    notes.extend(placed.iter().flat_map(|one| one.unused(cx, &rules)));
    notes.extend(entries.iter().filter_map(|entry| entry.unused(cx, &rules)));
    notes.sort();
    notes.dedup();
    decided.notes = notes;
    decided
}

fn forbidden(rule: &str, config: &Config) -> (String, String) {
    let file = if config.path.is_empty() { "gate.yaml" } else { &config.path };
    (format!("{rule} can't be suppressed: {file} sets `ignorable: false` for it"), "mend the finding".into())
}

/// Rules by their names, as suppressions write them.
struct Rules {
    by_name: FxHashMap<String, Vec<usize>>,
    ran: FxHashSet<usize>,
}

impl Rules {
    fn new(cx: &Context<'_>) -> Rules {
        let mut by_name: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (index, rule) in cx.catalog.rules().iter().enumerate() {
            for name in std::iter::once(&rule.id).chain(&rule.aliases) {
                let rules = by_name.entry(normal_name(name)).or_default();
                if !rules.contains(&index) {
                    rules.push(index);
                }
            }
        }
        Rules { by_name, ran: cx.selected.iter().copied().collect() }
    }

    fn resolve(&self, name: &str) -> &[usize] {
        self.by_name.get(&normal_name(name)).map_or(&[], |rules| rules)
    }
}

/// One spelling for all that tools accept: lower case, without trivy's older prefix, its Kubernetes and Docker ids in their
/// later form (`KSV012` is `KSV-0012`).
fn normal_name(name: &str) -> String {
    let lower = name.to_lowercase();
    let name = lower.strip_prefix("avd-").unwrap_or(&lower);
    for family in ["ksv", "ds"] {
        let number = name.strip_prefix(family).map(|rest| rest.trim_start_matches('-'));
        if let Some(number) = number.and_then(|digits| digits.parse::<u32>().ok()) {
            return format!("{family}-{number:04}");
        }
    }
    name.to_string()
}

/// A suppression in its place.
struct Placed {
    dialect: &'static str,
    mark: Mark,
    at: Span,
    covered: Covered,
    /// The names as written, the rules that each stands for, and whether it has suppressed something.
    names: Vec<(String, Vec<usize>, bool)>,
}

/// All suppressions that act; the others leave a note.
fn placed(cx: &Context<'_>, rules: &Rules, notes: &mut Vec<Problem>) -> Vec<Placed> {
    let sources = &cx.discovered.sources;
    let rows: Vec<_> = ROWS.iter().filter(|row| is_understood(cx.config, row.dialect)).collect();
    let candidates: Vec<Span> = cx
        .comments
        .iter()
        .copied()
        .filter(|comment| rows.iter().any(|row| sources.slice(*comment).contains(row.needle)))
        .collect();
    let files: FxHashSet<FileId> = candidates.iter().map(|comment| comment.file).collect();
    let mut placed = Vec::new();
    if !candidates.is_empty() {
        let layout = Layout::new(sources, cx.model, cx.comments, &files);
        for comment in candidates {
            let format = layout.format(comment.file);
            for (at, text) in lines(sources, comment) {
                for row in &rows {
                    let mut marks = Vec::new();
                    if text.contains(row.needle) {
                        (row.read)(&Line { text, format }, &mut marks);
                    }
                    for mark in marks {
                        let covered = layout.covered(comment, mark.reach);
                        add(cx, rules, (row.dialect, at, mark, covered), &mut placed, notes);
                    }
                }
            }
        }
    }
    // The same object may come from several frontends or instances.
    let mut seen = FxHashSet::default();
    for resource in &cx.model.resources {
        if resource.format != "kubernetes" || !seen.insert(resource.span) {
            continue;
        }
        for entry in annotations(resource) {
            for row in ANNOTATION_ROWS.iter().filter(|row| is_understood(cx.config, row.dialect)) {
                let Some(mark) = (row.read)(&entry.key, entry.node.as_str().unwrap_or("")) else { continue };
                let at = sources.get(entry.key_span.file).first_line(entry.key_span.to(entry.node.span));
                let covered = Covered { spans: vec![resource.span], is_literal: false };
                add(cx, rules, (row.dialect, at, mark, Some(covered)), &mut placed, notes);
            }
        }
    }
    // Reasons in gate's own form are the ones to show.
    placed.sort_by_key(|one| (one.dialect != "gate", one.at));
    placed
}

fn is_understood(config: &Config, dialect: &str) -> bool {
    dialect == "gate" || config.dialects.contains(&dialect)
}

fn annotations(resource: &Resource) -> &[crate::model::Entry] {
    match resource.body.at("metadata.annotations") {
        Lookup::Known(node) => node.entries(),
        _ => &[],
    }
}

/// The lines of a comment without its signs, each with its place.
fn lines(sources: &Sources, comment: Span) -> Vec<(Span, &str)> {
    let whole = sources.slice(comment);
    let mut lines = Vec::new();
    let mut start = comment.start;
    for raw in whole.split_inclusive('\n') {
        let body = raw.trim_end_matches('\n').trim_end().trim_end_matches("*/");
        let text = body.trim_start().trim_start_matches(['#', '/', '*']).trim();
        let offset = start + (raw.len() - raw.trim_start().len()) as u32;
        lines.push((Span::new(comment.file, offset, start + raw.trim_end().len() as u32), text));
        start += raw.len() as u32;
    }
    lines
}

/// Adds a suppression if it acts; says why if it does not.
fn add(
    cx: &Context<'_>,
    rules: &Rules,
    (dialect, at, mark, covered): (&'static str, Span, Mark, Option<Covered>),
    placed: &mut Vec<Placed>,
    notes: &mut Vec<Problem>,
) {
    let written = match &mark.ids {
        Ids::Named(ids) | Ids::AllBut(ids) => ids.clone(),
        Ids::All => Vec::new(),
    };
    let what = if written.is_empty() { "all rules".to_string() } else { written.join(", ") };
    let is_own = dialect == "gate";
    let names = written.into_iter().map(|name| {
        let means = rules.resolve(&name).to_vec();
        (name, means, false)
    });
    let is_file = mark.reach == Reach::FileTop;
    let mut one = Placed { dialect, mark, at, covered: Covered::default(), names: names.collect() };
    let mut tell = |one: &Placed, message: String, help: &str| {
        notes.extend(one.note_if_wanted(cx, message, help.to_string()));
    };
    if let Some((message, help)) = one.mark.fault.clone() {
        return tell(&one, message, &help);
    }
    if is_own {
        for (name, means, _) in &one.names {
            if means.is_empty() {
                let known: Vec<&str> = cx.catalog.rules().iter().map(|rule| rule.id.as_str()).collect();
                let help = match nearest(name, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`gate rules` lists all ids and aliases".into(),
                };
                tell(&one, format!("no rule or alias is called `{name}`"), &help);
            }
        }
    }
    if let Some(until) = one.mark.until.filter(|until| *until < cx.today) {
        let message = format!("the suppression of {what} ended on {until}");
        return tell(&one, message, "mend the finding, or give it a later day");
    }
    if is_own && cx.config.require_reason && !one.mark.reason.contains(char::is_alphanumeric) {
        let message = format!("the suppression of {what} has no reason, so it does not act");
        return tell(&one, message, "write the reason after the brackets, or after the colon of an annotation");
    }
    match covered {
        Some(covered) => one.covered = covered,
        None if is_own && is_file => {
            let help = "move it above the first line of code, or write `ignore[…]` above what is meant";
            return tell(&one, "`ignore-file` acts only in the first comments of a file".into(), help);
        }
        None if !is_own => return,
        None => {}
    }
    placed.push(one);
}

impl Placed {
    fn means(&self, rule: Option<usize>) -> bool {
        let is_named = || rule.is_some_and(|rule| self.names.iter().any(|(_, means, _)| means.contains(&rule)));
        match self.mark.ids {
            Ids::All => true,
            Ids::Named(_) => is_named(),
            Ids::AllBut(_) => !is_named(),
        }
    }

    fn use_for(&mut self, rule: Option<usize>) {
        for (_, means, used) in &mut self.names {
            *used |= rule.is_some_and(|rule| means.contains(&rule));
        }
    }

    /// A finding is reached where it stands, where its value is used, by its whole resource, or by a module call that made
    /// the resource.
    fn reaches(&self, finding: &Finding, resources: &[&Resource], discovered: &Discovered) -> bool {
        let covered = &self.covered;
        let is_reached = covered.begins_in(finding.at)
            || (!covered.is_literal
                && (finding.scope.is_some_and(|scope| {
                    covered.holds(scope)
                        || finding.related.iter().any(|place| scope.contains(place.at) && covered.begins_in(place.at))
                }) || resources
                    .iter()
                    .flat_map(|resource| resource.calls.iter())
                    .any(|call| covered.begins_in(call.span))));
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

    fn suppressed(&self, finding: &Finding) -> Suppressed {
        Suppressed {
            finding: finding.clone(),
            reason: self.mark.reason.clone(),
            at: Some(self.at),
            dialect: self.dialect,
            until: self.mark.until.map(|until| until.to_string()),
            owner: self.mark.owner.clone(),
        }
    }

    fn note(&self, cx: &Context<'_>, (message, help): (String, String)) -> Problem {
        let mut note = Problem::at(ProblemKind::Note, self.at, message).help(help);
        note.path = cx.discovered.sources.get(self.at.file).path().to_string();
        note
    }

    /// Files that are read as context are not what the run is about.
    fn note_if_wanted(&self, cx: &Context<'_>, message: String, help: String) -> Option<Problem> {
        let is_wanted = cx.discovered.only.as_ref().is_none_or(|only| only.contains(&self.at.file));
        is_wanted.then(|| self.note(cx, (message, help)))
    }

    /// Names of gate's own form that suppressed nothing though their rule ran.
    fn unused(&self, cx: &Context<'_>, rules: &Rules) -> Vec<Problem> {
        if self.dialect != "gate" {
            return Vec::new();
        }
        let idle =
            self.names.iter().filter(|(_, means, used)| !used && means.iter().any(|rule| rules.ran.contains(rule)));
        idle.filter_map(|(name, ..)| {
            let message = format!("the suppression of {name} suppresses nothing");
            self.note_if_wanted(cx, message, "remove it, or place it above what is meant".into())
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

/// An entry of the configuration's `ignore`.
struct Entry<'a> {
    form: &'a crate::config::Ignore,
    rule: Option<usize>,
    used: bool,
}

fn entries<'a>(cx: &Context<'a>, rules: &Rules, notes: &mut Vec<Problem>) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    for form in &cx.config.ignore {
        for rule in rules.resolve(&form.rule) {
            let entry = Entry { form, rule: Some(*rule), used: false };
            match form.until.filter(|until| *until < cx.today) {
                None => entries.push(entry),
                Some(until) => {
                    let message = format!("the entry for {} ended on {until}", form.rule);
                    notes.push(entry.note(cx, message, "mend the findings, or give it a later day".into()));
                }
            }
        }
    }
    entries
}

impl Entry<'_> {
    fn reaches(&self, finding: &Finding, cx: &Context<'_>) -> bool {
        let path = || cx.discovered.root.join(cx.discovered.sources.get(finding.at.file).path());
        self.form.paths.as_ref().is_none_or(|paths| paths.matches(&path()))
            && self.form.address.as_ref().is_none_or(|pattern| wildcard(pattern, &finding.address))
    }

    fn suppressed(&self, finding: &Finding) -> Suppressed {
        Suppressed {
            finding: finding.clone(),
            reason: self.form.reason.clone(),
            at: None,
            dialect: "config",
            until: self.form.until.map(|until| until.to_string()),
            owner: self.form.owner.clone(),
        }
    }

    /// The configuration is no file of the scan, so that its line stands in the text.
    fn note(&self, cx: &Context<'_>, message: String, help: String) -> Problem {
        let message = format!("line {}: {message}", self.form.line);
        Problem::with_path(ProblemKind::Note, &cx.config.path, message).help(help)
    }

    /// A scan of a part says nothing about entries for other parts.
    fn unused(&self, cx: &Context<'_>, rules: &Rules) -> Option<Problem> {
        let is_whole = cx.discovered.is_folder && cx.discovered.root == cx.config.folder;
        let ran = self.rule.is_some_and(|rule| rules.ran.contains(&rule));
        (is_whole && ran && !self.used)
            .then(|| self.note(cx, format!("the entry for {} suppresses nothing", self.form.rule), "remove it".into()))
    }
}

/// Resources by address; empty when nobody will ask.
fn owners(model: &Model, is_idle: bool) -> FxHashMap<&str, Vec<usize>> {
    let mut owners: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    if !is_idle {
        for (index, resource) in model.resources.iter().enumerate() {
            owners.entry(&resource.address).or_default().push(index);
        }
    }
    owners
}

/// The resources that a finding is about: addresses repeat between roots, their text does not.
fn resources_of<'a>(model: &'a Model, owners: &FxHashMap<&str, Vec<usize>>, finding: &Finding) -> Vec<&'a Resource> {
    let found = owners.get(&*finding.address).into_iter().flatten().map(|index| &model.resources[*index]);
    found.filter(|resource| finding.scope.is_none_or(|scope| resource.span == scope)).collect()
}

/// Whether `text` is `pattern`, in which `*` stands for any text. Linear in the pattern for each `*`.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("module.lab*.aws_db_instance.*", "module.lab[\"a\"].aws_db_instance.main", true),
            ("module.lab*.aws_db_instance.*", "module.lab.aws_s3_bucket.main", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("aws_s3_bucket.x", "aws_s3_bucket.x", true),
            ("aws_s3_bucket.x", "aws_s3_bucket.xy", false),
        ] {
            assert_eq!(wildcard(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn names_of_all_spellings_are_one() {
        assert_eq!(normal_name("AVD-AWS-0180"), normal_name("aws-0180"));
        for name in ["KSV012", "KSV-0012", "AVD-KSV-0012", "ksv-12"] {
            assert_eq!(normal_name(name), "ksv-0012");
        }
        assert_eq!(normal_name("DS002"), "ds-0002");
        assert_eq!(normal_name("CKV_AWS_17"), "ckv_aws_17");
    }
}
