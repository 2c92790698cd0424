//! Edits of lines as a unified diff.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::escape::plain;
use crate::suppress::LineEdit;

/// Lines shown around a change.
const CONTEXT: u32 = 3;

/// Writes what the edits make of a text.
pub fn write(path: &str, text: &str, edits: &BTreeMap<u32, LineEdit>, out: &mut dyn Write) -> io::Result<()> {
    let lines: Vec<&str> = text.lines().collect();
    let path = plain(path);
    writeln!(out, "--- a/{path}\n+++ b/{path}")?;
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
            let line = lines.get(number as usize - 1).copied().unwrap_or("");
            let edit = edits.get(&number);
            for above in edit.iter().flat_map(|edit| &edit.above) {
                body.push(format!("+{}", shown(above)));
                new += 1;
            }
            old += 1;
            match edit.and_then(|edit| edit.instead.as_ref()) {
                None => {
                    body.push(format!(" {}", shown(line)));
                    new += 1;
                }
                Some(instead) => {
                    body.push(format!("-{}", shown(line)));
                    body.extend(instead.iter().map(|line| format!("+{}", shown(line))));
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
