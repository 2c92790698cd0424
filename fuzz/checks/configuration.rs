//! What users write for gate: `gate.yaml`, rules in YAML, baselines; and hadolint's configuration.

use std::path::{Path, PathBuf};

use gate::baseline::Baseline;
use gate::config::{self, Config};
use gate::rules::Catalog;
use gate::scan;

use super::judged::{self, Rules};
use super::tree::{ROOT, Tree};

/// Files named `gate.yaml`, `.hadolint.yaml`, `rules.yaml`, `baseline.json`. Each is used or refused with a place in its text;
/// what is used scans a small tree to its end.
pub fn files(input: &[u8]) {
    let tree = Tree::of(input, "gate.yaml");
    let named = |wanted: &str| {
        let found = tree.files().find(|(path, _)| *path == wanted);
        found.and_then(|(_, text)| std::str::from_utf8(text).ok())
    };
    let mut config = match config::load(&tree, Path::new(ROOT), None) {
        Ok(config) => config,
        Err(error) => {
            refused(error);
            Config::default()
        }
    };
    let mut catalog = Catalog::built_in();
    if let Some(text) = named("rules.yaml")
        && let Err(mistakes) = catalog.add("rules.yaml", text)
    {
        let lines = text.split('\n').count();
        assert!(!mistakes.is_empty(), "refused without a reason");
        for mistake in mistakes {
            assert!((1..=lines).contains(&mistake.line), "line {} of {lines}: {}", mistake.line, mistake.message);
            assert!(!mistake.message.is_empty(), "refused without a reason");
        }
    }
    let baseline = named("baseline.json").and_then(|text| Baseline::parse("baseline.json", text).ok());
    if let Err(error) = config.check(&catalog) {
        refused(error);
        config = Config::default();
    }
    config.adopt_hadolint(&catalog);
    let selection = config.selection(&[], &[]);
    let selected = catalog.select(&selection).unwrap_or_default();
    let mut rules = Rules { catalog, selected };
    rules.selected.retain(|rule| !matches!(rules.catalog.rules()[*rule].check, gate::rules::Check::Rego(_)));
    let small = Tree::of(include_bytes!("sarif.txt"), "main.tf");
    let mut discovered = judged::discover(&small);
    discovered.root = PathBuf::from(ROOT);
    let request = scan::Request { baseline, ..judged::request(&small, &rules, config) };
    let report = scan::scan(&request, &discovered).expect("no commit is compared");
    judged::check_nothing_broke(report.problems.iter());
    judged::check_findings(&discovered.sources, &report.findings);
    if judged::share(input) < 2 {
        judged::check_report(&report);
    }
}

/// A refusal can be shown to the user.
fn refused(error: config::Error) {
    if let config::Error::Invalid { at, text, line, .. } = &error {
        let length = text.inner().len();
        assert!(at.offset() + at.len() <= length, "the place lies outside of the file");
        assert!(*line >= 1 && *line as usize <= text.inner().split('\n').count(), "line {line}");
    }
    let shown = format!("{:?}", miette::Report::new(error));
    assert!(!shown.is_empty());
}
