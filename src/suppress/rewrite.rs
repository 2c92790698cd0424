//! Suppressions of other tools in gate's own form: the same rules, until the same day, with the same reach.
//!
//! What can't be said so is left as it stands, and told: sweeping ones, unknown ids, conditions on attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rustc_hash::FxHashSet;

use super::Context;
use super::annotated::annotations;
use super::dialect::{ANNOTATION_ROWS, Ids, Line, Mark, ROWS, Reach};
use super::edit::LineEdit;
use super::near;
use super::placed::lines;
use super::reach::Layout;
use super::rules::Rules;
use super::words::guarded;
use crate::model::Entry;
use crate::source::{FileId, Source, Span};

/// A suppression that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// Where it stands.
    pub at: Span,
    /// Why: lower case, no full stop.
    pub why: String,
}

/// What a tree would look like in gate's own form.
#[derive(Debug, Default)]
pub struct Rewriting {
    /// Lines to change, by file and number (from 1).
    pub edits: BTreeMap<FileId, BTreeMap<u32, LineEdit>>,
    /// What is left.
    pub left: Vec<Left>,
}

/// Which rules a suppression acts on, by where it stands.
type Acting = BTreeSet<(Span, usize)>;

/// Why a suppression is left that suppresses nothing: in gate's form it would be a finding.
const IDLE: &str = "it suppresses nothing: take it away, or place it above what is meant";

/// Whether a suppression that stands at `place`, or in it, acts on a rule.
fn acts(acting: &Acting, place: Span, rule: usize) -> bool {
    let from = (Span::new(place.file, place.start, place.start), 0);
    let near = acting.range(from..).take_while(|(at, _)| at.file == place.file && at.start <= place.end);
    near.into_iter().any(|(at, acted)| *acted == rule && at.end <= place.end)
}

/// Puts the suppressions of other tools into gate's own form, without changing any text. What acts on nothing, of all that is
/// `acting`, is left out.
pub fn rewrite(cx: &Context<'_>, acting: &Acting) -> Rewriting {
    let rules = Rules::new(cx);
    let mut rewriting = Rewriting::default();
    comments(cx, &rules, acting, &mut rewriting);
    // The same annotation may come from several objects: copies of one, and all that a kustomization gives it.
    let mut seen = FxHashSet::default();
    let mut news = News::new();
    for resource in cx.model.resources.iter().filter(|resource| resource.format == "kubernetes") {
        let entries = annotations(resource);
        let mut taken: BTreeSet<String> = entries.iter().map(|entry| entry.key.to_string()).collect();
        for entry in entries.iter().filter(|entry| seen.insert(entry.key_span)) {
            annotation(cx, &rules, acting, entry, &mut taken, (&mut news, &mut rewriting));
        }
    }
    settle(cx, news, &mut rewriting);
    rewriting.left.sort();
    rewriting.left.dedup();
    rewriting
}

