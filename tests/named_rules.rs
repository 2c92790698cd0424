//! Whose word rules are that the command line or `gate.yaml` names: those of the base act, those that the change brings do not,
//! and those that whoever runs gate has put into the work tree do.
#![allow(clippy::unwrap_used)]

mod support;

use support::change::{Change, Judged};
use support::report::text;
use support::run::gate;

const RULE: &str = "- id: team-engine\n  title: Database is not MySQL\n  severity: high\n  targets:\n    - { terraform: [aws_db_instance], path: engine }\n  expect: { equals: mysql }\n  why: We run one engine.\n  fix: Set engine to mysql.\n  bad: |\n    resource \"aws_db_instance\" \"db\" {\n      engine = \"postgres\" # expect\n    }\n  good: |\n    resource \"aws_db_instance\" \"db\" {\n      engine = \"mysql\"\n    }\n";

const DATABASE: &str = "resource \"aws_db_instance\" \"main\" {\n  engine = \"postgres\"\n}\n";

/// What `--policy org/rules` says of a change that adds a database.
const NAMED: [&str; 4] = ["--policy", "org/rules", "--ignore", "aws"];

/// A change that adds a database to what the base has.
fn adding_a_database(base: &[(&str, &str)]) -> Change {
    let change = Change::from(&[&[("main.tf", "# nothing\n"), (".gitignore", "ignored\n")], base].concat());
    change.write("main.tf", DATABASE)
}

/// The rules of an organisation, in a repository of their own.
fn organisation() -> Change {
    Change::from(&[("rules/engine.yaml", RULE), ("gate.yaml", "fail-on: never\n")])
}

fn assert_applied(judged: &Judged, what: &str) {
    assert_eq!(judged.of("new"), ["team-engine aws_db_instance.main"], "{what}");
    assert_eq!(judged.proposed(), [""; 0], "{what}");
}

/// The exit code and what stands on standard error of a scan against the base.
fn refused(change: &Change, more: &[&str]) -> (Option<i32>, String) {
    let output = gate(change.path(), &[&["scan", ".", "--base", "main"], more].concat());
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn rules_that_the_caller_put_into_the_work_tree_act() {
    let change = adding_a_database(&[]);
    change.commit();
    let change = change.write("org/rules/engine.yaml", RULE).write("ignored/rules/engine.yaml", RULE);
    assert_applied(&change.judged_as_it_is(&NAMED), "a folder that nobody tracks");
    let ignored = change.judged_as_it_is(&["--policy", "ignored/rules/engine.yaml", "--ignore", "aws"]);
    assert_applied(&ignored, "a file that git ignores");
    let change = change.write("org/gate.yaml", "fail-on: never\npolicies: [rules]\n");
    let judged = change.judged_as_it_is(&["--config", "org/gate.yaml", "--ignore", "aws"]);
    assert_applied(&judged, "what a configuration of the caller's names");
    assert_eq!(judged.code, 0, "the configuration is in force");
}

#[test]
fn a_repository_that_the_caller_cloned_into_the_work_tree_is_no_part_of_the_change() {
    // The change has files of its own where the workflow puts the clone.
    let change = adding_a_database(&[]).write("org/rules/engine.yaml", "[]\n");
    change.commit();
    std::fs::remove_dir_all(change.path().join("org")).unwrap();
    let other = organisation();
    change.git(&["clone", "--quiet", other.path().to_str().unwrap(), "org"]);
    assert_applied(&change.judged_as_it_is(&NAMED), "a clone");
    std::fs::remove_dir_all(change.path().join("org/.git")).unwrap();
    let (code, words) = refused(&change, &NAMED);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("org/rules") && words.contains("part of the change"), "{words}");
}

