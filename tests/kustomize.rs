//! Kustomizations: what is judged is what `kustomize build` would make, at the places where it was written.

mod support;

use support::report::{list, text};
use support::run::scanned;
use support::tree;

const BASE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: registry.acme.example/web:1.2.3
          securityContext:
            privileged: false
            runAsNonRoot: true
";
const RESOURCES: &str = "resources: [deployment.yaml]\n";
const RULES: &str = "container-privileged,container-unpinned-image,k8s-missing-memory-limit,k8s-default-namespace,\
                     k8s-missing-owner-label,k8s-single-replica,k8s-mismatching-selector,k8s-secret-committed";

struct Seen {
    code: i32,
    findings: Vec<(String, String, u64, String)>,
    problems: Vec<String>,
}

fn scan(files: &[(&str, &str)], rules: &str) -> Seen {
    let (code, report) = scanned(tree(files).path(), &["--select", rules]);
    let findings = list(&report, "findings").iter().map(|one| {
        let line = one["at"]["line"].as_u64().unwrap_or(0);
        (text(&one["rule"]).into(), text(&one["at"]["path"]).into(), line, text(&one["address"]).into())
    });
    let problems = list(&report, "problems").iter();
    Seen {
        code,
        findings: findings.collect(),
        problems: problems.map(|one| format!("{} {}", text(&one["kind"]), text(&one["message"]))).collect(),
    }
}

fn found(files: &[(&str, &str)], rules: &str) -> Vec<(String, String, u64)> {
    let seen = scan(files, rules);
    assert_eq!(seen.problems, Vec::<String>::new());
    seen.findings.into_iter().map(|(rule, path, line, _)| (rule, path, line)).collect()
}

fn at(rule: &str, path: &str, line: u64) -> (String, String, u64) {
    (rule.into(), path.into(), line)
}

#[test]
fn a_strategic_merge_patch_is_no_object_of_its_own() {
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          resources: { limits: { memory: 256Mi } }\n          securityContext:\n            privileged: true\n";
    let with = |kustomization: &str| {
        let files = [("deployment.yaml", BASE), ("patch.yaml", patch), ("kustomization.yaml", kustomization)];
        found(&files, "container-privileged,k8s-missing-memory-limit,container-unpinned-image")
    };
    for key in ["patches:\n  - path: patch.yaml\n", "patchesStrategicMerge: [patch.yaml]\n"] {
        let found = with(&format!("{RESOURCES}{key}"));
        assert_eq!(found, [at("container-privileged", "patch.yaml", 12)], "{key}");
    }
}

#[test]
fn a_patch_in_the_kustomization_has_its_own_lines() {
    let kustomization = "resources: [deployment.yaml]\npatches:\n  - target: { kind: Deployment, name: w.* }\n    patch: |-\n      - op: replace\n        path: /spec/template/spec/containers/0/securityContext/privileged\n        value: true\n  - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata: { name: web }\n      spec:\n        template:\n          spec:\n            containers:\n              - name: web\n                image: web:latest\n";
    let found = found(
        &[("deployment.yaml", BASE), ("kustomization.yaml", kustomization)],
        "container-privileged,container-unpinned-image",
    );
    assert_eq!(
        found,
        [at("container-privileged", "kustomization.yaml", 7), at("container-unpinned-image", "kustomization.yaml", 17)]
    );
}

#[test]
fn a_json_patch_in_a_file_is_applied() {
    let files = [
        ("deployment.yaml", BASE),
        (
            "patch.yaml",
            "- op: add\n  path: /spec/template/spec/containers/0/securityContext/privileged\n  value: true\n",
        ),
        (
            "kustomization.yaml",
            "resources: [deployment.yaml]\npatchesJson6902:\n  - target: { group: apps, version: v1, kind: Deployment, name: web }\n    path: patch.yaml\n",
        ),
    ];
    assert_eq!(found(&files, "container-privileged"), [at("container-privileged", "patch.yaml", 3)]);
}

