//! Files that a change moved out of sight: a moved file cannot drop what it was judged by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::claims_of;
use super::walk::{Candidate, Found, Scope};
use crate::filesystem::{FileSystem, Kind};

/// Pairs of files that are held against each other; of more only those of one name are found.
const MAX_PAIRS: usize = 10_000;

/// Texts that are compared are no longer than this.
const MAX_COMPARED_BYTES: u64 = 1 << 20;

impl Scope<'_> {
    /// Adds the files that the base showed and that a change moved to where nobody looks: into a hidden, ignored or excluded place
    /// below a real path that is given.
    pub fn add_moved(&self, given: &[PathBuf], found: &mut Found) {
        let Some(change) = self.change else { return };
        let relative = |full: &PathBuf| full.strip_prefix(self.root).ok().map(Path::to_path_buf);
        let is_claimed = |path: &PathBuf| !claims_of(self.frontends, path).is_empty();
        let is_gone = |path: &PathBuf| {
            !matches!(self.files.kind(&self.root.join(path)), Ok(Kind::File | Kind::Link)) && self.shows(path, false)
        };
        let gone: Vec<PathBuf> =
            change.base.files_below(self.root).iter().filter_map(relative).filter(is_claimed).filter(is_gone).collect();
        if gone.is_empty() {
            return;
        }
        let read = found.claimed();
        let is_new = |path: &PathBuf| {
            let full = self.root.join(path);
            !read.contains(path)
                && !change.base.has(&full)
                && given.iter().any(|given| full.starts_with(given))
                && self.files.kind(&full).is_ok_and(|kind| kind == Kind::File)
        };
        let came: Vec<PathBuf> =
            change.head.files_below(self.root).iter().filter_map(relative).filter(is_claimed).filter(is_new).collect();
        let is_few = gone.len() * came.len() <= MAX_PAIRS;
        let mut moved = Vec::new();
        for path in came {
            let is_moved = |from: &PathBuf| {
                self.has_same_claim(from, &path)
                    && (from.file_name() == path.file_name() || is_few && self.are_alike(change.base, from, &path))
            };
            if gone.iter().any(is_moved) {
                let claims = claims_of(self.frontends, &path);
                moved.push(Candidate { path, claims, searched: false, asked: true });
            }
        }
        let taken: BTreeSet<PathBuf> = moved.iter().map(|one| one.path.clone()).collect();
        found.candidates.retain(|one| !taken.contains(&one.path));
        found.candidates.extend(moved);
        found.sort();
    }

    fn has_same_claim(&self, one: &Path, other: &Path) -> bool {
        let (one, other) = (claims_of(self.frontends, one), claims_of(self.frontends, other));
        one.iter().any(|(frontend, _)| other.iter().any(|(other, _)| other == frontend))
    }

    /// Whether half of the lines of a file of the base stand in one of the head, as git tells a file that was moved.
    fn are_alike(&self, base: &dyn FileSystem, from: &Path, to: &Path) -> bool {
        let was = base.text(&self.root.join(from), MAX_COMPARED_BYTES);
        let (Ok(was), Ok(now)) = (was, self.files.text(&self.root.join(to), MAX_COMPARED_BYTES)) else { return false };
        let (was, now) = (lines(&was), lines(&now));
        let common: usize = was.iter().map(|(line, count)| (*count).min(now.get(line).copied().unwrap_or(0))).sum();
        2 * common >= was.values().sum::<usize>().max(1)
    }
}

/// The lines of a text with how often each stands there; blanks around them don't count.
fn lines(text: &str) -> BTreeMap<&str, usize> {
    let mut lines = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        *lines.entry(line).or_default() += 1;
    }
    lines
}
