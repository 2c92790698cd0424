//! A tree whose every name and text tries to act in an output: none does, in any format, and no secret is told.

use std::sync::Arc;

use gate::finding::{Severity, Status};
use gate::report::{Comparison, FORMATS, Fixed, Proposal, Report, Style};
use serde_json::Value;

use super::markup::elements;
use super::{judged, list, tree, written};

/// What a name or a text may hold to act somewhere: terminals, runners of workflows, HTML, Markdown, tables, XML, mentions.
const HOSTILE: &str = "\u{1b}[2J\u{9b}1m\r\n::error::x ##[error]y ##vso[task.complete]<script>alert(1)</script><img src=x>|`rm`\u{202e}\u{2066}@all #1 [l](https://e.example) ![p](//e.example/p.png) **b** ]]>&amp;\"'";

/// Names of files have no `/`; what else acts stands in this one.
const HOSTILE_NAME: &str =
    "\u{1b}[2J\r\n::error::x ##[error]<script>alert(1)<img src=x>|`rm`\u{202e}@all [l](https:e) **b** \"'&.tf";

const TOKEN: &str = "ghp_x7Kq2mVb9TzR4nWc8LpY1sDf6GhJ3aE5uQ0i";
const PASSWORD: &str = "tangerine-9-harbor";

fn hostile() -> tempfile::TempDir {
    let text = |quoted: &str| {
        // In a string of Terraform `"` and `\` are escaped, and a line has no line end.
        quoted.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "\\r").replace('\n', "\\n")
    };
    let inert = HOSTILE.replace(['\r', '\n'], " ");
    let terraform = format!(
        "# gate: ignore[aws-s3-unversioned] until=2027-01-01 by=ops {inert}\nresource \"aws_s3_bucket\" \"a\" {{\n  bucket = \"{}\"\n  acl = \"public-read\" # {inert}\n}}\nmodule \"m\" {{\n  source = \"./nowhere{}\"\n}}\nvariable \"db_password\" {{\n  default = \"{PASSWORD}\"\n}}\nresource \"aws_db_instance\" \"b\" {{\n  publicly_accessible = true # {TOKEN} {inert}\n}}\n",
        text(HOSTILE),
        text("\u{1b}[1m::error::")
    );
    let manifest = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n    - name: {name}\n      image: {name}\n      securityContext:\n        privileged: true\n      env:\n        - name: TOKEN\n          value: {TOKEN}\n",
        name = serde_json::to_string(HOSTILE).unwrap()
    );
    tree(&[
        (".git/HEAD", "ref: refs/heads/main\n"),
        (HOSTILE_NAME, &terraform),
        (&format!("{HOSTILE_NAME}/pod.yaml").replace(".tf/", "/"), &manifest),
        (&format!("broken{HOSTILE_NAME}"), &format!("resource \"x\" {{ # {inert}\n")),
        ("Dockerfile", &format!("FROM python:latest\nENV GITHUB_TOKEN={TOKEN}\nRUN echo {inert}\n")),
    ])
}

/// As if a change had made every second finding, with texts of the tree wherever there is room for them.
fn compare(report: &mut Report<'_>) {
    for (number, finding) in report.findings.iter_mut().enumerate() {
        finding.status = Some([Status::New, Status::Worse, Status::Old][number % 3]);
        finding.tools = vec![Arc::from(HOSTILE)];
    }
    report.comparison = Some(Comparison {
        against: HOSTILE.into(),
        fixed: vec![Fixed {
            root: "".into(),
            path: HOSTILE_NAME.into(),
            line: 1,
            rule: HOSTILE.into(),
            severity: Severity::High,
            message: HOSTILE.into(),
            address: HOSTILE.into(),
        }],
        proposed: vec![Proposal { path: HOSTILE_NAME.into(), at: None, message: HOSTILE.into() }],
        ..Comparison::default()
    });
    for rule in &mut report.rules {
        (rule.title, rule.why, rule.fix) = (HOSTILE.into(), HOSTILE.into(), HOSTILE.into());
        rule.aliases = vec![HOSTILE.into()];
        rule.bad = vec![("terraform".into(), format!("```\n{HOSTILE}"))];
    }
}