#[test]
fn images_are_those_of_the_overlay() {
    let base = BASE.replace("web:1.2.3", "web");
    let with = |images: &str| {
        let kustomization = format!("{RESOURCES}{images}");
        found(&[("deployment.yaml", &base), ("kustomization.yaml", &kustomization)], "container-unpinned-image")
    };
    assert_eq!(with(""), [at("container-unpinned-image", "deployment.yaml", 12)]);
    assert_eq!(with("images:\n  - name: registry.acme.example/web\n    newTag: v1.2.3\n"), []);
    assert_eq!(
        with("images:\n  - name: registry.acme.example/web\n    newTag: latest\n"),
        [at("container-unpinned-image", "kustomization.yaml", 4)]
    );
    assert_eq!(
        with(
            "images:\n  - name: registry.acme.example/web\n    digest: sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945\n"
        ),
        []
    );
}

#[test]
fn a_base_is_judged_through_its_overlays() {
    let overlay = "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nnamespace: shop\nresources:\n  - ../../base\ncomponents: [../../limits]\nlabels:\n  - pairs: { owner: shop-team }\n";
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n  - target: { kind: Deployment }\n    patch: |\n      - op: add\n        path: /spec/template/spec/containers/0/resources\n        value: { limits: { memory: 1Gi } }\n";
    let files = [
        ("base/deployment.yaml", BASE),
        ("base/kustomization.yaml", RESOURCES),
        ("limits/kustomization.yaml", component),
        ("overlays/prod/kustomization.yaml", overlay),
    ];
    let rules = "k8s-missing-memory-limit,k8s-default-namespace,k8s-missing-owner-label";
    assert_eq!(found(&files, rules), []);
    let alone = found(&files[..2], rules);
    let rules: Vec<&str> = alone.iter().map(|(rule, ..)| rule.as_str()).collect();
    assert_eq!(rules, ["k8s-missing-owner-label", "k8s-default-namespace", "k8s-missing-memory-limit"]);
}

#[test]
fn common_labels_reach_pods_and_selectors_alike() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop }\nspec:\n  selector: { app: web }\n  ports: [{ port: 80 }]\n";
    let files = [
        ("deployment.yaml", BASE),
        ("service.yaml", service),
        (
            "kustomization.yaml",
            "namespace: shop\nnamePrefix: dev-\ncommonLabels: { env: dev }\nresources: [deployment.yaml, service.yaml]\nreplicas: [{ name: web, count: 3 }]\n",
        ),
    ];
    assert_eq!(found(&files, "k8s-mismatching-selector,k8s-service-dangling,k8s-single-replica"), []);
}

#[test]
fn a_secret_in_a_generator_is_one() {
    let kustomization = "secretGenerator:\n  - name: db\n    literals:\n      - password=kT9vQ2xLmZ84\n";
    let found = found(&[("kustomization.yaml", kustomization)], "k8s-secret-committed");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1, "kustomization.yaml");
}

#[test]
fn what_is_elsewhere_is_told_and_never_fetched() {
    let seen = scan(
        &[(
            "kustomization.yaml",
            "resources:\n  - https://github.com/acme/base?ref=v1\n  - ../outside\n  - none.yaml\nhelmCharts: [{ name: x }]\n",
        )],
        RULES,
    );
    assert_eq!(seen.code, 2, "what is named and not read was not judged");
    assert_eq!(
        seen.problems,
        [
            "note https://github.com/acme/base?ref=v1 is elsewhere and was not read: what it makes was not judged",
            "unread ../outside was not read: it is not there, lies outside of the scan or holds no objects",
            "unread none.yaml was not read: it is not there, lies outside of the scan or holds no objects",
            "note `helmCharts` is not applied: what it changes or makes was not judged",
        ]
    );
}

