//! The branch that the changes of a repository go to, read from git's own files: nothing is run.

use std::path::{Path, PathBuf};

use crate::filesystem::{Disk, FileSystem};

/// Bytes of one of git's files that are read at most; many references are packed in one.
const MAX_BYTES: u64 = 10 << 20;

/// The default branch of the remote where a clone knows it, else the one of the usual names that there is, else the one that is
/// checked out; `main` where there is no repository.
pub(super) fn default_branch(top: &Path) -> String {
    let folder = git_folder(top);
    let common = match first_line(&folder.join("commondir")) {
        Some(common) => folder.join(common),
        None => folder.clone(),
    };
    let packed = Disk.text(&common.join("packed-refs"), MAX_BYTES).unwrap_or_default();
    let is_branch = |name: &str| {
        let reference = format!("refs/heads/{name}");
        common.join(&reference).is_file()
            || packed.lines().any(|line| line.split_once(' ').is_some_and(|(_, packed)| packed == reference))
    };
    target(&common.join("refs/remotes/origin/HEAD"), "refs/remotes/origin/")
        .or_else(|| ["main", "master"].into_iter().find(|name| is_branch(name)).map(str::to_string))
        .or_else(|| target(&folder.join("HEAD"), "refs/heads/").filter(|name| !name.starts_with('.')))
        .unwrap_or_else(|| "main".into())
}

/// Git's folder: `.git`, or what a file of this name leads to, as in further working trees.
fn git_folder(top: &Path) -> PathBuf {
    let folder = top.join(".git");
    match first_line(&folder).as_deref().and_then(|line| line.strip_prefix("gitdir: ")) {
        Some(elsewhere) => top.join(elsewhere),
        None => folder,
    }
}

/// What a symbolic reference stands for, if its name begins so.
fn target(path: &Path, prefix: &str) -> Option<String> {
    first_line(path)?.strip_prefix("ref: ")?.strip_prefix(prefix).map(str::to_string)
}

/// The first line of a file, if there is one.
fn first_line(path: &Path) -> Option<String> {
    let text = Disk.text(path, MAX_BYTES).ok()?;
    text.lines().next().map(|line| line.trim_end().to_string()).filter(|line| !line.is_empty())
}

/// A name as an item of a list of GitHub's patterns in YAML.
pub(super) fn quoted(name: &str) -> String {
    match name {
        "main" | "master" => name.to_string(),
        _ => format!("'{}'", name.replace('\'', "''").replace('+', "\\+").replace('!', "\\!")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::TempDir::new().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        folder
    }

    #[test]
    fn the_remote_says_which_it_is_and_after_it_the_names_that_there_are() {
        let head = (".git/HEAD", "ref: refs/heads/topic/x\n");
        let remote = (".git/refs/remotes/origin/HEAD", "ref: refs/remotes/origin/develop\n");
        let packed = (".git/packed-refs", "# pack-refs with: peeled\n0123 refs/heads/master\n0123 refs/heads/x\n");
        for (files, wanted) in [
            (&[][..], "main"),
            (&[(".git/HEAD", "ref: refs/heads/master\n")], "master"),
            (&[head], "topic/x"),
            (&[head, (".git/refs/heads/main", "0123\n")], "main"),
            (&[head, packed], "master"),
            (&[head, packed, remote], "develop"),
            (&[(".git/HEAD", "0123456789\n")], "main"),
            (&[(".git/HEAD", "ref: refs/heads/.invalid\n")], "main"),
            // A further working tree.
            (
                &[
                    (".git", "gitdir: g/worktrees/w\n"),
                    ("g/worktrees/w/commondir", "../..\n"),
                    ("g/refs/heads/master", "0\n"),
                ],
                "master",
            ),
        ] {
            assert_eq!(default_branch(repository(files).path()), wanted, "{files:?}");
        }
    }

    #[test]
    fn a_name_is_text_and_no_pattern() {
        for (name, wanted) in [("main", "main"), ("1.10", "'1.10'"), ("it's", "'it''s'"), ("c++", r"'c\+\+'")] {
            assert_eq!(quoted(name), wanted);
        }
    }
}
