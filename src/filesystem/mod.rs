//! Where files come from: the disk, or a commit whose files lie in git's objects. Whoever reads files is given one of them,
//! so that a tree can be judged as it is and as it was, by the same code.
//!
//! Paths are absolute. Nothing here writes, runs or fetches anything.

mod commit;
mod disk;
mod reach;
mod recording;

use std::ffi::OsString;
use std::fmt::Debug;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use commit::{Commit, Error, Repository};
pub use disk::Disk;
pub use reach::{Reach, is_version_control};
pub use recording::Recording;

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, a socket, a submodule: nothing to read.
    Other,
}

/// One name in a folder.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name.
    pub name: OsString,
    /// What it is; a link is a link, wherever it leads.
    pub kind: Kind,
}

/// Files and folders that can be read.
pub trait FileSystem: Debug + Send + Sync {
    /// The names in a folder, in any order.
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>>;
    /// What is there under this path, the last link not followed.
    fn kind(&self, path: &Path) -> io::Result<Kind>;
    /// The path with all links followed.
    fn real(&self, path: &Path) -> io::Result<PathBuf>;
    /// At most `limit` bytes of a regular file, links followed; fails for anything else.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// What is there at the end of all links; none where nothing is.
    fn target(&self, path: &Path) -> Option<Kind> {
        self.real(path).and_then(|real| self.kind(&real)).ok()
    }

    /// The text of a file of at most `limit` bytes.
    fn text(&self, path: &Path, limit: u64) -> io::Result<String> {
        let bytes = self.read(path, limit + 1)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::other(format!("is larger than {} KiB", limit >> 10)));
        }
        String::from_utf8(bytes).map_err(|_| io::Error::other("is not UTF-8"))
    }
}

/// A file system that many hold.
#[derive(Debug, Clone)]
pub struct Files(Arc<dyn FileSystem>);

impl Files {
    /// Shares a file system.
    pub fn new(files: impl FileSystem + 'static) -> Files {
        Files(Arc::new(files))
    }
}

impl Default for Files {
    /// The disk.
    fn default() -> Files {
        Files::new(Disk)
    }
}

impl Deref for Files {
    type Target = dyn FileSystem;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl<T: FileSystem + 'static> From<Arc<T>> for Files {
    fn from(files: Arc<T>) -> Files {
        Files(files)
    }
}

/// The error for what is there and is no regular file.
fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file")
}
