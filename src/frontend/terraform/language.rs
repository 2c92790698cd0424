//! The blocks that are Terraform's own, and what may stand in them; what a provider defines is not here.
//!
//! Source: the configuration language's reference (terraform 1.11; `action` from 1.14 and OpenTofu's `encryption` are known, so
//! that newer files are not refused).

use super::syntax::{Block, BodyId, ExprKind, File};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;
use crate::spelling::did_you_mean;

/// What may stand in a body.
pub struct Schema {
    /// Its arguments, except those that a provider or a called module defines.
    arguments: &'static [&'static str],
    /// The arguments that must be there.
    required: &'static [&'static str],
    /// Its blocks.
    blocks: &'static [BlockType],
    /// A provider or a called module defines more.
    is_open: bool,
}

/// A type of block.
pub struct BlockType {
    /// The word that begins it.
    pub name: &'static str,
    /// What its labels are.
    pub labels: &'static [&'static str],
    /// What stands in it.
    pub body: Schema,
}

impl BlockType {
    /// Whether `dynamic` makes blocks in it.
    pub fn takes_dynamic(&self) -> bool {
        matches!(self.name, "data" | "ephemeral" | "provider" | "resource")
    }
}

const fn block(name: &'static str, labels: &'static [&'static str], body: Schema) -> BlockType {
    BlockType { name, labels, body }
}

const fn arguments(arguments: &'static [&'static str]) -> Schema {
    Schema { arguments, required: &[], blocks: &[], is_open: false }
}

impl Schema {
    const fn required(self, required: &'static [&'static str]) -> Schema {
        Schema { required, ..self }
    }

    const fn with(self, blocks: &'static [BlockType]) -> Schema {
        Schema { blocks, ..self }
    }

    /// The type of block of this name.
    pub fn block(&self, name: &str) -> Option<&'static BlockType> {
        self.blocks.iter().find(|one| one.name == name)
    }
}

/// Arguments outside of every block that are told one by one.
const MAX_STRAY: usize = 100;

/// Anything at all.
const OPEN: Schema = Schema { is_open: true, ..arguments(&[]) };

const CONDITION: Schema = arguments(&["condition", "error_message"]).required(&["condition", "error_message"]);

const CONNECTION: BlockType = block("connection", &[], OPEN);
const PROVISIONER: BlockType = block("provisioner", &["type"], OPEN);

const OF_DATA: &[BlockType] = &[block(
    "lifecycle",
    &[],
    arguments(&["enabled"]).with(&[block("precondition", &[], CONDITION), block("postcondition", &[], CONDITION)]),
)];

const OF_RESOURCE: &[BlockType] = &[
    block(
        "lifecycle",
        &[],
        arguments(&[
            "action_trigger",
            "create_before_destroy",
            "destroy",
            "enabled",
            "ignore_changes",
            "prevent_destroy",
            "replace_triggered_by",
        ])
        .with(&[
            block("precondition", &[], CONDITION),
            block("postcondition", &[], CONDITION),
            block("action_trigger", &[], OPEN),
        ]),
    ),
    CONNECTION,
    PROVISIONER,
];

/// A file as a whole.
pub static FILE: Schema = arguments(&[]).with(&[
    block("resource", &["type", "name"], OPEN.with(OF_RESOURCE)),
    block("data", &["type", "name"], OPEN.with(OF_DATA)),
    block("ephemeral", &["type", "name"], OPEN.with(OF_DATA)),
    block("action", &["type", "name"], OPEN),
    block(
        "variable",
        &["name"],
        arguments(&["const", "default", "deprecated", "description", "ephemeral", "nullable", "sensitive", "type"])
            .with(&[block("validation", &[], CONDITION)]),
    ),
    block(
        "output",
        &["name"],
        arguments(&["deprecated", "depends_on", "description", "ephemeral", "sensitive", "type", "value"])
            .required(&["value"])
            .with(&[block("precondition", &[], CONDITION)]),
    ),
    block("module", &["name"], OPEN),
    block("provider", &["name"], OPEN),
    block("locals", &[], OPEN),
    block(
        "terraform",
        &[],
        arguments(&["experiments", "language", "required_version"]).with(&[
            block("backend", &["type"], OPEN),
            block("cloud", &[], OPEN),
            block("encryption", &[], OPEN),
            block("provider_meta", &["provider"], OPEN),
            block("required_providers", &[], OPEN),
        ]),
    ),
    block(
        "check",
        &["name"],
        arguments(&[]).with(&[block("assert", &[], CONDITION), block("data", &["type", "name"], OPEN.with(OF_DATA))]),
    ),
    block("moved", &[], arguments(&["from", "to"]).required(&["from", "to"])),
    block("import", &[], arguments(&["for_each", "id", "identity", "provider", "to"]).required(&["to"])),
    block(
        "removed",
        &[],
        arguments(&["from"]).required(&["from"]).with(&[
            block("lifecycle", &[], arguments(&["destroy"])),
            CONNECTION,
            PROVISIONER,
        ]),
    ),
]);

/// What terraform refuses at the top of a file. Nothing of such a block is judged, which closes the gate.
pub fn check_file(file: &File, problems: &mut Vec<Problem>) {
    // `//` is the way to write a comment in JSON.
    let stray = || file.attributes(file.root()).iter().filter(|attribute| file.text(attribute.name) != "//");
    let known: Vec<&str> = FILE.blocks.iter().map(|one| one.name).collect();
    for attribute in stray().take(MAX_STRAY) {
        let name = file.text(attribute.name);
        let span = file.name_span(attribute);
        let help = did_you_mean(name, &known).unwrap_or_else(|| "put it in a block".into());
        let message = format!("`{name}` stands outside of every block; terraform refuses it");
        problems.push(Problem::at(ProblemKind::Unread, span, message).help(help));
    }
    if let Some(next) = stray().nth(MAX_STRAY) {
        let span = file.name_span(next);
        let message = format!("{} more arguments stand outside of every block", stray().count() - MAX_STRAY);
        problems.push(Problem::at(ProblemKind::Unread, span, message).help("put them in blocks"));
    }
}

