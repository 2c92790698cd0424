//! One verdict from many tools: SARIF files in the style of each, joined with gate's own findings.

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::report::{list, text};
use support::run::{code, gate, printed, scanned};
use support::tree;
use tempfile::TempDir;

const APP: &str = "import subprocess\n\n\ndef run(cmd):\n    return subprocess.call(cmd, shell=True)\n";
const DATABASE: &str =
    "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = true\n  storage_encrypted   = true\n}\n";

/// One run of a tool as a SARIF file.
fn sarif(name: &str, rules: Value, results: Value) -> Value {
    json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": name, "rules": rules}}, "results": results}]})
}

fn at(path: &str, line: u32) -> Value {
    json!([{"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}}}])
}

fn result(rule: &str, level: &str, path: &str, line: u32) -> Value {
    json!({"ruleId": rule, "level": level, "message": {"text": format!("{rule} says so")}, "locations": at(path, line)})
}

/// A folder with files and imports, `one.sarif` and so on.
fn with(files: &[(&str, &str)], imports: &[Value]) -> TempDir {
    let texts: Vec<(String, String)> = imports
        .iter()
        .zip(["one", "two", "three"])
        .map(|(log, name)| (format!("{name}.sarif"), log.to_string()))
        .collect();
    let texts = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    tree(&files.iter().copied().chain(texts).collect::<Vec<_>>())
}

/// Scans the folder with all imports in it and gives the exit code and the report.
fn scan(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let mut all = vec!["--select", "aws-rds-publicly-accessible,general-aws-key-committed"];
    for name in ["one.sarif", "two.sarif", "three.sarif"] {
        if folder.join(name).exists() {
            all.extend(["--import", name]);
        }
    }
    scanned(folder, &[&all, arguments].concat())
}

/// Rule, severity and place of each finding, and who says it.
fn findings(report: &Value) -> Vec<String> {
    let line = |one: &Value| {
        let tools: Vec<&str> = list(one, "tools").iter().map(text).collect();
        let (severity, rule, path) = (text(&one["severity"]), text(&one["rule"]), text(&one["at"]["path"]));
        format!("{severity} {rule} {path}:{} [{}]", one["at"]["line"], tools.join(" "))
    };
    list(report, "findings").iter().map(line).collect()
}

fn problems(report: &Value) -> String {
    list(report, "problems").iter().map(|one| text(&one["message"])).collect::<Vec<_>>().join("\n")
}

#[test]
fn results_of_a_tool_become_findings_of_their_own() {
    let bandit = json!({"version": "2.1.0", "runs": [{
        "tool": {"driver": {"name": "Bandit", "rules": [{"id": "B602", "name": "subprocess_popen_with_shell_equals_true",
            "helpUri": "https://bandit.example/b602", "properties": {"tags": ["security", "external/cwe/cwe-78"]}}]}},
        "invocations": [{"executionSuccessful": true}],
        "results": [{"ruleId": "B602", "ruleIndex": 0, "level": "error",
            "message": {"text": "subprocess call with shell=True identified, security issue."},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "app/main.py"},
                "region": {"startLine": 5, "startColumn": 12, "endLine": 5, "endColumn": 44}}}]}]}]});
    let folder = with(&[("app/main.py", APP)], &[bandit]);
    let (code, report) = scan(folder.path(), &[]);
    assert_eq!(code, 1);
    assert_eq!(findings(&report), ["high bandit/B602 app/main.py:5 [bandit]"]);
    let one = &report["findings"][0];
    assert_eq!(one["message"], "subprocess call with shell=True identified, security issue");
    assert_eq!((&one["at"]["column"], &one["at"]["end_column"]), (&json!(12), &json!(44)));
    assert_eq!(scan(folder.path(), &["--fail-on", "critical"]).0, 0);
    let text = printed(folder.path(), &["scan", "--import", "one.sarif"]);
    for part in ["bandit/B602", "return subprocess.call(cmd, shell=True)", "https://bandit.example/b602"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn what_gate_finds_too_is_one_finding_that_names_the_tools() {
    // Trivy marks the line, Checkov the whole block.
    let trivy = sarif("Trivy", json!([]), json!([result("AWS-0180", "error", "main.tf", 2)]));
    let mut checkov = result("CKV_AWS_17", "error", "main.tf", 1);
    checkov["locations"][0]["physicalLocation"]["region"]["endLine"] = json!(4);
    let checkov = sarif("Checkov", json!([]), json!([checkov]));
    let folder = with(&[("main.tf", DATABASE)], &[trivy, checkov]);
    let (_, report) = scan(folder.path(), &[]);
    assert_eq!(findings(&report), ["critical aws-rds-publicly-accessible main.tf:2 [checkov trivy]"]);
    // A rule that gate knows and does not run is the tool's; a line in another block is another defect.
    let other =
        "\nresource \"aws_db_instance\" \"other\" {\n  publicly_accessible = var.unknown\n}\nvariable \"unknown\" {}\n";
    std::fs::write(folder.path().join("main.tf"), format!("{DATABASE}{other}")).expect("a file");
    let results = json!([result("AWS-0180", "error", "main.tf", 7), result("AWS-0080", "error", "main.tf", 6)]);
    std::fs::write(folder.path().join("one.sarif"), sarif("Trivy", json!([]), results).to_string()).expect("a file");
    let (_, report) = scan(folder.path(), &[]);
    let found = findings(&report);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].ends_with("main.tf:2 [checkov]"), "{found:?}");
    assert_eq!(report["findings"][1]["address"], "aws_db_instance.other");
}