/// What may stand in no output, whatever its format.
fn assert_inert(format: &str, text: &str) {
    let steers = |char: char| {
        (char.is_control() && char != '\n') || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(text.find(steers).map(|at| &text[at.saturating_sub(40).min(at)..at]), None, "{format}");
    for secret in [TOKEN, PASSWORD] {
        assert!(!text.contains(secret), "{format} tells {secret}");
    }
    for line in text.lines() {
        let line = line.trim_start();
        let own = ["::error ", "::warning ", "::notice "].iter().any(|command| line.starts_with(command));
        assert!(!line.starts_with("::") || (format == "github" && own), "{format}: {line}");
        assert!(!line.contains("##[") && !line.contains("##vso["), "{format}: {line}");
    }
    if format != "html" {
        assert!(!text.contains("<script") || ["text", "github"].contains(&format), "{format}");
    }
}

/// The parts of each format that must be as they are, and the texts that must have arrived.
fn assert_whole(format: &str, text: &str) {
    match format {
        "json" | "gitlab" => {
            let value: Value = serde_json::from_str(text).unwrap();
            assert!(value.to_string().contains(&serde_json::to_string(HOSTILE_NAME).unwrap()[1..40]), "{format}");
        }
        "sarif" => {
            let value: Value = serde_json::from_str(text).unwrap();
            for result in list(&value["runs"][0], "results") {
                let message = result["message"]["text"].as_str().unwrap();
                assert!(!message.contains("](http") && !message.contains("](//"), "{message}");
            }
            for rule in list(&value["runs"][0]["tool"]["driver"], "rules") {
                let help = rule["help"]["markdown"].as_str().unwrap();
                // What stands in a code block is text; the fence is longer than any in it.
                let fence = help.lines().find(|line| line.starts_with("```")).unwrap_or_default();
                let fence = fence.trim_end_matches(char::is_alphanumeric);
                let outside: String = help.split(fence).step_by(2).collect();
                assert!(!outside.contains("<script") && !outside.contains("](") && !outside.contains("@all"), "{help}");
            }
        }
        "junit" => {
            let known = ["testsuites", "testsuite", "testcase", "failure", "error", "skipped"];
            assert!(elements(text).iter().all(|name| known.contains(&name.as_str())));
        }
        "markdown" | "comment" => {
            let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
            assert!(rows.len() > 3);
            for row in rows {
                let bars = row.match_indices('|').filter(|(at, _)| !row[..*at].ends_with('\\')).count();
                assert_eq!(bars, 5, "{row}");
            }
            for acts in ["<img", "@all", "](", "![", " `rm`", "**b**", "https://", "#1 "] {
                assert!(!text.contains(acts), "{format} has {acts}: {text}");
            }
        }
        "html" => {
            assert_eq!((text.matches("<script").count(), text.matches("</script").count()), (2, 2));
            assert!(!text.contains("<img"));
        }
        _ => assert!(text.contains("::error::x") || text.contains("%3A%3Aerror"), "{format}: {text}"),
    }
}

#[test]
fn nothing_in_a_hostile_tree_acts_and_no_secret_is_told() {
    let folder = hostile();
    judged(folder.path(), |mut report| {
        assert!(report.findings.len() > 5 && !report.suppressed.is_empty() && !report.problems.is_empty());
        assert!(report.findings.iter().filter(|finding| finding.sensitive).count() >= 3);
        for _ in 0..2 {
            for format in FORMATS {
                for width in [40, 200] {
                    let style = Style { width, show_suppressed: true, show_old: true, ..Style::default() };
                    let text = written(&report, format.name, style);
                    assert_inert(format.name, &text);
                    assert_whole(format.name, &text);
                }
            }
            compare(&mut report);
        }
    });
}
