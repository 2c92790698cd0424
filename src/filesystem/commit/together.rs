//! What several commits have together, where merges cross so that two branches went apart from each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use gix::ObjectId;
use rustc_hash::FxHashMap;

use super::{Commit, Error, Kind, Named, Repository, placed};

/// All but folders, by path.
type Files = BTreeMap<PathBuf, Named>;

impl Repository {
    /// The first of these commits with what the others brought: a file that only one of two has otherwise than the commit from
    /// which they went apart in turn is the one's. One that both have otherwise stays as the first has it.
    pub(super) fn together(&self, first: ObjectId, others: &[ObjectId]) -> Result<Commit, Error> {
        let commit = self.commit(first)?;
        if others.is_empty() {
            return Ok(commit);
        }
        let mut ours = files(&commit);
        for other in others {
            let repository = self.repository.to_thread_local();
            let origin = repository.merge_base(first, *other).ok().flatten().map(|base| base.detach());
            let origin = origin.map(|origin| self.commit(origin)).transpose()?.as_ref().map(files).unwrap_or_default();
            let theirs = files(&self.commit(*other)?);
            let paths: BTreeSet<PathBuf> = ours.keys().chain(theirs.keys()).cloned().collect();
            for path in paths {
                let object = |files: &Files| files.get(&path).map(|one| (one.entry.kind, one.object));
                if object(&ours) == object(&origin) && object(&theirs) != object(&origin) {
                    match theirs.get(&path) {
                        Some(named) => drop(ours.insert(path, named.clone())),
                        None => drop(ours.remove(&path)),
                    }
                }
            }
        }
        let mut folders = FxHashMap::from_iter([(PathBuf::new(), Vec::new())]);
        ours.into_iter().for_each(|(path, named)| placed::put(&mut folders, &path, named));
        Ok(Commit { folders: Arc::new(folders), ..commit })
    }
}

fn files(commit: &Commit) -> Files {
    let all = commit.folders.iter().flat_map(|(folder, names)| names.iter().map(move |one| (folder, one)));
    let files = all.filter(|(_, one)| one.entry.kind != Kind::Folder);
    files.map(|(folder, one)| (folder.join(&one.entry.name), one.clone())).collect()
}
