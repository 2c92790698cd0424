//! The core of `gate test`: runs the examples of rules through the real frontends and the real judge.
//!
//! A rule's `bad` examples must fire exactly on their marked lines and its `good` ones must stay silent, with that rule alone
//! selected. A line is marked by a comment at its end, `# expect` or `// expect`; where it cannot carry one, by
//! `# expect-above` on the line after it or `# expect-below` on the line before it; in JSON by a member `"//": "expect"` (or
//! `"expect-above"`, `"expect-below"`).
//!
//! An example is one file, or several: a line `# file: modules/net/main.tf` begins the next.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rayon::prelude::*;
use regex::Regex;
use rustc_hash::FxHashSet;

use crate::config::Config;
use crate::discover::Discovered;
use crate::frontend::{Claim, FRONTENDS, Frontend, Parsed, Settings};
use crate::model::{Edge, Graph, Model, ResourceId};
use crate::problem::{Problem, ProblemKind};
use crate::rules::engine::panic_text;
use crate::rules::rego::{self, Module};
use crate::rules::schema::{Example, Mistake};
use crate::rules::{Catalog, Cx, Judged, judge};
use crate::source::{FileId, Source, Sources, Span};
use crate::suppress::{self, Date};

/// Rules and the files that they come from.
pub struct Policies {
    /// The rules.
    pub catalog: Catalog,
    /// The file of each rule, by its index in the catalog; empty for the built-in rules, whose ids tell enough.
    files: Vec<String>,
    /// The modules that hold `test_` rules only: `*_test.rego`.
    tests: Vec<Module>,
}

/// One thing that is not as a rule's author says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The file of the rule or test; empty for built-in rules.
    pub file: String,
    /// The rule's id, or the name of a `test_` rule.
    pub name: String,
    /// What failed: `bad example 2 (kubernetes)`; empty when the name says it.
    pub subject: String,
    /// Why, one statement a line.
    pub reasons: Vec<String>,
}

/// What was run and what failed.
#[derive(Debug, Default)]
pub struct Tally {
    /// Rules whose examples were run.
    pub rules: usize,
    /// Examples that were run.
    pub examples: usize,
    /// `test_` rules that were run.
    pub tests: usize,
    /// What failed, in the order of the catalog.
    pub failures: Vec<Failure>,
}

impl Policies {
    /// The rules compiled into the binary.
    pub fn built_in() -> Policies {
        Policies { catalog: Catalog::built_in(), files: Vec::new(), tests: Vec::new() }
    }

    /// Every `.yaml`, `.yml` and `.rego` file below `folder`, in a catalog of their own. All mistakes of all files are given
    /// back, each with its file.
    pub fn load(folder: &Path) -> Result<Policies, Vec<(String, Mistake)>> {
        let mut paths = Vec::new();
        let mut mistakes = Vec::new();
        collect(folder, &mut paths, &mut mistakes);
        paths.sort();
        let mut policies = Policies { catalog: Catalog::empty(), files: Vec::new(), tests: Vec::new() };
        let mut rules = Vec::new();
        for path in paths {
            let name = path.to_string_lossy().replace('\\', "/");
            match std::fs::read_to_string(&path).map_err(|error| unread(&error)) {
                Ok(text) if !name.ends_with("_test.rego") => rules.push((name, text)),
                Ok(text) => match rego::read(&name, &text) {
                    Ok(tests) => policies.tests.push(tests),
                    Err(mistake) => mistakes.push((name, mistake)),
                },
                Err(mistake) => mistakes.push((name, mistake)),
            }
        }
        let together: Vec<(&str, &str)> = rules.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        match policies.catalog.add_together(&together) {
            Ok(counts) => {
                let names =
                    rules.iter().zip(counts).flat_map(|((name, _), count)| std::iter::repeat_n(name.clone(), count));
                policies.files.extend(names);
            }
            Err(wrong) => mistakes.extend(wrong.into_iter().map(|(file, mistake)| (rules[file].0.clone(), mistake))),
        }
        if mistakes.is_empty() { Ok(policies) } else { Err(mistakes) }
    }

