//! Changes as pull requests make them, in a git repository of their own.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// A repository with a branch `main`, and another that is checked out for the change.
pub struct Change(TempDir);

impl Change {
    /// The base.
    pub fn from(files: &[(&str, &str)]) -> Change {
        let change = Change(crate::support::tree(files));
        change.git(&["init", "--quiet", "--initial-branch=main"]);
        change.commit();
        change.git(&["checkout", "--quiet", "-b", "change"]);
        change
    }

    pub fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=dev", "-c", "user.email=dev@acme.example", "-c", "commit.gpgsign=false"];
        let output = Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(self.0.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("git is there");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
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
        let output = Command::new(env!("CARGO_BIN_EXE_gate"))
            .args(["scan", ".", "--base", "main", "--format", "json"])
            .args(more)
            .current_dir(self.path())
            .output()
            .unwrap();
        let code = output.status.code().unwrap();
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
        Judged { code, report }
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
        let findings = self.report["findings"].as_array().unwrap().iter();
        let mut named: Vec<String> = findings
            .filter(|one| one["status"] == status)
            .map(|one| format!("{} {}", one["rule"].as_str().unwrap(), one["address"].as_str().unwrap()))
            .collect();
        named.sort();
        named
    }

    pub fn fixed(&self) -> Vec<&str> {
        let fixed = self.report["comparison"]["fixed"].as_array().unwrap();
        fixed.iter().map(|one| one["rule"].as_str().unwrap()).collect()
    }

    /// What the change proposes, as `path: message`.
    pub fn proposed(&self) -> Vec<String> {
        let proposed = self.report["comparison"]["proposed"].as_array().unwrap().iter();
        proposed.map(|one| format!("{}: {}", one["path"].as_str().unwrap(), one["message"].as_str().unwrap())).collect()
    }

    /// Nothing is new, and nothing is taken for mended.
    pub fn assert_unchanged(&self, what: &str) {
        assert_eq!((self.of("new"), self.of("worse"), self.fixed()), (vec![], vec![], vec![]), "{what}");
        assert!(!self.of("old").is_empty(), "{what}");
        assert_eq!(self.code, 0, "{what}");
    }
}
