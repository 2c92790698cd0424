//! Commands of a build script, as far as rules ask for them: words without quotes, at their places, through lists, pipes,
//! groups, functions, substitutions and the branches of control flow, in the language of the stage's `SHELL`.
//!
//! Tolerant readers and no shells: they never fail, look at each byte once for each level of nesting, and stop at a depth
//! limit. A parser that gives up at the first error would leave the rest of a script unjudged.

mod posix;
mod windows;

/// Substitutions and scripts inside scripts that are followed.
pub const MAX_DEPTH: u32 = 32;

/// A raw substitution is kept as text up to this many bytes.
const MAX_RAW: usize = 256;

/// The language of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// `sh` and its kin.
    #[default]
    Posix,
    /// Windows PowerShell and `pwsh`.
    PowerShell,
    /// `cmd` of Windows.
    Cmd,
    /// Something that is not read, as `python -c`.
    Other,
}

/// What a script holds.
#[derive(Debug, Clone, Default)]
pub struct Commands {
    /// Simple commands in the order of their first words.
    pub list: Vec<Command>,
    /// Whether output goes from one command into another anywhere, scripts of `sh -c` left out.
    pub has_pipe: bool,
    /// What could not be read to its end, each at an offset of the script.
    pub faults: Vec<(usize, Fault)>,
}

/// Why a part of a script was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A quote, substitution or group that is never closed.
    Unclosed(&'static str),
    /// More nesting than is followed.
    TooDeep,
}

/// One simple command.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// Words without quotes; assignments before the name and redirections are left out.
    pub words: Vec<Word>,
    /// Whether its output goes into a pipe.
    pub piped: bool,
    /// Whether it reads from a pipe.
    pub reads_pipe: bool,
    /// Variables assigned before the name, with their values as written.
    pub assignments: Vec<(String, String)>,
    /// Positions of the heredocs that are its input, among those of the script.
    pub heredocs: Vec<usize>,
    /// The text after `<<<`, which is its input.
    pub here_string: Option<Box<Word>>,
    /// Whether it stands in the text given to another shell, as in `sh -c 'text'`.
    pub is_inner: bool,
    /// The heredoc in whose text it stands, by its position among those of the instruction.
    pub within: Option<u32>,
    /// Position of the program among the words, after prefixes such as `sudo` and `env` with their options.
    program: u32,
}

/// A word of a command.
#[derive(Debug, Clone, Default)]
pub struct Word {
    /// The text without quotes; variables and short substitutions as written.
    pub text: String,
    /// Offset in the script; words are many, and no file has more than 4 GiB.
    pub at: u32,
    /// Whether a variable or substitution is part of it.
    pub expands: bool,
    /// Whether any part was quoted.
    pub quoted: bool,
}

/// The commands of a script.
pub fn commands(text: &str, language: Language) -> Commands {
    commands_at(text, language, 0)
}

fn commands_at(text: &str, language: Language, depth: u32) -> Commands {
    let mut found = Commands::default();
    match language {
        Language::Posix => posix::read(text, depth, &mut found),
        Language::PowerShell => windows::power_shell(text, &mut found),
        Language::Cmd => windows::cmd(text, &mut found),
        Language::Other => {}
    }
    found.finish(depth);
    found
}

/// The command of a JSON form, with the scripts that it gives to shells.
pub fn command_of_words(words: impl Iterator<Item = String>) -> Commands {
    let words = words.map(|text| Word { text, ..Word::default() }).collect();
    let mut found = Commands::default();
    found.list.push(Command { words, ..Command::default() });
    found.finish(0);
    found
}

