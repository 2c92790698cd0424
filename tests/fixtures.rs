//! The reference systems: `broken` yields exactly the findings that its `# expect:` comments name, `kept` none that fails.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn scan(folder: &Path) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_gate"))
        .args(["scan", "--format", "json"])
        .arg(folder)
        .output()
        .expect("gate starts");
    let report = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    (output.status.code().expect("gate exits"), report)
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

/// `path:line rule` of every expectation below a folder.
fn expected(root: &Path, folder: &Path, out: &mut BTreeSet<String>) {
    for entry in folder.read_dir().expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            expected(root, &path, out);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let name = path.strip_prefix(root).expect("below the root").display().to_string();
        for (index, line) in text.lines().enumerate() {
            let (line_number, rules) = if let Some((_, rules)) = line.split_once("# expect-below: ") {
                (index + 2, rules)
            } else if let Some((_, rules)) = line.split_once("# expect: ") {
                (index + 1, rules)
            } else {
                continue;
            };
            out.extend(rules.split(", ").map(|rule| format!("{name}:{line_number} {rule}")));
        }
    }
}

#[test]
fn a_broken_system_yields_exactly_the_expected_findings() {
    for system in systems() {
        let folder = system.join("broken");
        let mut wanted = BTreeSet::new();
        expected(&folder, &folder, &mut wanted);
        let (code, report) = scan(&folder);
        let found: BTreeSet<String> = report["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|one| {
                let at = &one["at"];
                format!(
                    "{}:{} {}",
                    at["path"].as_str().expect("a path"),
                    at["line"],
                    one["rule"].as_str().expect("a rule")
                )
            })
            .collect();
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
        let failing: Vec<&Value> =
            report["findings"].as_array().expect("findings").iter().filter(|one| one["severity"] != "low").collect();
        assert!(failing.is_empty(), "{}: {failing:#?}", folder.display());
        assert_eq!(code, 0, "{}: {:#}", folder.display(), report["problems"]);
    }
}
