//! The syntax tree of one Terraform file: one arena, `u32` places, names as ranges of the text.

use std::sync::Arc;

use crate::source::{FileId, Span};

/// Index of an expression in its [`File`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExprId(pub u32);

/// Index of a body in its [`File`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BodyId(pub u32);

/// A run of items in one of the arena's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct List {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl List {
    fn of<T>(self, items: &[T]) -> &[T] {
        &items[self.start as usize..(self.start + self.len) as usize]
    }

    /// Number of items.
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// A text: a range of the source, or of the arena's pool where escapes had to be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Text {
    /// Set in `start` of texts that lie in the pool; files are below 2 GiB.
    pub(super) const POOLED: u32 = 1 << 31;
}

/// An expression and its place.
#[derive(Debug, Clone, Copy)]
pub struct Expr {
    /// Offset of its first byte.
    pub start: u32,
    /// Offset past its last byte.
    pub end: u32,
    /// What it is.
    pub kind: ExprKind,
}

/// Kinds of expressions.
#[derive(Debug, Clone, Copy)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number; its text is the expression's.
    Number(Text),
    /// A string without interpolation.
    String(Text),
    /// A template with parts, quoted or heredoc.
    Template(List),
    /// A name on its own: `var`, `each`, a `for` variable.
    Variable(Text),
    /// `base.name`
    Attribute(ExprId, Text),
    /// `base[key]`, also the old `base.0`
    Index(ExprId, ExprId),
    /// `base[*]…` or `base.*…`: the second expression is applied to each element, which stands in it as [`ExprKind::Element`].
    Splat(ExprId, ExprId),
    /// The element within a splat.
    Element,
    /// `name(arguments)`; true when the last argument is expanded with `...`.
    Call(Text, List, bool),
    /// `[a, b]`
    Tuple(List),
    /// `{ k = v }`: keys and values in turn.
    Object(List),
    /// `[for …]` or `{for …}`, an index into the arena's loops.
    For(u32),
    /// `condition ? yes : no`
    Conditional(ExprId, ExprId, ExprId),
    /// `a op b`
    Binary(Operator, ExprId, ExprId),
    /// `-a`
    Negate(ExprId),
    /// `!a`
    Not(ExprId),
    /// `(a)`
    Parenthesis(ExprId),
}

/// Binary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// A `for` expression.
#[derive(Debug, Clone, Copy)]
pub struct For {
    /// The variable for the key or index, if two are named.
    pub key_name: Option<Text>,
    /// The variable for the value.
    pub value_name: Text,
    /// What is iterated.
    pub collection: ExprId,
    /// The key of the result, for objects.
    pub key: Option<ExprId>,
    /// The value of the result.
    pub value: ExprId,
    /// The filter.
    pub condition: Option<ExprId>,
    /// `...` after the value: values of one key are collected.
    pub grouped: bool,
}

/// A part of a template.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// Literal text.
    Text(Text),
    /// `${ … }`
    Expr(ExprId),
    /// `%{ if … }`, with the parts of both arms.
    If(ExprId, List, List),
    /// `%{ for … }`, an index into the arena's template loops.
    For(u32),
}

/// A `%{ for }` directive.
#[derive(Debug, Clone, Copy)]
pub struct TemplateFor {
    /// The variable for the key or index, if two are named.
    pub key_name: Option<Text>,
    /// The variable for the value.
    pub value_name: Text,
    /// What is iterated.
    pub collection: ExprId,
    /// The parts that are repeated.
    pub body: List,
}

/// The inside of a file or block.
#[derive(Debug, Clone, Copy, Default)]
pub struct Body {
    pub(super) attributes: List,
    pub(super) blocks: List,
}

/// `name = value`
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// The name.
    pub name: Text,
    /// Offset of the name.
    pub start: u32,
    /// Offset past the name.
    pub name_end: u32,
    /// The value.
    pub value: ExprId,
}

