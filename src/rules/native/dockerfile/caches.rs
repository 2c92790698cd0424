//! What package managers leave in a layer.

use super::{
    Cx, Findings, Native, Run, each_command, mounts, references, removals, report_command, runs, variable,
    volatile_mounts,
};
use crate::model::dockerfile::Dockerfile;
use crate::model::shell::Command;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("docker-apt-lists-kept", Native::Dockerfile(apt_lists)),
    ("docker-apk-cache-kept", Native::Dockerfile(apk_cache)),
    ("docker-pip-cache-kept", Native::Dockerfile(pip_cache)),
    ("docker-yarn-cache-kept", Native::Dockerfile(yarn_cache)),
    ("docker-yum-cache-kept", Native::Dockerfile(|cx, file, out| kept(cx, file, &YUM, out))),
    (
        "docker-dnf-cache-kept",
        Native::Dockerfile(|cx, file, out| {
            kept(cx, file, &DNF, out);
            kept(cx, file, &MICRODNF, out);
        }),
    ),
    ("docker-zypper-cache-kept", Native::Dockerfile(|cx, file, out| kept(cx, file, &ZYPPER, out))),
    ("docker-lone-package-update", Native::Dockerfile(lone_update)),
];

/// Whether the layer may get into an image: of a stage that others only copy files from, nothing else stays.
fn ships(run: &Run<'_>) -> bool {
    run.stage.is_none_or(|stage| run.file.is_built_on(stage) || !stage.is_source)
}

/// Whether the layer is part of an image that this file builds as a whole; what ONBUILD holds runs in others.
fn is_built_on(run: &Run<'_>) -> bool {
    run.outer.trigger.is_some() || run.stage.is_none_or(|stage| run.file.is_built_on(stage))
}

fn apt_lists(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for run in runs(file).filter(is_built_on) {
        let found = run.run.commands();
        let updates =
            |command: &Command| matches!(command.name(), "apt-get" | "apt" | "aptitude") && command.has("update");
        let removed = removals(found, "/var/lib/apt/lists").next().is_some();
        let is_cached = volatile_mounts(run.run).any(|target| target == "/var/lib/apt/lists")
            || mounts(run.run, "/var/lib/apt") && mounts(run.run, "/var/cache/apt");
        if let Some(update) = found.iter().find(|command| updates(command)).filter(|_| !removed && !is_cached) {
            let message =
                "apt-get update leaves its lists in the layer, wanted rm -rf /var/lib/apt/lists/* in the same RUN";
            report_command(cx, &run, update, message, out);
        }
    }
}

fn apk_cache(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |run, command| {
        let kept = ships(run)
            && command.name() == "apk"
            && command.has("add")
            && !command.has_option("", &["no-cache"])
            && !mounts(run.run, "/var/cache/apk")
            && !mounts(run.run, "/etc/apk/cache");
        kept.then(|| "apk add keeps the package index in the layer, wanted --no-cache".into())
    });
}

/// Whether a value of PIP_NO_CACHE_DIR turns the cache off.
fn is_on(value: &str) -> bool {
    matches!(value.trim_matches(['"', '\'']).to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on" | "y" | "t")
}

fn pip_cache(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const NAME: &str = "PIP_NO_CACHE_DIR";
    for run in runs(file).filter(ships) {
        let found = run.run.commands();
        let exported = found.iter().any(|command| {
            command.name() == "export"
                && command
                    .operands()
                    .any(|word| word.text.split_once('=').is_some_and(|(name, value)| name == NAME && is_on(value)))
        });
        let purged = found.iter().any(|command| {
            command.name().starts_with("pip") && command.has("cache") && command.has("purge")
                || command.name() == "rm" && command.operands().any(|word| word.text.contains("/.cache"))
        });
        let cached =
            volatile_mounts(run.run).any(|target| target.contains("/.cache/pip") || target.ends_with("/.cache"));
        if exported || purged || cached {
            continue;
        }
        let keeps = |command: &Command| {
            let assigned = command.assignments.iter().any(|(name, value)| name == NAME && is_on(value));
            super::packages::pip_installs(command)
                && command.name() != "pipx"
                && !assigned
                && !command.has_option("", &["no-cache-dir"])
        };
        let is_off = || variable(file, run.index, NAME).flatten().is_some_and(is_on);
        if let Some(install) = found.iter().find(|command| keeps(command)).filter(|_| !is_off()) {
            report_command(cx, &run, install, "pip install keeps its cache in the layer, wanted --no-cache-dir", out);
        }
    }
}

fn yarn_cache(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for run in runs(file).filter(is_built_on) {
        let found = run.run.commands();
        let last_install = found.iter().rposition(|command| command.name() == "yarn" && command.has("install"));
        let Some(last_install) = last_install else { continue };
        let cleans = |command: &Command| command.name() == "yarn" && command.has("cache") && command.has("clean");
        let cached =
            volatile_mounts(run.run).any(|target| target.contains("/.cache/yarn") || target.ends_with("/.cache"));
        if !cached && !found[last_install..].iter().any(cleans) {
            let message = "yarn install keeps its cache in the layer, wanted yarn cache clean in the same RUN";
            report_command(cx, &run, &found[last_install], message, out);
        }
    }
}

/// How a package manager fills and empties its cache.
struct Manager {
    name: &'static str,
    fills: &'static [&'static str],
    empties: &'static [&'static str],
    /// What must follow the word that empties.
    all: Option<&'static str>,
    folders: &'static [&'static str],
}

