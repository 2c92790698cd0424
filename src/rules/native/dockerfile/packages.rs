//! Package managers: versions, and answers that nobody gives.

use super::{Cx, Findings, Native, Run, each_command, references, variable};
use crate::model::dockerfile::Dockerfile;
use crate::model::shell::{Command, Word};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("docker-apt-command", Native::Dockerfile(apt)),
    ("docker-apt-get-without-yes", Native::Dockerfile(apt_without_yes)),
    ("docker-apt-recommended-packages", Native::Dockerfile(apt_recommended)),
    ("docker-apt-dist-upgrade", Native::Dockerfile(apt_dist_upgrade)),
    ("docker-unpinned-apt-package", Native::Dockerfile(apt_unpinned)),
    ("docker-unpinned-apk-package", Native::Dockerfile(apk_unpinned)),
    (
        "docker-unpinned-pip-package",
        Native::Dockerfile(|cx, file, out| each_command(cx, file, out, |_, one| pip_unpinned(one))),
    ),
    (
        "docker-unpinned-npm-package",
        Native::Dockerfile(|cx, file, out| each_command(cx, file, out, |_, one| npm_unpinned(one))),
    ),
    (
        "docker-unpinned-gem",
        Native::Dockerfile(|cx, file, out| each_command(cx, file, out, |_, one| gem_unpinned(one))),
    ),
    (
        "docker-unpinned-go-module",
        Native::Dockerfile(|cx, file, out| each_command(cx, file, out, |_, one| go_unpinned(one))),
    ),
    ("docker-unpinned-yum-package", Native::Dockerfile(|cx, file, out| rpm_unpinned(cx, file, &["yum"], out))),
    (
        "docker-unpinned-dnf-package",
        Native::Dockerfile(|cx, file, out| rpm_unpinned(cx, file, &["dnf", "microdnf"], out)),
    ),
    ("docker-unpinned-zypper-package", Native::Dockerfile(zypper_unpinned)),
    ("docker-yum-without-yes", Native::Dockerfile(|cx, file, out| rpm_without_yes(cx, file, &["yum"], out))),
    (
        "docker-dnf-without-yes",
        Native::Dockerfile(|cx, file, out| rpm_without_yes(cx, file, &["dnf", "microdnf"], out)),
    ),
    ("docker-interactive-zypper", Native::Dockerfile(zypper_interactive)),
    ("docker-zypper-dist-upgrade", Native::Dockerfile(zypper_dist_upgrade)),
];

fn apt(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        (command.name() == "apt").then(|| "apt is made for people, wanted apt-get or apt-cache".into())
    });
}

fn apt_installs(command: &Command) -> bool {
    command.name() == "apt-get" && command.has("install")
}

fn apt_without_yes(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        // -qq answers yes as well.
        let quiet: usize = command
            .arguments()
            .iter()
            .map(|word| match word.text.as_str() {
                "-q" | "--quiet" => 1,
                "-qq" | "-q=2" | "-qqq" => 2,
                _ => 0,
            })
            .sum();
        let yes = command.has_option("y", &["yes", "assume-yes"]) || quiet > 1;
        (apt_installs(command) && !yes).then(|| "apt-get install waits for an answer, wanted -y".into())
    });
}

fn apt_recommended(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let is_off = |word: &Word| {
            let text = word.text.to_lowercase();
            ["false", "0", "no"].iter().any(|off| text.ends_with(&format!("apt::install-recommends={off}")))
        };
        let without = command.has_option("", &["no-install-recommends"]) || command.arguments().iter().any(is_off);
        (apt_installs(command) && !without)
            .then(|| "apt-get install takes recommended packages too, wanted --no-install-recommends".into())
    });
}

fn apt_dist_upgrade(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        (matches!(command.name(), "apt-get" | "apt") && (command.has("dist-upgrade") || command.has("full-upgrade")))
            .then(|| "apt-get dist-upgrade replaces the distribution's release, wanted a newer base image".into())
    });
}

/// The first package of an installation that has no version.
fn unpinned<'c>(
    mut packages: impl Iterator<Item = &'c Word>,
    is_pinned: impl Fn(&str) -> bool,
    form: &str,
) -> Option<String> {
    let word = packages.find(|word| !is_pinned(&word.text))?;
    let text: String = word.text.chars().take(60).collect();
    Some(format!("package {text} has no version, wanted {form}"))
}

fn apt_unpinned(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const VALUED: &[&str] =
        &["t", "target-release", "o", "option", "c", "config-file", "a", "host-architecture", "default-release"];
    each_command(cx, file, out, |_, command| {
        if !apt_installs(command) {
            return None;
        }
        let packages = command.operands_without(VALUED).filter(|word| word.text != "install");
        unpinned(packages, |text| text.contains(['=', '/']) || text.ends_with(".deb"), "PACKAGE=VERSION")
    });
}

