#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::model::{Entry, Model, Node, Number, Resource, Value as NodeValue};
use crate::rules::engine::{Judged, judge as judge_all};
use crate::source::{FileId, Source, Sources, Span};

/// Resources written as YAML documents with `kind` and `metadata.name`; `!unknown` is a value that the text leaves open.
fn model(text: &str) -> (Model, Sources) {
    let sources = Sources::new(vec![Source::new("manifest.yaml", text)]);
    let mut cursor = 0;
    let resources = serde_yaml::Deserializer::from_str(text).map(|document| {
        let value = <serde_yaml::Value as serde::Deserialize>::deserialize(document).unwrap();
        let kind = value["kind"].as_str().unwrap().to_string();
        let name = value["metadata"]["name"].as_str().unwrap().to_string();
        let start = text[cursor..].find("kind:").unwrap() + cursor;
        let head = Span::new(FileId(0), start as u32, start as u32 + 5);
        Resource {
            format: "kubernetes",
            kind: kind.as_str().into(),
            api_version: "v1".into(),
            name: name.as_str().into(),
            address: format!("{kind}/{name}").into(),
            body: node(text, &mut cursor, &value, head),
            head,
            span: head,
            calls: [].into(),
            root: "manifest.yaml".into(),
        }
    });
    (Model { resources: resources.collect(), ..Model::default() }, sources)
}

fn node(text: &str, cursor: &mut usize, value: &serde_yaml::Value, at: Span) -> Node {
    let value = match value {
        serde_yaml::Value::Null => NodeValue::Null,
        serde_yaml::Value::Bool(bool) => NodeValue::Bool(*bool),
        serde_yaml::Value::Number(number) => NodeValue::Number(Number::Int(number.as_i64().unwrap())),
        serde_yaml::Value::String(text) => NodeValue::String(text.as_str().into()),
        serde_yaml::Value::Sequence(items) => {
            NodeValue::List(items.iter().map(|item| node(text, cursor, item, at)).collect())
        }
        serde_yaml::Value::Mapping(map) => {
            let entries = map.iter().map(|(key, value)| {
                let key = key.as_str().unwrap();
                let start = text[*cursor..].find(&format!("{key}:")).unwrap() + *cursor;
                *cursor = start + key.len();
                let key_span = Span::new(FileId(0), start as u32, *cursor as u32);
                Entry { key: key.into(), key_span, node: node(text, cursor, value, key_span) }
            });
            return Node::map(entries.collect(), at);
        }
        serde_yaml::Value::Tagged(_) => return Node::unknown("open", vec![], false, at),
    };
    Node::new(value, at)
}

const PODS: &str = "\
kind: Pod
metadata:
  name: web
spec:
  hostNetwork: true
  containers:
    - name: app
      image: nginx:latest
    - name: side
      image: !unknown x
---
kind: Pod
metadata:
  name: open
spec: !unknown x
";

fn run(policies: &[(&str, &str)], text: &str) -> (Judged, Vec<u32>) {
    let mut catalog = Catalog::empty();
    for (path, policy) in policies {
        catalog.add(path, policy).unwrap();
    }
    let (model, sources) = model(text);
    let cx = Cx { model: &model, sources: &sources, options: crate::rules::Options::none() };
    let all: Vec<usize> = (0..catalog.rules().len()).collect();
    let judged = judge_all(cx, &catalog, &all);
    let lines = judged.findings.iter().map(|finding| sources.line(finding.at)).collect();
    (judged, lines)
}

/// A rule about pods with this text after its header.
fn rule(body: &str) -> String {
    format!(
        "# METADATA\n# title: Pod is wrong\n# custom:\n#   id: org-pod\n#   severity: high\n#   targets: [{{ kubernetes: [Pod] }}]\n\
         package org.pod\n\n{body}"
    )
}

fn broken(policy: &str) -> String {
    let (judged, _) = run(&[("policies/pod.rego", policy)], PODS);
    assert!(judged.findings.is_empty(), "{:?}", judged.findings);
    let [problem] = &judged.problems[..] else { panic!("{:?}", judged.problems) };
    assert!(problem.kind.closes());
    problem.message.clone()
}

