//! Changes as pull requests make them: a base and a head in a git repository, and what `gate scan --base` says of them.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;

use serde_json::Value;
use support::change::{Change, Judged};
use support::report::{list, text};
use support::run::gate;

const DATABASE: &str = r#"resource "aws_db_instance" "main" {
  engine              = "postgres"
  publicly_accessible = true
  storage_encrypted   = true
}
"#;

const NETWORK: &str = r#"resource "aws_security_group" "web" {
  name        = "web"
  description = "web"

  ingress {
    description = "https"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
"#;

const PUBLIC: &str = "aws-rds-publicly-accessible";

fn base() -> Change {
    Change::from(&[("infra/db.tf", DATABASE), ("infra/net.tf", NETWORK)])
}

#[test]
fn what_was_there_does_not_close_the_gate() {
    base().judged(&[]).assert_unchanged("no change at all");
    let touched = base().write("infra/db.tf", &format!("# The database.\n\n\n{DATABASE}"));
    touched.judged(&[]).assert_unchanged("lines above");
}

#[test]
fn a_widened_network_is_the_one_new_finding() {
    let judged = base().write("infra/net.tf", &NETWORK.replace("10.0.0.0/8", "0.0.0.0/0")).judged(&[]);
    assert_eq!(judged.of("new"), ["aws-security-group-public-ssh aws_security_group.web"]);
    assert_eq!(judged.code, 1);
    let changed = base().write("infra/net.tf", &NETWORK.replace("10.0.0.0/8", "10.1.0.0/16")).judged(&[]);
    changed.assert_unchanged("a narrower network");
}

#[test]
fn an_open_network_that_opens_wider_is_worse() {
    let open = NETWORK.replace("10.0.0.0/8", "8.0.0.0/6");
    let before = Change::from(&[("net.tf", &open.replace("22", "8080"))]);
    let rule = "aws-security-group-public-unexpected-port";
    assert_eq!(before.judged(&["--select", rule]).of("old").len(), 1);
    let judged = before.write("net.tf", &open.replace("22", "8080").replace("8.0.0.0/6", "8.0.0.0/5"));
    assert_eq!(judged.judged(&["--select", rule]).of("worse").len(), 1);
}

#[test]
fn reformatting_reordering_and_comments_change_nothing() {
    let spaced = DATABASE.replace("publicly_accessible = true", "publicly_accessible=true // for now");
    base().write("infra/db.tf", &spaced).judged(&[]).assert_unchanged("reformatted");
    let turned = DATABASE
        .replace("  engine              = \"postgres\"\n", "")
        .replace("  storage_encrypted   = true\n", "  storage_encrypted   = true\n  engine = \"postgres\"\n");
    base().write("infra/db.tf", &turned).judged(&[]).assert_unchanged("reordered");
    let returned = base().write("infra/db.tf", &DATABASE.replace('\n', "\r\n"));
    returned.judged(&[]).assert_unchanged("other line ends");
}

#[test]
fn renamed_and_moved_files_keep_their_findings() {
    let renamed = base().remove("infra/db.tf").write("infra/database.tf", DATABASE);
    renamed.judged(&[]).assert_unchanged("a file renamed");
    let moved = base().remove("infra/db.tf").remove("infra/net.tf");
    let moved = moved.write("live/prod/db.tf", &format!("# moved\n{DATABASE}")).write("live/prod/net.tf", NETWORK);
    moved.judged(&[]).assert_unchanged("a folder moved");
    let joined = base().remove("infra/db.tf").write("infra/net.tf", &format!("{NETWORK}\n{DATABASE}"));
    joined.judged(&[]).assert_unchanged("a block moved to another file");
}

#[test]
fn a_renamed_block_and_one_wrapped_in_a_module_keep_their_findings() {
    let renamed = base().write("infra/db.tf", &DATABASE.replace("\"main\"", "\"primary\""));
    renamed.judged(&[]).assert_unchanged("a block renamed");
    let wrapped = base()
        .remove("infra/db.tf")
        .write("infra/main.tf", "module \"db\" {\n  source = \"./db\"\n  public = true\n}\n")
        .write(
            "infra/db/main.tf",
            &format!(
                "variable \"public\" {{\n  type        = bool\n  description = \"x\"\n}}\n\n{}",
                DATABASE.replace("= true\n  storage", "= var.public\n  storage")
            ),
        );
    let judged = wrapped.judged(&["--select", PUBLIC]);
    judged.assert_unchanged("wrapped in a module");
}

#[test]
fn a_second_instance_is_never_taken_for_the_first() {
    let second = DATABASE.replace("\"main\"", "\"replica\"");
    let judged = base().write("infra/replica.tf", &second).judged(&["--select", PUBLIC]);
    assert_eq!(judged.of("new"), [format!("{PUBLIC} aws_db_instance.replica")]);
    assert_eq!(judged.of("old"), [format!("{PUBLIC} aws_db_instance.main")]);
    // Even where the first goes in the same change.
    let other = second.replace("postgres", "mysql");
    let judged = base().write("infra/db.tf", &other).judged(&["--select", PUBLIC]);
    assert_eq!(judged.of("new"), [format!("{PUBLIC} aws_db_instance.replica")]);
    assert_eq!(judged.fixed(), [PUBLIC]);
    let counted = base().write("infra/db.tf", &DATABASE.replace("{\n  engine", "{\n  count = 2\n  engine"));
    assert_eq!(counted.judged(&["--select", PUBLIC]).of("new").len(), 1);
}

#[test]
fn what_is_mended_is_told() {
    let judged = base().write("infra/db.tf", &DATABASE.replace("accessible = true", "accessible = false")).judged(&[]);
    assert_eq!(judged.fixed(), [PUBLIC]);
    assert_eq!(judged.report["comparison"]["fixed"][0]["path"], "infra/db.tf");
    assert_eq!(judged.report["comparison"]["fixed"][0]["line"], 3);
}

#[test]
fn a_value_decided_elsewhere_is_followed() {
    let module = [
        ("main.tf", "module \"db\" {\n  source = \"./db\"\n  public = false\n}\n"),
        (
            "db/main.tf",
            "variable \"public\" {}\nresource \"aws_db_instance\" \"main\" {\n  publicly_accessible = var.public\n}\n",
        ),
    ];
    let change = Change::from(&module).write("main.tf", &module[0].1.replace("false", "true"));
    assert_eq!(change.judged(&["--select", PUBLIC]).of("new").len(), 1);
    let text = [
        (
            "main.tf",
            "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = jsondecode(file(\"settings.json\")).public\n}\n",
        ),
        ("settings.json", "{\"public\": false}"),
    ];
    let change = Change::from(&text).write("settings.json", "{\"public\": true}");
    assert_eq!(change.judged(&["--select", PUBLIC]).of("new").len(), 1);
}

#[test]
fn a_renamed_variables_file_goes_on_and_one_that_is_gone_is_named_with_what_to_do() {
    let settings = "terraform:\n  environments:\n    dev: [env/dev.tfvars]\n    prod: [env/prod.tfvars]\n";
    let files = [
        ("gate.yaml", settings),
        (
            "main.tf",
            "variable \"public\" {}\nresource \"aws_db_instance\" \"main\" {\n  publicly_accessible = var.public\n}\n",
        ),
        ("env/dev.tfvars", "public = true\n"),
        ("env/prod.tfvars", "public = false\n"),
    ];
    let select = ["--select", PUBLIC];
    let renamed = Change::from(&files).remove("env/dev.tfvars").write("vars/dev.tfvars", files[2].1);
    let renamed = renamed.write("gate.yaml", &settings.replace("env/dev", "vars/dev"));
    renamed.judged_as_it_is(&select).assert_unchanged("before the commit");
    renamed.judged(&select).assert_unchanged("after it");
    let gone = Change::from(&files).remove("env/dev.tfvars");
    gone.write("gate.yaml", &settings.replace("    dev: [env/dev.tfvars]\n", "")).assert_refused(&[
        "env/dev.tfvars",
        "gate.yaml of main",
        "change of its own",
    ]);
}

#[test]
fn a_change_can_not_suppress_its_own_findings() {
    let bad = DATABASE.replace("\"main\"", "\"second\"");
    let comment = "  # gate: ignore[aws-rds-publicly-accessible] it is only a test\n  publicly";
    let judged = base().write("infra/second.tf", &bad.replace("  publicly", comment)).judged(&["--select", PUBLIC]);
    assert_eq!((judged.code, judged.of("new").len()), (1, 1));
    assert!(judged.proposed()[0].contains("infra/second.tf: a suppression of aws-rds-publicly-accessible"));
    let foreign = bad.replace("  publicly", "  #checkov:skip=CKV_AWS_17:fine\n  publicly");
    let judged = base().write("infra/second.tf", &foreign).judged(&["--select", PUBLIC]);
    assert_eq!((judged.code, judged.of("new").len()), (1, 1));
}

#[test]
fn a_suppression_of_the_base_goes_on() {
    let comment = "  # gate: ignore[aws-rds-publicly-accessible] it is only a test\n  publicly";
    let accepted = DATABASE.replace("  publicly", comment);
    let change = Change::from(&[("db.tf", &accepted)]).write("db.tf", &format!("# more\n{accepted}"));
    let judged = change.judged(&["--select", PUBLIC]);
    assert_eq!((judged.code, judged.of("old"), judged.of("new")), (0, vec![], vec![]));
    assert_eq!(list(&judged.report, "suppressed").len(), 1);
    // Another block under the same words is another finding.
    let copied = format!("{accepted}{}", accepted.replace("\"main\"", "\"copy\""));
    let judged = Change::from(&[("db.tf", &accepted)]).write("db.tf", &copied).judged(&["--select", PUBLIC]);
    assert_eq!(judged.of("new"), [format!("{PUBLIC} aws_db_instance.copy")]);
}

#[test]
fn a_change_can_not_choose_the_rules_it_is_held_to() {
    let bad = DATABASE.replace("\"main\"", "\"second\"");
    for (path, text) in [
        ("gate.yaml", "fail-on: never\n"),
        ("gate.yaml", "exclude: [infra]\n"),
        ("gate.yaml", "ignore-rules: [aws-rds-publicly-accessible]\n"),
        ("gate.yaml", "ignore:\n  - rule: aws-rds-publicly-accessible\n    reason: no\n"),
        (".gateignore", "infra\n"),
        ("infra/.gateignore", "*\n"),
    ] {
        let judged = base().write("infra/second.tf", &bad).write(path, text).judged(&[]);
        assert_eq!(judged.code, 1, "{path}: {text}");
        assert_eq!(judged.of("new"), [format!("{PUBLIC} aws_db_instance.second")], "{path}: {text}");
        assert!(judged.proposed().iter().any(|one| one.starts_with(&format!("{path}: "))), "{path}: {text}");
    }
    let judged = base().write("infra/second.tf", &bad).write(".gitignore", "infra/\n*.tf\n").judged(&[]);
    assert_eq!((judged.code, judged.of("new").len()), (1, 1), "a tracked file is not ignored");
}

#[test]
fn what_the_base_says_stays_in_force() {
    let files = [("db.tf", DATABASE), ("gate.yaml", "fail-on: low\nselect: [aws-rds-publicly-accessible]\n")];
    let bad = DATABASE.replace("\"main\"", "\"second\"");
    let weaker = Change::from(&files).write("gate.yaml", "fail-on: never\n").write("second.tf", &bad).judged(&[]);
    assert_eq!((weaker.code, weaker.of("new").len()), (1, 1));
    assert!(weaker.proposed().contains(&"gate.yaml: `fail-on` goes from low to never".to_string()));
    let gone = Change::from(&files).remove("gate.yaml").write("second.tf", &bad).judged(&[]);
    assert_eq!((gone.code, gone.of("new").len()), (1, 1));
    assert!(gone.proposed().contains(&"gate.yaml: is removed, and stays in force".to_string()));
}

#[test]
fn a_policy_of_the_base_can_not_be_emptied_or_deleted() {
    let rule = "- id: team-engine\n  title: Database is not MySQL\n  severity: high\n  targets:\n    - { terraform: [aws_db_instance], path: engine }\n  expect: { equals: mysql }\n  why: We run one engine.\n  fix: Set engine to mysql.\n  bad: |\n    resource \"aws_db_instance\" \"db\" {\n      engine = \"postgres\" # expect\n    }\n  good: |\n    resource \"aws_db_instance\" \"db\" {\n      engine = \"mysql\"\n    }\n";
    let files =
        [("db.tf", DATABASE), ("gate.yaml", "policies: [policy]\nselect: [team-engine]\n"), ("policy/team.yaml", rule)];
    let known = Change::from(&files);
    if known.judged(&[]).of("old").is_empty() {
        panic!("the policy of this test is none: {}", known.judged(&[]).report);
    }
    let bad = DATABASE.replace("\"main\"", "\"second\"");
    for (what, change) in [
        ("emptied", Change::from(&files).write("policy/team.yaml", "[]\n")),
        ("deleted", Change::from(&files).remove("policy/team.yaml")),
    ] {
        let judged = change.write("second.tf", &bad).judged(&[]);
        assert_eq!(
            (judged.code, judged.of("new")),
            (1, vec!["team-engine aws_db_instance.second".to_string()]),
            "{what}"
        );
        assert!(judged.proposed().iter().any(|one| one.starts_with("policy/team.yaml: ")), "{what}");
    }
}

#[test]
fn a_change_can_not_bring_the_modules_that_it_is_judged_by() {
    let call = "module \"vpc\" {\n  source  = \"acme/vpc/aws\"\n  version = \"1.0.0\"\n}\n";
    let list = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"vpc","Source":"registry.terraform.io/acme/vpc/aws","Version":"1.0.0","Dir":".terraform/modules/vpc"}]}"#;
    let change = Change::from(&[("db.tf", DATABASE)])
        .write("vpc.tf", call)
        .write(".terraform/modules/modules.json", list)
        .write(".terraform/modules/vpc/main.tf", "# harmless\n");
    assert_eq!(change.judged(&[]).code, 2, "the module is not read");
}

