//! Checks of Dockerfiles.

use super::{Cx, Findings, Native};
use crate::model::dockerfile::{Arguments, Dockerfile, Instruction, Stage};
use crate::model::image::Image;
use crate::model::shell::{Command, Word, commands};
use crate::source::Span;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("docker-untagged-base-image", Native::Dockerfile(untagged)),
    ("docker-latest-base-image", Native::Dockerfile(latest)),
    ("docker-last-user-root", Native::Dockerfile(last_user)),
    ("docker-duplicate-stage-name", Native::Dockerfile(duplicate_stage)),
    ("docker-copy-from-own-stage", Native::Dockerfile(copy_from_self)),
    ("docker-copy-from-unknown-stage", Native::Dockerfile(copy_from_unknown)),
    ("docker-fixed-platform", Native::Dockerfile(fixed_platform)),
    ("docker-repeated-cmd", Native::Dockerfile(|cx, file, out| repeated(cx, file, "CMD", out))),
    ("docker-repeated-entrypoint", Native::Dockerfile(|cx, file, out| repeated(cx, file, "ENTRYPOINT", out))),
    ("docker-repeated-healthcheck", Native::Dockerfile(|cx, file, out| repeated(cx, file, "HEALTHCHECK", out))),
    ("docker-missing-healthcheck", Native::Dockerfile(missing_healthcheck)),
    ("docker-instruction-before-from", Native::Dockerfile(before_from)),
    ("docker-reserved-stage-name", Native::Dockerfile(reserved_stage)),
    ("docker-relative-workdir", Native::Dockerfile(relative_workdir)),
    ("docker-exposed-port-out-of-range", Native::Dockerfile(exposed_port)),
    ("docker-add-instead-of-copy", Native::Dockerfile(add)),
    ("docker-copy-without-trailing-slash", Native::Dockerfile(copy_slash)),
    ("docker-shell-form-command", Native::Dockerfile(shell_form)),
    ("docker-maintainer-instruction", Native::Dockerfile(maintainer)),
    ("docker-secret-named-variable", Native::Dockerfile(secret_variable)),
    ("docker-secret-file-copied", Native::Dockerfile(secret_file)),
    ("docker-cd-in-run", Native::Dockerfile(cd)),
    (
        "docker-sudo",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                command
                    .words
                    .first()
                    .is_some_and(|word| word.text == "sudo")
                    .then(|| "sudo in a RUN, wanted USER for the steps that need it".into())
            })
        }),
    ),
    (
        "docker-pointless-command",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                let name = command.name();
                ["free", "kill", "mount", "ps", "service", "shutdown", "ssh", "top", "vim"]
                    .contains(&name)
                    .then(|| format!("{name} acts on a host and does nothing for an image"))
            })
        }),
    ),
    (
        "docker-apt-command",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                (command.name() == "apt").then(|| "apt is made for people, wanted apt-get or apt-cache".into())
            })
        }),
    ),
    (
        "docker-apt-get-without-yes",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                let yes = command.has_option("y", &["yes", "assume-yes"])
                    || command.arguments().iter().any(|word| word.text == "-qq" || word.text == "-q=2");
                let quiet = command.arguments().iter().filter(|word| word.text == "-q").count() > 1;
                (installs(command, "apt-get") && !yes && !quiet)
                    .then(|| "apt-get install waits for an answer, wanted -y".into())
            })
        }),
    ),
    (
        "docker-apt-recommended-packages",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                let without = command.has_option("", &["no-install-recommends"])
                    || command
                        .arguments()
                        .iter()
                        .any(|word| word.text.to_lowercase().contains("apt::install-recommends=false"));
                (installs(command, "apt-get") && !without)
                    .then(|| "apt-get install takes recommended packages too, wanted --no-install-recommends".into())
            })
        }),
    ),
    (
        "docker-unpinned-apt-package",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                unpinned(
                    command,
                    &["apt-get"],
                    &["t", "target-release"],
                    |package| package.contains(['=', '/']) || package.ends_with(".deb"),
                    "PACKAGE=VERSION",
                )
            })
        }),
    ),
    (
        "docker-unpinned-apk-package",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                let is_add = command.is("apk", &["add"]);
                is_add
                    .then(|| {
                        bare_operands(command, &["t", "virtual", "repository", "X"])
                            .into_iter()
                            .skip(1)
                            .find(|word| {
                                !word.expands
                                    && !word.text.contains(['=', '<', '>', '~'])
                                    && !word.text.ends_with(".apk")
                                    && !word.text.starts_with('.')
                            })
                            .map(|word| format!("package {} has no version, wanted {0}=VERSION", word.text))
                    })
                    .flatten()
            })
        }),
    ),
    (
        "docker-apk-cache-kept",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |instruction, command, _| {
                let kept = !command.has_option("", &["no-cache"]) && !mounts(instruction, "/var/cache/apk");
                (command.is("apk", &["add"]) && kept)
                    .then(|| "apk add keeps the package index in the layer, wanted --no-cache".into())
            })
        }),
    ),
    (
        "docker-unpinned-pip-package",
        Native::Dockerfile(|cx, file, out| each_command(cx, file, out, |_, command, _| pip_unpinned(command))),
    ),
    (
        "docker-pip-cache-kept",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |instruction, command, file| {
                let off = command.has_option("", &["no-cache-dir", "no-cache"])
                    || mounts(instruction, "/.cache/pip")
                    || file.instructions.iter().any(|one| sets(one, "PIP_NO_CACHE_DIR"))
                    || command.assignments.iter().any(|name| name == "PIP_NO_CACHE_DIR");
                (is_pip_install(command) && !off)
                    .then(|| "pip install keeps its cache in the layer, wanted --no-cache-dir".into())
            })
        }),
    ),
    (
        "docker-unpinned-npm-package",
        Native::Dockerfile(|cx, file, out| each_command(cx, file, out, |_, command, _| npm_unpinned(command))),
    ),
    (
        "docker-unpinned-gem",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                let pinned = command.has_option("v", &["version"]);
                (command.is("gem", &["install", "i"]) && !pinned)
                    .then(|| {
                        bare_operands(command, &["v", "version"])
                            .into_iter()
                            .skip(1)
                            .find(|word| !word.text.contains(':') && !word.expands)
                            .map(|word| format!("gem {} has no version, wanted {0}:VERSION", word.text))
                    })
                    .flatten()
            })
        }),
    ),
    (
        "docker-yum-without-yes",
        Native::Dockerfile(|cx, file, out| each_command(cx, file, out, |_, command, _| without_yes(command, "yum"))),
    ),
    (
        "docker-dnf-without-yes",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                without_yes(command, "dnf").or_else(|| without_yes(command, "microdnf"))
            })
        }),
    ),
    (
        "docker-interactive-zypper",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                let acts = command
                    .is("zypper", &["install", "in", "remove", "rm", "patch", "source-install", "si", "update", "up"]);
                let quiet = command.has_option("n", &["non-interactive", "no-confirm"]) || command.has_option("y", &[]);
                (acts && !quiet).then(|| "zypper waits for an answer, wanted --non-interactive".into())
            })
        }),
    ),
    (
        "docker-zypper-dist-upgrade",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                command
                    .is("zypper", &["dup", "dist-upgrade"])
                    .then(|| "zypper dist-upgrade in a layer, wanted a newer base image".into())
            })
        }),
    ),
    (
        "docker-unpinned-yum-package",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                unpinned(
                    command,
                    &["yum"],
                    &[],
                    |package| {
                        package.contains('-') && package.bytes().any(|byte| byte.is_ascii_digit())
                            || package.ends_with(".rpm")
                    },
                    "PACKAGE-VERSION",
                )
            })
        }),
    ),
    (
        "docker-unpinned-dnf-package",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                unpinned(
                    command,
                    &["dnf", "microdnf"],
                    &[],
                    |package| {
                        package.contains('-') && package.bytes().any(|byte| byte.is_ascii_digit())
                            || package.ends_with(".rpm")
                    },
                    "PACKAGE-VERSION",
                )
            })
        }),
    ),
    (
        "docker-unpinned-zypper-package",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                unpinned(
                    command,
                    &["zypper"],
                    &[],
                    |package| package.contains(['=', '>', '<']) || package.ends_with(".rpm"),
                    "PACKAGE=VERSION",
                )
            })
        }),
    ),
    ("docker-yum-cache-kept", Native::Dockerfile(|cx, file, out| cache_kept(cx, file, &["yum"], out))),
    ("docker-dnf-cache-kept", Native::Dockerfile(|cx, file, out| cache_kept(cx, file, &["dnf", "microdnf"], out))),
    ("docker-zypper-cache-kept", Native::Dockerfile(|cx, file, out| cache_kept(cx, file, &["zypper"], out))),
    (
        "docker-wget-progress-output",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                let quiet = command
                    .has_option("q", &["quiet", "no-verbose", "output-file", "append-output", "progress"])
                    || command.arguments().iter().any(|word| matches!(word.text.as_str(), "-nv" | "-o" | "-a"));
                (command.name() == "wget" && !quiet)
                    .then(|| "wget writes its progress into the log, wanted --progress=dot:giga".into())
            })
        }),
    ),
    (
        "docker-shell-replaced-by-link",
        Native::Dockerfile(|cx, file, out| {
            each_command(cx, file, out, |_, command, _| {
                (command.name() == "ln" && command.operands().any(|word| word.text == "/bin/sh"))
                    .then(|| "a link replaces /bin/sh, wanted SHELL".into())
            })
        }),
    ),
    ("docker-both-wget-and-curl", Native::Dockerfile(wget_and_curl)),
    ("docker-pipe-without-pipefail", Native::Dockerfile(pipefail)),
    ("docker-apt-lists-kept", Native::Dockerfile(apt_lists)),
];

