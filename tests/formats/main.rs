//! What readers of the formats rely on, held by facts about one small repository.

#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod fingerprints;
mod hostile;
mod markup;
mod outputs;
mod sarif;

use std::collections::BTreeSet;
use std::path::Path;

use gate::config::Config;
use gate::discover::{Walk, discover};
use gate::finding::Severity;
use gate::frontend::{FRONTENDS, Settings};
use gate::report::{FORMATS, Report, Style};
use gate::rules::{Catalog, Selection};
use gate::scan::{Request, scan};
use gate::suppress::Date;
use serde_json::{Value, json};
use support::report::list;
use support::tree;

const MAIN: &str = r#"variable "db_password" {
  default = "tangerine-9-harbor"
}

module "stores" {
  source   = "./modules/db"
  for_each = toset(["orders", "users"])
  name     = each.key
  public   = true
}

# gate: ignore[aws-s3-unversioned] objects are rebuilt nightly
resource "aws_s3_bucket" "cache" {
  bucket = "acme-cache"
}

resource "aws_security_group" "bastion" {
  name        = "bastion"
  description = "SSH for operators"
}

resource "aws_security_group_rule" "ssh" {
  type              = "ingress"
  security_group_id = aws_security_group.bastion.id
  protocol          = "tcp"
  from_port         = 22
  to_port           = 22
  /* 🔑 */ cidr_blocks = ["0.0.0.0/0"]
}
"#;

const DATABASE: &str = r#"variable "name" {
  type = string
}

variable "public" {
  type = bool
}

resource "aws_db_instance" "this" {
  identifier          = var.name
  publicly_accessible = var.public
  storage_encrypted   = false
}
"#;

const DOCKERFILE: &str = "FROM python:latest\nCOPY . /srv\nCMD python /srv/app.py\n";

/// Its name holds what formats use for themselves.
const POD_PATH: &str = "k8s/api|v2, 50%:<b>.yaml";

const POD: &str = "apiVersion: v1
kind: Pod
metadata:
  name: api
  namespace: shop
spec:
  containers:
    - name: api
      image: registry.example.com/shop/api:latest
      securityContext:
        privileged: true
";

/// The repository: the scan looks at `infra` and `k8s` below its root.
fn shop() -> tempfile::TempDir {
    tree(&[
        (".git/HEAD", "ref: refs/heads/main\n"),
        ("deploy/infra/main.tf", MAIN),
        ("deploy/infra/modules/db/main.tf", DATABASE),
        ("deploy/api/Dockerfile", DOCKERFILE),
        (&format!("deploy/{POD_PATH}"), POD),
    ])
}