#[test]
fn with_trust_in_the_head_its_own_words_count() {
    let bad = DATABASE.replace("\"main\"", "\"second\"");
    let comment = "  # gate: ignore[aws-rds-publicly-accessible] it is only a test\n  publicly";
    let change = base().write("infra/second.tf", &bad.replace("  publicly", comment));
    let judged = change.judged(&["--trust", "head"]);
    assert_eq!((judged.code, judged.of("new")), (0, vec![]));
    assert!(judged.proposed().is_empty());
}

#[test]
fn objects_that_change_each_others_findings_are_judged_together() {
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n";
    let web = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n  selector:\n    matchLabels: {app: web}\n  template:\n    metadata:\n      labels: {app: web}\n    spec:\n      containers:\n        - name: web\n          image: web:1.2.3\n";
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: all\nspec:\n  podSelector: {}\n  policyTypes: [Ingress, Egress]\n";
    let files = [("k8s/web.yaml", web), ("k8s/account.yaml", account), ("k8s/policy.yaml", policy)];
    let rule = "k8s-missing-network-policy";
    assert!(Change::from(&files).judged(&["--select", rule]).of("old").is_empty());
    let judged = Change::from(&files).remove("k8s/policy.yaml").judged(&["--select", rule]);
    assert_eq!(judged.of("new"), [format!("{rule} Deployment/default/web")]);
    let moved = Change::from(&files).remove("k8s/web.yaml").write("apps/web.yaml", web).judged(&[]);
    moved.assert_unchanged("a manifest moved");
}