#[test]
fn what_is_named_is_judged_whatever_it_is_called_and_wherever_it_lies() {
    let privileged = BASE.replace("privileged: false", "privileged: true");
    let hidden = "{ \"resou\\x72ces\": [../../base, package.json] }\n";
    let files = [
        ("gate.yaml", "exclude: [base]\n"),
        (".gitignore", "*.generated\n"),
        ("base/kustomization.yaml", "resources:\n  - manifest\n  - .hidden.yaml\n  - x.generated\n  - local?ref=x\n"),
        ("base/manifest", privileged.as_str()),
        ("base/.hidden.yaml", &privileged.replace("name: web", "name: hidden")),
        ("base/x.generated", &privileged.replace("name: web", "name: ignored")),
        ("base/local?ref=x", &privileged.replace("name: web", "name: local")),
        ("base/unnamed", &privileged),
        ("overlays/.prod/kustomization.yaml", hidden),
        ("overlays/.prod/package.json", "# Nothing.\n"),
        ("kustomization.yaml", "resources: [overlays/.prod]\n"),
    ];
    let found = found(&files, "container-privileged");
    let paths: Vec<&str> = found.iter().map(|(_, path, _)| path.as_str()).collect();
    assert_eq!(paths, ["base/.hidden.yaml", "base/local?ref=x", "base/manifest", "base/x.generated"]);
}

#[test]
fn a_file_that_holds_no_objects_closes_the_gate() {
    for text in ["a: 1\n", "[", "kind: Pod\nmetadata: {}\n", "- apiVersion: v1\n  kind: Pod\n"] {
        let seen = scan(&[("kustomization.yaml", "resources: [pod.txt]\n"), ("pod.txt", text)], RULES);
        assert_eq!(seen.code, 2, "{text}: {:?}", seen.problems);
    }
    let empty = "apiVersion: v1\nkind: List\nitems: []\n";
    let seen = scan(&[("kustomization.yaml", "resources: [pod.txt]\n"), ("pod.txt", empty)], RULES);
    assert_eq!((seen.code, seen.problems), (0, vec![]));
}

#[test]
fn kustomizations_in_a_circle_are_refused_and_the_rest_is_judged() {
    let privileged = BASE.replace("privileged: false", "privileged: true");
    let seen = scan(
        &[
            ("a/kustomization.yaml", "resources: [../b, deployment.yaml]\n"),
            ("a/deployment.yaml", &privileged),
            ("b/kustomization.yaml", "resources: [../a]\n"),
        ],
        "container-privileged",
    );
    assert_eq!(seen.code, 2);
    assert_eq!(seen.problems, ["syntax kustomizations build on each other in a circle through \"a\""]);
    assert_eq!(seen.findings.len(), 1, "{:?}", seen.findings);
}

#[test]
fn bases_that_name_each_other_twice_are_bounded() {
    let mut files: Vec<(String, String)> = Vec::new();
    for level in 0..40 {
        let next = level + 1;
        let below = format!("resources: [../a{next}, ../b{next}]\n");
        files.push((format!("a{level}/kustomization.yaml"), below.clone()));
        files.push((format!("b{level}/kustomization.yaml"), below));
    }
    for side in ["a40", "b40"] {
        files.push((format!("{side}/kustomization.yaml"), RESOURCES.into()));
        files.push((format!("{side}/deployment.yaml"), BASE.into()));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let seen = scan(&files, "container-privileged");
    assert_eq!(seen.code, 2);
    assert!(seen.problems[0].starts_with("limit kustomizations make more than"), "{:?}", seen.problems);
}

#[test]
fn a_patch_without_its_object_is_told() {
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: other }\nspec: { replicas: 2 }\n";
    let files = [
        ("deployment.yaml", BASE),
        ("patch.yaml", patch),
        ("kustomization.yaml", "resources: [deployment.yaml]\npatches: [{ path: patch.yaml }]\n"),
    ];
    let seen = scan(&files, "k8s-missing-memory-limit");
    assert_eq!(seen.problems, ["note the patch is for no object that was read: what it sets was not judged"]);
    assert_eq!(seen.findings.len(), 1, "{:?}", seen.findings);
    assert_eq!(seen.findings[0].3, "Deployment/default/web");
}