/// The instruction that acts: what ONBUILD holds, or itself.
fn acting(instruction: &Instruction) -> &Instruction {
    instruction.trigger.as_deref().unwrap_or(instruction)
}

fn runs(file: &Dockerfile) -> impl Iterator<Item = (&Instruction, &Instruction)> {
    file.instructions.iter().map(|outer| (outer, acting(outer))).filter(|(_, inner)| inner.keyword == "RUN")
}

/// Findings about instructions stand on their first line.
fn report(cx: &Cx, file: &Dockerfile, instruction: &Instruction, message: impl Into<String>, out: &mut Findings) {
    let span = cx.sources.get(file.file).first_line(instruction.span);
    out.at(span, instruction.keyword.to_lowercase(), message);
}

fn shell_commands(instruction: &Instruction) -> Vec<Command> {
    let mut found = instruction.script().map(commands).unwrap_or_default();
    for heredoc in &instruction.heredocs {
        let script =
            crate::model::dockerfile::Script { text: heredoc.text.clone(), map: vec![(0, heredoc.span.start)] };
        found.extend(commands(&script));
    }
    if let Arguments::Json(words) = &instruction.arguments {
        let words = words.iter().map(|word| Word { text: word.text.clone(), at: 0, expands: false }).collect();
        found.push(Command { words, ..Command::default() });
    }
    found
}