impl Commands {
    /// Finds programs, follows the scripts that shells are given as arguments, and puts all in order.
    fn finish(&mut self, depth: u32) {
        let mut inner = Vec::new();
        for command in &mut self.list {
            command.program = command.find_program() as u32;
            let Some((script, language)) = command.script_argument() else { continue };
            if depth >= MAX_DEPTH {
                self.faults.push((script.at as usize, Fault::TooDeep));
                continue;
            }
            let read = commands_at(&script.text, language, depth + 1);
            self.faults.extend(read.faults.into_iter().map(|(_, fault)| (script.at as usize, fault)));
            for mut found in read.list {
                found.is_inner = true;
                // Places inside an unquoted text are not those of the script.
                found.words.iter_mut().for_each(|word| word.at = script.at);
                found.heredocs.clear();
                inner.push(found);
            }
        }
        self.list.extend(inner);
        self.list.sort_by_key(|command| command.words.first().map_or(0, |word| word.at));
        self.list.iter_mut().for_each(|command| command.words.shrink_to_fit());
        self.list.shrink_to_fit();
    }
}

/// Commands that run the rest of their line, with the number of operands of their own.
const PREFIXES: &[(&str, usize)] = &[
    ("sudo", 0),
    ("doas", 0),
    ("exec", 0),
    ("env", 0),
    ("command", 0),
    ("builtin", 0),
    ("nice", 0),
    ("nohup", 0),
    ("eatmydata", 0),
    ("time", 0),
    ("xargs", 0),
    ("timeout", 1),
    ("gosu", 1),
    ("su-exec", 1),
    ("chroot", 1),
    ("call", 0),
    ("&", 0),
];

/// The POSIX shells.
const SHELLS: &[&str] = &["sh", "bash", "ash", "dash", "zsh", "ksh"];

