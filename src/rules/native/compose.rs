//! Checks of Compose services: what they may do and use up, how their images are built.

pub mod mounts;
pub mod ports;

use super::{Cx, Findings, Native, show};
use crate::model::view::build::Build;
use crate::model::{Lookup, Node, Resource, ResourceId};

const SERVICE: &[&str] = &["service"];

/// A check of services.
const fn service(check: fn(&Cx, ResourceId, &Resource, &mut Findings)) -> Native {
    Native::Resource("compose", SERVICE, check)
}

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("compose-unknown-build-target", service(unknown_target)),
    ("compose-host-device", service(host_device)),
    ("compose-dangerous-capability", service(dangerous_capability)),
    ("compose-undropped-capabilities", service(undropped_capabilities)),
    ("compose-seccomp-unconfined", service(|_, _, one, out| confinement(one, &["seccomp"], out))),
    (
        "compose-confinement-disabled",
        service(|_, _, one, out| confinement(one, &["apparmor", "label", "systempaths"], out)),
    ),
    ("compose-new-privileges-allowed", service(new_privileges)),
    (
        "compose-memory-not-limited",
        service(|_, _, one, out| limit(one, &["mem_limit", "deploy.resources.limits.memory"], "memory", out)),
    ),
    (
        "compose-cpu-not-limited",
        service(|_, _, one, out| {
            limit(
                one,
                &["cpus", "cpu_quota", "cpu_count", "cpu_percent", "deploy.resources.limits.cpus"],
                "CPU time",
                out,
            );
        }),
    ),
    (
        "compose-pids-not-limited",
        service(|_, _, one, out| limit(one, &["pids_limit", "deploy.resources.limits.pids"], "processes", out)),
    ),
    ("compose-missing-healthcheck", service(healthcheck)),
    ("compose-unbounded-restart", service(restart)),
    ("compose-missing-user", service(missing_user)),
    ("compose-privileged-build", service(privileged_build)),
    ("compose-unknown-key", Native::Observed("compose-unknown-key")),
];

/// A stage to build that the Dockerfile does not have.
fn unknown_target(cx: &Cx, id: ResourceId, service: &Resource, out: &mut Findings) {
    let Lookup::Known(target) = service.body.at("build.target") else { return };
    if cx.model.builds().of(id) != Some(Build::NoTarget) {
        return;
    }
    let message = format!("the Dockerfile has no stage {}: the build fails, wanted one that it has", show(target));
    out.fail(target, "build.target", message);
}

