//! Modules that `terraform init` installed: `.terraform/modules/modules.json` of a root module tells which call's code lies where.
//!
//! The file is read, never trusted: what it names is used only where it lies below the scanned folder, and only for a call
//! whose source and version are still those that were installed.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use super::module::folder_below;
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Sources};

/// The folder of a root module in which `terraform init` keeps the code of called modules.
pub const FOLDER: &str = ".terraform/modules";

/// The name of the list in [`FOLDER`].
const LIST: &str = "modules.json";

/// Whether a path is that of a list of installed modules; gives the folder of its root module.
pub fn root_of_list(path: &str) -> Option<&str> {
    let root = path.strip_suffix(LIST)?.strip_suffix('/')?.strip_suffix(FOLDER)?;
    match root {
        "" => Some("."),
        root => root.strip_suffix('/'),
    }
}

/// Whether a path lies among installed code.
pub fn is_installed(path: &str) -> bool {
    path.split('/').any(|part| part == ".terraform")
}

/// The installed modules of one root module, by the names of the calls that lead to them: `network`, `app.database`.
#[derive(Debug, Default)]
pub struct Installed {
    entries: FxHashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    source: String,
    version: Option<String>,
    /// Relative to the root of the scan, or as it stands in the list when it leaves that.
    folder: Result<String, String>,
}

/// What the list says of one call.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'i> {
    /// The folder of its code, relative to the root of the scan.
    At(&'i str),
    /// It lies here, outside the root of the scan.
    Outside(&'i str),
    /// Another source or version was installed for the call.
    Stale,
    /// The call is not in the list.
    Missing,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    modules: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    key: String,
    source: String,
    version: Option<String>,
    dir: String,
}

impl Installed {
    /// Reads the list of the root module in `root`.
    pub fn read(root: &str, text: &str) -> Result<Installed, serde_json::Error> {
        let list: List = serde_json::from_str(text)?;
        let entry = |row: Row| {
            let folder = folder_below(root, &row.dir).ok_or(row.dir);
            (row.key, Entry { source: row.source, version: row.version, folder })
        };
        Ok(Installed { entries: list.modules.into_iter().map(entry).collect() })
    }

    /// Every folder that the list names and that lies below the root of the scan.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.entries.values().filter_map(|entry| entry.folder.as_deref().ok())
    }

    /// Where the code of a call lies, given the `source` and `version` that it has now.
    pub fn find(&self, key: &str, source: &str, version: Option<&str>) -> Found<'_> {
        let Some(entry) = self.entries.get(key) else { return Found::Missing };
        let is_current = plain_source(&entry.source) == plain_source(source)
            && match (&entry.version, version) {
                (Some(installed), Some(wanted)) => satisfies(installed, wanted),
                _ => true,
            };
        match &entry.folder {
            _ if !is_current => Found::Stale,
            Ok(folder) => Found::At(folder),
            Err(dir) => Found::Outside(dir),
        }
    }
}

