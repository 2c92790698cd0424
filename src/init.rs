//! `gate init`: a configuration, a hook and a workflow for a repository; never over a file that is there.

mod branch;

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use crate::config::NAMES;
use crate::discover::{io_reason, repository_of};
use crate::escape::plain;
use crate::filesystem::{Disk, FileSystem};

/// Bytes of a file of hooks that are read at most, to tell how its items are indented.
const MAX_HOOKS_BYTES: u64 = 1 << 20;

/// What could not be written.
#[derive(Debug, Error, Diagnostic)]
#[error("{path}: {reason}")]
pub struct Error {
    /// The file or folder.
    path: String,
    /// Why.
    reason: String,
    /// What to do.
    #[help]
    help: &'static str,
}

/// One file that is offered.
struct Offer {
    path: &'static str,
    /// Other names under which it may be there already.
    others: &'static [&'static str],
    /// The line above the text, below which it goes in a file that is there; empty when nothing needs adding to one.
    below: &'static str,
    text: &'static str,
}

const CONFIG: &str = "\
# Configuration of gate. Every key is optional; paths are relative to this file.
version: 1

# Least severity that closes the gate: critical, high, medium, low, never.
fail-on: medium

# What `gate baseline write` accepted: the hook and pushes then close on what is new. Pull requests do without.
# baseline: .gate-baseline.json

# Files and folders that are not scanned. A pattern without / means a name at any depth.
# exclude: [examples/**, '*.gen.tf']

# Rules of your own, YAML or Rego.
# policies: [policy]

# Which rules run: ids, ids of other tools, packs, prefixes. `gate rules` lists them.
# select: [default, pss-restricted]
# ignore-rules: [CKV_AWS_18]

# Single rules.
# rules:
#   aws-rds-publicly-accessible: { severity: critical, ignorable: false }

# Findings that are accepted; for one place a comment does as well: # gate: ignore[rule-id] reason
# ignore:
#   - rule: k8s-host-network
#     paths: [infra/cni/**]
#     reason: the node agent needs it
#     until: 2027-12-31
#     owner: platform

# Syntaxes of other tools whose suppressions act too; all unless set.
# dialects: [checkov, trivy, tfsec, hadolint, kics, kube-linter]
";

const HOOK: &str = r"  - repo: local
    hooks:
      - id: gate
        name: gate
        entry: gate scan --force-exclude --color never --no-progress
        args: [--] # options come before it, names of files behind it
        language: system
        require_serial: true
        types: [text] # secrets lie in files of any name
        exclude: (^|/)(\.terraform|\.terragrunt-cache|\.venv|node_modules)/
";

/// `BRANCH` stands for the branch that changes go to.
const WORKFLOW: &str = r#"name: gate

on:
  pull_request:
  push:
    branches: [BRANCH]

permissions:
  contents: read

concurrency:
  group: gate-${{ github.ref }}
  cancel-in-progress: true

jobs:
  gate:
    name: gate
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          persist-credentials: false
          # The merge of a pull request with its parents: the first is what the change is held against.
          fetch-depth: 2
      # The runner needs the gate binary on its PATH; install the version that your team has agreed on before this step.
      - run: gate scan ${BASE:+"--base=$BASE"} --format text --format github --format "markdown=$GITHUB_STEP_SUMMARY"
        env:
          BASE: ${{ github.event_name == 'pull_request' && 'HEAD^1' || '' }}
"#;

const OFFERS: &[Offer] = &[
    Offer { path: NAMES[0], others: &[NAMES[1], NAMES[2], NAMES[3]], below: "", text: CONFIG },
    Offer {
        path: ".pre-commit-config.yaml",
        others: &[".pre-commit-config.yml", "prek.toml"],
        below: "repos:\n",
        text: HOOK,
    },
    Offer { path: ".github/workflows/gate.yml", others: &[".github/workflows/gate.yaml"], below: "", text: WORKFLOW },
];

/// What is told to whoever begins.
const NEXT: &str = "
`gate scan` tells what there is. Pull requests close on what they bring alone.
So that the hook and pushes do not close on what is there today, accept it:
`gate baseline write`, and `baseline: .gate-baseline.json` in gate.yaml.
";

/// Writes what the repository of `folder` lacks, or the folder where there is none, and gives what was done and what is left to add
/// by hand. All lies at the top, where git hosts, hooks and a scan of the whole look for it. Either all is written or nothing.
pub fn init(folder: &Path) -> Result<String, Error> {
    let named = plain(&folder.display().to_string()).into_owned();
    let root = folder.canonicalize().map_err(|error| refusal(&named, io_reason(&error)))?;
    if !root.is_dir() {
        return Err(refusal(&named, "is a file and no folder"));
    }
    let top = repository_of(&root).unwrap_or(&root);
    let mut there = Vec::with_capacity(OFFERS.len());
    for offer in OFFERS {
        there.push(offer.found(top)?);
    }
    let mut told = match top == root {
        true => String::new(),
        false => format!("in {}, the top of the repository:\n", plain(&top.display().to_string())),
    };
    let mut written: Vec<PathBuf> = Vec::new();
    for (offer, there) in OFFERS.iter().zip(there) {
        if let Some(name) = there {
            told.push_str(&offer.kept(name, top));
            continue;
        }
        match write(top, offer) {
            Ok(path) => {
                told.push_str(&format!("wrote {}\n", offer.path));
                written.push(path);
            }
            // Somebody was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => told.push_str(&offer.kept(offer.path, top)),
            Err(error) => {
                // That one of them can't go again is no more than what this is about.
                written.iter().for_each(|path| _ = std::fs::remove_file(path));
                return Err(refusal(offer.path, unwritten(&error)));
            }
        }
    }
    if written.first().is_some_and(|path| path.ends_with(OFFERS[0].path)) {
        told.push_str(NEXT);
    }
    Ok(told)
}

