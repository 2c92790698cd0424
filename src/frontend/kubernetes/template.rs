//! Which files are templates, of which only the engine that renders them knows what they hold.

use std::path::Path;

use crate::frontend::Settings;
use crate::frontend::yaml::Documents;
use crate::problem::{Problem, ProblemKind};

/// The folder of a chart, or of another tool, in which templates lie.
const FOLDER: &str = "templates";

/// Whether a file below a folder of templates has an expression of them, which in a comment is none: there it changes nothing that
/// is written.
pub(super) fn is_template(path: &str, text: &str, read: &Documents) -> bool {
    let is_comment = |at: usize| {
        let next = read.comments.partition_point(|comment| comment.start as usize <= at);
        next.checked_sub(1).is_some_and(|index| (read.comments[index].end as usize) > at)
    };
    charts(path).next().is_some() && text.match_indices("{{").any(|(at, _)| !is_comment(at))
}

/// Whether the templates of a file are those of a chart of Helm. Where the base of a change has the file, its charts count: a
/// change makes no template of a manifest by a `Chart.yaml`.
pub(super) fn is_of_chart(settings: &Settings, path: &str) -> bool {
    let of_base = settings.before.as_ref().map(|before| &before.files);
    let of_base = of_base.filter(|files| files.kind(&settings.root.join(path)).is_ok());
    let files = of_base.unwrap_or(&settings.files);
    charts(path).any(|folder| files.kind(&settings.root.join(folder).join("Chart.yaml")).is_ok())
}

/// The folders above the folders of templates that a file lies in.
fn charts(path: &str) -> impl Iterator<Item = &Path> {
    let folders = Path::new(path).ancestors().skip(1);
    folders.filter(|folder| folder.file_name().is_some_and(|name| name == FOLDER)).filter_map(Path::parent)
}

/// What is told of a file of which nothing was judged.
pub(super) fn unjudged(path: &str) -> Problem {
    let message = "a Helm template: charts are not rendered, so that this file was not judged";
    Problem::with_path(ProblemKind::Note, path, message).help("render it with `helm template` and scan the result")
}

/// What is told of a file that is no part of a chart, of which only the objects were judged that are there without rendering it.
pub(super) fn unjudged_in_part(path: &str) -> Problem {
    let message = "a template: what of it is no YAML before it is rendered was not judged";
    Problem::with_path(ProblemKind::Note, path, message).help("render it and scan the result")
}
