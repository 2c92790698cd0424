//! Dockerfiles and manifests as teams hand them over: directives of other tools, and input made to break the readers.

#![allow(clippy::unwrap_used)]

mod support;

use std::process::Output;

use support::report::{list, text};
use support::run::{gate, printed, scanned};
use support::tree;

/// Rule, severity and line of each finding of all rules that these tokens select.
fn found(files: &[(&str, &str)], select: &[&str]) -> Vec<(String, String, u64)> {
    let mut arguments = vec!["--fail-on", "never"];
    select.iter().for_each(|token| arguments.extend(["--select", *token]));
    let (_, report) = scanned(tree(files).path(), &arguments);
    let findings = list(&report, "findings").iter();
    findings
        .map(|one| (text(&one["rule"]).into(), text(&one["severity"]).into(), one["at"]["line"].as_u64().unwrap()))
        .collect()
}

fn rules(files: &[(&str, &str)], select: &[&str]) -> Vec<String> {
    found(files, select).into_iter().map(|(rule, ..)| rule).collect()
}

const LOOSE: &str = "FROM alpine:3.20 as Build\nCMD echo one\nCMD echo two\nUSER root\n";

fn loose(directives: &str) -> Vec<(String, String, u64)> {
    let select =
        ["docker-stage-name-casing", "docker-repeated-cmd", "docker-shell-form-command", "docker-last-user-root"];
    found(&[("Dockerfile", &format!("{directives}{LOOSE}"))], &select)
}

fn names(found: &[(String, String, u64)]) -> Vec<&str> {
    found.iter().map(|(rule, ..)| rule.as_str()).collect()
}

#[test]
fn the_check_directive_turns_named_build_checks_off() {
    assert_eq!(loose("").len(), 5);
    let left = loose("# syntax=docker/dockerfile:1\n# check=skip=JSONArgsRecommended,stagenamecasing\n");
    assert_eq!(names(&left), ["docker-repeated-cmd", "docker-last-user-root"]);
    let left = loose("#check=skip=all;error=false\n");
    assert_eq!(names(&left), ["docker-last-user-root"], "other tools' rules are none of its business");
    let left = loose("# a remark\n# check=skip=all\n");
    assert_eq!(left.len(), 5, "after a comment it is a comment");
}

#[test]
fn a_build_that_fails_on_its_checks_makes_their_findings_count() {
    let severity = |directives: &str| {
        let all = loose(directives);
        all.into_iter().find(|(rule, ..)| rule == "docker-stage-name-casing").unwrap().1
    };
    assert_eq!(severity(""), "low");
    assert_eq!(severity("# check=error=true\n"), "medium");
    assert_eq!(severity("# check=skip=JSONArgsRecommended;error=true\n"), "medium");
}

#[test]
fn a_secret_in_a_layer_that_ships_is_worse_than_in_one_that_does_not() {
    let text = "\
FROM alpine:3.20 AS tools
ENV API_TOKEN=d41d8cd98f
FROM alpine:3.20 AS base
COPY id_rsa /root/.ssh/
FROM base
ENV DB_PASSWORD=d41d8cd98f
";
    let select = ["docker-secret-named-variable", "docker-secret-file-copied"];
    let all = found(&[("Dockerfile", text)], &select);
    let severities: Vec<(&str, u64)> = all.iter().map(|(_, severity, line)| (severity.as_str(), *line)).collect();
    assert_eq!(severities, [("medium", 2), ("high", 4), ("high", 6)]);
}

/// A Dockerfile whose RUN holds this script, and one beside it with a mistake that must still be told.
fn with_run(script: &str) -> Output {
    let text = format!("FROM alpine:3.20\nRUN {script}\n");
    let folder = tree(&[("hostile/Dockerfile", &text), ("plain/Dockerfile", "FROM alpine\n")]);
    gate(folder.path(), &["scan", "--format", "json", "--select", "all"])
}

#[test]
fn a_shell_script_that_is_never_closed_is_told_and_the_rest_is_judged() {
    for script in ["echo 'one", "echo \"one", "cat <<EOT\nnever closed", "echo $(date", "echo `date"] {
        let output = with_run(script);
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{script}: {shown}");
        assert!(shown.contains("hostile/Dockerfile") && shown.contains("docker-untagged-base-image"), "{shown}");
    }
}

#[test]
fn a_huge_or_deep_run_is_bounded() {
    let long = format!("echo {}", "word ".repeat(200_000));
    let joined = format!("true{}", " && \\\n    echo one".repeat(20_000));
    let substituted = format!("echo {}date{}", "$(echo ".repeat(20_000), ")".repeat(20_000));
    let quoted = format!("echo {}", "\"$(".repeat(20_000));
    let grouped = format!("{} true {}", "( ".repeat(20_000), ")".repeat(20_000));
    let arithmetic = format!("echo {}1{}", "$((".repeat(20_000), "))".repeat(20_000));
    for script in [long, joined, substituted, quoted, grouped, arithmetic] {
        let output = with_run(&script);
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{}", &script[..40]);
        assert!(shown.contains("docker-untagged-base-image"), "{}", &script[..40]);
    }
}

