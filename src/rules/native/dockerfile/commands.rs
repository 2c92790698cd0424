//! Commands that do not belong into a build, or that do not do there what they seem to.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Cx, Findings, Native, each_command, report, report_command, runs};
use crate::model::dockerfile::{Dockerfile, Heredoc, Instruction};
use crate::model::shell::{self, Command, Language};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("docker-cd-in-run", Native::Dockerfile(cd)),
    ("docker-sudo", Native::Dockerfile(sudo)),
    ("docker-pointless-command", Native::Dockerfile(pointless)),
    ("docker-wget-progress-output", Native::Dockerfile(wget_progress)),
    ("docker-shell-replaced-by-link", Native::Dockerfile(shell_link)),
    ("docker-both-wget-and-curl", Native::Dockerfile(wget_and_curl)),
    ("docker-pipe-without-pipefail", Native::Dockerfile(pipefail)),
    ("docker-useradd-with-huge-lastlog", Native::Dockerfile(useradd)),
    ("docker-copied-archive-extracted", Native::Dockerfile(archive)),
    ("docker-consecutive-run", Native::Dockerfile(consecutive)),
    ("docker-download-piped-to-shell", Native::Dockerfile(piped_download)),
    ("docker-setuid-program", Native::Dockerfile(setuid)),
];

fn cd(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for run in runs(file).filter(|run| run.outer.trigger.is_none()) {
        let cd = run.run.commands().iter().find(|command| command.name() == "cd" && !command.is_inner);
        if let Some(command) = cd {
            report_command(cx, &run, command, "cd lasts to the end of this RUN only, wanted WORKDIR", out);
        }
    }
}

fn sudo(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        (command.words.first().is_some_and(|word| word.text == "sudo") || command.name() == "sudo")
            .then(|| "sudo in a RUN, wanted USER for the steps that need it".into())
    });
}

fn pointless(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const NAMES: &[&str] = &["free", "kill", "mount", "ps", "service", "shutdown", "ssh", "top", "vim"];
    each_command(cx, file, out, |_, command| {
        let name = command.name();
        NAMES.contains(&name).then(|| format!("{name} acts on a host and does nothing for an image"))
    });
}

fn wget_progress(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const QUIET: &[&str] = &["quiet", "no-verbose", "output-file", "append-output", "progress", "version", "help"];
    each_command(cx, file, out, |_, command| {
        let is_quiet = |text: &str| {
            let cluster = text.strip_prefix('-').filter(|cluster| !cluster.starts_with('-')).unwrap_or("");
            cluster.starts_with("nv") || cluster.contains(['q', 'o', 'a', 'V', 'h'])
        };
        let quiet = command.has_option("", QUIET) || command.arguments().iter().any(|word| is_quiet(&word.text));
        (command.name() == "wget" && !quiet)
            .then(|| "wget writes its progress into the log, wanted --progress=dot:giga".into())
    });
}

fn shell_link(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        (command.name() == "ln" && command.has("/bin/sh")).then(|| "a link replaces /bin/sh, wanted SHELL".into())
    });
}

fn wget_and_curl(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let mut stage = None;
    let (mut wget, mut curl) = (false, false);
    for run in runs(file) {
        let index = run.stage.map(|stage| stage.index);
        if index != stage {
            (stage, wget, curl) = (index, false, false);
        }
        let uses = |name: &str| run.run.commands().iter().find(|command| command.name() == name);
        let (has_wget, has_curl) = (uses("wget").is_some(), uses("curl").is_some());
        // What ONBUILD holds runs in another build.
        let both = if run.outer.trigger.is_some() {
            has_wget && has_curl
        } else {
            (wget, curl) = (wget || has_wget, curl || has_curl);
            wget && curl && (has_wget || has_curl)
        };
        if let Some(command) = uses("wget").or(uses("curl")).filter(|_| both) {
            report_command(cx, &run, command, "both wget and curl are used, wanted one of them", out);
        }
    }
}

fn pipefail(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for run in runs(file).filter(|run| run.outer.trigger.is_none()) {
        let shell = run.run.shell;
        if shell.pipefail || shell.language != Language::Posix || !run.run.has_pipe() {
            continue;
        }
        let sets = |command: &Command| {
            command.name() == "set" && command.arguments().iter().any(|word| word.text == "pipefail")
        };
        let first = run.run.commands().iter().find(|command| command.piped && !command.is_inner);
        if let Some(command) = first.or(run.run.commands().first()).filter(|_| !run.run.commands().iter().any(sets)) {
            report_command(cx, &run, command, "a failure before the pipe is lost, wanted SHELL with -o pipefail", out);
        }
    }
}

