//! One HTML file with everything in it: search, filters, both themes, nothing from outside and nothing that acts.
//!
//! Data goes into a block of JSON that no browser runs, and from there into text nodes. The policy of the page lets run the
//! one script that is compiled in, by its hash, and load nothing.

mod data;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{Report, Style, Verdict};
use crate::escape::xml;
use crate::finding::{Finding, Severity, Status};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Findings that are listed where scripts do not run.
const MAX_PLAIN: usize = 200;

/// Writes the report.
pub fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (class, verdict) = match report.verdict {
        Verdict::Pass => ("pass", "pass"),
        Verdict::Fail => ("fail", "fail"),
        Verdict::Undecided => ("undecided", "could not decide"),
    };
    let found = report.found(|_, text| text.to_string());
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    writeln!(
        out,
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>gate: {verdict}, {found}</title>
<style>{STYLE}</style>
</head>
<body>
<div class="page">
<header>
<h1>gate <span class="badge {class}">{verdict}</span></h1>"#,
        hash(SCRIPT),
        hash(STYLE),
    )?;
    let threshold = report
        .fail_on
        .map_or("never fails on findings".into(), |severity| format!("fails on {} and worse", severity.name()));
    let compared = report.comparison.as_ref();
    let against = compared.map_or(String::new(), |one| format!(", compared with {}", xml(&one.against)));
    writeln!(out, r#"<p class="lead">{found} ({threshold}){against}</p>"#)?;
    sums(report, out)?;
    writeln!(out, "</header>\n<main>")?;
    plain_list(report, style, out)?;
    writeln!(out, "</main>\n<footer>gate {}</footer>\n</div>", env!("CARGO_PKG_VERSION"))?;
    write!(out, r#"<script type="application/json" id="data">"#)?;
    data::write(report, style, out)?;
    writeln!(out, "</script>\n<script>{SCRIPT}</script>\n</body>\n</html>")
}

/// The sums at the top, which stand there without a script too.
fn sums(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut sums: Vec<(&str, usize, String)> = Vec::new();
    if let Some(comparison) = &report.comparison {
        sums.push(("new", report.with_status(Status::New), "new".into()));
        sums.push(("worse", report.with_status(Status::Worse), "worse".into()));
        sums.push(("fixed", comparison.fixed.len(), "fixed".into()));
        sums.push(("old", report.with_status(Status::Old), "old".into()));
    }
    for severity in Severity::ALL {
        let is_meant = |one: &&Finding| one.severity == severity && !one.possible;
        let count = report.findings.iter().filter(is_meant).count();
        // Beside what is new, the sums of all would be taken for those of the change.
        let all = if report.comparison.is_some() { "all " } else { "" };
        sums.push((severity.name(), count, format!("{all}{}", severity.name())));
    }
    let possible = report.findings.iter().filter(|finding| finding.possible).count();
    sums.push(("possible", possible, "possible".into()));
    sums.push(("suppressed", report.suppressed.len(), "suppressed".into()));
    sums.push(("problems", report.closing().count(), "problems".into()));
    writeln!(out, r#"<ul class="sums">"#)?;
    for (class, count, title) in sums {
        let none = if count == 0 { " none" } else { "" };
        writeln!(out, r#"<li class="{class}{none}"><b>{count}</b><span>{title}</span></li>"#)?;
    }
    writeln!(out, "</ul>")
}

/// The worst findings, for browsers and servers that let no script run.
fn plain_list(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let findings = report.shown(style);
    writeln!(out, r#"<noscript><p class="note">Search and filters need scripts, which are off here.</p>"#)?;
    for finding in findings.iter().take(MAX_PLAIN) {
        let path = xml(report.sources.get(finding.at.file).path());
        let severity = finding.severity.name();
        let possible = if finding.possible { "possible " } else { "" };
        writeln!(
            out,
            r#"<div class="item"><span class="badge {severity}">{possible}{severity}</span> {}<div class="where">{} {path}:{}</div></div>"#,
            xml(&finding.message),
            xml(&finding.rule),
            report.sources.line(finding.at)
        )?;
    }
    if findings.len() > MAX_PLAIN {
        writeln!(out, r#"<p class="note">{} more findings</p>"#, findings.len() - MAX_PLAIN)?;
    }
    writeln!(out, "</noscript>")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use serde_json::Value;

    use crate::finding::{Related, Severity, Status};
    use crate::report::{Report, Style, sample};

    /// The page without its data, and the data.
    fn parts(report: &Report<'_>) -> (String, Value) {
        let page = sample::written(report, "html", Style::default());
        let (head, rest) = page.split_once(r#"<script type="application/json" id="data">"#).unwrap();
        let (data, tail) = rest.split_once("</script>").unwrap();
        (format!("{head}{tail}"), serde_json::from_str(data).unwrap())
    }

    #[test]
    fn the_page_loads_nothing_and_its_policy_names_its_own_script_and_style() {
        let sources = sample::sources(&[("main.tf", "a = 1\n")]);
        let finding = sample::finding(sample::place(&sources, "main.tf", "a"), "aws-a", Severity::High, None);
        let (page, _) = parts(&sample::report(&sources, vec![finding], None));
        for outside in
            ["src=", "href=", "url(", "@import", "http://", "https://", "innerHTML", "eval(", "style=\"", "onclick="]
        {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src 'none'; script-src 'sha256-") && !page.contains("unsafe-inline"));
        assert_eq!(page.matches("<script").count(), 1);
    }

    #[test]
    fn texts_of_the_tree_are_inert_wherever_they_stand() {
        let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\u{1b}[31m'\"&";
        let text = format!("a = \"{hostile}\"\n");
        let path = "x</script><b>\u{202e}.tf";
        let sources = sample::sources(&[(path, &text)]);
        let mut finding =
            sample::finding(sample::place(&sources, path, "a"), "aws-a", Severity::High, Some(Status::New));
        finding.message = hostile.into();
        finding.address = hostile.into();
        finding.related = vec![Related { at: finding.at, message: hostile.into() }];
        finding.tools = vec![hostile.into()];
        let mut comparison = sample::comparison(1);
        comparison.against = hostile.into();
        comparison.proposed[0].message = hostile.into();
        comparison.fixed[0].message = hostile.into();
        let report = sample::report(&sources, vec![finding], Some(comparison));
        let page = sample::written(&report, "html", Style::default());
        let tags: BTreeSet<&str> =
            page.match_indices('<').map(|(at, _)| page[at..].split([' ', '>', '=']).next().unwrap()).collect();
        assert!(!tags.contains("<img"), "{tags:?}");
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains(['\u{202e}', '\u{1b}']));
        let (_, data) = parts(&report);
        let shown = data["findings"][0]["message"].as_str().unwrap();
        assert!(shown.starts_with("</script><script>alert(1)") && shown.contains("\\u{202e}\\u{1b}[31m"), "{shown}");
    }

    #[test]
    fn excerpts_mark_the_place_and_hide_every_secret_near_it() {
        let text = "# one\n  token = \"ghp_x7Kq2mVb9TzR4nWc8LpY1sDf6GhJ3aE5uQ0i\"\n  public = true\n  key = \"hidden-by-a-rule\"\n# five\n# six\n";
        let sources = sample::sources(&[("main.tf", text)]);
        let finding = sample::finding(sample::place(&sources, "main.tf", "true"), "aws-a", Severity::High, None);
        let at = sample::place(&sources, "main.tf", "hidden-by-a-rule");
        let mut secret = sample::finding(at, "secret", Severity::Critical, None);
        secret.sensitive = true;
        let (_, data) = parts(&sample::report(&sources, vec![finding, secret], None));
        let code = &data["findings"][1]["code"];
        let lines: Vec<&str> = code["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        assert_eq!(lines, ["# one", "  token = \"***\"", "  public = true", "  key = \"***\"", "# five"]);
        assert_eq!((&code["first"], &code["at"]), (&Value::from(1), &Value::from(2)));
        assert_eq!((&code["from"], &code["length"]), (&Value::from(11), &Value::from(4)));
    }
}
