//! Kustomizations: what `kustomize build` would make of the objects of a tree, as far as local files tell.
//!
//! Objects that a kustomization names are judged as its result, with every value where it was written; a base that others build
//! on is judged through them, as a Terraform module is through its calls; a patch is judged through the object that it is for. A
//! component is no build by itself. What the base of a change judged by itself stays so, whatever names it now. Prefixes and
//! suffixes of names are left out, so that objects find each other by the names that are written. Remote bases, charts,
//! `replacements`, `vars` and plug-ins are not applied, which a note tells.

pub(super) mod alone;
pub(super) mod named;
mod patches;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use self::named::is_remote;
use self::patches::Unfit;
use super::claim::has_keys_of_object;
use super::{object_of, transform};
use crate::model::{Entry, Node, Resource, Value};
use crate::path::{folder_of, join, name_of};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Sources, Span};

/// The names of the file.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Kustomizations that build on each other in a row.
const MAX_DEPTH: usize = 64;

/// Objects that all kustomizations of a scan may make together: bases that name each other twice multiply.
const MAX_OBJECTS: usize = 200_000;

/// Keys that are not applied, and change what objects say.
const UNAPPLIED: &[&str] =
    &["helmCharts", "helmChartInflationGenerator", "replacements", "vars", "transformers", "generators"];

/// Whether a file of this name is a kustomization.
pub(super) fn is_name(name: &str) -> bool {
    NAMES.contains(&name)
}

/// One file of the frontend: its documents, and the objects in it.
pub(super) struct Manifest {
    pub file: FileId,
    pub path: String,
    pub documents: Vec<Node>,
    pub objects: Vec<Resource>,
}

impl Manifest {
    /// Whether every object that may be in the file is at hand: a file of which nothing is one is blank or an empty list.
    fn is_whole(&self, sources: &Sources) -> bool {
        let is_blank = |line: &str| line.is_empty() || line.starts_with('#') || line == "---";
        let is_empty = || sources.get(self.file).text().lines().map(str::trim).all(is_blank);
        self.documents.iter().all(has_keys_of_object) && !self.documents.is_empty() || is_empty()
    }
}

/// What the manifests of a tree are after kustomize.
pub(super) struct Built {
    pub objects: Vec<Resource>,
    pub problems: Vec<Problem>,
    /// Paths of patches, whose texts are no objects, save those that are judged by themselves too.
    pub patches: FxHashSet<String>,
}

/// An object on its way, and the names that it has had.
#[derive(Clone)]
struct Object {
    resource: Resource,
    names: Vec<String>,
}

/// Builds every kustomization that no other builds on; files that none names stay as they are, and so do those that stand `alone`,
/// by their index.
pub(super) fn build(manifests: Vec<Manifest>, alone: &FxHashSet<usize>, sources: &Sources) -> Built {
    let by_path: FxHashMap<String, usize> =
        manifests.iter().enumerate().map(|(index, one)| (one.path.clone(), index)).collect();
    let is_kustomization = |one: &Manifest| {
        let version = |root: &Node| root.get("apiVersion").as_str().map(str::to_string);
        is_name(name_of(&one.path))
            && one.documents.first().is_some_and(|root| {
                matches!(root.value, Value::Map(_))
                    && version(root).is_none_or(|version| version.starts_with("kustomize.config.k8s.io/"))
            })
    };
    let kustomizations: BTreeMap<String, usize> = manifests
        .iter()
        .enumerate()
        .filter(|(_, one)| is_kustomization(one))
        .map(|(index, one)| (folder_of(&one.path).to_string(), index))
        .collect();
    let mut builder = Builder {
        manifests: &manifests,
        by_path: &by_path,
        kustomizations: &kustomizations,
        sources,
        known: FxHashMap::default(),
        open: Vec::new(),
        named: FxHashSet::default(),
        patches: FxHashSet::default(),
        fitting: FxHashSet::default(),
        unfit: Vec::new(),
        incomplete: FxHashSet::default(),
        visited: FxHashSet::default(),
        made: 0,
        problems: BTreeSet::new(),
    };
    let untaken = builder.untaken();
    let built_on = builder.built_on(&untaken);
    let mut objects = Vec::new();
    let tops = kustomizations.keys().filter(|folder| !built_on.contains(*folder));
    // Where all build on each other in a circle, the first stands for them.
    for folder in tops.chain(kustomizations.keys()) {
        if builder.visited.contains(folder) || untaken.contains(folder) {
            continue;
        }
        let root: Arc<str> = manifests[kustomizations[folder]].path.as_str().into();
        for object in builder.folder(folder) {
            objects.push(Resource { root: Arc::clone(&root), ..named_anew(object.resource) });
        }
    }
    untaken.iter().for_each(|folder| builder.look_at(folder));
    let mut by_itself = builder.unfit(alone);
    let Builder { named, patches, problems, .. } = builder;
    for (index, manifest) in manifests.iter().enumerate() {
        if alone.contains(&index) || !named.contains(&index) && !patches.contains(&index) {
            by_itself.extend(manifest.objects.iter().cloned());
        }
    }
    // What is found of an object by itself goes before what is found of it in a build.
    let mut objects = [by_itself, objects].concat();
    objects.sort_by_key(|object| object.span);
    let patches =
        patches.into_iter().filter(|index| !alone.contains(index)).map(|index| manifests[index].path.clone()).collect();
    Built { objects, problems: problems.into_iter().collect(), patches }
}

