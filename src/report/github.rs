//! Workflow commands: annotations in a pull request, worst first, within GitHub's limit of ten a kind and step.

use std::io::{self, Write};

use super::{Report, Style};
use crate::escape::{command_data, command_property};
use crate::finding::{Severity, Status};

/// Annotations of one kind that GitHub shows for a step.
const MAX_OF_A_KIND: usize = 10;

/// Writes the report.
pub fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut written = [0_usize; 3];
    let mut left_out = 0;
    for problem in report.closing() {
        if written[0] == MAX_OF_A_KIND {
            left_out += 1;
            continue;
        }
        written[0] += 1;
        let place = match problem.path.as_str() {
            "" => String::new(),
            path => {
                let path = command_property(&format!("{}{path}", report.prefix));
                format!("file={path},line={},", problem.span.map_or(1, |span| report.sources.line(span)))
            }
        };
        writeln!(
            out,
            "::error {place}title=gate could not decide ({})::{}",
            problem.kind.name(),
            command_data(&problem.message)
        )?;
    }
    for finding in report.shown(style) {
        let (kind, command) = match finding.severity {
            // What does not close the gate must not look as if it did.
            _ if finding.possible && !report.strict => (2, "notice"),
            Severity::Critical | Severity::High => (0, "error"),
            Severity::Medium => (1, "warning"),
            Severity::Low => (2, "notice"),
        };
        // One notice is kept for the count of what is left out.
        if written[kind] == MAX_OF_A_KIND - usize::from(kind == 2) {
            left_out += 1;
            continue;
        }
        written[kind] += 1;
        let (start, end) = report.sources.region(finding.at);
        let path = command_property(&format!("{}{}", report.prefix, report.sources.get(finding.at.file).path()));
        let status = match finding.status {
            Some(Status::Worse) => ", worse than before",
            Some(Status::Old) => ", old",
            Some(Status::New) | None => "",
        };
        let possible = if finding.possible { "possible " } else { "" };
        let title = command_property(&format!("{} ({possible}{}{status})", finding.rule, finding.severity.name()));
        writeln!(
            out,
            "::{command} file={path},line={},endLine={},col={},endColumn={},title={title}::{}",
            start.line,
            end.line,
            start.column,
            end.column,
            command_data(&finding.message)
        )?;
    }
    if left_out > 0 {
        writeln!(out, "::notice title=gate::{left_out} more findings are in the log and the job summary")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::finding::{Severity, Status};
    use crate::report::{Style, sample};

    #[test]
    fn what_is_possible_only_is_a_notice_unless_it_counts() {
        let sources = sample::sources(&[("main.tf", "a = 1\n")]);
        let mut finding = sample::finding(sample::place(&sources, "main.tf", "a"), "aws-a", Severity::High, None);
        finding.possible = true;
        let mut report = sample::report(&sources, vec![finding], None);
        let text = |report: &_| sample::written(report, "github", Style::default());
        assert!(text(&report).starts_with("::notice file=") && text(&report).contains("title=aws-a (possible high)::"));
        report.strict = true;
        assert!(text(&report).starts_with("::error file="));
    }

    #[test]
    fn annotations_are_for_what_the_change_makes() {
        let sources = sample::sources(&[("main.tf", "a = 1\nb = 2\nc = 3\n")]);
        let finding = |piece, status| {
            sample::finding(sample::place(&sources, "main.tf", piece), "aws-a", Severity::Medium, Some(status))
        };
        let findings = vec![finding("a", Status::Old), finding("b", Status::Worse), finding("c", Status::New)];
        let report = sample::report(&sources, findings, Some(sample::comparison(1)));
        let text = sample::written(&report, "github", Style::default());
        let expected = "\
::warning file=deploy/main.tf,line=2,endLine=2,col=1,endColumn=2,title=aws-a (medium%2C worse than before)::aws_db_instance.main: aws-a holds
::warning file=deploy/main.tf,line=3,endLine=3,col=1,endColumn=2,title=aws-a (medium)::aws_db_instance.main: aws-a holds
";
        assert_eq!(text, expected);
    }
}
