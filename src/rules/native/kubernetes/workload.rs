//! How workloads stay up: replicas, autoscalers, disruption budgets, spread, selectors and what they refer to.

use super::name_span;
use crate::model::view::pod::{Pod, pod};
use crate::model::view::selector::{each as each_of, map_selects, pod_labels, selects, share_namespace};
use crate::model::{Lookup, Model, Node, Resource, ResourceId};
use crate::rules::native::containers::each;
use crate::rules::native::{Cx, Findings, Native, show};

/// Kinds that run a number of equal pods.
pub(super) const REPLICATED: &[&str] = &["Deployment", "StatefulSet"];

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-missing-hpa", Native::Resource("kubernetes", &["Deployment"], missing_hpa)),
    ("k8s-hpa-without-headroom", Native::Resource("kubernetes", &["HorizontalPodAutoscaler"], headroom)),
    ("k8s-hpa-dangling-target", Native::Resource("kubernetes", &["HorizontalPodAutoscaler"], dangling_target)),
    ("k8s-hpa-fixed-replicas", Native::Resource("kubernetes", REPLICATED, fixed_replicas)),
    ("k8s-hpa-incomplete-metric", Native::Resource("kubernetes", &["HorizontalPodAutoscaler"], incomplete_metric)),
    ("k8s-missing-disruption-budget", Native::Resource("kubernetes", &["Deployment"], missing_budget)),
    ("k8s-statefulset-missing-disruption-budget", Native::Resource("kubernetes", &["StatefulSet"], missing_budget)),
    (
        "k8s-disruption-budget-blocks-max-unavailable",
        Native::Resource("kubernetes", &["PodDisruptionBudget"], max_unavailable),
    ),
    (
        "k8s-disruption-budget-blocks-min-available",
        Native::Resource("kubernetes", &["PodDisruptionBudget"], min_available),
    ),
    ("k8s-missing-spread", Native::Resource("kubernetes", REPLICATED, missing_spread)),
    ("k8s-missing-anti-affinity", Native::Resource("kubernetes", REPLICATED, missing_anti_affinity)),
    (
        "k8s-mismatching-selector",
        Native::Resource(
            "kubernetes",
            &[
                "Deployment",
                "StatefulSet",
                "DaemonSet",
                "ReplicaSet",
                "Job",
                "ReplicationController",
                "DeploymentConfig",
            ],
            mismatching_selector,
        ),
    ),
    ("k8s-undeclared-env-source", Native::Pod(env_sources)),
    ("k8s-statefulset-missing-service", Native::Resource("kubernetes", &["StatefulSet"], headless_service)),
    ("k8s-statefulset-claim-access-mode", Native::Resource("kubernetes", &["StatefulSet"], claim_mode)),
];

/// Whether an autoscaler scales this object; None where one of them is unknown.
fn scales(scaler: &Resource, target: &Resource) -> Option<bool> {
    let (kind, name) = (scaler.body.at("spec.scaleTargetRef.kind"), scaler.body.at("spec.scaleTargetRef.name"));
    let own = target.body.at("metadata.name");
    if kind.as_str().is_some_and(|kind| kind != &*target.kind) {
        return Some(false);
    }
    match (name, own) {
        (Lookup::Known(name), Lookup::Known(own)) if name.as_str() != own.as_str() => Some(false),
        (Lookup::Known(_), Lookup::Known(_)) => share_namespace(scaler, target),
        _ => None,
    }
}

/// The labels of the pods of a workload; those that it selects by where the template is left out.
fn labels(workload: &Resource) -> Lookup<'_> {
    match pod_labels(workload) {
        Some(found @ (Lookup::Known(_) | Lookup::Unknown(_))) => found,
        _ => workload.body.at("spec.selector.matchLabels"),
    }
}

