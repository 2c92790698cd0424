//! What was judged by itself stays so: a change takes nothing out of judgement by calling it, naming it or making it look like
//! something else.

mod support;

use support::change::Change;
use support::report::list;
use support::run::scanned;
use support::tree;

const PUBLIC: &str = "aws-rds-publicly-accessible";

/// A root module with a variable and two databases, the second of which is public.
fn infra(public: bool) -> String {
    format!(
        "variable \"public\" {{\n  type    = bool\n  default = {public}\n}}\n
resource \"aws_db_instance\" \"main\" {{\n  publicly_accessible = var.public\n}}\n
resource \"aws_db_instance\" \"old\" {{\n  publicly_accessible = true\n}}\n"
    )
}

/// A call of that module, with these arguments.
fn call(arguments: &str) -> String {
    format!("module \"x\" {{\n  {arguments}\n  source = \"../infra\"\n}}\n")
}

#[test]
fn a_new_caller_takes_no_root_out_of_judgement() {
    let callers = [
        ("count = 0", call("count = 0")),
        ("in JSON", "{\"module\": {\"x\": {\"count\": 0, \"source\": \"..\\u002finfra\"}}}".into()),
        ("a comment", call("count = 0").replace("= \"..", "= /* */ \"..")),
    ];
    for (what, text) in &callers {
        let path = if *what == "in JSON" { "docs/example.tf.json" } else { "docs/example.tf" };
        let called =
            |public: bool| Change::from(&[("infra/main.tf", &infra(false))]).write("infra/main.tf", &infra(public));
        let judged = called(true).write(path, text).judged(&["--select", PUBLIC]);
        assert_eq!(judged.of("new"), [format!("{PUBLIC} aws_db_instance.main")], "{what}");
        assert_eq!(judged.of("old"), [format!("{PUBLIC} aws_db_instance.old")], "{what}");
        assert_eq!((judged.code, judged.fixed()), (1, vec![]), "{what}");
        called(false).write(path, text).judged(&["--select", PUBLIC]).assert_unchanged(what);
    }
    // What the caller makes is judged as well.
    let made = Change::from(&[("infra/main.tf", &infra(false))]).write("docs/example.tf", &call("public = true"));
    let judged = made.judged(&["--select", PUBLIC]);
    let of_call = ["main", "old"].map(|name| format!("{PUBLIC} module.x.aws_db_instance.{name}"));
    assert_eq!((judged.code, judged.of("new")), (1, of_call.to_vec()));
    assert_eq!(judged.of("old"), [format!("{PUBLIC} aws_db_instance.old")]);
}

#[test]
fn a_source_that_an_override_file_changes_is_a_new_call() {
    let main = "module \"x\" {\n  source = \"../other\"\n  count  = 0\n}\n";
    let files =
        [("infra/main.tf", &*infra(false)), ("docs/main.tf", main), ("other/main.tf", "locals {\n  a = 1\n}\n")];
    let change = Change::from(&files).write("docs/main_override.tf", "module \"x\" {\n  source = \"../infra\"\n}\n");
    change.judged(&["--select", PUBLIC]).assert_unchanged("an override");
}

#[test]
fn a_module_that_was_called_before_is_judged_through_its_callers() {
    let module = infra(false).replace("= true", "= var.public");
    let files = [("infra/main.tf", module.as_str()), ("live/main.tf", &call("public = false"))];
    let change = || Change::from(&files).write("infra/main.tf", &module.replace("default = false", "default = true"));
    let of = |change: Change| {
        let judged = change.judged(&["--select", PUBLIC]);
        (judged.code, judged.of("new"), judged.fixed().len())
    };
    assert_eq!(of(change()), (0, vec![], 0));
    assert_eq!(of(change().write("docs/example.tf", &call("public = false"))), (0, vec![], 0), "one more");
    let renamed = change().remove("live/main.tf").write("docs/main.tf", &call("public = false"));
    assert_eq!(of(renamed), (0, vec![], 0), "the caller has another name");
    assert_eq!(of(change().write("live/main.tf", "# Nothing.\n")).0, 1, "nobody calls it any more");
}