/// `type "label" { … }`
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// The type.
    pub kind: Text,
    /// The labels.
    pub(super) labels: List,
    /// Offset of the type.
    pub start: u32,
    /// Offset past the opening brace, on the header's line.
    pub header_end: u32,
    /// Offset past the closing brace.
    pub end: u32,
    /// The inside.
    pub body: BodyId,
}

/// The tree of one file.
#[derive(Debug)]
pub struct File {
    /// The file.
    pub id: FileId,
    pub(super) text: Arc<str>,
    pub(super) pool: String,
    pub(super) exprs: Vec<Expr>,
    pub(super) expr_lists: Vec<ExprId>,
    pub(super) fors: Vec<For>,
    pub(super) parts: Vec<Part>,
    pub(super) template_fors: Vec<TemplateFor>,
    pub(super) bodies: Vec<Body>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) blocks: Vec<Block>,
    pub(super) labels: Vec<Text>,
    pub(super) comments: Vec<(u32, u32)>,
    pub(super) root: BodyId,
}

impl File {
    /// The body of the file.
    pub fn root(&self) -> BodyId {
        self.root
    }

    /// Whether it is written in JSON, where nothing tells a nested block from an argument.
    pub fn is_json(&self) -> bool {
        self.text.trim_start().starts_with('{')
    }

    /// The expression with this id.
    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }

    /// The name of an argument.
    pub fn name_span(&self, attribute: &Attribute) -> Span {
        Span::new(self.id, attribute.start, attribute.name_end)
    }

    /// Where an expression stands.
    pub fn expr_span(&self, id: ExprId) -> Span {
        let expr = self.expr(id);
        Span::new(self.id, expr.start, expr.end)
    }

    /// Arguments of a call, elements of a tuple, or keys and values of an object in turn.
    pub fn exprs(&self, list: List) -> &[ExprId] {
        list.of(&self.expr_lists)
    }

    /// A `for` expression.
    pub fn for_expr(&self, index: u32) -> &For {
        &self.fors[index as usize]
    }

    /// A `%{ for }` directive.
    pub fn template_for(&self, index: u32) -> &TemplateFor {
        &self.template_fors[index as usize]
    }

    /// The parts of a template.
    pub fn parts(&self, list: List) -> &[Part] {
        list.of(&self.parts)
    }

    /// The text of a name or literal.
    pub fn text(&self, text: Text) -> &str {
        if text.start & Text::POOLED != 0 {
            &self.pool[(text.start & !Text::POOLED) as usize..text.end as usize]
        } else {
            &self.text[text.start as usize..text.end as usize]
        }
    }

    /// The attributes of a body in the order of the file.
    pub fn attributes(&self, body: BodyId) -> &[Attribute] {
        self.bodies[body.0 as usize].attributes.of(&self.attributes)
    }

    /// The blocks of a body in the order of the file.
    pub fn blocks(&self, body: BodyId) -> &[Block] {
        self.bodies[body.0 as usize].blocks.of(&self.blocks)
    }

    /// The attribute of this name; the first where a name stands twice.
    pub fn attribute(&self, body: BodyId, name: &str) -> Option<&Attribute> {
        self.attributes(body).iter().find(|attribute| self.text(attribute.name) == name)
    }

    /// The labels of a block.
    pub fn labels(&self, block: &Block) -> impl Iterator<Item = &str> {
        block.labels.of(&self.labels).iter().map(|label| self.text(*label))
    }

    /// The header of a block: type and labels up to the brace.
    pub fn header_span(&self, block: &Block) -> Span {
        Span::new(self.id, block.start, block.header_end)
    }

    /// All of a block.
    pub fn block_span(&self, block: &Block) -> Span {
        Span::new(self.id, block.start, block.end)
    }

    /// Every comment with its marks, in order.
    pub fn comments(&self) -> impl Iterator<Item = Span> {
        self.comments.iter().map(|(start, end)| Span::new(self.id, *start, *end))
    }

    /// Number of expressions, for measurements.
    pub fn expr_count(&self) -> usize {
        self.exprs.len()
    }
}

impl File {
    /// The source under a span of this file.
    pub fn source_text(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}
