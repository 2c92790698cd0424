//! Stages: what they are built on, and how they look as resources.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::frontend::growth::Budget;
use crate::model::dockerfile::{Arguments, Dockerfile as File, Instruction, Stage, Word, names_windows};
use crate::model::{Entry, Map, Node, Number, Resource, Value};
use crate::source::{FileId, Source, Span};

/// Divides the instructions into stages.
pub(super) fn stages(file: FileId, instructions: &[Instruction], budget: &mut Budget) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut arguments: FxHashMap<String, String> = FxHashMap::default();
    let is_from = |instruction: &Instruction| instruction.keyword == "FROM";
    let first_from = instructions.iter().position(is_from).unwrap_or(instructions.len());
    for instruction in &instructions[..first_from] {
        if let Arguments::Pairs(pairs) = &instruction.arguments {
            for (name, value) in pairs.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
                arguments.insert(name.text.clone(), expand(&value.text, &arguments, budget));
            }
        }
    }
    let mut push = |range: std::ops::Range<usize>, from: Option<&Instruction>| {
        let Some(first) = instructions.get(range.start) else { return };
        let words = from.map(Instruction::words).unwrap_or_default();
        let written_base = words.first().map(|word| (*word).clone());
        let base = words.first().map(|word| Word { text: expand(&word.text, &arguments, budget), span: word.span });
        let name = words
            .get(1)
            .filter(|word| word.text.eq_ignore_ascii_case("as"))
            .and(words.get(2))
            .map(|word| word.text.to_lowercase());
        let parent = base.as_ref().and_then(|base| {
            let wanted = base.text.to_lowercase();
            stages.iter().rposition(|stage: &Stage| stage.name.as_deref() == Some(wanted.as_str()))
        });
        let platform = from.and_then(|from| from.flag("platform")).map_or("", |flag| flag.value.as_str());
        let is_windows = match parent {
            Some(parent) => stages[parent].is_windows,
            None => names_windows(base.as_ref().map_or("", |base| &base.text), platform),
        };
        let last = &instructions[range.end - 1];
        let span = Span::new(file, first.span.start, last.span.end);
        stages.push(Stage {
            index: stages.len(),
            name,
            base,
            parent,
            instructions: range,
            head: first.span,
            span,
            written_base,
            is_base: false,
            is_source: false,
            is_windows,
        });
    };
    let froms: Vec<usize> =
        instructions.iter().enumerate().filter(|(_, one)| is_from(one)).map(|(index, _)| index).collect();
    if froms.is_empty() && !instructions.is_empty() {
        push(0..instructions.len(), None);
    }
    for (number, from) in froms.iter().enumerate() {
        let end = froms.get(number + 1).copied().unwrap_or(instructions.len());
        push(*from..end, Some(&instructions[*from]));
    }
    mark_used(&mut stages, instructions);
    stages
}

/// Tells stages that others are built on, and those that others take files from.
fn mark_used(stages: &mut [Stage], instructions: &[Instruction]) {
    let parents: Vec<usize> = stages.iter().filter_map(|stage| stage.parent).collect();
    parents.into_iter().for_each(|parent| stages[parent].is_base = true);
    let mut sources: FxHashSet<String> = FxHashSet::default();
    for flag in instructions.iter().flat_map(|one| &one.flags) {
        let name = match flag.name.as_str() {
            "from" => Some(flag.value.as_str()),
            "mount" => flag.value.split(',').find_map(|part| part.strip_prefix("from=")),
            _ => None,
        };
        sources.extend(name.map(|name| name.trim_matches('"').to_lowercase()));
    }
    for stage in stages {
        let is_named = stage.name.as_ref().is_some_and(|name| sources.contains(name));
        stage.is_source = is_named || sources.contains(&stage.index.to_string());
    }
}

