//! The pipeline on one page: discover, parse and assemble, judge, decide.

pub(crate) mod environments;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::baseline::Baseline;
use crate::compare::{self, Base, Head};
use crate::config::Config;
use crate::discover::{self, Discovered};
use crate::finding::{Finding, Severity};
use crate::frontend::{self, FRONTENDS, Parsed};
use crate::import::{self, Imports, Joined};
use crate::model::{Edge, Graph, Model, ResourceId, Secret};
use crate::problem::{Problem, ProblemKind};
use crate::report::{Counts, Report, RuleText, Verdict};
use crate::rules::Catalog;
use crate::rules::engine::panic_text;
use crate::secret;
use crate::source::{FileId, Sources, Span};
use crate::suppress::{self, Date};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

/// What to scan and how, after flags and configuration are joined.
pub struct Request<'a> {
    /// All rules.
    pub catalog: &'a Catalog,
    /// Indices of the rules that run.
    pub selected: Vec<usize>,
    /// Indices of rules that were asked for by name: they answer even where the finding of another rule implies theirs.
    pub asked: FxHashSet<usize>,
    /// The configuration in force.
    pub config: Config,
    /// What other tools say.
    pub imports: Imports,
    /// Indices of rules of other tools, and of gate's, whose imported results do not count.
    pub ignored: FxHashSet<usize>,
    /// The root of the scan and values for Terraform's variables.
    pub settings: frontend::Settings,
    /// The threshold; none for `never`.
    pub fail_on: Option<Severity>,
    /// Undecided checks and notes close the gate.
    pub strict: bool,
    /// Whether suppressions act.
    pub suppress: bool,
    /// The day by which suppressions expire.
    pub today: Date,
    /// What the scan is compared with.
    pub base: Option<Base<'a>>,
    /// Findings that are accepted.
    pub baseline: Option<Baseline>,
}

