//! `gate migrate`: shows what would change, and writes it when told to.

use std::io::Write;
use std::path::Path;

use super::scan::{is_worth_keeping, today};
use super::{Error, load_policies, output, pool, select, settings};
use crate::cli;
use crate::config;
use crate::discover::{self, MAX_BYTES, Walk};
use crate::escape::plain;
use crate::filesystem::{FileSystem, Files, Kind};
use crate::frontend::{FRONTENDS, Settings};
use crate::import::Imports;
use crate::migrate::{self, diff, settings as foreign};
use crate::report::text::count;
use crate::rules::{Catalog, Selection};
use crate::scan::Request;
use crate::source::{Sources, Span};
use crate::suppress::{self, Left, Rewriting};

/// Runs the command.
pub(super) fn migrate(arguments: &cli::Migrate, out: &mut dyn Write) -> Result<u8, Error> {
    let files = Files::default();
    let paths = [arguments.path.clone()];
    let root = discover::root_of(&paths)?;
    let config = config::load(&*files, &root, None)?;
    let mut catalog = Catalog::built_in();
    load_policies(&*files, &mut catalog, config.policies.iter())?;
    config.check(&catalog)?;
    let selected = select(&catalog, &Selection { select: vec!["all".into()], ignore: Vec::new() })?;
    let pool = pool(None)?;
    let walk = Walk { exclude: Some(&config.exclude), keep: Some(is_worth_keeping), ..Walk::new(&paths) };
    let mut discovered = pool.install(|| discover::discover(&walk, FRONTENDS))?;
    let terraform = cli::TerraformArgs { var_file: Vec::new(), var: Vec::new(), tf_env: false };
    let settings = Settings {
        with_defaults: catalog.has_rules_of_users(),
        ..settings(&files, &mut discovered, &config.var_files, &config.environments, &terraform)?
    };
    let usual = select(&catalog, &config.selection(&[], &[]))?;
    let is_configured = !config.path.is_empty();
    let request = Request {
        catalog: &catalog,
        selected,
        imports: Imports::default(),
        ignored: Default::default(),
        asked: Default::default(),
        config,
        settings,
        fail_on: None,
        base: None,
        baseline: None,
        strict: false,
        require_files: false,
        suppress: true,
        today: today(),
    };
    let mut rewriting = pool.install(|| migrate::rewrite(&request, &discovered, &usual))?;
    let sources = &discovered.sources;
    leave_links(&*files, &root, sources, &mut rewriting);
    let mut written = 0;
    for (file, edits) in &rewriting.edits {
        let source = sources.get(*file);
        if arguments.write {
            write(&*files, &root, source.path(), source.text(), &suppress::edited(source.text(), edits))?;
            written += 1;
            writeln!(out, "{}: rewritten", plain(source.path()))?;
        } else {
            diff::write(source.path(), source.text(), edits, out)?;
        }
    }
    let mut proposal = foreign::propose(&*files, &root, &catalog);
    for one in &rewriting.left {
        let path = plain(sources.get(one.at.file).path()).into_owned();
        proposal.notes.push(format!("{path}:{}: {}", sources.line(one.at), one.why));
    }
    if !proposal.is_empty() {
        let path = root.join(config::NAMES[0]);
        if arguments.write && !is_configured && files.kind(&path).is_err() {
            output::replace(&path, proposal.yaml().as_bytes(), &root)?;
            writeln!(out, "{}: written", config::NAMES[0])?;
        } else {
            writeln!(out, "# for {}:\n{}", config::NAMES[0], proposal.yaml())?;
        }
    }
    for note in &proposal.notes {
        writeln!(out, "left: {}", plain(note))?;
    }
    let files = rewriting.edits.len();
    match (files, arguments.write) {
        (0, _) if proposal.is_empty() && proposal.notes.is_empty() => writeln!(out, "nothing to migrate")?,
        (0, _) => {}
        (_, true) => {
            writeln!(out, "{} rewritten; what is suppressed is the same as before", count(written, "file"))?;
        }
        (_, false) => {
            let files = count(files, "file");
            writeln!(out, "{files} would change: --write does it; what is suppressed stays the same")?;
        }
    }
    Ok(0)
}

/// Takes out what is read through a link: where that leads to, it is rewritten under its own path.
fn leave_links(files: &dyn FileSystem, root: &Path, sources: &Sources, rewriting: &mut Rewriting) {
    let Rewriting { edits, left } = rewriting;
    edits.retain(|file, edits| {
        let source = sources.get(*file);
        let is_link = matches!(files.kind(&root.join(source.path())), Ok(kind) if kind != Kind::File);
        let first = edits.iter().find(|(_, edit)| edit.instead.is_some());
        if let (true, Some((line, _))) = (is_link, first) {
            let start = source.line_start(*line);
            let why = "the file is a link: what it leads to is rewritten under its own path, if that is scanned";
            left.push(Left { at: Span::new(*file, start, start), why: why.into() });
        }
        !is_link
    });
    left.sort();
}

/// Writes a file of the tree whole, if it still is what was read, with its byte order mark.
fn write(files: &dyn FileSystem, root: &Path, path: &str, old: &str, new: &str) -> Result<(), Error> {
    let full = root.join(path);
    let refuse =
        |message: String| Error::Usage { message: format!("{path}: {message}"), help: Some("run it again".into()) };
    let failed = |error| Error::File { path: path.to_string(), error };
    if files.kind(&full).map_err(failed)? != Kind::File {
        return Err(refuse("is a link, and what it leads to is not rewritten".into()));
    }
    let failed = |error| Error::File { path: path.to_string(), error };
    let text = files.text(&full, MAX_BYTES).map_err(failed)?;
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text.as_str()),
    };
    if body != old {
        return Err(refuse("has changed while it was read".into()));
    }
    output::replace(&full, format!("{mark}{new}").as_bytes(), root)
}
