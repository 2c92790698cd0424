//! SARIF 2.1.0 as GitHub code scanning takes it: one run, relative URIs, one-line regions, stable fingerprints.

mod line_hashes;
mod size;

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::io::{self, Write};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;
use serde_json::{Value, json};

use self::line_hashes::Hashes;
use self::size::Deflated;
use super::{Each, Report, RuleText, Style, Verdict, encode};
use crate::escape::{markdown, plain, uri};
use crate::finding::{Finding, Severity, Status};
use crate::problem::Problem;
use crate::source::Span;

/// What code scanning takes.
struct Limits {
    /// A run with more results is refused.
    results: usize,
    /// So many are shown, the most severe.
    shown: usize,
    /// A larger file is refused, in bytes, compressed.
    bytes: usize,
}

/// GitHub takes 10 MB; the size is estimated, so some of it is kept free.
const GITHUB: Limits = Limits { results: 25_000, shown: 5_000, bytes: 9_000_000 };
/// GitHub cuts longer texts of rules.
const MAX_TEXT: usize = 1_024;
/// GitHub refuses a result with more locations; it shows 100.
const MAX_RELATED: usize = 100;

/// A finding and what else its result says.
struct Entry<'r> {
    finding: &'r Finding,
    suppressions: Option<Value>,
}

/// Writes the report.
pub fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    write_within(&GITHUB, report, style, out)
}

fn write_within(limits: &Limits, report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let hashes = RefCell::new(Hashes::default());
    let to_result = |entry: &Entry<'_>, index: &Index<'_>| {
        let mut result = result(report, entry.finding, index, &mut hashes.borrow_mut());
        if let Some(suppressions) = &entry.suppressions {
            result["suppressions"] = suppressions.clone();
        }
        result
    };
    let mut entries = entries(report, style);
    let total = entries.len();
    let mut notifications: Vec<Value> = report.problems.iter().map(|problem| notification(report, problem)).collect();
    if total > limits.results || upper_size(report, &entries) > limits.bytes {
        // What GitHub would refuse is cut from the least severe end, and said.
        entries.sort_by_key(|entry| (Reverse(entry.finding.severity), entry.finding.status));
        entries.truncate(limits.results);
        let mut size = Deflated::default();
        encode::compact(&notifications, &mut size)?;
        let mut fitting = 0;
        let mut index = Index::default();
        for entry in &entries {
            if let Some(text) = report.rule(&entry.finding.rule).filter(|text| !index.contains_key(&*text.id)) {
                index.insert(&text.id, index.len());
                encode::compact(&rule(text), &mut size)?;
            }
            encode::compact(&to_result(entry, &index), &mut size)?;
            if size.bytes() > limits.bytes {
                break;
            }
            fitting += 1;
        }
        entries.truncate(fitting);
    }
    let (rules, index) = rules(report, &entries);
    let mut limit = |text: String| {
        notifications.push(json!({"level": "warning", "message": {"text": text}, "descriptor": {"id": "limit"}}));
    };
    if entries.len() < total {
        let more = total - entries.len();
        let most = limits.results;
        limit(format!("{more} more results, the least severe, are left out: GitHub takes {most} and 10 MB"));
    }
    if entries.len() > limits.shown {
        let (more, shown) = (entries.len() - limits.shown, limits.shown);
        limit(format!("{more} more results are in this file than GitHub shows: the {shown} most severe"));
    }
    let run = Run {
        tool: json!({"driver": {
            "name": "gate",
            "fullName": "gate policy and scanning gate",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "version": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": rules,
        }}),
        automation_details: json!({"id": "gate/"}),
        column_kind: "utf16CodeUnits",
        original_uri_base_ids: json!({"SRCROOT": {"description": {"text": "The root of the repository"}}}),
        invocations: json!([{
            "executionSuccessful": report.verdict != Verdict::Undecided,
            "exitCode": report.verdict.exit_code(),
            "toolExecutionNotifications": notifications,
        }]),
        results: Each(|| entries.iter().map(|entry| to_result(entry, &index))),
    };
    let log = Log { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
    encode::compact(&log, out)?;
    writeln!(out)
}

/// The place of a rule in the list of the driver, by its id.
type Index<'r> = FxHashMap<&'r str, usize>;

/// The rules of what is written, and of nothing that was cut: code scanning takes as many rules as results.
fn rules<'r>(report: &'r Report<'_>, entries: &[Entry<'_>]) -> (Vec<Value>, Index<'r>) {
    let named: FxHashSet<&str> = entries.iter().map(|entry| &*entry.finding.rule).collect();
    let texts = || report.rules.iter().filter(|rule| named.contains(&*rule.id));
    (texts().map(rule).collect(), texts().enumerate().map(|(index, rule)| (&*rule.id, index)).collect())
}