/// An object under the address that its namespace gives it.
fn named_anew(resource: Resource) -> Resource {
    let namespace = resource.body.at("metadata.namespace").as_str().unwrap_or("default");
    let address = super::address(&resource.kind, namespace, &resource.name).into();
    Resource { address, ..resource }
}

struct Builder<'a> {
    manifests: &'a [Manifest],
    by_path: &'a FxHashMap<String, usize>,
    kustomizations: &'a BTreeMap<String, usize>,
    sources: &'a Sources,
    /// What folders gave.
    known: FxHashMap<String, Vec<Object>>,
    /// Folders that are being built.
    open: Vec<String>,
    /// Files that a kustomization has as resources.
    named: FxHashSet<usize>,
    /// Files that are patches.
    patches: FxHashSet<usize>,
    /// Documents of such files, by file and place, that are for an object.
    fitting: FxHashSet<(usize, Span)>,
    /// Documents for which a build has no object.
    unfit: Vec<Unfit>,
    /// Folders of which something that makes or changes objects was not read.
    incomplete: FxHashSet<String>,
    visited: FxHashSet<String>,
    made: usize,
    problems: BTreeSet<Problem>,
}

impl<'a> Builder<'a> {
    fn root(&self, folder: &str) -> &'a Node {
        &self.manifests[self.kustomizations[folder]].documents[0]
    }

    /// The folders that a kustomization builds on, which are there.
    fn bases(&self, folder: &str) -> Vec<String> {
        let root = self.root(folder);
        let keys = ["resources", "bases", "components"];
        let named = keys.iter().flat_map(|key| items(root, key)).filter_map(Node::as_str);
        let folders = named.filter_map(|path| join(folder, path));
        folders.filter(|path| self.kustomizations.contains_key(path)).collect()
    }

    /// Folders that a build is made of; components that none takes make none.
    fn built_on(&self, untaken: &BTreeSet<String>) -> FxHashSet<String> {
        let own = |folder: &String| {
            let folder = folder.clone();
            self.bases(&folder).into_iter().filter(move |base| *base != folder)
        };
        self.kustomizations.keys().filter(|folder| !untaken.contains(*folder)).flat_map(own).collect()
    }

    /// Components that no kustomization takes, however far from it.
    fn untaken(&self) -> BTreeSet<String> {
        let is_component = |folder: &&String| self.root(folder).get("kind").as_str() == Some("Component");
        let mut untaken: BTreeSet<String> = self.kustomizations.keys().filter(is_component).cloned().collect();
        if untaken.is_empty() {
            return untaken;
        }
        let mut reached: FxHashSet<String> = FxHashSet::default();
        let mut open: Vec<String> = self.kustomizations.keys().filter(|one| !is_component(one)).cloned().collect();
        while let Some(folder) = open.pop() {
            untaken.remove(&folder);
            if reached.insert(folder.clone()) {
                open.extend(self.bases(&folder));
            }
        }
        untaken
    }

    /// Looks through a component that nobody takes for what can't be read and for patches; what it names is judged by itself.
    fn look_at(&mut self, folder: &str) {
        let root = self.root(folder);
        let named = self.named.clone();
        self.open.push(folder.to_string());
        // The objects are those of who takes it.
        self.incomplete.insert(folder.to_string());
        let resources = ["resources", "bases"].iter().flat_map(|key| items(root, key));
        let mut objects: Vec<Object> = resources.flat_map(|node| self.resource(folder, node)).collect();
        self.patched(root, folder, &mut objects);
        self.open.pop();
        self.named = named;
    }

    /// What a folder lacks, those lack that build on it.
    fn takes_over_lacks_of(&mut self, folder: &str) {
        if self.incomplete.contains(folder) {
            self.lacks();
        }
    }

    /// Keeps in mind that objects of the folder at hand may be others than those at hand.
    fn lacks(&mut self) {
        self.incomplete.extend(self.open.last().cloned());
    }

    fn tell(&mut self, kind: ProblemKind, span: Span, message: String, help: &str) {
        let mut problem = Problem::at(kind, span, message);
        if !help.is_empty() {
            problem = problem.help(help);
        }
        problem.path = self.sources.get(span.file).path().to_string();
        self.problems.insert(problem);
    }

    fn folder(&mut self, folder: &str) -> Vec<Object> {
        if let Some(known) = self.known.get(folder) {
            return known.clone();
        }
        self.open.push(folder.to_string());
        let objects = self.changed(folder, Vec::new());
        self.open.pop();
        self.made += objects.len();
        self.known.insert(folder.to_string(), objects.clone());
        objects
    }

    /// What a kustomization, or a component with the objects of those who include it, makes.
    fn changed(&mut self, folder: &str, mut objects: Vec<Object>) -> Vec<Object> {
        self.visited.insert(folder.to_string());
        let root = self.root(folder);
        for node in ["resources", "bases"].iter().flat_map(|key| items(root, key)) {
            objects.extend(self.resource(folder, node));
        }
        if self.made + objects.len() > MAX_OBJECTS {
            let message = format!("kustomizations make more than {MAX_OBJECTS} objects; the rest is not judged");
            self.tell(ProblemKind::Limit, root.span, message, "scan their folders one by one");
            objects.clear();
        }
        objects.extend(self.generated(root, folder));
        for node in items(root, "components") {
            let Some(component) = node.as_str().and_then(|path| join(folder, path)) else { continue };
            match self.enters(&component, node.span) {
                true => {
                    self.open.push(component.clone());
                    objects = self.changed(&component, objects);
                    self.open.pop();
                    self.takes_over_lacks_of(&component);
                }
                false => self.missing(node),
            }
        }
        for key in UNAPPLIED.iter().filter(|key| !root.get(key).is_absent()) {
            let message = format!("`{key}` is not applied: what it changes or makes was not judged");
            self.tell(ProblemKind::Note, root.get(key).node().span, message, "scan what `kustomize build` makes of it");
            self.lacks();
        }
        self.patched(root, folder, &mut objects);
        transformed(root, objects)
    }

    /// Whether a folder is a kustomization that may be built now.
    fn enters(&mut self, folder: &str, span: Span) -> bool {
        if !self.kustomizations.contains_key(folder) {
            return false;
        }
        if self.open.iter().any(|open| open == folder) {
            let message = format!("kustomizations build on each other in a circle through {folder:?}");
            self.tell(ProblemKind::Syntax, span, message, "kustomize refuses them; let one stand alone");
            return false;
        }
        if self.open.len() >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} kustomizations build on each other in a row");
            self.tell(ProblemKind::Limit, span, message, "name the base directly");
            return false;
        }
        true
    }

    /// The objects of a file or a folder.
    fn resource(&mut self, folder: &str, node: &Node) -> Vec<Object> {
        let Some(written) = node.as_str() else { return Vec::new() };
        let Some(path) = join(folder, written) else {
            self.missing(node);
            return Vec::new();
        };
        // What is there goes before what looks like an address, as for kustomize.
        if let Some(index) = self.by_path.get(&path).copied() {
            self.named.insert(index);
            let manifest = &self.manifests[index];
            if !manifest.is_whole(self.sources) {
                self.missing(node);
            }
            return manifest
                .objects
                .iter()
                .map(|one| Object { names: vec![one.name.to_string()], resource: one.clone() })
                .collect();
        }
        if self.kustomizations.contains_key(&path) && !is_remote(written) {
            if !self.enters(&path, node.span) {
                return Vec::new();
            }
            let objects = self.folder(&path);
            self.takes_over_lacks_of(&path);
            return objects;
        }
        self.missing(node);
        Vec::new()
    }

    /// Tells of what could not be read; what is elsewhere is never fetched.
    fn missing(&mut self, node: &Node) {
        self.lacks();
        let path = crate::escape::plain(node.as_str().unwrap_or("")).into_owned();
        if is_remote(&path) {
            let message = format!("{path} is elsewhere and was not read: what it makes was not judged");
            return self.tell(ProblemKind::Note, node.span, message, "scan what `kustomize build` makes of it");
        }
        let message = format!("{path} was not read: it is not there, lies outside of the scan or holds no objects");
        let help = "scan a folder that holds it, or exclude the kustomization in gate.yaml";
        self.tell(ProblemKind::Unread, node.span, message, help);
    }

    /// Config maps and secrets that a kustomization makes of what is written in it.
    fn generated(&self, root: &Node, folder: &str) -> Vec<Object> {
        let mut made = Vec::new();
        for (key, kind, data) in
            [("configMapGenerator", "ConfigMap", "data"), ("secretGenerator", "Secret", "stringData")]
        {
            for item in items(root, key) {
                let Some(name) = item.get("name").known().filter(|name| name.as_str().is_some()) else { continue };
                let entry = |key: &str, node: Node| Entry { key: key.into(), key_span: node.span, node };
                let word = |word: &str| Node::string(word, name.span);
                let literals = items(item, "literals").iter().filter_map(|literal| {
                    let (key, value) = literal.as_str()?.split_once('=')?;
                    Some(entry(key, Node::string(value.trim_matches(['"', '\'']), literal.span)))
                });
                let literals: Vec<Entry> = literals.collect();
                let mut metadata = vec![entry("name", name.clone())];
                metadata.extend(item.get("namespace").known().map(|node| entry("namespace", node.clone())));
                let mut entries = vec![
                    entry("apiVersion", word("v1")),
                    entry("kind", word(kind)),
                    entry("metadata", Node::map(metadata, name.span)),
                ];
                entries.extend(item.get("type").known().map(|node| entry("type", node.clone())));
                if !literals.is_empty() {
                    entries.push(entry(data, Node::map(literals, item.span)));
                }
                let body = Node::map(entries, name.span);
                let source = self.sources.get(item.span.file);
                debug_assert_eq!(source.folder(), folder);
                let resource = object_of(&body, item.span, name.span, source);
                made.extend(resource.map(|resource| Object { names: vec![resource.name.to_string()], resource }));
            }
        }
        made
    }
}

