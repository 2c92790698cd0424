//! A commit with some of its files elsewhere, as a change has renamed them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Commit, Entry, Kind, Named};

impl Commit {
    /// The same files, and some of them under other absolute paths too, where nothing is: from where each comes, and to where.
    pub fn with_files_at(&self, moved: &[(PathBuf, PathBuf)]) -> Commit {
        let mut folders = (*self.folders).clone();
        for (from, to) in moved {
            let (Some(from), Some(to)) = (self.inside(from), self.inside(to)) else { continue };
            let Some(named) = self.named(&from).filter(|named| named.entry.kind == Kind::File) else { continue };
            put(&mut folders, &to, named.clone());
        }
        Commit { folders: Arc::new(folders), ..self.clone() }
    }
}

/// Puts a file at a path in the tree where nothing is, under the last name of that, and with it the folders that are not there yet.
pub(super) fn put(folders: &mut FxHashMap<PathBuf, Vec<Named>>, path: &Path, file: Named) {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else { return };
    let kind = file.entry.kind;
    let mut place: (&Path, Named) = (folder, Named { entry: Entry { name: name.into(), kind }, object: file.object });
    // Folders down to it, from the nearest that is there.
    loop {
        let is_there = folders.contains_key(place.0);
        let names = folders.entry(place.0.to_path_buf()).or_default();
        if let Err(at) = names.binary_search_by(|one| one.entry.name.cmp(&place.1.entry.name)) {
            names.insert(at, place.1);
        }
        match place.0.parent().zip(place.0.file_name()) {
            Some((above, name)) if !is_there => {
                let entry = Entry { name: name.into(), kind: Kind::Folder };
                // A folder's object is asked for by nobody.
                place = (above, Named { entry, object: file.object });
            }
            _ => break,
        }
    }
}
