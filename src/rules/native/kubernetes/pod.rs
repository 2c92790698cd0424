//! What a pod and its containers may do on the node: host access, capabilities, users, profiles.

use crate::model::image::Image;
use crate::model::view::pod::{Container, Pod, pod};
use crate::model::{Lookup, Node, Number, Resource, ResourceId, Value};
use crate::rules::native::containers::{each, head};
use crate::rules::native::{Cx, Findings, Native, show};
use crate::source::Span;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-proc-mount-unmasked", Native::Resource("kubernetes", &["*"], unmasked_proc)),
    ("k8s-unmasked-proc-in-user-namespace", Native::Pod(|_, _, pod, out| proc_mount(pod, true, out))),
    ("k8s-privilege-escalation", Native::Pod(|_, _, pod, out| privilege_escalation(pod, out))),
    ("k8s-restricted-capabilities-violated", Native::Pod(|_, _, pod, out| restricted_capabilities(pod, out))),
    ("k8s-undropped-net-raw", Native::Pod(|_, _, pod, out| undropped_net_raw(pod, out))),
    ("k8s-no-dropped-capability", Native::Pod(|_, _, pod, out| no_dropped(pod, out))),
    ("k8s-sys-admin-capability", Native::Pod(|_, _, pod, out| added(pod, &["SYS_ADMIN", "ALL"], out))),
    ("k8s-net-raw-capability", Native::Pod(|_, _, pod, out| added(pod, &["NET_RAW", "ALL"], out))),
    ("k8s-sys-module-capability", Native::Pod(|_, _, pod, out| added(pod, &["SYS_MODULE", "ALL"], out))),
    ("k8s-apparmor-disabled", Native::Pod(|_, _, pod, out| apparmor_disabled(pod, out))),
    ("k8s-apparmor-profile-unset", Native::Pod(|_, _, pod, out| apparmor_unset(pod, out))),
    ("k8s-root-group", Native::Pod(|_, _, pod, out| root_group(pod, out))),
    ("k8s-low-gid", Native::Pod(|_, _, pod, out| low_gid(pod, out))),
    ("k8s-pull-policy-not-always", Native::Pod(|_, _, pod, out| pull_policy(pod, out))),
    ("k8s-low-resource-request", Native::Pod(|_, _, pod, out| low_requests(pod, out))),
    ("k8s-probe-port-not-exposed", Native::Pod(|_, _, pod, out| probe_ports(pod, out))),
    ("k8s-duplicate-env", Native::Pod(|_, _, pod, out| duplicate_env(pod, out))),
    ("k8s-secret-in-env", Native::Pod(|_, _, pod, out| secret_env(pod, out))),
    ("k8s-vulnerable-git-sync", Native::Pod(|_, _, pod, out| git_sync(pod, out))),
    ("k8s-public-registry", Native::Pod(|_, _, pod, out| public_registry(pod, out))),
];

pub(super) fn strings<'a>(node: &'a Node, path: &str) -> impl Iterator<Item = (&'a Node, &'a str)> {
    node.at(path).items().iter().filter_map(|item| Some((item, item.as_str()?)))
}

/// A capability by its name without the prefix of the kernel.
fn capability(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    name.strip_prefix("CAP_").map_or(name.clone(), str::to_string)
}

/// Where something missing is reported: at the nearest parent that is there, or at the container's name.
pub(super) fn place(container: Container<'_>, parent: &Node) -> Span {
    if std::ptr::eq(parent, container.body) { head(container) } else { parent.span }
}

const DROP: &str = "securityContext.capabilities.drop";
const ADD: &str = "securityContext.capabilities.add";