/// The autoscalers that may scale this object.
pub(super) fn scalers<'a>(model: &'a Model, target: &'a Resource) -> impl Iterator<Item = &'a Resource> {
    each_of(model, model.cluster().scaling(target.body.at("metadata.name"), target))
        .filter(move |scaler| &*scaler.kind == "ScaledObject" || scales(scaler, target) != Some(false))
        .filter(move |scaler| {
            &*scaler.kind != "ScaledObject"
                || scaler.body.at("spec.scaleTargetRef.name").as_str() == target.body.at("metadata.name").as_str()
        })
}

/// The number below which an autoscaler does not go.
pub(super) fn least(scaler: &Resource) -> Lookup<'_> {
    let path = if &*scaler.kind == "ScaledObject" { "spec.minReplicaCount" } else { "spec.minReplicas" };
    scaler.body.at(path)
}

/// How many replicas run: the declared number, or 1. None where it is unknown.
pub(super) fn replicas(workload: &Resource) -> Option<f64> {
    match workload.body.at("spec.replicas") {
        Lookup::Known(node) => node.as_f64(),
        Lookup::Unknown(_) => None,
        Lookup::Absent(_) => Some(1.0),
    }
}

/// Whether more than one replica runs, counted with autoscalers.
fn is_replicated(cx: &Cx, workload: &Resource) -> bool {
    replicas(workload).is_none_or(|count| count > 1.0)
        || scalers(cx.model, workload).any(|scaler| least(scaler).as_f64().is_none_or(|least| least > 1.0))
}

fn missing_hpa(cx: &Cx, _: ResourceId, workload: &Resource, out: &mut Findings) {
    if scalers(cx.model, workload).next().is_none() {
        out.at(name_span(workload), "", "no HorizontalPodAutoscaler of the tree scales it, wanted one");
    }
}

fn headroom(_: &Cx, _: ResourceId, scaler: &Resource, out: &mut Findings) {
    let (least, most) = (least(scaler), scaler.body.at("spec.maxReplicas"));
    let count = match least {
        Lookup::Unknown(_) => return out.undecided(),
        Lookup::Known(node) if node.as_f64().is_some_and(|least| least < 2.0) => {
            out.fail(node, "spec.minReplicas", format!("spec.minReplicas is {}, wanted at least 2", show(node)));
            return;
        }
        Lookup::Absent(_) => {
            out.at(
                least.node().span,
                "spec.minReplicas",
                "spec.minReplicas is not set and defaults to 1, wanted at least 2",
            );
            return;
        }
        Lookup::Known(node) => node.as_f64(),
    };
    if let (Some(least), Lookup::Known(node)) = (count, most)
        && node.as_f64().is_some_and(|most| most <= least)
    {
        out.fail(node, "spec.maxReplicas", format!("spec.maxReplicas is {}, wanted more than minReplicas", show(node)));
    }
}

fn dangling_target(cx: &Cx, _: ResourceId, scaler: &Resource, out: &mut Findings) {
    let (Some(kind), Lookup::Known(name)) =
        (scaler.body.at("spec.scaleTargetRef.kind").as_str(), scaler.body.at("spec.scaleTargetRef.name"))
    else {
        return;
    };
    let targets = cx.model.cluster().named(kind, name.as_str().unwrap_or_default(), Some(scaler));
    if !each_of(cx.model, targets).any(|target| scales(scaler, target) != Some(false)) {
        let message = format!("the tree declares no {kind} {} in its namespace, wanted one", show(name));
        out.fail(name, "spec.scaleTargetRef.name", message);
    }
}

fn fixed_replicas(cx: &Cx, _: ResourceId, workload: &Resource, out: &mut Findings) {
    let Lookup::Known(node) = workload.body.at("spec.replicas") else { return };
    if let Some(scaler) = scalers(cx.model, workload).find(|scaler| scales(scaler, workload) == Some(true)) {
        out.fail(node, "spec.replicas", "every apply sets back what the autoscaler chose, wanted no replicas")
            .related(scaler.head, "the autoscaler");
    }
}

