//! Changes as pull requests make them, in a git repository of their own.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::git::git;
use super::report::{list, text};
use super::run::{code, gate, scanned};

/// A repository with a branch `main`, and another that is checked out for the change.
pub struct Change(TempDir);

impl Change {
    /// The base.
    pub fn from(files: &[(&str, &str)]) -> Change {
        let change = Change(super::tree(files));
        change.git(&["init", "--quiet", "--initial-branch=main"]);
        change.commit();
        change.git(&["checkout", "--quiet", "-b", "change"]);
        change
    }

    pub fn git(&self, arguments: &[&str]) {
        git(self.path(), arguments);
    }

    pub fn commit(&self) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "a change"]);
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(self, path: &str, text: &str) -> Change {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub fn remove(self, path: &str) -> Change {
        std::fs::remove_file(self.path().join(path)).unwrap();
        self
    }

    /// Commits the head and judges it.
    pub fn judged(&self, more: &[&str]) -> Judged {
        self.commit();
        self.judged_as_it_is(more)
    }

    pub fn judged_as_it_is(&self, more: &[&str]) -> Judged {
        let (code, report) = scanned(self.path(), &[&[".", "--base", "main"], more].concat());
        Judged { code, report }
    }

    /// Commits the head, and finds that gate tells nothing of it but why, in these words.
    pub fn assert_refused(&self, words: &[&str]) {
        self.assert_refused_with("main", words);
    }

    /// The same with another base.
    pub fn assert_refused_with(&self, base: &str, words: &[&str]) {
        self.commit();
        let output = gate(self.path(), &["scan", ".", "--base", base]);
        // Lines are broken where they are long.
        let said = String::from_utf8_lossy(&output.stderr).replace('│', " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code(&output), 2, "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
}

/// What gate says of a change.
pub struct Judged {
    pub code: i32,
    pub report: Value,
}

impl Judged {
    /// The findings of a status, as `rule address`.
    pub fn of(&self, status: &str) -> Vec<String> {
        let findings = list(&self.report, "findings").iter();
        let mut named: Vec<String> = findings
            .filter(|one| one["status"] == status)
            .map(|one| format!("{} {}", one["rule"].as_str().unwrap(), one["address"].as_str().unwrap()))
            .collect();
        named.sort();
        named
    }

    pub fn fixed(&self) -> Vec<&str> {
        list(&self.report["comparison"], "fixed").iter().map(|one| one["rule"].as_str().unwrap()).collect()
    }

    /// What the change proposes, as `path: message`.
    pub fn proposed(&self) -> Vec<String> {
        let proposed = list(&self.report["comparison"], "proposed").iter();
        proposed.map(|one| format!("{}: {}", text(&one["path"]), text(&one["message"]))).collect()
    }

    /// Nothing is new, and nothing is taken for mended.
    pub fn assert_unchanged(&self, what: &str) {
        assert_eq!((self.of("new"), self.of("worse"), self.fixed()), (vec![], vec![], vec![]), "{what}");
        assert!(!self.of("old").is_empty(), "{what}");
        assert_eq!(self.code, 0, "{what}");
    }
}
