//! Secrets in Kubernetes objects whose business they are: Secrets, ConfigMaps and applications of Argo CD.

use super::super::{Cx, Findings, Native};
use super::{flag, in_lines, pair, report};
use crate::model::{Entry, Lookup, Node, Resource, ResourceId, Value};
use crate::secret::{self, Kind, is_literal_secret, is_reference, is_secret_name, looks_like_placeholder};
use crate::source::Span;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-configmap-secret", Native::Resource("kubernetes", &["ConfigMap"], config_map)),
    ("k8s-secret-committed", Native::Resource("kubernetes", &["Secret"], committed)),
    ("k8s-tls-key-committed", Native::Resource("kubernetes", &["Secret"], private_key)),
    ("k8s-argocd-plaintext-secret", Native::Resource("kubernetes", &["Application", "ApplicationSet"], application)),
];

/// Whether the rules of this file judge all secrets of an object.
pub fn judges(resource: &Resource) -> bool {
    let is_core = &*resource.api_version == "v1" && matches!(&*resource.kind, "Secret" | "ConfigMap");
    resource.format == "kubernetes" && (is_core || is_application(resource))
}

fn is_application(resource: &Resource) -> bool {
    resource.api_version.starts_with("argoproj.io/") && matches!(&*resource.kind, "Application" | "ApplicationSet")
}

/// A finding about the value of an entry; a block of lines is found at its key.
fn fail(cx: &Cx, (entry, secret): (&Entry, &str), path: String, message: String, out: &mut Findings) {
    let is_block = cx.sources.slice(entry.node.span).contains('\n');
    let at = if is_block { entry.key_span } else { entry.node.span };
    out.at(at, path, message).holds(secret);
}

/// Entries of `data` in base64 and of the field for plain text.
fn entries<'a>(resource: &'a Resource, plain: &str, encoded: &str) -> Vec<(&'a Entry, String, bool)> {
    let mut all = Vec::new();
    for (field, is_encoded) in [(plain, false), (encoded, true)] {
        let Lookup::Known(map) = resource.body.get(field) else { continue };
        for entry in map.entries() {
            let Some(text) = entry.node.as_str() else { continue };
            let decoded = || {
                let packed: String = text.split_whitespace().collect();
                STANDARD.decode(packed).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            };
            let decoded = if is_encoded { decoded() } else { None };
            all.push((entry, decoded.unwrap_or_else(|| text.to_string()), is_encoded));
        }
    }
    all
}

fn config_map(cx: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    if &*resource.api_version != "v1" {
        return;
    }
    for (entry, text, is_encoded) in entries(resource, "data", "binaryData") {
        let path = format!("{}.{}", if is_encoded { "binaryData" } else { "data" }, entry.key);
        if is_secret_name(&entry.key) && is_literal_secret(&text) {
            let message = format!("{} is written out, wanted a Secret that is not committed", entry.key);
            fail(cx, (entry, &text), path, message, out);
            continue;
        }
        if is_encoded {
            if let Some(hit) = secret::find(&text).first() {
                fail(cx, (entry, &text), path, format!("{} holds a {}, wanted a Secret", entry.key, hit.what), out);
            }
            continue;
        }
        let told = lines(cx, &entry.node, &path, out);
        named_literals(cx, entry, &path, &told, out);
    }
    known_forms(cx, resource, "a ConfigMap", out);
}

/// Literals of secret names inside of a value that holds a file or a command, but for those that were `told`.
fn named_literals(cx: &Cx, entry: &Entry, path: &str, told: &[Span], out: &mut Findings) {
    for secret in cx.model.secrets_in(entry.node.span).filter(|secret| secret.kind == Kind::Literal) {
        let overlaps = |other: &Span| other.start < secret.span.end && secret.span.start < other.end;
        if !told.iter().any(overlaps) {
            let message =
                format!("{} in {} is written out, wanted a Secret that is not committed", secret.what, entry.key);
            out.at(secret.span, path, message).sensitive();
        }
    }
}

/// Credentials of known forms in an object.
fn known_forms(cx: &Cx, resource: &Resource, place: &str, out: &mut Findings) {
    for secret in cx.model.secrets_in(resource.span).filter(|secret| secret.kind != Kind::Literal) {
        report(cx, secret, format!("{} stands in {place}, wanted a Secret that is not committed", secret.what), out);
    }
}

