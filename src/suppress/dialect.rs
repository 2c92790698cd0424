//! The syntaxes of suppressions, a row each: gate's own and those of other tools.
//!
//! A row reads one line of a comment, without comment signs, or one annotation of a Kubernetes object. What it yields says
//! which rules are meant and how far it reaches; [`super::reach`] finds the text that it covers.

use std::sync::LazyLock;

use regex::Regex;

use super::{Date, words};
use crate::model::dockerfile::BUILD_CHECKS;

/// A syntax of comments.
pub(super) struct Row {
    /// The name in reports and in the configuration.
    pub dialect: &'static str,
    /// Text without which a comment is none of these.
    pub needle: &'static str,
    /// Reads one line.
    pub read: fn(&Line<'_>, &mut Vec<Mark>),
}

/// gate's own.
pub(super) const OWN: Row = Row { dialect: "gate", needle: "gate:", read: gate };

/// All syntaxes of comments; gate's own comes first, since its reasons are the ones to show.
pub(super) const ROWS: &[Row] = &[
    OWN,
    Row { dialect: "checkov", needle: ":skip=", read: checkov },
    Row { dialect: "trivy", needle: "trivy:", read: trivy },
    Row { dialect: "tfsec", needle: "tfsec:", read: tfsec },
    Row { dialect: "hadolint", needle: "hadolint", read: hadolint },
    Row { dialect: "kics", needle: "kics-scan", read: kics },
    Row { dialect: "detect-secrets", needle: "pragma:", read: detect_secrets },
    Row { dialect: "gitleaks", needle: "gitleaks:allow", read: gitleaks },
    Row { dialect: "buildkit", needle: "skip", read: buildkit },
];

/// A syntax of annotations.
pub(super) struct AnnotationRow {
    /// The name in reports and in the configuration.
    pub dialect: &'static str,
    /// Reads one annotation.
    pub read: fn(&str, &str) -> Option<Mark>,
}

/// All syntaxes of annotations.
pub(super) const ANNOTATION_ROWS: &[AnnotationRow] = &[
    AnnotationRow { dialect: "gate", read: gate_annotation },
    AnnotationRow { dialect: "kube-linter", read: kube_linter_annotation },
    AnnotationRow { dialect: "checkov", read: checkov_annotation },
];

/// One line of a comment.
pub(super) struct Line<'a> {
    /// Without comment signs and outer blanks.
    pub text: &'a str,
    /// The frontend of the file; none when it has no resources.
    pub format: Option<&'static str>,
}

/// What a comment or annotation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub ids: Ids,
    pub reach: Reach,
    pub reason: String,
    /// Last day on which it acts.
    pub until: Option<Date>,
    pub owner: Option<String>,
    /// Only where the block at hand has these attributes.
    pub filter: Vec<(String, String)>,
    /// Why it does not act, for whoever wrote it; with what to do.
    pub fault: Option<(String, String)>,
}

/// The rules that are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ids {
    Named(Vec<String>),
    All,
    AllBut(Vec<String>),
    /// Every rule about a secret that is written out.
    Secrets,
}

/// The text that is meant, seen from the comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The line of the comment or the next line of code, with all of the block, object or instruction that begins there.
    Statement,
    /// The same, but the next line of code must follow at once; stacked comments count as one.
    AdjacentStatement,
    /// The instruction on the very next line, and nothing else that begins there.
    AdjacentInstruction,
    /// Findings placed on the line of the comment.
    OwnLine,
    /// Findings placed on the line of the comment, the one above or the one below.
    Beside,
    /// Findings placed on the next line of code.
    LineBelow,
    /// The block around the comment, whose first and last line do not count.
    Enclosing,
    /// The build stage that begins on the very next line.
    Stage,
    /// The file.
    File,
    /// The file, if nothing but comments stands above.
    FileTop,
    /// The file, if the comment is a parser directive.
    Directive,
    /// The object that has the annotation.
    Object,
}