fn apk_unpinned(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const VALUED: &[&str] =
        &["t", "virtual", "repository", "X", "p", "root", "arch", "keys-dir", "repositories-file", "cache-dir", "wait"];
    each_command(cx, file, out, |_, command| {
        if command.name() != "apk" || command.operands_without(VALUED).next().is_none_or(|word| word.text != "add") {
            return None;
        }
        let packages = command.operands_without(VALUED).skip(1);
        let is_pinned =
            |text: &str| text.contains(['=', '<', '>', '~']) || text.ends_with(".apk") || text.starts_with(['.', '!']);
        unpinned(packages, is_pinned, "PACKAGE=VERSION")
    });
}

/// Whether a command is `pip install`, also as `python -m pip install`; pipx installs the same way.
pub(super) fn pip_installs(command: &Command) -> bool {
    let name = command.name();
    let is_module = name.starts_with("python")
        && command.arguments().windows(2).any(|pair| pair[0].text == "-m" && pair[1].text == "pip");
    (name.starts_with("pip") && name != "pipenv" || is_module) && command.has("install")
}

const PIP_VALUED: &[&str] = &[
    "abi",
    "b",
    "build",
    "cache-dir",
    "cert",
    "client-cert",
    "C",
    "config-settings",
    "e",
    "editable",
    "exists-action",
    "extra-index-url",
    "f",
    "find-links",
    "global-option",
    "i",
    "implementation",
    "index-url",
    "install-option",
    "keyring-provider",
    "log",
    "m",
    "no-binary",
    "only-binary",
    "platform",
    "prefix",
    "progress-bar",
    "proxy",
    "python",
    "python-version",
    "report",
    "retries",
    "root",
    "root-user-action",
    "src",
    "t",
    "target",
    "timeout",
    "trusted-host",
    "upgrade-strategy",
];

fn pip_unpinned(command: &Command) -> Option<String> {
    let has_list = |word: &Word| {
        word.text.starts_with("-r")
            || word.text.starts_with("-c")
            || word.text.starts_with("--requirement")
            || word.text.starts_with("--constraint")
    };
    if !pip_installs(command) || command.arguments().iter().any(has_list) {
        return None;
    }
    let packages: Vec<&Word> =
        command.operands_without(PIP_VALUED).skip_while(|word| word.text != "install").skip(1).collect();
    // `name @ location` is one requirement in three words.
    let is_direct = packages.windows(2).any(|pair| pair[1].text == "@");
    let is_pinned = |text: &str| {
        if text.contains("git+") || text.contains("hg+") || text.contains("svn+") || text.contains("bzr+") {
            let path = text.split_once("://").map_or(text, |(_, path)| path);
            // The user of an SSH address is no revision.
            return path.split_once('/').is_some_and(|(_, path)| path.contains('@'));
        }
        text.contains(['/', '<', '>'])
            || ["==", "~=", "!=", "@"].iter().any(|sign| text.contains(sign))
            || text.starts_with('.')
            || [".whl", ".tar.gz", ".zip", ".tgz", ".tar.bz2"].iter().any(|end| text.contains(end))
    };
    if is_direct {
        return None;
    }
    unpinned(packages.into_iter(), is_pinned, "PACKAGE==VERSION")
}

fn npm_unpinned(command: &Command) -> Option<String> {
    const VALUED: &[&str] =
        &["prefix", "C", "registry", "loglevel", "cache", "w", "workspace", "tag", "userconfig", "omit"];
    let mut operands = command.operands_without(VALUED);
    if command.name() != "npm" || !matches!(operands.next()?.text.as_str(), "install" | "i" | "add") {
        return None;
    }
    let is_pinned = |text: &str| {
        let name = text.strip_prefix('@').unwrap_or(text);
        let is_location = text.contains("://") || text.contains(':') && !name.contains('@');
        let is_file = [".tgz", ".tar.gz", ".tar"].iter().any(|end| text.ends_with(end));
        match is_location {
            _ if is_file || text.starts_with(['.', '/', '~']) || text.starts_with("file:") => true,
            true => text.contains('#'),
            false => name.contains(['@', '#']),
        }
    };
    unpinned(operands, is_pinned, "PACKAGE@VERSION")
}

fn gem_unpinned(command: &Command) -> Option<String> {
    // Options that take no value; after any other the words may be its value, or that of an extension.
    const FLAGS: &[&str] = &[
        "--no-document",
        "--no-ri",
        "--no-rdoc",
        "--user-install",
        "--no-user-install",
        "--force",
        "--verbose",
        "--quiet",
        "--silent",
        "--conservative",
        "--prerelease",
        "--local",
        "--remote",
        "--both",
        "--no-wrappers",
        "--minimal-deps",
    ];
    if !command.is("gem", &["install", "i"]) || command.has_option("v", &["version", "file", "gemdeps"]) {
        return None;
    }
    let is_unclear =
        |word: &&Word| word.text.starts_with("--") && !word.text.contains('=') && !FLAGS.contains(&word.text.as_str());
    let words: Vec<&Word> = command.arguments().iter().take_while(|word| !is_unclear(word)).collect();
    let packages = words.into_iter().filter(|word| !word.text.starts_with('-')).skip(1);
    unpinned(packages, |text| text.contains(':') || text.ends_with(".gem"), "GEM:VERSION")
}

