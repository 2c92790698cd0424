//! What rules about Kubernetes say together, and what the configuration tells them.

mod support;

use serde_json::Value;
use support::report::{list, text};
use support::run::scanned;
use support::tree;

/// `RULE LINE` of each finding that is told.
fn found(files: &[(&str, &str)], arguments: &[&str]) -> Vec<String> {
    told(files, arguments).iter().map(|one| format!("{} {}", text(&one["rule"]), one["at"]["line"])).collect()
}

/// The findings of a scan.
fn told(files: &[(&str, &str)], arguments: &[&str]) -> Vec<Value> {
    list(&scanned(tree(files).path(), arguments).1, "findings").clone()
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

#[test]
fn messages_name_the_container_and_what_decides_the_replicas() {
    let objects = "apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - image: acme/web:1.2.3
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web, namespace: shop }
spec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }, minReplicas: 2, maxReplicas: 4 }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web, namespace: shop }
spec: { minAvailable: 2, selector: { matchLabels: { app: web } } }
";
    let select = ["--select", "k8s-missing-liveness-probe,k8s-disruption-budget-blocks-min-available"];
    let told = told(&[("all.yaml", objects)], &select);
    let messages: Vec<&str> = told.iter().map(|one| text(&one["message"])).collect();
    assert_eq!(
        messages,
        [
            "Deployment/shop/web: container without a name: livenessProbe is not set, wanted a value",
            "PodDisruptionBudget/shop/web: spec.minAvailable is 2, and HorizontalPodAutoscaler/shop/web may bring \
             Deployment/shop/web down to 2: no pod may ever be evicted, wanted less",
        ]
    );
}

#[test]
fn an_object_of_the_cluster_has_no_namespace_in_its_address_and_quotes_change_no_message() {
    let role = |verb: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{ name: reader }}\nrules:\n  \
             - apiGroups: ['']\n    resources: [secrets]\n    verbs: [{verb}]\n"
        )
    };
    let message = |verb: &str| {
        let told = told(&[("role.yaml", &role(verb))], &["--select", "k8s-rbac-manage-secrets"]);
        text(&told[0]["message"]).to_string()
    };
    assert_eq!(message("get"), "ClusterRole/reader: the cluster role may read or change all secrets (get)");
    assert_eq!(message("\"get\""), message("get"));
}

#[test]
fn the_packs_of_pod_security_speak_of_namespaces_that_admit_more() {
    let namespace = |labels: &str| {
        let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{ name: shop, labels: {{ {labels} }} }}\n");
        found(&[("namespace.yaml", &text)], &["--select", "pss-restricted"])
    };
    assert_eq!(namespace(""), ["k8s-namespace-missing-pod-security 3"]);
    let enforce = |level: &str| namespace(&format!("pod-security.kubernetes.io/enforce: {level}"));
    assert_eq!(enforce("baseline"), ["k8s-namespace-weak-pod-security 3"]);
    assert!(enforce("privileged").contains(&"k8s-namespace-privileged-pod-security 3".to_string()));
    assert!(enforce("restricted").is_empty());
}

#[test]
fn the_user_of_an_image_built_here_counts_for_the_pod() {
    let pod = "apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop }
spec:
  containers:
    - name: web
      image: registry.acme.test/shop/web:1.2.3
";
    let with = |dockerfile: &str| {
        let files = [("web/Dockerfile", dockerfile), ("k8s/web.yaml", pod)];
        let found = found(&files, &["--select", "container-run-as-root"]);
        found.iter().filter(|one| one.ends_with(" 6")).count()
    };
    assert_eq!(with("FROM alpine:3.20\nUSER 1000\n"), 0);
    assert_eq!(with("FROM alpine:3.20\nUSER 0\n"), 1);
    assert_eq!(with("FROM alpine:3.20\n"), 1);
}