    /// Runs, in parallel, the examples of every rule whose id starts with `prefix`, and all `test_` rules if it is empty.
    pub fn run(&self, prefix: &str) -> Tally {
        let mut tally = self.run_examples(prefix);
        if prefix.is_empty() {
            self.run_tests(&mut tally);
        }
        tally
    }

    /// The modules of the folder and their tests run together, as in OPA. That they go together is looked at without tests too.
    fn run_tests(&self, tally: &mut Tally) {
        let is_built_in = self.files.is_empty() && self.tests.is_empty();
        let modules = self.catalog.modules(is_built_in).map_err(|mistake| vec![mistake]);
        let ran = modules.and_then(|modules| rego::run_tests(&[modules, self.tests.clone()].concat()));
        match ran {
            Ok(tests) => {
                tally.tests = tests.len();
                tally.failures.extend(tests.into_iter().filter_map(|test| {
                    let reasons = vec![test.failure?];
                    Some(Failure { file: test.path, name: test.name, subject: String::new(), reasons })
                }));
            }
            Err(mistakes) => tally.failures.extend(mistakes.into_iter().map(|(file, mistake)| Failure {
                file: format!("{file}:{}", mistake.line),
                name: "does not compile".into(),
                subject: String::new(),
                reasons: std::iter::once(mistake.message).chain(mistake.help).collect(),
            })),
        }
    }

    fn run_examples(&self, prefix: &str) -> Tally {
        let rules = self.catalog.rules();
        let chosen: Vec<usize> = (0..rules.len()).filter(|index| rules[*index].id.starts_with(prefix)).collect();
        let jobs: Vec<Job> = chosen.iter().flat_map(|index| self.jobs(*index)).collect();
        let failures = jobs.par_iter().filter_map(|job| self.check(job)).collect();
        Tally { rules: chosen.len(), examples: jobs.len(), tests: 0, failures }
    }

    fn jobs(&self, rule: usize) -> impl Iterator<Item = Job<'_>> {
        let prose = self.catalog.prose(rule);
        let numbered = |bad: bool, examples: &'_ [Example]| -> Vec<(usize, bool)> {
            (0..examples.len()).map(|number| (number, bad)).collect()
        };
        let all = [numbered(true, &prose.bad), numbered(false, &prose.good)].concat();
        all.into_iter().map(move |(number, bad)| {
            let example = if bad { &prose.bad[number] } else { &prose.good[number] };
            Job { rule, bad, number: number + 1, example }
        })
    }

    fn check(&self, job: &Job<'_>) -> Option<Failure> {
        let reasons = catch_unwind(AssertUnwindSafe(|| run_example(&self.catalog, job)))
            .unwrap_or_else(|panic| vec![format!("broke: {}", panic_text(&*panic))]);
        if reasons.is_empty() {
            return None;
        }
        let kind = if job.bad { "bad" } else { "good" };
        Some(Failure {
            file: self.files.get(job.rule).cloned().unwrap_or_default(),
            name: self.catalog.rules()[job.rule].id.clone(),
            subject: format!("{kind} example {} ({})", job.number, job.example.format),
            reasons,
        })
    }
}

impl Tally {
    /// Whether everything is as the authors say.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// Lists the failures and then the counts.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for failure in &self.failures {
            let Failure { file, name, subject, reasons } = failure;
            let place = if file.is_empty() { String::new() } else { format!("{file}: ") };
            let subject = if subject.is_empty() { String::new() } else { format!(": {subject}") };
            writeln!(out, "{place}{name}{subject}")?;
            for reason in reasons {
                writeln!(out, "  {}", reason.replace('\n', "\n  "))?;
            }
        }
        let Tally { rules, examples, tests, failures } = self;
        writeln!(out, "{rules} rules, {examples} examples, {tests} tests: {} failed", failures.len())
    }
}

