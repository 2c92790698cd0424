//! Dockerfiles, by BuildKit's grammar: parser directives, continuations with comments and blank lines inside, heredocs, JSON
//! and shell forms, flags, ONBUILD, stages. Errors are recovered per instruction; a file without FROM is judged too.

mod heredocs;
mod json;
mod lexer;
mod reader;
mod scripts;
mod stages;
mod syntax;
mod users;

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use self::reader::Lines;
use super::growth::Budget;
use super::{Claim, Frontend, Parsed, Settings};
use crate::model::dockerfile::{Dockerfile as File, Instruction};
use crate::model::dockerignore::Dockerignore;
use crate::problem::{Problem, ProblemKind};
use crate::source::{FileId, Source, Sources};

/// The Dockerfile frontend.
pub struct Dockerfile;

const KEYWORDS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Endings of files that only speak of Dockerfiles.
const OTHER_ENDINGS: &[&str] = &[
    "md",
    "txt",
    "rst",
    "py",
    "sh",
    "go",
    "rs",
    "js",
    "ts",
    "rb",
    "java",
    "json",
    "yaml",
    "yml",
    "html",
    "dockerignore",
    "bak",
    "orig",
];

impl Frontend for Dockerfile {
    fn name(&self) -> &'static str {
        "dockerfile"
    }

    fn claims(&self, path: &Path) -> Claim {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let is_one = ["dockerfile", "containerfile"].iter().any(|word| {
            name == *word
                || name.strip_suffix(word).is_some_and(|stem| stem.ends_with('.'))
                || name
                    .strip_prefix(word)
                    .and_then(|rest| rest.strip_prefix('.'))
                    .is_some_and(|end| !OTHER_ENDINGS.contains(&end.rsplit('.').next().unwrap_or(end)))
        });
        let is_like_one = || {
            let rest = ["dockerfile", "containerfile"].iter().find_map(|word| name.strip_prefix(word));
            let end = name.rsplit_once('.').map_or("", |(_, end)| end);
            rest.is_some_and(|rest| rest.starts_with(['-', '_'])) && !OTHER_ENDINGS.contains(&end)
        };
        match () {
            () if is_one || is_ignore_file(&name) => Claim::Yes,
            () if is_like_one() => Claim::Maybe,
            () => Claim::No,
        }
    }

    /// `Dockerfile-prod` is one if it begins as one.
    fn recognizes(&self, _path: &Path, text: &str) -> bool {
        let mut lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let word = lines.next().and_then(|line| line.split_whitespace().next());
        word.is_some_and(|word| ["FROM", "ARG"].iter().any(|begin| word.eq_ignore_ascii_case(begin)))
    }

    fn parse(&self, _settings: &Settings, sources: &Sources, files: &[FileId]) -> Parsed {
        let (ignores, files): (Vec<FileId>, Vec<FileId>) =
            files.iter().partition(|file| is_ignore_file(sources.get(**file).path()));
        let parts: Vec<Parsed> = files.par_iter().map(|file| read(*file, sources.get(*file))).collect();
        let dockerignores = ignores.iter().map(|file| Dockerignore::parse(*file, sources.get(*file).text())).collect();
        let mut parsed = Parsed { read: files, dockerignores, ..Parsed::default() };
        parsed.resources.reserve_exact(parts.iter().map(|part| part.resources.len()).sum());
        parts.into_iter().for_each(|part| parsed.add(part));
        parsed
    }
}

/// `.dockerignore`, or `web.Dockerfile.dockerignore` for one Dockerfile alone.
fn is_ignore_file(path: &str) -> bool {
    path.ends_with(".dockerignore")
}

fn read(file: FileId, source: &Source) -> Parsed {
    read_indented(file, source, 0)
}