/// The files that make modules, and what is installed for each root module. Of installed code only the folders of called
/// modules count, not the examples and tests that came with them.
pub fn used(
    sources: &Sources,
    files: &[FileId],
    problems: &mut Vec<Problem>,
) -> (Vec<FileId>, FxHashMap<String, Installed>) {
    let mut lists = FxHashMap::default();
    for id in files {
        let source = sources.get(*id);
        let Some(root) = root_of_list(source.path()) else { continue };
        match Installed::read(root, source.text()) {
            Ok(installed) => {
                lists.insert(root.to_string(), installed);
            }
            Err(error) => {
                let message = format!("is not a list of installed modules: {error}");
                let problem = Problem::with_path(ProblemKind::Syntax, source.path(), message);
                problems.push(problem.help("run `terraform init` again, or remove the file"));
            }
        }
    }
    let folders: FxHashSet<&str> = lists.values().flat_map(Installed::folders).collect();
    // Where nothing else is there, the installed code itself was asked for.
    let is_asked_for = files.iter().all(|id| is_installed(sources.get(*id).path()));
    let counts = |id: &&FileId| {
        let source = sources.get(**id);
        root_of_list(source.path()).is_none()
            && (is_asked_for || !is_installed(source.path()) || folders.contains(folder(source.path())))
    };
    let used: Vec<FileId> = files.iter().filter(counts).copied().collect();
    (used, lists)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// A source without what `terraform init` adds to it: the public registry's host, `git::https://` and `.git` for GitHub.
fn plain_source(source: &str) -> String {
    let mut text = source.trim();
    let prefixes = ["git::", "https://", "ssh://", "git@", "registry.terraform.io/", "registry.opentofu.org/"];
    for prefix in prefixes {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    // `git@github.com:acme/network.git` is an address with a colon for the first slash.
    let path = path.replacen(':', "/", 1).replacen(".git//", "//", 1);
    format!("{}?{query}", path.strip_suffix(".git").unwrap_or(&path))
}

/// Whether a version meets constraints such as `~> 5.1, != 5.1.3`. Those that can't be read are met: they say nothing.
pub(super) fn satisfies(version: &str, constraints: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        let text = text.trim().trim_start_matches('v');
        text.split(['-', '+']).next()?.split('.').map(|part| part.parse().ok()).collect()
    };
    let Some(version) = numbers(version) else { return true };
    constraints.split(',').all(|constraint| {
        let constraint = constraint.trim();
        let operator = constraint.trim_end_matches(|char: char| !"=!<>~".contains(char));
        let Some(wanted) = numbers(&constraint[operator.len()..]) else { return true };
        let full = |numbers: &[u64]| -> Vec<u64> { (0..3).map(|at| numbers.get(at).copied().unwrap_or(0)).collect() };
        let (has, wants) = (full(&version), full(&wanted));
        match operator {
            "!=" => has != wants,
            ">" => has > wants,
            ">=" => has >= wants,
            "<" => has < wants,
            "<=" => has <= wants,
            // All but the last part that is written must be the same.
            "~>" => has >= wants && has[..wanted.len().clamp(1, 3) - 1] == wants[..wanted.len().clamp(1, 3) - 1],
            _ => has == wants,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_list_is_the_folder_above_terraforms_own() {
        assert_eq!(root_of_list(".terraform/modules/modules.json"), Some("."));
        assert_eq!(root_of_list("envs/prod/.terraform/modules/modules.json"), Some("envs/prod"));
        assert_eq!(root_of_list("src/modules/modules.json"), None);
        assert_eq!(root_of_list("x.terraform/modules/modules.json"), None);
    }

    #[test]
    fn sources_are_compared_as_init_writes_them() {
        let same = [
            ("registry.terraform.io/acme/vpc/aws//modules/nat", "acme/vpc/aws//modules/nat"),
            ("git::https://github.com/acme/network.git?ref=v1.2", "github.com/acme/network?ref=v1.2"),
            ("git::ssh://git@github.com/acme/network.git", "git@github.com:acme/network.git"),
            ("git::https://github.com/acme/network.git//nat", "github.com/acme/network//nat"),
        ];
        for (installed, written) in same {
            assert_eq!(plain_source(installed), plain_source(written));
        }
        assert_ne!(plain_source("github.com/acme/network?ref=v1"), plain_source("github.com/acme/network?ref=v2"));
        assert_ne!(plain_source("acme/vpc/aws"), plain_source("acme/vpc/aws//modules/nat"));
    }

    #[test]
    fn versions_meet_their_constraints() {
        for constraint in ["5.1.2", "= 5.1.2", "~> 5.0", "~> 5.1.0", ">= 4.0, < 6.0", "!= 5.1.3", "whatever", "> 5.1"] {
            assert!(satisfies("5.1.2", constraint), "{constraint}");
        }
        for constraint in ["5.1.3", "~> 5.2", "~> 5.0.0", "~> 4.9", "< 5.1.2", ">= 4.0, < 5.0", "!= 5.1.2"] {
            assert!(!satisfies("5.1.2", constraint), "{constraint}");
        }
    }

    #[test]
    fn a_folder_outside_the_scan_is_told_and_an_old_entry_is_not_used() {
        let list = r#"{"Modules":[
            {"Key":"","Source":"","Dir":"."},
            {"Key":"vpc","Source":"registry.terraform.io/acme/vpc/aws","Version":"5.1.2","Dir":".terraform/modules/vpc"},
            {"Key":"far","Source":"registry.terraform.io/acme/far/aws","Version":"1.0.0","Dir":"../../../far"}
        ]}"#;
        let installed = Installed::read("envs/prod", list).expect("a list");
        assert_eq!(installed.find("vpc", "acme/vpc/aws", None), Found::At("envs/prod/.terraform/modules/vpc"));
        assert_eq!(installed.find("vpc", "acme/vpc/aws", Some("~> 6.0")), Found::Stale);
        assert_eq!(installed.find("vpc", "acme/other/aws", None), Found::Stale);
        assert_eq!(installed.find("far", "acme/far/aws", None), Found::Outside("../../../far"));
        assert_eq!(installed.find("none", "acme/none/aws", None), Found::Missing);
        assert!(Installed::read(".", "[]").is_err());
    }
}
