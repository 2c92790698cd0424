//! SARIF as GitHub's code scanning takes it.

use std::collections::{BTreeMap, BTreeSet};

use gate::finding::Status;
use gate::report::{Comparison, Style};
use serde_json::{Value, json};

use super::{judged, list, shop, tree, value, with_report, written};

/// The part of the SARIF 2.1.0 schema that reports use: their objects may hold these properties and no others. `required` are
/// those of the schema and those that GitHub's code scanning asks for beside it.
fn sarif_schema() -> Value {
    let object = |required: &[&str], properties: Value| json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties});
    let text = json!({"type": "string", "minLength": 1});
    let line = json!({"type": "integer", "minimum": 1});
    let level = json!({"enum": ["none", "note", "warning", "error"]});
    let message = object(&["text"], json!({"text": text}));
    let help = object(&["text"], json!({"text": text, "markdown": text}));
    let artifact = object(
        &["uri", "uriBaseId"],
        json!({"uri": {"type": "string", "pattern": "^[A-Za-z0-9._~/%-]+$"}, "uriBaseId": {"const": "SRCROOT"}}),
    );
    let region = object(
        &["startLine", "startColumn", "endLine", "endColumn"],
        json!({"startLine": line, "startColumn": line, "endLine": line, "endColumn": line}),
    );
    let place = object(&["artifactLocation"], json!({"artifactLocation": artifact, "region": region}));
    let logical = object(&["fullyQualifiedName"], json!({"fullyQualifiedName": text, "kind": text}));
    let location = object(
        &["physicalLocation"],
        json!({
            "id": {"type": "integer", "minimum": 0},
            "message": message,
            "physicalLocation": place,
            "logicalLocations": {"type": "array", "items": logical},
        }),
    );
    let rule = object(
        &["id", "shortDescription", "fullDescription", "help"],
        json!({
            "id": text,
            "name": {"type": "string", "minLength": 1, "maxLength": 255},
            "shortDescription": message,
            "fullDescription": object(&["text"], json!({"text": {"type": "string", "minLength": 1, "maxLength": 1024}})),
            "help": help,
            "defaultConfiguration": object(&["level"], json!({"level": level})),
            "properties": object(&["tags", "precision", "security-severity"], json!({
                "aliases": {"type": "array", "items": text},
                "tags": {"type": "array", "items": text, "uniqueItems": true, "maxItems": 10},
                "precision": {"enum": ["very-high", "high", "medium", "low"]},
                "security-severity": {"type": "string", "pattern": r"^([0-9]|10)\.[0-9]$"},
            })),
        }),
    );
    let suppression = object(
        &["kind"],
        json!({"kind": {"enum": ["inSource", "external"]}, "status": {"enum": ["accepted"]}, "justification": {"type": "string"}}),
    );
    let result = object(
        &["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
        json!({
            "ruleId": text,
            "ruleIndex": {"type": "integer", "minimum": 0},
            "kind": {"enum": ["review"]},
            "baselineState": {"enum": ["new", "updated", "unchanged"]},
            "properties": object(&["reportedBy"], json!({"reportedBy": {"type": "array", "items": text}})),
            "level": level,
            "message": message,
            "locations": {"type": "array", "minItems": 1, "maxItems": 1, "items": location},
            "relatedLocations": {"type": "array", "minItems": 1, "uniqueItems": true, "items": location},
            "partialFingerprints": object(&["primaryLocationLineHash", "gate/v1"], json!({
                "primaryLocationLineHash": {"type": "string", "pattern": "^[0-9a-f]+:[0-9]+$"},
                "gate/v1": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            })),
            "suppressions": {"type": "array", "items": suppression},
        }),
    );
    let notification = object(
        &["message"],
        json!({
            "level": level,
            "message": message,
            "descriptor": object(&["id"], json!({"id": text})),
            "locations": {"type": "array", "items": location},
        }),
    );
    let driver = object(
        &["name", "rules"],
        json!({
            "name": {"const": "gate"},
            "fullName": text,
            "semanticVersion": text,
            "version": text,
            "informationUri": {"type": "string", "pattern": "^https://"},
            "rules": {"type": "array", "uniqueItems": true, "items": rule},
        }),
    );
    let run = object(
        &["tool", "results", "invocations"],
        json!({
            "tool": object(&["driver"], json!({"driver": driver})),
            "automationDetails": object(&["id"], json!({"id": {"const": "gate/"}})),
            "columnKind": {"const": "utf16CodeUnits"},
            "originalUriBaseIds": object(&["SRCROOT"], json!({"SRCROOT": object(&[], json!({"description": message}))})),
            "invocations": {"type": "array", "minItems": 1, "maxItems": 1, "items": object(&["executionSuccessful"], json!({
                "executionSuccessful": {"type": "boolean"},
                "exitCode": {"type": "integer"},
                "toolExecutionNotifications": {"type": "array", "items": notification},
            }))},
            "results": {"type": "array", "items": result},
        }),
    );
    object(
        &["$schema", "version", "runs"],
        json!({
            "$schema": {"const": "https://json.schemastore.org/sarif-2.1.0.json"},
            "version": {"const": "2.1.0"},
            "runs": {"type": "array", "minItems": 1, "maxItems": 1, "items": run},
        }),
    )
}