fn useradd(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let id = (command.name() == "useradd").then(|| command.option_value("u", "uid")).flatten()?;
        let is_huge = id.len() > 5 && id.bytes().all(|byte| byte.is_ascii_digit());
        let without = command.has_option("l", &["no-log-init"]);
        (is_huge && !without).then(|| format!("useradd with user id {id} makes a huge /var/log/lastlog, wanted -l"))
    });
}

/// Endings of archives that ADD unpacks, and that tar or gunzip would.
const ARCHIVES: &[&str] =
    &[".tar", ".gz", ".tgz", ".bz2", ".tbz", ".tbz2", ".tb2", ".xz", ".txz", ".Z", ".tZ", ".lz", ".tlz", ".lzma"];

fn archive(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const UNPACKERS: &[&str] =
        &["gunzip", "bunzip2", "unxz", "zcat", "bzcat", "xzcat", "uncompress", "unlzma", "zcat", "gzcat"];
    let base = |path: &str| path.trim_matches(['"', '\'']).rsplit(['/', '\\']).next().unwrap_or("").to_string();
    let unpacks = |command: &Command| {
        let name = command.name();
        if name != "tar" {
            return UNPACKERS.contains(&name);
        }
        command.has_option("x", &["extract", "get"])
            || command
                .arguments()
                .first()
                .is_some_and(|word| word.text.contains('x') && word.text.bytes().all(|byte| byte.is_ascii_alphabetic()))
    };
    for stage in &file.stages {
        // The last RUN that unpacks an archive of this name.
        let mut unpacked: FxHashMap<String, usize> = FxHashMap::default();
        for (index, run) in file.of(stage).iter().enumerate().filter(|(_, one)| one.keyword == "RUN") {
            for word in run.commands().iter().filter(|command| unpacks(command)).flat_map(Command::arguments) {
                unpacked.insert(base(word.text.rsplit('=').next().unwrap_or("")), index);
            }
        }
        for (index, copy) in file.of(stage).iter().enumerate().filter(|(_, one)| one.keyword == "COPY") {
            let words = copy.words();
            let Some((target, sources)) = words.split_last().filter(|_| copy.flag("from").is_none()) else { continue };
            let is_archive = |text: &str| ARCHIVES.iter().any(|end| text.trim_matches(['"', '\'']).ends_with(end));
            // A target that looks like an archive is the name under which it is known from then on.
            let names = if is_archive(&target.text) { std::slice::from_ref(target) } else { sources };
            let is_unpacked = names
                .iter()
                .filter(|word| is_archive(&word.text))
                .any(|word| unpacked.get(&base(&word.text)).is_some_and(|last| *last > index));
            if is_unpacked {
                report(cx, file, copy, "the archive is copied and unpacked later, wanted ADD, which unpacks it", out);
            }
        }
    }
}

fn consecutive(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let is_one = |run: &Instruction| {
        run.keyword == "RUN" && run.commands().iter().filter(|command| !command.is_inner).count() < 2
    };
    let flags = |run: &Instruction| {
        let mut flags: Vec<(String, String)> =
            run.flags.iter().map(|flag| (flag.name.clone(), flag.value.clone())).collect();
        flags.sort();
        flags
    };
    for pair in file.instructions.windows(2) {
        if is_one(&pair[0]) && is_one(&pair[1]) && flags(&pair[0]) == flags(&pair[1]) {
            report(cx, file, &pair[1], "RUN after RUN, wanted one RUN with both commands", out);
        }
    }
}

fn is_download(command: &Command) -> bool {
    const CMDLETS: &[&str] = &["iwr", "irm", "invoke-webrequest", "invoke-restmethod"];
    matches!(command.name(), "curl" | "wget") || CMDLETS.iter().any(|name| command.name().eq_ignore_ascii_case(name))
}

/// Whether a command calls a method of .NET that gives what an address holds: `.DownloadString` of
/// `(New-Object Net.WebClient).DownloadString('https://…')`.
fn is_download_method(command: &Command) -> bool {
    command.name().to_ascii_lowercase().trim_start_matches('.').starts_with("download")
}

