//! What the index of git says: what the commit at hand has and a sparse checkout leaves out, which is not deleted; and what the next
//! commit will have.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::index::entry::Flags;
use rustc_hash::FxHashSet;

use super::{Commit, Disk, Error, FileSystem, Repository};

impl Repository {
    /// The commit at hand with what the index tells git to leave out of the work tree, and what is staged.
    pub(super) fn with_index(&self, commit: Commit) -> Result<Commit, Error> {
        let repository = self.repository.to_thread_local();
        let index = repository.try_index().map_err(|error| {
            Error::new(
                format!("{}: the index of git can't be read: {error}", self.folder.display()),
                "see `git status`",
            )
        })?;
        let Some(index) = index else { return Ok(commit) };
        let (mut left_out, mut staged) = (FxHashSet::default(), FxHashSet::default());
        for entry in index.entries() {
            let Ok(path) = gix::path::from_bstr(entry.path(&index)) else { continue };
            // A folder of which nothing is checked out may stand there as one entry.
            if entry.flags.contains(Flags::SKIP_WORKTREE) {
                left_out.insert(path.to_path_buf());
            } else if commit.named(&path).is_none() {
                staged.extend(path.ancestors().filter(|path| *path != Path::new("")).map(Path::to_path_buf));
            }
        }
        Ok(Commit { left_out: Arc::new(left_out), staged: Arc::new(staged), ..commit })
    }
}

impl Commit {
    /// Whether git tracks the file or anything below the folder at this path: the commit has it, or it is staged.
    pub fn is_tracked(&self, path: &Path) -> bool {
        let is_staged = || path.strip_prefix(&self.folder).is_ok_and(|path| self.staged.contains(path));
        self.has(path) || is_staged()
    }

    /// Whether the commit has a file at this path that is not on disk because a sparse checkout leaves it out. Only the commit at
    /// hand leaves anything out.
    pub fn leaves_out(&self, path: &Path) -> bool {
        if self.left_out.is_empty() {
            return false;
        }
        let Some(inside) = self.inside(path) else { return false };
        inside.ancestors().any(|above| self.left_out.contains(above))
            && self.named(&inside).is_some()
            && Disk.kind(path).is_err()
    }

    /// The files and links below a folder that a sparse checkout leaves out, by absolute path, sorted.
    pub fn left_out_below(&self, folder: &Path) -> Vec<PathBuf> {
        if self.left_out.is_empty() {
            return Vec::new();
        }
        self.files_below(folder).into_iter().filter(|path| self.leaves_out(path)).collect()
    }
}
