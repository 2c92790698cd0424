//! Table checks: a condition held against what a path leads to, with three answers.

use std::cell::RefCell;
use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::schema::{Absent, Condition, Demand, Scalar, Table, Target};
use crate::model::{Lookup, Model, Node, ResourceId, Unknown, Value};

/// What became of one value.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// True, false, or undecided because of an unknown.
    pub truth: Option<bool>,
    /// The value to blame.
    pub at: Lookup<'a>,
    /// Keys that lead to it from where the evaluation began.
    pub path: Vec<&'a str>,
    /// The operator that decided.
    pub operator: &'a Condition,
    /// Whether that operator, before any `not` around it, holds.
    pub holds: bool,
}

/// A finding or an undecided check of a table rule.
#[derive(Debug)]
pub struct Hit<'a> {
    /// Whether an unknown value left it undecided.
    pub undecided: bool,
    /// The value to blame.
    pub at: Lookup<'a>,
    /// Its path from the target's root.
    pub path: String,
    /// What should have been there, for the message.
    pub wanted: Option<String>,
    /// Which of the things that a list must hold it lacks, a bit for each that the table names.
    pub lacks: u64,
}

/// Where a condition is evaluated: the model for links, and the resource that is judged.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The model.
    pub model: &'a Model,
    /// The resource.
    pub resource: ResourceId,
}

/// Judges one root (a resource's body or a view's node) by a table and calls `hit` for every value that is bad or undecided.
pub fn judge<'a>(table: &'a Table, target: &'a Target, scope: Scope<'a>, root: &'a Node, hit: &mut dyn FnMut(Hit<'a>)) {
    let filter = table.filter.as_ref().map_or(Some(true), |filter| evaluate(filter, root.as_lookup(), scope).truth);
    if filter == Some(false) {
        return;
    }
    let mut subjects = Vec::new();
    root.all(&target.path, &mut subjects);
    if subjects.is_empty() {
        subjects.push(Lookup::Absent(root));
    }
    for subject in subjects {
        match (subject, table.absent) {
            (Lookup::Absent(_), Some(Absent::Pass)) => continue,
            (Lookup::Absent(_), Some(Absent::Fail)) => {
                hit(Hit {
                    undecided: filter.is_none(),
                    at: subject,
                    path: join(&target.path, &[]),
                    wanted: wanted(table),
                    lacks: 0,
                });
                continue;
            }
            _ => {}
        }
        for outcome in outcomes(&table.demand, subject, scope) {
            let bad = match table.demand {
                Demand::Fail(_) => outcome.truth,
                Demand::Expect(_) => outcome.truth.map(|truth| !truth),
            };
            if bad == Some(false) {
                continue;
            }
            hit(Hit {
                undecided: bad.is_none() || filter.is_none(),
                at: outcome.at,
                path: join(&target.path, &outcome.path),
                wanted: describe(outcome.operator, outcome.holds),
                lacks: match (outcome.operator, &table.demand) {
                    (Condition::Contains(_), Demand::Expect(conditions)) if !outcome.holds => {
                        lacks(conditions, subject, scope)
                    }
                    _ => 0,
                },
            });
        }
    }
}

/// What becomes of each condition of a demand.
fn outcomes<'a>(demand: &'a Demand, subject: Lookup<'a>, scope: Scope<'a>) -> Vec<Outcome<'a>> {
    match demand.conditions() {
        [only] => vec![evaluate(only, subject, scope)],
        several => several
            .iter()
            .flat_map(|condition| match condition {
                Condition::Each(path, inner) => below(path, inner, subject, scope).collect(),
                other => vec![evaluate(other, subject, scope)],
            })
            .collect(),
    }
}

/// Which of the parts of conditions on a list do not hold, a bit for each.
fn lacks(conditions: &[Condition], subject: Lookup<'_>, scope: Scope<'_>) -> u64 {
    let mut parts: Vec<&Condition> = conditions.iter().collect();
    let (mut lacks, mut bit) = (0, 1_u64);
    while let Some(part) = parts.pop() {
        match part {
            Condition::All(inner) | Condition::Any(inner) => parts.extend(inner),
            part => {
                if evaluate(part, subject, scope).truth == Some(false) {
                    lacks |= bit;
                }
                bit = bit.rotate_left(1);
            }
        }
    }
    lacks
}