impl Mark {
    fn new(ids: Ids, reach: Reach, reason: &str) -> Mark {
        let reason = reason.trim().to_string();
        Mark { ids, reach, reason, until: None, owner: None, filter: Vec::new(), fault: None }
    }

    fn named(ids: &str, reach: Reach, reason: &str) -> Mark {
        let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_string).collect();
        Mark::new(Ids::Named(ids), reach, reason)
    }

    /// Takes `until=` and `by=`; false for any other word. Of several days the first counts.
    fn option(&mut self, word: &str) -> bool {
        match words::option(word) {
            Some(("until", day)) => {
                let until = Date::parse(day);
                if until.is_none() {
                    let help = "write the last day on which it acts as until=2027-03-01";
                    self.fault = Some((format!("`{day}` is not a date, so it does not act"), help.into()));
                }
                self.until = self.until.into_iter().chain(until).min();
                true
            }
            Some((_, owner)) => {
                self.owner = Some(owner.to_string());
                true
            }
            None => false,
        }
    }

    /// Takes the options of a text wherever they stand; the rest is the reason.
    fn options_and_reason(&mut self, text: &str) {
        let mut words = words::words(text, char::is_whitespace);
        let all = words.len();
        words.retain(|word| !self.option(word));
        let reason = words.join(" ");
        let has_options = words.len() < all;
        self.reason = if has_options { reason.trim_end_matches([',', ';']).to_string() } else { reason };
    }
}

const HOW: &str = "write `# gate: ignore[rule-id] reason` above what is meant or at the end of its line";

/// `gate: ignore[id, id until=2027-03-01] by=team reason` and `gate: ignore-file[id] reason`.
fn gate(line: &Line<'_>, out: &mut Vec<Mark>) {
    let fault = |message: &str, help: &str| {
        let mut mark = Mark::new(Ids::Named(Vec::new()), Reach::Statement, "");
        mark.fault = Some((message.into(), help.into()));
        mark
    };
    let Some(rest) = line.text.strip_prefix("gate:").map(str::trim_start) else {
        if line.text.contains("gate: ignore[") || line.text.contains("gate: ignore-file[") {
            out.push(fault("a suppression does not act after other words", HOW));
        }
        return;
    };
    let (reach, rest) = match (rest.strip_prefix("ignore-file"), rest.strip_prefix("ignore")) {
        (Some(rest), _) => (Reach::FileTop, rest),
        (None, Some(rest)) => (Reach::Statement, rest),
        // `gate: opens at nine` is prose.
        (None, None) => return,
    };
    if rest.starts_with(|next: char| next.is_alphanumeric()) {
        return;
    }
    let Some((inside, after)) = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return out.push(fault("a suppression without rule ids does not act", HOW));
    };
    let mut mark = Mark::new(Ids::Named(Vec::new()), reach, "");
    let mut ids = Vec::new();
    for word in words::words(inside, |sign| matches!(sign, ',' | ' ' | '\t')) {
        if !mark.option(word) {
            ids.push(word.to_string());
        }
    }
    if ids.is_empty() {
        return out.push(fault("a suppression without rule ids does not act", HOW));
    }
    if let Some(pattern) = ids.iter().find(|id| id.contains('*')) {
        return out.push(fault(&format!("`{pattern}` is a pattern, so it does not act"), "name each rule by its id"));
    }
    mark.ids = Ids::Named(ids);
    mark.options_and_reason(after);
    out.push(mark);
}

/// `checkov:skip=ID,ID:reason` anywhere in the line; `bridgecrew` and `cortex` are other names of the tool.
fn checkov(line: &Line<'_>, out: &mut Vec<Mark>) {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?:checkov|bridgecrew|cortex):skip= *([A-Za-z0-9_-]+(?:,[A-Za-z0-9_-]+)*)(?::(.*))?")
            .expect("the pattern is fixed")
    });
    let reach = match line.format {
        Some("dockerfile") => Reach::File,
        Some("terraform") => Reach::Enclosing,
        // Of manifests the tool reads annotations, and of any text what is said of secrets.
        _ => Reach::Beside,
    };
    for found in PATTERN.captures_iter(line.text) {
        let reason = found.get(2).map_or("", |reason| reason.as_str());
        let mut mark = Mark::named(&found[1], reach, reason);
        if let (Reach::Beside, Ids::Named(ids)) = (reach, &mut mark.ids) {
            ids.retain(|id| id.starts_with("CKV_SECRET_"));
        }
        if mark.ids != Ids::Named(Vec::new()) {
            out.push(mark);
        }
    }
}