/// The language of a program that runs scripts.
pub fn language_of(program: &str) -> Language {
    let name = base_name(program).to_ascii_lowercase();
    match name.strip_suffix(".exe").unwrap_or(&name) {
        "cmd" => Language::Cmd,
        "powershell" | "pwsh" => Language::PowerShell,
        name if SHELLS.contains(&name) => Language::Posix,
        _ => Language::Other,
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

impl Command {
    /// The program without its folder, after prefixes such as `sudo` and their options.
    pub fn name(&self) -> &str {
        let name = self.words.get(self.program as usize).map_or("", |word| base_name(&word.text));
        name.strip_suffix(".exe").unwrap_or(name)
    }

    fn find_program(&self) -> usize {
        let mut index = 0;
        while let Some(word) = self.words.get(index) {
            let name = base_name(&word.text);
            let Some((_, own)) = PREFIXES.iter().find(|(prefix, _)| *prefix == name) else { break };
            let mut next = index + 1;
            while let Some(word) = self.words.get(next) {
                // `sudo -u USER`, `-g GROUP`, `nice -n 5`, `xargs -n 1` take the next word.
                if matches!(word.text.as_str(), "-u" | "-g" | "-n" | "-I" | "-P" | "-k" | "-s") {
                    next += 2;
                } else if word.text.starts_with('-') || (name == "env" || name == "sudo") && word.text.contains('=') {
                    next += 1;
                } else {
                    break;
                }
            }
            next += own;
            if next >= self.words.len() {
                break;
            }
            index = next;
        }
        index.min(self.words.len().saturating_sub(1))
    }

    /// The script that a shell is given as an argument: `sh -c TEXT`, `su USER -c TEXT`, `eval TEXT`, or as `sh <<< TEXT`.
    fn script_argument(&self) -> Option<(Word, Language)> {
        let arguments = self.arguments();
        let name = self.name();
        let language = if matches!(name, "su" | "runuser") { Language::Posix } else { language_of(name) };
        let after = |at: usize| arguments.get(at + 1).map(|word| (word.clone(), language));
        // PowerShell joins what follows.
        let all_after = |at: usize| {
            let words = arguments.get(at + 1..)?;
            let text: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            Some((Word { text: text.join(" "), ..words.first()?.clone() }, language))
        };
        match language {
            _ if name == "eval" => arguments.first().map(|word| (word.clone(), Language::Posix)),
            Language::Posix => {
                let is_option = |word: &Word| {
                    let cluster = word.text.strip_prefix('-').filter(|cluster| !cluster.starts_with('-'));
                    cluster.is_some_and(|cluster| cluster.ends_with('c')) || word.text == "--command"
                };
                let given = self.here_string.as_ref().filter(|_| self.operands().next().is_none());
                let input = || given.map(|word| (Word::clone(word), language));
                arguments.iter().position(is_option).map_or_else(input, after)
            }
            Language::PowerShell => {
                let is_option = |word: &Word| matches!(word.text.to_ascii_lowercase().as_str(), "-command" | "-c");
                arguments.iter().position(is_option).and_then(all_after)
            }
            Language::Cmd => arguments.iter().position(|word| word.text.eq_ignore_ascii_case("/c")).and_then(after),
            Language::Other => None,
        }
    }

    /// The words after the program.
    pub fn arguments(&self) -> &[Word] {
        self.words.get(self.program as usize + 1..).unwrap_or(&[])
    }

    /// The words after the program that are no options.
    pub fn operands(&self) -> impl Iterator<Item = &Word> {
        self.arguments().iter().filter(|word| !word.text.starts_with('-'))
    }

    /// The operands without the values of these options; of an option with `=` the value is its own.
    pub fn operands_without<'c>(&'c self, valued: &'c [&'c str]) -> impl Iterator<Item = &'c Word> {
        let mut skip = false;
        self.arguments().iter().filter(move |word| {
            if std::mem::take(&mut skip) {
                return false;
            }
            match word.text.strip_prefix('-') {
                Some(option) => {
                    skip = valued.contains(&option.trim_start_matches('-'));
                    false
                }
                None => true,
            }
        })
    }

    /// Whether an operand is this word.
    pub fn has(&self, operand: &str) -> bool {
        self.operands().any(|word| word.text == operand)
    }

    /// Whether an option is given: a short one alone or in a cluster, a long one with or without value.
    pub fn has_option(&self, short: &str, long: &[&str]) -> bool {
        self.arguments().iter().any(|word| {
            if let Some(name) = word.text.strip_prefix("--") {
                let name = name.split('=').next().unwrap_or(name);
                return long.contains(&name);
            }
            word.text.strip_prefix('-').is_some_and(|cluster| !short.is_empty() && cluster.contains(short))
        })
    }

    /// The value of an option: the next word, what follows `=`, or what follows a short option at once.
    pub fn option_value(&self, short: &str, long: &str) -> Option<&str> {
        let arguments = self.arguments();
        arguments.iter().enumerate().find_map(|(index, word)| {
            let next = || arguments.get(index + 1).map(|word| word.text.as_str());
            match word.text.strip_prefix("--") {
                Some(name) if name == long => next(),
                Some(name) => name.strip_prefix(long)?.strip_prefix('='),
                None => {
                    let cluster = word.text.strip_prefix('-')?;
                    let (_, value) = cluster.split_once(short).filter(|_| !short.is_empty())?;
                    if value.is_empty() { next() } else { Some(value) }
                }
            }
        })
    }

    /// Whether the first operand is one of these: `install` of `apt-get -y install curl`.
    pub fn is(&self, name: &str, actions: &[&str]) -> bool {
        self.name() == name && self.operands().next().is_some_and(|word| actions.contains(&word.text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        commands(text, Language::Posix).list.iter().map(|command| command.name().to_string()).collect()
    }

    fn faults(text: &str) -> Vec<Fault> {
        commands(text, Language::Posix).faults.into_iter().map(|(_, fault)| fault).collect()
    }

    #[test]
    fn commands_are_found_through_lists_pipes_branches_and_substitutions() {
        assert_eq!(
            names(
                "set -e; if [ -f x ]; then DEBIAN_FRONTEND=noninteractive apt-get install -y \"$(cat list)\" | tee log; fi && sudo -u app id"
            ),
            ["set", "[", "apt-get", "cat", "tee", "id"]
        );
        assert_eq!(names("echo 'a; rm x' \"b && c\" # rm -rf /"), ["echo"]);
        assert_eq!(names("for f in a b; do make $f; done; while read x; do cp $x y; done"), ["make", "read", "cp"]);
        assert_eq!(
            names("case $(arch) in x86|arm) yum -y x;; *) dnf y; esac; f() { apk add z; }; f"),
            ["arch", "yum", "dnf", "apk", "f"]
        );
        assert_eq!(names("if [[ $(a) == b ]]; then apk add c; fi\n[[ x ]]\nd"), ["[[", "a", "apk", "[[", "d"]);
        assert_eq!(names("x=$(curl y) diff <(a) <(b | c) `d`"), ["curl", "diff", "a", "b", "c", "d"]);
        assert_eq!(names("timeout 5 curl x; env A=b wget y; echo z | xargs -n 1 rm"), ["curl", "wget", "echo", "rm"]);
    }

    #[test]
    fn scripts_given_to_shells_are_read() {
        assert_eq!(
            names("bash -euc 'apt-get update; su - app -c \"pip install x\"'"),
            ["bash", "apt-get", "su", "pip"]
        );
        let words = ["sh", "-c", "curl x | sh"].map(str::to_string);
        let found = command_of_words(words.into_iter());
        assert_eq!(found.list.iter().map(Command::name).collect::<Vec<_>>(), ["sh", "curl", "sh"]);
        assert!(!found.has_pipe && found.list[1].is_inner);
    }

    #[test]
    fn redirections_are_no_arguments_and_only_pipes_between_commands_count() {
        let found = commands("make all >log 2>&1 </dev/null &>>x; [[ a || b ]] || c", Language::Posix);
        let words: Vec<&str> = found.list[0].words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(words, ["make", "all"]);
        assert!(!found.has_pipe);
        assert!(commands("{ a; } | b", Language::Posix).has_pipe);
        assert!(commands("if a; then b; fi | c", Language::Posix).has_pipe);
        assert!(!commands("case x in a|b) c;; esac; echo \"a | b\"", Language::Posix).has_pipe);
    }

    #[test]
    fn a_text_that_a_shell_is_given_as_input_is_a_script() {
        assert_eq!(names("bash <<< 'apk add x; id'"), ["bash", "apk", "id"]);
        assert_eq!(names("bash a.sh <<< 'apk add x'; cat <<< 'id'"), ["bash", "cat"]);
    }

    #[test]
    fn heredocs_inside_a_script_are_input_and_no_commands() {
        assert_eq!(names("cat >x <<EOF\nrm -rf /\nEOF\nid"), ["cat", "id"]);
    }

    #[test]
    fn other_shells_have_their_own_grammar() {
        let list = |text, language| -> Vec<String> {
            commands(text, language).list.iter().map(|command| command.name().to_string()).collect()
        };
        assert_eq!(
            list(
                "$x = 'a;b'; if ($y) { Invoke-WebRequest -Uri $z } ; choco install git | Out-Null",
                Language::PowerShell
            ),
            ["Invoke-WebRequest", "choco", "Out-Null"]
        );
        assert_eq!(list("copy \"a&b\" c ^& d && del e | more", Language::Cmd), ["copy", "del", "more"]);
    }

    #[test]
    fn hostile_scripts_end_and_are_told() {
        assert!(faults(&"$(".repeat(50_000)).contains(&Fault::TooDeep));
        assert!(faults(&"`(".repeat(50_000)).len() < 100);
        assert_eq!(faults(&"\"".repeat(50_001)), [Fault::Unclosed("\"")]);
        assert_eq!(faults("echo 'a"), [Fault::Unclosed("'")]);
        assert_eq!(faults("echo $(a"), [Fault::Unclosed("$(")]);
        assert_eq!(names("a &> b; c 2>&1"), ["a", "c"]);
        assert_eq!(names("echo it's && apt-get update"), ["echo", "apt-get"], "the rest is judged");
        assert_eq!(names("echo \"$(id) && apt-get update"), ["echo", "id", "apt-get"]);
        assert!(faults(&"\"$(".repeat(20_000)).len() < 100);
        let long = "a && ".repeat(200_000) + "b";
        assert_eq!(names(&long).len(), 200_001);
        for text in ["case", "case x", "case x in", "for", "x=(", "f(", "<<", "<<<", ">", "$", "${", "((", "[[", "\\"] {
            names(text);
        }
    }
}