#[test]
fn a_new_secret_is_new_and_a_moved_one_is_not() {
    let token = |last: &str| format!("token = \"ghp_{}{last}\"\n", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3");
    let rule = "general-service-token-committed";
    let first = token("");
    assert_eq!(Change::from(&[("app.cfg", first.as_str())]).judged(&["--select", rule]).of("old").len(), 1);
    let moved = Change::from(&[("app.cfg", first.as_str())]).remove("app.cfg").write("conf/app.cfg", &first);
    assert!(moved.judged(&["--select", rule]).of("new").is_empty());
}

#[test]
fn another_password_under_the_same_name_is_new() {
    let line = |last: &str| format!("DB_PASSWORD=b4ttery-{last}\n");
    let rule = "general-secret-literal-committed";
    let first = line("staple");
    let unchanged = Change::from(&[(".env", first.as_str())]).write(".env", &format!("# of the shop\n{first}"));
    assert_eq!(unchanged.judged(&["--select", rule]).of("old").len(), 1);
    let judged = Change::from(&[(".env", first.as_str())]).write(".env", &line("horse")).judged(&["--select", rule]);
    assert_eq!((judged.of("old").len(), judged.of("new").len(), judged.fixed().len()), (0, 1, 1));
}

#[test]
fn what_another_tool_says_of_a_line_that_was_there_is_old() {
    let old = "import subprocess\n\ndef run(command):\n    return subprocess.call(command, shell=True)\n";
    let new = format!("{old}\n\ndef run_again(text):\n    return eval(text)\n");
    let result = |rule: &str, line: u32| {
        serde_json::json!({
            "ruleId": rule, "level": "error", "message": {"text": "unsafe"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "app.py"}, "region": {"startLine": line}}}]
        })
    };
    let sarif = serde_json::json!({
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": "Bandit"}}, "results": [result("B602", 6), result("B307", 10)]}]
    });
    let imported = tempfile::tempdir().unwrap();
    let path = imported.path().join("bandit.sarif");
    std::fs::write(&path, sarif.to_string()).unwrap();
    let change =
        Change::from(&[("app.py", old)]).write("app.py", &format!("# more\n\n{}", new.replace("\n\n\n", "\n\n")));
    let judged = change.judged(&["--import", path.to_str().unwrap()]);
    assert_eq!((judged.of("old"), judged.of("new")), (vec!["bandit/B602 ".into()], vec!["bandit/B307 ".into()]));
}

