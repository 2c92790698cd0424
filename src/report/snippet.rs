//! The line of a finding as reports show it: inert, cut to a width, with every secret masked, whoever speaks of it.

use unicode_width::UnicodeWidthChar;

use super::{Report, mask};
use crate::escape::plain;
use crate::finding::Finding;
use crate::secret;
use crate::source::{FileId, Span};

/// Columns of a source line that are shown where no narrower place is known.
pub(super) const MAX_COLUMNS: usize = 160;

/// A line of the tree, ready to be shown.
pub(super) struct Snippet {
    /// The text without the blanks before it; empty if there is nothing to show.
    pub(super) text: String,
    /// Characters of the text before what the finding is about.
    pub(super) mark_at: usize,
    /// Characters that it is about.
    pub(super) mark: usize,
}

impl Snippet {
    /// Columns of a terminal before what the finding is about, and those that it takes: some characters are two wide.
    pub(super) fn columns(&self) -> (usize, usize) {
        let width = |from, count| self.text.chars().skip(from).take(count).filter_map(UnicodeWidthChar::width).sum();
        (width(0, self.mark_at), width(self.mark_at, self.mark).max(1))
    }
}

/// The places that findings say are secrets, each to its last line.
fn of_findings(report: &Report) -> Vec<Span> {
    let all = report.findings.iter().chain(report.suppressed.iter().map(|one| &one.finding));
    let whole =
        |finding: &Finding| match (finding.judged.file, finding.judged.start) == (finding.at.file, finding.at.start) {
            true => finding.at.to(finding.judged),
            false => finding.at,
        };
    all.filter(|finding| finding.sensitive).flat_map(|finding| in_lines(report, whole(finding))).collect()
}

/// The parts of a place that its lines show.
fn in_lines<'r>(report: &'r Report<'_>, place: Span) -> impl Iterator<Item = Span> + use<'r> {
    let text = report.sources.get(place.file).text();
    let parts = secret::in_lines(text, (place.start as usize, place.end as usize));
    parts.map(move |(start, end)| Span::new(place.file, start as u32, end as u32))
}

/// Those in the file of `at`.
fn secrets_of(secrets: &[Span], at: Span) -> &[Span] {
    let from = secrets.partition_point(|secret| secret.file < at.file);
    let to = secrets.partition_point(|secret| secret.file <= at.file);
    &secrets[from..to]
}

/// The text of a line, beginning at `start` of the file, with every secret in it masked.
pub(super) fn masked(text: &str, start: usize, secrets: &[Span]) -> String {
    let within = |at: u32| (at as usize).saturating_sub(start).min(text.len());
    let first = secrets.partition_point(|secret| secret.end as usize <= start);
    let here = secrets[first..].iter().take_while(|secret| (secret.start as usize) < start + text.len());
    secret::without(text, here.map(|secret| (within(secret.start), within(secret.end))))
}

/// The first line of a finding, in so many columns. `secrets` are those of all files, sorted: [`secrets_near`].
pub(super) fn snippet(report: &Report, finding: &Finding, secrets: &[Span], columns: usize) -> Snippet {
    let source = report.sources.get(finding.at.file);
    let (start, end) = report.sources.region(finding.at);
    let line = source.line_text(start.line);
    let before = &source.text().as_bytes()[..(finding.at.start as usize).min(source.text().len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let secrets = secrets_of(secrets, finding.at);
    let from = (finding.at.start as usize).saturating_sub(line_start).min(line.len());
    let to = if end.line == start.line {
        (finding.at.end as usize).saturating_sub(line_start).clamp(from, line.len())
    } else {
        line.len()
    };
    let (Some(head), Some(body), Some(tail)) = (line.get(..from), line.get(from..to), line.get(to..)) else {
        return Snippet { text: String::new(), mark_at: 0, mark: 0 };
    };
    let (head, tail) = (masked(head, line_start, secrets), masked(tail, line_start + to, secrets));
    let body = if finding.sensitive { secret::HIDDEN.into() } else { masked(body, line_start + from, secrets) };
    // A line may be megabytes long: what stands around the mark is cut. Each side has a quarter, and what the others leave.
    let (head, quarter) = (head.trim_start(), columns / 4);
    let [before, within, behind] = [head, &body, &tail].map(|text| plain(&cut(text, columns, false)).chars().count());
    let (before, behind) = (before.min(columns), behind.min(columns));
    let within = within.min(columns - before.min(quarter) - behind.min(quarter));
    let before = before.min(columns - within - behind.min(quarter));
    let head = fitted(head, before, true);
    let body = fitted(&body, within, false);
    let tail = fitted(&tail, columns - before - within, false);
    let (mark_at, mark) = (head.chars().count(), body.trim_end().chars().count());
    Snippet { text: format!("{head}{body}{tail}").trim_end().to_string(), mark_at, mark }
}

/// A text of the tree, inert, in at most so many columns.
fn fitted(text: &str, columns: usize, from_end: bool) -> String {
    // What makes it inert makes it longer.
    cut(&plain(&cut(text, columns, from_end)), columns, from_end)
}

/// The first characters of a text, or the last ones, with a sign in place of the rest.
fn cut(text: &str, most: usize, from_end: bool) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_string();
    }
    let kept = most.saturating_sub(1);
    match from_end {
        true => format!("…{}", text.chars().skip(count - kept).collect::<String>()),
        false => format!("{}…", text.chars().take(kept).collect::<String>()),
    }
}

