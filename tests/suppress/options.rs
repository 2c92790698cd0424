//! Until when, by whom, and which rules: wherever it stands in the text, and in whatever spelling.

use crate::bucket;

const RULE: &str = "aws-s3-public-acl";

#[test]
fn the_end_and_the_owner_act_wherever_they_stand() {
    for said in [
        "public downloads until=2025-01-01",
        "by=\"web team\" until=2025-01-01 downloads",
        "public (until=2025-01-01) downloads",
        "public downloads,until=2025-01-01",
        "until=2999-01-01 downloads, until=2025-01-01",
    ] {
        let decided = bucket("# above", &format!("# gate: ignore[{RULE}] {said}")).apply();
        assert!(decided.gone().is_empty(), "{said}");
        assert_eq!(decided.said(), [format!("main.tf:1: the suppression of {RULE} ended on 2025-01-01")]);
    }
    let decided =
        bucket("# above", &format!("# gate: ignore[{RULE}] downloads by=\"web team\", until=2999-01-01")).apply();
    let one = &decided.suppressed[0];
    assert_eq!(
        (one.reason.as_str(), one.owner.as_deref(), one.until.as_deref()),
        ("downloads", Some("web team"), Some("2999-01-01"))
    );
    let decided = bucket("# above", &format!("# gate: ignore[{RULE}] downloads until=soon")).apply();
    assert_eq!(decided.said(), ["main.tf:1: `soon` is not a date, so it does not act"]);
    let decided = bucket("# above", &format!("# gate: ignore[{RULE}] until=2999-01-01 by=web")).apply();
    assert!(decided.gone().is_empty(), "options are no reason");
}

#[test]
fn what_alone_is_to_be_found_must_be_known() {
    let decided = bucket("# above", "# kics-scan enable=00000000-0000-4000-8000-000000000000").apply();
    assert!(decided.gone().is_empty());
    assert!(decided.said()[0].ends_with("does not act, since it would hide all there is"), "{:?}", decided.said());
    let both = "# kics-scan enable=38c5ee0d-7f22-4260-ab72-5073048df100,00000000-0000-4000-8000-000000000000";
    assert!(bucket("# above", both).apply().gone().is_empty());
    assert!(bucket("# above", "# kics-scan enable=").apply().gone().is_empty());
}

#[test]
fn patterns_of_trivy_mean_its_own_names() {
    for (pattern, gone) in [
        ("AVD-AWS-009*", vec!["aws-s3-public-acl"]),
        ("aws-0*", vec!["aws-s3-public-acl", "aws-s3-logging"]),
        ("aws-s3-no-public-*", vec!["aws-s3-public-acl"]),
        // Of gate's own ids and of other tools' Trivy knows nothing.
        ("aws-s3-versioni*", vec![]),
        ("ckv_*", vec![]),
    ] {
        let decided = bucket("# above", &format!("#trivy:ignore:{pattern}")).apply();
        assert_eq!(decided.gone(), gone, "{pattern}");
        let said = format!("main.tf:1: no rule or alias matches `{pattern}`");
        assert_eq!(decided.said().contains(&said), decided.gone().is_empty(), "{:?}", decided.said());
    }
}