/// What results are written for. With a base also what is old, since GitHub closes alerts that are missing; but what a
/// baseline or a suppression accepts is left out unless asked for, since GitHub would open alerts for it.
fn entries<'r>(report: &'r Report<'_>, style: Style) -> Vec<Entry<'r>> {
    let accepts = |finding: &Finding| {
        finding.status == Some(Status::Old) && report.comparison.as_ref().is_some_and(|comparison| comparison.accepted)
    };
    let mut entries: Vec<Entry<'_>> = report
        .findings
        .iter()
        .filter(|finding| style.show_suppressed || !accepts(finding))
        .map(|finding| Entry {
            finding,
            suppressions: accepts(finding).then(|| {
                let by = report.comparison.as_ref().map_or("", |comparison| &comparison.against);
                json!([{"kind": "external", "status": "accepted", "justification": format!("accepted by {}", plain(by))}])
            }),
        })
        .collect();
    if style.show_suppressed {
        entries.extend(report.suppressed.iter().map(|one| {
            let kind = if one.at.is_none() { "external" } else { "inSource" };
            let suppressions = json!([{"kind": kind, "status": "accepted", "justification": plain(&one.reason)}]);
            Entry { finding: &one.finding, suppressions: Some(suppressions) }
        }));
    }
    entries
}

/// About the size of the file before it is compressed, in bytes: if that is within the limit, nothing needs to be estimated.
fn upper_size(report: &Report, entries: &[Entry<'_>]) -> usize {
    // The parts of a result that have the same length in all, without their texts.
    const FRAME: usize = 700;
    let length = |entry: &Entry<'_>| {
        let finding = entry.finding;
        let path = report.sources.get(finding.at.file).path().len();
        let related: usize = finding.related.iter().take(MAX_RELATED).map(|one| 2 * one.message.len() + FRAME).sum();
        FRAME + finding.message.len() + finding.address.len() + path + related
    };
    let problems: usize = report.problems.iter().map(|problem| problem.message.len() + FRAME).sum();
    let rules: usize = report.rules.iter().map(|rule| 2 * (rule.why.len() + rule.fix.len()) + 4 * FRAME).sum();
    entries.iter().map(length).sum::<usize>() + problems + rules
}

fn notification(report: &Report, problem: &Problem) -> Value {
    let mut text = problem.message.clone();
    if let Some(help) = &problem.help {
        text = format!("{text}. Help: {help}");
    }
    let mut notification = json!({
        "level": if report.closes(problem) { "error" } else { "note" },
        "message": {"text": message(&text)},
        "descriptor": {"id": problem.kind.name()},
    });
    if !problem.path.is_empty() {
        notification["locations"] = json!([match problem.span {
            Some(span) => location(report, span),
            None => json!({"physicalLocation": {"artifactLocation": artifact(report, &problem.path)}}),
        }]);
    }
    notification
}

