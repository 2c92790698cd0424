//! Joins what tools say with what gate finds, so that one defect is one finding that names all who say it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::read::Result1;
use super::{Imported, Imports, message, tool};
use crate::config::Config;
use crate::finding::{Finding, Fingerprint, Related, Suppressed};
use crate::model::{Model, Resource};
use crate::rules::Catalog;
use crate::source::{FileId, Sources, Span};

/// What is left when all have spoken.
#[derive(Debug, Default)]
pub struct Joined {
    /// gate's own findings, with the tools that say the same, and those of the tools.
    pub findings: Vec<Finding>,
    /// What a tool takes for accepted.
    pub suppressed: Vec<Suppressed>,
}

/// What results are held against.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The texts.
    pub sources: &'a Sources,
    /// The model, for the addresses of resources around places.
    pub model: &'a Model,
    /// All rules, those of the tools among them.
    pub catalog: &'a Catalog,
    /// The configuration in force.
    pub config: &'a Config,
    /// Rules that do not count, by index: what was asked for to be ignored.
    pub ignored: &'a FxHashSet<usize>,
    /// Whether suppressions act.
    pub suppress: bool,
}

/// A result as a finding.
pub(super) fn placed(
    result: Result1,
    at: Span,
    region: Span,
    related: Vec<(Span, String)>,
    sources: &Sources,
) -> Imported {
    let source = sources.get(at.file);
    let is_named = source.lines().is_none();
    let message = match result.sensitive {
        true => message::masked(&result.message, (!is_named).then(|| source.line_text(source.line(at.start)))),
        false => result.message,
    };
    let mut related: Vec<Related> = related
        .into_iter()
        .filter(|(place, _)| *place != at)
        .map(|(at, said)| Related { at, message: if said.is_empty() { "see also".into() } else { said } })
        .collect();
    related.dedup();
    let address: Arc<str> = result.address.unwrap_or_default().into();
    let identity = match (is_named, result.sensitive) {
        // An image has a new tag with every build.
        (true, _) => format!("{} {message}", without_tag(source.path())),
        // A short secret could be guessed from the hash of its line: what stands before it tells places apart.
        (false, true) => {
            let line = source.line_text(source.line(at.start));
            let before = line.find(['=', ':', '"', '\'']).map_or("", |end| &line[..end]);
            format!("{} {}", source.path(), before.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        // Nor may that of a secret which only stands beside what is said.
        (false, false) => {
            let line = source.line_without_secrets(source.line(at.start));
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    };
    let finding = Finding {
        // The same when lines move and files are renamed. The fingerprints of tools are not used: some give all results the
        // same, and each has its own idea of what makes two results one.
        fingerprint: Fingerprint::of(["import", &result.rule, &address, &identity]),
        address,
        related,
        possible: result.possible,
        sensitive: result.sensitive,
        judged: if result.has_line { at } else { Span { end: at.start, ..at } },
        tools: vec![result.tool.clone()],
        ..Finding::new(result.rule, result.severity, message, at)
    };
    Imported {
        tool: result.tool,
        finding,
        region,
        weaknesses: result.weaknesses,
        accepted: result.accepted,
        is_flat: result.is_flat,
        is_named,
    }
}

/// `registry.example:5000/shop:1.2@sha256:…` as `registry.example:5000/shop`.
fn without_tag(image: &str) -> &str {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    }
}

/// Holds the results against gate's findings and against each other.
pub fn join(findings: Vec<Finding>, imports: &Imports, cx: &Context<'_>) -> Joined {
    let mut joined = Joined { findings, suppressed: Vec::new() };
    if imports.results.is_empty() {
        return joined;
    }
    let unignorable: FxHashSet<&str> = cx.config.unignorable(cx.catalog).into_iter().collect();
    let trusts_comments = imports.trusts_comments && cx.config.dialects.contains(&"sarif");
    let own = Own::new(&joined.findings, cx);
    let resources = Resources::new(cx, imports);
    // gate's findings that a tool repeats, and the tool.
    let mut repeated: Vec<(usize, Arc<str>)> = Vec::new();
    // Findings of tools by file and first line, as indices into `kept`.
    let mut by_line: FxHashMap<(FileId, u32), BTreeMap<Arc<str>, Vec<usize>>> = FxHashMap::default();
    let mut words: FxHashMap<Words<'_>, usize> = FxHashMap::default();
    let mut kept: Vec<Imported> = Vec::new();
    for imported in &imports.results {
        let rule = cx.catalog.find(&imported.finding.rule);
        let counterparts = rule.map_or_else(Vec::new, |rule| counterparts(cx.catalog, rule));
        let is_ignored = |rule: &usize| cx.ignored.contains(rule);
        // A wider control is ignored when all its parts are.
        if rule.as_ref().is_some_and(is_ignored) || (!counterparts.is_empty() && counterparts.iter().all(is_ignored)) {
            continue;
        }
        let mut result = imported.clone();
        let severities = counterparts.iter().filter_map(|rule| cx.config.severity_of(cx.catalog, *rule));
        if let Some(severity) = severities.max() {
            result.finding.severity = severity;
        }
        if let Some(resource) = resources.around(result.region) {
            if result.finding.address.is_empty() {
                result.finding.address = resource.address.clone();
            }
            result.finding.scope = Some(resource.span);
            result.finding.root = resource.root.clone();
        }
        let names = counterparts.iter().map(|rule| cx.catalog.rules()[*rule].id.as_str());
        let may = names.chain([&*result.finding.rule]).all(|name| !unignorable.contains(name));
        if let Some(accepted) = &result.accepted
            && cx.suppress
            && may
            && (trusts_comments || !accepted.in_source)
        {
            joined.suppressed.push(Suppressed {
                finding: result.finding,
                reason: accepted.reason.clone(),
                at: None,
                dialect: "sarif",
                until: None,
                owner: None,
            });
            continue;
        }
        let same = own.same(&joined.findings, &result, &counterparts, cx.sources);
        if !same.is_empty() {
            repeated.extend(same.into_iter().map(|index| (index, result.tool.clone())));
            continue;
        }
        let place = (result.region.file, cx.sources.line(result.finding.at));
        let here = by_line.entry(place).or_default();
        // A tool may say thousands of things of one place, such as an image, and repeats itself only word for word.
        let words_of_it = Words::of(imported, &result.finding.address);
        let of_others = || {
            let others = here.iter().filter(|(tool, _)| !result.is_named && **tool != result.tool);
            let is_same = |index: &usize| is_same_defect(&kept[*index], &result, &counterparts, cx);
            others.filter_map(|(_, others)| others.iter().copied().find(is_same)).min()
        };
        let same = words.get(&words_of_it).copied().into_iter().chain(of_others()).min();
        match same {
            Some(index) => {
                let other = &mut kept[index];
                other.finding.severity = match (other.is_flat, result.is_flat) {
                    (true, false) => result.finding.severity,
                    (false, true) => other.finding.severity,
                    _ => other.finding.severity.max(result.finding.severity),
                };
                other.is_flat &= result.is_flat;
                other.finding.tools.push(result.tool);
                other.finding.possible &= result.finding.possible;
            }
            None => {
                here.entry(result.tool.clone()).or_default().push(kept.len());
                words.insert(words_of_it, kept.len());
                kept.push(result);
            }
        }
    }
    for (index, tool) in repeated {
        joined.findings[index].tools.push(tool);
    }
    joined.findings.extend(kept.into_iter().map(|result| result.finding));
    for finding in &mut joined.findings {
        finding.tools.sort();
        finding.tools.dedup();
    }
    joined
}

/// The catalog's rules of the same control: those whose ids are among the aliases of an imported rule.
fn counterparts(catalog: &Catalog, rule: usize) -> Vec<usize> {
    let is_id = |name: &&String| catalog.find(name).is_some_and(|own| own != rule && catalog.rules()[own].id == **name);
    catalog.rules()[rule].aliases.iter().filter(is_id).filter_map(|name| catalog.find(name)).collect()
}

/// gate's own findings, by rule and by the lines of secrets.
struct Own {
    by_rule: FxHashMap<usize, Vec<usize>>,
    secrets: FxHashMap<(FileId, u32), Vec<usize>>,
}

impl Own {
    fn new(findings: &[Finding], cx: &Context<'_>) -> Own {
        let mut own = Own { by_rule: FxHashMap::default(), secrets: FxHashMap::default() };
        for (index, finding) in findings.iter().enumerate() {
            if let Some(rule) = cx.catalog.find(&finding.rule) {
                own.by_rule.entry(rule).or_default().push(index);
            }
            if finding.sensitive {
                own.secrets.entry((finding.at.file, cx.sources.line(finding.at))).or_default().push(index);
            }
        }
        own
    }

    /// The findings that a result repeats: of the same rule at the same place, or of a secret on the same line.
    fn same(&self, findings: &[Finding], result: &Imported, rules: &[usize], sources: &Sources) -> Vec<usize> {
        let file = result.region.file;
        let source = sources.get(file);
        let first = source.line(result.region.start);
        // A region that ends at the beginning of a line does not reach into it.
        let last = source.line(result.region.end.saturating_sub(1).max(result.region.start));
        let on_lines = |place: Span| place.file == file && (first..=last).contains(&source.line(place.start));
        let same_rule: Vec<usize> = rules.iter().filter_map(|rule| self.by_rule.get(rule)).flatten().copied().collect();
        let pick = |is_same: &dyn Fn(&Finding) -> bool| -> Vec<usize> {
            same_rule.iter().copied().filter(|index| is_same(&findings[*index])).collect()
        };
        let mut same = pick(&|own| on_lines(own.at) || own.related.iter().any(|place| on_lines(place.at)));
        if same.is_empty() {
            // One of the two speaks of the whole resource: the other's line is inside of it.
            same = pick(&|own| {
                own.scope.is_some_and(|scope| {
                    let head = sources.get(scope.file).line(scope.start);
                    let on_head = |place: Span| place.file == scope.file && sources.line(place) == head;
                    scope.file == file
                        && scope.start <= result.region.start
                        && result.region.start < scope.end
                        && (on_head(own.at) || first == head)
                })
            });
        }
        if same.is_empty() && result.finding.sensitive && !result.is_named {
            same = self.secrets.get(&(file, source.line(result.finding.at.start))).cloned().unwrap_or_default();
        }
        same
    }
}

/// What two results of one tool have in common that are one.
#[derive(PartialEq, Eq, Hash)]
struct Words<'r> {
    tool: &'r str,
    rule: &'r str,
    region: Span,
    message: &'r str,
    address: Arc<str>,
}

impl<'r> Words<'r> {
    fn of(result: &'r Imported, address: &Arc<str>) -> Words<'r> {
        let finding = &result.finding;
        let (tool, rule, message) = (&result.tool, &finding.rule, &finding.message);
        Words { tool, rule, region: result.region, message, address: Arc::clone(address) }
    }
}

/// Whether two tools mean the same defect on one line.
fn is_same_defect(a: &Imported, b: &Imported, counterparts_of_b: &[usize], cx: &Context<'_>) -> bool {
    if a.is_named || b.is_named {
        return false;
    }
    let counterparts_of_a =
        || cx.catalog.find(&a.finding.rule).map_or_else(Vec::new, |rule| counterparts(cx.catalog, rule));
    if tool::is_same_rule(&a.finding.rule, &b.finding.rule)
        || (!counterparts_of_b.is_empty() && counterparts_of_a().iter().any(|rule| counterparts_of_b.contains(rule)))
        || (a.finding.sensitive && b.finding.sensitive)
    {
        return true;
    }
    // The same weakness in the same words of the line; a whole line or block may hold several.
    let overlap = a.region.start < b.region.end && b.region.start < a.region.end;
    let is_part = |one: &Imported| {
        let source = cx.sources.get(one.region.file);
        source.slice(one.region).trim() != source.line_text(source.line(one.region.start)).trim()
    };
    overlap
        && is_part(a)
        && is_part(b)
        && !a.weaknesses.is_empty()
        && a.weaknesses.iter().any(|weakness| b.weaknesses.contains(weakness))
}

/// Resources by file, to find the one around a place.
struct Resources<'a> {
    by_file: FxHashMap<FileId, Vec<&'a Resource>>,
}

impl<'a> Resources<'a> {
    fn new(cx: &Context<'a>, imports: &Imports) -> Resources<'a> {
        let files: FxHashSet<FileId> = imports.results.iter().map(|result| result.region.file).collect();
        let mut by_file: FxHashMap<FileId, Vec<&Resource>> = FxHashMap::default();
        for resource in cx.model.resources.iter().filter(|resource| files.contains(&resource.span.file)) {
            let all = by_file.entry(resource.span.file).or_default();
            // Instances of one block stand one after the other; the first speaks for all.
            if all.last().is_none_or(|last: &&Resource| last.span != resource.span) {
                all.push(resource);
            }
        }
        Resources { by_file }
    }

    /// The smallest resource in which a region begins.
    fn around(&self, region: Span) -> Option<&'a Resource> {
        let all = self.by_file.get(&region.file)?.iter().copied();
        let around = all.filter(|one| one.span.start <= region.start && region.start < one.span.end);
        around.min_by_key(|resource| resource.span.end - resource.span.start)
    }
}
