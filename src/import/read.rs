//! From the bytes of a SARIF file to results: whose they are, how bad, what they say. Places are names still.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use regex::Regex;
use rustc_hash::FxHashMap;

use super::form::{Component, Descriptor, Location, Log, Outcome, Properties, Region, Run, Suppression};
use super::place::{Bases, Named};
use super::tool::{self, Names, Tool};
use super::{Accepted, ended, message};
use crate::rules::{Catalog, Check, Prose, Rule, long_names};
use crate::severity::Severity;
use crate::suppress::normal_name;

/// Places beside the main one that are kept of a result.
const MAX_RELATED: usize = 10;
/// Weaknesses whose finding quotes a secret: passwords and keys in code.
const SECRET_WEAKNESSES: &[u32] = &[259, 321, 798];

/// A result before its place is looked for.
#[derive(Debug)]
pub(super) struct Result1 {
    pub tool: Arc<str>,
    pub rule: Arc<str>,
    pub severity: Severity,
    /// The severity is none that the tool has given.
    pub is_flat: bool,
    pub message: String,
    pub place: Option<Named>,
    pub region: Option<Region>,
    /// Whether it speaks of a line, and not of the file.
    pub has_line: bool,
    /// Columns count code points, not UTF-16 units.
    pub code_points: bool,
    pub related: Vec<(Named, Option<Region>, String)>,
    pub address: Option<String>,
    pub weaknesses: Vec<u32>,
    pub accepted: Option<Accepted>,
    pub sensitive: bool,
    pub possible: bool,
}

/// Why a file does not count: what is wrong, and what to do.
pub(super) type Trouble = (String, &'static str);

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub results: Vec<Result1>,
    pub rules: Vec<(Rule, Prose)>,
    /// Why the answer is not whole.
    pub troubles: Vec<Trouble>,
}

/// Finds the catalog's rules for the id of another tool's: several where each covers a part of it.
pub(super) struct Counterparts {
    by_name: FxHashMap<String, Vec<usize>>,
    /// Platform and last part of aliases such as `terraform/aws/some_query`.
    queries: FxHashMap<(String, String), Vec<usize>>,
}

impl Counterparts {
    pub fn new(catalog: &Catalog) -> Counterparts {
        let mut counterparts = Counterparts { by_name: FxHashMap::default(), queries: FxHashMap::default() };
        for (index, rule) in catalog.rules().iter().enumerate() {
            for name in std::iter::once(&rule.id).chain(&rule.aliases).chain(&rule.accepted_as) {
                let is_shared = rule.shared_aliases.contains(name) || rule.accepted_as.contains(name);
                let add = |rules: &mut Vec<usize>| {
                    if (rules.is_empty() || is_shared) && !rules.contains(&index) {
                        rules.push(index);
                    }
                };
                add(counterparts.by_name.entry(normal_name(name)).or_default());
                if let (Some((platform, _)), Some((_, query))) = (name.split_once('/'), name.rsplit_once('/')) {
                    add(counterparts.queries.entry((platform.to_string(), query.to_string())).or_default());
                }
            }
        }
        counterparts.by_name.extend(long_names::rules(&counterparts.by_name));
        counterparts
    }

    fn find(&self, tool: Tool, id: &str, rule: Option<&Descriptor>, path: &str) -> &[usize] {
        let found = match tool.names {
            Names::None => None,
            Names::Aliases => self.by_name.get(&normal_name(id)),
            Names::Queries => {
                let platform = match path.rsplit(['.', '/']).next().unwrap_or("") {
                    "tf" => "terraform",
                    "yaml" | "yml" | "json" => "k8s",
                    _ => "dockerfile",
                };
                let Some(name) = rule.and_then(|rule| rule.name.as_ref()) else { return &[] };
                let words = name.to_lowercase();
                let words: Vec<&str> =
                    words.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
                self.queries.get(&(platform.to_string(), words.join("_")))
            }
        };
        found.map_or(&[], |rules| rules)
    }
}

/// Reads one file; `rules` tells which ids are there already.
pub(super) fn read(bytes: &[u8], catalog: &Catalog, counterparts: &Counterparts) -> std::result::Result<Read, Trouble> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    const AGAIN: &str = "have the tool write it again as SARIF 2.1.0, and see whether the tool failed";
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(("is empty".into(), AGAIN));
    }
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes {
        return Err(("is UTF-16, not UTF-8".into(), "save it as UTF-8"));
    }
    let log: Log = serde_json::from_slice(bytes).map_err(|error| (format!("is no SARIF file: {error}"), AGAIN))?;
    match log.version.as_deref() {
        Some("2.1.0") => {}
        Some(version) => return Err((format!("is of SARIF version {}, not 2.1.0", message::one_line(version)), AGAIN)),
        None => return Err(("names no SARIF version".into(), AGAIN)),
    }
    let runs = log.runs.unwrap_or_default();
    if runs.is_empty() {
        return Err(("has no runs: no tool has said anything".into(), AGAIN));
    }
    let mut read = Read::default();
    for run in runs {
        Reader::new(&run, catalog, counterparts, &mut read).read();
    }
    Ok(read)
}

