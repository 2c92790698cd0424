//! Checks of Dockerfiles, by subject.

pub mod build;
pub mod caches;
pub mod commands;
pub mod instructions;
pub mod labels;
pub mod packages;
pub mod secrets;
pub mod stages;
pub mod verification;

use super::{Cx, Findings, Native};
use crate::model::dockerfile::{Dockerfile, Flag, Instruction, Stage};
use crate::model::shell::Command;
use crate::path::lies_in;
use crate::source::Span;

/// The instruction that acts: what ONBUILD holds, or itself.
pub(super) fn acting(instruction: &Instruction) -> &Instruction {
    instruction.trigger.as_deref().unwrap_or(instruction)
}

/// Findings about instructions stand on their first line.
fn report(cx: &Cx, file: &Dockerfile, instruction: &Instruction, message: impl Into<String>, out: &mut Findings) {
    let span = cx.sources.get(file.file).first_line(instruction.span);
    out.at(span, instruction.keyword.to_lowercase(), message);
}

/// A finding about a command of a RUN stands on the first line of the RUN as well, and says where the command is.
fn report_command(cx: &Cx, run: &Run<'_>, command: &Command, message: impl Into<String>, out: &mut Findings) {
    report(cx, run.file, run.outer, message, out);
    locate(cx, run.outer, run.run, command, out);
}

/// Tells the last finding where the command stands that it is about, if that is another line than the first of its RUN.
fn locate(cx: &Cx, outer: &Instruction, run: &Instruction, command: &Command, out: &mut Findings) {
    let source = cx.sources.get(outer.span.file);
    let place = line_from(cx, outer, (run, command, 0));
    let elsewhere = place.filter(|at| source.line(at.start) != source.line(outer.span.start));
    if let (Some(at), Some(found)) = (elsewhere, out.found.last_mut()) {
        found.related(at, "the command stands here");
    }
}

/// A word of a command and what follows it in its line, as far as that belongs to the instruction `outer`.
pub(super) fn line_from(
    cx: &Cx,
    outer: &Instruction,
    (run, command, word): (&Instruction, &Command, usize),
) -> Option<Span> {
    let source = cx.sources.get(outer.span.file);
    let start = run.offset_of(command, word).filter(|start| source.text().is_char_boundary(*start as usize))?;
    Some(source.first_line(Span { start, end: outer.span.end.max(start), ..outer.span }))
}

/// The instructions of this keyword, those of ONBUILD left out.
fn of_keyword<'f>(file: &'f Dockerfile, keyword: &'f str) -> impl Iterator<Item = &'f Instruction> {
    file.instructions.iter().filter(move |one| one.keyword == keyword)
}

/// A RUN on its own or in ONBUILD.
struct Run<'f> {
    file: &'f Dockerfile,
    /// Its stage; none for what stands before the first.
    stage: Option<&'f Stage>,
    /// Position among the file's instructions.
    index: usize,
    /// What the finding points at.
    outer: &'f Instruction,
    /// The RUN itself.
    run: &'f Instruction,
}

fn runs(file: &Dockerfile) -> impl Iterator<Item = Run<'_>> {
    let mut stages = file.stages.iter().peekable();
    let mut stage = None;
    file.instructions.iter().enumerate().filter_map(move |(index, outer)| {
        while let Some(next) = stages.next_if(|next| next.instructions.start <= index) {
            stage = Some(next);
        }
        let run = acting(outer);
        (run.keyword == "RUN").then_some(Run { file, stage, index, outer, run })
    })
}

/// One finding for each RUN that holds a bad command, those in ONBUILD too.
fn each_command(cx: &Cx, file: &Dockerfile, out: &mut Findings, bad: impl Fn(&Run<'_>, &Command) -> Option<String>) {
    for run in runs(file) {
        let mut commands = run.run.commands().iter();
        if let Some((command, message)) = commands.find_map(|command| Some((command, bad(&run, command)?))) {
            report_command(cx, &run, command, message, out);
        }
    }
}

/// The parts of a `--mount` flag: `type=cache,target=/root/.cache`.
fn mount_option<'f>(flag: &'f Flag, names: &[&str]) -> Option<&'f str> {
    flag.value.split(',').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        names.contains(&name.trim()).then_some(value.trim())
    })
}

