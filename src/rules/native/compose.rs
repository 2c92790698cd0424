//! Checks of Compose services: what they mount and publish, what they may use up, how their images are built.

pub mod ports;

use std::collections::BTreeMap;

use super::{Cx, Findings, Native, show};
use crate::model::view::build::Build;
use crate::model::view::compose::{Mount, mounts, services};
use crate::model::{Lookup, Node, Resource, ResourceId};

const SERVICE: &[&str] = &["service"];

/// A check of services.
const fn service(check: fn(&Cx, ResourceId, &Resource, &mut Findings)) -> Native {
    Native::Resource("compose", SERVICE, check)
}

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("compose-docker-socket", service(docker_socket)),
    ("compose-host-system-mount", service(system_mount)),
    ("compose-host-directory-mount", Native::Resource("compose", &["service", "volume"], directory_mount)),
    ("compose-volume-shared-between-services", Native::Project(shared_volumes)),
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

/// A known text at a path.
fn text<'a>(node: &'a Node, path: &str) -> Option<&'a str> {
    node.at(path).known().and_then(Node::as_str)
}

/// Sockets by which a container runtime is told what to do.
const SOCKETS: &[&str] = &["docker.sock", "podman.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock"];

fn is_socket(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    SOCKETS.contains(&name) || path.ends_with(r"pipe\docker_engine") || path.ends_with("pipe/docker_engine")
}

fn docker_socket(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    for mount in mounts(service) {
        // A variable may stand for the folder, the name tells enough.
        let source = match mount.source {
            Lookup::Known(node) => node.as_str(),
            Lookup::Unknown(node) => template(node),
            Lookup::Absent(_) => None,
        };
        if let Some(source) = source.filter(|source| is_socket(source)) {
            let message =
                format!("{source} is mounted: with it the container is root on the host, wanted no runtime socket");
            out.at(mount.node.span, "volumes.source", message);
        }
    }
    match service.body.get("use_api_socket") {
        Lookup::Known(node) if node.as_bool() == Some(true) => {
            out.fail(node, "use_api_socket", "use_api_socket hands the container Docker's socket, wanted false");
        }
        Lookup::Unknown(_) => out.undecided(),
        _ => {}
    }
}

fn template(node: &Node) -> Option<&str> {
    match &node.value {
        crate::model::Value::Unknown(unknown) => unknown.template.as_deref(),
        _ => None,
    }
}

/// Folders of the host that decide what runs there; writing into one is being root.
const SYSTEM: &[&str] = &[
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/etc/cron.d",
    "/etc/docker",
    "/etc/kubernetes",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/ssh",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/systemd",
    "/home",
    "/lib",
    "/lib64",
    "/opt",
    "/proc",
    "/root",
    "/root/.ssh",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/local/bin",
    "/usr/sbin",
    "/var",
    "/var/lib",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/docker/volumes",
    "/var/lib/kubelet",
    "/var/run",
];

/// Secrets of the host, which even reading gives away.
const PRIVATE: &[&str] = &["/etc/shadow", "/root", "/root/.ssh", "/etc/kubernetes", "/etc/sudoers"];

fn system_mount(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    for mount in mounts(service) {
        let Some(path) = mount.host_path() else { continue };
        let is_bad = SYSTEM.contains(&path) && (!mount.is_read_only || PRIVATE.contains(&path));
        if is_bad {
            let how = if mount.is_read_only { "readable" } else { "writable" };
            let message = format!("{path} of the host is {how} in the container, wanted only the files that it needs");
            out.at(mount.node.span, "volumes.source", message);
        }
    }
}

/// Folders of the operating system, whatever lies below.
const BELOW: &[&str] =
    &["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var"];

