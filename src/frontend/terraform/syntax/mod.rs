//! Terraform's syntax: HCL 2 in its native and JSON forms, parsed straight into one arena per file.
//!
//! Grammar: the HCL native syntax specification. Errors are recovered per attribute and block: what is broken is one
//! problem with a place, all the rest of the file is in the tree.

pub mod ast;
mod cursor;
mod expression;
mod json;
mod parser;
mod template;

pub use ast::{Attribute, Block, BodyId, Expr, ExprId, ExprKind, File, For, List, Operator, Part, TemplateFor, Text};
pub use json::parse_json;
pub use parser::{MAX_DEPTH, Parsed, parse, parse_expression, parse_template};
