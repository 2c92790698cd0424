//! Texts that repeat: each is held once.

use std::sync::Arc;

use rustc_hash::FxHashSet;

/// The texts that were asked for so far. One thread's own: what is shared between threads is the texts.
#[derive(Debug, Default)]
pub struct Names {
    known: FxHashSet<Arc<str>>,
}

impl Names {
    /// The text, the same each time it is asked for.
    pub fn get(&mut self, text: &str) -> Arc<str> {
        match self.known.get(text) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = text.into();
                self.known.insert(Arc::clone(&new));
                new
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_held_once() {
        let mut names = Names::default();
        let first = names.get("aws_db_instance");
        assert!(Arc::ptr_eq(&first, &names.get(&String::from("aws_db_instance"))));
        assert_eq!(&*names.get(""), "");
    }
}
