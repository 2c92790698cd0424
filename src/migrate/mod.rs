//! `gate migrate`: from the suppressions and settings of other tools to gate's own.
//!
//! What is suppressed is the same before and after, and that is looked at, not believed: the tree is judged with the old texts
//! and with the new ones, and a file in which anything differs stays as it is.

pub mod diff;
pub mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rustc_hash::FxHashSet;

use crate::discover::{self, Discovered};
use crate::finding::Finding;
use crate::report::Report;
use crate::rules::Catalog;
use crate::scan::{self, Request};
use crate::source::{FileId, Source, Sources, Span};
use crate::suppress::{self, Changed, LineEdit, Rewriting};

/// The edits that leave everything suppressed that is, and nothing else; the others are told as left. All rules are held against
/// both; what is found anew matters for those that are `usual`, which the configuration has chosen.
///
/// Fails as [`scan::scan`] does.
pub fn rewrite(request: &Request<'_>, discovered: &Discovered, usual: &[usize]) -> Result<Rewriting, discover::Error> {
    let assembled = scan::assemble(&request.settings, discovered);
    let report = scan::scan(request, discovered)?;
    let found = report.findings.iter().chain(report.suppressed.iter().map(|one| &one.finding));
    let suppressions = request.suppressions(discovered, &assembled);
    let mut rewriting = suppress::rewrite(&suppressions, &suppress::acting(found, &suppressions));
    // What a tool has installed is not the repository's to change.
    rewriting.edits.retain(|file, edits| {
        let is_own = discovered.only.as_ref().is_none_or(|only| only.contains(file));
        is_own && !edits.is_empty() && !is_installed(discovered.sources.get(*file).path())
    });
    let usual = usual.iter().map(|rule| request.catalog.rules()[*rule].id.as_str()).collect();
    let surely = |edits: &BTreeMap<u32, LineEdit>| {
        let sure = edits.iter().filter(|(_, edit)| edit.is_sure);
        sure.map(|(line, edit)| (*line, edit.clone())).collect::<BTreeMap<_, _>>()
    };
    // First all, then where anything differs only what can't change, then what is left without the files that still differ.
    for round in 0..3 {
        let differing = differing(request, discovered, &rewriting, (&report, &usual))?;
        if differing.is_empty() {
            break;
        }
        for file in differing {
            let Some(edits) = rewriting.edits.remove(&file) else { continue };
            let kept = if round == 0 { surely(&edits) } else { BTreeMap::new() };
            let dropped = edits.iter().filter(|(line, edit)| edit.instead.is_some() && !kept.contains_key(line));
            let source = discovered.sources.get(file);
            for (line, _) in dropped {
                let start = source.line_start(*line);
                let at = Span::new(file, start, start + source.line_text(*line).len() as u32);
                let why =
                    "in gate's form it would reach more or less than it does: name what it is about by hand".into();
                rewriting.left.push(suppress::Left { at, why });
            }
            if !kept.is_empty() {
                rewriting.edits.insert(file, kept);
            }
        }
    }
    rewriting.left.sort();
    Ok(rewriting)
}

fn is_installed(path: &str) -> bool {
    path.split('/').any(|part| part == ".terraform" || part == "node_modules")
}

/// What tells a finding from others whatever its line, and whether it is suppressed.
type Key = (bool, String, String, String, String);

