//! JSON has no comments: a member `"//"` or `"$comment"` speaks of the object around it.

use crate::support::report::list;
use crate::support::run::scanned;
use crate::support::tree;

/// Scans one file and gives the lines of what is found, those of the suppressions that have acted, and what is told.
fn scan(path: &str, text: &str, rule: &str) -> (Vec<u64>, Vec<u64>, String) {
    let (_, report) = scanned(tree(&[(path, text)]).path(), &[".", "--select", rule]);
    let lines = |key: &str| list(&report, key).iter().map(|one| one["at"]["line"].as_u64().unwrap()).collect();
    (lines("findings"), lines("suppressed"), report["problems"].to_string())
}

const PUBLIC: &str = "aws-rds-publicly-accessible";

fn databases(first: &str, outer: &str) -> String {
    format!(
        r#"{{
  "//": "{outer}",
  "resource": {{
    "aws_db_instance": {{
      "first": {{
        "//": "{first}",
        "publicly_accessible": true
      }},
      "second": {{
        "publicly_accessible": true
      }}
    }}
  }}
}}
"#
    )
}

#[test]
fn a_member_of_a_resource_speaks_of_all_of_it() {
    let reason = "gate: ignore[aws-rds-publicly-accessible] until=2999-01-01 by=web a demo";
    let (found, suppressed, told) = scan("main.tf.json", &databases(reason, "x"), PUBLIC);
    assert_eq!((found, suppressed, told.as_str()), (vec![10], vec![6], "[]"));
    // What is missing is placed on the name of the resource.
    let missing = "aws-rds-unencrypted-instance";
    assert_eq!(scan("main.tf.json", &databases("x", "x"), missing).0.len(), 2);
    let (found, suppressed, _) = scan("main.tf.json", &databases(&reason.replace(PUBLIC, missing), "x"), missing);
    assert_eq!((found.len(), suppressed.len()), (1, 1));
}

#[test]
fn one_of_the_outermost_object_speaks_of_the_file() {
    for word in ["ignore", "ignore-file"] {
        let reason = format!("gate: {word}[aws-rds-publicly-accessible] a demo");
        let (found, suppressed, told) = scan("main.tf.json", &databases("x", &reason), PUBLIC);
        assert_eq!((found, suppressed, told.as_str()), (vec![], vec![2, 2], "[]"), "{word}");
    }
    let (found, _, told) =
        scan("main.tf.json", &databases("gate: ignore-file[aws-rds-publicly-accessible] a demo", "x"), PUBLIC);
    assert_eq!(found, [7, 10]);
    assert!(told.contains("in the outermost object of JSON"), "{told}");
}

#[test]
fn what_holds_for_comments_holds_there() {
    for (said, words) in [
        ("gate: ignore[aws-rds-publicly-accessible]", "has no reason, so it does not act"),
        ("gate: ignore[aws-rds-publicly-accessible] until=2020-01-01 a demo", "ended on 2020-01-01"),
        ("gate: ignore[aws-rds-public] a demo", "no rule or alias is called"),
        ("see gate: ignore[aws-rds-publicly-accessible] a demo", "does not act after other words"),
    ] {
        let (found, _, told) = scan("main.tf.json", &databases(said, "x"), PUBLIC);
        assert_eq!(found, [7, 10], "{said}");
        assert!(told.contains(words), "{said}: {told}");
    }
}

#[test]
fn manifests_and_any_other_json_know_it_too() {
    let pod = r#"{
  "//": "gate: ignore[k8s-host-network] the agent needs it",
  "apiVersion": "v1",
  "kind": "Pod",
  "metadata": {"name": "agent"},
  "spec": {"hostNetwork": true, "containers": [{"name": "a", "image": "a:1"}]}
}
"#;
    assert_eq!(scan("pod.json", &pod.replace("gate:", "-"), "k8s-host-network").0.len(), 1);
    let (found, suppressed, told) = scan("pod.json", pod, "k8s-host-network");
    assert_eq!((found.len(), suppressed.len(), told.as_str()), (0, 1, "[]"));
    let token = "ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3";
    let rule = "general-service-token-committed";
    for name in ["//", "$comment"] {
        let settings = format!(
            "{{\n  \"a\": {{\n    \"{name}\": \"gate: ignore[{rule}] revoked\",\n    \"token\": \"{token}\"\n  }},\n  \"token\": \"{token}x\"\n}}\n"
        );
        let settings = settings.replace("C3x", "D4");
        let (found, suppressed, told) = scan("settings.json", &settings, rule);
        assert_eq!((found, suppressed, told.as_str()), (vec![6], vec![3], "[]"), "{name}");
    }
}
