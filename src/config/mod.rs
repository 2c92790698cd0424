//! `gate.yaml`: found, read and checked. One file, no layers, no home directory: the same answer on every machine.
//! Reading it executes and fetches nothing.

mod form;
mod globs;
mod hadolint;
mod places;
mod read;
mod wanted;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use crate::escape::plain;
use crate::filesystem::{FileSystem, Kind};
use crate::finding::{Finding, Severity};
use crate::path::shown;
use crate::rules::{Catalog, Options, Selection};
use crate::secret::{Known, find_to_hide, without};
use crate::suppress::{DIALECTS, Date};

pub use globs::PathGlobs;
pub use hadolint::NAMES as HADOLINT;
use read::Reader;

/// The names under which a configuration is looked for.
pub const NAMES: [&str; 4] = ["gate.yaml", "gate.yml", ".gate.yaml", ".gate.yml"];

/// A configuration is a page of text; anything larger is something else.
const MAX_BYTES: u64 = 1 << 20;

/// The configuration in force; [`Config::default`] when there is no file.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file, as messages name it; empty when there is none.
    pub path: String,
    /// The threshold, if the file sets one.
    pub fail_on: Option<FailOn>,
    /// Undecided checks and notes close the gate.
    pub strict: bool,
    /// Paths that are not scanned.
    pub exclude: PathGlobs,
    /// Results of other tools, as SARIF.
    pub imports: Vec<PathBuf>,
    /// Files and folders with more rules.
    pub policies: Vec<PathBuf>,
    /// The file of accepted findings.
    pub baseline: Option<PathBuf>,
    /// Tokens of rules to run; see [`Config::selection`].
    pub select: Vec<String>,
    /// Tokens of rules not to run.
    pub ignore_rules: Vec<String>,
    /// Settings of single rules, by id or alias as written.
    pub rules: BTreeMap<String, RuleSettings>,
    /// Findings that are accepted.
    pub ignore: Vec<Ignore>,
    /// Names of the dialects whose suppressions act beside gate's own.
    pub dialects: Vec<&'static str>,
    /// Whether gate's own suppressions act only with a reason.
    pub require_reason: bool,
    /// Terraform modules that are not there do not close the gate.
    pub accept_unread_modules: bool,
    /// Terraform variables files, in order.
    pub var_files: Vec<PathBuf>,
    /// Terraform environments: name and variables files.
    pub environments: Vec<(String, Vec<PathBuf>)>,
    /// What rules are told.
    pub options: Options,
    /// What hadolint's own configuration says, until [`Config::adopt_hadolint`] takes it over.
    hadolint: Option<hadolint::Hadolint>,
    text: String,
    /// Places of what is checked against the catalog.
    names: Vec<(Named, String, Range<usize>)>,
    paths: Vec<(PathBuf, Range<usize>)>,
    /// The real folder where the file lies; empty when there is none.
    pub folder: PathBuf,
}

/// What closes the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// Findings of this severity or worse.
    Severity(Severity),
    /// No finding.
    Never,
}

/// Settings of one rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleSettings {
    /// In place of the rule's own.
    pub severity: Option<Severity>,
    /// Whether it runs; its own default when none.
    pub enabled: Option<bool>,
    /// Whether it can be suppressed.
    pub ignorable: bool,
}

/// An entry of `ignore`.
#[derive(Debug, Clone)]
pub struct Ignore {
    /// Id or alias.
    pub rule: String,
    /// Only in these files.
    pub paths: Option<PathGlobs>,
    /// Only for resources of this address, with `*`.
    pub address: Option<String>,
    /// Why; empty only where reasons are not required.
    pub reason: String,
    /// Last day on which it acts.
    pub until: Option<Date>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Line in the file, from 1.
    pub line: u32,
}

/// What a name in the file must be for the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Rule,
    Token,
}

/// A configuration that can't be used.
#[derive(Debug, Error, Diagnostic)]
pub enum Error {
    /// A mistake in the file.
    #[error("{path}:{line}: {message}")]
    Invalid {
        /// The file.
        path: String,
        /// Line of the mistake, from 1.
        line: u32,
        /// What is wrong.
        message: String,
        /// The text of the file.
        #[source_code]
        text: std::sync::Arc<NamedSource<String>>,
        /// Where.
        #[label("here")]
        at: SourceSpan,
        /// What to do.
        #[help]
        help: Option<String>,
    },
    /// The file could not be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
        /// What to do.
        #[help]
        help: Option<String>,
    },
}

