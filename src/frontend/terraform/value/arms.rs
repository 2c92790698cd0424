//! What is known of a value that is not: the arms of a conditional whose condition is open, and the parts of a collection that
//! are there whatever the rest is. What is computed from such a value keeps both.

use std::sync::Arc;

use super::{Kind, Member, Type, Unknown, Val, equal};

/// Arms within arms of one value: more are not told apart.
const MAX_LEAVES: usize = 8;
/// The size up to which arms are kept.
pub const MAX_WEIGHT: u32 = 64;

impl Val {
    /// With these two values as what it may turn out to be, where they stay small.
    pub fn with_arms(self, first: Val, second: Val) -> Val {
        let Kind::Unknown(unknown) = &self.kind else { return self };
        if first.weight().saturating_add(second.weight()) > MAX_WEIGHT {
            return self;
        }
        // A defect of both arms is one defect: it has one place.
        let arms = Some(Arc::new([first.used_at(self.span), second.used_at(self.span)]));
        let unknown = Unknown { arms, ..(**unknown).clone() };
        self.with_kind(Kind::Unknown(unknown.into()))
    }

    /// What it is in either arm: of itself, or of the first of its parts that has two.
    fn arms(&self) -> Option<[Val; 2]> {
        if let Kind::Unknown(unknown) = &self.kind {
            return unknown.arms.as_ref().map(|arms| arms.each_ref().map(|arm| arm.clone().marked(self.marks)));
        }
        let open = |part: &Val| matches!(&part.kind, Kind::Unknown(unknown) if unknown.arms.is_some());
        if !self.has_unknown() || self.weight() > MAX_WEIGHT {
            return None;
        }
        let nth = self.items().iter().position(open)?;
        let arms = self.items()[nth].arms()?;
        Some(arms.map(|arm| {
            let mut items = self.items().to_vec();
            items[nth] = arm;
            self.clone().with_kind(Kind::Tuple(items.into()))
        }))
    }

    /// How many values it may turn out to be, as far as arms tell.
    fn leaves(&self) -> usize {
        match &self.kind {
            Kind::Unknown(unknown) => match &unknown.arms {
                Some(arms) => arms[0].leaves().saturating_add(arms[1].leaves()),
                None => 1,
            },
            _ if !self.has_unknown() || self.weight() > MAX_WEIGHT => 1,
            _ => self.items().iter().fold(1usize, |all, item| match item.is_unknown() {
                true => all.saturating_mul(item.leaves()),
                false => all,
            }),
        }
    }

    /// The parts that are known of a list or map of which others are not: a tuple or an object. Arms tell more, where there are
    /// two.
    pub fn partial(&self) -> Option<&Val> {
        match &self.kind {
            // A text is no collection: it was encoded from one.
            Kind::Unknown(unknown) if unknown.ty != Type::String && unknown.arms.is_none() => {
                self.structure.as_deref().filter(|parts| parts.is_collection())
            }
            _ => None,
        }
    }

    /// The members that are known of a map, whether or not there are others.
    pub fn known_members(&self) -> &[Member] {
        self.partial().unwrap_or(self).members()
    }

    /// What is known of the elements of a collection that is not known as a whole.
    pub fn known_elements(&self) -> Option<KnownElements> {
        let Kind::Unknown(unknown) = &self.kind else { return None };
        if let Some(parts) = self.partial() {
            let certain = parts.pairs().into_iter().filter(|(_, val)| !val.is_unknown()).collect();
            return Some(KnownElements { certain, perhaps: Vec::new(), has_others: true });
        }
        unknown.arms.as_ref()?;
        let mut worlds: Vec<&Val> = Vec::new();
        self.each_leaf(&mut worlds);
        if worlds.len() > MAX_LEAVES || !worlds.iter().all(|world| world.is_collection()) {
            return None;
        }
        let worlds: Vec<Vec<Pair>> = worlds.into_iter().map(Val::pairs).collect();
        let holds = |world: &[Pair], pair: &Pair| world.iter().any(|other| is_same(pair, other));
        let certain: Vec<Pair> =
            worlds[0].iter().filter(|pair| worlds.iter().all(|world| holds(world, pair))).cloned().collect();
        let perhaps: Vec<Pair> = worlds.concat().into_iter().filter(|pair| !holds(&certain, pair)).collect();
        // Where there is none in one of the worlds, nobody knows whether there is one.
        let has_others = worlds.iter().any(|world| world.len() == certain.len());
        Some(KnownElements { certain, perhaps, has_others })
    }

    fn each_leaf<'v>(&'v self, out: &mut Vec<&'v Val>) {
        match &self.kind {
            Kind::Unknown(unknown) => match &unknown.arms {
                Some(arms) => arms.iter().for_each(|arm| arm.each_leaf(out)),
                None => out.push(self),
            },
            _ => out.push(self),
        }
    }

    /// What may be one of these, and whatever else where `is_open`.
    pub fn one_of<'v>(self, all: impl Iterator<Item = &'v Val>, is_open: bool) -> Val {
        let Kind::Unknown(unknown) = &self.kind else { return self };
        let plain = Unknown { arms: None, ..(**unknown).clone() };
        let rest = self.clone().with_kind(Kind::Unknown(plain.into()));
        let mut all: Vec<Val> = all.take(MAX_LEAVES + 1).cloned().collect();
        all.extend(is_open.then(|| rest.clone()));
        if all.len() > MAX_LEAVES { rest } else { rest.choice(&all) }
    }

    fn choice(&self, all: &[Val]) -> Val {
        match all {
            [] => self.clone(),
            [only] => self.clone().with_arms(only.clone(), only.clone()),
            [first, second] => self.clone().with_arms(first.clone(), second.clone()),
            _ => {
                let (first, second) = all.split_at(all.len() / 2);
                self.clone().with_arms(self.choice(first), self.choice(second))
            }
        }
    }
}

/// A key and its value.
pub type Pair = (Val, Val);

/// What is known of elements though not of all.
#[derive(Debug)]
pub struct KnownElements {
    /// Those that are there in any case.
    pub certain: Vec<Pair>,
    /// Those of which each may be there or not.
    pub perhaps: Vec<Pair>,
    /// Whether it may be that there is none of these, or another.
    pub has_others: bool,
}

fn is_same(a: &Pair, b: &Pair) -> bool {
    equal(&a.0, &b.0) == Some(true) && equal(&a.1, &b.1) == Some(true)
}

/// `open` is what comes of `parts`: with what `work` makes of them in either arm of those that have two.
pub fn spread<E>(open: Val, parts: &[Val], work: &mut dyn FnMut(&[Val]) -> Result<Val, E>) -> Val {
    if !matches!(&open.kind, Kind::Unknown(unknown) if unknown.arms.is_none()) {
        return open;
    }
    let leaves = parts.iter().fold(1usize, |all, part| all.saturating_mul(part.leaves()));
    if leaves == 1 || leaves > MAX_LEAVES {
        return open;
    }
    let Some((nth, arms)) = parts.iter().enumerate().find_map(|(nth, part)| Some((nth, part.arms()?))) else {
        return open;
    };
    let mut within = |arm: Val| {
        let mut parts = parts.to_vec();
        parts[nth] = arm;
        work(&parts)
    };
    let [first, second] = arms;
    match (within(first), within(second)) {
        (Ok(first), Ok(second)) => open.with_arms(first, second),
        // In a world that terraform refuses nothing is judged.
        _ => open,
    }
}
