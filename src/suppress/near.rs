//! Comments in texts that no frontend reads, as far as suppressions need them: beside and above what was found, at the top, and
//! wherever gate's own stand.

use std::collections::BTreeSet;

use crate::source::{FileId, Source, Sources, Span};

/// Signs that begin a comment in some language. What stands after one is a comment only if it holds a [`NEEDLES`].
const SIGNS: &[&str] = &["#", "//", "/*", "<!--", "--", ";", "%"];
/// The same by the end of a file's name: signs that are quotes or words elsewhere.
const SIGNS_BY_END: &[(&str, &[&str])] = &[
    (".bat", &["REM ", "rem ", "Rem ", "::"]),
    (".cmd", &["REM ", "rem ", "Rem ", "::"]),
    (".vb", &["'", "REM ", "Rem "]),
    (".vbs", &["'", "REM ", "Rem "]),
    (".bas", &["'", "REM ", "Rem "]),
];

/// The signs that begin a comment in the file at a path, and would be quotes or words in others.
fn signs_by_end(path: &str) -> &'static [&'static str] {
    SIGNS_BY_END.iter().find(|(end, _)| path.ends_with(end)).map_or(&[], |(_, signs)| signs)
}

/// The signs that begin a comment in the file at a path.
fn signs(path: &str) -> impl Iterator<Item = &'static str> {
    SIGNS.iter().chain(signs_by_end(path)).copied()
}

/// The sign with which a comment begins; `#` for any that is not known.
pub(super) fn sign_of(path: &str, comment: &str) -> &'static str {
    signs(path).find(|sign| comment.starts_with(sign)).unwrap_or("#")
}

/// The text of a comment without a sign that is a quote or a word elsewhere.
pub(super) fn without_word<'t>(path: &str, text: &'t str) -> &'t str {
    signs_by_end(path).iter().find_map(|sign| text.strip_prefix(sign)).unwrap_or(text).trim_start()
}

/// Signs by the end of a file's name, where no finding says that a text is meant: elsewhere `#` alone. Prose has none, since it
/// speaks of suppressions as often as it has them.
const KNOWN_SIGNS: &[(&str, &[&str])] = &[
    (" js jsx mjs cjs ts tsx java kt kts go c h cc cpp hpp cs swift rs scala groovy gradle dart php ", &["//", "/*"]),
    (" css scss less proto jsonnet libsonnet bicep ", &["//", "/*"]),
    (" sql lua hs ", &["--"]),
    (" html htm xml svg vue ", &["<!--"]),
    (" ini cfg conf properties ", &["#", ";"]),
    (" tex erl ", &["%"]),
    (" md markdown rst adoc txt json csv lock bat cmd vb vbs bas ", &[]),
];

fn known_signs(path: &str) -> &'static [&'static str] {
    let end = path.rsplit_once('.').map_or("", |(_, end)| end);
    let row = KNOWN_SIGNS.iter().find(|(ends, _)| ends.contains(&format!(" {end} ")));
    row.map_or(&["#"], |(_, signs)| signs)
}

/// What the suppressions that can act there begin with.
const NEEDLES: &[&str] = &["gate:", "gitleaks:allow", "pragma:", "checkov:skip=", "bridgecrew:skip=", "cortex:skip="];
/// What gate's own begin with.
const OWN: &str = "gate: ignore";
/// Lines at the top that may speak for the file, and lines of one comment.
const MAX_LINES: u32 = 200;
/// Comments of gate's form in one file that are looked at where nothing was found.
const MAX_OWN: usize = 1_000;