/// A pod with a user namespace of its own may unmask /proc at the baseline level, since 1.35.
fn proc_mount(pod: Pod<'_>, in_user_namespace: bool, out: &mut Findings) {
    if (pod.spec.get("hostUsers").as_bool() == Some(false)) != in_user_namespace {
        return;
    }
    each(pod, out, |container, out| match container.body.at("securityContext.procMount") {
        Lookup::Known(node) if node.as_str() == Some("Default") => {}
        Lookup::Known(node) => {
            out.fail(node, "securityContext.procMount", format!("procMount is {}, wanted Default", show(node)));
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {}
    });
}

/// A pod, or an old policy that admits such pods.
fn unmasked_proc(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    if let Some(pod) = pod(resource) {
        return proc_mount(pod, false, out);
    }
    if &*resource.kind == "PodSecurityPolicy" {
        for (node, kind) in strings(&resource.body, "spec.allowedProcMountTypes") {
            if kind != "Default" {
                out.fail(
                    node,
                    "spec.allowedProcMountTypes",
                    format!("procMount {kind} is admitted, wanted Default only"),
                );
            }
        }
    }
}

fn privilege_escalation(pod: Pod<'_>, out: &mut Findings) {
    const PATH: &str = "securityContext.allowPrivilegeEscalation";
    if pod.is_windows() {
        return;
    }
    each(pod, out, |container, out| match container.body.at(PATH) {
        Lookup::Known(node) if node.as_bool() == Some(false) => {}
        Lookup::Known(node) => {
            out.fail(node, PATH, format!("allowPrivilegeEscalation is {}, wanted false", show(node)));
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(at) => {
            out.at(place(container, at), PATH, "allowPrivilegeEscalation is not set, wanted false");
        }
    });
}

fn restricted_capabilities(pod: Pod<'_>, out: &mut Findings) {
    if pod.is_windows() {
        return;
    }
    each(pod, out, |container, out| {
        match container.body.at(DROP) {
            // The API server compares in capitals only, unlike runtimes.
            Lookup::Known(node) if node.items().iter().any(|item| item.as_str() == Some("ALL")) => {}
            Lookup::Known(node) => {
                out.fail(node, DROP, format!("capabilities.drop is {}, wanted ALL among them", show(node)));
            }
            Lookup::Unknown(_) => out.undecided(),
            Lookup::Absent(_) => {
                // Where the default rule about it reports.
                out.at(head(container), DROP, "capabilities.drop is not set, wanted [ALL]");
            }
        }
        for (node, name) in strings(container.body, ADD).filter(|(_, name)| *name != "NET_BIND_SERVICE") {
            out.fail(node, ADD, format!("capability {name} is added, wanted none but NET_BIND_SERVICE"));
        }
    });
}

fn undropped_net_raw(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| match container.body.at(DROP) {
        Lookup::Unknown(_) => out.undecided(),
        found => {
            let is_dropped =
                strings(container.body, DROP).any(|(_, name)| matches!(capability(name).as_str(), "NET_RAW" | "ALL"));
            match found {
                _ if is_dropped => {}
                Lookup::Known(node) => {
                    out.fail(node, DROP, format!("capabilities.drop is {}, wanted NET_RAW or ALL", show(node)));
                }
                Lookup::Absent(at) | Lookup::Unknown(at) => {
                    out.at(place(container, at), DROP, "capabilities.drop is not set, wanted NET_RAW or ALL");
                }
            }
        }
    });
}

fn no_dropped(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| match container.body.at(DROP) {
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Known(node) if !node.items().is_empty() => {}
        found => {
            out.at(place(container, found.node()), DROP, "capabilities.drop is not set, wanted [ALL]");
        }
    });
}

fn added(pod: Pod<'_>, names: &[&str], out: &mut Findings) {
    each(pod, out, |container, out| {
        for (node, name) in strings(container.body, ADD).filter(|(_, name)| names.contains(&capability(name).as_str()))
        {
            out.fail(node, ADD, format!("capability {name} is added, wanted none"));
        }
    });
}

const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

fn annotations<'a>(pod: Pod<'a>) -> impl Iterator<Item = (&'a str, &'a Node)> {
    let annotations = pod.template.at("metadata.annotations").entries();
    annotations.iter().filter_map(|entry| Some((entry.key.strip_prefix(APPARMOR)?, &entry.node)))
}

fn is_confined(profile: &str) -> bool {
    profile.is_empty() || profile == "runtime/default" || profile.starts_with("localhost/")
}

fn apparmor_disabled(pod: Pod<'_>, out: &mut Findings) {
    const PATH: &str = "securityContext.appArmorProfile.type";
    let judge = |found: Lookup<'_>, out: &mut Findings| match found {
        Lookup::Known(node) if matches!(node.as_str(), Some("RuntimeDefault" | "Localhost")) => {}
        Lookup::Known(node) => {
            out.fail(node, PATH, format!("the AppArmor profile is {}, wanted RuntimeDefault or Localhost", show(node)));
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {}
    };
    judge(pod.spec.at(PATH), out);
    each(pod, out, |container, out| judge(container.body.at(PATH), out));
    for (name, node) in annotations(pod) {
        if node.as_str().is_some_and(|profile| !is_confined(profile)) {
            let message = format!("the AppArmor profile is {}, wanted runtime/default", show(node));
            out.fail(node, "metadata.annotations", message).of_container(name);
        }
    }
}