/// The command at `index` if it makes PowerShell run a download: by a pipe, or by what stands between parentheses or quotes
/// after it.
fn invoked_download(found: &[Command], index: usize) -> bool {
    let command = &found[index];
    if !["iex", "invoke-expression"].iter().any(|name| command.name().eq_ignore_ascii_case(name)) {
        return false;
    }
    if command.reads_pipe {
        // `(iwr …).Content | iex`, `iwr … | select -Expand Content | iex`
        let is_link = |one: &&Command| one.reads_pipe || one.name().starts_with('.');
        let links = found[..index].iter().rev().take_while(is_link).count();
        let first = (index - links).saturating_sub(1);
        return found[first..index].iter().any(|one| is_download(one) || is_download_method(one));
    }
    match command.arguments() {
        // `iex ((New-Object Net.WebClient).DownloadString('…'))`, `iex $(irm …)`
        [] => opens_download(&found[index + 1..]),
        [word] if word.text == "$" || word.text.starts_with('-') => opens_download(&found[index + 1..]),
        words => words.iter().any(|word| {
            let text = word.text.to_ascii_lowercase();
            let calls = ["iwr ", "irm ", "curl ", "wget ", "invoke-webrequest ", "invoke-restmethod "];
            word.expands && text.contains("$(") && calls.iter().any(|call| text.contains(call))
                || text.contains(".downloadstring(")
        }),
    }
}

fn opens_download(after: &[Command]) -> bool {
    let creates = |one: &Command| one.name().eq_ignore_ascii_case("new-object");
    match after {
        [first, ..] if is_download(first) || is_download_method(first) => true,
        [first, second, ..] => creates(first) && is_download_method(second),
        _ => false,
    }
}

const INTERPRETERS: &[&str] =
    &["sh", "bash", "ash", "dash", "zsh", "ksh", "python", "python2", "python3", "perl", "ruby", "node", "php"];

fn piped_download(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const MESSAGE: &str = "a download runs as it comes, wanted a file whose checksum or signature is verified first";
    // The last RUN of each program and script, by its name.
    let mut last: FxHashMap<&str, usize> = FxHashMap::default();
    for run in runs(file) {
        let found = run.run.commands();
        if let Some(index) = running_download(found, &run.run.heredocs) {
            report_command(cx, &run, &found[index], MESSAGE, out);
        }
        last.extend(found.iter().filter_map(program).map(|name| (name, run.index)));
    }
    for (index, copy) in file.instructions.iter().enumerate().filter(|(_, one)| !one.heredocs.is_empty()) {
        if !matches!(copy.keyword, "COPY" | "ADD") {
            continue;
        }
        let target = copy.words().last().map_or("", |word| word.text.as_str());
        let runs = copy.heredocs.iter().filter(|heredoc| {
            let name = if target.ends_with('/') { &heredoc.name } else { target };
            last.get(name.rsplit('/').next().unwrap_or(name)).is_some_and(|last| *last > index)
        });
        let is_bad = |heredoc: &Heredoc| {
            let text = &heredoc.script.text;
            let is_shell = text.lines().next().is_none_or(|line| !line.starts_with("#!") || line.contains("sh"));
            is_shell && running_download(&shell::commands(text, Language::Posix).list, &[]).is_some()
        };
        if runs.into_iter().any(is_bad) {
            report(cx, file, copy, MESSAGE, out);
        }
    }
}

/// The name of the file that a command runs: its program, or the script that an interpreter is given.
fn program(command: &Command) -> Option<&str> {
    let is_given = INTERPRETERS.contains(&command.name()) || matches!(command.name(), "source" | ".");
    let script = command.operands().next().filter(|_| is_given);
    script.map(|word| word.text.rsplit('/').next().unwrap_or(&word.text)).or(Some(command.name()))
}

