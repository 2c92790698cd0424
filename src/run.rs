//! The commands: from parsed arguments to an exit code. Everything a user sees goes through the two writers given.

mod base;
mod console;
mod migrate;
mod named;
mod output;
mod refusal;
mod scan;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use miette::Diagnostic;
use thiserror::Error;

use crate::cli::{self, Cli, Command};
use crate::config;
use crate::discover::{self, Discovered, MAX_BYTES, Walk};
use crate::escape::{LogLines, plain};
use crate::filesystem::{self, Disk, FileSystem, Files, Kind, Reach};
use crate::finding::Severity;
use crate::frontend::{Environment, FRONTENDS, Settings};
use crate::report::encode;
use crate::rules::schema::Mistake;
use crate::rules::{Catalog, Prose, Rule, Selection};
use crate::scan::assemble;
use crate::source::Source;
use crate::testing::Policies;

/// Stack of the threads that parse and evaluate: nesting is bounded to what fits.
const STACK_BYTES: usize = 64 << 20;

/// A file of rules is pages of text, not megabytes.
const MAX_POLICY_BYTES: u64 = 10 << 20;

/// Why a command could not do its job. All of them exit with 2.
#[derive(Debug, Error, Diagnostic)]
pub enum Error {
    /// A path that can't be scanned.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Discover(#[from] discover::Error),
    /// A wrong configuration.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] config::Error),
    /// A baseline that can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Baseline(#[from] crate::baseline::Error),
    /// A commit that can't be compared with.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Commit(#[from] filesystem::Error),
    /// `gate init` could not write.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Init(#[from] crate::init::Error),
    /// Reading or writing failed.
    #[error("{path}: {}", discover::io_reason(error))]
    #[diagnostic(help(
        "gate reads what it is told to read and writes where it is told to: look at the path and its permissions"
    ))]
    File {
        /// The file.
        path: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// Anything else that is wrong with what was asked for.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        #[help]
        help: Option<String>,
    },
    /// Standard output or a report could not be written.
    #[error("the output could not be written: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// A broken pipe: whoever reads has seen enough.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Runs a command and gives its exit code.
pub fn run(cli: Cli, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Error> {
    match cli.command {
        // Each format of a report has its own way to keep what it quotes from acting, and may have colors.
        Command::Scan(arguments) => scan::scan_command(&arguments, out, err),
        Command::Baseline(cli::Baseline::Write(arguments)) => {
            in_lines(out, |out| scan::write_baseline(&arguments, out))
        }
        Command::Rules(arguments) => in_lines(out, |out| rules_command(&arguments, out)),
        Command::Explain(arguments) => in_lines(out, |out| explain_command(&arguments, out)),
        Command::Inspect(arguments) => in_lines(out, |out| inspect_command(&arguments, out)),
        Command::Console(arguments) => in_lines(out, |out| console::console(&arguments, out)),
        Command::Test(arguments) => in_lines(out, |out| test_command(&arguments, out)),
        Command::Init(arguments) => in_lines(out, |out| {
            out.write_all(crate::init::init(&arguments.path)?.as_bytes())?;
            Ok(0)
        }),
        Command::Migrate(arguments) => in_lines(out, |out| migrate::migrate(&arguments, out)),
        Command::Completions(arguments) => {
            clap_complete::generate(arguments.shell, &mut Cli::command(), "gate", out);
            Ok(0)
        }
    }
}

/// Runs a command whose output is lines in which nothing may act. What it wrote before something went wrong is told too.
fn in_lines(out: &mut dyn Write, command: impl FnOnce(&mut dyn Write) -> Result<u8, Error>) -> Result<u8, Error> {
    let mut lines = LogLines::new(out);
    let code = command(&mut lines);
    let finished = lines.finish();
    let code = code?;
    finished?;
    Ok(code)
}

/// A pool with stacks large enough for the deepest nesting that parsers admit.
fn pool(jobs: Option<usize>) -> Result<rayon::ThreadPool, Error> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.unwrap_or(0))
        .stack_size(STACK_BYTES)
        .build()
        .map_err(|error| Error::Usage { message: format!("no threads to work with: {error}"), help: None })
}

