//! Roles, their bindings and service accounts.

use crate::model::view::pod::Pod;
use crate::model::view::selector::{each, namespace, share_namespace};
use crate::model::{Lookup, Model, Node, Resource, ResourceId};
use crate::rules::native::{Cx, Findings, Native, show};

const BINDINGS: &[&str] = &["RoleBinding", "ClusterRoleBinding"];

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    (
        "k8s-rbac-bound-secret-access",
        Native::Resource("kubernetes", BINDINGS, |cx, _, one, out| bound(cx, one, SECRETS, out)),
    ),
    (
        "k8s-rbac-bound-pod-creation",
        Native::Resource("kubernetes", BINDINGS, |cx, _, one, out| bound(cx, one, WORKLOADS, out)),
    ),
    (
        "k8s-rbac-bound-binding-rights",
        Native::Resource("kubernetes", BINDINGS, |cx, _, one, out| bound(cx, one, BINDERS, out)),
    ),
    ("k8s-rbac-bound-exec", Native::Resource("kubernetes", BINDINGS, |cx, _, one, out| bound(cx, one, EXEC, out))),
    (
        "k8s-rbac-bound-impersonation",
        Native::Resource("kubernetes", BINDINGS, |cx, _, one, out| bound(cx, one, IMPERSONATE, out)),
    ),
    (
        "k8s-rbac-bound-service-status",
        Native::Resource("kubernetes", BINDINGS, |cx, _, one, out| bound(cx, one, STATUS, out)),
    ),
    (
        "k8s-rbac-create-and-bind-roles",
        Native::Resource("kubernetes", &["Role", "ClusterRole"], |_, _, role, out| {
            create_and_bind(role, "rolebindings", out)
        }),
    ),
    (
        "k8s-rbac-create-and-bind-cluster-roles",
        Native::Resource("kubernetes", &["Role", "ClusterRole"], |_, _, role, out| {
            create_and_bind(role, "clusterrolebindings", out)
        }),
    ),
    ("k8s-service-account-token-mounted", Native::Pod(token_mounted)),
    ("k8s-undeclared-service-account", Native::Pod(undeclared_account)),
    ("k8s-shared-service-account", Native::Pod(shared_account)),
];

/// Verbs on resources, each with its API group; a wildcard of the role stands for all of them.
struct Right {
    verbs: &'static [&'static str],
    resources: &'static [(&'static str, &'static [&'static str])],
    what: &'static str,
}

const RBAC: &str = "rbac.authorization.k8s.io";

const SECRETS: Right = Right {
    verbs: &["get", "list", "watch", "create", "delete"],
    resources: &[("", &["secrets"])],
    what: "use secrets",
};
const WORKLOADS: Right = Right {
    verbs: &["create"],
    resources: &[
        ("", &["pods"]),
        ("apps", &["deployments", "statefulsets", "replicasets", "daemonsets"]),
        ("batch", &["cronjobs", "jobs"]),
    ],
    what: "create pods",
};
const BINDERS: Right = Right {
    verbs: &["create", "update", "patch"],
    resources: &[(RBAC, &["rolebindings", "clusterrolebindings"])],
    what: "bind roles",
};
const EXEC: Right =
    Right { verbs: &["create"], resources: &[("", &["pods/exec", "nodes/proxy"])], what: "run commands in pods" };
const IMPERSONATE: Right = Right {
    verbs: &["impersonate"],
    resources: &[("", &["users", "groups", "serviceaccounts"])],
    what: "act as others",
};
const STATUS: Right = Right {
    verbs: &["update", "patch"],
    resources: &[("", &["services/status"])],
    what: "draw the traffic of services (CVE-2020-8554)",
};

/// Whether a rule speaks of this API group. One that names none, which the API server refuses, is taken to mean it.
fn is_of_group(rule: &Node, group: &str) -> bool {
    rule.get("apiGroups").is_absent() || has(rule, "apiGroups", &[group])
}

fn has(rule: &Node, list: &str, names: &[&str]) -> bool {
    let items = rule.get(list).items();
    items.iter().filter_map(Node::as_str).any(|item| item == "*" || names.contains(&item))
}

/// The role that a binding refers to, if the tree holds it.
fn role<'a>(model: &'a Model, binding: &Resource) -> Option<&'a Resource> {
    let name = binding.body.at("roleRef.name").known()?.as_str()?;
    let kind = binding.body.at("roleRef.kind").known()?.as_str()?;
    let near = Some(binding).filter(|_| kind != "ClusterRole");
    each(model, model.cluster().named(kind, name, near)).find(|role| {
        role.body.at("metadata.name").as_str() == Some(name)
            && (kind == "ClusterRole" || share_namespace(role, binding) != Some(false))
    })
}

fn rules(role: &Resource) -> &[Node] {
    role.body.get("rules").items()
}

/// A binding to a role that gives the right.
fn bound(cx: &Cx, binding: &Resource, right: Right, out: &mut Findings) {
    let subjects = binding.body.get("subjects").items();
    let is_subject = |subject: &Node| {
        let kind = subject.get("kind").as_str();
        matches!(kind, Some("ServiceAccount" | "User" | "Group"))
    };
    if !subjects.iter().any(is_subject) {
        return;
    }
    let Some(role) = role(cx.model, binding) else { return };
    let Lookup::Known(reference) = binding.body.at("roleRef.name") else { return };
    let granted = |rule: &&Node| {
        let resources =
            || right.resources.iter().any(|(group, names)| is_of_group(rule, group) && has(rule, "resources", names));
        has(rule, "verbs", right.verbs) && resources()
    };
    let Some(rule) = rules(role).iter().find(granted) else { return };
    let message = format!("{} lets its subjects {}, wanted a role without it", show(reference), right.what);
    out.fail(reference, "roleRef.name", message).related(rule.span, "the role allows it here");
}

