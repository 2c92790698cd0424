//! The program as users and workflows run it: exit codes, outputs, and input made to break it.

mod support;

use std::path::Path;

use support::report::list;
use support::run::{code, command, gate, printed, scanned};
use support::tree;

const BAD: &str =
    "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = true\n  storage_encrypted   = true\n}\n";

#[test]
fn exit_codes_tell_pass_findings_and_trouble_apart_in_every_format() {
    let clean = tree(&[("main.tf", "locals {\n  name = \"shop\"\n}\n")]);
    let bad = tree(&[("main.tf", BAD)]);
    let broken = tree(&[("main.tf", "resource \"a\" {\n"), ("db.tf", BAD)]);
    for format in ["text", "json", "sarif", "github", "junit", "markdown"] {
        assert_eq!(code(&gate(clean.path(), &["scan", "--format", format])), 0, "{format}");
        assert_eq!(code(&gate(bad.path(), &["scan", "--format", format])), 1, "{format}");
        assert_eq!(code(&gate(broken.path(), &["scan", "--format", format])), 2, "{format}");
    }
    assert_eq!(code(&gate(bad.path(), &["scan", "--fail-on", "never"])), 0);
    assert_eq!(code(&gate(bad.path(), &["scan", "--exit-zero"])), 0);
    assert_eq!(code(&gate(broken.path(), &["scan", "--exit-zero"])), 2);
    assert_eq!(code(&gate(bad.path(), &["scan", "--select", "no-such-rule"])), 2);
}

#[test]
fn a_broken_block_does_not_hide_the_findings_of_others() {
    let folder = tree(&[("main.tf", &format!("variable \"x\" {{\n  default = = 1\n}}\n{BAD}"))]);
    let output = gate(folder.path(), &["scan", "--format", "json"]);
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    assert!(text.contains("aws-rds-publicly-accessible") && text.contains("\"syntax\""), "{text}");
    assert_eq!(code(&output), 2);
}

#[test]
fn an_empty_tree_passes_and_says_so() {
    let folder = tree(&[]);
    let output = gate(folder.path(), &["scan"]);
    assert_eq!(code(&output), 0);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "pass nothing to judge in 0 files\n");
    let (code, report) = scanned(folder.path(), &["--require-files"]);
    assert_eq!((code, &report["verdict"]), (2, &"undecided".into()), "reports say what the exit code says");
}

#[test]
fn output_is_the_same_bytes_whatever_the_number_of_threads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for format in ["text", "json", "sarif"] {
        let one = gate(&root, &["scan", ".", "--format", format, "--jobs", "1"]);
        let two = gate(&root, &["scan", ".", "--format", format, "--jobs", "2"]);
        assert!(!one.stdout.is_empty());
        assert_eq!(one.stdout, two.stdout, "{format}");
    }
}

#[test]
fn hostile_input_ends_with_a_problem_and_its_place() {
    let deep = |open: &str| open.repeat(100_000);
    let cases: Vec<(&str, String)> = vec![
        ("main.tf", format!("x = {}", deep("["))),
        ("main.tf", format!("x = {}", deep("("))),
        ("main.tf", deep("a {\n")),
        ("main.tf", "x = ".to_string() + &deep("!")),
        ("main.tf", "x = \"".to_string() + &deep("${\"")),
        ("main.tf.json", deep("{\"a\":")),
        ("manifest.yaml", format!("apiVersion: v1\nkind: Pod\nspec: {}\n", deep("["))),
        (
            "manifest.yaml",
            format!(
                "apiVersion: v1\nkind: Pod\nspec:\n{}",
                (0..2_000).map(|n| " ".repeat(n) + "a:\n").collect::<String>()
            ),
        ),
        ("Dockerfile", "FROM a\nRUN <<EOT\nnever closed\n".to_string()),
        ("main.tf", "resource \"aws_instance\" \"x\" {\n  count = 1000000000\n}\n".to_string()),
        ("main.tf", "module \"self\" {\n  source = \"./\"\n}\n".to_string()),
        ("main.tf", "\u{0}\u{1}binary".to_string()),
    ];
    for (name, text) in cases {
        let folder = tree(&[(name, &text)]);
        let output = gate(folder.path(), &["scan", "--format", "json"]);
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(code(&output), 2, "{name} {}: {shown}", &text[..text.len().min(60)]);
        assert!(shown.contains(name), "{shown}");
    }
}

#[test]
fn an_alias_bomb_is_a_limit_and_costs_nothing() {
    let mut text = String::from("apiVersion: v1\nkind: ConfigMap\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let last = level - 1;
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{last}"); 9].join(", ")));
    }
    let folder = tree(&[("bomb.yaml", &text)]);
    let output = gate(folder.path(), &["scan", "--format", "json"]);
    assert_eq!(code(&output), 2);
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"limit\""));
}

#[test]
fn locals_that_depend_on_each_other_are_reported() {
    let folder = tree(&[("main.tf", "locals {\n  a = local.b\n  b = local.a\n}\n")]);
    assert!(printed(folder.path(), &["inspect", "."]).contains("depends on itself"));
}