fn incomplete_metric(_: &Cx, _: ResourceId, scaler: &Resource, out: &mut Findings) {
    for metric in scaler.body.at("spec.metrics").items() {
        if metric.at("type").as_str() != Some("Object") {
            continue;
        }
        let wanted = [
            "object.metric",
            "object.target",
            "object.describedObject.name",
            "object.describedObject.apiVersion",
            "object.describedObject.kind",
        ];
        for path in wanted {
            if metric.at(path).is_absent() {
                let at = metric.get("type").node();
                out.fail(at, format!("spec.metrics.{path}"), format!("the metric of type Object has no {path}"));
                break;
            }
        }
    }
}

fn missing_budget(cx: &Cx, _: ResourceId, workload: &Resource, out: &mut Findings) {
    if !is_replicated(cx, workload) {
        return;
    }
    let mut may = false;
    // By what the pods carry, and by what the workload says that they carry.
    for labels in [labels(workload), workload.body.at("spec.selector.matchLabels")] {
        for budget in each_of(cx.model, cx.model.cluster().selecting("PodDisruptionBudget", labels, workload)) {
            if share_namespace(budget, workload) == Some(false) {
                continue;
            }
            match budget.body.at("spec.selector") {
                Lookup::Known(selector) => match selects(selector, labels) {
                    Some(true) => return,
                    None => may = true,
                    Some(false) => {}
                },
                Lookup::Unknown(_) => may = true,
                Lookup::Absent(_) => {}
            }
        }
    }
    match may {
        true => out.undecided(),
        false => {
            out.at(name_span(workload), "", "no PodDisruptionBudget selects its pods, wanted one");
        }
    }
}

/// A number, or the share of a percentage.
fn share(node: &Node) -> Option<(f64, bool)> {
    match node.as_str().and_then(|text| text.strip_suffix('%')) {
        Some(percent) => Some((percent.trim().parse().ok()?, true)),
        None => Some((node.as_f64()?, false)),
    }
}

fn max_unavailable(_: &Cx, _: ResourceId, budget: &Resource, out: &mut Findings) {
    let Lookup::Known(node) = budget.body.at("spec.maxUnavailable") else { return };
    if share(node).is_some_and(|(count, _)| count == 0.0) {
        let message = format!("spec.maxUnavailable is {}: no pod may ever be evicted, wanted at least 1", show(node));
        out.fail(node, "spec.maxUnavailable", message);
    }
}

