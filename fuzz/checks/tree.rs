//! A scanned folder in memory: an input is the texts of its files, which lines such as `# file: modules/net/main.tf` divide.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};

use gate::filesystem::{Entry, FileSystem, Kind};

/// Where the files seem to lie. Nothing is there on disk.
pub const ROOT: &str = "/gate-fuzz-tree";

/// Files of one input; what follows belongs to the last.
const MAX_FILES: usize = 16;

/// Files by absolute path, and the folders that hold them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<PathBuf, Vec<u8>>,
    folders: BTreeSet<PathBuf>,
}

impl Tree {
    /// The files of an input. What stands before the first dividing line is the file `first`.
    pub fn of(input: &[u8], first: &str) -> Tree {
        let mut tree = Tree { files: BTreeMap::new(), folders: BTreeSet::from([PathBuf::from(ROOT)]) };
        let (mut path, mut text) = (first.to_string(), Vec::new());
        let mut count = 1;
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            match divider(line).filter(|_| count < MAX_FILES) {
                Some(next) => {
                    count += 1;
                    tree.add(&path, std::mem::take(&mut text));
                    path = next.to_string();
                }
                None => text.extend_from_slice(line),
            }
        }
        tree.add(&path, text);
        tree
    }

    /// Adds a file, unless the path cannot be or names what is there already.
    pub fn add(&mut self, path: &str, text: Vec<u8>) {
        let full = Path::new(ROOT).join(path);
        let above: Vec<PathBuf> = full.ancestors().skip(1).map(Path::to_path_buf).collect();
        let is_taken = self.folders.contains(&full)
            || self.files.contains_key(&full)
            || above.iter().any(|folder| self.files.contains_key(folder));
        if is_taken || !is_plain(path) {
            return;
        }
        self.folders.extend(above.into_iter().filter(|folder| folder.starts_with(ROOT)));
        self.files.insert(full, text);
    }

    /// Relative path and bytes of every file, sorted.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, text)| {
            let path = path.to_str().and_then(|path| path.strip_prefix(ROOT)).unwrap_or("");
            (path.trim_start_matches('/'), text.as_slice())
        })
    }

    fn lookup(&self, path: &Path) -> io::Result<(PathBuf, Kind)> {
        let mut full = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir => {
                    full.pop();
                }
                Component::CurDir => {}
                other => full.push(other),
            }
        }
        match () {
            () if self.files.contains_key(&full) => Ok((full, Kind::File)),
            () if self.folders.contains(&full) => Ok((full, Kind::Folder)),
            () => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// The path that a dividing line names.
fn divider(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let path = line.strip_prefix("# file: ").or_else(|| line.strip_prefix("// file: "))?;
    is_plain(path).then_some(path)
}

fn is_plain(path: &str) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && part.len() < 200 && !part.contains('\0');
    path.len() < 1_000 && path.split('/').all(is_name)
}

impl FileSystem for Tree {
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let (folder, kind) = self.lookup(folder)?;
        if kind != Kind::Folder {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let files = self.files.keys().map(|path| (path, Kind::File));
        let folders = self.folders.iter().map(|path| (path, Kind::Folder));
        let inside = files.chain(folders).filter(|(path, _)| path.parent() == Some(&folder));
        Ok(inside.filter_map(|(path, kind)| Some(Entry { name: path.file_name()?.to_os_string(), kind })).collect())
    }

    fn kind(&self, path: &Path) -> io::Result<Kind> {
        self.lookup(path).map(|(_, kind)| kind)
    }

    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        self.lookup(path).map(|(path, _)| path)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let (path, _) = self.lookup(path)?;
        let text = self.files.get(&path).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(text[..text.len().min(limit as usize)].to_vec())
    }
}