/// A change to a lock file, and what a tool says of a package in it.
fn judged_package(lock: &str, location: Value) -> Judged {
    let sarif = serde_json::json!({
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": "Trivy"}}, "results": [{
            "ruleId": "CVE-2031-0001", "level": "error", "message": {"text": "left-pad 1.0 has CVE-2031-0001"},
            "locations": [{"physicalLocation": location}]
        }]}]
    });
    let imported = tempfile::tempdir().unwrap();
    let path = imported.path().join("trivy.sarif");
    std::fs::write(&path, sarif.to_string()).unwrap();
    let change = Change::from(&[("package-lock.json", "{\n  \"packages\": {}\n}\n")]).write("package-lock.json", lock);
    change.judged(&["--import", path.to_str().unwrap()])
}

#[test]
fn what_another_tool_says_of_a_file_is_new_once_the_file_is_another() {
    let (same, grown) =
        ("{\n  \"packages\": {}\n}\n", "{\n  \"packages\": {\n    \"left-pad\": {\"version\": \"1.0\"}\n  }\n}\n");
    let place = serde_json::json!({"uri": "package-lock.json"});
    let begin = serde_json::json!({"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1});
    for location in [
        serde_json::json!({"artifactLocation": place}),
        serde_json::json!({"artifactLocation": place, "region": begin}),
        serde_json::json!({"artifactLocation": place, "region": {"startLine": 1}}),
    ] {
        let judged = judged_package(grown, location.clone());
        assert_eq!((judged.code, judged.of("new").len()), (1, 1), "{location}");
        let judged = judged_package(same, location.clone());
        assert_eq!((judged.code, judged.of("old").len()), (0, 1), "{location}");
    }
}

const NOTHING_FOUND: &str =
    r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Bandit"}}, "results": []}]}"#;

#[test]
fn a_change_can_not_speak_for_another_tool() {
    let settings = ("gate.yaml", "imports: [out/b.sarif]\n");
    let said = |judged: &Judged| judged.report["problems"].to_string();
    let base = || Change::from(&[("app.py", "x = 1\n"), settings, (".gitignore", "out\n")]);
    let own = base().write("out/b.sarif", NOTHING_FOUND);
    let judged = own.judged(&[]);
    assert_eq!(judged.code, 2, "{}", said(&judged));
    assert!(
        said(&judged).contains("the import out/b.sarif is part of the change that is judged, so it proves nothing")
    );
    assert_eq!(own.judged(&["--trust", "head"]).code, 0);
    // Attributes of git may give it other bytes than the commit has.
    let judged = own.write("out/b.sarif", &format!("{NOTHING_FOUND}\r\n")).judged_as_it_is(&[]);
    assert_eq!(judged.code, 2);
    // A tool writes where git looks at nothing.
    let judged = base().write("out/b.sarif", NOTHING_FOUND).judged_as_it_is(&[]);
    assert_eq!((judged.code, said(&judged).as_str()), (0, "[]"));
    let old = Change::from(&[("app.py", "x = 1\n"), settings, ("out/b.sarif", NOTHING_FOUND)]);
    let judged = old.write("app.py", "x = 2\n").judged(&[]);
    assert_eq!(judged.code, 0);
    assert!(said(&judged).contains("the import out/b.sarif is part of the commit"), "{}", said(&judged));
}

#[cfg(unix)]
#[test]
fn a_change_can_not_turn_an_import_to_a_file_of_its_own() {
    let change = Change::from(&[("app.py", "x = 1\n"), ("gate.yaml", "imports: [out.sarif]\n")]);
    let change = change.write("other/none.sarif", NOTHING_FOUND);
    std::os::unix::fs::symlink("other/none.sarif", change.path().join("out.sarif")).unwrap();
    assert_eq!(change.judged(&[]).code, 2);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("x"), NOTHING_FOUND).unwrap();
    std::fs::remove_file(change.path().join("out.sarif")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("x"), change.path().join("out.sarif")).unwrap();
    assert_eq!(change.judged(&[]).code, 2);
}

#[test]
fn an_import_from_outside_the_repository_is_no_part_of_the_change() {
    let imported = tempfile::tempdir().unwrap();
    let path = imported.path().join("bandit.sarif");
    std::fs::write(&path, NOTHING_FOUND).unwrap();
    let judged = base().judged(&["--import", path.to_str().unwrap()]);
    assert_eq!(judged.report["problems"], serde_json::json!([]));
}

#[test]
fn an_unused_suppression_is_old_where_the_base_has_it() {
    let comment = "  # gate: ignore[aws-rds-publicly-accessible] it is only a test\n  publicly";
    let unused = |name: &str| {
        DATABASE.replace("main", name).replace("= true\n  storage", "= false\n  storage").replace("  publicly", comment)
    };
    let rule = "gate-unused-suppression ";
    let change = Change::from(&[("db.tf", &unused("main")), ("net.tf", NETWORK)]);
    let change = change.write("net.tf", &format!("{NETWORK}# more\n"));
    let judged = change.judged(&["--select", "aws-rds-publicly-accessible,gate"]);
    assert_eq!((judged.of("old"), judged.of("new"), judged.fixed()), (vec![rule.into()], vec![], vec![]));
    let judged = change.write("db.tf", &format!("\n\n{}\n{}", unused("main"), unused("second")));
    let judged = judged.judged(&["--select", "aws-rds-publicly-accessible,gate"]);
    assert_eq!((judged.of("old").len(), judged.of("new").len(), judged.code), (1, 1, 0));
    // So it is in texts of no format.
    let text = "# gate: ignore[general-service-token-committed] it was revoked\nTOKEN=none\n";
    let change = Change::from(&[(".env", text), ("net.tf", NETWORK)]);
    let judged = change.write(".env", &format!("A=1\n{text}")).write("b.env", text);
    let judged = judged.judged(&["--select", "general-service-token-committed,gate"]);
    assert_eq!((judged.of("old").len(), judged.of("new").len(), judged.code), (1, 1, 0));
}

#[test]
fn a_suppression_of_a_finding_about_a_file_is_proposed_without_an_address() {
    let token = "token = \"ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3\" # gitleaks:allow\n";
    let judged = Change::from(&[("app.py", "x = 1\n")]).write("app.py", token).judged(&[]);
    assert!(
        judged.proposed()[0].ends_with("a suppression of general-service-token-committed"),
        "{:?}",
        judged.proposed()
    );
}

#[test]
fn what_is_staged_is_tracked_though_it_be_ignored() {
    let change = base().write(".gitignore", "*.local.tf\nlocal/\n");
    change.commit();
    let change = change.write("infra/a.local.tf", &DATABASE.replace("main", "copy")).write("local/b.tf", DATABASE);
    assert_eq!(change.judged_as_it_is(&["--select", PUBLIC]).of("new"), [""; 0]);
    change.git(&["add", "--force", "infra/a.local.tf", "local/b.tf"]);
    assert_eq!(change.judged_as_it_is(&["--select", PUBLIC]).of("new").len(), 2);
}

#[test]
fn changes_that_are_not_committed_count() {
    let change = base().write("infra/second.tf", &DATABASE.replace("\"main\"", "\"second\""));
    let judged = change.judged_as_it_is(&["--select", PUBLIC]);
    assert_eq!(judged.of("new"), [format!("{PUBLIC} aws_db_instance.second")]);
}

#[test]
fn a_base_that_is_not_there_decides_nothing() {
    base().assert_refused_with("origin/nowhere", &["origin/nowhere", "fetch"]);
}

#[test]
fn a_repository_of_another_form_is_named_with_what_to_do() {
    for (form, what) in [("--object-format=sha256", "SHA-256"), ("--ref-format=reftable", "reftable")] {
        let folder = support::tree(&[("db.tf", DATABASE)]);
        let git = Command::new("git").args(["init", "--quiet", form]).current_dir(folder.path()).output().unwrap();
        // An older git knows one of the two at most.
        if !git.status.success() {
            continue;
        }
        let output = gate(folder.path(), &["scan", ".", "--base", "main"]);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(words.contains(what) && words.contains("--baseline"), "{words}");
    }
}

/// A pod that several rules speak against.
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec:\n  containers:\n    - { name: web, image: web, securityContext: { privileged: true } }\n";

/// A repository that others have as a submodule at `infra`, with the change that makes it one there.
fn submodule(change: Change, other: &Change) -> Change {
    change.commit();
    let _ = std::fs::remove_dir(change.path().join("infra"));
    let url = other.path().to_str().unwrap();
    change.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "infra"]);
    change
}

