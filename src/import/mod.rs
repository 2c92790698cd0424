//! Results of other tools, as SARIF 2.1.0: one verdict from many.
//!
//! [`read`] takes files and gives results with names of places; [`Imports::place`] finds the places; [`merge::join`] holds
//! results against gate's own findings. What a tool says is untrusted text that reports escape; that it said it is trusted,
//! since whoever runs gate names the file. A file that is missing or broken, or whose tool did not finish, closes the gate.

mod ended;
mod form;
mod merge;
mod message;
mod place;
mod read;
mod tool;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use merge::{Context, Joined, join};
pub use tool::is_known;

use crate::config::PathGlobs;
use crate::discover::{Discovered, io_reason};
use crate::filesystem::Commit;
use crate::finding::Finding;
use crate::path::shown;
use crate::problem::{Problem, ProblemKind};
use crate::rules::{Catalog, Prose, Rule};
use crate::source::Span;
use place::Places;
use read::{Counterparts, Result1};

/// Bytes of one file that are read at most: a hundred thousand results are half of that.
const MAX_BYTES: u64 = 128 << 20;
/// Results of all files that are taken: nobody reads more, and code hosts refuse a quarter.
const MAX_RESULTS: usize = 100_000;

/// What other tools say.
#[derive(Debug, Default)]
pub struct Imports {
    /// What keeps the answer from being whole, and what is worth telling.
    pub problems: Vec<Problem>,
    /// Whether suppressions that a tool read from comments of the tree act; those that it was given from elsewhere do anyway.
    pub trusts_comments: bool,
    files: Vec<File>,
    unplaced: Vec<Result1>,
    results: Vec<Imported>,
}

/// A file of results.
#[derive(Debug)]
struct File {
    named: PathBuf,
    /// Without links.
    real: PathBuf,
}

/// That a tool takes one of its results for accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Accepted {
    reason: String,
    /// By a comment in the scanned tree, which a change may bring along.
    in_source: bool,
}

/// A result in its place.
#[derive(Debug, Clone)]
struct Imported {
    tool: Arc<str>,
    finding: Finding,
    /// All that the tool marks.
    region: Span,
    weaknesses: Vec<u32>,
    accepted: Option<Accepted>,
    /// The severity is none that the tool has given.
    is_flat: bool,
    /// The place is none of a text: an image, a file that is not there.
    is_named: bool,
}

/// Reads files of results and adds the rules that they name to the catalog, where nothing runs them.
pub fn read(paths: &[PathBuf], catalog: &mut Catalog) -> Imports {
    let mut imports = Imports { trusts_comments: true, ..Imports::default() };
    if paths.is_empty() {
        return imports;
    }
    let counterparts = Counterparts::new(catalog);
    let mut rules = Vec::new();
    for path in paths {
        let shown = shown(path);
        match bytes(path) {
            Ok(bytes) => {
                rules.extend(imports.take(&shown, &bytes, catalog, &counterparts));
                imports.files.extend(path.canonicalize().map(|real| File { named: path.clone(), real }));
            }
            Err((reason, help)) => imports.tell(&shown, ProblemKind::Unread, reason, Some(help)),
        }
    }
    catalog.add_imported(rules);
    imports
}

/// The same for the bytes of one file, which messages call `shown`.
pub fn read_bytes(shown: &str, bytes: &[u8], catalog: &mut Catalog) -> Imports {
    let mut imports = Imports { trusts_comments: true, ..Imports::default() };
    let rules = imports.take(shown, bytes, catalog, &Counterparts::new(catalog));
    catalog.add_imported(rules);
    imports
}

fn bytes(path: &Path) -> Result<Vec<u8>, read::Trouble> {
    let missing = "name the file that the tool wrote; if the tool did not write it, see why it failed";
    let file = std::fs::File::open(path).map_err(|error| (format!("can't be read: {}", io_reason(&error)), missing))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(("is a folder".into(), "name each file by itself"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| (format!("can't be read: {}", io_reason(&error)), missing))?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err((
            format!("is larger than {} MiB", MAX_BYTES >> 20),
            "have the tool look at less, or write several files",
        )),
        false => Ok(bytes),
    }
}

