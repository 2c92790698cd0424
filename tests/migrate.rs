//! Suppressions of other tools in gate's own form: what is suppressed is the same before and after.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use support::{run, tree};

fn gate(folder: &Path, arguments: &[&str]) -> String {
    let output = run::gate(folder, arguments);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Rule, path, address and message.
type Key = (String, String, String, String);

/// What is suppressed, whatever the lines, and by whose syntax.
fn suppressed(folder: &Path) -> (BTreeSet<Key>, BTreeSet<String>) {
    let report: Value =
        serde_json::from_str(&gate(folder, &["scan", "--select", "all", "--format", "json"])).expect("JSON");
    let all = report["suppressed"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().unwrap_or("").to_string();
    let key = |one: &Value| {
        let finding = &one["finding"];
        (text(&finding["rule"]), text(&finding["at"]["path"]), text(&finding["address"]), text(&finding["message"]))
    };
    (all.iter().map(key).collect(), all.iter().map(|one| text(&one["dialect"])).collect())
}

const TERRAFORM: &str = r#"resource "aws_db_instance" "checkov" {
  # checkov:skip=CKV_AWS_17: public demo
  publicly_accessible = true
  storage_encrypted   = false # checkov:skip=CKV_AWS_16:old data
}

#trivy:ignore:AVD-AWS-0180:exp:2099-03-02 a demo
resource "aws_db_instance" "trivy" {
  publicly_accessible = true
  #tfsec:ignore:AVD-AWS-0080
  storage_encrypted = false
}

resource "aws_db_instance" "trailing" {
  publicly_accessible = true // trivy:ignore:AVD-AWS-0180
  storage_encrypted   = true
}

module "db" {
  source = "./db" #trivy:ignore:AVD-AWS-0180
}
"#;

const MODULE: &str = "resource \"aws_db_instance\" \"inner\" {\n  publicly_accessible = true\n}\n";

const DOCKERFILE: &str = "\
# syntax=docker/dockerfile:1
# hadolint global ignore=DL3059
# hadolint ignore=DL3006
FROM debian AS build
# hadolint ignore=DL3008,DL3015
RUN apt-get update && apt-get install -y curl
RUN cd /tmp
RUN cd /opt
# checkov:skip=CKV_DOCKER_2:a batch job
# hadolint stage ignore=DL3007
FROM debian:latest
RUN echo
";

const MANIFEST: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: job
  annotations:
    ignore-check.kube-linter.io/latest-tag: pinned by the cluster
    checkov.io/skip1: CKV_K8S_16=needs the host
    other: kept
spec:
  containers:
    - name: main
      image: shop:latest
      securityContext:
        privileged: true
";

const IDLE: &str = "left: main.tf:21: it suppresses nothing: take it away, or place it above what is meant\n";

fn files() -> Vec<(&'static str, &'static str)> {
    vec![("main.tf", TERRAFORM), ("db/main.tf", MODULE), ("Dockerfile", DOCKERFILE), ("pod.yaml", MANIFEST)]
}

#[test]
fn what_is_suppressed_is_the_same_before_and_after() {
    for (name, text) in files() {
        let mut alone = vec![(name, text)];
        if name == "main.tf" {
            alone.push(("db/main.tf", MODULE));
        }
        let folder = tree(&alone);
        let (before, _) = suppressed(folder.path());
        let diff = gate(folder.path(), &["migrate"]);
        assert_eq!(
            std::fs::read_to_string(folder.path().join(name)).expect("a file"),
            text,
            "nothing is written unless told"
        );
        gate(folder.path(), &["migrate", "--write"]);
        let (after, dialects) = suppressed(folder.path());
        if name != "db/main.tf" {
            assert!(!before.is_empty(), "{name}");
            assert!(diff.contains("@@") && diff.contains("+") && diff.contains("gate"), "{diff}");
            let text = std::fs::read_to_string(folder.path().join(name)).expect("a file");
            assert_eq!(dialects, BTreeSet::from(["gate".to_string()]), "{text}");
        }
        assert_eq!(before, after, "{name}\n{diff}");
        // The comment on the source of a module is Trivy's for that line, on which nothing is found.
        let again = if name == "main.tf" { IDLE } else { "nothing to migrate\n" };
        assert_eq!(gate(folder.path(), &["migrate"]), again, "once is enough");
    }
}

#[test]
fn reasons_days_and_directives_are_kept() {
    let folder = tree(&files());
    gate(folder.path(), &["migrate", "--write"]);
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
    let main = text("main.tf");
    for part in [
        "# gate: ignore[aws-rds-publicly-accessible] public demo\n",
        "# gate: ignore[aws-rds-publicly-accessible] until=2099-03-01 a demo\nresource",
        "storage_encrypted   = false\n",
        "publicly_accessible = true // gate: ignore[aws-rds-publicly-accessible] ",
    ] {
        assert!(main.contains(part), "{part} in {main}");
    }
    let docker = text("Dockerfile");
    assert!(docker.starts_with("# syntax=docker/dockerfile:1\n# gate: ignore-file["), "{docker}");
    let pod = text("pod.yaml");
    assert!(pod.contains(": \"pinned by the cluster\"\n") && pod.contains("    other: kept\n"), "{pod}");
}

#[test]
fn what_means_more_than_it_names_is_left_and_told() {
    let main = "\
#trivy:ignore:*
resource \"aws_db_instance\" \"a\" {
  publicly_accessible = true
}
#trivy:ignore:AVD-AWS-0180[publicly_accessible=true]
resource \"aws_db_instance\" \"b\" {
  publicly_accessible = true
}
resource \"aws_db_instance\" \"c\" {
  # checkov:skip=CKV_NONE_9:whatever
  publicly_accessible = true
}
";
    let folder = tree(&[("main.tf", main)]);
    let told = gate(folder.path(), &["migrate", "--write"]);
    for part in [
        "main.tf:1: it speaks of more rules",
        "main.tf:5: it holds only for",
        "main.tf:10: no rule or alias is called `CKV_NONE_9`",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("main.tf")).expect("a file"), main);
}

