//! YAML files of other tools that no frontend reads further: workflows and actions of GitHub, values and descriptions of Helm
//! charts. They yield no resources; what is seen is what their readers understand otherwise than it looks, and which images
//! they build.

use std::path::Path;

use rayon::prelude::*;

use super::kubernetes::claim::is_object;
use super::yaml::{self, Dialect};
use super::{Claim, Frontend, Parsed, Settings, workflow};
use crate::model::Observation;
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Source, Sources};

/// The frontend of YAML files without a model.
pub struct Document;

/// Whose file it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// `.github/workflows/*.yml`.
    Workflow,
    /// `action.yml`.
    Action,
    /// `values.yaml`, `values-prod.yaml`, `Chart.yaml`.
    Chart,
}

fn nature(path: &Path) -> Option<Nature> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))?;
    if path.parent().is_some_and(|folder| folder.ends_with(".github/workflows")) {
        return Some(Nature::Workflow);
    }
    let is_values =
        stem.strip_prefix("values").is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_']))
            || [".values", "-values", "_values"].iter().any(|end| stem.ends_with(end));
    match stem {
        "action" => Some(Nature::Action),
        _ if is_values || name == "Chart.yaml" => Some(Nature::Chart),
        _ => None,
    }
}

impl Frontend for Document {
    fn name(&self) -> &'static str {
        "yaml"
    }

    fn claims(&self, path: &Path) -> Claim {
        match nature(path) {
            Some(Nature::Workflow) => Claim::Yes,
            Some(_) => Claim::Maybe,
            None => Claim::No,
        }
    }

    /// An action says what it runs. A manifest may be called `values.yaml` too; then it is judged as one.
    fn recognizes(&self, path: &Path, text: &str) -> bool {
        let has = |key: &str| text.lines().any(|line| line.starts_with(key));
        match nature(path) {
            Some(Nature::Action) => has("runs:") && !is_object(text),
            Some(Nature::Chart) => !has("kind:") && !is_object(text),
            _ => true,
        }
    }

    fn parse(&self, _settings: &Settings, sources: &Sources, files: &[FileId]) -> Parsed {
        let parts: Vec<Parsed> = files.par_iter().map(|file| read(*file, sources.get(*file))).collect();
        let mut parsed = Parsed::default();
        parts.into_iter().for_each(|part| parsed.add(part));
        parsed
    }
}

fn read(file: FileId, source: &Source) -> Parsed {
    let Some(nature) = nature(Path::new(source.path())) else { return Parsed::default() };
    let dialect = if nature == Nature::Chart { Dialect::Helm } else { Dialect::GitHub };
    let text = source.text();
    let documents = yaml::read_as(file, text, dialect);
    let mut parsed = Parsed {
        observations: documents.observations,
        comments: documents.comments,
        read: vec![file],
        ..Parsed::default()
    };
    if !documents.problems.is_empty() && nature == Nature::Chart && text.contains("{{") {
        let message = "a template: charts are not rendered, so that this file was not judged";
        parsed.problems.push(Problem::with_path(ProblemKind::Note, source.path(), message));
        return Parsed { observations: Vec::new(), ..parsed };
    }
    if !documents.problems.is_empty() {
        let reader = if nature == Nature::Chart { "Helm" } else { "GitHub" };
        parsed.observations.extend(yaml::tab_lines(file, text).into_iter().map(|span| Observation {
            name: "yaml-tab",
            span,
            message: format!("a tab indents this line; YAML forbids it and {reader} refuses the file"),
            address: None,
        }));
    }
    parsed.problems.extend(documents.problems);
    if let Some(first) = documents.documents.first().filter(|_| nature != Nature::Chart) {
        parsed.image_builds = workflow::builds(source.path(), &first.root);
    }
    if let Some(second) = documents.documents.get(1) {
        let message = match nature {
            Nature::Chart => "a second document begins here; Helm reads only the first and drops this one in silence",
            _ => "a second document begins here; GitHub takes only one and refuses the file",
        };
        parsed.observations.push(Observation {
            name: "yaml-extra-document",
            span: source.first_line(second.span),
            message: message.into(),
            address: None,
        });
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_whose_file_it_is() {
        let claim = |path: &str| Document.claims(Path::new(path));
        assert_eq!(claim(".github/workflows/ci.yml"), Claim::Yes);
        assert_eq!(claim("docs/workflows/ci.yml"), Claim::No);
        for path in ["chart/values.yaml", "values-prod.yml", "env/prod.values.yaml", "Chart.yaml", "action.yml"] {
            assert_eq!(claim(path), Claim::Maybe, "{path}");
        }
        assert_eq!(claim("valuesets.yaml"), Claim::No);
        assert!(!Document.recognizes(Path::new("values.yaml"), "apiVersion: v1\nkind: Pod\n"));
        assert!(Document.recognizes(Path::new("values.yaml"), "image:\n  kind: x\n"));
    }

    #[test]
    fn each_reader_is_told_by_its_own_name() {
        let seen = |path: &str, text: &str| {
            let mut sources = Sources::default();
            let id = sources.add(Source::new(path.to_string(), text.to_string()));
            let parsed = Document.parse(&Settings::default(), &sources, &[id]);
            assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
            parsed.observations.into_iter().map(|one| one.message).collect::<Vec<_>>()
        };
        let workflow =
            "on: push\njobs:\n  a:\n    env: { FLAG: yes, MODE: 0644 }\n    with:\n      python-version: [3.9, 3.10]\n";
        assert_eq!(
            seen(".github/workflows/ci.yml", workflow),
            ["3.10 is read as the number 3.1; quote it if the version 3.10 is meant"]
        );
        assert_eq!(
            seen("values.yaml", "image:\n  tag: 1.20\n  tag: 1.21\nenabled: yes\nuid: 0700\n---\na: 1\n"),
            [
                "1.20 is read as the number 1.2; quote it if the version 1.20 is meant",
                "key \"tag\" stands twice in this mapping; Helm silently keeps the last",
                "yes is read as true; write true, or quote it if text is meant",
                "0700 is read as the octal number 448; quote it if text is meant",
                "a second document begins here; Helm reads only the first and drops this one in silence",
            ]
        );
        assert_eq!(
            seen("action.yml", "runs: {}\nruns: {}\n"),
            ["key \"runs\" stands twice in this mapping; GitHub refuses the file"]
        );
    }
}
