//! What a builder refuses of an instruction that it knows: too few or too many arguments, and flags, kinds and ports that there
//! are not, by the reference: <https://docs.docker.com/reference/dockerfile/>. Where a variable decides, nothing is said.

use super::json;
use crate::duration::nanoseconds;
use crate::model::dockerfile::{Flag, Instruction};
use crate::problem::{Problem, ProblemKind};
use crate::source::Span;

/// The flags of each instruction that has some, those of the experimental channel included.
const FLAGS: &[(&str, &[&str])] = &[
    ("FROM", &["platform"]),
    ("RUN", &["mount", "network", "security", "device"]),
    ("COPY", &["from", "chown", "chmod", "link", "parents", "exclude"]),
    ("ADD", &["keep-git-dir", "checksum", "chown", "chmod", "link", "unpack", "exclude"]),
    ("HEALTHCHECK", &["interval", "timeout", "start-period", "start-interval", "retries"]),
];

/// Flags of RUN with the kinds that they take.
const KINDS: &[(&str, &[&str])] = &[
    ("mount", &["bind", "cache", "tmpfs", "secret", "ssh"]),
    ("network", &["default", "none", "host"]),
    ("security", &["insecure", "sandbox"]),
];

/// Where, what, and what would do.
type Refusal = (Span, String, String);

/// Why no builder takes an instruction, whose arguments are written as `text`. Only Docker's own flags are known: a file that
/// another frontend reads may have others.
pub(super) fn refused(one: &Instruction, text: &str, is_dockers: bool) -> Option<Problem> {
    let flags = one.flags.iter().filter(|_| is_dockers);
    let (at, message, help) = flags.filter_map(|flag| in_flag(one.keyword, flag)).next().or_else(|| {
        match one.keyword {
            "FROM" => in_from(one),
            // Mounts alone do something: they fill a cache.
            "RUN" if text.is_empty() && one.flags.is_empty() => lacks(one, "a command", "RUN apk add --no-cache curl"),
            "COPY" | "ADD" if one.words().len() < 2 => {
                lacks(one, "a source and a target", &format!("{} app.py /app/", one.keyword))
            }
            "ENV" | "LABEL" => in_pairs(one),
            "ARG" if text.is_empty() => lacks(one, "a name", "ARG VERSION=1.2"),
            "WORKDIR" if text.is_empty() => lacks(one, "a folder", "WORKDIR /app"),
            "USER" if text.is_empty() => lacks(one, "a user", "USER 10001"),
            "VOLUME" if text.is_empty() => lacks(one, "a folder", "VOLUME /data"),
            "STOPSIGNAL" if text.is_empty() => lacks(one, "a signal", "STOPSIGNAL SIGTERM"),
            "ONBUILD" if text.is_empty() => lacks(one, "an instruction", "ONBUILD COPY . /app"),
            "EXPOSE" if text.is_empty() => lacks(one, "a port", "EXPOSE 8080"),
            "EXPOSE" => in_ports(one),
            "SHELL" => in_shell(one, text),
            "HEALTHCHECK" => in_healthcheck(one, text),
            _ => None,
        }
    })?;
    Some(Problem::at(ProblemKind::Syntax, at, message).help(help))
}

fn lacks(one: &Instruction, what: &str, example: &str) -> Option<Refusal> {
    Some((one.keyword_span, format!("{} lacks {what}", one.keyword), format!("write it as in `{example}`")))
}

/// A written text in a message.
fn show(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    format!("`{}`", short.escape_debug())
}

fn in_flag(keyword: &str, flag: &Flag) -> Option<Refusal> {
    let (_, known) = FLAGS.iter().find(|(name, _)| *name == keyword)?;
    if !known.contains(&flag.name.as_str()) {
        let help = match crate::spelling::nearest(&flag.name, known) {
            Some(near) => format!("did you mean --{near}?"),
            None => format!("{keyword} has --{}", known.join(", --")),
        };
        return Some((flag.span, format!("{keyword} has no flag {}", show(&format!("--{}", flag.name))), help));
    }
    let value = match flag.name.as_str() {
        "mount" => flag.value.split(',').find_map(|part| part.trim_matches('"').strip_prefix("type=")).unwrap_or(""),
        _ => flag.value.as_str(),
    };
    if value.is_empty() || value.contains('$') {
        return None;
    }
    match (keyword, flag.name.as_str()) {
        ("RUN", name) => {
            let (_, kinds) = KINDS.iter().find(|(known, _)| *known == name)?;
            let is_known = kinds.iter().any(|kind| kind.eq_ignore_ascii_case(value));
            let message = format!("there is no {name} of the kind {}", show(value));
            (!is_known).then(|| (flag.span, message, format!("there are {}", kinds.join(", "))))
        }
        ("HEALTHCHECK", "retries") => {
            let message = format!("--retries={} is no number", value.escape_debug());
            value.parse::<u64>().is_err().then(|| (flag.span, message, "write --retries=3".into()))
        }
        ("HEALTHCHECK", name) => {
            let message = format!("--{name}={} is no duration", value.escape_debug());
            nanoseconds(value).is_none().then(|| (flag.span, message, format!("write a unit: --{name}=30s")))
        }
        _ => None,
    }
}