fn assert_sarif(log: &Value) {
    let schema = sarif_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let run = &log["runs"][0];
    let rules = list(&run["tool"]["driver"], "rules");
    for result in list(run, "results") {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        let level = match rule["properties"]["security-severity"].as_str().unwrap() {
            "9.5" | "8.0" => "error",
            "5.5" => "warning",
            _ => "note",
        };
        assert_eq!(rule["defaultConfiguration"]["level"], level);
        assert_eq!(result["level"], level, "{result:#}");
        for (number, place) in result["relatedLocations"].as_array().into_iter().flatten().enumerate() {
            assert_eq!(place["id"], number + 1);
            assert!(result["message"]["text"].as_str().unwrap().contains(&format!("]({})", number + 1)), "{result:#}");
        }
    }
}

#[test]
fn sarif_is_what_code_scanning_takes() {
    let shop = shop();
    assert_sarif(&value(&shop.path().join("deploy"), "sarif"));
    let clean = tree(&[("main.tf", "locals {\n  name = \"shop\"\n}\n")]);
    let log = value(clean.path(), "sarif");
    assert_sarif(&log);
    // A run without the list is refused; an empty one closes the alerts.
    assert_eq!(log["runs"][0]["results"], json!([]));
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn sarif_of_a_change_has_all_results_with_their_state() {
    let shop = shop();
    judged(&shop.path().join("deploy"), |mut report| {
        for (number, finding) in report.findings.iter_mut().enumerate() {
            finding.status = Some([Status::New, Status::Worse, Status::Old][number % 3]);
            finding.tools = vec!["trivy".into()];
        }
        report.comparison = Some(Comparison { against: "main (1a2b3c4d5e6f)".into(), ..Comparison::default() });
        let log: Value = serde_json::from_str(&written(&report, "sarif", Style::default())).unwrap();
        assert_sarif(&log);
        let results = list(&log["runs"][0], "results");
        assert_eq!(results.len(), report.findings.len());
        let states: BTreeSet<&str> = results.iter().filter_map(|one| one["baselineState"].as_str()).collect();
        assert_eq!(states, BTreeSet::from(["new", "unchanged", "updated"]));
    });
}

#[test]
fn sarif_of_a_broken_tree_tells_problems_apart_from_results() {
    let shop = shop();
    std::fs::write(shop.path().join("deploy/infra/broken.tf"), "resource \"x\" {\n").unwrap();
    let log = value(&shop.path().join("deploy"), "sarif");
    assert_sarif(&log);
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!((&invocation["executionSuccessful"], &invocation["exitCode"]), (&json!(false), &json!(2)));
    let broken = &list(invocation, "toolExecutionNotifications")[0];
    assert_eq!(broken["level"], "error");
    assert_eq!(broken["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "deploy/infra/broken.tf");
}

#[test]
fn sarif_leaves_suppressed_results_out_unless_asked_since_code_scanning_would_open_them() {
    let shop = shop();
    with_report(&shop.path().join("deploy"), |report| {
        let of_rule = |style| -> Vec<Value> {
            let log: Value = serde_json::from_str(&written(report, "sarif", style)).unwrap();
            assert_sarif(&log);
            let results = list(&log["runs"][0], "results").iter();
            results.filter(|result| result["ruleId"] == "aws-s3-unversioned").cloned().collect()
        };
        assert_eq!(of_rule(Style::default()), Vec::<Value>::new());
        let shown = of_rule(Style { show_suppressed: true, ..Style::default() });
        assert_eq!(shown[0]["suppressions"][0]["justification"], "objects are rebuilt nightly");
    });
}

#[test]
fn sarif_regions_hold_the_text_that_findings_are_about() {
    let shop = shop();
    let log = value(&shop.path().join("deploy"), "sarif");
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for result in list(&log["runs"][0], "results") {
        let place = &result["locations"][0]["physicalLocation"];
        let region = &place["region"];
        let number = |key: &str| region[key].as_u64().unwrap() as usize;
        assert_eq!(number("startLine"), number("endLine"), "alerts of more lines than the change has are not shown");
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        let name = uri.replace("%7C", "|").replace("%2C", ",").replace("%20", " ").replace("%3A", ":");
        let name = name.replace("%3C", "<").replace("%3E", ">").replace("%25", "%");
        let text = std::fs::read_to_string(shop.path().join(name)).unwrap();
        let units: Vec<u16> = text.lines().nth(number("startLine") - 1).unwrap().encode_utf16().collect();
        let marked = String::from_utf16(&units[number("startColumn") - 1..number("endColumn") - 1]).unwrap();
        texts.entry(result["ruleId"].as_str().unwrap().to_string()).or_default().insert(marked);
    }
    let one = |rule: &str| texts[rule].iter().next().unwrap().as_str();
    assert_eq!(one("aws-rds-publicly-accessible"), "true");
    assert_eq!(one("aws-rds-unencrypted-instance"), "false");
    assert_eq!(one("aws-security-group-public-ssh"), "\"0.0.0.0/0\"", "columns count UTF-16 units");
    assert_eq!(one("aws-s3-missing-public-access-block"), "resource \"aws_s3_bucket\" \"cache\" {");
    assert_eq!(one("docker-latest-base-image"), "FROM python:latest");
}