#[test]
fn a_module_with_the_marks_of_a_root_is_judged_as_one_whoever_calls_it() {
    let addresses = |files: &[(&str, &str)]| {
        let (_, report) = scanned(tree(files).path(), &["--select", PUBLIC]);
        let found = list(&report, "findings").iter().map(|one| one["address"].as_str().map(str::to_string));
        let mut found = found.collect::<Option<Vec<String>>>().unwrap_or_default();
        found.sort();
        found
    };
    let (infra, caller) = (infra(true), call("count = 0"));
    let files = [("infra/main.tf", infra.as_str()), ("docs/example.tf", &caller)];
    assert!(addresses(&files).is_empty(), "a module that is called");
    let marks = [
        ("infra/state.tf", "terraform {\n  backend \"s3\" {}\n}\n"),
        ("infra/state.tf.json", "{\"terraform\": {\"cloud\": {}}}"),
        ("infra/terraform.tfvars", "public = true\n"),
        ("infra/prod.auto.tfvars", "public = true\n"),
    ];
    for mark in marks {
        let found = addresses(&[files[0], files[1], mark]);
        assert_eq!(found, ["aws_db_instance.main", "aws_db_instance.old"], "{}", mark.0);
    }
    for other in [("infra/aws.tf", "provider \"aws\" {}\n"), ("infra/prod.tfvars", "public = true\n")] {
        assert!(addresses(&[files[0], files[1], other]).is_empty(), "{}", other.0);
    }
    // A base that is read in part has each root once.
    let files = [files[0], files[1], marks[2]];
    let more = call("count = 0").replace("\"x\"", "\"y\"");
    for selected in [PUBLIC, "all"] {
        let change = Change::from(&files).write("docs/example.tf", &format!("{caller}{more}"));
        let judged = change.judged(&["--select", selected]);
        assert_eq!((judged.fixed(), judged.of("new")), (vec![], vec![]), "{selected}");
        assert!(!judged.of("old").is_empty());
    }
}