/// One finding for each RUN that holds a bad command.
fn each_command(
    cx: &Cx,
    file: &Dockerfile,
    out: &mut Findings,
    bad: impl Fn(&Instruction, &Command, &Dockerfile) -> Option<String>,
) {
    for (outer, run) in runs(file) {
        if let Some(message) = shell_commands(run).iter().find_map(|command| bad(run, command, file)) {
            report(cx, file, outer, message, out);
        }
    }
}

fn installs(command: &Command, manager: &str) -> bool {
    command.name() == manager && command.operands().any(|word| word.text == "install")
}

/// Operands without those that are values of these options.
fn bare_operands<'c>(command: &'c Command, valued: &[&str]) -> Vec<&'c Word> {
    let mut skip = false;
    let mut words = Vec::new();
    for word in command.arguments() {
        if std::mem::take(&mut skip) {
            continue;
        }
        match word.text.strip_prefix('-') {
            Some(option) => skip = valued.contains(&option.trim_start_matches('-')),
            None => words.push(word),
        }
    }
    words
}

fn unpinned(
    command: &Command,
    managers: &[&str],
    valued: &[&str],
    is_pinned: impl Fn(&str) -> bool,
    form: &str,
) -> Option<String> {
    let action = command.operands().next()?.text.as_str();
    let name = command.name();
    if !managers.contains(&name) || !(matches!(action, "install" | "in") || installs(command, name)) {
        return None;
    }
    let packages =
        bare_operands(command, valued).into_iter().filter(|word| !matches!(word.text.as_str(), "install" | "in"));
    let mut packages = packages.filter(|word| !word.expands && !word.text.contains(['>', '<']));
    packages
        .find(|word| !is_pinned(&word.text))
        .map(|word| format!("package {} has no version, wanted {form}", word.text))
}

