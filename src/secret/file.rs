//! Files by their names: how assignments are written in them, and whether random text in them is to be expected.

use super::{Hit, find, notebook, store};
use crate::path::name_of;

/// How a file writes the value of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Only what is quoted is a literal.
    Code,
    /// As code, with commands in its texts.
    Terraform,
    /// Unquoted values go on to a blank, and `$` begins a reference.
    Shell,
    /// Unquoted values go on to the end of the line.
    Lines,
    /// As lines, with what is between tags, and scripts inside.
    Yaml,
}

/// Every credential of a file of this name, in order, none inside another: those of known forms, and literals that are
/// assigned to names of secrets.
///
/// Lock files and generated code are full of random text, and are searched only for what nothing else looks like, as are lines
/// so long that a program wrote them. Tests, examples and documentation are full of made up passwords, and are searched for known forms only.
pub fn find_in_file(path: &str, text: &str) -> Vec<Hit> {
    if let Some(sources) = notebook_sources(path, text).filter(|_| !is_about_others(path)) {
        let mut hits = find::find_all(&sources, Syntax::Code);
        add(&mut hits, find::find_certain(text));
        return hits;
    }
    if is_lock_file(path) || is_generated(path) {
        return find::find_certain(text);
    }
    if is_about_others(path) {
        return find(text);
    }
    let mut hits = find::find_all(text, syntax(path, text));
    store::of_file(path, text, &mut hits);
    hits
}

/// Where secrets stand in a text that is shown to people, in order: those that [`find_in_file`] finds, what it finds in no file
/// of this name, and all of every value whose name calls it a secret, be it ever so weak. Each place lies in one line, and none
/// touches another.
pub fn find_to_hide(path: &str, text: &str) -> Vec<(usize, usize)> {
    let mut hits = find::find_to_hide(text, syntax(path, text));
    store::of_file(path, text, &mut hits);
    if let Some(sources) = notebook_sources(path, text) {
        hits.extend(find::find_to_hide(&sources, Syntax::Code));
    }
    hits.sort_by_key(|hit| hit.start);
    let mut places: Vec<(usize, usize)> = Vec::new();
    for hit in hits {
        match places.last_mut().filter(|last| hit.start <= last.1) {
            Some(last) => last.1 = last.1.max(hit.end),
            None => places.push((hit.start, hit.end)),
        }
    }
    places.into_iter().flat_map(|place| in_lines(text, place)).collect()
}

/// The parts of a place that its lines show, without the blanks around them.
pub fn in_lines(text: &str, (start, end): (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    let mut next = start;
    text.get(start..end).unwrap_or("").split_inclusive('\n').filter_map(move |line| {
        let from = next + (line.len() - line.trim_start().len());
        next += line.len();
        let shown = line.trim();
        (!shown.is_empty()).then_some((from, from + shown.len()))
    })
}

/// The code of a notebook, at the places at which it stands in the file.
fn notebook_sources(path: &str, text: &str) -> Option<String> {
    if path.ends_with(".ipynb") { notebook::sources(text) } else { None }
}

/// Adds what lies over none of the hits that are there; what is there and what is added have none inside another.
pub(super) fn add(hits: &mut Vec<Hit>, found: Vec<Hit>) {
    let known = hits.len();
    for hit in found {
        let next = hits[..known].partition_point(|other| other.end <= hit.start);
        if hits[..known].get(next).is_none_or(|other| hit.end <= other.start) {
            hits.push(hit);
        }
    }
    hits.sort_by_key(|hit| hit.start);
}

fn is_lock_file(path: &str) -> bool {
    const NAMES: &[&str] = &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "go.sum",
        "gradle.lockfile",
        "packages.lock.json",
    ];
    let name = name_of(path);
    name.ends_with(".lock") || name.ends_with(".lock.hcl") || name.ends_with(".sum") || NAMES.contains(&name)
}

fn is_generated(path: &str) -> bool {
    let ends = [".min.js", ".min.css", ".map", ".svg", ".ipynb"];
    ends.iter().any(|end| path.ends_with(end))
}

/// Words in names of folders and files whose secrets are made up, or are texts for people.
const OTHERS: &[&str] = &[
    "test",
    "tests",
    "testing",
    "testdata",
    "testlib",
    "unittest",
    "unittests",
    "spec",
    "specs",
    "fixture",
    "fixtures",
    "mock",
    "mocks",
    "fake",
    "fakes",
    "stub",
    "stubs",
    "e2e",
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "demos",
    "tutorial",
    "tutorials",
    "doc",
    "docs",
    "documentation",
    "locale",
    "locales",
    "i18n",
    "l10n",
    "lang",
    "translation",
    "translations",
    "messages",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "snapshots",
    "cassettes",
    "recordings",
    "testcase",
    "testcases",
];