#[test]
fn severity_comes_from_the_score_then_the_level_then_the_rule() {
    let rules = json!([
        {"id": "a", "properties": {"security-severity": "9.8"}},
        {"id": "b", "properties": {"security-severity": 7.0}},
        {"id": "c", "properties": {"security-severity": "4.0"}},
        {"id": "d", "properties": {"security-severity": "0.1"}},
        {"id": "e", "defaultConfiguration": {"level": "error"}},
        {"id": "f"},
        {"id": "g", "properties": {"security-severity": "unknown"}},
    ]);
    let results: Vec<Value> = ["a", "b", "c", "d", "e", "f", "g"]
        .iter()
        .map(|rule| json!({"ruleId": rule, "message": {"text": "x"}, "locations": at("x.py", 1)}))
        .collect();
    let folder = with(&[("x.py", "x = 1\n")], &[sarif("CodeQL", rules, json!(results))]);
    let (_, report) = scan(folder.path(), &[]);
    let severities: Vec<String> =
        findings(&report).iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        severities,
        [
            "critical codeql/a",
            "high codeql/b",
            "medium codeql/c",
            "low codeql/d",
            "high codeql/e",
            "medium codeql/f",
            "medium codeql/g"
        ]
    );
}

#[test]
fn tools_that_repeat_each_other_are_one_finding() {
    let ruff = sarif(
        "ruff",
        json!([]),
        json!([result("S602", "error", "app/main.py", 5), result("D100", "error", "app/main.py", 1)]),
    );
    let bandit = sarif("Bandit", json!([]), json!([result("B602", "error", "app/main.py", 5)]));
    let folder = with(&[("app/main.py", APP)], &[bandit.clone(), ruff, bandit]);
    let (_, report) = scan(folder.path(), &[]);
    assert_eq!(
        findings(&report),
        ["medium ruff/D100 app/main.py:1 [ruff]", "high bandit/B602 app/main.py:5 [bandit ruff]"]
    );
}

