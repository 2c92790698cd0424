//! Results of other tools, as SARIF.

use std::sync::LazyLock;

use gate::config::Config;
use gate::discover::{self, Walk};
use gate::frontend::FRONTENDS;
use gate::import;
use gate::rules::Catalog;
use gate::scan;
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

/// A file that a tool wrote. What is no SARIF is told; no finding of gate's own goes; a report can be written of the rest.
pub fn import(input: &[u8]) {
    let mut catalog = Catalog::built_in();
    let mut imports = import::read_bytes("results.sarif", input, &mut catalog);
    if serde_json::from_slice::<serde::de::IgnoredAny>(input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input)).is_err() {
        assert!(imports.problems.iter().any(|problem| problem.kind.closes()), "no JSON, and nothing is told");
    }
    let paths = [FOLDER.path().canonicalize().expect("the folder is there")];
    let discover = || discover::discover(&Walk::new(&paths), FRONTENDS).expect("the folder is there");
    let mut discovered = discover();
    imports.place(&mut discovered, &paths, &Config::default().exclude);
    let imported = std::mem::take(&mut imports.problems);
    imports.problems = imported.clone();
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
    let own = scan::scan(&judged::request(&tree, &judged::RULES, Config::default()), &discovered);
    for wanted in &own.expect("nothing is compared").findings {
        let is_there = report.findings.iter().any(|one| {
            (&one.rule, one.at, &one.address, &one.message)
                == (&wanted.rule, wanted.at, &wanted.address, &wanted.message)
        });
        assert!(is_there, "an import takes away {} at {:?}", wanted.rule, wanted.at);
    }
    if judged::share(input) < 3 {
        judged::check_report(&report);
    }
}
