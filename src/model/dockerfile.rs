//! Dockerfiles as BuildKit understands them: instructions, and stages with what they inherit.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::shell::{Command, Commands, Language};
use super::user;
use crate::source::{FileId, Span};

/// BuildKit's own checks of a Dockerfile, by the names that its `check` directive takes:
/// <https://docs.docker.com/reference/build-checks/>.
pub const BUILD_CHECKS: &[&str] = &[
    "ConsistentInstructionCasing",
    "CopyIgnoredFile",
    "DuplicateStageName",
    "ExposeInvalidFormat",
    "ExposeProtoCasing",
    "FromAsCasing",
    "FromPlatformFlagConstDisallowed",
    "InvalidBaseImagePlatform",
    "InvalidDefaultArgInFrom",
    "InvalidDefinitionDescription",
    "JSONArgsRecommended",
    "LegacyKeyValueFormat",
    "MaintainerDeprecated",
    "MultipleInstructionsDisallowed",
    "NoEmptyContinuation",
    "RedundantTargetPlatform",
    "ReservedStageName",
    "SecretsUsedInArgOrEnv",
    "StageNameCasing",
    "UndefinedArgInFrom",
    "UndefinedVar",
    "WorkdirRelativePath",
];

/// One Dockerfile.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    /// The file.
    pub file: FileId,
    /// The parser directives at the top: `syntax`, `escape`, `check`.
    pub directives: Vec<Directive>,
    /// All instructions in order.
    pub instructions: Vec<Instruction>,
    /// The stages in order; instructions before the first `FROM` belong to a stage without base.
    pub stages: Vec<Stage>,
    /// Stages before the last that something in the tree builds by name.
    pub targets: Vec<usize>,
    /// Comments with their marks, in order.
    pub comments: Vec<Span>,
    /// Names that any ENV or ARG declares.
    pub declared: rustc_hash::FxHashSet<String>,
    /// Blank lines inside continued instructions.
    pub blank_lines: Vec<Span>,
}

/// A build of an image that no Compose service tells of: a step of a workflow. Paths are relative to the root.
#[derive(Debug, Clone)]
pub struct ImageBuild {
    /// Where it is told.
    pub span: Span,
    /// The folder whose files can be copied.
    pub context: String,
    /// The path of the Dockerfile.
    pub dockerfile: String,
    /// The stage that is named, if one is.
    pub target: Option<String>,
    /// Names of the image, with or without tags.
    pub images: Vec<String>,
}

/// A parser directive: `# check=skip=JSONArgsRecommended`.
#[derive(Debug, Clone)]
pub struct Directive {
    /// The name in lower case.
    pub name: String,
    /// What follows the first `=`.
    pub value: String,
    /// Its line.
    pub span: Span,
}

/// One instruction.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// The keyword in upper case.
    pub keyword: &'static str,
    /// Where the keyword stands.
    pub keyword_span: Span,
    /// From the keyword to the end of the last line, heredocs included.
    pub span: Span,
    /// `--name=value` before the arguments.
    pub flags: Vec<Flag>,
    /// What follows.
    pub arguments: Arguments,
    /// Texts of heredocs in order.
    pub heredocs: Vec<Heredoc>,
    /// The instruction that `ONBUILD` holds.
    pub trigger: Option<Box<Instruction>>,
    /// The commands of a `RUN`, heredocs included; few instructions have any.
    pub commands: Option<Box<Commands>>,
    /// Whom a `USER` names.
    pub user: Option<Box<User>>,
    /// The shell in force.
    pub shell: Shell,
}

/// Whom a `USER` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user, and the group after a colon, without quotes, escapes and variables; none where something outside of the file
    /// decides.
    pub text: Option<String>,
    /// The argument whose default decides it, which a build may set to another.
    pub argument: Option<String>,
}

impl User {
    /// The name or number of the user, if it is known.
    pub fn name(&self) -> Option<&str> {
        self.text.as_deref().map(user::name)
    }

    /// Whether it is root, if that is known. An empty name is that of root.
    pub fn is_root(&self) -> Option<bool> {
        self.name().map(|name| name.is_empty() || user::is_root(name))
    }
}

