//! What each container of a pod should declare: probes, and the resources that it needs and may take.

use super::pod::place;
use crate::model::view::pod::{Container, Pod};
use crate::model::view::selector::each as each_of;
use crate::model::{Lookup, Node, Resource, ResourceId};
use crate::rules::native::containers::each;
use crate::rules::native::{Cx, Findings, Native};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-missing-liveness-probe", Native::Pod(|cx, id, pod, out| probe(cx, id, pod, "livenessProbe", out))),
    ("k8s-missing-readiness-probe", Native::Pod(|cx, id, pod, out| probe(cx, id, pod, "readinessProbe", out))),
    ("k8s-missing-startup-probe", Native::Pod(|cx, id, pod, out| probe(cx, id, pod, "startupProbe", out))),
    ("k8s-missing-cpu-limit", Native::Pod(|cx, id, pod, out| amount(cx, id, pod, Amount::Limit("cpu"), out))),
    ("k8s-missing-memory-limit", Native::Pod(|cx, id, pod, out| amount(cx, id, pod, Amount::Limit("memory"), out))),
    ("k8s-missing-cpu-request", Native::Pod(|cx, id, pod, out| amount(cx, id, pod, Amount::Request("cpu"), out))),
    ("k8s-missing-memory-request", Native::Pod(|cx, id, pod, out| amount(cx, id, pod, Amount::Request("memory"), out))),
];

fn absent(container: Container<'_>, parent: &Node, path: &str, out: &mut Findings) {
    out.at(place(container, parent), path, format!("{path} is not set, wanted a value"));
}

/// What runs to its end, as the pods of jobs do, is neither restarted for a hang nor asked for anything.
fn ends(workload: &Resource, pod: Pod<'_>) -> bool {
    let policy = pod.spec.get("restartPolicy").as_str();
    matches!(policy, Some("Never" | "OnFailure")) || matches!(&*workload.kind, "Job" | "CronJob")
}

fn probe(cx: &Cx, id: ResourceId, pod: Pod<'_>, name: &str, out: &mut Findings) {
    if pod.spec.get("containers").is_unknown() {
        return out.undecided();
    }
    if ends(cx.model.resource(id), pod) {
        return;
    }
    each(pod, out, |container, out| match container.body.get(name) {
        _ if container.list != "containers" => {}
        Lookup::Known(_) => {}
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(parent) => absent(container, parent, name, out),
    });
}

/// What a container asks for, or may take at most.
#[derive(Clone, Copy)]
enum Amount {
    Limit(&'static str),
    Request(&'static str),
}

impl Amount {
    fn path(self) -> String {
        match self {
            Amount::Limit(name) => format!("resources.limits.{name}"),
            Amount::Request(name) => format!("resources.requests.{name}"),
        }
    }

    /// Whether a limit range of the namespace gives it to containers that say nothing. Its limit stands for a request too.
    fn is_given(self, range: &Resource) -> bool {
        let (name, keys) = match self {
            Amount::Limit(name) => (name, &["default"][..]),
            Amount::Request(name) => (name, &["defaultRequest", "default"][..]),
        };
        range.body.at("spec.limits").items().iter().any(|limit| {
            limit.get("type").as_str() == Some("Container")
                && keys.iter().any(|key| !limit.at(&format!("{key}.{name}")).is_absent())
        })
    }
}

fn amount(cx: &Cx, id: ResourceId, pod: Pod<'_>, amount: Amount, out: &mut Findings) {
    let path = amount.path();
    match pod.spec.at(&path) {
        Lookup::Known(_) => return,
        Lookup::Unknown(_) => return out.undecided(),
        Lookup::Absent(_) => {}
    }
    let ranges = || cx.model.cluster().of_kind_near("LimitRange", cx.model.resource(id));
    if each_of(cx.model, ranges()).any(|range| amount.is_given(range)) {
        return;
    }
    // The API takes no resources of a container that is added to a running pod.
    each(pod, out, |container, out| match container.body.at(&path) {
        _ if container.list == "ephemeralContainers" => {}
        Lookup::Known(_) => {}
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(parent) => absent(container, parent, &path, out),
    });
}