/// One example to run.
struct Job<'a> {
    rule: usize,
    bad: bool,
    number: usize,
    example: &'a Example,
}

/// What an example does that it should not; empty when it is right.
fn run_example(catalog: &Catalog, job: &Job<'_>) -> Vec<String> {
    let Some(frontend) = FRONTENDS.iter().find(|frontend| frontend.name() == job.example.format) else {
        return vec![format!("no input format is called '{}'", job.example.format)];
    };
    let text = &job.example.text;
    let files = match files(*frontend, text) {
        Ok(files) => files,
        Err(reason) => return vec![reason],
    };
    let sources = Sources::new(files.iter().map(|file| Source::new(file.path, file.text)).collect());
    let line = |span: Span| files[span.file.0 as usize].first_line + sources.line(span) - 1;
    let (model, problems, comments) = parse(*frontend, &sources);
    let Some(model) = model else {
        return vec![format!("the example does not read as {}", job.example.format)];
    };
    let config = match &catalog.prose(job.rule).example_config {
        Some(text) => Config::parse("example-config", text, Path::new(""), Path::new("")),
        None => Ok(Config::default()),
    };
    let config = match config {
        Ok(config) => config,
        Err(error) => return vec![error.to_string()],
    };
    let cx = Cx { model: &model, sources: &sources, options: &config.options };
    let judged = match suppress::is_about_suppressions(&catalog.rules()[job.rule]) {
        true => about_suppressions(cx, catalog, job.rule, &comments, &config),
        false => judge(cx, catalog, &[job.rule]),
    };
    let marked = marked_lines(text);
    let mut reasons = Vec::new();
    for problem in problems.iter().chain(&judged.problems).filter(|problem| problem.kind != ProblemKind::Note) {
        let line = problem.span.map(line);
        // A rule may be about the very mistake that the reader met.
        if !line.is_some_and(|line| marked.contains(&line)) {
            let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            reasons.push(format!("{place}{} problem: {}", problem.kind.name(), problem.message));
        }
    }
    let fired: BTreeSet<u32> = judged.findings.iter().map(|finding| line(finding.at)).collect();
    for finding in &judged.findings {
        let line = line(finding.at);
        if !job.bad {
            reasons.push(format!("line {line} fires: {}", finding.message));
        } else if !marked.contains(&line) {
            reasons.push(format!("line {line} fires without a mark: {}", finding.message));
        }
    }
    if job.bad {
        if marked.is_empty() {
            reasons.push("no line is marked `# expect`".into());
        }
        let silent = marked.difference(&fired);
        reasons.extend(silent.map(|line| {
            let marked = text.lines().nth(*line as usize - 1).unwrap_or("");
            format!("line {line} does not fire: {}", marked.trim())
        }));
    } else if !marked.is_empty() {
        reasons.push("a good example has a line marked `# expect`".into());
    }
    let undecided: usize = judged.undecided.iter().map(|(_, count)| count).sum();
    if undecided > 0 && (!job.bad || fired.is_empty()) {
        reasons.push("is undecided: the rule meets a value that the example leaves unknown".into());
    }
    reasons
}

/// What a rule says of suppressions, once they are held against the findings of all others.
fn about_suppressions(cx: Cx<'_>, catalog: &Catalog, rule: usize, comments: &[Span], config: &Config) -> Judged {
    let all: Vec<usize> = (0..catalog.rules().len()).collect();
    let judged = judge(cx, catalog, &all);
    let discovered = Discovered {
        sources: Sources::new(cx.sources.iter().map(|(_, source)| source.shared()).collect()),
        ..Discovered::default()
    };
    let decided = suppress::apply(
        judged.findings,
        &suppress::Context {
            discovered: &discovered,
            model: cx.model,
            comments,
            catalog,
            selected: &all,
            ignored: &FxHashSet::default(),
            config,
            // A day in 2026: examples have days long before and long after.
            today: Date::from_unix(1_767_225_600),
        },
    );
    let mut findings = decided.kept;
    findings.retain(|finding| *finding.rule == *catalog.rules()[rule].id);
    Judged { findings, ..Judged::default() }
}

