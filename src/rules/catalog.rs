//! All rules there are, and which of them run.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::long_names::{self, normal_name};
use super::native;
use super::rego::{self, Module};
use super::schema::{Check, Mistake, Prose, Rule, parse, parse_rego, wrong_names};
use crate::settings_yaml;
use crate::spelling::nearest;

static RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));
static PROSE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/prose.bin"));
static LIBRARIES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libraries.bin"));

/// The rules compiled into the binary and those of the user.
pub struct Catalog {
    rules: Vec<Rule>,
    built_in: usize,
    /// Prose of the built-in rules, encoded: one rule's is decoded when somebody wants to read it.
    prose: OnceLock<Vec<(&'static [u8], OnceLock<Prose>)>>,
    own_prose: Vec<Prose>,
    own_modules: Vec<Module>,
    /// Rules by id and alias in lower case; several for an alias that they share.
    names: OnceLock<FxHashMap<String, Vec<usize>>>,
    /// Rules by the normal forms of their names, and by the long names of tfsec and Trivy; made for the first name that is none
    /// of those.
    other_names: OnceLock<FxHashMap<String, Vec<usize>>>,
}

/// What runs: tokens are ids, aliases, packs, tags, prefixes of ids (`aws-s3`, `CKV_AWS_*`), `default` and `all`.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Rules to run; `default` when empty.
    pub select: Vec<String>,
    /// Rules not to run, taken out last.
    pub ignore: Vec<String>,
}

/// A token that names no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRule {
    /// As the user wrote it.
    pub token: String,
    /// A name that may have been meant.
    pub nearest: Option<String>,
}

impl std::fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no rule, alias, pack or prefix is called '{}'", self.token)
    }
}

impl Catalog {
    /// The built-in rules.
    pub fn built_in() -> Catalog {
        let rules: Vec<Rule> = postcard::from_bytes(RULES).expect("the build script wrote this form");
        Catalog { built_in: rules.len(), rules, ..Catalog::empty() }
    }

    /// A catalog without any rule.
    pub fn empty() -> Catalog {
        Catalog {
            rules: Vec::new(),
            built_in: 0,
            prose: OnceLock::new(),
            own_prose: Vec::new(),
            own_modules: Vec::new(),
            names: OnceLock::new(),
            other_names: OnceLock::new(),
        }
    }

    /// Adds the rules of one file of the user's and says how many; see [`Catalog::add_together`].
    pub fn add(&mut self, path: &str, text: &str) -> Result<usize, Vec<Mistake>> {
        let added = self.add_together(&[(path, text)]);
        added.map(|counts| counts[0]).map_err(|mistakes| mistakes.into_iter().map(|(_, mistake)| mistake).collect())
    }

    /// Adds the rules of files that belong together, each a path and a text, and says how many each holds: YAML, or a Rego module.
    /// A module without an id is a rule named after its package if it has a `deny`, `violation` or `warn`, and else something for
    /// other modules to import; `*_test.rego` must parse and gives no rule.
    ///
    /// Refuses names that another rule has: a policy can't replace a built-in rule. All mistakes are told, each with the index of
    /// its file; then nothing is added.
    pub fn add_together(&mut self, files: &[(&str, &str)]) -> Result<Vec<usize>, Vec<(usize, Mistake)>> {
        let (rules, modules) = (self.rules.len(), self.own_modules.len());
        let mut counts = Vec::with_capacity(files.len());
        let mut mistakes = Vec::new();
        for (file, (path, text)) in files.iter().enumerate() {
            match self.add_file(path, text, rules) {
                Ok(count) => counts.push(count),
                Err(wrong) => {
                    counts.push(0);
                    mistakes.extend(wrong.into_iter().map(|mistake| (file, mistake)));
                }
            }
        }
        // A name may stand in a file that could not be read: only a whole set tells whether it is wrong.
        if mistakes.is_empty() {
            let added: Vec<&Rule> = self.rules[rules..].iter().collect();
            let files: Vec<usize> =
                counts.iter().enumerate().flat_map(|(file, count)| std::iter::repeat_n(file, *count)).collect();
            mistakes.extend(wrong_names(&added).into_iter().map(|(index, message)| {
                let message = format!("rule '{}': {message}", added[index].id);
                (files[index], Mistake { line: 1, message, help: None })
            }));
        }
        if mistakes.is_empty() {
            return Ok(counts);
        }
        self.rules.truncate(rules);
        self.own_prose.truncate(rules - self.built_in);
        self.own_modules.truncate(modules);
        (self.names, self.other_names) = Default::default();
        Err(mistakes)
    }

