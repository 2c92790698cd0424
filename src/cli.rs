//! The command line: names, types and help texts; no logic.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A policy and scanning gate for Terraform, Dockerfiles, Compose files, Kubernetes manifests, and secrets anywhere.
#[derive(Debug, Parser)]
#[command(name = "gate", version, max_term_width = 100, propagate_version = true)]
#[command(after_help = "Exit codes: 0 pass · 1 findings at or above --fail-on · 2 could not be decided")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge files and folders, print the findings, and exit with the verdict
    Scan(Box<Scan>),
    /// Accept the findings of today, in a file
    #[command(subcommand)]
    Baseline(Baseline),
    /// List the rules
    Rules(RulesArgs),
    /// Tell why a rule matters and how to mend what it finds
    Explain(Explain),
    /// Print the common model as JSON: what rules see
    Inspect(Inspect),
    /// Evaluate Terraform expressions in the context of a module
    Console(Console),
    /// Run the examples of YAML rules and the test_ rules of Rego modules
    Test(Test),
    /// Write a gate.yaml, hook and workflow for this repository, never over a file
    Init(Init),
    /// Put suppressions and settings of other tools into gate's own form; shows the changes unless told to write them
    Migrate(Migrate),
    /// Print the completion script of a shell
    Completions(Completions),
}

/// `gate scan`.
#[derive(Debug, Args)]
pub struct Scan {
    /// Files and folders to judge
    #[arg(default_value = ".", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Outputs, as NAME or NAME=FILE, with commas between them or given several times: text, json, sarif, github, junit,
    /// markdown, comment, html, gitlab [default: text]
    #[arg(short, long, value_name = "NAME[=FILE]", value_parser = output, value_delimiter = ',')]
    pub format: Vec<Output>,
    /// Least severity that closes the gate [default: medium]
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// Rules to run: ids, aliases, packs, prefixes, `default`, `all`
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Rules not to run: ids, aliases, packs, prefixes
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Configuration file [default: gate.yaml in PATH or above, up to the repository's root]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long)]
    pub no_config: bool,
    /// Folder or file with more rules, YAML or Rego; may be given several times
    #[arg(long, value_name = "PATH")]
    pub policy: Vec<PathBuf>,
    /// SARIF file of another tool whose results join the verdict; may be given several times
    #[arg(long, value_name = "FILE")]
    pub import: Vec<PathBuf>,
    /// Values for Terraform's variables.
    #[command(flatten)]
    pub terraform: TerraformArgs,
    /// Git revision that the change goes to: only what is new since their merge base closes the gate
    #[arg(long, value_name = "REVISION")]
    pub base: Option<String>,
    /// Whose configuration, policies and suppressions are in force [default: base, where there is one]
    #[arg(long, value_enum, value_name = "WHOSE", requires = "base")]
    pub trust: Option<Trust>,
    /// Baseline: a file of findings that are accepted, as `gate baseline write` makes it
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Undecided checks and notes close the gate too
    #[arg(long)]
    pub strict: bool,
    /// List what suppressions took out of the verdict
    #[arg(long)]
    pub show_suppressed: bool,
    /// List the findings that were there before the change too
    #[arg(long)]
    pub show_old: bool,
    /// Let no suppression act
    #[arg(long)]
    pub no_suppress: bool,
    /// Findings do not fail the run; what could not be decided still does
    #[arg(long)]
    pub exit_zero: bool,
    /// Excludes of the configuration hold for files named on the command line too
    #[arg(long)]
    pub force_exclude: bool,
    /// Nothing to scan is an error
    #[arg(long)]
    pub require_files: bool,
    /// Print the verdict and the counts only
    #[arg(short, long)]
    pub quiet: bool,
    /// Threads [default: one per core]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<usize>,
    /// When to use colors; `auto` respects NO_COLOR and TERM=dumb
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Show no progress bar
    #[arg(long)]
    pub no_progress: bool,
}

/// `gate baseline`.
#[derive(Debug, Subcommand)]
pub enum Baseline {
    /// Scan, and write all findings into the baseline; those of before go, save where this scan does not look
    Write(Box<BaselineWrite>),
}

/// `gate baseline write`.
#[derive(Debug, Args)]
pub struct BaselineWrite {
    /// What to scan and how.
    #[command(flatten)]
    pub scan: Scan,
    /// The file to write; that of --baseline or gate.yaml unless given, or .gate-baseline.json
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Whose word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trust {
    /// That of the base: a change can't weaken the verdict on itself
    Base,
    /// That of the files at hand, for local work
    Head,
}

/// Values for Terraform's variables.
#[derive(Debug, Args)]
pub struct TerraformArgs {
    /// Terraform variables file for root modules; may be given several times
    #[arg(long, value_name = "FILE")]
    pub var_file: Vec<PathBuf>,
    /// Terraform variable for root modules; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub var: Vec<(String, String)>,
    /// Read TF_VAR_* of the environment
    #[arg(long)]
    pub tf_env: bool,
}

/// `gate rules`.
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// Ids, aliases, packs or prefixes; all when none is given
    #[arg(value_name = "RULE")]
    pub rules: Vec<String>,
    /// Table or JSON
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
    /// Only rules of this severity or worse
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub severity: Option<SeverityArg>,
    /// Only rules that run when nothing is selected
    #[arg(long)]
    pub default: bool,
    /// Folder or file with more rules
    #[arg(long, value_name = "PATH")]
    pub policy: Vec<PathBuf>,
}

/// `gate explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// Id or alias
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// Folder or file with more rules
    #[arg(long, value_name = "PATH")]
    pub policy: Vec<PathBuf>,
}