fn min_available(cx: &Cx, _: ResourceId, budget: &Resource, out: &mut Findings) {
    let Lookup::Known(node) = budget.body.at("spec.minAvailable") else { return };
    let Some((count, is_percent)) = share(node) else { return };
    if is_percent && count >= 100.0 {
        out.fail(node, "spec.minAvailable", "spec.minAvailable is 100%: no pod may ever be evicted, wanted less");
        return;
    }
    let Lookup::Known(selector) = budget.body.at("spec.selector") else { return };
    const KINDS: &[&str] = &["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "DeploymentConfig"];
    for workload in each_of(cx.model, cx.model.cluster().selected(Some(selector), budget)) {
        if !KINDS.contains(&&*workload.kind) {
            continue;
        }
        let is_meant =
            share_namespace(budget, workload) == Some(true) && selects(selector, labels(workload)) == Some(true);
        // An autoscaler goes down to its least number.
        let scaled = scalers(cx.model, workload).map(|scaler| {
            let running = match least(scaler) {
                Lookup::Known(node) => node.as_f64(),
                Lookup::Unknown(_) => None,
                Lookup::Absent(_) => Some(1.0),
            };
            (scaler, running)
        });
        let scaled = scaled.last();
        let running = scaled.map_or_else(|| replicas(workload), |(_, running)| running);
        let Some(running) = running.filter(|running| is_meant && *running > 0.0) else { continue };
        let kept = if is_percent { (running * count / 100.0).ceil() } else { count };
        if kept >= running {
            let how = scaled.map_or_else(
                || format!("{} runs {running}", workload.address),
                |(scaler, _)| format!("{} may bring {} down to {running}", scaler.address, workload.address),
            );
            let message =
                format!("spec.minAvailable is {}, and {how}: no pod may ever be evicted, wanted less", show(node));
            let found = out.fail(node, "spec.minAvailable", message).related(workload.head, "the workload");
            if let Some((scaler, _)) = scaled {
                found.related(scaler.head, "the autoscaler");
            }
        }
    }
}

fn missing_spread(cx: &Cx, _: ResourceId, workload: &Resource, out: &mut Findings) {
    let Some(pod) = pod(workload) else { return };
    let is_spread =
        ["topologySpreadConstraints", "affinity.podAntiAffinity"].iter().any(|path| !pod.spec.at(path).is_absent());
    if is_replicated(cx, workload) && !is_spread {
        out.at(
            name_span(workload),
            "spec.template.spec.topologySpreadConstraints",
            "its replicas may all run on one node, wanted topologySpreadConstraints",
        );
    }
}

fn missing_anti_affinity(cx: &Cx, _: ResourceId, workload: &Resource, out: &mut Findings) {
    const PATH: &str = "affinity.podAntiAffinity";
    let Some(pod) = pod(workload) else { return };
    if !is_replicated(cx, workload) {
        return;
    }
    let mut terms = Vec::new();
    for path in [
        "requiredDuringSchedulingIgnoredDuringExecution[]",
        "preferredDuringSchedulingIgnoredDuringExecution.podAffinityTerm",
    ] {
        pod.spec.all(&format!("{PATH}.{path}"), &mut terms);
    }
    let applies = |term: &Lookup<'_>| match term {
        Lookup::Unknown(_) => true,
        Lookup::Absent(_) => false,
        Lookup::Known(term) => {
            let matches = match term.get("labelSelector") {
                Lookup::Known(selector) => selects(selector, labels(workload)) != Some(false),
                other => other.is_unknown(),
            };
            matches && !term.get("topologyKey").is_absent()
        }
    };
    if !terms.iter().any(applies) {
        let at = pod.spec.at(PATH).known().map_or(name_span(workload), |node| node.span);
        out.at(at, format!("spec.template.spec.{PATH}"), "no podAntiAffinity holds for its own pods, wanted one");
    }
}

fn mismatching_selector(_: &Cx, _: ResourceId, workload: &Resource, out: &mut Findings) {
    let (Some(labels), Lookup::Known(selector)) = (pod_labels(workload), workload.body.at("spec.selector")) else {
        return;
    };
    let is_plain = matches!(&*workload.kind, "ReplicationController" | "DeploymentConfig");
    let selected = if is_plain { map_selects(selector, labels) } else { selects(selector, labels) };
    let is_empty = selector.entries().is_empty();
    match selected {
        None => out.undecided(),
        Some(false) if !is_empty => {
            out.fail(
                selector,
                "spec.selector",
                "the selector does not select the labels of the pod template; the API server refuses it",
            );
        }
        _ => {}
    }
}

