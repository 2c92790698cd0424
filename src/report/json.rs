//! Everything, as one JSON object; `version` changes when a field changes its meaning.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Comparison, Each, Report, Style, encode};
use crate::finding::Finding;
use crate::source::Span;

/// Writes the report.
pub fn write(report: &Report, _style: Style, out: &mut dyn Write) -> io::Result<()> {
    let counts = &report.counts;
    let value = Whole {
        version: 1,
        verdict: match report.verdict.exit_code() {
            0 => "pass",
            1 => "fail",
            _ => "undecided",
        },
        fail_on: report.fail_on.map(|severity| severity.name()),
        findings: Each(|| report.findings.iter().map(|one| finding(report, one))),
        suppressed: Each(|| {
            report.suppressed.iter().map(|one| {
                json!({
                    "finding": finding(report, &one.finding),
                    "reason": one.reason,
                    "dialect": one.dialect,
                    "until": one.until,
                    "owner": one.owner,
                    "at": one.at.map(|at| place(report, at)),
                })
            })
        }),
        problems: Each(|| {
            report.problems.iter().map(|problem| {
                json!({
                    "kind": problem.kind.name(),
                    "message": problem.message,
                    "help": problem.help,
                    "path": problem.path,
                    "at": problem.span.map(|span| place(report, span)),
                    "closes": report.closes(problem),
                })
            })
        }),
        comparison: report.comparison.as_ref().map(|comparison| compared(report, comparison)),
        counts: json!({
            "files_seen": counts.files_seen,
            "files_searched": counts.files_searched,
            "files_read": counts.files_read.iter().map(|(format, count)| (format.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
            "files_skipped": counts.files_skipped.iter().map(|(path, why)| json!({"path": path, "reason": why})).collect::<Vec<_>>(),
            "resources": counts.resources,
            "rules_run": counts.rules_run,
            "undecided": counts.undecided.iter().map(|(rule, count)| (rule.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
        }),
    };
    encode::pretty(&value, out)?;
    writeln!(out)
}

/// The report; its lists are made while they are written.
#[derive(Serialize)]
struct Whole<F, S, P> {
    version: u32,
    verdict: &'static str,
    fail_on: Option<&'static str>,
    findings: F,
    suppressed: S,
    problems: P,
    comparison: Option<Value>,
    counts: Value,
}

fn compared(report: &Report, comparison: &Comparison) -> Value {
    let fixed = comparison.fixed.iter().map(|one| {
        json!({
            "rule": &*one.rule,
            "severity": one.severity.name(),
            "message": one.message,
            "address": &*one.address,
            "path": one.path,
            "line": (one.line > 0).then_some(one.line),
        })
    });
    let proposed = comparison
        .proposed
        .iter()
        .map(|one| json!({"path": one.path, "at": one.at.map(|at| place(report, at)), "message": one.message}));
    json!({
        "against": comparison.against,
        "fixed": fixed.collect::<Vec<_>>(),
        "proposed": proposed.collect::<Vec<_>>(),
    })
}

fn place(report: &Report, span: Span) -> Value {
    let (start, end) = report.sources.region(span);
    json!({
        "path": report.sources.get(span.file).path(),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    })
}

fn finding(report: &Report, finding: &Finding) -> Value {
    json!({
        "rule": &*finding.rule,
        "severity": finding.severity.name(),
        "message": finding.message,
        "address": &*finding.address,
        "attribute": finding.attribute,
        "at": place(report, finding.at),
        "possible": finding.possible,
        "environments": finding.environments.iter().map(|name| &**name).collect::<Vec<_>>(),
        "related": finding.related.iter().map(|one| json!({"at": place(report, one.at), "message": one.message})).collect::<Vec<_>>(),
        "fingerprint": finding.fingerprint,
        "status": finding.status.map(|status| status.name()),
        "tools": finding.tools.iter().map(|name| &**name).collect::<Vec<_>>(),
    })
}
