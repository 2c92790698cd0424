//! Modules that `terraform init` installed are judged through the calls that they were installed for, and never trusted.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::report::{list, text};
use support::run::scanned;
use support::tree;

const MAIN: &str = r#"module "database" {
  source  = "acme/database/aws"
  version = "~> 2.1"
  public  = true
}
"#;

const DATABASE: &str = r#"variable "public" {
  type = bool
}

resource "aws_db_instance" "this" {
  publicly_accessible = var.public
  storage_encrypted   = true
}
"#;

const LIST: &str = r#"{"Modules":[
  {"Key":"","Source":"","Dir":"."},
  {"Key":"database","Source":"registry.terraform.io/acme/database/aws","Version":"2.1.4","Dir":".terraform/modules/database"}
]}"#;

fn installed() -> tempfile::TempDir {
    tree(&[
        (".gitignore", ".terraform/\n"),
        ("infra/main.tf", MAIN),
        ("infra/.terraform/modules/modules.json", LIST),
        ("infra/.terraform/modules/database/main.tf", DATABASE),
        ("infra/.terraform/modules/database/examples/open/main.tf", "resource \"broken\" {\n"),
        ("infra/.terraform/providers/x/main.tf", "resource \"broken\" {\n"),
    ])
}

fn scan(folder: &Path, path: &str) -> (i32, Value) {
    scanned(folder, &["--select", "aws-rds-publicly-accessible", path])
}

/// `path:line address` of every finding.
fn findings(report: &Value) -> Vec<String> {
    let shown = |one: &Value| format!("{}:{} {}", text(&one["at"]["path"]), one["at"]["line"], text(&one["address"]));
    list(report, "findings").iter().map(shown).collect()
}

fn only_problem(report: &Value) -> String {
    let problems = list(report, "problems");
    assert_eq!(problems.len(), 1, "{problems:#?}");
    format!("{} {}", text(&problems[0]["kind"]), text(&problems[0]["message"]))
}

#[test]
fn an_installed_module_is_judged_through_its_call_and_at_the_argument() {
    let folder = installed();
    for path in [".", "infra", "infra/main.tf"] {
        let (code, report) = scan(folder.path(), path);
        let main = if path == "infra" { "main.tf" } else { "infra/main.tf" };
        assert_eq!(findings(&report), [format!("{main}:4 module.database.aws_db_instance.this")], "{path}");
        assert_eq!((code, list(&report, "problems").len()), (1, 0), "{path}: {report:#}");
        assert_eq!(report["counts"]["files_read"]["terraform"], 2, "{path}");
    }
}

#[test]
fn what_is_wrong_in_installed_code_itself_is_told_at_the_call() {
    let folder = installed();
    let file = folder.path().join("infra/.terraform/modules/database/main.tf");
    std::fs::write(file, DATABASE.replace("var.public", "true")).unwrap();
    let (_, report) = scan(folder.path(), ".");
    assert_eq!(findings(&report), ["infra/main.tf:1 module.database.aws_db_instance.this"]);
}

#[test]
fn a_call_in_a_local_module_finds_what_its_root_installed() {
    let list = LIST.replace("\"Key\":\"database\"", "\"Key\":\"app.database\"");
    let folder = tree(&[
        ("prod/main.tf", "module \"app\" {\n  source = \"../app\"\n}\n"),
        ("app/main.tf", MAIN),
        ("prod/.terraform/modules/modules.json", &list),
        ("prod/.terraform/modules/database/main.tf", DATABASE),
    ]);
    let (code, report) = scan(folder.path(), ".");
    assert_eq!(findings(&report), ["app/main.tf:4 module.app.module.database.aws_db_instance.this"]);
    assert_eq!(code, 1);
}

#[test]
fn what_was_installed_for_another_source_or_version_is_not_used() {
    for (was, is) in [("acme/database/aws", "acme/postgres/aws"), ("~> 2.1", "~> 3.0")] {
        let folder = installed();
        std::fs::write(folder.path().join("infra/main.tf"), MAIN.replace(was, is)).unwrap();
        let (code, report) = scan(folder.path(), ".");
        assert_eq!(code, 2);
        assert_eq!(findings(&report), Vec::<String>::new());
        let problem = only_problem(&report);
        assert!(problem.starts_with("unread module \"database\" was not read: its source"), "{problem}");
        assert!(problem.ends_with("is not what is installed in .terraform/modules"), "{problem}");
    }
}

#[test]
fn a_list_cannot_lead_out_of_the_scanned_folder() {
    for place in ["../../elsewhere", "/elsewhere"] {
        let folder = installed();
        let list = LIST.replace(".terraform/modules/database", place);
        std::fs::write(folder.path().join("infra/.terraform/modules/modules.json"), list).unwrap();
        let (code, report) = scan(folder.path(), ".");
        assert_eq!(code, 2);
        let problem = only_problem(&report);
        assert!(problem.contains(place) && problem.ends_with("outside the scanned folder"), "{problem}");
    }
}

#[cfg(unix)]
#[test]
fn installed_code_behind_a_link_is_not_read() {
    let (folder, outside) = (installed(), tree(&[("main.tf", DATABASE)]));
    let module = folder.path().join("infra/.terraform/modules/database");
    std::fs::remove_dir_all(&module).unwrap();
    std::os::unix::fs::symlink(outside.path(), &module).unwrap();
    let (code, report) = scan(folder.path(), ".");
    assert_eq!((code, findings(&report)), (2, Vec::new()));
    let problem = only_problem(&report);
    assert!(problem.contains("there is no Terraform file in infra/.terraform/modules/database"), "{problem}");
}

#[test]
fn a_list_that_is_none_is_a_problem() {
    let folder = installed();
    std::fs::write(folder.path().join("infra/.terraform/modules/modules.json"), "{\"Modules\": 1}").unwrap();
    let (code, report) = scan(folder.path(), ".");
    assert_eq!(code, 2);
    let mut problems = list(&report, "problems").iter();
    assert!(problems.any(|one| one["kind"] == "syntax" && one["path"] == "infra/.terraform/modules/modules.json"));
}
