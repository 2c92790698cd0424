//! Kubernetes manifests, in YAML and JSON, and what kustomizations make of them.

pub(super) mod claim;
mod kustomize;
mod patch;
mod template;
mod transform;

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::yaml;
use super::{Claim, Context, Frontend, Parsed, Settings};
use crate::model::{Entry, Map, Node, Observation, Resource, Value};
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Source, Sources, Span};

/// The Kubernetes frontend.
pub struct Kubernetes;

impl Frontend for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn claims(&self, path: &Path) -> Claim {
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json");
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_yaml || kustomize::is_name(&name) { Claim::Maybe } else { Claim::No }
    }

    /// A manifest names its `apiVersion` and `kind`, whatever the file is called: kubectl reads a `package.json` too. Kustomizations
    /// need not, and their JSON patches can't.
    fn recognizes(&self, path: &Path, text: &str) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if kustomize::is_name(&name) || kustomize::named::is_json_patch(text) {
            return true;
        }
        claim::may_hold_object(text)
    }

    /// What a kustomization names.
    fn context(&self, path: &Path, text: &str) -> Context {
        if !path.file_name().and_then(|name| name.to_str()).is_some_and(kustomize::is_name) {
            return Context::default();
        }
        let (files, folders) = kustomize::named::named_in(text);
        let named = files.into_iter().map(|file| (self.name(), file)).collect();
        Context { named, folders, ..Context::default() }
    }

    fn parse(&self, settings: &Settings, sources: &Sources, files: &[FileId]) -> Parsed {
        let is_kustomization = |file: &FileId| kustomize::is_name(sources.get(*file).name());
        let is_kustomized = files.iter().any(is_kustomization);
        let parts: Vec<(Parsed, Vec<Node>)> = files
            .par_iter()
            .map(|file| {
                let mut documents = Vec::new();
                (read(settings, *file, sources.get(*file), is_kustomized.then_some(&mut documents)), documents)
            })
            .collect();
        let mut parsed = Parsed::default();
        let mut manifests = Vec::new();
        for (file, (mut part, documents)) in files.iter().zip(parts) {
            if is_kustomized {
                let path = sources.get(*file).path().to_string();
                let objects = std::mem::take(&mut part.resources);
                manifests.push(kustomize::Manifest { file: *file, path, documents, objects });
            }
            parsed.add(part);
        }
        if is_kustomized {
            let before = settings.before.as_ref();
            let alone = before.map(|before| kustomize::alone::before(before, &manifests)).unwrap_or_default();
            let built = kustomize::build(manifests, &alone, sources);
            parsed.resources = built.objects;
            parsed.problems.extend(built.problems);
            // What lies in a patch belongs to no object of its own.
            for observation in &mut parsed.observations {
                if built.patches.contains(sources.get(observation.span.file).path()) {
                    observation.address = None;
                }
            }
        }
        parsed
    }
}

/// Reads a file; its documents are wanted where kustomizations may name it.
fn read(settings: &Settings, file: FileId, source: &Source, wanted: Option<&mut Vec<Node>>) -> Parsed {
    let text = source.text();
    let mut parsed = Parsed::default();
    let mut documents = yaml::read(file, text);
    let mut notes = Vec::new();
    if template::is_template(source.path(), text, &documents) {
        let has_objects = documents.documents.iter().any(|one| claim::has_keys_of_object(&one.root));
        if template::is_of_chart(settings, source.path()) || !has_objects {
            parsed.problems.push(template::unjudged(source.path()));
            return parsed;
        }
        if !documents.problems.is_empty() {
            documents.problems.clear();
            notes.push(template::unjudged_in_part(source.path()));
        }
    }
    for document in &documents.documents {
        objects(&document.root, document.span, source, &mut parsed);
        parsed.problems.extend(other_case(&document.root));
    }
    let is_kustomization = kustomize::is_name(source.name());
    if let Some(wanted) = wanted {
        wanted.extend(documents.documents.iter().map(|document| document.root.clone()));
    }
    let has_none = parsed.resources.is_empty() && parsed.problems.is_empty();
    if has_none && !is_kustomization && !claim::looks_like_manifest(text) {
        // YAML that is no manifest is nobody's business here.
        return Parsed::default();
    }
    parsed.problems.extend(documents.problems);
    parsed.comments = documents.comments;
    parsed.observations = documents.observations;
    for observation in &mut parsed.observations {
        let holder = parsed.resources.iter().find(|resource| resource.span.contains(observation.span));
        observation.address = holder.map(|resource| resource.address.clone());
    }
    if !parsed.problems.is_empty() {
        parsed.observations.extend(yaml::tab_lines(file, text).into_iter().map(|span| Observation {
            name: "yaml-tab",
            span,
            message: "a tab indents this line; YAML forbids it and kubectl refuses the document".into(),
            address: None,
        }));
    }
    parsed.problems.extend(notes);
    parsed.read.push(file);
    parsed
}

