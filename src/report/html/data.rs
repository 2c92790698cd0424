//! The data of the page. All texts are inert already: what would steer or hide is written out.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::escape::plain;
use crate::finding::{Finding, Suppressed};
use crate::problem::Problem;
use crate::report::snippet::{Excerpt, secrets_near};
use crate::report::{Each, Report, RuleText, Style, encode};
use crate::source::Span;

/// Writes one object, small keys first.
pub(super) fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut paths = Paths::default();
    let secrets = secrets_near(report);
    let findings = report.shown(Style { show_old: true, ..style });
    let fixed: Vec<Value> = report
        .comparison
        .iter()
        .flat_map(|comparison| &comparison.fixed)
        .map(|one| {
            let (rule, message) = (plain(&one.rule), plain(&one.message));
            json!({
                "severity": one.severity.name(), "rule": rule, "message": message,
                "path": paths.index(&one.path), "line": one.line,
            })
        })
        .collect();
    let proposed: Vec<Value> = report
        .comparison
        .iter()
        .flat_map(|comparison| &comparison.proposed)
        .map(|one| {
            let line = one.at.map(|at| report.sources.line(at));
            json!({"message": plain(&one.message), "path": paths.index(&one.path), "line": line})
        })
        .collect();
    let problems: Vec<Value> = report.problems.iter().map(|one| problem(report, one, &mut paths)).collect();
    let suppressed: Vec<Value> = report.suppressed.iter().map(|one| accepted(report, one, &mut paths)).collect();
    // The places of findings are known before they are written, so that the list of paths can stand before them.
    for span in findings.iter().flat_map(|finding| places(finding)) {
        paths.index(report.sources.get(span.file).path());
    }
    let skipped = &report.counts.files_skipped;
    let data = Data {
        compared: report.comparison.is_some(),
        show_old: style.show_old,
        rules: report.rules.iter().map(|text| (plain(&text.id).into_owned(), rule(text))).collect(),
        counts: counts(report),
        skipped: skipped.iter().map(|(path, why)| json!([plain(path), plain(why)])).collect(),
        fixed,
        proposed,
        problems,
        suppressed,
        findings: Each(|| findings.iter().map(|one| finding(report, one, &secrets, &paths))),
        paths: paths.shown(),
    };
    encode::compact(&data, out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<F> {
    compared: bool,
    show_old: bool,
    rules: Map<String, Value>,
    counts: Vec<Value>,
    skipped: Vec<Value>,
    fixed: Vec<Value>,
    proposed: Vec<Value>,
    problems: Vec<Value>,
    suppressed: Vec<Value>,
    paths: Vec<String>,
    findings: F,
}

/// Every path once.
#[derive(Default)]
struct Paths(BTreeMap<String, usize>);

impl Paths {
    fn index(&mut self, path: &str) -> usize {
        let next = self.0.len();
        match self.0.get(path) {
            Some(index) => *index,
            None => {
                self.0.insert(path.to_string(), next);
                next
            }
        }
    }

    fn known(&self, path: &str) -> usize {
        self.0.get(path).copied().unwrap_or_default()
    }

    fn shown(&self) -> Vec<String> {
        let mut paths = vec![String::new(); self.0.len()];
        for (path, index) in &self.0 {
            if let Some(place) = paths.get_mut(*index) {
                *place = plain(path).into_owned();
            }
        }
        paths
    }
}

fn places(finding: &Finding) -> impl Iterator<Item = Span> {
    std::iter::once(finding.at).chain(finding.related.iter().map(|one| one.at))
}

fn finding(report: &Report, finding: &Finding, secrets: &[Span], paths: &Paths) -> Value {
    let source = report.sources.get(finding.at.file);
    let start = source.position(finding.at.start);
    let excerpt = Excerpt::new(report, finding, secrets);
    let mut value = json!({
        "rule": plain(&finding.rule),
        "severity": finding.severity.name(),
        "message": plain(&finding.message),
        "path": paths.known(source.path()),
        "line": start.line,
        "column": start.column,
        "address": plain(&finding.address),
        "attribute": plain(&finding.attribute),
        "fingerprint": finding.fingerprint,
        "code": {
            "first": excerpt.first,
            "lines": excerpt.lines,
            "at": excerpt.at,
            "from": excerpt.mark_at,
            "length": excerpt.mark,
        },
    });
    if let Some(status) = finding.status {
        value["status"] = json!(status.name());
    }
    if finding.possible {
        value["possible"] = json!(true);
    }
    let texts = |texts: &[std::sync::Arc<str>]| texts.iter().map(|text| plain(text).into_owned()).collect::<Vec<_>>();
    if !finding.environments.is_empty() {
        value["environments"] = json!(texts(&finding.environments));
    }
    if !finding.tools.is_empty() {
        value["tools"] = json!(texts(&finding.tools));
    }
    if !finding.related.is_empty() {
        let related = finding.related.iter().map(|one| {
            let path = paths.known(report.sources.get(one.at.file).path());
            json!({"message": plain(&one.message), "path": path, "line": report.sources.line(one.at)})
        });
        value["related"] = related.collect();
    }
    value
}

fn rule(rule: &RuleText) -> Value {
    let compliance = rule.compliance.iter().map(|(name, references)| format!("{name} {}", references.join(", ")));
    json!({
        "title": plain(&rule.title),
        "why": plain(&rule.why),
        "fix": plain(&rule.fix),
        "aliases": rule.aliases.iter().map(|alias| plain(alias)).collect::<Vec<_>>(),
        "compliance": compliance.map(|line| plain(&line).into_owned()).collect::<Vec<_>>(),
    })
}

fn problem(report: &Report, problem: &Problem, paths: &mut Paths) -> Value {
    let mut value = json!({
        "kind": problem.kind.name(),
        "message": plain(&problem.message),
        "help": problem.help.as_ref().map(|help| plain(help)),
        "closes": report.closes(problem),
    });
    if !problem.path.is_empty() {
        value["path"] = json!(paths.index(&problem.path));
        value["line"] = json!(problem.span.map(|span| report.sources.line(span)));
    }
    value
}

fn accepted(report: &Report, one: &Suppressed, paths: &mut Paths) -> Value {
    let finding = &one.finding;
    json!({
        "rule": plain(&finding.rule),
        "severity": finding.severity.name(),
        "message": plain(&finding.message),
        "path": paths.index(report.sources.get(finding.at.file).path()),
        "line": report.sources.line(finding.at),
        "reason": plain(&one.reason),
        "dialect": one.dialect,
        "owner": one.owner.as_ref().map(|owner| plain(owner)),
        "until": one.until.as_ref().map(|until| plain(until)),
    })
}

/// Titles and values of what was done.
fn counts(report: &Report) -> Vec<Value> {
    let counts = &report.counts;
    let by_format: Vec<String> = counts.files_read.iter().map(|(format, count)| format!("{count} {format}")).collect();
    let undecided: Vec<String> =
        counts.undecided.iter().map(|(rule, count)| format!("{count} {}", plain(rule))).collect();
    let total: usize = counts.undecided.iter().map(|(_, count)| count).sum();
    [
        ("Files seen", counts.files_seen.to_string()),
        ("Files read", by_format.join(", ")),
        ("Searched for secrets", counts.files_searched.to_string()),
        ("Left unread on purpose", counts.files_skipped.len().to_string()),
        ("Resources", counts.resources.to_string()),
        ("Rules", counts.rules_run.to_string()),
        ("Module calls without source", counts.modules_unread.to_string()),
        ("Undecided checks", total.to_string()),
        ("Undecided by rule", undecided.join(", ")),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty() && value != "0")
    .map(|(title, value)| json!([title, value]))
    .collect()
}