/// The comments on the lines of these places and around each, and those at the top of their files.
pub fn comments_near(sources: &Sources, places: &[Span]) -> Vec<Span> {
    let mut lines: BTreeSet<(FileId, u32)> = BTreeSet::new();
    let mut found = BTreeSet::new();
    for place in places {
        let (file, source) = (place.file, sources.get(place.file));
        let line = source.line(place.start);
        lines.extend([(file, line), (file, line + 1)]);
        // Up to the last line of code above, since comments and blank lines may stand between.
        let mut above = line.saturating_sub(1);
        while above > 0 && lines.insert((file, above)) {
            match whole(source, above, true) {
                Some((first, last)) => {
                    found.insert(span(file, source, first, last));
                    above = first - 1;
                }
                None if source.line_text(above).trim().is_empty() => above -= 1,
                None => break,
            }
        }
    }
    let files: BTreeSet<FileId> = places.iter().map(|place| place.file).collect();
    for file in files {
        found.extend(leading(file, sources.get(file)));
    }
    let beside = lines.into_iter().filter_map(|(file, line)| comment(file, sources.get(file), line));
    let beside: Vec<Span> = beside.filter(|one| !is_in(&found, *one)).collect();
    found.into_iter().chain(beside).collect()
}

/// The comments of gate's own form in a text, wherever they stand: what of them does not act is to be told.
pub fn own_comments(file: FileId, source: &Source) -> Vec<Span> {
    let signs = known_signs(source.path());
    if signs.is_empty() || !source.text().contains(OWN) {
        return Vec::new();
    }
    let mut found = BTreeSet::new();
    for (at, _) in source.text().match_indices(OWN).take(MAX_OWN) {
        let line = source.line(at as u32);
        let block = inside(source, line).or_else(|| whole(source, line, false).filter(|(first, last)| first < last));
        let one = match block.filter(|_| signs.contains(&"/*")) {
            Some((first, last)) => Some(span(file, source, first, last)),
            None => comment(file, source, line).filter(|one| !is_in_text(source, *one)).filter(|one| {
                let text = source.slice(*one);
                let said = signs.iter().find_map(|sign| text.strip_prefix(sign));
                said.is_some_and(|said| said.trim_start_matches(['#', '/', '*']).trim_start().starts_with(OWN))
            }),
        };
        found.extend(one);
    }
    if !found.is_empty() {
        found.extend(leading(file, source));
    }
    found.into_iter().collect()
}

/// Whether a place seems to lie in a text that is quoted on its line.
fn is_in_text(source: &Source, one: Span) -> bool {
    let start = source.line_start(source.line(one.start));
    source.slice(Span::new(one.file, start, one.start)).matches(['"', '`']).count() % 2 == 1
}

/// Whether a text has comments of gate's own form, so that it is to be kept though nothing else is in it.
pub fn has_own_comments(path: &str, text: &str) -> bool {
    text.contains(OWN) && !own_comments(FileId::OUTSIDE, &Source::new(path, text)).is_empty()
}

fn is_in(found: &BTreeSet<Span>, one: Span) -> bool {
    let last = found.range(..=Span::new(one.file, one.start, u32::MAX)).next_back();
    last.is_some_and(|last| last.contains(one))
}

/// The comments above all code.
fn leading(file: FileId, source: &Source) -> Vec<Span> {
    let mut found = Vec::new();
    let mut line = 1;
    while line <= source.line_count().min(MAX_LINES) {
        match whole(source, line, false) {
            Some((first, last)) => {
                found.push(span(file, source, first, last));
                line = last + 1;
            }
            None if source.line_text(line).trim().is_empty() => line += 1,
            None => break,
        }
    }
    found
}

/// A line without the braces of a template around a comment.
fn bare(line: &str) -> &str {
    let line = line.trim();
    let opened = line.strip_prefix("{{").map(|rest| rest.strip_prefix('-').unwrap_or(rest).trim_start());
    let line = opened.filter(|rest| rest.starts_with("/*")).unwrap_or(line);
    let closed = line.strip_suffix("}}").map(|rest| rest.strip_suffix('-').unwrap_or(rest).trim_end());
    closed.filter(|rest| rest.ends_with("*/")).unwrap_or(line)
}

const BLOCKS: &[(&str, &str)] = &[("/*", "*/"), ("<!--", "-->")];

