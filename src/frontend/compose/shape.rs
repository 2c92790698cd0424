//! One form for every part of a service: short syntax is written out as its long form, lists of `key=value` as maps, so that
//! rules see one form. A part of a wrong shape is a problem and left out; the rest of the service is kept.

use rustc_hash::FxHashSet;

use super::interpolate::{self, Variables};
use super::short::{self, text_of};
use crate::frontend::growth::Budget;
use crate::model::{Entry, Node, Observation, Value};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

/// How a key of a service may be written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// One value.
    Scalar,
    /// A list of values.
    List,
    /// A list of values, or one.
    Strings,
    /// A map.
    Map,
    /// A map, or a list of `key=value`.
    Pairs,
    /// A map, or a list of its keys.
    Keys,
    /// Entries of a long form, or of the short one that this writes out.
    Entries(fn(&Node) -> Result<Node, String>),
    /// The same, or one entry alone.
    OneOrEntries(fn(&Node) -> Result<Node, String>),
    /// `build`.
    Build,
    /// `extends`.
    Extends,
    /// Whatever Compose takes there.
    Any,
}

use Form::*;

/// The keys of a service. Source: the Compose Specification, 05-services.md.
pub(super) const SERVICE: &[(&str, Form)] = &[
    ("annotations", Pairs),
    ("attach", Scalar),
    ("blkio_config", Map),
    ("build", Build),
    ("cap_add", List),
    ("cap_drop", List),
    ("cgroup", Scalar),
    ("cgroup_parent", Scalar),
    ("command", Any),
    ("configs", Entries(short::grant)),
    ("container_name", Scalar),
    ("cpu_count", Scalar),
    ("cpu_percent", Scalar),
    ("cpu_period", Scalar),
    ("cpu_quota", Scalar),
    ("cpu_rt_period", Scalar),
    ("cpu_rt_runtime", Scalar),
    ("cpu_shares", Scalar),
    ("cpus", Scalar),
    ("cpuset", Scalar),
    ("credential_spec", Map),
    ("depends_on", Keys),
    ("deploy", Map),
    ("develop", Map),
    ("device_cgroup_rules", List),
    ("devices", Entries(short::device)),
    ("dns", Strings),
    ("dns_opt", List),
    ("dns_search", Strings),
    ("domainname", Scalar),
    ("driver_opts", Map),
    ("entrypoint", Any),
    ("env_file", OneOrEntries(short::env_file)),
    ("environment", Pairs),
    ("expose", List),
    ("extends", Extends),
    ("external_links", List),
    ("extra_hosts", Pairs),
    ("gpus", Any),
    ("group_add", List),
    ("healthcheck", Map),
    ("hostname", Scalar),
    ("image", Scalar),
    ("init", Scalar),
    ("ipc", Scalar),
    ("isolation", Scalar),
    ("label_file", Strings),
    ("labels", Pairs),
    ("links", List),
    ("logging", Map),
    ("mac_address", Scalar),
    ("mem_limit", Scalar),
    ("mem_reservation", Scalar),
    ("mem_swappiness", Scalar),
    ("memswap_limit", Scalar),
    ("models", Keys),
    ("network_mode", Scalar),
    ("networks", Keys),
    ("oom_kill_disable", Scalar),
    ("oom_score_adj", Scalar),
    ("pid", Scalar),
    ("pids_limit", Scalar),
    ("platform", Scalar),
    ("ports", Entries(short::port)),
    ("post_start", List),
    ("pre_stop", List),
    ("privileged", Scalar),
    ("profiles", List),
    ("provider", Map),
    ("pull_policy", Scalar),
    ("pull_refresh_after", Scalar),
    ("read_only", Scalar),
    ("restart", Scalar),
    ("runtime", Scalar),
    ("scale", Scalar),
    ("secrets", Entries(short::grant)),
    ("security_opt", List),
    ("shm_size", Scalar),
    ("stdin_open", Scalar),
    ("stop_grace_period", Scalar),
    ("stop_signal", Scalar),
    ("storage_opt", Map),
    ("sysctls", Pairs),
    ("tmpfs", Strings),
    ("tty", Scalar),
    ("ulimits", Map),
    ("use_api_socket", Scalar),
    ("user", Scalar),
    ("userns_mode", Scalar),
    ("uts", Scalar),
    ("volumes", Entries(short::volume)),
    ("volumes_from", List),
    ("working_dir", Scalar),
];