#[test]
fn every_port_to_the_internet_is_one_finding() {
    let group = "resource \"aws_security_group\" \"x\" {\n  description = \"x\"\n  ingress {\n    description = \"x\"\n    protocol = \"tcp\"\n    from_port = 0\n    to_port = 65535\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";
    let folder = tree(&[("main.tf", group)]);
    let (_, report) = scanned(folder.path(), &["--select", "aws-security-group-public-all-ports"]);
    assert_eq!(list(&report, "findings").len(), 1);
    assert_eq!(report["findings"][0]["at"]["line"], 8);
}

#[test]
fn a_remote_module_is_not_read_and_closes_the_gate() {
    let folder = tree(&[("main.tf", "module \"vpc\" {\n  source = \"terraform-aws-modules/vpc/aws\"\n}\n")]);
    let output = gate(folder.path(), &["scan"]);
    assert_eq!(code(&output), 2);
    assert!(String::from_utf8_lossy(&output.stdout).contains("main.tf:2:12"));
    std::fs::write(folder.path().join("gate.yaml"), "version: 1\naccept-unread: [modules]\n").expect("a file");
    assert_eq!(code(&gate(folder.path(), &["scan"])), 0);
}

#[test]
fn a_local_module_that_is_not_there_is_accepted_by_nobody() {
    for source in ["./modules/gone", "../outside", "/opt/modules/vpc"] {
        let call = format!("module \"vpc\" {{\n  source = {source:?}\n}}\n");
        let folder = tree(&[("main.tf", &call), ("gate.yaml", "version: 1\naccept-unread: [modules]\n")]);
        assert_eq!(code(&gate(folder.path(), &["scan"])), 2, "{source}");
    }
}

#[test]
fn a_configuration_may_have_the_other_ending() {
    for name in ["gate.yml", ".gate.yml", ".gate.yaml"] {
        let folder = tree(&[("main.tf", BAD), (name, "fail-on: never\n")]);
        assert_eq!(code(&gate(folder.path(), &["scan"])), 0, "{name}");
    }
}

#[test]
fn rules_of_the_configuration_at_hand_are_explained() {
    let rule = "- id: acme-owner\n  title: Bucket has no owner\n  severity: low\n  targets: [{ terraform: [aws_s3_bucket], path: tags.owner }]\n  expect: { present: true }\n  absent: fail\n  why: Nobody answers for it.\n  fix: Name one.\n  bad: |\n    resource \"aws_s3_bucket\" \"a\" { # expect\n    }\n  good: |\n    resource \"aws_s3_bucket\" \"a\" {\n      tags = { owner = \"me\" }\n    }\n";
    let folder = tree(&[("gate.yaml", "policies: [policies]\n"), ("policies/acme.yaml", rule)]);
    let told = printed(folder.path(), &["explain", "acme-owner"]);
    assert!(told.contains("Nobody answers for it."), "{told}");
    assert!(printed(folder.path(), &["rules", "acme-owner"]).contains("Bucket has no owner"));
}

#[test]
fn a_folder_without_rules_has_passed_no_test() {
    let folder = tree(&[("docs/readme.md", "# rules\n")]);
    assert_eq!(code(&gate(folder.path(), &["test", "docs"])), 2);
}

#[test]
fn a_file_output_is_written_beside_standard_output() {
    let folder = tree(&[("main.tf", BAD)]);
    let output = gate(folder.path(), &["scan", "--format", "text", "--format", "sarif=report.sarif"]);
    assert_eq!(code(&output), 1);
    let sarif: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("report.sarif")).expect("a report")).expect("JSON");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "aws-rds-publicly-accessible");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
    assert_eq!(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "aws_db_instance.main");
}

#[test]
fn text_is_as_wide_as_the_caller_says_and_80_columns_where_nobody_does() {
    let folder = tree(&[("main.tf", "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = true\n}\n")]);
    let widest = |columns: Option<&str>| {
        let mut command = command(folder.path(), &["scan", "."]);
        command.env_remove("COLUMNS");
        columns.into_iter().for_each(|columns| _ = command.env("COLUMNS", columns));
        let output = command.output().expect("gate starts");
        String::from_utf8_lossy(&output.stdout).lines().map(|line| line.chars().count()).max().expect("lines")
    };
    let (usual, wide) = (widest(None), widest(Some("120")));
    assert!(usual <= 80 && (81..=120).contains(&wide), "{usual} {wide}");
}