/// How often there is what, by file, without what is said of the comments and annotations that are edited.
fn judged(
    catalog: &Catalog,
    report: &Report<'_>,
    usual: &FxHashSet<&str>,
    is_edited: impl Fn(Span) -> bool,
) -> BTreeMap<String, BTreeMap<Key, usize>> {
    let mut all: BTreeMap<String, BTreeMap<Key, usize>> = BTreeMap::new();
    let mut add = |finding: &Finding, is_suppressed: bool| {
        // Of other tools' suppressions nobody is told that they have nothing to act on; in gate's form somebody is.
        if suppress::speaks_of_suppressions(catalog, &finding.rule) || is_edited(finding.at) {
            return;
        }
        if !is_suppressed && !usual.contains(&*finding.rule) {
            return;
        }
        let path = report.sources.get(finding.at.file).path().to_string();
        let key = match is_suppressed {
            true => (
                is_suppressed,
                finding.rule.to_string(),
                finding.address.to_string(),
                finding.attribute.clone(),
                finding.message.clone(),
            ),
            // What is said of a comment or annotation itself may name it.
            false => (is_suppressed, finding.rule.to_string(), String::new(), String::new(), String::new()),
        };
        *all.entry(path).or_default().entry(key).or_default() += 1;
    };
    report.findings.iter().for_each(|finding| add(finding, false));
    report.suppressed.iter().for_each(|one| add(&one.finding, true));
    all
}

/// Whether just the same is suppressed, and nothing is found that was not: a finding about a comment of another tool goes with it.
fn is_as_before(before: Option<&BTreeMap<Key, usize>>, after: Option<&BTreeMap<Key, usize>>) -> bool {
    let count = |all: Option<&BTreeMap<Key, usize>>, key: &Key| all.and_then(|all| all.get(key)).copied().unwrap_or(0);
    let keys = before.into_iter().chain(after).flat_map(BTreeMap::keys);
    keys.into_iter().all(|key| {
        let (was, is) = (count(before, key), count(after, key));
        was == is || (!key.0 && is < was)
    })
}

/// Edited files in whose findings, or in those of a file that they speak for, anything differs.
fn differing(
    request: &Request<'_>,
    discovered: &Discovered,
    rewriting: &Rewriting,
    (report, usual): (&Report<'_>, &FxHashSet<&str>),
) -> Result<BTreeSet<FileId>, discover::Error> {
    if rewriting.edits.is_empty() {
        return Ok(BTreeSet::new());
    }
    let changed: BTreeMap<FileId, Changed> = rewriting
        .edits
        .iter()
        .map(|(file, edits)| (*file, suppress::changed(discovered.sources.get(*file).text(), edits)))
        .collect();
    let is_in = |at: Span, places: fn(&Changed) -> &[Range<u32>]| {
        changed.get(&at.file).is_some_and(|changed| places(changed).iter().any(|place| place.contains(&at.start)))
    };
    let edited = with_edits(discovered, rewriting);
    let before = judged(request.catalog, report, usual, |at| is_in(at, |changed| &changed.before));
    let new = scan::scan(request, &edited)?;
    let after = judged(request.catalog, &new, usual, |at| is_in(at, |changed| &changed.after));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    if paths.iter().all(|path| is_as_before(before.get(*path), after.get(*path))) {
        return Ok(BTreeSet::new());
    }
    let differs = |file: &&FileId| {
        let path = discovered.sources.get(**file).path();
        !is_as_before(before.get(path), after.get(path))
    };
    let named: BTreeSet<FileId> = rewriting.edits.keys().filter(differs).copied().collect();
    // A comment on a module's call speaks for files that nobody edits.
    Ok(if named.is_empty() { rewriting.edits.keys().copied().collect() } else { named })
}

/// The same files with the edits made.
fn with_edits(discovered: &Discovered, rewriting: &Rewriting) -> Discovered {
    let sources = discovered.sources.iter().map(|(file, source)| {
        let text = match rewriting.edits.get(&file) {
            Some(edits) => suppress::edited(source.text(), edits).into(),
            None => source.shared_text(),
        };
        Source::new(source.path(), text)
    });
    Discovered {
        sources: Sources::new(sources.collect()),
        claims: discovered.claims.clone(),
        root: discovered.root.clone(),
        prefix: discovered.prefix.clone(),
        only: discovered.only.clone(),
        needed: discovered.needed.clone(),
        excluded: discovered.excluded.clone(),
        is_folder: discovered.is_folder,
        problems: discovered.problems.clone(),
        seen: discovered.seen,
        searched: discovered.searched,
        skipped: discovered.skipped.clone(),
    }
}