fn without_yes(command: &Command, manager: &str) -> Option<String> {
    let acts = command.name() == manager
        && command
            .operands()
            .any(|word| matches!(word.text.as_str(), "install" | "groupinstall" | "localinstall" | "reinstall"));
    let yes = command.has_option("y", &["assumeyes", "yes"]);
    (acts && !yes).then(|| format!("{manager} install waits for an answer, wanted -y"))
}

fn is_pip_install(command: &Command) -> bool {
    let name = command.name();
    let is_pip = name == "pip" || name.strip_prefix("pip").is_some_and(|rest| rest.starts_with(['2', '3']));
    let is_module = name.starts_with("python")
        && command.arguments().windows(2).any(|pair| pair[0].text == "-m" && pair[1].text == "pip");
    (is_pip || is_module) && command.operands().any(|word| word.text == "install")
}

fn pip_unpinned(command: &Command) -> Option<String> {
    if !is_pip_install(command) || command.has_option("", &["requirement", "constraint"]) {
        return None;
    }
    if command.arguments().iter().any(|word| matches!(word.text.as_str(), "-r" | "-c") || word.text.starts_with("-r")) {
        return None;
    }
    let valued = [
        "i",
        "index-url",
        "extra-index-url",
        "f",
        "find-links",
        "t",
        "target",
        "prefix",
        "root",
        "trusted-host",
        "timeout",
        "retries",
        "proxy",
        "m",
        "cache-dir",
        "e",
        "editable",
        "src",
        "progress-bar",
    ];
    let after = bare_operands(command, &valued);
    let packages = after.into_iter().skip_while(|word| word.text != "install").skip(1);
    let is_pinned = |text: &str| {
        text.contains("==")
            || text.contains("===")
            || text.contains('@')
            || text.contains(['/', '>', '<', '~'])
            || text.starts_with('.')
            || [".whl", ".tar.gz", ".zip"].iter().any(|end| text.ends_with(end))
    };
    let mut unpinned = packages.filter(|word| !word.expands && !is_pinned(&word.text));
    unpinned.next().map(|word| format!("package {} has no version, wanted {0}==VERSION", word.text))
}

fn npm_unpinned(command: &Command) -> Option<String> {
    if !command.is("npm", &["install", "i", "add"]) {
        return None;
    }
    let packages = bare_operands(command, &["prefix", "registry", "loglevel", "cache"]).into_iter().skip(1);
    let is_pinned = |text: &str| {
        let name = text.strip_prefix('@').unwrap_or(text);
        name.contains('@')
            || text.starts_with(['.', '/'])
            || text.contains("://") && text.contains('#')
            || [".tgz", ".tar.gz", ".tar"].iter().any(|end| text.ends_with(end))
    };
    let mut unpinned = packages.filter(|word| !word.expands && !is_pinned(&word.text));
    unpinned.next().map(|word| format!("package {} has no version, wanted {0}@VERSION", word.text))
}

/// Whether a cache or tmpfs mount covers a path.
fn mounts(instruction: &Instruction, path: &str) -> bool {
    instruction.flags.iter().any(|flag| {
        flag.name == "mount"
            && (flag.value.contains("type=cache") || flag.value.contains("type=tmpfs"))
            && flag.value.contains(path)
    })
}

fn sets(instruction: &Instruction, name: &str) -> bool {
    matches!(&instruction.arguments, Arguments::Pairs(pairs) if instruction.keyword == "ENV" && pairs.iter().any(|(key, _)| key.text == name))
}

fn cache_kept(cx: &Cx, file: &Dockerfile, managers: &[&str], out: &mut Findings) {
    for (outer, run) in runs(file) {
        let found = shell_commands(run);
        let installs = found.iter().any(|command| {
            managers.contains(&command.name())
                && command.operands().any(|word| matches!(word.text.as_str(), "install" | "in"))
        });
        let cleans = found.iter().any(|command| {
            managers.contains(&command.name())
                && command.operands().next().is_some_and(|word| matches!(word.text.as_str(), "clean" | "cc"))
                || command.name() == "rm"
                    && command.operands().any(|word| {
                        managers.iter().any(|name| {
                            word.text.starts_with(&format!("/var/cache/{name}")) || word.text.contains("/var/cache/")
                        })
                    })
        });
        if installs && !cleans && !mounts(run, "/var/cache/") {
            let name = managers[0];
            report(
                cx,
                file,
                outer,
                format!("{name} keeps its cache in the layer, wanted `{name} clean` in the same RUN"),
                out,
            );
        }
    }
}