fn problems(judged: &Judged) -> Vec<String> {
    let all = list(&judged.report, "problems").iter();
    all.map(|one| format!("{} {}: {}", text(&one["kind"]), text(&one["path"]), text(&one["message"]))).collect()
}

#[test]
fn a_pointer_in_place_of_a_file_closes_the_gate() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    let change = || Change::from(&[("k.yaml", POD), ("db.tf", DATABASE), ("data.json", pointer)]);
    let judged = change().write("k.yaml", pointer).judged(&[]);
    let message = "is a Git LFS pointer: what it stands for is not here";
    assert_eq!((judged.code, problems(&judged)), (2, vec![format!("unread k.yaml: {message}")]));
    let judged = change().write("db.tf", pointer).judged(&[]);
    assert_eq!((judged.code, problems(&judged)), (2, vec![format!("unread db.tf: {message}")]));
}

#[test]
fn a_submodule_in_place_of_files_closes_the_gate_where_it_is_not_checked_out() {
    let other = Change::from(&[("db.tf", DATABASE)]);
    let change = submodule(Change::from(&[("infra/db.tf", DATABASE)]).remove("infra/db.tf"), &other);
    let judged = change.judged(&[]);
    assert_eq!((judged.code, judged.fixed(), judged.of("new")), (0, vec![], vec![]), "it is there, and as it was");
    std::fs::remove_dir_all(change.path().join("infra")).unwrap();
    std::fs::create_dir(change.path().join("infra")).unwrap();
    let judged = change.judged_as_it_is(&[]);
    let message = "infra: is a submodule that is not checked out: it was not read";
    assert_eq!((judged.code, problems(&judged)), (2, vec![format!("unread {message}")]));
    let alone = gate(change.path(), &["scan", "."]);
    assert!(String::from_utf8_lossy(&alone.stdout).contains("is a submodule that is not checked out"), "{alone:?}");
    assert_eq!(alone.status.code(), Some(0));
    change.git(&["branch", "--force", "main", "HEAD"]);
    let judged = change.judged_as_it_is(&[]);
    assert_eq!((judged.code, problems(&judged)), (0, vec![format!("note {message}")]), "the base has it so");
}

