//! What the Pod Security Standards ask of a pod's containers: users, capabilities, seccomp.

use crate::model::Lookup;
use crate::model::view::pod::Pod;
use crate::rules::native::containers::{each, head};
use crate::rules::native::{Findings, Native, show};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-run-as-non-root-unset", Native::Pod(|_, _, pod, out| run_as_non_root(pod, out))),
    ("k8s-seccomp-profile-unset", Native::Pod(|_, _, pod, out| seccomp(pod, true, out))),
    ("k8s-seccomp-unconfined", Native::Pod(|_, _, pod, out| seccomp(pod, false, out))),
    ("k8s-undropped-capabilities", Native::Pod(|_, _, pod, out| drop_all(pod, out))),
    ("k8s-added-capabilities", Native::Pod(|_, _, pod, out| added(pod, out))),
    ("k8s-root-uid", Native::Pod(|_, _, pod, out| user_zero(pod, out))),
];

fn run_as_non_root(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| match container.security("runAsNonRoot") {
        Lookup::Known(node) if node.as_bool() == Some(true) => {}
        Lookup::Known(node) => {
            out.fail(node, "securityContext.runAsNonRoot", "runAsNonRoot is false, wanted true");
        }
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Absent(_) => {
            out.at(head(container), "securityContext.runAsNonRoot", "runAsNonRoot is not set, wanted true");
        }
    });
}

/// `restricted` wants a profile; baseline only refuses `Unconfined`. Sources: the Pod Security Standards.
fn seccomp(pod: Pod<'_>, restricted: bool, out: &mut Findings) {
    if pod.is_windows() {
        return;
    }
    // A pod-level profile counts for baseline on its own, whatever the containers say.
    if !restricted
        && let Lookup::Known(node) = pod.spec.at("securityContext.seccompProfile.type")
        && node.as_str() == Some("Unconfined")
    {
        out.fail(
            node,
            "securityContext.seccompProfile.type",
            "seccompProfile is Unconfined, wanted RuntimeDefault or Localhost",
        );
    }
    each(pod, out, |container, out| {
        let own = container.body.at("securityContext.seccompProfile.type");
        let found = if restricted { container.security("seccompProfile.type") } else { own };
        match found {
            Lookup::Known(node) if matches!(node.as_str(), Some("RuntimeDefault" | "Localhost")) => {}
            Lookup::Known(node) => {
                out.fail(
                    node,
                    "securityContext.seccompProfile.type",
                    format!("seccompProfile is {}, wanted RuntimeDefault or Localhost", show(node)),
                );
            }
            Lookup::Unknown(_) => out.undecided(),
            Lookup::Absent(_) if restricted => {
                out.at(
                    head(container),
                    "securityContext.seccompProfile.type",
                    "seccompProfile is not set, wanted RuntimeDefault",
                );
            }
            Lookup::Absent(_) => {}
        }
    });
}

fn drop_all(pod: Pod<'_>, out: &mut Findings) {
    if pod.is_windows() {
        return;
    }
    each(pod, out, |container, out| {
        let dropped = container.body.at("securityContext.capabilities.drop");
        match dropped {
            Lookup::Known(node)
                if node
                    .items()
                    .iter()
                    .any(|item| item.as_str().is_some_and(|name| name.eq_ignore_ascii_case("ALL"))) => {}
            Lookup::Known(node) => {
                out.fail(
                    node,
                    "securityContext.capabilities.drop",
                    format!("capabilities.drop is {}, wanted ALL among them", show(node)),
                );
            }
            Lookup::Unknown(_) => out.undecided(),
            Lookup::Absent(_) => {
                out.at(
                    head(container),
                    "securityContext.capabilities.drop",
                    "capabilities.drop is not set, wanted [ALL]",
                );
            }
        }
    });
}

/// Capabilities that the baseline standard allows to add; restricted allows NET_BIND_SERVICE only.
const BASELINE_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn added(pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        let added = container.body.at("securityContext.capabilities.add").items();
        for node in added.iter().filter(|node| !node.as_str().is_some_and(|name| BASELINE_CAPABILITIES.contains(&name)))
        {
            out.fail(
                node,
                "securityContext.capabilities.add",
                format!("capability {} is added, wanted none beyond the runtime's default", show(node)),
            );
        }
    });
}

fn user_zero(pod: Pod<'_>, out: &mut Findings) {
    if let Lookup::Known(node) = pod.spec.at("securityContext.runAsUser")
        && node.as_f64() == Some(0.0)
    {
        out.fail(node, "securityContext.runAsUser", "runAsUser is 0, wanted another user");
    }
    each(pod, out, |container, out| {
        if let Lookup::Known(node) = container.body.at("securityContext.runAsUser")
            && node.as_f64() == Some(0.0)
        {
            out.fail(node, "securityContext.runAsUser", "runAsUser is 0, wanted another user");
        }
    });
}
