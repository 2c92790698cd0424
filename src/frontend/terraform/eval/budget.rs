//! What one root module may cost: loops inside loops, modules inside modules and texts of texts multiply.
//!
//! What is over a limit is left out and told at its place; all else is judged, the more so what is written out.

use std::cell::Cell;

use super::{Evaluator, Failure, limit};
use crate::frontend::terraform::syntax::ExprKind;
use crate::frontend::terraform::value::{Kind, Val};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

/// Steps that one root module may take: each expression is one, and so is each instance and much of a text.
const MAX_STEPS: u64 = 5_000_000;
/// Bytes of text that are read or written in one step.
const TEXT_OF_STEP: usize = 256;
/// Values of a collection that a function goes through in one step.
const VALUES_OF_STEP: u32 = 1024;
/// Instances of called modules: those of a tree in which every module calls two double with every level.
const MAX_MODULES: usize = 50_000;
/// Blocks that `dynamic` makes in one root module.
const MAX_BLOCKS: usize = 250_000;

/// Functions that go through the text of every part of what they are given; the others pass parts on as they are.
const READ_PARTS: &[&str] = &[
    "compact",
    "contains",
    "distinct",
    "format",
    "formatlist",
    "index",
    "join",
    "jsonencode",
    "matchkeys",
    "setintersection",
    "setsubtract",
    "setunion",
    "sort",
    "toset",
    "yamlencode",
];
/// Bytes of text in the parts of a collection that such a function reads in one step: mostly it looks at their beginnings.
const TEXT_OF_PARTS: usize = 2048;
/// Functions whose results hold text that was not there before.
const WRITE_PARTS: &[&str] = &["csvdecode", "formatlist", "jsondecode", "regex", "regexall", "split", "yamldecode"];

/// What was spent.
#[derive(Default)]
pub(super) struct Budget {
    steps: Cell<u64>,
    modules: Cell<usize>,
    blocks: Cell<usize>,
}

impl Budget {
    /// Begins anew.
    pub(super) fn renew(&self) {
        self.steps.set(0);
    }

    /// Whether there are no steps left.
    pub(super) fn is_spent(&self) -> bool {
        self.steps.get() > MAX_STEPS
    }
}

impl Evaluator<'_> {
    /// Takes so many steps; a failure at `span` once there are none left.
    pub(super) fn charge(&self, steps: u64, span: Span) -> Result<(), Box<Failure>> {
        let taken = self.budget.steps.get().saturating_add(steps);
        self.budget.steps.set(taken);
        if taken > MAX_STEPS { Err(limit(span, "the module takes too long to evaluate".to_string())) } else { Ok(()) }
    }

    /// Takes the steps of reading or writing a text of this length.
    pub(super) fn charge_text(&self, bytes: usize, span: Span) -> Result<(), Box<Failure>> {
        self.charge((bytes / TEXT_OF_STEP) as u64, span)
    }

    /// Takes the steps of a function that reads these arguments.
    pub(super) fn charge_call(&self, name: &str, arguments: &[Val], span: Span) -> Result<(), Box<Failure>> {
        let reads_parts = READ_PARTS.contains(&name);
        let cost = |argument: &Val| match &argument.kind {
            Kind::String(text) => text.len() / TEXT_OF_STEP,
            _ if reads_parts => argument.text_len() / TEXT_OF_PARTS + (argument.weight() / VALUES_OF_STEP) as usize,
            _ => (argument.weight() / VALUES_OF_STEP) as usize,
        };
        self.charge(arguments.iter().map(cost).sum::<usize>() as u64, span)
    }

    /// Takes the steps of comparing two values.
    pub(super) fn charge_equality(&self, a: &Val, b: &Val, span: Span) -> Result<(), Box<Failure>> {
        let values = a.weight().min(b.weight()) / VALUES_OF_STEP;
        self.charge(u64::from(values) + (a.text_len().min(b.text_len()) / TEXT_OF_PARTS) as u64, span)
    }

    /// Takes the steps of what a function wrote.
    pub(super) fn charge_result(&self, name: &str, result: &Val, span: Span) -> Result<(), Box<Failure>> {
        match &result.kind {
            Kind::String(text) => self.charge_text(text.len(), span),
            _ if WRITE_PARTS.contains(&name) => self.charge_text(result.text_len(), span),
            _ => Ok(()),
        }
    }

    /// The instances of called modules of which any is worth thinking of: one more than there is room for is told.
    pub(super) fn conceivable_modules(&self) -> usize {
        MAX_MODULES - self.budget.modules.get() + 1
    }

    /// How many of these instances of a called module there is room for.
    pub(super) fn granted_modules(&self, wanted: usize, call: Span) -> usize {
        let told = (
            format!("the calls of modules make more than {MAX_MODULES} instances: those from here on are not judged"),
            "call modules in fewer levels, or fewer times",
        );
        let made = self.budget.modules.get();
        let granted = self.room(wanted, MAX_MODULES - made, call, told);
        self.budget.modules.set(made + granted);
        granted
    }

    /// How many of these blocks of a `dynamic` there is room for.
    pub fn granted_blocks(&self, wanted: usize, header: Span) -> usize {
        let told = (
            format!(
                "the dynamic blocks of this module make more than {MAX_BLOCKS} blocks: those from here on are not judged"
            ),
            "go through smaller collections, most of all in dynamic blocks within dynamic blocks",
        );
        let made = self.budget.blocks.get();
        let granted = self.room(wanted, MAX_BLOCKS - made, header, told);
        self.budget.blocks.set(made + granted);
        granted
    }

    /// How many of what is wanted fit into what is left; told at `at` where it is not all, with what to do.
    pub fn room(&self, wanted: usize, left: usize, at: Span, (message, help): (String, &'static str)) -> usize {
        if left < wanted {
            self.problem(Problem::at(ProblemKind::Limit, at, message).help(help));
        }
        wanted.min(left)
    }
}

/// Whether a value is written out, so that it is known however much was spent on others.
pub(super) fn is_written_out(kind: ExprKind) -> bool {
    match kind {
        ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::String(_) => true,
        // As far as their parts are.
        ExprKind::Tuple(_) | ExprKind::Object(_) | ExprKind::Parenthesis(_) => true,
        _ => false,
    }
}