impl Offer {
    /// The name under which it is there already; fails where something else has its place, or a link leads out of the repository.
    fn found(&self, top: &Path) -> Result<Option<&'static str>, Error> {
        for name in std::iter::once(&self.path).chain(self.others) {
            match top.join(name).symlink_metadata() {
                Ok(there) if there.is_dir() => {
                    return Err(refusal(name, "is a folder, and a file is to have its name"));
                }
                Ok(_) => return Ok(Some(name)),
                Err(_) => {}
            }
        }
        let path = top.join(self.path);
        let link = crate::write::link_out(&path, top).map_err(|error| refusal(self.path, io_reason(&error)))?;
        if link.is_some() {
            return Err(refusal(self.path, "a link leads out of the repository"));
        }
        let above = path.ancestors().skip(1).find(|above| above.exists()).unwrap_or(top);
        if !above.is_dir() {
            let above = above.strip_prefix(top).unwrap_or(above).display();
            return Err(refusal(self.path, format!("{above} is a file, and a folder is to have its name")));
        }
        Ok(None)
    }

    /// What is told of a file that is there under this name.
    fn kept(&self, name: &str, top: &Path) -> String {
        let there = format!("kept {name}: it is there already");
        if self.below.is_empty() {
            return format!("{there}\n");
        }
        let text = Disk.text(&top.join(name), MAX_HOOKS_BYTES).unwrap_or_default();
        let mut lines = text.lines().skip_while(|line| !line.starts_with(self.below.trim_end()));
        let first = lines.next().map(|line| line.split(" #").next().unwrap_or_default().trim_end());
        let item = lines.find(|line| line.trim_start().starts_with('-'));
        let below = self.below.trim_end();
        match first {
            _ if name.ends_with(".toml") => format!("{there}; add this hook, in its own syntax\n\n{}\n", self.text),
            Some(first) if first != below => {
                format!("{there}; put this in place of `{first}`\n\n{}{}\n", self.below, self.text)
            }
            Some(_) => {
                let indent = item.map_or(ITEM_INDENT, |line| line.len() - line.trim_start().len());
                format!("{there}; add below `{below}`\n\n{}\n", indented(self.text, indent))
            }
            None => format!("{there}; add\n\n{}{}\n", self.below, self.text),
        }
    }
}

/// Blanks before the item of a list that an offer adds.
const ITEM_INDENT: usize = 2;

/// The item of a list with so many blanks before it.
fn indented(item: &str, blanks: usize) -> String {
    let lines = item.split_inclusive('\n').map(|line| line.get(ITEM_INDENT..).unwrap_or(line));
    lines.map(|line| format!("{}{line}", " ".repeat(blanks))).collect()
}

/// What keeps a file from being written.
fn unwritten(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "no permission to write it".into(),
        _ => io_reason(error),
    }
}

fn refusal(path: &str, reason: impl Into<String>) -> Error {
    let (path, reason) = (path.to_string(), reason.into());
    Error { path, reason, help: "name a folder that you may write to, or move what is in the way; nothing was written" }
}

