//! Dockerfiles: instructions, the scripts in them, rules.

use gate::model::shell::{self, Language};

use super::judged;
use super::tree::Tree;

/// A Dockerfile and what lies beside it.
pub fn dockerfile(input: &[u8]) {
    let tree = Tree::of(input, "Dockerfile");
    if let Some((_, text)) = tree.files().find(|(path, _)| *path == "Dockerfile")
        && let Ok(text) = std::str::from_utf8(text)
    {
        scripts(text);
    }
    let scan = judged::check(input, &tree);
    let [file] = &scan.assembled.model.dockerfiles[..] else { return };
    let sources = &scan.discovered.sources;
    let text = sources.get(file.file).text();
    for instruction in &file.instructions {
        judged::check_span(sources, instruction.span, "instruction");
        judged::check_span(sources, instruction.keyword_span, "keyword");
        instruction.flags.iter().for_each(|flag| judged::check_span(sources, flag.span, "flag"));
    }
    // Every line that is not blank and no comment belongs to an instruction or a directive; an escape alone adds nothing to the
    // line that it is joined with.
    let path = sources.get(file.file).path();
    if scan.assembled.problems.iter().any(|problem| problem.path == path && problem.kind.closes()) {
        return;
    }
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let span = (at, at + line.trim_end().len() as u32);
        at += line.len() as u32;
        let trimmed = line.trim();
        if matches!(trimmed, "" | "\\" | "`") || trimmed.starts_with('#') {
            continue;
        }
        let start = span.0 + (line.len() - line.trim_start().len()) as u32;
        let is_read = file.instructions.iter().any(|one| one.span.start <= start && start < one.span.end);
        let is_directive = file.directives.iter().any(|one| one.span.start <= start && start < one.span.end);
        assert!(is_read || is_directive, "{trimmed:?} belongs to no instruction");
    }
}

/// The text as a script of each language: words lie in it, and scripts one after the other have the commands of both.
fn scripts(text: &str) {
    for language in [Language::Posix, Language::PowerShell, Language::Cmd] {
        let found = shell::commands(text, language);
        for command in &found.list {
            for word in &command.words {
                assert!(word.at as usize <= text.len(), "{:?} does not stand in the script", word.text);
            }
            let _ = (command.name(), command.arguments(), command.operands().count());
        }
        for (at, fault) in &found.faults {
            assert!(*at <= text.len(), "{fault:?} is outside of the script");
        }
        assert_eq!(format!("{found:?}"), format!("{:?}", shell::commands(text, language)));
    }
}
