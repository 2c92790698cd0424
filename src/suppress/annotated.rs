//! Annotations: each speaks of the objects that have it, whatever file gave it to them, and of no copy of them in another root.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Context;
use super::dialect::{ANNOTATION_ROWS, Mark};
use super::placed::is_understood;
use crate::finding::Finding;
use crate::model::{Entry, Lookup, Resource};
use crate::source::{FileId, Span};

/// The objects that have an annotation.
#[derive(Debug, Default)]
pub(super) struct Holders {
    /// Their texts, with the roots in which they have it.
    objects: FxHashSet<(Span, Arc<str>)>,
    /// The text in which the annotation itself is written; none where a patch or a kustomization adds it.
    own: Option<Span>,
}

impl Holders {
    /// The files of the objects.
    pub fn files(&self) -> BTreeSet<FileId> {
        self.objects.iter().map(|(span, _)| span.file).collect()
    }

    /// Whether a finding is about one of them. One that knows no root is about every copy.
    pub fn hold(&self, finding: &Finding, resources: &[&Resource]) -> bool {
        let has_it = |one: &&Resource| self.objects.contains(&(one.span, Arc::clone(&one.root)));
        let is_held = match finding.root.is_empty() {
            true => !resources.is_empty() && resources.iter().all(has_it),
            false => resources.iter().any(has_it),
        };
        // What stands in the text of the object and is found of none of its copies, as a secret is.
        let is_copy = |one: &&Resource| self.own == Some(one.span);
        let stands_in = |own: Span| own.file == finding.at.file && (own.start..own.end).contains(&finding.at.start);
        is_held || (!resources.iter().any(is_copy) && self.own.is_some_and(stands_in))
    }
}

/// An annotation as it is written: where its key stands, the row that reads it, and its value.
type Written = (Span, usize, String);

/// The suppressions in annotations: the dialect, the place, what is asked for and of which objects. Many objects may have one that
/// is written once.
pub(super) fn read(cx: &Context<'_>) -> Vec<(&'static str, Span, Mark, Holders)> {
    let rows: Vec<_> = ANNOTATION_ROWS.iter().filter(|row| is_understood(cx.config, row.dialect)).collect();
    let mut found: Vec<(&'static str, Span, Mark, Holders)> = Vec::new();
    let mut known: FxHashMap<Written, usize> = FxHashMap::default();
    for resource in cx.model.resources.iter().filter(|resource| resource.format == "kubernetes") {
        for entry in annotations(resource) {
            let value = entry.node.as_str().unwrap_or("");
            for (number, row) in rows.iter().enumerate() {
                let Some(mark) = (row.read)(&entry.key, value) else { continue };
                let index = *known.entry((entry.key_span, number, value.to_string())).or_insert_with(|| {
                    let source = cx.discovered.sources.get(entry.key_span.file);
                    let at = source.first_line(entry.key_span.to(entry.node.span));
                    found.push((row.dialect, at, mark, Holders::default()));
                    found.len() - 1
                });
                let holders = &mut found[index].3;
                holders.objects.insert((resource.span, Arc::clone(&resource.root)));
                holders.own = holders.own.or(resource.span.contains(entry.key_span).then_some(resource.span));
            }
        }
    }
    found
}

/// The annotations of an object.
pub(super) fn annotations(resource: &Resource) -> &[Entry] {
    match resource.body.at("metadata.annotations") {
        Lookup::Known(node) => node.entries(),
        _ => &[],
    }
}