#[test]
fn the_same_weakness_is_one_only_in_the_same_words_of_a_line() {
    let found = |rule: &str, from: u32, to: u32| {
        let mut result = result(rule, "error", "app/main.py", 5);
        result["locations"][0]["physicalLocation"]["region"] =
            json!({"startLine": 5, "startColumn": from, "endLine": 5, "endColumn": to});
        result
    };
    let rules = |id: &str| json!([{"id": id, "properties": {"tags": ["CWE-78: command injection"]}}]);
    let semgrep = sarif("Semgrep OSS", rules("py.shell"), json!([found("py.shell", 12, 44)]));
    let bandit = sarif("Bandit", rules("B602"), json!([found("B602", 12, 30)]));
    let elsewhere = sarif("Bandit", rules("B602"), json!([found("B602", 5, 11)]));
    let folder = with(&[("app/main.py", APP)], &[semgrep.clone(), bandit]);
    assert_eq!(findings(&scan(folder.path(), &[]).1), ["high semgrep/py.shell app/main.py:5 [bandit semgrep]"]);
    let folder = with(&[("app/main.py", APP)], &[semgrep, elsewhere]);
    assert_eq!(findings(&scan(folder.path(), &[]).1).len(), 2);
}

#[test]
fn settings_and_suppressions_hold_for_rules_of_tools() {
    let results = json!([result("B602", "error", "app/main.py", 5), result("B404", "note", "app/main.py", 1)]);
    let bandit = sarif("Bandit", json!([]), results);
    let folder = with(&[("app/main.py", APP)], std::slice::from_ref(&bandit));
    let found = |config: &str, app: &str| {
        std::fs::write(folder.path().join("gate.yaml"), config).expect("a file");
        std::fs::write(folder.path().join("app/main.py"), app).expect("a file");
        let (code, report) = scan(folder.path(), &[]);
        assert!(code < 2, "{}", problems(&report));
        findings(&report)
    };
    let both = ["low bandit/B404 app/main.py:1 [bandit]", "high bandit/B602 app/main.py:5 [bandit]"];
    assert_eq!(found("", APP), both);
    assert_eq!(
        found("rules: {bandit/B602: {severity: low}, ruff/D100: {enabled: false}}", APP)[1],
        "low bandit/B602 app/main.py:5 [bandit]"
    );
    assert_eq!(found("ignore-rules: [bandit/B6*, ruff/D*]", APP), both[..1]);
    assert_eq!(found("ignore-rules: [bandit]", APP).len(), 0);
    assert_eq!(found("ignore: [{rule: bandit/B602, paths: [app/**], reason: fixed input}]", APP), both[..1]);
    assert_eq!(found("exclude: [app]", APP).len(), 0);
    let trailing = APP.replace("shell=True)", "shell=True)  # gate: ignore[bandit/B602] fixed input");
    assert_eq!(found("", &trailing), both[..1]);
    assert_eq!(found("rules: {bandit/B602: {ignorable: false}}", &trailing), both);
    let above = APP.replace("    return", "    # gate: ignore[bandit/B602] fixed input\n    return");
    let log = bandit.to_string().replace("\"startLine\":5", "\"startLine\":6");
    std::fs::write(folder.path().join("one.sarif"), log).expect("a file");
    assert_eq!(found("", &above), both[..1]);
    // A typing mistake is no tool.
    std::fs::write(folder.path().join("gate.yaml"), "rules: {bandti/B602: {severity: low}}").expect("a file");
    assert_eq!(code(&gate(folder.path(), &["scan"])), 2);
}

#[test]
fn a_rule_of_gates_speaks_for_the_same_rule_of_a_tool() {
    // gate can't tell, the tool can; whoever ignores or suppresses the one means the other.
    let main =
        "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = var.public\n}\nvariable \"public\" {}\n";
    let folder = with(
        &[("main.tf", main)],
        &[sarif("Checkov", json!([]), json!([result("CKV_AWS_17", "error", "main.tf", 1)]))],
    );
    let found = |main: &str, arguments: &[&str]| {
        std::fs::write(folder.path().join("main.tf"), main).expect("a file");
        findings(&scan(folder.path(), arguments).1)
    };
    // Checkov says `error` of everything: the catalog's severity says more.
    assert_eq!(found(main, &[]), ["critical checkov/CKV_AWS_17 main.tf:1 [checkov]"]);
    assert!(found(main, &["--ignore", "aws-rds-publicly-accessible"]).is_empty());
    let commented = main.replace("\" {\n", "\" { # gate: ignore[aws-rds-publicly-accessible] a demo\n");
    assert!(found(&commented, &[]).is_empty());
}

