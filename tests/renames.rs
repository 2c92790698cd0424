//! Files and folders that a change renames: their findings are old, whatever else the change does.
#![allow(clippy::unwrap_used)]

mod support;

use support::change::{Change, Judged};
use support::run::scanned;

/// A manifest with an open container.
fn deployment(name: &str, version: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: shop
  labels:
    app: {name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      containers:
        - name: main
          image: registry.test/{name}:{version}
          securityContext:
            privileged: true
"
    )
}

/// A security group and a database.
fn network(description: &str, port: u16, cidr: &str, is_public: bool) -> String {
    format!(
        r#"resource "aws_security_group" "a" {{
  name        = "a"
  description = "{description}"
  ingress {{
    description = "x"
    from_port   = {port}
    to_port     = {port}
    protocol    = "tcp"
    cidr_blocks = ["{cidr}"]
  }}
}}
resource "aws_db_instance" "d" {{
  publicly_accessible = {is_public}
}}
"#
    )
}

const BACKEND: &str = "terraform {\n  required_version = \">= 1.5\"\n}\n";

#[test]
fn a_deleted_file_does_not_take_the_place_of_one_that_moved() {
    let base = Change::from(&[("alpha.yaml", &deployment("alpha", "1.0")), ("beta.yaml", &deployment("beta", "1.0"))]);
    let moved = base.remove("alpha.yaml").remove("beta.yaml").write("apps/beta.yaml", &deployment("beta", "1.1"));
    let judged = moved.judged(&[]);
    assert_eq!((judged.of("new"), judged.code), (vec![], 0));
    assert_eq!(judged.fixed().len(), judged.of("old").len());
}

#[test]
fn folders_with_equal_files_keep_their_findings_when_they_are_renamed() {
    let (dev, prod) = (network("devel", 22, "0.0.0.0/0", true), network("prod", 443, "10.0.0.0/8", false));
    let base = || {
        let files = [("dev/main.tf", &*dev), ("prod/main.tf", &prod)];
        Change::from(&[files[0], files[1], ("dev/backend.tf", BACKEND), ("prod/backend.tf", BACKEND)])
    };
    // In the order of paths, each would take the place of the other.
    let moved = base();
    moved.git(&["mv", "dev", "sandbox"]);
    moved.git(&["mv", "prod", "live"]);
    moved.judged(&[]).assert_unchanged("two folders renamed");
    let edited = moved.write("sandbox/main.tf", &dev.replace("devel", "sandbox"));
    edited.write("live/main.tf", &prod.replace("prod", "live")).judged(&[]).assert_unchanged("with an edit in each");
}

#[test]
fn hundreds_of_files_that_move_with_an_edit_each_keep_their_findings() {
    let names: Vec<String> = (100..320).map(|number| format!("svc{number}")).collect();
    let files: Vec<(String, String)> =
        names.iter().map(|name| (format!("k8s/{name}.yaml"), deployment(name, "1.0"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut change = Change::from(&files);
    std::fs::remove_dir_all(change.path().join("k8s")).unwrap();
    for name in &names {
        change = change.write(&format!("deploy/{name}.yaml"), &deployment(name, "1.1"));
    }
    change.judged(&["--select", "container-privileged"]).assert_unchanged("a mass move");
}

/// What a scan of some paths says of the change: the exit code, and the number of new, old and fixed findings.
fn of_paths(change: &Change, paths: &[&str]) -> (i32, usize, usize, usize) {
    change.commit();
    let (code, report) = scanned(change.path(), &[&["--base", "main"], paths].concat());
    let judged = Judged { code, report };
    (code, judged.of("new").len(), judged.of("old").len(), judged.fixed().len())
}

#[test]
fn a_folder_that_is_scanned_alone_keeps_the_findings_of_what_was_renamed_into_it() {
    let text = network("web", 22, "0.0.0.0/0", true);
    let base = || Change::from(&[("terraform/main.tf", &text), ("terraform/backend.tf", BACKEND), ("a.txt", "a\n")]);
    let (code, new, old, fixed) = of_paths(&base(), &["terraform"]);
    assert_eq!((code, new, fixed), (0, 0, 0));
    let moved = base();
    moved.git(&["mv", "terraform", "infra"]);
    for paths in [&["infra"][..], &["infra/main.tf"], &["infra/main.tf", "infra/backend.tf"]] {
        assert_eq!(of_paths(&moved, paths), (0, 0, old, 0), "{paths:?}");
    }
    let edited = moved.write("infra/live/web/main.tf", &text.replace("\"web\"", "\"shop\""));
    assert_eq!(of_paths(&edited.remove("infra/main.tf"), &["infra"]), (0, 0, old, 0), "deeper, with an edit");
}

#[test]
fn a_folder_that_the_change_brings_was_empty() {
    let text = network("web", 22, "0.0.0.0/0", true);
    let brought = Change::from(&[("a.txt", "a\n")]).write("infra/main.tf", &text);
    let (code, new, old, fixed) = of_paths(&brought, &["infra"]);
    assert!(new > 0);
    assert_eq!((code, old, fixed), (1, 0, 0));
    // What the base has in sight of nobody is new where it is judged.
    let hidden = Change::from(&[("gate.yaml", "exclude: [tests]\n"), ("tests/main.tf", &text)]);
    hidden.git(&["mv", "tests", "infra"]);
    assert_eq!(of_paths(&hidden, &["infra"]), (1, new, 0, 0));
    let copied = Change::from(&[("terraform/main.tf", &text)]).write("infra/main.tf", &text);
    assert_eq!(of_paths(&copied, &["infra"]), (1, new, 0, 0), "what stays where it was did not move");
}
