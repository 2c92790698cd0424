//! Files that gate writes: whole or not at all, and only where they were named. The tree under judgement may hold links that
//! lead elsewhere; none of them is written through.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use crate::discover::repository_of;

/// Names beside a file that are tried for its text while it is written.
const MAX_TRIES: u32 = 100;

/// Writes a file whole or not at all: beside its place first, then in place of what has the name, be it a link. Devices,
/// pipes and what a process has open are written to as they are. No link is followed that leads out of the tree in which it
/// lies: its repository, that of the working folder, or `judged`, the real root of what is judged.
pub fn replace(path: &Path, bytes: &[u8], judged: &Path) -> io::Result<()> {
    let here = std::env::current_dir()?.canonicalize()?;
    let tops = [&here, judged].map(|folder| repository_of(folder).unwrap_or(folder));
    let folder = real_folder(path, &tops)?;
    let name = path.file_name().ok_or_else(|| io::Error::other("is no name of a file"))?;
    let path = folder.join(name);
    let there = path.symlink_metadata().ok();
    let is_special = there.as_ref().is_some_and(|there| !there.is_file() && !there.is_symlink());
    // `/dev/stdout` is a link to what standard output is, which may be a plain file.
    if is_special || folder == Path::new("/dev") || folder.starts_with("/dev/fd") || folder.starts_with("/proc") {
        // What others have written there stays: standard output may be the log of the steps before.
        return fill(OpenOptions::new().append(true).open(&path)?, bytes);
    }
    let (part, file) = beside(&path)?;
    let permissions = there.filter(|there| there.is_file()).map(|there| there.permissions());
    let written = fill(file, bytes)
        .and_then(|()| permissions.map_or(Ok(()), |permissions| std::fs::set_permissions(&part, permissions)))
        .and_then(|()| std::fs::rename(&part, &path));
    if written.is_err() {
        // The half-written file is of no use; that it may not be there is no matter.
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.flush()
}

/// A new file beside another: one that is there, or a link, was put there by somebody else.
fn beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut tries = 0..MAX_TRIES;
    loop {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.{}.part", std::process::id(), tries.next().unwrap_or(MAX_TRIES)));
        let part = path.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Ok(file) => return Ok((part, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && !tries.is_empty() => {}
            Err(error) => return Err(error),
        }
    }
}

/// The real folder in which a file of this name lies. Links that lie in no repository and in none of `tops`, real folders, are
/// whoever's machine it is; one that leads out of where it lies is refused.
fn real_folder(path: &Path, tops: &[&Path]) -> io::Result<PathBuf> {
    let around = |link_in: &Path| {
        let tops = tops.iter().copied().filter(|top| link_in.starts_with(top));
        tops.chain(repository_of(link_in)).max_by_key(|top| top.as_os_str().len()).map(Path::to_path_buf)
    };
    match led(path, around)? {
        (folder, None) => folder.canonicalize(),
        (_, Some((link, top))) => Err(io::Error::other(format!(
            "lies behind {}, a link that leads out of {}; name the place that is meant itself",
            crate::path::shown(&link),
            top.display()
        ))),
    }
}

/// The link in `top`, a real folder, by which a path leads out of it.
pub fn link_out(path: &Path, top: &Path) -> io::Result<Option<PathBuf>> {
    let around = |link_in: &Path| link_in.starts_with(top).then(|| top.to_path_buf());
    Ok(led(path, around)?.1.map(|(link, _)| link))
}

/// A link, and the folder that it leads out of.
type Way = (PathBuf, PathBuf);

/// The folder of a file as far as it is there, and the first link by which the way to it leads out of what `around` gives for
/// the real folder in which it lies.
fn led(path: &Path, around: impl Fn(&Path) -> Option<PathBuf>) -> io::Result<(PathBuf, Option<Way>)> {
    let full = std::path::absolute(path)?;
    let mut real = PathBuf::new();
    for part in full.parent().unwrap_or(&full).components() {
        match part {
            Component::ParentDir => _ = real.pop(),
            Component::CurDir => {}
            part => {
                let was = std::mem::take(&mut real);
                let next = was.join(part);
                let is_link = next.symlink_metadata().is_ok_and(|there| there.is_symlink());
                if !is_link {
                    real = next;
                    continue;
                }
                match (next.canonicalize(), around(&was)) {
                    (Ok(target), None) => real = target,
                    (Ok(target), Some(top)) if target.starts_with(&top) => real = target,
                    // What a link to nowhere would lead to can't be told.
                    (_, Some(top)) => return Ok((real, Some((next, top)))),
                    (Err(error), None) => return Err(error),
                }
            }
        }
    }
    Ok((real, None))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_replaced_and_not_written_through() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::write(&target, "kept").expect("written");
        symlink(&target, &link).expect("linked");
        replace(&link, b"new", folder.path()).expect("written");
        assert!(link.symlink_metadata().expect("there").is_file());
        assert_eq!(std::fs::read_to_string(&link).expect("read"), "new");
        assert_eq!(std::fs::read_to_string(&target).expect("read"), "kept");
        assert_eq!(folder.path().read_dir().expect("listed").count(), 2, "nothing is left beside them");
    }

    #[test]
    fn a_name_that_is_taken_is_left_alone() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let taken = folder.path().join(format!("out.{}.0.part", std::process::id()));
        symlink(folder.path().join("elsewhere"), &taken).expect("linked");
        replace(&folder.path().join("out"), b"new", folder.path()).expect("written");
        assert!(taken.symlink_metadata().expect("there").is_symlink() && !folder.path().join("elsewhere").exists());
    }

    #[test]
    fn a_link_out_of_what_is_judged_is_refused_wherever_gate_is_called() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let root = folder.path().canonicalize().expect("a folder");
        for name in ["home/clone/.git", "home/plain", "home/settings"] {
            std::fs::create_dir_all(root.join(name)).expect("a folder");
        }
        for tree in ["clone", "plain"] {
            symlink("../settings", root.join("home").join(tree).join("reports")).expect("linked");
        }
        let write = |name: &str, judged: &str| replace(&root.join(name), b"new", &root.join(judged));
        for (name, judged) in [("home/clone/reports/x", "home"), ("home/plain/reports/x", "home/plain")] {
            let refused = write(name, judged).expect_err("a link of the tree");
            assert!(refused.to_string().contains("a link that leads out of"), "{refused}");
        }
        assert_eq!(root.join("home/settings").read_dir().expect("listed").count(), 0);
        // In a folder that nobody judges a link is whoever's machine it is.
        write("home/plain/reports/x", "home/clone").expect("written");
    }

    #[test]
    fn what_is_no_plain_file_is_written_to_behind_what_it_holds() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let log = folder.path().join("log");
        std::fs::write(&log, "before\n").expect("written");
        let open = OpenOptions::new().append(true).open(&log).expect("opened");
        let name = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open));
        replace(Path::new(&name), b"report\n", folder.path()).expect("written");
        assert_eq!(std::fs::read_to_string(&log).expect("read"), "before\nreport\n");
    }

    #[test]
    fn only_links_in_the_tree_are_held_against_it() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let root = folder.path().canonicalize().expect("a folder");
        for name in ["tree/in", "outside", "tree/deep/er"] {
            std::fs::create_dir_all(root.join(name)).expect("a folder");
        }
        symlink(root.join("tree"), root.join("above")).expect("linked");
        symlink("../outside", root.join("tree/out")).expect("linked");
        symlink("in", root.join("tree/inner")).expect("linked");
        symlink("nowhere", root.join("tree/broken")).expect("linked");
        let top = root.join("tree");
        let link = |path: &str| link_out(&root.join(path), &top).expect("the folders are readable");
        assert_eq!(link("tree/out/x"), Some(root.join("tree/out")));
        assert_eq!(link("above/out/x"), Some(root.join("tree/out")));
        assert_eq!(link("tree/broken/x"), Some(root.join("tree/broken")));
        for path in ["tree/x", "tree/inner/x", "above/in/x", "tree/deep/../../outside/x", "outside/x", "tree/new/x"] {
            assert_eq!(link(path), None, "{path}");
        }
    }
}
