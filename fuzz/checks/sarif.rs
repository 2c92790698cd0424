//! Results of other tools, as SARIF.

use std::path::PathBuf;
use std::sync::LazyLock;

use gate::config::Config;
use gate::discover::{self, Discovered, Walk};
use gate::finding::Finding;
use gate::frontend::FRONTENDS;
use gate::import;
use gate::rules::Catalog;
use gate::scan;
use gate::source::Span;
use tempfile::TempDir;

use super::judged::{self, Rules};
use super::tree::Tree;

/// The files that results speak of. They lie on disk, since files of the tree that nobody has read are read there.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in Tree::of(include_bytes!("sarif.txt"), "main.tf").files() {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
});

/// What gate itself finds in the files.
static OWN: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let discovered = discovered();
    let request = judged::request(&Tree::default(), &judged::RULES, Config::default());
    let report = scan::scan(&request, &discovered).expect("nothing is compared");
    assert!(!report.findings.is_empty());
    report.findings.iter().map(key).collect()
});

/// Rule, place, address and message of a finding.
type Key = (String, Span, String, String);

fn key(finding: &Finding) -> Key {
    (finding.rule.to_string(), finding.at, finding.address.to_string(), finding.message.clone())
}

fn paths() -> [PathBuf; 1] {
    [FOLDER.path().canonicalize().expect("the folder is there")]
}

fn discovered() -> Discovered {
    discover::discover(&Walk::new(&paths()), FRONTENDS).expect("the folder is there")
}

/// A file that a tool wrote. What is no SARIF is told; no finding of gate's own goes; a report can be written of the rest.
pub fn import(input: &[u8]) {
    let mut catalog = Catalog::built_in();
    let mut imports = import::read_bytes("results.sarif", input, &mut catalog);
    if serde_json::from_slice::<serde::de::IgnoredAny>(input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input)).is_err() {
        assert!(imports.problems.iter().any(|problem| problem.kind.closes()), "no JSON, and nothing is told");
    }
    let mut discovered = discovered();
    imports.place(&mut discovered, &paths(), &Config::default().exclude);
    let imported = imports.problems.clone();
    let rules = Rules { selected: judged::RULES.selected.clone(), catalog };
    let tree = Tree::default();
    let request = scan::Request { imports, ..judged::request(&tree, &rules, Config::default()) };
    let report = scan::scan(&request, &discovered).expect("nothing is compared");
    judged::check_nothing_broke(report.problems.iter());
    judged::check_findings(&discovered.sources, &report.findings);
    for finding in report.findings.iter().chain(report.suppressed.iter().map(|one| &one.finding)) {
        assert!(rules.catalog.find(&finding.rule).is_some(), "the catalog has no rule {}", finding.rule);
    }
    for problem in &imported {
        assert!(report.problems.contains(problem), "the report does not tell: {}", problem.message);
    }
    for wanted in &*OWN {
        let is_there = report.findings.iter().any(|one| key(one) == *wanted);
        assert!(is_there, "an import takes away {wanted:?}");
    }
    if judged::share(input) < 3 {
        judged::check_report(&report);
    }
}
