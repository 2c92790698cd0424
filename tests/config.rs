//! `gate.yaml`: where it is found, what it may say, and how mistakes in it are told.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use gate::config::{Config, Error, FailOn, find, load};
use gate::filesystem::Disk;
use gate::finding::Severity;
use gate::rules::Catalog;
use miette::Diagnostic;
use support::tree;

fn parse(text: &str) -> Result<Config, Error> {
    Config::parse("gate.yaml", text, Path::new("/repo"), Path::new("/repo/infra"))
}

/// The message, what the label covers, and the help.
fn mistake(text: &str) -> (String, String, String) {
    let error = parse(text).unwrap_err();
    let Error::Invalid { at, .. } = &error else { panic!("{error}") };
    let label = text[at.offset()..at.offset() + at.len()].to_string();
    (error.to_string(), label, error.help().map(|help| help.to_string()).unwrap_or_default())
}

#[test]
fn every_key_is_read() {
    let config = parse(
        "\
version: 1
fail-on: high
strict: true
exclude: [examples/**, '*.gen.tf']
policies: [policy/]
select: [default, aws-s3]
ignore-rules: [CKV_AWS_18]
rules:
  aws-rds-public-access: { severity: critical, ignorable: false }
  aws-rds-encryption: { enabled: false }
ignore:
  - rule: aws-rds-public-access
    paths: [infra/lab/**]
    address: 'module.lab*.aws_db_instance.*'
    reason: a lab without data
    until: 2027-03-01
    owner: team-data
dialects: [checkov, kube-linter]
require-reason: false
accept-unread: [modules]
terraform:
  var-files: [env/prod.tfvars]
",
    )
    .unwrap();
    assert_eq!(config.fail_on, Some(FailOn::Severity(Severity::High)));
    assert!(config.strict && config.accept_unread_modules && !config.require_reason);
    assert!(config.exclude.matches(Path::new("/repo/examples/a/main.tf")));
    assert!(config.exclude.matches(Path::new("/repo/a/x.gen.tf")));
    assert!(!config.exclude.matches(Path::new("/repo/infra/examples/main.tf")));
    assert_eq!(config.policies, [Path::new("/repo/policy/")]);
    assert_eq!(config.var_files, [Path::new("/repo/env/prod.tfvars")]);
    assert_eq!(config.dialects, ["checkov", "kube-linter"]);
    let entry = &config.ignore[0];
    assert!(entry.paths.as_ref().unwrap().matches(Path::new("/repo/infra/lab/db/main.tf")));
    assert_eq!((entry.until.unwrap().to_string().as_str(), entry.line), ("2027-03-01", 12));
    assert_eq!((entry.reason.as_str(), entry.owner.as_deref()), ("a lab without data", Some("team-data")));
}

#[test]
fn an_empty_file_and_empty_keys_change_nothing() {
    for text in ["", "# nothing yet\n", "version: 1\nexclude:\nrules:\n  # none\nignore:\nterraform:\n", "fail-on:\n"] {
        let config = parse(text).unwrap();
        assert_eq!(config.fail_on, None);
        assert!(config.require_reason && !config.strict);
        assert_eq!(config.dialects.len(), gate::suppress::DIALECTS.len());
    }
    assert_eq!(parse("fail-on: none").unwrap().fail_on, Some(FailOn::Never));
}

#[test]
fn unknown_keys_and_values_name_what_was_meant() {
    let of = |text| mistake(text);
    assert_eq!(
        of("version: 1\nfail_on: high\n"),
        ("gate.yaml:2: unknown key `fail_on`".into(), "fail_on".into(), "did you mean `fail-on`?".into())
    );
    assert_eq!(
        of("rules:\n  aws-x:\n    enabled: true\n    severty: low\n"),
        ("gate.yaml:4: unknown key `severty`".into(), "severty".into(), "did you mean `severity`?".into())
    );
    let (message, _, help) = of("rules:\n  aws-x: { severity: hig }\n");
    assert_eq!((message.as_str(), help.as_str()), ("gate.yaml:2: unknown value `hig`", "did you mean `high`?"));
    let (message, _, help) = of("dialects: [terrascan]\n");
    assert_eq!(message, "gate.yaml:1: unknown value `terrascan`");
    assert!(help.starts_with("known are `checkov`, `trivy`"), "{help}");
    let (message, ..) = of("include: x.yaml\n");
    assert_eq!(message, "gate.yaml:1: unknown key `include`", "what is not there yet is not accepted");
}

#[test]
fn wrong_types_and_broken_yaml_have_a_place() {
    let (message, ..) = mistake("version: 1\nexclude: examples\n");
    assert!(message.starts_with("gate.yaml:2: ") && message.ends_with("expected a list"), "{message}");
    let (message, ..) = mistake("strict: perhaps\n");
    assert!(message.starts_with("gate.yaml:1: ") && message.ends_with("expected true or false"), "{message}");
    for (text, wanted, written) in [
        ("rules: { CKV_AWS_17: off }\n", "expected keys with values", "`{ enabled: false }`"),
        ("version: \"1\"\n", "expected a number", "without quotes"),
        ("- fail-on\n", "expected keys with values", "`version: 1`"),
    ] {
        let (message, _, help) = mistake(text);
        assert!(message.ends_with(wanted) && help.contains(written), "{message} {help}");
    }
    let (message, ..) = mistake("version: 1\nrules: [a\n");
    assert!(
        message.starts_with("gate.yaml:3: not YAML: ") || message.starts_with("gate.yaml:2: not YAML: "),
        "{message}"
    );
    assert_eq!(mistake("version: 2\n").0, "gate.yaml:1: this version of the format is not known");
    assert_eq!(mistake("- version: 1\n").0.split(':').next(), Some("gate.yaml"));
    assert_eq!(mistake("a: 1\n---\nb: 1\n").0, "gate.yaml:2: a second YAML document");
    assert_eq!(mistake("ignore:\n- reason: x\n").0, "gate.yaml:2: the key `rule` is missing");
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let (message, label, _) = mistake("rules:\n  aws-x: { severity: low }\n  aws-y: {}\n  aws-x: { enabled: false }\n");
    assert_eq!((message.as_str(), label.as_str()), ("gate.yaml:4: the key `aws-x` stands here twice", "aws-x"));
}

#[test]
fn hostile_yaml_is_refused_quickly() {
    let bomb = "a: &a [x]\nb: &b [*a, *a]\n";
    assert!(mistake(bomb).0.ends_with("an alias"));
    assert!(mistake(&"[".repeat(100_000)).0.starts_with("gate.yaml:1: "));
    assert!(mistake(&format!("{}1", "a:\n ".repeat(50))).0.starts_with("gate.yaml:"));
    assert!(parse("? [a, b]\n: 1\n").is_err());
    assert!(parse("? {a: b}\n: 1\n").is_err());
}

#[test]
fn entries_of_ignore_need_a_reason_and_a_date_that_exists() {
    let (message, label, _) = mistake("version: 1\nignore:\n  - rule: aws-x\n    until: 2027-01-01\n");
    assert_eq!((message.as_str(), label.as_str()), ("gate.yaml:3: this entry has no reason", "rule: aws-x"));
    assert!(parse("require-reason: false\nignore: [{ rule: aws-x }]\n").is_ok());
    let (message, label, help) = mistake("ignore:\n  - { rule: aws-x, reason: r, until: 2027-02-30 }\n");
    assert_eq!((message.as_str(), label.as_str()), ("gate.yaml:2: `2027-02-30` is not a date", "2027-02-30"));
    assert_eq!(help, "write it as 2027-03-01");
    let (message, label, _) = mistake("exclude: [a, 'b[']\n");
    assert!(message.starts_with("gate.yaml:1: `b[` is no pattern"), "{message}");
    assert_eq!(label, "'b['");
}

#[test]
fn paths_stay_below_the_folder_of_the_file() {
    for path in ["/etc", "../rules", "a/../../b", "''"] {
        assert!(parse(&format!("policies: [{path}]\n")).is_err(), "{path}");
        assert!(parse(&format!("terraform: {{ var-files: [{path}] }}\n")).is_err(), "{path}");
    }
    let folder = tree(&[("gate.yaml", "policies: [policy]\n")]);
    let root = folder.path().canonicalize().unwrap();
    assert!(load(&Disk, &root, None).unwrap_err().to_string().ends_with("no such file or folder"));
    fs::create_dir(root.join("policy")).unwrap();
    assert_eq!(load(&Disk, &root, None).unwrap().policies, [root.join("policy")]);
    #[cfg(unix)]
    {
        fs::remove_dir(root.join("policy")).unwrap();
        std::os::unix::fs::symlink("/etc", root.join("policy")).unwrap();
        assert!(load(&Disk, &root, None).unwrap_err().to_string().ends_with("a link that leads elsewhere"));
    }
}

#[test]
fn names_are_checked_against_the_catalog() {
    let mut catalog = Catalog::empty();
    let rule = "\
- id: acme-vpc-open
  title: Network of the company is open
  severity: high
  aliases: [ACME_1]
  targets: [{ terraform: [aws_vpc], path: open }]
  fail: { equals: true }
  why: Anyone may enter.
  fix: Close it.
  bad: |
    resource \"aws_vpc\" \"x\" {
      open = true # expect
    }
  good: |
    resource \"aws_vpc\" \"x\" {
      open = false
    }
";
    catalog.add("acme.yaml", rule).unwrap();
    let check = |text: &str| parse(text).unwrap().check(&catalog);
    assert!(check("rules: { acme_1: { enabled: false } }\nselect: [acme, default]\nignore-rules: [ACME_*]\n").is_ok());
    let error = check("version: 1\nrules:\n  acme-vpc-opem: { enabled: false }\n").unwrap_err();
    assert_eq!(error.to_string(), "gate.yaml:3: no rule or alias is called `acme-vpc-opem`");
    assert_eq!(error.help().unwrap().to_string(), "did you mean `acme-vpc-open`?");
    let error = check("ignore:\n  - { reason: r, rule: nonsense }\n").unwrap_err();
    assert_eq!(error.to_string(), "gate.yaml:2: no rule or alias is called `nonsense`");
    assert!(check("select: [nonsense]\n").is_err());
    assert!(check("rules: { acme: { enabled: false } }\n").is_err(), "settings are for single rules");

    let config = parse("rules: { ACME_1: { severity: low, ignorable: false, enabled: true } }\n").unwrap();
    assert_eq!(config.unignorable(&catalog), ["acme-vpc-open"]);
    assert_eq!(config.selection(&[], &[]).select, ["default", "ACME_1"]);
    assert_eq!(config.selection(&["all".into()], &["x".into()]).select, ["all"]);
    let off = parse("ignore-rules: [a]\nrules: { b: { enabled: false } }\n").unwrap();
    assert_eq!(off.selection(&[], &["c".into()]).ignore, ["c", "a", "b"]);
    assert!(off.selection(&[], &[]).select.is_empty());
}

#[test]
fn the_nearest_file_up_to_the_root_of_the_repository_is_used() {
    let folder = tree(&[
        ("gate.yaml", "fail-on: low\n"),
        ("repo/.git/HEAD", ""),
        ("repo/a/b/main.tf", ""),
        ("repo/c/.gate.yaml", "strict: true\nexclude: [x]\n"),
        ("repo/c/d/main.tf", ""),
        ("loose/main.tf", ""),
    ]);
    let root = folder.path().canonicalize().unwrap();
    let at = |path: &str| find(&Disk, &root.join(path)).unwrap();
    assert_eq!(at("repo/a/b"), None, "what lies above the repository is not of this project");
    assert_eq!(at("loose"), None, "without a repository only the folder itself counts");
    assert_eq!(at("repo/c/d"), Some(root.join("repo/c/.gate.yaml")));
    let config = load(&Disk, &root.join("repo/c/d"), None).unwrap();
    assert!(config.strict);
    assert!(config.exclude.matches(&root.join("repo/c/d/x/main.tf")));
    fs::write(root.join("repo/c/gate.yaml"), "").unwrap();
    assert!(find(&Disk, &root.join("repo/c")).unwrap_err().to_string().contains("is there as well"));
    assert!(
        load(&Disk, &root, Some(&root.join("nothing.yaml")))
            .unwrap_err()
            .to_string()
            .ends_with("no such file or folder")
    );
}

#[test]
fn a_named_file_elsewhere_speaks_of_the_scanned_root() {
    let folder = tree(&[("org/gate.yaml", "exclude: [examples/**]\n"), ("repo/examples/main.tf", "")]);
    let root = folder.path().canonicalize().unwrap();
    let config = load(&Disk, &root.join("repo"), Some(&root.join("org/gate.yaml"))).unwrap();
    assert!(config.exclude.matches(&root.join("repo/examples/main.tf")));
}

#[cfg(unix)]
#[test]
fn a_file_that_was_found_must_not_be_a_link() {
    let folder = tree(&[]);
    let root = folder.path().canonicalize().unwrap();
    std::os::unix::fs::symlink("/dev/zero", root.join("gate.yaml")).unwrap();
    let error = load(&Disk, &root, None).unwrap_err();
    assert!(error.to_string().ends_with("is not a regular file"), "{error}");
}