/// A text from the tree as a message: inert for whoever shows it, and without the `[text](target)` that would be a link.
fn message(text: &str) -> String {
    plain(text).replace("](", "] (")
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
    // What a tool calls by a name of its own machine has a URI too, and code scanning takes none that leaves the root.
    let below = || path.split('/').filter(|part| !matches!(*part, "" | "..")).collect::<Vec<_>>().join("/");
    let leads_out = path.starts_with('/') || path.split('/').any(|part| part == "..");
    let path = if leads_out { Cow::Owned(below()) } else { Cow::Borrowed(path) };
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

fn result(report: &Report, finding: &Finding, index: &Index<'_>, hashes: &mut Hashes) -> Value {
    let source = report.sources.get(finding.at.file);
    let mut place = location(report, finding.at);
    if !finding.address.is_empty() {
        place["logicalLocations"] = json!([{"fullyQualifiedName": &*finding.address, "kind": "resource"}]);
    }
    let mut text = message(&finding.message);
    if finding.possible {
        text.insert_str(0, "possible: ");
    }
    let related: Vec<Value> = finding
        .related
        .iter()
        .take(MAX_RELATED)
        .enumerate()
        .map(|(number, one)| {
            text.push_str(&format!("; [{}]({})", plain(&one.message).replace(['[', ']', '\\'], ""), number + 1));
            let mut place = location(report, one.at);
            place["id"] = json!(number + 1);
            place["message"] = json!({"text": message(&one.message)});
            place
        })
        .collect();
    let line = source.line(finding.at.start);
    let mut result = json!({
        "ruleId": plain(&finding.rule),
        "level": level(finding.severity),
        "message": {"text": format!("{text}.")},
        "locations": [place],
        "partialFingerprints": {
            // A short secret could be guessed from the hash of its line.
            "primaryLocationLineHash": match finding.sensitive || source.lines().is_none() {
                true => format!("{:.16}:1", finding.fingerprint.to_string()),
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
    if let Some(status) = finding.status {
        result["baselineState"] = json!(match status {
            Status::New => "new",
            Status::Worse => "updated",
            Status::Old => "unchanged",
        });
    }
    if !finding.tools.is_empty() {
        result["properties"] = json!({"reportedBy": finding.tools.iter().map(|name| plain(name)).collect::<Vec<_>>()});
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
    let mut help = markdown(if rule.why.is_empty() { &rule.title } else { &rule.why }) + "\n";
    if !rule.fix.is_empty() {
        help.push_str(&format!("\n**Fix:** {}\n", markdown(&rule.fix)));
    }
    for (title, examples) in [("Bad", &rule.bad), ("Good", &rule.good)] {
        if let Some((format, text)) = examples.first() {
            help.push_str(&format!("\n{title}:\n\n{}", fenced(format, text)));
        }
    }
    if !rule.aliases.is_empty() {
        help.push_str(&format!("\nAlso known as {}.\n", markdown(&rule.aliases.join(", "))));
    }
    let mut tags = vec!["security".to_string()];
    tags.extend(rule.tags.iter().filter(|tag| *tag != "security").take(9).cloned());
    let why = if rule.why.is_empty() { &rule.title } else { &rule.why };
    let fix = if rule.fix.is_empty() { &rule.title } else { &rule.fix };
    json!({
        "id": plain(&rule.id),
        "name": name(&rule.id),
        "shortDescription": {"text": cut(&format!("{}.", message(rule.title.trim_end_matches('.'))))},
        "fullDescription": {"text": cut(&message(why))},
        "help": {"text": message(fix), "markdown": help},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "aliases": rule.aliases,
            "tags": tags,
            "precision": if rule.heuristic { "medium" } else { "high" },
            "security-severity": score,
        },
    })
}

/// A code block with an example, whose text cannot end it.
fn fenced(format: &str, text: &str) -> String {
    let language = match format {
        "terraform" => "hcl",
        "kubernetes" | "compose" | "yaml" => "yaml",
        "dockerfile" => "dockerfile",
        _ => "",
    };
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let lines: Vec<_> = text.trim_end().lines().map(plain).collect();
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// The id in Pascal case, as SARIF wants names.
fn name(id: &str) -> String {
    let mut name = String::new();
    for part in id.split(|char: char| !char.is_alphanumeric()) {
        let mut letters = part.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    name.chars().take(255).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::{Limits, write_within};
    use crate::finding::{Severity, Status};
    use crate::report::{Report, Style, sample};

    fn run(report: &Report<'_>, style: Style) -> Value {
        let log: Value = serde_json::from_str(&sample::written(report, "sarif", style)).unwrap();
        log["runs"][0].clone()
    }

    fn limits(run: &Value) -> Vec<&str> {
        let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        notifications.iter().map(|one| one["message"]["text"].as_str().unwrap()).collect()
    }

    #[test]
    fn with_a_base_all_results_are_written_and_say_how_they_stand_to_it() {
        let sources = sample::sources(&[("main.tf", "a = 1\nb = 2\nc = 3\n")]);
        let finding = |piece, status| {
            sample::finding(sample::place(&sources, "main.tf", piece), "aws-a", Severity::High, Some(status))
        };
        let findings = vec![finding("a", Status::Old), finding("b", Status::Worse), finding("c", Status::New)];
        let mut report = sample::report(&sources, findings, Some(sample::comparison(3)));
        let states = |run: &Value| -> Vec<String> {
            let results = run["results"].as_array().unwrap();
            results.iter().map(|one| one["baselineState"].as_str().unwrap().to_string()).collect()
        };
        assert_eq!(states(&run(&report, Style::default())), ["unchanged", "updated", "new"]);
        report.comparison.as_mut().unwrap().accepted = true;
        assert_eq!(states(&run(&report, Style::default())), ["updated", "new"]);
        let shown = run(&report, Style { show_suppressed: true, ..Style::default() });
        assert_eq!(shown["results"][0]["suppressions"][0]["kind"], "external");
        assert_eq!(shown["results"][1]["suppressions"], Value::Null);
    }

    #[test]
    fn messages_hold_no_link_and_nothing_that_steers() {
        let sources = sample::sources(&[("main.tf", "a = 1\n")]);
        let mut finding = sample::finding(sample::place(&sources, "main.tf", "a"), "aws-a", Severity::High, None);
        finding.message = "see [here](https://e.example) \u{202e}\u{1b}[1m".into();
        let run = run(&sample::report(&sources, vec![finding], None), Style::default());
        assert_eq!(run["results"][0]["message"]["text"], "see [here] (https://e.example) \\u{202e}\\u{1b}[1m.");
    }

    #[test]
    fn results_above_the_limits_go_from_the_least_severe_end_and_are_counted() {
        let text = "a = 1\n".repeat(300);
        let sources = sample::sources(&[("main.tf", &text)]);
        let findings = (0..300_u32).map(|number| {
            let mut at = sample::place(&sources, "main.tf", "a");
            (at.start, at.end) = (number * 6, number * 6 + 1);
            let severity = if number % 10 == 9 { Severity::Critical } else { Severity::Low };
            sample::finding(at, "aws-a", severity, None)
        });
        let mut report = sample::report(&sources, findings.collect(), None);
        let within = |report: &Report<'_>, limits: Limits| -> Value {
            let mut bytes = Vec::new();
            write_within(&limits, report, Style::default(), &mut bytes).unwrap();
            let log: Value = serde_json::from_slice(&bytes).unwrap();
            log["runs"][0].clone()
        };
        let many = within(&report, Limits { results: 250, shown: 50, bytes: 1 << 20 });
        let left = many["results"].as_array().unwrap();
        assert_eq!(left.len(), 250);
        assert!(left[..30].iter().all(|one| one["level"] == "error"));
        let told = limits(&many);
        assert!(told[0].starts_with("50 more results, the least severe, are left out"), "{told:?}");
        assert!(told[1].starts_with("200 more results are in this file than GitHub shows"), "{told:?}");

        // No rule stays without a result.
        let mut each = sample::report(&sources, report.findings.clone(), None);
        for (number, finding) in each.findings.iter_mut().enumerate() {
            finding.rule = format!("aws-{number:03}").into();
        }
        each.rules = (0..300).map(|number| sample::rule(format!("aws-{number:03}").into())).collect();
        let run = within(&each, Limits { results: 250, shown: 250, bytes: 1 << 20 });
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 250);
        for result in run["results"].as_array().unwrap() {
            assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
        }

        // What is alike is small once it is compressed; noise is not.
        let alike = within(&report, Limits { results: 1_000, shown: 1_000, bytes: 100_000 });
        assert_eq!(alike["results"].as_array().unwrap().len(), 300);
        let mut state = 7_u64;
        for finding in &mut report.findings {
            finding.message = (0..100)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    format!("{:016x}", state ^ (state >> 29))
                })
                .collect();
        }
        let large = within(&report, Limits { results: 1_000, shown: 1_000, bytes: 100_000 });
        let left = large["results"].as_array().unwrap();
        assert!(left.len() > 40 && left.len() < 100, "{}", left.len());
        assert!(left[..30].iter().all(|one| one["level"] == "error"));
        assert!(limits(&large)[0].starts_with(&format!("{} more results", 300 - left.len())));
    }
}