#[test]
fn line_ends_and_marks_of_a_file_stay() {
    let text =
        format!("\u{feff}{}", MODULE.replace("true\n", "true #trivy:ignore:AVD-AWS-0180\n").replace('\n', "\r\n"));
    let folder = tree(&[("main.tf", &text)]);
    gate(folder.path(), &["migrate", "--write"]);
    let new = std::fs::read_to_string(folder.path().join("main.tf")).expect("a file");
    assert!(
        new.starts_with('\u{feff}') && new.contains("# gate: ignore[") && new.matches("\r\n").count() == 3,
        "{new:?}"
    );
}

#[test]
fn settings_become_a_gate_yaml_only_where_there_is_none() {
    let folder = tree(&[("main.tf", "locals {}\n"), (".checkov.yaml", "skip-check: [CKV_AWS_17]\n")]);
    let shown = gate(folder.path(), &["migrate"]);
    assert!(shown.contains("ignore-rules:\n  - \"aws-rds-publicly-accessible\" # CKV_AWS_17\n"), "{shown}");
    assert!(!folder.path().join("gate.yaml").exists());
    gate(folder.path(), &["migrate", "--write"]);
    let written = std::fs::read_to_string(folder.path().join("gate.yaml")).expect("a file");
    assert!(written.contains("aws-rds-publicly-accessible"), "{written}");
    std::fs::write(folder.path().join("gate.yaml"), "version: 1\n").expect("a file");
    gate(folder.path(), &["migrate", "--write"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("gate.yaml")).expect("a file"), "version: 1\n");
}

#[test]
fn what_suppresses_nothing_does_not_become_a_finding() {
    let main = "\
resource \"aws_s3_bucket\" \"b\" {
  # checkov:skip=CKV_AWS_20:meant to be read
  acl = \"public-read\"
}
# checkov:skip=CKV_AWS_17:nothing is here
locals {
  a = 1
}
";
    let pod = MANIFEST.replace("latest\n", "1.2.3\n");
    let folder = tree(&[("main.tf", main), ("pod.yaml", &pod)]);
    assert!(gate(folder.path(), &["migrate"]).contains("\n2 files would change: "));
    let told = gate(folder.path(), &["migrate", "--write"]);
    let idle = "it suppresses nothing";
    for part in [format!("main.tf:5: {idle}"), format!("pod.yaml:6: {idle}")] {
        assert!(told.contains(&part), "{part} in {told}");
    }
    let report: Value = serde_json::from_str(&gate(folder.path(), &["scan", "--format", "json"])).expect("JSON");
    let found = report["findings"].as_array().expect("a list");
    assert!(found.iter().all(|one| one["rule"] != "gate-unused-suppression"), "{found:#?}");
    let alone = tree(&[("main.tf", TERRAFORM.split("\n\n").next().expect("a block"))]);
    assert!(gate(alone.path(), &["migrate"]).contains("\n1 file would change: "));
}

