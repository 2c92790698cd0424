//! References between resources, kept even where the value is unknown: `bucket = aws_s3_bucket.x.id` is an edge.

use std::sync::Arc;

use super::ResourceId;

/// One reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The resource whose argument refers.
    pub from: ResourceId,
    /// The top-level argument that holds the reference (`bucket`, `ingress`); empty for `depends_on` and the like.
    pub attribute: Arc<str>,
    /// The resource that is referred to.
    pub to: ResourceId,
}

/// All references, findable from both ends.
#[derive(Debug, Default)]
pub struct Graph {
    outgoing: Vec<Edge>,
    incoming: Vec<Edge>,
}

impl Graph {
    /// Takes edges in any order; duplicates are dropped.
    pub fn new(mut edges: Vec<Edge>) -> Graph {
        edges.sort();
        edges.dedup();
        let mut incoming = edges.clone();
        incoming.sort_by(|a, b| (a.to, &a.attribute, a.from).cmp(&(b.to, &b.attribute, b.from)));
        Graph { outgoing: edges, incoming }
    }

    /// The references that `from` makes.
    pub fn outgoing(&self, from: ResourceId) -> &[Edge] {
        let start = self.outgoing.partition_point(|edge| edge.from < from);
        let end = self.outgoing.partition_point(|edge| edge.from <= from);
        &self.outgoing[start..end]
    }

    /// The references to `to`.
    pub fn incoming(&self, to: ResourceId) -> &[Edge] {
        let start = self.incoming.partition_point(|edge| edge.to < to);
        let end = self.incoming.partition_point(|edge| edge.to <= to);
        &self.incoming[start..end]
    }

    /// The references that one argument of `from` makes.
    pub fn outgoing_by(&self, from: ResourceId, attribute: &str) -> &[Edge] {
        run(self.outgoing(from), attribute)
    }

    /// The references to `to` that arguments of this name make.
    pub fn incoming_by(&self, to: ResourceId, attribute: &str) -> &[Edge] {
        run(self.incoming(to), attribute)
    }

    /// Every edge, by source.
    pub fn edges(&self) -> &[Edge] {
        &self.outgoing
    }
}

/// The edges of one attribute, of edges that are sorted by it.
fn run<'a>(edges: &'a [Edge], attribute: &str) -> &'a [Edge] {
    let start = edges.partition_point(|edge| &*edge.attribute < attribute);
    let end = edges.partition_point(|edge| &*edge.attribute <= attribute);
    &edges[start..end]
}
