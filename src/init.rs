//! `gate init`: a configuration, a hook and a workflow for a repository; never over a file that is there.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use crate::config::NAMES;

/// What could not be written.
#[derive(Debug, Error, Diagnostic)]
#[error("{path}: {reason}")]
#[diagnostic(help("name a folder that you may write to"))]
pub struct Error {
    /// The file or folder.
    path: String,
    /// Why.
    reason: String,
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

# Files and folders that are not scanned. A pattern without / means a name at any depth.
# exclude: [examples/**, '*.gen.tf']

# Rules of your own, YAML or Rego.
# policies: [policy]

# Which rules run: ids, ids of other tools, packs, prefixes. `gate rules` lists them.
# select: [default, pss-restricted]
# ignore-rules: [CKV_AWS_18]

# Single rules.
# rules:
#   aws-rds-public-access: { severity: critical, ignorable: false }

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

const WORKFLOW: &str = r#"name: gate

on:
  pull_request:
  push:
    branches: [main]

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
    Offer { path: NAMES[0], others: &[NAMES[1]], below: "", text: CONFIG },
    Offer {
        path: ".pre-commit-config.yaml",
        others: &[".pre-commit-config.yml", "prek.toml"],
        below: "repos:\n",
        text: HOOK,
    },
    Offer { path: ".github/workflows/gate.yml", others: &[".github/workflows/gate.yaml"], below: "", text: WORKFLOW },
];

/// Writes what `folder` lacks and tells on `out` what was done and what is left to add by hand.
pub fn init(folder: &Path, out: &mut dyn Write) -> Result<(), Error> {
    let failed = |path: &str| {
        let path = path.to_string();
        move |error: io::Error| Error { path, reason: crate::discover::io_reason(&error) }
    };
    let root = folder.canonicalize().map_err(failed(&folder.display().to_string()))?;
    let there = |offer: &Offer| {
        let mut names = std::iter::once(offer.path).chain(offer.others.iter().copied());
        names.find(|name| root.join(name).symlink_metadata().is_ok())
    };
    for offer in OFFERS.iter().filter(|offer| there(offer).is_none()) {
        if crate::write::link_out(&root.join(offer.path), &root).map_err(failed(offer.path))?.is_some() {
            return Err(failed(offer.path)(io::Error::other("a link leads out of the repository")));
        }
    }
    for offer in OFFERS {
        let told = match there(offer) {
            Some(name) => kept(name, offer),
            None => match write(&root, offer) {
                Ok(()) => format!("wrote {}\n", offer.path),
                // Somebody was faster.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => kept(offer.path, offer),
                Err(error) => return Err(failed(offer.path)(error)),
            },
        };
        out.write_all(told.as_bytes()).map_err(failed("output"))?;
    }
    Ok(())
}

fn kept(name: &str, offer: &Offer) -> String {
    match offer.below.trim_end() {
        "" => format!("kept {name}: it is there already\n"),
        below => format!("kept {name}: it is there already; add below `{below}`\n\n{}\n", offer.text),
    }
}

fn write(root: &Path, offer: &Offer) -> io::Result<()> {
    let path = root.join(offer.path);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let text = [offer.below, offer.text].concat();
    OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn run(folder: &Path) -> String {
        let mut out = Vec::new();
        init(folder, &mut out).expect("the folder is writable");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn all_files_are_written_once() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let told = run(folder.path());
        assert_eq!(told, "wrote gate.yaml\nwrote .pre-commit-config.yaml\nwrote .github/workflows/gate.yml\n");
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
        assert!(init(&folder.path().join("nowhere"), &mut Vec::new()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_written_through() {
        let (folder, outside) =
            (tempfile::TempDir::new().expect("a folder"), tempfile::TempDir::new().expect("a folder"));
        std::os::unix::fs::symlink(outside.path().join("gate.yaml"), folder.path().join("gate.yaml")).expect("linked");
        std::os::unix::fs::symlink(outside.path(), folder.path().join(".github")).expect("linked");
        let error = init(folder.path(), &mut Vec::new()).expect_err("the workflow would lie outside");
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
