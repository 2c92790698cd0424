//! The walk: which files are there, and which of them a format may own. Reads nothing but ignore files.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::names::{is_hidden, is_installed, is_variables_file, may_be_text};
use super::{Change, Error, Keep, Within, claims_of, escaped, io_reason, read};
use crate::config::PathGlobs;
use crate::filesystem::{Entry, FileSystem, Kind};
use crate::frontend::{Claim, Frontend};
use crate::problem::{Problem, ProblemKind};

/// An ignore file is a list of names; past this size it is taken for something else, and nothing is ignored by it.
const MAX_IGNORE_BYTES: u64 = 256 << 10;

/// The ignore files: gate's own, and git's.
const GATE: &str = ".gateignore";
const GIT: &str = ".gitignore";

/// A file that a format may own.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Relative to the root.
    pub path: PathBuf,
    /// Who may own it, in the order of the frontends.
    pub claims: Vec<(usize, Claim)>,
    /// Whether its text is looked at if nobody owns it.
    pub searched: bool,
}

/// What a walk met.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub candidates: Vec<Candidate>,
    pub problems: Vec<Problem>,
    pub skipped: Vec<(String, String)>,
    pub seen: usize,
}

impl Found {
    pub fn join(&mut self, other: Found) {
        self.candidates.extend(other.candidates);
        self.problems.extend(other.problems);
        self.skipped.extend(other.skipped);
        self.seen += other.seen;
    }

    /// Brings everything into an order that threads do not decide.
    pub fn sort(&mut self) {
        self.candidates.sort_by(|a, b| a.path.cmp(&b.path));
        self.candidates.dedup_by(|a, b| a.path == b.path);
    }

    fn skip(&mut self, path: &Path, reason: &str) {
        self.skipped.push((escaped(path), reason.into()));
    }

    /// Something that can't be read: what a format claims for certain is missed, and closes the gate.
    fn lose(&mut self, path: &Path, reason: &str, claims: &[(usize, Claim)]) {
        match is_certain(claims) {
            true => self.problems.push(unread(path, reason)),
            false => self.skip(path, reason),
        }
    }
}

/// Whether a file is some format's by its name alone.
fn is_certain(claims: &[(usize, Claim)]) -> bool {
    claims.iter().any(|(_, claim)| *claim == Claim::Yes)
}

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

/// Ignore files in force in a folder: its own and those of the folders above it, up to where the walk began.
#[derive(Default)]
struct Ignores {
    above: Option<Arc<Ignores>>,
    gate: Option<Gitignore>,
    git: Option<Gitignore>,
}

impl Ignores {
    /// `.gateignore` outranks `.gitignore`; within each kind the nearest folder outranks those above. What git tracks is not
    /// ignored by git.
    fn excludes(&self, path: &Path, is_folder: bool, is_tracked: impl Fn() -> bool) -> bool {
        let decide = |pick: fn(&Ignores) -> Option<&Gitignore>| {
            let mut level = Some(self);
            while let Some(ignores) = level {
                match pick(ignores).map(|file| file.matched(path, is_folder)) {
                    Some(Match::Ignore(_)) => return Some(true),
                    Some(Match::Whitelist(_)) => return Some(false),
                    _ => level = ignores.above.as_deref(),
                }
            }
            None
        };
        decide(|ignores| ignores.gate.as_ref())
            .or_else(|| decide(|ignores| ignores.git.as_ref()).map(|is_ignored| is_ignored && !is_tracked()))
            .unwrap_or(false)
    }
}

