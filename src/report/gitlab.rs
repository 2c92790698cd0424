//! GitLab's Code Quality report: a list of findings, which GitLab itself compares with that of the target branch.

use std::io::{self, Write};

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::{Each, Report, Style, encode};
use crate::config;
use crate::escape::plain;
use crate::finding::{Finding, Fingerprint, Severity, Status};
use crate::problem::Problem;

/// Writes the report. What is old is in it, since GitLab takes what is missing for mended; what a baseline accepts is not.
pub fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let accepted = report.comparison.as_ref().is_some_and(|comparison| comparison.accepted) && !style.show_suppressed;
    let findings: Vec<&Finding> =
        report.findings.iter().filter(|finding| !(accepted && finding.status == Some(Status::Old))).collect();
    let mut numbers: FxHashMap<Fingerprint, usize> = FxHashMap::default();
    // A fingerprint stands once in a report: instances of one resource and copies of a file share theirs in gate.
    let numbered: Vec<(&Finding, usize)> = findings
        .into_iter()
        .map(|finding| {
            let number = numbers.entry(finding.fingerprint).or_default();
            *number += 1;
            (finding, *number)
        })
        .collect();
    let closing: Vec<&Problem> = report.closing().collect();
    let all = || {
        let findings = numbered.iter().map(|(one, number)| finding(report, one, *number));
        findings.chain(closing.iter().map(|problem| unread(report, problem)))
    };
    encode::pretty(&Each(all), out)?;
    writeln!(out)
}

/// GitLab knows info, minor, major, critical and blocker.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
    }
}

fn finding(report: &Report, finding: &Finding, number: usize) -> Value {
    let again = if number > 1 { format!("-{number}") } else { String::new() };
    json!({
        "description": format!("{}{}", if finding.possible { "possible: " } else { "" }, plain(&finding.message)),
        "check_name": plain(&finding.rule),
        "fingerprint": format!("{}{again}", finding.fingerprint),
        "severity": if finding.possible && !report.strict { "info" } else { severity(finding.severity) },
        "location": location(report, report.sources.get(finding.at.file).path(), report.sources.line(finding.at)),
    })
}

/// What could not be read keeps the gate closed, so the merge request shows it too.
fn unread(report: &Report, problem: &Problem) -> Value {
    let line = problem.span.map_or(1, |span| report.sources.line(span));
    let fingerprint = Fingerprint::of([&*problem.path, &line.to_string(), problem.kind.name(), &problem.message]);
    json!({
        "description": format!("gate could not decide: {}", plain(&problem.message)),
        "check_name": format!("gate-{}", problem.kind.name()),
        "fingerprint": fingerprint,
        "severity": "blocker",
        // An entry has a place; what no file is to blame for stands where settings do.
        "location": location(report, if problem.path.is_empty() { config::NAMES[0] } else { &problem.path }, line),
    })
}

/// Paths are relative to the root of the repository.
fn location(report: &Report, path: &str, line: u32) -> Value {
    json!({"path": format!("{}{path}", report.prefix), "lines": {"begin": line}})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use crate::finding::{Severity, Status};
    use crate::problem::{Problem, ProblemKind};
    use crate::report::{Report, Style, sample};

    /// What GitLab's documentation says of a custom report.
    fn assert_code_quality(report: &Value) {
        let schema = json!({
            "type": "array",
            "items": {
                "type": "object",
                "required": ["description", "check_name", "fingerprint", "severity", "location"],
                "additionalProperties": false,
                "properties": {
                    "description": {"type": "string", "minLength": 1},
                    "check_name": {"type": "string", "minLength": 1},
                    "fingerprint": {"type": "string", "minLength": 1},
                    "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                    "location": {
                        "type": "object",
                        "required": ["path", "lines"],
                        "properties": {
                            "path": {"type": "string", "pattern": "^[^./]"},
                            "lines": {
                                "type": "object",
                                "required": ["begin"],
                                "properties": {"begin": {"type": "integer", "minimum": 1}},
                            },
                        },
                    },
                },
            },
        });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> = validator.iter_errors(report).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let all = report.as_array().unwrap();
        let fingerprints: BTreeSet<&str> = all.iter().map(|one| one["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(fingerprints.len(), all.len());
    }

    fn value(report: &Report<'_>, style: Style) -> Value {
        let value = serde_json::from_str(&sample::written(report, "gitlab", style)).unwrap();
        assert_code_quality(&value);
        value
    }

    #[test]
    fn findings_of_one_fingerprint_stay_apart_and_places_are_those_of_the_repository() {
        let sources = sample::sources(&[("main.tf", "a = 1\nb = 2\n")]);
        let at = sample::place(&sources, "main.tf", "b");
        let finding = sample::finding(at, "aws-a", Severity::Critical, None);
        let mut report = sample::report(&sources, vec![finding.clone(), finding], None);
        let path = "broken.tf";
        report.problems = vec![
            Problem::with_path(ProblemKind::Unread, path, "no permission"),
            Problem::with_path(ProblemKind::Note, path, "worth to know"),
        ];
        let value = value(&report, Style::default());
        assert_eq!(value.as_array().unwrap().len(), 3);
        assert_eq!(value[0]["location"], json!({"path": "deploy/main.tf", "lines": {"begin": 2}}));
        assert_eq!(value[0]["severity"], "blocker");
        assert_eq!(value[2]["check_name"], "gate-unread");
    }

    #[test]
    fn what_is_old_stays_in_the_report_unless_a_baseline_accepts_it() {
        let sources = sample::sources(&[("main.tf", "a = 1\nb = 2\n")]);
        let finding = |piece, status| {
            sample::finding(sample::place(&sources, "main.tf", piece), "aws-a", Severity::Medium, Some(status))
        };
        let findings = vec![finding("a", Status::Old), finding("b", Status::New)];
        let mut report = sample::report(&sources, findings, Some(sample::comparison(1)));
        assert_eq!(value(&report, Style::default()).as_array().unwrap().len(), 2);
        report.comparison.as_mut().unwrap().accepted = true;
        assert_eq!(value(&report, Style::default()).as_array().unwrap().len(), 1);
        assert_eq!(value(&report, Style { show_suppressed: true, ..Style::default() }).as_array().unwrap().len(), 2);
    }
}