/// Reads a Dockerfile that stands in another file: `source` has nothing but its lines, each at its place and `indent` blanks in.
pub(super) fn read_indented(file: FileId, source: &Source, indent: usize) -> Parsed {
    let Lines { directives, mut instructions, comments, blank_lines, mut problems, escape } =
        reader::read(file, source.text(), indent);
    let mut budget = Budget::default();
    let stages = stages::stages(file, &instructions, &mut budget);
    users::read(&mut instructions, &stages, escape, &mut budget);
    problems.extend(budget.problem(source.path()));
    scripts::read(&mut instructions, &stages, escape == '`', &mut problems);
    instructions.shrink_to_fit();
    let declares = |one: &&Instruction| matches!(one.keyword, "ENV" | "ARG");
    let declared = instructions.iter().filter(declares).flat_map(Instruction::pairs);
    let declared = declared.map(|(name, _)| name.text.clone()).collect();
    let dockerfile = File {
        file,
        directives,
        instructions,
        stages,
        targets: Vec::new(),
        comments: comments.clone(),
        declared,
        blank_lines,
    };
    let dockerfile = Arc::new(dockerfile);
    if dockerfile.instructions.is_empty() && problems.is_empty() && !source.text().trim().is_empty() {
        problems.push(Problem::with_path(ProblemKind::Syntax, source.path(), "no instruction in this Dockerfile"));
    }
    let resources = dockerfile.stages.iter().map(|stage| stages::resource(&dockerfile, stage, source)).collect();
    Parsed { resources, problems, comments, dockerfiles: vec![dockerfile], ..Parsed::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Arc<File> {
        let parsed = read(FileId(0), &Source::new("Dockerfile", text));
        assert_eq!(parsed.problems, Vec::new());
        parsed.dockerfiles.into_iter().next().expect("one file yields one Dockerfile")
    }

    #[test]
    fn continuations_swallow_comments_and_blank_lines_and_keep_places() {
        let text = "FROM alpine:3.20\nRUN apk add \\\n  # the client\n\n  --no-cache \\\n  curl\nUSER app\n";
        let file = parsed(text);
        let words: Vec<&str> = file.instructions[1].words().iter().map(|word| word.text.as_str()).collect();
        assert_eq!(words, ["apk", "add", "--no-cache", "curl"]);
        let curl = file.instructions[1].words()[3].span;
        assert_eq!(&text[curl.start as usize..curl.end as usize], "curl");
        assert_eq!(file.instructions[2].keyword, "USER");
    }

    #[test]
    fn heredocs_are_texts_and_not_instructions() {
        let file =
            parsed("FROM alpine\nRUN <<EOT sh && cat <<-'END'\necho one\nEOT\n\techo $((1<<2))\n\tEND\nUSER app\n");
        assert_eq!(file.instructions.len(), 3);
        let names: Vec<&str> =
            file.instructions[1].heredocs.iter().map(|heredoc| heredoc.script.text.as_str()).collect();
        assert_eq!(names, ["echo one\n", "echo $((1<<2))\n"]);
    }

    fn keywords(text: &str) -> Vec<&'static str> {
        parsed(text).instructions.iter().map(|one| one.keyword).collect()
    }

    #[test]
    fn directives_end_at_the_first_line_that_is_none() {
        let rest = "FROM alpine\nRUN true #`\nRUN id\n";
        for line in ["# author=me", "# syntax=", "# 1syntax=a", "#", "# escape", ""] {
            assert_eq!(keywords(&format!("{line}\n# escape=`\n{rest}")).len(), 3, "{line}");
        }
        for line in ["# Syntax = docker/dockerfile:1 ", "#check=skip=all", "# syntax= "] {
            assert_eq!(keywords(&format!("{line}\n  # escape=`\n{rest}")).len(), 2, "{line}");
        }
    }

    #[test]
    fn an_escape_that_is_escaped_continues_no_line() {
        assert_eq!(keywords("FROM alpine\nRUN true # \\\\\nUSER app\n"), ["FROM", "RUN", "USER"]);
        assert_eq!(keywords("# escape=`\nFROM alpine\nENV A=C:\\a``\nUSER app\n"), ["FROM", "ENV", "USER"]);
        assert_eq!(keywords("FROM alpine\nRUN true \\\n\\\n  && id\nUSER app\n"), ["FROM", "RUN", "USER"]);
    }

    #[test]
    fn only_what_can_hold_files_has_heredocs() {
        assert_eq!(keywords("FROM a\nONBUILD CMD echo <<CMD\nRUN id\nCMD\n"), ["FROM", "ONBUILD", "RUN", "CMD"]);
        assert_eq!(keywords("FROM a\nONBUILD RUN <<CMD\nRUN id\nCMD\n"), ["FROM", "ONBUILD"]);
        assert_eq!(keywords("FROM a\nRUN [\"cat\", \"<<CMD\"]\nCMD\n"), ["FROM", "RUN", "CMD"]);
        assert_eq!(keywords("FROM a\nRUN true a<<CMD\nRUN id\nCMD\n"), ["FROM", "RUN", "RUN", "CMD"]);
        assert_eq!(keywords("FROM a\nRUN exit 0 <<\"CM\"D\nCM\nUSER 1000\nCMD\n"), ["FROM", "RUN"]);
        assert_eq!(keywords("FROM a\nRUN echo $(( 1 << 2 ))\nUSER app\n"), ["FROM", "RUN", "USER"]);
    }

    #[test]
    fn json_is_read_as_go_reads_it() {
        let file = parsed("FROM a\nRUN [\"sh\", \"-c\", \"id \\ud800\"]\n");
        assert!(file.instructions[1].is_json());
        assert_eq!(file.instructions[1].words()[2].text, "id \u{fffd}");
    }

    #[test]
    fn a_user_is_what_is_left_of_its_text() {
        let user = |text: &str| {
            let file = parsed(text);
            let user = file.last().and_then(|last| file.effective(last, "USER")).and_then(|one| one.user.clone());
            let user = *user.expect("there is a USER");
            (user.text, user.argument)
        };
        let decided = |text: &str| (Some(text.to_string()), None);
        let by = |text: &str, name: &str| (Some(text.to_string()), Some(name.to_string()));
        for (text, wanted) in [
            ("USER r\"\"oot:app", decided("root:app")),
            ("USER r\\oot", decided("root")),
            ("ENV U=root\nUSER ${X:-$U}", decided("root")),
            ("ENV U=root\nENV U=app V=$U\nUSER $V", decided("root")),
            ("ENV U=root\nARG U=app\nUSER $U", decided("root")),
            ("USER ${UNSET}", decided("")),
            ("USER \"\"", decided("")),
            ("ARG X=rootx\nUSER ${X%x}", by("root", "X")),
            ("ARG TOP\nUSER $TOP", by("app", "TOP")),
            ("ARG X\nENV Y=$X\nUSER $Y", (None, Some("X".into()))),
            ("USER ${X^}", (None, None)),
        ] {
            assert_eq!(user(&format!("ARG TOP=app\nFROM alpine AS a\n{text}\nFROM a\n")), wanted, "{text}");
        }
        assert_eq!(user("FROM acme.test/base\nUSER $APP_USER\n"), (None, None));
    }

    #[test]
    fn variables_that_double_end_at_a_limit() {
        for keyword in ["ENV", "ARG"] {
            let lines: String = (1..60).map(|n| format!("{keyword} A{n}=$A{0}$A{0}\n", n - 1)).collect();
            for text in [
                format!("FROM alpine\n{keyword} A0=xxxxxxxx\n{lines}USER $A59\n"),
                format!("ARG A0=xxxxxxxx\n{lines}FROM alpine:$A59\nUSER app\n"),
            ] {
                let parsed = read(FileId(0), &Source::new("Dockerfile", &*text));
                let kinds: Vec<ProblemKind> = parsed.problems.iter().map(|problem| problem.kind).collect();
                assert_eq!(kinds, [ProblemKind::Limit], "{keyword}");
            }
        }
    }

    #[test]
    fn a_stage_inherits_what_its_base_stage_set() {
        let file = parsed("ARG TAG=3.20\nFROM alpine:${TAG} AS base\nUSER 1000\nFROM base\nRUN id\n");
        let last = file.last().expect("there are stages");
        assert_eq!(last.parent, Some(0));
        assert_eq!(file.stages[0].base.as_ref().map(|base| base.text.as_str()), Some("alpine:3.20"));
        assert_eq!(file.effective(last, "USER").map(|user| user.words()[0].text.clone()), Some("1000".into()));
    }

    #[test]
    fn an_unknown_instruction_is_a_problem_and_the_rest_is_read() {
        let parsed = read(FileId(0), &Source::new("Dockerfile", "FROM alpine\nRUNN id\nUSER app\n"));
        assert_eq!(parsed.problems[0].help.as_deref(), Some("did you mean RUN?"));
        assert_eq!(parsed.dockerfiles[0].instructions.len(), 2);
    }
}
