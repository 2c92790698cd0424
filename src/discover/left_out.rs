//! Files that a sparse checkout leaves out: the commit at hand has them, and nothing of them is on disk.

use std::path::{Path, PathBuf};

use super::walk::{Found, Scope};
use super::{claims_of, escaped};
use crate::filesystem::Commit;
use crate::problem::{Problem, ProblemKind};

impl Scope<'_> {
    /// Tells of files below the real paths that are given that are not checked out, of the commits at both ends. One that the change
    /// touches closes the gate; how many others there are is told in a note.
    pub fn tell_left_out(&self, [base, head]: [&Commit; 2], given: &[PathBuf], found: &mut Found) {
        let mut others = 0;
        for full in head.left_out_below(self.root) {
            let Ok(path) = full.strip_prefix(self.root) else { continue };
            let is_given = given.iter().any(|given| full.starts_with(given));
            if !is_given || claims_of(self.frontends, path).is_empty() || !self.shows(path, false) {
                continue;
            }
            if head.has_same(base, &full) {
                others += 1;
                continue;
            }
            found.problems.push(
                Problem::with_path(ProblemKind::Unread, escaped(path), "is not checked out, and the change touches it: it was not read")
                    .help("check it out with `git sparse-checkout add FOLDER` or `git sparse-checkout disable`, or exclude it in gate.yaml"),
            );
        }
        if others > 0 {
            let count = if others == 1 {
                "1 file that the change leaves alone is".into()
            } else {
                format!("{others} files that the change leaves alone are")
            };
            found.problems.push(
                Problem::with_path(
                    ProblemKind::Note,
                    escaped(Path::new("")),
                    format!("{count} not checked out (sparse checkout): not read"),
                )
                .help("check all out with `git sparse-checkout disable` where their findings are wanted too"),
            );
        }
    }
}