fn in_from(one: &Instruction) -> Option<Refusal> {
    let help = "write it as in `FROM alpine:3.20 AS build`";
    match one.words()[..] {
        [] => lacks(one, "an image", "FROM alpine:3.20 AS build"),
        [_] => None,
        [_, word, name] if word.text.eq_ignore_ascii_case("as") => {
            let begins = name.text.starts_with(|first: char| first.is_ascii_alphabetic());
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            let message = format!("{} cannot name a stage", show(&name.text));
            let help = "a name begins with a letter and has letters, digits, hyphens, underscores and dots";
            (!begins || !name.text.bytes().all(fits)).then(|| (name.span, message, help.into()))
        }
        [_, word] if word.text.eq_ignore_ascii_case("as") => {
            Some((word.span, "FROM lacks the name of the stage after AS".into(), help.into()))
        }
        [_, word, ..] if word.text.starts_with('#') => {
            let message = "FROM takes a comment in its line for arguments";
            Some((word.span, message.into(), "write the comment on a line of its own".into()))
        }
        [_, word, ..] => {
            Some((word.span, "FROM takes one image, and a name for the stage after AS".into(), help.into()))
        }
    }
}

fn in_pairs(one: &Instruction) -> Option<Refusal> {
    let keyword = one.keyword;
    let help = format!("write it as in `{keyword} name=value`");
    match one.pairs() {
        [] => lacks(one, "a name and a value", &format!("{keyword} name=value")),
        [(name, None)] => Some((name.span, format!("{keyword} {} has no value", show(&name.text)), help)),
        pairs => pairs.iter().find_map(|(name, value)| match value {
            None if name.text.starts_with('#') => {
                let message = format!("{keyword} takes a comment in its line for names without a value");
                Some((name.span, message, "write the comment on a line of its own".into()))
            }
            None => Some((name.span, format!("{} has no value in this {keyword}", show(&name.text)), help.clone())),
            Some(_) if name.text.is_empty() => {
                Some((one.keyword_span, format!("{keyword} has a value without a name"), help.clone()))
            }
            Some(_) => None,
        }),
    }
}

fn in_ports(one: &Instruction) -> Option<Refusal> {
    one.words().into_iter().find_map(|word| {
        let text = word.text.trim_matches(['"', '\'']);
        let (ports, protocol) = text.split_once('/').unwrap_or((text, ""));
        let ports = ports.rsplit(':').next().unwrap_or(ports);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_port = is_number(ports) || ports.split_once('-').is_some_and(|(a, b)| is_number(a) && is_number(b));
        let is_protocol = ["", "tcp", "udp", "sctp"].iter().any(|known| protocol.eq_ignore_ascii_case(known));
        let help = match text.starts_with('#') {
            true => "write the comment on a line of its own",
            false => "write a number with or without a protocol: 8080, 53/udp, 9000-9010",
        };
        let is_open = text.contains('$');
        (!(is_open || is_port && is_protocol))
            .then(|| (word.span, format!("{} is no port", show(text)), help.to_string()))
    })
}

fn in_shell(one: &Instruction, text: &str) -> Option<Refusal> {
    // What follows the list is ignored.
    let is_list = json::leading_texts(text).is_some_and(|list| !list.is_empty());
    let message = "SHELL takes a JSON list and nothing else";
    (!is_list).then(|| (one.keyword_span, message.into(), "write it as in `SHELL [\"/bin/bash\", \"-c\"]`".into()))
}