impl Default for Config {
    fn default() -> Config {
        Config {
            path: String::new(),
            fail_on: None,
            strict: false,
            exclude: PathGlobs::default(),
            imports: Vec::new(),
            policies: Vec::new(),
            baseline: None,
            select: Vec::new(),
            ignore_rules: Vec::new(),
            rules: BTreeMap::new(),
            ignore: Vec::new(),
            dialects: DIALECTS.to_vec(),
            require_reason: true,
            accept_unread_modules: false,
            var_files: Vec::new(),
            environments: Vec::new(),
            options: Options::default(),
            hadolint: None,
            text: String::new(),
            names: Vec::new(),
            paths: Vec::new(),
            folder: PathBuf::new(),
        }
    }
}

/// The configuration of a scan: the nearest `gate.yaml` or `.gate.yaml` from the real folder `start` up to the root of its
/// repository; outside a repository in `start` only, since what lies above differs between machines.
pub fn find(files: &dyn FileSystem, start: &Path) -> Result<Option<PathBuf>, Error> {
    let top = crate::discover::repository_of(start).unwrap_or(start);
    for folder in start.ancestors() {
        let mut there = NAMES.iter().map(|name| folder.join(name)).filter(|path| files.kind(path).is_ok());
        match (there.next(), there.next()) {
            (Some(first), Some(second)) => {
                return Err(Error::Unreadable {
                    path: shown(&first),
                    reason: format!("{} is there as well", shown(&second)),
                    help: Some("keep one of them: a scan has one configuration".into()),
                });
            }
            (Some(path), None) => return Ok(Some(path)),
            _ if folder == top => break,
            _ => {}
        }
    }
    Ok(None)
}

/// Reads the configuration that [`find`] yields, or the one named; `root` is the real root of the scan.
///
/// A file that was found lies in the tree under judgement: it must be a regular file, not a link.
pub fn load(files: &dyn FileSystem, root: &Path, named: Option<&Path>) -> Result<Config, Error> {
    let (path, is_named) = match named {
        Some(path) => (path.to_path_buf(), true),
        None => match find(files, root)? {
            Some(path) => (path, false),
            None => return Config::default().with_hadolint(files, root),
        },
    };
    let unreadable = |reason: String, help: Option<&str>| Error::Unreadable {
        path: shown(&path),
        reason,
        help: help.map(str::to_string),
    };
    let failed = |error: std::io::Error| unreadable(crate::discover::io_reason(&error), None);
    let real = if is_named { files.real(&path).map_err(failed)? } else { path.clone() };
    let kind = files.kind(&real).map_err(failed)?;
    if kind == Kind::Folder || (!is_named && kind != Kind::File) {
        return Err(unreadable(
            "is not a regular file".into(),
            Some("name the file with --config if it is to be used"),
        ));
    }
    let text = files.text(&path, MAX_BYTES).map_err(failed)?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let folder = files.real(folder).map_err(failed)?;
    let config = Config::parse(&shown(&path), &text, &folder, root)?;
    config.check_paths(files)?;
    config.with_hadolint(files, root)
}

