//! Submodules that are not checked out: folders of which nothing is there to be read.

use std::path::{Path, PathBuf};

use super::escaped;
use super::walk::{Found, Scope};
use crate::problem::{Problem, ProblemKind};

/// Where git keeps the paths of submodules; a longer list is none.
const LIST: &str = ".gitmodules";
const MAX_LIST_BYTES: u64 = 1 << 20;

impl Scope<'_> {
    /// Tells of submodules below the real paths that are given that are not checked out. One that a change brings closes the gate: it may
    /// stand where files stood.
    pub fn tell_submodules(&self, given: &[PathBuf], found: &mut Found) {
        let all = match self.change {
            Some(change) => change.head.submodules_below(self.root),
            None => self.listed_submodules(),
        };
        let is_old = |path: &Path| self.change.is_none_or(|change| change.base.shares(path));
        for full in all.into_iter().filter(|full| given.iter().any(|given| full.starts_with(given))) {
            let Ok(path) = full.strip_prefix(self.root) else { continue };
            let is_there = self.files.list(&full).is_ok_and(|names| names.iter().any(|entry| entry.name != ".git"));
            if is_there || !self.shows(path, true) {
                continue;
            }
            let kind = if is_old(&full) { ProblemKind::Note } else { ProblemKind::Unread };
            found.problems.push(
                Problem::with_path(kind, escaped(path), "is a submodule that is not checked out: it was not read")
                    .help("check it out with `git submodule update --init`, or exclude it in gate.yaml"),
            );
        }
    }

    /// The submodules that the repository's own list names.
    fn listed_submodules(&self) -> Vec<PathBuf> {
        let Some(repository) = super::repository_of(self.root) else { return Vec::new() };
        let Ok(text) = self.files.text(&repository.join(LIST), MAX_LIST_BYTES) else { return Vec::new() };
        let path = |line: &str| {
            let (key, path) = line.split_once('=')?;
            (key.trim() == "path").then(|| repository.join(path.trim().trim_matches('"')))
        };
        let inside = |path: &PathBuf| path.starts_with(self.root) && !path.iter().any(|part| part == "..");
        text.lines().filter_map(path).filter(inside).collect()
    }
}