fn apparmor_unset(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        let by_annotation = annotations(pod).find(|(name, _)| *name == container.name());
        match (container.security("appArmorProfile.type"), by_annotation) {
            (Lookup::Known(node), _) if node.as_str() != Some("Unconfined") => {}
            (Lookup::Unknown(_), _) => out.undecided(),
            (_, Some((_, node))) if node.as_str().is_none_or(|profile| !profile.is_empty() && is_confined(profile)) => {
            }
            (Lookup::Known(node), _) | (_, Some((_, node))) => {
                out.fail(
                    node,
                    "securityContext.appArmorProfile",
                    format!("the AppArmor profile is {}, wanted RuntimeDefault", show(node)),
                );
            }
            _ => {
                out.at(
                    head(container),
                    "securityContext.appArmorProfile",
                    "no AppArmor profile is set, wanted RuntimeDefault",
                );
            }
        }
    });
}

fn is_zero(node: &Node) -> bool {
    node.as_f64() == Some(0.0)
}

fn root_group(pod: Pod<'_>, out: &mut Findings) {
    for field in ["runAsGroup", "fsGroup"] {
        if let Lookup::Known(node) = pod.spec.at(&format!("securityContext.{field}"))
            && is_zero(node)
        {
            out.fail(node, format!("securityContext.{field}"), format!("{field} is 0, wanted another group"));
        }
    }
    for node in pod.spec.at("securityContext.supplementalGroups").items().iter().filter(|node| is_zero(node)) {
        out.fail(node, "securityContext.supplementalGroups", "supplementalGroups names 0, wanted other groups");
    }
    each(pod, out, |container, out| {
        if let Lookup::Known(node) = container.body.at("securityContext.runAsGroup")
            && is_zero(node)
        {
            out.fail(node, "securityContext.runAsGroup", "runAsGroup is 0, wanted another group");
        }
    });
}

fn low_gid(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| match container.security("runAsGroup") {
        Lookup::Known(node) if node.as_f64().is_some_and(|group| group > 10_000.0) => {}
        Lookup::Known(node) => {
            out.fail(node, "securityContext.runAsGroup", format!("runAsGroup is {}, wanted above 10000", show(node)));
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(at) => {
            out.at(place(container, at), "securityContext.runAsGroup", "runAsGroup is not set, wanted above 10000");
        }
    });
}

/// The kubelet's default is Always for `latest` and for no tag at all. A digest means one image whatever is pulled.
fn pull_policy(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        let image = container.body.get("image").as_str().and_then(Image::parse);
        if image.as_ref().is_some_and(Image::is_pinned) {
            return;
        }
        match container.body.get("imagePullPolicy") {
            Lookup::Known(node) if node.as_str() == Some("Always") => {}
            Lookup::Known(node) => {
                out.fail(node, "imagePullPolicy", format!("imagePullPolicy is {}, wanted Always", show(node)));
            }
            Lookup::Unknown(_) => out.undecided(),
            Lookup::Absent(_) if image.as_ref().is_some_and(Image::is_latest) => {}
            Lookup::Absent(at) => {
                out.at(place(container, at), "imagePullPolicy", "imagePullPolicy is not set, wanted Always");
            }
        }
    });
}

/// A quantity of the API in its base unit: cores, bytes.
pub fn quantity(node: &Node) -> Option<f64> {
    let text = match &node.value {
        Value::Number(number) => return Some(Number::as_f64(*number)),
        Value::String(text) => text.trim(),
        _ => return None,
    };
    const SUFFIXES: &[(&str, f64)] = &[
        ("Ki", 1024.0),
        ("Mi", 1048576.0),
        ("Gi", 1073741824.0),
        ("Ti", 1099511627776.0),
        ("m", 0.001),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
    ];
    let (digits, factor) =
        SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor))).unwrap_or((text, 1.0));
    digits.parse::<f64>().ok().map(|number| number * factor)
}