const YUM: Manager = Manager {
    name: "yum",
    fills: &["install"],
    empties: &["clean"],
    all: Some("all"),
    folders: &["/var/cache/yum", "/var/cache/dnf"],
};
const DNF: Manager = Manager {
    name: "dnf",
    fills: &["install", "in", "reinstall", "rei", "upgrade", "up", "upgrade-minimal", "up-min"],
    folders: &["/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum"],
    ..YUM
};
const MICRODNF: Manager = Manager { name: "microdnf", ..DNF };
const ZYPPER: Manager = Manager {
    name: "zypper",
    fills: &["install", "in", "remove", "rm", "patch", "source-install", "si"],
    empties: &["clean", "cc"],
    all: None,
    folders: &["/var/cache/zypp"],
};

fn kept(cx: &Cx, file: &Dockerfile, manager: &Manager, out: &mut Findings) {
    let Manager { name, .. } = manager;
    for run in runs(file).filter(ships) {
        let found = run.run.commands();
        let fills = |command: &Command| {
            command.name() == *name && command.operands().any(|word| manager.fills.contains(&word.text.as_str()))
        };
        let Some(last) = found.iter().rposition(fills) else { continue };
        let empties = |command: &Command| {
            command.name() == *name
                && command.operands().any(|word| manager.empties.contains(&word.text.as_str()))
                && manager.all.is_none_or(|all| command.has(all))
        };
        let removed = manager.folders.iter().flat_map(|folder| removals(found, folder)).any(|index| index > last);
        let cached = manager.folders.iter().any(|folder| mounts(run.run, folder));
        if !cached && !removed && !found[last + 1..].iter().any(empties) {
            let clean = manager.all.map_or(format!("{name} clean"), |all| format!("{name} clean {all}"));
            let message = format!("{name} keeps its cache in the layer, wanted `{clean}` in the same RUN");
            report_command(cx, &run, &found[last], message, out);
        }
    }
}

/// An index that is updated in a layer of its own is taken from the build cache when the next layer changes.
fn lone_update(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let is_manager = |command: &Command| {
        matches!(
            command.name(),
            "apt-get" | "apt" | "aptitude" | "apk" | "yum" | "dnf" | "microdnf" | "zypper" | "pacman"
        )
    };
    let uses = |command: &Command| {
        is_manager(command)
            && command.operands().any(|word| {
                matches!(
                    word.text.as_str(),
                    "install"
                        | "add"
                        | "in"
                        | "upgrade"
                        | "dist-upgrade"
                        | "full-upgrade"
                        | "build-dep"
                        | "source"
                        | "download"
                        | "satisfy"
                        | "reinstall"
                        | "groupinstall"
                        | "localinstall"
                ) || word.expands && !references(&word.text).is_empty()
            })
            || command.name() == "pacman" && command.operands().next().is_some()
    };
    let updates = |command: &Command| match command.name() {
        "apt-get" | "apt" | "aptitude" | "apk" => command.has("update"),
        "yum" | "dnf" | "microdnf" => ["makecache", "check-update", "update"].iter().any(|action| command.has(action)),
        "zypper" => ["refresh", "ref", "update", "up"].iter().any(|action| command.has(action)),
        "pacman" => {
            command.has_option("S", &["sync"])
                && command.has_option("y", &["refresh"])
                && command.operands().next().is_none()
        }
        _ => false,
    };
    for run in runs(file) {
        let found = run.run.commands();
        let cached = mounts(run.run, "/var/lib/apt") || mounts(run.run, "/var/cache/apk");
        let Some(last) = found.iter().rposition(updates).filter(|_| !cached) else { continue };
        let name = found[last].name();
        // What is installed before its index is brought up to date does not need it; these update packages, not an index.
        let needs = if matches!(name, "yum" | "dnf" | "microdnf" | "zypper") { 0 } else { last + 1 };
        if !found[needs..].iter().any(uses) {
            let message = format!("{name} updates in a RUN of its own, wanted the installation in the same RUN");
            report_command(cx, &run, &found[last], message, out);
        }
    }
}
