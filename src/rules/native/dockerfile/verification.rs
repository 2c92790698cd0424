//! Certificates and signatures that are not verified.

use super::{Cx, Findings, Native, acting, each_command, locate, report};
use crate::model::dockerfile::Dockerfile;
use crate::model::shell::Command;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("docker-curl-without-verification", Native::Dockerfile(curl)),
    ("docker-wget-without-verification", Native::Dockerfile(wget)),
    ("docker-pip-trusted-host", Native::Dockerfile(pip)),
    ("docker-apk-untrusted", Native::Dockerfile(apk)),
    ("docker-apt-unauthenticated", Native::Dockerfile(apt)),
    ("docker-apt-force-yes", Native::Dockerfile(force_yes)),
    ("docker-rpm-without-gpg-check", Native::Dockerfile(gpg_check)),
    ("docker-rpm-without-signature", Native::Dockerfile(rpm)),
    ("docker-yum-without-tls-verification", Native::Dockerfile(ssl_verify)),
    ("docker-npm-without-tls-verification", Native::Dockerfile(npm)),
    ("docker-npm-env-without-tls-verification", Native::Dockerfile(npm_env)),
    ("docker-git-env-without-tls-verification", Native::Dockerfile(git_env)),
    ("docker-git-without-tls-verification", Native::Dockerfile(git)),
    ("docker-node-env-without-tls-verification", Native::Dockerfile(node_env)),
    ("docker-pip-env-trusted-host", Native::Dockerfile(pip_env)),
    ("docker-python-env-without-tls-verification", Native::Dockerfile(python_env)),
    ("docker-password-set-in-image", Native::Dockerfile(chpasswd)),
    ("docker-unverified-download", Native::Dockerfile(unverified_download)),
];

fn curl(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let is_short = |text: &str| {
            // Letters after an option that takes a value are that value: `-okey`.
            let cluster = text.strip_prefix('-').filter(|cluster| !cluster.starts_with('-')).unwrap_or("");
            let flags = cluster
                .split([
                    'o', 'd', 'H', 'X', 'u', 'A', 'e', 'F', 'T', 'w', 'x', 'C', 'm', 'b', 'c', 'r', 'E', 'K', 'D', 'Q',
                    'U', 'Y', 'y', 'z', 't',
                ])
                .next();
            flags.is_some_and(|flags| flags.contains('k'))
        };
        let off = command.has_option("", &["insecure", "proxy-insecure"])
            || command.arguments().iter().any(|word| is_short(&word.text));
        (command.name() == "curl" && off).then(|| "curl takes any certificate, wanted the CA in its trust store".into())
    });
}

fn wget(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        (command.name() == "wget" && command.has_option("", &["no-check-certificate"]))
            .then(|| "wget takes any certificate, wanted the CA in its trust store".into())
    });
}

fn pip(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let is_pip = command.name().starts_with("pip") || command.name().starts_with("python") && command.has("pip");
        (is_pip && command.has_option("", &["trusted-host"]))
            .then(|| "pip takes any certificate of this host, wanted --cert".into())
    });
}

fn apk(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        (command.name() == "apk" && command.has_option("", &["allow-untrusted"]))
            .then(|| "apk installs packages without a trusted signature, wanted their key in /etc/apk/keys".into())
    });
}

/// Whether a command of APT is given an option of its configuration: `-o Acquire::AllowInsecureRepositories=true`.
fn is_apt(command: &Command) -> bool {
    matches!(command.name(), "apt-get" | "apt" | "aptitude")
}

fn apt(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let off = command.has_option("", &["allow-unauthenticated", "allow-insecure-repositories"])
            || command.arguments().iter().any(|word| {
                let text = word.text.to_lowercase();
                ["apt::get::allowunauthenticated=", "acquire::allowinsecurerepositories="].iter().any(|name| {
                    text.split_once(name)
                        .is_some_and(|(_, value)| matches!(value.trim_matches('"'), "true" | "1" | "yes"))
                })
            });
        // deb [trusted=yes] …
        let trusts = matches!(command.name(), "echo" | "printf" | "add-apt-repository")
            && command.arguments().iter().any(|word| word.text.contains("trusted=yes"));
        (is_apt(command) && off || trusts)
            .then(|| "APT installs packages without a trusted signature, wanted the repository's key".into())
    });
}