fn apt_lists(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (outer, run) in runs(file) {
        let found = shell_commands(run);
        let updates = found.iter().any(|command| {
            matches!(command.name(), "apt-get" | "apt" | "aptitude")
                && command.operands().any(|word| word.text == "update")
        });
        let removes = found.iter().any(|command| {
            command.name() == "rm" && command.operands().any(|word| word.text.starts_with("/var/lib/apt/lists"))
        });
        let is_cached = mounts(run, "/var/lib/apt") || mounts(run, "/var/cache/apt") && mounts(run, "/var/lib/apt");
        if updates && !removes && !is_cached {
            report(
                cx,
                file,
                outer,
                "apt-get update leaves its lists in the layer, wanted rm -rf /var/lib/apt/lists/* in the same RUN",
                out,
            );
        }
    }
}

fn wget_and_curl(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in &file.stages {
        let mut first: Option<String> = None;
        for instruction in file.of(stage) {
            let run = acting(instruction);
            if run.keyword != "RUN" {
                continue;
            }
            for name in shell_commands(run).iter().map(Command::name).filter(|name| matches!(*name, "wget" | "curl")) {
                match &first {
                    Some(other) if other != name => {
                        report(cx, file, instruction, "both wget and curl are used, wanted one of them", out);
                        first = None;
                        break;
                    }
                    Some(_) => {}
                    None => first = Some(name.to_string()),
                }
            }
        }
    }
}

fn pipefail(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in &file.stages {
        let mut is_set = false;
        for outer in file.of(stage) {
            let instruction = acting(outer);
            if instruction.keyword == "SHELL" {
                let words: Vec<&str> = instruction.words().into_iter().map(|word| word.text.as_str()).collect();
                let is_posix = words.first().is_some_and(|shell| {
                    ["sh", "bash", "ash", "zsh", "ksh"].contains(&shell.rsplit('/').next().unwrap_or(""))
                });
                is_set = !is_posix || words.contains(&"pipefail");
            }
            if instruction.keyword != "RUN" || is_set || instruction.is_json() {
                continue;
            }
            let found = shell_commands(instruction);
            let sets = found.iter().any(|command| {
                command.name() == "set" && command.arguments().iter().any(|word| word.text == "pipefail")
            });
            if found.iter().any(|command| command.piped) && !sets {
                report(cx, file, outer, "a failure before the pipe is lost, wanted SHELL with -o pipefail", out);
            }
        }
    }
}

fn cd(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (outer, run) in runs(file) {
        let found = shell_commands(run);
        if found.len() == 1 && found[0].name() == "cd"
            || found.iter().any(|command| {
                command.name() == "cd" && command.operands().next().is_some_and(|word| word.text.starts_with('/'))
            })
        {
            report(cx, file, outer, "cd lasts to the end of this RUN only, wanted WORKDIR", out);
        }
    }
}

fn stage_image(stage: &Stage) -> Option<(&str, Span)> {
    let base = stage.base.as_ref()?;
    (stage.parent.is_none() && base.text != "scratch").then_some((base.text.as_str(), base.span))
}

fn untagged(_: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (text, span) in file.stages.iter().filter_map(stage_image) {
        if let Some(image) = Image::parse(text)
            && image.tag.is_none()
            && image.digest.is_none()
        {
            out.at(span, "from", format!("base image {text:?} has no tag, wanted a version or digest"));
        }
    }
}

fn latest(_: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (text, span) in file.stages.iter().filter_map(stage_image) {
        if let Some(image) = Image::parse(text)
            && image.tag == Some("latest")
            && image.digest.is_none()
        {
            out.at(span, "from", format!("base image {text:?} moves, wanted a version or digest"));
        }
    }
}