fn low_requests(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        for (name, least, wanted) in [("cpu", 0.1, "100m"), ("memory", 134_217_728.0, "128Mi")] {
            let path = format!("resources.requests.{name}");
            match container.body.at(&path) {
                Lookup::Known(node) if quantity(node).is_some_and(|asked| asked < least) => {
                    out.fail(node, &*path, format!("{path} is {}, wanted at least {wanted}", show(node)));
                }
                Lookup::Unknown(_) => out.undecided(),
                _ => {}
            }
        }
    });
}

/// Probes speak TCP, also those of gRPC.
fn speaks_tcp(port: &Node) -> bool {
    port.get("protocol").as_str().is_none_or(|protocol| protocol == "TCP")
}

fn probe_ports(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        if container.list != "containers" {
            return;
        }
        let ports = container.body.at("ports").items();
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            for action in ["httpGet", "tcpSocket", "grpc"] {
                let path = format!("{probe}.{action}.port");
                let Lookup::Known(asked) = container.body.at(&path) else { continue };
                let is_exposed =
                    ports.iter().filter(|port| speaks_tcp(port)).any(|port| match (asked.as_f64(), asked.as_str()) {
                        (Some(number), _) => match port.get("containerPort") {
                            Lookup::Known(own) => own.as_f64() == Some(number),
                            other => other.is_unknown(),
                        },
                        (_, Some(name)) => port.get("name").as_str() == Some(name),
                        _ => true,
                    });
                if !is_exposed {
                    out.fail(
                        asked,
                        &*path,
                        format!("{probe} asks port {}, which the container does not list", show(asked)),
                    );
                }
            }
        }
    });
}

fn duplicate_env(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        let mut seen: Vec<(&str, &Node)> = Vec::new();
        for entry in container.body.at("env").items() {
            let Lookup::Known(node) = entry.get("name") else { continue };
            let Some(name) = node.as_str() else { continue };
            match seen.iter().find(|(other, _)| *other == name) {
                Some((_, first)) => {
                    let first = first.span;
                    out.fail(node, "env.name", format!("{name} is set twice, and the last one counts"))
                        .related(first, "first set here");
                }
                None => seen.push((name, node)),
            }
        }
    });
}

fn secret_env(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        for entry in container.body.at("env").items() {
            if let Lookup::Known(node) = entry.at("valueFrom.secretKeyRef") {
                out.fail(
                    node,
                    "env.valueFrom.secretKeyRef",
                    "a secret becomes an environment variable, wanted a mounted file",
                );
            }
        }
        for entry in container.body.at("envFrom").items() {
            if let Lookup::Known(node) = entry.get("secretRef") {
                out.fail(node, "envFrom.secretRef", "a secret becomes environment variables, wanted a mounted file");
            }
        }
    });
}

/// git-sync runs the program that this variable or flag names.
fn git_sync(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        let message = |node: &Node| format!("git-sync runs the program that {} names, wanted the default", show(node));
        for entry in container.body.at("env").items() {
            if let Lookup::Known(name) = entry.get("name")
                && matches!(name.as_str(), Some("GITSYNC_GIT" | "GIT_SYNC_GIT"))
            {
                out.fail(name, "env.name", message(name));
            }
        }
        let image = container.body.get("image").as_str().unwrap_or("");
        for (node, text) in strings(container.body, "args").chain(strings(container.body, "command")) {
            if image.contains("git-sync") && (text == "--git" || text.starts_with("--git=")) {
                out.fail(node, "args", message(node));
            }
        }
    });
}

/// Registries that everybody may push to.
const PUBLIC: &[&str] =
    &["docker.io", "index.docker.io", "registry-1.docker.io", "ghcr.io", "quay.io", "public.ecr.aws"];

fn public_registry(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        let Lookup::Known(node) = container.body.get("image") else { return };
        let Some(image) = node.as_str().and_then(Image::parse) else { return };
        let registry = image.registry.unwrap_or("docker.io");
        if PUBLIC.contains(&registry) {
            out.fail(
                node,
                "image",
                format!("the image comes from {registry}, where everybody may publish, wanted your own registry"),
            );
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span};

    #[test]
    fn quantities_are_read_in_their_base_unit() {
        let read = |text: &str| quantity(&Node::string(text, Span::new(FileId(0), 0, 1)));
        assert_eq!(read("100m"), Some(0.1));
        assert_eq!(read("128Mi"), Some(134_217_728.0));
        assert_eq!(read("1.5"), Some(1.5));
        assert_eq!(read("much"), None);
    }
}