/// Writes an offer below `top`, with the folders above it, and gives its path.
fn write(top: &Path, offer: &Offer) -> io::Result<PathBuf> {
    let path = top.join(offer.path);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let text = [offer.below, offer.text].concat().replace("BRANCH", &branch::quoted(&branch::default_branch(top)));
    OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(text.as_bytes())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::rules::Catalog;

    fn run(folder: &Path) -> String {
        init(folder).expect("the folder is writable")
    }

    #[test]
    fn all_files_are_written_once() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let told = run(folder.path());
        let wrote = "wrote gate.yaml\nwrote .pre-commit-config.yaml\nwrote .github/workflows/gate.yml\n";
        assert!(told.strip_prefix(wrote).is_some_and(|next| next.contains(crate::baseline::NAME)), "{told}");
        let told = run(folder.path());
        assert!(told.starts_with("kept gate.yaml: it is there already\nkept .pre-commit-config.yaml"), "{told}");
        assert!(told.contains("entry: gate scan --force-exclude"), "{told}");
    }

    #[test]
    fn a_file_that_is_there_stays_as_it_is() {
        let folder = tempfile::TempDir::new().expect("a folder");
        std::fs::write(folder.path().join(".gate.yaml"), "fail-on: low\n").expect("written");
        std::fs::write(folder.path().join(".pre-commit-config.yaml"), "repos: []\n").expect("written");
        let told = run(folder.path());
        assert!(told.starts_with("kept .gate.yaml"), "{told}");
        assert!(!folder.path().join("gate.yaml").exists(), "two configurations would be an error");
        let hooks = std::fs::read_to_string(folder.path().join(".pre-commit-config.yaml")).expect("read");
        assert_eq!(hooks, "repos: []\n");
        assert!(init(&folder.path().join("nowhere")).is_err());
    }

    #[test]
    fn all_lies_where_git_hosts_hooks_and_a_scan_of_the_whole_look_for_it() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let team = folder.path().join("team/infra");
        std::fs::create_dir_all(&team).expect("made");
        std::fs::create_dir(folder.path().join(".git")).expect("made");
        std::fs::write(folder.path().join(".git/HEAD"), "ref: refs/heads/trunk\n").expect("written");
        let told = run(&team);
        assert!(told.starts_with("in /") && told.contains("the top of the repository:\nwrote gate.yaml\n"), "{told}");
        assert_eq!(team.read_dir().expect("listed").count(), 0);
        let workflow = std::fs::read_to_string(folder.path().join(".github/workflows/gate.yml")).expect("written");
        assert!(workflow.contains("branches: ['trunk']"), "{workflow}");
    }

    #[test]
    fn a_hook_to_add_fits_the_file_that_is_there() {
        let hook = |blanks: usize| format!("\n\n{0}- repo: local\n{0}  hooks:\n", " ".repeat(blanks));
        for (text, wanted) in [
            ("repos:\n- repo: local\n", format!("add below `repos:`{}", hook(0))),
            ("repos: # ours\n  # one\n    - repo: local\n", format!("add below `repos:`{}", hook(4))),
            ("repos: []\n", "put this in place of `repos: []`\n\nrepos:\n  - repo: local\n".into()),
            ("exclude: x\n", "add\n\nrepos:\n  - repo: local\n".into()),
        ] {
            let folder = tempfile::TempDir::new().expect("a folder");
            std::fs::write(folder.path().join(".pre-commit-config.yaml"), text).expect("written");
            let told = run(folder.path());
            assert!(told.contains(&wanted), "{text}: {told}");
        }
    }

    #[test]
    fn what_is_in_the_way_is_told_before_anything_is_written() {
        for (path, is_folder, wanted) in [
            (".github", false, ".github/workflows/gate.yml: .github is a file, and a folder is to have its name"),
            ("gate.yaml", true, "gate.yaml: is a folder, and a file is to have its name"),
        ] {
            let folder = tempfile::TempDir::new().expect("a folder");
            match is_folder {
                true => std::fs::create_dir(folder.path().join(path)).expect("made"),
                false => std::fs::write(folder.path().join(path), "").expect("written"),
            }
            assert_eq!(init(folder.path()).expect_err("it is in the way").to_string(), wanted);
            assert_eq!(folder.path().read_dir().expect("listed").count(), 1);
        }
        let denied = io::Error::from(ErrorKind::PermissionDenied);
        assert_eq!(unwritten(&denied), "no permission to write it");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_written_through() {
        let (folder, outside) =
            (tempfile::TempDir::new().expect("a folder"), tempfile::TempDir::new().expect("a folder"));
        std::os::unix::fs::symlink(outside.path().join("gate.yaml"), folder.path().join("gate.yaml")).expect("linked");
        std::os::unix::fs::symlink(outside.path(), folder.path().join(".github")).expect("linked");
        let error = init(folder.path()).expect_err("the workflow would lie outside");
        assert!(error.to_string().ends_with("a link leads out of the repository"), "{error}");
        assert_eq!(outside.path().read_dir().expect("listed").count(), 0, "not even a folder is made");
        assert_eq!(
            folder.path().read_dir().expect("listed").count(),
            2,
            "nothing is written that would have to go again"
        );
    }

    #[test]
    fn what_is_written_is_valid() {
        let here = Path::new("/repo");
        Config::parse("gate.yaml", CONFIG, here, here).expect("the configuration is one");
        // Every example is one when its comment sign is taken away.
        let examples: Vec<&str> = CONFIG
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.starts_with(' ') || rest.split(':').next().is_some_and(is_key) => rest,
                _ => line,
            })
            .collect();
        let config = Config::parse("gate.yaml", &examples.join("\n"), here, here).expect("so are its examples");
        assert_eq!((config.ignore.len(), config.rules.len(), config.select.len()), (1, 1, 2));
        config.check(&Catalog::built_in()).expect("the rules that it names are there");
        let schema: serde_json::Value = serde_json::from_str(include_str!("../docs/gate.schema.json")).expect("JSON");
        let value: serde_json::Value = serde_yaml::from_str(&examples.join("\n")).expect("YAML");
        assert!(jsonschema::is_valid(&schema, &value));
        for offer in OFFERS {
            serde_yaml::from_str::<serde_yaml::Value>(&[offer.below, offer.text].concat()).expect("YAML");
        }
    }

    fn is_key(word: &str) -> bool {
        ["exclude", "policies", "select", "ignore-rules", "rules", "ignore", "dialects"].contains(&word)
    }
}