/// A role that may both write bindings and bind roles can give itself every right. Wildcards have rules of their own.
fn create_and_bind(role: &Resource, bindings: &str, out: &mut Findings) {
    let names = |rule: &Node, list: &str, wanted: &[&str]| {
        let items = rule.get(list).items();
        is_of_group(rule, RBAC) && items.iter().filter_map(Node::as_str).any(|item| wanted.contains(&item))
    };
    let creates =
        rules(role).iter().any(|rule| names(rule, "verbs", &["create"]) && names(rule, "resources", &[bindings]));
    let binds = |rule: &&Node| names(rule, "verbs", &["bind"]) && names(rule, "resources", &["roles", "clusterroles"]);
    if creates && let Some(rule) = rules(role).iter().find(binds) {
        let message = format!("the role may create {bindings} and bind roles, and so give itself every right");
        out.fail(rule, "rules", message);
    }
}

/// The service account that a pod runs under; None where it is unknown.
fn account_name(pod: Pod<'_>) -> Option<&str> {
    for field in ["serviceAccountName", "serviceAccount"] {
        match pod.spec.get(field) {
            Lookup::Known(node) => return node.as_str().map(|name| if name.is_empty() { "default" } else { name }),
            Lookup::Unknown(_) => return None,
            Lookup::Absent(_) => {}
        }
    }
    Some("default")
}

fn account<'a>(model: &'a Model, workload: &Resource, name: &str) -> Option<&'a Resource> {
    each(model, model.cluster().named("ServiceAccount", name, Some(workload))).find(|one| {
        one.body.at("metadata.name").as_str() == Some(name) && share_namespace(one, workload) != Some(false)
    })
}

/// Whether a binding of the tree gives the account a role: then it talks to the API and needs its token.
fn is_bound(model: &Model, workload: &Resource, name: &str) -> bool {
    each(model, model.cluster().binding(name, workload)).any(|binding| {
        let subjects = binding.body.get("subjects").items();
        subjects.iter().any(|subject| {
            let text = |key: &str| subject.get(key).as_str();
            text("kind") == Some("ServiceAccount")
                && text("name") == Some(name)
                && match subject.get("namespace") {
                    Lookup::Known(node) => namespace(workload).is_none_or(|own| node.as_str() == Some(own)),
                    Lookup::Unknown(_) => true,
                    Lookup::Absent(_) => share_namespace(binding, workload) != Some(false),
                }
        })
    })
}

fn token_mounted(cx: &Cx, id: ResourceId, pod: Pod<'_>, out: &mut Findings) {
    const FIELD: &str = "automountServiceAccountToken";
    let workload = cx.model.resource(id);
    let own = pod.spec.get(FIELD);
    match own {
        Lookup::Unknown(_) => return out.undecided(),
        Lookup::Known(node) if node.as_bool() == Some(false) => return,
        _ => {}
    }
    let Some(name) = account_name(pod) else { return out.undecided() };
    if name != "default" && is_bound(cx.model, workload, name) {
        return;
    }
    if let Lookup::Known(node) = own {
        out.fail(
            node,
            FIELD,
            format!("{FIELD} is {}, and nothing binds the account {name:?}, wanted false", show(node)),
        );
        return;
    }
    if let Some(account) = account(cx.model, workload, name)
        && account.body.get(FIELD).as_bool() == Some(false)
    {
        return;
    }
    let at = cx.sources.get(pod.spec.span.file).first_line(pod.spec.span);
    out.at(at, FIELD, format!("{FIELD} is not set, and nothing binds the account {name:?}, wanted false"));
}

fn undeclared_account(cx: &Cx, id: ResourceId, pod: Pod<'_>, out: &mut Findings) {
    let Some(name) = account_name(pod).filter(|name| *name != "default") else { return };
    if account(cx.model, cx.model.resource(id), name).is_none() {
        let node = pod.spec.get("serviceAccountName").known().or(pod.spec.get("serviceAccount").known());
        if let Some(node) = node {
            out.fail(
                node,
                "serviceAccountName",
                format!("the tree declares no service account {name:?} in its namespace"),
            );
        }
    }
}

fn shared_account(cx: &Cx, id: ResourceId, own: Pod<'_>, out: &mut Findings) {
    let workload = cx.model.resource(id);
    let Lookup::Known(node) = own.spec.get("serviceAccountName") else { return };
    let Some(name) = node.as_str().filter(|name| !name.is_empty()) else { return };
    let others = cx.model.cluster().running_as(name, workload).into_iter().filter(|other| *other != id);
    let other = others
        .map(|other| cx.model.resource(other))
        .find(|other| other.root == workload.root && share_namespace(other, workload) != Some(false));
    if let Some(other) = other {
        out.fail(
            node,
            "serviceAccountName",
            format!("{} runs under {name:?} too, wanted an account of its own", other.address),
        )
        .related(other.head, "the other workload");
    }
}
