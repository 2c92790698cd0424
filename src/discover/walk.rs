//! The walk: which files are there, and which of them a format may own. Reads nothing but ignore files.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::ignores::Ignores;
use super::links::{Link, Visited};
use super::names::{is_hidden, is_installed, is_variables_file, may_be_text};
use super::{Change, Error, Keep, Within, claims_of, escaped, io_reason};
use crate::config::PathGlobs;
use crate::filesystem::{Entry, FileSystem, Kind};
use crate::frontend::{Claim, Frontend};
use crate::problem::{Problem, ProblemKind};

/// A file that a format may own.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Relative to the root.
    pub path: PathBuf,
    /// Who may own it, in the order of the frontends.
    pub claims: Vec<(usize, Claim)>,
    /// Whether its text is looked at if nobody owns it.
    pub searched: bool,
    /// Whether it is to be judged, and not read for others' sake only.
    pub asked: bool,
}

/// What a walk met.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub candidates: Vec<Candidate>,
    pub problems: Vec<Problem>,
    pub skipped: Vec<(String, String)>,
    pub seen: usize,
    /// Links that are not decided on yet.
    pub links: Vec<Link>,
    pub visited: Visited,
}

impl Found {
    pub fn join(&mut self, other: Found) {
        self.candidates.extend(other.candidates);
        self.problems.extend(other.problems);
        self.skipped.extend(other.skipped);
        self.seen += other.seen;
        self.links.extend(other.links);
        self.visited.folders.extend(other.visited.folders);
    }

    /// Brings everything into an order that threads do not decide.
    pub fn sort(&mut self) {
        self.candidates.sort_by(|a, b| a.path.cmp(&b.path));
        self.candidates.dedup_by(|a, b| a.path == b.path);
    }

    /// The paths that some format may own.
    pub fn claimed(&self) -> BTreeSet<PathBuf> {
        let claimed = self.candidates.iter().filter(|one| !one.claims.is_empty());
        claimed.map(|one| one.path.clone()).collect()
    }

    pub fn skip(&mut self, path: &Path, reason: &str) {
        self.skipped.push((escaped(path), reason.into()));
    }

    /// Something that can't be read: what a format claims for certain is missed, and closes the gate.
    pub fn lose(&mut self, path: &Path, reason: &str, claims: &[(usize, Claim)]) {
        match is_certain(claims) {
            true => self.problems.push(unread(path, reason)),
            false => self.skip(path, reason),
        }
    }
}

/// Whether a file is some format's by its name alone.
pub(super) fn is_certain(claims: &[(usize, Claim)]) -> bool {
    claims.iter().any(|(_, claim)| *claim == Claim::Yes)
}

/// Where a walk may go and whom it asks.
pub(super) struct Scope<'a> {
    pub files: &'a dyn FileSystem,
    pub root: &'a Path,
    pub frontends: &'a [&'a dyn Frontend],
    pub exclude: Option<&'a PathGlobs>,
    pub force_exclude: bool,
    pub keep: Option<Keep>,
    pub change: Option<&'a Change<'a>>,
    pub within: Option<Within<'a>>,
}

/// The folder at hand.
pub(super) struct Folder {
    pub path: PathBuf,
    /// Where it lies: another path where a link led here.
    pub real: PathBuf,
    pub ignores: Arc<Ignores>,
    /// Hidden, or below a hidden folder: of its files only the texts count.
    pub hidden: bool,
    /// Whether texts of no format count: not where other people's code is installed.
    pub searched: bool,
}

