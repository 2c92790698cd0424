//! A file system that remembers what was read from it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Entry, FileSystem, Files, Kind};

/// Another file system, and the paths that were asked of it.
#[derive(Debug)]
pub struct Recording {
    files: Files,
    read: Mutex<BTreeSet<PathBuf>>,
    listed: Mutex<BTreeSet<PathBuf>>,
}

impl Recording {
    /// Begins with nothing read.
    pub fn new(files: Files) -> Recording {
        Recording { files, read: Mutex::default(), listed: Mutex::default() }
    }

    /// Files that were read or looked for, whether they are there or not.
    pub fn read(&self) -> BTreeSet<PathBuf> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Folders whose names were listed.
    pub fn listed(&self) -> BTreeSet<PathBuf> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn note(paths: &Mutex<BTreeSet<PathBuf>>, path: &Path) {
    paths.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_path_buf());
}

impl FileSystem for Recording {
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        note(&self.listed, folder);
        self.files.list(folder)
    }

    fn kind(&self, path: &Path) -> io::Result<Kind> {
        note(&self.read, path);
        self.files.kind(path)
    }

    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        note(&self.read, path);
        self.files.real(path)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        note(&self.read, path);
        self.files.read(path, limit)
    }
}