/// The position of the first command that downloads what is run as it comes.
fn running_download(found: &[Command], heredocs: &[Heredoc]) -> Option<usize> {
    const FILTERS: &[&str] = &["sed", "tee", "gunzip", "zcat", "tr", "grep", "cat", "base64"];
    let given = given(found, heredocs);
    (0..found.len()).find(|index| {
        let (index, command) = (*index, &found[*index]);
        if !is_download(command) {
            return invoked_download(found, index);
        }
        // curl … | sed … | sh
        let mut after = found[index..].iter().zip(&found[index + 1..]);
        let piped = command.piped
            && after
                .find_map(|(left, right)| match right.name() {
                    _ if !left.piped || !right.reads_pipe => Some(false),
                    // `python - <file>` and `bash -c` read no program from the pipe.
                    name if INTERPRETERS.contains(&name) => {
                        Some(!right.has_option("", &["version"]) && reads_program(right))
                    }
                    name if FILTERS.contains(&name) => None,
                    _ => Some(false),
                })
                .unwrap_or(false);
        // sh -c "$(curl …)", bash <(curl …)
        let place = command.words.first().map_or(0, |word| word.at as usize);
        let ranges = given.get(&command.within).filter(|_| has_place(command)).map_or(&[][..], |ranges| ranges);
        let before = ranges.partition_point(|(start, _)| *start <= place);
        piped || ranges[..before].last().is_some_and(|(_, end)| place < *end)
    })
}

/// Places inside the text of a `-c` are not those of the script; those inside a heredoc are.
fn has_place(command: &Command) -> bool {
    !command.is_inner || command.within.is_some()
}

/// Where the substitutions begin and end that shells are given, each with the farthest end so far, by the heredoc that they
/// stand in.
fn given(found: &[Command], heredocs: &[Heredoc]) -> BTreeMap<Option<u32>, Vec<(usize, usize)>> {
    let mut given: BTreeMap<Option<u32>, Vec<(usize, usize)>> = BTreeMap::new();
    let is_script = |text: &str| ["$(", "<(", "`"].iter().any(|open| text.starts_with(open));
    for shell in found.iter().filter(|one| has_place(one)) {
        let is_interpreter = INTERPRETERS.contains(&shell.name());
        if !is_interpreter && !matches!(shell.name(), "eval" | "source" | ".") {
            continue;
        }
        let words = shell.arguments().iter().chain(shell.here_string.as_deref());
        for word in words.filter(|word| word.expands && is_script(&word.text)) {
            let start = word.at as usize;
            given.entry(shell.within).or_default().push((start, start + word.text.len() + 2));
        }
        for index in shell.heredocs.iter().filter(|_| is_interpreter && reads_program(shell)) {
            let Some(heredoc) = heredocs.get(*index) else { continue };
            let mut at = 0;
            for line in heredoc.script.text.split_inclusive('\n') {
                let start = at + line.len() - line.trim_start().len();
                at += line.len();
                if is_script(line.trim_start()) {
                    given.entry(Some(*index as u32)).or_default().push((start, at));
                }
            }
        }
    }
    for ranges in given.values_mut() {
        ranges.sort_unstable();
        let mut last = 0;
        for (_, end) in ranges {
            last = last.max(*end);
            *end = last;
        }
    }
    given
}

/// Whether an interpreter takes its program from standard input: no script and no `-c` are named.
fn reads_program(command: &Command) -> bool {
    let mut arguments = command.arguments().iter();
    match arguments.find(|word| word.text == "-" || word.text == "-s" || !word.text.starts_with('-')) {
        None => !command.has_option("c", &[]) && !command.has_option("m", &[]) && !command.has_option("e", &["help"]),
        Some(word) => matches!(word.text.as_str(), "-" | "-s" | "/dev/stdin"),
    }
}

/// Modes that let a program run as its owner or group.
fn sets_id(mode: &str) -> bool {
    let digits = mode.trim_start_matches('0');
    let is_octal = !digits.is_empty() && digits.bytes().all(|byte| (b'0'..b'8').contains(&byte));
    if is_octal {
        return digits.len() == 4 && matches!(digits.as_bytes()[0], b'2' | b'4' | b'6' | b'3' | b'5' | b'7');
    }
    mode.split(',').any(|part| part.split_once('+').is_some_and(|(who, what)| what.contains('s') && !who.contains('o')))
}

fn setuid(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let mode = (command.name() == "chmod").then(|| command.operands().next()).flatten()?;
        // On folders the bit for groups has another meaning, which is common and harmless.
        let is_group = mode.text.starts_with("g+s") || mode.text.trim_start_matches('0').starts_with('2');
        (sets_id(&mode.text) && !is_group)
            .then(|| format!("chmod {} lets every user run the program as its owner", mode.text))
    });
    for copy in file.instructions.iter().filter(|one| matches!(one.keyword, "COPY" | "ADD")) {
        if let Some(flag) = copy.flag("chmod").filter(|flag| sets_id(&flag.value)) {
            let message = format!("--chmod={} lets every user run the program as its owner", flag.value);
            report(cx, file, copy, message, out);
        }
    }
}
