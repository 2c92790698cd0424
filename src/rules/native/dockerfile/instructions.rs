//! Single instructions: paths, ports, forms, variables.

use rustc_hash::FxHashMap;

use super::{Cx, Findings, Native, acting, of_keyword, references, report, variable};
use crate::model::dockerfile::{Dockerfile, Instruction, Word};
use crate::source::Span;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("docker-relative-workdir", Native::Dockerfile(relative_workdir)),
    ("docker-system-workdir", Native::Dockerfile(system_workdir)),
    ("docker-exposed-port-out-of-range", Native::Dockerfile(exposed_port)),
    ("docker-exposed-ssh-port", Native::Dockerfile(ssh_port)),
    ("docker-add-instead-of-copy", Native::Dockerfile(add)),
    ("docker-remote-add-without-checksum", Native::Dockerfile(remote_add)),
    ("docker-copy-without-trailing-slash", Native::Dockerfile(copy_slash)),
    ("docker-copy-to-relative-path", Native::Dockerfile(relative_copy)),
    ("docker-chown-flag", Native::Dockerfile(chown_flag)),
    ("docker-shell-form-command", Native::Dockerfile(shell_form)),
    ("docker-maintainer-instruction", Native::Dockerfile(maintainer)),
    ("docker-forbidden-onbuild-trigger", Native::Dockerfile(onbuild)),
    ("docker-env-self-reference", Native::Dockerfile(env_reference)),
    ("docker-inline-ignore", Native::Dockerfile(inline_ignore)),
];

