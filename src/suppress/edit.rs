//! Lines of a text in place of others.

use std::collections::BTreeMap;
use std::ops::Range;

/// What becomes of one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineEdit {
    /// Lines to stand above it.
    pub above: Vec<String>,
    /// What stands in its place; an empty list takes it away, none leaves it.
    pub instead: Option<Vec<String>>,
    /// The reach is the same whatever the findings; else it is for whoever rewrites to see that it is.
    pub is_sure: bool,
}

/// The text with the edits made; line ends stay as they are in the file.
pub fn edited(text: &str, edits: &BTreeMap<u32, LineEdit>) -> String {
    let end_of_file = line_end(text);
    let mut out = String::with_capacity(text.len() + 256);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let body = line.trim_end_matches(['\n', '\r']);
        let end = &line[body.len()..];
        let Some(edit) = edits.get(&number) else {
            out.push_str(line);
            continue;
        };
        for above in &edit.above {
            out.push_str(above);
            out.push_str(if end.is_empty() { end_of_file } else { end });
        }
        match &edit.instead {
            None => out.push_str(line),
            Some(lines) => lines.iter().for_each(|line| {
                out.push_str(line);
                out.push_str(end);
            }),
        }
    }
    out
}

/// What of a text the edits change, before and after: the comments and annotations themselves, without what stands beside them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// In the old text.
    pub before: Vec<Range<u32>>,
    /// In the new one.
    pub after: Vec<Range<u32>>,
}

/// The places of the edits in [`edited`].
pub fn changed(text: &str, edits: &BTreeMap<u32, LineEdit>) -> Changed {
    let mut changed = Changed::default();
    let (mut old, mut new) = (0, 0);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let before = new;
        let Some(edit) = edits.get(&number) else {
            (old, new) = (old + line.len(), new + line.len());
            continue;
        };
        let body = line.trim_end_matches(['\n', '\r']);
        let end = line.len() - body.len();
        let broken = if end > 0 { end } else { line_end(text).len() };
        new += edit.above.iter().map(|above| above.len() + broken).sum::<usize>();
        changed.after.push(before as u32..new as u32);
        match edit.instead.as_deref() {
            None => new += line.len(),
            Some([instead]) => {
                let (first, last) = differing(body, instead);
                changed.before.push((old + first) as u32..(old + body.len() - last) as u32);
                changed.after.push((new + first) as u32..(new + instead.len() - last) as u32);
                new += instead.len() + end;
            }
            Some(lines) => {
                let length: usize = lines.iter().map(|line| line.len() + end).sum();
                changed.before.push(old as u32..(old + line.len()) as u32);
                changed.after.push(new as u32..(new + length) as u32);
                new += length;
            }
        }
        old += line.len();
    }
    changed
}

/// How much two lines have in common: bytes at the front, up to the beginning of a word, and at the end.
fn differing(old: &str, new: &str) -> (usize, usize) {
    let same = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let is_between = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'{' | b',');
    let first = old.as_bytes()[..same].iter().rposition(|byte| is_between(*byte)).map_or(0, |at| at + 1);
    let left = old.len().min(new.len()) - first;
    let last = old.bytes().rev().zip(new.bytes().rev()).take(left).take_while(|(a, b)| a == b).count();
    (first, last)
}

fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_a_comment_is_not_changed() {
        let text = "a: 1\nb: 2 # old\nc: 3\n";
        let instead = |line: &str| LineEdit { instead: Some(vec![line.into()]), ..LineEdit::default() };
        let above = LineEdit { above: vec!["# new".into()], ..LineEdit::default() };
        let edits = BTreeMap::from([(2, instead("b: 2 # gate: new")), (3, above)]);
        let new = edited(text, &edits);
        assert_eq!(new, "a: 1\nb: 2 # gate: new\n# new\nc: 3\n");
        let Changed { before, after } = changed(text, &edits);
        let of = |text: &str, all: &[Range<u32>]| {
            all.iter().map(|one| text[one.start as usize..one.end as usize].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(of(text, &before), ["old"]);
        assert_eq!(of(&new, &after), ["", "gate: new", "# new\n"]);
    }
}