impl Config {
    /// Reads the text of a configuration. `folder` is the real folder where it lies: what policies and variables files are
    /// relative to, and paths of the scan as well unless `root`, the real root of the scan, lies elsewhere.
    pub fn parse(path: &str, text: &str, folder: &Path, root: &Path) -> Result<Config, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let reader = Reader { path, text, base: if root.starts_with(folder) { folder } else { root }, folder };
        reader.read()
    }

    /// Checks every rule, alias, pack and prefix that the file names.
    pub fn check(&self, catalog: &Catalog) -> Result<(), Error> {
        for (kind, name, at) in &self.names {
            let is_known = match kind {
                Named::Rule => catalog.find(name).is_some() || catalog.is_of_tool(name),
                Named::Token => catalog.matching(name).is_ok(),
            };
            if is_known {
                continue;
            }
            let message = match kind {
                Named::Rule => format!("no rule or alias is called `{name}`"),
                Named::Token => format!("no rule, alias, pack or prefix is called `{name}`"),
            };
            let near = catalog.matching(name).err().and_then(|unknown| unknown.nearest);
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`gate rules` lists them all".into(),
            };
            return Err(invalid(&self.path, &self.text, at.clone(), message, Some(help)));
        }
        Ok(())
    }

    /// Checks that policies and variables files are there and lie below the folder of the configuration.
    fn check_paths(&self, files: &dyn FileSystem) -> Result<(), Error> {
        for (path, at) in &self.paths {
            let complain = |message: String, help: &str| {
                Err(invalid(&self.path, &self.text, at.clone(), message, Some(help.to_string())))
            };
            match files.real(path) {
                Ok(real) if real.starts_with(&self.folder) => {}
                Ok(_) => {
                    return complain("a link that leads elsewhere".into(), "name what lies in this folder or below");
                }
                // Whoever scans asks for it, and whoever writes it need not have one.
                Err(error) if error.kind() == ErrorKind::NotFound && Some(path) == self.baseline.as_ref() => {}
                Err(error) => {
                    return complain(
                        crate::discover::io_reason(&error),
                        "paths are relative to the folder of this file",
                    );
                }
            }
        }
        Ok(())
    }

    /// The rules that run: those selected on the command line, else by the file, without those that either ignores or that
    /// the file disables.
    pub fn selection(&self, select: &[String], ignore: &[String]) -> Selection {
        let switched = |on: bool| {
            let rules = self.rules.iter().filter(move |(_, settings)| settings.enabled == Some(on));
            rules.map(|(name, _)| name.clone())
        };
        let mut chosen = if select.is_empty() { self.select.clone() } else { select.to_vec() };
        if select.is_empty() && switched(true).next().is_some() {
            if chosen.is_empty() {
                chosen.push("default".into());
            }
            chosen.extend(switched(true));
        }
        let ignore = ignore.iter().chain(&self.ignore_rules).cloned().chain(switched(false)).collect();
        Selection { select: chosen, ignore }
    }

    /// Gives findings the severity that the file sets for their rule.
    pub fn adjust(&self, catalog: &Catalog, findings: &mut [Finding]) {
        if self.rules.values().all(|settings| settings.severity.is_none()) {
            return;
        }
        let named = self.rules.keys().flat_map(|name| catalog.named(name));
        let severities: BTreeMap<&str, Severity> = named
            .filter_map(|rule| Some((catalog.rules()[*rule].id.as_str(), self.severity_of(catalog, *rule)?)))
            .collect();
        for finding in findings {
            if let Some(severity) = severities.get(&*finding.rule) {
                finding.severity = *severity;
            }
        }
    }

    /// The severity that the file sets for the rule at this index of the catalog: under a name that means this rule alone, or
    /// else under one that it shares with others.
    pub fn severity_of(&self, catalog: &Catalog, rule: usize) -> Option<Severity> {
        let set = self.rules.iter().filter_map(|(name, settings)| {
            let named = catalog.named(name);
            named.contains(&rule).then_some((named.len(), settings.severity?))
        });
        set.min_by_key(|(count, _)| *count).map(|(_, severity)| severity)
    }

    /// Ids of the rules that nothing may suppress.
    pub fn unignorable<'c>(&self, catalog: &'c Catalog) -> Vec<&'c str> {
        let names = self.rules.iter().filter(|(_, settings)| !settings.ignorable).map(|(name, _)| name);
        names.flat_map(|name| catalog.named(name)).map(|rule| catalog.rules()[*rule].id.as_str()).collect()
    }
}

fn invalid(path: &str, text: &str, at: Range<usize>, message: String, help: Option<String>) -> Error {
    let start = at.start.min(text.len());
    let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
    // A label over many lines hides what it points at.
    let end = at.end.clamp(start, text.len());
    let first = text.get(start..end).unwrap_or("").lines().next().unwrap_or("").trim_end().len();
    let shown = Excerpt::new(path, text);
    let whole = shown.part(text, 0..text.len());
    // A secret may begin before what is marked, and is not as long where it is hidden.
    let marked = shown.part(text, 0..start).len().min(whole.len());
    let length = shown.part(text, start..start + first).len().min(whole.len() - marked);
    Error::Invalid {
        path: path.to_string(),
        line,
        message: shown.secrets.hidden(&message).into_owned(),
        at: (marked, length).into(),
        text: std::sync::Arc::new(NamedSource::new(plain(path), whole).with_language("yaml")),
        help,
    }
}

/// Shows parts of a file: nothing in it acts, and no secret is told.
struct Excerpt {
    secrets: Known,
    hidden: Vec<(usize, usize)>,
}

impl Excerpt {
    fn new(path: &str, text: &str) -> Excerpt {
        let hits = find_to_hide(path, text);
        let secrets = Known::new(hits.iter().map(|(start, end)| &text[*start..*end]).collect());
        Excerpt { secrets, hidden: hits }
    }

    fn part(&self, text: &str, part: Range<usize>) -> String {
        let within = |at: usize| at.clamp(part.start, part.end) - part.start;
        let hidden = self.hidden.iter().map(|(start, end)| (within(*start), within(*end)));
        let shown = without(text.get(part.clone()).unwrap_or(""), hidden);
        shown.split('\n').map(|line| plain(line.trim_end_matches('\r'))).collect::<Vec<_>>().join("\n")
    }
}
