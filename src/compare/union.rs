//! The model of the base: what was read again, and what the change does not touch as the head has it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Head;
use super::plan::Plan;
use crate::model::{Edge, Graph, Model, Resource, ResourceId, Secret};
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

/// Joins what was read again with the untouched rest. What was read for others' sake alone is of the rest.
pub(super) fn union(plan: &Plan, mut part: Assembled, head: &Head<'_>) -> Assembled {
    let rest = &head.assembled.model;
    let Model { resources, graph, dockerfiles, observations, image_builds, secrets, .. } =
        std::mem::take(&mut part.model);
    let is_touched = |resource: &Resource| plan.touched.contains(&*resource.root);
    let mut joined = Joined::default();
    joined.add(resources.into_iter().map(|one| is_touched(&one).then_some(one)), &graph);
    joined.add(rest.resources.iter().map(|one| (!is_touched(one)).then(|| one.clone())), &rest.graph);
    let mut model = Model {
        resources: joined.resources,
        graph: Graph::new(joined.edges),
        dockerfiles,
        observations,
        image_builds,
        secrets,
        ..Model::default()
    };
    let again: FxHashSet<FileId> = plan.discovered.claims.iter().flatten().copied().collect();
    let is_untouched = |file: FileId| plan.unchanged.contains(&file) && !again.contains(&file);
    model.dockerfiles.extend(rest.dockerfiles.iter().filter(|one| is_untouched(one.file)).cloned());
    model.observations.extend(rest.observations.iter().filter(|one| is_untouched(one.span.file)).cloned());
    model.image_builds.extend(rest.image_builds.iter().filter(|one| is_untouched(one.span.file)).cloned());
    let comments = &head.assembled.comments;
    part.comments.extend(comments.iter().filter(|one| plan.unchanged.contains(&one.file)));
    part.comments.sort();
    part.comments.dedup();
    part.model = model;
    // Which stages are built may differ from the head.
    part.model.mark_targets();
    part
}

/// Resources of several models with the references between them.
#[derive(Default)]
struct Joined {
    resources: Vec<Resource>,
    edges: Vec<Edge>,
}

impl Joined {
    /// Adds a model's resources, those that are left out as none, and the references between those that are not.
    fn add(&mut self, resources: impl Iterator<Item = Option<Resource>>, graph: &Graph) {
        let mut ids: FxHashMap<ResourceId, ResourceId> = FxHashMap::default();
        for (index, resource) in resources.enumerate() {
            let Some(resource) = resource else { continue };
            ids.insert(ResourceId(index as u32), ResourceId(self.resources.len() as u32));
            self.resources.push(resource);
        }
        self.edges.extend(graph.edges().iter().filter_map(|edge| {
            let (from, to) = (*ids.get(&edge.from)?, *ids.get(&edge.to)?);
            Some(Edge { from, attribute: edge.attribute.clone(), to })
        }));
    }
}
