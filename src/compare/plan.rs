//! Which files of the base must be read again: those that the change touches, and those whose reading depends on them. All
//! others are the files of the head, and what was made of them is taken over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::renames;
use crate::discover::{self, Discovered, Walk};
use crate::filesystem::{Commit, FileSystem, Files, Kind, Reach, Recording};
use crate::finding::Finding;
use crate::frontend::{Before, FRONTENDS, Frontend};
use crate::model::Model;
use crate::source::{FileId, Source, Sources, Span};

/// The base as far as it must be read again.
pub(super) struct Plan {
    /// The texts of the head with their ids, and after them the texts of the base that are not those of the head; claims of
    /// the files that are read again and of those that they need.
    pub discovered: Discovered,
    /// Files of the head that the base has just so.
    pub unchanged: FxHashSet<FileId>,
    /// The ids in the base of files whose text is another there, by path.
    pub changed: FxHashMap<String, FileId>,
    /// Roots, which are folders or paths of files, of which something is read again.
    pub touched: FxHashSet<String>,
    /// Base paths under their names in the head, for files that were renamed.
    pub renames: FxHashMap<String, String>,
    /// Paths of the head under their names in the base, for files that were renamed.
    pub origins: FxHashMap<String, String>,
    /// Roots of which all files are read for others' sake: whether they are roots in the base, these others decide.
    pub context: FxHashSet<String>,
    /// Paths of the base that are still there, though nobody asked for them in the head.
    pub unasked: FxHashSet<String>,
}

impl Plan {
    /// Counts among what is touched the roots that the head has and the base, as it was read again, has not: what the base read
    /// there was part of something else, so that nothing of them was there before.
    pub fn touch_roots_of_head_alone(&mut self, head: &Model, base: &Model) {
        if self.context.is_empty() {
            return;
        }
        let there: FxHashSet<&str> = base.resources.iter().map(|one| &*one.root).collect();
        let own = head.resources.iter().map(|one| &*one.root);
        let alone = own.filter(|root| self.context.contains(*root) && !there.contains(root));
        self.touched.extend(alone.map(str::to_string));
    }

    /// Whether the change touches neither the file of a finding nor the root that it was made in.
    pub fn leaves_alone(&self, finding: &Finding) -> bool {
        let are_unchanged = [Some(finding.at), Some(finding.judged), finding.scope].into_iter().flatten();
        are_unchanged.map(|place| place.file).all(|file| self.unchanged.contains(&file))
            && !self.touched.contains(&*finding.root)
    }

    /// Whether the base has the line of the head at which a place begins, as often as the head has it. A place that stands
    /// for all of its file is there only if nothing of it is another.
    pub fn has_line(&self, head: &Discovered, commit: &Commit, place: Span, is_whole_file: bool) -> bool {
        let source = head.sources.get(place.file);
        if self.unchanged.contains(&place.file) {
            return true;
        }
        let before = self.origins.get(source.path()).map_or(source.path(), String::as_str);
        // Nobody but the other tool may read such files.
        let path = head.root.join(before);
        let Ok(text) = commit.text(&path, discover::MAX_BYTES) else { return false };
        if is_whole_file {
            return text.strip_prefix('\u{feff}').unwrap_or(&text) == source.text();
        }
        let line = source.line_text(source.line(place.start)).trim();
        let count = |text: &str| text.lines().filter(|other| other.trim() == line).count();
        !line.is_empty() && count(&text) >= count(source.text())
    }
}

/// Which files are others in the base, before anything is made of them.
pub struct Difference {
    /// The files of the base, with those that the change moved into a folder that it brings.
    pub commit: Arc<Commit>,
    /// Paths of the files of the base that are others in the head, or gone.
    read_again: BTreeSet<String>,
    /// Those of them that are still there, though nobody asked for them in the head.
    unasked: FxHashSet<String>,
    /// The same files as a walk of the base finds them.
    fresh: Discovered,
    /// What frontends are told of it.
    pub before: Arc<Before>,
}

