//! How many replicas run, and how they are replaced.

use super::name_span;
use super::workload::{REPLICATED, least, replicas, scalers};
use crate::model::view::pod::pod;
use crate::model::view::selector::each as each_of;
use crate::model::{Lookup, Resource, ResourceId};
use crate::rules::native::{Cx, Findings, Native, show};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-single-replica", Native::Resource("kubernetes", REPLICATED, single_replica)),
    (
        "k8s-recreate-strategy",
        Native::Resource("kubernetes", &["Deployment", "DeploymentConfig", "DaemonSet"], recreate),
    ),
];

/// Whether the one pod of a workload writes to a claim that no second one may mount, and goes before the next one comes: neither
/// more replicas nor a rolling update is possible.
fn is_single_writer(cx: &Cx, workload: &Resource) -> bool {
    let is_one = replicas(workload) == Some(1.0);
    let Some(pod) =
        pod(workload).filter(|_| is_one && workload.body.at("spec.strategy.type").as_str() == Some("Recreate"))
    else {
        return false;
    };
    let is_single = |claim: &Resource| {
        let modes = claim.body.at("spec.accessModes").items();
        !modes.is_empty()
            && modes.iter().all(|mode| matches!(mode.as_str(), Some("ReadWriteOnce" | "ReadWriteOncePod")))
    };
    pod.spec
        .at("volumes")
        .items()
        .iter()
        .filter_map(|volume| volume.at("persistentVolumeClaim.claimName").as_str())
        .any(|name| {
            let claims = cx.model.cluster().named("PersistentVolumeClaim", name, Some(workload));
            each_of(cx.model, claims).any(is_single)
        })
}

fn single_replica(cx: &Cx, _: ResourceId, workload: &Resource, out: &mut Findings) {
    if workload.body.get("spec").is_absent() {
        return;
    }
    let scaled = scalers(cx.model, workload).map(least);
    for found in scaled {
        match found {
            Lookup::Known(node) if node.as_f64().is_some_and(|least| least >= 2.0) => return,
            Lookup::Unknown(_) => return out.undecided(),
            _ => {}
        }
    }
    match workload.body.at("spec.replicas") {
        Lookup::Unknown(_) => out.undecided(),
        // None at all is a workload that is switched off.
        Lookup::Known(node) if node.as_f64().is_some_and(|count| count != 1.0) => {}
        _ if is_single_writer(cx, workload) => {}
        Lookup::Known(node) => {
            out.fail(node, "spec.replicas", format!("spec.replicas is {}, wanted at least 2", show(node)));
        }
        Lookup::Absent(_) => {
            out.at(
                name_span(workload),
                "spec.replicas",
                "spec.replicas is not set and defaults to 1, wanted at least 2",
            );
        }
    }
}

fn recreate(cx: &Cx, _: ResourceId, workload: &Resource, out: &mut Findings) {
    let (path, wanted) = match &*workload.kind {
        "DaemonSet" => ("spec.updateStrategy.type", "RollingUpdate"),
        "DeploymentConfig" => ("spec.strategy.type", "Rolling"),
        _ => ("spec.strategy.type", "RollingUpdate"),
    };
    match workload.body.at(path) {
        Lookup::Known(node) if matches!(node.as_str(), Some("RollingUpdate" | "Rolling")) => {}
        Lookup::Known(node) if !is_single_writer(cx, workload) => {
            out.fail(node, path, format!("{path} is {}, wanted {wanted}", show(node)));
        }
        Lookup::Unknown(_) => out.undecided(),
        _ => {}
    }
}