/// The folder at hand.
struct Folder {
    path: PathBuf,
    ignores: Arc<Ignores>,
    /// Hidden, or below a hidden folder: of its files only the texts count.
    hidden: bool,
    /// Whether texts of no format count: not where other people's code is installed.
    searched: bool,
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
        Ok(self.walk(Folder { path: below, ignores: Arc::default(), hidden: false, searched: self.keep.is_some() }))
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
                    false => found.candidates.push(Candidate { path, claims, searched: true }),
                }
            }
            Ok(_) => found.problems.push(
                Problem::with_path(ProblemKind::Unread, escaped(&path), "is not a regular file")
                    .help("name a regular file or a folder"),
            ),
            Err(error) => found.problems.push(unread(&path, &io_reason(&error))),
        }
    }

    /// Walks below a folder, in parallel: one task a folder, so that depth needs no stack.
    fn walk(&self, folder: Folder) -> Found {
        let all = Mutex::new(Found::default());
        rayon::scope(|tasks| self.enter(folder, tasks, &all));
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter<'s>(&'s self, folder: Folder, tasks: &rayon::Scope<'s>, all: &'s Mutex<Found>) {
        let mut found = Found::default();
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
                let below = Folder { path, ignores: Arc::clone(&folder.ignores), hidden, searched };
                tasks.spawn(move |tasks| self.enter(below, tasks, all));
                continue;
            }
            if hidden {
                if kind == Kind::File && may_be_text(&path) && self.is_within(&path) {
                    found.candidates.push(Candidate { path, claims: Vec::new(), searched: true });
                }
                continue;
            }
            if !self.is_within(&path) {
                continue;
            }
            found.seen += usize::from(!is_variables);
            if kind == Kind::Link {
                self.link(path, &mut found);
                continue;
            }
            let claims = claims_of(self.frontends, &path);
            match (claims.is_empty(), kind == Kind::File) {
                (true, true) if folder.searched && may_be_text(&path) => {
                    found.candidates.push(Candidate { path, claims, searched: true });
                }
                (true, _) => {}
                (false, true) => {
                    found.candidates.push(Candidate { path, claims, searched: folder.searched });
                }
                (false, false) => found.lose(&path, "not a regular file", &claims),
            }
        }
        all.lock().unwrap_or_else(PoisonError::into_inner).join(found);
    }

    /// Adds the ignore files of a folder. Only regular files of reasonable size count: a link could lead to a device.
    fn with_ignore_files(&self, folder: Folder, entries: &[Entry], found: &mut Found) -> Folder {
        let mut ignores = Ignores { above: Some(Arc::clone(&folder.ignores)), ..Ignores::default() };
        for (name, slot) in [(GATE, &mut ignores.gate), (GIT, &mut ignores.git)] {
            let path = self.root.join(&folder.path).join(name);
            let files = self.ignore_files(name);
            let kind = match self.change.is_some() && name == GATE {
                // Those in force are not those of the folder at hand.
                true => files.kind(&path).ok(),
                false => entries.iter().find(|entry| entry.name == name).map(|entry| entry.kind),
            };
            let Some(kind) = kind else { continue };
            if kind != Kind::File {
                found.skip(&folder.path.join(name), "not a regular file; nothing is ignored by it");
                continue;
            }
            match ignore_lines(files, &path) {
                Ok(text) => *slot = Some(matcher(&folder.path, &text)),
                Err(reason) => found.skip(&folder.path.join(name), &format!("{reason}; nothing is ignored by it")),
            }
        }
        if ignores.gate.is_none() && ignores.git.is_none() {
            return folder;
        }
        Folder { ignores: Arc::new(ignores), ..folder }
    }

    /// Where the ignore files of this name are read: a change does not choose what gate leaves out.
    fn ignore_files(&self, name: &str) -> &dyn FileSystem {
        match self.change {
            Some(change) if name == GATE => change.base,
            _ => self.files,
        }
    }

    /// Whether git has a path in the commits that are compared: then no `.gitignore` hides it.
    fn is_tracked(&self, path: &Path) -> bool {
        self.change.is_some_and(|change| {
            let full = self.root.join(path);
            change.base.has(&full) || change.head.has(&full)
        })
    }

    fn is_within(&self, path: &Path) -> bool {
        self.within.is_none_or(|within| within(path))
    }

    pub fn is_excluded(&self, path: &Path) -> bool {
        self.exclude.is_some_and(|globs| globs.matches(&self.root.join(path)))
    }

    /// Decides on a link by its name and by where it leads, without following it into a folder.
    fn link(&self, path: PathBuf, found: &mut Found) {
        let claims = claims_of(self.frontends, &path);
        let target = match self.files.real(&self.root.join(&path)) {
            Ok(target) => target,
            Err(error) => {
                let reason = match error.kind() {
                    std::io::ErrorKind::NotFound => "link to nothing".into(),
                    _ => io_reason(&error),
                };
                return found.lose(&path, &reason, &claims);
            }
        };
        let inside = target.starts_with(self.root);
        let kind = self.files.kind(&target).ok();
        let is_file = kind == Some(Kind::File);
        let is_certain = is_certain(&claims);
        if kind == Some(Kind::Folder) {
            let reason = if inside { "link to a folder, which is met where it lies" } else { LEADS_OUT };
            return found.skip(&path, reason);
        }
        match (inside, is_certain) {
            (true, true) if is_file => {
                found.candidates.push(Candidate { path, claims, searched: false });
            }
            (true, _) if claims.is_empty() => {}
            (true, _) if is_file => found.skip(&path, "link to a file, which is met where it lies"),
            (_, true) if is_file => found.problems.push(
                unread(&path, LEADS_OUT)
                    .help("scan a folder that holds the link and the file, or exclude the link in gate.yaml"),
            ),
            (false, _) => found.lose(&path, LEADS_OUT, &claims),
            (true, _) => found.lose(&path, "link to something that is not a regular file", &claims),
        }
    }

    /// The folders that a file wants to see beside it.
    pub fn needs_of(&self, text: &read::Text) -> Vec<(usize, Need)> {
        text.frontend.map(|frontend| self.needs(frontend, &text.path, &text.text)).unwrap_or_default()
    }

    /// The folders that the frontend of a file wants to see beside it. Paths that leave the root are dropped: the
    /// frontend tells what it misses.
    fn needs(&self, frontend: usize, path: &str, text: &str) -> Vec<(usize, Need)> {
        let own = Path::new(path).parent().unwrap_or(Path::new(""));
        let context = self.frontends[frontend].context(text);
        let near = context.folders.iter().map(|folder| (folder, Extent::Folder));
        let installed = context.installed.iter().map(|folder| (folder, Extent::Below));
        let files = context.files.iter().map(|file| (file, Extent::File));
        let all = near.chain(installed).chain(files);
        all.filter_map(|(path, extent)| Some((frontend, Need { path: normal(&own.join(path))?, extent }))).collect()
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
        (!claims.is_empty()).then(|| Candidate { path: path.to_path_buf(), claims, searched: false })
    }

    /// The files of a frontend in a folder that another file needs, or the file that it needs, though the folder be hidden, ignored or excluded:
    /// it was asked for. Ignored files in it stay out, since they differ between machines; what was installed there is
    /// always ignored, so that it is read whole. Folders behind links are not entered.
    pub fn list(&self, frontend: usize, need: &Need) -> Vec<Candidate> {
        if need.extent == Extent::File {
            return self.needed(&need.path).into_iter().collect();
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
                    candidates.push(Candidate { path, claims, searched: false });
                }
            }
        }
        candidates
    }

    /// The ignore files of a folder and of all folders above it up to the root.
    fn ignores_down_to(&self, folder: &Path) -> Arc<Ignores> {
        let mut ignores = Arc::new(Ignores::default());
        let above: Vec<&Path> = folder.ancestors().collect();
        for level in above.into_iter().rev() {
            let [gate, git] = [GATE, GIT].map(|name| {
                let path = self.root.join(level).join(name);
                let files = self.ignore_files(name);
                let is_file = files.kind(&path).is_ok_and(|kind| kind == Kind::File);
                is_file.then(|| ignore_lines(files, &path).ok()).flatten().map(|text| matcher(level, &text))
            });
            if gate.is_some() || git.is_some() {
                ignores = Arc::new(Ignores { above: Some(ignores), gate, git });
            }
        }
        ignores
    }

    fn leads_to_file_inside(&self, path: &Path) -> bool {
        let target = self.files.real(&self.root.join(path));
        target.is_ok_and(|target| target.starts_with(self.root) && self.files.target(&target) == Some(Kind::File))
    }
}

const LEADS_OUT: &str = "link that leads out of the scanned folder, not followed";

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

fn ignore_lines(files: &dyn FileSystem, path: &Path) -> Result<String, String> {
    let bytes = files.read(path, MAX_IGNORE_BYTES + 1).map_err(|error| io_reason(&error))?;
    if bytes.len() as u64 > MAX_IGNORE_BYTES {
        return Err(format!("larger than {} KiB", MAX_IGNORE_BYTES >> 10));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Lines that are no valid pattern ignore nothing, as in git.
fn matcher(folder: &Path, text: &str) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.trim_start_matches('\u{feff}').lines() {
        // An error concerns this line only.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

fn unread(path: &Path, reason: &str) -> Problem {
    Problem::with_path(ProblemKind::Unread, escaped(path), reason).help("make it readable, or exclude it in gate.yaml")
}

fn unread_folder(path: &Path, reason: &str) -> Problem {
    let name = if path.as_os_str().is_empty() { ".".into() } else { escaped(path) };
    Problem::with_path(ProblemKind::Unread, name, format!("folder was not listed: {reason}"))
        .help("make it readable, or exclude it in gate.yaml")
}
