//! The baseline: findings that are accepted as they are, in a file, for places without git's history.
//!
//! The file is a JSON array with one object on each line, sorted, without lines of code or dates. A line begins with its comma,
//! and the first object is no entry: so no entry touches the line of another, git merges two branches by `merge=union` too, and
//! a difference shows what changed. Findings are matched by fingerprint and path, each entry once.

mod standing;

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use miette::Diagnostic;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::discover;
use crate::finding::{Finding, Fingerprint, Severity, Status};
use crate::path::folder_of;
use crate::report::{Comparison, Fixed};
use crate::rules::Catalog;
use crate::source::Sources;
pub use standing::Known;

/// The name of the file unless told otherwise.
pub const NAME: &str = ".gate-baseline.json";

/// Bytes of a baseline: some hundred thousand entries.
pub const MAX_BYTES: u64 = 64 << 20;

/// A baseline that can't be used.
#[derive(Debug, Error, Diagnostic)]
#[error("{path}: {message}")]
#[diagnostic(help("{help}"))]
pub struct Error {
    /// The file.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// What the file begins with: the version of its form.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
}

/// The version that is written. The one before had no header, a comma behind each entry, and an entry as often as it is found.
const VERSION: u32 = 2;

/// One accepted finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Entry {
    /// Path from the root of the repository; outside one as [`prefix`] has it.
    path: String,
    /// Address and attribute, for the reader.
    at: String,
    /// The rule's id.
    rule: String,
    /// As [`Finding::fingerprint`].
    fingerprint: Fingerprint,
}

impl Entry {
    fn line(&self, count: usize) -> Line<'_> {
        let Entry { path, at, rule, fingerprint } = self;
        Line { path: path.into(), at: at.into(), rule: rule.into(), fingerprint: *fingerprint, count }
    }

    /// Whether it speaks of what has this address.
    fn is_of(&self, address: &str) -> bool {
        self.at.strip_prefix(address).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    path: Cow<'a, str>,
    at: Cow<'a, str>,
    rule: Cow<'a, str>,
    fingerprint: Fingerprint,
    /// How often it is found there: several roots make the same of a module.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    count: usize,
}

fn once() -> usize {
    1
}

fn is_once(count: &usize) -> bool {
    *count == 1
}

/// More entries that are the same are no baseline of any repository.
const MAX_COUNT: usize = 100_000;

/// Accepted findings.
#[derive(Debug, Clone)]
pub struct Baseline {
    path: String,
    /// Each as often as it is accepted.
    entries: Vec<Entry>,
    /// As [`prefix`] tells it; none where the root of the repository is what paths begin at.
    pub prefix: Option<String>,
}

/// Outside a repository the paths of a baseline begin at the folder in which its file lies, if the root of the scan lies there:
/// the way from there to the root, with a trailing `/`.
pub fn prefix(file: &Path, root: &Path) -> Option<String> {
    if discover::repository_of(root).is_some() {
        return None;
    }
    let folder = std::path::absolute(file).ok()?.parent()?.canonicalize().ok()?;
    let path = root.strip_prefix(folder).ok()?.to_str()?.replace('\\', "/");
    Some(if path.is_empty() { path } else { format!("{path}/") })
}

/// What a scan knows of the places that a baseline speaks of.
pub struct Place<'a> {
    /// The texts.
    pub sources: &'a Sources,
    /// What the paths of entries begin with, down to the root of the scan, with a trailing `/`; may be empty.
    pub prefix: &'a str,
    /// Whether the scan looked at all below its root.
    pub is_whole: bool,
    /// What stands where an entry was, by the path of the entry.
    pub standing: &'a dyn Fn(&str) -> Standing<'a>,
}

/// What stands where an entry of a baseline was.
#[derive(Debug, Clone)]
pub enum Standing<'a> {
    /// The file is not there any more.
    Gone,
    /// The file was judged, and what has these addresses stands in it or is decided by it.
    Judged(Vec<&'a str>),
    /// The scan has nothing to do with it.
    Unseen,
}