fn comments(cx: &Context<'_>, rules: &Rules<'_>, acting: &Acting, out: &mut Rewriting) {
    let sources = &cx.discovered.sources;
    let is_foreign = |comment: &&Span| {
        let text = sources.slice(**comment);
        ROWS.iter().any(|row| row.dialect != "gate" && text.contains(row.needle))
    };
    let candidates: Vec<Span> = cx.comments.iter().filter(is_foreign).copied().collect();
    let files: FxHashSet<FileId> = candidates.iter().map(|comment| comment.file).collect();
    let layout = Layout::new(sources, cx.model, cx.comments, &files);
    for comment in candidates {
        let mut marks: Vec<(&'static str, Mark)> = Vec::new();
        let (mut words, mut is_own) = (Vec::new(), false);
        for (_, text) in lines(sources, comment) {
            let line = Line { text, format: layout.format(comment.file) };
            let before = marks.len();
            for row in ROWS.iter().filter(|row| text.contains(row.needle)) {
                let mut read = Vec::new();
                (row.read)(&line, &mut read);
                is_own |= row.dialect == "gate" && !read.is_empty();
                marks.extend(read.into_iter().map(|mark| (row.dialect, mark)));
            }
            if marks.len() > before {
                words.push(prose(text));
            }
        }
        if marks.iter().all(|(dialect, _)| *dialect == "gate") {
            continue;
        }
        let line = match is_own {
            true => Err("gate's own form stands in the same comment".to_string()),
            false => one(&marks, &words.join(" "), rules, cx, |rule| acts(acting, comment, rule)),
        };
        let put = line.and_then(|line| put(comment, &line, marks[0].1.reach, &layout, cx, out));
        if let Err(why) = put {
            out.left.push(Left { at: sources.get(comment.file).first_line(comment), why });
        }
    }
}

/// What of a comment is neither a suppression nor its reason.
fn prose(text: &str) -> String {
    const MARKS: &[&str] = &[
        "checkov:skip",
        "bridgecrew:skip",
        "cortex:skip",
        "trivy:",
        "tfsec:",
        "hadolint ",
        "kics-scan",
        "pragma:",
        "gitleaks:",
    ];
    let is_word_by_word = text.contains("trivy:") || text.contains("tfsec:");
    if is_word_by_word && !text.contains(":skip=") {
        let is_mark = |word: &str| {
            ["trivy:", "tfsec:"].iter().any(|mark| word.trim_start_matches(['#', '/', '*']).starts_with(mark))
        };
        return text.split_whitespace().filter(|word| !is_mark(word)).collect::<Vec<_>>().join(" ");
    }
    let end = MARKS.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(0);
    text[..end].trim_end_matches(['#', '/', '*', ' ']).to_string()
}

/// The marks of a comment as one of gate's, from the bracket on, with the rules that it acts on.
fn one(
    marks: &[(&'static str, Mark)],
    words: &str,
    rules: &Rules<'_>,
    cx: &Context<'_>,
    acts: impl Fn(usize) -> bool,
) -> Result<String, String> {
    let mut ids: Vec<String> = Vec::new();
    let first = &marks[0].1;
    let mut reasons: Vec<&str> = Vec::new();
    for (dialect, mark) in marks {
        if let Some((message, _)) = &mark.fault {
            return Err(message.clone());
        }
        if !mark.filter.is_empty() {
            return Err("it holds only for some values of attributes, which gate's form can't say".into());
        }
        if mark.until != first.until || mark.reach != first.reach {
            return Err("its parts end on different days or reach differently: give each a comment of its own".into());
        }
        let Ids::Named(named) = &mark.ids else {
            return Err("it speaks of more rules than it names: name each".into());
        };
        for name in named {
            let means = rules.means(dialect, name);
            if means.is_empty() {
                return Err(format!("no rule or alias is called `{name}`"));
            }
            for rule in means.iter().filter(|rule| acts(**rule)) {
                let id = &cx.catalog.rules()[*rule].id;
                if !ids.contains(id) {
                    ids.push(id.clone());
                }
            }
        }
        if !mark.reason.is_empty() && !reasons.contains(&mark.reason.as_str()) {
            reasons.push(&mark.reason);
        }
    }
    if ids.is_empty() {
        return Err(IDLE.into());
    }
    let reason: Vec<&str> = [words].into_iter().filter(|words| !words.is_empty()).chain(reasons).collect();
    let mut reason = reason.join("; ");
    if !reason.contains(char::is_alphanumeric) {
        reason = format!("accepted without a reason, as {} knew it", marks[0].0);
    }
    let until = first.until.map(|until| format!("until={until} ")).unwrap_or_default();
    Ok(format!("[{}] {until}{}", ids.join(", "), guarded(&reason).replace("*/", "* /")))
}

/// Puts gate's comment where its reach is that of the other.
fn put(
    comment: Span,
    line: &str,
    reach: Reach,
    layout: &Layout<'_>,
    cx: &Context<'_>,
    out: &mut Rewriting,
) -> Result<(), String> {
    let source = cx.discovered.sources.get(comment.file);
    let covered = layout.covered(comment, reach).filter(|covered| !covered.spans.is_empty());
    let covered = covered.ok_or("it does not act where it stands")?;
    let number = source.line(comment.start);
    if source.line(comment.end.saturating_sub(1).max(comment.start)) != number {
        return Err("it stands in a comment of several lines: give it one of its own".into());
    }
    let text = source.line_text(number);
    let from = (comment.start - source.line_start(number)) as usize;
    let (before, after) = (&text[..from], &text[(from + (comment.end - comment.start) as usize).min(text.len())..]);
    let is_whole = before.trim().is_empty() && after.trim().is_empty();
    let edits = out.edits.entry(comment.file).or_default();
    if edits.get(&number).is_some_and(|edit| edit.instead.is_some()) {
        return Err("another suppression stands on the same line".into());
    }
    let gone = match is_whole {
        true => Vec::new(),
        false if after.trim().is_empty() => vec![before.trim_end().to_string()],
        false => return Err("code stands behind it on its line".into()),
    };
    match reach {
        Reach::Statement
        | Reach::AdjacentStatement
        | Reach::Stage
        | Reach::AdjacentInstruction
        | Reach::FileTop
        | Reach::OwnLine
        | Reach::Beside => {
            let word = if reach == Reach::FileTop { "ignore-file" } else { "ignore" };
            let comment = match near::sign_of(source.path(), &text[from..]) {
                "/*" => format!("/* gate: {word}{line} */"),
                "<!--" => format!("<!-- gate: {word}{line} -->"),
                sign => format!("{} gate: {word}{line}", sign.trim_end()),
            };
            let edit = edits.entry(number).or_default();
            edit.instead = Some(vec![format!("{before}{comment}{after}")]);
            edit.is_sure = !matches!(reach, Reach::AdjacentInstruction | Reach::OwnLine | Reach::Beside);
        }
        Reach::Enclosing => {
            let [block] = covered.spans[..] else { return Err("several blocks are around it".into()) };
            let head = source.line(block.start);
            let edit = edits.entry(number).or_default();
            (edit.instead, edit.is_sure) = (Some(gone), true);
            let indent = indent(source.line_text(head)).to_string();
            let edit = edits.entry(head).or_insert_with(|| LineEdit { is_sure: true, ..LineEdit::default() });
            edit.above.push(format!("{indent}# gate: ignore{line}"));
        }
        Reach::File => {
            let top = first_after_directives(source);
            let edit = edits.entry(number).or_default();
            (edit.instead, edit.is_sure) = (Some(gone), true);
            let edit = edits.entry(top).or_insert_with(|| LineEdit { is_sure: true, ..LineEdit::default() });
            edit.above.push(format!("# gate: ignore-file{line}"));
        }
        Reach::Directive => return Err("the builder itself reads it".into()),
        Reach::LineBelow | Reach::Object => {
            return Err("gate's form has no such reach".into());
        }
    }
    Ok(())
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// The first line that a comment may stand above: parser directives of a Dockerfile count only as its first lines.
fn first_after_directives(source: &Source) -> u32 {
    let is_directive = |line: &u32| {
        let text = source.line_text(*line).trim_start();
        let name =
            text.strip_prefix('#').and_then(|rest| rest.split_once('=')).map(|(name, _)| name.trim().to_lowercase());
        name.is_some_and(|name| ["syntax", "escape", "check"].contains(&name.as_str()))
    };
    (1..=source.line_count()).take_while(is_directive).last().unwrap_or(0) + 1
}

fn annotation(
    cx: &Context<'_>,
    rules: &Rules<'_>,
    acting: &Acting,
    entry: &Entry,
    taken: &mut BTreeSet<String>,
    (news, out): (&mut News, &mut Rewriting),
) {
    let value = entry.node.as_str().unwrap_or("");
    let read = ANNOTATION_ROWS.iter().find_map(|row| Some((row.dialect, (row.read)(&entry.key, value)?)));
    let Some((dialect, mark)) = read.filter(|(dialect, _)| *dialect != "gate") else { return };
    let source = cx.discovered.sources.get(entry.key_span.file);
    let mut put = || {
        let Ids::Named(names) = &mark.ids else {
            return Err("it speaks of more rules than it names: name each".to_string());
        };
        let [name] = &names[..] else { return Err("it names several rules: give each an annotation".to_string()) };
        let means = rules.resolve(name);
        if means.is_empty() {
            return Err(format!("no rule or alias is called `{name}`"));
        }
        let place = source.first_line(entry.key_span.to(entry.node.span));
        let acted = means.iter().filter(|rule| acts(acting, place, **rule));
        let keys: Vec<String> = acted.map(|rule| format!("gate.dev/ignore.{}", cx.catalog.rules()[*rule].id)).collect();
        if keys.is_empty() {
            return Err(IDLE.to_string());
        }
        if let Some(key) = keys.iter().find(|key| taken.contains(*key)) {
            return Err(format!("`{key}` stands there already"));
        }
        let reason = mark.reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let reason = match reason.contains(char::is_alphanumeric) {
            true => guarded(&reason),
            false => format!("accepted without a reason, as {dialect} knew it"),
        };
        let number = source.line(entry.key_span.start);
        let text = source.line_text(number);
        let start = source.line_start(number);
        let (key_at, end) = (entry.key_span.start - start, entry.node.span.end.saturating_sub(start));
        if entry.node.span.file != entry.key_span.file || source.line(entry.node.span.end.saturating_sub(1)) != number {
            return Err("it stands on several lines: write it on one".to_string());
        }
        let (Some(before), Some(after)) = (text.get(..key_at as usize), text.get(end as usize..)) else {
            return Err("its place is not known".to_string());
        };
        // JSON's strings are YAML's, and the key is safe in both.
        let quote =
            if before.trim_end().ends_with(['{', ',']) || text.trim_start().starts_with('"') { "\"" } else { "" };
        let value = serde_json::Value::from(reason).to_string();
        let entry = |key: &String| format!("{quote}{key}{quote}: {value}");
        // A line of its own each in block style, and side by side in flow style.
        let is_flow = before.contains('{') || after.trim_start().starts_with([',', '}']) || !quote.is_empty();
        let entries: Vec<String> = keys.iter().map(entry).collect();
        taken.extend(keys);
        Ok((number, New { place: key_at as usize..end as usize, entries, is_flow, at: place }))
    };
    match put() {
        Ok((number, new)) => news.entry((entry.key_span.file, number)).or_default().push(new),
        Err(why) => out.left.push(Left { at: source.first_line(entry.key_span.to(entry.node.span)), why }),
    }
}

/// Annotations in place of one.
struct New {
    /// Where that stands in its line.
    place: Range<usize>,
    entries: Vec<String>,
    /// Whether they may stand side by side.
    is_flow: bool,
    /// The place in the file.
    at: Span,
}

/// New annotations by their line: in flow style a line may have several.
type News = BTreeMap<(FileId, u32), Vec<New>>;

/// Puts new annotations into their lines.
fn settle(cx: &Context<'_>, news: News, out: &mut Rewriting) {
    for ((file, number), mut news) in news {
        let text = cx.discovered.sources.get(file).line_text(number);
        let edit = out.edits.entry(file).or_default().entry(number).or_default();
        if edit.instead.is_some() || (news.len() > 1 && news.iter().any(|new| !new.is_flow)) {
            let why = "another suppression stands on the same line";
            out.left.extend(news.into_iter().map(|new| Left { at: new.at, why: why.into() }));
            continue;
        }
        news.sort_by_key(|new| std::cmp::Reverse(new.place.start));
        let lines = match &news[..] {
            [new] if !new.is_flow => {
                let (before, after) = (&text[..new.place.start], &text[new.place.end..]);
                let last = new.entries.len() - 1;
                let end = |index| if index == last { after } else { "" };
                let lines = new.entries.iter().enumerate();
                lines.map(|(index, entry)| format!("{before}{entry}{}", end(index))).collect()
            }
            _ => {
                let mut line = text.to_string();
                news.iter().for_each(|new| line.replace_range(new.place.clone(), &new.entries.join(", ")));
                vec![line]
            }
        };
        (edit.instead, edit.is_sure) = (Some(lines), true);
    }
}
