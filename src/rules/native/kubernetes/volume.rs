//! What pods mount of their node.

use crate::model::view::pod::Pod;
use crate::model::{Lookup, Node};
use crate::path::lies_in;
use crate::rules::native::containers::each;
use crate::rules::native::{Findings, Native};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-host-path-volume", Native::Pod(|_, _, pod, out| host_volumes(pod, out))),
    ("k8s-restricted-volume-type", Native::Pod(|_, _, pod, out| restricted_types(pod, out))),
    ("k8s-sensitive-host-path", Native::Pod(|_, _, pod, out| sensitive_paths(pod, out))),
    ("k8s-docker-socket-mount", Native::Pod(|_, _, pod, out| runtime_sockets(pod, out))),
    ("k8s-writable-host-mount", Native::Pod(|_, _, pod, out| writable_mounts(pod, out))),
];

/// Volumes that mount a path of the host, with the path.
fn host_paths<'a>(pod: Pod<'a>) -> impl Iterator<Item = (&'a Node, &'a Node, String)> {
    pod.spec.at("volumes").items().iter().filter_map(|volume| {
        let path = volume.at("hostPath.path").known()?;
        let text = path.as_str()?.trim_end_matches('/').to_string();
        Some((volume, path, if text.is_empty() { "/".into() } else { text }))
    })
}

/// Where a volume of the host is reported: at its path.
fn host_place(host: &Node) -> &Node {
    host.get("path").known().unwrap_or(host)
}

fn host_volumes(pod: Pod<'_>, out: &mut Findings) {
    for volume in pod.spec.at("volumes").items() {
        match volume.get("hostPath") {
            Lookup::Known(host) => {
                let place = host_place(host);
                let path = place.as_str().map_or_else(|| "a path".to_string(), |path| format!("{path:?}"));
                let message = format!("{path} of the host is mounted, wanted a volume of another kind");
                out.fail(place, "volumes.hostPath.path", message);
            }
            Lookup::Unknown(_) => out.undecided(),
            Lookup::Absent(_) => {}
        }
    }
}

/// Kinds of volumes that the restricted standard admits. Source: the Pod Security Standards.
const ADMITTED: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "image",
];

fn restricted_types(pod: Pod<'_>, out: &mut Findings) {
    for volume in pod.spec.at("volumes").items() {
        if volume.is_unknown() || ADMITTED.iter().any(|kind| volume.get(kind).is_unknown()) {
            out.undecided();
        } else if !ADMITTED.iter().any(|kind| volume.get(kind).known().is_some()) {
            let place = volume.get("hostPath").known().map_or(volume, host_place);
            let kind = volume.entries().iter().map(|entry| &*entry.key).find(|key| *key != "name");
            let kind = kind.unwrap_or("none that is set");
            let message = format!("the volume is of kind {kind}, which the restricted standard does not admit");
            out.fail(place, "volumes", message);
        }
    }
}

/// Directories that hold the system of the host: these themselves, and those that hold keys or other pods with all below.
/// Parts of the others, such as `/etc/localtime` or `/lib/modules`, are common and harmless.
fn is_system(path: &str) -> bool {
    const EXACT: &[&str] = &[
        "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys",
        "/usr", "/var", "/var/lib", "/var/run",
    ];
    const TREES: &[&str] = &[
        "/boot",
        "/etc/kubernetes",
        "/etc/ssh",
        "/etc/shadow",
        "/root",
        "/var/lib/containerd",
        "/var/lib/docker",
        "/var/lib/etcd",
        "/var/lib/kubelet",
    ];
    EXACT.contains(&path) || TREES.iter().any(|tree| lies_in(path, tree))
}

fn sensitive_paths(pod: Pod<'_>, out: &mut Findings) {
    for (_, node, path) in host_paths(pod).filter(|(.., path)| is_system(path)) {
        out.fail(
            node,
            "volumes.hostPath.path",
            format!("{path} of the host is mounted, wanted a volume without the host's system"),
        );
    }
}

fn runtime_sockets(pod: Pod<'_>, out: &mut Findings) {
    const SOCKETS: &[&str] = &["docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "podman.sock"];
    let is_socket = |path: &str| SOCKETS.iter().any(|socket| path.ends_with(&format!("/{socket}")));
    for (_, node, path) in host_paths(pod).filter(|(.., path)| is_socket(path)) {
        let message = format!("{path} of the host is mounted, wanted no socket of the container runtime");
        out.fail(node, "volumes.hostPath.path", message);
    }
}

fn writable_mounts(pod: Pod<'_>, out: &mut Findings) {
    for (volume, _, path) in host_paths(pod) {
        let Some(name) = volume.get("name").as_str() else { continue };
        each(pod, out, |container, out| {
            for mount in container.body.at("volumeMounts").items() {
                if mount.get("name").as_str() != Some(name) {
                    continue;
                }
                match mount.get("readOnly") {
                    Lookup::Unknown(_) => out.undecided(),
                    Lookup::Known(node) if node.as_bool() == Some(true) => {}
                    Lookup::Known(node) => {
                        out.fail(
                            node,
                            "volumeMounts.readOnly",
                            format!("{path} of the host may be written, wanted readOnly"),
                        );
                    }
                    Lookup::Absent(_) => {
                        let at = mount.get("name").node().span;
                        out.at(
                            at,
                            "volumeMounts.readOnly",
                            format!("{path} of the host may be written, wanted readOnly"),
                        );
                    }
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_directories_are_told_from_data() {
        assert!(is_system("/") && is_system("/etc/kubernetes/pki") && is_system("/proc"));
        assert!(!is_system("/etc/localtime") && !is_system("/var/log/app") && !is_system("/etcetera"));
    }
}
