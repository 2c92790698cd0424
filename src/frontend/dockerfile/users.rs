//! Whom each USER names, with quotes, escapes and variables taken away as BuildKit does before it looks at the name.

use rustc_hash::FxHashMap;

use super::lexer::{self, Failure, Given, Lexed};
use crate::frontend::growth::Budget;
use crate::model::dockerfile::{Instruction, Stage, User};
use crate::model::image::runs_as_root;

/// A variable at an instruction.
#[derive(Clone)]
struct Variable {
    value: Given,
    /// The argument that decides it.
    argument: Option<String>,
    /// Whether an ENV sets it, which no ARG changes.
    is_set: bool,
}

#[derive(Default)]
struct Variables<'f> {
    known: FxHashMap<&'f str, Variable>,
    /// Whether there are no others: from scratch there are none, and official images set none that names a user.
    are_all: bool,
}

/// Gives every USER whom it names.
pub(super) fn read(instructions: &mut [Instruction], stages: &[Stage], escape: char, budget: &mut Budget) {
    let indexes = instructions.iter().enumerate().filter(|(_, one)| one.keyword == "USER").map(|(index, _)| index);
    let reader = Reader { instructions, stages, escape };
    let users: Vec<(usize, User)> = indexes.map(|index| (index, reader.user(index, budget))).collect();
    for (index, user) in users {
        instructions[index].user = Some(Box::new(user));
    }
}

struct Reader<'f> {
    instructions: &'f [Instruction],
    stages: &'f [Stage],
    escape: char,
}

impl<'f> Reader<'f> {
    fn user(&self, index: usize, budget: &mut Budget) -> User {
        let text = self.instructions[index].script().map_or("", |script| script.text.as_str());
        let is_plain = !text.contains(['$', '"', '\'', self.escape]);
        if is_plain {
            return User { text: text.split_whitespace().next().map(str::to_string), argument: None };
        }
        let stage = self.stages.iter().rev().find(|stage| stage.instructions.contains(&index));
        let variables = match stage {
            Some(stage) if text.contains('$') => self.variables(stage, index, budget),
            _ => Variables::default(),
        };
        match self.fill(text, &variables, budget) {
            Ok((lexed, argument)) => {
                let name = lexed.words.into_iter().next().unwrap_or_default();
                // What is empty unless the build says more is decided by the build.
                let is_open = argument.is_some() && name.is_empty();
                User { text: (!is_open).then_some(name), argument }
            }
            Err(_) => User { text: None, argument: None },
        }
    }

    fn lineage(&self, stage: &'f Stage) -> Vec<&'f Stage> {
        std::iter::successors(Some(stage), |stage| stage.parent.and_then(|parent| self.stages.get(parent))).collect()
    }

    /// The variables before an instruction of a stage: those of the stages below it, its own, and what its ARGs take from the top.
    fn variables(&self, stage: &'f Stage, index: usize, budget: &mut Budget) -> Variables<'f> {
        let top = self.stages.first().map_or(0, |stage| stage.instructions.start);
        let mut globals = Variables { are_all: true, ..Variables::default() };
        for one in &self.instructions[..top] {
            self.take(one, &Variables::default(), &mut globals, budget);
        }
        let lineage = self.lineage(stage);
        let base = lineage.last().and_then(|last| last.base.as_ref());
        let are_all = base.is_some_and(|base| base.text == "scratch" || runs_as_root(&base.text));
        let mut variables = Variables { are_all, ..Variables::default() };
        for stage in lineage.into_iter().rev() {
            let until = stage.instructions.end.min(index);
            for one in &self.instructions[stage.instructions.start..until] {
                self.take(one, &globals, &mut variables, budget);
            }
        }
        variables
    }

    /// What an ENV or ARG sets. Its own values are made of what was set before it.
    fn take(&self, one: &'f Instruction, globals: &Variables<'f>, variables: &mut Variables<'f>, budget: &mut Budget) {
        let is_env = one.keyword == "ENV";
        if !is_env && one.keyword != "ARG" {
            return;
        }
        let mut set = Vec::with_capacity(one.pairs().len());
        for (name, value) in one.pairs() {
            if !budget.spend(1) {
                break;
            }
            let name = name.text.as_str();
            let known = variables.known.get(name);
            let variable = match value {
                _ if !is_env && known.is_some_and(|known| known.is_set) => continue,
                Some(value) => {
                    let (value, argument) = match self.fill(&value.text, variables, budget) {
                        Ok((lexed, argument)) => (Given::Set(lexed.text), argument),
                        Err(_) => (Given::Open, None),
                    };
                    Variable { value, argument: if is_env { argument } else { Some(name.into()) }, is_set: is_env }
                }
                None if known.is_some() => continue,
                None => {
                    let value = globals.known.get(name).map_or(Given::Unset, |global| global.value.clone());
                    Variable { value, argument: Some(name.into()), is_set: false }
                }
            };
            set.push((name, variable));
        }
        variables.known.extend(set);
    }

    /// A text with its variables, and the first argument that decides it.
    fn fill(
        &self,
        text: &str,
        variables: &Variables<'_>,
        budget: &mut Budget,
    ) -> Result<(Lexed, Option<String>), Failure> {
        let mut argument = None;
        let mut source = |name: &str| match variables.known.get(name) {
            Some(variable) => {
                argument = argument.take().or_else(|| variable.argument.clone());
                variable.value.clone()
            }
            None if variables.are_all => Given::Unset,
            None => Given::Open,
        };
        let lexed = lexer::filled(text, self.escape, &mut source, budget)?;
        Ok((lexed, argument))
    }
}
