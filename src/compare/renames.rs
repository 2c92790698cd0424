//! Files that go on under another name: those with the same text first, then those with most of their lines, the likeliest
//! pair before all others. Which folder became which is what most of its files say.
//!
//! Not every file is held against every other: lines that few files have lead to the candidates.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHasher};

use super::plan::folder_of;
use crate::path::name_of;

/// Files that one file is held against at most, in one round.
const MAX_CANDIDATES: usize = 64;

/// Candidates that one line or name gives at most.
const MAX_OF_ONE: usize = 16;

/// Rounds in which what is left is held against each other.
const MAX_ROUNDS: usize = 4;

/// Folders that one folder may have become, for what its files say.
const MAX_VOUCHED: usize = 4;

/// Parts at the end of two paths that are compared.
const MAX_PARTS: usize = 8;

/// Base paths under their names in the head, from the files, by path and text and sorted, that only the base has and those that only
/// the head has; with them folders, save those that are `still` there.
pub(super) fn renames(
    gone: &[(&str, &str)],
    came: &[(&str, &str)],
    still: impl Fn(&str) -> bool,
) -> FxHashMap<String, String> {
    let mut matching = Matching::new(gone, came);
    let several = matching.equal_texts();
    let of_gone = several.iter().flat_map(|group| &group.0).copied().collect();
    let of_came = several.iter().flat_map(|group| &group.1).copied().collect();
    matching.alike(&of_gone, &of_came);
    let folders = matching.folders();
    several.iter().for_each(|group| matching.settle(group, &folders));
    matching.alike(&BTreeSet::new(), &BTreeSet::new());
    let mut renames: FxHashMap<String, String> = FxHashMap::default();
    for (from, to) in matching.folders() {
        if let Some(to) = to.first().filter(|_| !still(from)) {
            renames.insert(from.to_string(), to.to_string());
        }
    }
    renames.extend(matching.pairs().map(|(from, to)| (gone[from].0.to_string(), came[to].0.to_string())));
    renames
}

/// Files of two trees by index, those with one text that several have.
type Group = (Vec<usize>, Vec<usize>);

/// For each folder of the base those that its files went to, most of them first.
type Folders<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Files of two trees, each of which is paired once at most.
struct Matching<'a> {
    gone: Vec<File<'a>>,
    came: Vec<File<'a>>,
    /// For each that is gone the one that came in its place.
    to: Vec<Option<usize>>,
    taken: Vec<bool>,
}