fn bare(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

/// Whether a path does not depend on a working directory: absolute, on a drive, or begun by a variable.
fn is_absolute(path: &str) -> bool {
    let path = bare(path);
    let bytes = path.as_bytes();
    path.starts_with(['/', '$', '\\']) || bytes.len() > 1 && bytes[1] == b':' && bytes[0].is_ascii_alphabetic()
}

fn relative_workdir(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for workdir in of_keyword(file, "WORKDIR") {
        if let Some(path) = workdir.words().first().filter(|path| !is_absolute(&path.text)) {
            let message = format!("WORKDIR {} is relative, wanted an absolute path", bare(&path.text));
            report(cx, file, workdir, message, out);
        }
    }
}

fn system_workdir(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const SYSTEM: &[&str] = &[
        "/proc",
        "/sys",
        "/dev",
        "/boot",
        "/etc",
        "/bin",
        "/sbin",
        "/lib",
        "/lib64",
        "/usr/bin",
        "/usr/sbin",
        "/usr/lib",
        "/root/.ssh",
    ];
    const WHOLE: &[&str] = &["/proc", "/sys", "/dev", "/boot", "/bin", "/sbin"];
    for workdir in of_keyword(file, "WORKDIR") {
        let Some(word) = workdir.words().into_iter().next() else { continue };
        let path = bare(&word.text).trim_end_matches('/');
        let below = WHOLE.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        if SYSTEM.contains(&path) || below {
            report(cx, file, workdir, format!("WORKDIR {path} is a folder of the system, wanted one of its own"), out);
        }
    }
}

/// Ports of EXPOSE as numbers from and to; none for variables.
fn ports(text: &str) -> Option<(u64, u64)> {
    let ports = text.split('/').next().unwrap_or(text);
    // Of `ip:host:container` the last part is the container's.
    let ports = ports.rsplit(':').next().unwrap_or(ports);
    match ports.split_once('-') {
        Some((first, last)) => {
            let first = first.parse().ok();
            let last = last.parse().ok();
            Some((first.or(last)?, last.or(first)?))
        }
        None => ports.parse().ok().map(|port| (port, port)),
    }
}

fn exposed_port(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for expose in of_keyword(file, "EXPOSE") {
        let is_wrong = |text: &str| ports(text).is_some_and(|(first, last)| first.max(last) > 65_535);
        if let Some(word) = expose.words().into_iter().find(|word| is_wrong(bare(&word.text))) {
            report(cx, file, expose, format!("port {} is out of range, wanted 0 to 65535", word.text), out);
        }
    }
}

fn ssh_port(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (index, expose) in file.instructions.iter().enumerate().filter(|(_, one)| acting(one).keyword == "EXPOSE") {
        let is_ssh = |text: &str| {
            let resolved = match references(text).first() {
                Some((name, _)) => variable(file, index, name).flatten().unwrap_or(""),
                None => text,
            };
            !resolved.to_ascii_lowercase().ends_with("/udp")
                && ports(resolved).is_some_and(|(first, last)| (first..=last).contains(&22))
        };
        if let Some(word) = acting(expose).words().into_iter().find(|word| is_ssh(bare(&word.text))) {
            report(cx, file, expose, format!("EXPOSE {} offers SSH into the container", word.text), out);
        }
    }
}

const ARCHIVES: &[&str] = &[
    ".tar", ".gz", ".tgz", ".bz2", ".tbz", ".tbz2", ".tb2", ".xz", ".txz", ".zst", ".tzst", ".Z", ".tZ", ".lz", ".tlz",
    ".lzma",
];

fn is_remote(source: &str) -> bool {
    let source = bare(source);
    ["http://", "https://", "git://", "ssh://", "git@"].iter().any(|scheme| source.starts_with(scheme))
}

/// The sources and the target of COPY and ADD.
fn sources(instruction: &Instruction) -> Vec<&Word> {
    let mut words = instruction.words();
    words.pop();
    words
}

fn add(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (index, add) in file.instructions.iter().enumerate().filter(|(_, one)| one.keyword == "ADD") {
        let sources = sources(add);
        let is_fit = |text: &str| {
            let text = bare(text);
            let stands_for = match references(text).first() {
                Some((name, _)) if text.starts_with('$') => variable(file, index, name).flatten(),
                _ => None,
            };
            is_remote(stands_for.unwrap_or(text))
                || text.starts_with("<<")
                || ARCHIVES.iter().any(|end| text.ends_with(end))
                || stands_for.is_some_and(|value| ARCHIVES.iter().any(|end| value.ends_with(end)))
        };
        // A variable alone may well be an address.
        let is_open = |text: &str| bare(text).starts_with('$') && !bare(text).contains('/');
        match sources.iter().find(|word| !is_fit(&word.text)) {
            Some(word) if is_open(&word.text) => out.undecided(),
            Some(_) => report(cx, file, add, "ADD copies plain files, wanted COPY", out),
            None => {}
        }
    }
}

fn remote_add(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for add in of_keyword(file, "ADD").filter(|add| add.flag("checksum").is_none()) {
        let is_download = |word: &&&Word| {
            let text = bare(&word.text);
            (text.starts_with("http://") || text.starts_with("https://")) && !text.contains(".git")
        };
        if let Some(word) = sources(add).iter().find(is_download) {
            let address: String = word.text.chars().take(80).collect();
            report(cx, file, add, format!("ADD {address} takes whatever comes, wanted --checksum"), out);
        }
    }
}

fn copy_slash(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for copy in of_keyword(file, "COPY") {
        let words = copy.words();
        let Some((last, sources)) = words.split_last() else { continue };
        let target = bare(&last.text);
        if sources.len() > 1 && !target.ends_with(['/', '\\', ']']) && !target.ends_with('}') && !target.contains('$') {
            let message = format!("several sources are copied to {target:?}, wanted a folder that ends in /");
            report(cx, file, copy, message, out);
        }
    }
}

fn relative_copy(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    // Whether the end of each stage has a working directory of its own; what stands before the first has none.
    let mut known: Vec<bool> = Vec::with_capacity(file.stages.len());
    let top = file.stages.first().map_or(0, |stage| stage.instructions.start);
    let before = (None, &file.instructions[..top]);
    for (stage, instructions) in std::iter::once(before).chain(file.stages.iter().map(|one| (Some(one), file.of(one))))
    {
        let mut is_set = stage.and_then(|stage| stage.parent).is_some_and(|parent| known[parent]);
        for one in instructions {
            is_set |= one.keyword == "WORKDIR";
            let words = if one.keyword == "COPY" { one.words() } else { Vec::new() };
            let target = words.last().filter(|target| words.len() > 1 && !is_set && !is_absolute(&target.text));
            if let Some(target) = target {
                let target = bare(&target.text);
                let message = format!("COPY to {target:?} depends on the base image, wanted WORKDIR before it");
                report(cx, file, one, message, out);
            }
        }
        if stage.is_some() {
            known.push(is_set);
        }
    }
}

fn chown_flag(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for copy in file.instructions.iter().filter(|one| matches!(one.keyword, "COPY" | "ADD")) {
        if let Some(flag) = copy.flag("chown") {
            let message = format!("--chown={} makes the program's own files writable for its user", flag.value);
            report(cx, file, copy, message, out);
        }
    }
}

fn shell_form(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for instruction in &file.instructions {
        let is_shell = match instruction.keyword {
            "CMD" | "ENTRYPOINT" => {
                !instruction.is_json() && instruction.script().is_some_and(|script| !script.text.trim().is_empty())
            }
            // HEALTHCHECK runs CMD through the shell in the same way.
            "HEALTHCHECK" => {
                !instruction.is_json()
                    && instruction.words().first().is_some_and(|word| word.text.eq_ignore_ascii_case("CMD"))
            }
            _ => false,
        };
        if is_shell {
            let message = format!("{} is in the shell form, wanted [\"program\", \"argument\"]", instruction.keyword);
            report(cx, file, instruction, message, out);
            // A health check has no signals to lose, which is what the shell form costs the others.
            if let Some(found) = out.found.last_mut() {
                found.is_milder = instruction.keyword == "HEALTHCHECK";
            }
        }
    }
}

fn maintainer(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for instruction in of_keyword(file, "MAINTAINER") {
        report(cx, file, instruction, "MAINTAINER is deprecated, wanted a label", out);
    }
}

fn onbuild(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for outer in &file.instructions {
        let Some(trigger) = &outer.trigger else { continue };
        if matches!(trigger.keyword, "ONBUILD" | "FROM" | "MAINTAINER") {
            report(cx, file, outer, format!("ONBUILD can't hold {}", trigger.keyword), out);
        }
    }
}

fn env_reference(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (index, env) in file.instructions.iter().enumerate().filter(|(_, one)| one.keyword == "ENV") {
        let pairs = env.pairs();
        let mut names: FxHashMap<&str, usize> = FxHashMap::default();
        pairs.iter().for_each(|(key, _)| *names.entry(key.text.as_str()).or_default() += 1);
        let found = pairs.iter().find_map(|(key, value)| {
            let value = value.as_ref()?;
            // Nothing is replaced between single quotes.
            if cx.sources.slice(value.span).starts_with('\'') {
                return None;
            }
            references(&value.text).into_iter().map(|(name, _)| name).find(|name| {
                let others = names.get(name).map_or(0, |count| count - usize::from(key.text == *name));
                others > 0 && variable(file, index, name).is_none()
            })
        });
        if let Some(name) = found {
            let message = format!("{name} is set by the same ENV and not known yet, wanted an ENV of its own before");
            report(cx, file, env, message, out);
        }
    }
}

fn inline_ignore(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for comment in &file.comments {
        let text = cx.sources.slice(*comment).trim_start_matches('#').trim_start();
        let is_ignore = text
            .strip_prefix("hadolint")
            .and_then(|rest| rest.trim_start().strip_prefix("ignore"))
            .is_some_and(|rest| rest.trim_start().starts_with('='));
        if is_ignore {
            out.at(Span { ..*comment }, "comment", "a comment turns rules off, wanted an entry of the configuration");
        }
    }
}
