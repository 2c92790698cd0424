//! Files that a change begins or ceases to need: they stood for themselves before, or do so only now.
#![allow(clippy::unwrap_used)]

mod support;

use support::change::{Change, Judged};

const APP: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      containers:
        - name: one
          image: a/b:1.0
          securityContext: {privileged: true}
";

const MODULE: &str = r#"variable "is_public" {
  type    = bool
  default = true
}

resource "aws_db_instance" "d" {
  publicly_accessible = var.is_public
}
"#;

const PRIVILEGED: &str = "container-privileged";
const PUBLIC: &str = "aws-rds-publicly-accessible";

/// What is told of one rule.
fn of(judged: &Judged, status: &str, rule: &str) -> usize {
    judged.of(status).iter().filter(|one| one.starts_with(rule)).count()
}

#[test]
fn what_a_kustomization_takes_was_there_before() {
    let base = || Change::from(&[("k8s/app.yaml", APP), ("k8s/other.yaml", &APP.replace("name: a,", "name: b,"))]);
    let taken = base().write("k8s/kustomization.yaml", "resources: [app.yaml]\n");
    taken.judged(&[]).assert_unchanged("a kustomization for one of two");
    let over = taken.write("prod/kustomization.yaml", "resources: [../k8s]\n");
    over.judged(&[]).assert_unchanged("an overlay too");
    over.git(&["branch", "--force", "main"]);
    let both = over.write("k8s/kustomization.yaml", "resources: [app.yaml, other.yaml]\n");
    both.judged(&[]).assert_unchanged("the other is taken too");
    both.git(&["branch", "--force", "main"]);
    let without = both.remove("prod/kustomization.yaml").remove("k8s/kustomization.yaml");
    without.judged(&[]).assert_unchanged("no kustomization any more");
}

#[test]
fn what_a_module_takes_was_there_before() {
    let called =
        Change::from(&[("main.tf", MODULE)]).write("examples/a/main.tf", "module \"a\" { source = \"../..\" }\n");
    let judged = called.judged(&["--select", PUBLIC]);
    let counts = (of(&judged, "new", PUBLIC), of(&judged, "old", PUBLIC), judged.fixed().len());
    assert_eq!(counts, (1, 1, 0), "what stood for itself still does, and another instance is new");
    called.git(&["branch", "--force", "main"]);
    called.remove("examples/a/main.tf").judged(&["--select", PUBLIC]).assert_unchanged("the only caller goes");
    // What another calls besides stood for itself neither before nor now.
    let call = "module \"db\" {\n  source    = \"../db\"\n  is_public = false\n}\n";
    let called = Change::from(&[("a/main.tf", call), ("db/main.tf", MODULE)]).write("b/main.tf", call);
    let judged = called.judged(&["--select", PUBLIC]);
    assert_eq!((judged.of("new"), judged.of("old"), judged.fixed()), (vec![], vec![], vec![]));
}

#[test]
fn what_a_patch_no_longer_closes_is_new() {
    let patch = "resources: [app.yaml]
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: a, namespace: shop}
      spec: {template: {spec: {containers: [{name: one, securityContext: {privileged: false}}]}}}
";
    let base = || Change::from(&[("k8s/app.yaml", APP), ("k8s/kustomization.yaml", patch)]);
    assert!(base().judged(&["--select", PRIVILEGED]).of("old").is_empty());
    let judged = base().remove("k8s/kustomization.yaml").judged(&["--select", PRIVILEGED]);
    assert_eq!((of(&judged, "new", PRIVILEGED), judged.code), (1, 1));
    let emptied = base().write("k8s/kustomization.yaml", "resources: []\n").judged(&["--select", PRIVILEGED]);
    assert_eq!((of(&emptied, "new", PRIVILEGED), emptied.code), (1, 1));
}

#[test]
fn what_a_caller_no_longer_closes_is_new() {
    let call = "module \"db\" {\n  source    = \"./db\"\n  is_public = false\n}\n";
    let base = Change::from(&[("main.tf", call), ("db/main.tf", MODULE)]);
    assert!(base.judged(&["--select", PUBLIC]).of("old").is_empty());
    let judged = base.remove("main.tf").judged(&["--select", PUBLIC]);
    assert_eq!((of(&judged, "new", PUBLIC), judged.code), (1, 1));
}