/// What a table asks of its subject as a whole.
fn wanted(table: &Table) -> Option<String> {
    match &table.demand {
        Demand::Fail(condition) => describe(condition, true),
        Demand::Expect(conditions) => describe(conditions.first()?, false),
    }
}

fn join(path: &str, below: &[&str]) -> String {
    let keys: Vec<String> =
        [path].iter().chain(below).filter(|part| !part.is_empty()).map(|part| part.replace("[]", "")).collect();
    keys.join(".")
}

/// Whether the condition holds for a value.
pub fn evaluate<'a>(condition: &'a Condition, subject: Lookup<'a>, scope: Scope<'a>) -> Outcome<'a> {
    let answer = |truth: Option<bool>| Outcome {
        truth,
        at: subject,
        path: Vec::new(),
        operator: condition,
        holds: truth == Some(true),
    };
    match condition {
        Condition::Any(conditions) => {
            any(conditions.iter().map(|part| evaluate(part, subject, scope)), answer(Some(false)))
        }
        Condition::All(conditions) => {
            all(conditions.iter().map(|part| evaluate(part, subject, scope)), answer(Some(true)))
        }
        Condition::Not(inner) => {
            let outcome = evaluate(inner, subject, scope);
            Outcome { truth: outcome.truth.map(|truth| !truth), ..outcome }
        }
        Condition::At(path, inner) => any(below(path, inner, subject, scope), answer(Some(false))),
        Condition::Each(path, inner) => all(below(path, inner, subject, scope), answer(Some(true))),
        Condition::Linked(kinds, inner) => answer(linked(kinds, inner.as_deref(), scope)),
        operator => answer(operate(operator, subject)),
    }
}

fn below<'a>(
    path: &'a str,
    condition: &'a Condition,
    subject: Lookup<'a>,
    scope: Scope<'a>,
) -> impl Iterator<Item = Outcome<'a>> {
    let mut values = Vec::new();
    match subject {
        Lookup::Known(node) => node.all(path, &mut values),
        // Nothing below an unknown is known, and nothing below an absent value is there.
        other => values.push(other),
    }
    values.into_iter().map(move |value| {
        let mut outcome = evaluate(condition, value, scope);
        outcome.path.insert(0, path);
        outcome
    })
}

/// True beats unknown beats false; the first of the winning kind is blamed.
fn any<'a>(outcomes: impl Iterator<Item = Outcome<'a>>, none: Outcome<'a>) -> Outcome<'a> {
    let mut best: Option<Outcome<'a>> = None;
    for outcome in outcomes {
        match outcome.truth {
            Some(true) => return outcome,
            None if best.as_ref().is_none_or(|best| best.truth.is_some()) => best = Some(outcome),
            Some(false) if best.is_none() => best = Some(outcome),
            _ => {}
        }
    }
    best.unwrap_or(none)
}

/// False beats unknown beats true. The last true part is blamed: authors name the telling part last.
fn all<'a>(outcomes: impl Iterator<Item = Outcome<'a>>, none: Outcome<'a>) -> Outcome<'a> {
    let mut best: Option<Outcome<'a>> = None;
    for outcome in outcomes {
        match outcome.truth {
            Some(false) => return outcome,
            None if best.as_ref().is_none_or(|best| best.truth.is_some()) => best = Some(outcome),
            Some(true) if best.as_ref().is_none_or(|best| best.truth.is_some()) => best = Some(outcome),
            _ => {}
        }
    }
    best.unwrap_or(none)
}

/// Whether a resource of one of these kinds is joined with this one by a reference and satisfies the condition.
fn linked<'a>(kinds: &'a [String], condition: Option<&'a Condition>, scope: Scope<'a>) -> Option<bool> {
    let graph = &scope.model.graph;
    let mut others: Vec<ResourceId> = graph.outgoing(scope.resource).iter().map(|edge| edge.to).collect();
    others.extend(graph.incoming(scope.resource).iter().map(|edge| edge.from));
    others.sort();
    others.dedup();
    let mut truth = Some(false);
    for id in others {
        let other = scope.model.resource(id);
        if !kinds.iter().any(|kind| kind_matches(kind, &other.kind)) {
            continue;
        }
        let holds = condition.map_or(Some(true), |condition| {
            evaluate(condition, other.body.as_lookup(), Scope { resource: id, ..scope }).truth
        });
        match holds {
            Some(true) => return Some(true),
            None => truth = None,
            Some(false) => {}
        }
    }
    truth
}

