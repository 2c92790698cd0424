//! A commit: its files come straight from git's objects. Nothing is checked out; no hook, filter or setting of the
//! repository or the user is run or read.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use miette::Diagnostic;
use rustc_hash::{FxHashMap, FxHashSet};
use thiserror::Error;

use super::{Disk, Entry, FileSystem, Kind, not_regular};

mod left_out;
mod placed;
mod together;
mod tracked;

/// No commit has more names; a tree of trees can claim any number.
const MAX_ENTRIES: usize = 2_000_000;

/// Folders in folders; nobody has more.
const MAX_DEPTH: usize = 200;

/// Links on the way of one path, as Linux counts them.
const MAX_LINKS: usize = 40;

/// What to do where a commit is not there.
const FETCH: &str = "fetch it first: `git fetch origin BRANCH`; in a workflow, check out with `fetch-depth: 0`";

/// What to do where a clone has left out what it would fetch when it is asked for: gate fetches nothing.
const FETCH_ALL: &str = "gate fetches nothing by itself: clone without `--filter` (in a workflow, check out without `filter`), or \
                         fetch what was left out: `git fetch --refetch --no-filter`";

/// Why a commit can't be read.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct Error {
    message: String,
    #[help]
    help: Option<String>,
}

impl Error {
    fn new(message: impl Into<String>, help: &str) -> Error {
        Error { message: message.into(), help: Some(help.into()) }
    }
}

/// A git repository whose commits can be read.
pub struct Repository {
    repository: gix::ThreadSafeRepository,
    /// The real folder of the work tree.
    folder: PathBuf,
}

impl Repository {
    /// Opens the repository whose work tree is this real folder.
    pub fn open(folder: &Path) -> Result<Repository, Error> {
        // A replacement would let whoever writes refs show another text under a commit's name.
        let options = gix::open::Options::isolated().config_overrides(["core.useReplaceRefs=false"]);
        const UNSUPPORTED: &str =
            "compare with a file of accepted findings instead: `gate baseline write`, then --baseline FILE";
        let unsupported = |what: &str| {
            Error::new(format!("{}: the git repository {what}, which gate can't read", folder.display()), UNSUPPORTED)
        };
        let repository = gix::ThreadSafeRepository::open_opts(folder, options).map_err(|error| {
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            let mut said = Vec::new();
            while let Some(error) = cause {
                said.push(error.to_string());
                cause = error.source();
            }
            let said = said.join(": ");
            if said.to_lowercase().contains("sha256") {
                return unsupported("names its objects by SHA-256");
            }
            Error::new(format!("{}: the git repository can't be opened: {said}", folder.display()), "see `git status`")
        })?;
        let storage = repository.to_thread_local().config_snapshot().string("extensions.refStorage");
        if storage.is_some_and(|storage| storage.as_slice() != b"files") {
            return Err(unsupported("keeps its references in a reftable"));
        }
        Ok(Repository { repository, folder: folder.to_path_buf() })
    }

    /// The commit that `HEAD` names.
    pub fn head(&self) -> Result<Commit, Error> {
        let repository = self.repository.to_thread_local();
        let head = repository
            .head_id()
            .map_err(|_| {
                Error::new("the repository has no commit to compare with", "commit first, or leave --base out")
            })?
            .detach();
        self.with_index(self.commit(head)?)
    }

    /// The commit that `reference` names.
    pub fn named(&self, reference: &str) -> Result<Commit, Error> {
        let repository = self.repository.to_thread_local();
        let unknown = || Error::new(format!("the repository knows no commit {reference:?}"), FETCH);
        unambiguous(&repository, reference)?;
        let named = repository.rev_parse_single(reference).map_err(|_| unknown())?;
        let named = named.object().ok().and_then(|object| object.peel_to_commit().ok()).ok_or_else(unknown)?.id;
        self.commit(named)
    }

