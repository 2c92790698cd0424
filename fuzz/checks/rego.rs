//! Rego: modules of users, and the input that they are given.

use std::time::{Duration, Instant};

use gate::rules::Catalog;
use gate::rules::rego::{self, Program};

use super::judged::{self, Rules};
use super::tree::Tree;

/// How long a module may run; gate's own budget would keep a fuzzer waiting.
const BUDGET: Duration = Duration::from_millis(500);

/// How much later than its budget an evaluation ends at the latest: a builtin that does not look at the clock is left behind.
const PATIENCE: Duration = Duration::from_secs(6);

/// A policy, its tests, and files for it to judge; without such, a small tree. What does not parse or compile is refused with
/// a line; what runs ends in time, with findings that have places, or a problem.
pub fn policy(input: &[u8]) {
    let given = Tree::of(input, "policy.rego");
    let mut catalog = Catalog::empty();
    let mut modules = Vec::new();
    let mut judged_files = Tree::of(b"", "empty.txt");
    let mut has_files = false;
    for (path, text) in given.files() {
        if !path.ends_with(".rego") {
            judged_files.add(path, text.to_vec());
            has_files = true;
            continue;
        }
        let Ok(text) = std::str::from_utf8(text) else { continue };
        let lines = text.split('\n').count();
        match rego::read(path, text) {
            Ok(module) => modules.push(module),
            Err(mistake) => {
                assert!((1..=lines).contains(&mistake.line), "line {} of {lines}: {}", mistake.line, mistake.message);
            }
        }
        if let Err(mistakes) = catalog.add(path, text) {
            assert!(!mistakes.is_empty(), "refused without a reason");
            for mistake in mistakes {
                assert!((1..=lines).contains(&mistake.line), "line {} of {lines}: {}", mistake.line, mistake.message);
            }
        }
    }
    let began = Instant::now();
    match Program::new(&modules, BUDGET) {
        Err(mistakes) => assert!(!mistakes.is_empty() || modules.is_empty(), "refused without a reason"),
        // What runs too long here would run too long below as well.
        Ok(program) => {
            let rules = modules.iter().flat_map(|module| {
                let names = module.rules.iter();
                names.map(|name| format!("{}.{name}", module.data_path())).collect::<Vec<_>>()
            });
            let answer = program.run(rules.collect(), vec![regorus::Value::new_object()]);
            assert!(began.elapsed() < BUDGET + PATIENCE, "runs past its budget");
            if answer.is_err() {
                return;
            }
        }
    }
    if !has_files {
        judged_files = Tree::of(include_bytes!("sarif.txt"), "main.tf");
    }
    let rules = Rules::of(catalog);
    let scan = judged::scan(&judged_files, &rules);
    let sources = &scan.discovered.sources;
    judged::check_findings(sources, &scan.judged.findings);
    for problem in &scan.judged.problems {
        problem.span.iter().for_each(|span| judged::check_span(sources, *span, &problem.message));
    }
    if judged::share(input) == 0 {
        assert_eq!(judged::outline(&scan), judged::outline(&judged::scan(&judged_files, &rules)));
    }
}