/// The keys of `build` that have more than one form.
const BUILD: &[(&str, Form)] = &[
    ("additional_contexts", Pairs),
    ("args", Pairs),
    ("cache_from", List),
    ("cache_to", List),
    ("context", Scalar),
    ("dockerfile", Scalar),
    ("dockerfile_inline", Scalar),
    ("entitlements", List),
    ("extra_hosts", Pairs),
    ("labels", Pairs),
    ("network", Scalar),
    ("platforms", List),
    ("privileged", Scalar),
    ("secrets", Entries(short::grant)),
    ("ssh", Pairs),
    ("tags", List),
    ("target", Scalar),
];

/// The form of a key of a service, if Compose knows it.
pub(super) fn form(key: &str) -> Option<Form> {
    SERVICE.binary_search_by(|(known, _)| (*known).cmp(key)).ok().map(|index| SERVICE[index].1)
}

/// Brings parts of files into their form.
pub(super) struct Shaper<'v> {
    /// Values of variables.
    pub variables: &'v Variables,
    /// What was wrong.
    pub problems: Vec<Problem>,
    /// What was seen.
    pub observations: Vec<Observation>,
    told: FxHashSet<Span>,
    /// What variables may still be put in for.
    pub budget: Budget,
}

impl<'v> Shaper<'v> {
    pub fn new(variables: &'v Variables) -> Shaper<'v> {
        Shaper {
            variables,
            problems: Vec::new(),
            observations: Vec::new(),
            told: FxHashSet::default(),
            budget: Budget::default(),
        }
    }

    /// Adds a problem, once a place: what an anchor holds comes by many times.
    pub fn wrong(&mut self, kind: ProblemKind, span: Span, message: String, help: &str) {
        if self.told.insert(span) {
            self.problems.push(Problem::at(kind, span, message).help(help));
        }
    }

    /// A value with its variables.
    pub fn fill(&mut self, node: &Node) -> Node {
        let mut refused = Vec::new();
        let mut wrong = |node: &Node, message: String| refused.push((node.span, message));
        let filled = interpolate::node(node, self.variables, &mut self.budget, &mut wrong);
        for (span, message) in refused {
            self.wrong(
                ProblemKind::Evaluation,
                span,
                message,
                "Compose refuses the file; write `$$` for a dollar sign",
            );
        }
        filled.unwrap_or_else(|| node.clone())
    }

    /// A service; none if it is no map.
    pub fn service(&mut self, name: &str, node: &Node) -> Option<Node> {
        let Value::Map(map) = &node.value else {
            let message = format!("services.{name} is {}, wanted a map", kind(node));
            self.wrong(ProblemKind::Syntax, node.span, message, "write its keys below its name");
            return None;
        };
        let path = format!("services.{name}");
        let mut entries = Vec::with_capacity(map.entries().len());
        for entry in map.entries() {
            let key = &*entry.key;
            let Some(form) = form(key) else {
                if !key.starts_with("x-") {
                    self.unknown_key(&path, entry);
                }
                entries.push(Entry { node: self.fill(&entry.node), ..entry.clone() });
                continue;
            };
            let filled = self.fill(&entry.node);
            if let Some(node) = self.shaped(&format!("{path}.{key}"), form, filled) {
                entries.push(Entry { node, ..entry.clone() });
            }
        }
        Some(Node::map(entries, node.span))
    }

    fn unknown_key(&mut self, path: &str, entry: &Entry) {
        if self.told.insert(entry.key_span) {
            let known: Vec<&str> = SERVICE.iter().map(|(key, _)| *key).collect();
            let meant = crate::spelling::nearest(&entry.key, &known);
            let meant = meant.map(|meant| format!("; {meant} may be meant")).unwrap_or_default();
            let message = format!("{path} has a key {:?} that Compose does not know and refuses{meant}", &*entry.key);
            self.observations.push(Observation {
                name: "compose-unknown-key",
                span: entry.key_span,
                message,
                address: Some(path.into()),
            });
        }
    }

    fn shaped(&mut self, path: &str, form: Form, node: Node) -> Option<Node> {
        if matches!(node.value, Value::Null | Value::Unknown(_)) {
            return Some(node);
        }
        let is_scalar = matches!(node.value, Value::Bool(_) | Value::Number(_) | Value::String(_));
        let (is_list, is_map) = (matches!(node.value, Value::List(_)), matches!(node.value, Value::Map(_)));
        let wanted = match form {
            Any => return Some(node),
            Scalar if is_scalar => return Some(node),
            List if is_list => return Some(node),
            Strings if is_list => return Some(node),
            Strings if is_scalar => return Some(Node::list(vec![node.clone()], node.span)),
            Map | Pairs | Keys if is_map => return Some(node),
            Pairs if is_list => return Some(self.pairs(path, &node)),
            Keys if is_list => return Some(self.keys(path, &node)),
            Entries(write_out) | OneOrEntries(write_out) if is_list => {
                return Some(self.entries(path, &node, write_out));
            }
            OneOrEntries(write_out) if is_scalar => {
                let one = Node::list(vec![node.clone()], node.span);
                return Some(self.entries(path, &one, write_out));
            }
            Build if is_scalar => return Some(single("context", node)),
            Build if is_map => return Some(self.build(path, &node)),
            Extends if is_scalar => return Some(single("service", node)),
            Extends if is_map => return Some(node),
            Scalar => "one value",
            List | Entries(_) | OneOrEntries(_) => "a list",
            Strings => "a text or a list",
            Map => "a map",
            Pairs | Keys => "a map or a list",
            Build | Extends => "a text or a map",
        };
        let message = format!("{path} is {}, wanted {wanted}", kind(&node));
        self.wrong(
            ProblemKind::Syntax,
            node.span,
            message,
            "Compose refuses the file; the rest of the service is judged",
        );
        None
    }

    /// `key=value`, and `key` alone, as a map.
    fn pairs(&mut self, path: &str, node: &Node) -> Node {
        let mut pairs = Pairing::default();
        for item in node.items() {
            let Some(text) = text_of(item) else {
                self.not_text(path, item);
                continue;
            };
            let separator = if path.ends_with("extra_hosts") && !text.contains('=') { ':' } else { '=' };
            let (key, value) = match text.split_once(separator) {
                Some((key, value)) => (key, short::part(item, value)),
                None => (&*text, Node::new(Value::Null, item.span)),
            };
            pairs.add(Entry { key: key.trim().into(), key_span: item.span, node: value });
        }
        Node::map(pairs.entries, node.span)
    }

    fn keys(&mut self, path: &str, node: &Node) -> Node {
        let mut pairs = Pairing::default();
        for item in node.items() {
            match text_of(item) {
                Some(key) => {
                    let node = Node::new(Value::Null, item.span);
                    pairs.add(Entry { key: key.as_ref().into(), key_span: item.span, node });
                }
                None => self.not_text(path, item),
            }
        }
        Node::map(pairs.entries, node.span)
    }

    fn not_text(&mut self, path: &str, item: &Node) {
        let message = format!("{path} holds {}, wanted texts", kind(item));
        self.wrong(
            ProblemKind::Syntax,
            item.span,
            message,
            "Compose refuses the file; the rest of the service is judged",
        );
    }

    fn entries(&mut self, path: &str, node: &Node, write_out: fn(&Node) -> Result<Node, String>) -> Node {
        let mut items = Vec::with_capacity(node.items().len());
        for item in node.items() {
            match &item.value {
                Value::Map(_) => items.push(item.clone()),
                Value::Null | Value::List(_) => self.not_text(path, item),
                _ => match write_out(item) {
                    Ok(item) => items.push(item),
                    Err(message) => {
                        let message = format!("{path}: {message}");
                        let help = "Compose refuses the file; the rest of the service is judged";
                        self.wrong(ProblemKind::Syntax, item.span, message, help);
                    }
                },
            }
        }
        Node::list(items, node.span)
    }

    fn build(&mut self, path: &str, node: &Node) -> Node {
        let mut entries = Vec::with_capacity(node.entries().len());
        for entry in node.entries() {
            let form = BUILD.iter().find(|(key, _)| *key == &*entry.key).map_or(Any, |(_, form)| *form);
            if let Some(node) = self.shaped(&format!("{path}.{}", entry.key), form, entry.node.clone()) {
                entries.push(Entry { node, ..entry.clone() });
            }
        }
        Node::map(entries, node.span)
    }
}

/// Entries of which the last of equal keys counts.
#[derive(Default)]
struct Pairing {
    entries: Vec<Entry>,
    seen: rustc_hash::FxHashMap<std::sync::Arc<str>, usize>,
}

impl Pairing {
    fn add(&mut self, entry: Entry) {
        match self.seen.get(&entry.key) {
            Some(index) => self.entries[*index] = entry,
            None => {
                self.seen.insert(entry.key.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }
}

/// The short form of a map that has one telling key.
fn single(key: &str, node: Node) -> Node {
    let span = node.span;
    Node::map(vec![Entry { key: key.into(), key_span: span, node }], span)
}

/// What a value is, for messages.
pub(super) fn kind(node: &Node) -> &'static str {
    match &node.value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
        Value::Unknown(_) => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_sorted() {
        assert!(SERVICE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
