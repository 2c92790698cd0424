//! Markdown for job summaries and for comments: what a change makes first, each below the limit of its place.

use std::io::{self, Write};

use rustc_hash::FxHashSet;

use super::text::count;
use super::{Report, RuleText, Style, Verdict};
use crate::escape::{markdown, markdown_element};
use crate::finding::{Finding, Status};
use crate::problem::Problem;

/// One byte more than 1 MiB and GitHub drops the whole summary.
const MAX_SUMMARY: usize = 900_000;
/// GitHub refuses a comment of more than 65,536 characters; bytes are never fewer.
const MAX_COMMENT: usize = 65_000;
/// Kept for the last lines and for what says that something does not fit.
const RESERVE: usize = 1_500;
/// Characters of a text from the tree: a value may be megabytes long.
const MAX_TEXT: usize = 400;
/// So many rules with findings show their texts unasked.
const MAX_OPEN: usize = 3;

/// Writes the report for a job summary.
pub fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(compose(report, style, MAX_SUMMARY).as_bytes())
}

/// Writes the report for a comment. Its first line marks it, so that the next run can find and replace it.
pub fn write_comment(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(compose(report, style, MAX_COMMENT).as_bytes())
}

/// The text so far and how long it may become.
struct Page {
    text: String,
    limit: usize,
}

impl Page {
    /// Adds what fits below `share` percent of the limit; false if it does not.
    fn add(&mut self, share: usize, part: &str) -> bool {
        let fits = self.text.len() + part.len() + RESERVE <= self.limit / 100 * share;
        if fits {
            self.text.push_str(part);
        }
        fits
    }

    /// Adds a heading and the items that fit, and says how many do not.
    fn list(&mut self, share: usize, heading: &str, items: impl ExactSizeIterator<Item = String>) {
        let total = items.len();
        if total == 0 || !self.add(share, heading) {
            return;
        }
        let added = items.take_while(|item| self.add(share, item)).count();
        if added < total {
            self.text.push_str(&format!("- {} more\n", total - added));
        }
    }
}

/// A text from the tree, inert and not too long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => markdown(&text[..at]) + "…",
        None => markdown(text),
    }
}

