//! The short forms of ports, volumes, devices and grants, written out as maps. Where a variable without value stands in one,
//! the parts that it may decide are unknown, the others are known.

use std::borrow::Cow;

use crate::model::{Entry, Node, Unknown, Value};

/// The text of a scalar: itself, or the template of one with unknown parts. None for collections and what has no text.
pub(super) fn text_of(node: &Node) -> Option<Cow<'_, str>> {
    match &node.value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Unknown(unknown) => unknown.template.as_deref().map(Cow::Borrowed),
        _ => node.to_text().map(Cow::Owned),
    }
}

/// A part of a text at the place of the whole; unknown if the whole is and the part holds a variable.
pub(super) fn part(whole: &Node, text: &str) -> Node {
    match &whole.value {
        Value::Unknown(unknown) if text.contains("${") => {
            let unknown = Unknown { template: Some(text.into()), ..Unknown::clone(unknown) };
            Node::new(Value::Unknown(unknown.into()), whole.span)
        }
        _ => Node::string(text, whole.span),
    }
}

fn entry(key: &str, node: Node) -> Entry {
    Entry { key: key.into(), key_span: node.span, node }
}

fn flag(key: &str, whole: &Node) -> Entry {
    entry(key, Node::new(Value::Bool(true), whole.span))
}

/// Cuts at colons outside of `${…}` and `[…]`.
fn cut(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn is_open(text: &str) -> bool {
    text.contains("${")
}

/// `[[host_ip:]published:]target[/protocol]`.
pub(super) fn port(node: &Node) -> Result<Node, String> {
    let text = text_of(node).ok_or("a port that is no text")?;
    let (body, protocol) = match text.rsplit_once('/') {
        Some((body, protocol)) if !protocol.contains('}') => (body, Some(protocol)),
        _ => (&*text, None),
    };
    // Without brackets an IPv6 address has more colons.
    let parts = cut(body);
    let address;
    let (host, published, target) = match &parts[..] {
        [target] => (None, None, *target),
        [published, target] => (None, Some(*published), *target),
        [host, published, target] => (Some(*host), Some(*published), *target),
        [.., published, target] => {
            address = &body[..body.len() - published.len() - target.len() - 2];
            (Some(address), Some(*published), *target)
        }
        [] => (None, None, ""),
    };
    let is_range = |text: &str| is_open(text) || range(text).is_some();
    if !is_range(target) || published.is_some_and(|published| !published.is_empty() && !is_range(published)) {
        return Err(format!("{text:?} is no port, wanted [[address:]published:]target[/protocol]"));
    }
    let is_unknown = matches!(node.value, Value::Unknown(_));
    let mut entries = vec![entry("target", part(node, target))];
    if let Some(published) = published.filter(|published| !published.is_empty()) {
        entries.push(entry("published", part(node, published)));
    }
    match host {
        Some(host) => {
            entries.push(entry("host_ip", part(node, host.trim_start_matches('[').trim_end_matches(']'))));
        }
        // `${LISTEN}:80` may hold an address too.
        None if is_unknown && is_open(published.unwrap_or(target)) => {
            entries.push(entry("host_ip", part(node, published.unwrap_or(target))));
        }
        None => {}
    }
    if let Some(protocol) = protocol {
        entries.push(entry("protocol", part(node, protocol)));
    }
    Ok(Node::map(entries, node.span))
}

/// The first and last port of `80` or `8000-8010`.
pub(super) fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last))
}

/// `[source:]target[:options]`.
pub(super) fn volume(node: &Node) -> Result<Node, String> {
    let text = text_of(node).ok_or("a volume that is no text")?;
    let mut parts: Vec<Cow<'_, str>> = Vec::new();
    for piece in cut(&text) {
        // `C:\data` is one part.
        let is_drive = parts.last().is_some_and(|last| last.len() == 1 && last.as_bytes()[0].is_ascii_alphabetic());
        match parts.last_mut() {
            Some(last) if is_drive && piece.starts_with(['\\', '/']) => {
                *last = format!("{last}:{piece}").into();
            }
            _ => parts.push(piece.into()),
        }
    }
    let mut entries = Vec::new();
    let kind = |kind: &str| entry("type", Node::string(kind, node.span));
    let (source, target, options) = match &parts[..] {
        [target] => (None, target, None),
        [source, target] => (Some(source), target, None),
        [source, target, options] => (Some(source), target, Some(options)),
        _ => return Err(format!("{text:?} is no volume, wanted [source:]target[:options]")),
    };
    if target.is_empty() {
        return Err(format!("{text:?} is no volume: it has no target"));
    }
    match source {
        Some(source) => {
            match is_path(source) {
                Some(true) => entries.push(kind("bind")),
                Some(false) => entries.push(kind("volume")),
                None => entries.push(entry("type", part(node, source))),
            }
            entries.push(entry("source", part(node, source)));
        }
        None => entries.push(kind("volume")),
    }
    entries.push(entry("target", part(node, target)));
    for option in options.iter().flat_map(|options| options.split(',')) {
        match option {
            "ro" => entries.push(flag("read_only", node)),
            "z" | "Z" => entries.push(entry("bind", map("selinux", option, node))),
            "shared" | "rshared" | "slave" | "rslave" | "private" | "rprivate" => {
                entries.push(entry("bind", map("propagation", option, node)));
            }
            "nocopy" => {
                let nocopy = Node::map(vec![flag("nocopy", node)], node.span);
                entries.push(entry("volume", nocopy));
            }
            _ if is_open(option) => entries.push(entry("read_only", part(node, option))),
            _ => {}
        }
    }
    let mut seen: Vec<std::sync::Arc<str>> = Vec::new();
    entries.retain(|one| {
        !seen.contains(&one.key) && {
            seen.push(one.key.clone());
            true
        }
    });
    Ok(Node::map(entries, node.span))
}