fn is_of_system(path: &str) -> bool {
    path == "/"
        || BELOW
            .iter()
            .any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn directory_mount(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    if &*resource.kind == "volume" {
        return directory_volume(resource, out);
    }
    for mount in mounts(resource) {
        match mount.host_path() {
            Some(path) if is_of_system(path) => {
                let message = format!("{path} of the host is mounted, wanted a volume or a folder of the project");
                out.at(mount.node.span, "volumes.source", message);
            }
            None if mount.source.is_unknown() => out.undecided(),
            _ => {}
        }
    }
}

/// A volume that is a folder of the host under another name.
fn directory_volume(volume: &Resource, out: &mut Findings) {
    for key in ["device", "mountpoint"] {
        match volume.body.at(&format!("driver_opts.{key}")) {
            Lookup::Known(node) if node.as_str().is_some_and(is_of_system) => {
                let message = format!("the volume is {} of the host, wanted one that Docker keeps", show(node));
                out.fail(node, format!("driver_opts.{key}"), message);
            }
            Lookup::Unknown(_) => out.undecided(),
            _ => {}
        }
    }
}

fn shared_volumes(cx: &Cx, out: &mut Findings) {
    let mut by_volume: BTreeMap<(&str, &str), Vec<(ResourceId, Mount<'_>)>> = BTreeMap::new();
    for (id, service) in services(cx.model) {
        for mount in mounts(service).filter(|mount| !mount.is_read_only) {
            if let Some(source) = mount.source.known().and_then(Node::as_str) {
                by_volume.entry((&service.root, source)).or_default().push((id, mount));
            }
        }
    }
    for ((_, source), mounts) in by_volume {
        let first = mounts[0].0;
        if mounts.iter().all(|(id, _)| *id == first) {
            continue;
        }
        let count = mounts.len();
        for (id, mount) in mounts {
            let message = format!("{source} is writable in {count} places, wanted one service that writes");
            out.about(id).at(mount.node.span, "volumes.source", message);
        }
    }
}

fn host_device(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    const DISKS: &[&str] =
        &["/dev/sd", "/dev/nvme", "/dev/vd", "/dev/xvd", "/dev/dm-", "/dev/mapper/", "/dev/disk/", "/dev/loop"];
    const MEMORY: &[&str] = &["/dev", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg"];
    for device in service.body.get("devices").known().map(Node::items).unwrap_or_default() {
        let Some(source) = text(device, "source") else { continue };
        if MEMORY.contains(&source.trim_end_matches('/')) || DISKS.iter().any(|disk| source.starts_with(disk)) {
            let message =
                format!("{source} of the host is given to the container, wanted no disk or memory of the host");
            out.at(device.span, "devices.source", message);
        }
    }
    for rule in service.body.get("device_cgroup_rules").known().map(Node::items).unwrap_or_default() {
        if rule.as_str().is_some_and(|rule| rule.starts_with("a *:*") || rule.starts_with("b *:*")) {
            let message = format!("device_cgroup_rules allows {}, wanted the one device that is needed", show(rule));
            out.fail(rule, "device_cgroup_rules", message);
        }
    }
}

/// Capabilities with which a container gets out, or sees what others do. Source: capabilities(7).
const DANGEROUS: &[&str] = &[
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
fn capability(node: &Node) -> String {
    let name = node.as_str().unwrap_or("").to_ascii_uppercase();
    name.strip_prefix("CAP_").map(str::to_string).unwrap_or(name)
}

fn dangerous_capability(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    let added = service.body.get("cap_add");
    if added.is_unknown() {
        out.undecided();
    }
    for node in added.known().map(Node::items).unwrap_or_default() {
        let name = capability(node);
        if DANGEROUS.contains(&name.as_str()) {
            let message =
                format!("cap_add holds {name}, which leads out of the container, wanted a narrower capability");
            out.fail(node, "cap_add", message);
        }
    }
}

fn undropped_capabilities(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    let added = service.body.get("cap_add").known().map(Node::items).unwrap_or_default();
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

/// `name` and `value` of `name:value` or `name=value` in `security_opt`.
fn security_options(service: &Resource) -> impl Iterator<Item = (&str, &str, &Node)> {
    let items = service.body.get("security_opt").known().map(Node::items).unwrap_or_default();
    items.iter().filter_map(|node| {
        let text = node.as_str()?;
        let (name, value) = text.split_once([':', '=']).unwrap_or((text, ""));
        Some((name, value, node))
    })
}

fn confinement(service: &Resource, names: &[&str], out: &mut Findings) {
    for (name, value, node) in security_options(service) {
        if names.contains(&name) && matches!(value, "unconfined" | "disable") {
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
    if !security_options(service).any(|(name, value, _)| name == "no-new-privileges" && value != "false") {
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
        let on_failure = text(policy, "condition") == Some("on-failure");
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
        Some(Build::Unread) => out.undecided(),
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
    for node in service.body.at("build.entitlements").known().map(Node::items).unwrap_or_default() {
        if node.as_str() == Some("security.insecure") {
            out.fail(node, "build.entitlements", "build.entitlements holds security.insecure, wanted it left out");
        }
    }
}
