//! PowerShell and `cmd`, as far as their commands are concerned.

use super::{Command, Commands, Fault, Word};

/// Words of PowerShell that open control flow and are no commands.
const KEYWORDS: &[&str] = &[
    "if", "else", "elseif", "foreach", "for", "while", "do", "try", "catch", "finally", "function", "switch", "return",
    "throw", "in",
];

/// Statements of PowerShell: `;`, `|`, line ends, braces and parentheses divide; the backquote escapes.
pub(super) fn power_shell(text: &str, out: &mut Commands) {
    let grammar = Grammar { escape: '`', quotes: &['"', '\''], comment: Some('#'), groups: &['{', '}', '(', ')'] };
    split(text, &grammar, out);
    for command in &mut out.list {
        let is_keyword =
            |word: &Word| !word.quoted && KEYWORDS.iter().any(|keyword| word.text.eq_ignore_ascii_case(keyword));
        while command.words.first().is_some_and(is_keyword) {
            command.words.remove(0);
        }
        // `$x = …` assigns; what is assigned may be a command.
        if command.words.len() > 1
            && command.words[0].text.starts_with('$')
            && matches!(command.words[1].text.as_str(), "=" | "+=")
        {
            let name = command.words[0].text.trim_start_matches('$').to_string();
            let value = command.words.get(2).map_or(String::new(), |word| word.text.clone());
            command.assignments.push((name, value));
            command.words.drain(..2);
        }
    }
    // Expressions are no commands.
    out.list.retain(|command| {
        command.words.first().is_some_and(|word| {
            !word.quoted
                && word
                    .text
                    .starts_with(|first: char| first.is_alphanumeric() || matches!(first, '&' | '.' | '/' | '\\'))
        })
    });
}

/// Commands of `cmd`: `&`, `&&`, `|` and `||` divide; the caret escapes and only double quotes quote.
pub(super) fn cmd(text: &str, out: &mut Commands) {
    let grammar = Grammar { escape: '^', quotes: &['"'], comment: None, groups: &['(', ')'] };
    split(text, &grammar, out);
    out.list.retain(|command| !command.words.is_empty());
    for command in &mut out.list {
        if let Some(word) = command.words.first_mut()
            && let Some(name) = word.text.strip_prefix('@')
        {
            word.text = name.to_string();
        }
    }
}

struct Grammar {
    escape: char,
    quotes: &'static [char],
    comment: Option<char>,
    groups: &'static [char],
}

fn split(text: &str, grammar: &Grammar, out: &mut Commands) {
    let mut command = Command::default();
    let mut word: Option<Word> = None;
    let mut quote: Option<(char, usize)> = None;
    let mut reads_pipe = false;
    let mut redirects = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let open = |word: &mut Option<Word>| {
            word.get_or_insert_with(|| Word { at: at as u32, ..Word::default() });
        };
        if let Some((mark, _)) = quote {
            open(&mut word);
            let Some(word) = &mut word else { continue };
            match char {
                _ if char == mark => quote = None,
                _ if char == grammar.escape && mark == '"' => word.text.extend(chars.next().map(|(_, char)| char)),
                _ => {
                    word.expands |= mark == '"' && matches!(char, '$' | '%');
                    word.text.push(char);
                }
            }
            continue;
        }
        let is_divider =
            matches!(char, '|' | '&' | '\n') || char == ';' && grammar.escape == '`' || grammar.groups.contains(&char);
        let is_call = char == '&' && grammar.escape == '`' && command.words.is_empty() && word.is_none();
        if char.is_whitespace() && char != '\n' || is_divider && !is_call || matches!(char, '<' | '>') {
            let descriptor = matches!(char, '<' | '>')
                && word.as_ref().is_some_and(|word| matches!(word.text.as_str(), "1" | "2" | "*"));
            if let Some(word) = word.take()
                && !descriptor
                && !std::mem::take(&mut redirects)
            {
                command.words.push(word);
            }
            if matches!(char, '<' | '>') {
                redirects = true;
                while chars.next_if(|(_, next)| matches!(next, '>' | '&')).is_some() {}
                continue;
            }
            if !is_divider {
                continue;
            }
            redirects = false;
            let is_doubled = matches!(char, '|' | '&') && chars.next_if(|(_, next)| *next == char).is_some();
            let is_pipe = char == '|' && !is_doubled;
            out.has_pipe |= is_pipe;
            command.piped = is_pipe;
            command.reads_pipe = std::mem::replace(&mut reads_pipe, is_pipe);
            let done = std::mem::take(&mut command);
            if !done.words.is_empty() {
                out.list.push(done);
            }
            continue;
        }
        if grammar.comment == Some(char) && word.is_none() {
            while chars.next_if(|(_, next)| *next != '\n').is_some() {}
            continue;
        }
        open(&mut word);
        let Some(word) = &mut word else { continue };
        if grammar.quotes.contains(&char) {
            quote = Some((char, at));
            word.quoted = true;
        } else if char == grammar.escape {
            word.text.extend(chars.next().map(|(_, char)| char));
        } else {
            word.expands |= matches!(char, '$' | '%');
            word.text.push(char);
        }
    }
    if let Some((mark, at)) = quote {
        out.faults.push((at, Fault::Unclosed(if mark == '"' { "\"" } else { "'" })));
    }
    command.words.extend(word.filter(|_| !redirects));
    command.reads_pipe = reads_pipe;
    if !command.words.is_empty() {
        out.list.push(command);
    }
}