fn env_sources(cx: &Cx, id: ResourceId, pod: Pod<'_>, out: &mut Findings) {
    let workload = cx.model.resource(id);
    let declared = |kind: &'static str, name: &str| {
        let cluster = cx.model.cluster();
        let makers = if kind == "Secret" { cluster.making(name, workload) } else { Vec::new() };
        let direct = each_of(cx.model, cluster.named(kind, name, Some(workload)));
        let mut all = direct.chain(each_of(cx.model, makers));
        let is_meant = |one: &Resource| {
            let names = ["metadata.name", "spec.target.name", "spec.secretName"].map(|path| one.body.at(path).as_str());
            names.contains(&Some(name)) && share_namespace(one, workload) != Some(false)
        };
        all.find(|one| is_meant(one))
    };
    each(pod, out, |container, out| {
        let mut judge = |reference: Lookup<'_>, kind: &'static str| {
            let Lookup::Known(reference) = reference else { return };
            let Lookup::Known(name) = reference.get("name") else { return };
            let is_optional = reference.get("optional").as_bool() == Some(true);
            let Some(wanted) = name.as_str().filter(|_| !is_optional) else { return };
            let Some(object) = declared(kind, wanted) else {
                let message = format!("the tree declares no {kind} {} in its namespace, wanted one", show(name));
                out.fail(name, "env.valueFrom", message);
                return;
            };
            let Lookup::Known(key) = reference.get("key") else { return };
            let holds = |key: &str| {
                let parts = ["data", "stringData", "binaryData"].map(|part| object.body.get(part));
                parts.iter().any(|part| part.is_unknown() || !part.node().get(key).is_absent())
            };
            // Of what a controller makes, the keys are not written here.
            if &*object.kind == kind && key.as_str().is_some_and(|key| !holds(key)) {
                let message = format!("{kind} {} has no key {}, wanted one that it has", show(name), show(key));
                out.fail(key, "env.valueFrom", message).related(object.head, "the object");
            }
        };
        for entry in container.body.get("env").items() {
            judge(entry.at("valueFrom.secretKeyRef"), "Secret");
            judge(entry.at("valueFrom.configMapKeyRef"), "ConfigMap");
        }
        for entry in container.body.get("envFrom").items() {
            judge(entry.get("secretRef"), "Secret");
            judge(entry.get("configMapRef"), "ConfigMap");
        }
    });
}

fn headless_service(cx: &Cx, _: ResourceId, set: &Resource, out: &mut Findings) {
    let Lookup::Known(name) = set.body.at("spec.serviceName") else {
        if set.body.at("spec.serviceName").is_absent() {
            out.at(
                name_span(set),
                "spec.serviceName",
                "spec.serviceName is not set, wanted the name of a headless service",
            );
        }
        return;
    };
    let fits = |service: &Resource| {
        let same_name = service.body.at("metadata.name").as_str() == name.as_str();
        let is_headless = service.body.at("spec.clusterIP").as_str() == Some("None");
        let selects = match service.body.at("spec.selector") {
            Lookup::Known(selector) => map_selects(selector, labels(set)) != Some(false),
            other => other.is_unknown(),
        };
        same_name && is_headless && selects && share_namespace(service, set) != Some(false)
    };
    let services = cx.model.cluster().named("Service", name.as_str().unwrap_or_default(), Some(set));
    if !each_of(cx.model, services).any(fits) {
        let message = format!("the tree declares no headless service {} for its pods, wanted one", show(name));
        out.fail(name, "spec.serviceName", message);
    }
}

/// Pods of a set each get a claim of their own: one that a single node may write.
fn claim_mode(_: &Cx, _: ResourceId, set: &Resource, out: &mut Findings) {
    let claims = set.body.at("spec.volumeClaimTemplates");
    if claims.is_unknown() {
        return out.undecided();
    }
    let is_single = |claim: &&Node| {
        let mut modes = Vec::new();
        claim.all("spec.accessModes[]", &mut modes);
        modes.iter().any(|mode| mode.as_str() == Some("ReadWriteOnce"))
    };
    let claims = claims.items();
    match claims.iter().filter(is_single).count() {
        1 => {}
        0 => {
            out.at(
                name_span(set),
                "spec.volumeClaimTemplates",
                "no claim has the access mode ReadWriteOnce, wanted one",
            );
        }
        _ => {
            let claim = claims.iter().filter(is_single).nth(1).expect("there are several");
            let at = claim.at("metadata.name").known().map_or(claim.span, |name| name.span);
            out.at(at, "spec.volumeClaimTemplates", "several claims have the access mode ReadWriteOnce, wanted one");
        }
    }
}
