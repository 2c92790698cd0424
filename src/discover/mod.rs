//! Finds the files to judge: one parallel walk, who claims which file, each file read once.
//!
//! The answer depends on the tree alone: ignore files count only inside the scanned folder, never a user's or a
//! parent folder's. Links are followed inside the root, to what would not be read where it lies; a link to a regular file whose
//! name a format claims for certain is read under its own name too, since a Terraform module is what its folder shows.

mod callers;
mod ignores;
mod left_out;
mod links;
mod moved;
mod names;
mod needs;
mod read;
mod submodules;
mod walk;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use miette::Diagnostic;
use rayon::prelude::*;
use thiserror::Error;

use crate::config::PathGlobs;
use crate::filesystem::{Commit, Disk, FileSystem, Kind};
use crate::finding::Finding;
use crate::frontend::{Claim, Frontend};
use crate::path::folder_of;
use crate::problem::Problem;
use crate::source::{FileId, Source, Sources};

/// Bytes of one file that are read at most, unless told otherwise.
pub const MAX_BYTES: u64 = 10 << 20;

/// What to look at.
#[derive(Clone)]
pub struct Walk<'a> {
    /// Where the files lie.
    pub files: &'a dyn FileSystem,
    /// Files and folders, relative to the working directory or absolute.
    pub paths: &'a [PathBuf],
    /// Paths that the configuration leaves out.
    pub exclude: Option<&'a PathGlobs>,
    /// Whether the excludes hold for files named in [`Walk::paths`] too.
    pub force_exclude: bool,
    /// Bytes of one file that are read at most.
    pub max_bytes: u64,
    /// Reads the texts that no format claims too, hidden ones included, and keeps those that this accepts by path and text.
    pub keep: Option<Keep>,
    /// The commits that are compared, if any: what is ignored is then not for the change to say.
    pub change: Option<&'a Change<'a>>,
    /// The commits at the begin and the end of what is compared, if anything is, whosever word counts.
    pub ends: Option<[&'a Commit; 2]>,
    /// Files that are read too, wherever they lie, relative to the root, with the index of their frontend.
    pub also: &'a [(PathBuf, usize)],
    /// Leaves out all other paths, relative to the root, before they are read; what is read for context too.
    pub within: Option<Within<'a>>,
}

/// Whether a path counts.
pub type Within<'a> = &'a (dyn Fn(&Path) -> bool + Sync);

/// The commits between which a change lies.
#[derive(Debug)]
pub struct Change<'a> {
    /// Where it begins.
    pub base: &'a Commit,
    /// Where the rules come from: its `.gateignore` files are in force.
    pub rules: &'a Commit,
    /// Where it ends: what it has was not ignored by git.
    pub head: &'a Commit,
}

/// Whether a text that no format claims is worth keeping.
pub type Keep = fn(&str, &str) -> bool;

