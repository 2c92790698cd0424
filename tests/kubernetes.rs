//! What rules about Kubernetes say together, and what the configuration tells them.

mod support;

use std::process::Command;

use serde_json::Value;
use support::tree;

/// `RULE LINE` of each finding that is told.
fn found(files: &[(&str, &str)], arguments: &[&str]) -> Vec<String> {
    told(files, arguments).iter().map(|one| format!("{} {}", text(&one["rule"]), one["at"]["line"])).collect()
}

/// The findings of a scan.
fn told(files: &[(&str, &str)], arguments: &[&str]) -> Vec<Value> {
    let folder = tree(files);
    let output = Command::new(env!("CARGO_BIN_EXE_gate"))
        .current_dir(folder.path())
        .args(["scan", "--format", "json"])
        .args(arguments)
        .output()
        .expect("gate starts");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    report["findings"].as_array().expect("a list").clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A pod that breaks the restricted standard in several ways.
const POD: &str = "apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop }
spec:
  hostNetwork: true
  securityContext:
    seccompProfile: { type: Unconfined }
  volumes:
    - { name: a, hostPath: { path: / } }
    - { name: b, hostPath: { path: /srv } }
  containers:
    - name: web
      image: acme/web:1.2.3
      securityContext:
        runAsNonRoot: true
        allowPrivilegeEscalation: false
        capabilities:
          add: [NET_RAW]
      ports:
        - { containerPort: 80, hostPort: 80 }
";

#[test]
fn a_pack_tells_each_cause_once() {
    let expected = [
        "k8s-host-network 5",
        "k8s-seccomp-unconfined 7",
        "k8s-host-path-volume 9",
        "k8s-host-path-volume 10",
        "k8s-undropped-capabilities 12",
        "k8s-added-capabilities 18",
    ];
    assert_eq!(found(&[("pod.yaml", POD)], &["--select", "pss-restricted"]), sorted(&expected));
    let by_name = found(&[("pod.yaml", POD)], &["--select", "pss-restricted,k8s-restricted-volume-type"]);
    assert!(by_name.contains(&"k8s-restricted-volume-type 9".to_string()), "{by_name:?}");
}

fn sorted(found: &[&str]) -> Vec<String> {
    found.iter().map(|one| one.to_string()).collect()
}

#[test]
fn the_default_selection_tells_each_cause_once() {
    let all = found(&[("pod.yaml", POD)], &[]);
    let count = |rule: &str| all.iter().filter(|one| one.starts_with(rule)).count();
    assert_eq!((count("k8s-sensitive-host-path"), count("k8s-host-path-volume"), count("k8s-host-port")), (1, 1, 0));
    let policy = "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - {}
";
    assert_eq!(found(&[("policy.yaml", policy)], &[]), ["k8s-network-policy-open-egress 8"]);
}

#[test]
fn what_a_namespace_refuses_names_each_cause_once() {
    let namespace = "apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { pod-security.kubernetes.io/enforce: restricted } }
";
    let files = [("namespace.yaml", namespace), ("pod.yaml", POD)];
    let told = told(&files, &["--select", "k8s-pod-refused-by-namespace"]);
    let message = text(&told[0]["message"]);
    assert!(
        message.ends_with(
            "k8s-added-capabilities, k8s-host-network, k8s-host-path-volume, k8s-seccomp-unconfined and 1 more"
        ),
        "{message}"
    );
}

#[test]
fn the_version_of_the_cluster_says_what_is_removed_and_what_is_deprecated() {
    let objects = "apiVersion: flowcontrol.apiserver.k8s.io/v1beta3
kind: FlowSchema
metadata: { name: web }
---
apiVersion: v1
kind: Endpoints
metadata: { name: web, namespace: shop }
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: { name: web, namespace: shop }
";
    let with = |version: &str| {
        let config = format!("kubernetes: {{ version: \"{version}\" }}\n");
        found(&[("all.yaml", objects), ("gate.yaml", &config)], &[])
    };
    let removed = "k8s-removed-api-version";
    let newest = found(&[("all.yaml", objects)], &[]);
    assert_eq!(newest, [format!("{removed} 1"), "k8s-deprecated-api-version 5".into(), format!("{removed} 9")]);
    assert_eq!(with("1.31"), ["k8s-deprecated-api-version 1".into(), format!("{removed} 9")]);
    assert_eq!(with("v1.24.3"), ["k8s-deprecated-api-version 1", "k8s-deprecated-api-version 9"]);
    let messages = told(&[("all.yaml", objects)], &[]);
    assert!(text(&messages[2]["message"]).ends_with("is gone since Kubernetes 1.25, wanted policy/v1"), "{messages:?}");
}