#[test]
fn what_a_tool_takes_for_accepted_is_suppressed_unless_told_otherwise() {
    let suppressed = |kind: &str, status: Option<&str>| {
        let mut one = result("B602", "error", "app/main.py", 5);
        one["suppressions"] = json!([{"kind": kind, "justification": "fixed input"}]);
        if let Some(status) = status {
            one["suppressions"][0]["status"] = json!(status);
        }
        let folder = with(&[("app/main.py", APP)], &[sarif("Bandit", json!([]), json!([one]))]);
        move |config: &str, arguments: &[&str]| {
            std::fs::write(folder.path().join("gate.yaml"), config).expect("a file");
            let (_, report) = scan(folder.path(), arguments);
            (findings(&report).len(), report["suppressed"][0]["reason"].clone())
        }
    };
    let scan = suppressed("inSource", None);
    assert_eq!(scan("", &[]), (0, json!("fixed input")));
    assert_eq!(scan("", &["--no-suppress"]).0, 1);
    assert_eq!(scan("rules: {bandit/B602: {ignorable: false}}", &[]).0, 1);
    assert_eq!(scan("dialects: [checkov]", &[]).0, 1, "comments in the tree count only where they are understood");
    assert_eq!(suppressed("external", Some("accepted"))("dialects: [checkov]", &[]).0, 0);
    assert_eq!(suppressed("external", Some("underReview"))("", &[]).0, 1);
    assert_eq!(suppressed("inSource", Some("rejected"))("", &[]).0, 1);
}

#[test]
fn an_import_that_says_nothing_closes_the_gate() {
    let run = |run: Value| json!({"version": "2.1.0", "runs": [run]}).to_string();
    let driver = json!({"driver": {"name": "Bandit"}});
    let ended = |how: Value| run(json!({"tool": driver, "results": [], "invocations": [how]}));
    let said = |list: &str, error: &str| json!({"executionSuccessful": true, list: [{"level": "error", "message": {"text": error}}]});
    for (text, reason) in [
        (String::new(), "is empty"),
        ("{".into(), "is no SARIF file"),
        ("[]".into(), "is no SARIF file"),
        ("{\"version\":\"2.1.0\"}".into(), "has no runs"),
        ("{\"version\":\"2.1.0\",\"runs\":[]}".into(), "has no runs"),
        ("{\"version\":\"1.0.0\",\"runs\":[]}".into(), "is of SARIF version 1.0.0"),
        ("{\"runs\":[]}".into(), "names no SARIF version"),
        (run(json!({"tool": driver})), "has a run of bandit without results"),
        (run(json!({"tool": {"driver": {"name": " "}}, "results": []})), "whose tool has no name"),
        (run(json!({"results": []})), "is no SARIF file"),
        (ended(json!({"executionSuccessful": false})), "bandit did not finish"),
        (ended(json!({"exitSignalNumber": 9})), "bandit was ended by signal 9"),
        (ended(json!({"processStartFailureMessage": "no python3"})), "bandit did not start: no python3"),
        (ended(json!({"exitCode": 2})), "bandit exited with 2"),
        (ended(said("toolConfigurationNotifications", "no profile")), "bandit reports an error: no profile"),
        (ended(said("toolExecutionNotifications", "can't parse a.py")), "bandit reports an error: can't parse a.py"),
        (
            run(json!({"tool": driver, "results": [], "externalPropertyFileReferences": {"results": []}})),
            "in other files",
        ),
        ("[".repeat(100_000), "is no SARIF file"),
        (format!("{{\"version\":\"2.1.0\",\"x\":{}", "[".repeat(100_000)), "is no SARIF file"),
    ] {
        let folder = tree(&[("app/main.py", APP), ("one.sarif", &text)]);
        let (code, report) = scan(folder.path(), &[]);
        let said = problems(&report);
        assert!(code == 2 && said.contains(reason), "{reason}: {code} {said}");
        assert!(said.contains("one.sarif"), "{said}");
    }
    let folder = tree(&[("app/main.py", APP)]);
    let (code, report) = scan(folder.path(), &["--import", "gone.sarif"]);
    assert!(code == 2 && problems(&report).contains("the import gone.sarif can't be read: no such file"), "{report}");
    std::fs::write(folder.path().join("gate.yaml"), "imports: [out/gone.sarif]\n").expect("a file");
    assert_eq!(scan(folder.path(), &[]).0, 2);
    let fine = with(&[("app/main.py", APP)], &[sarif("Bandit", json!([]), json!([]))]);
    assert_eq!(scan(fine.path(), &[]).0, 0);
}