fn trivy(line: &Line<'_>, out: &mut Vec<Mark>) {
    sections(line, "trivy:", out);
}

fn tfsec(line: &Line<'_>, out: &mut Vec<Mark>) {
    sections(line, "tfsec:", out);
}

/// `trivy:ignore:ID[name=value]:exp:2027-01-31:ws:dev-*`; each word of the line may be one.
fn sections(line: &Line<'_>, prefix: &str, out: &mut Vec<Mark>) {
    for word in line.text.split_whitespace() {
        let word = word.trim_start_matches(['#', '/', '*']);
        let Some(rest) = word.strip_prefix(prefix) else { continue };
        let parts: Vec<&str> = rest.split(':').collect();
        let mut mark = Mark::new(Ids::Named(Vec::new()), Reach::AdjacentStatement, "");
        let mut is_elsewhere = false;
        for pair in parts.chunks_exact(2) {
            match pair {
                ["ignore", id] => {
                    let (id, filter) = id.split_once('[').unwrap_or((id, ""));
                    mark.ids = if id == "*" { Ids::All } else { Ids::Named(vec![id.to_string()]) };
                    let pairs = filter.trim_end_matches(']').split(',').filter_map(|pair| pair.split_once('='));
                    mark.filter = pairs.map(|(name, value)| (name.to_string(), value.to_string())).collect();
                }
                ["exp", day] => match Date::parse(day) {
                    // The day itself is the first on which it no longer acts.
                    Some(date) => mark.until = Some(date.previous()),
                    None => {
                        let help = "write the first day on which it no longer acts as exp:2027-01-31";
                        mark.fault = Some((format!("`{day}` is not a date, so it does not act"), help.into()));
                    }
                },
                // The text alone knows no workspace but the one that every configuration has.
                ["ws" | "workspace", pattern] => is_elsewhere = !super::wildcard(pattern, "default"),
                _ => {}
            }
        }
        let names_something = !matches!(&mark.ids, Ids::Named(ids) if ids.iter().all(String::is_empty));
        if names_something && !is_elsewhere {
            out.push(mark);
        }
    }
}

/// `hadolint ignore=DL3006, DL3008`, and with `global` or `stage` before it. A word that is no rule of the tool's makes it take
/// the whole for prose.
fn hadolint(line: &Line<'_>, out: &mut Vec<Mark>) {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^hadolint\s+(?:(global|stage)\s+)?ignore\s*=\s*((?:DL|SC)\d+(?:\s*,\s*(?:DL|SC)\d+)*)\s*(?:#(.*))?$",
        )
        .expect("the pattern is fixed")
    });
    if line.format != Some("dockerfile") {
        return;
    }
    let Some(found) = PATTERN.captures(line.text) else { return };
    let reach = match found.get(1).map(|word| word.as_str()) {
        Some("global") => Reach::File,
        Some(_) => Reach::Stage,
        None => Reach::AdjacentInstruction,
    };
    out.push(Mark::named(&found[2], reach, found.get(3).map_or("", |reason| reason.as_str())));
}

