//! Markdown for job summaries and comments, below GitHub's limit of one megabyte.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Report, Style, Verdict};
use crate::escape::markdown;

/// One byte more than 1 MiB and GitHub drops the whole summary.
const MAX_BYTES: usize = 900_000;

/// Writes the report.
pub fn write(report: &Report, _style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::from("<!-- gate -->\n");
    let tally: Vec<String> =
        report.tally().into_iter().map(|(severity, count)| format!("{count} {}", severity.name())).collect();
    let found = if tally.is_empty() { "no finding".into() } else { tally.join(", ") };
    let verdict = match report.verdict {
        Verdict::Pass => "✅ gate passes",
        Verdict::Fail => "❌ gate is closed",
        Verdict::Undecided => "⚠️ gate could not decide",
    };
    let add = |text: &mut String, line: std::fmt::Arguments<'_>| {
        // Writing into a string does not fail.
        let _ = text.write_fmt(line);
    };
    add(&mut text, format_args!("## {verdict}: {found}\n\n"));
    let findings = report.worst_first();
    if !findings.is_empty() {
        text.push_str("| severity | rule | where | what |\n| --- | --- | --- | --- |\n");
    }
    for (number, finding) in findings.iter().enumerate() {
        if text.len() > MAX_BYTES {
            add(&mut text, format_args!("\n{} more findings do not fit here.\n", findings.len() - number));
            break;
        }
        let path = format!(
            "{}{}:{}",
            report.prefix,
            report.sources.get(finding.at.file).path(),
            report.sources.line(finding.at)
        );
        let rule = markdown(&finding.rule);
        add(
            &mut text,
            format_args!(
                "| {} | {rule} | {} | {} |\n",
                finding.severity.name(),
                markdown(&path),
                markdown(&finding.message)
            ),
        );
    }
    let closing: Vec<_> = report.problems.iter().filter(|problem| problem.kind.closes()).collect();
    if !closing.is_empty() && text.len() < MAX_BYTES {
        text.push_str("\n### Not read\n\n");
        for problem in closing.iter().take(200) {
            add(&mut text, format_args!("- {}: {}\n", markdown(&problem.path), markdown(&problem.message)));
        }
    }
    for rule in &report.rules {
        if text.len() > MAX_BYTES || !findings.iter().any(|finding| finding.rule == rule.id) {
            continue;
        }
        let title = markdown(&rule.title);
        add(&mut text, format_args!("\n<details><summary>{}: {title}</summary>\n\n", markdown(&rule.id)));
        add(&mut text, format_args!("{}\n\n**Fix:** {}\n\n</details>\n", markdown(&rule.why), markdown(&rule.fix)));
    }
    let counts = &report.counts;
    let read: usize = counts.files_read.iter().map(|(_, count)| count).sum();
    let undecided: usize = counts.undecided.iter().map(|(_, count)| count).sum();
    add(
        &mut text,
        format_args!(
            "\n{} files seen, {read} read, {} resources, {} rules, {undecided} undecided, {} suppressed\n",
            counts.files_seen,
            counts.resources,
            counts.rules_run,
            report.suppressed.len()
        ),
    );
    out.write_all(text.as_bytes())
}
