//! Projects: which files belong together, what a service is after `extends` and overrides, and its resources.

mod include;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::interpolate::Variables;
use super::merge;
use super::shape::Shaper;
use super::{BASES, File, Nature, OVERRIDES, service_nodes};
use crate::frontend::{LocalEdge, Parsed};
use crate::model::{Entry, Lookup, Node, Resource, Value};
use crate::path::{self, join};
use crate::problem::ProblemKind;

/// Services that extend each other in a row.
const MAX_EXTENDS: usize = 64;

/// Files that include each other in a row.
const MAX_INCLUDES: usize = 64;

/// Sections beside the services, and the kinds of what they name.
const SECTIONS: &[(&str, &str)] =
    &[("networks", "network"), ("volumes", "volume"), ("secrets", "secret"), ("configs", "config")];

/// Files that are read as one, lowest first.
struct Project {
    layers: Vec<usize>,
    /// Whether only what the last layer names counts: the rest is that of another project.
    only_last: bool,
}

/// What a Compose file includes is one, whatever its name.
pub(super) fn mark_included(files: &mut [File<'_>]) {
    let included = include::included(files);
    for (index, file) in files.iter_mut().enumerate() {
        if included.contains(&index) && file.nature == Nature::Fragment {
            file.nature = Nature::Compose;
        }
    }
}

/// Judges what belongs together and makes it resources.
pub(super) fn parse(files: &[File<'_>], variables: &FxHashMap<&str, Variables>) -> Parsed {
    let by_path: FxHashMap<&str, usize> = files.iter().enumerate().map(|(index, file)| (file.path, index)).collect();
    let tree = Tree { files, by_path: &by_path, variables };
    let included = include::included(files);
    let of_their_own = |project: &Project| !project.layers.iter().any(|layer| included.contains(layer));
    let (tops, others): (Vec<Project>, Vec<Project>) = projects(files).into_iter().partition(of_their_own);
    let mut parts: Vec<(Parsed, FxHashSet<usize>)> = tops.par_iter().map(|project| tree.project(project)).collect();
    let mut seen: FxHashSet<usize> = parts.iter().flat_map(|(_, seen)| seen.iter().copied()).collect();
    // Where files include each other in a circle, the first stands for them.
    for project in others {
        if !project.layers.iter().any(|layer| seen.contains(layer)) {
            let part = tree.project(&project);
            seen.extend(&part.1);
            parts.push(part);
        }
    }
    let mut parsed = Parsed::default();
    parts.into_iter().for_each(|(part, _)| parsed.add(part));
    // What several projects of a folder have in common is told once.
    parsed.problems.sort();
    parsed.problems.dedup();
    let mut seen = FxHashSet::default();
    parsed.observations.retain(|one| seen.insert((one.span, one.name)));
    parsed
}

fn projects(files: &[File<'_>]) -> Vec<Project> {
    let mut folders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, _) in files.iter().enumerate().filter(|(_, file)| file.nature == Nature::Compose) {
        folders.entry(files[index].folder).or_default().push(index);
    }
    let mut projects = Vec::new();
    for members in folders.values() {
        let first = |names: &[&str]| {
            names.iter().find_map(|name| members.iter().copied().find(|index| files[*index].name == *name))
        };
        let base = first(BASES);
        let above = base.and_then(|_| first(OVERRIDES));
        for &index in members.iter().filter(|index| Some(**index) != above) {
            if Some(index) == base {
                projects
                    .push(Project { layers: [Some(index), above].into_iter().flatten().collect(), only_last: false });
                continue;
            }
            // It changes services of the base without saying what they run.
            let lower = base.filter(|base| {
                let services = files[index].services.keys();
                let mut shared = services.filter(|name| files[*base].services.contains_key(*name));
                files[index].is_named && shared.any(|name| !files[index].has_image(name))
            });
            let layers: Vec<usize> = lower.into_iter().chain([index]).collect();
            projects.push(Project { only_last: layers.len() > 1, layers });
        }
    }
    projects.sort_by_key(|project| project.layers.last().copied());
    projects
}

/// All files of a scan.
struct Tree<'a> {
    files: &'a [File<'a>],
    by_path: &'a FxHashMap<&'a str, usize>,
    /// Those of `.env`, by its folder.
    variables: &'a FxHashMap<&'a str, Variables>,
}

impl Tree<'_> {
    /// What a project is with all that it includes, and the files that it takes.
    fn project(&self, project: &Project) -> (Parsed, FxHashSet<usize>) {
        let folder = self.files[project.layers[0]].folder;
        let own = self.variables.get(folder).cloned().unwrap_or_default();
        let mut parsed = Reader::new(self, folder, &own).project(project);
        let mut seen: FxHashSet<usize> = project.layers.iter().copied().collect();
        include::add(self, project, &own, &mut seen, &mut parsed);
        parsed.edges = edges(&parsed.resources);
        (parsed, seen)
    }
}

/// A service of a file, by the file's index and its name.
type Key = (usize, Arc<str>);

