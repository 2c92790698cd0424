//! The reference systems: `broken` yields exactly the findings that its `# expect:` comments name, `kept` none that fails.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

mod support;

use support::report::{expected, list, places};
use support::run::scanned;

fn scan(folder: &Path) -> (i32, Value) {
    scanned(Path::new("."), &[folder.to_str().expect("UTF-8")])
}

fn systems() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/systems");
    let mut systems: Vec<PathBuf> = folder
        .read_dir()
        .expect("the systems are there")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    systems.sort();
    systems
}

#[test]
fn a_broken_system_yields_exactly_the_expected_findings() {
    for system in systems() {
        let folder = system.join("broken");
        let wanted = expected(&folder);
        let (code, report) = scan(&folder);
        let found: BTreeSet<String> = places(&report).into_iter().collect();
        let missed: Vec<&String> = wanted.difference(&found).collect();
        let unexpected: Vec<&String> = found.difference(&wanted).collect();
        assert!(
            missed.is_empty() && unexpected.is_empty(),
            "{}: missed {missed:#?}, unexpected {unexpected:#?}",
            folder.display()
        );
        assert!(!wanted.is_empty(), "{} expects nothing", folder.display());
        assert_eq!(code, 1, "{}", folder.display());
    }
}

#[test]
fn a_kept_system_passes() {
    for system in systems() {
        let folder = system.join("kept");
        let (code, report) = scan(&folder);
        let failing: Vec<&Value> = list(&report, "findings").iter().filter(|one| one["severity"] != "low").collect();
        assert!(failing.is_empty(), "{}: {failing:#?}", folder.display());
        assert_eq!(code, 0, "{}: {:#}", folder.display(), report["problems"]);
    }
}