fn with_report<T>(folder: &Path, look: impl FnOnce(&Report<'_>) -> T) -> T {
    judged(folder, |report| look(&report))
}

fn judged<T>(folder: &Path, look: impl FnOnce(Report<'_>) -> T) -> T {
    let paths = [folder.to_path_buf()];
    let discovered = discover(&Walk::new(&paths), FRONTENDS).unwrap();
    let catalog = Catalog::built_in();
    let request = Request {
        base: None,
        baseline: None,
        catalog: &catalog,
        selected: catalog.select(&Selection::default()).unwrap(),
        imports: Default::default(),
        ignored: Default::default(),
        asked: Default::default(),
        config: Config::default(),
        settings: Settings { root: discovered.root.clone(), ..Settings::default() },
        fail_on: Some(Severity::Medium),
        strict: false,
        require_files: false,
        suppress: true,
        today: Date::parse("2026-06-01").unwrap(),
    };
    look(scan(&request, &discovered).unwrap())
}

fn written(report: &Report<'_>, format: &str, style: Style) -> String {
    let format = FORMATS.iter().find(|known| known.name == format).unwrap();
    let mut bytes = Vec::new();
    (format.write)(report, style, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn report(folder: &Path, format: &str) -> String {
    with_report(folder, |report| written(report, format, Style { width: 80, ..Style::default() }))
}

fn value(folder: &Path, format: &str) -> Value {
    serde_json::from_str(&report(folder, format)).unwrap()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn text_shows_the_worst_finding_first_with_its_place_cause_and_remedy() {
    let shop = shop();
    let text = report(&shop.path().join("deploy"), "text");
    let expected = "\
critical aws-rds-publicly-accessible:
  module.stores[\"orders\"].aws_db_instance.this: publicly_accessible is true,
  wanted false ×2 instances
 --> infra/main.tf:9:14
9 | public   = true
  |            ^^^^
  = module.stores[\"orders\"] is called here infra/main.tf:5
  = the value is used here, set by argument public of module.stores
      infra/modules/db/main.tf:11
  = fix: Set publicly_accessible to false and reach the database from inside the
         VPC.
";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn text_fits_into_eighty_columns() {
    let shop = shop();
    let text = report(&shop.path().join("deploy"), "text");
    // Code and places stand whole: they are copied.
    let wide: Vec<&str> = text
        .lines()
        .filter(|line| line.chars().count() > 80 && !line.contains(" | ") && !line.contains(" = "))
        .collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn text_hides_secrets_and_no_format_tells_them() {
    let shop = shop();
    let folder = shop.path().join("deploy");
    let text = report(&folder, "text");
    assert!(text.contains("2 | default = ***"), "{text}");
    for format in FORMATS {
        assert!(!report(&folder, format.name).contains("tangerine"), "{}", format.name);
    }
}

#[test]
fn text_tells_of_what_is_suppressed_which_resource_it_is_and_why() {
    let reason =
        "it is read by everybody who downloads the releases of the last ten years from the page of the project";
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    gate.dev/ignore.container-privileged: |\n      {reason}\n      and more\nspec:\n  containers:\n    - name: c\n      securityContext:\n        privileged: true\n"
    );
    with_report(tree(&[("pod.yaml", &text)]).path(), |report| {
        let text = written(report, "text", Style { show_suppressed: true, width: 80, ..Style::default() });
        let mut lines = text.lines().skip_while(|line| !line.starts_with("suppressed"));
        assert_eq!(lines.next(), Some("suppressed container-privileged pod.yaml:13 Pod/default/web"));
        let told: Vec<&str> = lines.take_while(|line| line.starts_with("  ")).collect();
        assert!(told.len() == 2 && told.iter().all(|line| line.len() <= 80), "{told:#?}");
        assert!(told[1].ends_with(" and more (gate)"), "{told:#?}");
    });
}

#[test]
fn text_cannot_command_the_runner_that_logs_it() {
    let folder = tree(&[(
        "main.tf",
        "# gate: ignore[aws-s3-unversioned] ::set-output name=exit-code::0\nresource \"aws_s3_bucket\" \"x\" {\n  bucket = \"a\" # ##[set-output name=exit-code]0\n  acl = \"public-read\" # ##vso[task.complete]\n}\n",
    )]);
    with_report(folder.path(), |report| {
        let text = written(report, "text", Style { show_suppressed: true, ..Style::default() });
        assert!(text.contains("set-output name=exit-code"), "{text}");
        assert!(text.contains("task.complete"), "{text}");
        let command = text
            .lines()
            .find(|line| line.trim_start().starts_with("::") || line.contains("##[") || line.contains("##vso["));
        assert_eq!(command, None);
    });
}

#[test]
fn json_has_the_keys_that_scripts_read() {
    let shop = shop();
    std::fs::write(shop.path().join("deploy/infra/broken.tf"), "resource \"x\" {\n").unwrap();
    let report = value(&shop.path().join("deploy"), "json");
    let set = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
    let top = ["version", "verdict", "fail_on", "findings", "suppressed", "problems", "comparison", "counts"];
    assert_eq!(keys(&report), set(&top));
    let finding = [
        "rule",
        "severity",
        "message",
        "address",
        "attribute",
        "at",
        "possible",
        "environments",
        "related",
        "fingerprint",
        "status",
        "tools",
    ];
    let place = ["path", "line", "column", "end_line", "end_column"];
    for one in list(&report, "findings") {
        assert_eq!(keys(one), set(&finding));
        assert_eq!(keys(&one["at"]), set(&place));
        list(one, "related").iter().for_each(|one| assert_eq!(keys(one), set(&["at", "message"])));
    }
    let suppressed = &list(&report, "suppressed")[0];
    assert_eq!(keys(suppressed), set(&["finding", "reason", "dialect", "until", "owner", "at"]));
    assert_eq!(suppressed["reason"], "objects are rebuilt nightly");
    let problem = &list(&report, "problems")[0];
    assert_eq!(keys(problem), set(&["kind", "message", "help", "path", "at", "closes"]));
    let counts = ["files_seen", "files_read", "files_searched", "files_skipped", "resources", "rules_run", "undecided"];
    assert_eq!(keys(&report["counts"]), set(&counts));
    assert_eq!((&report["version"], &report["verdict"]), (&json!(1), &json!("undecided")));
    assert_eq!(report["counts"]["files_read"], json!({"terraform": 3, "dockerfile": 1, "kubernetes": 1}));
}
