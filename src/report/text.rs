//! For people at a terminal: worst first, grouped by cause, the verdict and the counts last.

use std::io::{self, Write};

use super::{Report, Style, Verdict};
use crate::escape::{log_line, plain};
use crate::finding::{Finding, Severity};
use crate::source::Span;

/// Columns of a source line that are shown.
const MAX_COLUMNS: usize = 160;

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
    if !style.quiet {
        let secrets = secrets(report);
        for group in groups(report) {
            finding(report, &group, &secrets, &paint, width, out)?;
        }
        if style.show_suppressed {
            suppressed(report, &paint, out)?;
        }
        problems(report, &paint, width, out)?;
    }
    summary(report, style, &paint, width, out)
}

/// Findings of one rule at one place, which differ in their instance only; worst first.
fn groups<'r>(report: &'r Report) -> Vec<Vec<&'r Finding>> {
    let findings = report.worst_first();
    let same = |a: &&Finding, b: &&Finding| a.rule == b.rule && a.at == b.at && a.attribute == b.attribute;
    findings.chunk_by(same).map(<[_]>::to_vec).collect()
}

fn finding(
    report: &Report,
    group: &[&Finding],
    secrets: &[Span],
    paint: &Paint,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let finding = group[0];
    let source = report.sources.get(finding.at.file);
    let (start, end) = report.sources.region(finding.at);
    let severity = paint.severity(finding.severity, finding.severity.name());
    let possible = if finding.possible { " (possible)" } else { "" };
    let instances = if group.len() > 1 { format!(" ×{} instances", group.len()) } else { String::new() };
    let head = format!("{}{possible}: {}{instances}", finding.rule, plain(&finding.message));
    let mut lines =
        wrap(&head, width.saturating_sub(finding.severity.name().len() + 1), width.saturating_sub(2)).into_iter();
    writeln!(out, "{severity} {}", paint.bold(&lines.next().unwrap_or_default()))?;
    for line in lines {
        writeln!(out, "  {}", paint.bold(&line))?;
    }
    let gutter = start.line.to_string().len();
    let blank = " ".repeat(gutter);
    let arrow = paint.dim(&format!("{blank}-->"));
    writeln!(out, "{arrow} {}:{}:{}", plain(source.path()), start.line, start.column)?;
    let text = source.line_text(start.line);
    let line_start = finding.at.start as usize - text_before(source.text(), finding.at.start as usize);
    let (shown, mark_at, mark) =
        snippet(text, finding, line_start, end.line == start.line, secrets_of(secrets, finding.at));
    if !shown.trim().is_empty() {
        let bar = paint.dim("|");
        writeln!(out, "{} {bar} {shown}", paint.dim(&start.line.to_string()))?;
        if !mark.is_empty() {
            writeln!(out, "{blank} {bar} {}{}", " ".repeat(mark_at), paint.severity(finding.severity, &mark))?;
        }
    }
    for place in &finding.related {
        let path = report.sources.get(place.at.file).path();
        writeln!(
            out,
            "{blank} {} {} {}:{}",
            paint.dim("="),
            plain(&place.message),
            plain(path),
            report.sources.line(place.at)
        )?;
    }
    if let Ok(index) = report.rules.binary_search_by(|rule| rule.id.cmp(&finding.rule))
        && !report.rules[index].fix.is_empty()
    {
        let indent = gutter + 3;
        let mut lines =
            wrap(&report.rules[index].fix, width.saturating_sub(indent + 5), width.saturating_sub(indent + 5))
                .into_iter();
        writeln!(out, "{blank} {} {} {}", paint.dim("="), paint.dim("fix:"), lines.next().unwrap_or_default())?;
        for line in lines {
            writeln!(out, "{blank}        {line}")?;
        }
    }
    writeln!(out)
}

/// Bytes between the start of the line and `at`.
fn text_before(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    before.iter().rev().take_while(|byte| **byte != b'\n').count()
}

/// The places of all secrets, sorted.
fn secrets(report: &Report) -> Vec<Span> {
    let all = report.findings.iter().chain(report.suppressed.iter().map(|one| &one.finding));
    let mut places: Vec<Span> = all.filter(|finding| finding.sensitive).map(|finding| finding.at).collect();
    places.sort();
    places.dedup();
    places
}

/// Those in the file of `at`.
fn secrets_of(secrets: &[Span], at: Span) -> &[Span] {
    let from = secrets.partition_point(|secret| secret.file < at.file);
    let to = secrets.partition_point(|secret| secret.file <= at.file);
    &secrets[from..to]
}

