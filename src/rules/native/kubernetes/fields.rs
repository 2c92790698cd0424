//! Fields that the API does not know, and values of a form that it refuses.

use crate::model::kubernetes::{Form, Type};
use crate::model::view::pod::pod;
use crate::model::{Entry, Lookup, Node, Number, Resource, ResourceId, Value};
use crate::rules::native::{Cx, Findings, Native, show};
use crate::spelling::nearest;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-unknown-field", Native::Resource("kubernetes", &["*"], unknown_fields)),
    ("k8s-wrong-type", Native::Resource("kubernetes", &["*"], wrong_types)),
    ("yaml-non-string-value", Native::Resource("kubernetes", &["*"], non_string)),
];

/// The type of an object that stands in the API's own words; the blocks of Terraform's provider have a schema of their own.
fn of(resource: &Resource) -> Option<Type> {
    resource.body.get("apiVersion").known()?;
    Type::of_kind(&resource.api_version, &resource.kind)
}

/// Whether the object stands in a manifest, whose values reach the API as they are: Terraform's provider converts them.
fn is_manifest(resource: &Resource) -> bool {
    resource.address.strip_prefix(&*resource.kind).is_some_and(|rest| rest.starts_with('/'))
}

/// A step on the way from the object down: a key, and the type of the object at it if it is one with known fields.
#[derive(Clone, Copy)]
struct Place<'a> {
    key: &'a str,
    form: Option<Type>,
    above: Option<&'a Place<'a>>,
}

impl Place<'_> {
    const ROOT: Place<'static> = Place { key: "", form: None, above: None };

    /// The keys that lead here, with dots between.
    fn path(&self) -> String {
        self.above.map_or_else(String::new, |above| join(&above.path(), self.key))
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

/// Where a walk of an object meets what its type does not allow.
enum Met<'a> {
    /// A key that is no field of the type at this place.
    Unknown(&'a Entry, &'a Place<'a>),
    /// A value that the form does not take.
    Wrong(&'a Node, &'static Form, &'a Place<'a>),
}

fn walk(node: &Node, form: &'static Form, place: &Place<'_>, visit: &mut dyn FnMut(Met<'_>)) {
    match (form, &node.value) {
        (Form::Any, _) | (_, Value::Null | Value::Unknown(_)) => {}
        (Form::Object(one), Value::Map(_)) => object(node, *one, place, visit),
        (Form::Map(item), Value::Map(map)) => {
            for entry in map.entries() {
                walk(&entry.node, item, &Place { key: &entry.key, form: None, above: Some(place) }, visit);
            }
        }
        (Form::List(item), Value::List(items)) => items.iter().for_each(|one| walk(one, item, place, visit)),
        _ if takes(form, &node.value) => {}
        _ => visit(Met::Wrong(node, form, place)),
    }
}

fn object(node: &Node, one: Type, place: &Place<'_>, visit: &mut dyn FnMut(Met<'_>)) {
    let here = Place { form: Some(one), ..*place };
    for entry in node.entries() {
        match one.field(&entry.key) {
            Some(form) => {
                walk(&entry.node, form, &Place { key: &entry.key, form: None, above: Some(&here) }, visit);
            }
            // Directives of a strategic merge patch are taken out before the API sees the object.
            None if entry.key.starts_with('$') => {}
            None => visit(Met::Unknown(entry, &here)),
        }
    }
}

fn takes(form: &Form, value: &Value) -> bool {
    let is_whole = matches!(value, Value::Number(Number::Int(_)))
        || matches!(value, Value::Number(Number::Float(float)) if float.fract() == 0.0);
    match form {
        Form::Text => matches!(value, Value::String(_)),
        Form::Integer => is_whole,
        Form::Number => matches!(value, Value::Number(_)),
        Form::Boolean => matches!(value, Value::Bool(_)),
        Form::Quantity => matches!(value, Value::String(_) | Value::Number(_)),
        Form::IntegerOrText => is_whole || matches!(value, Value::String(_)),
        Form::Any => true,
        Form::Object(_) | Form::List(_) | Form::Map(_) => false,
    }
}

fn unknown_fields(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let Some(one) = of(resource) else { return };
    object(&resource.body, one, &Place::ROOT, &mut |met| {
        let Met::Unknown(entry, place) = met else { return };
        let path = place.path();
        let holder = if path.is_empty() { &resource.kind } else { path.as_str() };
        let meant = meant(&entry.key, place).map(|meant| format!(", did you mean {meant}?")).unwrap_or_default();
        let message = format!("{} is no field of {holder}{meant}", entry.key);
        out.at(entry.key_span, join(&path, &entry.key), message);
    });
}

/// What the author of an unknown field may have meant: a field of the same object, or one of this very name elsewhere.
fn meant(key: &str, place: &Place<'_>) -> Option<String> {
    let names: Vec<&str> = place.form?.fields().iter().map(|(name, _)| *name).collect();
    if let Some(name) = names.iter().find(|name| plain(name) == plain(key)).or_else(|| near(key, &names)) {
        return Some(name.to_string());
    }
    let mut outer = Some(place);
    while let Some(one) = outer {
        if let Some(path) = below(one.form?, key) {
            return Some(join(&one.path(), &path));
        }
        outer = one.above;
    }
    None
}

/// The name without what people add and drop: separators and the letter of the plural.
fn plain(name: &str) -> String {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    letters.trim_end_matches('s').to_ascii_lowercase()
}

fn near<'a, 'b>(key: &str, names: &'b [&'a str]) -> Option<&'b &'a str> {
    let found = nearest(key, names)?;
    // Short names are near to many.
    let is_short = key.len() < 5;
    names.iter().find(|name| **name == found && (!is_short || name.starts_with(&key[..1])))
}

