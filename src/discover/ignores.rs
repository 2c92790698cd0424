//! Ignore files: gate's own, and git's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::io_reason;
use super::names::is_hidden;
use super::walk::{Folder, Found, Scope};
use crate::filesystem::{Entry, FileSystem, Kind};

/// An ignore file is a list of names; past this size it is taken for something else, and nothing is ignored by it.
const MAX_IGNORE_BYTES: u64 = 256 << 10;

/// The ignore files: gate's own, and git's.
const GATE: &str = ".gateignore";
const GIT: &str = ".gitignore";

/// Ignore files in force in a folder: its own and those of the folders above it, up to where the walk began.
#[derive(Default)]
pub(super) struct Ignores {
    above: Option<Arc<Ignores>>,
    gate: Option<Gitignore>,
    git: Option<Gitignore>,
}

impl Ignores {
    /// `.gateignore` outranks `.gitignore`; within each kind the nearest folder outranks those above. What git tracks is not
    /// ignored by git.
    pub fn excludes(&self, path: &Path, is_folder: bool, is_tracked: impl Fn() -> bool) -> bool {
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

impl Scope<'_> {
    /// Adds the ignore files of a folder. Only regular files of reasonable size count: a link could lead to a device.
    pub fn with_ignore_files(&self, folder: Folder, entries: &[Entry], found: &mut Found) -> Folder {
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
            Some(change) if name == GATE => change.rules,
            _ => self.files,
        }
    }

    /// Whether git has a path in the commits that are compared: then no `.gitignore` hides it.
    pub fn is_tracked(&self, path: &Path) -> bool {
        self.change.is_some_and(|change| {
            let full = self.root.join(path);
            change.base.has(&full) || change.head.is_tracked(&full)
        })
    }

    /// The ignore files of a folder and of all folders above it up to the root.
    pub fn ignores_down_to(&self, folder: &Path) -> Arc<Ignores> {
        let above: Vec<&Path> = folder.ancestors().collect();
        above.into_iter().rev().fold(Arc::default(), |ignores, level| self.ignores_in(level, ignores))
    }

    /// The ignore files of a folder, and those of the folders above it.
    fn ignores_in(&self, folder: &Path, above: Arc<Ignores>) -> Arc<Ignores> {
        let [gate, git] = [GATE, GIT].map(|name| {
            let path = self.root.join(folder).join(name);
            let files = self.ignore_files(name);
            let is_file = files.kind(&path).is_ok_and(|kind| kind == Kind::File);
            is_file.then(|| ignore_lines(files, &path).ok()).flatten().map(|text| matcher(folder, &text))
        });
        match (&gate, &git) {
            (None, None) => above,
            _ => Arc::new(Ignores { above: Some(above), gate, git }),
        }
    }

    /// Whether a walk would meet what git has at this path.
    pub fn shows(&self, path: &Path, is_folder: bool) -> bool {
        if path.iter().any(is_hidden) || path.ancestors().any(|above| self.is_excluded(above)) {
            return false;
        }
        let mut ignores = Arc::default();
        let mut above = PathBuf::new();
        path.iter().all(|name| {
            ignores = self.ignores_in(&above, std::mem::take(&mut ignores));
            above.push(name);
            !ignores.excludes(&above, is_folder || above != path, || true)
        })
    }
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