#[test]
fn a_tool_that_exits_with_1_over_its_results_has_not_failed() {
    let ended = |invocation: Value, results: Value| {
        let mut log = sarif("Bandit", json!([]), results);
        log["runs"][0]["invocations"] = json!([invocation]);
        scan(with(&[("app/main.py", APP)], &[log]).path(), &[]).0
    };
    let some = json!([result("B602", "error", "app/main.py", 5)]);
    assert_eq!(ended(json!({"exitCode": 1}), some), 1);
    assert_eq!(ended(json!({"exitCode": 1, "executionSuccessful": true}), json!([])), 0);
    assert_eq!(ended(json!({"toolExecutionNotifications": [{"level": "warning"}, {}]}), json!([])), 0);
}

#[test]
fn places_are_found_by_every_kind_of_name() {
    let folder = tree(&[(".git/HEAD", ""), ("app/a b.py", APP), ("infra/main.tf", "locals {}\n")]);
    let root = folder.path().canonicalize().expect("a folder").display().to_string();
    let places = json!([
        {"uri": "app/a%20b.py"},
        {"uri": "./app/../app/a b.py"},
        {"uri": format!("file://{root}/app/a%20b.py")},
        {"uri": "a%20b.py", "uriBaseId": "APP"},
        {"uri": "app/a%20b.py", "uriBaseId": "%SRCROOT%"},
        {"uri": "file:///src/app/a%20b.py"},
        {"index": 0},
    ]);
    let count = places.as_array().map_or(0, Vec::len);
    let results: Vec<Value> = places
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(number, place)| {
            json!({"ruleId": format!("r{number}"), "message": {"text": "x"},
                "locations": [{"physicalLocation": {"artifactLocation": place, "region": {"startLine": 5}}}]})
        })
        .collect();
    let mut log = sarif("x", json!([]), json!(results));
    log["runs"][0]["originalUriBaseIds"] =
        json!({"ROOT": {"uri": "file:///src/"}, "APP": {"uri": "app/", "uriBaseId": "ROOT"}});
    log["runs"][0]["artifacts"] = json!([{"location": {"uri": "app/a%20b.py"}}]);
    std::fs::write(folder.path().join("one.sarif"), log.to_string()).expect("a file");
    let (_, report) = scan(folder.path(), &[]);
    let found = findings(&report);
    assert_eq!(found.len(), count);
    for (number, line) in found.iter().enumerate() {
        // A base that is not of this machine and names a folder below is put before the name.
        let wanted = format!("medium x/r{number} app/a b.py:5 [x]");
        assert!(*line == wanted, "{line} for {wanted}");
    }
    // Results in files that were not asked for are not shown.
    assert!(findings(&scan(folder.path(), &["infra/main.tf"]).1).is_empty());
}

