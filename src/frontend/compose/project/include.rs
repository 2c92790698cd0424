//! `include`: files that are projects of their own, with folder and variables of their own, whose services join the project.
//!
//! Source: the Compose Specification, 14-include.md.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{MAX_INCLUDES, Project, Reader, Tree};
use crate::frontend::Parsed;
use crate::frontend::compose::interpolate::Variables;
use crate::frontend::compose::{File, Nature, VARIABLES};
use crate::model::{Lookup, Node};
use crate::path::{folder_of, join, name_of};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

/// One entry of `include`.
struct Include<'n> {
    /// The file, and those that lie over it.
    paths: Vec<&'n Node>,
    folder: Option<&'n Node>,
    env_files: Vec<&'n Node>,
    span: Span,
}

/// A text, or each of a list.
fn texts(node: &Node) -> Vec<&Node> {
    if node.as_str().is_some() {
        vec![node]
    } else {
        node.items().iter().filter(|item| item.as_str().is_some()).collect()
    }
}

fn entries(root: &Node) -> Vec<Include<'_>> {
    let all = root.get("include").items();
    let at = |entry, key| match Node::get(entry, key) {
        Lookup::Known(node) => Some(node),
        _ => None,
    };
    let read = |entry| match Node::as_str(entry) {
        Some(_) => Include { paths: vec![entry], folder: None, env_files: Vec::new(), span: entry.span },
        None => Include {
            paths: at(entry, "path").map(texts).unwrap_or_default(),
            folder: at(entry, "project_directory"),
            env_files: at(entry, "env_file").map(texts).unwrap_or_default(),
            span: entry.span,
        },
    };
    all.iter().map(read).collect()
}

/// Whether what is included lies in a repository or registry.
fn is_remote(path: &str) -> bool {
    path.contains("://") || path.starts_with("oci:") || path.starts_with("git@") || path.contains(".git#")
}

/// The files that others include: they are no projects of their own.
pub(super) fn included(files: &[File<'_>]) -> FxHashSet<usize> {
    let mut included = FxHashSet::default();
    let by_path: FxHashMap<&str, usize> = files.iter().enumerate().map(|(index, file)| (file.path, index)).collect();
    for (index, file) in files.iter().enumerate().filter(|(_, file)| file.nature == Nature::Compose) {
        for include in file.roots.iter().flat_map(entries) {
            let paths = include.paths.iter().filter_map(|path| join(file.folder, path.as_str()?));
            included.extend(paths.filter_map(|path| by_path.get(path.as_str())).filter(|other| **other != index));
        }
    }
    included
}

/// Adds what a project includes, and what that includes.
pub(super) fn add(
    tree: &Tree<'_>,
    project: &Project,
    variables: &Variables,
    seen: &mut FxHashSet<usize>,
    parsed: &mut Parsed,
) {
    Adder { tree, open: project.layers.clone(), seen, parsed }.project(project, variables, 0);
}

struct Adder<'t, 'a, 'p> {
    tree: &'t Tree<'a>,
    /// The files that are being included, from the outermost on.
    open: Vec<usize>,
    seen: &'p mut FxHashSet<usize>,
    parsed: &'p mut Parsed,
}

impl Adder<'_, '_, '_> {
    fn project(&mut self, project: &Project, variables: &Variables, depth: usize) {
        for &layer in &project.layers {
            let file = &self.tree.files[layer];
            for include in file.roots.iter().flat_map(entries) {
                self.include(&include, file.folder, variables, depth);
            }
        }
    }

    fn tell(&mut self, kind: ProblemKind, span: Span, message: String, help: &str) {
        self.parsed.problems.push(Problem::at(kind, span, format!("include: {message}")).help(help));
    }

    fn include(&mut self, include: &Include<'_>, folder: &str, variables: &Variables, depth: usize) {
        let mut layers = Vec::new();
        for path in &include.paths {
            let written = path.as_str().unwrap_or("");
            if is_remote(written) {
                let message = format!("{} is elsewhere and was not read", crate::escape::plain(written));
                return self.tell(ProblemKind::Note, path.span, message, "scan what it names where it lies");
            }
            let index = join(folder, written).and_then(|path| self.tree.by_path.get(path.as_str()).copied());
            let Some(index) = index else {
                let message = "the file is not among those that were read".to_string();
                return self.tell(ProblemKind::Unread, path.span, message, "scan a folder that holds both files");
            };
            layers.push(index);
        }
        let Some(first) = layers.first().copied() else { return };
        if layers.iter().any(|layer| self.open.contains(layer)) {
            let message = format!("files include each other in a circle through {:?}", self.tree.files[first].path);
            return self.tell(ProblemKind::Syntax, include.span, message, "Compose refuses them; let one stand alone");
        }
        if depth >= MAX_INCLUDES {
            let message = format!("more than {MAX_INCLUDES} files include each other in a row");
            return self.tell(ProblemKind::Limit, include.span, message, "include the last of them directly");
        }
        // A file that is included twice is there once.
        let new = layers.iter().filter(|layer| self.seen.insert(**layer)).count();
        if new == 0 {
            return;
        }
        let own = self.tree.files[first].folder.to_string();
        let home = match include.folder.and_then(Node::as_str) {
            Some(written) => join(folder, written),
            None => Some(own.clone()),
        };
        let Some(home) = home else {
            let message = "the project directory lies outside of the scan".to_string();
            return self.tell(ProblemKind::Unread, include.span, message, "scan a folder that holds it");
        };
        // Values of the including project go before those of the included one.
        let mut known = self.variables(include, folder, &home);
        known.extend(variables.iter().map(|(name, value)| (name.clone(), value.clone())));
        let project = Project { layers, only_last: false };
        self.parsed.add(Reader::new(self.tree, &home, &known).project(&project));
        self.open.push(first);
        self.project(&project, &known, depth + 1);
        self.open.pop();
    }

    /// The variables of an included project: of its own files, or of `.env` in its folder.
    fn variables(&mut self, include: &Include<'_>, folder: &str, home: &str) -> Variables {
        if include.env_files.is_empty() {
            return self.tree.variables.get(home).cloned().unwrap_or_default();
        }
        let mut all = Variables::default();
        for node in &include.env_files {
            let path = node.as_str().and_then(|written| join(folder, written)).unwrap_or_default();
            match self.tree.variables.get(folder_of(&path)).filter(|_| name_of(&path) == VARIABLES) {
                Some(variables) => all.extend(variables.clone()),
                None => {
                    let message = "the file of variables was not read: what depends on them is unknown".to_string();
                    let help = "only files called `.env` are read; or write defaults, as `${NAME:-default}`";
                    self.tell(ProblemKind::Note, node.span, message, help);
                }
            }
        }
        all
    }
}