/// Whether a device is a disk or the memory of the host.
pub(super) fn is_host_device(path: &str) -> bool {
    const DISKS: &[&str] =
        &["/dev/sd", "/dev/nvme", "/dev/vd", "/dev/xvd", "/dev/dm-", "/dev/mapper/", "/dev/disk/", "/dev/loop"];
    const MEMORY: &[&str] = &["/dev", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg"];
    MEMORY.contains(&path.trim_end_matches('/')) || DISKS.iter().any(|disk| path.starts_with(disk))
}

fn host_device(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    for device in service.body.get("devices").items() {
        let Some(source) = device.at("source").as_str() else { continue };
        if is_host_device(source) {
            let message =
                format!("{source} of the host is given to the container, wanted no disk or memory of the host");
            out.at(device.span, "devices.source", message);
        }
    }
    for rule in service.body.get("device_cgroup_rules").items() {
        if rule.as_str().is_some_and(|rule| rule.starts_with("a *:*") || rule.starts_with("b *:*")) {
            let message = format!("device_cgroup_rules allows {}, wanted the one device that is needed", show(rule));
            out.fail(rule, "device_cgroup_rules", message);
        }
    }
}

/// Capabilities with which a container gets out, or sees what others do. Source: capabilities(7).
pub(super) const DANGEROUS: &[&str] = &[
    "ALL",
    "BPF",
    "DAC_READ_SEARCH",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
];

/// The name of a capability as Docker compares it.
pub(super) fn capability(node: &Node) -> String {
    let name = node.as_str().unwrap_or("").to_ascii_uppercase();
    name.strip_prefix("CAP_").map(str::to_string).unwrap_or(name)
}

fn dangerous_capability(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    let added = service.body.get("cap_add");
    if added.is_unknown() {
        out.undecided();
    }
    for node in added.items() {
        let name = capability(node);
        if DANGEROUS.contains(&name.as_str()) {
            let message =
                format!("cap_add holds {name}, which leads out of the container, wanted a narrower capability");
            out.fail(node, "cap_add", message);
        }
    }
}

fn undropped_capabilities(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    let added = service.body.get("cap_add").items();
    if let Some(node) = added.iter().find(|node| capability(node) == "ALL") {
        out.fail(node, "cap_add", "cap_add holds ALL, wanted the capabilities that are needed");
        return;
    }
    match service.body.get("cap_drop") {
        Lookup::Known(node) if node.items().iter().any(|node| capability(node) == "ALL") => {}
        Lookup::Known(node) => {
            out.fail(node, "cap_drop", format!("cap_drop is {}, wanted ALL among them", show(node)));
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {
            out.at(service.head, "cap_drop", "cap_drop is not set, wanted [ALL]");
        }
    }
}

/// Name and value of a security option of Docker's: `name:value` or `name=value`.
fn security_option(text: &str) -> (&str, &str) {
    text.split_once([':', '=']).unwrap_or((text, ""))
}

/// What a security option turns off, if it does.
pub(super) fn turned_off(option: &str) -> Option<&str> {
    let (name, value) = security_option(option);
    matches!(value, "unconfined" | "disable").then_some(name)
}

fn confinement(service: &Resource, names: &[&str], out: &mut Findings) {
    for node in service.body.get("security_opt").items() {
        if let Some(name) = node.as_str().and_then(turned_off).filter(|name| names.contains(name)) {
            let message = format!("security_opt turns {name} off, wanted the default or a profile of its own");
            out.fail(node, "security_opt", message);
        }
    }
}

fn new_privileges(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    let options = service.body.get("security_opt");
    if options.known().is_some_and(Node::has_unknown) || options.is_unknown() {
        return out.undecided();
    }
    let mut set = options.items().iter().filter_map(Node::as_str).map(security_option);
    if !set.any(|(name, value)| name == "no-new-privileges" && value != "false") {
        let at = options.known().map_or(service.head, |node| node.span);
        out.at(at, "security_opt", "security_opt does not hold no-new-privileges:true");
    }
}

/// One of these paths holds a limit: a number above zero, or a text.
fn limit(service: &Resource, paths: &[&str], what: &str, out: &mut Findings) {
    let mut unlimited = None;
    for path in paths {
        match service.body.at(path) {
            Lookup::Known(node) => match node.as_f64() {
                Some(number) if number <= 0.0 => unlimited = Some((node, *path)),
                _ => return,
            },
            Lookup::Unknown(_) => return out.undecided(),
            Lookup::Absent(_) => {}
        }
    }
    let wanted = paths[0];
    match unlimited {
        Some((node, path)) => {
            out.fail(node, path, format!("{path} is {}, which limits nothing, wanted a limit", show(node)));
        }
        None => {
            out.at(service.head, wanted, format!("{what} is not limited, wanted {wanted}"));
        }
    }
}

fn healthcheck(cx: &Cx, id: ResourceId, service: &Resource, out: &mut Findings) {
    let check = match service.body.get("healthcheck") {
        Lookup::Known(check) => check,
        Lookup::Unknown(_) => return out.undecided(),
        Lookup::Absent(_) => {
            let of_image = match cx.model.builds().of(id) {
                Some(Build::Stage(built)) => {
                    let (file, stage) = cx.model.built(built);
                    file.effective(stage, "HEALTHCHECK")
                        .is_some_and(|one| one.words().first().is_some_and(|word| word.text != "NONE"))
                }
                _ => false,
            };
            if !of_image {
                out.at(service.head, "healthcheck", "healthcheck is not set");
            }
            return;
        }
    };
    if let Lookup::Known(node) = check.get("disable")
        && node.as_bool() == Some(true)
    {
        out.fail(node, "healthcheck.disable", "healthcheck.disable is true, wanted a test");
        return;
    }
    match check.get("test") {
        Lookup::Known(node) => {
            let first = node.items().first().unwrap_or(node);
            if first.as_str() == Some("NONE") {
                out.fail(node, "healthcheck.test", "healthcheck.test is NONE, wanted a test");
            }
        }
        Lookup::Unknown(_) => out.undecided(),
        // Intervals alone change those of the image's own test.
        Lookup::Absent(_) => {}
    }
}

fn restart(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    const WANTED: &str = "wanted on-failure:5";
    let is_bounded = |count: f64| (1.0..=5.0).contains(&count);
    if let Lookup::Known(policy) = service.body.at("deploy.restart_policy") {
        let on_failure = policy.at("condition").as_str() == Some("on-failure");
        match policy.get("max_attempts") {
            Lookup::Known(node) if on_failure && node.as_f64().is_some_and(is_bounded) => {}
            Lookup::Unknown(_) => out.undecided(),
            _ => {
                let message = format!("deploy.restart_policy restarts without end, {WANTED}");
                out.at(policy.span, "deploy.restart_policy", message);
            }
        }
        return;
    }
    match service.body.get("restart") {
        Lookup::Known(node) => {
            let text = node.to_text().unwrap_or_default();
            let count = text.strip_prefix("on-failure:").and_then(|count| count.parse().ok());
            if !count.is_some_and(is_bounded) {
                out.fail(node, "restart", format!("restart is {}, {WANTED}", show(node)));
            }
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {
            out.at(service.head, "restart", format!("restart is not set, {WANTED}"));
        }
    }
}

fn missing_user(cx: &Cx, id: ResourceId, service: &Resource, out: &mut Findings) {
    if !service.body.get("user").is_absent() {
        return;
    }
    match cx.model.builds().of(id) {
        // The Dockerfile has a finding of its own.
        Some(Build::Stage(_)) => {}
        Some(Build::Unread | Build::NoTarget) => out.undecided(),
        None => {
            let message =
                "user is not set and defaults to that of the image, root if it names none; wanted an unprivileged user";
            out.at(service.head, "user", message);
        }
    }
}

fn privileged_build(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    match service.body.at("build.privileged") {
        Lookup::Known(node) if node.as_bool() == Some(true) => {
            out.fail(node, "build.privileged", "build.privileged is true, wanted false");
        }
        Lookup::Unknown(_) => out.undecided(),
        _ => {}
    }
    for node in service.body.at("build.entitlements").items() {
        if node.as_str() == Some("security.insecure") {
            out.fail(node, "build.entitlements", "build.entitlements holds security.insecure, wanted it left out");
        }
    }
}