    /// Adds one file of several, of which the first gave the rule with the index `first`.
    fn add_file(&mut self, path: &str, text: &str, first: usize) -> Result<usize, Vec<Mistake>> {
        if settings_yaml::is_deep(text) {
            return Err(vec![Mistake { line: 1, message: settings_yaml::TOO_DEEP.into(), help: None }]);
        }
        if !path.ends_with(".rego") {
            return self.add_rules(parse(text)?, first);
        }
        let module = rego::read(path, text).map_err(|mistake| vec![mistake])?;
        if path.ends_with("_test.rego") {
            return Ok(0);
        }
        let declared = parse_rego(path, text).map_err(|mistake| vec![mistake])?;
        let own_id = declared.is_some();
        let rules: Vec<(Rule, Prose)> = match declared {
            Some(declared) => vec![declared],
            None => rego::plain_rules(&module),
        };
        let mut added = Vec::new();
        for (rule, prose) in rules {
            match self.rule_of_package(&module).find(|other| own_id || other.id == rule.id || !rego::is_plain(other)) {
                // Files of one package are one policy, as in OPA.
                Some(other) if !own_id && other.id == rule.id && rego::is_plain(other) => {}
                Some(other) => {
                    let package = module.package.join(".");
                    let message = format!("package {package} belongs to rule '{}' of {}", other.id, rego::path(other));
                    let help = "findings of two rules in one package can't be told apart: give this one its own";
                    return Err(vec![Mistake { line: 1, message, help: Some(help.into()) }]);
                }
                None => added.push((rule, prose)),
            }
        }
        let count = self.add_rules(added, first)?;
        self.own_modules.push(module);
        Ok(count)
    }

    /// The user's rules that come from the package of `module`.
    fn rule_of_package(&self, module: &Module) -> impl Iterator<Item = &Rule> {
        let paths: Vec<&str> = self
            .own_modules
            .iter()
            .filter(|other| other.package == module.package)
            .map(|other| other.path.as_str())
            .collect();
        self.rules[self.built_in..].iter().filter(move |rule| paths.contains(&rego::path(rule)))
    }

    /// The Rego modules that see each other: all built-in ones, or all of the user's.
    pub fn modules(&self, built_in: bool) -> Result<Vec<Module>, (String, Mistake)> {
        if !built_in {
            return Ok(self.own_modules.clone());
        }
        let libraries: Vec<(String, String)> =
            postcard::from_bytes(LIBRARIES).expect("the build script wrote this form");
        let rules = self.rules[..self.built_in].iter().filter_map(|rule| match &rule.check {
            Check::Rego(rego) => Some((rego.path.clone(), rego.text.clone())),
            _ => None,
        });
        let read = |(path, text): (String, String)| rego::read(&path, &text).map_err(|mistake| (path, mistake));
        libraries.into_iter().chain(rules).map(read).collect()
    }

    /// Whether the rule at this index is compiled into the binary.
    pub fn is_built_in(&self, index: usize) -> bool {
        index < self.built_in
    }