/// `kics-scan ignore`, `disable=` and `enable=` for files, `ignore-line` and `ignore-block` for what follows; ids are UUIDs.
fn kics(line: &Line<'_>, out: &mut Vec<Mark>) {
    let Some(command) = line.text.strip_prefix("kics-scan").map(str::trim) else { return };
    let command = command.split_whitespace().next().unwrap_or("");
    let mark = match command.split_once('=') {
        None => match command {
            "ignore" => Mark::new(Ids::All, Reach::FileTop, ""),
            "ignore-line" => Mark::new(Ids::All, Reach::LineBelow, ""),
            "ignore-block" => Mark::new(Ids::All, Reach::AdjacentStatement, ""),
            _ => return,
        },
        Some(("disable", ids)) => Mark::named(ids, Reach::FileTop, ""),
        Some(("enable", ids)) => {
            let mut mark = Mark::named(ids, Reach::FileTop, "");
            if let Ids::Named(ids) = mark.ids {
                if ids.is_empty() {
                    let help = "name what alone is to be found, or leave it out";
                    mark.fault = Some(("`kics-scan enable` without ids does not act".into(), help.into()));
                }
                mark.ids = Ids::AllBut(ids);
            }
            mark
        }
        Some(_) => return,
    };
    out.push(mark);
}

/// `pragma: allowlist secret` at the end of a line, `pragma: allowlist nextline secret` above it; `whitelist` is its old name.
fn detect_secrets(line: &Line<'_>, out: &mut Vec<Mark>) {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"pragma: ?(?:allow|white)list(?: \[[^\]]*\])? (nextline )?secret").expect("the pattern is fixed")
    });
    if let Some(found) = PATTERN.captures(line.text) {
        let reach = if found.get(1).is_some() { Reach::LineBelow } else { Reach::OwnLine };
        out.push(Mark::new(Ids::Secrets, reach, ""));
    }
}

/// `gitleaks:allow` anywhere in the comment of a line.
fn gitleaks(_: &Line<'_>, out: &mut Vec<Mark>) {
    out.push(Mark::new(Ids::Secrets, Reach::OwnLine, ""));
}

/// `check=skip=JSONArgsRecommended,UndefinedVar;error=true` among the parser directives; `skip=all` means all of BuildKit's own
/// checks.
fn buildkit(line: &Line<'_>, out: &mut Vec<Mark>) {
    if line.format != Some("dockerfile") {
        return;
    }
    let Some((_, options)) = line.text.split_once('=').filter(|(name, _)| name.trim() == "check") else { return };
    let skipped = options.split(';').find_map(|option| {
        let (name, ids) = option.split_once('=')?;
        (name.trim() == "skip").then(|| ids.trim())
    });
    let Some(ids) = skipped else { return };
    let mut mark = match ids {
        "all" => Mark::named(&BUILD_CHECKS.join(","), Reach::Directive, ""),
        _ => Mark::named(ids, Reach::Directive, ""),
    };
    if let Ids::Named(ids) = &mut mark.ids
        && ids.iter().any(|id| id.eq_ignore_ascii_case("MultipleInstructionsDisallowed"))
    {
        // One check there, a rule for each instruction here.
        ids.extend(["docker-repeated-entrypoint".into(), "docker-repeated-healthcheck".into()]);
    }
    out.push(mark);
}

/// `gate.dev/ignore.<rule-id>: until=2027-03-01 reason`; comments die in templates, annotations do not.
fn gate_annotation(key: &str, value: &str) -> Option<Mark> {
    let mut mark = Mark::named(key.strip_prefix("gate.dev/ignore.")?, Reach::Object, "");
    mark.options_and_reason(value);
    Some(mark)
}

/// `ignore-check.kube-linter.io/<check>: reason`, `kube-linter.io/ignore-all: reason`.
fn kube_linter_annotation(key: &str, value: &str) -> Option<Mark> {
    if key == "kube-linter.io/ignore-all" {
        return Some(Mark::new(Ids::All, Reach::Object, value));
    }
    key.strip_prefix("ignore-check.kube-linter.io/").map(|check| Mark::named(check, Reach::Object, value))
}

/// `checkov.io/skip1: ID=reason`; what follows `skip` only makes the key unique.
fn checkov_annotation(key: &str, value: &str) -> Option<Mark> {
    let is_skip = ["checkov.io/skip", "bridgecrew.io/skip", "cortex.io/skip"].iter().any(|name| key.contains(name));
    let (id, reason) = value.split_once('=').unwrap_or((value, ""));
    is_skip.then(|| Mark::named(id, Reach::Object, reason))
}
