//! Links: what is read through them.
//!
//! A tool follows a link wherever it leads. What a link inside the root leads to is read where it lies; what nobody would read there,
//! since it is hidden, ignored, excluded or of a name that tells nothing, is read through the link. Links never lead out of the root.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::names::{is_hidden, is_installed};
use super::walk::{Candidate, Folder, Found, Scope, is_certain, unread};
use super::{claims_of, io_reason, read};
use crate::filesystem::{FileSystem as _, Kind};
use crate::frontend::Claim;
use crate::problem::Problem;

const LEADS_OUT: &str = "link that leads out of the scanned folder, not followed";

/// What a tool would read behind a link, and gate does not.
fn leads_out(path: &Path) -> Problem {
    unread(path, LEADS_OUT)
        .help("scan a folder that holds the link and what it leads to, or exclude the link in gate.yaml")
}

/// A link whose target may be met where it lies.
#[derive(Debug)]
pub(super) struct Link {
    /// Relative to the root, both.
    path: PathBuf,
    target: PathBuf,
    is_folder: bool,
}

/// Folders that a walk went through, by where they lie; and those that it reached by links, with the links.
#[derive(Debug, Default)]
pub(super) struct Visited {
    pub folders: BTreeSet<PathBuf>,
    linked: BTreeMap<PathBuf, PathBuf>,
}

impl Scope<'_> {
    /// Decides on a link by its name and by where it leads.
    pub fn link(&self, path: PathBuf, found: &mut Found) {
        let claims = claims_of(self.frontends, &path);
        let target = match self.files.real(&self.root.join(&path)) {
            Ok(target) => target,
            Err(error) => {
                let reason = match error.kind() {
                    std::io::ErrorKind::NotFound => "link to nothing".into(),
                    _ => io_reason(&error),
                };
                return self.lose_link(&path, &reason, &claims, found);
            }
        };
        let inside = target.strip_prefix(self.root).ok().map(Path::to_path_buf);
        let kind = self.files.kind(&target).ok();
        let is_file = kind == Some(Kind::File);
        match (inside, is_certain(&claims)) {
            (Some(target), _) if kind == Some(Kind::Folder) => {
                found.links.push(Link { path, target, is_folder: true });
            }
            (None, _) if kind == Some(Kind::Folder) => match self.within.is_some() || path.iter().any(is_installed) {
                true => self.lose_link(&path, LEADS_OUT, &[], found),
                false => found.problems.push(leads_out(&path)),
            },
            _ if !self.is_within(&path) => {}
            (Some(_), true) if is_file => {
                found.candidates.push(Candidate { path, claims, searched: false, asked: true });
            }
            (Some(_), _) if claims.is_empty() => {}
            (Some(target), _) if is_file => found.links.push(Link { path, target, is_folder: false }),
            (None, _) if is_file && read::is_owned(self, &path, &claims) => found.problems.push(leads_out(&path)),
            (None, _) => self.lose_link(&path, LEADS_OUT, &claims, found),
            (Some(_), _) => self.lose_link(&path, "link to something that is not a regular file", &claims, found),
        }
    }

    /// A link that can't be followed. What the base had there is not for a change to hide behind it, whatever its name tells.
    fn lose_link(&self, path: &Path, reason: &str, claims: &[(usize, Claim)], found: &mut Found) {
        let full = self.root.join(path);
        let stood = self.change.and_then(|change| change.base.kind(&full).ok());
        let is_hidden = match stood {
            Some(Kind::File) => !claims.is_empty() && self.is_within(path),
            Some(Kind::Folder) => true,
            _ => false,
        };
        match is_hidden {
            true => found.problems.push(unread(path, &format!("{reason}, where the base has something to read"))),
            false => found.lose(path, reason, claims),
        }
    }

    /// Follows the links that were met to what is read nowhere else. Every folder is entered once, so that circles end.
    pub fn follow(&self, found: &mut Found) {
        let mut to_files = Vec::new();
        let mut through: BTreeSet<PathBuf> = BTreeSet::new();
        while !found.links.is_empty() {
            let mut links = std::mem::take(&mut found.links);
            links.sort_by(|a, b| a.path.cmp(&b.path));
            for link in links {
                if !link.is_folder {
                    to_files.push(link);
                    continue;
                }
                if found.visited.folders.contains(&link.target) || self.is_met_unread(&link.target) {
                    found.skip(&link.path, "link to a folder, which is met where it lies");
                    continue;
                }
                let above = link.path.parent().unwrap_or(Path::new(""));
                let ignores = self.ignores_down_to(above);
                let folder = Folder {
                    path: link.path.clone(),
                    real: link.target.clone(),
                    ignores,
                    hidden: false,
                    searched: false,
                };
                let more = self.walk(folder, &found.visited.folders);
                let real = |one: &Candidate| Some(link.target.join(one.path.strip_prefix(&link.path).ok()?));
                through.extend(more.candidates.iter().filter_map(real));
                found.join(more);
                found.visited.linked.insert(link.target, link.path);
            }
        }
        to_files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut read = found.claimed();
        for Link { path, target, .. } in to_files {
            let claims = claims_of(self.frontends, &path);
            if self.is_met(&target, &claims, &found.visited, &read) {
                found.skip(&path, "link to a file, which is met where it lies");
                continue;
            }
            through.insert(target);
            read.insert(path.clone());
            found.candidates.push(Candidate { path, claims, searched: false, asked: true });
        }
        // What is in a hidden text is told once.
        found.candidates.retain(|one| !one.claims.is_empty() || !through.contains(&one.path));
    }

    /// Whether a file is among those that are read, by whoever would read it through a link.
    fn is_met(&self, target: &Path, claims: &[(usize, Claim)], visited: &Visited, read: &BTreeSet<PathBuf>) -> bool {
        let own = claims_of(self.frontends, target);
        if !claims.iter().all(|(frontend, _)| own.iter().any(|(own, _)| own == frontend)) {
            return false;
        }
        let linked = |above: &Path| Some(visited.linked.get(above)?.join(target.strip_prefix(above).ok()?));
        read.contains(target)
            || target.ancestors().filter_map(linked).any(|path| read.contains(&path))
            || self.is_met_unread(target)
    }

    /// Whether a walk that leaves out most paths would have met this one.
    fn is_met_unread(&self, target: &Path) -> bool {
        self.within.is_some() && !target.iter().any(is_hidden) && !self.is_excluded(target)
    }
}