/// Holds the texts of the head against those of the base, and reads what is another there.
pub(super) fn difference(
    head: &Discovered,
    commit: &Arc<Commit>,
    tip: &Commit,
    walk: &Walk<'_>,
) -> Result<Difference, discover::Error> {
    let root = &head.root;
    let files: Vec<(FileId, &Source)> = head.sources.iter().collect();
    let is_same = |source: &Source| {
        let path = root.join(source.path());
        let text = source.text().as_bytes();
        // A byte order mark is no part of the text.
        commit.has_bytes(&path, text) || commit.has_bytes(&path, &[b"\xef\xbb\xbf", text].concat())
    };
    let unchanged: FxHashSet<FileId> =
        files.par_iter().filter(|(_, source)| is_same(source)).map(|(file, _)| *file).collect();
    let of_head: FxHashMap<&str, FileId> = files.iter().map(|(file, source)| (source.path(), *file)).collect();
    let relative = |path: &Path| Some(path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/"));
    let folders_of_head: FxHashSet<&str> = files.iter().map(|(_, source)| folder_of(source.path())).collect();
    // What the head does not have among its texts: nobody claims it, or it is gone.
    let is_deleted = |path: &Path| walk.files.kind(path).is_err() && !tip.leaves_out(path);
    let is_gone = |path: &Path| !tip.has_same(commit, path) || is_deleted(path);
    let given: Vec<PathBuf> = walk.paths.iter().filter_map(|path| walk.files.real(path).ok()).collect();
    let is_asked = |path: &Path| given.iter().any(|given| path.starts_with(given));
    let mut unasked: FxHashSet<String> = FxHashSet::default();
    let read_again: BTreeSet<String> = commit
        .files_below(root)
        .into_iter()
        .filter_map(|path| {
            let name = relative(&path)?;
            // A scan of some files has nothing to do with the rest, save what may have moved to them.
            if !of_head.contains_key(name.as_str()) && !is_asked(&path) && !is_deleted(&path) {
                if !folders_of_head.contains(folder_of(&name)) {
                    return None;
                }
                unasked.insert(name.clone());
            }
            match of_head.get(name.as_str()) {
                Some(file) => (!unchanged.contains(file)).then_some(name),
                None => is_gone(&path).then_some(name),
            }
        })
        .collect();
    // What the head reads through links has another name in the base's own list.
    let through_links = files
        .iter()
        .filter(|(file, _)| !unchanged.contains(file))
        .filter(|(_, source)| commit.target(&root.join(source.path())) == Some(Kind::File))
        .map(|(_, source)| source.path().to_string());
    let read_again: BTreeSet<String> = read_again.into_iter().chain(through_links).collect();
    let within = |path: &Path| path.to_str().is_some_and(|path| read_again.contains(path));
    // A folder that the change brings was empty.
    let paths: Vec<PathBuf> = (commit.target(root) == Some(Kind::Folder)).then(|| root.clone()).into_iter().collect();
    // What the head reads for others' sake lies where no walk goes.
    let mut also: Vec<(PathBuf, usize)> = Vec::new();
    for (number, files) in head.claims.iter().enumerate() {
        let changed = files.iter().filter(|file| !unchanged.contains(file));
        also.extend(changed.map(|file| (PathBuf::from(head.sources.get(*file).path()), number)));
    }
    let of_base = Walk { files: &**commit, paths: &paths, within: Some(&within), also: &also, ..walk.clone() };
    let fresh = discover::discover_at(root, &of_base, FRONTENDS)?;
    let before = Before {
        unchanged,
        needed: head.needed.iter().copied().collect(),
        sources: Sources::new(fresh.sources.iter().map(|(_, source)| source.shared()).collect()),
        claims: fresh.claims.clone(),
        files: Files::from(Arc::clone(commit)),
    };
    Ok(Difference { commit: Arc::clone(commit), read_again, unasked, fresh, before: Arc::new(before) })
}

/// Plans the reading of a base; all of it is read again where `is_whole`.
pub(super) fn plan(head: &Discovered, difference: Difference, tip: &Commit, is_whole: bool) -> Plan {
    let Difference { read_again, unasked, fresh, before, .. } = difference;
    let unchanged = before.unchanged.clone();
    let root = &head.root;
    let files: Vec<(FileId, &Source)> = head.sources.iter().collect();
    let of_head: FxHashMap<&str, FileId> = files.iter().map(|(file, source)| (source.path(), *file)).collect();
    let mut sources = Sources::new(files.iter().map(|(_, source)| source.shared()).collect());
    // What the base has otherwise, or has not, is there for places in it alone.
    let others = files.iter().filter(|(file, source)| source.is_judged() && !unchanged.contains(file));
    others.for_each(|(file, _)| sources.set_aside(*file));
    let ids: Vec<FileId> = fresh.sources.iter().map(|(_, source)| sources.add(source.shared())).collect();
    let changed: FxHashMap<String, FileId> =
        fresh.sources.iter().zip(&ids).map(|((_, source), id)| (source.path().to_string(), *id)).collect();
    let mut claims = vec![Vec::new(); FRONTENDS.len()];
    let (mut touched, mut context) = (FxHashSet::default(), FxHashSet::default());
    for (number, frontend) in FRONTENDS.iter().enumerate() {
        let fresh = fresh.claims[number].iter().map(|file| ids[file.0 as usize]);
        let folders = Folders::of(*frontend, head, &head.claims[number]);
        let is_kept = |file: &FileId| unchanged.contains(file);
        let mut stale: BTreeSet<String> = read_again.iter().map(|path| folder_of(path).to_string()).collect();
        stale.extend(
            files.iter().filter(|(file, _)| !unchanged.contains(file)).map(|(_, one)| folder_of(one.path()).into()),
        );
        let again = if is_whole { folders.by_file.keys().copied().collect() } else { folders.depending_on(stale) };
        let mut base: BTreeSet<FileId> = fresh.collect();
        base.extend(again.iter().copied().filter(is_kept));
        // What is read for others' sake alone, as it is excluded, never stood for itself.
        let is_asked =
            |file: &FileId| !head.needed.contains(file) && head.only.as_ref().is_none_or(|only| only.contains(file));
        base.extend(folders.newly_needed(&is_kept, &is_asked, &again));
        touched.extend(again.iter().flat_map(|file| roots_of(head.sources.get(*file).path())));
        touched.extend(base.iter().flat_map(|file| roots_of(sources.get(*file).path())));
        // What they need is read with them, though it is none of theirs.
        let there = FilesByFolder::of(&sources, head.claims[number].iter().copied().filter(is_kept), &base);
        claims[number] = there.closure(*frontend, &sources, base);
        let read: FxHashSet<FileId> = claims[number].iter().copied().collect();
        context.extend(claims[number].iter().map(|file| sources.get(*file).path().to_string()));
        let is_whole =
            |folder: &&str| there.0.get(*folder).is_some_and(|files| files.iter().all(|one| read.contains(one)));
        let folders: BTreeSet<&str> = read.iter().map(|file| folder_of(sources.get(*file).path())).collect();
        context.extend(folders.into_iter().filter(is_whole).map(str::to_string));
    }
    touched.extend(changed.keys().flat_map(|path| roots_of(path)));
    touched
        .extend(files.iter().filter(|(file, _)| !unchanged.contains(file)).flat_map(|(_, one)| roots_of(one.path())));
    let is_left_out = |path: &str| tip.leaves_out(&root.join(path)) || unasked.contains(path);
    let renames = renamed(head, &unchanged, &of_head, &sources, &changed, &is_left_out);
    let discovered = Discovered { sources, claims, root: root.clone(), prefix: head.prefix.clone(), ..fresh };
    let is_file = |from: &str| changed.contains_key(from) && !of_head.contains_key(from);
    let origins =
        renames.iter().filter(|(from, _)| is_file(from)).map(|(from, to)| (to.clone(), from.clone())).collect();
    Plan { discovered, unchanged, changed, touched, renames, origins, context, unasked }
}

/// The roots that a resource of a file may have: its folder, or the file itself.
fn roots_of(path: &str) -> [String; 2] {
    [folder_of(path).to_string(), path.to_string()]
}

/// The folder of a path; `.` for the top.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// What the text of a file wants read beside it, by paths from the root.
struct Needs {
    /// Folders; with [`BELOW`] those that it wants as a whole.
    folders: Vec<String>,
    /// Files, each for itself.
    files: Vec<String>,
}

impl Needs {
    fn of(frontend: &dyn Frontend, path: &str, text: &str) -> Needs {
        let context = frontend.context(Path::new(path), text);
        let near = |needed: &String| discover::joined(folder_of(path), needed);
        let installed = context.installed.iter().filter_map(|folder| Some(near(folder)? + BELOW));
        Needs {
            folders: context.folders.iter().filter_map(near).chain(installed).collect(),
            files: context.files.iter().chain(context.named.iter().map(|(_, file)| file)).filter_map(near).collect(),
        }
    }

    /// The folders, and those that the files are in.
    fn everywhere(&self) -> BTreeSet<&str> {
        self.folders.iter().map(String::as_str).chain(self.files.iter().map(|file| folder_of(file))).collect()
    }
}

/// What stands behind a folder that is needed with all below it.
const BELOW: &str = "/**";

/// Which files of one format depend on which folders.
struct Folders<'a> {
    by_file: BTreeMap<FileId, Needs>,
    path: BTreeMap<FileId, &'a str>,
}

