//! Rules: the catalog, the three kinds of check, and the engine that runs them over the model.

mod admission;
mod arms;
pub mod catalog;
pub mod engine;
pub(crate) mod long_names;
pub mod native;
pub mod options;
mod precedence;
pub mod rego;
pub mod schema;
pub mod table;

pub(crate) use crate::severity;
pub(crate) use long_names::normal_name;

pub use catalog::{Catalog, Selection};
pub use engine::{Judged, judge, judge_some};
pub use native::{Cx, Findings, Native};
pub use options::Options;
pub use schema::{Check, Prose, Rule};