/// Assignments in the lines of a file that is the value of an entry; gives their places.
fn lines(cx: &Cx, node: &Node, path: &str, out: &mut Findings) -> Vec<Span> {
    let found = in_lines(cx, node.span).into_iter().map(|(name, at)| {
        let message = format!("{name} is written out, wanted a Secret that is not committed");
        out.at(at, format!("{path}.{name}"), message).sensitive();
        at
    });
    found.collect()
}

/// Keys of Secrets that say where and who, not with what.
const HARMLESS_KEYS: &[&str] = &[
    "url",
    "uri",
    "type",
    "name",
    "project",
    "username",
    "user",
    "host",
    "hostname",
    "port",
    "database",
    "dbname",
    "namespace",
    "server",
    "region",
    "endpoint",
    "email",
    "insecure",
    "enablelfs",
    "enableoci",
    "ca.crt",
    "tls.crt",
    "bucket",
    "issuer",
    "scheme",
];

/// One finding a Secret: the mend is one, to take the object out of the repository.
fn committed(cx: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    // What SOPS encrypts is meant to be committed.
    if &*resource.api_version != "v1" || resource.body.get("sops").known().is_some() {
        return;
    }
    let real: Vec<(&Entry, String, bool)> = entries(resource, "stringData", "data")
        .into_iter()
        .filter(|(entry, text, _)| {
            let text = text.trim();
            !text.is_empty()
                && !looks_like_placeholder(text)
                && !is_reference(text)
                && !HARMLESS_KEYS.contains(&entry.key.to_ascii_lowercase().as_str())
                && !holds_private_key(text)
        })
        .collect();
    let named = real.iter().find(|(entry, ..)| is_secret_name(&entry.key));
    let Some((first, text, is_encoded)) = named.or_else(|| real.first()) else { return };
    let more = match real.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let field = if *is_encoded { "data" } else { "stringData" };
    let message =
        format!("the Secret is committed with {}{more}, wanted it made by a secret store or sealed", first.key);
    fail(cx, (first, text), format!("{field}.{}", first.key), message, out);
}

fn holds_private_key(text: &str) -> bool {
    secret::find(text).iter().any(|hit| hit.kind == Kind::PrivateKey)
}

fn private_key(cx: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    if &*resource.api_version != "v1" {
        return;
    }
    for (entry, text, is_encoded) in entries(resource, "stringData", "data") {
        if holds_private_key(&text) {
            let field = if is_encoded { "data" } else { "stringData" };
            let message = format!("{} is a private key, wanted it made by cert-manager or a secret store", entry.key);
            fail(cx, (entry, &text), format!("{field}.{}", entry.key), message, out);
        }
    }
}

fn application(cx: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    if !is_application(resource) {
        return;
    }
    if let Lookup::Known(spec) = resource.body.get("spec") {
        values(cx, spec, "", "spec", out);
    }
    known_forms(cx, resource, "an Argo CD application", out);
}

/// Parameters, values and environments of an application's sources.
fn values(cx: &Cx, node: &Node, name: &str, path: &str, out: &mut Findings) {
    let mut judge = |name: &str, text: &str, node: &Node, path: &str| {
        if is_secret_name(name) && is_literal_secret(text) && !super::names_object(name, text) {
            let message = format!("{name} is written out, wanted a reference to a secret");
            out.fail(node, path, message).holds(text);
        }
    };
    match &node.value {
        Value::Map(map) => {
            if let Some((name, value)) = pair(node) {
                judge(name, value.as_str().unwrap_or(""), value, &format!("{path}.value"));
            }
            for entry in map.entries() {
                values(cx, &entry.node, &entry.key, &format!("{path}.{}", entry.key), out);
            }
        }
        Value::List(items) => items.iter().for_each(|item| values(cx, item, name, path, out)),
        Value::String(_) if name == "values" => drop(lines(cx, node, path, out)),
        Value::String(text) => match flag(text) {
            Some((name, value)) => judge(name, value, node, path),
            None => judge(name, text, node, path),
        },
        _ => {}
    }
}