fn go_unpinned(command: &Command) -> Option<String> {
    const VALUED: &[&str] = &[
        "tags",
        "ldflags",
        "gcflags",
        "asmflags",
        "mod",
        "modfile",
        "o",
        "p",
        "C",
        "overlay",
        "pkgdir",
        "toolexec",
        "exec",
        "buildmode",
        "installsuffix",
    ];
    let mut operands = command.operands_without(VALUED);
    if command.name() != "go" {
        return None;
    }
    let action = operands.next()?.text.as_str();
    let count = match action {
        "install" | "get" => usize::MAX,
        // What follows the program of `go run` are its arguments.
        "run" => 1,
        _ => return None,
    };
    let is_pinned = |text: &str| {
        let version = text.split_once('@').map(|(_, version)| version);
        version.map_or(text.starts_with(['.', '/']) || text.ends_with(".go"), |version| version != "latest")
    };
    unpinned(operands.take(count), is_pinned, "MODULE@VERSION")
}

/// Options of yum and dnf that take the next word.
const RPM_VALUED: &[&str] = &[
    "enablerepo",
    "disablerepo",
    "repo",
    "repoid",
    "c",
    "config",
    "installroot",
    "releasever",
    "setopt",
    "x",
    "exclude",
    "nodocs",
    "forcearch",
    "enable-repo",
    "disable-repo",
];

fn rpm_unpinned(cx: &Cx, file: &Dockerfile, managers: &[&str], out: &mut Findings) {
    each_command(cx, file, out, |run, command| {
        if !managers.contains(&command.name()) || !command.has("install") {
            return None;
        }
        let operands: Vec<&Word> = command.operands_without(RPM_VALUED).collect();
        // Groups have no versions.
        if operands.iter().any(|word| matches!(word.text.as_str(), "group" | "groups")) {
            return None;
        }
        let is_module = operands.iter().any(|word| word.text == "module");
        let packages = operands.into_iter().filter(|word| !matches!(word.text.as_str(), "install" | "module"));
        let is_pinned = |text: &str| {
            is_module && text.contains(':')
                || text.starts_with('@')
                || text.ends_with(".rpm")
                || text.contains('/')
                || has_rpm_version(run, text)
        };
        unpinned(packages, is_pinned, if is_module { "MODULE:STREAM" } else { "PACKAGE-VERSION" })
    });
}

/// Whether a hyphen is followed by a digit, or by a variable that ENV or ARG declares.
fn has_rpm_version(run: &Run<'_>, text: &str) -> bool {
    text.match_indices('-').any(|(at, _)| {
        let rest = &text[at + 1..];
        if rest.starts_with(|first: char| first.is_ascii_digit()) {
            return !text.contains('*');
        }
        let declared = |name: &str| {
            variable(run.file, run.index, name).is_some()
                || run.file.declared.contains(name)
                    && run.file.instructions[..run.index]
                        .iter()
                        .any(|one| one.keyword == "ARG" && one.pairs().iter().any(|(key, _)| key.text == name))
        };
        rest.starts_with('$') && references(rest).first().is_some_and(|(name, _)| declared(name))
    })
}

fn rpm_without_yes(cx: &Cx, file: &Dockerfile, managers: &[&str], out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let name = command.name();
        let acts = managers.contains(&name)
            && command.operands().any(|word| matches!(word.text.as_str(), "install" | "groupinstall" | "localinstall"));
        let yes = command.has_option("y", &["assumeyes", "yes"]);
        (acts && !yes).then(|| format!("{name} install waits for an answer, wanted -y"))
    });
}

fn zypper_interactive(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const ACTIONS: &[&str] = &["install", "in", "remove", "rm", "patch", "source-install", "si"];
    each_command(cx, file, out, |_, command| {
        let acts = command.name() == "zypper" && command.operands().any(|word| ACTIONS.contains(&word.text.as_str()));
        let quiet = command.has_option("n", &["non-interactive", "no-confirm"]) || command.has_option("y", &[]);
        (acts && !quiet).then(|| "zypper waits for an answer, wanted --non-interactive".into())
    });
}

fn zypper_dist_upgrade(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        (command.name() == "zypper" && (command.has("dup") || command.has("dist-upgrade")))
            .then(|| "zypper dist-upgrade in a layer, wanted a newer base image".into())
    });
}

fn zypper_unpinned(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const VALUED: &[&str] = &["t", "type", "r", "repo", "from", "C", "capability", "R", "root", "plus-repo", "p"];
    each_command(cx, file, out, |_, command| {
        let is_action = |word: &Word| matches!(word.text.as_str(), "install" | "in");
        if command.name() != "zypper" || !command.operands().any(is_action) {
            return None;
        }
        let packages = command.operands_without(VALUED).skip_while(|word| !is_action(word)).skip(1);
        unpinned(packages, |text| text.contains(['=', '>', '<', '/']) || text.ends_with(".rpm"), "PACKAGE=VERSION")
    });
}
