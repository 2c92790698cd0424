//! SARIF 2.1.0 as GitHub code scanning takes it: one run, relative URIs, one-line regions, stable fingerprints.

use std::cell::RefCell;
use std::io::{self, Write};

use rustc_hash::FxHashMap;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Each, Report, RuleText, Style, Verdict};
use crate::escape::uri;
use crate::finding::{Finding, Severity};
use crate::source::{FileId, Source, Span};

/// GitHub refuses a run with more results.
const MAX_RESULTS: usize = 25_000;
/// GitHub cuts longer texts of rules.
const MAX_TEXT: usize = 1_024;

/// Writes the report.
pub fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let hashes = RefCell::new(Hashes::default());
    let index: FxHashMap<&str, usize> =
        report.rules.iter().enumerate().map(|(index, rule)| (&*rule.id, index)).collect();
    let mut findings: Vec<(&Finding, Option<Value>)> = report.findings.iter().map(|finding| (finding, None)).collect();
    if style.show_suppressed {
        findings.extend(report.suppressed.iter().map(|one| {
            let kind = if one.dialect == "config" { "external" } else { "inSource" };
            (&one.finding, Some(json!([{"kind": kind, "status": "accepted", "justification": one.reason}])))
        }));
    }
    let left_out = findings.len().saturating_sub(MAX_RESULTS);
    if left_out > 0 {
        // What GitHub would refuse is cut from the least severe end, and said.
        findings.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
        findings.truncate(MAX_RESULTS);
    }
    let results = || {
        findings.iter().map(|(finding, suppressions)| {
            let mut result = result(report, finding, &index, &mut hashes.borrow_mut());
            if let Some(suppressions) = suppressions {
                result["suppressions"] = suppressions.clone();
            }
            result
        })
    };
    let mut notifications: Vec<Value> = report
        .problems
        .iter()
        .map(|problem| {
            let mut text = problem.message.clone();
            if let Some(help) = &problem.help {
                text = format!("{text}. Help: {help}");
            }
            let mut notification = json!({
                "level": if problem.kind.closes() { "error" } else { "note" },
                "message": {"text": text},
                "descriptor": {"id": problem.kind.name()},
            });
            if !problem.path.is_empty() {
                notification["locations"] = json!([match problem.span {
                    Some(span) => location(report, span),
                    None => json!({"physicalLocation": {"artifactLocation": artifact(report, &problem.path)}}),
                }]);
            }
            notification
        })
        .collect();
    if left_out > 0 {
        let text = format!("{left_out} more results are left out: GitHub takes {MAX_RESULTS}");
        notifications.push(json!({"level": "warning", "message": {"text": text}, "descriptor": {"id": "limit"}}));
    }
    let run = Run {
        tool: json!({"driver": {
            "name": "gate",
            "fullName": "gate policy and scanning gate",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "version": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": report.rules.iter().map(rule).collect::<Vec<_>>(),
        }}),
        automation_details: json!({"id": "gate/"}),
        column_kind: "utf16CodeUnits",
        original_uri_base_ids: json!({"SRCROOT": {"description": {"text": "The root of the repository"}}}),
        invocations: json!([{
            "executionSuccessful": report.verdict != Verdict::Undecided,
            "exitCode": report.verdict.exit_code(),
            "toolExecutionNotifications": notifications,
        }]),
        results: Each(results),
    };
    let log = Log { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
    serde_json::to_writer(&mut *out, &log)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Log<L> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<L>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<L> {
    tool: Value,
    automation_details: Value,
    column_kind: &'static str,
    original_uri_base_ids: Value,
    invocations: Value,
    results: L,
}

fn artifact(report: &Report, path: &str) -> Value {
    json!({"uri": uri(&format!("{}{path}", report.prefix)), "uriBaseId": "SRCROOT"})
}

fn location(report: &Report, span: Span) -> Value {
    let (start, end) = report.sources.region(span);
    let mut region =
        json!({"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column});
    if start == end {
        // An empty region marks the character after it.
        region["endColumn"] = json!(end.column + 1);
    }
    json!({"physicalLocation": {"artifactLocation": artifact(report, report.sources.get(span.file).path()), "region": region}})
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

fn result(report: &Report, finding: &Finding, index: &FxHashMap<&str, usize>, hashes: &mut Hashes) -> Value {
    let source = report.sources.get(finding.at.file);
    let mut place = location(report, finding.at);
    if !finding.address.is_empty() {
        place["logicalLocations"] = json!([{"fullyQualifiedName": &*finding.address, "kind": "resource"}]);
    }
    let mut text = finding.message.clone();
    let related: Vec<Value> = finding
        .related
        .iter()
        .enumerate()
        .map(|(number, one)| {
            text.push_str(&format!("; [{}]({})", one.message.replace(['[', ']', '\\'], ""), number + 1));
            let mut place = location(report, one.at);
            place["id"] = json!(number + 1);
            place["message"] = json!({"text": one.message});
            place
        })
        .collect();
    let line = source.line(finding.at.start);
    let mut result = json!({
        "ruleId": &*finding.rule,
        "level": level(finding.severity),
        "message": {"text": format!("{text}.")},
        "locations": [place],
        "partialFingerprints": {
            // A short secret could be guessed from the hash of its line.
            "primaryLocationLineHash": match finding.sensitive {
                true => format!("{}:1", finding.fingerprint.get(..16).unwrap_or_default()),
                false => hashes.of(finding.at.file, source, line),
            },
            "gate/v1": finding.fingerprint,
        },
    });
    if let Some(index) = index.get(&*finding.rule) {
        result["ruleIndex"] = json!(index);
    }
    if !related.is_empty() {
        result["relatedLocations"] = json!(related);
    }
    if finding.possible {
        result["kind"] = json!("review");
        result["level"] = json!("none");
    }
    result
}

/// Cuts a text at the end of a sentence or word below the limit.
fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_TEXT {
        return text.to_string();
    }
    let head: String = text.chars().take(MAX_TEXT - 1).collect();
    let end = head.rfind(". ").map(|at| at + 1).or_else(|| head.rfind(' ')).unwrap_or(head.len());
    format!("{}…", &head[..end])
}

fn rule(rule: &RuleText) -> Value {
    let score = match rule.severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    };
    let fence = |examples: &[(String, String)]| {
        examples.first().map(|(format, text)| {
            let language = if format == "terraform" {
                "hcl"
            } else if format == "kubernetes" {
                "yaml"
            } else {
                format
            };
            format!("\n```{language}\n{}\n```\n", text.trim_end())
        })
    };
    let mut markdown = format!("{}\n\n**Fix:** {}\n", rule.why, rule.fix);
    if let Some(bad) = fence(&rule.bad) {
        markdown.push_str(&format!("\nBad:\n{bad}"));
    }
    if let Some(good) = fence(&rule.good) {
        markdown.push_str(&format!("\nGood:\n{good}"));
    }
    if !rule.aliases.is_empty() {
        markdown.push_str(&format!("\nAlso known as {}.\n", rule.aliases.join(", ")));
    }
    let mut tags = vec!["security".to_string()];
    tags.extend(rule.tags.iter().filter(|tag| *tag != "security").take(9).cloned());
    let why = if rule.why.is_empty() { &rule.title } else { &rule.why };
    let fix = if rule.fix.is_empty() { &rule.title } else { &rule.fix };
    json!({
        "id": &*rule.id,
        "name": name(&rule.id),
        "shortDescription": {"text": format!("{}.", rule.title.trim_end_matches('.'))},
        "fullDescription": {"text": cut(why)},
        "help": {"text": fix, "markdown": markdown},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "aliases": rule.aliases,
            "tags": tags,
            "precision": if rule.heuristic { "medium" } else { "high" },
            "security-severity": score,
        },
    })
}

/// The id in Pascal case, as SARIF wants names.
fn name(id: &str) -> String {
    id.split('-').map(|part| part[..1].to_uppercase() + &part[1..]).collect()
}

/// GitHub's hash of a line: a rolling polynomial over the 100 characters from its start, blanks left out, with the number of
/// the line among those of the same hash.
#[derive(Default)]
struct Hashes {
    files: FxHashMap<FileId, Vec<(u64, u32)>>,
}

impl Hashes {
    fn of(&mut self, file: FileId, source: &Source, line: u32) -> String {
        let hashes = self.files.entry(file).or_insert_with(|| line_hashes(source.text()));
        hashes.get(line as usize - 1).map_or_else(String::new, |(hash, number)| format!("{hash:x}:{number}"))
    }
}

/// The hash of every line and its number among equal ones; the algorithm of `fingerprints.ts` in github/codeql-action, by
/// its description.
fn line_hashes(text: &str) -> Vec<(u64, u32)> {
    const WINDOW: usize = 100;
    const BASE: u64 = 37;
    let first_power = (0..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut window = [0_u64; WINDOW];
    let mut line_of_slot: [Option<usize>; WINDOW] = [None; WINDOW];
    let (mut slot, mut hash, mut line) = (0_usize, 0_u64, 0_usize);
    let mut results: Vec<(usize, u64)> = Vec::new();
    let mut line_begins = true;
    let mut after_return = false;
    let mut feed = |unit: u64, line_begins: &mut bool, line: &mut usize| {
        if let Some(known) = line_of_slot[slot].take() {
            results.push((known, hash));
        }
        if *line_begins {
            *line_begins = false;
            *line += 1;
            line_of_slot[slot] = Some(*line - 1);
        }
        if unit == 10 {
            *line_begins = true;
        }
        hash = BASE.wrapping_mul(hash).wrapping_add(unit).wrapping_sub(first_power.wrapping_mul(window[slot]));
        window[slot] = unit;
        slot = if slot + 1 == WINDOW { 0 } else { slot + 1 };
    };
    for unit in text.encode_utf16() {
        let unit = u64::from(unit);
        if unit == 32 || unit == 9 || (after_return && unit == 10) {
            after_return = false;
            continue;
        }
        after_return = unit == 13;
        feed(if unit == 13 { 10 } else { unit }, &mut line_begins, &mut line);
    }
    feed(65535, &mut line_begins, &mut line);
    for _ in 0..WINDOW {
        feed(0, &mut false, &mut line);
    }
    let mut seen: FxHashMap<u64, u32> = FxHashMap::default();
    let mut hashes = vec![(0, 0); line];
    results.sort_by_key(|(line, _)| *line);
    for (line, hash) in results {
        let number = seen.entry(hash).or_insert(0);
        *number += 1;
        if let Some(place) = hashes.get_mut(line) {
            *place = (hash, *number);
        }
    }
    hashes
}

#[cfg(test)]
mod tests {
    fn line_hashes(text: &str) -> Vec<String> {
        super::line_hashes(text).iter().map(|(hash, number)| format!("{hash:x}:{number}")).collect()
    }

    #[test]
    fn line_hashes_are_those_that_github_computes() {
        assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
        assert_eq!(
            line_hashes(" a\nb\n  \t\tc\n d"),
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]
        );
        let lorem = line_hashes(&"Lorem ipsum dolor sit amet.\n".repeat(10));
        assert_eq!(lorem[0], "a7f2ff13bc495cf2:1");
        assert_eq!(lorem[5], "a7f2ff13bc495cf2:6");
        assert_eq!(lorem[6], "a7f2ff1481e87703:1");
    }
}
