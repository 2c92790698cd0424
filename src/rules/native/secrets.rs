//! Checks of committed secrets: credentials of known forms wherever they stand, and literals assigned to secret names.

mod commands;
mod embedded;
pub mod manifests;
pub mod named;

use std::sync::{Arc, LazyLock};

use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};

use super::dockerfile::secrets::kept;
use super::dockerfile::{acting, line_from};
use super::{Cx, Findings, Found, Native};
use crate::frontend::terraform;
use crate::model::dockerfile::{Arguments, Dockerfile, Instruction};
use crate::model::{Model, Node, Resource, ResourceId, Secret, Value};
use crate::secret::{Kind, is_literal_secret, is_secret_name};
use crate::source::{FileId, Span};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("general-private-key-committed", Native::Project(|cx, out| known_forms(cx, Kind::PrivateKey, out))),
    ("general-aws-key-committed", Native::Project(|cx, out| known_forms(cx, Kind::AwsKey, out))),
    ("general-service-token-committed", Native::Project(|cx, out| known_forms(cx, Kind::ServiceToken, out))),
    ("general-credential-in-url", Native::Project(|cx, out| known_forms(cx, Kind::Connection, out))),
    ("general-secret-literal-committed", Native::Project(named_literals)),
    ("general-password-literal", Native::Project(literals)),
    ("docker-hardcoded-secret", Native::Project(in_image_variables)),
];

/// The checks that look at texts of every kind, not only at those of a format.
pub const IN_TEXTS: &[&str] = &[
    "general-private-key-committed",
    "general-aws-key-committed",
    "general-service-token-committed",
    "general-credential-in-url",
    "general-secret-literal-committed",
];

/// Who holds which part of the files.
struct Owners<'a> {
    model: &'a Model,
    by_file: FxHashMap<FileId, Vec<ResourceId>>,
}

impl<'a> Owners<'a> {
    /// Looks at the files that have credentials in them.
    fn new(model: &'a Model) -> Owners<'a> {
        let files: FxHashSet<FileId> = model.secrets.iter().map(|secret| secret.span.file).collect();
        let mut by_file: FxHashMap<FileId, Vec<ResourceId>> = FxHashMap::default();
        for (id, resource) in model.iter().filter(|(_, resource)| files.contains(&resource.span.file)) {
            by_file.entry(resource.span.file).or_default().push(id);
        }
        Owners { model, by_file }
    }

    /// The smallest resource around a place; the first of several instances.
    fn of(&self, place: Span) -> Option<ResourceId> {
        let candidates = self.by_file.get(&place.file)?.iter().copied();
        let around = candidates.filter(|id| self.model.resource(*id).span.contains(place));
        around.min_by_key(|id| {
            let span = self.model.resource(*id).span;
            (span.end - span.start, *id)
        })
    }
}

/// Credentials of one kind in all texts; those that a more special rule speaks of are left to it.
fn known_forms(cx: &Cx, kind: Kind, out: &mut Findings) {
    let owners = Owners::new(cx.model);
    for secret in cx.model.secrets.iter().filter(|secret| secret.kind == kind) {
        let owner = owners.of(secret.span);
        let is_special = owner.is_some_and(|id| manifests::judges(cx.model.resource(id)))
            || image_variable(&cx.model.dockerfiles, secret.span).is_some();
        if !is_special {
            let what = secret.what;
            let found =
                report(cx, secret, format!("{what} is written out, wanted a reference to where it is kept"), out);
            found.resource = owner;
        }
    }
}

/// Literals of secret names in texts that no model gives a meaning; where one does, it is judged by what it means, unless it
/// belongs to a header or a command inside of a value.
fn named_literals(cx: &Cx, out: &mut Findings) {
    let owners = Owners::new(cx.model);
    for secret in cx.model.secrets.iter().filter(|secret| secret.kind == Kind::Literal) {
        let file = secret.span.file;
        let path = cx.sources.get(file).path();
        let is_terraform = terraform::is_named(path);
        let owner = owners.of(secret.span);
        let is_image = cx.model.dockerfiles.binary_search_by_key(&file, |one| one.file).is_ok();
        let is_modelled = is_terraform || is_image || owner.is_some();
        let is_special = owner.is_some_and(|id| manifests::judges(cx.model.resource(id)))
            || image_variable(&cx.model.dockerfiles, secret.span).is_some();
        // The commands of images are judged with the model of them.
        let (text, start) = (cx.sources.get(file).text(), secret.span.start as usize);
        let is_embedded =
            || embedded::is_embedded(text, start, is_terraform) || !is_image && embedded::is_of_command(text, start);
        if is_modelled && (is_special || !is_embedded()) {
            continue;
        }
        let message = format!("{} is written out, wanted a reference to where it is kept", secret.what);
        report(cx, secret, message, out).identity = Some(name_before(cx, secret.span).to_string());
    }
}

/// The name that a value on the same line is assigned to: it tells findings of a file apart, and the value, which can be
/// guessed, does not.
fn name_before<'a>(cx: &Cx<'a>, place: Span) -> &'a str {
    let text = &cx.sources.get(place.file).text()[..place.start as usize];
    let line = text.rsplit('\n').next().unwrap_or(text);
    let named = line.trim_end_matches(|end: char| !end.is_ascii_alphanumeric());
    named.rsplit(|char: char| !char.is_ascii_alphanumeric() && char != '_' && char != '-').next().unwrap_or(named)
}

