//! Values that a model has under names of secrets, whether a rule speaks of them or not: what no output shows.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{flag, names_object, origin, pair};
use crate::model::{Entry, Model, Node, Resource, Secret, Value};
use crate::secret::{Kind, Known, is_distinct, is_literal_secret, is_secret_name, may_be_secret};
use crate::source::{FileId, Sources, Span};

/// A value that may be a secret.
#[derive(Debug, Clone)]
pub struct Named {
    /// Where its text is written; none where an expression makes it.
    pub at: Option<Span>,
    /// The value, as its format's own engine computes it.
    pub text: Arc<str>,
}

/// All such values.
pub fn values(model: &Model, sources: &Sources) -> Vec<Named> {
    let mut named = Vec::new();
    let names = Names::of(model);
    for resource in &model.resources {
        for entry in resource.body.entries() {
            let subject = names.subject(resource, entry);
            names.values(sources, &entry.node, subject, &mut named);
        }
    }
    named
}

/// What finds these values wherever they stand again, the secrets of the texts, and what else is known to be one.
pub fn known(sources: &Sources, secrets: &[Secret], named: &[Named], more: Vec<&str>) -> Known {
    // Those of URLs may be words; they are known by where they stand.
    let is_meant = |kind: Kind, text: &str| kind != Kind::Connection || !is_word(text);
    let mut texts = more;
    let in_texts = secrets.iter().map(|one| (one.kind, sources.slice(one.span)));
    texts.extend(in_texts.filter(|(kind, text)| is_meant(*kind, text)).map(|(_, text)| text));
    for one in named {
        // The second is the text as it is written, with what is escaped there.
        let written = one.at.map_or("", |at| sources.slice(at));
        for line in [&*one.text, written].into_iter().flat_map(str::lines).map(str::trim) {
            if is_literal_secret(line) && !is_word(line) {
                texts.push(line);
            }
        }
    }
    Known::new(texts)
}

/// Whether a text may be said of anything.
pub fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphabetic()) && !is_distinct(text)
}

/// What is known of a value before it is looked at.
#[derive(Clone, Copy)]
pub struct Subject<'m> {
    /// The name that it stands under.
    name: &'m str,
    /// It is secret, whatever the names inside of it.
    is_secret: bool,
    /// Names of objects stand where a secret could.
    in_manifest: bool,
}

impl<'m> Subject<'m> {
    /// The value of an entry in a map.
    pub fn below(self, entry: &'m Entry) -> Subject<'m> {
        Subject { name: &entry.key, ..self }
    }
}

/// Which values of a model are secrets, by the names around them.
pub struct Names<'m> {
    /// Variables of Terraform that are declared as sensitive.
    sensitive: FxHashSet<&'m str>,
}

impl<'m> Names<'m> {
    /// Those of a model.
    pub fn of(model: &'m Model) -> Names<'m> {
        let is_variable = |resource: &&Resource| resource.format == "terraform" && &*resource.kind == "variable";
        let variables = model.resources.iter().filter(is_variable).filter(|one| is_sensitive(one));
        Names { sensitive: variables.map(|one| &*one.name).collect() }
    }

    /// What an attribute of a resource is about.
    pub fn subject(&self, resource: &'m Resource, entry: &'m Entry) -> Subject<'m> {
        let is_terraform = resource.format == "terraform";
        let (name, is_secret) = match (&*resource.kind, &*entry.key) {
            ("variable", "default") if is_terraform => (&resource.name, is_sensitive(resource)),
            // Outputs are called sensitive for what they are made of, which is known by itself.
            ("local" | "output", "value") if is_terraform => (&resource.name, false),
            ("tfvars", key) if is_terraform => (&entry.key, self.sensitive.contains(key)),
            ("Secret", "data" | "stringData") if resource.format == "kubernetes" => (&entry.key, true),
            _ => (&entry.key, false),
        };
        Subject { name, is_secret, in_manifest: !is_terraform }
    }