/// A pod in the namespace `shop`.
fn pod(network: bool) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: shop}}\nspec:\n  hostNetwork: {network}\n  \
         containers: [{{name: one, image: \"a/b:1.0\"}}]\n"
    )
}

/// A patch in a kustomization for that pod.
fn patch(text: &str) -> String {
    let head = "apiVersion: v1\n      kind: Pod\n      metadata: {name: a, namespace: shop}";
    format!("resources: [../k8s/a.yaml]\npatches:\n  - patch: |\n      {head}\n      {text}\n")
}

const RULES: &str = "k8s-host-network,k8s-seccomp-profile-unset";

#[test]
fn a_new_kustomization_takes_no_manifest_out_of_judgement() {
    let kustomizations = [
        "patches: [{path: ../k8s/a.yaml}]\n".to_string(),
        "patchesStrategicMerge: [../k8s/a.yaml]\n".into(),
        patch("$patch: delete"),
        patch("spec: {hostNetwork: false}"),
        format!("namespace: other\n{}", patch("spec: {hostNetwork: false}")),
        "kind: Component\npatches: [{path: ../k8s/a.yaml}]\n".into(),
        format!("kind: Component\n{}", patch("$patch: delete")),
        "resources: [../k8s/a.yaml]\n".into(),
        "namespace: other\nresources: [../k8s/a.yaml]\n".into(),
    ];
    for text in &kustomizations {
        let named = |network: bool| {
            let change = Change::from(&[("k8s/a.yaml", &pod(false))]).write("k8s/a.yaml", &pod(network));
            change.write("docs/kustomization.yaml", text)
        };
        let judged = named(true).judged(&["--select", RULES]);
        let (new, old) = ("k8s-host-network Pod/shop/a", "k8s-seccomp-profile-unset Pod/shop/a");
        assert_eq!((judged.of("new"), judged.of("old")), (vec![new.into()], vec![old.into()]), "{text}");
        assert_eq!((judged.code, judged.fixed()), (1, vec![]), "{text}");
        named(false).judged(&["--select", RULES]).assert_unchanged(text);
    }
}

#[test]
fn what_a_new_kustomization_sets_is_new_though_the_object_is_judged_by_itself() {
    let change = || Change::from(&[("k8s/a.yaml", &pod(false))]);
    let judged =
        change().write("docs/kustomization.yaml", &patch("spec: {hostNetwork: true}")).judged(&["--select", RULES]);
    assert_eq!((judged.code, judged.of("new")), (1, vec!["k8s-host-network Pod/shop/a".to_string()]));
    // What is missing for the patch stands where the pod does.
    let safe =
        pod(false).replace("1.0\"", "1.0\", securityContext: {privileged: false, allowPrivilegeEscalation: false}");
    let opened = patch("spec: {containers: [{name: one, securityContext: {allowPrivilegeEscalation: null}}]}");
    let judged = Change::from(&[("k8s/a.yaml", &safe)])
        .write("docs/kustomization.yaml", &opened)
        .judged(&["--select", "k8s-privilege-escalation"]);
    assert_eq!((judged.code, judged.of("new").len(), judged.of("old").len()), (1, 1, 0));
}

#[test]
fn a_manifest_that_a_kustomization_of_the_base_names_is_judged_through_it() {
    let mended = patch("spec: {hostNetwork: false}");
    let files = [("k8s/a.yaml", pod(false)), ("docs/kustomization.yaml", mended.clone())];
    let files = [(files[0].0, files[0].1.as_str()), (files[1].0, files[1].1.as_str())];
    let network = |change: Change| {
        let judged = change.judged(&["--select", "k8s-host-network"]);
        (judged.code, judged.of("new"), judged.of("old"))
    };
    let change = || Change::from(&files).write("k8s/a.yaml", &pod(true));
    assert_eq!(network(change()), (0, vec![], vec![]));
    let renamed = change().remove("docs/kustomization.yaml").write("prod/kustomization.yaml", &mended);
    assert_eq!(network(renamed), (0, vec![], vec![]), "the kustomization has another name");
    // What nobody judged before is new where it is named.
    let hidden = Change::from(&[(".k8s/a.yaml", &pod(true)), ("b.yaml", &pod(false))]);
    let named = hidden.write("kustomization.yaml", "resources: [.k8s/a.yaml]\n");
    assert_eq!(network(named).1.len(), 1, "a hidden file");
}

#[test]
fn braces_make_no_template_of_a_manifest() {
    let network = |files: &[(&str, &str)]| {
        let (code, report) = scanned(tree(files).path(), &["--select", "k8s-host-network"]);
        assert_eq!(code, i32::from(!list(&report, "findings").is_empty()), "{report}");
        (list(&report, "findings").len(), list(&report, "problems").len())
    };
    let plain = pod(true);
    let comment = format!("{plain}# {{{{ if .x }}}}\n");
    let quoted = plain.replace("shop}", "shop, annotations: {a: \"{{ x }}\"}}");
    let rendered = plain.replace("name: a,", "name: {{ .Values.name }},");
    let second = format!("{plain}---\n{{{{ if x }}}}\n{plain}{{{{ end }}}}\n");
    let chart = ("k8s/Chart.yaml", "apiVersion: v2\nname: k8s\nversion: 1.0.0\n");
    for (what, text, alone, in_chart) in [
        ("plain", &plain, (1, 0), (1, 0)),
        ("a comment", &comment, (1, 0), (1, 0)),
        ("a quoted text", &quoted, (1, 0), (0, 1)),
        ("a value", &rendered, (0, 1), (0, 1)),
        ("a second document", &second, (1, 1), (0, 1)),
    ] {
        for path in ["k8s/templates/a.yaml", "k8s/templates/more/a.yaml"] {
            assert_eq!(network(&[(path, text)]), alone, "{what}");
            assert_eq!(network(&[(path, text), chart]), in_chart, "{what} in a chart");
        }
    }
    let new = "k8s-host-network Pod/shop/a";
    let judged = |change: Change| {
        let judged = change.judged(&["--select", RULES]);
        assert_eq!(judged.fixed(), Vec::<&str>::new());
        (judged.code, judged.of("new"))
    };
    let base = || Change::from(&[("k8s/a.yaml", &pod(false))]).remove("k8s/a.yaml");
    assert_eq!(judged(base().write("k8s/templates/a.yaml", &comment)), (1, vec![new.into()]), "moved");
    // What the change calls a chart was none.
    let base = || Change::from(&[("k8s/templates/a.yaml", &pod(false))]).write("k8s/templates/a.yaml", &quoted);
    assert_eq!(judged(base().write(chart.0, chart.1)), (1, vec![new.into()]), "a chart of the change");
    // What nobody judges any more is not mended.
    let base = || Change::from(&[("k8s/templates/a.yaml", &plain), chart]);
    assert_eq!(judged(base().write("k8s/templates/a.yaml", &quoted)), (0, vec![]), "a template of a chart");
    assert_eq!(judged(base().remove("k8s/templates/a.yaml").write("k8s/templates/b.yaml", &quoted)), (0, vec![]));
}

#[test]
fn what_holds_in_one_root_does_not_hide_what_is_new_in_another() {
    let mended = "resources: [../base]\npatches:\n  - patch: |\n      apiVersion: v1\n      kind: Pod\n      \
                  metadata: {name: a, namespace: shop}\n      spec: {hostNetwork: false}\n";
    let overlay = "resources: [../base]\n";
    let files = [
        ("base/a.yaml", &*pod(true)),
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("dev/kustomization.yaml", overlay),
        ("prod/kustomization.yaml", mended),
    ];
    let judged =
        Change::from(&files).write("prod/kustomization.yaml", overlay).judged(&["--select", "k8s-host-network"]);
    assert_eq!((judged.code, judged.of("new").len(), judged.of("old").len()), (1, 1, 0));
    Change::from(&files)
        .write("prod/kustomization.yaml", &format!("# Production.\n{mended}"))
        .judged(&["--select", RULES])
        .assert_unchanged("a comment");
    let (_, report) = scanned(
        tree(&[files[0], files[1], files[2], ("prod/kustomization.yaml", overlay)]).path(),
        &["--select", RULES],
    );
    assert_eq!(list(&report, "findings").len(), 2, "each is told once");
}
