//! `gate console`: expressions in, values out; with line editing and history on a terminal.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::mpsc;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::{Error, STACK_BYTES, cli, pool, settings};
use crate::discover::{self, Walk};
use crate::filesystem::{Files, Reach};
use crate::frontend::terraform::evaluate_all;
use crate::frontend::terraform::value::lower::answer;
use crate::frontend::terraform::value::{Kind, Marks, Val};
use crate::frontend::{FRONTENDS, Settings};
use crate::report::encode;

/// Where expressions come from; none at the end.
type Lines<'a> = dyn FnMut() -> Result<Option<String>, Error> + 'a;

/// Answers each line before it reads the next.
pub(super) fn console(arguments: &cli::Console, out: &mut dyn Write) -> Result<u8, Error> {
    let paths = [arguments.path.clone()];
    let mut discovered = pool(None)?.install(|| discover::discover(&Walk::new(&paths), FRONTENDS))?;
    // Whoever asks here reads the files anyway.
    let reach = Reach { is_open: true, ..Reach::default() };
    let var_files = &arguments.terraform.var_file;
    let settings =
        Settings { reach, ..settings(&Files::default(), &mut discovered, var_files, &[], &arguments.terraform)? };
    let terraform = FRONTENDS.iter().position(|frontend| frontend.name() == "terraform").unwrap_or_default();
    let (ask, asked) = mpsc::channel::<String>();
    let (reply, replied) = mpsc::channel();
    let unread = |error| Error::File { path: "standard input".into(), error };
    std::thread::scope(|scope| {
        let evaluate = || {
            evaluate_all(
                &settings,
                &discovered.sources,
                &discovered.claims[terraform],
                asked.into_iter(),
                &mut |answer| {
                    // Nobody listens any more once the output is closed.
                    let _ = reply.send(answer);
                },
            );
        };
        std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, evaluate).map_err(unread)?;
        let mut answer = |line: String| -> Result<(), Error> {
            if ask.send(line).is_err() {
                return Ok(());
            }
            if let Ok(value) = replied.recv() {
                write(&value, arguments.json, out)?;
            }
            Ok(())
        };
        if io::stdin().is_terminal() && !arguments.json {
            let mut editor = DefaultEditor::new().map_err(|error| unread(io::Error::other(error)))?;
            each(&mut || edited(&mut editor), &mut answer)?;
        } else {
            let mut lines = io::stdin().lock().lines();
            each(&mut || lines.next().transpose().map_err(unread), &mut |line| match arguments.json {
                true => answer(serde_json::from_str(&line).unwrap_or(line)),
                false => answer(line),
            })?;
        }
        drop(ask);
        Ok(0)
    })
}

/// Answers every line up to the end or `exit`.
fn each(lines: &mut Lines<'_>, answer: &mut dyn FnMut(String) -> Result<(), Error>) -> Result<(), Error> {
    while let Some(line) = lines()?.filter(|line| line.trim() != "exit") {
        if !line.trim().is_empty() {
            answer(line)?;
        }
    }
    Ok(())
}

/// A line from the terminal; an empty one after ^C, none after ^D.
fn edited(editor: &mut DefaultEditor) -> Result<Option<String>, Error> {
    match editor.readline("> ") {
        Ok(line) => {
            // History lives as long as the session: expressions may hold what belongs into no file.
            let _ = editor.add_history_entry(&line);
            Ok(Some(line))
        }
        Err(ReadlineError::Interrupted) => Ok(Some(String::new())),
        Err(ReadlineError::Eof) => Ok(None),
        Err(error) => Err(Error::File { path: "the terminal".into(), error: io::Error::other(error) }),
    }
}

fn write(value: &Result<Val, String>, json: bool, out: &mut dyn Write) -> Result<(), Error> {
    match (value, json) {
        (Ok(value), true) => writeln!(out, "{}", encode::inert(&answer(value)))?,
        (Err(message), true) => {
            writeln!(out, "{}", encode::inert(&serde_json::json!({ "error": message }).to_string()))?;
        }
        (Ok(value), false) => writeln!(out, "{}", shown(value, 0))?,
        (Err(message), false) => writeln!(out, "error: {message}")?,
    }
    out.flush()?;
    Ok(())
}

/// A value for people: as JSON, but for the parts that are not known or must not be shown.
fn shown(value: &Val, indent: usize) -> String {
    let inner = " ".repeat(indent + 2);
    let lines = |open: char, lines: Vec<String>, close: char| match lines.is_empty() {
        true => format!("{open}{close}"),
        false => format!("{open}\n{}\n{}{close}", lines.join(",\n"), " ".repeat(indent)),
    };
    match &value.kind {
        _ if value.marks.has(Marks::SENSITIVE) => "(sensitive value)".into(),
        Kind::Unknown(_) => "(unknown)".into(),
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
            let items = value.items().iter().map(|item| format!("{inner}{}", shown(item, indent + 2)));
            lines('[', items.collect(), ']')
        }
        Kind::Map(_) | Kind::Object(_) => {
            let member =
                |key: &str, val: &Val| format!("{inner}{}: {}", serde_json::json!(key), shown(val, indent + 2));
            lines('{', value.members().iter().map(|one| member(&one.key, &one.val)).collect(), '}')
        }
        Kind::Null(_) => "null".into(),
        Kind::Bool(bool) => bool.to_string(),
        Kind::Number(number) => number.to_string(),
        Kind::String(text) => serde_json::json!(&**text).to_string(),
    }
}
