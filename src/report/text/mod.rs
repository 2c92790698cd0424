//! For people at a terminal: worst first, grouped by cause, the verdict and the counts last.

mod changes;
mod containers;
mod summary;

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::snippet::{MAX_COLUMNS, secrets_near, snippet};
use super::{Report, Style};
use crate::address::without_keys;
use crate::escape::{log_line, plain};
use crate::finding::{Finding, Severity, Status};
use crate::source::Span;

struct Paint(bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }

    fn severity(&self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Critical => "1;35",
            Severity::High => "1;31",
            Severity::Medium => "1;33",
            Severity::Low => "1;36",
        };
        self.with(code, text)
    }

    fn dim(&self, text: &str) -> String {
        self.with("2", text)
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }
}

/// Writes the report. It often ends in the log of a workflow, where a line may be taken for a command.
pub fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    compose(report, style, &mut text)?;
    String::from_utf8_lossy(&text).split_inclusive('\n').try_for_each(|line| out.write_all(log_line(line).as_bytes()))
}

fn compose(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(style.color);
    let width = if style.width == 0 { 80 } else { style.width };
    let columns = if style.width == 0 { usize::MAX } else { style.width };
    let secrets = if style.quiet { Vec::new() } else { secrets_near(report) };
    let page = Page { report, secrets, paint: &paint, width, columns };
    if !style.quiet {
        let mut told = BTreeSet::new();
        for block in containers::blocks(groups(report.shown(style))) {
            // Whoever made the change learns why; once for each rule.
            let explains = |group: &[&Finding]| report.comparison.is_some() && group[0].counts();
            if block.len() > 1 && !block.iter().any(|group| explains(group)) {
                page.gaps(&block, out)?;
                continue;
            }
            for group in block {
                let explained = explains(&group) && told.insert(&*group[0].rule);
                page.finding(&group, if explained { Prose::WhyAndFix } else { Prose::Fix }, out)?;
            }
        }
    }
    if let Some(comparison) = &report.comparison {
        changes::write(&page, comparison, style, out)?;
    }
    if !style.quiet {
        if style.show_suppressed {
            suppressed(report, &paint, width, out)?;
        }
        problems(report, &paint, width, out)?;
    }
    summary::write(report, style, &paint, width, out)
}

/// What every part of the report needs.
struct Page<'r> {
    report: &'r Report<'r>,
    /// The places of all secrets, sorted.
    secrets: Vec<Span>,
    paint: &'r Paint,
    /// Columns at which prose is wrapped.
    width: usize,
    /// Columns that a line of the tree may fill.
    columns: usize,
}

/// How much of a rule's text stands below a finding.
enum Prose {
    WhyAndFix,
    Fix,
}

/// Findings of one rule at one place, which differ in their instance only; in the order given. One place may decide the values
/// of different resources, which are told one by one.
fn groups(findings: Vec<&Finding>) -> Vec<Vec<&Finding>> {
    let same = |a: &&Finding, b: &&Finding| {
        (&a.rule, a.at, &a.attribute, a.status) == (&b.rule, b.at, &b.attribute, b.status)
            && block(&a.address) == block(&b.address)
    };
    findings.chunk_by(same).map(<[_]>::to_vec).collect()
}

/// The block that an address is an instance of: without the modules that lead to it, and without keys.
fn block(address: &str) -> String {
    let plain = without_keys(address);
    let mut rest = &*plain;
    while let Some((_, inner)) = rest.strip_prefix("module.").and_then(|called| called.split_once('.')) {
        rest = inner;
    }
    rest.to_string()
}