struct Reader<'a> {
    files: &'a [File<'a>],
    by_path: &'a FxHashMap<&'a str, usize>,
    /// The project's own folder, that its paths are relative to.
    folder: &'a str,
    shaper: Shaper<'a>,
    /// Services that were read, `extends` included; none where one is no map.
    known: FxHashMap<Key, Option<Node>>,
    /// Services that are being read.
    open: FxHashSet<Key>,
}

impl<'a> Reader<'a> {
    fn new(tree: &Tree<'a>, folder: &'a str, variables: &'a Variables) -> Reader<'a> {
        Reader {
            files: tree.files,
            by_path: tree.by_path,
            folder,
            shaper: Shaper::new(variables),
            known: FxHashMap::default(),
            open: FxHashSet::default(),
        }
    }

    fn project(&mut self, project: &Project) -> Parsed {
        let files = self.files;
        let file = if project.only_last {
            &files[project.layers[project.layers.len() - 1]]
        } else {
            &files[project.layers[0]]
        };
        // Paths of an included file may be relative to another folder than its own.
        let root: Arc<str> = match file.folder == self.folder {
            true => file.path.into(),
            false if self.folder.is_empty() => file.name.into(),
            false => format!("{}/{}", self.folder, file.name).into(),
        };
        let mut parsed = Parsed::default();
        for (section, kind) in SECTIONS.iter().copied().chain([("services", "service")]) {
            for entry in self.section(project, section) {
                let span = entry.key_span.to(entry.node.span);
                parsed.resources.push(Resource {
                    format: "compose",
                    kind: kind.into(),
                    api_version: "".into(),
                    name: entry.key.clone(),
                    address: format!("{section}.{}", entry.key).into(),
                    body: Node { span: entry.key_span, ..entry.node },
                    head: entry.key_span,
                    span,
                    calls: Arc::from([]),
                    root: Arc::clone(&root),
                });
            }
        }
        parsed.problems = std::mem::take(&mut self.shaper.problems);
        parsed.problems.extend(self.shaper.budget.problem(file.path));
        parsed.observations = std::mem::take(&mut self.shaper.observations);
        parsed
    }

    /// What all layers together say of a section, in the order of the files.
    fn section(&mut self, project: &Project, section: &str) -> Vec<Entry> {
        let files = self.files;
        let mut entries: Vec<Entry> = Vec::new();
        // Where each name stands among the entries, and which layer spoke of it last.
        let mut places: FxHashMap<Arc<str>, (usize, usize)> = FxHashMap::default();
        let last = project.layers.last().copied();
        let wanted: Option<FxHashSet<Arc<str>>> = project.only_last.then(|| {
            let roots = last.map(|last| &files[last].roots[..]).unwrap_or_default();
            let named = roots.iter().flat_map(|root| root.get(section).entries());
            named.map(|entry| entry.key.clone()).collect()
        });
        for &layer in &project.layers {
            let file = &files[layer];
            for root in &file.roots {
                let node = match root.get(section) {
                    Lookup::Known(node) => node,
                    _ => continue,
                };
                let Value::Map(map) = &node.value else {
                    let message = format!("{section} is {}, wanted a map from names", super::shape::kind(node));
                    let help = "Compose refuses the file; write a name and a colon before each";
                    self.shaper.wrong(ProblemKind::Syntax, node.span, message, help);
                    continue;
                };
                for entry in map.entries() {
                    if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&entry.key)) {
                        continue;
                    }
                    if section == "services" && places.get(&entry.key).is_some_and(|(_, by)| *by == layer) {
                        continue;
                    }
                    let made = match section {
                        "services" => match self.service(layer, &entry.key, 0) {
                            Some(made) => made,
                            None => continue,
                        },
                        _ => self.named(section, entry),
                    };
                    match places.get(&entry.key) {
                        Some((index, _)) => {
                            let index = *index;
                            entries[index].node = merge::over(&entries[index].node, &made, &file.tags);
                            places.insert(entry.key.clone(), (index, layer));
                        }
                        None => {
                            places.insert(entry.key.clone(), (entries.len(), layer));
                            entries.push(Entry { node: merge::alone(&made, &file.tags), ..entry.clone() });
                        }
                    }
                }
            }
        }
        entries
    }

    /// A network, volume, secret or config; `data:` alone is one with nothing said of it.
    fn named(&mut self, section: &str, entry: &Entry) -> Node {
        let node = self.shaper.fill(&entry.node);
        match &node.value {
            Value::Map(_) => node,
            Value::Null => Node::map(Vec::new(), entry.key_span),
            _ => {
                let message = format!("{section}.{} is {}, wanted a map", entry.key, super::shape::kind(&node));
                self.shaper.wrong(ProblemKind::Syntax, node.span, message, "write its keys below its name");
                Node::map(Vec::new(), entry.key_span)
            }
        }
    }

    /// A service of a file with what it extends.
    fn service(&mut self, index: usize, name: &Arc<str>, depth: usize) -> Option<Node> {
        let key = (index, name.clone());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        self.open.insert(key.clone());
        let file = &self.files[index];
        let mut made: Option<Node> = None;
        let nodes: Vec<&Node> = service_nodes(file, name).collect();
        for node in nodes {
            let Some(own) = self.shaper.service(name, node) else { continue };
            let own = self.rebased(own, file.folder);
            let own = self.extended(index, name, own, depth);
            made = Some(match made {
                Some(below) => merge::over(&below, &own, &file.tags),
                None => own,
            });
        }
        self.open.remove(&key);
        self.known.insert(key, made.clone());
        made
    }

    /// A service laid over the one that it extends.
    fn extended(&mut self, index: usize, name: &Arc<str>, own: Node, depth: usize) -> Node {
        let Lookup::Known(extends) = own.get("extends") else { return own };
        let span = extends.span;
        let file = &self.files[index];
        let path = format!("services.{name}.extends");
        let refuse = |reader: &mut Self, kind: ProblemKind, message: String, help: &str| {
            reader.shaper.wrong(kind, span, format!("{path}: {message}"), help);
        };
        let Some(wanted) = extends.get("service").as_str() else {
            refuse(self, ProblemKind::Syntax, "names no service".into(), "write `service: NAME`");
            return own;
        };
        let from = match extends.get("file") {
            Lookup::Known(node) => match node.as_str().map(|given| join(file.folder, given)) {
                Some(Some(path)) => self.by_path.get(path.as_str()).copied(),
                _ => None,
            },
            Lookup::Unknown(_) => None,
            Lookup::Absent(_) => Some(index),
        };
        let Some(from) = from else {
            let message = "the file is not among those that were read".to_string();
            refuse(self, ProblemKind::Unread, message, "scan a folder that holds both files");
            return own;
        };
        let wanted: Arc<str> = wanted.into();
        if !self.files[from].services.contains_key(&wanted) {
            refuse(self, ProblemKind::Unread, format!("there is no service {wanted:?}"), "name a service of the file");
            return own;
        }
        if depth >= MAX_EXTENDS {
            let message = format!("more than {MAX_EXTENDS} services extend each other in a row");
            refuse(self, ProblemKind::Limit, message, "write them out");
            return own;
        }
        if self.open.contains(&(from, wanted.clone())) {
            let message = format!("services extend each other in a circle through {wanted:?}");
            refuse(self, ProblemKind::Syntax, message, "Compose refuses the file; let one of them stand alone");
            return own;
        }
        match self.service(from, &wanted, depth + 1) {
            Some(below) => merge::over(&below, &own, &file.tags),
            None => own,
        }
    }

    /// Paths of a service that stands in another folder, relative to that of the project.
    fn rebased(&self, service: Node, folder: &str) -> Node {
        if folder == self.folder {
            return service;
        }
        let way = path::between(self.folder, folder);
        let moved = |node: &Node| {
            let text = node.as_str().filter(|text| !text.starts_with(['/', '~']) && !text.contains("://"))?;
            Some(Node { value: Value::String(format!("{way}/{text}").into()), ..node.clone() })
        };
        let at = |node: &Node, key: &str| -> Node {
            let entries = node.entries().iter().map(|entry| match moved(&entry.node).filter(|_| &*entry.key == key) {
                Some(node) => Entry { node, ..entry.clone() },
                None => entry.clone(),
            });
            Node::map(entries.collect(), node.span)
        };
        let entries = service.entries().iter().map(|entry| {
            let node = match &*entry.key {
                "build" => at(&entry.node, "context"),
                "volumes" => {
                    let is_bind = |item: &Node| item.get("type").as_str() == Some("bind");
                    let items = entry.node.items().iter().map(|item| match is_bind(item) {
                        true => at(item, "source"),
                        false => item.clone(),
                    });
                    Node::list(items.collect(), entry.node.span)
                }
                _ => return entry.clone(),
            };
            Entry { node, ..entry.clone() }
        });
        Node::map(entries.collect(), service.span)
    }
}

/// What services name: networks, volumes, secrets, configs and each other.
fn edges(resources: &[Resource]) -> Vec<LocalEdge> {
    let by_name: FxHashMap<(&str, &str), u32> =
        resources.iter().enumerate().map(|(index, one)| ((&*one.kind, &*one.name), index as u32)).collect();
    let mut edges = Vec::new();
    for (from, service) in resources.iter().enumerate().filter(|(_, one)| &*one.kind == "service") {
        let mut refer = |attribute: &str, kind: &str, name: &str| {
            if let Some(to) = by_name.get(&(kind, name)) {
                edges.push(LocalEdge { from: from as u32, attribute: attribute.into(), to: *to });
            }
        };
        for (attribute, kind) in [("networks", "network"), ("depends_on", "service")] {
            let named = service.body.get(attribute).entries();
            named.iter().for_each(|entry| refer(attribute, kind, &entry.key));
        }
        for (attribute, kind) in [("volumes", "volume"), ("secrets", "secret"), ("configs", "config")] {
            let items = service.body.get(attribute).items();
            for name in items.iter().filter_map(|item| item.get("source").known()?.as_str()) {
                refer(attribute, kind, name);
            }
        }
    }
    edges
}