/// What `SHELL` sets, or the base image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shell {
    /// The language of shell forms.
    pub language: Language,
    /// Whether a failure anywhere in a pipe fails it.
    pub pipefail: bool,
    /// Whether a `SHELL` instruction says so.
    pub is_set: bool,
}

/// A flag of an instruction.
#[derive(Debug, Clone)]
pub struct Flag {
    /// The name without dashes.
    pub name: String,
    /// The value; empty for a flag alone.
    pub value: String,
    /// Where.
    pub span: Span,
}

/// A word with its place.
#[derive(Debug, Clone)]
pub struct Word {
    /// The text as written, without the quotes around it.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// The arguments of an instruction.
#[derive(Debug, Clone)]
pub enum Arguments {
    /// The JSON form.
    Json(Vec<Word>),
    /// Everything else: the text with continuations joined, and its words.
    Text(Script, Words),
    /// Pairs of ENV, LABEL and ARG; the value is empty where there is none.
    Pairs(Vec<(Word, Option<Word>)>),
}

/// The words of a text, found when they are asked for: those of scripts, which are most of a Dockerfile, seldom are.
#[derive(Debug, Clone)]
pub struct Words {
    found: OnceLock<Box<[Word]>>,
    file: FileId,
    escape: char,
}

impl Words {
    /// The words of a text in this file, with this escape character.
    pub fn new(file: FileId, escape: char) -> Words {
        Words { found: OnceLock::new(), file, escape }
    }

    fn of(&self, script: &Script) -> &[Word] {
        let all = (0, script.text.len());
        self.found.get_or_init(|| words(script, all, self.file, self.escape).into_boxed_slice())
    }
}

/// Splits a part of a text at blanks outside quotes; quotes around a whole word are dropped.
pub fn words(script: &Script, part: (usize, usize), file: FileId, escape: char) -> Vec<Word> {
    let (from, end) = part;
    let text = &script.text;
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    let mut finish = |start: usize, stop: usize| {
        let raw = &text[start..stop];
        let bare = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
        let bare = bare.or_else(|| raw.strip_prefix('\'').and_then(|raw| raw.strip_suffix('\''))).unwrap_or(raw);
        words.push(Word { text: bare.to_string(), span: script.span(file, start, stop) });
    };
    for (index, char) in text[from..end].char_indices().map(|(index, char)| (index + from, char)) {
        match (char, quote) {
            _ if escaped => escaped = false,
            (char, _) if char == escape && quote != Some('\'') => {
                escaped = true;
                start.get_or_insert(index);
            }
            ('"' | '\'', None) => {
                quote = Some(char);
                start.get_or_insert(index);
            }
            (char, Some(open)) if char == open => quote = None,
            (char, None) if char.is_whitespace() => {
                if let Some(start) = start.take() {
                    finish(start, index);
                }
            }
            _ => {
                start.get_or_insert(index);
            }
        }
    }
    if let Some(start) = start {
        finish(start, end);
    }
    words.shrink_to_fit();
    words
}

/// A text joined from several lines, with the way back to the file.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The text without continuations and comments.
    pub text: String,
    /// Where the text begins in the file.
    pub start: u32,
    /// Offsets in the text at which another piece of the file begins, with the offset in the file; most texts are one piece.
    pub pieces: Vec<(u32, u32)>,
}

impl Script {
    /// The offset in the file of an offset in the text.
    pub fn offset(&self, at: usize) -> u32 {
        let index = self.pieces.partition_point(|(start, _)| *start as usize <= at);
        let piece = index.checked_sub(1).and_then(|index| self.pieces.get(index));
        let (start, file) = piece.copied().unwrap_or((0, self.start));
        file + (at as u32 - start.min(at as u32))
    }

    /// The place in the file of a part of the text.
    pub fn span(&self, file: FileId, start: usize, end: usize) -> Span {
        let first = self.offset(start);
        let last = if end > start { self.offset(end - 1) + 1 } else { first };
        Span::new(file, first, last.max(first))
    }
}

/// A heredoc.
#[derive(Debug, Clone)]
pub struct Heredoc {
    /// Its delimiter.
    pub name: String,
    /// Its text, with the way back to the file.
    pub script: Script,
    /// Where the text stands.
    pub span: Span,
}