/// One file of an example.
struct Piece<'t> {
    path: &'t str,
    text: &'t str,
    /// The line of the example on which it begins, from 1.
    first_line: u32,
}

/// The files of an example, sorted by path. What stands before the first marker line is a file of the usual name.
fn files<'t>(frontend: &dyn Frontend, text: &'t str) -> Result<Vec<Piece<'t>>, String> {
    static MARKER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^(?:#|//) file: *(\S.*?)[ \t\r]*$\n?").expect("the pattern is constant"));
    let markers: Vec<(&str, usize, usize)> = MARKER
        .captures_iter(text)
        .filter_map(|found| Some((found.get(1)?.as_str(), found.get(0)?.start(), found.get(0)?.end())))
        .collect();
    let head = &text[..markers.first().map_or(text.len(), |(_, start, _)| *start)];
    let mut files = Vec::new();
    if markers.is_empty() || !head.trim().is_empty() {
        files.push(Piece { path: file_name(frontend.name(), head), text: head, first_line: 1 });
    }
    for (index, (path, _, end)) in markers.iter().enumerate() {
        let next = markers.get(index + 1).map_or(text.len(), |(_, start, _)| *start);
        let first_line = text[..*end].matches('\n').count() as u32 + 1;
        files.push(Piece { path, text: &text[*end..next], first_line });
    }
    files.sort_by_key(|file| file.path);
    for (index, file) in files.iter().enumerate() {
        let path = file.path;
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(format!("`# file: {path}` is not a path below the example, such as modules/net/main.tf"));
        }
        if index > 0 && files[index - 1].path == path {
            return Err(format!("the file {path} stands twice in the example"));
        }
        if owner(frontend, path).is_none() {
            return Err(format!("no {} file is called {path}", frontend.name()));
        }
    }
    Ok(files)
}

fn file_name(format: &str, text: &str) -> &'static str {
    // A Helm template starts with `{{`.
    let json = text.trim_start().starts_with('{') && !text.trim_start().starts_with("{{");
    match (format, json) {
        ("terraform", false) => "main.tf",
        ("terraform", true) => "main.tf.json",
        ("kubernetes", false) => "manifest.yaml",
        ("kubernetes", true) => "manifest.json",
        ("compose", _) => "compose.yaml",
        ("yaml", _) => ".github/workflows/ci.yaml",
        _ => "Dockerfile",
    }
}

/// Who reads a file of an example: the format that the example is in, or another that claims the file for certain.
fn owner<'f>(frontend: &'f dyn Frontend, path: &str) -> Option<&'f dyn Frontend> {
    let path = Path::new(path);
    if frontend.claims(path) != Claim::No {
        return Some(frontend);
    }
    FRONTENDS.iter().find(|other| other.claims(path) == Claim::Yes).copied()
}