#[test]
fn a_user_is_root_however_it_is_written() {
    let found = |base: &str, text: &str| {
        let dockerfile = format!("FROM {base}\n{text}\n");
        let select = ["container-run-as-root", "docker-last-user-root", "docker-named-user"];
        let mut found = rules(&[("Dockerfile", &dockerfile)], &select);
        found.sort();
        found
    };
    let root = ["container-run-as-root", "docker-last-user-root"];
    for text in ["USER 00", "USER +0:app", "USER -0", "USER \"\"", "USER ${UNSET}", "ENV U=0\nUSER ${X:-$U}"] {
        assert_eq!(found("alpine:3.20", text), root, "{text}");
    }
    for text in ["USER r\"\"oot", "USER r\\oot", "ENV U=root\nUSER $U:app"] {
        assert_eq!(found("alpine:3.20", text), [&root[..], &["docker-named-user"]].concat(), "{text}");
    }
    assert_eq!(found("alpine:3.20", "ARG X=rootx\nUSER ${X%x}"), ["container-run-as-root"]);
    assert_eq!(found("alpine:3.20", "ENV U=app\nUSER \"$U\""), ["docker-named-user"]);
    let open = "USER ${APP_USER}";
    assert!(found("registry.acme.test/base:1.0", open).is_empty(), "the base may set it");
    let (_, report) = scanned(
        tree(&[("Dockerfile", &format!("FROM registry.acme.test/base:1.0\n{open}\n"))]).path(),
        &["--fail-on", "never", "--select", "container-run-as-root"],
    );
    assert_eq!(report["counts"]["undecided"]["container-run-as-root"], 1, "{report}");
}

#[test]
fn what_a_builder_runs_is_judged_however_its_lines_are_cut() {
    let run = "RUN curl https://get.acme.test/a | sh\n";
    for text in [
        format!("# author=me\n# escape=`\nFROM alpine:3.20\nRUN true #`\n{run}"),
        format!("FROM alpine:3.20\nRUN true # \\\\\n{run}"),
        format!("FROM alpine:3.20\nRUN true a<<CMD\n{run}CMD\n"),
        format!("FROM alpine:3.20\nRUN echo ${{X^}} <<CMD\n{run}CMD\n"),
        "FROM alpine:3.20\nRUN [\"sh\", \"-c\", \"curl https://get.acme.test/a | sh; echo \\ud800\"]\n".to_string(),
    ] {
        assert_eq!(rules(&[("Dockerfile", &text)], &["docker-download-piped-to-shell"]).len(), 1, "{text}");
    }
}

#[test]
fn a_download_that_a_script_runs_is_told() {
    let count = |text: &str| {
        let dockerfile = format!("FROM alpine:3.20\n{text}\n");
        rules(&[("Dockerfile", &dockerfile)], &["docker-download-piped-to-shell"]).len()
    };
    let get = "curl -fsS https://get.acme.test/a";
    for text in [
        format!("RUN sh <<E\n$({get})\nE"),
        format!("RUN bash -eu <<'E'\nset -x\n  eval \"$({get})\"\nE"),
        format!("RUN bash <<< \"$({get})\""),
        format!("RUN bash <<< '{get} | sh'"),
        format!("COPY <<E /x.sh\n{get} | sh\nE\nRUN sh /x.sh"),
        format!("COPY --chmod=755 <<x.sh <<y /usr/bin/\n#!/bin/sh\n{get} | sh\nx.sh\ny\nRUN x.sh"),
    ] {
        assert_eq!(count(&text), 1, "{text}");
    }
    for text in [
        format!("RUN sh <<E\nV=$({get})\necho $V\nE"),
        format!("RUN cat <<E >/a\n$({get})\nE"),
        format!("RUN cat <<< \"$({get})\""),
        format!("COPY <<E /x.sh\n{get} | sh\nE\nRUN chmod +x /x.sh"),
        format!("COPY <<E /x.py\n#!/usr/bin/python3\n{get} | sh\nE\nRUN /x.py"),
        format!("RUN sh /x.sh\nCOPY <<E /x.sh\n{get} | sh\nE"),
    ] {
        assert_eq!(count(&text), 0, "{text}");
    }
}

const POD: &str = "    spec:\n      containers:\n        - name: web\n          image: acme/web\n";

#[test]
fn objects_that_own_or_select_each_other_end() {
    let owned = |name: &str, owner: &str| {
        format!(
            "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: {name}\n  namespace: shop\n  ownerReferences:\n    \
             - {{ apiVersion: apps/v1, kind: ReplicaSet, name: {owner}, uid: \"1\" }}\nspec:\n  template:\n{POD}"
        )
    };
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: a\naggregationRule:\n  \
                clusterRoleSelectors:\n    - matchLabels: { a: b }\nrules: []\n";
    let text = format!("{}---\n{}---\n{}---\n{role}", owned("a", "b"), owned("b", "a"), owned("self", "self"));
    let found = rules(&[("a.yaml", &text)], &["all"]);
    assert_eq!(found.iter().filter(|rule| *rule == "container-unpinned-image").count(), 3, "{found:?}");
}

