//! What functions of Terraform read for a text under judgement: what git tracks, below what was given, and nothing else.

#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use std::process::Command;

use serde_json::Value;
use support::change::Change;
use support::report::{list, text};
use support::run::{answered, gate, scanned};
use support::tree;

/// A bucket for each of these expressions, whose text stands in its address.
fn buckets(expressions: &str) -> String {
    format!(
        "resource \"aws_s3_bucket\" \"logs\" {{\n  for_each = toset([{expressions}])\n  acl = \"public-read\"\n}}\n"
    )
}

/// What can't be told from any output by looking for it: the text is turned round.
fn turned(text: &str) -> String {
    text.chars().rev().collect()
}

fn problems(report: &Value) -> Vec<(&str, &str)> {
    list(report, "problems").iter().map(|one| (text(&one["kind"]), text(&one["message"]))).collect()
}

#[test]
fn a_change_reads_nothing_of_version_control_and_nothing_that_git_does_not_track() {
    let token = concat!("AUTHORIZATION: basic ", "eC1hY2Nlc3M6Z2hzX0Fi");
    let key = concat!("private", "-key-of-the-job");
    let expressions = [
        "strrev(file(\".git/config\"))",
        "strrev(file(\"link\"))",
        "strrev(templatefile(\"credentials-1.json\", {}))",
        "strrev(file(one(fileset(path.module, \"credentials-*.json\"))))",
        "strrev(base64decode(filebase64(\"keys/job.pem\")))",
        "join(\"\", [for name in fileset(\".git\", \"*\") : strrev(name)])",
        "try(strrev(file(\"credentials-1.json\")), \"plain\")",
        "strrev(file(\"names.txt\"))",
    ];
    for ignored in ["credentials-*.json\nkeys/\n", ""] {
        let change = Change::from(&[("README.md", "x"), ("names.txt", "tracked-name")])
            .write("main.tf", &buckets(&expressions.join(", ")))
            .write(".gitignore", ignored);
        std::os::unix::fs::symlink(".git/config", change.path().join("link")).unwrap();
        change.commit();
        let change = change.write("credentials-1.json", key).write("keys/job.pem", key);
        change.git(&["config", "http.https://git.example/.extraheader", token]);
        for format in ["text", "json", "sarif", "markdown", "github"] {
            let output = gate(change.path(), &["scan", ".", "--base", "main", "--format", format]);
            let out = String::from_utf8(output.stdout).unwrap().replace(['\n', ' '], "");
            for secret in [token, key, "config"] {
                let secret = turned(secret).replace(' ', "");
                assert!(!out.contains(&secret), "{format}: {secret} in {out}");
            }
        }
        let judged = change.judged_as_it_is(&[]);
        let told = problems(&judged.report);
        let has = |kind: &str, words: &str| told.iter().any(|one| one.0 == kind && one.1.contains(words));
        assert!(has("evaluation", "\".git/config\" belongs to version control"), "{told:?}");
        assert!(has("evaluation", "\"credentials-1.json\" is not tracked by git"), "{told:?}");
    }
}

#[test]
fn what_is_tracked_or_staged_is_read_also_of_installed_modules() {
    let change = Change::from(&[("README.md", "x"), (".gitignore", ".terraform/\n"), ("names/a.txt", "first")])
        .write("main.tf", &buckets("file(\"names/a.txt\"), file(\"names/b.txt\"), file(\".terraform/modules/m/c.txt\"), join(\"-\", fileset(\"names\", \"*\"))"));
    change.commit();
    let change = change.write("names/b.txt", "second").write("names/c.txt", "third");
    let change = change.write(".terraform/modules/m/c.txt", "installed");
    change.git(&["add", "names/b.txt"]);
    let judged = change.judged_as_it_is(&["--select", "aws-s3-public-acl"]);
    let keys = ["a.txt-b.txt", "first", "installed", "second"];
    let wanted: Vec<String> =
        keys.iter().map(|key| format!("aws-s3-public-acl aws_s3_bucket.logs[\"{key}\"]")).collect();
    assert_eq!(judged.of("new"), wanted, "{:?}", judged.report["problems"]);
    let told = problems(&judged.report);
    assert_eq!(told, [("evaluation", "fileset: \"c.txt\" is not tracked by git and was not read")]);
}

#[test]
fn without_a_base_version_control_is_closed_and_the_console_answers_all() {
    let change = Change::from(&[("main.tf", &buckets("strrev(file(\".git/HEAD\")), file(\"new.txt\")"))]);
    let change = change.write("new.txt", "untracked");
    let (_, report) = scanned(change.path(), &["."]);
    let told = problems(&report);
    assert_eq!(told, [("evaluation", "file: \".git/HEAD\" belongs to version control and was not read")]);
    let mut console = support::run::command(change.path(), &["console", "."]);
    let mut running = console.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut running.stdin.take().unwrap(), b"file(\".git/HEAD\")\n").unwrap();
    let answer = String::from_utf8(running.wait_with_output().unwrap().stdout).unwrap();
    assert!(answer.contains("ref: refs/heads/change"), "{answer}");
}

#[test]
fn a_file_of_the_repository_outside_the_scanned_folder_closes_the_gate() {
    let group = "resource \"aws_security_group\" \"web\" {\n  ingress {\n    from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = split(\",\", trimspace(file(\"../data/ranges.txt\")))\n  }\n}\n";
    let change = Change::from(&[("infra/main.tf", ""), ("data/ranges.txt", "10.0.0.0/8\n")])
        .write("infra/main.tf", group)
        .write("data/ranges.txt", "0.0.0.0/0\n");
    change.commit();
    let scan =
        |folder: &str| scanned(change.path(), &[folder, "--base", "main", "--select", "aws-security-group-public-ssh"]);
    let (code, report) = scan("infra");
    assert_eq!(code, 2);
    let told = "file: \"../data/ranges.txt\" lies outside the scanned folder and was not read";
    assert_eq!(problems(&report), [("unread", told)]);
    assert_eq!(scan(".").0, 1);
    // What is not there is no more than an expression that fails.
    std::fs::write(change.path().join("infra/main.tf"), group.replace("ranges.txt", "none.txt")).unwrap();
    let (code, report) = scan("infra");
    assert_eq!((code, problems(&report)), (0, vec![("evaluation", "file: there is no file \"../data/none.txt\"")]));
}

#[test]
fn what_lies_outside_of_the_repository_is_not_looked_for() {
    let around = tree(&[("outside.txt", "x"), ("repository/main.tf", "")]);
    let outside = around.path().canonicalize().unwrap().join("outside.txt");
    let main = format!(
        "locals {{\n  a = file(\"{}\")\n  b = file(\"../outside.txt\")\n  c = file(\"/no/where\")\n}}\n",
        outside.display()
    );
    std::fs::write(around.path().join("repository/main.tf"), main).unwrap();
    let (code, report) = scanned(&around.path().join("repository"), &["."]);
    let told = problems(&report);
    assert_eq!((code, told.len()), (0, 3));
    assert!(told.iter().all(|one| one.1.ends_with("lies outside the scanned folder")), "{told:?}");
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = tree(&[("main.tf", "output \"read\" { value = try(file(\"pipe\"), \"none\") }\n")]);
    if !Command::new("mkfifo").arg(folder.path().join("pipe")).status().is_ok_and(|status| status.success()) {
        return;
    }
    let (_, model) = answered(folder.path(), &["inspect", "."]);
    assert_eq!(model["terraform"][0]["outputs"]["read"]["value"], "none");
}
