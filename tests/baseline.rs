//! The baseline: findings of today are accepted, and what comes later is not.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::git::git;
use support::report::list;
use support::run::{gate, scanned};

const FILE: &str = ".gate-baseline.json";

const DATABASE: &str = "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = true\n}\n";

/// The exit code, and how many findings are new, old and gone.
fn judged(folder: &Path, more: &[&str]) -> (i32, usize, usize, usize) {
    let (code, report) = scanned(folder, &[&[".", "--baseline", FILE], more].concat());
    let count = |status: &str| list(&report, "findings").iter().filter(|finding| finding["status"] == status).count();
    (code, count("new"), count("old"), list(&report["comparison"], "fixed").len())
}

/// How many findings the baseline of a folder accepts.
fn entries(folder: &Path) -> usize {
    let text = std::fs::read_to_string(folder.join(FILE)).unwrap();
    let lines: Vec<Value> = serde_json::from_str(&text).unwrap();
    lines[1..].iter().map(|line| line["count"].as_u64().map_or(1, |count| usize::try_from(count).unwrap())).sum()
}

/// A folder whose findings are accepted, and how many they are.
fn accepted(files: &[(&str, &str)]) -> (tempfile::TempDir, usize) {
    let folder = support::tree(files);
    let written = gate(folder.path(), &["baseline", "write"]);
    assert_eq!(written.status.code(), Some(0), "{}", String::from_utf8_lossy(&written.stderr));
    let count = entries(folder.path());
    (folder, count)
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
fn a_baseline_that_is_written_of_a_part_keeps_the_rest() {
    let (folder, count) = accepted(&[("a/db.tf", DATABASE), ("b/db.tf", DATABASE), (".git/HEAD", "")]);
    for part in [&["a"][..], &["a/db.tf"], &[".", "--select", "aws-s3"]] {
        let output = gate(folder.path(), &[&["baseline", "write", "-o", FILE], part].concat());
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(entries(folder.path()), count, "{part:?}: {told}");
        assert!(told.contains("of before that this did not look at"), "{told}");
    }
    std::fs::remove_file(folder.path().join("b/db.tf")).unwrap();
    gate(folder.path(), &["baseline", "write"]);
    assert_eq!(entries(folder.path()), count / 2, "all of the tree is looked at");
}

#[test]
fn a_line_of_the_file_is_one_entry_in_order_and_without_places() {
    let (folder, count) = accepted(&[("b.tf", DATABASE), ("a.tf", &DATABASE.replace("main", "other"))]);
    let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[lines.len() - 1], lines.len()), ("[{\"version\":2}", "]", count + 2));
    let entries = &lines[1..=count];
    assert!(entries.is_sorted() && entries[0].starts_with(",{\"path\":\"a.tf\",\"at\":\"aws_db_instance.other"));
    gate(folder.path(), &["baseline", "write"]);
    assert_eq!(std::fs::read_to_string(folder.path().join(FILE)).unwrap(), text);
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
    std::fs::write(folder.path().join(FILE), "{}").unwrap();
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
    assert!(!folder.path().join(FILE).exists());
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

/// What one folder has open accepts nothing in another, whatever part of the tree a scan looks at.
#[test]
fn an_accepted_finding_accepts_no_copy_in_another_place() {
    let good = DATABASE.replace("= true", "= false");
    let (folder, count) = accepted(&[("dev/main.tf", DATABASE), ("prod/main.tf", &good)]);
    std::fs::write(folder.path().join("prod/main.tf"), DATABASE).unwrap();
    for part in [&["."][..], &["prod"], &["--force-exclude", "--", "prod/main.tf"]] {
        let (code, report) = scanned(folder.path(), &[&["--baseline", FILE], part].concat());
        let new = list(&report, "findings").iter().filter(|finding| finding["status"] == "new").count();
        assert_eq!((code, new), (1, 1), "{part:?}");
        assert_eq!(list(&report["comparison"], "fixed").len(), 0, "{part:?}: what was not looked at is not mended");
    }
    // Mended there and opened here is one finding less and one more.
    std::fs::write(folder.path().join("dev/main.tf"), &good).unwrap();
    assert_eq!(judged(folder.path(), &[]), (1, 1, count - 1, 1));
    // A folder that moves as a whole takes its findings along.
    std::fs::remove_dir_all(folder.path().join("prod")).unwrap();
    std::fs::write(folder.path().join("dev/main.tf"), DATABASE).unwrap();
    gate(folder.path(), &["baseline", "write"]);
    let count = entries(folder.path());
    std::fs::rename(folder.path().join("dev"), folder.path().join("staging")).unwrap();
    assert_eq!(judged(folder.path(), &[]), (0, 0, count, 0));
}

