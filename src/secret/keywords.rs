//! The texts that the search stops at, but for those of the patterns, and what each leads to.

use super::patterns::Form;

/// What a keyword leads to.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Pattern(usize),
    Pem,
    EncodedPem,
    Putty,
    Jwt,
    Url,
    ConnectionString,
    BasicHeader,
    BearerHeader,
    Authorization,
    DockerAuth,
    Der,
    Command,
    GoAddress,
    OracleUser,
    Directive,
    Name,
}

/// Keywords of credentials that are no pattern.
pub(super) const SPECIAL: &[(&str, Target)] = &[
    ("-----BEGIN ", Target::Pem),
    ("LS0tLS1CRUdJTi", Target::EncodedPem),
    ("PuTTY-User-Key-File-", Target::Putty),
    ("eyJ", Target::Jwt),
    ("://", Target::Url),
    ("Password=", Target::ConnectionString),
    ("password=", Target::ConnectionString),
    ("PASSWORD=", Target::ConnectionString),
    ("Pwd=", Target::ConnectionString),
    ("pwd=", Target::ConnectionString),
    ("PWD=", Target::ConnectionString),
    ("Basic ", Target::BasicHeader),
    ("basic ", Target::BasicHeader),
    ("Bearer ", Target::BearerHeader),
    ("bearer ", Target::BearerHeader),
    ("\"auth\"", Target::DockerAuth),
    ("@tcp(", Target::GoAddress),
    ("jdbc:oracle:thin:", Target::OracleUser),
    ("IDENTIFIED BY ", Target::Directive),
    ("identified by ", Target::Directive),
    ("requirepass ", Target::Directive),
    ("masterauth ", Target::Directive),
    ("ConvertTo-SecureString ", Target::Directive),
    ("ConvertTo-SecureString -String ", Target::Directive),
    ("uthorization", Target::Authorization),
    ("UTHORIZATION", Target::Authorization),
    ("_PAT", Target::Name),
    ("IBADANBgkqhkiG9w0BAQEF", Target::Der),
    ("IBAAKCAQEA", Target::Der),
    ("IBAAKCAgEA", Target::Der),
    ("MIGHAgEAMBMGByqGSM49AgEG", Target::Der),
    ("MIG2AgEAMBAGByqGSM49AgEG", Target::Der),
    ("MC4CAQAwBQYDK2VwBCIEI", Target::Der),
    ("curl ", Target::Command),
    ("mysql ", Target::Command),
    ("mysqldump ", Target::Command),
    ("mysqladmin ", Target::Command),
    ("mariadb ", Target::Command),
    ("redis-cli ", Target::Command),
    ("sshpass ", Target::Command),
    ("docker login ", Target::Command),
    ("podman login ", Target::Command),
];

/// Texts one of which stands in every name of a secret.
pub(super) const NAMES: &[&str] = &["pass", "pwd", "pword", "psk", "secret", "token", "key", "credential", "_auth"];
/// Names of things are written in one of three ways; credentials as they are.
pub(super) fn spellings(keyword: &str, form: Form) -> Vec<String> {
    if form != Form::Assigned || keyword.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return vec![keyword.to_string()];
    }
    let capital = keyword[..1].to_ascii_uppercase() + &keyword[1..];
    let mut spellings = vec![keyword.to_string(), keyword.to_ascii_uppercase(), capital];
    // Some begin with a sign.
    if spellings[2] == spellings[0] {
        spellings.pop();
    }
    spellings
}