/// One stage.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Position among the stages.
    pub index: usize,
    /// The name after `AS`, in lower case.
    pub name: Option<String>,
    /// The base as written, with global arguments expanded where they are known.
    pub base: Option<Word>,
    /// The base with its variables as written.
    pub written_base: Option<Word>,
    /// The earlier stage of this file that the base names.
    pub parent: Option<usize>,
    /// Whether a later stage is built on it.
    pub is_base: bool,
    /// Whether a later instruction takes files from it: `COPY --from`, or a mount of `RUN`.
    pub is_source: bool,
    /// Whether its image is one of Windows, by its name or by the platform that is asked for, or that of the stage below is.
    pub is_windows: bool,
    /// Range of the stage in [`Dockerfile::instructions`], its `FROM` included.
    pub instructions: std::ops::Range<usize>,
    /// Where the stage begins: its `FROM`, or the first instruction.
    pub head: Span,
    /// From the first to the last instruction.
    pub span: Span,
}

/// Users that images run as, by a part of their name, as their publishers document them: Microsoft for containers of Windows and
/// for chiseled .NET images, Google for distroless ones, NGINX for its unprivileged one. The first that fits holds.
const BASE_USERS: &[(&str, &str)] = &[
    ("nanoserver", "ContainerUser"),
    ("servercore", "ContainerAdministrator"),
    ("mcr.microsoft.com/windows", "ContainerAdministrator"),
    ("dotnet/framework", "ContainerAdministrator"),
    ("nonroot", "65532"),
    ("chiseled", "1654"),
    ("nginx-unprivileged", "101"),
];

/// Whether an image is one of Windows, by its name or by the platform that is asked for.
pub fn names_windows(image: &str, platform: &str) -> bool {
    let (image, platform) = (image.to_lowercase(), platform.to_lowercase());
    let is_known = BASE_USERS.iter().find(|(part, _)| image.contains(part));
    platform.split('/').next() == Some("windows")
        || image.contains("windows/")
        || is_known.is_some_and(|(_, user)| user.starts_with("Container"))
}

impl Dockerfile {
    /// The instructions of a stage, its own only.
    pub fn of(&self, stage: &Stage) -> &[Instruction] {
        &self.instructions[stage.instructions.clone()]
    }

