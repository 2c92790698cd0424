//! What several roots make of one place: each instance is judged, accepted and held against the base by itself, and told once.

mod support;

use support::change::Change;
use support::report::{list, places};
use support::run::{gate, scanned};
use support::tree;

const RULE: &str = "aws-rds-publicly-accessible";
const MODULE: &str = "variable \"public\" {\n  default = true\n}\nresource \"aws_db_instance\" \"main\" {\n  publicly_accessible = var.public\n}\n";
const OPEN: &str = "module \"db\" {\n  source = \"../../modules/db\"\n}\n";
const CLOSED: &str = "module \"db\" {\n  source = \"../../modules/db\"\n  public = false\n}\n";

fn environments(dev: &str, prod: &str) -> Change {
    Change::from(&[("modules/db/main.tf", MODULE), ("envs/dev/main.tf", dev), ("envs/prod/main.tf", prod)])
}

fn select() -> [&'static str; 2] {
    ["--select", RULE]
}

#[test]
fn what_two_roots_make_of_a_module_is_told_once() {
    let folder = tree(&[("modules/db/main.tf", MODULE), ("envs/dev/main.tf", OPEN), ("envs/prod/main.tf", OPEN)]);
    let (code, report) = scanned(folder.path(), &["--select", RULE]);
    assert_eq!((code, places(&report)), (1, vec![format!("modules/db/main.tf:2 {RULE}")]));
}

#[test]
fn a_root_that_becomes_open_is_new_though_another_was_open() {
    let judged = environments(OPEN, CLOSED).write("envs/prod/main.tf", OPEN).judged(&select());
    assert_eq!((judged.code, judged.of("new").len(), judged.fixed().len()), (1, 1, 0));
    // Whatever else the change touches.
    for (path, text) in [("envs/dev/main.tf", OPEN), ("modules/db/main.tf", MODULE)] {
        let change = environments(OPEN, CLOSED).write("envs/prod/main.tf", OPEN);
        let judged = change.write(path, &format!("# a word\n{text}")).judged(&select());
        assert_eq!((judged.code, judged.of("new").len(), judged.fixed().len()), (1, 1, 0), "{path}");
        let change = environments(OPEN, CLOSED).write("envs/uat/main.tf", OPEN);
        let judged = change.write(path, &format!("# a word\n{text}")).judged(&select());
        assert_eq!((judged.code, judged.of("new").len(), judged.fixed().len()), (1, 1, 0), "{path}");
    }
}

#[test]
fn a_word_in_one_of_two_roots_changes_nothing() {
    for path in ["envs/dev/main.tf", "envs/prod/main.tf"] {
        let judged = environments(OPEN, OPEN).write(path, &format!("# a word\n{OPEN}")).judged(&select());
        judged.assert_unchanged(path);
    }
    let judged = environments(OPEN, OPEN).write("modules/db/main.tf", &format!("# a word\n{MODULE}")).judged(&select());
    judged.assert_unchanged("the module");
}

#[test]
fn what_still_stands_in_one_root_is_not_mended() {
    let judged = environments(OPEN, OPEN).write("envs/prod/main.tf", CLOSED).judged(&select());
    assert_eq!((judged.code, judged.of("old").len(), judged.fixed().len()), (0, 1, 0));
    let change = environments(OPEN, OPEN).write("envs/prod/main.tf", CLOSED).write("envs/dev/main.tf", CLOSED);
    let judged = change.judged(&select());
    assert_eq!((judged.code, judged.of("old").len(), judged.fixed().len()), (0, 0, 1));
}

