//! JUnit XML: a suite for each file, a failed case for each finding; what could not be read is an error.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{Report, Style};
use crate::escape::xml;
use crate::finding::Finding;
use crate::problem::Problem;

/// Writes the report.
pub fn write(report: &Report, _style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<&str, (Vec<&Finding>, Vec<&Problem>)> = BTreeMap::new();
    for finding in &report.findings {
        suites.entry(report.sources.get(finding.at.file).path()).or_default().0.push(finding);
    }
    let problems: Vec<&Problem> = report.problems.iter().filter(|problem| problem.kind.closes()).collect();
    for problem in &problems {
        suites.entry(&problem.path).or_default().1.push(problem);
    }
    let failures = report.findings.len();
    let cases = (failures + problems.len()).max(1);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="gate" tests="{cases}" failures="{failures}" errors="{}">"#, problems.len())?;
    if suites.is_empty() {
        // Readers of JUnit files refuse one without a case.
        writeln!(out, r#"  <testsuite name="gate" tests="1" failures="0" errors="0">"#)?;
        writeln!(out, r#"    <testcase classname="gate" name="no finding"/>"#)?;
        writeln!(out, "  </testsuite>")?;
    }
    for (path, (findings, problems)) in suites {
        let path = xml(path);
        let (failures, errors) = (findings.len(), problems.len());
        writeln!(
            out,
            r#"  <testsuite name="{path}" tests="{}" failures="{failures}" errors="{errors}">"#,
            failures + errors
        )?;
        for finding in findings {
            let line = report.sources.line(finding.at);
            let message = xml(&finding.message);
            writeln!(out, r#"    <testcase classname="{path}" name="{} line {line}">"#, xml(&finding.rule))?;
            writeln!(
                out,
                r#"      <failure type="{}" message="{message}">{path}:{line}: {message}</failure>"#,
                finding.severity.name()
            )?;
            writeln!(out, "    </testcase>")?;
        }
        for problem in problems {
            let line = problem.span.map_or(1, |span| report.sources.line(span));
            let message = xml(&problem.message);
            writeln!(out, r#"    <testcase classname="{path}" name="{} line {line}">"#, problem.kind.name())?;
            writeln!(out, r#"      <error type="{}" message="{message}"/>"#, problem.kind.name())?;
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}