/// One run on its way to results.
struct Reader<'a> {
    run: &'a Run,
    name: Arc<str>,
    tool: Tool,
    counterparts: &'a Counterparts,
    catalog: &'a Catalog,
    out: &'a mut Read,
    /// Rules of every component by id; the driver is the first component.
    descriptors: Vec<FxHashMap<&'a str, &'a Descriptor>>,
    /// Rules that results named, with their ids in reports and in the catalog.
    known: BTreeMap<String, &'a [usize]>,
}

impl<'a> Reader<'a> {
    fn new(run: &'a Run, catalog: &'a Catalog, counterparts: &'a Counterparts, out: &'a mut Read) -> Reader<'a> {
        let name = tool::name(&run.tool.driver.name);
        let descriptors = components(run)
            .map(|component| component.rules.iter().flatten().map(|rule| (rule.id.as_str(), rule)).collect())
            .collect();
        let tool = tool::of(&name);
        Reader { run, name: name.into(), tool, counterparts, catalog, out, descriptors, known: BTreeMap::new() }
    }

    fn read(mut self) {
        let run = self.run;
        if self.name.is_empty() {
            return self.out.troubles.push(("has a run whose tool has no name".into(), "have the tool write it again"));
        }
        self.out.troubles.extend(ended::troubles(run, &self.name));
        if run.external_property_file_references.as_ref().is_some_and(|files| files.results.is_some()) {
            let help = "have the tool write one file with all results";
            self.out.troubles.push((format!("keeps the results of {} in other files", self.name), help));
        }
        let Some(results) = &run.results else {
            // An empty list says that there was nothing to find; no list says that nobody looked.
            let help = "run the tool to its end; a run without a finding has an empty list of results";
            return self.out.troubles.push((format!("has a run of {} without results", self.name), help));
        };
        let bases = Bases::new(run);
        for outcome in results {
            self.outcome(outcome, &bases);
        }
    }

    fn outcome(&mut self, outcome: &'a Outcome, bases: &Bases<'_>) {
        let is_fine = matches!(outcome.kind.as_deref(), Some("pass" | "notApplicable" | "informational"));
        if is_fine || outcome.baseline_state.as_deref() == Some("absent") {
            return;
        }
        let (id, rule) = self.rule_of(outcome);
        let said = message::of(outcome.message.as_ref(), rule, &self.run.tool.driver);
        let location = outcome.locations.iter().flatten().next();
        let physical = location.and_then(|location| location.physical_location.as_ref());
        let place = physical.and_then(|physical| bases.resolve(physical.artifact_location.as_ref()?));
        let path = place.as_ref().map_or("", |place| &place.shown);
        let weaknesses = weaknesses(rule, outcome);
        let sensitive = self.is_secret(&id, rule, &weaknesses, outcome);
        let report_id = tool::rule_id(&self.name, &id);
        let counterparts = match self.known.get(&report_id) {
            Some(counterparts) => *counterparts,
            None => {
                let counterparts = self.counterparts.find(self.tool, &id, rule, path);
                let severity = self.severity(None, rule, counterparts);
                self.out.rules.push(self.describe(&report_id, rule, severity, counterparts, &said, sensitive));
                self.known.insert(report_id.clone(), counterparts);
                counterparts
            }
        };
        let severity = self.severity(Some(outcome), rule, counterparts);
        let said = match (said.is_empty(), rule.and_then(|rule| message::text(rule.short_description.as_ref()))) {
            (true, Some(title)) => message::one_line(title).trim_end_matches('.').to_string(),
            (true, None) => format!("{} reports {}", self.name, message::one_line(&id)),
            _ => said,
        };
        let related = outcome.related_locations.iter().flatten().take(MAX_RELATED);
        let related = related.filter_map(|location| {
            let physical = location.physical_location.as_ref()?;
            let said = message::of(location.message.as_ref(), rule, &self.run.tool.driver);
            Some((bases.resolve(physical.artifact_location.as_ref()?)?, physical.region, said))
        });
        let result = Result1 {
            tool: self.name.clone(),
            rule: report_id.into(),
            severity,
            message: said,
            place,
            region: physical.and_then(|physical| physical.region).map(|region| match self.tool.marks_lines {
                true => Region { start_column: None, end_column: None, ..region },
                false => region,
            }),
            has_line: physical.and_then(|physical| physical.region).is_some_and(|region| region.is_real()),
            is_flat: self.tool.is_flat,
            code_points: self.run.column_kind.as_deref() == Some("unicodeCodePoints"),
            related: related.collect(),
            address: location.and_then(address),
            weaknesses,
            accepted: accepted(outcome.suppressions.as_deref().unwrap_or_default()),
            sensitive,
            possible: matches!(outcome.kind.as_deref(), Some("review" | "open")),
        };
        self.out.results.push(result);
    }

    /// The id of the rule of a result as the tool has it, and what the file says about the rule.
    fn rule_of(&self, outcome: &'a Outcome) -> (String, Option<&'a Descriptor>) {
        let reference = outcome.rule.as_ref();
        let component = reference.and_then(|reference| reference.tool_component.as_ref()).and_then(|named| {
            let extensions = self.run.tool.extensions.as_deref().unwrap_or_default();
            let is_named = |component: &Component| {
                named.guid.as_ref().is_some_and(|guid| component.guid.as_ref() == Some(guid))
                    || named.name.as_ref() == Some(&component.name)
            };
            match named.index {
                Some(index) => usize::try_from(index).ok().map(|index| index + 1),
                None => extensions.iter().position(is_named).map(|index| index + 1),
            }
        });
        let component = component.unwrap_or(0);
        let index = reference.and_then(|reference| reference.index).or(outcome.rule_index);
        let by_index = index
            .and_then(|index| components(self.run).nth(component)?.rules.as_ref()?.get(usize::try_from(index).ok()?));
        let id = reference.and_then(|reference| reference.id.as_deref()).or(outcome.rule_id.as_deref());
        let Some(id) = id else {
            return (by_index.map_or_else(|| "result".into(), |rule| rule.id.clone()), by_index);
        };
        // The id of a result may have more parts than that of its rule: `CA1000/1`.
        let is_of = |rule: &&Descriptor| {
            id.strip_prefix(rule.id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let find = |id: &str| {
            let first = self.descriptors.get(component).and_then(|rules| rules.get(id));
            first.or_else(|| self.descriptors.iter().find_map(|rules| rules.get(id))).copied()
        };
        let rule = by_index.filter(is_of).or_else(|| find(id)).or_else(|| find(id.rsplit_once('/')?.0));
        (id.to_string(), rule)
    }

    /// A score says more than a level, a result more than its rule. A tool that writes one level for everything says nothing by
    /// it: there the catalog's severity of the same rule counts, and else medium.
    fn severity(&self, outcome: Option<&Outcome>, rule: Option<&Descriptor>, counterparts: &[usize]) -> Severity {
        let score = |properties: Option<&Properties>| {
            let score = properties?.security_severity.as_ref()?.value()?;
            Some(match score {
                score if score >= 9.0 => Severity::Critical,
                score if score >= 7.0 => Severity::High,
                score if score >= 4.0 => Severity::Medium,
                _ => Severity::Low,
            })
        };
        let scored = score(outcome.and_then(|outcome| outcome.properties.as_ref()))
            .or_else(|| score(rule.and_then(|rule| rule.properties.as_ref())));
        if let Some(severity) = scored {
            return severity;
        }
        if self.tool.is_flat {
            let severities = counterparts.iter().map(|rule| self.catalog.rules()[*rule].severity);
            return severities.max().unwrap_or(Severity::Medium);
        }
        let default = || rule?.default_configuration.as_ref()?.level.as_deref();
        match outcome.and_then(|outcome| outcome.level.as_deref()).or_else(default) {
            Some("error") => Severity::High,
            Some("note" | "none") => Severity::Low,
            Some(_) => Severity::Medium,
            None if self.tool.finds_secrets => Severity::Critical,
            // What SARIF means by no level is `warning`.
            None => Severity::Medium,
        }
    }

    fn is_secret(&self, id: &str, rule: Option<&Descriptor>, weaknesses: &[u32], outcome: &Outcome) -> bool {
        let tags = rule.and_then(|rule| rule.properties.as_ref()).and_then(|properties| properties.tags.as_ref());
        let is_tagged =
            || tags.into_iter().flatten().any(|tag| matches!(tag.to_lowercase().as_str(), "secret" | "secrets"));
        let quotes = || {
            let text = outcome.message.as_ref().and_then(|message| message.text.as_deref()).unwrap_or("");
            text.lines().any(|line| line.starts_with("Secret "))
        };
        self.tool.finds_secrets
            || weaknesses.iter().any(|weakness| SECRET_WEAKNESSES.contains(weakness))
            || matches!(id, "B105" | "B106" | "B107" | "S105" | "S106" | "S107")
            || is_tagged()
            || quotes()
    }

    /// The rule as the catalog has rules: a name with prose, which nothing runs. Its aliases are all names of the catalog's rules
    /// of the same control, so that whoever speaks of that speaks of this.
    fn describe(
        &self,
        id: &str,
        rule: Option<&Descriptor>,
        severity: Severity,
        counterparts: &[usize],
        said: &str,
        sensitive: bool,
    ) -> (Rule, Prose) {
        let text = |text| message::text(text).map(prose).filter(|text| !text.is_empty());
        let full = rule.and_then(|rule| text(rule.full_description.as_ref()));
        let short = rule.and_then(|rule| text(rule.short_description.as_ref()));
        let name = || rule.and_then(|rule| rule.name.as_deref()).map(prose).filter(|name| !name.is_empty());
        let title = short.or_else(name).or_else(|| full.clone()).unwrap_or_else(|| match sensitive {
            true => message::masked(said, None),
            false => said.to_string(),
        });
        let title: String = match title.chars().count() > 100 {
            true => title.chars().take(99).chain(['…']).collect(),
            false => title,
        };
        let url = rule.and_then(|rule| rule.help_uri.as_deref());
        let url = url.filter(|url| url.starts_with("https://") || url.starts_with("http://")).map(message::one_line);
        let help = rule.and_then(|rule| text(rule.help.as_ref()));
        let fix = match (&url, help) {
            (Some(url), _) => format!("see {url}"),
            // The text of a help that only repeats the title tells nothing.
            (None, Some(help)) if !help.starts_with(title.trim_end_matches('…')) => help,
            _ => String::new(),
        };
        let properties = rule.and_then(|rule| rule.properties.as_ref());
        let tags = properties.and_then(|properties| properties.tags.as_ref()).into_iter().flatten();
        let tags = std::iter::once(self.name.to_string()).chain(tags.take(9).map(|tag| tag_of(tag)));
        let ours = counterparts.iter().map(|index| &self.catalog.rules()[*index]);
        let mut aliases: Vec<String> = Vec::new();
        for name in ours.flat_map(|ours| std::iter::once(&ours.id).chain(&ours.aliases)) {
            if !aliases.contains(name) {
                aliases.push(name.clone());
            }
        }
        let rule = Rule {
            id: id.to_string(),
            title: title.trim_end_matches('.').to_string(),
            severity,
            aliases,
            shared_aliases: Vec::new(),
            accepted_as: Vec::new(),
            implies: Vec::new(),
            tags: tags.collect(),
            packs: Vec::new(),
            compliance: Vec::new(),
            default: false,
            heuristic: true,
            message: None,
            sensitive,
            check: Check::Imported,
        };
        let why = full.filter(|full| *full != rule.title).unwrap_or_default();
        (rule, Prose { why, fix, ..Prose::default() })
    }
}

/// The tool and its plug-ins, in the order of their indices.
fn components(run: &Run) -> impl Iterator<Item = &Component> {
    std::iter::once(&run.tool.driver).chain(run.tool.extensions.iter().flatten())
}

/// The first paragraph of a description: headings and examples in Markdown make no sentence.
fn prose(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let lines: Vec<&str> = paragraph.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        lines.join(" ")
    });
    let first = paragraphs.into_iter().find(|paragraph| !paragraph.trim().is_empty());
    message::one_line(&first.unwrap_or_default())
}