#[test]
fn a_path_finds_its_line_and_one_that_meets_an_unknown_is_undecided() {
    let policy = rule(
        r#"deny contains {"resource": r.address, "path": ["spec", "hostNetwork"], "msg": "shares the node's network"} if {
	some r in input.resources
	not r.attrs.spec.hostNetwork == false
}

deny contains {"resource": r.address, "path": ["spec", "containers", i, "image"], "msg": "image is not pinned"} if {
	some r in input.resources
	some i, c in r.attrs.spec.containers
	not contains(object.get(c, "image", ""), "@sha256:")
}
"#,
    );
    let (judged, lines) = run(&[("policies/pod.rego", &policy)], PODS);
    assert_eq!(judged.problems, []);
    assert_eq!(lines, [5, 8]);
    assert_eq!(judged.findings[0].message, "Pod/web: shares the node's network");
    assert_eq!(judged.findings[1].attribute, "spec.containers.image");
    // The side-car's image and the second pod's network.
    assert_eq!(judged.undecided, [("org-pod".into(), 2)]);
}

#[test]
fn what_is_missing_is_reported_at_the_nearest_parent() {
    let policy = rule(
        r#"deny contains {"resource": r.address, "path": "metadata.labels.team"} if some r in input.resources
deny contains {"resource": r.address, "path": ["status", "phase"], "msg": "no status"} if some r in input.resources
"#,
    );
    let (judged, lines) = run(&[("policies/pod.rego", &policy)], PODS);
    // The line of `metadata` and the head, for each of the two pods.
    assert_eq!(lines, [1, 2, 12, 13]);
    assert_eq!(judged.findings[1].message, "Pod/web: Pod is wrong");
}

#[test]
fn a_module_without_metadata_judges_each_manifest_as_conftest_does() {
    let old = "package main\n\ndeny[msg] {\n  input.spec.hostNetwork\n  msg := sprintf(\"%s shares the network\", [input.metadata.name])\n}\n";
    let new = "package main\n\nimport rego.v1\n\nwarn_image contains {\"msg\": \"latest\", \"path\": [\"spec\", \"containers\", i]} if {\n  some i, c in input.spec.containers\n  endswith(c.image, \":latest\")\n}\n";
    let (judged, lines) = run(&[("a.rego", old), ("b.rego", new)], PODS);
    assert_eq!(judged.problems, []);
    let found: Vec<(&str, Severity, &str)> =
        judged.findings.iter().map(|it| (&*it.rule, it.severity, it.message.as_str())).collect();
    assert_eq!(found[0], ("rego-main", Severity::Medium, "Pod/web: web shares the network"));
    assert_eq!(found[1], ("rego-main-warn", Severity::Low, "Pod/web: latest"));
    assert_eq!(lines, [1, 6]);
}

#[test]
fn whatever_stops_a_policy_is_a_problem_that_closes_the_gate() {
    for (body, expected) in [
        ("deny contains 1 / 0 if some r in input.resources", "policies/pod.rego:9: divide by zero"),
        ("deny contains m if { m := startswith(1, \"a\") }", "expects string argument"),
        ("f(x) := 1 if x > 0\nf(x) := 2 if x > 1\ndeny contains f(5)", "multiple outputs"),
        ("q := 1\nq := 2\ndeny contains \"a\" if q == 1", "conflict"),
        ("deny contains m if { m := count(numbers.range(1, 1000000000)) }", "at most 100000 numbers"),
        ("deny contains m if { m := net.cidr_expand(\"10.0.0.0/8\") }", "more than 100000 addresses"),
        ("deny contains {\"resource\": \"Pod/none\", \"msg\": \"x\"}", "no resource that it was given"),
        ("deny contains {\"msg\": 5}", "not a string"),
        ("deny contains 5", "neither a string nor an object"),
        ("deny contains {\"msg\": \"x\", \"path\": [true]}", "no path"),
        ("allow if true", "declares no deny"),
        ("deny contains m if { m := http.send({}) }", "there is no function http.send"),
        ("deny contains m if { m := time.now_ns() }", "policies/pod.rego:9: there is no function time.now_ns"),
        ("deny contains m if { false; m := opa.runtime() }", "there is no function opa.runtime"),
        ("f(x) := g(x)\ng(x) := f(x)\ndeny contains f(1)", "function org.pod.f calls itself"),
        ("f(x) := y if { y := [z | z := data.org.pod.f(x)] }\ndeny contains f(1)", "calls itself"),
        ("a if b\nb if a\ndeny contains \"x\" if a", "recursion"),
        ("deny contains m if { m := data.nowhere.x }", "nothing is loaded as data.nowhere.x"),
        ("import data.nowhere\ndeny contains \"x\" if not nowhere.y", "nothing is loaded as data.nowhere"),
        ("deny contains \"x\" if y > 1", "unsafe"),
    ] {
        let message = broken(&rule(body));
        assert!(message.contains(expected), "{body}\n{message}");
    }
}