/// Names of the API are case-sensitive: an object without its kind or a list without its items is refused, and would be judged
/// by no rule.
fn other_case(root: &Node) -> Option<Problem> {
    let has = |name: &str| root.entries().iter().any(|entry| &*entry.key == name);
    let near = |name: &str| root.entries().iter().find(|entry| entry.key.eq_ignore_ascii_case(name));
    let is_list = root.get("kind").as_str().is_some_and(|kind| kind.ends_with("List"));
    let (wrong, right) = match (has("apiVersion"), has("kind")) {
        (true, false) => (near("kind")?, "kind"),
        (false, true) => (near("apiVersion")?, "apiVersion"),
        (true, true) if is_list && !has("items") => (near("items")?, "items"),
        _ => return None,
    };
    let message = format!("`{}` is no field of an object, so that kubectl refuses it", wrong.key.escape_debug());
    Some(Problem::at(ProblemKind::Syntax, wrong.key_span, message).help(format!("write `{right}`")))
}

/// The objects of a document: itself, or the items of a list, which to kubectl is whatever has `items`.
fn objects(root: &Node, span: Span, source: &Source, out: &mut Parsed) {
    let Some(items) = claim::items(root) else { return out.resources.extend(object(root, span, source)) };
    for item in items {
        let refuse = |what: &str| {
            let message = format!("an item of this list {what}, so that kubectl refuses it");
            Problem::at(ProblemKind::Syntax, item.span, message)
                .help("write an object with its `apiVersion` and `kind`")
        };
        let whole = with_kind_of_list(root, item);
        match &whole.value {
            Value::Map(_) if whole.get("kind").is_absent() => out.problems.push(refuse("has no kind")),
            Value::Map(_) if whole.get("apiVersion").is_absent() => out.problems.push(refuse("has no apiVersion")),
            Value::Map(_) => objects(&whole, item.span, source, out),
            Value::Unknown(_) => {}
            _ => out.problems.push(refuse("is no object")),
        }
    }
}

/// An item of a list. Without a kind it has that of the list, `Pod` in a `PodList`, and its version.
fn with_kind_of_list(list: &Node, item: &Node) -> Node {
    let (kind, version) = (list.get("kind").as_str().unwrap_or(""), list.get("apiVersion").as_str());
    let kind = kind.strip_suffix("List").unwrap_or(kind);
    let entries = item.entries();
    let (Some(first), Some(version), true) = (entries.first(), version, item.get("kind").is_absent()) else {
        return item.clone();
    };
    if kind.is_empty() {
        return item.clone();
    }
    // Whoever looks for them finds the beginning of the item.
    let at = first.key_span;
    let told = [("kind", kind), ("apiVersion", version)];
    let told = told.map(|(key, text)| Entry { key: Arc::from(key), key_span: at, node: Node::string(text, at) });
    let own = entries.iter().filter(|entry| &*entry.key != "apiVersion").cloned();
    Node { value: Value::Map(Arc::new(Map::new(told.into_iter().chain(own).collect()))), ..item.clone() }
}

fn object(root: &Node, span: Span, source: &Source) -> Option<Resource> {
    let kind = root.entries().iter().find(|entry| &*entry.key == "kind")?;
    object_of(root, span, kind.key_span.to(kind.node.span), source)
}

/// Kinds that lie in no namespace. Source: the Kubernetes API reference, and that of the projects whose kinds they are.
pub(super) const OF_CLUSTER: &[&str] = &[
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "CiliumClusterwideNetworkPolicy",
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "ComponentStatus",
    "CustomResourceDefinition",
    "FlowSchema",
    "GatewayClass",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "SecurityContextConstraints",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeSnapshotClass",
];

/// What an object is called in reports: `Deployment/shop/web`, `ClusterRole/reader`.
fn address(kind: &str, namespace: &str, name: &str) -> String {
    if OF_CLUSTER.contains(&kind) { format!("{kind}/{name}") } else { format!("{kind}/{namespace}/{name}") }
}

