//! Which files of the base must be read again: those that the change touches, and those whose reading depends on them. All
//! others are the files of the head, and what was made of them is taken over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::discover::{self, Discovered, Walk};
use crate::filesystem::{Commit, FileSystem, Files, Kind, Recording};
use crate::frontend::{Before, FRONTENDS, Frontend};
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
}

impl Plan {
    /// Whether the base has the line of the head at which a place begins, as often as the head has it. A place that stands
    /// for all of its file is there only if nothing of it is another.
    pub fn has_line(&self, head: &Discovered, commit: &Commit, place: Span, is_whole_file: bool) -> bool {
        let source = head.sources.get(place.file);
        if self.unchanged.contains(&place.file) {
            return true;
        }
        let renamed = self.renames.iter().find(|(_, to)| *to == source.path()).map(|(from, _)| from.as_str());
        // Nobody but the other tool may read such files.
        let path = head.root.join(renamed.unwrap_or(source.path()));
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
    /// Paths of the files of the base that are others in the head, or gone.
    read_again: BTreeSet<String>,
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
    let is_gone = |path: &Path| !tip.has_same(commit, path) || walk.files.kind(path).is_err();
    let read_again: BTreeSet<String> = commit
        .files_below(root)
        .into_iter()
        .filter_map(|path| {
            let name = relative(&path)?;
            // A scan of some files has nothing to do with the rest.
            if head.only.is_some() && !folders_of_head.contains(folder_of(&name)) {
                return None;
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
    let paths = [root.clone()];
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
    Ok(Difference { read_again, fresh, before: Arc::new(before) })
}

/// Plans the reading of a base; all of it is read again where `is_whole`.
pub(super) fn plan(head: &Discovered, difference: Difference, is_whole: bool) -> Plan {
    let Difference { read_again, fresh, before } = difference;
    let unchanged = before.unchanged.clone();
    let files: Vec<(FileId, &Source)> = head.sources.iter().collect();
    let of_head: FxHashMap<&str, FileId> = files.iter().map(|(file, source)| (source.path(), *file)).collect();
    let mut sources = Sources::new(files.iter().map(|(_, source)| source.shared()).collect());
    let ids: Vec<FileId> = fresh.sources.iter().map(|(_, source)| sources.add(source.shared())).collect();
    let changed: FxHashMap<String, FileId> =
        fresh.sources.iter().zip(&ids).map(|((_, source), id)| (source.path().to_string(), *id)).collect();
    let mut claims = vec![Vec::new(); FRONTENDS.len()];
    let mut touched = FxHashSet::default();
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
        touched.extend(again.iter().flat_map(|file| roots_of(head.sources.get(*file).path())));
        touched.extend(base.iter().flat_map(|file| roots_of(sources.get(*file).path())));
        // What they need is read with them, though it is none of theirs.
        let there = FilesByFolder::of(&sources, head.claims[number].iter().copied().filter(is_kept), &base);
        claims[number] = there.closure(*frontend, &sources, base);
    }
    touched.extend(changed.keys().flat_map(|path| roots_of(path)));
    touched
        .extend(files.iter().filter(|(file, _)| !unchanged.contains(file)).flat_map(|(_, one)| roots_of(one.path())));
    let renames = renames(head, &unchanged, &of_head, &sources, &changed);
    let discovered = Discovered { sources, claims, root: head.root.clone(), prefix: head.prefix.clone(), ..fresh };
    Plan { discovered, unchanged, changed, touched, renames }
}

/// The roots that a resource of a file may have: its folder, or the file itself.
fn roots_of(path: &str) -> [String; 2] {
    [folder_of(path).to_string(), path.to_string()]
}

/// The folder of a path; `.` for the top.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// The folders that the text of a file wants read beside it, and those of the files; with [`BELOW`] those that it wants as a whole.
fn needs(frontend: &dyn Frontend, path: &str, text: &str) -> Vec<String> {
    let context = frontend.context(Path::new(path), text);
    let files = context.files.iter().chain(context.named.iter().map(|(_, file)| file)).map(|file| folder_of(file));
    let folders = context.folders.iter().map(String::as_str).chain(files);
    let near = |folder: &str| discover::joined(folder_of(path), folder);
    let installed = context.installed.iter().filter_map(|folder| Some(near(folder)? + BELOW));
    let mut needs: Vec<String> = folders.filter_map(near).chain(installed).collect();
    needs.sort_unstable();
    needs.dedup();
    needs
}

/// What stands behind a folder that is needed with all below it.
const BELOW: &str = "/**";

/// Which files of one format depend on which folders.
struct Folders {
    by_file: BTreeMap<FileId, Vec<String>>,
    own: BTreeMap<FileId, String>,
}

impl Folders {
    fn of(frontend: &dyn Frontend, discovered: &Discovered, files: &[FileId]) -> Folders {
        let need = |file: &FileId| {
            let source = discovered.sources.get(*file);
            (*file, needs(frontend, source.path(), source.text()))
        };
        let by_file = files.par_iter().map(need).collect();
        let own = files.iter().map(|file| (*file, folder_of(discovered.sources.get(*file).path()).to_string()));
        Folders { by_file, own: own.collect() }
    }

    /// The files that need one of these folders, or a file that does.
    fn depending_on(&self, stale: BTreeSet<String>) -> BTreeSet<FileId> {
        let mut needing: BTreeMap<&str, Vec<FileId>> = BTreeMap::new();
        for (file, folders) in &self.by_file {
            folders.iter().for_each(|folder| needing.entry(folder).or_default().push(*file));
        }
        let mut found = BTreeSet::new();
        let mut open: Vec<String> = stale.into_iter().collect();
        while let Some(folder) = open.pop() {
            let above = Path::new(&folder).ancestors().filter_map(Path::to_str).map(|above| format!("{above}{BELOW}"));
            let wanting: Vec<FileId> =
                above.chain([folder.clone()]).filter_map(|need| needing.remove(need.as_str())).flatten().collect();
            for file in wanting {
                if found.insert(file) {
                    open.push(self.own[&file].clone());
                }
            }
        }
        found
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
            for folder in needs(frontend, source.path(), source.text()) {
                let there: Vec<&FileId> = match folder.strip_suffix(BELOW) {
                    None => self.0.get(&folder).into_iter().flatten().collect(),
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
pub(super) fn reads_changed(recording: &Recording, commit: &Commit, disk: &Files) -> bool {
    let same_text = |path: &Path| match disk.target(path) {
        Some(Kind::File) => {
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

/// Files of the base that go on under another name: those with the same text, and those with most of their lines.
fn renames(
    head: &Discovered,
    unchanged: &FxHashSet<FileId>,
    of_head: &FxHashMap<&str, FileId>,
    sources: &Sources,
    changed: &FxHashMap<String, FileId>,
) -> FxHashMap<String, String> {
    /// Pairs that are held against each other; of more only equal texts are found.
    const MAX_PAIRS: usize = 40_000;
    let mut gone: Vec<(&str, &str)> = changed
        .iter()
        .filter(|(path, _)| !of_head.contains_key(path.as_str()))
        .map(|(path, file)| (path.as_str(), sources.get(*file).text()))
        .collect();
    gone.sort_unstable();
    let base_paths: FxHashSet<&str> = changed.keys().map(String::as_str).collect();
    let mut came: Vec<(&str, &str)> = head
        .sources
        .iter()
        .filter(|(file, source)| !unchanged.contains(file) && !base_paths.contains(source.path()))
        .map(|(_, source)| (source.path(), source.text()))
        .collect();
    came.sort_unstable();
    let mut renames = FxHashMap::default();
    let mut rename = |from: &str, to: &str| {
        renames.entry(from.to_string()).or_insert_with(|| to.to_string());
        renames.entry(folder_of(from).to_string()).or_insert_with(|| folder_of(to).to_string());
    };
    gone.retain(|(from, text)| match came.iter().position(|(_, other)| other == text) {
        Some(at) => {
            rename(from, came.remove(at).0);
            false
        }
        None => true,
    });
    if gone.len() * came.len() <= MAX_PAIRS {
        for (from, text) in gone {
            let lines = lines_of(text);
            let likeness = |other: &str| likeness(&lines, &lines_of(other));
            let best = came
                .iter()
                .enumerate()
                .map(|(at, (_, other))| (at, likeness(other)))
                .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
            if let Some((at, likeness)) = best
                && likeness >= 0.5
            {
                rename(from, came.remove(at).0);
            }
        }
    }
    // A folder that is still there was not renamed.
    let still: FxHashSet<&str> = head.sources.iter().map(|(_, source)| folder_of(source.path())).collect();
    renames.retain(|from, _| changed.contains_key(from) || !still.contains(from.as_str()));
    renames
}

/// The lines of a text with how often each stands there; blanks around them don't count.
fn lines_of(text: &str) -> FxHashMap<&str, usize> {
    let mut lines = FxHashMap::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        *lines.entry(line).or_default() += 1;
    }
    lines
}

/// The share of lines that two texts have in common, from 0 to 1, as git measures renames.
fn likeness(a: &FxHashMap<&str, usize>, b: &FxHashMap<&str, usize>) -> f64 {
    let total = |lines: &FxHashMap<&str, usize>| lines.values().sum::<usize>();
    let common: usize = a.iter().map(|(line, count)| (*count).min(b.get(line).copied().unwrap_or(0))).sum();
    common as f64 / total(a).max(total(b)).max(1) as f64
}
