//! Terraform: native and JSON syntax, evaluation, rules.

use std::sync::Arc;

use gate::frontend::terraform::evaluate_all;
use gate::frontend::terraform::syntax::{self, File, Parsed};
use gate::frontend::terraform::value::lower;
use gate::frontend::{FRONTENDS, Settings};
use gate::source::{FileId, Source, Sources, Span};

use super::judged;
use super::tree::Tree;

/// A module, or several: files divided as in [`Tree::of`].
pub fn module(input: &[u8]) {
    let is_json = input.trim_ascii_start().starts_with(b"{");
    let tree = Tree::of(input, if is_json { "main.tf.json" } else { "main.tf" });
    for (path, text) in tree.files() {
        let Ok(text) = std::str::from_utf8(text) else { continue };
        let text = text.trim_start_matches('\u{feff}');
        match path {
            _ if path.ends_with(".json") => json(text, path.ends_with(".tfvars.json")),
            _ if path.ends_with(".tf") || path.ends_with(".tfvars") => native(text),
            _ => {}
        }
    }
    judged::check(input, &tree);
}

/// A text without problems is in the tree to the last byte, and a block after it or before it is one block more.
fn native(text: &str) {
    const BLOCK: &str = "sentinel \"a\" \"b\" {\n}\n";
    let parsed = syntax::parse(FileId(0), text.into());
    places(text, &parsed);
    if !parsed.problems.is_empty() {
        return;
    }
    let file = &parsed.file;
    let (blocks, attributes) = (file.blocks(file.root()), file.attributes(file.root()));
    let mut covered: Vec<(u32, u32)> = blocks.iter().map(|block| (block.start, block.end)).collect();
    covered.extend(attributes.iter().map(|one| (one.start, file.expr_span(one.value).end)));
    covered.extend(file.comments().map(|comment| (comment.start, comment.end)));
    covered.sort_unstable();
    let mut at = 0;
    for (start, end) in covered.into_iter().chain([(text.len() as u32, text.len() as u32)]) {
        if start > at {
            let between = &text[at as usize..start as usize];
            assert!(between.trim().is_empty(), "{between:?} is in no block, argument or comment");
        }
        at = at.max(end);
    }
    let counts = (blocks.len() + 1, attributes.len());
    for longer in [format!("{text}\n{BLOCK}"), format!("{BLOCK}{text}")] {
        let parsed = syntax::parse(FileId(0), longer.into());
        let file = &parsed.file;
        assert_eq!(parsed.problems, Vec::new(), "a block beside the text breaks it");
        assert_eq!((file.blocks(file.root()).len(), file.attributes(file.root()).len()), counts, "a block is lost");
    }
}

/// What is read without problems is JSON.
fn json(text: &str, variables: bool) {
    let parsed = syntax::parse_json(FileId(0), text.into(), variables);
    places(text, &parsed);
    if let (true, Err(error)) = (parsed.problems.is_empty(), serde_json::from_str::<serde::de::IgnoredAny>(text)) {
        let is_limit = error.to_string().contains("recursion limit");
        assert!(is_limit, "read without a problem, and no JSON: {error}");
    }
}

fn places(text: &str, parsed: &Parsed) {
    let sources = Sources::new(vec![Source::new("main.tf", text)]);
    let file = &parsed.file;
    let mut open = vec![file.root()];
    while let Some(body) = open.pop() {
        for attribute in file.attributes(body) {
            judged::check_span(&sources, Span::new(FileId(0), attribute.start, attribute.name_end), "name");
        }
        for block in file.blocks(body) {
            judged::check_span(&sources, file.header_span(block), "header");
            judged::check_span(&sources, file.block_span(block), "block");
            open.push(block.body);
        }
    }
    for number in 0..file.expr_count() {
        judged::check_span(&sources, file.expr_span(syntax::ExprId(number as u32)), "expression");
    }
    file.comments().for_each(|comment| judged::check_span(&sources, comment, "comment"));
    for problem in &parsed.problems {
        problem.span.iter().for_each(|span| judged::check_span(&sources, *span, &problem.message));
    }
}

/// Expressions, one a line, as in `gate console`, in a module with a few names. Each has one answer, always the same.
pub fn expression(input: &[u8]) {
    const MODULE: &str = include_str!("expression.tf");
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lines: Vec<String> = text.split("\n\n").map(str::to_string).filter(|line| !line.trim().is_empty()).collect();
    let tree = Tree::of(MODULE.as_bytes(), "main.tf");
    let terraform = FRONTENDS.iter().position(|frontend| frontend.name() == "terraform").expect("a frontend");
    let discovered = judged::discover(&tree);
    let settings: Settings = judged::settings(&tree);
    let answers = || {
        let mut answers = Vec::new();
        let files = &discovered.claims[terraform];
        evaluate_all(&settings, &discovered.sources, files, lines.iter().cloned(), &mut |answer| {
            answers.push(match answer {
                Ok(value) => lower::answer(&value).to_string(),
                Err(message) => message,
            });
        });
        answers
    };
    let first = answers();
    assert_eq!(first.len(), lines.len(), "an expression has no answer");
    // What a function makes of the clock or of chance is unknown, so that nothing may differ.
    assert_eq!(first, answers(), "two answers to one question");
    for line in &lines {
        // What stands alone stands as well in a file, in parentheses, where lines may break.
        if let Ok((file, _)) = syntax::parse_expression(FileId(0), Arc::from(line.as_str())) {
            let _: &File = &file;
            let parsed = syntax::parse(FileId(0), format!("a = ({line}\n)\n").into());
            assert_eq!(parsed.problems, Vec::new(), "an expression that is none in a file");
        }
    }
}