/// A finding about a credential of a known form.
fn report<'f>(cx: &Cx, secret: &Secret, message: String, out: &'f mut Findings) -> &'f mut Found {
    let text = cx.sources.slice(secret.span);
    // Passwords can be guessed; tokens and keys can't.
    let can_be_guessed = matches!(secret.kind, Kind::Connection | Kind::Literal);
    let identity = (!can_be_guessed).then(|| text.to_string());
    let found = out.at(secret.span, secret.what, message).holds(whole(cx, secret));
    found.identity = identity;
    found
}

/// The text of a credential. Of some keys no more than the first line is told, which all of their kind have.
fn whole<'a>(cx: &Cx<'a>, secret: &Secret) -> &'a str {
    const MAX: usize = 8_000;
    let text = cx.sources.slice(secret.span);
    if secret.kind != Kind::PrivateKey || text.lines().nth(1).is_some() || text.contains("\\n") {
        return text;
    }
    let rest = &cx.sources.get(secret.span.file).text()[secret.span.start as usize..];
    let mut end = rest.find("\n\n").unwrap_or(rest.len()).min(MAX).max(text.len());
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    match text.starts_with("-----BEGIN") || text.starts_with("PuTTY") {
        true => &rest[..end],
        false => text,
    }
}

/// The ENV or ARG instruction that holds a place.
fn image_variable(files: &[Arc<Dockerfile>], place: Span) -> Option<(&Dockerfile, &Instruction)> {
    let first = files.partition_point(|file| file.file < place.file);
    let files = files[first..].iter().take_while(|file| file.file == place.file);
    let (file, instruction) = files
        .flat_map(|file| file.instructions.iter().map(move |one| (file, one)))
        .find(|(_, one)| one.span.contains(place))?;
    let acting = acting(instruction);
    matches!(acting.keyword, "ENV" | "ARG").then_some((file, acting))
}

/// Credentials of known forms in ENV and ARG, whatever the name.
fn in_image_variables(cx: &Cx, out: &mut Findings) {
    let owners = Owners::new(cx.model);
    for secret in cx.model.secrets.iter().filter(|secret| secret.kind != Kind::Literal) {
        if let Some((file, instruction)) = image_variable(&cx.model.dockerfiles, secret.span) {
            let ships = file.ships(instruction);
            let message = kept(&format!("{} in {}", secret.what, instruction.keyword), ships);
            let found = report(cx, secret, message, out);
            found.resource = owners.of(secret.span);
            found.is_milder = !ships;
        }
    }
}

/// Literals assigned to secret names, each at the place where it is written.
fn literals(cx: &Cx, out: &mut Findings) {
    let mut walk = Walk { cx, seen: FxHashSet::default() };
    for (id, resource) in cx.model.iter() {
        out.about(id);
        match resource.format {
            "terraform" => walk.terraform(resource, out),
            "compose" => {
                // Of these the first is judged with the containers of other formats, the others only name things.
                const OTHERS: &[&str] = &["environment", "secrets", "configs", "networks", "depends_on", "env_file"];
                for entry in resource.body.entries().iter().filter(|entry| !OTHERS.contains(&&*entry.key)) {
                    walk.node(&entry.node, &entry.key, &entry.key, true, out);
                }
            }
            "kubernetes" if !manifests::judges(resource) && !is_without_secrets(&resource.kind) => {
                for entry in resource.body.entries().iter().filter(|entry| &*entry.key != "metadata") {
                    walk.node(&entry.node, &entry.key, &entry.key, true, out);
                }
            }
            _ => {}
        }
    }
    let mut stages: FxHashMap<FileId, Vec<(ResourceId, &Resource)>> = FxHashMap::default();
    for (id, stage) in cx.model.iter().filter(|(_, resource)| resource.format == "dockerfile") {
        stages.entry(stage.span.file).or_default().push((id, stage));
    }
    for file in &cx.model.dockerfiles {
        let stages = stages.get(&file.file).map_or(&[][..], |stages| stages);
        for instruction in &file.instructions {
            out.resource = stages.iter().find(|(_, one)| one.span.contains(instruction.span)).map(|(id, _)| *id);
            let acting = acting(instruction);
            in_commands(cx, acting, out);
            in_instruction(acting, out);
        }
    }
}