#[test]
fn what_lies_outside_is_never_read_and_still_counts() {
    let folder = tree(&[("repo/x.py", "x = 1\n"), ("secret.py", "TOP_SECRET = 1\n")]);
    let root = folder.path().canonicalize().expect("a folder").display().to_string();
    let result = |uri: &str| result("B1", "error", uri, 1);
    let uris = [
        "../secret.py".to_string(),
        format!("file://{root}/secret.py"),
        "/etc/passwd".into(),
        "https://x.example/y".into(),
    ];
    let results: Vec<Value> = uris.iter().map(|uri| result(uri)).collect();
    let repo = folder.path().join("repo");
    std::fs::write(repo.join("one.sarif"), sarif("Bandit", json!([]), json!(results)).to_string()).expect("a file");
    let text = printed(&repo, &["scan", "--import", "one.sarif"]);
    assert!(!text.contains("TOP_SECRET") && !text.contains("root:"), "{text}");
    let (code, report) = scan(&repo, &[]);
    assert_eq!((code, findings(&report).len()), (1, 4));
    let text = printed(&repo, &["scan", "--import", "one.sarif", "--format", "sarif"]);
    assert!(!text.contains("\"uri\":\"/") && !text.contains("\"uri\":\"../"), "{text}");
}

#[test]
fn vulnerabilities_of_an_image_join_the_verdict() {
    let words = |package: &str, fixed: &str| {
        format!(
            "Package: {package}\nInstalled Version: 1.0\nVulnerability CVE-2031-0001\nSeverity: CRITICAL\nFixed Version: {fixed}\nLink: [CVE-2031-0001](https://x.example)"
        )
    };
    let found = |package: &str, fixed: &str| {
        json!({"ruleId": "CVE-2031-0001", "ruleIndex": 0, "level": "error", "message": {"text": words(package, fixed)},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "library/shop", "uriBaseId": "ROOTPATH"},
                "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}}}]})
    };
    let rules = json!([{"id": "CVE-2031-0001", "shortDescription": {"text": "openssl: overflow"},
        "properties": {"security-severity": "9.1"}}]);
    let trivy = sarif(
        "Trivy",
        rules,
        json!([found("libssl", "1.1"), found("openssl", ""), {"ruleId": "CVE-2031-0002", "message": {"text": "x"}}]),
    );
    let folder = with(&[("Dockerfile", "FROM scratch\n")], &[trivy]);
    let (code, report) = scan(folder.path(), &["--fail-on", "critical"]);
    assert_eq!(code, 1);
    let found = findings(&report);
    assert_eq!(found[..2], ["critical trivy/CVE-2031-0001 library/shop:1 [trivy]"; 2], "{found:?}");
    assert_eq!(found.len(), 3);
    let messages: Vec<&str> = list(&report, "findings").iter().map(|one| text(&one["message"])).collect();
    assert!(messages.contains(&"libssl 1.0 has CVE-2031-0001, fixed in 1.1"), "{messages:?}");
    assert_ne!(report["findings"][0]["fingerprint"], report["findings"][1]["fingerprint"]);
    for format in ["text", "sarif", "github", "junit", "markdown", "html", "gitlab"] {
        let text = printed(folder.path(), &["scan", "--import", "one.sarif", "--format", format]);
        assert!(text.contains("CVE-2031-0001"), "{format}");
    }
}

#[test]
fn secrets_that_tools_find_are_masked_and_one_with_gates() {
    let key = "AKIA".to_string() + "3XQ7PLMZKV2WTR5N";
    let password = "blue-horse-battery";
    let settings = format!("KEY = '{key}'\nPASSWORD = '{password}'\n");
    let mut leak = result("aws-access-token", "error", "settings.py", 1);
    leak["locations"][0]["physicalLocation"]["region"]["snippet"] = json!({"text": key});
    leak["message"]["text"] = json!(format!("aws-access-token has detected secret {key}"));
    let mut bandit = result("B105", "note", "settings.py", 2);
    bandit["message"]["text"] = json!(format!("Possible hardcoded password: '{password}'"));
    let folder = with(
        &[("settings.py", &settings)],
        &[sarif("gitleaks", json!([]), json!([leak])), sarif("Bandit", json!([]), json!([bandit]))],
    );
    for format in ["text", "json", "sarif", "github", "junit", "markdown", "html", "gitlab"] {
        let scan = ["scan", "--import", "one.sarif", "--import", "two.sarif", "--format", format];
        let text = printed(folder.path(), &scan);
        assert!(!text.contains(&key[4..]) && !text.contains(password), "{format}: {text}");
    }
    let found = findings(&scan(folder.path(), &[]).1);
    assert_eq!(
        found,
        ["critical general-aws-key-committed settings.py:1 [gitleaks]", "low bandit/B105 settings.py:2 [bandit]"]
    );
}

#[test]
fn secrets_in_the_names_of_places_are_masked() {
    let token = format!("ghp_{}", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8");
    let names = [
        format!("d/{token}/x.py"),
        format!("file:///src/{token}.py"),
        format!("d/ghp%5F{}", &token[4..]),
        "postgres://shop:kX92mQ7pLw4z@db.acme.internal/shop".into(),
        "postgres:/shop:kX92mQ7pLw4z@db.acme.internal/shop".into(),
    ];
    let results: Vec<Value> = names.iter().map(|name| result("B1", "error", name, 1)).collect();
    let folder = with(&[("x.py", "x = 1\n")], &[sarif("Bandit", json!([]), json!(results))]);
    for format in ["text", "json", "sarif", "github", "junit", "markdown", "html", "gitlab"] {
        let text = printed(folder.path(), &["scan", "--import", "one.sarif", "--format", format]);
        assert!(text.contains("d/***/x.py") || format != "text", "{format}: {text}");
        assert!(!text.contains("A1b2C3d4") && !text.contains("kX92mQ7pLw4z"), "{format}: {text}");
    }
}

#[test]
fn fingerprints_survive_inserted_lines_and_do_not_trust_those_of_tools() {
    let print = |app: &str, line: u32, tools: &str| {
        let mut one = result("py.shell", "error", "app/main.py", line);
        one["fingerprints"] = json!({"matchBasedId/v1": tools});
        let folder = with(&[("app/main.py", app)], &[sarif("Semgrep OSS", json!([]), json!([one]))]);
        scan(folder.path(), &[]).1["findings"][0]["fingerprint"].clone()
    };
    let before = print(APP, 5, "requires login");
    assert_eq!(before, print(&format!("# more\n\n{APP}"), 7, "changed"));
    assert_ne!(before, print(APP, 1, "requires login"));
}

#[test]
fn nothing_that_a_tool_says_acts_in_a_report() {
    let hostile = "x\n::error::owned\u{1b}[31m<script>alert(1)</script>";
    let rules = json!([{"id": hostile, "name": hostile, "shortDescription": {"text": hostile}, "fullDescription": {"text": hostile},
        "helpUri": "javascript:alert(1)", "help": {"text": hostile}, "properties": {"tags": [hostile]}}]);
    let results = json!([{"ruleId": hostile, "message": {"text": "{0}", "arguments": [hostile]}, "locations": at(hostile, 99_999)},
        {"ruleId": "--", "message": {"text": hostile}, "locations": at("x.py", 99_999)},
        {"ruleId": "é", "message": {"text": hostile}, "locations": at("x.py", 4_294_967_295)}]);
    let folder = with(&[("x.py", "x = 1\n")], &[sarif(hostile, rules, results)]);
    for format in ["text", "json", "sarif", "github", "junit", "markdown", "html", "gitlab"] {
        let output = gate(folder.path(), &["scan", "--import", "one.sarif", "--format", format]);
        assert_eq!(output.status.code(), Some(1), "{format}: {output:?}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!text.contains('\u{1b}') && !text.contains("javascript:"), "{format}: {text}");
        assert!(!text.lines().any(|line| line.starts_with("::error::owned")), "{format}: {text}");
        if ["markdown", "html"].contains(&format) {
            assert!(!text.contains("<script>alert"), "{format}: {text}");
        }
    }
}