#[test]
fn patches_that_put_texts_into_each_other_without_end_are_bounded() {
    let mut patch = String::new();
    for depth in 0..2_000 {
        let path = "/a".repeat(depth + 1);
        patch.push_str(&format!("- op: add\n  path: /metadata/annotations{path}\n  value: {{}}\n"));
    }
    let base = BASE.replace("  name: web\nspec", "  name: web\n  annotations: {}\nspec");
    let files = [
        ("deployment.yaml", base.as_str()),
        ("deep.yaml", &patch),
        (
            "kustomization.yaml",
            "resources: [deployment.yaml]\npatches: [{ path: deep.yaml, target: { kind: '(Deployment|[' } }, { path: deep.yaml, target: { name: web } }]\n",
        ),
    ];
    let seen = scan(&files, "container-privileged,k8s-missing-memory-limit");
    assert_eq!(seen.findings.len(), 1, "{:?}", seen.findings);
    assert!(seen.problems.iter().any(|told| told.contains("more than 64 keys")), "{:?}", seen.problems.first());
}

#[test]
fn a_whole_object_that_is_named_as_a_patch_of_nothing_is_judged_as_what_it_is() {
    let privileged = BASE.replace("privileged: false", "privileged: true").replace("name: web", "name: other");
    let of_others = privileged.replace("apps/v1", "serving.knative.dev/v1").replace("Deployment", "Service");
    let judged = |kustomization: &str, patch: &str| {
        let files = [("deployment.yaml", BASE), ("patch.yaml", patch), ("kustomization.yaml", kustomization)];
        let seen = scan(&files, "container-privileged");
        let of_patch = seen.findings.iter().filter(|(_, path, ..)| path == "patch.yaml").count();
        (of_patch, seen.problems)
    };
    let told = |what: &str| format!("note the patch is for no object that was read: {what}");
    let (as_object, unjudged) = (told("it is judged as an object of its own"), told("what it sets was not judged"));
    let local = "resources: [deployment.yaml]\npatches: [{ path: patch.yaml }]\n";
    let targeted = local.replace("patch.yaml }", "patch.yaml, target: { kind: Job } }");
    for kustomization in [local, &targeted] {
        assert_eq!(judged(kustomization, &privileged), (1, vec![as_object.clone()]), "{kustomization}");
    }
    assert_eq!(judged(local, &of_others), (1, vec![as_object.clone()]));
    let two = format!("{}---\n{privileged}", BASE.replace("privileged: false", "runAsUser: 1"));
    assert_eq!(judged(local, &two).0, 1, "beside a patch that has its object");
    let part = privileged.replace("          image: registry.acme.example/web:1.2.3\n", "");
    assert_eq!(judged(local, &part), (0, vec![unjudged.clone()]), "a part of an object");
    // The object may lie where nobody reads.
    let remote = local.replace("[deployment.yaml]", "['https://github.com/acme/base']");
    assert_eq!(judged(&remote, &of_others).0, 0);
    assert_eq!(judged(&remote, &privileged).0, 1);
}

#[test]
fn a_component_is_no_build_until_one_takes_it() {
    let privileged = BASE.replace("privileged: false", "privileged: true");
    let mends = "patches:\n  - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata: { name: web }\n      \
                 spec: { template: { spec: { containers: [{ name: web, securityContext: { privileged: false } }] } } }\n";
    let component = format!("kind: Component\nresources: [deployment.yaml]\n{mends}");
    let files = [("part/kustomization.yaml", component.as_str()), ("part/deployment.yaml", &privileged)];
    assert_eq!(found(&files, "container-privileged"), [at("container-privileged", "part/deployment.yaml", 14)]);
    let taken = [files[0], files[1], ("kustomization.yaml", "components: [part]\n")];
    assert!(found(&taken, "container-privileged").is_empty());
    let patch = BASE
        .replace("privileged: false", "privileged: true")
        .replace("          image: registry.acme.example/web:1.2.3\n", "");
    let of_others = [
        ("part/kustomization.yaml", "kind: Component\npatches: [{ path: patch.yaml }]\n"),
        ("part/patch.yaml", &patch),
    ];
    let seen = scan(&of_others, "container-privileged");
    assert_eq!((seen.code, seen.findings.len(), seen.problems.len()), (0, 0, 1), "{:?}", seen.problems);
    let missing = [("part/kustomization.yaml", "kind: Component\nresources: [none.yaml]\n")];
    assert_eq!(scan(&missing, RULES).code, 2);
}
