//! The flags that a container passes to a component of the control plane or to the kubelet.

use std::sync::Arc;

use super::pod::Container;
use crate::model::image::Image;
use crate::model::{Entry, Lookup, Node, Value};
use crate::source::Span;

/// The components whose flags rules judge; each is the name of a view.
pub const COMPONENTS: &[&str] = &["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kubelet"];

/// The command line of a component.
#[derive(Debug, Clone)]
pub struct Flags {
    /// Names without dashes and their values: a list where there is a comma, `true` for a flag without a value. Unknown
    /// as a whole where a part of the command line is.
    pub body: Node,
    /// Where the program is named.
    pub program: Span,
}

/// The flags by which the container starts this component; None if it starts something else.
pub fn flags(container: Container<'_>, component: &str) -> Option<Flags> {
    let lists = ["command", "args"].map(|key| container.body.get(key));
    let parts: Vec<&Node> = lists.iter().filter_map(|list| list.known()).flat_map(Node::items).collect();
    let mut words: Vec<(&str, &Node)> = Vec::new();
    for part in &parts {
        // A shell's script is one element with all the words.
        words.extend(part.as_str().unwrap_or_default().split_whitespace().map(|word| (word, *part)));
    }
    let named = words.iter().position(|(word, _)| word.rsplit('/').next() == Some(component));
    let (program, rest) = match named {
        Some(at) => (words[at].1.span, &words[at + 1..]),
        // Without a command the image's own program runs.
        None if container.body.get("command").is_absent() && is_image_of(container, component) => {
            (container.body.get("image").node().span, &words[..])
        }
        None => return None,
    };
    if let Some(unknown) = parts.iter().find(|part| part.is_unknown()) {
        return Some(Flags { body: (*unknown).clone(), program });
    }
    if let Some(Lookup::Unknown(unknown)) = lists.iter().find(|list| list.is_unknown()) {
        return Some(Flags { body: (*unknown).clone(), program });
    }
    let mut entries: Vec<Entry> = Vec::new();
    let mut rest = rest.iter().peekable();
    while let Some((word, node)) = rest.next() {
        let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else { continue };
        let (key, text) = match flag.split_once('=') {
            Some((key, text)) => (key, text),
            None => match rest.peek() {
                Some((next, _)) if !next.starts_with('-') => {
                    let next = *next;
                    rest.next();
                    (flag, next)
                }
                _ => (flag, "true"),
            },
        };
        let entry = Entry { key: key.into(), key_span: node.span, node: value(text.trim_matches(['"', '\'']), node) };
        // The last one counts, as in the components themselves.
        entries.retain(|other| other.key != entry.key);
        entries.push(entry);
    }
    Some(Flags { body: Node::map(entries, program), program })
}

fn is_image_of(container: Container<'_>, component: &str) -> bool {
    let image = container.body.get("image").as_str().and_then(Image::parse);
    image.is_some_and(|image| image.repository.rsplit('/').next() == Some(component))
}

fn value(text: &str, at: &Node) -> Node {
    let value = match text.contains(',') {
        true => Value::List(
            text.split(',').map(|part| Node { value: Value::String(part.trim().into()), ..at.clone() }).collect(),
        ),
        false => Value::String(Arc::from(text)),
    };
    Node { value, ..at.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::view::pod::Pod;
    use crate::source::FileId;

    fn list(words: &[&str]) -> Node {
        let span = Span::new(FileId(0), 0, 1);
        Node::list(words.iter().map(|word| Node::string(*word, span)).collect(), span)
    }

    fn read(words: &[&str], component: &str) -> Option<Flags> {
        let node = list(words);
        let span = node.span;
        let body = Node::map(vec![Entry { key: "command".into(), key_span: span, node }], span);
        flags(Container { pod: Pod { template: &body, spec: &body }, list: "containers", body: &body }, component)
    }

    #[test]
    fn flags_are_read_in_every_form_and_the_last_one_counts() {
        let flags = read(
            &["/usr/bin/kubelet", "--anonymous-auth=true", "--anonymous-auth", "false", "--modes=A,B", "--v"],
            "kubelet",
        );
        let body = flags.expect("the kubelet").body;
        assert_eq!(body.get("anonymous-auth").as_bool(), Some(false));
        assert_eq!(body.get("modes").known().map(|modes| modes.items().len()), Some(2));
        assert_eq!(body.get("v").as_bool(), Some(true));
    }

    #[test]
    fn a_script_of_a_shell_is_read_and_another_program_is_not() {
        let flags = read(&["sh", "-c", "exec kube-apiserver --profiling=false"], "kube-apiserver");
        assert!(flags.is_some_and(|flags| !flags.body.get("profiling").is_absent()));
        assert!(read(&["kube-apiserver-proxy", "--profiling=true"], "kube-apiserver").is_none());
    }
}