fn compose(report: &Report, style: Style, limit: usize) -> String {
    let mut page = Page { text: String::from("<!-- gate -->\n"), limit };
    let verdict = match report.verdict {
        Verdict::Pass => "✅ gate passes",
        Verdict::Fail => "❌ gate is closed",
        Verdict::Undecided => "⚠️ gate could not decide",
    };
    page.text.push_str(&format!("## {verdict}: {}\n\n", report.found(|_, text| text.to_string())));
    if let Some(comparison) = &report.comparison {
        let against = shown(&comparison.against);
        page.text.push_str(&format!("{}, compared with {against}\n\n", report.changes(style)));
    }
    let findings = report.shown(style);
    table(report, &findings, &mut page);
    if let Some(comparison) = &report.comparison {
        let heading = "\n### Proposed by this change (takes effect once merged)\n\n";
        let proposals = comparison.proposed.iter().map(|one| {
            let line = one.at.map_or(String::new(), |at| format!(":{}", report.sources.line(at)));
            format!("- {}: {}\n", shown(&format!("{}{}{line}", report.prefix, one.path)), shown(&one.message))
        });
        page.list(80, heading, proposals);
    }
    let (unread, strict): (Vec<_>, Vec<_>) = report.closing().partition(|problem| problem.kind.closes());
    let line = |problem: &&Problem| {
        let line = problem.span.map_or(String::new(), |span| format!(":{}", report.sources.line(span)));
        let place = if problem.path.is_empty() { String::new() } else { format!("{}{line}: ", problem.path) };
        let help = problem.help.as_ref().map_or(String::new(), |help| format!(" ({})", shown(help)));
        format!("- {}{}{help}\n", shown(&place), shown(&problem.message))
    };
    page.list(85, "\n### Not read\n\n", unread.iter().map(line));
    page.list(87, "\n### Not decided (counts by --strict)\n\n", strict.iter().map(line));
    let ids: FxHashSet<&str> = findings.iter().map(|finding| &*finding.rule).collect();
    let rules: Vec<&RuleText> = report.rules.iter().filter(|rule| ids.contains(&*rule.id)).collect();
    let open = if report.comparison.is_some() && rules.len() <= MAX_OPEN { " open" } else { "" };
    for rule in rules {
        let aliases = match rule.aliases.is_empty() {
            true => String::new(),
            false => format!("\n\nAlso known as {}", shown(&rule.aliases.join(", "))),
        };
        let texts = [("", &rule.why), ("**Fix:** ", &rule.fix)].into_iter().filter(|(_, text)| !text.is_empty());
        let texts: String = texts.map(|(title, text)| format!("\n\n{title}{}", markdown(text))).collect();
        let text = format!(
            "\n<details{open}><summary>{}: {}</summary>{texts}{aliases}\n\n</details>\n",
            markdown_element(&rule.id),
            markdown_element(&rule.title),
        );
        page.add(95, &text);
    }
    if let Some(comparison) = &report.comparison {
        let fixed = comparison.fixed.iter().map(|one| {
            let line = if one.line > 0 { format!(":{}", one.line) } else { String::new() };
            let place = format!("{}{}{line}", report.prefix, one.path);
            format!("- {} {} {}\n", one.severity.name(), markdown(&one.rule), shown(&place))
        });
        let heading = format!("\n<details><summary>{} fixed</summary>\n\n", comparison.fixed.len());
        let before = page.text.len();
        page.list(97, &heading, fixed);
        if page.text.len() > before {
            page.text.push_str("\n</details>\n");
        }
    }
    if style.show_suppressed {
        let suppressed = report.suppressed.iter().map(|one| {
            let finding = &one.finding;
            let path = report.sources.get(finding.at.file).path();
            let place = format!("{}{path}:{}", report.prefix, report.sources.line(finding.at));
            let until = one.until.as_ref().map_or(String::new(), |until| format!(" until {}", shown(until)));
            let owner = one.owner.as_ref().map_or(String::new(), |owner| format!(" by {}", shown(owner)));
            let reason = if one.reason.is_empty() { "no reason given".into() } else { shown(&one.reason) };
            let rule = markdown(&finding.rule);
            format!("- {rule} {}: {reason} ({}{owner}{until})\n", shown(&place), one.dialect)
        });
        let heading = format!("\n<details><summary>{} suppressed</summary>\n\n", report.suppressed.len());
        let before = page.text.len();
        page.list(99, &heading, suppressed);
        if page.text.len() > before {
            page.text.push_str("\n</details>\n");
        }
    }
    let counts = &report.counts;
    let read: usize = counts.files_read.iter().map(|(_, count)| count).sum();
    let undecided: usize = counts.undecided.iter().map(|(_, count)| count).sum();
    page.text.push_str(&format!(
        "\n{} seen, {read} read, {} searched for secrets, {} resources, {} rules, {undecided} undecided, {} suppressed\n",
        count(counts.files_seen, "file"),
        counts.files_searched,
        counts.resources,
        counts.rules_run,
        report.suppressed.len()
    ));
    page.text
}