    /// The commit from which `HEAD` and another one, called `reference`, went apart.
    pub fn merge_base(&self, other: &Commit, reference: &str) -> Result<Commit, Error> {
        let repository = self.repository.to_thread_local();
        let named = other.id;
        let head = repository
            .head_id()
            .map_err(|_| Error::new("the repository has no commit to compare", "commit first, or leave --base out"))?
            .detach();
        // A shallow clone of a merge knows its parents by name only.
        let parents = repository.find_commit(head).map(|head| head.parent_ids().map(|id| id.detach()).collect());
        let parents: Vec<ObjectId> = parents.unwrap_or_default();
        if named == head || parents.contains(&named) {
            return Ok(other.clone());
        }
        let bases = repository.merge_bases_many(head, &[named]).unwrap_or_default();
        let bases: Vec<ObjectId> = bases.into_iter().map(|base| base.detach()).collect();
        match bases.split_first() {
            None => Err(Error::new(format!("HEAD and {reference} have no commit in common that is known here"), FETCH)),
            Some((base, [])) if *base == named => Ok(other.clone()),
            Some((base, others)) => self.together(*base, others),
        }
    }

    /// All names of a commit; its texts are read when they are asked for.
    fn commit(&self, id: ObjectId) -> Result<Commit, Error> {
        let repository = self.repository.to_thread_local();
        let broken = |error: String| Error::new(format!("commit {}: {error}", short(id)), "see `git fsck`");
        let incomplete = |tree: ObjectId| match repository.has_object(tree) {
            true => None,
            false => Some(Error::new(format!("commit {}: its folders are not in this clone", short(id)), FETCH_ALL)),
        };
        let tree = repository.find_commit(id).map_err(|error| broken(error.to_string()))?;
        let tree = tree.tree_id().map_err(|error| broken(error.to_string()))?.detach();
        let mut folders: FxHashMap<PathBuf, Vec<Named>> = FxHashMap::default();
        let mut open = vec![(PathBuf::new(), tree, 0)];
        let mut submodules = BTreeMap::new();
        let mut entries = 0;
        while let Some((folder, tree, depth)) = open.pop() {
            let found = repository.find_tree(tree);
            let tree = found.map_err(|error| incomplete(tree).unwrap_or_else(|| broken(error.to_string())))?;
            let mut names = Vec::new();
            for entry in tree.iter() {
                let entry = entry.map_err(|error| broken(error.to_string()))?;
                // Names that this system can't spell can't be in its work tree either.
                let Ok(name) = gix::path::from_bstr(entry.filename()) else { continue };
                let object = entry.object_id();
                let kind = match entry.mode().kind() {
                    EntryKind::Tree => Kind::Folder,
                    EntryKind::Blob | EntryKind::BlobExecutable => Kind::File,
                    EntryKind::Link => Kind::Link,
                    EntryKind::Commit => Kind::Other,
                };
                if kind == Kind::Other {
                    submodules.insert(folder.join(&name), object);
                }
                // Git itself writes no such names; a forged tree may.
                let is_plain = matches!(&*name.components().collect::<Vec<_>>(), [Component::Normal(_)]);
                if !is_plain {
                    continue;
                }
                entries += 1;
                if entries > MAX_ENTRIES || depth > MAX_DEPTH {
                    return Err(broken("has more files and folders than can be".into()));
                }
                if kind == Kind::Folder {
                    open.push((folder.join(&name), object, depth + 1));
                }
                names.push(Named { entry: Entry { name: name.as_os_str().to_os_string(), kind }, object });
            }
            names.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
            folders.insert(folder, names);
        }
        let repository = self.repository.clone();
        Ok(Commit {
            repository,
            folder: self.folder.clone(),
            id,
            folders: Arc::new(folders),
            submodules,
            shared: BTreeSet::new(),
            taken: BTreeSet::new(),
            is_missing: Arc::default(),
            left_out: Arc::default(),
            staged: Arc::default(),
        })
    }
}

