//! Sparse checkouts: what the commit at hand has and the work tree, by git's own doing, has not. It is not deleted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::index::entry::Flags;
use rustc_hash::FxHashSet;

use super::{Commit, Disk, Error, FileSystem, Repository};

impl Repository {
    /// The files and folders that the index tells git to leave out of the work tree, by their path in the tree.
    pub(super) fn left_out(&self) -> Result<Arc<FxHashSet<PathBuf>>, Error> {
        let repository = self.repository.to_thread_local();
        let index = repository.try_index().map_err(|error| {
            Error::new(
                format!("{}: the index of git can't be read: {error}", self.folder.display()),
                "see `git status`",
            )
        })?;
        let Some(index) = index else { return Ok(Arc::default()) };
        let skipped = index.entries().iter().filter(|entry| entry.flags.contains(Flags::SKIP_WORKTREE));
        // A folder of which nothing is checked out may stand there as one entry.
        Ok(Arc::new(
            skipped.filter_map(|entry| Some(gix::path::from_bstr(entry.path(&index)).ok()?.into_owned())).collect(),
        ))
    }
}

impl Commit {
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
