//! Conditionals whose condition is not known: what a value is in each of the worlds that they leave open.

use std::sync::Arc;

use super::{Entry, Node, Value};

/// Conditionals within conditionals that are told apart.
const MAX_DEPTH: u32 = 3;

impl Node {
    /// In how many worlds a value is to be looked at; none where there is no conditional.
    ///
    /// Conditionals that stand side by side are all taken to the same side: their conditions are mostly one, and worlds would
    /// multiply.
    pub fn worlds(&self) -> u32 {
        match self.arm_depth() {
            0 => 0,
            depth => 1 << depth.min(MAX_DEPTH),
        }
    }

    /// The value with one arm in place of each conditional, in one of so many worlds.
    pub fn in_world(&self, world: u32, worlds: u32) -> Node {
        self.chosen(world, worlds).unwrap_or_else(|| self.clone())
    }

    /// None where nothing changes: nearly all values have no conditional, and are told so without a copy of anything.
    fn chosen(&self, world: u32, worlds: u32) -> Option<Node> {
        if self.arm_depth() == 0 {
            return None;
        }
        let part = |node: &Node| node.chosen(world, worlds);
        match &self.value {
            Value::Unknown(unknown) => match &unknown.arms {
                Some(arms) => {
                    // Deeper than that, all go to the side of the last that is told apart.
                    let half = (worlds / 2).max(1);
                    let arm = &arms[usize::from(world >= half)];
                    Some(arm.in_world(if worlds > 2 { world % half } else { world }, half.max(2)))
                }
                None => {
                    let structure = self.structure.as_ref().and_then(|structure| part(structure)).map(Arc::new);
                    structure.map(|structure| Node { structure: Some(structure), ..self.clone() })
                }
            },
            Value::List(items) => {
                let items = items.iter().map(|item| part(item).unwrap_or_else(|| item.clone()));
                Some(Node { value: Value::List(items.collect()), ..self.clone() })
            }
            Value::Map(map) => {
                let entries = map.entries().iter().map(|entry| match part(&entry.node) {
                    Some(node) => Entry { node, ..entry.clone() },
                    None => entry.clone(),
                });
                Some(Node { value: Value::Map(Arc::new(map.with(entries.collect()))), ..self.clone() })
            }
            _ => None,
        }
    }

    fn arm_depth(&self) -> u32 {
        let deepest = |parts: &mut dyn Iterator<Item = &Node>| parts.map(Node::arm_depth).max().unwrap_or(0);
        match &self.value {
            Value::Unknown(unknown) => match &unknown.arms {
                Some(arms) => 1 + deepest(&mut arms.iter()),
                // A document that is not known as a text is read as a structure.
                None => deepest(&mut self.structure.as_deref().into_iter()),
            },
            Value::List(items) => deepest(&mut items.iter()),
            Value::Map(map) => deepest(&mut map.written().iter().map(|entry| &entry.node)),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Number, Unknown};
    use crate::source::{FileId, Span};

    const SPAN: Span = Span { file: FileId(0), start: 0, end: 0 };

    fn number(number: i64) -> Node {
        Node::new(Value::Number(Number::Int(number)), SPAN)
    }

    fn either(first: Node, second: Node) -> Node {
        let arms = Some(Arc::new([first, second]));
        Node::new(Value::Unknown(Arc::new(Unknown { arms, ..Unknown::default() })), SPAN)
    }

    fn seen(node: &Node) -> Vec<i64> {
        let worlds = node.worlds();
        (0..worlds).filter_map(|world| node.in_world(world, worlds).as_f64()).map(|number| number as i64).collect()
    }

    #[test]
    fn every_arm_is_seen_in_some_world() {
        assert_eq!(seen(&number(1)), [] as [i64; 0]);
        assert_eq!(seen(&either(number(1), number(2))), [1, 2]);
        let nested = either(number(1), either(number(2), either(number(3), number(4))));
        assert_eq!(seen(&nested), [1, 1, 1, 1, 2, 2, 3, 4]);
    }

    #[test]
    fn conditionals_side_by_side_go_to_the_same_side() {
        let list = Node::list(vec![either(number(1), number(2)), either(number(3), number(4))], SPAN);
        let texts = |world| list.in_world(world, 2).items().iter().filter_map(Node::to_text).collect::<String>();
        assert_eq!((texts(0), texts(1)), ("13".to_string(), "24".to_string()));
    }
}