/// The one path, at most three keys below and not through a list, at which a type has a field of this name: the shortest.
fn below(from: Type, key: &str) -> Option<String> {
    let key = plain(key);
    let mut level = vec![(from, String::new())];
    for _ in 0..4 {
        let fields = level.iter().flat_map(|(one, path)| one.fields().iter().map(move |field| (path, field)));
        let found: Vec<String> = fields
            .clone()
            .filter(|(_, (name, _))| plain(name) == key)
            .map(|(path, (name, _))| join(path, name))
            .collect();
        match &found[..] {
            [] => {}
            [only] => return Some(only.clone()),
            _ => return None,
        }
        let deeper = fields.filter_map(|(path, (name, form))| match form {
            Form::Object(next) => Some((*next, join(path, name))),
            _ => None,
        });
        level = deeper.collect();
    }
    None
}

/// Whether the rule about strings speaks of the value: a plain word or number where a string is wanted.
fn is_unquoted(node: &Node, form: &Form) -> bool {
    *form == Form::Text && matches!(node.value, Value::Bool(_) | Value::Number(_))
}

fn wrong_types(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let Some(one) = of(resource).filter(|_| is_manifest(resource)) else { return };
    object(&resource.body, one, &Place::ROOT, &mut |met| {
        let Met::Wrong(node, form, place) = met else { return };
        if !is_unquoted(node, form) {
            let path = place.path();
            out.fail(node, path.clone(), format!("{path} is {}, wanted {}", kind(node), form.words()));
        }
    });
}

/// A value with its kind, where its look does not say.
fn kind(node: &Node) -> String {
    match &node.value {
        Value::String(_) => format!("the string {}", show(node)),
        Value::List(_) => "a list".into(),
        Value::Map(_) => "a mapping".into(),
        _ => show(node),
    }
}

/// Numbers and booleans where the API wants strings: it refuses the object.
fn non_string(cx: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    if !is_manifest(resource) {
        return;
    }
    let mut judge = |node: &Node, path: &str| {
        // Words and numbers that are read as something else have rules of their own.
        let text = cx.sources.slice(node.span);
        let is_told = match node.value {
            Value::Bool(_) => !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false"),
            _ => text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()),
        };
        if is_unquoted(node, &Form::Text) && !is_told {
            out.fail(node, path, format!("{path} is {}, wanted a string in quotes", show(node)));
        }
    };
    if let Some(one) = of(resource) {
        return object(&resource.body, one, &Place::ROOT, &mut |met| {
            if let Met::Wrong(node, Form::Text, place) = met {
                judge(node, &place.path());
            }
        });
    }
    // Of other kinds, what all objects and all containers have.
    let pod = pod(resource);
    let mut holders = vec![&resource.body];
    holders.extend(pod.filter(|_| &*resource.kind != "Pod").map(|pod| pod.template));
    for root in holders {
        for path in ["metadata.labels", "metadata.annotations"] {
            let Lookup::Known(map) = root.at(path) else { continue };
            map.entries().iter().for_each(|entry| judge(&entry.node, &format!("{path}.{}", entry.key)));
        }
    }
    for container in pod.into_iter().flat_map(|pod| pod.containers()) {
        for entry in container.body.get("env").items() {
            if let Lookup::Known(value) = entry.get("value") {
                judge(value, "env.value");
            }
        }
        for list in ["args", "command"] {
            let items = container.body.get(list).items();
            items.iter().for_each(|item| judge(item, list));
        }
    }
}
