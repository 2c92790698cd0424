//! The long names of tfsec and Trivy, `aws-s3-enable-versioning`: a provider, a service and a check. They are names of their ids
//! (`AWS-0090`), by which gate's rules know them, and not aliases: patterns such as `aws-s3*` speak of gate's own ids. So are the
//! UUIDs by which KICS names its queries, which gate knows by where they lie.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

/// A name and its ids on each line, sorted; a name that has changed stands there in all its forms.
const TABLE: &str = include_str!("long_names.txt");

/// The id of a query of KICS, from its `metadata.json`, and its folder below `assets/queries` on each line, sorted.
const QUERIES: &str = include_str!("kics_ids.txt");

fn queries() -> impl Iterator<Item = (&'static str, &'static str)> {
    QUERIES.lines().filter_map(|line| line.split_once(' '))
}

fn rows() -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str>)> {
    TABLE.lines().filter_map(|line| line.split_once(' ')).map(|(name, ids)| (name, ids.split(' ')))
}

/// Whether that is the long name, in lower case, of a check that gate may not have.
pub(crate) fn is_one(name: &str) -> bool {
    static NAMES: LazyLock<FxHashSet<&str>> = LazyLock::new(|| rows().map(|(name, _)| name).collect());
    NAMES.contains(name)
}

/// One spelling for all that tools accept: lower case, without trivy's older prefix, its Kubernetes and Docker ids in their
/// later form (`KSV012` is `KSV-0012`).
pub(crate) fn normal_name(name: &str) -> String {
    let lower = name.to_lowercase();
    let name = lower.strip_prefix("avd-").unwrap_or(&lower);
    for family in ["ksv", "ds"] {
        let number = name.strip_prefix(family).map(|rest| rest.trim_start_matches('-'));
        if let Some(number) = number.and_then(|digits| digits.parse::<u32>().ok()) {
            return format!("{family}-{number:04}");
        }
    }
    name.to_string()
}

/// The rules of each long name, from those of names in lower case; names that are taken are left out.
pub(crate) fn rules(by_name: &FxHashMap<String, Vec<usize>>) -> FxHashMap<String, Vec<usize>> {
    let of = |id: &str| {
        let id = id.to_lowercase();
        by_name.get(&id).or_else(|| by_name.get(&format!("avd-{id}"))).cloned().unwrap_or_default()
    };
    let mut long = FxHashMap::default();
    for (name, ids) in rows().filter(|(name, _)| !by_name.contains_key(*name)) {
        let mut rules: Vec<usize> = ids.flat_map(of).collect();
        rules.sort_unstable();
        rules.dedup();
        if !rules.is_empty() {
            long.insert(name.to_string(), rules);
        }
    }
    let known = |(id, query): (&str, &str)| Some((id.to_string(), by_name.get(&query.to_lowercase())?.clone()));
    long.extend(queries().filter_map(known));
    long
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Catalog;

    #[test]
    fn each_stands_once_in_order_and_is_no_rule_of_gates() {
        let names: Vec<&str> = rows().map(|(name, _)| name).collect();
        assert!(names.is_sorted() && names.windows(2).all(|two| two[0] != two[1]));
        let queries: Vec<&str> = queries().map(|(id, _)| id).collect();
        assert!(queries.is_sorted() && queries.windows(2).all(|two| two[0] != two[1]));
        let catalog = Catalog::built_in();
        let own: Vec<&str> =
            catalog.rules().iter().map(|rule| rule.id.as_str()).filter(|id| names.contains(id)).collect();
        assert_eq!(own, Vec::<&str>::new(), "a name with two meanings");
    }

    #[test]
    fn names_of_all_spellings_are_one() {
        assert_eq!(normal_name("AVD-AWS-0180"), normal_name("aws-0180"));
        for name in ["KSV012", "KSV-0012", "AVD-KSV-0012", "ksv-12"] {
            assert_eq!(normal_name(name), "ksv-0012");
        }
        assert_eq!(normal_name("DS002"), "ds-0002");
        assert_eq!(normal_name("CKV_AWS_17"), "ckv_aws_17");
    }

    #[test]
    fn all_spellings_name_the_rules_of_their_ids() {
        let catalog = Catalog::built_in();
        for (long, id) in [
            ("aws-s3-enable-versioning", "AWS-0090"),
            ("aws-ec2-no-public-ingress-sgr", "AVD-AWS-0107"),
            ("aws-vpc-no-public-ingress-sgr", "AVD-AWS-0107"),
            ("aws-s3-enable-bucket-logging", "AWS-0089"),
            ("AWS-S3-Enable-Logging", "AWS-0089"),
            ("kubernetes-no-impersonate-privileged-groups", "KSV-0043"),
            ("DS002", "AVD-DS-0002"),
            ("KSV012", "KSV-0012"),
            ("AWS-0089", "AVD-AWS-0089"),
            ("DD29336B-FE57-445B-A26E-E6AA867AE609", "k8s/container_is_privileged"),
        ] {
            assert!(!catalog.named(id).is_empty(), "{id}");
            assert_eq!(catalog.named(long), catalog.named(id), "{long}");
        }
        // A pattern means gate's ids.
        let means = |token: &str| catalog.matching(token).expect("rules").len();
        assert_eq!(means("aws-s3*"), means("aws-s3"));
    }
}
