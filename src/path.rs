//! Paths of the tree that is scanned, as texts: relative to its root, with `/` between their parts; and paths of this machine
//! as messages show them.

use std::path::Path;

/// The last part of a path.
pub fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// All of a path but its last part; empty where there is just one.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a path is a folder, or lies in it; the folder has no `/` at its end.
pub fn lies_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path relative to the root, from one relative to a folder; none if it leaves the root or is absolute.
pub fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut joined: Vec<&str> = parts(folder).collect();
    for part in parts(path) {
        match part {
            ".." => {
                joined.pop()?;
            }
            name => joined.push(name),
        }
    }
    Some(joined.join("/"))
}

/// The way from one folder to another: `../../modules/db`, `.`.
pub fn between(from: &str, to: &str) -> String {
    let shared = parts(from).zip(parts(to)).take_while(|(a, b)| a == b).count();
    let up = parts(from).skip(shared).map(|_| "..");
    let way: Vec<&str> = up.chain(parts(to).skip(shared)).collect();
    if way.is_empty() { ".".into() } else { way.join("/") }
}

/// A path of this machine for messages: relative to the working directory where both lie in one repository or it lies below,
/// so that reports of two machines are the same; as it is elsewhere.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let top = crate::discover::repository_of(&here).unwrap_or(&here);
    for (up, folder) in here.ancestors().take_while(|folder| folder.starts_with(top)).enumerate() {
        if let Ok(below) = path.strip_prefix(folder) {
            return format!("{}{}", "../".repeat(up), below.display());
        }
    }
    path.display().to_string()
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_paths_stay_below_the_root() {
        assert_eq!(join("deploy", "../api/compose.yaml").as_deref(), Some("api/compose.yaml"));
        assert_eq!(join("deploy", "./x/./y.yaml").as_deref(), Some("deploy/x/y.yaml"));
        assert_eq!(join(".", "x//y/").as_deref(), Some("x/y"));
        assert_eq!([join("deploy", "../../x"), join("", "/etc/x")], [None, None]);
    }

    #[test]
    fn a_folder_holds_what_lies_below_it() {
        for (path, wanted) in
            [("/etc", true), ("/etc/ssh", true), ("/etc/", true), ("/etcetera", false), ("/", false), ("etc", false)]
        {
            assert_eq!(lies_in(path, "/etc"), wanted, "{path}");
        }
    }

    #[test]
    fn a_way_leads_up_and_down() {
        assert_eq!(
            [between("a/b", "a/c"), between("", "x"), between("x", "."), between("x", "x")],
            ["../c", "x", "..", "."]
        );
    }
}
