//! What stands where the entries of a baseline were.

use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Standing;
use crate::discover::Discovered;
use crate::filesystem::Files;
use crate::model::Model;
use crate::path::folder_of;
use crate::source::FileId;

/// What a scan knows of files.
pub struct Known<'a> {
    files: &'a Files,
    prefix: &'a str,
    /// The folder at which the paths of entries begin.
    top: PathBuf,
    /// Paths of files whose findings count.
    judged: FxHashSet<&'a str>,
    /// Addresses by the file in which they stand.
    in_file: FxHashMap<&'a str, Vec<&'a str>>,
    /// Addresses of what a folder makes, by that folder and the one in which it is written.
    in_folder: FxHashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Known<'a> {
    /// What a scan has read, and the files that were there; the paths of entries have this prefix.
    pub fn of(prefix: &'a str, discovered: &'a Discovered, model: &'a Model, files: &'a Files) -> Known<'a> {
        let parts = prefix.split('/').filter(|part| !part.is_empty()).count();
        let top = discovered.root.ancestors().nth(parts).unwrap_or(&discovered.root).to_path_buf();
        let sources = &discovered.sources;
        let is_judged = |file: &FileId| discovered.only.as_ref().is_none_or(|only| only.contains(file));
        let judged = sources.iter().filter(|(file, _)| is_judged(file)).map(|(_, source)| source.path()).collect();
        let (mut in_file, mut in_folder) = (FxHashMap::default(), FxHashMap::default());
        for resource in &model.resources {
            let (path, root) = (sources.get(resource.span.file).path(), &*resource.root);
            let add = |map: &mut FxHashMap<&'a str, Vec<&'a str>>, place| {
                map.entry(place).or_default().push(&*resource.address);
            };
            add(&mut in_file, path);
            if root != path {
                let (made, written) = (if root == "." { "" } else { root }, folder_of(path));
                add(&mut in_folder, written);
                if made != written {
                    add(&mut in_folder, made);
                }
            }
        }
        Known { files, prefix, top, judged, in_file, in_folder }
    }

    /// What stands at the path of an entry.
    pub fn standing(&self, path: &str) -> Standing<'a> {
        if self.files.kind(&self.top.join(Path::new(path))).is_err() {
            return Standing::Gone;
        }
        let Some(path) = path.strip_prefix(self.prefix).filter(|path| self.judged.contains(path)) else {
            return Standing::Unseen;
        };
        let of = |map: &FxHashMap<&str, Vec<&'a str>>, place| map.get(place).cloned().unwrap_or_default();
        Standing::Judged([of(&self.in_file, path), of(&self.in_folder, folder_of(path))].concat())
    }
}