impl Scope<'_> {
    /// Everything below a given folder, or the given file.
    pub fn visit(&self, path: &Path) -> Result<Found, Error> {
        let anchor = super::anchor(self.files, path)?;
        let below = anchor.strip_prefix(self.root).unwrap_or(Path::new("")).to_path_buf();
        let mut found = Found::default();
        if self.files.target(path) != Some(Kind::Folder) {
            // A path such as `..` names no file, and it is a folder: it has been dealt with.
            if let Some(name) = path.file_name() {
                self.given(below.join(name), &mut found);
            }
            return Ok(found);
        }
        let (real, searched) = (below.clone(), self.keep.is_some());
        let folder = Folder { path: below, real, ignores: Arc::default(), hidden: false, searched };
        Ok(self.walk(folder, &BTreeSet::new()))
    }

    /// A file that was named is taken though it is hidden or ignored.
    fn given(&self, path: PathBuf, found: &mut Found) {
        if self.force_exclude && self.is_excluded(&path) {
            return;
        }
        found.seen += 1;
        let full = self.root.join(&path);
        match self.files.kind(&full) {
            Ok(Kind::Link) => self.link(path, found),
            Ok(Kind::File) => {
                let claims = claims_of(self.frontends, &path);
                match claims.is_empty() && !(self.keep.is_some() && may_be_text(&path)) {
                    true => found.skip(&path, "no format that is read has files of this name"),
                    false => found.candidates.push(Candidate { path, claims, searched: true, asked: true }),
                }
            }
            Ok(_) => found.problems.push(
                Problem::with_path(ProblemKind::Unread, escaped(&path), "is not a regular file")
                    .help("name a regular file or a folder"),
            ),
            Err(error) => found.problems.push(unread(&path, &io_reason(&error))),
        }
    }

    /// Walks below a folder, in parallel: one task a folder, so that depth needs no stack. Folders that lie where others were visited
    /// are left out.
    pub fn walk(&self, folder: Folder, visited: &BTreeSet<PathBuf>) -> Found {
        let all = Mutex::new(Found::default());
        rayon::scope(|tasks| self.enter(folder, visited, tasks, &all));
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter<'s>(
        &'s self,
        folder: Folder,
        visited: &'s BTreeSet<PathBuf>,
        tasks: &rayon::Scope<'s>,
        all: &'s Mutex<Found>,
    ) {
        let mut found = Found::default();
        if visited.contains(&folder.real) {
            return;
        }
        if !folder.hidden {
            found.visited.folders.insert(folder.real.clone());
        }
        let mut entries = Vec::new();
        match self.files.list(&self.root.join(&folder.path)) {
            Ok(listed) => entries = listed,
            Err(error) => found.problems.push(unread_folder(&folder.path, &io_reason(&error))),
        }
        let folder = self.with_ignore_files(folder, &entries, &mut found);
        for entry in entries {
            let Entry { name, kind } = entry;
            let is_variables = is_variables_file(&name) && kind == Kind::File;
            let hidden = folder.hidden || is_hidden(&name) && !is_variables;
            if hidden && !folder.searched {
                continue;
            }
            let path = folder.path.join(&name);
            let is_ignored = folder.ignores.excludes(&path, kind == Kind::Folder, || self.is_tracked(&path));
            if is_ignored || self.is_excluded(&path) {
                continue;
            }
            if kind == Kind::Folder {
                let searched = folder.searched && !is_installed(&name);
                if hidden && !searched {
                    continue;
                }
                let real = folder.real.join(&name);
                let below = Folder { path, real, ignores: Arc::clone(&folder.ignores), hidden, searched };
                tasks.spawn(move |tasks| self.enter(below, visited, tasks, all));
                continue;
            }
            if hidden {
                if kind == Kind::File && may_be_text(&path) && self.is_within(&path) {
                    found.seen += 1;
                    found.candidates.push(Candidate { path, claims: Vec::new(), searched: true, asked: true });
                }
                continue;
            }
            if kind == Kind::Link {
                found.seen += 1;
                self.link(path, &mut found);
                continue;
            }
            if !self.is_within(&path) {
                continue;
            }
            // Where nothing is searched, whoever needs the variables reads them.
            if is_variables && !folder.searched && self.keep.is_some() {
                continue;
            }
            found.seen += 1;
            let claims = claims_of(self.frontends, &path);
            match (claims.is_empty(), kind == Kind::File) {
                (true, true) if folder.searched && may_be_text(&path) => {
                    found.candidates.push(Candidate { path, claims, searched: true, asked: true });
                }
                (true, _) => {}
                (false, true) => {
                    found.candidates.push(Candidate { path, claims, searched: folder.searched, asked: true });
                }
                (false, false) => found.lose(&path, "not a regular file", &claims),
            }
        }
        all.lock().unwrap_or_else(PoisonError::into_inner).join(found);
    }

    /// Adds files that are asked for by name, which the walk may have met as nobody's.
    pub fn add(&self, also: &[(PathBuf, usize)], found: &mut Found) {
        for (path, frontend) in also {
            let claims = vec![(*frontend, Claim::Yes)];
            match found.candidates.binary_search_by(|candidate| candidate.path.cmp(path)) {
                Ok(at) if found.candidates[at].claims.is_empty() => found.candidates[at].claims = claims,
                Ok(_) => {}
                Err(_) if self.files.target(&self.root.join(path)) != Some(Kind::File) => {}
                Err(at) => {
                    let candidate = Candidate { path: path.clone(), claims, searched: false, asked: true };
                    found.candidates.insert(at, candidate);
                }
            }
        }
    }

    pub fn is_within(&self, path: &Path) -> bool {
        self.within.is_none_or(|within| within(path))
    }

    pub fn is_excluded(&self, path: &Path) -> bool {
        self.exclude.is_some_and(|globs| globs.matches(&self.root.join(path)))
    }
}

/// A relative path without `.` and `..`; none if it leaves its start.
pub(super) fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => normal.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !normal.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(normal)
}

pub(super) fn unread(path: &Path, reason: &str) -> Problem {
    Problem::with_path(ProblemKind::Unread, escaped(path), reason).help("make it readable, or exclude it in gate.yaml")
}

fn unread_folder(path: &Path, reason: &str) -> Problem {
    let name = if path.as_os_str().is_empty() { ".".into() } else { escaped(path) };
    Problem::with_path(ProblemKind::Unread, name, format!("folder was not listed: {reason}"))
        .help("make it readable, or exclude it in gate.yaml")
}
