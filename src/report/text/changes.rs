//! What a change did, below the findings that it makes: counts, what it mends, and what it proposes and cannot do yet.

use std::io::{self, Write};

use super::{Page, wrap};
use crate::escape::plain;
use crate::report::{Comparison, Style};

/// Findings that are gone, a line each.
const MAX_FIXED: usize = 10;
/// Proposals, each of some lines.
const MAX_PROPOSED: usize = 50;

pub(super) fn write(page: &Page<'_>, comparison: &Comparison, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (paint, width) = (page.paint, page.width);
    for line in wrap(&page.report.changes(style), width, width) {
        writeln!(out, "{}", paint.bold(&line))?;
    }
    if style.quiet {
        return Ok(());
    }
    for one in comparison.fixed.iter().take(MAX_FIXED) {
        let line = if one.line > 0 { format!(":{}", one.line) } else { String::new() };
        let place = format!("{} {} {}{line}", one.severity.name(), plain(&one.rule), plain(&one.path));
        let whole = format!("fixed {place} {}", plain(&one.address));
        let address = if whole.chars().count() > width { String::new() } else { format!(" {}", plain(&one.address)) };
        writeln!(out, "{} {place}{}", paint.with("1;32", "fixed"), address.trim_end())?;
    }
    if comparison.fixed.len() > MAX_FIXED {
        writeln!(out, "{}", paint.dim(&format!("{} more fixed", comparison.fixed.len() - MAX_FIXED)))?;
    }
    writeln!(out)?;
    if comparison.proposed.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", paint.bold("Proposed by this change (takes effect once merged)"))?;
    for one in comparison.proposed.iter().take(MAX_PROPOSED) {
        let line = one.at.map_or(String::new(), |at| format!(":{}", page.report.sources.line(at)));
        let text = format!("{}{line}: {}", plain(&one.path), plain(&one.message));
        let mut lines = wrap(&text, width.saturating_sub(2), width.saturating_sub(4)).into_iter();
        writeln!(out, "  {}", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| writeln!(out, "    {line}"))?;
    }
    if comparison.proposed.len() > MAX_PROPOSED {
        writeln!(out, "{}", paint.dim(&format!("  {} more proposals", comparison.proposed.len() - MAX_PROPOSED)))?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use crate::finding::{Severity, Status};
    use crate::report::{Style, sample};

    #[test]
    fn a_new_defect_among_three_hundred_old_ones_fits_on_a_screen() {
        let old: String = (0..300).map(|number| format!("old_{number:03} = true\n")).collect();
        let new = "resource \"aws_db_instance\" \"main\" {\n  publicly_accessible = true\n}\n";
        let sources = sample::sources(&[("infra/main.tf", new), ("infra/old.tf", &old)]);
        let mut findings = vec![sample::finding(
            sample::place(&sources, "infra/main.tf", "true"),
            "aws-rds-publicly-accessible",
            Severity::High,
            Some(Status::New),
        )];
        findings.extend((0..300).map(|number| {
            let at = sample::place(&sources, "infra/old.tf", &format!("old_{number:03}"));
            sample::finding(at, "aws-old-rule", Severity::Critical, Some(Status::Old))
        }));
        let report = sample::report(&sources, findings, Some(sample::comparison(12)));
        let style = Style { width: 80, ..Style::default() };
        let text = sample::written(&report, "text", style);
        let expected = "\
high aws-rds-publicly-accessible: aws_db_instance.main:
  aws-rds-publicly-accessible holds
 --> infra/main.tf:2:25
2 | publicly_accessible = true
  |                       ^^^^
  = why: Whoever finds the address may try passwords until one of them is right,
         and nobody sees it happen.
  = fix: Set publicly_accessible to false and reach the database from inside the
         VPC.

1 new, 0 worse, 12 fixed, 300 old unchanged (not shown; --show-old shows them)
fixed high aws-s3-public-acl infra/old.tf:1 aws_s3_bucket.logs
";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("infra/old.tf:10 aws_s3_bucket.logs\n2 more fixed\n\n"), "{text}");
        let end = "\
Proposed by this change (takes effect once merged)
  gate.yaml: fail-on rises from medium to critical

3 files seen · 3 read (3 terraform) · 4 resources · 5 rules
fail 1 new high (fails on medium and worse), compared with main (1a2b3c4d5e6f)
why it matters and what is right: gate explain aws-rds-publicly-accessible
";
        assert!(text.ends_with(end), "{text}");
        assert!(text.lines().count() <= 40, "{}", text.lines().count());
        let all = sample::written(&report, "text", Style { show_old: true, ..style });
        assert_eq!(all.matches("critical aws-old-rule (old): ").count(), 300);
        assert!(all.starts_with("high aws-rds-publicly-accessible: "), "what changed stands first: {all}");
    }

    #[test]
    fn a_change_that_makes_nothing_says_so_and_why_stands_once_for_a_rule() {
        let sources = sample::sources(&[("main.tf", "a = 1\nb = 2\nc = 3\n")]);
        let finding = |piece, status| {
            sample::finding(sample::place(&sources, "main.tf", piece), "aws-a", Severity::High, Some(status))
        };
        let report = sample::report(&sources, vec![finding("a", Status::Old)], Some(sample::comparison(0)));
        let text = sample::written(&report, "text", Style::default());
        assert!(text.starts_with("0 new, 0 worse, 0 fixed, 1 old unchanged"), "{text}");
        assert!(text.ends_with("pass nothing new (fails on medium and worse), compared with main (1a2b3c4d5e6f)\n"));
        let findings = vec![finding("a", Status::New), finding("b", Status::Worse), finding("c", Status::New)];
        let report = sample::report(&sources, findings, Some(sample::comparison(0)));
        let text = sample::written(&report, "text", Style::default());
        assert_eq!((text.matches("why:").count(), text.matches("fix:").count()), (1, 3));
        assert!(text.contains("high aws-a (worse than before): "), "{text}");
        assert!(text.contains("fail 2 new high, 1 worse high (fails"), "{text}");
        let quiet = sample::written(&report, "text", Style { quiet: true, ..Style::default() });
        assert!(quiet.starts_with("2 new, 1 worse, 0 fixed, 0 old unchanged\n3 files seen"), "{quiet}");
    }
}
