//! Pod Security admission: what the label of a namespace makes the API server do with the pods of its workloads.

use rustc_hash::{FxHashMap, FxHashSet};

use super::engine::{Chosen, Index, Ran};
use super::native::kubernetes::name_span;
use super::native::{Cx, Findings, Found, Native};
use super::precedence::{Claim, silenced};
use super::schema::Rule;
use crate::model::view::pod::pod;
use crate::model::view::selector::{namespace, objects};
use crate::model::{Lookup, ResourceId};
use crate::source::Span;

const LABEL: &str = "pod-security.kubernetes.io/enforce";

/// Levels that refuse something, and the packs of the rules that say what.
const LEVELS: &[(&str, &str)] = &[("baseline", "pss-baseline"), ("restricted", "pss-restricted")];

/// Rules that a message names at most.
const SHOWN: usize = 4;

/// One finding for each workload whose namespace, in the tree too, refuses its pods.
pub(super) fn refused(cx: Cx<'_>, rules: &[Rule], out: &mut Findings) {
    let namespaces: FxHashMap<&str, (&str, Span)> = objects(cx.model, "Namespace")
        .filter_map(|one| {
            let Lookup::Known(labels) = one.body.at("metadata.labels") else { return None };
            let level = labels.get(LABEL).known()?;
            Some((&*one.name, (level.as_str()?, level.span)))
        })
        .collect();
    for (level, pack) in LEVELS {
        if !namespaces.values().any(|(enforced, _)| enforced == level) {
            continue;
        }
        let selected: Vec<usize> =
            (0..rules.len()).filter(|at| rules[*at].packs.iter().any(|one| one == pack)).collect();
        let judge = Judge::new(cx, rules, &selected);
        for (id, workload) in cx.model.iter().filter(|(_, one)| pod(one).is_some()) {
            let enforced = namespace(workload).and_then(|name| Some((name, namespaces.get(name)?)));
            let Some((name, (_, label))) = enforced.filter(|(_, (enforced, _))| enforced == level) else { continue };
            let broken = judge.broken(id);
            if broken.is_empty() {
                continue;
            }
            let mut shown = broken.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
            if broken.len() > SHOWN {
                shown.push_str(&format!(" and {} more", broken.len() - SHOWN));
            }
            let at = name_span(workload);
            let message = format!("namespace {name} enforces {level} and refuses the pods by {shown}");
            out.about(id).at(at, "metadata.namespace", message).related(*label, format!("{level} is enforced here"));
        }
    }
}

/// The rules of a level, run apart from those that are selected.
struct Judge<'a> {
    cx: Cx<'a>,
    rules: &'a [Rule],
    index: Index<'a>,
    /// What the rules about the whole model find, by resource.
    whole: Vec<(ResourceId, usize)>,
}

impl<'a> Judge<'a> {
    fn new(cx: Cx<'a>, rules: &'a [Rule], selected: &[usize]) -> Judge<'a> {
        let (index, project) = Index::of(rules, selected);
        let mut whole = Vec::new();
        for (rule, native) in project {
            if let Native::Project(check) = native {
                let mut found = Findings::default();
                check(&cx, &mut found);
                whole.extend(found.found.iter().filter_map(|one| Some((one.resource?, rule))));
            }
        }
        Judge { cx, rules, index, whole }
    }

    /// Ids of the rules that a workload breaks, sorted; of those that have one cause, the most telling.
    fn broken(&self, id: ResourceId) -> Vec<&'a str> {
        let ran = self.index.judge(self.cx, id, self.cx.model.resource(id), Chosen::Yes);
        let found = |ran: &Ran| ran.findings.as_ref().map(|findings| findings.found.clone()).unwrap_or_default();
        let own: Vec<(usize, Found)> =
            ran.iter().flat_map(|ran| found(ran).into_iter().map(|found| (ran.rule, found))).collect();
        let claim = |(rule, found): &(usize, Found)| Claim {
            rule: &self.rules[*rule].id,
            at: found.at,
            resource: ("", ""),
            is_of_container: found.container.is_some(),
            is_possible: found.possible,
        };
        let claims: Vec<Claim<'_>> = own.iter().map(claim).collect();
        let silenced = silenced(&claims, self.rules, &FxHashSet::default());
        let own = own.iter().zip(silenced).filter(|(_, silenced)| !silenced).map(|((rule, _), _)| *rule);
        let whole = self.whole.iter().filter(|(resource, _)| *resource == id).map(|(_, rule)| *rule);
        let mut ids: Vec<&str> = own.chain(whole).map(|rule| self.rules[rule].id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
