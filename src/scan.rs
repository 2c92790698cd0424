//! The pipeline on one page: discover, parse and assemble, judge, decide.

mod assemble;
pub(crate) mod environments;
mod verdict;

use std::sync::Arc;

use rustc_hash::FxHashSet;

pub(crate) use self::assemble::assemble_with;
pub use self::assemble::{Assembled, assemble, secrets};
pub use self::verdict::{rule_text, rule_texts};

use self::verdict::decide;
use crate::baseline::{self, Baseline};
use crate::compare::{self, Base, Head};
use crate::config::Config;
use crate::discover::{self, Discovered};
use crate::finding::{Finding, Severity, Status};
use crate::frontend;
use crate::import::{self, Imports, Joined};
use crate::problem::{Problem, ProblemKind};
use crate::report::{Counts, Report};
use crate::rules::Catalog;
use crate::rules::native::secrets::named;
use crate::source::{Sources, Span};
use crate::suppress::{self, Date};

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
    /// Nothing to judge closes the gate.
    pub require_files: bool,
    /// Whether suppressions act.
    pub suppress: bool,
    /// The day by which suppressions expire.
    pub today: Date,
    /// What the scan is compared with.
    pub base: Option<Base<'a>>,
    /// Findings that are accepted.
    pub baseline: Option<Baseline>,
}

impl Request<'_> {
    /// What the suppressions of these files are held against.
    pub(crate) fn suppressions<'s>(
        &'s self,
        discovered: &'s Discovered,
        assembled: &'s Assembled,
    ) -> suppress::Context<'s> {
        suppress::Context {
            discovered,
            model: &assembled.model,
            comments: &assembled.comments,
            catalog: self.catalog,
            selected: &self.selected,
            ignored: &self.ignored,
            config: &self.config,
            today: self.today,
        }
    }
}

/// Judges what was discovered, and compares it with the base if there is one; the report borrows the texts. Fails when the
/// base can't be walked.
pub fn scan<'s>(request: &Request<'_>, discovered: &'s Discovered) -> Result<Report<'s>, discover::Error> {
    let sources = &discovered.sources;
    let difference = request.base.as_ref().map(|base| compare::difference(base, discovered)).transpose()?;
    let before = difference.as_ref().map(|difference| Arc::clone(&difference.before));
    let settings = frontend::Settings { before, ..request.settings.clone() };
    let (mut assembled, judged) = environments::judge_each(request, &settings, discovered, secrets(sources));
    let mut findings = judged.findings;
    let (counted, beside): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| discovered.counts(finding));
    findings = counted;
    if request.base.is_some() {
        compare::leave_out_builds(&mut findings, sources);
    }
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
        let decided = suppress::apply(findings, &request.suppressions(discovered, &assembled));
        findings = decided.kept;
        suppressed.extend(decided.suppressed);
        problems.extend(decided.notes);
    }
    let mut comparison = None;
    if let Some(base) = request.base.as_ref().zip(difference) {
        let head = Head { discovered, assembled: &assembled, judged: &found, beside: &beside };
        let compared = compare::against(base, request, &head, findings, suppressed);
        (findings, suppressed) = (compared.kept, compared.suppressed);
        problems.extend(compared.notes);
        comparison = Some(compared.comparison);
    }
    if let Some(baseline) = &request.baseline {
        let prefix = baseline.prefix.as_ref().unwrap_or(&discovered.prefix);
        let known = baseline::Known::of(prefix, discovered, &assembled.model, &settings.files);
        let place = baseline::Place {
            sources,
            prefix,
            is_whole: discovered.is_folder && discovered.only.is_none(),
            standing: &|path| known.standing(path),
        };
        comparison = Some(baseline.apply(&mut findings, &place, request.catalog, comparison));
    }
    let mut modules_unread = 0;
    for problem in problems.iter_mut().filter(|problem| problem.kind == ProblemKind::UnreadModule) {
        modules_unread += 1;
        if request.config.accept_unread_modules {
            problem.kind = ProblemKind::Note;
            problem.help = Some("`accept-unread: [modules]` in gate.yaml accepts that".into());
        }
    }
    if request.require_files && assembled.files_read.is_empty() {
        let problem = Problem::with_path(ProblemKind::Unread, "", "there is no file of a format that is judged");
        problems.push(problem.help("name other paths, or leave out --require-files"));
    }
    problems.sort();
    problems.dedup();
    // Files that imports have brought along come last among the sources, and not in reports.
    let path = |finding: &Finding| sources.get(finding.at.file).path();
    findings.sort_by(|a, b| {
        let rank = |one: &Finding| (one.status.is_none_or(|status| status == Status::Old), one.status, one.possible);
        (path(a), a.at, &a.rule, &a.address, &a.message, rank(a)).cmp(&(
            path(b),
            b.at,
            &b.rule,
            &b.address,
            &b.message,
            rank(b),
        ))
    });
    let counts = Counts {
        files_seen: discovered.seen,
        files_read: assembled.files_read.clone(),
        files_searched: discovered.searched,
        files_skipped: discovered.skipped.clone(),
        resources: assembled.model.resources.len(),
        rules_run: request.selected.len(),
        undecided: judged.undecided,
        modules_unread,
    };
    let verdict = decide(request, &findings, &problems, &counts);
    if request.strict {
        problems.extend(counts.undecided.iter().map(|(rule, count)| verdict::undecided(rule, *count)));
    }
    let rules = rule_texts(
        request.catalog,
        findings.iter().chain(suppressed.iter().map(|one| &one.finding)).map(|finding| &finding.rule),
    );
    let mut named = std::mem::take(&mut assembled.named);
    if !(findings.is_empty() && suppressed.is_empty() && problems.is_empty()) {
        named.extend(named::values(&assembled.model, sources));
    }
    Ok(Report {
        sources,
        named,
        secrets: std::mem::take(&mut assembled.model.secrets),
        findings,
        suppressed,
        problems,
        rules,
        counts,
        fail_on: request.fail_on,
        strict: request.strict,
        verdict,
        prefix: discovered.prefix.clone(),
        comparison,
    })
}

/// Joins the findings with what other tools say, whose files may have comments that nobody has read yet.
fn imported(request: &Request<'_>, findings: Vec<Finding>, sources: &Sources, assembled: &mut Assembled) -> Joined {
    let unread: Vec<Span> = request.imports.places().filter(|place| !assembled.is_read(place.file)).collect();
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