/// Whether objects of a kind hold no secrets of their own: definitions, and what only a controller's key opens.
fn is_without_secrets(kind: &str) -> bool {
    matches!(kind, "CustomResourceDefinition" | "SealedSecret")
}

struct Walk<'a, 'b> {
    cx: &'b Cx<'a>,
    /// Literals that have a finding.
    seen: FxHashSet<Span>,
}

impl Walk<'_, '_> {
    fn terraform(&mut self, resource: &Resource, out: &mut Findings) {
        for entry in resource.body.entries() {
            let name = match (&*resource.kind, &*entry.key) {
                ("variable" | "output", "description") => continue,
                ("local" | "output", "value") => &resource.name,
                // Strings have a rule of their own.
                ("variable", "default") if entry.node.as_str().is_some() => continue,
                _ => &entry.key,
            };
            self.node(&entry.node, name, &entry.key, false, out);
        }
    }

    /// Judges what is below a name. `in_manifest`: names of Kubernetes objects stand where a secret could.
    fn node(&mut self, node: &Node, name: &str, path: &str, in_manifest: bool, out: &mut Findings) {
        if let Some(structure) = &node.structure {
            return self.node(structure, name, path, in_manifest, out);
        }
        match &node.value {
            Value::Map(map) => {
                if let Some((name, value)) = pair(node) {
                    self.judge(name, value, &format!("{path}.value"), in_manifest, out);
                }
                for entry in map.entries() {
                    self.node(&entry.node, &entry.key, &format!("{path}.{}", entry.key), in_manifest, out);
                }
            }
            Value::List(items) => {
                let is_command = matches!(name, "args" | "command" | "entryPoint");
                for item in items.iter() {
                    match item.as_str().filter(|_| is_command).and_then(flag) {
                        Some((name, value)) => self.judge_text(name, value, item, path, in_manifest, out),
                        None => self.node(item, name, path, in_manifest, out),
                    }
                }
            }
            Value::String(text) if text.contains('\n') && !is_secret_name(name) => {
                self.script(node, path, in_manifest, out)
            }
            Value::String(_) => self.judge(name, node, path, in_manifest, out),
            Value::Unknown(unknown) if unknown.template.as_ref().is_some_and(|text| text.contains('\n')) => {
                self.script(node, path, in_manifest, out);
            }
            _ => {}
        }
    }

    /// Assignments in the lines of a script or file that is a value.
    fn script(&mut self, node: &Node, path: &str, in_manifest: bool, out: &mut Findings) {
        let place = origin(node);
        if !self.seen.insert(place) {
            return;
        }
        for (name, at) in in_lines(self.cx, place) {
            if in_manifest && names_object(name, self.cx.sources.slice(at)) {
                continue;
            }
            let message = format!("{name} is written out, wanted a reference to where it is kept");
            out.at(at, format!("{path}.{name}"), message).sensitive();
        }
    }

    fn judge(&mut self, name: &str, node: &Node, path: &str, in_manifest: bool, out: &mut Findings) {
        if let Some(text) = node.as_str() {
            self.judge_text(name, text, node, path, in_manifest, out);
        }
    }

    fn judge_text(&mut self, name: &str, text: &str, node: &Node, path: &str, in_manifest: bool, out: &mut Findings) {
        if !is_secret_name(name) || !is_literal_secret(text) || in_manifest && names_object(name, text) {
            return;
        }
        let origin = origin(node);
        // What is computed is written nowhere: its parts are judged where they stand.
        let first = text.lines().next().unwrap_or(text);
        if self.cx.sources.slice(origin).contains(first) && self.seen.insert(origin) {
            out.fail(node, path, format!("{name} is written out, wanted a reference to where it is kept")).holds(text);
        }
    }
}

/// Where a value was written.
fn origin(node: &Node) -> Span {
    node.trail.as_ref().and_then(|trail| trail.steps.last()).map_or(node.span, |step| step.span)
}

/// Secrets assigned in the lines of a text: names and places.
fn in_lines<'a>(cx: &Cx<'a>, place: Span) -> Vec<(&'a str, Span)> {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?m)^[ \t]*(?:- |export )?["']?([A-Za-z_][A-Za-z0-9_.-]*)["']?[ \t]*[:=][ \t]*(?:"([^"$\\]*)"|'([^'$\\]*)'|([^\s"'$`\\(){}\[\]<>*&!][^\s"'$`\\(){}\[\]<>]*)),?[ \t]*\r?$"#)
            .expect("the pattern is constant")
    });
    let mut secrets = Vec::new();
    // The text as it stands in the file, so that every line is found at its place.
    for found in LINE.captures_iter(cx.sources.slice(place)) {
        let value = found.get(2).or_else(|| found.get(3)).or_else(|| found.get(4));
        if let (Some(name), Some(value)) = (found.get(1), value)
            && is_secret_name(name.as_str())
            && is_literal_secret(value.as_str())
        {
            let at = Span::new(place.file, place.start + value.start() as u32, place.start + value.end() as u32);
            secrets.push((name.as_str(), at));
        }
    }
    secrets
}

