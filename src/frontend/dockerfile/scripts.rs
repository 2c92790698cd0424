//! What `RUN` runs: the shell in force at each instruction, and the commands of its script and heredocs.

use crate::model::dockerfile::{Arguments, Instruction, Shell, Stage};
use crate::model::shell::{self, Commands, Fault, Language};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

/// Gives every instruction its shell and every `RUN` its commands. Stages build on earlier ones and inherit their shell.
pub(super) fn read(instructions: &mut [Instruction], stages: &[Stage], is_windows: bool, problems: &mut Vec<Problem>) {
    let mut last: Vec<Shell> = Vec::with_capacity(stages.len());
    // What wrongly stands before the first stage is read too.
    let first = stages.first().map_or(instructions.len(), |stage| stage.instructions.start);
    let shell = Shell { language: if is_windows { Language::Cmd } else { Language::Posix }, ..Shell::default() };
    instructions[..first].iter_mut().for_each(|instruction| give(instruction, shell, problems));
    for stage in stages {
        let mut shell = match stage.parent {
            Some(parent) => last[parent],
            None => of_base(stage, is_windows),
        };
        for instruction in &mut instructions[stage.instructions.clone()] {
            if instruction.keyword == "SHELL" {
                shell = of_instruction(instruction);
            }
            give(instruction, shell, problems);
        }
        last.push(shell);
    }
}

fn give(instruction: &mut Instruction, shell: Shell, problems: &mut Vec<Problem>) {
    instruction.shell = shell;
    instruction.commands =
        (instruction.keyword == "RUN").then(|| Box::new(commands(instruction, shell.language, problems)));
    if let Some(trigger) = &mut instruction.trigger {
        give(trigger, shell, problems);
    }
}

/// The shell that an image brings: that of Windows images is `cmd`.
fn of_base(stage: &Stage, is_windows: bool) -> Shell {
    let language = if is_windows || stage.is_windows { Language::Cmd } else { Language::Posix };
    Shell { language, ..Shell::default() }
}

fn of_instruction(instruction: &Instruction) -> Shell {
    let words = instruction.words();
    let program = words.first().map_or("", |word| word.text.as_str());
    Shell {
        language: shell::language_of(program),
        pipefail: words.iter().any(|word| word.text.contains("pipefail")),
        is_set: true,
    }
}

fn commands(instruction: &Instruction, language: Language, problems: &mut Vec<Problem>) -> Commands {
    let script = match &instruction.arguments {
        Arguments::Json(words) => return shell::command_of_words(words.iter().map(|word| word.text.clone())),
        Arguments::Text(script, _) => script,
        Arguments::Pairs(_) => return Commands::default(),
    };
    let mut found = shell::commands(&script.text, language);
    // The character at a place, or the last one.
    let place = |at: usize| {
        let text = script.text.as_str();
        let (at, char) = text.char_indices().take_while(|(start, _)| *start <= at).last().unwrap_or((0, ' '));
        let start = script.offset(at);
        Span { start, end: start + char.len_utf8() as u32, ..instruction.span }
    };
    problems.extend(found.faults.iter().filter_map(|(at, fault)| problem(*fault, place(*at), language)));
    for (index, heredoc) in instruction.heredocs.iter().enumerate() {
        let reader = found.list.iter().find(|command| command.heredocs.contains(&index));
        let Some(language) = heredoc_language(reader.map(|command| command.name()), &heredoc.script.text, language)
        else {
            continue;
        };
        let is_inner = reader.is_some_and(|command| !command.words.is_empty());
        let mut body = shell::commands(&heredoc.script.text, language);
        problems.extend(body.faults.iter().filter_map(|(_, fault)| problem(*fault, heredoc.span, language)));
        for command in &mut body.list {
            command.is_inner |= is_inner;
            command.heredocs.clear();
            command.within = Some(index as u32);
        }
        found.has_pipe |= body.has_pipe && !is_inner;
        found.list.append(&mut body.list);
    }
    found.list.retain(|command| !command.words.is_empty() || !command.assignments.is_empty());
    found
}

/// What reads a heredoc as a script: the shell of the stage or its `#!` where it stands alone, or the shell that it is the
/// input of. `cat <<EOF` runs nothing.
fn heredoc_language(program: Option<&str>, text: &str, language: Language) -> Option<Language> {
    match program {
        Some("") | None => Some(match text.lines().next().and_then(|line| line.strip_prefix("#!")) {
            Some(line) => {
                let mut words = line.split_whitespace();
                let program = words.next().unwrap_or("");
                shell::language_of(if program.ends_with("/env") { words.next().unwrap_or("") } else { program })
            }
            None => language,
        }),
        Some(program) => Some(shell::language_of(program)).filter(|language| *language != Language::Other),
    }
}

/// Text that no `sh` would run is an error; what other shells make of it is not known so well.
fn problem(fault: Fault, at: Span, language: Language) -> Option<Problem> {
    match fault {
        Fault::Unclosed(mark) if language == Language::Posix => Some(
            Problem::at(ProblemKind::Syntax, at, format!("`{mark}` is never closed in this shell script"))
                .help("close it; the commands after it were not judged"),
        ),
        Fault::Unclosed(_) => None,
        Fault::TooDeep => Some(
            Problem::at(
                ProblemKind::Limit,
                at,
                format!("more than {} substitutions inside each other are not followed", shell::MAX_DEPTH),
            )
            .help("move the script into a file of its own"),
        ),
    }
}
