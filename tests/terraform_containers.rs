//! Containers that Terraform declares in texts: ECS definitions, manifests and the values of Helm releases, each at its line.

mod support;

use serde_json::Value;
use support::report::found;
use support::run::scanned;
use support::tree;

const RULES: &str = "container-privileged,container-unpinned-image,container-run-as-root,container-plaintext-secret-in-env,\
                     general-password-literal,tf-helm-shared-node-namespace";

fn scan(files: &[(&str, &str)]) -> Value {
    scanned(tree(files).path(), &["--fail-on", "never", "--select", RULES]).1
}

const DEFINITIONS: &str = "[
  {
    \"name\": \"web\",
    \"image\": \"nginx:latest\",
    \"privileged\": true,
    \"environment\": [{ \"name\": \"DB_PASSWORD\", \"value\": \"${db}\" }]
  },
  {
    \"name\": \"job\",
    \"image\": \"nginx:${tag}\",
    \"user\": \"root\"
  }
]
";

#[test]
fn definitions_in_a_heredoc_are_judged_line_by_line() {
    let text = DEFINITIONS.replace("${db}", "${var.db}").replace("${tag}", "${var.tag}");
    let main = format!(
        "variable \"db\" {{}}\nvariable \"tag\" {{}}\nresource \"aws_ecs_task_definition\" \"web\" {{\n  family = \"web\"\n  container_definitions = <<EOF\n{text}EOF\n}}\n"
    );
    assert_eq!(
        found(&scan(&[("main.tf", &main)])),
        [("container-unpinned-image", 9), ("container-privileged", 10), ("container-run-as-root", 16)]
    );
    let known = main.replace("variable \"tag\" {}", "variable \"tag\" { default = \"latest\" }");
    let known = scan(&[("main.tf", &known)]);
    assert!(found(&known).contains(&("container-unpinned-image", 15)), "{:?}", found(&known));
}

#[test]
fn definitions_from_a_file_or_a_template_stand_where_they_are_used() {
    let task = |value: &str| {
        format!(
            "resource \"aws_ecs_task_definition\" \"web\" {{\n  family = \"web\"\n  container_definitions = {value}\n}}\n"
        )
    };
    let wanted = [
        ("container-plaintext-secret-in-env", 3),
        ("container-privileged", 3),
        ("container-run-as-root", 3),
        ("container-unpinned-image", 3),
    ];
    for value in [
        "file(\"web.json\")",
        "templatefile(\"web.json.tpl\", { tag = \"1.27.3\", db = \"kT9vQ2xLmZ84\" })",
        "jsonencode(jsondecode(file(\"web.json\")))",
    ] {
        let json = DEFINITIONS.replace("${db}", "kT9vQ2xLmZ84").replace("${tag}", "1.27.3");
        let report = scan(&[("main.tf", &task(value)), ("web.json", &json), ("web.json.tpl", DEFINITIONS)]);
        let mut all = found(&report);
        all.sort();
        all.dedup();
        assert_eq!(all, wanted, "{value}");
    }
}

#[test]
fn values_of_a_helm_release_are_judged_by_what_they_set() {
    let main = "resource \"helm_release\" \"web\" {
  name  = \"web\"
  chart = \"web\"
  values = [<<-EOT
    image:
      repository: registry.acme.example/web
      tag: latest
    securityContext:
      runAsUser: 0
      privileged: true
    hostNetwork: true
  EOT
    , yamlencode({
      sidecar = {
        image = { tag = \"latest\" }
        containerSecurityContext = { privileged = true }
      }
  })]
  set {
    name  = \"worker.securityContext.runAsNonRoot\"
    value = \"false\"
  }
  set_sensitive {
    name  = \"auth.password\"
    value = \"kT9vQ2xLmZ84\"
  }
}
";
    assert_eq!(
        found(&scan(&[("main.tf", main)])),
        [
            ("container-unpinned-image", 7),
            ("container-run-as-root", 9),
            ("container-privileged", 10),
            ("tf-helm-shared-node-namespace", 11),
            ("container-unpinned-image", 15),
            ("container-privileged", 16),
            ("container-run-as-root", 21),
            ("general-password-literal", 25),
        ]
    );
}

#[test]
fn the_last_value_of_a_helm_release_counts() {
    let main = "resource \"helm_release\" \"web\" {
  name   = \"web\"
  chart  = \"web\"
  values = [\"securityContext: { privileged: true }\", \"image: { tag: latest }\"]
  set = [
    { name = \"securityContext.privileged\", value = \"false\" },
    { name = \"image.tag\", value = \"1.27.3\" },
  ]
}
";
    assert_eq!(found(&scan(&[("main.tf", main)])), []);
}

#[test]
fn manifests_in_terraform_are_judged_line_by_line() {
    let main = "resource \"kubectl_manifest\" \"web\" {
  yaml_body = <<-YAML
    apiVersion: v1
    kind: Pod
    metadata: { name: web }
    spec:
      containers:
        - name: web
          image: nginx:latest
          securityContext: { runAsNonRoot: true }
  YAML
}
resource \"kubernetes_manifest\" \"web\" {
  manifest = {
    apiVersion = \"v1\"
    kind       = \"Pod\"
    metadata   = { name = \"other\" }
    spec = {
      containers = [{
        name  = \"web\"
        image = \"nginx:1.27.3\"
        securityContext = { privileged = true, runAsNonRoot = true }
      }]
    }
  }
}
";
    assert_eq!(found(&scan(&[("main.tf", main)])), [("container-unpinned-image", 9), ("container-privileged", 22)]);
}
