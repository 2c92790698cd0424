//! Where reports go, and that they are the same for the same tree.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use gate::report::FORMATS;
use serde_json::Value;

use super::support::run::{command, gate};
use super::{list, shop, tree, value};

#[test]
fn every_format_is_the_same_bytes_whatever_the_number_of_threads() {
    let shop = shop();
    let folder = shop.path().join("deploy");
    for format in FORMATS {
        let one = gate(&folder, &["scan", "--format", format.name, "--jobs", "1"]);
        let two = gate(&folder, &["scan", "--format", format.name, "--jobs", "2"]);
        assert!(!one.stdout.is_empty());
        assert_eq!(String::from_utf8_lossy(&one.stdout), String::from_utf8_lossy(&two.stdout), "{}", format.name);
    }
}

#[test]
fn findings_are_sorted_by_path_line_column_and_rule() {
    let shop = shop();
    let report = value(&shop.path().join("deploy"), "json");
    let order: Vec<_> = list(&report, "findings")
        .iter()
        .map(|one| {
            let at = &one["at"];
            (at["path"].as_str(), at["line"].as_u64(), at["column"].as_u64())
        })
        .collect();
    assert!(order.is_sorted(), "{order:#?}");
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    names
}

#[test]
fn one_run_writes_several_outputs_that_agree() {
    let shop = shop();
    let folder = shop.path().join("deploy");
    let out = tempfile::tempdir().unwrap();
    let to = |name: &str| format!("{name}={}", out.path().join(name).display());
    let formats = [to("json"), to("sarif")].join(",");
    let output = gate(&folder, &["scan", "--format", "text", "--format", &formats, "--format", &to("junit")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("critical aws-rds-publicly-accessible"));
    let read = |name: &str| std::fs::read_to_string(out.path().join(name)).unwrap();
    let parsed = |name: &str| serde_json::from_str::<Value>(&read(name)).unwrap();
    let (json, sarif) = (parsed("json"), parsed("sarif"));
    let rules = |list: &Vec<Value>, key: &str| list.iter().map(|one| one[key].clone()).collect::<Vec<_>>();
    assert_eq!(rules(list(&json, "findings"), "rule"), rules(list(&sarif["runs"][0], "results"), "ruleId"));
    assert_eq!(read("junit").matches("<failure").count(), list(&json, "findings").len());
    assert_eq!(names(out.path()), ["json", "junit", "sarif"].map(PathBuf::from));
}

#[test]
fn two_outputs_cannot_share_a_place() {
    let shop = shop();
    for outputs in ["json=r.json,sarif=r.json", "json,sarif"] {
        let output = gate(shop.path(), &["scan", "deploy", "--format", outputs]);
        assert_eq!(output.status.code(), Some(2), "{outputs}");
        assert!(output.stdout.is_empty() && !shop.path().join("r.json").exists(), "{outputs}");
    }
    // Annotations are lines of the log beside the report for people.
    assert_eq!(gate(shop.path(), &["scan", "deploy", "--format", "text,github"]).status.code(), Some(1));
}

#[test]
fn an_output_that_fails_does_not_keep_the_report_from_the_others() {
    let shop = shop();
    let output = gate(shop.path(), &["scan", "deploy", "--format", "json=missing/r.json,sarif=r.sarif,github"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("::error file=deploy/"));
    serde_json::from_slice::<Value>(&std::fs::read(shop.path().join("r.sarif")).unwrap()).unwrap();
}

#[test]
fn an_output_file_is_written_whole_or_not_at_all() {
    let shop = shop();
    let out = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(out.path().join("taken/inside")).unwrap();
    for name in ["missing/report.json", "taken"] {
        let file = format!("json={}", out.path().join(name).display());
        let output = gate(shop.path(), &["scan", "deploy", "--format", &file]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(name), "{name}");
        assert_eq!(names(out.path()), [PathBuf::from("taken")]);
    }
    let file = out.path().join("report.json");
    std::fs::write(&file, "x".repeat(1 << 20)).unwrap();
    gate(shop.path(), &["scan", "deploy", "--format", &format!("json={}", file.display())]);
    serde_json::from_slice::<Value>(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(names(out.path()), ["report.json", "taken"].map(PathBuf::from));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error_and_changes_no_verdict() {
    let shop = shop();
    for (arguments, code) in [(&["rules", "--format", "json"][..], 0), (&["scan", "deploy", "--format", "sarif"], 1)] {
        let mut child = command(shop.path(), arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{arguments:?}");
        assert_eq!(told, "", "{arguments:?}");
    }
}

/// Nobody knows `var.open`, so that the one check can't be decided.
const UNDECIDED: &str =
    "variable \"open\" {}\nresource \"aws_db_instance\" \"a\" {\n  publicly_accessible = var.open\n}\n";

/// What gate says in a format of a folder with one rule, and its exit code.
fn said(folder: &Path, format: &str, more: &[&str]) -> (String, Option<i32>) {
    let scan = ["scan", "--select", "aws-rds-publicly-accessible", "--format", format];
    let output = gate(folder, &[&scan, more].concat());
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn what_strict_counts_is_told_in_every_format() {
    let folder = tree(&[("main.tf", UNDECIDED)]);
    for format in FORMATS {
        let (text, code) = said(folder.path(), format.name, &["--strict"]);
        assert_eq!(code, Some(2), "{}", format.name);
        assert!(text.contains("aws-rds-publicly-accessible could not decide 1 check"), "{}: {text}", format.name);
        let (text, code) = said(folder.path(), format.name, &[]);
        assert!(code == Some(0) && !text.contains("could not decide"), "{}: {text}", format.name);
        // What no file is to blame for is told as well.
        let (text, code) = said(folder.path(), format.name, &["--import", "nothere"]);
        assert!(code == Some(2) && text.contains("the import nothere can"), "{}: {text}", format.name);
    }
    let (junit, _) = said(folder.path(), "junit", &["--strict"]);
    assert!(junit.contains(r#"failures="0" errors="1""#), "{junit}");
    assert!(said(folder.path(), "github", &["--strict"]).0.starts_with("::error "));
}

#[test]
fn what_is_possible_only_is_called_so_and_counted_apart() {
    let folder = tree(&[("main.tf", &UNDECIDED.replace("= var.open", "= var.open ? true : false"))]);
    for format in ["text", "markdown", "html", "github", "junit", "gitlab", "sarif", "json"] {
        let (text, code) = said(folder.path(), format, &[]);
        assert!(code == Some(0) && text.contains("possible"), "{format}: {text}");
    }
    for format in ["text", "markdown", "html"] {
        let (text, _) = said(folder.path(), format, &[]);
        assert!(text.contains("1 possible critical") && !text.contains(" 1 critical"), "{format}: {text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_by_its_other_names_is_standard_output() {
    let shop = shop();
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let log = shop.path().join("log");
        std::fs::write(&log, "the steps before\n").unwrap();
        let open = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
        let to = format!("json={name}");
        let status = command(shop.path(), &["scan", "deploy", "--format", &to]).stdout(open).status().unwrap();
        assert_eq!(status.code(), Some(1), "{name}");
        let text = std::fs::read_to_string(&log).unwrap();
        let report = text.strip_prefix("the steps before\n").unwrap_or_else(|| panic!("{name} is overwritten: {text}"));
        serde_json::from_str::<Value>(report).unwrap();
        let both = gate(shop.path(), &["scan", "deploy", "--format", "text", "--format", &to]);
        assert!(both.status.code() == Some(2) && both.stdout.is_empty(), "{name}: {both:?}");
    }
}

#[cfg(unix)]
#[test]
fn no_report_is_written_through_a_link_of_the_tree_from_wherever_gate_is_called() {
    let home = tree(&[("settings/x", ""), ("shop/.git/HEAD", ""), ("shop/main.tf", UNDECIDED)]);
    std::os::unix::fs::symlink("../settings", home.path().join("shop/reports")).unwrap();
    let output = gate(home.path(), &["scan", "shop", "--format", "sarif=shop/reports/gate.sarif"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(names(&home.path().join("settings")), [PathBuf::from("x")]);
}
