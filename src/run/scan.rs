//! `gate scan` and `gate baseline`: from the command line to a verdict.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustc_hash::FxHashSet;

use super::base::Opened;
use super::named::Named;
use super::{Error, load_policies, output, pool, select, settings};
use crate::baseline::{self, Baseline};
use crate::cli;
use crate::compare::Base;
use crate::config::{self, Config};
use crate::discover::{self, Change, Walk};
use crate::filesystem::{Disk, FileSystem, Files, Kind, Recording};
use crate::finding::Severity;
use crate::frontend::{FRONTENDS, Settings};
use crate::import;
use crate::path::{lies_in, shown};
use crate::report::Report;
use crate::report::text::count;
use crate::rules::{Catalog, Check, native};
use crate::scan::{self, Request};
use crate::secret;
use crate::suppress::{self, Date};

/// The day in UTC, by which suppressions end.
pub(super) fn today() -> Date {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Date::from_unix(seconds)
}

/// `gate scan`.
pub(super) fn scan_command(arguments: &cli::Scan, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Error> {
    let outputs = output::plan(arguments)?;
    with_report(arguments, false, |report, _, root, _| {
        output::write(report, &outputs, arguments, root, out)?;
        if report.findings.len() > 5_000 && outputs.iter().any(|output| output.format == "sarif") {
            writeln!(err, "gate: GitHub shows the 5,000 most severe of {} results", report.findings.len())?;
        }
        Ok(match report.verdict.exit_code() {
            1 if arguments.exit_zero => 0,
            code => code,
        })
    })
}

/// `gate baseline write`.
pub(super) fn write_baseline(arguments: &cli::BaselineWrite, out: &mut dyn Write) -> Result<u8, Error> {
    with_report(&arguments.scan, true, |report, request, root, named| {
        let output = arguments.output.as_deref().or(named).unwrap_or(Path::new(baseline::NAME));
        let mut text = Vec::new();
        let prefix = baseline::prefix(output, root);
        let prefix = prefix.as_ref().unwrap_or(&report.prefix);
        // One that can't be read is what this is to mend, and one behind a link is replaced.
        let is_file = matches!(Disk.kind(output), Ok(Kind::File));
        let before = is_file.then(|| Disk.text(output, baseline::MAX_BYTES).ok()).flatten();
        let before = before.and_then(|text| Baseline::parse(&shown(output), &text).ok());
        let given: Vec<String> = arguments.scan.paths.iter().filter_map(|path| below(root, prefix, path)).collect();
        let ran: FxHashSet<usize> = request.selected.iter().copied().collect();
        let has_rule = |id: &str| match request.catalog.named(id) {
            [] => !request.catalog.is_of_tool(id),
            rules => rules.iter().any(|rule| ran.contains(rule) || request.catalog.is_imported(*rule)),
        };
        let has_path = |path: &str| given.iter().any(|given| given.is_empty() || lies_in(path, given));
        let seen = baseline::Seen { has_path: &has_path, has_rule: &has_rule };
        let before = before.as_ref().map(|before| (before, &seen));
        let accepted = baseline::write(report.findings.iter(), report.sources, prefix, before, &mut text)?;
        output::replace(output, &text, root)?;
        let (findings, are) = (count(accepted.found, "finding"), if accepted.found == 1 { "is" } else { "are" });
        let kept = match accepted.kept {
            0 => String::new(),
            kept => format!(", and {kept} of before that this did not look at"),
        };
        let how = "use it with --baseline, or `baseline:` in gate.yaml";
        writeln!(out, "{}: {findings} {are} accepted{kept}; {how}", shown(output))?;
        let unread = report.problems.iter().filter(|problem| problem.kind.closes()).count();
        if unread > 0 {
            let (problems, them) = (count(unread, "problem"), if unread == 1 { "it" } else { "them" });
            writeln!(out, "{problems} kept the scan from being whole: `gate scan` tells {them}")?;
        }
        Ok(if unread > 0 { 2 } else { 0 })
    })
}

/// A path that was given as entries of a baseline have it: below the root, behind the prefix, without a `/` at its end; empty for
/// all there is.
fn below(root: &Path, prefix: &str, path: &Path) -> Option<String> {
    let inside = path.canonicalize().ok()?.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
    Some(format!("{prefix}{inside}").trim_end_matches('/').to_string())
}

/// Whether a text of no format has something to judge, or a suppression that may have nothing to act on.
pub(super) fn is_worth_keeping(path: &str, text: &str) -> bool {
    !secret::find_in_file(path, text).is_empty() || suppress::has_own_comments(path, text)
}

/// Scans and hands over the report, the root of the scan and the baseline that is named. One that is written anew is not read.
fn with_report(
    arguments: &cli::Scan,
    writes_baseline: bool,
    answer: impl FnOnce(&Report<'_>, &Request<'_>, &Path, Option<&Path>) -> Result<u8, Error>,
) -> Result<u8, Error> {
    let root = discover::root_of(&arguments.paths)?;
    let opened = Opened::find(arguments, &root)?;
    let result = with_report_of(arguments, &root, opened.as_ref(), writes_baseline, answer);
    // What else went wrong then follows from that.
    opened.map_or(Ok(()), |opened| opened.assert_whole()).and(result)
}

/// The same below a root, against what was opened.
fn with_report_of(
    arguments: &cli::Scan,
    root: &Path,
    opened: Option<&Opened>,
    writes_baseline: bool,
    answer: impl FnOnce(&Report<'_>, &Request<'_>, &Path, Option<&Path>) -> Result<u8, Error>,
) -> Result<u8, Error> {
    let named = arguments.config.as_deref();
    let mut config = match opened {
        _ if arguments.no_config => Config::default(),
        None => config::load(&Disk, root, named)?,
        Some(opened) => opened.config(root, named)?,
    };
    let mut catalog = Catalog::built_in();
    let policies = [&config.policies[..], &arguments.policy].concat();
    match opened {
        None => load_policies(&Disk, &mut catalog, policies.iter())?,
        Some(opened) => opened.load_policies(&mut catalog, &policies)?,
    }
    let proposed = match opened {
        Some(opened) => opened.proposals(root, &config, arguments)?,
        None => Vec::new(),
    };
    let named: Vec<PathBuf> = config.imports.iter().chain(&arguments.import).cloned().collect();
    let mut imports = import::read(&named, &mut catalog);
    if let Some(opened) = opened {
        imports.trusts_comments = opened.trusts_head;
        imports.tell_those_in(&opened.tip, &opened.base, opened.trusts_head);
    }
    config.check(&catalog)?;
    config.adopt_hadolint(&catalog);
    let selection = config.selection(&arguments.select, &arguments.ignore);
    let selected = select(&catalog, &selection)?;
    let asked = catalog.asked(&selection);
    let ignored = selection.ignore.iter().filter_map(|token| catalog.matching(token).ok()).flatten().collect();
    let fail_on = match (arguments.fail_on, config.fail_on) {
        (Some(cli::FailOn::Critical), _) => Some(Severity::Critical),
        (Some(cli::FailOn::High), _) => Some(Severity::High),
        (Some(cli::FailOn::Medium), _) => Some(Severity::Medium),
        (Some(cli::FailOn::Low), _) => Some(Severity::Low),
        (Some(cli::FailOn::Never), _) | (None, Some(config::FailOn::Never)) => None,
        (None, Some(config::FailOn::Severity(severity))) => Some(severity),
        (None, None) => Some(Severity::Medium),
    };
    let named = arguments.baseline.clone().or(config.baseline.clone());
    let baseline = match &named {
        Some(path) if !writes_baseline => accepted(opened, path, root)?,
        _ => None,
    };
    let pool = pool(arguments.jobs)?;
    let progress = Progress::start(arguments);
    let exclude = config.exclude.clone();
    let untrusted = opened.filter(|opened| !opened.trusts_head);
    let change = untrusted.map(|opened| Change { base: &opened.base, rules: &opened.rules, head: &opened.tip });
    let walk = Walk {
        change: change.as_ref(),
        ends: opened.as_ref().map(|opened| [&*opened.base, &*opened.tip]),
        exclude: Some(&exclude),
        force_exclude: arguments.force_exclude,
        keep: secrets_wanted(&catalog, &selected).then_some(is_worth_keeping),
        ..Walk::new(&arguments.paths)
    };
    if walk.keep.is_some() {
        pool.spawn(secret::prepare);
    }
    let mut discovered = pool.install(|| discover::discover(&walk, FRONTENDS))?;
    imports.place(&mut discovered, &arguments.paths, &config.exclude);
    if let Some(opened) = untrusted {
        config.var_files = opened.variables_files(&config.var_files, &config, &discovered)?;
        for at in 0..config.environments.len() {
            config.environments[at].1 = opened.variables_files(&config.environments[at].1, &config, &discovered)?;
        }
    }
    let var_files: Vec<PathBuf> = config.var_files.iter().chain(&arguments.terraform.var_file).cloned().collect();
    // What expressions read is remembered, since a change may lie there.
    let recording = Arc::new(Recording::new(Files::default()));
    let files = if opened.is_some() { Files::from(Arc::clone(&recording)) } else { Files::default() };
    let mut settings = Settings {
        with_defaults: catalog.has_rules_of_users(),
        ..settings(&files, &mut discovered, &var_files, &config.environments, &arguments.terraform)?
    };
    settings.reach.tip = opened.map(|opened| Arc::clone(&opened.tip));
    let base = opened.map(|opened| Base {
        name: opened.name.clone(),
        commit: Arc::clone(&opened.base),
        tip: Arc::clone(&opened.tip),
        walk: walk.clone(),
        recording,
        trusts_head: opened.trusts_head,
        proposed,
    });
    let request = Request {
        base,
        baseline,
        catalog: &catalog,
        selected,
        asked,
        imports,
        ignored,
        strict: arguments.strict || config.strict,
        require_files: arguments.require_files,
        config,
        settings,
        fail_on,
        suppress: !arguments.no_suppress,
        today: today(),
    };
    let report = pool.install(|| {
        let mut report = scan::scan(&request, &discovered)?;
        // A baseline accepts what each root makes.
        if !writes_baseline {
            report.tell_once();
        }
        report.hide_secrets();
        Ok::<_, Error>(report)
    })?;
    opened.map_or(Ok(()), Opened::assert_whole)?;
    progress.finish();
    let code = answer(&report, &request, root, named.as_deref());
    // The process ends here: whatever it holds goes at once, and not piece by piece.
    std::mem::forget((report, request));
    std::mem::forget((discovered, catalog, pool));
    code
}

/// The baseline of the command line or the configuration; none where the change brings it, which is told among what it proposes.
fn accepted(opened: Option<&Opened>, path: &Path, root: &Path) -> Result<Option<Baseline>, Error> {
    let shown = shown(path);
    let failed = |error| Error::File { path: shown.clone(), error };
    let full = std::path::absolute(path).map_err(failed)?;
    let (files, full) = match opened.map(|opened| opened.named(&full)).transpose()? {
        None => (Files::default(), full),
        Some(Some(Named { files, path })) => (files, path),
        Some(None) => return Ok(None),
    };
    if files.target(&full).is_none() {
        return Err(Error::Usage {
            message: format!("{shown}: the baseline is not there"),
            help: Some("write it: `gate baseline write`; or name none".into()),
        });
    }
    let text = files.text(&full, baseline::MAX_BYTES).map_err(failed)?;
    let mut baseline = Baseline::parse(&shown, &text)?;
    baseline.prefix = baseline::prefix(path, root);
    Ok(Some(baseline))
}

/// Whether some rule speaks of secrets in texts of any kind.
fn secrets_wanted(catalog: &Catalog, selected: &[usize]) -> bool {
    let is_wanted =
        |check: &Check| matches!(check, Check::Native(name) if native::secrets::IN_TEXTS.contains(&name.as_str()));
    selected.iter().any(|index| is_wanted(&catalog.rules()[*index].check))
}

/// A spinner on standard error for scans that take longer than a glance.
struct Progress(Option<indicatif::ProgressBar>);

impl Progress {
    fn start(arguments: &cli::Scan) -> Progress {
        let wanted = !arguments.no_progress && !arguments.quiet && io::stderr().is_terminal();
        Progress(wanted.then(|| {
            let bar = indicatif::ProgressBar::new_spinner().with_message("reading and judging");
            // The first tick comes late: short scans show nothing.
            bar.enable_steady_tick(Duration::from_millis(300));
            bar
        }))
    }

    fn finish(self) {
        self.0.into_iter().for_each(|bar| bar.finish_and_clear());
    }
}
