//! The baseline: findings of today are accepted, and what comes later is not.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::report::list;
use support::run::{gate, scanned};

const DATABASE: &str = "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = true\n}\n";

/// The exit code, and how many findings are new, old and gone.
fn judged(folder: &Path, more: &[&str]) -> (i32, usize, usize, usize) {
    let (code, report) = scanned(folder, &[&[".", "--baseline", ".gate-baseline.json"], more].concat());
    let count = |status: &str| list(&report, "findings").iter().filter(|finding| finding["status"] == status).count();
    (code, count("new"), count("old"), list(&report["comparison"], "fixed").len())
}

/// A folder whose findings are accepted, and how many they are.
fn accepted(files: &[(&str, &str)]) -> (tempfile::TempDir, usize) {
    let folder = support::tree(files);
    let written = gate(folder.path(), &["baseline", "write"]);
    assert_eq!(written.status.code(), Some(0), "{}", String::from_utf8_lossy(&written.stderr));
    let text = std::fs::read_to_string(folder.path().join(".gate-baseline.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    (folder, entries.len())
}

#[test]
fn what_is_accepted_does_not_close_the_gate_and_what_is_added_does() {
    let (folder, count) = accepted(&[("db.tf", DATABASE)]);
    assert!(count > 1);
    assert_eq!(judged(folder.path(), &[]), (0, 0, count, 0));
    let second = format!("# a line above\n{DATABASE}{}", DATABASE.replace("main", "second"));
    std::fs::write(folder.path().join("db.tf"), second).unwrap();
    assert_eq!(judged(folder.path(), &[]), (1, count, count, 0));
}

#[test]
fn a_line_of_the_file_is_one_entry_in_order_and_without_places() {
    let (folder, count) = accepted(&[("b.tf", DATABASE), ("a.tf", &DATABASE.replace("main", "other"))]);
    let text = std::fs::read_to_string(folder.path().join(".gate-baseline.json")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[lines.len() - 1], lines.len()), ("[", "]", count + 2));
    let entries = &lines[1..=count];
    assert!(entries.is_sorted() && entries[0].starts_with("{\"path\":\"a.tf\",\"at\":\"aws_db_instance.other"));
    gate(folder.path(), &["baseline", "write"]);
    assert_eq!(std::fs::read_to_string(folder.path().join(".gate-baseline.json")).unwrap(), text);
}

#[test]
fn a_renamed_file_stays_accepted_and_a_mended_finding_is_told() {
    let (folder, count) = accepted(&[("db.tf", DATABASE)]);
    std::fs::rename(folder.path().join("db.tf"), folder.path().join("database.tf")).unwrap();
    assert_eq!(judged(folder.path(), &[]), (0, 0, count, 0));
    std::fs::write(folder.path().join("database.tf"), DATABASE.replace("= true", "= false")).unwrap();
    assert_eq!(judged(folder.path(), &[]), (0, 0, count - 1, 1));
}

#[test]
fn the_configuration_may_name_the_file_and_a_wrong_one_decides_nothing() {
    let (folder, count) = accepted(&[("db.tf", DATABASE)]);
    std::fs::write(folder.path().join("gate.yaml"), "baseline: .gate-baseline.json\n").unwrap();
    let (code, report) = scanned(folder.path(), &["."]);
    assert_eq!((code, list(&report, "findings").len()), (0, count));
    std::fs::write(folder.path().join(".gate-baseline.json"), "{}").unwrap();
    assert_eq!(gate(folder.path(), &["scan", "."]).status.code(), Some(2));
    assert_eq!(gate(folder.path(), &["scan", ".", "--baseline", "nothing.json"]).status.code(), Some(2));
}

#[test]
fn the_file_that_the_configuration_names_is_the_one_that_is_written() {
    let folder = support::tree(&[("db.tf", DATABASE), ("gate.yaml", "baseline: accepted/today.json\n")]);
    std::fs::create_dir(folder.path().join("accepted")).unwrap();
    let missing = gate(folder.path(), &["scan", "."]);
    let words = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(missing.status.code(), Some(2));
    assert!(words.contains("accepted/today.json") && words.contains("gate baseline write"), "{words}");
    let written = gate(folder.path(), &["baseline", "write"]);
    assert_eq!(written.status.code(), Some(0), "{}", String::from_utf8_lossy(&written.stderr));
    assert!(String::from_utf8_lossy(&written.stdout).starts_with("accepted/today.json: "));
    assert!(!folder.path().join(".gate-baseline.json").exists());
    // What is accepted is written again, and a broken file is no hindrance.
    let text = std::fs::read_to_string(folder.path().join("accepted/today.json")).unwrap();
    for before in [text.as_str(), "{"] {
        std::fs::write(folder.path().join("accepted/today.json"), before).unwrap();
        assert_eq!(gate(folder.path(), &["baseline", "write"]).status.code(), Some(0));
        assert_eq!(std::fs::read_to_string(folder.path().join("accepted/today.json")).unwrap(), text);
    }
    // A report is the same on every machine.
    let (code, report) = scanned(folder.path(), &["."]);
    assert_eq!(report["comparison"]["against"], "the baseline accepted/today.json");
    assert_eq!(code, 0);
    gate(folder.path(), &["baseline", "write", "--output", "other.json"]);
    assert!(folder.path().join("other.json").exists());
}