impl Page<'_> {
    fn finding(&self, group: &[&Finding], prose: Prose, out: &mut dyn Write) -> io::Result<()> {
        let Page { report, paint, .. } = *self;
        let finding = group[0];
        let possible = if finding.possible { " (possible)" } else { "" };
        let status = match finding.status {
            Some(Status::Worse) => " (worse than before)",
            Some(Status::Old) => " (old)",
            Some(Status::New) | None => "",
        };
        let instances = if group.len() > 1 { format!(" ×{} instances", group.len()) } else { String::new() };
        let head = format!("{}{possible}{status}: {}{instances}", plain(&finding.rule), plain(&finding.message));
        self.head(finding, &head, out)?;
        let blank = self.place(finding, out)?;
        for place in &finding.related {
            let path = report.sources.get(place.at.file).path();
            let line = report.sources.line(place.at);
            let text = format!("{} {}:{line}", plain(&place.message), plain(path));
            let columns = self.width.saturating_sub(blank.len() + 3);
            let mut lines = wrap(&text, columns, columns.saturating_sub(2)).into_iter();
            writeln!(out, "{blank} {} {}", paint.dim("="), lines.next().unwrap_or_default())?;
            lines.try_for_each(|line| writeln!(out, "{blank}     {line}"))?;
        }
        if !finding.tools.is_empty() {
            writeln!(out, "{blank} {} reported by {}", paint.dim("="), plain(&finding.tools.join(", ")))?;
        }
        let Some(rule) = report.rule(&finding.rule) else { return writeln!(out) };
        if matches!(prose, Prose::WhyAndFix) {
            self.paragraph("why:", &rule.why, &blank, out)?;
        }
        self.paragraph("fix:", &rule.fix, &blank, out)?;
        writeln!(out)
    }

    /// The severity and what is said, wrapped.
    fn head(&self, finding: &Finding, head: &str, out: &mut dyn Write) -> io::Result<()> {
        let name = finding.severity.name();
        let mut lines = wrap(head, self.width.saturating_sub(name.len() + 1), self.width.saturating_sub(2)).into_iter();
        let severity = self.paint.severity(finding.severity, name);
        writeln!(out, "{severity} {}", self.paint.bold(&lines.next().unwrap_or_default()))?;
        lines.try_for_each(|line| writeln!(out, "  {}", self.paint.bold(&line)))
    }

    /// The place of a finding and its line; gives blanks as wide as the number of the line.
    fn place(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<String> {
        let Page { report, paint, .. } = *self;
        let source = report.sources.get(finding.at.file);
        let (start, _) = report.sources.region(finding.at);
        let blank = " ".repeat(start.line.to_string().len());
        let arrow = paint.dim(&format!("{blank}-->"));
        writeln!(out, "{arrow} {}:{}:{}", plain(source.path()), start.line, start.column)?;
        let left = self.columns.saturating_sub(blank.len() + 3).min(MAX_COLUMNS);
        let shown = snippet(report, finding, &self.secrets, left);
        if !shown.text.trim().is_empty() {
            let bar = paint.dim("|");
            writeln!(out, "{} {bar} {}", paint.dim(&start.line.to_string()), shown.text)?;
            if shown.mark > 0 {
                let (before, marked) = shown.columns();
                let mark = paint.severity(finding.severity, &"^".repeat(marked));
                writeln!(out, "{blank} {bar} {}{mark}", " ".repeat(before))?;
            }
        }
        Ok(blank)
    }

    /// A text of the rule below a finding whose line number is as wide as `blank`; nothing for an empty one.
    fn paragraph(&self, title: &str, text: &str, blank: &str, out: &mut dyn Write) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let columns = self.width.saturating_sub(blank.len() + 8);
        let mut lines = wrap(text, columns, columns).into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(out, "{blank} {} {} {}", self.paint.dim("="), self.paint.dim(title), plain(&first))?;
        lines.try_for_each(|line| writeln!(out, "{blank}        {}", plain(&line)))
    }
}

fn suppressed(report: &Report, paint: &Paint, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for one in &report.suppressed {
        let finding = &one.finding;
        let path = report.sources.get(finding.at.file).path();
        let until = one.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
        let owner = one.owner.as_ref().map(|owner| format!(" by {owner}")).unwrap_or_default();
        let reason = if one.reason.is_empty() { "no reason given" } else { &one.reason };
        // A line of a list of objects, or of a module that several call, does not say which is meant.
        let address = if finding.address.is_empty() { "" } else { &*format!(" {}", plain(&finding.address)) };
        let place = format!("{}:{}{address}", plain(path), report.sources.line(finding.at));
        writeln!(out, "{} {} {place}", paint.dim("suppressed"), plain(&finding.rule))?;
        let columns = width.saturating_sub(2);
        for line in wrap(&format!("{reason} ({}{owner}{until})", one.dialect), columns, columns) {
            writeln!(out, "  {}", plain(&line))?;
        }
    }
    if report.suppressed.is_empty() { Ok(()) } else { writeln!(out) }
}

fn problems(report: &Report, paint: &Paint, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for problem in &report.problems {
        let (code, name) = if report.closes(problem) { ("1;31", problem.kind.name()) } else { ("1;34", "note") };
        let place = match problem.span {
            Some(span) => {
                let (start, _) = report.sources.region(span);
                format!("{}:{}:{}", plain(&problem.path), start.line, start.column)
            }
            None => plain(&problem.path).into_owned(),
        };
        let separator = if place.is_empty() { "" } else { ": " };
        let head = format!("{place}{separator}{}", plain(&problem.message));
        let mut lines = wrap(&head, width.saturating_sub(name.len() + 1), width.saturating_sub(2)).into_iter();
        writeln!(out, "{} {}", paint.with(code, name), lines.next().unwrap_or_default())?;
        for line in lines {
            writeln!(out, "  {line}")?;
        }
        for line in problem.help.iter().flat_map(|help| wrap(&format!("help: {}", plain(help)), width - 2, width - 2)) {
            writeln!(out, "  {}", paint.dim(&line))?;
        }
    }
    if report.problems.is_empty() { Ok(()) } else { writeln!(out) }
}

/// A number of things by their name in the singular: `1 file`, `2 files`.
pub fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Breaks a text at blanks into lines of at most `first` and then `rest` columns; long words stay whole.
pub fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let limit = if lines.is_empty() { first } else { rest };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > limit {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