#[test]
fn broken_manifests_are_told_and_their_neighbors_judged() {
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let wide = "x".repeat(256 << 10);
    let bad = [
        "spec: {unclosed: [\n".to_string(),
        "spec: \"never closed\n".to_string(),
        "spec: &a [*a]\n".to_string(),
        format!("spec: {deep}\n"),
        format!("spec: |\n  {wide}\n"),
    ];
    for spec in bad {
        let files = [
            ("bad.yaml", format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n{spec}")),
            (
                "good.yaml",
                format!("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n{POD}"),
            ),
        ];
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let found = rules(&files, &["all"]);
        assert!(found.iter().any(|rule| rule == "container-unpinned-image"), "{}", &spec[..20]);
    }
}

#[test]
fn the_gaps_of_one_container_are_told_together_and_counted_apart() {
    let text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  template:\n{POD}"
    );
    let folder = tree(&[("web.yaml", &text)]);
    let select = ["--select", "k8s-privilege-escalation,k8s-undropped-capabilities,k8s-seccomp-profile-unset"];
    let text = printed(folder.path(), &[&["scan"], &select[..]].concat());
    assert_eq!(text.matches("--> web.yaml:10:").count(), 1, "{text}");
    assert!(text.contains("medium Deployment/shop/web: container web: 3 gaps"), "{text}");
    for gap in ["medium k8s-privilege-escalation: allowPrivilegeEscalation is not set", "k8s-undropped-capabilities: "]
    {
        assert!(text.contains(gap), "{text}");
    }
    assert_eq!(list(&scanned(folder.path(), &select).1, "findings").len(), 3);
}

#[test]
fn manifests_of_a_cluster_get_a_handful_of_findings() {
    let text = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: metrics-server
  namespace: kube-system
spec:
  replicas: 2
  selector:
    matchLabels: { k8s-app: metrics-server }
  template:
    metadata:
      labels: { k8s-app: metrics-server }
    spec:
      serviceAccountName: metrics-server
      automountServiceAccountToken: false
      containers:
        - name: metrics-server
          image: registry.k8s.io/metrics-server/metrics-server:v0.7.2
          args: [--cert-dir=/tmp, --secure-port=10250]
          ports:
            - { name: https, containerPort: 10250 }
          readinessProbe:
            httpGet: { path: /readyz, port: https, scheme: HTTPS }
          livenessProbe:
            httpGet: { path: /livez, port: https, scheme: HTTPS }
          resources:
            requests: { cpu: 100m, memory: 200Mi }
            limits: { memory: 400Mi }
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: { drop: [ALL] }
            readOnlyRootFilesystem: true
            runAsNonRoot: true
            seccompProfile: { type: RuntimeDefault }
";
    let all = rules(&[("metrics-server.yaml", text)], &["default"]);
    assert!(all.len() <= 4, "{all:?}");
}

#[test]
fn the_ignore_file_of_the_context_is_read_though_it_is_hidden() {
    let select = ["CopyIgnoredFile"];
    let dockerfile = ("web/Dockerfile", "FROM alpine:3.20\nCOPY dist /srv\nCOPY src /src\n");
    let line = |files: &[(&str, &str)]| found(files, &select).into_iter().map(|(.., line)| line).collect::<Vec<_>>();
    assert_eq!(line(&[dockerfile, ("web/.dockerignore", "dist\n")]), [2]);
    assert_eq!(line(&[dockerfile, (".dockerignore", "dist\n")]), [0; 0], "another folder's");
    let own = ("web/Dockerfile.dockerignore", "src\n");
    assert_eq!(line(&[dockerfile, ("web/.dockerignore", "dist\n"), own]), [3], "the Dockerfile's own comes first");
}

#[test]
fn a_health_check_in_shell_form_weighs_less_than_a_command() {
    let text = "FROM alpine:3.20\nHEALTHCHECK CMD wget -q http://localhost/ || exit 1\nCMD run me\n";
    let severities: Vec<String> =
        found(&[("Dockerfile", text)], &["DL3025"]).into_iter().map(|(_, one, _)| one).collect();
    assert_eq!(severities, ["low", "medium"]);
}

#[test]
fn a_container_without_resources_is_told_what_it_lacks_and_no_consequence_of_that() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop }\nspec:\n  containers:\n    - name: web\n      image: registry.acme.test/web:1.2.3\n";
    let resources: Vec<String> = rules(&[("pod.yaml", text)], &["default"])
        .into_iter()
        .filter(|rule| rule.contains("-limit") || rule.contains("-request"))
        .collect();
    assert_eq!(resources, ["k8s-missing-cpu-request", "k8s-missing-memory-limit"]);
}