/// Whether terraform takes a block at the top of a file; if not, and for what it refuses inside, tells why.
pub fn check_block(file: &File, block: &Block, is_override: bool, problems: &mut Vec<Problem>) -> bool {
    let span = file.header_span(block);
    let Some(known) = known(file, block, &FILE, span, ProblemKind::Unread, problems) else { return false };
    check_body(file, block.body, &known.body, span, is_override, problems);
    check_repetition(file, block, problems);
    !(is_override && is_refused_override(file, block, problems))
}

/// The blocks that may have instances, whose number only one of two arguments may tell.
fn check_repetition(file: &File, block: &Block, problems: &mut Vec<Problem>) {
    let repeats = matches!(file.text(block.kind), "resource" | "data" | "ephemeral" | "module");
    let Some(each) = file.attribute(block.body, "for_each").filter(|_| repeats) else { return };
    if file.attribute(block.body, "count").is_some() {
        let span = file.name_span(each);
        let message = "a block takes either `count` or `for_each`; terraform refuses both".to_string();
        problems.push(Problem::at(ProblemKind::Evaluation, span, message).help("remove one of them"));
    }
}

/// What terraform refuses in override files, where it would be unclear what it changes; whether the whole block is refused.
fn is_refused_override(file: &File, block: &Block, problems: &mut Vec<Problem>) -> bool {
    let help = "put it in a file that is no override file";
    let kind = file.text(block.kind);
    if matches!(kind, "check" | "import" | "moved") {
        let message = format!("override files take no `{kind}`; terraform refuses it");
        problems.push(Problem::at(ProblemKind::Evaluation, file.header_span(block), message).help(help));
        return true;
    }
    let is_empty = |value| matches!(file.expr(value).kind, ExprKind::Tuple(items) if items.is_empty());
    let depends = file.attribute(block.body, "depends_on").filter(|one| !is_empty(one.value));
    if let Some(depends) = depends.filter(|_| matches!(kind, "data" | "module" | "output" | "resource")) {
        let span = file.name_span(depends);
        let message = "override files can't change `depends_on`; terraform refuses it";
        problems.push(Problem::at(ProblemKind::Evaluation, span, message.to_string()).help(help));
    }
    let lifecycles = file.blocks(block.body).iter().filter(|inner| file.text(inner.kind) == "lifecycle");
    let bodies = lifecycles.map(|lifecycle| lifecycle.body).chain([block.body]);
    for inner in bodies.flat_map(|body| file.blocks(body)) {
        let name = file.text(inner.kind);
        if matches!(name, "precondition" | "postcondition" | "validation") {
            let message = format!("override files can't change `{name}` blocks; terraform refuses it");
            problems.push(Problem::at(ProblemKind::Evaluation, file.header_span(inner), message).help(help));
        }
    }
    false
}

fn known(
    file: &File,
    block: &Block,
    schema: &Schema,
    span: Span,
    kind: ProblemKind,
    problems: &mut Vec<Problem>,
) -> Option<&'static BlockType> {
    let name = file.text(block.kind);
    let Some(known) = schema.block(name) else {
        let names: Vec<&str> = schema.blocks.iter().map(|one| one.name).collect();
        let message = format!("terraform knows no block `{}` here, so that it is not judged", name.escape_debug());
        let problem = Problem::at(kind, span, message);
        let help = did_you_mean(name, &names).unwrap_or_else(|| "correct the word, or remove the block".into());
        problems.push(problem.help(help));
        return None;
    };
    let count = file.labels(block).count();
    if count != known.labels.len() {
        let wanted = match known.labels {
            [] => "no label".to_string(),
            labels => format!("the label{} {}", if labels.len() == 1 { "" } else { "s" }, labels.join(" and ")),
        };
        let message =
            format!("`{name}` wants {wanted}, got {count}; terraform refuses the block, so that it is not judged");
        problems.push(Problem::at(kind, span, message).help("correct its labels"));
        return None;
    }
    Some(known)
}

/// What terraform refuses in a body that is its own.
fn check_body(file: &File, body: BodyId, schema: &Schema, head: Span, is_override: bool, problems: &mut Vec<Problem>) {
    let mut refuse = |span: Span, message: String, help: Option<String>| {
        problems.push(Problem { help, ..Problem::at(ProblemKind::Evaluation, span, message) });
    };
    if !schema.is_open {
        for attribute in file.attributes(body) {
            let name = file.text(attribute.name);
            if name == "//" || schema.arguments.contains(&name) || schema.block(name).is_some() {
                continue;
            }
            let span = file.name_span(attribute);
            let shown = name.escape_debug();
            refuse(span, format!("terraform knows no argument `{shown}` here"), did_you_mean(name, schema.arguments));
        }
    }
    for name in schema.required.iter().filter(|_| !is_override) {
        let is_there = file.attributes(body).iter().any(|attribute| file.text(attribute.name) == *name);
        if !is_there {
            refuse(head, format!("the argument `{name}` is missing; terraform refuses the block"), None);
        }
    }
    for block in file.blocks(body) {
        let span = file.header_span(block);
        if schema.is_open && schema.block(file.text(block.kind)).is_none() {
            continue;
        }
        if let Some(known) = known(file, block, schema, span, ProblemKind::Evaluation, problems) {
            check_body(file, block.body, &known.body, span, is_override, problems);
        }
    }
}
