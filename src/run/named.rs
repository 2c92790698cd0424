//! Whose word it is what the command line names: a file may be the base's, one that the change brings, or the caller's own.

use std::path::{Path, PathBuf};

use super::base::Opened;
use super::{Error, policy_files};
use crate::filesystem::{Disk, FileSystem, Files, Kind};
use crate::path::shown;

/// Bytes of a file that are held against those of a commit.
const MAX_BYTES: u64 = 64 << 20;

/// Where something that is named is read.
pub(super) struct Named {
    /// Its files.
    pub files: Files,
    /// Where it lies in them.
    pub path: PathBuf,
}

/// Whose word it is what stands under a path of the work tree.
enum Whose {
    /// The base has it.
    Base,
    /// The change brings it.
    Change,
    /// Neither commit has it: who runs gate has put it there.
    Caller,
}

impl Opened {
    /// Where a path is read that the command line or a configuration in force names: in the base where the base has it, and on
    /// disk where it is no part of what is judged. None where the change brings it.
    pub fn named(&self, path: &Path) -> Result<Option<Named>, Error> {
        let mut path = std::path::absolute(path)?;
        let on_disk = |path| Ok(Some(Named { files: Files::default(), path }));
        if self.trusts_head {
            return on_disk(path);
        }
        // A way around the work tree, or a link of the caller's, may lead into it.
        let is_direct = self.rules.inside(&path).is_some_and(|_| !path.iter().any(|part| part == ".."));
        if !is_direct && let Ok(real) = Disk.real(&path) {
            path = real;
        }
        let mut whose = self.whose(&path)?;
        if let (Whose::Caller, Ok(real)) = (&whose, Disk.real(&path))
            && real != path
        {
            whose = self.whose(&real)?;
            path = real;
        }
        match whose {
            Whose::Base => Ok(Some(Named { files: Files::from(self.rules.clone()), path })),
            Whose::Change => Ok(None),
            Whose::Caller => on_disk(path),
        }
    }

    /// Whether who runs gate has put there what a path names.
    pub fn is_callers(&self, path: &Path) -> bool {
        matches!(self.whose(path), Ok(Whose::Caller))
    }

    /// Whose word an absolute path is. Fails where the change brings something, and something else lies there.
    fn whose(&self, path: &Path) -> Result<Whose, Error> {
        let (rules, tip) = (&*self.rules, &*self.tip);
        if rules.kind(path).is_ok() || rules.target(path).is_some() {
            return Ok(Whose::Base);
        }
        let Some(inside) = tip.inside(path) else { return Ok(Whose::Caller) };
        let folder = tip.folder();
        let mut above: Vec<&Path> = inside.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
        above.reverse();
        for part in above {
            let full = folder.join(part);
            let on_disk = Disk.kind(&full).ok();
            if tip.has_submodule(&full) {
                return match rules.has_submodule(&full) {
                    true if rules.shares(&full) => {
                        Err(refused(path, &full, "is a submodule that is not checked out", SUBMODULE))
                    }
                    true => Err(refused(
                        path,
                        &full,
                        "is a submodule that stands at another commit than in the base",
                        OUTSIDE,
                    )),
                    false => Ok(Whose::Change),
                };
            }
            // No commit has a `.git`: here lies a repository that somebody else has put there.
            if on_disk == Some(Kind::Folder) && Disk.kind(&full.join(".git")).is_ok() {
                return Ok(Whose::Caller);
            }
            match tip.kind(&full) {
                Err(_) => return Ok(Whose::Caller),
                Ok(kind) if on_disk.is_some_and(|there| there != kind) => return Ok(Whose::Caller),
                Ok(Kind::Folder) => {}
                Ok(Kind::File) if full == path => {}
                Ok(_) => return Ok(Whose::Change),
            }
        }
        if Disk.kind(path).is_err() {
            // What neither has is an error where it is read.
            return Ok(Whose::Caller);
        }
        match self.is_as_committed(path)? {
            true => Ok(Whose::Change),
            false => {
                Err(refused(path, path, "is part of the change that is judged, and other text lies there", OUTSIDE))
            }
        }
    }

    /// Whether the file on disk, or all files of rules in the folder, are those of the tip. What attributes of git do to line
    /// ends does not count.
    fn is_as_committed(&self, path: &Path) -> Result<bool, Error> {
        let lines = |files: &dyn FileSystem, path: &Path| {
            let bytes = files.read(path, MAX_BYTES).ok()?;
            Some(bytes.into_iter().filter(|byte| *byte != b'\r').collect::<Vec<u8>>())
        };
        let mut found = Vec::new();
        policy_files(&Disk, path, &mut found)?;
        Ok(found.iter().all(|file| lines(&Disk, file) == lines(&*self.tip, file)))
    }
}

const SUBMODULE: &str = "check it out with `git submodule update --init`";
const OUTSIDE: &str = "have the workflow check out what it names outside of the repository that is judged; on a machine of \
                       your own, commit it, or trust the files at hand with `--trust head`";

/// A path that is not read since nobody can tell whose word it is; `place` is what stands in the way.
fn refused(path: &Path, place: &Path, what: &str, help: &str) -> Error {
    let what = match path == place {
        true => what.to_string(),
        false => format!("can't be taken from the base: {} {what}", shown(place)),
    };
    Error::Usage { message: format!("{}: {what}", shown(path)), help: Some(help.into()) }
}