impl Imports {
    fn tell(&mut self, shown: &str, kind: ProblemKind, said: String, help: Option<&str>) {
        let problem = Problem::with_path(kind, "", format!("the import {shown} {said}"));
        self.problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    /// Takes over what a file says, and gives the rules that it names.
    fn take(
        &mut self,
        shown: &str,
        bytes: &[u8],
        catalog: &Catalog,
        counterparts: &Counterparts,
    ) -> Vec<(Rule, Prose)> {
        let read = match read::read(bytes, catalog, counterparts) {
            Ok(read) => read,
            Err((reason, help)) => {
                self.tell(shown, ProblemKind::Unread, reason, Some(help));
                return Vec::new();
            }
        };
        for (said, help) in read.troubles {
            self.tell(shown, ProblemKind::Unread, said, Some(help));
        }
        let room = MAX_RESULTS.saturating_sub(self.unplaced.len());
        if read.results.len() > room {
            let said = format!("has results past the limit of {MAX_RESULTS}");
            let help = "have the tool look at less, or leave out what is not severe";
            self.tell(shown, ProblemKind::Limit, said, Some(help));
        }
        self.unplaced.extend(read.results.into_iter().take(room));
        read.rules
    }

    /// Whether no file was named.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.problems.is_empty()
    }

    /// Tells which of the files are part of the change: there it would say in the name of a tool what it likes. Unless the
    /// change is trusted, that closes the gate. What a tool wrote over such a file is not told apart from what attributes
    /// of git make of it, so the bytes at hand do not excuse it.
    pub fn tell_those_in(&mut self, tip: &Commit, base: &Commit, trusts_head: bool) {
        for file in &self.files {
            // The name may be a link that the change has turned to another file.
            let folder = file.named.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let name = file.named.file_name().unwrap_or_default();
            let named = folder.canonicalize().map(|folder| folder.join(name));
            let mut places: Vec<&Path> = named.iter().map(PathBuf::as_path).chain([file.real.as_path()]).collect();
            places.retain(|place| tip.has(place));
            let Some(place) = places.first() else { continue };
            let is_changed = places.iter().any(|place| !base.has_same(tip, place));
            let shown = shown(place);
            let (kind, what) = match (is_changed, trusts_head) {
                (true, false) => (ProblemKind::Unread, "is part of the change that is judged, so it proves nothing"),
                (true, true) => (ProblemKind::Note, "is part of the change that is judged"),
                (false, _) => (ProblemKind::Note, "is part of the commit, and may be older than what it speaks of"),
            };
            let help = "have the workflow write it outside of what is checked out, and take it out of git";
            let message = format!("the import {shown} {what}");
            self.problems.push(Problem::with_path(kind, "", message).help(help));
        }
    }

    /// Finds the places of all results. Files of the tree that the scan has not read are read to show them; results in files
    /// that were not asked for, or that the configuration excludes, are left out.
    pub fn place(&mut self, discovered: &mut Discovered, paths: &[PathBuf], exclude: &PathGlobs) {
        for File { real, .. } in &self.files {
            // What tools quote of secrets is no secret of the tree.
            let path = real.strip_prefix(&discovered.root).ok().and_then(Path::to_str);
            let known = path.and_then(|path| discovered.sources.iter().find(|(_, source)| source.path() == path));
            if let Some((id, _)) = known {
                discovered.sources.set_aside(id);
            }
        }
        let asked: Vec<PathBuf> = paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let root = discovered.root.clone();
        let mut excluded = std::collections::BTreeMap::new();
        let mut places = Places::new(discovered);
        let mut is_stale = std::collections::BTreeSet::new();
        for result in std::mem::take(&mut self.unplaced) {
            let file = match &result.place {
                Some(place) => places.file(place),
                None => places.named(result.tool.to_string()),
            };
            let source = places.discovered().sources.get(file);
            let (path, is_named) = (source.path().to_string(), source.lines().is_none());
            let full = root.join(&path);
            if !is_named && !asked.iter().any(|asked| full.starts_with(asked)) {
                continue;
            }
            if !is_named && exclude.matches(&full) {
                *excluded.entry((path, result.tool)).or_insert(0) += 1;
                continue;
            }
            let (at, region, is_there) = places.spans(file, result.region, result.code_points);
            if !is_there && is_stale.insert(file) {
                let message = format!("{} names a line that the file does not have", result.tool);
                self.problems.push(
                    Problem::with_path(ProblemKind::Note, path, message)
                        .help("run the tool on the same state of the files"),
                );
            }
            let related = result.related.iter().map(|(named, region, said)| {
                let file = places.file(named);
                (places.spans(file, *region, result.code_points).0, said.clone())
            });
            let related: Vec<_> = related.collect();
            let sources = &places.discovered().sources;
            self.results.push(merge::placed(result, at, region, related, sources));
        }
        for ((path, tool), count) in excluded {
            discovered.skipped.push((path, format!("excluded, with {count} of the results of {tool}")));
        }
        discovered.skipped.sort();
    }

    /// The places of all results in texts, for the comments beside them.
    pub fn places(&self) -> impl Iterator<Item = Span> {
        self.results.iter().filter(|result| !result.is_named).map(|result| result.finding.at)
    }
}
