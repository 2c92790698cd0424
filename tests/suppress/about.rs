//! What is wrong with a suppression is a finding of its own.

use std::path::Path;

use serde_json::Value;

use crate::support::report::list;
use crate::support::run::{answered, scanned};
use crate::support::tree;

const DATABASE: &str = "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = true\n}\n";
const PUBLIC: &str = "aws-rds-publicly-accessible";
const ALL: &str = "aws-rds-publicly-accessible,gate";

fn database(said: &str) -> String {
    DATABASE.replace("= true", &format!("= true # gate: {said}"))
}

/// The exit code, rule and severity of each finding, and what is told in problems.
fn scan(folder: &Path, arguments: &[&str]) -> (i32, Vec<String>, String) {
    let (code, report) = scanned(folder, &[&["."], arguments].concat());
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or("-").to_string();
    let findings = list(&report, "findings").iter().map(|one| {
        format!("{} {}:{} {}", text(one, "severity"), text(one, "rule"), one["at"]["line"], text(one, "message"))
    });
    (code, findings.collect(), report["problems"].to_string())
}

#[test]
fn each_fault_has_a_rule_of_low_severity() {
    let open = "critical aws-rds-publicly-accessible:2 aws_db_instance.main: publicly_accessible is true";
    for (text, rule, message) in [
        (
            database("ignore[aws-rds-publicly-accessible] a demo").replace("= true", "= false"),
            "gate-unused-suppression",
            "the suppression of aws-rds-publicly-accessible suppresses nothing",
        ),
        (
            database("ignore[aws-rds-publicly-accessible] until=2020-01-31 a demo"),
            "gate-expired-suppression",
            "the suppression of aws-rds-publicly-accessible ended on 2020-01-31",
        ),
        (
            database("ignore[aws-rds-publicly-accessible]"),
            "gate-suppression-without-reason",
            "the suppression of aws-rds-publicly-accessible has no reason, so it does not act",
        ),
    ] {
        let folder = tree(&[("main.tf", &text)]);
        let (_, mut found, told) = scan(folder.path(), &["--select", ALL]);
        found.retain(|one| !one.starts_with(open.split(':').next().unwrap()));
        assert_eq!((found, told.as_str()), (vec![format!("low {rule}:2 {message}")], "[]"));
        // Where the rule does not run it is told in a note, and not at all where somebody has turned it off.
        let (_, _, told) = scan(folder.path(), &["--select", PUBLIC]);
        assert!(told.contains(message), "{told}");
        let (_, found, told) = scan(folder.path(), &["--select", ALL, "--ignore", rule]);
        assert!(!found.iter().any(|one| one.contains(rule)) && told == "[]", "{found:?} {told}");
        let (_, sarif) = answered(folder.path(), &["scan", ".", "--format", "sarif"]);
        let mut rules = list(&sarif["runs"][0]["tool"]["driver"], "rules").iter();
        assert!(rules.any(|one| one["id"] == rule), "{rule}");
    }
}

#[test]
fn they_close_the_gate_only_when_told_to() {
    let unused = database("ignore[aws-rds-publicly-accessible] a demo").replace("= true", "= false");
    let folder = tree(&[("main.tf", &unused)]);
    let code = |arguments: &[&str]| scan(folder.path(), &[&["--select", ALL], arguments].concat()).0;
    assert_eq!((code(&[]), code(&["--fail-on", "low"]), code(&["--strict"])), (0, 1, 2));
    let config = |text: &str| {
        std::fs::write(folder.path().join("gate.yaml"), text).unwrap();
        scan(folder.path(), &["--select", ALL])
    };
    assert_eq!(config("rules: {gate-unused-suppression: {severity: high}}\n").0, 1);
    let (_, found, told) = config("ignore:\n  - {rule: gate-unused-suppression, reason: next week}\n");
    assert_eq!((found, told.as_str()), (vec![], "[]"));
    // A comment may speak of itself.
    std::fs::remove_file(folder.path().join("gate.yaml")).unwrap();
    let own = unused.replace("accessible] a", "accessible, gate-unused-suppression] a");
    std::fs::write(folder.path().join("main.tf"), own).unwrap();
    let (_, found, told) = scan(folder.path(), &["--select", ALL]);
    assert_eq!((found, told.as_str()), (vec![], "[]"));
    let idle = database("ignore[aws-rds-publicly-accessible, gate-unused-suppression] a demo");
    std::fs::write(folder.path().join("main.tf"), idle).unwrap();
    let (_, found, _) = scan(folder.path(), &["--select", ALL]);
    let message = "the suppression of gate-unused-suppression suppresses nothing";
    assert_eq!(found, [format!("low gate-unused-suppression:2 {message}")]);
}

#[test]
fn they_are_told_once_and_not_hidden_by_what_accepts_all() {
    let twice = database("ignore[aws-rds-publicly-accessible] a demo").replace("= true", "= false");
    let twice = format!("# kics-scan ignore\n{}", twice.replace("\n}", " # gate: x\n}"));
    let folder = tree(&[("main.tf", &twice)]);
    let (_, found, _) = scan(folder.path(), &["--select", ALL]);
    assert_eq!(found.len(), 1, "{found:?}");
}