/// Ends of names of texts for people, and of data.
const PROSE_ENDS: &[&str] = &[
    "md", "mdx", "markdown", "rst", "adoc", "asciidoc", "org", "tex", "txt", "html", "htm", "xhtml", "css", "scss",
    "less", "po", "pot", "strings", "resx", "arb", "xlf", "xliff", "ftl", "csv", "tsv", "log", "patch", "diff", "snap",
    "bib", "1", "3", "5", "7", "8", "pod", "texi", "info", "ps", "ttl", "rdf", "nt", "dic", "aff", "tex", "asc", "pem",
    "crt",
];

/// Whether secrets in a file of this name are rather made up than in use.
fn is_about_others(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let is_other = |word: &str| OTHERS.contains(&word);
    // `my-tests` and `src_test` are such folders, and so is `AppTests`.
    folders.split('/').any(|folder| {
        folder.split(['-', '_', '.']).any(is_other) || folder.ends_with("tests") || folder.ends_with("testing")
    }) || name.split(['-', '_', '.']).any(|word| is_other(word) || word == "dist")
        || is_test_class(name_of(path))
        || name.rsplit_once('.').is_some_and(|(stem, end)| !stem.is_empty() && PROSE_ENDS.contains(&end))
}

/// `LoginTest.java`, `LoginTests.cs`, `TestLogin.java`, `LoginSpec.scala`.
fn is_test_class(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    ["Test", "Tests", "Spec", "Mock", "IT", "TestCase"].iter().any(|end| stem.ends_with(end))
        || stem.strip_prefix("Test").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
}

fn syntax(path: &str, text: &str) -> Syntax {
    let name = name_of(path).to_ascii_lowercase();
    let mut name = name.as_str();
    // What is made from a template is written as the file that it becomes.
    for end in [".j2", ".tpl", ".tmpl", ".erb", ".template", ".bak", ".old", ".orig", ".enc", ".local"] {
        name = name.strip_suffix(end).unwrap_or(name);
    }
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    // Their instructions are commands, but for a few words.
    let is_dockerfile = |word: &str| name.starts_with(word) || end == word;
    if is_dockerfile("dockerfile") || is_dockerfile("containerfile") {
        return Syntax::Shell;
    }
    match end {
        "yaml" | "yml" => Syntax::Yaml,
        "tf" | "tofu" | "hcl" => Syntax::Terraform,
        "sh" | "bash" | "zsh" | "ksh" | "csh" | "tcsh" | "fish" | "envrc" | "bashrc" | "zshrc" | "profile"
        | "bash_profile" | "bat" | "cmd" | "mk" => Syntax::Shell,
        "env" | "ini" | "conf" | "cfg" | "cnf" | "properties" | "toml" | "config" | "netrc" | "npmrc" | "pypirc"
        | "s3cfg" | "boto" | "credentials" | "pgpass" | "yarnrc" | "curlrc" | "wgetrc" | "service" | "prefs"
        | "secrets" | "secret" | "passwd" => Syntax::Lines,
        _ if name.starts_with(".env") || name.starts_with("env.") => Syntax::Lines,
        "" if matches!(name, "config" | "credentials" | "my.cnf" | "env" | "environment" | "secrets") => Syntax::Lines,
        "" if matches!(name, "makefile" | "gnumakefile" | "procfile") => Syntax::Shell,
        "" if text.starts_with("#!") && text.lines().next().is_some_and(|line| line.contains("sh")) => Syntax::Shell,
        _ => Syntax::Code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_is_known_by_name() {
        for (path, expected) in [
            (".env", Syntax::Lines),
            ("app/.env.production", Syntax::Lines),
            ("app/prod.env", Syntax::Lines),
            ("etc/my.cnf", Syntax::Lines),
            ("application.properties", Syntax::Lines),
            ("config.yaml.j2", Syntax::Yaml),
            ("deploy.sh", Syntax::Shell),
            (".envrc", Syntax::Shell),
            ("a.py", Syntax::Code),
            ("c.json", Syntax::Code),
            ("Jenkinsfile", Syntax::Code),
            (".aws/credentials", Syntax::Lines),
            ("Dockerfile.prod", Syntax::Shell),
            ("web.dockerfile", Syntax::Shell),
        ] {
            assert_eq!(syntax(path, ""), expected, "{path}");
        }
        assert_eq!(syntax("bin/start", "#!/bin/sh\n"), Syntax::Shell);
    }

    #[test]
    fn tests_examples_and_texts_for_people_are_told_by_their_names() {
        for path in [
            "tests/login.py",
            "src/test/java/App.java",
            "pkg/auth/login_test.go",
            "web/login.spec.ts",
            "App.Tests/Login.cs",
            "LoginTest.java",
            "test_login.py",
            "README.md",
            ".env.example",
            "config.sample.yaml",
            "locales/de.yaml",
            "docs/conf.py",
            "messages.properties",
        ] {
            assert!(is_about_others(path), "{path}");
        }
        for path in [".env", "src/latest.py", "app/contest/a.py", "config.yaml", "attestation.go", "src/Inspector.java"]
        {
            assert!(!is_about_others(path), "{path}");
        }
    }
}