#[test]
fn rules_that_the_change_brings_are_proposed() {
    let change = adding_a_database(&[]).write("org/rules/engine.yaml", RULE).write("strict.yaml", "fail-on: never\n");
    let judged = change.judged(&[&NAMED[..], &["--config", "strict.yaml"]].concat());
    assert_eq!((judged.code, judged.of("new")), (0, vec![]));
    assert!(judged.proposed().contains(&"org/rules/engine.yaml: is new".to_string()), "{:?}", judged.proposed());
    let dotted = change.judged(&["--policy", "org/../org/rules", "--ignore", "aws"]);
    assert_eq!(dotted.of("new"), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_link_does_not_make_rules_of_the_change_those_of_the_caller() {
    use std::os::unix::fs::symlink;

    let change = adding_a_database(&[]).write("own/engine.yaml", RULE);
    symlink("own", change.path().join("org")).unwrap();
    let judged = change.judged(&["--policy", "org", "--ignore", "aws"]);
    assert_eq!(judged.of("new"), [""; 0], "a link of the change");
    symlink("own", change.path().join("untracked")).unwrap();
    let judged = change.judged_as_it_is(&["--policy", "untracked", "--ignore", "aws"]);
    assert_eq!(judged.of("new"), [""; 0], "a link of the caller");
}

/// A change that adds a database to a base with the rules as submodule at `org`.
fn with_submodule(gate_yaml: &str) -> (Change, Change) {
    let other = organisation();
    let change = Change::from(&[("main.tf", "# nothing\n"), ("gate.yaml", gate_yaml)]);
    let url = other.path().to_str().unwrap();
    change.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "org"]);
    change.commit();
    change.git(&["branch", "--force", "main", "HEAD"]);
    (change.write("main.tf", DATABASE), other)
}

#[test]
fn rules_of_a_submodule_that_the_change_leaves_act() {
    let (named, _other) = with_submodule("");
    assert_applied(&named.judged(&NAMED), "named on the command line");
    let judged = named.judged(&[&NAMED[..], &["--config", "org/gate.yaml"]].concat());
    assert_applied(&judged, "with its configuration");
    assert_eq!(judged.code, 0);
    let (configured, _other) = with_submodule("policies: [org/rules]\n");
    assert_applied(&configured.judged(&["--ignore", "aws"]), "named by gate.yaml");
}

#[test]
fn a_change_can_not_move_the_submodule_of_its_rules() {
    for (gate_yaml, more) in [("", &NAMED[..]), ("policies: [org/rules]\n", &["--ignore", "aws"])] {
        let (change, _other) = with_submodule(gate_yaml);
        std::fs::write(change.path().join("org/rules/engine.yaml"), "[]\n").unwrap();
        support::git::git(&change.path().join("org"), &["commit", "--quiet", "--all", "--message", "none"]);
        change.commit();
        let (code, words) = refused(&change, more);
        assert_eq!(code, Some(2), "{words}");
        assert!(words.contains("submodule"), "{words}");
    }
    let (change, _other) = with_submodule("");
    std::fs::remove_dir_all(change.path().join("org")).unwrap();
    std::fs::create_dir(change.path().join("org")).unwrap();
    let (code, words) = refused(&change, &NAMED);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("submodule update"), "{words}");
}

#[test]
fn a_baseline_of_the_caller_acts_and_one_of_the_change_does_not() {
    let settings = ["--policy", "org/rules", "--select", "team-engine", "--baseline", "accepted.json"];
    let change = adding_a_database(&[("org/rules/engine.yaml", RULE)]);
    change.commit();
    let write =
        ["baseline", "write", ".", "--policy", "org/rules", "--select", "team-engine", "--output", "accepted.json"];
    assert_eq!(gate(change.path(), &write).status.code(), Some(0));
    let judged = change.judged_as_it_is(&settings);
    assert_eq!((judged.code, judged.of("old").len(), judged.proposed()), (0, 1, vec![]), "it is not committed");
    let judged = change.judged(&settings);
    assert_eq!((judged.code, judged.of("new").len()), (1, 1), "it is committed");
    assert!(judged.proposed().iter().any(|one| one.starts_with("accepted.json: ")));
    assert!(text(&judged.report["comparison"]["against"]).starts_with("main"), "{}", judged.report["comparison"]);
}

#[test]
fn what_is_mended_is_told_once_with_a_base_and_a_baseline() {
    let change = Change::from(&[("main.tf", DATABASE), ("org/rules/engine.yaml", RULE)]);
    let selected = ["--policy", "org/rules", "--select", "team-engine"];
    let write = [&["baseline", "write", "."], &selected[..]].concat();
    assert_eq!(gate(change.path(), &write).status.code(), Some(0));
    change.commit();
    change.git(&["branch", "--force", "main", "HEAD"]);
    let both = [&selected[..], &["--baseline", ".gate-baseline.json"]].concat();
    assert_eq!(change.judged(&both).of("old").len(), 1);
    let judged = change.write("main.tf", &DATABASE.replace("postgres", "mysql")).judged(&both);
    assert_eq!(judged.fixed(), ["team-engine"]);
    let against = text(&judged.report["comparison"]["against"]);
    assert!(against.ends_with("and the baseline .gate-baseline.json"), "{against}");
}
