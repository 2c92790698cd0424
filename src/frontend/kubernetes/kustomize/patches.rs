//! Patches laid over the objects that they are for, and those that are for none.

use rustc_hash::FxHashSet;

use super::alone::is_whole;
use super::target::{Target, is_namesake, is_of_api, unnamed};
use super::{Builder, Object, items};
use crate::frontend::kubernetes::patch;
use crate::frontend::yaml::block::Block;
use crate::model::{Lookup, Node, Resource, Value};
use crate::path::join;
use crate::problem::ProblemKind;
use crate::source::Span;

/// A document of a file of patches for which a build has no object.
pub(super) struct Unfit {
    /// Where the kustomization names the file.
    at: Span,
    /// The file and the place of the document in it.
    document: (usize, Span),
    /// Whether all objects of the build are known, so that kustomize has none for it either.
    is_complete: bool,
}

impl<'a> Builder<'a> {
    /// Lays the patches of a kustomization over the objects that it has.
    pub(super) fn patched(&mut self, root: &'a Node, folder: &str, objects: &mut Vec<Object>) {
        for node in items(root, "patchesStrategicMerge") {
            match node.as_str() {
                Some(text) if text.contains(['\n', ':']) => self.inline(node, None, node.span, objects),
                _ => self.file(folder, node, None, node.span, objects),
            }
        }
        for node in items(root, "patches").iter().chain(items(root, "patchesJson6902")) {
            let target = node.get("target").known();
            match (node.get("patch"), node.get("path")) {
                (Lookup::Known(inline), _) => self.inline(inline, target, node.span, objects),
                (_, Lookup::Known(path)) => self.file(folder, path, target, node.span, objects),
                _ => {}
            }
        }
    }

    fn inline(&mut self, node: &Node, target: Option<&Node>, at: Span, objects: &mut Vec<Object>) {
        let Some(block) = Block::new(node, self.sources.get(node.span.file)) else { return };
        let read = block.documents();
        for problem in read.problems {
            self.tell(problem.kind, problem.span.unwrap_or(node.span), problem.message, "mend the patch");
        }
        for document in read.documents {
            if !self.lay(&document.root, target, objects) {
                self.tell_unfit(at, UNJUDGED);
            }
        }
    }

    fn file(&mut self, folder: &str, node: &Node, target: Option<&Node>, at: Span, objects: &mut Vec<Object>) {
        let index = node.as_str().and_then(|path| join(folder, path)).and_then(|path| self.by_path.get(&path).copied());
        let Some(index) = index else { return self.missing(node) };
        self.patches.insert(index);
        let documents = &self.manifests[index].documents;
        if documents.is_empty() {
            self.missing(node);
        }
        let is_complete = !self.open.iter().any(|folder| self.incomplete.contains(folder));
        for document in documents {
            let place = (index, document.span);
            match self.lay(document, target, objects) {
                true => _ = self.fitting.insert(place),
                false => self.unfit.push(Unfit { at, document: place, is_complete }),
            }
        }
    }

    /// Lays a patch over the objects that it is for, and tells whether there is one.
    fn lay(&mut self, document: &Node, target: Option<&Node>, objects: &mut Vec<Object>) -> bool {
        let target = target.map(Target::new);
        let mut fits = false;
        let mut told = Vec::new();
        let mut kept = Vec::with_capacity(objects.len());
        let is_json = matches!(document.value, Value::List(_));
        for mut object in std::mem::take(objects) {
            let is_meant = match &target {
                Some(target) => target.selects(&object),
                None => !is_json && is_namesake(document, &object),
            };
            if !is_meant {
                kept.push(object);
                continue;
            }
            fits = true;
            let body = &object.resource.body;
            let made = match is_json {
                true => Some(patch::json(body, document.items(), &mut told)),
                false => patch::strategic(body, &unnamed(document), is_of_api(&object.resource)),
            };
            if let Some(body) = made {
                object.resource.body = Node { span: object.resource.body.span, ..body };
                kept.push(object);
            }
        }
        *objects = kept;
        for (span, message) in told {
            self.tell(ProblemKind::Note, span, message, "kustomize refuses a patch that does not fit");
        }
        fits
    }

    /// Objects that are named as patches, and are for no object in any build: kustomize makes nothing of them, and who applies the
    /// file applies them as they are. Parts of objects are only told, since the API takes none. Those that stand `alone` are
    /// judged anyway.
    pub(super) fn unfit(&mut self, alone: &FxHashSet<usize>) -> Vec<Resource> {
        let mut judged: Vec<Resource> = Vec::new();
        let mut known: FxHashSet<Span> = FxHashSet::default();
        for Unfit { at, document: (index, span), is_complete } in std::mem::take(&mut self.unfit) {
            let is_judged =
                self.fitting.contains(&(index, span)) || self.named.contains(&index) || alone.contains(&index);
            let of_document = |object: &&Resource| object.span.contains(span) || span.contains(object.span);
            let objects = self.manifests[index].objects.iter().filter(of_document);
            let whole: Vec<&Resource> = objects.filter(|object| !is_judged && is_whole(object, is_complete)).collect();
            self.tell_unfit(at, if whole.is_empty() { UNJUDGED } else { JUDGED });
            judged.extend(whole.into_iter().filter(|object| known.insert(object.span)).cloned());
        }
        judged
    }

    fn tell_unfit(&mut self, at: Span, (message, help): (&str, &str)) {
        self.tell(ProblemKind::Note, at, message.to_string(), help);
    }
}

const UNJUDGED: (&str, &str) = (
    "the patch is for no object that was read: what it sets was not judged",
    "scan what `kustomize build` makes of it",
);

const JUDGED: (&str, &str) = (
    "the patch is for no object that was read: it is judged as an object of its own",
    "name it in `resources` if it is one",
);