/// Everything but patches.
fn transformed(root: &Node, mut objects: Vec<Object>) -> Vec<Object> {
    let images: Vec<transform::Image<'_>> = items(root, "images")
        .iter()
        .filter_map(|image| {
            let part = |key: &str| image.get(key).known();
            let (new_name, new_tag, digest) = (part("newName"), part("newTag"), part("digest"));
            Some(transform::Image { name: part("name")?.as_str()?, new_name, new_tag, digest })
        })
        .collect();
    let affix = |key: &str| root.get(key).as_str().unwrap_or("");
    let (prefix, suffix) = (affix("namePrefix"), affix("nameSuffix"));
    let namespace = root.get("namespace").known().filter(|node| node.as_str().is_some_and(|name| !name.is_empty()));
    let is_set = |node: &Node, key: &str| node.get(key).as_bool() == Some(true);
    for object in &mut objects {
        let kind = Arc::clone(&object.resource.kind);
        let mut body = object.resource.body.clone();
        if let Some(namespace) = namespace {
            body = transform::namespace(&body, &kind, namespace);
        }
        if let Some(labels) = root.get("commonLabels").known() {
            body = transform::labels(&body, &kind, labels, true, true);
        }
        for entry in items(root, "labels") {
            let Some(pairs) = entry.get("pairs").known() else { continue };
            let (selectors, templates) = (is_set(entry, "includeSelectors"), is_set(entry, "includeTemplates"));
            body = transform::labels(&body, &kind, pairs, selectors, templates);
        }
        if let Some(annotations) = root.get("commonAnnotations").known() {
            body = transform::annotations(&body, annotations);
        }
        for entry in items(root, "replicas") {
            let is_meant = entry.get("name").as_str().is_some_and(|name| object.names.iter().any(|one| one == name));
            if let (true, Some(count), "Deployment" | "StatefulSet" | "ReplicaSet") =
                (is_meant, entry.get("count").known(), &*kind)
            {
                body = transform::replicas(&body, count);
            }
        }
        if !images.is_empty() {
            body = transform::images(&body, &images);
        }
        object.resource.body = body;
        if let Some(last) = object.names.last().filter(|_| !prefix.is_empty() || !suffix.is_empty()) {
            let name = format!("{prefix}{last}{suffix}");
            object.names.push(name);
        }
    }
    objects
}

fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).items()
}