    /// Adds rules whose names no rule before the one with the index `first` has.
    fn add_rules(&mut self, parsed: Vec<(Rule, Prose)>, first: usize) -> Result<usize, Vec<Mistake>> {
        let is_taken = |name: &str| {
            self.names().get(&name.to_lowercase()).is_some_and(|known| known.iter().any(|one| *one < first))
        };
        let taken: Vec<Mistake> = parsed
            .iter()
            .flat_map(|(rule, _)| std::iter::once(&rule.id).chain(&rule.aliases).map(move |name| (rule, name)))
            .filter(|(_, name)| is_taken(name))
            .map(|(rule, name)| Mistake {
                line: 1,
                message: format!("rule '{}': the name '{name}' is taken by a rule of the catalog", rule.id),
                help: Some("give it a name of your own, such as your organization's as prefix".into()),
            })
            .collect();
        let unknown = parsed.iter().filter_map(|(rule, _)| match &rule.check {
            Check::Native(name) if native::find(name).is_none() => Some(Mistake {
                line: 1,
                message: format!("rule '{}': gate has no native check '{name}'", rule.id),
                help: Some("write the condition with `targets` and `fail`, or in Rego".into()),
            }),
            _ => None,
        });
        let taken: Vec<Mistake> = taken.into_iter().chain(unknown).collect();
        if !taken.is_empty() {
            return Err(taken);
        }
        let count = parsed.len();
        for (rule, prose) in parsed {
            self.rules.push(rule);
            self.own_prose.push(prose);
        }
        (self.names, self.other_names) = Default::default();
        Ok(count)
    }

    /// Whether rules were added to the built-in ones.
    pub fn has_rules_of_users(&self) -> bool {
        self.rules.len() > self.built_in
    }

    /// Every rule, built-in ones first, each part sorted by id.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The prose of the rule at this index of [`Catalog::rules`].
    pub fn prose(&self, index: usize) -> &Prose {
        match index.checked_sub(self.built_in) {
            Some(own) => &self.own_prose[own],
            None => {
                let divide = || {
                    let encoded: Vec<&[u8]> = postcard::from_bytes(PROSE).expect("the build script wrote this form");
                    encoded.into_iter().map(|bytes| (bytes, OnceLock::new())).collect()
                };
                let (bytes, prose) = &self.prose.get_or_init(divide)[index];
                prose.get_or_init(|| postcard::from_bytes(bytes).expect("the build script wrote this form"))
            }
        }
    }

    fn names(&self) -> &FxHashMap<String, Vec<usize>> {
        self.names.get_or_init(|| {
            let mut names: FxHashMap<String, Vec<usize>> = FxHashMap::default();
            for (index, rule) in self.rules.iter().enumerate() {
                for name in std::iter::once(&rule.id).chain(&rule.aliases) {
                    let named = names.entry(name.to_lowercase()).or_default();
                    if named.is_empty() || rule.shared_aliases.contains(name) {
                        named.push(index);
                    }
                }
            }
            names
        })
    }

    fn other_names(&self) -> &FxHashMap<String, Vec<usize>> {
        self.other_names.get_or_init(|| {
            let mut others: FxHashMap<String, Vec<usize>> = FxHashMap::default();
            for (index, rule) in self.rules.iter().enumerate() {
                for name in std::iter::once(&rule.id).chain(&rule.aliases) {
                    let has_it = self.names()[&name.to_lowercase()].contains(&index);
                    let named = others.entry(normal_name(name)).or_default();
                    if has_it && !named.contains(&index) {
                        named.push(index);
                    }
                }
            }
            others.extend(long_names::rules(&others));
            others
        })
    }

    /// The indices of the rules with this id or alias, or with this name in tfsec and Trivy (`DS002`), without regard to case:
    /// several for an alias that they share.
    pub fn named(&self, name: &str) -> &[usize] {
        let found = self.names().get(&name.to_lowercase());
        found.or_else(|| self.other_names().get(&normal_name(name))).map_or(&[], |rules| rules)
    }