impl<'a> Matching<'a> {
    fn new(gone: &[(&'a str, &'a str)], came: &[(&'a str, &'a str)]) -> Matching<'a> {
        let files = |of: &[(&'a str, &'a str)]| of.par_iter().map(|(path, text)| File::of(path, text)).collect();
        Matching { gone: files(gone), came: files(came), to: vec![None; gone.len()], taken: vec![false; came.len()] }
    }

    fn take(&mut self, from: usize, to: usize) {
        self.to[from] = Some(to);
        self.taken[to] = true;
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.to.iter().enumerate().filter_map(|(from, to)| Some((from, (*to)?)))
    }

    /// Pairs files with a text that one on each side has, and gives those of which several have it.
    fn equal_texts(&mut self) -> Vec<Group> {
        let mut by_text: FxHashMap<&str, Group> = FxHashMap::default();
        self.gone.iter().enumerate().for_each(|(at, file)| by_text.entry(file.text).or_default().0.push(at));
        for (at, file) in self.came.iter().enumerate() {
            if let Some(group) = by_text.get_mut(file.text) {
                group.1.push(at);
            }
        }
        let mut groups: Vec<Group> = by_text.into_values().filter(|group| !group.1.is_empty()).collect();
        groups.sort_unstable();
        groups.retain(|group| match (&group.0[..], &group.1[..]) {
            ([from], [to]) => {
                self.take(*from, *to);
                false
            }
            _ => true,
        });
        groups
    }

    /// What the pairs say of folders. Empty files say nothing.
    fn folders(&self) -> Folders<'a> {
        let mut votes: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for (from, to) in self.pairs().filter(|(from, _)| self.gone[*from].total > 0) {
            let (from, to) = (folder_of(self.gone[from].path), folder_of(self.came[to].path));
            *votes.entry(from).or_default().entry(to).or_default() += 1;
        }
        let ordered = |(from, votes): (&'a str, BTreeMap<&'a str, usize>)| {
            let mut to: Vec<(&str, usize)> = votes.into_iter().collect();
            to.sort_by_key(|(to, count)| (Reverse(*count), Reverse(common_end(from, to))));
            (from, to.into_iter().map(|(to, _)| to).collect())
        };
        votes.into_iter().map(ordered).collect()
    }

    /// Pairs files with one text by their folders and names: where others of the folder went under the same name; where they
    /// went, or in the same folder; then by as many parts at the end of the path as they share; then in order.
    fn settle(&mut self, group: &Group, folders: &Folders<'a>) {
        let (gone, came): (Vec<&'a str>, Vec<&'a str>) =
            (self.gone.iter().map(|one| one.path).collect(), self.came.iter().map(|one| one.path).collect());
        let vouched = |at: usize, rank: usize| match folders.get(folder_of(gone[at])) {
            Some(to) => to.get(rank).copied(),
            None => (rank == 0).then(|| folder_of(gone[at])),
        };
        for rank in 0..MAX_VOUCHED {
            let key = |at: usize| Some((vouched(at, rank)?, name_of(gone[at])));
            self.pass(group, key, |at| Some((folder_of(came[at]), name_of(came[at]))));
        }
        for rank in 0..MAX_VOUCHED {
            self.pass(group, |at| vouched(at, rank), |at| Some(folder_of(came[at])));
        }
        for parts in (1..=MAX_PARTS).rev() {
            self.pass(group, |at| end(gone[at], parts), |at| end(came[at], parts));
        }
        self.pass(group, |_| Some(()), |_| Some(()));
    }

    /// Pairs what is left of a group by a key, in order.
    fn pass<K: Eq + Hash>(
        &mut self,
        group: &Group,
        gone: impl Fn(usize) -> Option<K>,
        came: impl Fn(usize) -> Option<K>,
    ) {
        let mut left: FxHashMap<K, VecDeque<usize>> = FxHashMap::default();
        for at in group.1.iter().copied().filter(|at| !self.taken[*at]) {
            if let Some(key) = came(at) {
                left.entry(key).or_default().push_back(at);
            }
        }
        for from in group.0.iter().copied() {
            if self.to[from].is_some() {
                continue;
            }
            if let Some(to) = gone(from).and_then(|key| left.get_mut(&key)?.pop_front()) {
                self.take(from, to);
            }
        }
    }

    /// Pairs files that have half of their lines in common, leaving these out: those of a name that one on each side has, then the
    /// likeliest pair first.
    fn alike(&mut self, no_gone: &BTreeSet<usize>, no_came: &BTreeSet<usize>) {
        let gone = |all: &Self| -> Vec<usize> {
            (0..all.to.len()).filter(|at| all.to[*at].is_none() && !no_gone.contains(at)).collect()
        };
        let came = |all: &Self| -> Vec<usize> {
            (0..all.taken.len()).filter(|at| !all.taken[*at] && !no_came.contains(at)).collect()
        };
        let mut by_name: BTreeMap<&str, Group> = BTreeMap::new();
        gone(self).into_iter().for_each(|at| by_name.entry(name_of(self.gone[at].path)).or_default().0.push(at));
        came(self).into_iter().for_each(|at| by_name.entry(name_of(self.came[at].path)).or_default().1.push(at));
        for group in by_name.into_values() {
            if let ([from], [to]) = (&group.0[..], &group.1[..])
                && likeness(&self.gone[*from], &self.came[*to]).is_some()
            {
                self.take(*from, *to);
            }
        }
        for _ in 0..MAX_ROUNDS {
            let (gone, came) = (gone(self), came(self));
            if gone.is_empty() || came.is_empty() || !self.round(&gone, &came) {
                break;
            }
        }
    }

    /// Pairs the likeliest of these, and tells whether there was any: what is the likeliest for both and nothing else is, before
    /// what could be several, of which those go first whose folders others vouch for.
    fn round(&mut self, gone: &[usize], came: &[usize]) -> bool {
        let candidates = self.candidates(gone, came);
        let best = |side: fn(&Candidate) -> usize| {
            let mut best: FxHashMap<usize, (f64, usize)> = FxHashMap::default();
            for one in &candidates {
                let known = best.entry(side(one)).or_insert((one.likeness, 0));
                match one.likeness.total_cmp(&known.0) {
                    std::cmp::Ordering::Less => {}
                    std::cmp::Ordering::Equal => known.1 += 1,
                    std::cmp::Ordering::Greater => *known = (one.likeness, 1),
                }
            }
            best
        };
        let (of_gone, of_came) = (best(|one| one.from), best(|one| one.to));
        for one in &candidates {
            let is_sure = |best: &(f64, usize)| *best == (one.likeness, 1);
            if is_sure(&of_gone[&one.from]) && is_sure(&of_came[&one.to]) {
                self.take(one.from, one.to);
            }
        }
        let folders = self.folders();
        let rank = |one: &Candidate| {
            let (from, to) = (self.gone[one.from].path, self.came[one.to].path);
            let vouched = folders.get(folder_of(from)).and_then(|all| all.iter().position(|one| *one == folder_of(to)));
            (vouched.unwrap_or(usize::MAX), Reverse(common_end(from, to)), one.from, one.to)
        };
        let mut left: Vec<_> = candidates.iter().map(|one| (one.likeness, rank(one))).collect();
        left.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (_, (_, _, from, to)) in left {
            if self.to[from].is_none() && !self.taken[to] {
                self.take(from, to);
            }
        }
        !candidates.is_empty()
    }

    /// Pairs of these that have half of their lines in common, among those that the rarest lines and names lead to.
    fn candidates(&self, gone: &[usize], came: &[usize]) -> Vec<Candidate> {
        let mut index: FxHashMap<u64, Group> = FxHashMap::default();
        for at in came {
            self.came[*at].marks().for_each(|mark| index.entry(mark).or_default().1.push(*at));
        }
        for at in gone {
            self.gone[*at].marks().for_each(|mark| {
                if let Some(group) = index.get_mut(&mark) {
                    group.0.push(*at);
                }
            });
        }
        let of = |from: &usize| {
            let mut marks: Vec<(usize, u64, &Group)> = self.gone[*from]
                .marks()
                .filter_map(|mark| index.get(&mark).map(|group| (group.1.len(), mark, group)))
                .collect();
            marks.sort_unstable();
            let mut near = BTreeSet::new();
            for (_, _, group) in marks {
                if near.len() >= MAX_CANDIDATES {
                    break;
                }
                near.extend(around(group, *from));
            }
            let scored = near.into_iter().filter_map(|to| {
                let likeness = likeness(&self.gone[*from], &self.came[to])?;
                Some(Candidate { from: *from, to, likeness })
            });
            scored.collect::<Vec<_>>()
        };
        gone.par_iter().flat_map_iter(of).collect()
    }
}

