//! An object that is judged by itself though a kustomization makes something of it.

use rustc_hash::FxHashSet;

use crate::finding::Finding;
use crate::source::Sources;

/// Leaves out what is found of an object that a kustomization makes where the same is found of the object by itself.
pub fn leave_out_builds(findings: &mut Vec<Finding>, sources: &Sources) {
    let is_alone = |one: &Finding| one.scope.is_some_and(|scope| *sources.get(scope.file).path() == *one.root);
    // Its namespace, which is in the address, may be another.
    let said = |one: &Finding| one.message.replace(&*one.address, "");
    let key = |one: &Finding| (one.rule.clone(), one.scope, one.at, one.judged, one.attribute.clone(), said(one));
    let is_built = |one: &Finding| one.scope.is_some() && !is_alone(one);
    let built: FxHashSet<_> = findings.iter().filter(|one| is_built(one)).filter_map(|one| one.scope).collect();
    let twice = findings.iter().filter(|one| is_alone(one) && one.scope.is_some_and(|scope| built.contains(&scope)));
    let alone: FxHashSet<_> = twice.map(key).collect();
    if !alone.is_empty() {
        findings.retain(|one| !is_built(one) || !alone.contains(&key(one)));
    }
}