/// The model of the files; none when the frontend says that they are not of its format.
fn parse(frontend: &dyn Frontend, sources: &Sources) -> (Option<Model>, Vec<Problem>, Vec<Span>) {
    // No path can hold a NUL, so nothing that an example names can be read from the disk.
    let settings = Settings { root: PathBuf::from("\0"), with_defaults: true, ..Settings::default() };
    let mut parsed = Parsed::default();
    let others = FRONTENDS.iter().copied().filter(|other| other.name() != frontend.name());
    for (order, reader) in std::iter::once(frontend).chain(others).enumerate() {
        let is_own = |path: &str| owner(frontend, path).is_some_and(|owner| owner.name() == reader.name());
        let ids: Vec<FileId> = sources.iter().filter(|(_, source)| is_own(source.path())).map(|(id, _)| id).collect();
        if order == 0 || !ids.is_empty() {
            parsed.add(reader.parse(&settings, sources, &ids));
        }
    }
    if parsed.read.is_empty() && parsed.resources.is_empty() && parsed.problems.is_empty() {
        return (None, parsed.problems, parsed.comments);
    }
    let edges = parsed.edges.into_iter().map(|edge| Edge {
        from: ResourceId(edge.from),
        attribute: edge.attribute,
        to: ResourceId(edge.to),
    });
    let mut model = Model { graph: Graph::new(edges.collect()), ..Model::default() };
    model.resources = parsed.resources;
    model.observations = parsed.observations;
    model.dockerfiles = parsed.dockerfiles;
    model.dockerignores = parsed.dockerignores;
    model.image_builds = parsed.image_builds;
    model.secrets = crate::scan::secrets(sources);
    parsed.comments.sort();
    (Some(model), parsed.problems, parsed.comments)
}

/// The lines (from 1) on which the text says that the rule fires.
pub fn marked_lines(text: &str) -> BTreeSet<u32> {
    static MARK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:(?:#|//)\s*|"(?://|#)"\s*:\s*")expect(-above|-below)?"?\s*[,}\]]*\s*$"#)
            .expect("the pattern is constant")
    });
    let mark = |(index, line): (usize, &str)| {
        let number = index as u32 + 1;
        MARK.captures(line).map(|found| match found.get(1).map(|place| place.as_str()) {
            Some("-above") => number - 1,
            Some(_) => number + 1,
            None => number,
        })
    };
    text.lines().enumerate().filter_map(mark).collect()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>, mistakes: &mut Vec<(String, Mistake)>) {
    if path.is_file() {
        return files.push(path.to_path_buf());
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return mistakes.push((path.to_string_lossy().into_owned(), unread(&error))),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_policy = path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "rego");
        // A link may lead out of the folder or around in a circle.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !entry.file_name().to_string_lossy().starts_with('.') => {
                collect(&path, files, mistakes)
            }
            Ok(kind) if kind.is_file() && is_policy => files.push(path),
            _ => {}
        }
    }
}

fn unread(error: &io::Error) -> Mistake {
    Mistake { line: 1, message: format!("cannot be read: {error}"), help: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_at_the_end_of_a_line_or_beside_it() {
        let text =
            "a = 1 # expect\nb = 2 // expect\nFROM x\n# expect-above\n# expect-below\nc\n# expected\n# expect more\n";
        assert_eq!(marked_lines(text).into_iter().collect::<Vec<_>>(), [1, 2, 3, 6]);
        let json = "{\n  \"a\": 1, \"//\": \"expect\",\n  \"b\": { \"c\": 1, \"//\": \"expect\" },\n  \"//\": \"expect-below\",\n  \"d\": 1\n}";
        assert_eq!(marked_lines(json).into_iter().collect::<Vec<_>>(), [2, 3, 5]);
    }

    #[test]
    fn an_example_of_several_files_is_read_as_a_tree() {
        let text =
            "module \"net\" {\n}\n# file: modules/net/main.tf\nvariable \"cidr\" {}\n// file: modules/net/b.tf\n";
        let found = files(&crate::frontend::terraform::Terraform, text).expect("three files");
        let found: Vec<_> = found.iter().map(|file| (file.path, file.text, file.first_line)).collect();
        let expected = [
            ("main.tf", "module \"net\" {\n}\n", 1),
            ("modules/net/b.tf", "", 6),
            ("modules/net/main.tf", "variable \"cidr\" {}\n", 4),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_of_an_example_lies_below_it_and_is_of_its_format() {
        for text in
            ["# file: ../main.tf\n", "# file: /etc/main.tf\n", "# file: a.tf\n# file: a.tf\n", "# file: a.yaml\n"]
        {
            assert!(files(&crate::frontend::terraform::Terraform, text).is_err(), "{text}");
        }
    }
}