    /// Whether a text under a name is a secret.
    pub fn is_secret(&self, node: &Node, subject: Subject<'m>) -> bool {
        let Some(text) = node.as_str() else { return false };
        let is_name = is_secret_name(subject.name);
        let is_said = subject.is_secret
            || is_name && !(subject.in_manifest && names_object(subject.name, text))
            || self.is_of_sensitive_variable(node);
        is_said && may_be_secret(text)
    }

    /// The pair of a name and a value that a map is, if it is one.
    pub fn pair(node: &'m Node, subject: Subject<'m>) -> Option<(Subject<'m>, &'m Node)> {
        let (name, value) = pair(node)?;
        Some((Subject { name, in_manifest: false, ..subject }, value))
    }

    /// The items of a list, each of which may be the name of the next: `["--password", "x"]`, `["DB_PASSWORD", "x"]` of an `ENV`.
    pub fn items(items: &'m [Node], subject: Subject<'m>) -> impl Iterator<Item = (&'m Node, Subject<'m>)> {
        let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let is_name = move |text: &&str| text.starts_with("--") && !text.contains('=') || text.bytes().all(is_upper);
        let before = [None].into_iter().chain(items.iter().map(Node::as_str));
        items.iter().zip(before).map(move |(item, before)| {
            let named = before.filter(is_name).filter(|name| is_secret_name(name));
            (item, named.map_or(subject, |name| Subject { name, in_manifest: false, ..subject }))
        })
    }

    fn is_of_sensitive_variable(&self, node: &Node) -> bool {
        let Some(trail) = node.trail.as_ref().filter(|_| !self.sensitive.is_empty()) else { return false };
        trail.steps.iter().any(|step| {
            let what = step.what.strip_prefix("default of ").unwrap_or(&step.what);
            what.strip_prefix("var.").is_some_and(|name| self.sensitive.contains(name))
        })
    }

    fn values(&self, sources: &Sources, node: &'m Node, subject: Subject<'m>, named: &mut Vec<Named>) {
        if let Some(structure) = &node.structure {
            return self.values(sources, structure, subject, named);
        }
        match &node.value {
            Value::Map(map) => {
                if let Some((subject, value)) = Names::pair(node, subject) {
                    self.values(sources, value, subject, named);
                }
                for entry in map.entries() {
                    self.values(sources, &entry.node, subject.below(entry), named);
                }
            }
            Value::List(items) => {
                for (item, subject) in Names::items(items, subject) {
                    self.values(sources, item, subject, named);
                }
            }
            Value::Unknown(unknown) => {
                let arms = unknown.arms.iter().flat_map(|arms| arms.iter());
                arms.for_each(|arm| self.values(sources, arm, subject, named));
            }
            Value::String(text) if self.is_secret(node, subject) => {
                named.push(Named { at: written(sources, node), text: text.clone() });
            }
            Value::String(text) => {
                // `PASSWORD=x` in a list of variables, `--password=x` in one of words.
                let assigned = flag(text).filter(|(name, value)| is_secret_name(name) && may_be_secret(value));
                named.extend(assigned.map(|(_, value)| Named { at: None, text: value.into() }));
            }
            _ => {}
        }
    }
}

/// Whether a variable says that its value is a secret.
fn is_sensitive(resource: &Resource) -> bool {
    resource.body.get("sensitive").as_bool() == Some(true)
}

/// Where the text of a value stands, without its quotes or the line that opens it. Of an expression only the literals in it.
fn written(sources: &Sources, node: &Node) -> Option<Span> {
    let span = origin(node);
    if span.file == FileId::OUTSIDE {
        return None;
    }
    let source = sources.get(span.file);
    let text = source.slice(span);
    let is_terraform = crate::frontend::terraform::is_named(source.path());
    let (from, to) = if text.starts_with("<<") || !is_terraform && text.starts_with(['|', '>']) && text.contains('\n') {
        let last = if is_terraform { text.trim_end().rfind('\n')? } else { text.len() };
        (text.find('\n')? + 1, last)
    } else if is_terraform || text.starts_with(['"', '\'']) {
        (text.find(['"', '\''])? + 1, text.rfind(['"', '\''])?)
    } else {
        (0, text.len())
    };
    (from < to).then(|| Span::new(span.file, span.start + from as u32, span.start + to as u32))
}