/// Everything that was read, before rules run.
pub struct Assembled {
    /// The model.
    pub model: Model,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Comments, for suppressions.
    pub comments: Vec<Span>,
    /// Files read, by format.
    pub files_read: Vec<(&'static str, usize)>,
    /// The same files, by their ids.
    read: FxHashSet<FileId>,
}

impl Assembled {
    /// Whether the file turned out to be of the format that claims it.
    pub fn is_read(&self, file: FileId) -> bool {
        self.read.contains(&file)
    }
}

/// Runs every frontend over its files and joins what they yield into one model.
pub fn assemble(settings: &frontend::Settings, discovered: &Discovered) -> Assembled {
    assemble_with(settings, discovered, secrets(&discovered.sources))
}

/// The same with the credentials in the texts, which no setting changes.
pub(crate) fn assemble_with(settings: &frontend::Settings, discovered: &Discovered, secrets: Vec<Secret>) -> Assembled {
    let sources = &discovered.sources;
    let parsed = FRONTENDS
        .par_iter()
        .zip(&discovered.claims)
        .map(|(frontend, files)| {
            catch_unwind(AssertUnwindSafe(|| frontend.parse(settings, sources, files)))
                .unwrap_or_else(|panic| broken_frontend(frontend.name(), &panic_text(&*panic)))
        })
        .collect();
    let mut assembled = join(sources, parsed);
    assembled.model.secrets = secrets;
    // Of texts that no frontend reads, the comments beside what is found may say that it is accepted.
    let unread = |secret: &&Secret| !assembled.read.contains(&secret.span.file);
    let places: Vec<Span> = assembled.model.secrets.iter().filter(unread).map(|secret| secret.span).collect();
    assembled.comments.extend(suppress::comments_near(sources, &places));
    assembled.comments.sort();
    assembled
}

/// Credentials of known forms in all texts, whatever their format and wherever they stand.
pub fn secrets(sources: &Sources) -> Vec<Secret> {
    let files: Vec<_> = sources.iter().filter(|(_, source)| source.is_judged()).collect();
    let found = files.par_iter().flat_map_iter(|(file, source)| {
        secret::find_in_file(source.path(), source.text()).into_iter().map(|hit| Secret {
            span: Span::new(*file, hit.start as u32, hit.end as u32),
            kind: hit.kind,
            what: hit.what,
        })
    });
    found.collect()
}

/// A frontend that broke loses its own files, not the scan.
fn broken_frontend(name: &str, reason: &str) -> Parsed {
    let problem = Problem::with_path(ProblemKind::Unread, "", format!("the {name} reader broke: {reason}"))
        .help("this is a defect of gate: please report it with the file that causes it");
    Parsed { problems: vec![problem], ..Parsed::default() }
}

/// Joins what the frontends yield; resources are numbered through.
fn join(sources: &Sources, parsed: Vec<Parsed>) -> Assembled {
    let mut model = Model::default();
    let mut edges = Vec::new();
    let mut assembled = Assembled {
        model: Model::default(),
        problems: Vec::new(),
        comments: Vec::new(),
        files_read: Vec::new(),
        read: FxHashSet::default(),
    };
    let total: usize = parsed.iter().map(|part| part.resources.len()).sum();
    for (frontend, part) in FRONTENDS.iter().zip(parsed) {
        let base = model.resources.len() as u32;
        edges.extend(part.edges.into_iter().map(|edge| Edge {
            from: ResourceId(base + edge.from),
            attribute: edge.attribute,
            to: ResourceId(base + edge.to),
        }));
        if model.resources.is_empty() {
            // Most scans are of one format: what is large already is not copied.
            model.resources = part.resources;
        } else {
            model.resources.reserve_exact(total - model.resources.len());
            model.resources.extend(part.resources);
        }
        model.observations.extend(part.observations);
        model.dockerfiles.extend(part.dockerfiles);
        model.dockerignores.extend(part.dockerignores);
        assembled.problems.extend(part.problems);
        assembled.comments.extend(part.comments);
        if !part.read.is_empty() {
            assembled.files_read.push((frontend.name(), part.read.len()));
            assembled.read.extend(part.read);
        }
    }
    for problem in &mut assembled.problems {
        if let (true, Some(span)) = (problem.path.is_empty(), problem.span) {
            problem.path = sources.get(span.file).path().to_string();
        }
    }
    // Some stand in Compose files. Rules look for them by their file.
    model.dockerfiles.sort_by_key(|file| file.file);
    model.graph = Graph::new(edges);
    model.mark_targets();
    assembled.comments.sort();
    assembled.model = model;
    assembled
}

/// Judges what was discovered, and compares it with the base if there is one; the report borrows the texts. Fails when the
/// base can't be walked.
pub fn scan<'s>(request: &Request<'_>, discovered: &'s Discovered) -> Result<Report<'s>, discover::Error> {
    let sources = &discovered.sources;
    let (mut assembled, judged) = environments::judge_each(request, &request.settings, discovered, secrets(sources));
    let mut findings = judged.findings;
    findings.retain(|finding| discovered.counts(finding));
    let joined = imported(request, findings, sources, &mut assembled);
    findings = joined.findings;
    request.config.adjust(request.catalog, &mut findings);
    let mut problems = assembled.problems.clone();
    problems.extend(discovered.problems.iter().cloned());
    problems.extend(judged.problems);
    problems.extend(request.imports.problems.iter().cloned());
    let found = if request.base.is_some() { findings.clone() } else { Vec::new() };
    let mut suppressed = joined.suppressed;
    if request.suppress {
        let decided = suppress::apply(
            findings,
            &suppress::Context {
                discovered,
                model: &assembled.model,
                comments: &assembled.comments,
                catalog: request.catalog,
                selected: &request.selected,
                config: &request.config,
                today: request.today,
            },
        );
        findings = decided.kept;
        suppressed.extend(decided.suppressed);
        problems.extend(decided.notes);
    }
    let mut comparison = None;
    if let Some(base) = &request.base {
        let head = Head { discovered, assembled: &assembled, judged: &found };
        let compared = compare::against(base, request, &head, findings, suppressed)?;
        (findings, suppressed) = (compared.kept, compared.suppressed);
        problems.extend(compared.notes);
        comparison = Some(compared.comparison);
    }
    if let Some(baseline) = &request.baseline {
        let prefix = &discovered.prefix;
        comparison = Some(baseline.apply(&mut findings, sources, prefix, request.catalog, comparison));
    }
    if request.config.accept_unread_modules {
        for problem in problems.iter_mut().filter(|problem| is_unread_module(problem)) {
            problem.kind = ProblemKind::Note;
        }
    }
    problems.sort();
    problems.dedup();
    // Files that imports have brought along come last among the sources, and not in reports.
    let path = |finding: &Finding| sources.get(finding.at.file).path();
    findings.sort_by(|a, b| {
        (path(a), a.at, &a.rule, &a.address, &a.message).cmp(&(path(b), b.at, &b.rule, &b.address, &b.message))
    });
    let counts = Counts {
        files_seen: discovered.seen,
        files_read: assembled.files_read.clone(),
        files_searched: discovered.searched,
        files_skipped: discovered.skipped.clone(),
        resources: assembled.model.resources.len(),
        rules_run: request.selected.len(),
        undecided: judged.undecided,
        modules_unread: problems.iter().filter(|problem| is_unread_module(problem)).count(),
    };
    let verdict = decide(request, &findings, &problems, &counts);
    let rules = rule_texts(
        request.catalog,
        findings.iter().chain(suppressed.iter().map(|one| &one.finding)).map(|finding| &finding.rule),
    );
    Ok(Report {
        sources,
        findings,
        suppressed,
        problems,
        rules,
        counts,
        fail_on: request.fail_on,
        verdict,
        prefix: discovered.prefix.clone(),
        comparison,
    })
}

/// Joins the findings with what other tools say, whose files may have comments that nobody has read yet.
fn imported(request: &Request<'_>, findings: Vec<Finding>, sources: &Sources, assembled: &mut Assembled) -> Joined {
    let unread: Vec<Span> = request.imports.places().filter(|place| !assembled.read.contains(&place.file)).collect();
    if !unread.is_empty() {
        assembled.comments.extend(suppress::comments_near(sources, &unread));
        assembled.comments.sort();
        assembled.comments.dedup();
    }
    let context = import::Context {
        sources,
        model: &assembled.model,
        catalog: request.catalog,
        config: &request.config,
        ignored: &request.ignored,
        suppress: request.suppress,
    };
    import::join(findings, &request.imports, &context)
}

/// A module call whose source is not in the tree.
fn is_unread_module(problem: &Problem) -> bool {
    problem.kind == ProblemKind::Unread && problem.message.starts_with("module ")
}

/// What could not be decided outweighs findings: the answer is not whole.
fn decide(
    request: &Request<'_>,
    findings: &[crate::finding::Finding],
    problems: &[Problem],
    counts: &Counts,
) -> Verdict {
    let strict_trouble = request.strict && (!counts.undecided.is_empty() || !problems.is_empty());
    if strict_trouble || problems.iter().any(|problem| problem.kind.closes()) {
        return Verdict::Undecided;
    }
    match request.fail_on {
        // What is possible only is shown, and closes the gate where undecided checks do.
        Some(threshold)
            if findings
                .iter()
                .any(|one| one.counts() && one.severity >= threshold && (request.strict || !one.possible)) =>
        {
            Verdict::Fail
        }
        _ => Verdict::Pass,
    }
}

/// The texts of the named rules, sorted by id.
pub fn rule_texts<'a>(catalog: &Catalog, ids: impl Iterator<Item = &'a Arc<str>>) -> Vec<RuleText> {
    let ids: std::collections::BTreeSet<&Arc<str>> = ids.collect();
    ids.into_iter().filter_map(|id| catalog.find(id)).map(|index| rule_text(catalog, index)).collect()
}

/// What the rule at this index of the catalog says to people.
pub fn rule_text(catalog: &Catalog, index: usize) -> RuleText {
    let rule = &catalog.rules()[index];
    let prose = catalog.prose(index);
    let pairs = |examples: &[crate::rules::schema::Example]| {
        examples.iter().map(|example| (example.format.clone(), example.text.clone())).collect()
    };
    RuleText {
        id: rule.id.as_str().into(),
        title: rule.title.clone(),
        severity: rule.severity,
        aliases: rule.aliases.clone(),
        tags: rule.tags.iter().chain(&rule.packs).cloned().collect(),
        compliance: rule.compliance.clone(),
        why: prose.why.clone(),
        fix: prose.fix.clone(),
        bad: pairs(&prose.bad),
        good: pairs(&prose.good),
        heuristic: rule.heuristic,
    }
}