#[test]
fn what_lies_in_a_submodule_that_did_not_change_is_old() {
    let other = Change::from(&[("db.tf", DATABASE), ("policy.json", "{}"), ("web.yaml", POD)])
        .write("main.tf", "locals {\n  policy = file(\"${path.module}/policy.json\")\n}\n");
    other.git(&["add", "."]);
    other.git(&["commit", "--quiet", "--message", "more"]);
    let change = submodule(Change::from(&[("main.tf", NETWORK)]), &other);
    change.commit();
    change.git(&["branch", "--force", "main", "HEAD"]);
    change.judged(&[]).assert_unchanged("nothing changed");
    let change = change.write("main.tf", &format!("{NETWORK}\n"));
    change.judged(&[]).assert_unchanged("another file changed");
}

#[test]
fn committed_modules_are_those_of_their_commit() {
    let call = "module \"vpc\" {\n  source  = \"acme/vpc/aws\"\n  version = \"1.0.0\"\n}\n";
    let list = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"vpc","Source":"registry.terraform.io/acme/vpc/aws","Version":"1.0.0","Dir":".terraform/modules/vpc"}]}"#;
    let module = ".terraform/modules/vpc/main.tf";
    let base =
        |text: &str| Change::from(&[("main.tf", call), (".terraform/modules/modules.json", list), (module, text)]);
    let judged = base(NETWORK).write(module, &NETWORK.replace("10.0.0.0/8", "0.0.0.0/0")).judged(&[]);
    assert_eq!((judged.code, judged.of("new").is_empty()), (1, false));
    base(DATABASE).write(module, &format!("# The database.\n{DATABASE}")).judged(&[]).assert_unchanged("a comment");
    base(DATABASE).write("main.tf", &format!("# Calls.\n{call}")).judged(&[]).assert_unchanged("its caller");
}

