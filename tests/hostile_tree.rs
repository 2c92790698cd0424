//! A tree that attacks whoever scans it: each way that has worked on another scanner does nothing here.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::report::list;
use support::run::{code, command, gate, inspected, json};
use support::tree;

const DATABASE: &str = "resource \"aws_db_instance\" \"orders\" {\n  publicly_accessible = true\n}\n";

/// The exit code of a scan in this folder, and its report as JSON and as it is written.
fn scan(folder: &Path) -> (i32, Value, String) {
    let output = command(folder, &["scan", "--format", "json"])
        // What a tree names by itself must not reach what the environment knows.
        .env("GITHUB_TOKEN", "ghp_x7Kq2mVb9TzR4nWc8LpY1sDf6GhJ3aE5uQ0i")
        .output()
        .unwrap();
    (code(&output), json(&output), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Every file below a folder with its length.
fn listing(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(listing(&entry.path())),
            false => found.push((entry.path(), entry.metadata().unwrap().len())),
        }
    }
    found.sort();
    found
}

fn findings(report: &Value) -> Vec<(&str, &str)> {
    let all = list(report, "findings").iter();
    all.map(|one| (one["rule"].as_str().unwrap(), one["at"]["path"].as_str().unwrap())).collect()
}

#[test]
fn what_other_tools_would_run_or_obey_is_neither_run_nor_obeyed() {
    let touch = "touch \"$PWD/ran\"";
    let evil = "import os\nos.system('touch ran')\n";
    let folder = tree(&[
        ("main.tf", DATABASE),
        (".checkov.yaml", "external-checks-dir: [checks]\nsoft-fail: true\nskip-check: [CKV_AWS_17]\ncheck: [NONE]\n"),
        ("checks/__init__.py", evil),
        ("checks/evil.py", evil),
        ("conftest.py", evil),
        (".tflint.hcl", "plugin \"evil\" {\n  enabled = true\n  source  = \"./evil\"\n}\n"),
        ("trivy.yaml", "exit-code: 0\nseverity: [NONE]\nformat: '{{ getHostByName (env \"GITHUB_TOKEN\") }}'\n"),
        (".trivyignore", "AVD-AWS-0180\n*\n"),
        (".tfsec/config.yml", "minimum_severity: NONE\nexclude: [aws-rds-no-public-db-access]\n"),
        ("kics.config", "{\"exclude-severities\": \"high,medium,low\", \"fail-on\": \"none\"}"),
        (".mega-linter.yml", &format!("PRE_COMMANDS:\n  - command: {touch}\n")),
        (
            ".pre-commit-config.yaml",
            &format!(
                "repos:\n  - repo: local\n    hooks:\n      - id: a\n        name: a\n        language: system\n        entry: sh -c '{touch}'\n"
            ),
        ),
        ("Makefile", &format!("all:\n\t{touch}\n")),
        (".git/HEAD", "ref: refs/heads/main\n"),
        (
            ".git/config",
            &format!(
                "[core]\n  fsmonitor = {touch}\n  hooksPath = hooks\n  sshCommand = {touch}\n[filter \"x\"]\n  clean = {touch}\n  smudge = {touch}\n  required = true\n[include]\n  path = ../more\n"
            ),
        ),
        ("more", &format!("[core]\n  pager = {touch}\n")),
        (".gitattributes", "* filter=x\n"),
        ("hooks/post-checkout", &format!("#!/bin/sh\n{touch}\n")),
    ]);
    let before = listing(folder.path());
    let (code, report, _) = scan(folder.path());
    assert_eq!(code, 1);
    assert!(findings(&report).contains(&("aws-rds-publicly-accessible", "main.tf")), "{report}");
    assert_eq!(list(&report, "suppressed").len(), 0, "{report}");
    assert_eq!(listing(folder.path()), before, "nothing was written");
    let alone = tree(&[("main.tf", DATABASE)]);
    let (_, expected, _) = scan(alone.path());
    let of_main = |report: &Value| findings(report).into_iter().filter(|(_, path)| *path == "main.tf").count();
    assert_eq!(of_main(&report), of_main(&expected));
}