/// The two parts of `{ name = "DB_PASSWORD", value = "…" }`.
fn pair(node: &Node) -> Option<(&str, &Node)> {
    let name = ["name", "key", "parameter_name"].iter().find_map(|key| node.get(key).known()?.as_str())?;
    Some((name, node.get("value").known()?))
}

/// `--db-password=…` or `PASSWORD=…`.
fn flag(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.trim_start_matches('-').split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    is_name.then_some((name, value))
}

/// Whether a field of a manifest rather names the object that holds the secret: `tlsSecret: web-tls`.
fn names_object(name: &str, value: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_label =
        value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    is_label && digits * 4 <= value.len() && !lower.contains("pass") && !lower.contains("pwd")
}

/// Passwords that commands of a RUN are given without a name.
fn in_commands(cx: &Cx, instruction: &Instruction, out: &mut Findings) {
    for command in instruction.commands() {
        let Some(word) = commands::password_of(command) else { continue };
        // What a rule about its form speaks of is left to it.
        let known = |secret: &Secret| {
            secret.kind != Kind::Literal && command.words[word].text.contains(cx.sources.slice(secret.span))
        };
        if cx.model.secrets_in(instruction.span).any(known) {
            continue;
        }
        let source = cx.sources.get(instruction.span.file);
        let place = line_from(cx, instruction, (instruction, command, word));
        let rest = place.unwrap_or_else(|| source.first_line(instruction.span));
        // Where the word is written as it is read, all else in its line may be shown.
        let (text, written) = (&command.words[word].text, source.slice(rest));
        let quotes = written.len() - written.trim_start_matches(['"', '\'']).len();
        let is_plain = place.is_some() && quotes < 2 && written[quotes..].starts_with(text.as_str());
        let end = if is_plain { rest.start + (text.len() + 2 * quotes) as u32 } else { rest.end };
        let at = Span { end: end.min(rest.end), ..rest };
        let message =
            format!("a password that {} is given is written out in RUN, wanted a secret mount", command.name());
        out.at(at, instruction.keyword.to_lowercase(), message).holds(text);
    }
}

/// Assignments and flags of a RUN script, and labels.
fn in_instruction(instruction: &Instruction, out: &mut Findings) {
    static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:^|[\s;&|'"(])(?:--?)?([A-Za-z_][A-Za-z0-9_.-]*)=(?:"([^"$`\\]*)"|'([^']*)'|([^\s"'$`\\;&|<>(){}]+))(?:[\s;&|)'"]|$)"#)
            .expect("the pattern is constant")
    });
    let keyword = instruction.keyword.to_lowercase();
    let mut judge = |name: &str, value: &str, at: Span| {
        if is_secret_name(name) && is_literal_secret(value) {
            let message = format!("{name} is written out in {}, wanted a secret mount", instruction.keyword);
            out.at(at, keyword.as_str(), message).holds(value);
        }
    };
    let mut in_text = |text: &str, place: &dyn Fn(usize) -> u32| {
        for found in ASSIGNMENT.captures_iter(text) {
            let value = found.get(2).or_else(|| found.get(3)).or_else(|| found.get(4));
            if let Some(value) = value {
                let (start, end) = (place(value.start()), place(value.end().saturating_sub(1)) + 1);
                judge(&found[1], value.as_str(), Span::new(instruction.span.file, start, end.max(start)));
            }
        }
    };
    match (instruction.keyword, &instruction.arguments) {
        ("RUN" | "CMD" | "ENTRYPOINT", Arguments::Text(script, _)) => {
            in_text(&script.text, &|at| script.offset(at));
            for heredoc in &instruction.heredocs {
                in_text(&heredoc.script.text, &|at| heredoc.script.offset(at));
            }
        }
        ("RUN" | "CMD" | "ENTRYPOINT", Arguments::Json(words)) => {
            for word in words {
                if let Some((name, value)) = flag(&word.text) {
                    judge(name, value, word.span);
                }
            }
        }
        ("LABEL", Arguments::Pairs(pairs)) => {
            for (name, value) in pairs {
                if let Some(value) = value {
                    judge(&name.text, &value.text, value.span);
                }
            }
        }
        _ => {}
    }
}
