//! Which files a text under judgement may have read by naming them. What it names is told in reports, so that nothing is read
//! that is no part of the tree: what a tool keeps in a folder of its own, and what lies in the work tree without being git's,
//! such as the keys that a job has written there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Commit;

/// Folders in which version control keeps its own, the addresses and tokens of servers among it.
const VERSION_CONTROL: &[&str] = &[".git", ".hg", ".jj", ".svn"];

/// Which files expressions may read beside being below the root.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// The real folder of the repository that the root lies in: what is named in it and is not below the root belongs to what
    /// is judged, and was missed.
    pub repository: Option<PathBuf>,
    /// The commit at hand where a change is judged: then only what git tracks is read.
    pub tip: Option<Arc<Commit>>,
    /// Whether whoever asks wrote the question too, so that nothing is kept from them.
    pub is_open: bool,
}

impl Reach {
    /// Why what lies at this real path is not read; `root` is that of the scan.
    pub fn withholds(&self, path: &Path, root: &Path) -> Option<&'static str> {
        if self.is_version_control(path, root) {
            return Some("belongs to version control");
        }
        let is_tracked = self.is_open || self.tip.as_ref().is_none_or(|tip| tip.tracks_now(path));
        (!is_tracked).then_some("is not tracked by git")
    }

    /// Whether a path leads into a folder in which version control keeps its own.
    pub fn is_version_control(&self, path: &Path, root: &Path) -> bool {
        let top = self.top(root);
        !self.is_open && path.strip_prefix(top).is_ok_and(|below| below.iter().any(is_version_control))
    }

    /// The folder that holds all that is judged: the repository, or the root where there is none.
    pub fn top<'a>(&'a self, root: &'a Path) -> &'a Path {
        self.repository.as_deref().filter(|repository| root.starts_with(repository)).unwrap_or(root)
    }
}

/// Whether version control keeps its own in folders of this name, whatever its case: on some disks that does not count.
pub fn is_version_control(name: &std::ffi::OsStr) -> bool {
    VERSION_CONTROL.iter().any(|one| name.eq_ignore_ascii_case(one))
}