fn in_healthcheck(one: &Instruction, text: &str) -> Option<Refusal> {
    let mut words = text.split_whitespace();
    let (kind, next) = (words.next().unwrap_or("").to_ascii_uppercase(), words.next());
    let help = "write it as in `HEALTHCHECK CMD [\"/app\", \"--check\"]` or `HEALTHCHECK NONE`";
    let refuse = |message: String| Some((one.keyword_span, message, help.to_string()));
    match (kind.as_str(), next) {
        ("", _) => refuse("HEALTHCHECK lacks CMD or NONE".into()),
        ("CMD", None) => refuse("HEALTHCHECK CMD lacks a command".into()),
        ("NONE", Some(_)) => refuse("HEALTHCHECK NONE takes no arguments".into()),
        ("CMD" | "NONE", _) => None,
        _ => {
            refuse(format!("HEALTHCHECK takes CMD or NONE, not {}", show(text.split_whitespace().next().unwrap_or(""))))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::frontend::dockerfile::read;
    use crate::source::{FileId, Source};

    fn problems(text: &str) -> Vec<String> {
        let parsed = read(FileId(0), &Source::new("Dockerfile", text));
        assert!(parsed.problems.iter().all(|one| one.span.is_some() && one.help.is_some()), "{:?}", parsed.problems);
        parsed.problems.into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn what_no_builder_takes_is_told_and_the_rest_is_read() {
        for (line, wanted) in [
            ("FROM", "FROM lacks an image"),
            ("FROM a b c", "FROM takes one image, and a name for the stage after AS"),
            ("FROM a AS", "FROM lacks the name of the stage after AS"),
            ("FROM a AS 1st", "`1st` cannot name a stage"),
            ("FROM a # why", "FROM takes a comment in its line for arguments"),
            ("FROM --bogus=1 alpine:3", "FROM has no flag `--bogus`"),
            ("RUN", "RUN lacks a command"),
            ("RUN --mount=type=foo true", "there is no mount of the kind `foo`"),
            ("RUN --network=foo true", "there is no network of the kind `foo`"),
            ("COPY a", "COPY lacks a source and a target"),
            ("COPY [\"a\"]", "COPY lacks a source and a target"),
            ("ONBUILD ADD a", "ADD lacks a source and a target"),
            ("COPY --bogus=1 a /b", "COPY has no flag `--bogus`"),
            ("ENV", "ENV lacks a name and a value"),
            ("ENV A", "ENV `A` has no value"),
            ("ENV A=b c", "`c` has no value in this ENV"),
            ("ENV A=b # why", "ENV takes a comment in its line for names without a value"),
            ("ENV =b", "ENV has a value without a name"),
            ("LABEL", "LABEL lacks a name and a value"),
            ("LABEL a", "LABEL `a` has no value"),
            ("ARG", "ARG lacks a name"),
            ("EXPOSE", "EXPOSE lacks a port"),
            ("EXPOSE abc", "`abc` is no port"),
            ("EXPOSE 80 # why", "`#` is no port"),
            ("EXPOSE 80/http", "`80/http` is no port"),
            ("WORKDIR", "WORKDIR lacks a folder"),
            ("VOLUME", "VOLUME lacks a folder"),
            ("USER", "USER lacks a user"),
            ("STOPSIGNAL", "STOPSIGNAL lacks a signal"),
            ("ONBUILD", "ONBUILD lacks an instruction"),
            ("SHELL bash", "SHELL takes a JSON list and nothing else"),
            ("SHELL []", "SHELL takes a JSON list and nothing else"),
            ("HEALTHCHECK", "HEALTHCHECK lacks CMD or NONE"),
            ("HEALTHCHECK FOO", "HEALTHCHECK takes CMD or NONE, not `FOO`"),
            ("HEALTHCHECK [\"CMD\", \"x\"]", "HEALTHCHECK takes CMD or NONE, not `[\\\"CMD\\\",`"),
            ("HEALTHCHECK CMD", "HEALTHCHECK CMD lacks a command"),
            ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"),
            ("HEALTHCHECK --bogus=3 CMD true", "HEALTHCHECK has no flag `--bogus`"),
            ("HEALTHCHECK --interval=30 CMD true", "--interval=30 is no duration"),
            ("HEALTHCHECK --retries=three CMD true", "--retries=three is no number"),
        ] {
            assert_eq!(problems(&format!("FROM alpine:3.20\n{line}\nUSER 1000\n")), [wanted], "{line}");
        }
        let parsed = read(FileId(0), &Source::new("Dockerfile", "FROM alpine:3.20\nCOPY a\nUSER 1000\n"));
        assert_eq!(parsed.dockerfiles[0].instructions.len(), 3);
        assert_eq!(parsed.problems[0].help.as_deref(), Some("write it as in `COPY app.py /app/`"));
    }

    #[test]
    fn what_builders_take_is_not_told() {
        for line in [
            "CMD",
            "ENTRYPOINT",
            "CMD []",
            "RUN --mount=type=cache,target=/var/cache/apk",
            "RUN --mount=type=$KIND --network=${NETWORK} --security=insecure --device=vendor.com/gpu true",
            "RUN --mount=target=/src,rw true",
            "COPY --parents --exclude=*.md --link --chmod=0755 --from=build a b /c/",
            "COPY <<EOF /etc/motd\nhello\nEOF",
            "ADD --checksum=sha256:1 --keep-git-dir=true --unpack=false https://acme.test/a /b",
            "ENV A=b C='d e' \"F\"=g",
            "ENV A b c",
            "ENV A=\"${B:-a b}\"",
            "LABEL \"a b\"=\"c\" d=e\\ f",
            "ARG A B=c",
            "EXPOSE 80 53/UDP 9000-9010 ${PORT} $PORT/tcp 127.0.0.1:8080:80 \"443\"",
            "SHELL [\"/bin/bash\", \"-c\"] # ignored",
            "HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=0 --start-interval=500ms --retries=3 CMD true",
            "healthcheck cmd [\"/app\"]",
            "HEALTHCHECK NONE",
            "FROM --platform=$BUILDPLATFORM ${BASE} as Build-1.x_y",
        ] {
            assert_eq!(problems(&format!("FROM alpine:3.20\n{line}\nUSER 1000\n")), [""; 0], "{line}");
        }
        let other = "# syntax=acme.test/frontend:1\nFROM alpine:3.20\nCOPY --bogus a /b\n";
        let built = "is built by acme.test/frontend:1, which may read it as it likes; judged as Docker itself would";
        assert_eq!(problems(other), [built], "a note, and no word of what Docker's own would refuse");
    }
}