#[test]
fn what_an_excluded_module_did_before_is_old() {
    let files = [
        ("gate.yaml", "exclude: [examples]\n"),
        ("main.tf", "module \"a\" {\n  source = \"./examples/a\"\n}\n"),
        ("examples/a/main.tf", DATABASE),
    ];
    let change = Change::from(&files).write("examples/a/main.tf", &format!("# The database.\n{DATABASE}"));
    change.judged(&[]).assert_unchanged("a comment");
    let judged = Change::from(&[files[0], ("main.tf", ""), files[2]]).write("main.tf", files[1].1).judged(&[]);
    assert_eq!((judged.code, judged.of("new").len()), (1, 1), "a change calls it");
}

#[test]
fn what_a_change_moves_out_of_sight_keeps_its_findings() {
    let files = [
        ("gate.yaml", "exclude: [old]\n"),
        (".gateignore", "/drafts/\n"),
        ("k8s/web.yaml", POD),
        ("infra/db.tf", DATABASE),
    ];
    for place in [".k8s/web.yaml", "old/web.yaml", "drafts/web.yaml", ".terraform/web.yaml"] {
        let moved = Change::from(&files).remove("k8s/web.yaml").write(place, POD);
        moved.judged(&["--select", "container-privileged"]).assert_unchanged(place);
        let worse = POD.replace("privileged: true", "privileged: true, runAsUser: 0");
        let renamed = place.replace("web.yaml", "other.yaml");
        let worse =
            Change::from(&files).remove("k8s/web.yaml").write(&renamed, &format!("{worse}  hostNetwork: true\n"));
        let judged = worse.judged(&["--select", "k8s-host-network"]);
        assert_eq!((judged.code, judged.of("new").len()), (1, 1), "{place}");
    }
    let moved = Change::from(&files).remove("infra/db.tf").write(".infra/db.tf", DATABASE);
    moved.judged(&["--select", PUBLIC]).assert_unchanged("a module");
    let other = Change::from(&files).remove("k8s/web.yaml").write(".github-old/settings.yaml", "a: 1\nb: 2\n");
    assert_eq!(other.judged(&["--select", "container-privileged"]).fixed(), ["container-privileged"]);
}