impl<'a> Folders<'a> {
    fn of(frontend: &dyn Frontend, discovered: &'a Discovered, files: &[FileId]) -> Folders<'a> {
        let need = |file: &FileId| {
            let source = discovered.sources.get(*file);
            (*file, Needs::of(frontend, source.path(), source.text()))
        };
        let by_file = files.par_iter().map(need).collect();
        Folders { by_file, path: files.iter().map(|file| (*file, discovered.sources.get(*file).path())).collect() }
    }

    /// The files that are kept and asked for and that those need that are not kept, save what any other file needs too: in the
    /// base they may have stood for themselves. Files that are read `again` are none of them.
    fn newly_needed(
        &self,
        is_kept: &impl Fn(&FileId) -> bool,
        is_asked: &impl Fn(&FileId) -> bool,
        again: &BTreeSet<FileId>,
    ) -> BTreeSet<FileId> {
        let is_left = |file: &FileId| is_kept(file) && !again.contains(file);
        let mut needed = Needed::new(&self.path);
        let touched = self.by_file.iter().filter(|(file, _)| !is_kept(file));
        let mut newly: BTreeSet<FileId> = touched.flat_map(|(_, needs)| needed.fresh(needs)).collect();
        newly.retain(|file| is_left(file) && is_asked(file));
        if newly.is_empty() {
            return newly;
        }
        let mut needed = Needed::new(&self.path);
        let others = self.by_file.keys().copied();
        let mut open: Vec<FileId> = others.filter(|file| is_left(file) && !newly.contains(file)).collect();
        while let Some(file) = open.pop() {
            open.extend(needed.fresh(&self.by_file[&file]).into_iter().filter(|one| newly.remove(one)));
        }
        newly
    }

    /// The files that need one of these folders, or a file that does.
    fn depending_on(&self, stale: BTreeSet<String>) -> BTreeSet<FileId> {
        let mut needing: BTreeMap<&str, Vec<FileId>> = BTreeMap::new();
        for (file, needs) in &self.by_file {
            needs.everywhere().into_iter().for_each(|folder| needing.entry(folder).or_default().push(*file));
        }
        let mut found = BTreeSet::new();
        let mut open: Vec<String> = stale.into_iter().collect();
        while let Some(folder) = open.pop() {
            let above = Path::new(&folder).ancestors().filter_map(Path::to_str).map(|above| format!("{above}{BELOW}"));
            let wanting: Vec<FileId> =
                above.chain([folder.clone()]).filter_map(|need| needing.remove(need.as_str())).flatten().collect();
            for file in wanting {
                if found.insert(file) {
                    open.push(folder_of(self.path[&file]).to_string());
                }
            }
        }
        found
    }
}

/// Files of one format that are needed, each folder and file of them looked for once.
struct Needed<'a> {
    by_folder: FxHashMap<&'a str, Vec<FileId>>,
    by_path: FxHashMap<&'a str, FileId>,
}