fn select(catalog: &Catalog, selection: &Selection) -> Result<Vec<usize>, Error> {
    catalog.select(selection).map_err(|unknown| Error::Usage {
        message: unknown.to_string(),
        help: Some(match &unknown.nearest {
            Some(near) => format!("did you mean '{near}'?"),
            None => "`gate rules` lists them all".into(),
        }),
    })
}

/// The root of a scan and the values of variables; files of `--var-file` join the sources, so that findings can point there.
fn settings(
    files: &Files,
    discovered: &mut Discovered,
    var_files: &[PathBuf],
    environments: &[(String, Vec<PathBuf>)],
    arguments: &cli::TerraformArgs,
) -> Result<Settings, Error> {
    let mut read = |path: &PathBuf| {
        let shown = path.display().to_string();
        let text = files.text(path, MAX_BYTES).map_err(|error| Error::File { path: shown.clone(), error })?;
        let real = files.real(path).unwrap_or_else(|_| path.clone());
        let relative = real.strip_prefix(&discovered.root).map_or(shown, |path| path.display().to_string());
        // A file that is there already keeps its id, so that findings in it are one.
        let known = discovered.sources.iter().find(|(_, source)| source.path() == relative).map(|(id, _)| id);
        Ok(known.unwrap_or_else(|| discovered.sources.add(Source::new(relative, text))))
    };
    let var_files = var_files.iter().map(&mut read).collect::<Result<_, Error>>()?;
    let mut judged = Vec::with_capacity(environments.len());
    for (name, files) in environments {
        let var_files = files.iter().map(&mut read).collect::<Result<_, Error>>()?;
        judged.push(Environment { name: name.as_str().into(), var_files });
    }
    Ok(Settings {
        files: files.clone(),
        root: discovered.root.clone(),
        reach: Reach {
            repository: discover::repository_of(&discovered.root).map(Path::to_path_buf),
            ..Reach::default()
        },
        var_files,
        environment_files: Vec::new(),
        environments: judged,
        vars: arguments.var.clone(),
        tf_env: arguments.tf_env,
        with_defaults: false,
        before: None,
    })
}

/// Adds the rules of files and folders to the catalog.
fn load_policies<'p>(
    files: &dyn FileSystem,
    catalog: &mut Catalog,
    paths: impl Iterator<Item = &'p PathBuf>,
) -> Result<(), Error> {
    for path in paths {
        let mut found = Vec::new();
        policy_files(files, path, &mut found)?;
        found.sort();
        let mut texts = Vec::with_capacity(found.len());
        for file in found {
            let shown = file.display().to_string();
            match files.text(&file, MAX_POLICY_BYTES) {
                Ok(text) => texts.push((shown, text)),
                Err(error) => return Err(Error::File { path: shown, error }),
            }
        }
        let together: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        catalog.add_together(&together).map_err(|mistakes| in_policies(&together, &mistakes))?;
    }
    Ok(())
}

fn in_policies(files: &[(&str, &str)], mistakes: &[(usize, Mistake)]) -> Error {
    let line = |(file, mistake): &(usize, Mistake)| {
        format!("{}:{}: {}", plain(files[*file].0), mistake.line, plain(&mistake.message))
    };
    let lines: Vec<String> = mistakes.iter().map(line).collect();
    Error::Usage { message: lines.join("\n"), help: mistakes.iter().find_map(|(_, mistake)| mistake.help.clone()) }
}

