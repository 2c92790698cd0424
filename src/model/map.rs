//! Maps of the common model.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::Node;
use crate::source::Span;

/// From so many entries on a map is searched by an index.
const MANY: usize = 32;

/// One key of a [`Map`].
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: Arc<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// Its value.
    pub node: Node,
}

/// Keys and values in the order of the file; keys are unique.
#[derive(Clone)]
pub struct Map {
    form: Form,
}

/// Models hold hundreds of thousands of small maps: what only some need is behind a pointer.
#[derive(Clone)]
enum Form {
    Small(Box<[Entry]>),
    Large(Box<Large>),
    Deferred(Box<Deferred>),
    Open(Box<Open>),
}

/// A map of which some keys are known: what is asked for by another is not known.
#[derive(Clone)]
struct Open {
    known: Map,
    rest: Node,
}

#[derive(Clone)]
struct Large {
    entries: Box<[Entry]>,
    /// Positions of the entries sorted by key, made when the first key is asked for.
    order: OnceLock<Box<[u32]>>,
}

#[derive(Clone)]
struct Deferred {
    made: OnceLock<Map>,
    make: Arc<dyn Fn() -> Vec<Entry> + Send + Sync>,
}

impl Default for Map {
    fn default() -> Map {
        Map { form: Form::Small(Box::default()) }
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("entries", &self.entries()).finish()
    }
}

impl Map {
    /// Takes entries whose keys are unique; of equal keys the first is found.
    pub fn new(entries: Vec<Entry>) -> Map {
        let entries = entries.into_boxed_slice();
        let form = match entries.len() > MANY {
            true => Form::Large(Box::new(Large { entries, order: OnceLock::new() })),
            false => Form::Small(entries),
        };
        Map { form }
    }

    /// A map that few ask for, made from something else in memory by the first who does. Every value in it is known.
    pub fn deferred(make: Arc<dyn Fn() -> Vec<Entry> + Send + Sync>) -> Map {
        Map { form: Form::Deferred(Box::new(Deferred { made: OnceLock::new(), make })) }
    }

    /// A map that may have more entries than these; `rest` is the unknown that they are.
    pub fn open(known: Vec<Entry>, rest: Node) -> Map {
        Map { form: Form::Open(Box::new(Open { known: Map::new(known), rest })) }
    }

    /// The same map with other entries.
    pub fn with(&self, entries: Vec<Entry>) -> Map {
        match &self.form {
            Form::Open(open) => Map::open(entries, open.rest.clone()),
            _ => Map::new(entries),
        }
    }

    /// What is not known of a map that may have more entries.
    pub fn rest(&self) -> Option<&Node> {
        match &self.form {
            Form::Open(open) => Some(&open.rest),
            _ => None,
        }
    }

    /// The entries in order.
    pub fn entries(&self) -> &[Entry] {
        match &self.form {
            Form::Small(entries) => entries,
            Form::Large(large) => &large.entries,
            Form::Deferred(deferred) => deferred.made().entries(),
            Form::Open(open) => open.known.entries(),
        }
    }

    /// The entries that may hold something unknown.
    pub(super) fn written(&self) -> &[Entry] {
        match &self.form {
            Form::Deferred(_) => &[],
            _ => self.entries(),
        }
    }

    /// The value at `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entry at `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.form {
            Form::Small(entries) => entries.iter().find(|entry| &*entry.key == key),
            Form::Large(large) => large.entry(key),
            Form::Deferred(deferred) => deferred.made().entry(key),
            Form::Open(open) => open.known.entry(key),
        }
    }
}

impl Deferred {
    fn made(&self) -> &Map {
        self.made.get_or_init(|| Map::new((self.make)()))
    }
}

impl Large {
    fn entry(&self, key: &str) -> Option<&Entry> {
        let order = self.order.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.entries.len() as u32).collect();
            order.sort_by_key(|index| &self.entries[*index as usize].key);
            order.into()
        });
        let at = |index: u32| &self.entries[index as usize];
        let first = order.partition_point(|index| *at(*index).key < *key);
        order.get(first).map(|index| at(*index)).filter(|entry| *entry.key == *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Number, Value};
    use crate::source::FileId;

    fn numbered(key: &str, number: i64) -> Entry {
        let span = Span::new(FileId(0), 0, 0);
        Entry { key: key.into(), key_span: span, node: Node::new(Value::Number(Number::Int(number)), span) }
    }

    #[test]
    fn large_maps_keep_their_order_and_find_the_first_of_equal_keys() {
        let mut entries: Vec<Entry> = (0..100).rev().map(|n| numbered(&format!("key-{n}"), n)).collect();
        entries.push(numbered("key-7", -1));
        let map = Map::new(entries);
        assert_eq!(&*map.entries()[0].key, "key-99");
        assert_eq!(map.get("key-7").and_then(Node::as_f64), Some(7.0));
        assert!(map.get("key-").is_none() && map.get("zzz").is_none());
    }

    #[test]
    fn a_deferred_map_is_made_once() {
        let made = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let count = made.clone();
        let map = Map::deferred(Arc::new(move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            vec![numbered("a", 1)]
        }));
        assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), 0);
        assert_eq!(map.get("a").and_then(Node::as_f64), Some(1.0));
        assert_eq!(map.entries().len(), 1);
        assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), 1);
    }

    #[test]
    fn of_an_open_map_what_is_not_there_is_unknown_and_not_absent() {
        let span = Span::new(FileId(0), 0, 0);
        let rest = Node::unknown("no value", Vec::new(), false, span);
        let map = Map::open(vec![numbered("a", 1)], rest);
        let node = Node::new(Value::Map(map.into()), span);
        assert!(node.get("a").known().is_some() && node.get("b").is_unknown() && node.has_unknown());
    }

    #[test]
    fn a_map_is_no_larger_than_a_list_of_its_entries() {
        assert_eq!(size_of::<Map>(), size_of::<Vec<Entry>>());
    }
}
