//! What Compose services mount: folders of the host, credentials, sockets, volumes that others write to.

use std::collections::BTreeMap;

use super::service;
use crate::model::view::compose::{Mount, mounts, services};
use crate::model::{Lookup, Resource, ResourceId};
use crate::path::lies_in;
use crate::rules::native::{Cx, Findings, Native, show};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("compose-docker-socket", service(docker_socket)),
    ("compose-host-system-mount", service(system_mount)),
    ("compose-credential-mount", service(credential_mount)),
    ("compose-host-directory-mount", Native::Resource("compose", &["service", "volume"], directory_mount)),
    ("compose-volume-shared-between-services", Native::Project(shared_volumes)),
];

/// Sockets by which a container runtime is told what to do.
const SOCKETS: &[&str] = &["docker.sock", "podman.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock"];

/// Whether a path is such a socket.
pub fn is_socket(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    SOCKETS.contains(&name) || path.ends_with(r"pipe\docker_engine") || path.ends_with("pipe/docker_engine")
}

fn docker_socket(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    for mount in mounts(service) {
        // A variable may stand for the folder, the name tells enough.
        if let Some(source) = mount.written().filter(|source| is_socket(source)) {
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

/// Folders with secrets or sockets of the host, which even reading gives away.
const PRIVATE: &[&str] = &[
    "/",
    "/etc",
    "/etc/kubernetes",
    "/etc/shadow",
    "/etc/ssh",
    "/etc/sudoers",
    "/home",
    "/root",
    "/root/.ssh",
    "/run",
    "/var",
    "/var/lib",
    "/var/lib/docker",
    "/var/lib/docker/volumes",
    "/var/lib/kubelet",
    "/var/run",
];

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

/// Files and folders below a home in which programs keep the credentials of their user.
const CREDENTIALS: &[&str] = &[
    ".aws",
    ".azure",
    ".config/gcloud",
    ".docker",
    ".docker/config.json",
    ".git-credentials",
    ".gnupg",
    ".kube",
    ".kube/config",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".ssh",
    ".vault-token",
];

/// Credentials of whoever starts the project, or of a user of the host.
fn credential_mount(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    for mount in mounts(service) {
        let Some(source) = mount.written().map(|source| source.trim_end_matches('/')) else { continue };
        let below = ["~/", "${HOME}/", "$HOME/", "/root/"].iter().find_map(|home| source.strip_prefix(home));
        let of_user = || source.strip_prefix("/home/")?.split_once('/').map(|(_, rest)| rest);
        let Some(below) = below.or_else(of_user) else { continue };
        if CREDENTIALS.iter().any(|one| lies_in(below, one)) {
            let message =
                format!("{source} of the host is mounted, wanted a secret with the rights of the service only");
            out.at(mount.node.span, "volumes.source", message);
        }
    }
}

/// Folders of the operating system, whatever lies below.
const BELOW: &[&str] =
    &["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var"];

fn is_of_system(path: &str) -> bool {
    path == "/" || BELOW.iter().any(|folder| lies_in(path, folder))
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
            if let Some(source) = mount.source.as_str() {
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