/// Targets of the cache and tmpfs mounts of a RUN, without a slash at the end.
fn volatile_mounts(run: &Instruction) -> impl Iterator<Item = &str> {
    let is_volatile = |flag: &&Flag| matches!(mount_option(flag, &["type"]), Some("cache" | "tmpfs"));
    let mounts = run.flags.iter().filter(|flag| flag.name == "mount").filter(is_volatile);
    mounts.map(|flag| mount_option(flag, &["target", "dst", "destination"]).unwrap_or("").trim_end_matches('/'))
}

/// Whether a cache or tmpfs mount covers a folder, itself or one above it.
fn mounts(run: &Instruction, folder: &str) -> bool {
    volatile_mounts(run).any(|target| !target.is_empty() && lies_in(folder, target))
}

/// Where among the commands a folder is removed, itself, what is in it, or one that it lies in; `cd` is followed.
fn removals<'c>(commands: &'c [Command], folder: &'c str) -> impl Iterator<Item = usize> + 'c {
    let mut here = String::new();
    commands.iter().enumerate().filter_map(move |(index, command)| {
        let full = |path: &str| match path.starts_with('/') {
            true => path.to_string(),
            false => format!("{here}/{path}"),
        };
        let removes = command.name() == "rm"
            && command.operands().any(|word| {
                let path = full(&word.text);
                let path = path.trim_end_matches('*').trim_end_matches('/');
                path.len() > 4 && (lies_in(path, folder) || lies_in(folder, path))
            });
        if command.name() == "cd" {
            here = command.operands().next().map(|word| full(&word.text)).unwrap_or_default();
            // No real path is longer, and each step copies it.
            if here.len() > 4096 {
                here.clear();
            }
        }
        removes.then_some(index)
    })
}

/// Names in `$NAME` and `${NAME…}` of a text, with what follows the name between braces.
fn references(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let is_escaped = rest[..at].ends_with('\\');
        rest = &rest[at + 1..];
        if is_escaped {
            continue;
        }
        let (name_from, is_braced) = match rest.strip_prefix('{') {
            Some(inner) => (inner, true),
            None => (rest, false),
        };
        let width =
            name_from.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(name_from.len());
        let after = &name_from[width..];
        let inside = if is_braced { after.split('}').next().unwrap_or("") } else { "" };
        if width > 0 {
            found.push((&name_from[..width], inside));
        }
        rest = after;
    }
    found
}

/// What is known of a variable at an instruction: the value that the nearest ENV or ARG of the stage, its bases or the top of
/// the file gives it. The outer option says whether it is declared.
fn variable<'f>(file: &'f Dockerfile, index: usize, name: &str) -> Option<Option<&'f str>> {
    if !file.declared.contains(name) {
        return None;
    }
    let mut found = file.stage_of(index).and_then(|stage| in_stage(file, stage, index, name));
    // ARG without a value takes that of the same name at the top of the file.
    if matches!(found, None | Some(None)) {
        let top = file.stages.first().map_or(0, |stage| stage.instructions.start);
        let global = file.instructions[..top.min(index)].iter().rev().find_map(|one| given(one, name));
        found = match (found, global) {
            (Some(None), Some(Some(value))) => Some(Some(value)),
            (None, global) => global,
            (found, _) => found,
        };
    }
    found
}

/// The same by the ENV and ARG of a stage before the instruction, and by those of its bases.
fn in_stage<'f>(file: &'f Dockerfile, stage: &'f Stage, index: usize, name: &str) -> Option<Option<&'f str>> {
    let own = file.instructions[stage.instructions.start..index].iter().rev();
    let below = file.lineage(stage).skip(1).flat_map(|base| file.of(base).iter().rev());
    own.chain(below).find_map(|one| given(one, name))
}

/// What an ENV or ARG gives a variable.
fn given<'f>(instruction: &'f Instruction, name: &str) -> Option<Option<&'f str>> {
    let gives = matches!(instruction.keyword, "ENV" | "ARG");
    let pair = instruction.pairs().iter().rev().find(|(key, _)| key.text == name).filter(|_| gives)?;
    Some(pair.1.as_ref().map(|value| value.text.as_str()))
}