/// `gate inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// File or folder
    #[arg(default_value = ".", value_name = "PATH")]
    pub path: PathBuf,
    /// Only JSON there is
    #[arg(long, value_enum, default_value_t = InspectFormat::Json)]
    pub format: InspectFormat,
    /// Values for Terraform's variables.
    #[command(flatten)]
    pub terraform: TerraformArgs,
}

/// `gate console`.
#[derive(Debug, Args)]
pub struct Console {
    /// Folder of a Terraform module
    #[arg(default_value = ".", value_name = "DIR")]
    pub path: PathBuf,
    /// One JSON string (an expression) a line in, one JSON object a line out
    #[arg(long)]
    pub json: bool,
    /// Values for Terraform's variables.
    #[command(flatten)]
    pub terraform: TerraformArgs,
}

/// `gate test`.
#[derive(Debug, Args)]
pub struct Test {
    /// Folder with rules; the built-in rules when none is given
    #[arg(value_name = "DIR")]
    pub path: Option<PathBuf>,
    /// Only rules whose id starts so
    #[arg(long, value_name = "PREFIX")]
    pub rule: Option<String>,
}

/// `gate init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Folder of the repository, at whose top all is written
    #[arg(default_value = ".", value_name = "DIR")]
    pub path: PathBuf,
}

/// `gate migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// File or folder
    #[arg(default_value = ".", value_name = "PATH")]
    pub path: PathBuf,
    /// Write the files; a gate.yaml only where there is none
    #[arg(long)]
    pub write: bool,
}

/// `gate completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// A format and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Name of the format.
    pub format: String,
    /// A file, or standard output.
    pub file: Option<PathBuf>,
}

fn output(text: &str) -> Result<Output, String> {
    let (format, file) = match text.split_once('=') {
        Some((_, "")) => return Err("there is no file name after `=`".into()),
        Some((format, file)) => (format, Some(PathBuf::from(file))),
        None => (text, None),
    };
    if crate::report::FORMATS.iter().any(|known| known.name == format) {
        return Ok(Output { format: format.to_string(), file });
    }
    let known: Vec<&str> = crate::report::FORMATS.iter().map(|known| known.name).collect();
    Err(format!("unknown format; known are {}; a comma ends the name of a file, which holds none", known.join(", ")))
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.trim().to_string(), value.to_string()))
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Even into a pipe.
    Always,
    /// Not at all.
    Never,
}

/// `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Critical findings only.
    Critical,
    /// High and worse.
    High,
    /// Medium and worse.
    Medium,
    /// Every finding.
    Low,
    /// No finding.
    #[value(alias = "none")]
    Never,
}

/// `gate rules --severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SeverityArg {
    /// Critical.
    Critical,
    /// High and worse.
    High,
    /// Medium and worse.
    Medium,
    /// All.
    Low,
}

/// `gate rules --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// A line each.
    Table,
    /// A JSON array.
    Json,
}

/// `gate inspect --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InspectFormat {
    /// One JSON object.
    Json,
}