/// Fails where a short name stands for several commits: for a tag, a branch and a branch of a remote, of which whoever may
/// push one could choose what the others are taken for.
fn unambiguous(repository: &gix::Repository, reference: &str) -> Result<(), Error> {
    let name = reference.split(['^', '~', '@', ':']).next().unwrap_or_default();
    let full = ["refs/tags", "refs/heads", "refs/remotes"].map(|folder| format!("{folder}/{name}"));
    let commit = |full: &String| {
        let mut found = repository.try_find_reference(full.as_str()).ok()??;
        // A name that is looked for is completed.
        let is_itself = found.name().as_bstr() == full.as_str();
        found.peel_to_id().ok().filter(|_| is_itself).map(|id| (full.clone(), id.detach()))
    };
    // What stands in git's own folder goes before them all: `HEAD`, `FETCH_HEAD`.
    if name.is_empty() || name.starts_with("refs/") || repository.git_dir().join(name).is_file() {
        return Ok(());
    }
    let there: Vec<(String, ObjectId)> = full.iter().filter_map(commit).collect();
    match there.iter().all(|(_, id)| *id == there[0].1) {
        true => Ok(()),
        false => {
            let names: Vec<&str> = there.iter().map(|(full, _)| full.as_str()).collect();
            let wanted = names.last().copied().unwrap_or_default();
            Err(Error::new(
                format!("{reference:?} is the name of several commits: {}", names.join(", ")),
                &format!("name the one that you mean in full: --base {wanted}{}", &reference[name.len()..]),
            ))
        }
    }
}

/// A name with its object.
#[derive(Clone)]
struct Named {
    entry: Entry,
    object: ObjectId,
}

/// The files of one commit, where they lie in the work tree. Paths outside the work tree, what tools install in it without
/// committing it (`.terraform`), and submodules that are shared are those on disk.
#[derive(Clone)]
pub struct Commit {
    repository: gix::ThreadSafeRepository,
    folder: PathBuf,
    id: ObjectId,
    /// The names in each folder, sorted, by its path in the tree.
    folders: Arc<FxHashMap<PathBuf, Vec<Named>>>,
    /// The commits of other repositories that stand in folders, by their path in the tree.
    submodules: BTreeMap<PathBuf, ObjectId>,
    /// Those that the commit after it has just so.
    shared: BTreeSet<PathBuf>,
    /// Folders that tools install in and that the commit after it has: what lies there on disk is that commit's.
    taken: BTreeSet<PathBuf>,
    /// Whether some text was asked for that the clone has left out.
    is_missing: Arc<AtomicBool>,
    /// Paths in the tree of files and folders that are not checked out, where this is the commit at hand.
    left_out: Arc<FxHashSet<PathBuf>>,
    /// Paths in the tree of files, and the folders that they are in, that are staged for the commit after it.
    staged: Arc<FxHashSet<PathBuf>>,
}

impl std::fmt::Debug for Commit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Commit({})", short(self.id))
    }
}

/// Texts of files by their names in git, with how often each is there.
pub struct Texts {
    kind: gix::hash::Kind,
    counts: FxHashMap<ObjectId, usize>,
}

impl Texts {
    /// Takes a file with exactly these bytes away, and tells whether there was one.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        let hash = gix::objs::compute_hash(self.kind, gix::objs::Kind::Blob, bytes);
        let count = hash.ok().and_then(|hash| self.counts.get_mut(&hash)).filter(|count| **count > 0);
        count.map(|count| *count -= 1).is_some()
    }
}