fn map(key: &str, value: &str, whole: &Node) -> Node {
    Node::map(vec![entry(key, Node::string(value, whole.span))], whole.span)
}

/// Whether a source is a path of the host and no name of a volume; none where a variable decides it.
fn is_path(source: &str) -> Option<bool> {
    let is_drive = source.len() > 2 && source.as_bytes()[1] == b':' && source.as_bytes()[0].is_ascii_alphabetic();
    if source.starts_with(['.', '/', '~', '\\']) || is_drive {
        return Some(true);
    }
    match is_open(source) {
        false => Some(false),
        // A name has no slash.
        true if source.contains('/') => Some(true),
        true => None,
    }
}

/// `source[:target[:permissions]]`.
pub(super) fn device(node: &Node) -> Result<Node, String> {
    let text = text_of(node).ok_or("a device that is no text")?;
    let parts = cut(&text);
    let source = parts.first().copied().unwrap_or("");
    let mut entries = vec![entry("source", part(node, source))];
    entries.push(entry("target", part(node, parts.get(1).copied().unwrap_or(source))));
    entries.push(entry("permissions", part(node, parts.get(2).copied().unwrap_or("rwm"))));
    Ok(Node::map(entries, node.span))
}

/// A secret or config by its name.
pub(super) fn grant(node: &Node) -> Result<Node, String> {
    let name = text_of(node).ok_or("a grant that is no text")?;
    Ok(Node::map(vec![entry("source", part(node, &name))], node.span))
}

/// A file of variables.
pub(super) fn env_file(node: &Node) -> Result<Node, String> {
    let path = text_of(node).ok_or("a file that is no text")?;
    Ok(Node::map(vec![entry("path", part(node, &path))], node.span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lookup;
    use crate::source::{FileId, Span};

    fn text(text: &str) -> Node {
        Node::string(text, Span::new(FileId(0), 0, 1))
    }

    fn open(text: &str) -> Node {
        let unknown = Unknown { template: Some(text.into()), ..Unknown::default() };
        Node::new(Value::Unknown(unknown.into()), Span::new(FileId(0), 0, 1))
    }

    fn shown(node: &Node) -> Vec<String> {
        let show = |node: &Node| text_of(node).map_or_else(|| "…".into(), |text| text.into_owned());
        node.entries()
            .iter()
            .map(|entry| {
                let mark = if entry.node.is_unknown() { "?" } else { "" };
                format!("{}{mark}={}", entry.key, show(&entry.node))
            })
            .collect()
    }

    #[test]
    fn a_short_port_has_an_address_a_published_and_a_target_port() {
        let of = |short: &str| shown(&port(&text(short)).expect("a port"));
        assert_eq!(of("80"), ["target=80"]);
        assert_eq!(of("8080:80/udp"), ["target=80", "published=8080", "protocol=udp"]);
        assert_eq!(of("127.0.0.1:8080:80"), ["target=80", "published=8080", "host_ip=127.0.0.1"]);
        assert_eq!(of("127.0.0.1::80"), ["target=80", "host_ip=127.0.0.1"]);
        assert_eq!(of("[::1]:8080:80"), ["target=80", "published=8080", "host_ip=::1"]);
        assert_eq!(of("9000-9010:8000-8010"), ["target=8000-8010", "published=9000-9010"]);
        for short in ["web", "80:web", "1:2:3:4x", "90-80", "70000"] {
            assert!(port(&text(short)).is_err(), "{short}");
        }
    }

    #[test]
    fn a_variable_leaves_open_only_what_it_may_decide() {
        let of = |short: &str| shown(&port(&open(short)).expect("a port"));
        assert_eq!(of("127.0.0.1:${PORT}:80"), ["target=80", "published?=${PORT}", "host_ip=127.0.0.1"]);
        assert_eq!(of("${PORT}:80"), ["target=80", "published?=${PORT}", "host_ip?=${PORT}"]);
        let volume = volume(&open("${DATA}/db:/var/lib/db:ro")).expect("a volume");
        assert_eq!(shown(&volume), ["type=bind", "source?=${DATA}/db", "target=/var/lib/db", "read_only=true"]);
    }

    #[test]
    fn a_short_volume_binds_paths_and_mounts_names() {
        let of = |short: &str| shown(&volume(&text(short)).expect("a volume"));
        assert_eq!(of("/data"), ["type=volume", "target=/data"]);
        assert_eq!(of("db:/data"), ["type=volume", "source=db", "target=/data"]);
        assert_eq!(of("./conf:/conf:ro,z")[..4], ["type=bind", "source=./conf", "target=/conf", "read_only=true"]);
        assert_eq!(of(r"C:\data:/data"), ["type=bind", r"source=C:\data", "target=/data"]);
        let shared = volume(&text("/mnt:/mnt:rshared")).expect("a volume");
        assert!(matches!(shared.at("bind.propagation"), Lookup::Known(node) if node.as_str() == Some("rshared")));
        assert!(volume(&text("a:b:c:d")).is_err());
    }
}