fn force_yes(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        (is_apt(command) && command.has_option("", &["force-yes"]))
            .then(|| "--force-yes turns off the check of signatures and allows downgrades, wanted -y".into())
    });
}

const RPM_MANAGERS: &[&str] = &["yum", "dnf", "tdnf", "microdnf", "yum-builddep", "dnf5"];

fn gpg_check(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let off = command.has_option("", &["nogpgcheck", "no-gpgchecks", "no-gpg-checks"])
            || command.arguments().iter().any(|word| {
                let text = word.text.to_lowercase();
                text.contains("gpgcheck=0") || text.contains("gpgcheck=false")
            });
        let is_manager = RPM_MANAGERS.contains(&command.name()) || command.name() == "zypper";
        (is_manager && off).then(|| {
            format!("{} installs packages without a trusted signature, wanted the repository's key", command.name())
        })
    });
}

fn rpm(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let off = command.has_option("", &["nodigest", "nosignature", "noverify", "nofiledigest"]);
        (command.name() == "rpm" && off)
            .then(|| "rpm installs packages without verification, wanted their key by rpm --import".into())
    });
}

fn ssl_verify(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let off = |text: &str| {
            let text: String = text.to_lowercase().chars().filter(|char| !char.is_whitespace()).collect();
            ["sslverify=0", "sslverify=false", "sslverify=no", "sslverify=off"].iter().any(|off| text.contains(off))
        };
        let name = command.name();
        let configures =
            RPM_MANAGERS.contains(&name) || matches!(name, "yum-config-manager" | "dnf-config-manager" | "sed");
        // A line of a configuration, and no words about one.
        let writes = matches!(name, "echo" | "printf")
            && command.arguments().iter().any(|word| {
                word.text.split(['\n', '\\']).any(|line| {
                    let line = line.strip_prefix('n').unwrap_or(line).trim();
                    line.starts_with("sslverify") && off(line)
                })
            });
        (writes || configures && command.arguments().iter().any(|word| off(&word.text)))
            .then(|| "yum and dnf take any certificate, wanted the CA in their trust store".into())
    });
}

fn npm(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let words: Vec<&str> = command.arguments().iter().map(|word| word.text.trim_start_matches('-')).collect();
        let is_off = |value: &str| matches!(value, "false" | "0" | "null");
        let off = words.windows(2).any(|pair| pair[0] == "strict-ssl" && is_off(pair[1]))
            || words
                .iter()
                .any(|word| word.strip_prefix("strict-ssl=").is_some_and(is_off) || *word == "no-strict-ssl");
        (matches!(command.name(), "npm" | "yarn" | "pnpm") && off)
            .then(|| format!("{} takes any certificate, wanted cafile", command.name()))
    });
}

/// ENV, ARG and assignments in RUN that set a variable to a value that is bad.
fn sets(cx: &Cx, file: &Dockerfile, name: &str, is_bad: impl Fn(&str) -> bool, message: &str, out: &mut Findings) {
    for outer in &file.instructions {
        let instruction = acting(outer);
        let pairs = instruction.pairs();
        let by_pair = matches!(instruction.keyword, "ENV" | "ARG")
            && pairs.iter().enumerate().any(|(index, (key, value))| {
                // `ARG NAME 0` declares two arguments where one with a value was meant.
                let meant = pairs.get(index + 1).filter(|(next, _)| {
                    instruction.keyword == "ARG" && !next.text.starts_with(|first: char| first.is_ascii_uppercase())
                });
                let value = value.as_ref().or(meant.map(|(next, _)| next));
                key.text.eq_ignore_ascii_case(name)
                    && value.is_some_and(|value| is_bad(value.text.trim_matches(['"', '\''])))
            });
        let by_command = instruction.commands().iter().find(|command| {
            let assigned = command.assignments.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let exported = command.arguments().iter().filter(|_| command.name() == "export");
            let exported = exported.filter_map(|word| word.text.split_once('='));
            let given = command.words.iter().take_while(|word| word.text != command.name());
            let given = given.filter_map(|word| word.text.split_once('='));
            assigned.chain(exported).chain(given).any(|(key, value)| key.eq_ignore_ascii_case(name) && is_bad(value))
        });
        if by_pair || by_command.is_some() {
            report(cx, file, outer, message, out);
        }
        if let Some(command) = by_command.filter(|_| !by_pair) {
            locate(cx, outer, instruction, command, out);
        }
    }
}