impl Baseline {
    /// Reads the text of a baseline; `path` is for messages.
    pub fn parse(path: &str, text: &str) -> Result<Baseline, Error> {
        let fail = |message: String, help| Error { path: path.into(), message, help };
        if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
            let help = "keep the lines of both sides; `FILE merge=union` in .gitattributes does so from now on";
            return Err(fail("holds conflict markers".into(), help));
        }
        let broken = |error| fail(format!("is no baseline: {error}"), "write it anew: gate baseline write");
        let values: Vec<serde_json::Value> = serde_json::from_str(text).map_err(broken)?;
        let header = values.first().and_then(|first| Header::deserialize(first).ok());
        if let Some(Header { version }) = header.as_ref().filter(|header| header.version != VERSION) {
            return Err(fail(format!("is of version {version}, and this gate reads {VERSION}"), "use a newer gate"));
        }
        let mut counts: FxHashMap<Entry, usize> = FxHashMap::default();
        for value in values.iter().skip(usize::from(header.is_some())) {
            let Line { path, at, rule, fingerprint, count } = Line::deserialize(value).map_err(broken)?;
            let entry = Entry { path: path.into(), at: at.into(), rule: rule.into(), fingerprint };
            let known = counts.entry(entry).or_default();
            // A merge that keeps the lines of both sides may double one.
            *known = if header.is_some() { count.max(*known) } else { *known + 1 };
        }
        let times = |(entry, count): (Entry, usize)| std::iter::repeat_n(entry, count.min(MAX_COUNT));
        let mut entries: Vec<Entry> = counts.into_iter().flat_map(times).collect();
        entries.sort();
        Ok(Baseline { path: path.into(), entries, prefix: None })
    }

    /// Marks what is accepted as old and all else as new, unless it is known to be old already. Tells what is gone, where no base
    /// has told it.
    pub fn apply(
        &self,
        findings: &mut [Finding],
        place: &Place<'_>,
        catalog: &Catalog,
        comparison: Option<Comparison>,
    ) -> Comparison {
        let own: Vec<Entry> = findings.iter().map(|finding| entry(finding, place.sources, place.prefix)).collect();
        let mut matching = Matching { taken: vec![false; self.entries.len()], accepted: vec![false; own.len()] };
        matching.pass(&self.entries, &own, |one| Some((one.fingerprint, &one.path)));
        // A block of Terraform has one address in all files of its folder.
        let of_folders = findings.iter().zip(&own).filter(|(finding, _)| is_of_folder(place.sources, finding));
        let of_folders: FxHashSet<&Entry> = of_folders.map(|(_, entry)| entry).collect();
        let in_folder = |one: &Entry| (one.fingerprint, folder_of(&one.path).to_string());
        matching.pass_by(
            &self.entries,
            |one| Some(in_folder(one)),
            &own,
            |one| of_folders.contains(one).then(|| in_folder(one)),
        );
        // Moved from where nothing stands of which it speaks, and only where no doubt is left.
        let standing: FxHashMap<&str, Standing<'_>> =
            matching.left(&self.entries).map(|one| (one.path.as_str(), (place.standing)(&one.path))).collect();
        let has_left = |one: &Entry| match standing.get(one.path.as_str()) {
            Some(Standing::Gone) => true,
            Some(Standing::Judged(there)) => !one.at.is_empty() && !there.iter().any(|address| one.is_of(address)),
            Some(Standing::Unseen) | None => false,
        };
        let mut counts: FxHashMap<Fingerprint, [usize; 2]> = FxHashMap::default();
        matching.left(&self.entries).for_each(|one| counts.entry(one.fingerprint).or_default()[0] += 1);
        let unaccepted = own.iter().zip(&matching.accepted).filter(|(_, accepted)| !**accepted);
        unaccepted.for_each(|(one, _)| counts.entry(one.fingerprint).or_default()[1] += 1);
        let sole = |one: &Entry| (counts.get(&one.fingerprint) == Some(&[1, 1])).then_some(one.fingerprint);
        matching.pass_by(&self.entries, |one| sole(one).filter(|_| has_left(one)), &own, sole);
        // A rule that has another name now: its old one is an alias. One of a wider control tells no rule, and of a rule that
        // kept its name another fingerprint is another finding.
        let id = |one: &Entry| match catalog.named(&one.rule) {
            [rule] => Some(catalog.rules()[*rule].id.clone()).filter(|id| **id != *one.rule),
            _ => None,
        };
        matching.pass_by(
            &self.entries,
            |one| Some((id(one)?, one.path.clone(), one.at.clone())),
            &own,
            |one| Some((one.rule.clone(), one.path.clone(), one.at.clone())),
        );
        for (finding, accepted) in findings.iter_mut().zip(&matching.accepted) {
            finding.status = match (finding.status, accepted) {
                (None | Some(Status::New), true) => Some(Status::Old),
                (None, false) => Some(Status::New),
                (status, _) => status,
            };
        }
        let name = format!("the baseline {}", self.path);
        let mut comparison = match comparison {
            // What a base had and the change has mended is told already; what the base had not was gone before.
            Some(comparison) => {
                return Comparison { against: format!("{} and {name}", comparison.against), ..comparison };
            }
            None => Comparison { against: name, accepted: true, ..Comparison::default() },
        };
        let is_mended = |entry: &&Entry| match standing.get(entry.path.as_str()) {
            Some(Standing::Gone) => place.is_whole && entry.path.starts_with(place.prefix),
            Some(Standing::Judged(_)) => true,
            Some(Standing::Unseen) | None => false,
        };
        comparison.fixed.extend(matching.left(&self.entries).filter(is_mended).map(|entry| {
            let rule = catalog.find(&entry.rule).map(|rule| &catalog.rules()[rule]);
            Fixed {
                root: "".into(),
                path: entry.path.strip_prefix(place.prefix).unwrap_or(&entry.path).to_string(),
                line: 0,
                rule: entry.rule.as_str().into(),
                severity: rule.map_or(Severity::Low, |rule| rule.severity),
                message: format!("{} is no longer found", entry.at),
                address: entry.at.split('/').next().unwrap_or("").into(),
            }
        }));
        comparison.fixed.sort();
        comparison
    }
}

