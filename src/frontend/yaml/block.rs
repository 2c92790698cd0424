//! Texts inside YAML texts: a patch, a Dockerfile or values in a block scalar, with the places of what is in them.

use super::Documents;
use crate::model::{Node, Value};
use crate::source::{Source, Span};

/// The lines of a literal block scalar (`|`), or one place for a text that is written in another way.
pub struct Block<'s> {
    text: &'s str,
    whole: Span,
    /// Where each line of the text begins in the file.
    lines: Vec<u32>,
}

impl<'s> Block<'s> {
    /// The text of a scalar in the file `source`.
    pub fn new(node: &'s Node, source: &Source) -> Option<Block<'s>> {
        let text = node.as_str()?;
        let lines = literal_lines(text, node.span, source).unwrap_or_default();
        Some(Block { text, whole: node.span, lines })
    }

    /// Whether each line of the text is a line of the file.
    pub fn is_literal(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The blanks before its lines.
    pub fn indent(&self, source: &Source) -> usize {
        let depth = |start: &u32| (*start - source.line_start(source.line(*start))) as usize;
        self.lines.iter().map(depth).max().unwrap_or(0)
    }

    /// The documents of the text, with their places in the file.
    pub fn documents(&self) -> Documents {
        let mut read = super::read(self.whole.file, self.text);
        for document in &mut read.documents {
            document.root = document.root.rebuilt(&|span| self.place(span), &Value::clone);
            document.span = self.place(document.span);
        }
        for problem in &mut read.problems {
            problem.span = Some(problem.span.map_or(self.whole, |span| self.place(span)));
        }
        read.observations.clear();
        read.comments = read.comments.into_iter().map(|span| self.place(span)).collect();
        read
    }

    /// A text of the length of the file that holds nothing but the lines of this one, each where it stands: what is read from it
    /// has its places in the file. None for a text that is not literal.
    pub fn masked(&self, source: &Source) -> Option<String> {
        let (first, last) = (*self.lines.first()?, *self.lines.last()?);
        let end = source.line_start(source.line(last) + 1) as usize;
        let blank = |part: &str| part.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect::<String>();
        let text = source.text();
        Some(blank(&text[..first as usize]) + &text[first as usize..end] + &blank(&text[end..]))
    }

    /// The place in the file of a place in the text.
    fn place(&self, span: Span) -> Span {
        let at = |offset: u32| {
            let before = self.text.get(..offset as usize)?;
            let line = before.bytes().filter(|byte| *byte == b'\n').count();
            let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
            Some(self.lines.get(line)? + column as u32)
        };
        match (at(span.start), at(span.end)) {
            (Some(start), Some(end)) if start <= end => Span::new(self.whole.file, start, end),
            (Some(start), _) => Span::new(self.whole.file, start, start + (span.end - span.start)),
            _ => self.whole,
        }
    }
}

/// Where the lines of a literal block begin, after their indentation; none where the file shows another text.
fn literal_lines(text: &str, span: Span, source: &Source) -> Option<Vec<u32>> {
    let shown = source.slice(span);
    let header = shown.lines().next().unwrap_or("").trim_start();
    // A reader may place the scalar at its header or at its first line.
    let from = source.line(span.start) + u32::from(header.starts_with('|'));
    let mut lines = Vec::new();
    let mut indent = None;
    for (number, wanted) in text.trim_end_matches('\n').split('\n').enumerate() {
        let number = from + number as u32;
        let line = source.line_text(number);
        let start = source.line_start(number);
        if wanted.is_empty() {
            lines.push(start + line.len() as u32);
            continue;
        }
        let depth = *indent.get_or_insert(line.len().checked_sub(wanted.len())?);
        if line.get(depth..) != Some(wanted) || !line[..depth].bytes().all(|byte| byte == b' ') {
            return None;
        }
        lines.push(start + depth as u32);
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn what_stands_in_a_block_has_its_place_in_the_file() {
        let text = "patches:\n  - patch: |-\n      # why\n      spec:\n\n        image: web:latest\n    target: x\n";
        let source = Source::new("kustomization.yaml", text);
        let read = super::super::read(FileId(0), text);
        let node = read.documents[0].root.at("patches").node().items()[0].get("patch").node().clone();
        let block = Block::new(&node, &source).expect("a text");
        let documents = block.documents();
        let image = documents.documents[0].root.at("spec.image").node().span;
        assert_eq!((source.slice(image), source.line(image.start)), ("web:latest", 6));
        assert_eq!(source.slice(documents.comments[0]), "# why");
        let masked = block.masked(&source).expect("it is literal");
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.trim(), "# why\n      spec:\n\n        image: web:latest");
    }

    #[test]
    fn a_text_in_quotes_has_one_place() {
        let text = "patch: \"spec: {image: 'web:latest'}\"\n";
        let source = Source::new("kustomization.yaml", text);
        let read = super::super::read(FileId(0), text);
        let node = read.documents[0].root.get("patch").node().clone();
        let block = Block::new(&node, &source).expect("a text");
        assert!(!block.is_literal());
        assert_eq!(block.documents().documents[0].root.at("spec.image").node().span, node.span);
    }
}