#[test]
fn lines_of_the_tree_are_cut_to_the_width_around_their_mark() {
    let long = |char: &str| char.repeat(90);
    let line =
        format!("resource \"aws_db_instance\" \"{}\" {{ publicly_accessible = true }} # {}", long("b"), long("c"));
    let folder = tree(&[("main.tf", &line)]);
    let lines = |columns: Option<&str>| {
        let mut command = command(folder.path(), &["scan", ".", "--select", "aws-rds-publicly-accessible"]);
        command.env_remove("COLUMNS");
        columns.into_iter().for_each(|columns| _ = command.env("COLUMNS", columns));
        let text = String::from_utf8(command.output().expect("gate starts").stdout).expect("UTF-8");
        let lines: Vec<String> = text.lines().map(str::to_string).collect();
        let at = lines.iter().position(|line| line.starts_with("1 |")).expect("the line is shown");
        (lines[at].clone(), lines[at + 1].clone())
    };
    for (columns, most) in [(Some("40"), 40), (Some("80"), 80), (Some("300"), 160), (None, 164)] {
        let (code, mark) = lines(columns);
        let width = code.chars().count();
        assert!(width <= most && mark.chars().count() <= most, "{columns:?} {width}: {code}");
        let before = mark.find('^').expect("a mark");
        let marked: String = code.chars().skip(before).take(mark.len() - before).collect();
        assert_eq!(marked, "true", "{code}\n{mark}");
    }
}

#[test]
fn one_file_under_two_names_takes_one_output() {
    let folder = tree(&[("main.tf", BAD), ("out/x", "")]);
    for names in ["json=x.out,sarif=./x.out", "json=x.out,sarif=out/../x.out", "json=out/x.out,sarif=./out//x.out"] {
        let output = gate(folder.path(), &["scan", "--format", names]);
        assert_eq!(code(&output), 2, "{names}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("would both be written to"), "{output:?}");
    }
    assert!(!folder.path().join("x.out").exists());
    assert_eq!(code(&gate(folder.path(), &["scan", "--format", "json=x.out,sarif=out/x.out"])), 1);
}

#[test]
fn one_of_a_kind_is_told_as_one() {
    let main = "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = true\n}\n";
    let folder = tree(&[("main.tf", main), ("pod.yaml", "apiVersion: v1\nkind: Pod\nspec: [\n")]);
    let output = gate(folder.path(), &["baseline", "write", "--select", "aws-rds-publicly-accessible"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains(": 1 finding is accepted; "), "{told}");
    assert!(told.contains("\n1 problem kept the scan from being whole: `gate scan` tells it\n"), "{told}");
}

/// What steers a terminal, leads somewhere, hides, and speaks to the runner of a workflow.
const ACTS: &str = "\u{1b}[31mred\u{1b}]8;;http://e.example\u{7}\u{202e} ##[add-mask]x";

fn assert_inert(text: &str) {
    let steers = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
    assert!(!text.contains(steers) && !text.contains("##["), "{text:?}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    assert!(text.contains("red"), "{text}");
}

#[test]
fn nothing_that_an_error_quotes_of_the_tree_acts() {
    let quoted = serde_json::to_string(ACTS).expect("a text");
    let key = format!("ghp_{}", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8");
    let config = format!("# {ACTS}\nfail-on: {quoted} # {key}\n").replace(['\u{7}', '\u{1b}'], "");
    let unknown = format!("fail-on: {quoted}\n");
    let rules = format!("- id: {quoted}\n  title: x\n  {quoted}: 1\n");
    let named = format!("policy/p{}\n::error::w.yaml", ACTS.replace('/', ""));
    let folder = tree(&[("a/gate.yaml", &config), ("b/gate.yaml", &unknown), (&named, &rules), ("c/main.tf", BAD)]);
    for arguments in [&["scan", "a"][..], &["scan", "b"], &["scan", "--policy", "policy", "c"], &["scan", ACTS]] {
        let output = gate(folder.path(), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        let told = String::from_utf8(output.stderr).expect("UTF-8");
        assert_inert(&told);
        assert!(!told.contains("A1b2C3d4"), "{told}");
    }
}

#[test]
fn nothing_that_a_command_shows_acts() {
    let quoted = serde_json::to_string(&format!("T {ACTS}\n::error::x")).expect("a text");
    let rule = format!(
        "- id: acme-a\n  title: {quoted}\n  severity: low\n  targets: [{{ terraform: [aws_s3_bucket], path: tags }}]\n  fail: {{ present: false }}\n  why: {quoted}\n"
    );
    let bucket = format!(
        "resource \"aws_s3_bucket\" \"a\" {{\n  # checkov:skip=CKV_AWS_20: {ACTS}\n  bucket = {quoted}\n  acl = \"public-read\"\n}}\n"
    );
    let folder = tree(&[("p/p.yaml", &rule), ("t/main.tf", &bucket)]);
    for arguments in [
        &["rules", "--policy", "p", "acme-a"][..],
        &["rules", "--policy", "p", "--format", "json", "acme-a"],
        &["explain", "--policy", "p", "acme-a"],
        &["inspect", "t"],
        &["migrate", "t"],
    ] {
        let output = gate(folder.path(), arguments);
        assert_eq!(code(&output), 0, "{output:?}");
        assert_inert(&String::from_utf8(output.stdout).expect("UTF-8"));
    }
    for arguments in [&["console", "t"][..], &["console", "--json", "t"]] {
        let mut child = command(folder.path(), arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("gate starts");
        let asked = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut &asked, b"aws_s3_bucket.a.bucket\n").expect("gate reads");
        drop(asked);
        let output = child.wait_with_output().expect("gate ends");
        assert_inert(&String::from_utf8(output.stdout).expect("UTF-8"));
    }
}
