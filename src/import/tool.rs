//! The tools whose results are imported: one name for each, and what is to be known of how they write SARIF.

/// Where the ids of a tool's rules are found in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Nowhere: the catalog has no rule of the kind.
    None,
    /// Among the aliases, as they are.
    Aliases,
    /// Among the aliases by platform and the name of the query, since the id is a number.
    Queries,
}

/// What is to be known of a tool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool {
    /// The first part of the ids of its rules.
    pub name: &'static str,
    pub names: Names,
    /// Every result has the same level, whatever the rule: it says nothing about harm.
    pub is_flat: bool,
    /// Whatever it finds is a secret.
    pub finds_secrets: bool,
    /// Columns of regions mean nothing: they are of whole lines.
    pub marks_lines: bool,
}

const fn tool(name: &'static str) -> Tool {
    Tool { name, names: Names::None, is_flat: false, finds_secrets: false, marks_lines: false }
}

/// The tools that are known by name, so that the configuration may speak of their rules where no file of theirs is imported.
const TOOLS: &[Tool] = &[
    tool("actionlint"),
    tool("bandit"),
    tool("brakeman"),
    tool("cargo-audit"),
    tool("cargo-deny"),
    Tool { names: Names::Aliases, is_flat: true, ..tool("checkov") },
    tool("clippy"),
    tool("codeql"),
    tool("eslint"),
    Tool { names: Names::Aliases, ..tool("gate") },
    Tool { finds_secrets: true, ..tool("gitleaks") },
    tool("golangci-lint"),
    tool("gosec"),
    tool("grype"),
    Tool { names: Names::Aliases, marks_lines: true, ..tool("hadolint") },
    Tool { names: Names::Queries, ..tool("kics") },
    Tool { names: Names::Aliases, ..tool("kube-linter") },
    tool("kubescape"),
    tool("njsscan"),
    tool("osv-scanner"),
    tool("poutine"),
    Tool { is_flat: true, ..tool("ruff") },
    tool("scorecard"),
    tool("semgrep"),
    tool("shellcheck"),
    tool("snyk"),
    tool("sonarqube"),
    tool("spotbugs"),
    tool("terrascan"),
    tool("tflint"),
    Tool { names: Names::Aliases, ..tool("tfsec") },
    Tool { names: Names::Aliases, marks_lines: true, ..tool("trivy") },
    Tool { finds_secrets: true, ..tool("trufflehog") },
    tool("zizmor"),
];

/// Whether rules of a tool of this name may be spoken of without a file of its results.
pub fn is_known(name: &str) -> bool {
    TOOLS.iter().any(|tool| tool.name == name)
}

/// What is known of the tool of this name.
pub(super) fn of(name: &str) -> Tool {
    TOOLS.iter().find(|tool| tool.name == name).copied().unwrap_or(tool(""))
}

/// The name of a tool as the first part of ids: lower case, words joined by `-`, editions left out. Empty when there is none.
pub(super) fn name(driver: &str) -> String {
    let lower = driver.to_lowercase();
    let words: Vec<&str> =
        lower.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let joined: String = words.join("-").chars().take(40).collect();
    // `Semgrep OSS`, `Snyk Container`, `PMD 7`: what stands first is the tool.
    let first = words.first().copied().unwrap_or("");
    match joined.as_str() {
        "open-source-vulnerabilities" => "osv-scanner".into(),
        "supply-chain-scorecard" | "openssf-scorecard" => "scorecard".into(),
        joined if is_known(joined) => joined.into(),
        _ if is_known(first) => first.into(),
        joined => joined.trim_matches('-').into(),
    }
}

/// The id of a rule in reports and in the configuration: `tool/rule`, in characters that need no quoting anywhere. A rule that
/// has its tool's name already keeps it.
pub(super) fn rule_id(tool: &str, rule: &str) -> String {
    let rule = rule.strip_prefix(tool).and_then(|rest| rest.strip_prefix('/')).unwrap_or(rule);
    let safe = |char: char| if char.is_ascii_alphanumeric() || "._/:-".contains(char) { char } else { '-' };
    let rule: String = rule.trim().chars().take(200).map(safe).collect();
    let rule = rule.trim_matches('-');
    format!("{tool}/{}", if rule.is_empty() { "result" } else { rule })
}

/// Whether two rules are one by their numbers: Ruff's `S` rules are Bandit's.
pub(super) fn is_same_rule(a: &str, b: &str) -> bool {
    let number = |id: &str| {
        let digits = id.strip_prefix("bandit/B").or_else(|| id.strip_prefix("ruff/S"))?;
        (digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_string())
    };
    a == b || number(a).is_some_and(|a| Some(a) == number(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_have_one_name_whatever_their_edition() {
        for (driver, expected) in [
            ("Bandit", "bandit"),
            ("Semgrep OSS", "semgrep"),
            ("CodeQL", "codeql"),
            ("Snyk Container", "snyk"),
            ("Our Own-Linter 2", "our-own-linter-2"),
            ("kube-linter", "kube-linter"),
            ("\u{1b}[31m", "31m"),
            ("***", ""),
        ] {
            assert_eq!(name(driver), expected, "{driver}");
        }
    }

    #[test]
    fn ids_are_safe_in_comments_and_reports() {
        assert_eq!(rule_id("bandit", "B101"), "bandit/B101");
        assert_eq!(rule_id("zizmor", "zizmor/artipacked"), "zizmor/artipacked");
        assert_eq!(rule_id("x", "a b]\n::error::"), "x/a-b--::error::");
        assert_eq!(rule_id("x", "…"), "x/result");
        assert!(rule_id("x", &"a".repeat(5_000)).len() < 300);
    }

    #[test]
    fn ruff_repeats_bandit_under_its_numbers() {
        assert!(is_same_rule("bandit/B602", "ruff/S602"));
        assert!(!is_same_rule("bandit/B602", "ruff/S603"));
        assert!(!is_same_rule("ruff/SIM102", "bandit/B102"));
    }
}