/// An object whose header is somewhere else than at its kind.
fn object_of(root: &Node, span: Span, head: Span, source: &Source) -> Option<Resource> {
    let text = |path: &str| root.at(path).as_str().map(str::to_string);
    let (kind, api_version) = (text("kind")?, text("apiVersion")?);
    let is_kustomization = api_version.starts_with("kustomize.config.k8s.io/");
    if is_kustomization {
        return None;
    }
    let name = text("metadata.name").or_else(|| text("metadata.generateName")).unwrap_or_default();
    let namespace = text("metadata.namespace").unwrap_or_else(|| "default".into());
    Some(Resource {
        format: "kubernetes",
        address: address(&kind, &namespace, &name).into(),
        kind: kind.into(),
        api_version: api_version.into(),
        name: name.into(),
        body: Node { span: head, ..root.clone() },
        head,
        span,
        calls: Arc::from([]),
        root: source.path().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let id = sources.add(Source::new("app.yaml".to_string(), text.to_string()));
        let path = Path::new("app.yaml");
        assert!(Kubernetes.recognizes(path, text), "{text}");
        let parsed = Kubernetes.parse(&Settings::default(), &sources, &[id]);
        parsed.problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn quoted_text_may_go_on_as_far_left_as_its_key_and_places_stay_right() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 'a\n  b'\ndata:\n  x: \"one\n  two\n\n  three\" # kept\n  z: yes\n";
        let mut sources = Sources::default();
        let id = sources.add(Source::new("app.yaml".to_string(), text.to_string()));
        let parsed = Kubernetes.parse(&Settings::default(), &sources, &[id]);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let body = &parsed.resources[0].body;
        let written = |span: Span| &text[span.start as usize..span.end as usize];
        assert_eq!(body.at("metadata.name").as_str(), Some("a b"));
        let x = body.at("data.x").known().expect("it is there");
        assert_eq!((x.as_str(), written(x.span)), (Some("one two\nthree"), "\"one\n  two\n\n  three\""));
        assert_eq!(written(body.at("data.z").known().expect("it is there").span), "yes");
        assert_eq!(parsed.observations.len(), 1, "what is seen is seen once");
        assert_eq!(parsed.comments.iter().map(|span| written(*span)).collect::<Vec<_>>(), ["# kept"]);
    }

    #[test]
    fn what_kubectl_refuses_is_told_and_not_taken_for_something_else() {
        let second = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n--- {apiVersion: v1, kind: Pod}\n";
        assert_eq!(
            problems(second),
            ["a document begins on the line of its `---`, which does not part it from the last one"]
        );
        let slash = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: \"x\\/y\"}\n";
        assert_eq!(problems(slash), ["unknown escape `\\/` in a quoted text, which kubectl refuses"]);
        assert!(problems("{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"data\": {\"a\": \"x\\/y\"}}").is_empty());
        let backslash = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: \"x\\\\/y\"}\n";
        assert!(problems(backslash).is_empty());
        let kind = "apiVersion: v1\nKind: Pod\nmetadata: {name: a}\n";
        assert_eq!(problems(kind), ["`Kind` is no field of an object, so that kubectl refuses it"]);
        let version = "apiversion: v1\nkind: Pod\nmetadata: {name: a}\n";
        assert_eq!(problems(version), ["`apiversion` is no field of an object, so that kubectl refuses it"]);
        let items = "apiVersion: v1\nkind: List\nItems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n";
        assert_eq!(problems(items), ["`Items` is no field of an object, so that kubectl refuses it"]);
    }

    #[test]
    fn whatever_has_items_is_a_list() {
        let read = |text: &str| {
            assert!(claim::is_object(text), "{text}");
            let parsed = read(&Settings::default(), FileId(0), &Source::new("list.yaml", text), None);
            let problems: Vec<String> = parsed.problems.into_iter().map(|problem| problem.message).collect();
            let names: Vec<String> =
                parsed.resources.iter().map(|one| format!("{} {}", one.api_version, one.address)).collect();
            (names, problems)
        };
        let web = (vec!["v1 Pod/shop/web".to_string()], Vec::new());
        let whole = "- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}}\n";
        let bare = "- metadata: {name: web, namespace: shop}\n  spec: {}\n";
        for head in
            ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}", "kind: List", "apiVersion: v1\nkind: FooList"]
        {
            assert_eq!(read(&format!("{head}\nitems:\n{whole}")), web, "{head}");
        }
        for head in ["apiVersion: v1\nkind: PodList", "apiVersion: v1\nkind: Pod\nspec: {}"] {
            assert_eq!(read(&format!("{head}\nitems:\n{bare}")), web, "{head}");
        }
        let inner = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n";
        assert_eq!(read(&format!("{inner}  {whole}")), web);
        for (item, what) in [("- 1\n", "is no object"), ("- null\n", "is no object"), (bare, "has no kind")] {
            let refused = vec![format!("an item of this list {what}, so that kubectl refuses it")];
            let text = format!("apiVersion: v1\nkind: List\nitems:\n{item}{whole}");
            assert_eq!(read(&text), (web.0.clone(), refused), "{item}");
        }
    }

    #[test]
    fn other_data_with_items_is_no_list() {
        for text in ["kind: menu\nitems:\n- {name: tea}\n", "items:\n- {apiVersion: 1, kind: tea}\n"] {
            assert!(!claim::is_object(text), "{text}");
            let parsed = read(&Settings::default(), FileId(0), &Source::new("menu.yaml", text), None);
            assert!(parsed.problems.is_empty() && parsed.resources.is_empty() && parsed.read.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_broken_manifest_is_told_in_every_way_of_writing_it() {
        for text in [
            "apiVersion: v1\nkind: Pod\nspec: [\n",
            "\"apiVersion\": v1\n\"kind\": Pod\nspec: [\n",
            "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\n",
            "{\n  \"kind\": \"Pod\",\n  \"apiVersion\": \"v1\",,\n}\n",
            "{apiVersion: v1, kind: Pod, spec: [}\n",
        ] {
            let problems = read(&Settings::default(), FileId(0), &Source::new("pod.yaml", text), None).problems;
            assert!(problems.iter().any(|problem| problem.kind.closes()), "{text}");
        }
        let other = "{\"compilerOptions\": {}, // kind\n}\n";
        assert!(read(&Settings::default(), FileId(0), &Source::new("tsconfig.json", other), None).problems.is_empty());
    }
}
