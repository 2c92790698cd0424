//! The last lines: counts and the verdict.

use std::io::{self, Write};

use super::{Paint, count, wrap};
use crate::escape::plain;
use crate::problem::ProblemKind;
use crate::report::{Report, Style, Verdict};

/// Writes what was done, the verdict and, if there is something to look at, where to read on.
pub(super) fn write(report: &Report, style: Style, paint: &Paint, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let counts = &report.counts;
    let read: usize = counts.files_read.iter().map(|(_, count)| count).sum();
    if read == 0 && report.problems.is_empty() && report.findings.is_empty() && report.suppressed.is_empty() {
        return writeln!(
            out,
            "{} nothing to judge in {}",
            paint.with("1;32", "pass"),
            count(counts.files_seen, "file")
        );
    }
    let by_format: Vec<String> = counts.files_read.iter().map(|(format, count)| format!("{count} {format}")).collect();
    let undecided: usize = counts.undecided.iter().map(|(_, count)| count).sum();
    let mut facts = vec![
        format!("{} seen", count(counts.files_seen, "file")),
        if read == 0 { "0 read".into() } else { format!("{read} read ({})", by_format.join(", ")) },
        count(counts.resources, "resource"),
        count(counts.rules_run, "rule"),
    ];
    if counts.files_searched > 0 {
        facts.insert(2, format!("{} searched for secrets", counts.files_searched));
    }
    if !counts.files_skipped.is_empty() {
        facts.push(format!("{} skipped", counts.files_skipped.len()));
    }
    if undecided > 0 {
        facts.push(format!("{undecided} undecided"));
    }
    if !report.suppressed.is_empty() {
        facts.push(format!("{} suppressed", report.suppressed.len()));
    }
    for line in wrap(&facts.join(" · "), width, width) {
        writeln!(out, "{}", paint.dim(&line))?;
    }
    let threshold = report
        .fail_on
        .map_or("never fails on findings".to_string(), |severity| format!("fails on {} and worse", severity.name()));
    let found = report.found(|severity, text| paint.severity(severity, text));
    // Colors take no columns.
    let columns = report.found(|_, text| text.to_string()).chars().count() + threshold.len() + "pass  ()".len();
    let compared = report.comparison.as_ref().map_or(String::new(), |comparison| {
        let said = format!("compared with {}", plain(&comparison.against));
        let fits = columns + 2 + said.chars().count() <= width;
        if fits { format!(", {said}") } else { format!(",\n     {said}") }
    });
    match report.verdict {
        Verdict::Pass => writeln!(out, "{} {found} ({threshold}){compared}", paint.with("1;32", "pass"))?,
        Verdict::Fail => writeln!(out, "{} {found} ({threshold}){compared}", paint.with("1;31", "fail"))?,
        Verdict::Undecided => {
            let closing = report.problems.iter().filter(|problem| problem.kind.closes()).count();
            let why = match closing {
                0 => format!("--strict counts {}", strictly(report)),
                closing => format!("{} kept the answer from being whole", count(closing, "problem")),
            };
            writeln!(out, "{} {found}; {why}{compared}", paint.with("1;35", "undecided"))?;
        }
    }
    // Of what another tool has found the tool itself knows more.
    match report.shown(style).into_iter().find(|finding| !finding.rule.contains('/')) {
        Some(worst) if !style.quiet => {
            let hint = format!("why it matters and what is right: gate explain {}", plain(&worst.rule));
            writeln!(out, "{}", paint.dim(&hint))
        }
        _ => Ok(()),
    }
}

/// What counts with `--strict` alone: `1 undecided rule, 2 notes`.
fn strictly(report: &Report) -> String {
    let (rules, notes): (Vec<_>, Vec<_>) = report.closing().partition(|problem| problem.kind == ProblemKind::Undecided);
    let counted = [(rules.len(), "undecided rule"), (notes.len(), "note")];
    let told: Vec<String> = counted.iter().filter(|(many, _)| *many > 0).map(|(many, one)| count(*many, one)).collect();
    // Else it is a finding that speaks of a suppression.
    if told.is_empty() { "what is wrong with suppressions".into() } else { told.join(", ") }
}