const PRIVILEGED: &str = "\
spec:
  containers:
    - name: c
      image: nginx:1.2
      securityContext:
        privileged: true
        allowPrivilegeEscalation: true
";

/// Migrates a file and gives it as it is then; what is suppressed stays.
fn migrated(path: &str, text: &str) -> String {
    let folder = tree(&[(path, text)]);
    let (before, _) = suppressed(folder.path());
    let told = gate(folder.path(), &["migrate", "--write"]);
    assert_eq!(suppressed(folder.path()).0, before, "{told}");
    std::fs::read_to_string(folder.path().join(path)).expect("a file")
}

#[test]
fn keys_that_are_sorted_otherwise_are_no_obstacle() {
    let head = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n";
    let annotations = "    checkov.io/skip1: CKV_K8S_20=needs setuid\n    checkov.io/skip2: CKV_K8S_16=node agent\n";
    let new = migrated("p.yaml", &format!("{head}{annotations}{PRIVILEGED}"));
    assert!(new.contains("gate.dev/ignore.container-privileged: \"node agent\"\n"), "{new}");
    assert!(new.contains("gate.dev/ignore.k8s-privilege-escalation: \"needs setuid\"\n"), "{new}");
}

#[test]
fn annotations_on_one_line_are_all_rewritten() {
    let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b","annotations":{"checkov.io/skip1":"CKV_K8S_16=agent","x":"1","checkov.io/skip2":"CKV_K8S_20=setuid"}},"spec":{"containers":[{"name":"c","image":"nginx:1.2","securityContext":{"privileged":true,"allowPrivilegeEscalation":true}}]}}"#;
    let new = migrated("pod.json", pod);
    let annotations = r#"{"gate.dev/ignore.container-privileged": "agent","x":"1","gate.dev/ignore.k8s-privilege-escalation": "setuid"}"#;
    assert!(new.contains(annotations), "{new}");
    let flow = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: b\n  annotations: {{checkov.io/skip1: CKV_K8S_16=agent, checkov.io/skip2: CKV_K8S_20=setuid}}\n{PRIVILEGED}"
    );
    let new = migrated("p.yaml", &flow);
    assert_eq!(new.matches("gate.dev/ignore.").count(), 2, "{new}");
}

#[test]
fn words_of_a_reason_do_not_become_options() {
    let text = MODULE.replace("  publicly", "  # checkov:skip=CKV_AWS_17:gone until=2020-01-01 (by=me)\n  publicly");
    let new = migrated("main.tf", &text);
    assert!(new.contains("gone until: 2020-01-01 (by: me)"), "{new}");
}

#[cfg(unix)]
#[test]
fn a_link_is_left_and_what_it_leads_to_is_rewritten() {
    let text = MODULE.replace("true\n", "true #trivy:ignore:AVD-AWS-0180\n");
    let folder = tree(&[("b/main.tf", &text), ("c/main.tf", &text), ("a/x.tf", "locals {}\n")]);
    std::os::unix::fs::symlink("../b/main.tf", folder.path().join("a/main.tf")).expect("a link");
    let told = gate(folder.path(), &["migrate", "--write"]);
    assert!(told.contains("left: a/main.tf:2: the file is a link"), "{told}");
    assert!(told.contains("2 files rewritten"), "{told}");
    for name in ["a/main.tf", "b/main.tf", "c/main.tf"] {
        let new = std::fs::read_to_string(folder.path().join(name)).expect("a file");
        assert!(new.contains("# gate: ignore["), "{name}: {new}");
    }
    assert!(folder.path().join("a/main.tf").symlink_metadata().expect("it is there").is_symlink());
}

#[test]
fn comments_in_texts_of_no_format_are_rewritten_too() {
    let secret = ["hunter2", "Hunter2xx"].concat();
    let line = |sign: &str| format!("password = \"{secret}\" {sign} checkov:skip=CKV_SECRET_6: accepted\n");
    let folder = tree(&[("a.py", &line("#")), ("b.vb", &line("'")), ("gate.yaml", "version: 1\n")]);
    let (before, _) = suppressed(folder.path());
    assert_eq!(before.len(), 2);
    gate(folder.path(), &["migrate", "--write"]);
    let (after, dialects) = suppressed(folder.path());
    assert_eq!((after, dialects), (before, BTreeSet::from(["gate".to_string()])));
}
