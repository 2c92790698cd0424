//! Reads rules from YAML and from the headers of Rego modules, and says what is wrong in them.

use serde_yaml::{Mapping, Value};

use super::{
    Absent, Check, Condition, Demand, Example, FORMATS, Input, Mistake, Prose, Rego, Rule, Scalar, Severity, Table,
    Target, VERDICTS, VIEWS,
};
use crate::spelling::did_you_mean;

/// Reads a file of rules: a YAML list of entries. All mistakes are reported, not only the first.
pub fn parse(text: &str) -> Result<Vec<(Rule, Prose)>, Vec<Mistake>> {
    let value: Value = serde_yaml::from_str(text).map_err(|error| {
        // What is missing at the end of a text is missed on the line after it.
        let last = text.lines().count().max(1);
        let line = error.location().map_or(1, |location| location.line().min(last));
        vec![Mistake { line, message: format!("not valid YAML: {error}"), help: None }]
    })?;
    let Value::Sequence(entries) = value else {
        let message = "a file of rules is a list: every rule starts with `- id: …`".to_string();
        return Err(vec![Mistake { line: 1, message, help: None }]);
    };
    let mut rules = Vec::new();
    let mut mistakes = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match Reader::new(text, entry, index).rule(entry) {
            Ok(rule) => rules.push(rule),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() { Ok(rules) } else { Err(mistakes) }
}

/// Reads the METADATA header of a Rego module: the lines after `# METADATA` as YAML, with `title`, `description` and the
/// rule's other keys below `custom`. None when the module has no such header.
pub fn parse_rego(path: &str, text: &str) -> Result<Option<(Rule, Prose)>, Mistake> {
    let Some((line, header)) = metadata(text) else { return Ok(None) };
    let at = |message: String| Mistake { line, message, help: None };
    let value: Value =
        serde_yaml::from_str(&header).map_err(|error| at(format!("METADATA is not valid YAML: {error}")))?;
    let Value::Mapping(mut map) = value else { return Err(at("METADATA is not a mapping".into())) };
    let Some(custom) = map.remove("custom") else { return Ok(None) };
    let Value::Mapping(mut entry) = custom else { return Err(at("METADATA: `custom` is not a mapping".into())) };
    for (key, name) in [("title", "title"), ("description", "why")] {
        if let Some(value) = map.remove(key) {
            entry.insert(name.into(), value);
        }
    }
    if !entry.contains_key("id") {
        return Ok(None);
    }
    let entry = Value::Mapping(entry);
    let mut reader = Reader::new(text, &entry, 0);
    reader.line = line;
    reader.rego = Some((path.to_string(), text.to_string()));
    reader.rule(&entry).map(Some)
}

/// The YAML of the first `# METADATA` comment block and its line.
fn metadata(text: &str) -> Option<(usize, String)> {
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| line.trim() != "# METADATA");
    let (index, _) = lines.next()?;
    let header: Vec<&str> = lines
        .map_while(|(_, line)| line.strip_prefix('#'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    Some((index + 1, header.join("\n")))
}

const KEYS: &[&str] = &[
    "id",
    "title",
    "severity",
    "aliases",
    "shared-aliases",
    "accepted-as",
    "implies",
    "tags",
    "packs",
    "compliance",
    "default",
    "heuristic",
    "sensitive",
    "message",
    "targets",
    "where",
    "fail",
    "expect",
    "absent",
    "native",
    "input",
    "why",
    "fix",
    "bad",
    "good",
    "example-config",
];

const OPERATORS: &[&str] = &[
    "equals",
    "in",
    "less_than",
    "more_than",
    "matches",
    "contains",
    "present",
    "empty",
    "written",
    "cidr_open",
    "wildcard",
    "path",
    "each",
    "any",
    "all",
    "not",
    "linked",
    "where",
];

/// Prose may be written over several lines (`why: |`); reports set it in lines of their own.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Reader {
    id: String,
    line: usize,
    rego: Option<(String, String)>,
}

type Read<T> = Result<T, Mistake>;

impl Reader {
    fn new(text: &str, entry: &Value, index: usize) -> Reader {
        let id = entry.get("id").and_then(Value::as_str).unwrap_or("").to_string();
        let head = format!("- id: {id}");
        let line = text.lines().position(|line| line.trim_end() == head).or_else(|| {
            text.lines().enumerate().filter(|(_, line)| line.starts_with("- ")).nth(index).map(|(line, _)| line)
        });
        let id = if id.is_empty() { format!("number {}", index + 1) } else { id };
        Reader { id, line: line.unwrap_or(0) + 1, rego: None }
    }

    fn wrong(&self, message: impl std::fmt::Display) -> Mistake {
        Mistake { line: self.line, message: format!("rule '{}': {message}", self.id), help: None }
    }

    fn unknown_key(&self, what: &str, key: &str, known: &[&str]) -> Mistake {
        let mut mistake = self.wrong(format!("unknown {what} '{key}'"));
        let all = || format!("known are {}", known.join(", "));
        mistake.help = Some(did_you_mean(key, known).unwrap_or_else(all));
        mistake
    }

    fn rule(&self, entry: &Value) -> Read<(Rule, Prose)> {
        let Value::Mapping(map) = entry else { return Err(self.wrong("is not a mapping")) };
        for key in map.keys() {
            let key = key.as_str().unwrap_or("?");
            if !KEYS.contains(&key) {
                return Err(self.unknown_key("key", key, KEYS));
            }
        }
        let id = self.required(map, "id")?;
        let name_is_kebab = id.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        if !name_is_kebab {
            return Err(self.wrong("the id is not kebab-case (`aws-s3-public-acl`)"));
        }
        let title = self.required(map, "title")?;
        if title.chars().count() > 100 || title.contains("Ensure") {
            return Err(self.wrong("the title has more than 100 characters or says \"Ensure\"; it names the defect"));
        }
        let severity = self.required(map, "severity")?;
        let severity = Severity::from_name(&severity)
            .ok_or_else(|| self.unknown_key("severity", &severity, &["low", "medium", "high", "critical"]))?;
        let check = self.check(map)?;
        let default_format = match &check {
            Check::Table(Table { targets, .. }) | Check::Rego(Rego { targets, .. }) => targets.first(),
            Check::Native(_) | Check::Imported => None,
        }
        .map(|target| if target.format == "view" { "kubernetes" } else { &target.format })
        .unwrap_or("terraform")
        .to_string();
        let tags = self.strings(map, "tags")?;
        if tags.len() > 10 {
            return Err(self.wrong("more than ten tags"));
        }
        let prose = Prose {
            why: self.text(map, "why")?,
            fix: self.text(map, "fix")?,
            bad: self.examples(map, "bad", &default_format)?,
            good: self.examples(map, "good", &default_format)?,
            example_config: match map.get("example-config") {
                None => None,
                Some(Value::Mapping(config)) => Some(
                    serde_yaml::to_string(config).map_err(|error| self.wrong(format!("`example-config`: {error}")))?,
                ),
                Some(_) => return Err(self.wrong("`example-config` is not a mapping as in gate.yaml")),
            },
        };
        let shared_aliases = self.strings(map, "shared-aliases")?;
        let mut aliases = self.strings(map, "aliases")?;
        aliases.extend(shared_aliases.iter().cloned());
        let rule = Rule {
            id,
            title,
            severity,
            aliases,
            shared_aliases,
            accepted_as: self.strings(map, "accepted-as")?,
            implies: self.strings(map, "implies")?,
            tags,
            packs: self.strings(map, "packs")?,
            compliance: self.compliance(map)?,
            default: self.flag(map, "default", true)?,
            heuristic: self.flag(map, "heuristic", false)?,
            sensitive: self.flag(map, "sensitive", false)?,
            message: map.get("message").and_then(Value::as_str).map(one_line),
            check,
        };
        Ok((rule, prose))
    }

    fn required(&self, map: &Mapping, key: &str) -> Read<String> {
        match map.get(key).and_then(Value::as_str) {
            Some(text) if !text.trim().is_empty() => Ok(one_line(text)),
            _ => Err(self.wrong(format!("`{key}` is missing or not a string"))),
        }
    }

    /// Prose is required of built-in rules and optional in users' own; the catalog test asks for it.
    fn text(&self, map: &Mapping, key: &str) -> Read<String> {
        match map.get(key) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(one_line(text)),
            Some(_) => Err(self.wrong(format!("`{key}` is not a string"))),
        }
    }

    fn flag(&self, map: &Mapping, key: &str, default: bool) -> Read<bool> {
        match map.get(key) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| self.wrong(format!("`{key}` is not true or false"))),
        }
    }

    fn strings(&self, map: &Mapping, key: &str) -> Read<Vec<String>> {
        map.get(key).map_or(Ok(Vec::new()), |value| self.string_list(key, value))
    }

    fn string_list(&self, key: &str, value: &Value) -> Read<Vec<String>> {
        let items = match value {
            Value::String(text) => return Ok(vec![text.clone()]),
            Value::Sequence(items) => items,
            _ => return Err(self.wrong(format!("`{key}` is not a list of strings"))),
        };
        items
            .iter()
            .map(|item| item.as_str().map(str::to_string))
            .collect::<Option<_>>()
            .ok_or_else(|| self.wrong(format!("`{key}` is not a list of strings")))
    }

    fn compliance(&self, map: &Mapping) -> Read<Vec<(String, Vec<String>)>> {
        let Some(value) = map.get("compliance") else { return Ok(Vec::new()) };
        let Value::Mapping(frameworks) = value else {
            return Err(self.wrong("`compliance` is not a mapping from framework to references"));
        };
        frameworks
            .iter()
            .map(|(framework, references)| {
                let framework = framework.as_str().ok_or_else(|| self.wrong("a framework's name is not a string"))?;
                Ok((framework.to_string(), self.string_list("compliance", references)?))
            })
            .collect()
    }

    /// A string, a list of strings, or a mapping from format to either.
    fn examples(&self, map: &Mapping, key: &str, default_format: &str) -> Read<Vec<Example>> {
        let Some(value) = map.get(key) else { return Ok(Vec::new()) };
        let in_format = |format: &str, value: &Value| -> Read<Vec<Example>> {
            if !FORMATS.contains(&format) {
                return Err(self.unknown_key("format", format, FORMATS));
            }
            let texts = self.string_list(key, value)?;
            Ok(texts.into_iter().map(|text| Example { format: format.to_string(), text }).collect())
        };
        match value {
            Value::Mapping(formats) => {
                let mut examples = Vec::new();
                for (format, value) in formats {
                    examples.extend(in_format(format.as_str().unwrap_or("?"), value)?);
                }
                Ok(examples)
            }
            other => in_format(default_format, other),
        }
    }

    fn check(&self, map: &Mapping) -> Read<Check> {
        if let Some((path, text)) = &self.rego {
            let input = match map.get("input").map(Value::as_str) {
                None | Some(Some("resources")) => Input::Resources,
                Some(Some("document")) => Input::Document,
                Some(_) => return Err(self.wrong("`input` is `resources` or `document`")),
            };
            let (path, text) = (path.clone(), text.clone());
            let verdicts = VERDICTS.iter().map(|verdict| verdict.to_string()).collect();
            return Ok(Check::Rego(Rego { path, text, targets: self.targets(map)?, input, verdicts }));
        }
        if map.contains_key("input") {
            return Err(self.wrong("`input` is for Rego modules"));
        }
        if let Some(native) = map.get("native") {
            let name = native.as_str().ok_or_else(|| self.wrong("`native` is not a name"))?;
            if ["targets", "where", "fail", "expect", "absent"].iter().any(|key| map.contains_key(*key)) {
                return Err(self.wrong("a native rule has no targets and no condition"));
            }
            return Ok(Check::Native(name.to_string()));
        }
        let demand = match (map.get("fail"), map.get("expect")) {
            (Some(fail), None) => Demand::Fail(self.condition(fail)?),
            (None, Some(Value::Sequence(all))) if !all.is_empty() => {
                Demand::Expect(all.iter().map(|one| self.condition(one)).collect::<Read<_>>()?)
            }
            (None, Some(expect)) => Demand::Expect(vec![self.condition(expect)?]),
            _ => return Err(self.wrong("a rule has either `fail`, `expect` or `native`")),
        };
        let absent = match map.get("absent").map(Value::as_str) {
            None => None,
            Some(Some("pass")) => Some(Absent::Pass),
            Some(Some("fail")) => Some(Absent::Fail),
            Some(_) => return Err(self.wrong("`absent` is `pass` or `fail`")),
        };
        let filter = map.get("where").map(|value| self.condition(value)).transpose()?;
        Ok(Check::Table(Table { targets: self.targets(map)?, filter, demand, absent }))
    }

    fn targets(&self, map: &Mapping) -> Read<Vec<Target>> {
        let targets = match map.get("targets") {
            Some(Value::Sequence(targets)) if !targets.is_empty() => targets,
            _ => return Err(self.wrong("`targets` is missing: `- { terraform: [aws_db_instance], path: … }`")),
        };
        targets.iter().map(|target| self.target(target)).collect()
    }

    fn target(&self, value: &Value) -> Read<Target> {
        let Value::Mapping(map) = value else { return Err(self.wrong("a target is not a mapping")) };
        let mut target = None;
        let mut path = String::new();
        for (key, value) in map {
            match key.as_str().unwrap_or("?") {
                "path" => {
                    path = value.as_str().ok_or_else(|| self.wrong("`path` is not a string"))?.to_string();
                }
                "view" => {
                    let kinds = self.string_list("view", value)?;
                    if let Some(view) = kinds.iter().find(|view| !VIEWS.contains(&view.as_str())) {
                        return Err(self.unknown_key("view", view, VIEWS));
                    }
                    target = Some(("view".to_string(), kinds));
                }
                format if FORMATS.contains(&format) => {
                    target = Some((format.to_string(), self.string_list(format, value)?));
                }
                format => {
                    let known: Vec<&str> = FORMATS.iter().copied().chain(["view", "path"]).collect();
                    return Err(self.unknown_key("format", format, &known));
                }
            }
        }
        let (format, kinds) = target.ok_or_else(|| self.wrong("a target names no format"))?;
        Ok(Target { format, kinds, path })
    }

    fn condition(&self, value: &Value) -> Read<Condition> {
        let Value::Mapping(map) = value else {
            return Err(self.wrong("a condition is a mapping such as `{ equals: true }`"));
        };
        let mut parts = Vec::new();
        for (key, value) in map {
            let key = key.as_str().unwrap_or("?");
            let number = || value.as_f64().ok_or_else(|| self.wrong(format!("`{key}` is not a number")));
            let flag = || value.as_bool().ok_or_else(|| self.wrong(format!("`{key}` is not true or false")));
            parts.push(match key {
                "equals" => Condition::Equals(self.scalar(value)?),
                "contains" => Condition::Contains(self.scalar(value)?),
                "in" => match value {
                    Value::Sequence(items) => {
                        Condition::In(items.iter().map(|item| self.scalar(item)).collect::<Read<_>>()?)
                    }
                    _ => return Err(self.wrong("`in` is not a list")),
                },
                "less_than" => Condition::LessThan(number()?),
                "more_than" => Condition::MoreThan(number()?),
                "matches" => {
                    let pattern = value.as_str().ok_or_else(|| self.wrong("`matches` is not a string"))?;
                    regex::Regex::new(pattern).map_err(|error| self.wrong(format!("`matches`: {error}")))?;
                    Condition::Matches(pattern.to_string())
                }
                "present" => Condition::Present(flag()?),
                "empty" => Condition::Empty(flag()?),
                "written" => Condition::Written(flag()?),
                "cidr_open" => Condition::CidrOpen(flag()?),
                "wildcard" => Condition::Wildcard(flag()?),
                "any" => Condition::Any(self.conditions(value)?),
                "all" => Condition::All(self.conditions(value)?),
                "not" => Condition::Not(Box::new(self.condition(value)?)),
                "linked" => {
                    let condition = map.get("where").map(|value| self.condition(value)).transpose()?;
                    Condition::Linked(self.string_list("linked", value)?, condition.map(Box::new))
                }
                "where" if map.contains_key("linked") => continue,
                "path" | "each" => continue,
                operator => return Err(self.unknown_key("operator", operator, OPERATORS)),
            });
        }
        let condition = match parts.len() {
            0 => return Err(self.wrong("a condition without an operator")),
            1 => parts.remove(0),
            _ => Condition::All(parts),
        };
        let text = |key: &str| map.get(key).map(|value| value.as_str().map(str::to_string));
        match (text("path"), text("each")) {
            (None, None) => Ok(condition),
            (Some(Some(path)), None) => Ok(Condition::At(path, Box::new(condition))),
            (None, Some(Some(path))) => Ok(Condition::Each(path, Box::new(condition))),
            _ => Err(self.wrong("`path` or `each` of a condition is one string")),
        }
    }

    fn conditions(&self, value: &Value) -> Read<Vec<Condition>> {
        match value {
            Value::Sequence(items) if !items.is_empty() => items.iter().map(|item| self.condition(item)).collect(),
            _ => Err(self.wrong("`any` and `all` take a list of conditions")),
        }
    }

    fn scalar(&self, value: &Value) -> Read<Scalar> {
        match value {
            Value::Bool(bool) => Ok(Scalar::Bool(*bool)),
            Value::Number(number) => Ok(Scalar::Number(number.as_f64().unwrap_or(f64::NAN))),
            Value::String(text) => Ok(Scalar::String(text.clone())),
            _ => Err(self.wrong("an operator's value is a boolean, number or string")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_over_several_lines_is_one() {
        let text = "- id: acme-tag\n  title: |\n    no tag\n  severity: low\n  targets: [{ terraform: [aws_s3_bucket], path: tags }]\n  fail: { present: false }\n  message: |\n    no tag,\n    which all have\n  why: |\n    Nobody knows whose it is.\n\n    Ask.\n  fix: |\n    Add the tag\n      owner.\n";
        let (rule, prose) = parse(text).expect("a rule").remove(0);
        assert_eq!((&*rule.title, rule.message.as_deref()), ("no tag", Some("no tag, which all have")));
        assert_eq!((&*prose.why, &*prose.fix), ("Nobody knows whose it is. Ask.", "Add the tag owner."));
    }

    #[test]
    fn what_is_missing_at_the_end_is_told_on_the_last_line() {
        let mistakes = parse("- id: a\n  why: >\n    text\niner").expect_err("a key without a value is no YAML");
        assert_eq!(mistakes[0].line, 4);
    }
}
