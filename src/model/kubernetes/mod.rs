//! The fields of Kubernetes' built-in kinds, as the published OpenAPI documents of releases 1.25 to 1.37 list them together: a
//! field that none of these releases knows is known to no cluster that is in use. The table is read when the first manifest
//! asks for it.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

/// Made by `examples/kubernetes_fields.rs`.
static TABLE: &str = include_str!("fields.txt");

/// What the API server decodes a value into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A quantity such as `500m`: a string or a number.
    Quantity,
    /// A whole number or a string, as ports are.
    IntegerOrText,
    /// Anything: the table does not say what is in it.
    Any,
    /// An object with the fields of this type.
    Object(Type),
    /// A list.
    List(Box<Form>),
    /// A map whose keys are the author's own.
    Map(Box<Form>),
}

/// A type of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Type(usize);

struct Table {
    kinds: FxHashMap<(&'static str, &'static str), Type>,
    types: Vec<Vec<(&'static str, Form)>>,
}

fn table() -> &'static Table {
    static READ: OnceLock<Table> = OnceLock::new();
    READ.get_or_init(|| {
        let lines = || TABLE.lines().filter(|line| !line.starts_with('#'));
        let types = || lines().filter(|line| !line.starts_with("kind "));
        let name = |line: &'static str| line.split(' ').next().unwrap_or(line);
        let numbers: FxHashMap<&str, Type> = types().enumerate().map(|(at, line)| (name(line), Type(at))).collect();
        let kinds = lines().filter_map(|line| {
            let mut words = line.strip_prefix("kind ")?.split(' ');
            let (version, kind, name) = (words.next()?, words.next()?, words.next()?);
            Some(((version, kind), *numbers.get(name)?))
        });
        let fields = |line: &'static str| {
            let package = name(line).rsplit_once('.').map_or("", |(package, _)| package);
            let field = |word: &'static str| {
                let (name, text) = word.split_once(':')?;
                Some((name, form(text, package, &numbers)))
            };
            line.split(' ').skip(1).filter_map(field).collect()
        };
        Table { kinds: kinds.collect(), types: types().map(fields).collect() }
    })
}

fn form(text: &str, package: &str, numbers: &FxHashMap<&str, Type>) -> Form {
    let inner = |open: char, close: char| text.strip_prefix(open)?.strip_suffix(close);
    if let Some(item) = inner('[', ']') {
        return Form::List(Box::new(form(item, package, numbers)));
    }
    if let Some(item) = inner('{', '}') {
        return Form::Map(Box::new(form(item, package, numbers)));
    }
    match text {
        "string" => Form::Text,
        "integer" => Form::Integer,
        "number" => Form::Number,
        "boolean" => Form::Boolean,
        "quantity" => Form::Quantity,
        "int-or-string" => Form::IntegerOrText,
        _ => {
            let whole = if text.starts_with('.') { format!("{package}{text}") } else { text.to_string() };
            numbers.get(whole.as_str()).map_or(Form::Any, |number| Form::Object(*number))
        }
    }
}

/// The kinds of the built-in groups, sorted.
pub fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&str> = table().kinds.keys().map(|(_, kind)| *kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// The versions of the built-in groups that have this kind, the stable ones first.
pub fn versions(kind: &str) -> Vec<&'static str> {
    let mut versions: Vec<&str> =
        table().kinds.keys().filter(|(_, known)| *known == kind).map(|(version, _)| *version).collect();
    // By the version and not by its group: `v2` goes before `v1`, and both before `v1beta1`.
    let rank = |version: &&str| {
        let number = version.rsplit('/').next().unwrap_or(version);
        let is_preview = number.contains("alpha") || number.contains("beta");
        (is_preview, std::cmp::Reverse(number.to_string()), version.to_string())
    };
    versions.sort_by_key(rank);
    versions
}

/// Whether a version belongs to a group of Kubernetes itself, whether or not a release has it.
pub fn is_built_in(api_version: &str) -> bool {
    let own = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    match own {
        "" => api_version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit())),
        "extensions" => true,
        _ => table().kinds.keys().any(|(version, _)| version.rsplit_once('/').is_some_and(|(group, _)| group == own)),
    }
}

impl Type {
    /// The type of the objects of a built-in kind; none for custom resources and for versions that no release from 1.25 on has.
    pub fn of_kind(api_version: &str, kind: &str) -> Option<Type> {
        // The keys live as long as the program, those asked for need not.
        table().kinds.get(&(api_version, kind)).copied()
    }

    /// The fields of the type, by name.
    pub fn fields(self) -> &'static [(&'static str, Form)] {
        &table().types[self.0]
    }

    /// What a field of the type holds.
    pub fn field(self, name: &str) -> Option<&'static Form> {
        let fields = self.fields();
        fields.binary_search_by(|(known, _)| (*known).cmp(name)).ok().map(|at| &fields[at].1)
    }
}

impl Form {
    /// The form in words: `a whole number`, `a list`.
    pub fn words(&self) -> &'static str {
        match self {
            Form::Text => "a string",
            Form::Integer => "a whole number",
            Form::Number => "a number",
            Form::Boolean => "true or false",
            Form::Quantity => "a quantity",
            Form::IntegerOrText => "a whole number or a string",
            Form::Any => "anything",
            Form::Object(_) | Form::Map(_) => "a mapping",
            Form::List(_) => "a list",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(api_version: &str, kind: &str) -> Type {
        Type::of_kind(api_version, kind).expect("a built-in kind")
    }

    fn below(from: Type, path: &[&str]) -> Form {
        path.iter().fold(Form::Object(from), |form, name| match form {
            Form::Object(one) => one.field(name).unwrap_or_else(|| panic!("no field {name}")).clone(),
            Form::List(item) | Form::Map(item) => match *item {
                Form::Object(one) => one.field(name).unwrap_or_else(|| panic!("no field {name}")).clone(),
                other => other,
            },
            other => other,
        })
    }

    #[test]
    fn the_table_leads_from_a_workload_to_the_fields_of_its_containers() {
        let pod = ["spec", "template", "spec"];
        let at = |rest: &[&str]| below(of("apps/v1", "Deployment"), &[&pod[..], rest].concat());
        assert_eq!(at(&["containers", "securityContext", "runAsNonRoot"]), Form::Boolean);
        assert_eq!(at(&["containers", "securityContext", "runAsUser"]), Form::Integer);
        assert_eq!(at(&["containers", "resources", "limits"]), Form::Map(Box::new(Form::Quantity)));
        assert_eq!(at(&["containers", "livenessProbe", "httpGet", "port"]), Form::IntegerOrText);
        assert_eq!(at(&["nodeSelector"]), Form::Map(Box::new(Form::Text)));
    }

    #[test]
    fn every_field_is_sorted_and_every_kind_has_its_own() {
        for fields in &table().types {
            assert!(fields.is_sorted_by(|a, b| a.0 < b.0), "{fields:?}");
        }
        assert!(table().kinds.len() > 80, "{}", table().kinds.len());
        for ((version, kind), one) in [(("v1", "ConfigMap"), "data"), (("batch/v1", "CronJob"), "spec")] {
            assert!(of(version, kind).field(one).is_some());
        }
    }

    #[test]
    fn custom_resources_and_what_the_cluster_reports_are_free() {
        assert_eq!(Type::of_kind("argoproj.io/v1alpha1", "Rollout"), None);
        assert_eq!(of("v1", "Pod").field("status"), Some(&Form::Any));
    }
}
