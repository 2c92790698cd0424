//! Checks of Terraform's own blocks.

use super::{Cx, Findings, Native};
use crate::model::{Lookup, Resource, ResourceId};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] =
    &[("tf-secret-variable-default", Native::Resource("terraform", &["variable"], secret_default))];

/// Words in names of things that hold secrets.
const SECRET_WORDS: &[&str] =
    &["password", "passwd", "secret", "token", "apikey", "api_key", "private_key", "access_key", "credential"];

/// Endings of names that speak of a secret without being one.
const HARMLESS_ENDINGS: &[&str] = &[
    "_name",
    "_arn",
    "_id",
    "_length",
    "_path",
    "_enabled",
    "_ttl",
    "_rotation",
    "_days",
    "_policy",
    "_version",
    "_key_id",
    "_window",
    "_expiration",
];

/// Whether a name says that its value is a secret.
pub fn names_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| name.contains(word)) && !HARMLESS_ENDINGS.iter().any(|end| name.ends_with(end))
}

/// Whether a text stands in for a secret that is given elsewhere.
pub fn is_placeholder(text: &str) -> bool {
    let lower = text.to_lowercase();
    let marks = [
        "changeme",
        "change-me",
        "change_me",
        "example",
        "placeholder",
        "dummy",
        "todo",
        "xxxx",
        "redacted",
        "your-",
        "your_",
        "<",
        "${",
    ];
    text.is_empty()
        || marks.iter().any(|mark| lower.contains(mark))
        || matches!(lower.as_str(), "true" | "false" | "none" | "null")
}

fn secret_default(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let Lookup::Known(default) = resource.body.get("default") else { return };
    let Some(text) = default.as_str() else { return };
    if names_secret(&resource.name) && !is_placeholder(text) {
        out.fail(default, "default", "the default is a secret written out in the code, wanted no default").sensitive();
    }
}