impl<'a> Walk<'a> {
    /// Looks at `paths` without excludes.
    pub fn new(paths: &'a [PathBuf]) -> Walk<'a> {
        Walk {
            files: &Disk,
            paths,
            exclude: None,
            force_exclude: false,
            max_bytes: MAX_BYTES,
            keep: None,
            change: None,
            ends: None,
            also: &[],
            within: None,
        }
    }
}

/// What there is to judge. The same for the same tree, whatever the number of threads.
#[derive(Debug, Default)]
pub struct Discovered {
    /// Texts of all files that a format claims, and of those that [`Walk::keep`] accepts, sorted by path.
    pub sources: Sources,
    /// The files of each frontend, in the order of the frontends.
    pub claims: Vec<Vec<FileId>>,
    /// The real folder that all paths are relative to.
    pub root: PathBuf,
    /// Path from the root of the repository to [`Discovered::root`], with a trailing `/`; empty outside a repository.
    pub prefix: String,
    /// The files that were asked for, when others were read for their context only; see [`Discovered::counts`].
    pub only: Option<BTreeSet<FileId>>,
    /// Files that the walk did not meet, and that are read because others need them or call theirs.
    pub needed: BTreeSet<FileId>,
    /// Files read for their context that the configuration excludes by themselves: others of their folder are asked for.
    pub excluded: BTreeSet<FileId>,
    /// Whether one folder was given, so that all of the root was looked at.
    pub is_folder: bool,
    /// What could not be read, sorted.
    pub problems: Vec<Problem>,
    /// Files that the walk met: not hidden, not ignored, not excluded.
    pub seen: usize,
    /// Texts that were shown to [`Walk::keep`].
    pub searched: usize,
    /// Files that might belong to a format and were left unread on purpose, with the reason; sorted.
    pub skipped: Vec<(String, String)>,
}

impl Discovered {
    /// Whether a finding is about what was asked for: it stands in such a file, or such a file made it by a module call.
    pub fn counts(&self, finding: &Finding) -> bool {
        let Some(only) = &self.only else { return true };
        let is_called = || finding.related.iter().any(|place| only.contains(&place.at.file));
        // A folder that is excluded is judged where something judged calls it: what it does happens there.
        let is_excluded = self.excluded.contains(&finding.at.file);
        let is_used = || finding.scope.is_some_and(|resource| only.contains(&resource.file));
        only.contains(&finding.at.file) || if is_excluded { is_used() } else { is_called() }
    }
}

/// A path that can't be scanned at all.
#[derive(Debug, Error, Diagnostic)]
pub enum Error {
    /// Nothing is there.
    #[error("{path}: {reason}")]
    #[diagnostic(help("name a file or folder that exists; the default is the working directory"))]
    Path {
        /// As it was given.
        path: String,
        /// What the operating system says.
        reason: String,
    },
}

/// The real folder that paths of a scan are relative to: the folder itself if one is given, else the working directory
/// if it holds all that is given, else the repository that does, else the nearest folder.
pub fn root_of(paths: &[PathBuf]) -> Result<PathBuf, Error> {
    let anchors = paths.iter().map(|path| anchor(&Disk, path)).collect::<Result<Vec<_>, _>>()?;
    if let ([path], [folder]) = (paths, &anchors[..])
        && path.is_dir()
    {
        return Ok(folder.clone());
    }
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    // The top of the file system as root would confine nothing.
    if let Some(here) = here.filter(|here| here.parent().is_some())
        && anchors.iter().all(|anchor| anchor.starts_with(&here))
    {
        return Ok(here);
    }
    let mut root = anchors.first().cloned().unwrap_or_default();
    while !anchors.iter().all(|anchor| anchor.starts_with(&root)) && root.pop() {}
    Ok(repository_of(&root).map(Path::to_path_buf).unwrap_or(root))
}

/// The real folder of a path: itself, or where the file lies.
fn anchor(files: &dyn FileSystem, path: &Path) -> Result<PathBuf, Error> {
    let failed = |error: std::io::Error| Error::Path { path: escaped(path), reason: io_reason(&error) };
    if files.target(path) == Some(Kind::Folder) {
        return files.real(path).map_err(failed);
    }
    files.kind(path).map_err(failed)?;
    match path.parent() {
        Some(folder) if folder != Path::new("") => files.real(folder).map_err(failed),
        _ => Path::new(".").canonicalize().map_err(failed),
    }
}

/// Path from the nearest folder with `.git` down to `root`, with a trailing `/`; empty when there is none.
fn prefix_of(root: &Path) -> String {
    let Some(repository) = repository_of(root) else { return String::new() };
    match relative(root.strip_prefix(repository).unwrap_or(Path::new(""))).as_deref() {
        None | Some("") => String::new(),
        Some(path) => format!("{path}/"),
    }
}

/// The nearest folder at or above `folder` that holds `.git`.
pub fn repository_of(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|above| above.join(".git").exists())
}

/// Walks, claims and reads.
pub fn discover(walk: &Walk<'_>, frontends: &[&dyn Frontend]) -> Result<Discovered, Error> {
    discover_at(&root_of(walk.paths)?, walk, frontends)
}

