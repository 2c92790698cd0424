//! What pods mount of their node.

use super::pod::items;
use crate::model::view::pod::Pod;
use crate::model::{Lookup, Node};
use crate::rules::native::containers::each;
use crate::rules::native::{Findings, Native};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-sensitive-host-path", Native::Pod(|_, _, pod, out| sensitive_paths(pod, out))),
    ("k8s-docker-socket-mount", Native::Pod(|_, _, pod, out| runtime_sockets(pod, out))),
    ("k8s-writable-host-mount", Native::Pod(|_, _, pod, out| writable_mounts(pod, out))),
];

/// Volumes that mount a path of the host, with the path.
fn host_paths<'a>(pod: Pod<'a>) -> impl Iterator<Item = (&'a Node, &'a Node, String)> {
    items(pod.spec, "volumes").iter().filter_map(|volume| {
        let path = volume.at("hostPath.path").known()?;
        let text = path.as_str()?.trim_end_matches('/').to_string();
        Some((volume, path, if text.is_empty() { "/".into() } else { text }))
    })
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
    EXACT.contains(&path) || TREES.iter().any(|tree| path == *tree || path.starts_with(&format!("{tree}/")))
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
        let Some(name) = volume.get("name").known().and_then(Node::as_str) else { continue };
        each(pod, out, |container, out| {
            for mount in items(container.body, "volumeMounts") {
                if mount.get("name").known().and_then(Node::as_str) != Some(name) {
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