fn last_user(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in &file.stages {
        if let Some(user) = file.of(stage).iter().rev().find(|one| one.keyword == "USER") {
            let words = user.words();
            let name = words.first().map_or("", |word| word.text.split(':').next().unwrap_or(""));
            if matches!(name, "root" | "0") {
                report(cx, file, user, format!("the last USER is {name}, wanted an unprivileged user"), out);
            }
        }
    }
}

fn duplicate_stage(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (index, stage) in file.stages.iter().enumerate() {
        if let Some(name) = &stage.name
            && file.stages[..index].iter().any(|earlier| earlier.name.as_ref() == Some(name))
        {
            let span = cx.sources.get(file.file).first_line(stage.head);
            out.at(span, "from", format!("stage name {name:?} is used twice"));
        }
    }
}

/// COPY instructions with `--from`, and the stage that they stand in.
fn copies(file: &Dockerfile) -> impl Iterator<Item = (&Stage, &Instruction, &str)> {
    file.stages.iter().flat_map(move |stage| {
        file.of(stage)
            .iter()
            .filter(|one| one.keyword == "COPY")
            .filter_map(move |one| Some((stage, one, one.flag("from")?.value.as_str())))
    })
}

fn copy_from_self(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (stage, copy, from) in copies(file) {
        if stage.name.as_deref() == Some(from.to_lowercase().as_str()) || from == stage.index.to_string() {
            report(cx, file, copy, format!("COPY --from={from} names its own stage"), out);
        }
    }
}

fn copy_from_unknown(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (stage, copy, from) in copies(file) {
        let is_stage = file.stages[..stage.index]
            .iter()
            .any(|earlier| earlier.name.as_deref() == Some(from.to_lowercase().as_str()))
            || from.parse::<usize>().is_ok_and(|index| index < stage.index);
        let is_self = stage.name.as_deref() == Some(from.to_lowercase().as_str());
        if !is_stage && !is_self && !from.contains([':', '/', '$', '@']) {
            report(cx, file, copy, format!("COPY --from={from} names no earlier stage"), out);
        }
    }
}

fn fixed_platform(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for from in file.instructions.iter().filter(|one| one.keyword == "FROM") {
        if let Some(flag) = from.flag("platform")
            && !flag.value.contains("BUILDPLATFORM")
            && !flag.value.contains("TARGETPLATFORM")
        {
            report(
                cx,
                file,
                from,
                format!("--platform={} is fixed, wanted $BUILDPLATFORM, $TARGETPLATFORM or none", flag.value),
                out,
            );
        }
    }
}

fn repeated(cx: &Cx, file: &Dockerfile, keyword: &str, out: &mut Findings) {
    for stage in &file.stages {
        for again in file.of(stage).iter().filter(|one| one.keyword == keyword).skip(1) {
            report(
                cx,
                file,
                again,
                format!("{keyword} stands more than once in this stage; only the last counts"),
                out,
            );
        }
    }
}

fn missing_healthcheck(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    if let Some(stage) = file.last()
        && file.effective(stage, "HEALTHCHECK").is_none()
    {
        let span = cx.sources.get(file.file).first_line(stage.head);
        out.at(span, "healthcheck", "the image has no HEALTHCHECK");
    }
}

fn before_from(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    if let Some(first) = file.instructions.iter().find(|one| !matches!(one.keyword.as_str(), "ARG"))
        && first.keyword != "FROM"
    {
        report(cx, file, first, format!("{} stands before FROM, wanted FROM or ARG first", first.keyword), out);
    }
}

fn reserved_stage(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in file.stages.iter().filter(|stage| matches!(stage.name.as_deref(), Some("scratch" | "context"))) {
        let span = cx.sources.get(file.file).first_line(stage.head);
        out.at(span, "from", "the stage's name is reserved");
    }
}

fn relative_workdir(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for workdir in file.instructions.iter().filter(|one| acting(one).keyword == "WORKDIR") {
        let Some(path) = acting(workdir).words().first().map(|word| word.text.trim_matches(['"', '\'']).to_string())
        else {
            continue;
        };
        let is_drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
        if !path.starts_with(['/', '$']) && !is_drive {
            report(cx, file, workdir, format!("WORKDIR {path} is relative, wanted an absolute path"), out);
        }
    }
}