/// The first characters of an object's name, as git shows them.
fn short(id: ObjectId) -> String {
    id.to_hex_with_len(12).to_string()
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Commit {
    /// The first characters of its name.
    pub fn name(&self) -> String {
        short(self.id)
    }

    /// Fails where a text was asked for that the clone has left out, so that nobody knows what stands there.
    pub fn assert_whole(&self) -> Result<(), Error> {
        match self.is_missing.load(Ordering::Relaxed) {
            true => {
                Err(Error::new(format!("commit {}: not all of its texts are in this clone", self.name()), FETCH_ALL))
            }
            false => Ok(()),
        }
    }

    /// Whether the file or anything below the folder at this path is part of the commit.
    pub fn has(&self, path: &Path) -> bool {
        self.inside(path).is_some_and(|path| self.folders.contains_key(&path) || self.named(&path).is_some())
    }

    /// Whether the commit has this folder, also where it is one that only tools should write.
    pub fn tracks(&self, folder: &Path) -> bool {
        folder.strip_prefix(&self.folder).is_ok_and(|folder| self.folders.contains_key(folder))
    }

    /// Whether the commit has a file with exactly these bytes at this path.
    pub fn has_bytes(&self, path: &Path, bytes: &[u8]) -> bool {
        // Files that are those on disk are the same by that.
        let Some(inside) = self.inside(path) else { return Disk.kind(path).is_ok() };
        let through_links = || self.inside(&self.real(path).ok()?).and_then(|real| self.named(&real));
        let Some(named) = self.named(&inside).filter(|named| named.entry.kind == Kind::File).or_else(through_links)
        else {
            return false;
        };
        let hash = gix::objs::compute_hash(named.object.kind(), gix::objs::Kind::Blob, bytes);
        named.entry.kind == Kind::File && hash.is_ok_and(|hash| hash == named.object)
    }

    /// How often each text stands in these files of the commit, links not followed.
    pub fn texts<'p>(&self, files: impl Iterator<Item = &'p PathBuf>) -> Texts {
        let named = files.filter_map(|path| self.named(&self.inside(path)?));
        let mut counts = FxHashMap::default();
        named.filter(|one| one.entry.kind == Kind::File).for_each(|one| *counts.entry(one.object).or_default() += 1);
        Texts { kind: self.id.kind(), counts }
    }

    /// Whether both commits have the same object at this path.
    pub fn has_same(&self, other: &Commit, path: &Path) -> bool {
        let object = |commit: &Commit| {
            let inside = commit.inside(path)?;
            commit.named(&inside).map(|named| (named.object, named.entry.kind))
        };
        object(self).is_some_and(|own| object(other) == Some(own))
    }

    /// Tells whose the files on disk are that stand outside of both trees: submodules that the commit at hand has just so are the
    /// same for both, and what it commits where tools install things is its own.
    pub fn followed_by(&mut self, other: &Commit) {
        let is_installed = |path: &&PathBuf| path.file_name().is_some_and(|name| name == ".terraform");
        self.taken = other.folders.keys().filter(is_installed).cloned().collect();
        let same = self.submodules.iter().filter(|(path, object)| other.submodules.get(*path) == Some(object));
        self.shared = same.map(|(path, _)| path.clone()).collect();
    }

    /// Whether a submodule stands here that was found to be shared.
    pub fn shares(&self, path: &Path) -> bool {
        path.strip_prefix(&self.folder).is_ok_and(|path| self.shared.contains(path))
    }

    /// The submodules below a folder, by absolute path, sorted.
    pub fn submodules_below(&self, folder: &Path) -> Vec<PathBuf> {
        let all = self.submodules.keys().map(|path| self.folder.join(path));
        all.filter(|path| path.starts_with(folder)).collect()
    }

    /// All files and links below a folder, by absolute path, sorted.
    pub fn files_below(&self, folder: &Path) -> Vec<PathBuf> {
        let Some(folder) = self.inside(folder) else { return Vec::new() };
        let mut files = Vec::new();
        let mut open = vec![folder];
        while let Some(folder) = open.pop() {
            for Named { entry, .. } in self.folders.get(&folder).into_iter().flatten() {
                match entry.kind {
                    Kind::Folder => open.push(folder.join(&entry.name)),
                    Kind::File | Kind::Link => files.push(self.folder.join(&folder).join(&entry.name)),
                    Kind::Other => {}
                }
            }
        }
        files.sort();
        files
    }

    /// The folder of the work tree.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the commit has a submodule at this path.
    pub fn has_submodule(&self, path: &Path) -> bool {
        path.strip_prefix(&self.folder).is_ok_and(|path| self.submodules.contains_key(path))
    }

    /// The path in the tree; none for what is not part of commits.
    pub fn inside(&self, path: &Path) -> Option<PathBuf> {
        let below = path.strip_prefix(&self.folder).ok()?;
        let mut inside = PathBuf::new();
        for part in below.components() {
            match part {
                Component::Normal(name) if name == ".git" => return None,
                Component::Normal(name) => {
                    inside.push(name);
                    // One that is committed is code as any other.
                    if name == ".terraform" && !self.folders.contains_key(&inside) && !self.taken.contains(&inside) {
                        return None;
                    }
                }
                Component::ParentDir if !inside.pop() => return None,
                _ => {}
            }
            if !self.shared.is_empty() && self.shared.contains(&inside) {
                return None;
            }
        }
        Some(inside)
    }

    fn named(&self, path: &Path) -> Option<&Named> {
        let (names, name) = (self.folders.get(path.parent()?)?, path.file_name()?);
        let index = names.binary_search_by(|named| named.entry.name.as_os_str().cmp(name)).ok()?;
        names.get(index)
    }

    fn bytes(&self, object: ObjectId, limit: u64) -> io::Result<Vec<u8>> {
        let repository = self.repository.to_thread_local();
        if !repository.has_object(object) {
            self.is_missing.store(true, Ordering::Relaxed);
            return Err(io::Error::other("is not in this clone"));
        }
        let header = repository.find_header(object).map_err(io::Error::other)?;
        if header.size() > limit {
            return Err(io::Error::other("is larger than the limit"));
        }
        Ok(repository.find_object(object).map_err(io::Error::other)?.detach().data)
    }
}

