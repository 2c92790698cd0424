//! How far a suppression reaches: blocks, files, objects and what kustomizations make of them.

use std::path::Path;

use serde_json::Value;

use crate::support::report::list;
use crate::support::run::scanned;
use crate::support::tree;

/// The places of what is found, and of what is suppressed, by path and line; and what is told.
fn scan(folder: &Path, rule: &str) -> (Vec<String>, Vec<String>, String) {
    let (_, report) = scanned(folder, &[".", "--select", rule]);
    let place = |one: &Value| format!("{}:{}", one["path"].as_str().unwrap(), one["line"]);
    let found = list(&report, "findings").iter().map(|one| place(&one["at"])).collect();
    let gone = list(&report, "suppressed").iter().map(|one| place(&one["finding"]["at"])).collect();
    (found, gone, report["problems"].to_string())
}

const BUCKET: &str = "resource \"aws_s3_bucket\" \"b\" {\n  acl = \"public-read\"\n}\n";

#[test]
fn a_file_says_nothing_about_what_its_modules_create_elsewhere() {
    let call = "module \"site\" {\n  source = \"./site\"\n}\n";
    for comment in ["# gate: ignore-file[aws-s3-public-acl] all public", "# kics-scan ignore"] {
        let main = format!("{comment}\n{BUCKET}{call}");
        let folder = tree(&[("main.tf", &main), ("site/main.tf", BUCKET)]);
        let (found, gone, _) = scan(folder.path(), "aws-s3-public-acl");
        assert_eq!((found, gone), (vec!["site/main.tf:2".into()], vec!["main.tf:3".into()]), "{comment}");
    }
    let json = r#"{"//": "gate: ignore[aws-s3-public-acl] all public", "module": {"site": {"source": "./site"}}}"#;
    let folder = tree(&[("main.tf.json", json), ("site/main.tf", BUCKET)]);
    assert_eq!(scan(folder.path(), "aws-s3-public-acl").0, ["site/main.tf:2"]);
    let on_call = format!("# gate: ignore[aws-s3-public-acl] this site\n{call}");
    let folder = tree(&[("main.tf", &on_call), ("site/main.tf", BUCKET)]);
    assert_eq!(scan(folder.path(), "aws-s3-public-acl").1, ["site/main.tf:2"], "the call itself does");
}

#[test]
fn a_comment_on_a_header_reaches_all_that_begins_there() {
    let dynamic = r#"resource "aws_security_group" "t" {
  # gate: ignore[aws-security-group-public-ssh] jump host
  dynamic "ingress" {
    for_each = [22]
    content {
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }
}
"#;
    let container = r#"resource "aws_ecs_task_definition" "t" {
  family = "x"
  container_definitions = jsonencode([
    { # gate: ignore[container-privileged] agent
      name       = "a"
      privileged = true
    },
    {
      name       = "b"
      privileged = true
    },
  ])
}
"#;
    for (text, rule, found, gone) in [
        (dynamic, "aws-security-group-public-ssh", vec![], vec!["main.tf:9"]),
        (container, "container-privileged", vec!["main.tf:10"], vec!["main.tf:6"]),
    ] {
        let folder = tree(&[("main.tf", text)]);
        let (is, was, told) = scan(folder.path(), rule);
        assert_eq!(
            (is, was, told.as_str()),
            (
                found.iter().map(|one: &&str| one.to_string()).collect(),
                gone.iter().map(|one| one.to_string()).collect(),
                "[]"
            )
        );
    }
}

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: c
      image: nginx:1.2
      securityContext:
        privileged: true
";
const PATCH: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations:
    gate.dev/ignore.container-privileged: dev cluster only
";

#[test]
fn an_annotation_of_an_overlay_covers_that_overlay_alone() {
    let dev = "resources: [../../base]\npatches:\n  - path: p.yaml\n";
    let (base, prod) = ("resources: [pod.yaml]\n", "resources: [../../base]\n");
    let common = "resources: [../../base]\ncommonAnnotations:\n  checkov.io/skip1: CKV_K8S_16=dev only\n";
    for dev in [dev, common] {
        let mut files =
            vec![("base/kustomization.yaml", base), ("base/pod.yaml", POD), ("overlays/dev/kustomization.yaml", dev)];
        if dev != common {
            files.push(("overlays/dev/p.yaml", PATCH));
        }
        let rules = "container-privileged,gate-unused-suppression";
        let (found, gone, _) = scan(tree(&files).path(), rules);
        assert_eq!((found, gone), (vec![], vec!["base/pod.yaml:10".to_string()]), "{dev}");
        files.push(("overlays/prod/kustomization.yaml", prod));
        let (found, gone, _) = scan(tree(&files).path(), rules);
        assert_eq!((found.len(), gone.len()), (1, 1), "{dev}");
    }
    // What the object itself says goes with every copy.
    let pod = PATCH.to_string() + POD.split_once("web\n").unwrap().1;
    let files = [
        ("base/kustomization.yaml", base),
        ("base/pod.yaml", &*pod),
        ("a/kustomization.yaml", "resources: [../base]\n"),
        ("b/kustomization.yaml", "resources: [../base]\n"),
    ];
    let (found, gone, _) = scan(tree(&files).path(), "container-privileged,gate-unused-suppression");
    assert_eq!((found, gone.is_empty()), (vec![], false));
}

#[test]
fn a_comment_beside_a_document_mark_speaks_of_the_document() {
    let pod = format!("--- # gate: ignore[container-privileged] agent\n{POD}--- # the next\n{POD}");
    let (found, gone, told) = scan(tree(&[("pod.yaml", &pod)]).path(), "container-privileged");
    assert_eq!((found, gone, told.as_str()), (vec!["pod.yaml:22".into()], vec!["pod.yaml:11".to_string()], "[]"));
}

#[test]
fn a_comment_on_a_key_around_several_objects_reaches_them() {
    let compose = "services: # gate: ignore[container-privileged] lab\n  a:\n    image: n:1\n    privileged: true\n  b:\n    image: n:1\n    privileged: true\n";
    let (found, gone, told) = scan(tree(&[("compose.yaml", compose)]).path(), "container-privileged");
    assert_eq!((found, gone.len(), told.as_str()), (vec![], 2, "[]"));
}

#[test]
fn what_is_no_comment_behind_an_instruction_is_told() {
    let docker = "FROM debian:12\nUSER root # gate: ignore[container-run-as-root] tests\n# gate: ignore[docker-cd] x\nRUN a \\\n  # gate: ignore[docker-cd] y\n  b\n";
    let (_, _, told) = scan(tree(&[("Dockerfile", docker)]).path(), "container-run-as-root");
    assert_eq!(told.matches("does not act behind an instruction").count(), 1, "{told}");
}
