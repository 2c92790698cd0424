//! Which manifests are judged by themselves though a kustomization names them.

use rustc_hash::FxHashSet;

use super::named::{named_by, named_in};
use super::target::is_of_api;
use super::{Manifest, is_name};
use crate::frontend::Before;
use crate::model::Resource;
use crate::model::view::pod::pod;
use crate::path::{folder_of, join, name_of};

/// Manifests that the base of a change has in the same place, and that no kustomization named there, by their index: they were
/// judged by themselves.
pub(in crate::frontend::kubernetes) fn before(before: &Before, manifests: &[Manifest]) -> FxHashSet<usize> {
    let others = || before.of_format("kubernetes").iter().map(|file| before.sources.get(*file));
    let mut named: FxHashSet<String> = FxHashSet::default();
    let mut name = |path: &str, files: Vec<String>| {
        named.extend(files.iter().filter_map(|file| join(folder_of(path), file)));
    };
    for one in manifests.iter().filter(|one| is_name(name_of(&one.path)) && before.unchanged.contains(&one.file)) {
        name(&one.path, one.documents.first().map(|root| named_by(root).0).unwrap_or_default());
    }
    for one in others().filter(|one| is_name(one.name())) {
        name(one.path(), named_in(one.text()).0);
    }
    let changed: FxHashSet<&str> = others().map(|one| one.path()).collect();
    let stood_alone = |one: &Manifest| {
        let was_there = before.unchanged.contains(&one.file) || changed.contains(&*one.path);
        was_there && !before.needed.contains(&one.file) && !named.contains(&one.path)
    };
    let alone = manifests.iter().enumerate().filter(|(_, one)| stood_alone(one));
    alone.map(|(index, _)| index).collect()
}

/// Whether an object that is named as a patch has what the API asks of an object of its kind; `is_complete` tells whether kustomize
/// has no object for it for certain. Of kinds about which nothing is known here, such as those of other projects, any may be whole:
/// they are where nothing can be patched by them.
pub(super) fn is_whole(object: &Resource, is_complete: bool) -> bool {
    let has = |path: &str| !object.body.at(path).is_absent();
    let runs = || {
        pod(object).is_some_and(|pod| {
            let mut containers = pod.containers().peekable();
            containers.peek().is_some() && containers.all(|container| !container.body.get("image").is_absent())
        })
    };
    let kind = if is_of_api(object) { &*object.kind } else { "" };
    let is_whole = match kind {
        "Pod" | "ReplicationController" => runs(),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => has("spec.selector") && runs(),
        "Job" => has("spec.template.spec.restartPolicy") && runs(),
        "CronJob" => has("spec.schedule") && has("spec.jobTemplate.spec.template.spec.restartPolicy") && runs(),
        "Role" | "ClusterRole" => has("rules") || has("aggregationRule"),
        "RoleBinding" | "ClusterRoleBinding" => has("roleRef"),
        "Service" => has("spec.ports"),
        _ => is_complete,
    };
    is_whole && !object.name.is_empty()
}