fn tag_of(tag: &str) -> String {
    message::one_line(tag).chars().take(60).collect()
}

/// The weaknesses (CWE) that a rule or result is tagged with: `external/cwe/cwe-078`, `CWE-78: …`.
fn weaknesses(rule: Option<&Descriptor>, outcome: &Outcome) -> Vec<u32> {
    static CWE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)\bcwe[-/_ ]?0*(\d{1,5})\b").expect("the pattern is fixed"));
    let properties = [rule.and_then(|rule| rule.properties.as_ref()), outcome.properties.as_ref()];
    let tags = properties.into_iter().flatten().filter_map(|properties| properties.tags.as_ref()).flatten();
    let mut numbers: Vec<u32> =
        tags.flat_map(|tag| CWE.captures_iter(tag)).filter_map(|found| found[1].parse().ok()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The address of the resource, where the tool has such a thing.
fn address(location: &Location) -> Option<String> {
    let logical = location.logical_locations.as_ref()?.first()?;
    let name = logical.fully_qualified_name.as_ref().filter(|_| logical.kind.as_deref() == Some("resource"))?;
    Some(message::one_line(name))
}

/// A result is suppressed when somebody has asked for it and nobody has still to answer, or has refused.
fn accepted(suppressions: &[Suppression]) -> Option<Accepted> {
    let first = suppressions.first()?;
    let holds = |one: &Suppression| one.status.as_deref().is_none_or(|status| status == "accepted");
    suppressions.iter().all(holds).then(|| Accepted {
        reason: message::one_line(first.justification.as_deref().unwrap_or("")),
        in_source: suppressions.iter().any(|one| one.kind.as_deref() == Some("inSource")),
    })
}