/// The text of a line, beginning at `start` of the file, with every secret in it masked.
fn masked(text: &str, start: usize, secrets: &[Span]) -> String {
    let mut shown = String::new();
    let mut from = 0;
    for secret in secrets {
        let begin = (secret.start as usize).saturating_sub(start).clamp(from, text.len());
        let end = (secret.end as usize).saturating_sub(start).clamp(from, text.len());
        if let (true, Some(before)) = (begin < end, text.get(from..begin)) {
            shown.push_str(before);
            shown.push_str("***");
            from = end;
        }
    }
    shown.push_str(text.get(from..).unwrap_or(""));
    shown
}

/// The part of a line that is shown, and where its mark begins and what it is. Secrets are masked, whoever speaks of them.
fn snippet(
    line: &str,
    finding: &Finding,
    line_start: usize,
    ends_here: bool,
    secrets: &[Span],
) -> (String, usize, String) {
    let from = (finding.at.start as usize).saturating_sub(line_start).min(line.len());
    let to = if ends_here {
        (finding.at.end as usize).saturating_sub(line_start).clamp(from, line.len())
    } else {
        line.len()
    };
    let (Some(head), Some(body), Some(tail)) = (line.get(..from), line.get(from..to), line.get(to..)) else {
        return (String::new(), 0, String::new());
    };
    let (head, tail) = (masked(head, line_start, secrets), masked(tail, line_start + to, secrets));
    let body = if finding.sensitive { "***".into() } else { masked(body, line_start + from, secrets) };
    let (head, body, tail) = (head.as_str(), body.as_str(), tail.as_str());
    // A line may be megabytes long: what stands around the mark is cut.
    let cut = |text: &str, most: usize, from_end: bool| {
        let count = text.chars().count();
        if count <= most {
            return text.to_string();
        }
        match from_end {
            true => format!("…{}", text.chars().skip(count - most).collect::<String>()),
            false => format!("{}…", text.chars().take(most).collect::<String>()),
        }
    };
    let head = plain(&cut(head, MAX_COLUMNS / 2, true)).into_owned();
    let body = plain(&cut(body, MAX_COLUMNS / 2, false)).into_owned();
    let tail = plain(&cut(tail, MAX_COLUMNS / 4, false)).into_owned();
    let mark = "^".repeat(body.trim_end().chars().count());
    let trimmed = head.trim_start().chars().count();
    let lead = head.chars().count() - trimmed;
    let head: String = head.chars().skip(lead).collect();
    (format!("{head}{body}{tail}").trim_end().to_string(), trimmed, mark)
}

fn suppressed(report: &Report, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    for one in &report.suppressed {
        let finding = &one.finding;
        let path = report.sources.get(finding.at.file).path();
        let until = one.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
        let owner = one.owner.as_ref().map(|owner| format!(" by {}", plain(owner))).unwrap_or_default();
        let reason = if one.reason.is_empty() { "no reason given".into() } else { plain(&one.reason) };
        let place = format!("{}:{}", plain(path), report.sources.line(finding.at));
        writeln!(out, "{} {} {place}", paint.dim("suppressed"), finding.rule)?;
        writeln!(out, "  {reason} ({}{owner}{until})", one.dialect)?;
    }
    if report.suppressed.is_empty() { Ok(()) } else { writeln!(out) }
}

fn problems(report: &Report, paint: &Paint, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for problem in &report.problems {
        let (code, name) = if problem.kind.closes() { ("1;31", problem.kind.name()) } else { ("1;34", "note") };
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

fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

fn summary(report: &Report, style: Style, paint: &Paint, width: usize, out: &mut dyn Write) -> io::Result<()> {
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
    let tally: Vec<String> = report
        .tally()
        .into_iter()
        .map(|(severity, number)| paint.severity(severity, &format!("{number} {}", severity.name())))
        .collect();
    let threshold = report
        .fail_on
        .map_or("never fails on findings".to_string(), |severity| format!("fails on {} and worse", severity.name()));
    let found = if tally.is_empty() { "no finding".to_string() } else { tally.join(", ") };
    match report.verdict {
        Verdict::Pass => writeln!(out, "{} {found} ({threshold})", paint.with("1;32", "pass"))?,
        Verdict::Fail => writeln!(out, "{} {found} ({threshold})", paint.with("1;31", "fail"))?,
        Verdict::Undecided => {
            let closing = report.problems.iter().filter(|problem| problem.kind.closes()).count();
            let why = if closing > 0 {
                format!("{} kept the answer from being whole", count(closing, "problem"))
            } else {
                "--strict counts what is undecided".into()
            };
            writeln!(out, "{} {found}; {why}", paint.with("1;35", "undecided"))?;
        }
    }
    match report.worst_first().first() {
        Some(worst) if !style.quiet => {
            let hint = format!("why it matters and what is right: gate explain {}", worst.rule);
            writeln!(out, "{}", paint.dim(&hint))
        }
        _ => Ok(()),
    }
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