/// YAML and Rego files below a path, tests of Rego left out.
fn policy_files(files: &dyn FileSystem, path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |error: io::Error| Error::File { path: path.display().to_string(), error };
    let real = files.real(path).map_err(failed)?;
    if files.kind(&real).map_err(failed)? == Kind::File {
        found.push(path.to_path_buf());
        return Ok(());
    }
    for entry in files.list(path).map_err(failed)? {
        let name = entry.name.to_string_lossy().into_owned();
        if entry.kind == Kind::Folder && !name.starts_with('.') {
            policy_files(files, &path.join(&entry.name), found)?;
        } else if entry.kind == Kind::File
            && (name.ends_with(".yaml")
                || name.ends_with(".yml")
                || (name.ends_with(".rego") && !name.ends_with("_test.rego")))
        {
            found.push(path.join(&entry.name));
        }
    }
    Ok(())
}

/// The built-in rules, those of these paths and those that the configuration at hand names.
fn catalog_at_hand(policies: &[PathBuf]) -> Result<Catalog, Error> {
    let mut catalog = Catalog::built_in();
    let here = std::env::current_dir()?;
    // What else is wrong with it is for `gate scan` to tell.
    let configured = config::load(&Disk, &here, None).map(|config| config.policies).unwrap_or_default();
    load_policies(&Disk, &mut catalog, configured.iter().chain(policies))?;
    Ok(catalog)
}

fn rules_command(arguments: &cli::RulesArgs, out: &mut dyn Write) -> Result<u8, Error> {
    let catalog = catalog_at_hand(&arguments.policy)?;
    let mut selection = Selection { select: arguments.rules.clone(), ignore: Vec::new() };
    if selection.select.is_empty() {
        selection.select.push("all".into());
    }
    let least = arguments.severity.map(|severity| match severity {
        cli::SeverityArg::Critical => Severity::Critical,
        cli::SeverityArg::High => Severity::High,
        cli::SeverityArg::Medium => Severity::Medium,
        cli::SeverityArg::Low => Severity::Low,
    });
    let mut chosen = select(&catalog, &selection)?;
    chosen.retain(|index| {
        let rule = &catalog.rules()[*index];
        least.is_none_or(|least| rule.severity >= least) && (rule.default || !arguments.default)
    });
    let mut writer = BufWriter::new(out);
    match arguments.format {
        cli::ListFormat::Json => {
            let list: Vec<serde_json::Value> =
                chosen.iter().map(|index| rule_json(&catalog.rules()[*index], catalog.prose(*index))).collect();
            encode::pretty(&list, &mut writer)?;
            writeln!(writer)?;
        }
        cli::ListFormat::Table => {
            let width = chosen.iter().map(|index| catalog.rules()[*index].id.len()).max().unwrap_or(0);
            for index in &chosen {
                let rule = &catalog.rules()[*index];
                let on = if rule.default { ' ' } else { '-' };
                writeln!(writer, "{:8} {on} {:width$} {}", rule.severity.name(), rule.id, rule.title)?;
            }
            let rules = crate::report::text::count(chosen.len(), "rule");
            writeln!(writer, "{rules}; `-` marks those that run only when selected")?;
        }
    }
    writer.flush()?;
    Ok(0)
}

fn rule_json(rule: &Rule, prose: &Prose) -> serde_json::Value {
    let examples = |examples: &[crate::rules::schema::Example]| {
        examples
            .iter()
            .map(|example| serde_json::json!({"format": example.format, "text": example.text}))
            .collect::<Vec<_>>()
    };
    let tags: Vec<&String> = rule.tags.iter().chain(&rule.packs).collect();
    serde_json::json!({
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.name(),
        "default": rule.default,
        "aliases": rule.aliases,
        "implies": rule.implies,
        "tags": tags,
        "packs": rule.packs,
        "compliance": rule.compliance.iter().map(|(name, references)| (name.clone(), serde_json::json!(references))).collect::<serde_json::Map<_, _>>(),
        "why": prose.why,
        "fix": prose.fix,
        "bad": examples(&prose.bad),
        "good": examples(&prose.good),
    })
}