/// Lines before and after that of a finding.
const CONTEXT: u32 = 2;

/// The lines around a finding.
pub(super) struct Excerpt {
    /// Number of the first line.
    pub(super) first: u32,
    /// The lines, without the blanks that all begin with.
    pub(super) lines: Vec<String>,
    /// Index of the line of the finding.
    pub(super) at: usize,
    /// Characters of that line before what the finding is about.
    pub(super) mark_at: usize,
    /// Characters that it is about.
    pub(super) mark: usize,
}

impl Excerpt {
    /// `secrets` are those of all files, sorted: [`secrets_near`].
    pub(super) fn new(report: &Report, finding: &Finding, secrets: &[Span]) -> Excerpt {
        let source = report.sources.get(finding.at.file);
        let line = source.line(finding.at.start);
        let first = line.saturating_sub(CONTEXT).max(1);
        let last = (line + CONTEXT).min(source.line_count()).max(line);
        let shown = snippet(report, finding, secrets, MAX_COLUMNS);
        let secrets = secrets_of(secrets, finding.at);
        let mut mark_at = shown.mark_at;
        let mut lines: Vec<String> = Vec::new();
        for number in first..=last {
            let text = source.line_text(number);
            let start = source.line_start(number) as usize;
            if number == line {
                let before = (finding.at.start as usize).saturating_sub(start);
                let head = text.get(..before).unwrap_or(text);
                let blanks = head.chars().take_while(|char| char.is_whitespace()).take(MAX_COLUMNS / 2).count();
                mark_at += blanks;
                lines.push(format!("{}{}", " ".repeat(blanks), shown.text));
                continue;
            }
            let text = masked(text, start, secrets);
            let mut cut: String = text.chars().take(MAX_COLUMNS).collect();
            if cut.len() < text.len() {
                cut.push('…');
            }
            lines.push(plain(&cut).trim_end().to_string());
        }
        // Empty lines at the ends show nothing.
        while lines.len() > (line - first) as usize + 1 && lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        let empty = lines.iter().take((line - first) as usize).take_while(|line| line.is_empty()).count();
        lines.drain(..empty);
        let first = first + empty as u32;
        let blanks = |line: &String| line.len() - line.trim_start_matches(' ').len();
        let common = lines.iter().filter(|line| !line.is_empty()).map(blanks).min().unwrap_or_default();
        for line in &mut lines {
            line.drain(..common.min(line.len()));
        }
        Excerpt { first, lines, at: (line - first) as usize, mark_at: mark_at.saturating_sub(common), mark: shown.mark }
    }
}

/// The places of all secrets in files with findings, sorted: those that findings are about, those that names call so, and
/// whatever looks like one, since other words of their lines, and the lines around them, are shown too, whichever rules have run.
pub(super) fn secrets_near(report: &Report) -> Vec<Span> {
    let mut places = of_findings(report);
    let mut files: Vec<FileId> = report.findings.iter().map(|finding| finding.at.file).collect();
    files.sort();
    files.dedup();
    let is_shown = |place: &Span| files.binary_search(&place.file).is_ok();
    let named = report.named.iter().filter_map(|one| one.at).filter(is_shown);
    places.extend(named.flat_map(|place| in_lines(report, place)));
    // What is a secret in one place may stand in another without a name.
    let known = mask::known(report);
    for file in files {
        let source = report.sources.get(file);
        let again = known.places(source.text());
        let hidden = again.into_iter().chain(source.secrets().iter().copied());
        places.extend(hidden.map(|(start, end)| Span::new(file, start as u32, end as u32)));
    }
    places.sort();
    // None lies in another or touches it.
    places.dedup_by(|next, last| {
        let is_joined = next.file == last.file && next.start <= last.end;
        last.end = if is_joined { last.end.max(next.end) } else { last.end };
        is_joined
    });
    places
}
