//! YAML and JSON: the tree, Kubernetes and Compose, rules.

use gate::frontend::FRONTENDS;
use gate::frontend::yaml::{self, Dialect, Documents};
use gate::model::{Node, Number, Value};
use gate::source::{FileId, Source, Sources};

use super::judged;
use super::tree::Tree;

/// Manifests, and what other files the input names.
pub fn kubernetes(input: &[u8]) {
    files(input, "manifest.yaml");
}

/// A Compose project.
pub fn compose(input: &[u8]) {
    files(input, "compose.yaml");
}

fn files(input: &[u8], first: &str) {
    let tree = Tree::of(input, first);
    for (path, text) in tree.files() {
        if let (true, Ok(text)) = (path.ends_with("yaml") || path.ends_with("json"), std::str::from_utf8(text)) {
            let text = text.trim_start_matches('\u{feff}');
            for dialect in [Dialect::Kubectl, Dialect::Compose] {
                documents(text, dialect);
            }
            json(text);
        }
    }
    let scan = judged::check(input, &tree);
    let kubernetes = FRONTENDS.iter().position(|frontend| frontend.name() == "kubernetes").expect("a frontend");
    for file in &scan.discovered.claims[kubernetes] {
        let source = scan.discovered.sources.get(*file);
        let keys = ["apiVersion:", "\"apiVersion\":"];
        let is_manifest = source.text().lines().any(|line| keys.iter().any(|key| line.starts_with(key)));
        let is_told = || scan.assembled.problems.iter().any(|problem| problem.path == source.path());
        if is_manifest && !yaml::read(*file, source.text()).problems.is_empty() {
            assert!(is_told(), "a broken manifest is lost");
        }
    }
}

/// All places lie in the text, and a document more is read as one more, before or after.
fn documents(text: &str, dialect: Dialect) {
    let read = yaml::read_as(FileId(0), text, dialect);
    places(text, &read);
    if !read.problems.is_empty() {
        return;
    }
    for longer in [format!("{text}\n---\nsentinel: 1\n"), format!("sentinel: 1\n---\n{text}")] {
        let more = yaml::read_as(FileId(0), &longer, dialect);
        // A directive, or an end mark without a document, may stand at the start only.
        let is_told = !more.problems.is_empty();
        assert!(is_told || more.documents.len() == read.documents.len() + 1, "a document is lost");
    }
}

fn places(text: &str, read: &Documents) {
    let sources = Sources::new(vec![Source::new("manifest.yaml", text)]);
    for document in &read.documents {
        judged::check_span(&sources, document.span, "document");
        let mut open = vec![&document.root];
        while let Some(node) = open.pop() {
            judged::check_span(&sources, node.span, "value");
            open.extend(node.items());
            open.extend(node.entries().iter().map(|entry| &entry.node));
        }
    }
    read.comments.iter().for_each(|comment| judged::check_span(&sources, *comment, "comment"));
    read.observations.iter().for_each(|seen| judged::check_span(&sources, seen.span, seen.name));
    read.tagged.iter().for_each(|(span, _)| judged::check_span(&sources, *span, "tag"));
    for problem in &read.problems {
        problem.span.iter().for_each(|span| judged::check_span(&sources, *span, &problem.message));
    }
}

/// JSON is YAML: what both read is the same value.
fn json(text: &str) {
    let Ok(wanted) = serde_json::from_str::<serde_json::Value>(text) else { return };
    let read = yaml::read(FileId(0), text);
    if let (true, [document]) = (read.problems.is_empty(), &read.documents[..]) {
        assert!(is_same(&wanted, &document.root), "JSON is read as another value: {:?}", document.root);
    } else {
        assert!(!read.problems.is_empty() || wanted.is_null(), "JSON is not read, and nothing is told");
    }
}

fn is_same(json: &serde_json::Value, node: &Node) -> bool {
    match (json, &node.value) {
        (serde_json::Value::Null, Value::Null) => true,
        (serde_json::Value::Bool(a), Value::Bool(b)) => a == b,
        (serde_json::Value::Number(a), Value::Number(b)) => a.as_f64() == Some(b.as_f64()) || *b == Number::Int(0),
        (serde_json::Value::String(a), Value::String(b)) => **a == **b,
        (serde_json::Value::Array(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| is_same(a, b))
        }
        (serde_json::Value::Object(a), Value::Map(b)) => {
            a.len() == b.entries().len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        _ => false,
    }
}