#[test]
fn a_suppression_at_a_call_covers_what_that_call_makes() {
    let dev = OPEN.replacen("module", &format!("# gate: ignore[{RULE}] a sandbox\nmodule"), 1);
    let folder = tree(&[("modules/db/main.tf", MODULE), ("envs/dev/main.tf", &dev), ("envs/prod/main.tf", OPEN)]);
    let (code, report) = scanned(folder.path(), &["--select", RULE]);
    assert_eq!((code, list(&report, "findings").len(), list(&report, "suppressed").len()), (1, 1, 1));
    let folder = tree(&[("modules/db/main.tf", MODULE), ("envs/dev/main.tf", &dev), ("envs/prod/main.tf", CLOSED)]);
    let (code, report) = scanned(folder.path(), &["--select", RULE]);
    assert_eq!((code, list(&report, "findings").len(), list(&report, "suppressed").len()), (0, 0, 1));
}

#[test]
fn a_baseline_accepts_what_each_root_made() {
    let judge = |before: &str, after: &str| {
        let folder = tree(&[("modules/db/main.tf", MODULE), ("envs/dev/main.tf", OPEN), ("envs/prod/main.tf", before)]);
        let written = gate(folder.path(), &["baseline", "write", "--select", RULE]);
        assert!(written.status.success(), "{written:?}");
        std::fs::write(folder.path().join("envs/prod/main.tf"), after).expect("a file");
        scanned(folder.path(), &["--select", RULE, "--baseline", ".gate-baseline.json"]).0
    };
    assert_eq!((judge(OPEN, OPEN), judge(CLOSED, OPEN), judge(OPEN, CLOSED)), (0, 1, 0));
}

#[test]
fn an_environment_that_becomes_exposed_is_worse() {
    let main = "variable \"public\" {\n  type = bool\n}\nresource \"aws_db_instance\" \"main\" {\n  publicly_accessible = var.public ? true : false\n}\n";
    let config = "version: 1\nterraform:\n  environments:\n    dev: [env/dev.tfvars]\n    prod: [env/prod.tfvars]\n";
    let (open, closed) = ("public = true\n", "public = false\n");
    let change = |dev, prod| {
        Change::from(&[("main.tf", main), ("gate.yaml", config), ("env/dev.tfvars", dev), ("env/prod.tfvars", prod)])
    };
    let judged = change(open, closed).write("env/prod.tfvars", open).judged(&select());
    assert_eq!(judged.code, 1, "{:#}", judged.report);
    let judged = change(open, closed).write("env/dev.tfvars", closed).judged(&select());
    assert_eq!(judged.code, 0);
    change(open, closed).write("main.tf", &format!("# a word\n{main}")).judged(&select()).assert_unchanged("a word");
}

#[test]
fn an_object_of_a_cluster_is_known_in_another_file() {
    let pod = |name: &str, image: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  hostNetwork: true\n  containers:\n    - name: app\n      image: registry.acme.test/{image}\n"
        )
    };
    let (web, api) = (pod("web", "web:1.0"), pod("api", "api:1.0"));
    let change = Change::from(&[("all.yaml", &format!("{web}---\n{api}"))]);
    let change = change.remove("all.yaml").write("web.yaml", &pod("web", "web:1.1")).write("api.yaml", &api);
    change.judged(&["--select", "k8s-host-network"]).assert_unchanged("a file in two");
    let change = Change::from(&[("web.yaml", &web)]).write("other.yaml", &pod("other", "web:1.0"));
    let judged = change.judged(&["--select", "k8s-host-network"]);
    assert_eq!((judged.code, judged.of("new").len()), (1, 1), "another object is another one");
}

#[test]
fn the_image_is_known_though_its_stages_are_others() {
    let change = Change::from(&[("Dockerfile", "FROM golang:1.25\nRUN go build -o /shop .\nCMD [\"/shop\"]\n")]);
    let stages = "FROM golang:1.25 AS build\nRUN go build -o /shop .\nFROM alpine:3.22\nCOPY --from=build /shop /shop\nCMD [\"/shop\"]\n";
    let judged = change.write("Dockerfile", stages).judged(&["--select", "container-run-as-root"]);
    judged.assert_unchanged("two stages");
}
