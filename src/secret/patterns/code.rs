//! Code hosting, package registries, builds and development tools.

use super::{Pattern, assigned, token};

const UUID: &str = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

pub(in crate::secret) const PATTERNS: &[Pattern] = &[
    token("GitHub token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "gh[pousr]_[A-Za-z0-9]{36,255}"),
    token("GitHub fine-grained token", &["github_pat_"], "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    token("GitLab personal access token", &["glpat-"], "glpat-[A-Za-z0-9_-]{20,300}(?:\\.[0-9a-z]{2}\\.[0-9a-z]{9})?"),
    token("GitLab deploy token", &["gldt-"], "gldt-[A-Za-z0-9_-]{20,64}"),
    token("GitLab runner token", &["glrt-", "glrtr-"], "glrtr?-[A-Za-z0-9_.-]{20,64}"),
    token("GitLab runner registration token", &["GR1348941"], "GR1348941[A-Za-z0-9_-]{20}"),
    token("GitLab CI job token", &["glcbt-"], "glcbt-(?:[A-Za-z0-9]{1,8}_)?[A-Za-z0-9_-]{20,64}"),
    token("GitLab trigger token", &["glptt-"], "glptt-[0-9a-f]{40}"),
    token(
        "GitLab token",
        &["glft-", "glimt-", "glagent-", "gloas-", "glsoat-", "glffct-", "glwt-"],
        "gl(?:ft|imt|agent|oas|soat|ffct|wt)-[A-Za-z0-9_-]{20,64}",
    ),
    token("Bitbucket app password", &["ATBB"], "ATBB[A-Za-z0-9]{32}"),
    token("Atlassian API token", &["ATATT3"], "ATATT3[A-Za-z0-9_=-]{170,220}"),
    token("Bitbucket access token", &["ATCTT3"], "ATCTT3[A-Za-z0-9_=-]{170,220}"),
    assigned("Atlassian API token", &["jira", "confluence", "atlassian"], "[A-Za-z0-9]{24}").entropy(3.5),
    assigned("Gitea token", &["gitea", "forgejo"], "[0-9a-f]{40}"),
    // Builds.
    token("CircleCI token", &["CCIPAT_", "CCIPRJ_"], "CCIP(?:AT|RJ)_[A-Za-z0-9]{20,24}_[0-9a-f]{40}"),
    assigned("CircleCI token", &["circle"], "[0-9a-f]{40}"),
    token("Buildkite token", &["bkua_", "bkct_", "bkat_"], "bk(?:ua|ct|at)_[A-Za-z0-9]{40,64}"),
    assigned("Travis CI token", &["travis"], "[A-Za-z0-9_-]{22}").entropy(3.5),
    assigned("Drone token", &["drone_"], "[A-Za-z0-9]{32}"),
    assigned("Jenkins API token", &["jenkins"], "11[0-9a-f]{32}"),
    token("Harness token", &["pat.", "sat."], "[ps]at\\.[A-Za-z0-9_-]{22}\\.[0-9a-f]{24}\\.[A-Za-z0-9]{20}"),
    token("Octopus Deploy API key", &["API-"], "API-[A-Z0-9]{26,32}"),
    assigned("Codecov token", &["codecov"], UUID),
    assigned("Snyk token", &["snyk"], UUID),
    token("Snyk token", &["snyk_uat.", "snyk_sat."], "snyk_[us]at\\.[A-Za-z0-9]{8}\\.[A-Za-z0-9_.-]{40,800}"),
    token("SonarQube token", &["sqp_", "squ_", "sqa_"], "sq[pua]_[0-9a-f]{40}"),
    assigned("SonarQube token", &["sonar"], "[0-9a-f]{40}"),
    // Registries.
    token("npm token", &["npm_"], "npm_[A-Za-z0-9]{36}"),
    token("npm token", &["_authToken="], "_authToken=[\"']?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"),
    token(
        "PyPI token",
        &["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBp"],
        "pypi-(?:AgEIcHlwaS5vcmc|AgENdGVzdC5weXBp)[A-Za-z0-9_-]{50,300}",
    ),
    token("RubyGems token", &["rubygems_"], "rubygems_[0-9a-f]{48}"),
    token("crates.io token", &["cio"], "cio[A-Za-z0-9]{32}").entropy(3.5).check(|text| {
        text.bytes().any(|byte| byte.is_ascii_uppercase()) && text.bytes().any(|byte| byte.is_ascii_digit())
    }),
    token("NuGet API key", &["oy2"], "oy2[a-z0-9]{43}"),
    token("Docker Hub token", &["dckr_pat_", "dckr_oat_"], "dckr_[po]at_[A-Za-z0-9_-]{27,36}"),
    token("Artifactory API key", &["AKCp"], "AKCp[A-Za-z0-9]{60,75}"),
    token("Artifactory reference token", &["cmVmdGtuOj"], "cmVmdGtuOj[A-Za-z0-9]{54}"),
    assigned("Artifactory password", &["artifactory"], "AP[A-Za-z0-9]{10,60}"),
    token("Clojars token", &["CLOJARS_"], "CLOJARS_[a-z0-9]{60}"),
    // Development tools.
    token("Sentry token", &["sntrys_eyJ", "sntryu_"], "sntry(?:s_eyJ[A-Za-z0-9+/=_-]{80,400}|u_[0-9a-f]{64})"),
    token("Sourcegraph token", &["sgp_"], "sgp_(?:(?:[0-9a-f]{16}|local)_)?[0-9a-f]{40}"),
    token("Postman API key", &["PMAK-"], "PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    token("ReadMe API key", &["rdme_"], "rdme_[a-z0-9]{70}"),
    token("Prefect API key", &["pnu_", "pnb_"], "pn[ub]_[A-Za-z0-9]{36}"),
    assigned(
        "LaunchDarkly key",
        &["launchdarkly", "launch_darkly"],
        "(?:api|sdk|mob)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    token("Figma token", &["figd_", "figu_"], "fig[du]_[A-Za-z0-9_-]{40,60}"),
    token("Linear API key", &["lin_api_", "lin_oauth_"], "lin_(?:api|oauth)_[A-Za-z0-9]{40,64}"),
    token("Notion token", &["ntn_", "secret_"], "(?:ntn_[A-Za-z0-9]{46}|secret_[A-Za-z0-9]{43})").entropy(4.0),
    assigned("Airtable token", &["airtable"], "(?:pat[A-Za-z0-9]{14}\\.[0-9a-f]{64}|key[A-Za-z0-9]{14})"),
    assigned("Asana token", &["asana"], "(?:[0-9]/[0-9]{16}(?:/[0-9]{16})?:[0-9a-f]{32}|[0-9a-f]{32})"),
    assigned("Trello token", &["trello"], "(?:ATTA[0-9a-f]{72}|[0-9a-f]{64})"),
    token("Contentful token", &["CFPAT-"], "CFPAT-[A-Za-z0-9_-]{43}"),
    token("ClickUp token", &["pk_"], "pk_[0-9]{6,10}_[A-Z0-9]{32}"),
    token("Adobe client secret", &["p8e-"], "p8e-[A-Za-z0-9]{32}").entropy(3.5),
    token("Infracost key", &["ico-"], "ico-[A-Za-z0-9]{32}")
        .entropy(3.5)
        .check(|text| text.bytes().any(|byte| byte.is_ascii_digit())),
    token("SettleMint token", &["sm_pat_", "sm_aat_", "sm_sat_"], "sm_[pas]at_[A-Za-z0-9]{16}"),
    token("Typeform token", &["tfp_"], "tfp_[A-Za-z0-9_-]{40,60}"),
    token("Frame.io token", &["fio-u-"], "fio-u-[A-Za-z0-9_=-]{64}"),
    token("Retool token", &["retool_"], "retool_[A-Za-z0-9]{22,40}").uncertain(),
    token("Dropbox token", &["sl."], "sl\\.(?:u\\.)?[A-Za-z0-9_-]{130,1500}"),
    assigned("Rapid API key", &["rapidapi", "x-rapidapi"], "[0-9a-f]{10}msh[0-9a-f]{15}p1[0-9a-f]{5}jsn[0-9a-f]{12}"),
];
