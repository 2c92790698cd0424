//! Comments in texts that no frontend reads, as far as suppressions need them: beside what was found, and at the top.

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

/// The signs that begin a comment in the file at a path.
fn signs(path: &str) -> impl Iterator<Item = &'static str> {
    let more = SIGNS_BY_END.iter().find(|(end, _)| path.ends_with(end)).map_or(&[][..], |(_, signs)| signs);
    SIGNS.iter().chain(more).copied()
}

/// What the suppressions that can act there begin with.
const NEEDLES: &[&str] = &["gate:", "gitleaks:allow", "pragma:"];
/// Lines at the top that may speak for the file.
const TOP: u32 = 20;

/// The comments on the lines of these places and on the line above each, and those at the top of their files.
pub fn comments_near(sources: &Sources, places: &[Span]) -> Vec<Span> {
    let mut lines: BTreeSet<(FileId, u32)> = BTreeSet::new();
    for place in places {
        let source = sources.get(place.file);
        let line = source.line(place.start);
        lines.extend([(place.file, line.saturating_sub(1).max(1)), (place.file, line)]);
        let leading = (1..=TOP).take_while(|line| {
            let text = source.line_text(*line).trim_start();
            !text.is_empty() && signs(source.path()).any(|sign| text.starts_with(sign))
        });
        lines.extend(leading.map(|line| (place.file, line)));
    }
    lines.into_iter().filter_map(|(file, line)| comment(file, sources.get(file), line)).collect()
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
    let text = source.line_text(line);
    let trimmed = text.trim_start();
    let is_whole = signs(source.path()).any(|sign| trimmed.starts_with(sign));
    let start = if is_whole {
        text.len() - trimmed.len()
    } else {
        let needle = NEEDLES.iter().filter_map(|needle| text.find(needle)).min()?;
        signs(source.path()).filter_map(|sign| text[..needle].rfind(sign)).max()?
    };
    // The member `"//"` of an object, which speaks of the object.
    if source.path().ends_with(".json") && text[..start].ends_with('"') {
        return None;
    }
    let line_start = text.as_ptr() as usize - source.text().as_ptr() as usize;
    Some(Span::new(file, (line_start + start) as u32, (line_start + text.trim_end().len()) as u32))
}