impl<'a> Needed<'a> {
    fn new(paths: &BTreeMap<FileId, &'a str>) -> Needed<'a> {
        let mut by_folder: FxHashMap<&str, Vec<FileId>> = FxHashMap::default();
        paths.iter().for_each(|(file, path)| by_folder.entry(folder_of(path)).or_default().push(*file));
        Needed { by_folder, by_path: paths.iter().map(|(file, path)| (*path, *file)).collect() }
    }

    /// The files that are needed here and were not before. What is installed is no one's to stand for itself.
    fn fresh(&mut self, needs: &Needs) -> Vec<FileId> {
        let mut fresh: Vec<FileId> =
            needs.folders.iter().filter_map(|folder| self.by_folder.remove(folder.as_str())).flatten().collect();
        fresh.extend(needs.files.iter().filter_map(|file| self.by_path.remove(file.as_str())));
        fresh
    }
}

/// Files of one format in the base, by folder.
struct FilesByFolder(BTreeMap<String, Vec<FileId>>);

impl FilesByFolder {
    fn of(sources: &Sources, kept: impl Iterator<Item = FileId>, base: &BTreeSet<FileId>) -> FilesByFolder {
        let mut there: BTreeMap<String, Vec<FileId>> = BTreeMap::new();
        for file in kept.chain(base.iter().copied()) {
            there.entry(folder_of(sources.get(file).path()).to_string()).or_default().push(file);
        }
        FilesByFolder(there)
    }