/// Whether its root is a folder, and not the file in which the resource stands.
fn is_of_folder(sources: &Sources, finding: &Finding) -> bool {
    finding.scope.is_some_and(|scope| *sources.get(scope.file).path() != *finding.root)
}

fn entry(finding: &Finding, sources: &Sources, prefix: &str) -> Entry {
    let at = match (&*finding.address, finding.attribute.as_str()) {
        ("", attribute) => attribute.to_string(),
        (address, "") => address.to_string(),
        (address, attribute) => format!("{address}/{attribute}"),
    };
    Entry {
        path: format!("{prefix}{}", sources.get(finding.at.file).path()),
        at,
        rule: finding.rule.to_string(),
        fingerprint: finding.fingerprint,
    }
}

/// What a scan that writes a baseline has looked at.
pub struct Seen<'a> {
    /// Whether it looked at a path that an entry has.
    pub has_path: &'a dyn Fn(&str) -> bool,
    /// Whether it asked a rule; of one that nobody knows any more nothing is kept.
    pub has_rule: &'a dyn Fn(&str) -> bool,
}

/// Findings that a baseline accepts when it is written.
#[derive(Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Those of the scan.
    pub found: usize,
    /// Those of before that the scan has not looked at.
    pub kept: usize,
}

/// Writes the baseline of these findings, and of what the one before accepts that nobody looked at.
pub fn write<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    sources: &Sources,
    prefix: &str,
    before: Option<(&Baseline, &Seen<'_>)>,
    out: &mut dyn Write,
) -> io::Result<Accepted> {
    let mut entries: Vec<Entry> = findings.map(|finding| entry(finding, sources, prefix)).collect();
    let found = entries.len();
    if let Some((before, seen)) = before {
        let is_left = |one: &&Entry| !((seen.has_path)(&one.path) && (seen.has_rule)(&one.rule));
        entries.extend(before.entries.iter().filter(is_left).cloned());
    }
    let accepted = Accepted { found, kept: entries.len() - found };
    entries.sort();
    out.write_all(b"[")?;
    serde_json::to_writer(&mut *out, &Header { version: VERSION })?;
    for same in entries.chunk_by(|a, b| a == b) {
        out.write_all(b"\n,")?;
        serde_json::to_writer(&mut *out, &same[0].line(same.len()))?;
    }
    out.write_all(b"\n]\n")?;
    Ok(accepted)
}

struct Matching {
    taken: Vec<bool>,
    accepted: Vec<bool>,
}

impl Matching {
    /// Entries that nothing matches yet.
    fn left<'e, 's>(&'s self, entries: &'e [Entry]) -> impl Iterator<Item = &'e Entry> + use<'e, 's> {
        entries.iter().zip(&self.taken).filter(|(_, taken)| !**taken).map(|(entry, _)| entry)
    }

    /// Matches what is left by a key, each entry once.
    fn pass<'a, K: Eq + std::hash::Hash>(
        &mut self,
        entries: &'a [Entry],
        own: &'a [Entry],
        key: impl Fn(&'a Entry) -> Option<K>,
    ) {
        self.pass_by(entries, &key, own, &key);
    }

    /// Matches what is left by a key of the entries and one of the findings.
    fn pass_by<'a, K: Eq + std::hash::Hash>(
        &mut self,
        entries: &'a [Entry],
        entry_key: impl Fn(&'a Entry) -> Option<K>,
        own: &'a [Entry],
        own_key: impl Fn(&'a Entry) -> Option<K>,
    ) {
        let mut left: FxHashMap<K, Vec<usize>> = FxHashMap::default();
        for (at, entry) in entries.iter().enumerate().rev().filter(|(at, _)| !self.taken[*at]) {
            if let Some(key) = entry_key(entry) {
                left.entry(key).or_default().push(at);
            }
        }
        for (at, finding) in own.iter().enumerate() {
            if self.accepted[at] {
                continue;
            }
            if let Some(entry) = own_key(finding).and_then(|key| left.get_mut(&key)?.pop()) {
                self.taken[entry] = true;
                self.accepted[at] = true;
            }
        }
    }
}
