//! Comments in texts that no frontend reads, as far as suppressions need them: beside what was found, and at the top.

use std::collections::BTreeSet;

use crate::source::{FileId, Source, Sources, Span};

/// Signs that begin a comment in some language. What stands after one is a comment only if it holds a [`NEEDLES`].
const SIGNS: &[&str] = &["#", "//", "/*", "<!--", "--", ";", "%"];
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
            !text.is_empty() && SIGNS.iter().any(|sign| text.starts_with(sign))
        });
        lines.extend(leading.map(|line| (place.file, line)));
    }
    lines.into_iter().filter_map(|(file, line)| comment(file, sources.get(file), line)).collect()
}

/// From the sign that is nearest before a suppression to the end of the line.
fn comment(file: FileId, source: &Source, line: u32) -> Option<Span> {
    let text = source.line_text(line);
    let trimmed = text.trim_start();
    let is_whole = SIGNS.iter().any(|sign| trimmed.starts_with(sign));
    let start = if is_whole {
        text.len() - trimmed.len()
    } else {
        let needle = NEEDLES.iter().filter_map(|needle| text.find(needle)).min()?;
        SIGNS.iter().filter_map(|sign| text[..needle].rfind(sign)).max()?
    };
    // The member `"//"` of an object, which speaks of the object.
    if source.path().ends_with(".json") && text[..start].ends_with('"') {
        return None;
    }
    let line_start = text.as_ptr() as usize - source.text().as_ptr() as usize;
    Some(Span::new(file, (line_start + start) as u32, (line_start + text.trim_end().len()) as u32))
}
