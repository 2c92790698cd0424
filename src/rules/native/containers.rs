//! Checks of containers that hold for several formats: pods, ECS task definitions, Compose services and the stages of a
//! Dockerfile that ship.

use super::kubernetes::image::has_user;
use super::{Cx, Findings, Native, show};
use crate::model::image::Image;
use crate::model::json::from_json;
use crate::model::user::{is_root, name, number};
use crate::model::view::compose::services;
use crate::model::view::helm::{Setting, settings};
use crate::model::view::pod::{Container, Pod, pod};
use crate::model::{Lookup, Node, Resource, ResourceId, Value};
use crate::secret::{is_literal_secret, is_secret_name};
use crate::source::Span;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("container-run-as-root", Native::Project(run_as_root)),
    ("container-writable-root-filesystem", Native::Project(writable_root)),
    ("container-privileged", Native::Project(privileged)),
    ("tf-helm-shared-node-namespace", Native::Project(shares_node)),
    ("container-plaintext-secret-in-env", Native::Project(plaintext_secret)),
    ("container-unpinned-image", Native::Project(images)),
    ("container-low-uid", Native::Project(low_uid)),
    ("container-image-without-digest", Native::Project(undigested)),
];

/// Where a container's missing field is reported.
pub(super) fn head(container: Container<'_>) -> Span {
    container.body.get("name").known().map_or(container.body.span, |name| name.span)
}

pub(super) fn each<'a>(pod: Pod<'a>, out: &mut Findings, mut check: impl FnMut(Container<'a>, &mut Findings)) {
    for container in pod.containers() {
        let known = out.found.len();
        check(container, out);
        for found in &mut out.found[known..] {
            found.of_container(container.title());
        }
    }
}

/// Every pod of the model, with its resource made the subject of findings.
fn pods<'a>(cx: &Cx<'a>, out: &mut Findings, mut check: impl FnMut(Container<'a>, &mut Findings)) {
    for (id, resource) in cx.model.iter() {
        if let Some(pod) = pod(resource) {
            out.about(id);
            each(pod, out, &mut check);
        }
    }
}

/// The containers of every ECS task definition: a structure from `jsonencode`, or parsed from text.
pub(super) fn tasks(cx: &Cx, out: &mut Findings, mut check: impl FnMut(&Resource, &Node, &mut Findings)) {
    for (id, resource) in cx.model.iter().filter(|(_, resource)| &*resource.kind == "aws_ecs_task_definition") {
        out.about(id);
        let (Lookup::Known(node) | Lookup::Unknown(node)) = resource.body.get("container_definitions") else {
            continue;
        };
        let text = match &node.value {
            Value::String(text) => Some(text.clone()),
            Value::Unknown(unknown) => unknown.template.clone(),
            _ => None,
        };
        let parsed;
        let definitions = match (&node.structure, &node.value, text) {
            (Some(structure), ..) => structure,
            (None, Value::List(_), _) => node,
            (None, _, Some(text)) => match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(value) => {
                    parsed = from_json(&value, node.span);
                    &parsed
                }
                Err(_) => {
                    out.undecided();
                    continue;
                }
            },
            _ => {
                out.undecided();
                continue;
            }
        };
        for definition in definitions.items() {
            let name = definition.get("name").as_str().unwrap_or("without a name").to_string();
            let known = out.found.len();
            check(resource, definition, out);
            for found in &mut out.found[known..] {
                found.of_container(&name);
            }
        }
    }
}