    /// A part of an instruction with the values of the variables that it names: with others it does something else.
    pub fn with_variables<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.contains('$') {
            return Cow::Borrowed(text);
        }
        let is_named = |name: &str| {
            let mut after = text.match_indices('$').map(|(at, _)| text[at + 1..].trim_start_matches('{'));
            let is_end = |char: char| !char.is_ascii_alphanumeric() && char != '_';
            after.any(|after| after.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(is_end)))
        };
        let pairs = self.instructions.iter().flat_map(|one| one.pairs());
        let values = pairs.filter_map(|(name, value)| value.as_ref().filter(|_| is_named(&name.text)));
        let values: Vec<&str> = values.map(|value| value.text.as_str()).collect();
        match values.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(format!("{text} {}", values.join(" "))),
        }
    }

    /// Whether a build that tells anything by BuildKit's own checks fails: `# check=error=true`.
    pub fn checks_are_errors(&self) -> bool {
        let checks = self.directives.iter().filter(|one| one.name == "check");
        let options = checks.flat_map(|one| one.value.split(';')).filter_map(|option| option.split_once('='));
        options.into_iter().any(|(name, value)| name.trim() == "error" && value.trim().eq_ignore_ascii_case("true"))
    }

    /// The stage that ships: the last.
    pub fn last(&self) -> Option<&Stage> {
        self.stages.last()
    }

    /// The stages that become images: those that are built by name, and the last.
    pub fn shipped(&self) -> impl Iterator<Item = &Stage> {
        self.targets.iter().filter_map(|index| self.stages.get(*index)).chain(self.last())
    }

    /// A stage and the earlier stages that it builds on, itself first.
    pub fn lineage<'a>(&'a self, stage: &'a Stage) -> impl Iterator<Item = &'a Stage> {
        std::iter::successors(Some(stage), |stage| stage.parent.and_then(|parent| self.stages.get(parent)))
    }

    /// Whether a stage ships or another is built on it, so that what its layers hold gets into an image.
    pub fn is_built_on(&self, stage: &Stage) -> bool {
        stage.is_base || stage.index + 1 == self.stages.len() || self.targets.contains(&stage.index)
    }

    /// The stage that holds the instruction at this index.
    pub fn stage_of(&self, index: usize) -> Option<&Stage> {
        let after = self.stages.partition_point(|stage| stage.instructions.start <= index);
        self.stages[..after].last()
    }

    /// Whether the layers of an instruction get into an image: those of a stage that ships or is built on do.
    pub fn ships(&self, instruction: &Instruction) -> bool {
        let index = self.instructions.partition_point(|one| one.span.start <= instruction.span.start).saturating_sub(1);
        // What stands before the first FROM is told to the builder alone.
        self.stage_of(index).is_some_and(|stage| self.is_built_on(stage))
    }

    /// The user of a stage that sets none, where the name of its base image tells it, and where that name stands.
    pub fn base_user<'a>(&'a self, stage: &'a Stage) -> Option<(&'static str, &'a Word)> {
        let base = self.lineage(stage).last()?.base.as_ref()?;
        let image = base.text.to_lowercase();
        BASE_USERS.iter().find(|(part, _)| image.contains(part)).map(|(_, user)| (*user, base))
    }

    /// Whether a stage is an image of Windows, by its base, its shell, or the escape character that paths of Windows want.
    pub fn is_windows(&self, stage: &Stage) -> bool {
        let is_escaped = || self.directives.iter().any(|one| one.name == "escape" && one.value == "`");
        let has_shell = || {
            let shell = self.effective(stage, "SHELL").map(Instruction::words).unwrap_or_default();
            let program = shell.first().map(|word| word.text.to_lowercase()).unwrap_or_default();
            matches!(program.trim_end_matches(".exe"), "powershell" | "cmd")
        };
        stage.is_windows || has_shell() || is_escaped()
    }

    /// The last instruction of this keyword in a stage or the stages that it builds on.
    pub fn effective<'a>(&'a self, stage: &'a Stage, keyword: &str) -> Option<&'a Instruction> {
        self.lineage(stage).find_map(|stage| self.of(stage).iter().rev().find(|one| one.keyword == keyword))
    }
}

impl Instruction {
    /// The value of a flag.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }

    /// The words of the arguments in either form; names and values of pairs in turn.
    pub fn words(&self) -> Vec<&Word> {
        match &self.arguments {
            Arguments::Json(words) => words.iter().collect(),
            Arguments::Text(script, words) => words.of(script).iter().collect(),
            Arguments::Pairs(pairs) => {
                pairs.iter().flat_map(|(name, value)| [Some(name), value.as_ref()]).flatten().collect()
            }
        }
    }

    /// The text of a shell form.
    pub fn script(&self) -> Option<&Script> {
        match &self.arguments {
            Arguments::Text(script, _) => Some(script),
            _ => None,
        }
    }

    /// The pairs of ENV, LABEL and ARG; none for others.
    pub fn pairs(&self) -> &[(Word, Option<Word>)] {
        match &self.arguments {
            Arguments::Pairs(pairs) => pairs,
            _ => &[],
        }
    }

    /// The commands of a `RUN`.
    pub fn commands(&self) -> &[Command] {
        self.commands.as_ref().map_or(&[], |commands| &commands.list)
    }

    /// Where a word of a command begins in the file; none in the JSON form, and where there is no such word.
    pub fn offset_of(&self, command: &Command, word: usize) -> Option<u32> {
        let script = match command.within {
            Some(index) => &self.heredocs.get(index as usize)?.script,
            None => self.script()?,
        };
        Some(script.offset(command.words.get(word)?.at as usize))
    }

    /// Whether a command of a `RUN` gives its output to another one.
    pub fn has_pipe(&self) -> bool {
        self.commands.as_ref().is_some_and(|commands| commands.has_pipe)
    }

    /// Whether the arguments are in the JSON form.
    pub fn is_json(&self) -> bool {
        matches!(self.arguments, Arguments::Json(_))
    }
}
