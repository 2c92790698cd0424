//! Reports for tests: texts, findings on pieces of them, and what a change did.

use std::sync::Arc;

use super::{Comparison, Counts, Fixed, Proposal, Report, RuleText, Style, Verdict};
use crate::finding::{Finding, Fingerprint, Severity, Status};
use crate::source::{Source, Sources, Span};

pub(super) fn sources(files: &[(&str, &str)]) -> Sources {
    Sources::new(files.iter().map(|(path, text)| Source::new(*path, *text)).collect())
}

/// The first place of `piece` in the file at `path`.
pub(super) fn place(sources: &Sources, path: &str, piece: &str) -> Span {
    let (file, source) = sources.iter().find(|(_, source)| source.path() == path).expect("the file is there");
    let start = source.text().find(piece).expect("the piece is in the file") as u32;
    Span::new(file, start, start + piece.len() as u32)
}

pub(super) fn finding(at: Span, rule: &str, severity: Severity, status: Option<Status>) -> Finding {
    Finding {
        address: "aws_db_instance.main".into(),
        attribute: "publicly_accessible".into(),
        fingerprint: Fingerprint::of([at.start.to_string().as_str()]),
        status,
        ..Finding::new(rule, severity, format!("aws_db_instance.main: {rule} holds"), at)
    }
}

/// A report that fails on medium and worse.
pub(super) fn report<'s>(sources: &'s Sources, findings: Vec<Finding>, comparison: Option<Comparison>) -> Report<'s> {
    let mut ids: Vec<Arc<str>> = findings.iter().map(|finding| Arc::clone(&finding.rule)).collect();
    ids.sort();
    ids.dedup();
    let fails = findings.iter().any(|finding| finding.counts() && finding.severity >= Severity::Medium);
    Report {
        secrets: crate::scan::secrets(sources),
        named: Vec::new(),
        sources,
        rules: ids.into_iter().map(rule).collect(),
        counts: Counts {
            files_seen: 3,
            files_read: vec![("terraform", 3)],
            resources: 4,
            rules_run: 5,
            ..Counts::default()
        },
        findings,
        suppressed: Vec::new(),
        problems: Vec::new(),
        fail_on: Some(Severity::Medium),
        strict: false,
        verdict: if fails { Verdict::Fail } else { Verdict::Pass },
        prefix: "deploy/".into(),
        comparison,
    }
}

pub(super) fn rule(id: Arc<str>) -> RuleText {
    RuleText {
        title: format!("The defect of {id}"),
        severity: Severity::High,
        aliases: vec![format!("CKV_{id}")],
        tags: vec!["aws".into(), "rds".into()],
        compliance: Vec::new(),
        why: "Whoever finds the address may try passwords until one of them is right, and nobody sees it happen."
            .into(),
        fix: "Set publicly_accessible to false and reach the database from inside the VPC.".into(),
        bad: vec![("terraform".into(), "publicly_accessible = true\n".into())],
        good: vec![("terraform".into(), "publicly_accessible = false\n".into())],
        heuristic: false,
        id,
    }
}

/// Compared with a commit; so many findings are gone, and one suppression is proposed.
pub(super) fn comparison(fixed: u32) -> Comparison {
    Comparison {
        against: "main (1a2b3c4d5e6f)".into(),
        accepted: false,
        fixed: (1..=fixed)
            .map(|line| Fixed {
                root: "".into(),
                path: "infra/old.tf".into(),
                line,
                rule: "aws-s3-public-acl".into(),
                severity: Severity::High,
                message: "aws_s3_bucket.logs: acl is public-read".into(),
                address: "aws_s3_bucket.logs".into(),
            })
            .collect(),
        proposed: vec![Proposal {
            path: "gate.yaml".into(),
            at: None,
            message: "fail-on rises from medium to critical".into(),
        }],
    }
}

pub(super) fn written(report: &Report<'_>, format: &str, style: Style) -> String {
    let format = super::FORMATS.iter().find(|known| known.name == format).expect("the format is known");
    let mut bytes = Vec::new();
    (format.write)(report, style, &mut bytes).expect("a vector takes all");
    String::from_utf8(bytes).expect("reports are UTF-8")
}