/// The values of every Helm release.
fn releases(cx: &Cx, out: &mut Findings, mut check: impl FnMut(&Setting<'_>, &mut Findings)) {
    for (id, resource) in cx.model.iter().filter(|(_, resource)| &*resource.kind == "helm_release") {
        out.about(id);
        settings(resource).iter().for_each(|setting| check(setting, out));
    }
}

fn run_as_root(cx: &Cx, out: &mut Findings) {
    pods(cx, out, |container, out| {
        let (user, non_root) = (container.security("runAsUser"), container.security("runAsNonRoot"));
        match (user, non_root) {
            (Lookup::Known(node), _) if node.as_f64() == Some(0.0) => {
                out.fail(node, "securityContext.runAsUser", "runAsUser is 0, wanted an unprivileged user");
            }
            (Lookup::Known(_), _) => {}
            (_, Lookup::Known(node)) if node.as_bool() == Some(true) => {}
            (_, Lookup::Known(node)) => {
                out.fail(node, "securityContext.runAsNonRoot", "runAsNonRoot is false, wanted true");
            }
            (Lookup::Unknown(_), _) | (_, Lookup::Unknown(_)) => out.undecided(),
            _ if has_user(cx, container) => {}
            _ => {
                out.at(
                    head(container),
                    "securityContext.runAsNonRoot",
                    "neither runAsNonRoot nor runAsUser is set, wanted runAsNonRoot: true",
                );
            }
        }
    });
    tasks(cx, out, |_, definition, out| match definition.get("user") {
        Lookup::Known(node) if node.to_text().is_some_and(|user| is_root(&user)) => {
            out.fail(
                node,
                "container_definitions.user",
                format!("user is {}, wanted an unprivileged user", show(node)),
            );
        }
        Lookup::Unknown(_) => out.undecided(),
        _ => {}
    });
    releases(cx, out, |setting, out| {
        let text = setting.node.to_text().unwrap_or_default();
        let is_bad = matches!((setting.key(), text.as_str()), ("runAsUser", "0") | ("runAsNonRoot", "false"));
        if is_bad && setting.is_in_security_context() {
            let message = format!("{} is {text}, wanted an unprivileged user", setting.path);
            out.fail(setting.node, "values", message);
        }
    });
    // Without a user a service has that of its image, which the Dockerfile below tells if it is in the tree.
    for (id, service) in services(cx.model) {
        match service.body.get("user") {
            Lookup::Known(node) if node.to_text().is_some_and(|user| is_root(&user)) => {
                out.about(id).fail(node, "user", format!("user is {}, wanted an unprivileged user", show(node)));
            }
            Lookup::Unknown(_) => out.undecided(),
            _ => {}
        }
    }
    for (id, resource) in cx.model.iter().filter(|(_, resource)| resource.format == "dockerfile") {
        if resource.body.get("final").as_bool() != Some(true) {
            continue;
        }
        out.about(id);
        match resource.body.get("user") {
            Lookup::Known(node) if node.as_str() == Some("") => {
                out.fail(node, "user", "USER is empty, so that the image runs as root, wanted an unprivileged USER");
            }
            Lookup::Known(node) if is_root(node.as_str().unwrap_or("")) => {
                let argument = resource.body.get("user_argument").as_str();
                let unless = argument.map(|name| format!(" unless the build sets {name}")).unwrap_or_default();
                out.fail(
                    node,
                    "user",
                    format!("the image runs as {}{unless}, wanted an unprivileged USER", show(node)),
                );
            }
            Lookup::Unknown(_) => out.undecided(),
            // What a base of Windows that is not known runs as is no root.
            Lookup::Absent(_) if resource.body.get("os").is_absent() => {
                out.at(
                    resource.head,
                    "user",
                    "the image sets no USER and runs as its base image does, mostly root, wanted an unprivileged USER",
                );
            }
            _ => {}
        }
    }
}

fn writable_root(cx: &Cx, out: &mut Findings) {
    // Few services could run without; that it is not set has a rule of its own.
    of_services(cx, "read_only", false, out);
    pods(cx, out, |container, out| match container.body.at("securityContext.readOnlyRootFilesystem") {
        // Containers of Windows take no such setting.
        _ if container.pod.is_windows() => {}
        Lookup::Known(node) if node.as_bool() == Some(true) => {}
        Lookup::Known(node) => {
            out.fail(node, "securityContext.readOnlyRootFilesystem", "readOnlyRootFilesystem is false, wanted true");
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {
            out.at(
                head(container),
                "securityContext.readOnlyRootFilesystem",
                "readOnlyRootFilesystem is not set, wanted true",
            );
        }
    });
    tasks(cx, out, |resource, definition, out| match definition.get("readonlyRootFilesystem") {
        Lookup::Known(node) if node.as_bool() == Some(true) => {}
        Lookup::Known(node) => {
            out.fail(
                node,
                "container_definitions.readonlyRootFilesystem",
                "readonlyRootFilesystem is false, wanted true",
            );
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {
            let _ = resource;
            out.at(
                definition.span,
                "container_definitions.readonlyRootFilesystem",
                "readonlyRootFilesystem is not set, wanted true",
            );
        }
    });
}

/// A key of every Compose service that should not have this boolean.
fn of_services(cx: &Cx, key: &str, bad: bool, out: &mut Findings) {
    for (id, service) in services(cx.model) {
        match service.body.get(key) {
            Lookup::Known(node) if node.as_bool() == Some(bad) => {
                out.about(id).fail(node, key, format!("{key} is {bad}, wanted {}", !bad));
            }
            Lookup::Unknown(_) => out.undecided(),
            _ => {}
        }
    }
}

fn privileged(cx: &Cx, out: &mut Findings) {
    of_services(cx, "privileged", true, out);
    pods(cx, out, |container, out| match container.body.at("securityContext.privileged") {
        Lookup::Known(node) if node.as_bool() == Some(true) => {
            out.fail(node, "securityContext.privileged", "privileged is true, wanted false");
        }
        Lookup::Unknown(_) => out.undecided(),
        _ => {}
    });
    tasks(cx, out, |_, definition, out| match definition.get("privileged") {
        Lookup::Known(node) if node.as_bool() == Some(true) => {
            out.fail(node, "container_definitions.privileged", "privileged is true, wanted false");
        }
        Lookup::Unknown(_) => out.undecided(),
        _ => {}
    });
    releases(cx, out, |setting, out| {
        if setting.key() == "privileged" && setting.is_in_security_context() && setting.is_true() {
            out.fail(setting.node, "values", format!("{} is true, wanted false", setting.path));
        }
    });
}

/// Namespaces of the node, which charts take under the names of a pod's spec.
fn shares_node(cx: &Cx, out: &mut Findings) {
    releases(cx, out, |setting, out| {
        if matches!(setting.key(), "hostNetwork" | "hostPID" | "hostIPC") && setting.is_true() {
            out.fail(setting.node, "values", format!("{} is true, wanted false", setting.path));
        }
    });
}

fn plaintext_secret(cx: &Cx, out: &mut Findings) {
    let judge = |entry: &Node, attribute: &str, out: &mut Findings| {
        let name = entry.get("name").as_str().unwrap_or("").to_string();
        let Lookup::Known(value) = entry.get("value") else { return };
        let text = value.as_str().unwrap_or("");
        if is_secret_name(&name) && is_literal_secret(text) {
            out.fail(value, attribute, format!("{name} is written out, wanted a reference to a secret")).holds(text);
        }
    };
    pods(cx, out, |container, out| {
        for entry in container.body.get("env").items() {
            judge(entry, "env.value", out);
        }
    });
    tasks(cx, out, |_, definition, out| {
        for entry in definition.get("environment").items() {
            judge(entry, "container_definitions.environment", out);
        }
    });
    for (id, service) in services(cx.model) {
        for entry in service.body.get("environment").entries() {
            let (name, text) = (&entry.key, entry.node.as_str().unwrap_or(""));
            // What `.env` gives is written there.
            let is_here = || cx.sources.slice(entry.node.span).contains(text.lines().next().unwrap_or(text));
            if is_secret_name(name) && is_literal_secret(text) && is_here() {
                let message = format!("{name} is written out, wanted a secret or a variable without default");
                out.about(id).fail(&entry.node, format!("environment.{name}"), message).holds(text);
            }
        }
    }
}

fn images(cx: &Cx, out: &mut Findings) {
    let judge = |body: &Node, out: &mut Findings| {
        let Lookup::Known(node) = body.get("image") else { return };
        if let Some(image) = Image::parse(node.as_str().unwrap_or(""))
            && image.is_latest()
        {
            out.fail(node, "image", format!("image is {}, wanted a version or digest", show(node)));
        }
    };
    pods(cx, out, |container, out| judge(container.body, out));
    tasks(cx, out, |_, definition, out| judge(definition, out));
    for (id, service) in pulled(cx) {
        judge(&service.body, out.about(id));
    }
    releases(cx, out, |setting, out| {
        let text = setting.node.to_text().unwrap_or_default();
        let is_tag = setting.key() == "tag" && setting.parent().to_lowercase().ends_with("image");
        if (is_tag && text == "latest") || (setting.key() == "image" && text.ends_with(":latest")) {
            let message = format!("{} is {}, wanted a version or digest", setting.path, show(setting.node));
            out.fail(setting.node, "values", message);
        }
    });
}

/// The Compose services that run an image that others built; what is built here has no other name than its own.
fn pulled<'a>(cx: &Cx<'a>) -> impl Iterator<Item = (ResourceId, &'a Resource)> {
    services(cx.model).filter(|(_, service)| service.body.get("build").is_absent())
}

/// Users of the host have low numbers. An absent one is the image's, which is low more often than not; ECS names users too,
/// and those are the image's affair.
fn low_uid(cx: &Cx, out: &mut Findings) {
    const WANTED: &str = "wanted a UID of 10000 or more";
    // A pod with users of its own has none of the host's.
    let has_own_users = |container: Container<'_>| container.pod.spec.get("hostUsers").as_bool() == Some(false);
    pods(cx, out, |container, out| match container.security("runAsUser") {
        _ if has_own_users(container) => {}
        Lookup::Known(node) if node.as_f64().is_some_and(|user| user >= 10_000.0) => {}
        Lookup::Known(node) => {
            out.fail(node, "securityContext.runAsUser", format!("runAsUser is {}, {WANTED}", show(node)));
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {
            out.at(head(container), "securityContext.runAsUser", format!("runAsUser is not set, {WANTED}"));
        }
    });
    tasks(cx, out, |_, definition, out| match definition.get("user") {
        Lookup::Known(node) => {
            let text = node.to_text().unwrap_or_default();
            if number(name(&text)).is_some_and(|user| user < 10_000) {
                out.fail(node, "container_definitions.user", format!("user is {}, {WANTED}", show(node)));
            }
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {}
    });
    for (id, service) in services(cx.model) {
        let Lookup::Known(node) = service.body.get("user") else { continue };
        let text = node.to_text().unwrap_or_default();
        let user = text.split(':').next().and_then(|user| user.parse::<u64>().ok());
        if user.is_some_and(|user| user < 10_000) {
            out.about(id).fail(node, "user", format!("user is {}, {WANTED}", show(node)));
        }
    }
}

/// Images by tag, in pods, ECS tasks, Compose services and stages of Dockerfiles.
fn undigested(cx: &Cx, out: &mut Findings) {
    let judge = |node: &Node, attribute: &str, out: &mut Findings| {
        if let Some(image) = node.as_str().and_then(Image::parse)
            && !image.is_pinned()
        {
            out.fail(node, attribute, format!("{attribute} is {}, wanted a digest (@sha256:…)", show(node)));
        }
    };
    pods(cx, out, |container, out| match container.body.get("image") {
        Lookup::Known(node) => judge(node, "image", out),
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {}
    });
    tasks(cx, out, |_, definition, out| match definition.get("image") {
        Lookup::Known(node) => judge(node, "image", out),
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {}
    });
    for (id, service) in pulled(cx) {
        match service.body.get("image") {
            Lookup::Known(node) => judge(node, "image", out.about(id)),
            Lookup::Unknown(_) => out.undecided(),
            Lookup::Absent(_) => {}
        }
    }
    let stages = |resource: &Resource| resource.format == "dockerfile" && &*resource.kind == "stage";
    for (id, stage) in cx.model.iter().filter(|(_, one)| stages(one)) {
        let Lookup::Known(base) = stage.body.get("base") else { continue };
        let is_stage = |name: &str| {
            cx.model
                .resources
                .iter()
                .any(|one| stages(one) && one.root == stage.root && one.name.eq_ignore_ascii_case(name))
        };
        if base.as_str().is_some_and(|name| name != "scratch" && !is_stage(name)) {
            out.about(id);
            judge(base, "base", out);
        }
    }
}