    /// The index of the rule with this id, or of the first one with this alias, without regard to case.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.named(name).first().copied()
    }

    /// Adds rules that other tools have checked. They are found by id, run never, and leave every name to the rule that has it
    /// already; one that is there stays.
    pub fn add_imported(&mut self, rules: Vec<(Rule, Prose)>) {
        let mut added = FxHashSet::default();
        for (rule, prose) in rules {
            if self.find(&rule.id).is_none() && added.insert(rule.id.to_lowercase()) {
                self.rules.push(rule);
                self.own_prose.push(prose);
            }
        }
        (self.names, self.other_names) = Default::default();
    }

    /// Whether the rule at this index is another tool's, with results at hand.
    pub fn is_imported(&self, index: usize) -> bool {
        matches!(self.rules[index].check, Check::Imported)
    }

    /// Whether a name or pattern is one of another tool's rules, `bandit/B101`, though no result of the tool may be at hand.
    pub fn is_of_tool(&self, name: &str) -> bool {
        let Some((tool, rule)) = name.split_once('/') else { return false };
        let is_at_hand = |rule: &Rule| {
            matches!(rule.check, Check::Imported) && rule.id.split_once('/').is_some_and(|(first, _)| first == tool)
        };
        !rule.is_empty() && (crate::import::is_known(tool) || self.rules[self.built_in..].iter().any(is_at_hand))
    }

    /// Which rules a token names, by index.
    pub fn matching(&self, token: &str) -> Result<Vec<usize>, UnknownRule> {
        let all = 0..self.rules.len();
        match token {
            "all" => return Ok(all.collect()),
            "default" => return Ok(all.filter(|index| self.rules[*index].default).collect()),
            _ => {}
        }
        let named = self.named(token);
        if !named.is_empty() {
            return Ok(named.to_vec());
        }
        let lower = token.to_lowercase();
        let prefix = lower.strip_suffix('*');
        let found: Vec<usize> = all
            .filter(|index| {
                let rule = &self.rules[*index];
                let begins = |name: &str| {
                    let name = name.to_lowercase();
                    match prefix {
                        Some(prefix) => name.starts_with(prefix),
                        None => name.strip_prefix(lower.as_str()).is_some_and(|rest| rest.starts_with('-')),
                    }
                };
                rule.packs.iter().chain(&rule.tags).any(|name| name.to_lowercase() == lower)
                    || begins(&rule.id)
                    || (prefix.is_some() && rule.aliases.iter().any(|alias| begins(alias)))
            })
            .collect();
        if found.is_empty() && !self.is_of_tool(token) && !crate::import::is_known(&lower) {
            let names: Vec<&str> = self
                .rules
                .iter()
                .flat_map(|rule| [&rule.id].into_iter().chain(&rule.packs))
                .map(String::as_str)
                .collect();
            let nearest = nearest(token, &names).map(str::to_string);
            return Err(UnknownRule { token: token.to_string(), nearest });
        }
        Ok(found)
    }

    /// The rules that run, by index; an unknown token is an error, so that no typing mistake turns rules off.
    pub fn select(&self, selection: &Selection) -> Result<Vec<usize>, UnknownRule> {
        let mut chosen = vec![false; self.rules.len()];
        let default = ["default".to_string()];
        let select = if selection.select.is_empty() { &default[..] } else { &selection.select[..] };
        for (tokens, on) in [(select, true), (&selection.ignore[..], false)] {
            for token in tokens {
                for index in self.matching(token)? {
                    chosen[index] = on;
                }
                let is_accepted = |rule: &Rule| rule.accepted_as.iter().any(|name| name.eq_ignore_ascii_case(token));
                if !on {
                    let accepted = (0..chosen.len()).filter(|index| is_accepted(&self.rules[*index]));
                    accepted.for_each(|index| chosen[index] = false);
                }
            }
        }
        let runs = |index: &usize| chosen[*index] && !matches!(self.rules[*index].check, Check::Imported);
        Ok((0..chosen.len()).filter(runs).collect())
    }

    /// The rules, by index, that are selected by a name of theirs or by `all`: not those that a pack or a tag brings along, nor
    /// those of the default.
    pub fn asked(&self, selection: &Selection) -> FxHashSet<usize> {
        let tokens = selection.select.iter().filter(|token| !token.eq_ignore_ascii_case("default"));
        let is_name = |token: &str, index: &usize| {
            let rule = &self.rules[*index];
            !rule.packs.iter().chain(&rule.tags).any(|name| name.eq_ignore_ascii_case(token))
        };
        let named = |token: &String| {
            let found = self.matching(token).unwrap_or_default();
            found.into_iter().filter(|index| is_name(token, index)).collect::<Vec<_>>()
        };
        tokens.flat_map(named).collect()
    }
}
