//! The Dockerfiles that services are built from, whatever they are called.

use rustc_hash::FxHashSet;

use super::interpolate::{self, Variables};
use crate::filesystem::Kind;
use crate::frontend::growth::Budget;
use crate::frontend::yaml::{self, Dialect};
use crate::frontend::{Parsed, Settings};
use crate::model::Node;
use crate::model::view::build::{named, place};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Sources};

/// The Dockerfiles that a text names, relative to its folder, as far as it tells by itself.
pub(super) fn named_in(text: &str) -> Vec<String> {
    if !["build", "\\u", "\\x", "!!"].iter().any(|sign| text.contains(sign)) {
        return Vec::new();
    }
    let mut named = Vec::new();
    for document in yaml::read_as(FileId::OUTSIDE, text, Dialect::Compose).documents {
        let services = document.root.get("services").entries();
        for service in services {
            let Some(build) = service.node.get("build").known() else { continue };
            let filled = interpolate::node(build, &Variables::default(), &mut Budget::default(), &mut |_, _| {});
            named.extend(dockerfile(filled.as_ref().unwrap_or(build)));
        }
    }
    named
}

/// The path of the Dockerfile of a `build`, in its short or long form.
fn dockerfile(build: &Node) -> Option<String> {
    let (context, dockerfile) = match build.as_str() {
        Some(context) => (context, "Dockerfile"),
        None => named(build)?,
    };
    (!context.contains("://")).then(|| format!("{context}/{dockerfile}"))
}

/// Tells of Dockerfiles that are there and were not read, as where a file that is laid over another names them.
pub(super) fn tell_unread(settings: &Settings, sources: &Sources, parsed: &mut Parsed) {
    let services = parsed.resources.iter().filter(|one| one.kind.as_ref() == "service");
    let read: FxHashSet<&str> = sources.iter().map(|(_, source)| source.path()).collect();
    let mut told = Vec::new();
    for service in services {
        let Some(path) = place(service) else { continue };
        if read.contains(path.as_str()) || settings.files.target(&settings.root.join(&path)) != Some(Kind::File) {
            continue;
        }
        let message = format!("{}: its Dockerfile {path} was not read", service.address);
        let at = service.body.get("build").node().span;
        let help = "name it `Dockerfile`, or write `context` and `dockerfile` into one file";
        told.push(Problem::at(ProblemKind::Unread, at, message).help(help));
    }
    parsed.problems.extend(told);
}
