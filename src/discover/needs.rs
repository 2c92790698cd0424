//! What files need read beside them to be understood.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::names::is_hidden;
use super::walk::{Candidate, Scope, normal};
use super::{Change, claims_of, read};
use crate::filesystem::{Entry, Kind};
use crate::frontend::Claim;

/// A folder or file that must be read for a file to be understood.
#[derive(Debug)]
pub(super) struct Need {
    /// Relative to the root, without `..`.
    pub path: PathBuf,
    /// What of it.
    pub extent: Extent,
}

/// What is read of a [`Need`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    /// The files in the folder.
    Folder,
    /// Those in folders below it too.
    Below,
    /// The file itself, whichever frontend has it.
    File,
    /// The file itself, which is of the asking format's whatever it is called.
    Named,
}

impl Scope<'_> {
    /// The folders that a file wants to see beside it.
    pub fn needs_of(&self, text: &read::Text) -> Vec<(usize, Need)> {
        text.frontend.map(|frontend| self.needs(frontend, &text.path, &text.text)).unwrap_or_default()
    }

    /// The folders that the frontend of a file wants to see beside it. Paths that leave the root are dropped: the
    /// frontend tells what it misses.
    fn needs(&self, frontend: usize, path: &str, text: &str) -> Vec<(usize, Need)> {
        let own = Path::new(path).parent().unwrap_or(Path::new(""));
        let context = self.frontends[frontend].context(Path::new(path), text);
        let near = context.folders.iter().map(|folder| (folder, Extent::Folder));
        let installed = context.installed.iter().map(|folder| (folder, Extent::Below));
        let files = context.files.iter().map(|file| (file, Extent::File));
        let all = near.chain(installed).chain(files).map(|(path, extent)| (frontend, path, extent));
        let number = |name: &str| self.frontends.iter().position(|frontend| frontend.name() == name);
        let named = context.named.iter().filter_map(|(name, path)| Some((number(name)?, path, Extent::Named)));
        let need = |(frontend, path, extent): (usize, &String, Extent)| {
            Some((frontend, Need { path: normal(&own.join(path))?, extent }))
        };
        all.chain(named).filter_map(need).collect()
    }

    /// A file that another needs, though it be hidden or excluded: it was asked for. An ignored one stays out, since it
    /// differs between machines.
    fn needed(&self, path: &Path) -> Option<Candidate> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let full = self.root.join(path);
        let is_real = self.files.real(&full).is_ok_and(|real| real == full);
        let is_file = is_real && self.files.kind(&full).is_ok_and(|kind| kind == Kind::File);
        if !is_file || self.ignores_down_to(folder).excludes(path, false, || self.is_tracked(path)) {
            return None;
        }
        let claims = claims_of(self.frontends, path);
        (!claims.is_empty()).then(|| Candidate { path: path.to_path_buf(), claims, searched: false, asked: false })
    }

    /// A file that another says to be of a format: whoever names it has it read, so that no ignore file hides it.
    fn named(&self, frontend: usize, path: &Path) -> Option<Candidate> {
        let claims = vec![(frontend, Claim::Yes)];
        let candidate = || Candidate { path: path.to_path_buf(), claims, searched: false, asked: true };
        self.leads_to_file_inside(path).then(candidate)
    }

    /// The files of a frontend in a folder that another file needs, or the file that it needs, though the folder be hidden, ignored or excluded:
    /// it was asked for. Ignored files in it stay out, since they differ between machines; what was installed there is
    /// always ignored, so that it is read whole. Folders behind links are not entered.
    pub fn list(&self, frontend: usize, need: &Need) -> Vec<Candidate> {
        match need.extent {
            Extent::File => return self.needed(&need.path).into_iter().collect(),
            Extent::Named => return self.named(frontend, &need.path).into_iter().collect(),
            Extent::Folder | Extent::Below => {}
        }
        let is_deep = need.extent == Extent::Below;
        let mut candidates = Vec::new();
        // Installed modules are the machine's. Those that a change brings along would be its own word about others' code.
        let is_brought = |change: &Change<'_>| {
            let folder = self.root.join(&need.path);
            change.head.tracks(&folder) && !change.base.tracks(&folder)
        };
        if is_deep && self.change.is_some_and(is_brought) {
            return candidates;
        }
        let mut folders = vec![need.path.clone()];
        while let Some(folder) = folders.pop() {
            let full = self.root.join(&folder);
            let Ok(entries) = self.files.list(&full) else { continue };
            if !self.files.real(&full).is_ok_and(|real| real == full) {
                continue;
            }
            let ignores = if is_deep { Arc::default() } else { self.ignores_down_to(&folder) };
            for Entry { name, kind } in entries {
                let path = folder.join(&name);
                let is_ignored = || ignores.excludes(&path, kind == Kind::Folder, || self.is_tracked(&path));
                if is_hidden(&name) || is_ignored() {
                    continue;
                }
                if kind == Kind::Folder {
                    if is_deep {
                        folders.push(path);
                    }
                    continue;
                }
                let is_file = kind == Kind::File || (kind == Kind::Link && self.leads_to_file_inside(&path));
                if is_file && self.frontends[frontend].claims(&path) == Claim::Yes {
                    let claims = vec![(frontend, Claim::Yes)];
                    candidates.push(Candidate { path, claims, searched: false, asked: false });
                }
            }
        }
        candidates
    }

    fn leads_to_file_inside(&self, path: &Path) -> bool {
        let target = self.files.real(&self.root.join(path));
        target.is_ok_and(|target| target.starts_with(self.root) && self.files.target(&target) == Some(Kind::File))
    }
}
