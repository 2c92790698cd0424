//! The hashes of lines by which GitHub's code scanning knows an alert again.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::secret;
use crate::source::{FileId, Source};

/// GitHub's hash of a line: a rolling polynomial over the 100 characters from its start, blanks left out, with the number of
/// the line among those of the same hash. A secret among these is hashed as it is shown, since it could be guessed from a hash
/// in which nothing else is unknown: there alone it is not the hash that GitHub would compute, which takes the one it is given.
#[derive(Default)]
pub(super) struct Hashes {
    files: FxHashMap<FileId, Vec<(u64, u32)>>,
}

impl Hashes {
    pub(super) fn of(&mut self, file: FileId, source: &Source, line: u32) -> String {
        let hashes = self.files.entry(file).or_insert_with(|| line_hashes(&shown(source)));
        hashes.get(line as usize - 1).map_or_else(String::new, |(hash, number)| format!("{hash:x}:{number}"))
    }
}

/// The text without its secrets, none of which goes over the end of a line.
fn shown(source: &Source) -> Cow<'_, str> {
    match source.secrets() {
        [] => Cow::Borrowed(source.text()),
        places => Cow::Owned(secret::without(source.text(), places.iter().copied())),
    }
}

/// The hash of every line and its number among equal ones; the algorithm of `fingerprints.ts` in github/codeql-action, by
/// its description.
fn line_hashes(text: &str) -> Vec<(u64, u32)> {
    const WINDOW: usize = 100;
    const BASE: u64 = 37;
    let first_power = (0..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut window = [0_u64; WINDOW];
    let mut line_of_slot: [Option<usize>; WINDOW] = [None; WINDOW];
    let (mut slot, mut hash, mut line) = (0_usize, 0_u64, 0_usize);
    let mut results: Vec<(usize, u64)> = Vec::new();
    let mut line_begins = true;
    let mut after_return = false;
    let mut feed = |unit: u64, line_begins: &mut bool, line: &mut usize| {
        if let Some(known) = line_of_slot[slot].take() {
            results.push((known, hash));
        }
        if *line_begins {
            *line_begins = false;
            *line += 1;
            line_of_slot[slot] = Some(*line - 1);
        }
        if unit == 10 {
            *line_begins = true;
        }
        hash = BASE.wrapping_mul(hash).wrapping_add(unit).wrapping_sub(first_power.wrapping_mul(window[slot]));
        window[slot] = unit;
        slot = if slot + 1 == WINDOW { 0 } else { slot + 1 };
    };
    for unit in text.encode_utf16() {
        let unit = u64::from(unit);
        if unit == 32 || unit == 9 || (after_return && unit == 10) {
            after_return = false;
            continue;
        }
        after_return = unit == 13;
        feed(if unit == 13 { 10 } else { unit }, &mut line_begins, &mut line);
    }
    feed(65535, &mut line_begins, &mut line);
    for _ in 0..WINDOW {
        feed(0, &mut false, &mut line);
    }
    let mut seen: FxHashMap<u64, u32> = FxHashMap::default();
    let mut hashes = vec![(0, 0); line];
    results.sort_by_key(|(line, _)| *line);
    for (line, hash) in results {
        let number = seen.entry(hash).or_insert(0);
        *number += 1;
        if let Some(place) = hashes.get_mut(line) {
            *place = (hash, *number);
        }
    }
    hashes
}

#[cfg(test)]
mod tests {
    fn line_hashes(text: &str) -> Vec<String> {
        super::line_hashes(text).iter().map(|(hash, number)| format!("{hash:x}:{number}")).collect()
    }

    #[test]
    fn line_hashes_are_those_that_github_computes() {
        assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
        assert_eq!(
            line_hashes(" a\nb\n  \t\tc\n d"),
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]
        );
        let lorem = line_hashes(&"Lorem ipsum dolor sit amet.\n".repeat(10));
        assert_eq!(lorem[0], "a7f2ff13bc495cf2:1");
        assert_eq!(lorem[5], "a7f2ff13bc495cf2:6");
        assert_eq!(lorem[6], "a7f2ff1481e87703:1");
    }
}