/// The first and last line of the comment that ends on a line, or begins there, with no code on its lines.
fn whole(source: &Source, line: u32, ends: bool) -> Option<(u32, u32)> {
    let text = bare(source.line_text(line));
    for (open, close) in BLOCKS {
        let other = |line: &u32| bare(source.line_text(*line));
        if ends && text.ends_with(close) && !text.contains(open) {
            let above = (line.saturating_sub(MAX_LINES).max(1)..line).rev();
            let mut above = above.take_while(|line| !other(line).contains(close));
            if let Some(first) = above.find(|line| other(line).starts_with(open)) {
                return Some((first, line));
            }
        }
        if !ends && text.starts_with(open) && !text.contains(close) {
            let mut below = line + 1..=source.line_count().min(line + MAX_LINES);
            let last = below.find(|line| other(line).contains(close))?;
            return other(&last).ends_with(close).then_some((line, last));
        }
        // Behind its end stands code.
        if text.starts_with(open) && text.contains(close) && !text.ends_with(close) {
            return None;
        }
    }
    signs(source.path()).any(|sign| text.starts_with(sign)).then_some((line, line))
}

/// The first and last line of the comment of several lines around one that begins with a star.
fn inside(source: &Source, line: u32) -> Option<(u32, u32)> {
    if !source.line_text(line).trim_start().starts_with('*') {
        return None;
    }
    let mut above = (line.saturating_sub(MAX_LINES).max(1)..line).rev();
    let first = above.find(|line| {
        let text = source.line_text(*line);
        text.contains("/*") || text.contains("*/")
    })?;
    whole(source, first, false).filter(|(first, last)| *first < line && line <= *last)
}

/// The comment that is all of these lines.
fn span(file: FileId, source: &Source, first: u32, last: u32) -> Span {
    let (head, tail) = (source.line_text(first), source.line_text(last));
    let start = source.line_start(first) as usize + head.find(bare(head)).unwrap_or(0);
    let end = if first == last { start } else { source.line_start(last) as usize + tail.find(bare(tail)).unwrap_or(0) };
    Span::new(file, start as u32, (end + bare(tail).len()) as u32)
}

/// The comments at the ends of the lines of these places, for files whose reader takes them for words of a command: a shell does not.
pub fn comments_in_scripts(sources: &Sources, places: &[Span]) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    for place in places {
        let source = sources.get(place.file);
        let text = source.line_text(source.line(place.start));
        let Some(needle) = NEEDLES.iter().filter_map(|needle| text.find(needle)).min() else { continue };
        let sign = text[..needle].rfind(" #").or_else(|| text[..needle].rfind("\t#"));
        let Some(sign) = sign.filter(|_| !text.trim_start().starts_with('#')) else { continue };
        let line_start = text.as_ptr() as usize - source.text().as_ptr() as usize;
        let (start, end) = (line_start + sign + 1, line_start + text.trim_end().len());
        found.push(Span::new(place.file, start as u32, end as u32));
    }
    found.dedup();
    found
}

/// From the sign that is nearest before a suppression to the end of the line.
fn comment(file: FileId, source: &Source, line: u32) -> Option<Span> {
    if let Some((first, last)) = whole(source, line, true).filter(|(first, last)| first == last) {
        return Some(span(file, source, first, last));
    }
    let text = source.line_text(line);
    let needle = NEEDLES.iter().filter_map(|needle| text.find(needle)).min()?;
    let start = signs(source.path()).filter_map(|sign| text[..needle].rfind(sign)).max()?;
    // The member `"//"` of an object, which speaks of the object.
    if source.path().ends_with(".json") && text[..start].ends_with('"') {
        return None;
    }
    let block = BLOCKS.iter().find(|(open, _)| text[start..].starts_with(open));
    let closed = block.and_then(|(_, close)| Some(start + text[start..].find(close)? + close.len()));
    let line_start = source.line_start(line) as usize;
    let end = closed.unwrap_or(text.trim_end().len());
    Some(Span::new(file, (line_start + start) as u32, (line_start + end) as u32))
}