fn table(report: &Report, findings: &[&Finding], page: &mut Page) {
    if findings.is_empty() {
        return;
    }
    page.text.push_str("| severity | rule | where | what |\n| --- | --- | --- | --- |\n");
    for (number, finding) in findings.iter().enumerate() {
        let path = report.sources.get(finding.at.file).path();
        let place = format!("{}{path}:{}", report.prefix, report.sources.line(finding.at));
        let status = match finding.status {
            Some(Status::Worse) => ", worse than before",
            Some(Status::Old) => ", old",
            Some(Status::New) | None => "",
        };
        let possible = if finding.possible { "possible " } else { "" };
        let tools = match finding.tools.is_empty() {
            true => String::new(),
            false => format!(" (reported by {})", shown(&finding.tools.join(", "))),
        };
        let row = format!(
            "| {possible}{}{status} | {} | {} | {}{tools} |\n",
            finding.severity.name(),
            shown(&finding.rule),
            shown(&place),
            shown(&finding.message)
        );
        if !page.add(75, &row) {
            page.text.push_str(&format!("\n{} more findings do not fit here.\n", findings.len() - number));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::{Severity, Status};
    use crate::report::{Style, sample};

    #[test]
    fn a_change_is_shown_first_with_why_and_fix_and_old_findings_are_only_counted() {
        let sources = sample::sources(&[("main.tf", "a = 1\nb = 2\nc = 3\n")]);
        let finding = |piece, rule, status| {
            sample::finding(sample::place(&sources, "main.tf", piece), rule, Severity::High, Some(status))
        };
        let findings = vec![
            finding("a", "aws-old", Status::Old),
            finding("b", "aws-b", Status::Worse),
            finding("c", "aws-c", Status::New),
        ];
        let report = sample::report(&sources, findings, Some(sample::comparison(12)));
        let text = sample::written(&report, "comment", Style::default());
        let start = r"<!-- gate -->
## ❌ gate is closed: 1 new high, 1 worse high

1 new, 1 worse, 12 fixed, 1 old unchanged (not shown; --show-old shows them), compared with main \(1a2b3c4d5e6f\)

| severity | rule | where | what |
| --- | --- | --- | --- |
| high, worse than before | aws-b | deploy/main.tf&#58;2 | aws\_db\_instance.main&#58; aws-b holds |
| high | aws-c | deploy/main.tf&#58;3 | aws\_db\_instance.main&#58; aws-c holds |

### Proposed by this change (takes effect once merged)

- deploy/gate.yaml: fail-on rises from medium to critical

<details open><summary>aws-b: The defect of aws-b</summary>

Whoever finds";
        assert!(text.starts_with(start), "{text}");
        assert!(!text.contains("aws-old"), "{text}");
        assert!(text.contains("<details><summary>12 fixed</summary>\n\n- high aws-s3-public-acl deploy/infra/old.tf"));
        let all = sample::written(&report, "markdown", Style { show_old: true, ..Style::default() });
        assert!(all.contains("| high, old | aws-old |"), "{all}");
    }

    #[test]
    fn a_rule_without_a_fix_has_no_heading_for_one() {
        let sources = sample::sources(&[("main.tf", "a = 1\n")]);
        let finding = sample::finding(sample::place(&sources, "main.tf", "a"), "bandit/B602", Severity::High, None);
        let mut report = sample::report(&sources, vec![finding], None);
        report.rules[0].fix.clear();
        for format in ["markdown", "comment", "sarif"] {
            let text = sample::written(&report, format, Style::default());
            assert!(text.contains("Whoever finds") && !text.contains("Fix:"), "{format}: {text}");
        }
    }

    #[test]
    fn a_comment_stays_below_the_limit_of_comments_and_says_what_is_missing() {
        let text: String = (0..3_000).map(|number| format!("old_{number:04} = true\n")).collect();
        let sources = sample::sources(&[("main.tf", &text)]);
        let findings = (0..3_000).map(|number| {
            let mut finding = sample::finding(
                sample::place(&sources, "main.tf", &format!("old_{number:04}")),
                &format!("aws-{number:04}"),
                Severity::High,
                None,
            );
            finding.message = "é*".repeat(5_000);
            finding
        });
        let mut report = sample::report(&sources, findings.collect(), None);
        report.problems = (0..500)
            .map(|number| {
                crate::problem::Problem::with_path(crate::problem::ProblemKind::Unread, format!("{number}"), "x")
            })
            .collect();
        let comment = sample::written(&report, "comment", Style::default());
        assert!(comment.len() < 65_536, "{}", comment.len());
        assert!(comment.contains(" more findings do not fit here."), "{comment}");
        assert!(comment.ends_with("4 resources, 5 rules, 0 undecided, 0 suppressed\n"));
        let summary = sample::written(&report, "markdown", Style::default());
        assert!(summary.len() < 1 << 20 && summary.len() > 65_536, "{}", summary.len());
    }
}