fn npm_env(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let message = "NPM_CONFIG_STRICT_SSL makes npm take any certificate, wanted NPM_CONFIG_CAFILE";
    sets(
        cx,
        file,
        "NPM_CONFIG_STRICT_SSL",
        |value| matches!(value.to_lowercase().as_str(), "false" | "0"),
        message,
        out,
    );
}

/// `git config --global http.sslVerify false`, `git -c http.https://acme.test.sslVerify=0 clone …`.
fn git(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        let is_key = |text: &str| {
            let text = text.to_ascii_lowercase();
            text.starts_with("http.") && text.ends_with(".sslverify")
        };
        let is_off = |text: &str| matches!(text.to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off");
        let words: Vec<&str> = command.arguments().iter().map(|word| word.text.as_str()).collect();
        let sets = words.windows(2).any(|pair| is_key(pair[0]) && is_off(pair[1]));
        let passes = words.iter().any(|word| word.split_once('=').is_some_and(|(key, off)| is_key(key) && is_off(off)));
        (command.name() == "git" && (sets || passes)).then(|| "git takes any certificate, wanted http.sslCAInfo".into())
    });
}

fn git_env(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let message = "GIT_SSL_NO_VERIFY makes git take any certificate, wanted GIT_SSL_CAINFO";
    sets(cx, file, "GIT_SSL_NO_VERIFY", |value| !value.is_empty(), message, out);
}

fn node_env(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let message = "NODE_TLS_REJECT_UNAUTHORIZED makes Node.js take any certificate, wanted NODE_EXTRA_CA_CERTS";
    sets(cx, file, "NODE_TLS_REJECT_UNAUTHORIZED", |value| value == "0", message, out);
}

fn pip_env(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let message = "PIP_TRUSTED_HOST makes pip take any certificate, wanted PIP_CERT";
    sets(cx, file, "PIP_TRUSTED_HOST", |value| !value.is_empty(), message, out);
}

fn python_env(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let message = "PYTHONHTTPSVERIFY makes Python take any certificate, wanted SSL_CERT_FILE";
    sets(cx, file, "PYTHONHTTPSVERIFY", |value| value == "0", message, out);
}

fn chpasswd(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |_, command| {
        (command.name() == "chpasswd").then(|| "chpasswd sets a password in the image, wanted users without one".into())
    });
}

/// Ends of the names of what is run or unpacked.
const ARTIFACTS: &[&str] = &[
    ".tar.gz",
    ".tgz",
    ".tar.xz",
    ".tar.bz2",
    ".zip",
    ".deb",
    ".rpm",
    ".apk",
    ".jar",
    ".whl",
    ".bin",
    ".run",
    ".AppImage",
];

/// Programs that hold a file against a digest or a signature.
const VERIFIERS: &[&str] = &[
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
    "b2sum",
    "shasum",
    "gpg",
    "gpg2",
    "gpgv",
    "cosign",
    "minisign",
    "openssl",
    "signify",
    "rpmkeys",
    "slsa-verifier",
];

/// A program or archive from the network that the same RUN does not hold against anything.
fn unverified_download(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    each_command(cx, file, out, |run, command| {
        let is_download = matches!(command.name(), "curl" | "wget");
        let url = command.operands().find(|word| {
            let path = word.text.split(['?', '#']).next().unwrap_or("");
            word.text.contains("://") && ARTIFACTS.iter().any(|end| path.ends_with(end))
        });
        let is_verified = || run.run.commands().iter().any(|one| VERIFIERS.contains(&one.name()));
        let url = url.filter(|_| is_download && !is_verified())?;
        Some(format!("{} downloads {} and verifies nothing, wanted a digest or signature", command.name(), url.text))
    });
}
