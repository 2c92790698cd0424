//! The model of the base: what was read again, and what the change does not touch as the head has it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Head;
use super::plan::Plan;
use crate::model::{Edge, Graph, Model, ResourceId, Secret};
use crate::scan::{self, Assembled};
use crate::source::{FileId, Sources};

/// Credentials in the texts of the base: those of the head in unchanged texts, and those of the texts that are others.
pub(super) fn secrets(plan: &Plan, head: &Head<'_>) -> Vec<Secret> {
    let known = head.assembled.model.secrets.iter().filter(|one| plan.unchanged.contains(&one.span.file)).copied();
    let mut secrets: Vec<Secret> = known.collect();
    let mut changed: Vec<_> = plan.changed.values().copied().collect();
    changed.sort_unstable();
    let texts = &plan.discovered.sources;
    // Ids of a part begin at 0.
    let part = Sources::new(changed.iter().map(|file| texts.get(*file).shared()).collect());
    secrets.extend(scan::secrets(&part).into_iter().map(|mut one| {
        one.span.file = changed[one.span.file.0 as usize];
        one
    }));
    secrets.sort_by_key(|one| one.span);
    secrets
}

/// Joins what was read again with the untouched rest.
pub(super) fn union(plan: &Plan, mut part: Assembled, head: &Head<'_>) -> Assembled {
    let rest = &head.assembled.model;
    let mut model = std::mem::take(&mut part.model);
    let mut ids: FxHashMap<ResourceId, ResourceId> = FxHashMap::default();
    for (id, resource) in rest.iter().filter(|(_, resource)| !plan.touched.contains(&*resource.root)) {
        ids.insert(id, ResourceId(model.resources.len() as u32));
        model.resources.push(resource.clone());
    }
    let mut edges: Vec<Edge> = model.graph.edges().to_vec();
    edges.extend(rest.graph.edges().iter().filter_map(|edge| {
        let (from, to) = (*ids.get(&edge.from)?, *ids.get(&edge.to)?);
        Some(Edge { from, attribute: edge.attribute.clone(), to })
    }));
    let again: FxHashSet<FileId> = plan.discovered.claims.iter().flatten().copied().collect();
    let is_untouched = |file: FileId| plan.unchanged.contains(&file) && !again.contains(&file);
    model.dockerfiles.extend(rest.dockerfiles.iter().filter(|one| is_untouched(one.file)).cloned());
    model.observations.extend(rest.observations.iter().filter(|one| is_untouched(one.span.file)).cloned());
    model.image_builds.extend(rest.image_builds.iter().filter(|one| is_untouched(one.span.file)).cloned());
    let comments = &head.assembled.comments;
    part.comments.extend(comments.iter().filter(|one| plan.unchanged.contains(&one.file)));
    part.comments.sort();
    part.comments.dedup();
    part.model = Model {
        resources: model.resources,
        dockerfiles: model.dockerfiles,
        image_builds: model.image_builds,
        graph: Graph::new(edges),
        observations: model.observations,
        secrets: model.secrets,
        ..Model::default()
    };
    // Which stages are built may differ from the head.
    part.model.mark_targets();
    part
}