/// Whether a selector's kind, which may end in `*`, names this kind.
pub fn kind_matches(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => pattern == kind,
    }
}

fn operate(operator: &Condition, subject: Lookup<'_>) -> Option<bool> {
    match subject {
        Lookup::Known(node) => operate_known(operator, node),
        Lookup::Absent(_) => Some(match operator {
            Condition::Present(wanted)
            | Condition::Written(wanted)
            | Condition::CidrOpen(wanted)
            | Condition::Wildcard(wanted) => !wanted,
            Condition::Empty(wanted) => *wanted,
            _ => false,
        }),
        Lookup::Unknown(node) => match (operator, &node.value) {
            (Condition::Written(wanted), _) => Some(!wanted),
            (Condition::Present(wanted), Value::Unknown(unknown)) if unknown.not_null => Some(*wanted),
            (Condition::Empty(wanted), Value::Unknown(unknown)) if unknown.not_null => Some(!wanted),
            (Condition::Equals(scalar), Value::Unknown(unknown)) if begins_otherwise(unknown, scalar) => Some(false),
            (Condition::In(scalars), Value::Unknown(unknown))
                if scalars.iter().all(|scalar| begins_otherwise(unknown, scalar)) =>
            {
                Some(false)
            }
            _ => None,
        },
    }
}

/// Whether the known beginning of a text shows that it is another one.
fn begins_otherwise(unknown: &Unknown, scalar: &Scalar) -> bool {
    let (Some(template), Scalar::String(text)) = (&unknown.template, scalar) else { return false };
    let known = template.split("${").next().unwrap_or("");
    !text.starts_with(known)
}

fn operate_known(operator: &Condition, node: &Node) -> Option<bool> {
    let elements = node.items();
    let is_list = matches!(node.value, Value::List(_));
    match operator {
        Condition::Equals(scalar) => Some(equals(node, scalar)),
        Condition::In(scalars) => Some(scalars.iter().any(|scalar| equals(node, scalar))),
        Condition::LessThan(limit) => Some(node.as_f64().is_some_and(|number| number < *limit)),
        Condition::MoreThan(limit) => Some(node.as_f64().is_some_and(|number| number > *limit)),
        Condition::Present(wanted) => Some((!is_list || !elements.is_empty()) == *wanted),
        Condition::Empty(wanted) => Some(node.is_empty() == *wanted),
        Condition::Written(wanted) => Some(node.is_empty() != *wanted),
        Condition::Matches(_) | Condition::Contains(_) | Condition::CidrOpen(_) | Condition::Wildcard(_) if is_list => {
            // The opposite form (`cidr_open: false`) asks that no element is: the complement of the positive one.
            let (positive, wanted) = match operator {
                Condition::CidrOpen(wanted) => (Condition::CidrOpen(true), *wanted),
                Condition::Wildcard(wanted) => (Condition::Wildcard(true), *wanted),
                Condition::Contains(scalar) => (Condition::In(vec![scalar.clone()]), true),
                other => (other.clone(), true),
            };
            let mut truth = Some(false);
            for element in elements {
                match operate(&positive, element.as_lookup()) {
                    Some(true) => return Some(wanted),
                    None => truth = None,
                    Some(false) => {}
                }
            }
            truth.map(|truth| truth == wanted)
        }
        Condition::Matches(pattern) => Some(matches(pattern, &text_of(node)?)),
        Condition::Contains(Scalar::String(part)) => Some(node.as_str().is_some_and(|text| text.contains(&**part))),
        Condition::Contains(_) => Some(false),
        Condition::CidrOpen(wanted) => Some(node.as_str().is_some_and(cidr_is_open) == *wanted),
        Condition::Wildcard(wanted) => Some(node.as_str().is_some_and(|text| text.contains('*')) == *wanted),
        _ => unreachable!("combinators are evaluated by `evaluate`"),
    }
}