impl FileSystem for Commit {
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let Some(inside) = self.inside(&self.real(folder)?) else { return Disk.list(folder) };
        let names = self.folders.get(&inside).ok_or_else(not_found)?;
        Ok(names.iter().map(|named| named.entry.clone()).collect())
    }

    fn kind(&self, path: &Path) -> io::Result<Kind> {
        let Some(inside) = self.inside(path) else { return Disk.kind(path) };
        if self.folders.contains_key(&inside) {
            return Ok(Kind::Folder);
        }
        self.named(&inside).map(|named| named.entry.kind).ok_or_else(not_found)
    }

    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        let mut rest: Vec<std::ffi::OsString> = match self.inside(path) {
            None => return Disk.real(path),
            Some(inside) => inside.iter().rev().map(Into::into).collect(),
        };
        let mut real = PathBuf::new();
        let mut links = 0;
        while let Some(name) = rest.pop() {
            real.push(&name);
            if self.folders.contains_key(&real) {
                continue;
            }
            let named = self.named(&real).ok_or_else(not_found)?;
            match named.entry.kind {
                Kind::Link => {
                    links += 1;
                    let target = self.bytes(named.object, 4_096)?;
                    let target = gix::path::from_byte_slice(&target).map_err(io::Error::other)?.to_path_buf();
                    real.pop();
                    let led = self.folder.join(&real).join(target);
                    if links > MAX_LINKS {
                        return Err(io::Error::other("too many links"));
                    }
                    // A link that leads out of the work tree is told by where it leads.
                    let Some(inside) = self.inside(&led) else { return Ok(led) };
                    rest.extend(inside.iter().rev().map(std::ffi::OsString::from));
                    real = PathBuf::new();
                }
                Kind::Other => return Err(io::Error::other("lies in a submodule that is another in the work tree")),
                _ if !rest.is_empty() => return Err(not_found()),
                _ => {}
            }
        }
        Ok(if real.as_os_str().is_empty() { self.folder.clone() } else { self.folder.join(real) })
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        if self.inside(path).is_none() {
            return Disk.read(path, limit);
        }
        let real = self.real(path)?;
        let named = self.inside(&real).and_then(|inside| self.named(&inside)).ok_or_else(not_regular)?;
        match named.entry.kind {
            Kind::File => self.bytes(named.object, limit),
            _ => Err(not_regular()),
        }
    }
}
