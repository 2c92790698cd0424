//! JUnit XML: a suite for each file, a failed case for each finding; what could not be read is an error, and what was there
//! before a change, or is possible only, is skipped.

use std::collections::BTreeMap;
use std::io::{self, Write};

use rustc_hash::FxHashMap;

use super::{Report, Style};
use crate::escape::xml;
use crate::finding::{Finding, Status};
use crate::problem::Problem;

/// What a file holds.
#[derive(Default)]
struct Suite<'r> {
    findings: Vec<&'r Finding>,
    problems: Vec<&'r Problem>,
}

impl Suite<'_> {
    fn failures(&self, report: &Report) -> usize {
        self.findings.iter().filter(|finding| report.may_close(finding)).count()
    }
}

/// Writes the report, with the elements and attributes that Jenkins' schema has.
pub fn write(report: &Report, _style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<&str, Suite<'_>> = BTreeMap::new();
    for finding in &report.findings {
        suites.entry(report.sources.get(finding.at.file).path()).or_default().findings.push(finding);
    }
    for problem in report.closing() {
        // Readers refuse a suite without a name.
        let path = if problem.path.is_empty() { "gate" } else { &problem.path };
        suites.entry(path).or_default().problems.push(problem);
    }
    let failures: usize = suites.values().map(|suite| suite.failures(report)).sum();
    let errors: usize = suites.values().map(|suite| suite.problems.len()).sum();
    let cases = (report.findings.len() + errors).max(1);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="gate" tests="{cases}" failures="{failures}" errors="{errors}">"#)?;
    if suites.is_empty() {
        // Readers of JUnit files refuse one without a case.
        writeln!(out, r#"  <testsuite name="gate" tests="1" failures="0" errors="0" skipped="0">"#)?;
        writeln!(out, r#"    <testcase classname="gate" name="no finding"/>"#)?;
        writeln!(out, "  </testsuite>")?;
    }
    for (path, suite) in &suites {
        write_suite(report, path, suite, out)?;
    }
    writeln!(out, "</testsuites>")
}

fn write_suite(report: &Report, path: &str, suite: &Suite<'_>, out: &mut dyn Write) -> io::Result<()> {
    let path = xml(path);
    let failures = suite.failures(report);
    writeln!(
        out,
        r#"  <testsuite name="{path}" tests="{}" failures="{}" errors="{}" skipped="{}">"#,
        suite.findings.len() + suite.problems.len(),
        failures,
        suite.problems.len(),
        suite.findings.len() - failures
    )?;
    let mut names: FxHashMap<String, usize> = FxHashMap::default();
    // Readers know a case again by its name, which therefore has no line, and count one of each name only.
    let mut unique = |name: String| {
        let number = names.entry(name.clone()).or_default();
        *number += 1;
        if *number == 1 { name } else { format!("{name} ({number})") }
    };
    for finding in &suite.findings {
        let line = report.sources.line(finding.at);
        let message = xml(&finding.message);
        let parts = [&*finding.rule, &*finding.address, &*finding.attribute];
        let name = parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ");
        writeln!(out, r#"    <testcase classname="{path}" name="{}">"#, unique(xml(&name)))?;
        let possible = if finding.possible { "possible " } else { "" };
        let severity = format!("{possible}{}", finding.severity.name());
        if finding.status == Some(Status::Old) {
            let against = report.comparison.as_ref().map_or("", |comparison| &comparison.against);
            let against = xml(against);
            writeln!(
                out,
                r#"      <skipped message="{severity}, was there in {against}: {path}:{line}: {message}"/>"#
            )?;
        } else if !report.may_close(finding) {
            writeln!(out, r#"      <skipped message="{severity}: {path}:{line}: {message}"/>"#)?;
        } else {
            writeln!(
                out,
                r#"      <failure type="{severity}" message="{message}">{path}:{line}: {message}</failure>"#
            )?;
        }
        writeln!(out, "    </testcase>")?;
    }
    for problem in &suite.problems {
        let line = problem.span.map_or(1, |span| report.sources.line(span));
        let (kind, message) = (problem.kind.name(), xml(&problem.message));
        let name = unique(format!("{kind} {message}"));
        writeln!(out, r#"    <testcase classname="{path}" name="{name}">"#)?;
        writeln!(out, r#"      <error type="{kind}" message="{message}">{path}:{line}: {message}</error>"#)?;
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

#[cfg(test)]
mod tests {
    use crate::finding::{Severity, Status};
    use crate::report::{Style, sample};

    #[test]
    fn what_is_possible_only_is_skipped_unless_it_counts() {
        let sources = sample::sources(&[("main.tf", "a = 1\n")]);
        let mut finding = sample::finding(sample::place(&sources, "main.tf", "a"), "aws-a", Severity::High, None);
        finding.possible = true;
        let mut report = sample::report(&sources, vec![finding], None);
        let xml = sample::written(&report, "junit", Style::default());
        assert!(xml.contains(r#"failures="0" errors="0" skipped="1""#), "{xml}");
        assert!(xml.contains(r#"<skipped message="possible high: main.tf:1: "#), "{xml}");
        report.strict = true;
        let xml = sample::written(&report, "junit", Style::default());
        assert!(xml.contains(r#"failures="1" errors="0" skipped="0""#), "{xml}");
        assert!(xml.contains(r#"<failure type="possible high""#), "{xml}");
    }

    #[test]
    fn what_is_old_is_skipped_and_no_two_cases_have_one_name() {
        let sources = sample::sources(&[("main.tf", "a = 1\nb = 2\n")]);
        let finding = |piece, status| {
            sample::finding(sample::place(&sources, "main.tf", piece), "aws-a", Severity::High, Some(status))
        };
        let findings = vec![finding("a", Status::Old), finding("b", Status::New)];
        let report = sample::report(&sources, findings, Some(sample::comparison(1)));
        let xml = sample::written(&report, "junit", Style::default());
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="gate" tests="2" failures="1" errors="0">
  <testsuite name="main.tf" tests="2" failures="1" errors="0" skipped="1">
    <testcase classname="main.tf" name="aws-a aws_db_instance.main publicly_accessible">
      <skipped message="high, was there in main (1a2b3c4d5e6f): main.tf:1: aws_db_instance.main: aws-a holds"/>
    </testcase>
    <testcase classname="main.tf" name="aws-a aws_db_instance.main publicly_accessible (2)">
      <failure type="high" message="aws_db_instance.main: aws-a holds">main.tf:2: aws_db_instance.main: aws-a holds</failure>
    </testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(xml, expected);
    }
}
