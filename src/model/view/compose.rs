//! What a Compose service publishes and mounts, from the long form that the frontend gives it.

use crate::model::{Lookup, Model, Node, Resource, ResourceId, Value};

/// A published port, or a range of them.
#[derive(Debug, Clone, Copy)]
pub struct Port<'a> {
    /// Its entry.
    pub node: &'a Node,
    /// First and last port of the container.
    pub target: Option<(u16, u16)>,
    /// First and last port of the host; none where Docker chooses one.
    pub published: Option<(u16, u16)>,
    /// The address of the host.
    pub host_ip: Lookup<'a>,
}

impl Port<'_> {
    /// Whether every address of the host answers; none where a variable decides it.
    pub fn is_on_all_interfaces(&self) -> Option<bool> {
        match self.host_ip {
            Lookup::Absent(_) => Some(true),
            Lookup::Unknown(_) => None,
            Lookup::Known(node) => Some(matches!(node.as_str(), Some("" | "0.0.0.0" | "::"))),
        }
    }
}

/// A mount of a service.
#[derive(Debug, Clone, Copy)]
pub struct Mount<'a> {
    /// Its entry.
    pub node: &'a Node,
    /// Where it comes from: a path of the host, or the name of a volume.
    pub source: Lookup<'a>,
    /// Whether the source is a path of the host, as far as is known.
    pub is_bind: bool,
    /// Whether nothing can be written there.
    pub is_read_only: bool,
}

impl<'a> Mount<'a> {
    /// The source as it is written: a variable may stand for a part of it.
    pub fn written(&self) -> Option<&'a str> {
        match (self.source, &self.source.node().value) {
            (Lookup::Unknown(_), Value::Unknown(unknown)) => unknown.template.as_deref(),
            (source, _) => source.as_str(),
        }
    }

    /// The path of the host, without a slash at the end; none for volumes and where a variable decides it.
    pub fn host_path(&self) -> Option<&'a str> {
        let path = self.source.known()?.as_str()?;
        Some(if path.len() > 1 { path.trim_end_matches('/') } else { path }).filter(|_| self.is_bind)
    }
}

/// All services of the model.
pub fn services(model: &Model) -> impl Iterator<Item = (ResourceId, &Resource)> {
    model.iter().filter(|(_, one)| one.format == "compose" && &*one.kind == "service")
}

/// The ports that a service publishes.
pub fn ports(service: &Resource) -> impl Iterator<Item = Port<'_>> {
    let items = service.body.get("ports").items();
    items.iter().map(|node| Port {
        node,
        target: node.get("target").known().and_then(range),
        published: node.get("published").known().and_then(range),
        host_ip: node.get("host_ip"),
    })
}

/// The mounts of a service.
pub fn mounts(service: &Resource) -> impl Iterator<Item = Mount<'_>> {
    let items = service.body.get("volumes").items();
    items.iter().map(|node| Mount {
        node,
        source: node.get("source"),
        is_bind: node.get("type").as_str() == Some("bind"),
        is_read_only: node.get("read_only").as_bool() == Some(true),
    })
}

/// The first and last port of `80` or `8000-8010`.
fn range(node: &Node) -> Option<(u16, u16)> {
    let text = node.to_text()?;
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}
