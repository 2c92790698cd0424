//! What is in a value: its type, its parts, and what of it is known.

use std::sync::Arc;

use super::{AttributeType, Kind, Marks, Member, Number, Sort, Type, Val};

impl Val {
    /// Its type. For a tuple or object every part is looked at: where the sort is enough, [`Val::sort`] costs nothing.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Null(ty) => ty.clone(),
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(elements) => Type::list(elements.ty.clone()),
            Kind::Set(elements) => Type::set(elements.ty.clone()),
            Kind::Map(members) => Type::map(members.ty.clone()),
            Kind::Tuple(items) => Type::Tuple(Arc::new(items.iter().map(Val::ty).collect())),
            Kind::Object(members) if members.open.is_some() => Type::Dynamic,
            Kind::Object(members) => {
                let attribute =
                    |member: &Member| AttributeType { name: member.key.clone(), ty: member.val.ty(), optional: None };
                Type::Object(Arc::new(members.items.iter().map(attribute).collect()))
            }
            Kind::Unknown(unknown) => unknown.ty.clone(),
        }
    }

    /// Its type without the inside.
    pub fn sort(&self) -> Sort {
        match &self.kind {
            Kind::Null(ty) => ty.sort(),
            Kind::Bool(_) => Sort::Bool,
            Kind::Number(_) => Sort::Number,
            Kind::String(_) => Sort::String,
            Kind::List(_) => Sort::List,
            Kind::Set(_) => Sort::Set,
            Kind::Map(_) => Sort::Map,
            Kind::Tuple(_) => Sort::Tuple,
            Kind::Object(members) if members.open.is_some() => Sort::Dynamic,
            Kind::Object(_) => Sort::Object,
            Kind::Unknown(unknown) => unknown.ty.sort(),
        }
    }

    /// The type of the elements of a list, set or map, known or not; none for anything else.
    pub fn element_ty(&self) -> Option<&Type> {
        match &self.kind {
            Kind::List(elements) | Kind::Set(elements) => Some(&elements.ty),
            Kind::Map(members) => Some(&members.ty),
            Kind::Null(ty) => ty.element(),
            Kind::Unknown(unknown) => unknown.ty.element(),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null(_))
    }

    /// Whether the value itself is not known.
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    /// Whether any part is not known.
    pub fn has_unknown(&self) -> bool {
        self.summary.has_unknown
    }

    /// The marks of the value and of all its parts.
    pub fn deep_marks(&self) -> Marks {
        self.marks.with(self.summary.marks)
    }

    /// The elements of a list, set or tuple; none for anything else.
    pub fn items(&self) -> &[Val] {
        match &self.kind {
            Kind::List(elements) | Kind::Set(elements) => &elements.items,
            Kind::Tuple(items) => items,
            _ => &[],
        }
    }

    /// The members of a map or object; none for anything else.
    pub fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Map(members) | Kind::Object(members) => &members.items,
            _ => &[],
        }
    }

    /// The member of this key.
    pub fn member(&self, key: &str) -> Option<&Val> {
        let members = self.members();
        members.binary_search_by(|one| (*one.key).cmp(key)).ok().map(|index| &members[index].val)
    }

    /// Elements or members, without their keys.
    pub fn parts(&self) -> impl Iterator<Item = &Val> {
        self.items().iter().chain(self.members().iter().map(|member| &member.val))
    }

    /// A list, set, tuple, map or object.
    pub fn is_collection(&self) -> bool {
        matches!(self.kind, Kind::List(_) | Kind::Set(_) | Kind::Map(_) | Kind::Tuple(_) | Kind::Object(_))
    }

    /// Keys and values in terraform's order of iteration: indices for lists and tuples, elements twice for sets.
    pub fn pairs(&self) -> Vec<(Val, Val)> {
        match &self.kind {
            Kind::Set(elements) => elements.items.iter().map(|one| (one.clone(), one.clone())).collect(),
            Kind::Map(_) | Kind::Object(_) => {
                let pair = |one: &Member| (Val::string(one.key.clone(), one.key_span), one.val.clone());
                self.members().iter().map(pair).collect()
            }
            _ => {
                let pair = |(index, one): (usize, &Val)| (Val::int(index as i64, one.span), one.clone());
                self.items().iter().enumerate().map(pair).collect()
            }
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// A boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(bool) => Some(bool),
            _ => None,
        }
    }

    /// A number.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A primitive as terraform writes it into text.
    pub fn to_text(&self) -> Option<Arc<str>> {
        match &self.kind {
            Kind::String(text) => Some(text.clone()),
            Kind::Number(number) => Some(number.to_string().into()),
            Kind::Bool(bool) => Some(if *bool { "true" } else { "false" }.into()),
            _ => None,
        }
    }
}