#[cfg(unix)]
#[test]
fn what_is_reached_by_links_is_compared_with_what_was() {
    use std::os::unix::fs::symlink;

    let change = Change::from(&[("prod/db.tf", DATABASE), ("web.yaml", POD)]).remove("prod/db.tf").remove("web.yaml");
    std::fs::remove_dir(change.path().join("prod")).unwrap();
    symlink(".prod", change.path().join("prod")).unwrap();
    symlink(".prod/web", change.path().join("web.yaml")).unwrap();
    let change = change.write(".prod/db.tf", DATABASE).write(".prod/web", POD);
    change.judged(&[]).assert_unchanged("files behind links");
    change.git(&["branch", "--force", "main", "HEAD"]);
    change.judged(&[]).assert_unchanged("links that were there");
    let change = change
        .write(".prod/db.tf", &format!("# The database.\n{DATABASE}"))
        .write(".prod/web", &format!("# A pod.\n{POD}"));
    change.judged(&[]).assert_unchanged("texts behind links that were there");
}

#[test]
fn what_a_sparse_checkout_leaves_out_is_not_deleted() {
    let files = [("infra/db.tf", DATABASE), ("infra/net.tf", NETWORK), ("other/db.tf", DATABASE), ("a.txt", "a\n")];
    let change = || Change::from(&files).write("infra/net.tf", &NETWORK.replace("10.0.0.0/8", "0.0.0.0/0"));
    for kind in ["--no-cone", "--cone"] {
        let sparse = change();
        sparse.commit();
        let kept = if kind == "--cone" { "other" } else { "/other/" };
        sparse.git(&["sparse-checkout", "set", kind, kept]);
        for more in [&[][..], &["--trust", "head"]] {
            let judged = sparse.judged_as_it_is(more);
            assert_eq!((judged.code, judged.fixed(), judged.of("new")), (2, vec![], vec![]), "{kind} {more:?}");
            let problems = list(&judged.report, "problems");
            let unread: Vec<&str> =
                problems.iter().filter(|one| one["kind"] == "unread").map(|one| text(&one["path"])).collect();
            assert_eq!(unread, ["infra/net.tf"]);
            assert!(
                problems.iter().any(|one| text(&one["message"]).starts_with("1 file that the change leaves alone"))
            );
        }
        // What others have to answer for is not asked.
        let (code, _) = support::run::scanned(sparse.path(), &["other", "--base", "main"]);
        assert_eq!(code, 0);
    }
    // Without git's doing it is deleted, be that committed or not.
    let deleted = Change::from(&files).remove("infra/db.tf");
    assert!(deleted.judged_as_it_is(&[]).fixed().contains(&PUBLIC));
    assert!(deleted.judged(&[]).fixed().contains(&PUBLIC));
}

#[test]
fn of_two_devices_each_is_told_so_that_the_old_one_hides_no_new_one() {
    let machine = |disks: &str| {
        format!(
            "resource \"aws_instance\" \"web\" {{\n  root_block_device {{\n    encrypted = false\n  }}\n{disks}}}\n"
        )
    };
    let disk = |name: &str, encrypted: &str| {
        format!("  ebs_block_device {{\n    device_name = \"/dev/{name}\"\n    encrypted   = {encrypted}\n  }}\n")
    };
    let rule = "aws-ec2-unencrypted-block-device";
    let found = format!("{rule} aws_instance.web");
    let base = [("main.tf", &*machine(&disk("sdf", "true")))];
    let change = Change::from(&base).write("main.tf", &machine(&disk("sdf", "false")));
    let judged = change.judged(&["--select", rule]);
    assert_eq!((judged.of("new"), judged.of("old")), (vec![found.clone()], vec![found.clone()]));
    let more = Change::from(&[("main.tf", &*machine(&disk("sdf", "false")))])
        .write("main.tf", &machine(&(disk("sdf", "false") + &disk("sdg", "false"))));
    let judged = more.judged(&["--select", rule]);
    assert_eq!((judged.of("new").len(), judged.of("old").len()), (1, 2));
}