    /// The files with all that they need, sorted.
    fn closure(&self, frontend: &dyn Frontend, sources: &Sources, files: BTreeSet<FileId>) -> Vec<FileId> {
        let mut open: Vec<FileId> = files.iter().copied().collect();
        let mut all = files;
        while let Some(file) = open.pop() {
            let source = sources.get(file);
            for folder in Needs::of(frontend, source.path(), source.text()).everywhere() {
                let there: Vec<&FileId> = match folder.strip_suffix(BELOW) {
                    None => self.0.get(folder).into_iter().flatten().collect(),
                    Some(top) => {
                        let from = self.0.range(top.to_string()..).take_while(|(folder, _)| folder.starts_with(top));
                        from.filter(|(folder, _)| Path::new(folder).starts_with(top))
                            .flat_map(|(_, files)| files)
                            .collect()
                    }
                };
                let there = there.into_iter();
                open.extend(there.copied().filter(|file| all.insert(*file)).collect::<Vec<_>>());
            }
        }
        all.into_iter().collect()
    }
}

/// Whether something that expressions read from files is another in the base.
pub(super) fn reads_changed(recording: &Recording, commit: &Commit, (disk, reach): (&Files, &Reach)) -> bool {
    // What expressions were not given was looked for and no more.
    let is_read = |path: &Path| {
        let top = commit.folder();
        disk.real(path).is_ok_and(|real| real.starts_with(top) && reach.withholds(&real, top).is_none())
    };
    let same_text = |path: &Path| match disk.target(path) {
        Some(Kind::File) if is_read(path) => {
            // Beyond the limit of any reader the text does not count.
            disk.read(path, 64 << 20).is_ok_and(|bytes| commit.read(path, 64 << 20).is_ok_and(|base| base == bytes))
        }
        kind => kind == commit.target(path),
    };
    let names = |files: &dyn FileSystem, folder: &Path| {
        let entries = files.list(folder).unwrap_or_default();
        entries.into_iter().map(|entry| entry.name).collect::<BTreeSet<_>>()
    };
    recording.read().iter().any(|path| !same_text(path))
        || recording.listed().iter().any(|folder| names(&**disk, folder) != names(commit, folder))
}

/// Paths of the base under their names in the head, for files and folders that were renamed.
fn renamed(
    head: &Discovered,
    unchanged: &FxHashSet<FileId>,
    of_head: &FxHashMap<&str, FileId>,
    sources: &Sources,
    changed: &FxHashMap<String, FileId>,
    is_left_out: &impl Fn(&str) -> bool,
) -> FxHashMap<String, String> {
    let mut gone: Vec<(&str, &str)> = changed
        .iter()
        .filter(|(path, _)| !of_head.contains_key(path.as_str()) && !is_left_out(path))
        .map(|(path, file)| (path.as_str(), sources.get(*file).text()))
        .collect();
    gone.sort_unstable();
    let mut came: Vec<(&str, &str)> = head
        .sources
        .iter()
        .filter(|(file, source)| !unchanged.contains(file) && !changed.contains_key(source.path()))
        .map(|(_, source)| (source.path(), source.text()))
        .collect();
    came.sort_unstable();
    // A folder that is still there was not renamed.
    let still: FxHashSet<&str> = head.sources.iter().map(|(_, source)| folder_of(source.path())).collect();
    renames::renames(&gone, &came, |folder| still.contains(folder))
}