#[test]
fn a_policy_that_does_not_end_is_cut_off() {
    let policy = rule(
        "n := [1, 2, 3, 4, 5, 6, 7, 8, 9]\ndeny contains \"x\" if {\n\tsome a in n\n\tsome b in n\n\tsome c in n\n\tsome d in n\n\tsome e in n\n\tsome f in n\n\tsome g in n\n\tsome h in n\n\ta + b + c + d + e + f + g + h == 0\n}\n",
    );
    let mut catalog = Catalog::empty();
    catalog.add("policies/pod.rego", &policy).unwrap();
    let (model, sources) = model(PODS);
    let cx = Cx { model: &model, sources: &sources, options: crate::rules::Options::none() };
    let ran = judge_within(cx, &catalog, &[0], Duration::from_millis(50));
    let reason = ran[0].findings.as_ref().err().unwrap();
    assert_eq!(reason, "takes longer than 50ms");
}

#[test]
fn what_does_not_parse_is_refused_with_its_line() {
    let mut catalog = Catalog::empty();
    let line = |catalog: &mut Catalog, text: &str| catalog.add("x.rego", text).unwrap_err()[0].line;
    assert_eq!(line(&mut catalog, "package a\n\ndeny contains \"x\" if {\n  ][\n}\n"), 4);
    assert_eq!(line(&mut catalog, "package a\nimport rego.v1\n\ndeny[m] { m := 1 }\n"), 4);
    assert_eq!(line(&mut catalog, "package a\n\ndeny[m] { m := 1 }\n\nallow { ) }\n"), 5);
    assert!(catalog.add("x.rego", "deny contains 1").is_err());
}

#[test]
fn nothing_is_compiled_when_no_resource_is_selected() {
    let policy = rule("deny contains m if { m := http.send({}) }").replace("[Pod]", "[Deployment]");
    let (judged, _) = run(&[("policies/pod.rego", &policy)], PODS);
    assert_eq!(judged.problems, []);
}

#[test]
fn one_package_is_one_rule() {
    let mut catalog = Catalog::empty();
    catalog.add("a.rego", &rule("deny contains \"x\"")).unwrap();
    let other = rule("deny contains \"y\"").replace("org-pod", "org-other");
    let refused = catalog.add("b.rego", &other).unwrap_err();
    assert!(refused[0].message.contains("belongs to rule 'org-pod'"), "{refused:?}");
    assert!(catalog.add("c.rego", "package org.pod\n\ndeny contains \"z\"\n").is_err());
    // Something to import is no rule.
    assert_eq!(catalog.add("d.rego", "package org.pod\n\nlimit := 5\n").unwrap(), 0);
    assert_eq!(catalog.add("e.rego", "package org.lib\n\nf(x) := x + 1\n").unwrap(), 0);
    assert_eq!(catalog.add("e_test.rego", "package org.lib_test\n\ntest_f if data.org.lib.f(1) == 2\n").unwrap(), 0);
}

#[test]
fn equal_addresses_of_two_roots_are_judged_apart() {
    let (mut model, sources) = model(&format!("{PODS}---\n{}", PODS.replace("hostNetwork: true", "hostNetwork: no")));
    for (index, resource) in model.resources.iter_mut().enumerate() {
        resource.root = if index < 2 { "a" } else { "b" }.into();
    }
    let mut catalog = Catalog::empty();
    let policy = rule(
        r#"deny contains {"resource": r.address, "path": ["spec", "hostNetwork"], "msg": "x"} if {
	some r in input.resources
	r.attrs.spec.hostNetwork == "no"
}
"#,
    );
    catalog.add("policies/pod.rego", &policy).unwrap();
    let judged =
        judge_all(Cx { model: &model, sources: &sources, options: crate::rules::Options::none() }, &catalog, &[0]);
    let lines: Vec<u32> = judged.findings.iter().map(|finding| sources.line(finding.at)).collect();
    assert_eq!(lines, [21]);
}