#[test]
fn blocks_and_objects_may_move_to_a_file_that_is_there() {
    let pod = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n    - name: app\n      \
             image: acme/app:1.2\n      securityContext:\n        privileged: true\n"
        )
    };
    let both = format!("{}---\n{}", pod("web"), pod("jobs"));
    let locals = "locals {\n  team = \"data\"\n}\n";
    let files = [("db.tf", DATABASE), ("team.tf", locals), ("all.yaml", both.as_str()), ("config.yaml", &pod("cron"))];
    let (folder, count) = accepted(&files);
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).unwrap();
    write("db.tf", locals);
    write("team.tf", DATABASE);
    write("all.yaml", &pod("web"));
    write("config.yaml", &format!("{}---\n{}", pod("cron"), pod("jobs")));
    assert_eq!(judged(folder.path(), &[]), (0, 0, count, 0));
    // The first stands where it was, so that this is a second one.
    write("config.yaml", &format!("{}---\n{}---\n{}", pod("cron"), pod("jobs"), pod("web")));
    let (code, new, ..) = judged(folder.path(), &[]);
    assert!(code == 1 && new > 0);
}

/// Two branches that accept different findings are merged by git, side by side or with the lines of both.
#[test]
fn branches_that_accept_different_findings_merge() {
    let of = |name: &str| DATABASE.replace("main", name);
    let merged = |first: &str, second: &str, attributes: &str| {
        let folder = support::tree(&[("m.tf", &of("m")), ("z.tf", &of("z")), (".gitattributes", attributes)]);
        let commit = || {
            assert_eq!(gate(folder.path(), &["baseline", "write"]).status.code(), Some(0));
            git(folder.path(), &["add", "--all"]);
            git(folder.path(), &["commit", "--quiet", "--message", "accept"]);
        };
        let accept = |name: &str| {
            std::fs::write(folder.path().join(format!("{name}.tf")), of(name)).unwrap();
            commit();
        };
        git(folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
        commit();
        git(folder.path(), &["checkout", "--quiet", "-b", "other"]);
        accept(first);
        git(folder.path(), &["checkout", "--quiet", "main"]);
        accept(second);
        git(folder.path(), &["merge", "--quiet", "--no-edit", "other"]);
        let (code, new, old, fixed) = judged(folder.path(), &[]);
        assert_eq!((code, new, fixed), (0, 0, 0), "{first} and {second}");
        assert_eq!(entries(folder.path()), old);
    };
    merged("p", "zz", "");
    merged("za", "zb", ".gate-baseline.json merge=union\n");
    let conflict = "[{\"version\":2}\n<<<<<<< HEAD\n=======\n>>>>>>> other\n]\n";
    let folder = support::tree(&[("db.tf", DATABASE), (FILE, conflict)]);
    let words = gate(folder.path(), &["scan", ".", "--baseline", FILE]);
    assert_eq!(words.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&words.stderr).contains("merge=union"));
}

/// The form without a header has an entry as often as it is accepted.
#[test]
fn the_form_before_is_still_read() {
    let (folder, count) = accepted(&[("db.tf", DATABASE)]);
    let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(',')).collect();
    std::fs::write(folder.path().join(FILE), format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    assert_eq!(judged(folder.path(), &[]), (0, 0, count, 0));
}