fn exposed_port(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for expose in file.instructions.iter().filter(|one| acting(one).keyword == "EXPOSE") {
        let is_wrong = |text: &str| {
            let ports = text.split('/').next().unwrap_or(text);
            ports.split('-').any(|port| port.parse::<u64>().is_ok_and(|port| port > 65_535))
        };
        if let Some(word) = acting(expose).words().into_iter().find(|word| is_wrong(&word.text)) {
            report(cx, file, expose, format!("port {} is out of range, wanted 0 to 65535", word.text), out);
        }
    }
}

const ARCHIVES: &[&str] = &[
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".gz", ".bz2", ".xz", ".zst",
    ".tlz", ".tz", ".Z", ".lz", ".lzma", ".tbz", ".tb2", ".tzst", ".tZ", ".tlz",
];

fn add(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for add in file.instructions.iter().filter(|one| acting(one).keyword == "ADD") {
        let words = acting(add).words();
        let sources = &words[..words.len().saturating_sub(1)];
        let is_fit = |text: &str| {
            text.contains("://")
                || text.starts_with("git@")
                || ARCHIVES.iter().any(|end| text.trim_matches(['"', '\'']).ends_with(end))
        };
        if acting(add).heredocs.is_empty() && !sources.is_empty() && !sources.iter().any(|word| is_fit(&word.text)) {
            report(cx, file, add, "ADD copies plain files, wanted COPY", out);
        }
    }
}

fn copy_slash(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for copy in file.instructions.iter().filter(|one| acting(one).keyword == "COPY") {
        let words = acting(copy).words();
        if words.len() > 2
            && let Some(last) = words.last()
            && !last.text.trim_matches(['"', '\'']).ends_with('/')
            && !last.text.contains('$')
        {
            report(
                cx,
                file,
                copy,
                format!("several sources are copied to {:?}, wanted a folder that ends in /", last.text),
                out,
            );
        }
    }
}

fn shell_form(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for instruction in
        file.instructions.iter().filter(|one| matches!(acting(one).keyword.as_str(), "CMD" | "ENTRYPOINT"))
    {
        let inner = acting(instruction);
        if !inner.is_json() && inner.script().is_some_and(|script| !script.text.trim().is_empty()) {
            report(
                cx,
                file,
                instruction,
                format!("{} is in the shell form, wanted [\"program\", \"argument\"]", inner.keyword),
                out,
            );
        }
    }
}

fn maintainer(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for instruction in file.instructions.iter().filter(|one| acting(one).keyword == "MAINTAINER") {
        report(cx, file, instruction, "MAINTAINER is deprecated, wanted a label", out);
    }
}

/// The id of an access key is no secret, but nobody sets it without the key.
fn names_secret(name: &str) -> bool {
    crate::secret::is_secret_name(name) || name.to_ascii_uppercase().ends_with("ACCESS_KEY_ID")
}

fn secret_variable(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for outer in &file.instructions {
        let instruction = acting(outer);
        let Arguments::Pairs(pairs) = &instruction.arguments else { continue };
        if !matches!(instruction.keyword.as_str(), "ENV" | "ARG") {
            continue;
        }
        if let Some((name, _)) = pairs.iter().find(|(name, _)| names_secret(&name.text)) {
            let span = cx.sources.get(file.file).first_line(outer.span);
            let message =
                format!("{} {} stays in the image's history, wanted a secret mount", instruction.keyword, name.text);
            out.at(span, instruction.keyword.to_lowercase(), message).sensitive();
        }
    }
}

fn secret_file(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let is_secret = |path: &str| {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
        matches!(
            name,
            ".env"
                | "id_rsa"
                | "id_dsa"
                | "id_ecdsa"
                | "id_ed25519"
                | ".npmrc"
                | ".netrc"
                | ".git-credentials"
                | ".pypirc"
                | ".dockercfg"
        ) || path.ends_with(".aws/credentials")
            || (name.ends_with(".key") || name.ends_with(".p12") || name.ends_with(".pfx"))
    };
    for copy in file.instructions.iter().filter(|one| matches!(acting(one).keyword.as_str(), "COPY" | "ADD")) {
        let words = acting(copy).words();
        let sources = &words[..words.len().saturating_sub(1)];
        if let Some(word) = sources.iter().find(|word| is_secret(&word.text)) {
            report(cx, file, copy, format!("{} is copied into the image, wanted a secret mount", word.text), out);
        }
    }
}