fn text_of(node: &Node) -> Option<String> {
    Some(match &node.value {
        Value::String(text) => text.to_string(),
        Value::Bool(bool) => bool.to_string(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

fn equals(node: &Node, scalar: &Scalar) -> bool {
    match scalar {
        Scalar::Bool(bool) => node.as_bool() == Some(*bool),
        Scalar::Number(number) => node.as_f64() == Some(*number),
        Scalar::String(text) => match &node.value {
            Value::String(value) => **value == **text,
            Value::Number(number) => number.to_string() == *text,
            Value::Bool(bool) => bool.to_string() == *text,
            _ => false,
        },
    }
}

thread_local! {
    /// Patterns come from rules and are few; each thread compiles the ones that it meets.
    static PATTERNS: RefCell<FxHashMap<String, regex::Regex>> = RefCell::default();
}

fn matches(pattern: &str, text: &str) -> bool {
    PATTERNS.with_borrow_mut(|patterns| {
        if let Some(regex) = patterns.get(pattern) {
            return regex.is_match(text);
        }
        let regex = regex::Regex::new(pattern).expect("the schema compiled it before");
        let found = regex.is_match(text);
        patterns.insert(pattern.to_string(), regex);
        found
    })
}

/// Whether a CIDR block stands for the internet: `0.0.0.0/0`, `::/0`, or a public block wider than /8 (IPv4) or /16 (IPv6),
/// which is nobody's own network.
pub fn cidr_is_open(text: &str) -> bool {
    let Some((address, length)) = text.trim().split_once('/') else { return false };
    let (Ok(address), Ok(length)) = (address.parse::<IpAddr>(), length.parse::<u8>()) else { return false };
    match address {
        IpAddr::V4(_) => length < 8,
        IpAddr::V6(address) => {
            // fc00::/7 and fe80::/10 are local whatever their width.
            let local = (address.segments()[0] & 0xfe00) == 0xfc00 || (address.segments()[0] & 0xffc0) == 0xfe80;
            length < 16 && !(local && length >= 7)
        }
    }
}

/// What a condition asks for, in words for a message: `wanted` completes "…, wanted".
pub fn describe(condition: &Condition, negated: bool) -> Option<String> {
    let list = |scalars: &[Scalar]| scalars.iter().map(Scalar::to_string).collect::<Vec<_>>().join(", ");
    Some(match (condition, negated) {
        (Condition::Equals(scalar), false) => scalar.to_string(),
        (Condition::Equals(Scalar::Bool(bool)), true) => (!bool).to_string(),
        (Condition::Equals(scalar), true) => format!("anything but {scalar}"),
        (Condition::In(scalars), false) => format!("one of {}", list(scalars)),
        (Condition::In(scalars), true) => format!("none of {}", list(scalars)),
        (Condition::LessThan(limit), false) => format!("less than {limit}"),
        (Condition::LessThan(limit), true) => format!("at least {limit}"),
        (Condition::MoreThan(limit), false) => format!("more than {limit}"),
        (Condition::MoreThan(limit), true) => format!("at most {limit}"),
        (Condition::Contains(scalar), false) => format!("{scalar} among them"),
        (Condition::Contains(scalar), true) => format!("no {scalar}"),
        (Condition::Present(wanted), negated) => if *wanted != negated { "a value" } else { "none" }.to_string(),
        (Condition::Written(wanted), negated) => {
            if *wanted != negated { "a value in the code" } else { "a reference" }.into()
        }
        (Condition::Empty(wanted), negated) => if *wanted != negated { "none" } else { "a value" }.to_string(),
        (Condition::CidrOpen(open), negated) if *open == negated => "a narrower range".to_string(),
        (Condition::Wildcard(wild), negated) if *wild == negated => "no wildcard".to_string(),
        (Condition::Not(inner), negated) => return describe(inner, !negated),
        (Condition::At(path, inner) | Condition::Each(path, inner), negated) => {
            format!("{} {}", path.replace("[]", ""), describe(inner, negated)?)
        }
        (Condition::Linked(kinds, _), false) => format!("{} for it", kinds.join(" or ")),
        // Of several conditions together the message names the one that decided.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internet_wide_block_is_open_and_a_private_one_is_not() {
        for open in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3"] {
            assert!(cidr_is_open(open), "{open}");
        }
        for closed in ["10.0.0.0/8", "192.168.0.0/16", "203.0.113.7/32", "fd00::/8", "fc00::/7", "x", "1.2.3.4", "/0"] {
            assert!(!cidr_is_open(closed), "{closed}");
        }
    }
}