/// Two files that may be one.
struct Candidate {
    from: usize,
    to: usize,
    likeness: f64,
}

/// Those of a group that came, or as many of them as one mark gives: around the place that a file has among those that are gone,
/// since folders that move keep their order.
fn around(group: &Group, from: usize) -> &[usize] {
    let (gone, came) = group;
    if came.len() <= MAX_OF_ONE {
        return came;
    }
    let rank = gone.binary_search(&from).unwrap_or_else(|at| at);
    let middle = rank * came.len() / gone.len().max(1);
    let first = middle.saturating_sub(MAX_OF_ONE / 2).min(came.len() - MAX_OF_ONE);
    &came[first..first + MAX_OF_ONE]
}

/// A file by its lines.
struct File<'a> {
    path: &'a str,
    text: &'a str,
    /// Hashes of its lines with how often each stands there, sorted; blanks around them don't count.
    lines: Vec<(u64, usize)>,
    /// How many lines it has.
    total: usize,
}

impl<'a> File<'a> {
    fn of(path: &'a str, text: &'a str) -> File<'a> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut hashes: Vec<u64> = lines.map(hash).collect();
        hashes.sort_unstable();
        let counted = hashes.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect();
        File { path, text, lines: counted, total: hashes.len() }
    }

    /// What it is found by: its lines, its name, and the end of its path.
    fn marks(&self) -> impl Iterator<Item = u64> {
        let ends = (1..=3).filter_map(|parts| end(self.path, parts)).map(|end| hash(&format!("\n{end}")));
        self.lines.iter().map(|(line, _)| *line).chain(ends)
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The share of lines that two files have in common, as git measures renames, where it is half of them or more.
fn likeness(a: &File<'_>, b: &File<'_>) -> Option<f64> {
    let (few, many) = (a.total.min(b.total), a.total.max(b.total));
    if few * 2 < many || few == 0 {
        return None;
    }
    let (mut a, mut b) = (a.lines.iter().peekable(), b.lines.iter().peekable());
    let mut common = 0;
    while let (Some((line, count)), Some((other, others))) = (a.peek(), b.peek()) {
        match line.cmp(other) {
            std::cmp::Ordering::Equal => {
                common += count.min(others);
                a.next();
                b.next();
            }
            std::cmp::Ordering::Less => {
                a.next();
            }
            std::cmp::Ordering::Greater => {
                b.next();
            }
        }
    }
    (common * 2 >= many).then(|| common as f64 / many as f64)
}

/// The last parts of a path; none if it has fewer.
fn end(path: &str, parts: usize) -> Option<&str> {
    match path.rmatch_indices('/').nth(parts - 1) {
        Some((at, _)) => Some(&path[at + 1..]),
        None => (path.matches('/').count() + 1 == parts).then_some(path),
    }
}

/// How many parts two paths share at their end.
fn common_end(a: &str, b: &str) -> usize {
    a.rsplit('/').zip(b.rsplit('/')).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What became of each file and folder, in the order of their paths.
    fn became(gone: &[(String, String)], came: &[(String, String)]) -> Vec<(String, String)> {
        let files = |of: &[(String, String)]| -> Vec<(String, String)> {
            let mut files = of.to_vec();
            files.sort();
            files
        };
        let (gone, came) = (files(gone), files(came));
        fn pairs(of: &[(String, String)]) -> Vec<(&str, &str)> {
            of.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
        }
        let mut renames: Vec<_> = renames(&pairs(&gone), &pairs(&came), |_| false).into_iter().collect();
        renames.sort();
        renames
    }

    fn manifest(name: usize, version: usize) -> String {
        let own = format!("  name: s{name}\n  image: s{name}:{version}\n");
        (0..20).map(|line| format!("line {line}\n")).collect::<String>() + &own
    }

    #[test]
    fn a_thousand_files_that_move_with_an_edit_each_are_known_again() {
        let gone: Vec<_> = (0..2_000).map(|at| (format!("k8s/s{at}.yaml"), manifest(at, 1))).collect();
        let came: Vec<_> = (0..2_000).map(|at| (format!("deploy/service-{at}.yaml"), manifest(at, 2))).collect();
        let renames = became(&gone, &came);
        assert_eq!(renames.len(), 2_001);
        for (from, to) in renames {
            assert_eq!(to, from.replace("k8s", "deploy").replace("/s", "/service-"));
        }
    }

    #[test]
    fn equal_texts_go_where_their_folders_and_names_say() {
        let named = |paths: &[&str]| paths.iter().map(|path| (path.to_string(), "same".into())).collect::<Vec<_>>();
        let was = named(&["k8s/a/kustomization.yaml", "k8s/b/kustomization.yaml", "k8s/c/kustomization.yaml"]);
        let is = named(&["c/kustomization.yaml", "b/kustomization.yaml", "apps/a/kustomization.yaml"]);
        for (from, to) in became(&was, &is) {
            assert_eq!(from.split('/').nth(1), to.rsplit('/').find(|part| part.len() == 1), "{from} {to}");
        }
        let was = named(&["a/backend.tf", "b/backend.tf"]);
        let renames = became(&was, &named(&["a/versions.tf", "b/versions.tf"]));
        assert!(renames.iter().all(|(from, to)| from[..1] == to[..1]), "{renames:?}");
    }

    #[test]
    fn a_folder_became_what_most_of_its_files_say() {
        let file = |path: &str, text: &str| (path.to_string(), format!("{text}\n"));
        let was = [file("a/1.tf", "one"), file("a/2.tf", "two"), file("a/3.tf", "three")];
        let is = [file("b/1.tf", "one"), file("live/2.tf", "two"), file("live/3.tf", "three")];
        assert!(became(&was, &is).contains(&("a".into(), "live".into())));
    }
}