/// Expands `$x`, `${x}`, `${x:-default}` and `${x:+other}`; what has no value stays as written.
fn expand(text: &str, values: &FxHashMap<String, String>, budget: &mut Budget) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        rest = &rest[at..];
        let (name, whole, default) = match rest[1..].strip_prefix('{') {
            Some(inner) => {
                let Some(end) = inner.find('}') else { break };
                let body = &inner[..end];
                let split = body.find([':', '-', '+', '#', '%', '/']).unwrap_or(body.len());
                (&body[..split], end + 3, &body[split..])
            }
            None => {
                let end =
                    rest[1..].find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(rest.len() - 1);
                (&rest[1..1 + end], 1 + end, "")
            }
        };
        let value = values.get(name).filter(|value| !value.is_empty() || !default.starts_with(':'));
        let replaced = match (default.trim_start_matches(':').chars().next(), value) {
            (Some('-'), None) => Some(default.trim_start_matches(':')[1..].to_string()),
            (Some('+'), Some(_)) => Some(default.trim_start_matches(':')[1..].to_string()),
            (_, value) => value.cloned(),
        };
        match replaced {
            Some(value) if !name.is_empty() && budget.spend(value.len()) => result.push_str(&value),
            _ => result.push_str(&rest[..whole]),
        }
        rest = &rest[whole..];
    }
    result.push_str(rest);
    result
}

/// A stage as a resource, for table rules, Rego and `gate inspect`.
pub(super) fn resource(dockerfile: &Arc<File>, stage: &Stage, source: &Source) -> Resource {
    let head = source.first_line(stage.head);
    let mut entries = Vec::with_capacity(6);
    if let Some(base) = &stage.base {
        entries.push(entry("base", Node::string(&*base.text, base.span)));
    }
    let is_final = stage.index + 1 == dockerfile.stages.len();
    entries.push(entry("index", Node::new(Value::Number(Number::Int(stage.index as i64)), head)));
    entries.push(entry("final", Node::new(Value::Bool(is_final), head)));
    if let Some(instruction) = dockerfile.effective(stage, "USER") {
        entries.extend(user(instruction));
    } else if let Some((user, base)) = dockerfile.base_user(stage) {
        entries.push(entry("user", Node::string(user, base.span)));
    }
    if dockerfile.is_windows(stage) {
        entries.push(entry("os", Node::string("windows", head)));
    }
    let instructions = stage.instructions.clone().map(|index| {
        let file = Arc::clone(dockerfile);
        let make = Arc::new(move || instruction(&file.instructions[index]));
        Node::new(Value::Map(Arc::new(Map::deferred(make))), dockerfile.instructions[index].span)
    });
    let instructions = instructions.collect();
    entries.push(entry("instructions", Node::list(instructions, stage.span)));
    entries.shrink_to_fit();
    let name = stage.name.clone().unwrap_or_else(|| stage.index.to_string());
    Resource {
        format: "dockerfile",
        kind: "stage".into(),
        api_version: "".into(),
        address: format!("stage {name}").into(),
        name: name.into(),
        body: Node::map(entries, head),
        head,
        span: stage.span,
        calls: Arc::from([]),
        root: source.path().into(),
    }
}

/// The user that an image runs as, and the argument whose default decides it, which a build may set to another.
fn user(instruction: &Instruction) -> Vec<Entry> {
    let Some(user) = &instruction.user else { return Vec::new() };
    let at = instruction.words().first().map_or(instruction.keyword_span, |word| word.span);
    let Some(text) = &user.text else {
        let reason = "what sets the variables of USER is not in this file";
        return vec![entry("user", Node::unknown(reason, Vec::new(), true, at))];
    };
    let argument = user.argument.as_ref().map(|name| entry("user_argument", Node::string(&**name, at)));
    std::iter::once(entry("user", Node::string(&**text, at))).chain(argument).collect()
}

/// An instruction as a map. The Dockerfile itself says all of it to the rules that come with gate, and a second form of every
/// word would take more memory than all else.
fn instruction(instruction: &Instruction) -> Vec<Entry> {
    let text = |text: &str, span: Span| Node::string(text, span);
    let arguments = instruction.words().into_iter().map(|word| text(&word.text, word.span)).collect();
    let flags = instruction.flags.iter().map(|flag| entry(&flag.name, text(&flag.value, flag.span))).collect();
    vec![
        entry("keyword", text(instruction.keyword, instruction.keyword_span)),
        entry("arguments", Node::list(arguments, instruction.span)),
        entry("flags", Node::map(flags, instruction.span)),
    ]
}

fn entry(key: &str, node: Node) -> Entry {
    Entry { key: Arc::from(key), key_span: node.span, node }
}