fn explain_command(arguments: &cli::Explain, out: &mut dyn Write) -> Result<u8, Error> {
    let catalog = catalog_at_hand(&arguments.policy)?;
    let named = catalog.named(&arguments.rule);
    if named.is_empty() {
        let near = catalog.matching(&arguments.rule).err().and_then(|unknown| unknown.nearest);
        return Err(Error::Usage {
            message: format!("no rule or alias is called '{}'", arguments.rule),
            help: Some(near.map_or("`gate rules` lists them all".into(), |near| format!("did you mean '{near}'?"))),
        });
    }
    if named.len() > 1 {
        writeln!(out, "{} rules together cover {}.", named.len(), plain(&arguments.rule))?;
    }
    named.iter().try_for_each(|index| explain(&catalog, *index, out))?;
    Ok(0)
}

fn explain(catalog: &Catalog, index: usize, out: &mut dyn Write) -> io::Result<()> {
    let (rule, prose) = (&catalog.rules()[index], catalog.prose(index));
    let mut paragraph = |title: &str, text: &str| -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{title}")?;
        for line in crate::report::text::wrap(text, 76, 76) {
            writeln!(out, "  {line}")?;
        }
        Ok(())
    };
    paragraph(&format!("{} ({})", rule.id, rule.severity.name()), &rule.title)?;
    paragraph("Why it matters", &prose.why)?;
    paragraph("Fix", &prose.fix)?;
    paragraph("Also known as", &rule.aliases.join(", "))?;
    paragraph("Stands for, at the same place", &rule.implies.join(", "))?;
    let compliance: Vec<String> =
        rule.compliance.iter().map(|(name, references)| format!("{name} {}", references.join(", "))).collect();
    paragraph("Compliance", &compliance.join("; "))?;
    paragraph("Packs", &rule.packs.join(", "))?;
    if !rule.default {
        paragraph("Runs", "only when selected by id, pack or `all`")?;
    }
    for (title, examples) in [("Bad", &prose.bad), ("Good", &prose.good)] {
        for example in examples {
            writeln!(out, "\n{title} ({})", example.format)?;
            for line in example.text.lines() {
                writeln!(out, "    {}", line.replace(" # expect", ""))?;
            }
        }
    }
    Ok(())
}

fn inspect_command(arguments: &cli::Inspect, out: &mut dyn Write) -> Result<u8, Error> {
    let paths = [arguments.path.clone()];
    let pool = pool(None)?;
    let mut discovered = pool.install(|| discover::discover(&Walk::new(&paths), FRONTENDS))?;
    let settings = Settings {
        with_defaults: true,
        ..settings(&Files::default(), &mut discovered, &arguments.terraform.var_file, &[], &arguments.terraform)?
    };
    let assembled = pool.install(|| assemble(&settings, &discovered));
    let mut writer = BufWriter::new(out);
    crate::inspect::write(&discovered, &assembled, &mut writer)?;
    writer.flush()?;
    Ok(0)
}

fn test_command(arguments: &cli::Test, out: &mut dyn Write) -> Result<u8, Error> {
    let policies = match &arguments.path {
        None => Policies::built_in(),
        Some(path) => Policies::load(path).map_err(|mistakes| {
            let lines: Vec<String> = mistakes
                .iter()
                .map(|(path, mistake)| format!("{}:{}: {}", plain(path), mistake.line, plain(&mistake.message)))
                .collect();
            Error::Usage {
                message: lines.join("\n"),
                help: mistakes.iter().find_map(|(_, mistake)| mistake.help.clone()),
            }
        })?,
    };
    let tally = pool(None)?.install(|| policies.run(arguments.rule.as_deref().unwrap_or("")));
    if tally.rules + tally.tests == 0 && tally.failures.is_empty() {
        return Err(Error::Usage {
            message: "there is no rule to test".into(),
            help: Some("name a folder of rules in YAML or Rego, and a rule that is in it".into()),
        });
    }
    tally.write(out)?;
    Ok(u8::from(!tally.passed()))
}
