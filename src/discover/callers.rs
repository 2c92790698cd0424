//! Who calls the modules of files that are given one by one: what they pass decides what the files do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read::{self, Text};
use super::walk::{Folder, Scope};
use super::{Walk, joined, repository_of};
use crate::filesystem::Kind;
use crate::frontend::Claim;
use crate::path::folder_of;

impl Scope<'_> {
    /// The files of a repository in which modules call those of the given files, directly or by others, for their context. Where
    /// folders are given, what calls is given with them, or was not asked for.
    pub fn callers(&self, texts: &[Text], walk: &Walk<'_>) -> Vec<Text> {
        let is_file = |path: &PathBuf| self.files.target(path) != Some(Kind::Folder);
        if repository_of(self.root).is_none() || !walk.paths.iter().all(is_file) {
            return Vec::new();
        }
        let called = |text: &Text| text.frontend.filter(|frontend| self.frontends[*frontend].is_called());
        let frontends: BTreeSet<usize> = texts.iter().filter_map(called).collect();
        frontends.into_iter().flat_map(|frontend| self.callers_in(frontend, texts, walk.max_bytes)).collect()
    }

    fn callers_in(&self, frontend: usize, given: &[Text], max_bytes: u64) -> Vec<Text> {
        let all = Scope { keep: None, ..*self };
        let top = PathBuf::new();
        let folder = Folder { path: top.clone(), real: top, ignores: Arc::default(), hidden: false, searched: false };
        let mut candidates = all.walk(folder, &BTreeSet::new()).candidates;
        let is_given: BTreeSet<&str> = given.iter().map(|text| text.path.as_str()).collect();
        candidates.retain(|one| {
            let is_new = one.path.to_str().is_some_and(|path| !is_given.contains(path));
            is_new && one.claims.contains(&(frontend, Claim::Yes))
        });
        candidates.sort_by(|a, b| a.path.cmp(&b.path));
        candidates.iter_mut().for_each(|one| one.asked = false);
        let (texts, _) = read::all(candidates, &all, max_bytes);
        let mut calling: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for text in &texts {
            let folder = folder_of(&text.path);
            let context = self.frontends[frontend].context(Path::new(&text.path), &text.text);
            for named in context.folders.iter().filter_map(|named| joined(folder, named)) {
                calling.entry(named).or_default().insert(folder);
            }
        }
        let own = given.iter().filter(|text| text.frontend == Some(frontend)).map(|text| folder_of(&text.path));
        let mut open: Vec<&str> = own.collect();
        let mut reached: BTreeSet<&str> = open.iter().copied().collect();
        while let Some(folder) = open.pop() {
            let name = if folder.is_empty() { "." } else { folder };
            open.extend(calling.get(name).into_iter().flatten().copied().filter(|caller| reached.insert(caller)));
        }
        let reached: BTreeSet<String> = reached.into_iter().map(str::to_string).collect();
        texts.into_iter().filter(|text| reached.contains(folder_of(&text.path))).collect()
    }
}
