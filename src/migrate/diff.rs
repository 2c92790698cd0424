//! Edits of lines as a unified diff.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::escape::plain;
use crate::secret::{Known, find_in_file, find_to_hide, without};
use crate::suppress::LineEdit;

/// Lines shown around a change.
const CONTEXT: u32 = 3;

/// Writes what the edits make of a text, with the secrets in its lines hidden.
pub fn write(path: &str, text: &str, edits: &BTreeMap<u32, LineEdit>, out: &mut dyn Write) -> io::Result<()> {
    let lines: Vec<&str> = text.lines().collect();
    let secrets = Secrets::of(path, text);
    let shown_path = plain(path);
    writeln!(out, "--- a/{shown_path}\n+++ b/{shown_path}")?;
    let mut numbers = edits.keys().copied().peekable();
    // How many lines more the new text has above the hunk at hand.
    let mut shift = 0_i64;
    while let Some(first) = numbers.next() {
        let mut last = first;
        while let Some(next) = numbers.next_if(|next| *next <= last + 2 * CONTEXT) {
            last = next;
        }
        let from = first.saturating_sub(CONTEXT).max(1);
        let to = (last + CONTEXT).min(lines.len() as u32);
        let mut body = Vec::new();
        let (mut old, mut new) = (0_i64, 0_i64);
        for number in from..=to {
            let line = lines.get(number as usize - 1).copied().unwrap_or(&text[text.len()..]);
            let edit = edits.get(&number);
            for above in edit.iter().flat_map(|edit| &edit.above) {
                body.push(format!("+{}", secrets.hidden_in_new(above)));
                new += 1;
            }
            old += 1;
            match edit.and_then(|edit| edit.instead.as_ref()) {
                None => {
                    body.push(format!(" {}", secrets.hidden_in_old(line)));
                    new += 1;
                }
                Some(instead) => {
                    body.push(format!("-{}", secrets.hidden_in_old(line)));
                    body.extend(instead.iter().map(|line| format!("+{}", secrets.hidden_in_new(line))));
                    new += instead.len() as i64;
                }
            }
        }
        writeln!(out, "@@ -{from},{old} +{},{new} @@", i64::from(from) + shift)?;
        for line in body {
            writeln!(out, "{line}")?;
        }
        shift += new - old;
    }
    Ok(())
}

/// Shows lines without the secrets of their file.
struct Secrets<'t> {
    path: &'t str,
    text: &'t str,
    /// Where they stand in the old text, in order.
    places: Vec<(usize, usize)>,
    /// Their texts, for lines that are new.
    known: Known,
}

impl<'t> Secrets<'t> {
    fn of(path: &'t str, text: &'t str) -> Secrets<'t> {
        let places = find_to_hide(path, text);
        let known = find_in_file(path, text).into_iter().map(|hit| &text[hit.start..hit.end]);
        Secrets { path, text, places, known: Known::new(known.collect()) }
    }

    /// A line of the old text, which is a part of it.
    fn hidden_in_old(&self, line: &str) -> String {
        let start = (line.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let end = start + line.len();
        let from = self.places.partition_point(|place| place.1 <= start);
        let within = |at: usize| at.clamp(start, end) - start;
        let here = self.places[from..].iter().take_while(|place| place.0 < end);
        shown(&self.known.hidden(&without(line, here.map(|place| (within(place.0), within(place.1))))))
    }

    /// A line that an edit makes.
    fn hidden_in_new(&self, line: &str) -> String {
        shown(&self.known.hidden(&without(line, find_to_hide(self.path, line).into_iter())))
    }
}

/// A line of the tree; only tabs may steer.
fn shown(line: &str) -> String {
    line.split('\t').map(|part| plain(part).into_owned()).collect::<Vec<_>>().join("\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_count_their_lines() {
        let text: String = (1..=20).map(|number| format!("line {number}\n")).collect();
        let edit = |above: &[&str], instead: Option<&[&str]>| LineEdit {
            above: above.iter().map(|line| line.to_string()).collect(),
            instead: instead.map(|lines| lines.iter().map(|line| line.to_string()).collect()),
            is_sure: true,
        };
        let edits =
            BTreeMap::from([(2, edit(&["new"], None)), (4, edit(&[], Some(&[]))), (20, edit(&[], Some(&["last"])))]);
        let mut out = Vec::new();
        write("a.tf", &text, &edits, &mut out).expect("a vector takes all");
        let diff = String::from_utf8(out).expect("UTF-8");
        let expected = "--- a/a.tf\n+++ b/a.tf\n@@ -1,7 +1,7 @@\n line 1\n+new\n line 2\n line 3\n-line 4\n line 5\n line 6\n line 7\n@@ -17,4 +17,4 @@\n line 17\n line 18\n line 19\n-line 20\n+last\n";
        assert_eq!(diff, expected);
    }
}
