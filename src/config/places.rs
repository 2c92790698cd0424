//! Where keys and values of a YAML file stand, so that every mistake can be shown in place.

use std::ops::Range;

use crate::settings_yaml;

use granit_parser::{Event, Parser};

/// No configuration is nested deeper.
const MAX_DEPTH: usize = 32;

/// One step of a path into the file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// A value with its place; bytes.
#[derive(Debug)]
pub(super) struct Place {
    pub at: Range<usize>,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Leaf,
    List(Vec<Place>),
    Map(Vec<(String, Range<usize>, Place)>),
}

/// What makes the file unreadable as a whole.
#[derive(Debug)]
pub(super) struct Broken {
    pub at: Range<usize>,
    pub message: String,
    pub help: Option<&'static str>,
}

/// A collection that is not closed yet, with the key that waits for its value.
struct Open {
    place: Place,
    key: Option<(String, Range<usize>)>,
}

impl Place {
    /// Reads the places of a file with at most one document.
    pub fn read(text: &str) -> Result<Place, Broken> {
        if settings_yaml::is_deep(text) {
            return Err(Broken { at: 0..0, message: settings_yaml::TOO_DEEP.into(), help: None });
        }
        let mut stack: Vec<Open> = Vec::new();
        let mut root = Place { at: 0..0, inner: Inner::Leaf };
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| {
                let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                Broken { at: at..at, message: format!("not YAML: {}", error.info()), help: None }
            })?;
            let at = span.byte_range().unwrap_or(0..0);
            let broken = |message: &str, help| Err(Broken { at: at.clone(), message: message.into(), help });
            let done = match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return broken("a second YAML document", Some("a configuration is one document"));
                    }
                    continue;
                }
                Event::Scalar(value, ..) => {
                    if let Some(open) = stack.last_mut()
                        && matches!(open.place.inner, Inner::Map(_))
                        && open.key.is_none()
                    {
                        open.key = Some((value.into_owned(), at));
                        continue;
                    }
                    Place { at, inner: Inner::Leaf }
                }
                Event::Alias(_) => return broken("an alias", Some("write the value out; anchors are not read here")),
                Event::SequenceStart(..) | Event::MappingStart(..) if stack.len() >= MAX_DEPTH => {
                    return broken("nested too deep", None);
                }
                Event::SequenceStart(..) => {
                    stack.push(Open { place: Place { at, inner: Inner::List(Vec::new()) }, key: None });
                    continue;
                }
                Event::MappingStart(..) => {
                    if let Some(Open { place: Place { inner: Inner::Map(_), .. }, key: None }) = stack.last() {
                        return broken("a mapping as a key", None);
                    }
                    stack.push(Open { place: Place { at, inner: Inner::Map(Vec::new()) }, key: None });
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(open) = stack.pop() else { continue };
                    let mut place = open.place;
                    place.at.end = at.end.max(place.at.start);
                    place
                }
                _ => continue,
            };
            match stack.last_mut() {
                None => root = done,
                Some(Open { place: Place { inner: Inner::List(items), .. }, .. }) => items.push(done),
                Some(Open { place: Place { inner: Inner::Map(entries), .. }, key }) => {
                    let Some((key, key_at)) = key.take() else {
                        return Err(Broken { at: done.at, message: "a list as a key".into(), help: None });
                    };
                    if entries.iter().any(|(known, ..)| *known == key) {
                        let message = format!("the key `{key}` stands here twice");
                        return Err(Broken { at: key_at, message, help: Some("keep one of them") });
                    }
                    entries.push((key, key_at, done));
                }
                Some(_) => {}
            }
        }
        Ok(root)
    }

    /// The place of the value at the end of a path, or of the last part of the way that exists.
    pub fn value(&self, path: &[Step<'_>]) -> Range<usize> {
        let mut place = self;
        for step in path {
            let next = match (step, &place.inner) {
                (Step::Key(key), Inner::Map(entries)) => {
                    entries.iter().find(|(known, ..)| known == key).map(|(.., next)| next)
                }
                (Step::Index(index), Inner::List(items)) => items.get(*index),
                _ => None,
            };
            match next {
                Some(next) => place = next,
                None => break,
            }
        }
        place.at.clone()
    }

    /// The place of a key of the map at the end of a path.
    pub fn key(&self, path: &[Step<'_>], key: &str) -> Range<usize> {
        let parent = self.value(path);
        let mut all = Vec::new();
        self.keys(&mut |known, at| {
            if known == key && parent.start <= at.start && at.end <= parent.end.max(at.end) {
                all.push(at.clone());
            }
        });
        all.into_iter().next().unwrap_or(parent)
    }

    /// The key of this name that stands nearest to an offset.
    pub fn nearest_key(&self, key: &str, offset: usize) -> Option<Range<usize>> {
        let mut nearest: Option<Range<usize>> = None;
        self.keys(&mut |known, at| {
            let is_nearer = nearest.as_ref().is_none_or(|old| at.start.abs_diff(offset) < old.start.abs_diff(offset));
            if known == key && is_nearer {
                nearest = Some(at.clone());
            }
        });
        nearest
    }

    fn keys(&self, visit: &mut dyn FnMut(&str, &Range<usize>)) {
        match &self.inner {
            Inner::Leaf => {}
            Inner::List(items) => items.iter().for_each(|item| item.keys(visit)),
            Inner::Map(entries) => {
                for (key, at, value) in entries {
                    visit(key, at);
                    value.keys(visit);
                }
            }
        }
    }
}