#[test]
fn what_the_tree_names_elsewhere_is_neither_fetched_nor_read() {
    let sources = [
        "git::ext::sh -c touch% ran",
        "git::https://example.invalid/x.git?ref=--upload-pack=touch",
        "git@example.invalid:x.git",
        "https://example.invalid/x.zip",
        "s3::https://s3.amazonaws.com/x/y.zip",
        "hg::ssh://example.invalid/x",
        "file:///etc",
        "/etc",
        "../../../../../../etc",
    ];
    let modules: String = (sources.iter().enumerate())
        .map(|(number, source)| format!("module \"m{number}\" {{\n  source = \"{source}\"\n}}\n"))
        .collect();
    let main = format!(
        r#"{DATABASE}{modules}data "external" "e" {{
  program = ["sh", "-c", "touch ran"]
}}
data "http" "h" {{
  url = "http://169.254.169.254/latest/meta-data"
}}
resource "terraform_data" "t" {{
  provisioner "local-exec" {{
    command = "touch ran"
  }}
}}
locals {{
  read = [
    try(file("/etc/passwd"), "none"), try(file("~/../../etc/passwd"), "none"), try(file("link"), "none"),
    try(file("../outside"), "none"), try(templatefile("/etc/passwd", {{}}), "none"), try(filebase64("/etc/passwd"), "none"),
    try(join("", fileset("/etc", "pass*")), "none"),
  ]
}}
output "read" {{ value = local.read }}
"#
    );
    let around = tree(&[("outside", "root:x:0:0"), ("repository/main.tf", &main)]);
    let folder = around.path().join("repository");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).unwrap();
    std::os::unix::fs::symlink("/etc", folder.join("linked.tf")).unwrap();
    std::os::unix::fs::symlink("self.tf", folder.join("self.tf")).unwrap();
    let before = listing(&folder);
    let (code, report, text) = scan(&folder);
    assert_eq!(code, 2, "modules that are not here are not read");
    let problems = list(&report, "problems");
    for number in 0..sources.len() {
        let name = format!("m{number}");
        assert!(problems.iter().any(|one| one["message"].as_str().unwrap().contains(&name)), "{name}: {problems:#?}");
    }
    assert!(!text.contains("root:"), "{text}");
    assert!(findings(&report).contains(&("aws-rds-publicly-accessible", "main.tf")));
    assert_eq!(listing(&folder), before, "nothing was written");
    let model = inspected(&folder);
    let read = &model["terraform"][0]["outputs"]["read"];
    assert!(list(read, "value").iter().all(|one| one == "none" || one == ""), "{read}");
}

#[test]
fn files_that_never_end_or_are_none_are_reported_and_the_rest_is_judged() {
    let folder = tree(&[("main.tf", DATABASE), ("pod.yaml", "a: &a [x, x]\nb: &b [*a, *a]\n")]);
    let mut bomb =
        String::from("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let last = level - 1;
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{last}"); 9].join(", ")));
    }
    std::fs::write(folder.path().join("bomb.yaml"), bomb).unwrap();
    // A gigabyte that takes no room on the disk.
    std::fs::File::create(folder.path().join("sparse.tf")).unwrap().set_len(1 << 30).unwrap();
    let pipe = Command::new("mkfifo").arg(folder.path().join("pipe.tf")).status();
    let (code, report, _) = scan(folder.path());
    assert_eq!(code, 2);
    let problems = list(&report, "problems");
    let told = |path: &str| problems.iter().any(|one| one["at"]["path"] == path || one["path"] == path);
    assert!(told("bomb.yaml") && told("sparse.tf"), "{problems:#?}");
    if pipe.is_ok_and(|status| status.success()) {
        assert!(told("pipe.tf"), "{problems:#?}");
    }
    assert!(findings(&report).contains(&("aws-rds-publicly-accessible", "main.tf")));
}

#[test]
fn outputs_are_not_written_through_links_of_the_tree() {
    let folder = tree(&[("repo/main.tf", DATABASE), ("outside/kept", "kept"), ("outside/folder/kept", "kept")]);
    let repo = folder.path().join("repo");
    let gate = |arguments: &[&str]| {
        let output = gate(&repo, arguments);
        (code(&output), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for name in ["gate.sarif", ".gate-baseline.json"] {
        std::os::unix::fs::symlink("../outside/kept", repo.join(name)).unwrap();
    }
    let before = listing(&folder.path().join("outside"));
    assert_eq!(gate(&["scan", "--format", "sarif=gate.sarif"]).0, 1);
    assert_eq!(gate(&["baseline", "write"]).0, 0);
    for name in ["gate.sarif", ".gate-baseline.json"] {
        assert!(repo.join(name).symlink_metadata().unwrap().is_file(), "{name}");
    }
    std::os::unix::fs::symlink("../outside/folder", repo.join("out")).unwrap();
    let (code, words) = gate(&["scan", "--format", "sarif=out/gate.sarif"]);
    assert_eq!(code, 2);
    std::fs::remove_file(repo.join("out")).unwrap();
    assert!(words.contains("lies behind out, a link that leads out"), "{words}");
    assert_eq!(listing(&folder.path().join("outside")), before, "nothing was written there");
    // Where standard output leads is for whoever calls to say.
    let file = std::fs::File::create(folder.path().join("log")).unwrap();
    let status = command(&repo, &["scan", "--format", "json=/dev/stdout"]).stdout(file).status().unwrap();
    assert_eq!(status.code(), Some(1));
    serde_json::from_slice::<Value>(&std::fs::read(folder.path().join("log")).unwrap()).unwrap();
}
