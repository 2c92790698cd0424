//! Terraform's types, with what a constraint adds: optional attributes and their defaults.

use std::fmt;
use std::sync::Arc;

use super::Val;

/// Parts of a type that are counted.
const MAX_COUNTED: u32 = 1 << 21;

/// A type, or a constraint on one.
#[derive(Debug, Clone, Default)]
pub enum Type {
    /// Not known, or `any` in a constraint.
    #[default]
    Dynamic,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(…)`
    List(Arc<Type>),
    /// `set(…)`
    Set(Arc<Type>),
    /// `map(…)`
    Map(Arc<Type>),
    /// `tuple([…])`
    Tuple(Arc<Vec<Type>>),
    /// `object({…})`, attributes sorted by name.
    Object(Arc<Vec<AttributeType>>),
}

/// One attribute of an object type.
#[derive(Debug, Clone)]
pub struct AttributeType {
    /// The name.
    pub name: Arc<str>,
    /// The type.
    pub ty: Type,
    /// In constraints: whether the attribute may be left out, and what it is then.
    pub optional: Option<Option<Val>>,
}

/// A type without its inside: a list of whatever, an object with whatever attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Sort {
    Dynamic,
    Bool,
    Number,
    String,
    List,
    Set,
    Map,
    Tuple,
    Object,
}

impl Sort {
    /// The word for messages: `a list`, `an object`.
    pub fn noun(self) -> &'static str {
        match self {
            Sort::Dynamic => "a value of unknown type",
            Sort::Bool => "a bool",
            Sort::Number => "a number",
            Sort::String => "a string",
            Sort::List => "a list",
            Sort::Set => "a set",
            Sort::Map => "a map",
            Sort::Tuple => "a tuple",
            Sort::Object => "an object",
        }
    }
}

impl Type {
    /// `list(element)`
    pub fn list(element: Type) -> Type {
        Type::List(Arc::new(element))
    }

    /// `set(element)`
    pub fn set(element: Type) -> Type {
        Type::Set(Arc::new(element))
    }

    /// `map(element)`
    pub fn map(element: Type) -> Type {
        Type::Map(Arc::new(element))
    }

    /// The attribute of this name of an object type.
    pub fn attribute(&self, name: &str) -> Option<&AttributeType> {
        match self {
            Type::Object(attributes) => {
                attributes.binary_search_by(|one| (*one.name).cmp(name)).ok().map(|index| &attributes[index])
            }
            _ => None,
        }
    }

    /// The type of the elements of a list, set or map.
    pub fn element(&self) -> Option<&Type> {
        match self {
            Type::List(element) | Type::Set(element) | Type::Map(element) => Some(element),
            _ => None,
        }
    }

    /// A boolean, number or string.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Type::Bool | Type::Number | Type::String)
    }

    /// A primitive, or a collection of such: a type that leaves nothing open and fills nothing in.
    pub fn is_plain(&self) -> bool {
        match self {
            Type::List(element) | Type::Set(element) | Type::Map(element) => element.is_plain(),
            other => other.is_primitive(),
        }
    }

    /// A type that what is of it already needs no conversion to: one of collections alone, which fill nothing in. A part that
    /// is not known of their elements stays so.
    pub fn is_settled(&self) -> bool {
        match self {
            Type::List(element) | Type::Set(element) | Type::Map(element) => element.is_settled(),
            other => other.is_primitive() || matches!(other, Type::Dynamic),
        }
    }

    /// Whether any part is not known.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Type::Dynamic => true,
            Type::Bool | Type::Number | Type::String => false,
            Type::List(element) | Type::Set(element) | Type::Map(element) => element.has_dynamic(),
            Type::Tuple(items) => items.iter().any(Type::has_dynamic),
            Type::Object(attributes) => attributes.iter().any(|one| one.ty.has_dynamic()),
        }
    }

    /// How many types are within, none in a primitive one. Types that share their parts can have any number: what is past the
    /// limit of every value is not counted.
    pub fn parts(&self) -> u32 {
        fn count(ty: &Type, counted: &mut u32) {
            let mut add = |part: &Type| {
                if *counted < MAX_COUNTED {
                    *counted += 1;
                    count(part, counted);
                }
            };
            match ty {
                Type::List(element) | Type::Set(element) | Type::Map(element) => add(element),
                Type::Tuple(items) => items.iter().for_each(add),
                Type::Object(attributes) => attributes.iter().for_each(|one| add(&one.ty)),
                Type::Dynamic | Type::Bool | Type::Number | Type::String => {}
            }
        }
        let mut counted = 0;
        count(self, &mut counted);
        counted
    }

    /// What is known of the type without looking inside.
    pub fn sort(&self) -> Sort {
        match self {
            Type::Dynamic => Sort::Dynamic,
            Type::Bool => Sort::Bool,
            Type::Number => Sort::Number,
            Type::String => Sort::String,
            Type::List(_) => Sort::List,
            Type::Set(_) => Sort::Set,
            Type::Map(_) => Sort::Map,
            Type::Tuple(_) => Sort::Tuple,
            Type::Object(_) => Sort::Object,
        }
    }

    /// The word for messages: `a list`, `an object`.
    pub fn noun(&self) -> &'static str {
        self.sort().noun()
    }
}

/// Equal types; what a constraint adds does not count.
impl PartialEq for Type {
    fn eq(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Dynamic, Type::Dynamic)
            | (Type::Bool, Type::Bool)
            | (Type::Number, Type::Number)
            | (Type::String, Type::String) => true,
            (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => a == b,
            (Type::Tuple(a), Type::Tuple(b)) => a == b,
            (Type::Object(a), Type::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(x, y)| x.name == y.name && x.ty == y.ty)
            }
            _ => false,
        }
    }
}

/// As terraform's console writes types: `list(string)`, `tuple([number, bool])`, `object({a=string})`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dynamic => f.write_str("dynamic"),
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::List(element) => write!(f, "list({element})"),
            Type::Set(element) => write!(f, "set({element})"),
            Type::Map(element) => write!(f, "map({element})"),
            Type::Tuple(items) => {
                f.write_str("tuple([")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str("])")
            }
            Type::Object(attributes) => {
                f.write_str("object({")?;
                for (index, one) in attributes.iter().enumerate() {
                    write!(f, "{}{}={}", if index > 0 { ", " } else { "" }, one.name, one.ty)?;
                }
                f.write_str("})")
            }
        }
    }
}
