//! What references lead to, so that a value of which only that is known is another one where it leads elsewhere, and the same where
//! what it leads to has got another name.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::hash::{DefaultHasher, Hash, Hasher};

use rustc_hash::{FxHashMap, FxHashSet};

use super::digest::{body_digest, digest};
use crate::address::without_keys;
use crate::model::{Model, Node, Resource, Unknown};

/// Objects of reference that are no resources: what they are called is nobody's business but the module's own.
const LOCAL: [&str; 8] = ["var", "local", "each", "count", "self", "path", "terraform", "unknown"];

/// The names of both sides of a comparison. They are looked at where a value asks for them.
pub(super) struct Names<'a> {
    base: &'a Model,
    head: &'a Model,
    known: OnceCell<Known<'a>>,
    objects: OnceCell<FxHashSet<&'a str>>,
    /// What texts of templates are with their references in one form.
    forms: RefCell<FxHashMap<String, String>>,
}

/// Resources by type and name, wherever they are.
type Key<'a> = (&'a str, &'a str);

struct Known<'a> {
    /// What both sides have.
    both: FxHashSet<Key<'a>>,
    /// What only one side has, by what is the same after a rename.
    one: FxHashMap<Key<'a>, u64>,
}

impl<'a> Names<'a> {
    pub fn of(base: &'a Model, head: &'a Model) -> Names<'a> {
        Names { base, head, known: OnceCell::new(), objects: OnceCell::new(), forms: RefCell::default() }
    }

    /// What unknown parts lead to: their references, or the text around them. Empty where nothing says so.
    pub fn unknown(&self, unknown: &Unknown) -> String {
        if let Some(template) = &unknown.template {
            return self.text(template).into_owned();
        }
        let mut leads: Vec<String> = unknown.references.iter().filter_map(|one| self.reference(one)).collect();
        leads.sort_unstable();
        leads.dedup();
        leads.join(" ")
    }

    /// A text of a template with its references in one form.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.contains("${") {
            return Cow::Borrowed(text);
        }
        if let Some(form) = self.forms.borrow().get(text) {
            return Cow::Owned(form.clone());
        }
        let mut form = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            form.push_str(before);
            let Some((inside, after)) = after.split_once('}') else {
                form.push_str("${");
                rest = after;
                continue;
            };
            let is_local = LOCAL.contains(&inside.split('.').next().unwrap_or("").trim());
            match self.reference(inside) {
                Some(lead) => form.extend(["${", &lead, "}"]),
                None if is_local => form.push_str("${}"),
                None => form.extend(["${", inside, "}"]),
            }
            rest = after;
        }
        form.push_str(rest);
        self.forms.borrow_mut().insert(text.to_string(), form.clone());
        Cow::Owned(form)
    }

    /// Whether a selector of the second object, at the path of the first's, selects other pods, and not the same under another
    /// label: pods that the base has and that carry the old one no longer.
    pub fn are_other_pods(&self, path: &str, was: &Resource, now: &Resource) -> bool {
        let (before, after) = (was.body.at(path).node(), now.body.at(path).node());
        let find = |model: &Model, selector: &Node, near: &Resource| match path.ends_with("podSelector") {
            true => model.cluster().selected(Some(selector), near),
            false => model.cluster().labeled(selector, near),
        };
        let are_renamed = || {
            let after = find(self.head, after, now);
            !find(self.base, before, was).is_empty()
                && find(self.head, before, now).iter().all(|one| after.contains(one))
        };
        digest(before, self) != digest(after, self) && !are_renamed()
    }

    /// Whether an object of a cluster has this name on one side alone: what is called after it is renamed with it.
    pub fn is_renamed_object(&self, name: &str) -> bool {
        self.objects
            .get_or_init(|| {
                fn of(model: &Model) -> FxHashSet<&str> {
                    let objects = model.resources.iter().filter(|one| one.format == "kubernetes");
                    objects.map(|one| &*one.name).collect()
                }
                of(self.base).symmetric_difference(&of(self.head)).copied().collect()
            })
            .contains(name)
    }

    /// Whether an object of the base goes on under another name in the head, the same in all else: a role that a binding names.
    pub fn is_same_object(&self, kind: &str, was: &str, now: &str) -> bool {
        let of = |model: &'a Model, name: &str| {
            let named = model.resources.iter().filter(|one| one.format == "kubernetes" && &*one.kind == kind);
            let named = named.filter(|one| &*one.name == name);
            named.map(|one| body_digest(one, Some(&one.name), self)).collect::<FxHashSet<u64>>()
        };
        let before = of(self.base, was);
        let after = of(self.head, now);
        !after.is_empty() && after.is_subset(&before)
    }

    /// What `aws_security_group.db[0].id` leads to, without the instance; none where it is no resource of either side.
    fn reference(&self, text: &str) -> Option<String> {
        let plain = without_keys(text);
        let parts: Vec<&str> = plain.trim().split('.').collect();
        let (kind, name) = match parts[..] {
            ["data", _, name, ..] => (parts[..2].join("."), name),
            [kind, name, ..] if !LOCAL.contains(&kind) => (kind.to_string(), name),
            _ => return None,
        };
        let last = parts.last().filter(|_| parts.len() > 2).copied().unwrap_or("");
        let known = self.known.get_or_init(|| Known::of(self.base, self.head));
        let key = (kind.as_str(), name);
        match known.one.get(&key) {
            Some(body) => Some(format!("{kind} {body:x}.{last}")),
            None => known.both.contains(&key).then(|| format!("{kind}.{name}.{last}")),
        }
    }
}

impl<'a> Known<'a> {
    fn of(base: &'a Model, head: &'a Model) -> Known<'a> {
        fn by_key(model: &Model) -> FxHashMap<Key<'_>, &Resource> {
            let resources = model.resources.iter().filter(|one| one.format == "terraform");
            resources.map(|one| ((&*one.kind, &*one.name), one)).collect()
        }
        let (was, is) = (by_key(base), by_key(head));
        let both = was.keys().filter(|key| is.contains_key(*key)).copied().collect();
        // Nothing is compared yet, so that what they refer to in turn does not count.
        let nothing = Model::default();
        let names = Names::of(&nothing, &nothing);
        let alone = |side: &FxHashMap<Key<'a>, &Resource>, other: &FxHashMap<Key<'a>, &Resource>| {
            let alone = side.iter().filter(|(key, _)| !other.contains_key(*key));
            alone.map(|(key, one)| (*key, body_digest(one, Some(&one.name), &names))).collect::<Vec<_>>()
        };
        let mut one: FxHashMap<Key<'_>, u64> = alone(&was, &is).into_iter().chain(alone(&is, &was)).collect();
        // What the change itself calls the same, is so in whatever else it differs.
        for moved in &head.moves {
            let (from, to) = (without_keys(&moved.from), without_keys(&moved.to));
            let key = |address: &str, side: &FxHashMap<Key<'a>, &Resource>| {
                let (rest, name) = address.rsplit_once('.')?;
                let kind = rest.rsplit('.').next()?;
                side.keys().find(|key| **key == (kind, name)).copied()
            };
            if let (Some(from), Some(to)) = (key(&from, &was), key(&to, &is))
                && one.contains_key(&from)
                && one.contains_key(&to)
            {
                let mut hasher = DefaultHasher::new();
                to.hash(&mut hasher);
                one.extend([(from, hasher.finish()), (to, hasher.finish())]);
            }
        }
        Known { both, one }
    }
}