/// The same below a real folder that is known to be the root.
pub fn discover_at(root: &Path, walk: &Walk<'_>, frontends: &[&dyn Frontend]) -> Result<Discovered, Error> {
    let root = root.to_path_buf();
    let mut found = walk::Found::default();
    let scope = walk::Scope {
        files: walk.files,
        root: &root,
        frontends,
        exclude: walk.exclude,
        force_exclude: walk.force_exclude,
        keep: walk.keep,
        change: walk.change,
        within: walk.within,
    };
    for path in walk.paths {
        found.join(scope.visit(path)?);
    }
    scope.follow(&mut found);
    found.sort();
    scope.add(walk.also, &mut found);
    if walk.within.is_none() {
        let given: Vec<PathBuf> = walk.paths.iter().filter_map(|path| walk.files.real(path).ok()).collect();
        scope.tell_submodules(&given, &mut found);
        if let Some(ends) = walk.ends {
            scope.tell_left_out(ends, &given, &mut found);
        }
        scope.add_moved(&given, &mut found);
    }
    let (texts, mut outcome) = read::all(found.candidates, &scope, walk.max_bytes);
    let mut met: BTreeSet<String> = BTreeSet::new();
    let texts = match walk.within {
        Some(_) => texts,
        None => {
            met.extend(texts.iter().map(|text| text.path.clone()));
            let callers = scope.callers(&texts, walk);
            let texts = texts.into_iter().chain(callers).collect();
            let (texts, context) = read_context(texts, &scope, walk.max_bytes);
            outcome.join(context);
            texts
        }
    };
    outcome.problems.extend(found.problems);
    outcome.problems.sort();
    outcome.problems.dedup();
    outcome.skipped.extend(found.skipped);
    outcome.skipped.sort();
    outcome.skipped.dedup();

    let mut sources = Sources::default();
    let mut claims = vec![Vec::new(); frontends.len()];
    let (mut only, mut needed, mut excluded) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let total = texts.len();
    let asked: BTreeSet<String> =
        texts.iter().filter(|text| text.asked).map(|text| folder_of(&text.path).to_string()).collect();
    for text in texts {
        let is_excluded =
            !text.asked && asked.contains(folder_of(&text.path)) && scope.is_excluded(Path::new(&text.path));
        let is_met = walk.within.is_some() || met.contains(&text.path);
        let file = sources.add(Source::new(text.path, text.text));
        if !is_met {
            needed.insert(file);
        }
        if let Some(frontend) = text.frontend {
            claims[frontend].push(file);
        }
        if text.asked {
            only.insert(file);
        }
        if is_excluded {
            excluded.insert(file);
        }
    }
    let only = (only.len() < total).then_some(only);
    let is_folder = matches!(walk.paths, [path] if path.is_dir());
    let prefix = prefix_of(&root);
    let read::Outcome { problems, skipped, searched } = outcome;
    Ok(Discovered {
        sources,
        claims,
        prefix,
        root,
        only,
        needed,
        excluded,
        is_folder,
        problems,
        seen: found.seen,
        searched,
        skipped,
    })
}

/// Reads what the files at hand need to be understood and the walk has not met: the folder of a file given alone, the
/// local modules that it calls, modules installed beside it. Ends because every folder is listed once.
fn read_context(
    mut texts: Vec<read::Text>,
    scope: &walk::Scope<'_>,
    max_bytes: u64,
) -> (Vec<read::Text>, read::Outcome) {
    let mut known: BTreeSet<String> = texts.iter().map(|text| text.path.clone()).collect();
    let mut listed: BTreeSet<(usize, needs::Extent, PathBuf)> = BTreeSet::new();
    let mut outcome = read::Outcome::default();
    let mut fresh = 0;
    while fresh < texts.len() {
        let mut needs: Vec<(bool, Vec<(usize, needs::Need)>)> =
            texts[fresh..].par_iter().map(|text| (text.asked, scope.needs_of(text))).collect();
        needs.sort_by_key(|(asked, _)| !asked);
        fresh = texts.len();
        let mut candidates = Vec::new();
        for (asked, needs) in needs {
            for (frontend, need) in needs {
                if listed.insert((frontend, need.extent, need.path.clone())) {
                    let met = scope.list(frontend, &need).into_iter();
                    candidates.extend(met.map(|one| walk::Candidate { asked: one.asked && asked, ..one }));
                }
            }
        }
        // What is judged is not taken for others' context.
        candidates.sort_by_key(|candidate| !candidate.asked);
        candidates.retain(|candidate| relative(&candidate.path).is_none_or(|path| known.insert(path)));
        candidates.sort_by(|a, b| a.path.cmp(&b.path));
        let (more, part) = read::all(candidates, scope, max_bytes);
        texts.extend(more);
        outcome.join(part);
    }
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    (texts, outcome)
}

/// Who may own a file of this name: frontends by index, in order, those that say no left out.
fn claims_of(frontends: &[&dyn Frontend], path: &Path) -> Vec<(usize, Claim)> {
    let claims = frontends.iter().enumerate().map(|(index, frontend)| (index, frontend.claims(path)));
    claims.filter(|(_, claim)| *claim != Claim::No).collect()
}

/// The folder that `relative` names from `folder`, both with `/` and below the root, whose name is `.`; none outside it.
pub fn joined(folder: &str, relative: &str) -> Option<String> {
    let joined = walk::normal(&Path::new(folder).join(relative))?;
    let joined = self::relative(&joined)?;
    Some(if joined.is_empty() { ".".into() } else { joined })
}

/// A relative path with `/` between its parts; none if a name is not UTF-8.
fn relative(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| part.as_os_str().to_str())
        .collect();
    parts.map(|parts| parts.join("/"))
}

/// A path for people: bytes that are not UTF-8 as `\xff`.
fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    if cfg!(windows) { text.replace('\\', "/") } else { text }
}

/// The reason of an I/O error in the style of a message: lower case, without the number.
pub(crate) fn io_reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "no such file or folder".into(),
        ErrorKind::PermissionDenied => "no permission to read it".into(),
        _ => match error.to_string().split_once(" (os error") {
            Some((reason, _)) => reason.to_lowercase(),
            None => error.to_string(),
        },
    }
}
