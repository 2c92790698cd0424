//! The disk.

use std::fs::{File, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Entry, FileSystem, Kind, not_regular};

/// Files as they are on disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

fn kind_of(kind: FileType) -> Kind {
    match () {
        () if kind.is_symlink() => Kind::Link,
        () if kind.is_dir() => Kind::Folder,
        () if kind.is_file() => Kind::File,
        () => Kind::Other,
    }
}

impl FileSystem for Disk {
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let entry = |entry: io::Result<std::fs::DirEntry>| {
            let entry = entry?;
            Ok(Entry { name: entry.file_name(), kind: kind_of(entry.file_type()?) })
        };
        folder.read_dir()?.map(entry).collect()
    }

    fn kind(&self, path: &Path) -> io::Result<Kind> {
        path.symlink_metadata().map(|metadata| kind_of(metadata.file_type()))
    }

    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    /// Reads no further than the limit even if the file grows or claims another size.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        // To open a pipe is to wait for whoever writes to it, and to open a device may do anything.
        if !path.metadata()?.is_file() {
            return Err(not_regular());
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(not_regular());
        }
        let mut bytes = Vec::with_capacity(metadata.len().min(limit) as usize);
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
