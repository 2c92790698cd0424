//! What BuildKit's own build checks tell: <https://docs.docker.com/reference/build-checks/>.

use rustc_hash::FxHashMap;

use super::{Cx, Findings, Native, in_stage, of_keyword, references, report};
use crate::model::dockerfile::{Dockerfile, Instruction, Stage};
use crate::model::dockerignore::Dockerignore;
use crate::model::image::Image;
use crate::source::Span;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("docker-stage-name-casing", Native::Dockerfile(stage_casing)),
    ("docker-from-as-casing", Native::Dockerfile(as_casing)),
    ("docker-keyword-casing", Native::Dockerfile(keyword_casing)),
    ("docker-empty-continuation", Native::Dockerfile(empty_continuation)),
    ("docker-legacy-key-value", Native::Dockerfile(legacy_pairs)),
    ("docker-undefined-arg-in-from", Native::Dockerfile(undefined_argument)),
    ("docker-invalid-default-arg-in-from", Native::Dockerfile(invalid_default)),
    ("docker-undefined-variable", Native::Dockerfile(undefined_variable)),
    ("docker-expose-protocol-casing", Native::Dockerfile(expose_casing)),
    ("docker-expose-with-host", Native::Dockerfile(expose_host)),
    ("docker-undescriptive-comment", Native::Dockerfile(description)),
    ("docker-ignored-file-copied", Native::Dockerfile(ignored_copy)),
    ("docker-base-image-of-other-platform", Native::Dockerfile(other_platform)),
];

fn has_upper(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

fn stage_casing(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for from in of_keyword(file, "FROM") {
        if let [_, _, name, ..] = from.words()[..]
            && has_upper(&name.text)
        {
            report(cx, file, from, format!("stage name {:?} has upper case, wanted lower case", name.text), out);
        }
    }
}

fn as_casing(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for from in of_keyword(file, "FROM") {
        let written = cx.sources.slice(from.keyword_span);
        let wanted = match written {
            _ if !written.chars().any(char::is_lowercase) => "AS",
            _ if !has_upper(written) => "as",
            // Mixed case is told by the rule about keywords.
            _ => continue,
        };
        if let [_, word, ..] = from.words()[..]
            && word.text.eq_ignore_ascii_case("as")
            && word.text != wanted
        {
            report(cx, file, from, format!("{} and {} differ in case, wanted {wanted}", written, word.text), out);
        }
    }
}

fn keyword_casing(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let written = |one: &Instruction| cx.sources.slice(one.keyword_span).to_string();
    let lower = file.instructions.iter().filter(|one| !has_upper(&written(one))).count();
    let upper = file.instructions.iter().filter(|one| written(one) == one.keyword).count();
    for one in &file.instructions {
        let text = written(one);
        let wanted = if lower > upper { one.keyword.to_lowercase() } else { one.keyword.to_string() };
        if text != wanted {
            report(cx, file, one, format!("{text} is not in the case of the file, wanted {wanted}"), out);
        }
    }
}

fn empty_continuation(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let mut last = None;
    let mut instructions = file.instructions.iter().peekable();
    for blank in &file.blank_lines {
        while instructions.next_if(|one| one.span.end <= blank.start).is_some() {}
        let holder = instructions.peek().filter(|one| one.span.start <= blank.start);
        if let Some(one) = holder.filter(|one| last != Some(one.span)) {
            last = Some(one.span);
            let message = format!("a blank line stands inside {}, wanted it to end or go on without", one.keyword);
            out.at(cx.sources.get(file.file).first_line(*blank), one.keyword.to_lowercase(), message);
        }
    }
}

fn legacy_pairs(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for one in file.instructions.iter().filter(|one| matches!(one.keyword, "ENV" | "LABEL")) {
        if let [(name, Some(value))] = one.pairs()
            && !cx.sources.slice(Span { end: value.span.start, ..name.span }).contains('=')
        {
            report(cx, file, one, format!("{} {} has no =, wanted name=value", one.keyword, name.text), out);
        }
    }
}

/// Arguments that BuildKit sets itself for every FROM. A stage knows them only if it declares them.
const PREDEFINED: &[&str] = &[
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
];

fn global_argument<'f>(file: &'f Dockerfile, name: &str) -> Option<Option<&'f str>> {
    let top = file.stages.first().map_or(0, |stage| stage.instructions.start);
    let mut pairs = file.instructions[..top].iter().filter(|one| one.keyword == "ARG").flat_map(|one| one.pairs());
    pairs.rfind(|(key, _)| key.text == name).map(|(_, value)| value.as_ref().map(|value| value.text.as_str()))
}

fn undefined_argument(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for from in of_keyword(file, "FROM") {
        let base = from.words().first().map_or("", |word| word.text.as_str());
        let platform = from.flag("platform").map_or("", |flag| flag.value.as_str());
        let undefined = [base, platform].into_iter().flat_map(references).find(|(name, after)| {
            !PREDEFINED.contains(name) && global_argument(file, name).is_none() && !after.contains('-')
        });
        if let Some((name, _)) = undefined {
            report(cx, file, from, format!("FROM uses {name}, which no ARG before the first FROM declares"), out);
        }
    }
}

fn invalid_default(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in &file.stages {
        let Some(base) = stage.written_base.as_ref().filter(|base| base.text.contains('$')) else { continue };
        let names = references(&base.text);
        let all_declared = names.iter().all(|(name, _)| global_argument(file, name).is_some());
        let filled = fill(file, &base.text);
        // A file whose arguments all have defaults is to be built without any.
        if all_declared && !names.is_empty() && Image::parse(&filled).is_none_or(|image| !is_reference(&image)) {
            let at = cx.sources.get(file.file).first_line(stage.head);
            out.at(at, "from", format!("with the defaults of its arguments the base is {filled:?}, which is no image"));
        }
    }
}

/// The text with arguments replaced by their defaults, and by nothing where they have none.
fn fill(file: &Dockerfile, text: &str) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (inner, is_braced) = rest.strip_prefix('{').map_or((rest, false), |inner| (inner, true));
        let width = inner.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(inner.len());
        let value = global_argument(file, &inner[..width]).flatten().unwrap_or("");
        let after = &inner[width..];
        let (operation, after) = if is_braced { after.split_once('}').unwrap_or((after, "")) } else { ("", after) };
        let default = operation.trim_start_matches(':');
        match default.chars().next() {
            Some('-') if value.is_empty() => filled.push_str(&default[1..]),
            Some('+') if !value.is_empty() => filled.push_str(&default[1..]),
            Some('+') => {}
            _ => filled.push_str(value),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn is_reference(image: &Image<'_>) -> bool {
    let is_part = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let repository = image.repository.split('/').all(|part| is_part(part) && !has_upper(part));
    repository && image.tag.is_none_or(is_part) && image.digest.is_none_or(|digest| !digest.is_empty())
}

/// Whether all that a stage inherits is in the file: then every variable must be too.
fn is_closed(file: &Dockerfile, stage: &Stage) -> bool {
    file.lineage(stage).last().and_then(|root| root.base.as_ref()).is_some_and(|base| base.text == "scratch")
}

/// What every stage knows without a declaration, in capitals.
const EVERYWHERE: &[&str] = &["PATH", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

fn undefined_variable(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    const EXPANDED: &[&str] = &["ADD", "COPY", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"];
    for stage in &file.stages {
        let is_closed = is_closed(file, stage);
        for index in stage.instructions.clone() {
            let one = &file.instructions[index];
            if !EXPANDED.contains(&one.keyword) {
                continue;
            }
            let names = one.words().into_iter().filter(|word| !cx.sources.slice(word.span).starts_with('\''));
            let own: Vec<&str> = one.pairs().iter().map(|(key, _)| key.text.as_str()).collect();
            let undefined = names.flat_map(|word| references(&word.text)).find(|(name, after)| {
                // What stands above the first FROM is for FROM alone.
                let is_declared = || file.declared.contains(*name) && in_stage(file, stage, index, name).is_some();
                // A base image may set what the file does not, but none sets what BuildKit does.
                let may_tell = is_closed || PREDEFINED.contains(name);
                let is_set = own.contains(name) || EVERYWHERE.contains(&name.to_ascii_uppercase().as_str());
                may_tell && !after.contains('-') && !is_set && !is_declared()
            });
            if let Some((name, _)) = undefined {
                let lack = match PREDEFINED.contains(&name) || global_argument(file, name).is_some() {
                    true => format!("which is known to FROM alone, wanted ARG {name} in the stage"),
                    false => "which no ARG or ENV declares".into(),
                };
                report(cx, file, one, format!("{} uses {name}, {lack}", one.keyword), out);
            }
        }
    }
}

fn expose_casing(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for expose in of_keyword(file, "EXPOSE") {
        let is_upper = |text: &str| {
            text.split_once('/').is_some_and(|(_, protocol)| has_upper(protocol) && !protocol.contains('$'))
        };
        if let Some(word) = expose.words().into_iter().find(|word| is_upper(&word.text)) {
            report(
                cx,
                file,
                expose,
                format!("EXPOSE {} has upper case, wanted {}", word.text, word.text.to_lowercase()),
                out,
            );
        }
    }
}

fn expose_host(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for expose in of_keyword(file, "EXPOSE") {
        if let Some(word) = expose.words().into_iter().find(|word| word.text.contains(':') && !word.text.contains('$'))
        {
            report(
                cx,
                file,
                expose,
                format!("EXPOSE {} names a host port, wanted the container's port alone", word.text),
                out,
            );
        }
    }
}

fn description(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let source = cx.sources.get(file.file);
    // Directives are no comments, and an empty one ends what stands above it.
    let is_directive = |line: u32| {
        let mut known = file.directives.iter().filter(|one| matches!(one.name.as_str(), "syntax" | "escape" | "check"));
        known.any(|one| source.line(one.span.start) == line)
    };
    let text = |comment: Span| cx.sources.slice(comment).trim_start_matches('#').trim();
    let comments = file.comments.iter().map(|comment| (source.line(comment.start), *comment));
    let comments: FxHashMap<u32, Span> =
        comments.filter(|(line, comment)| !text(*comment).is_empty() && !is_directive(*line)).collect();
    for one in file.instructions.iter().filter(|one| matches!(one.keyword, "ARG" | "FROM")) {
        let name = match one.keyword {
            "ARG" => one.pairs().first().map(|(key, _)| key.text.clone()),
            _ => match one.words()[..] {
                [_, _, name, ..] => Some(name.text.clone()),
                _ => None,
            },
        };
        let Some(name) = name else { continue };
        let line = source.line(one.span.start);
        // Of several lines of comments any may be the description.
        let above: Vec<Span> = (1..line).rev().map_while(|line| comments.get(&line).copied()).collect();
        let begins = |comment: &Span| {
            let rest = text(*comment).strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.starts_with([' ', ':']) || rest.is_empty())
        };
        if !above.is_empty() && !above.iter().any(begins) {
            let message = format!("the comment above does not begin with {name}, so that it describes nothing");
            report(cx, file, one, message, out);
        }
    }
}

/// The ignore file of a build: the Dockerfile's own, or that of the context, which is the Dockerfile's folder unless Compose says
/// otherwise.
fn ignore_file<'a>(cx: &Cx<'a>, file: &Dockerfile) -> Option<&'a Dockerignore> {
    let path = cx.sources.get(file.file).path();
    let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let own = format!("{path}.dockerignore");
    let of_path = |path: &str| cx.model.dockerignores.iter().find(|one| cx.sources.get(one.file).path() == path);
    let index = cx.model.dockerfiles.iter().position(|one| std::ptr::eq(&**one, file))?;
    let folder = match cx.model.builds().contexts(index) {
        [] => folder,
        [first, rest @ ..] if rest.iter().all(|one| one == first) && first.is_empty() => String::new(),
        [first, rest @ ..] if rest.iter().all(|one| one == first) => format!("{first}/"),
        // What one of several contexts leaves out another may hold.
        _ => return of_path(&own),
    };
    of_path(&own).or_else(|| of_path(&format!("{folder}.dockerignore")))
}

/// A file that is copied but never gets to the builder, so that the build fails.
fn ignored_copy(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let Some(ignores) = ignore_file(cx, file) else { return };
    for one in file.instructions.iter().filter(|one| matches!(one.keyword, "COPY" | "ADD")) {
        if one.flag("from").is_some() {
            continue;
        }
        let words = one.words();
        let sources = words.split_last().map_or(&[][..], |(_, sources)| sources);
        for source in sources {
            let is_local = !["$", "<<", "://", "git@"].iter().any(|sign| source.text.contains(sign));
            if let Some(pattern) = ignores.ignoring(&source.text).filter(|_| is_local) {
                let path = cx.sources.get(ignores.file).path();
                let name = path.rsplit('/').next().unwrap_or(path);
                let message = format!("{} takes {}, which {name} leaves out of the context", one.keyword, source.text);
                report(cx, file, one, message, out);
                if let Some(found) = out.found.last_mut() {
                    found.related(pattern.span, format!("by the pattern {}", pattern.text));
                }
            }
        }
    }
}

/// Architectures as names and tags of images write them, with the one that a platform names.
const ARCHITECTURES: &[(&str, &str)] = &[
    ("amd64", "amd64"),
    ("x86_64", "amd64"),
    ("arm64v8", "arm64"),
    ("arm64", "arm64"),
    ("aarch64", "arm64"),
    ("arm32v5", "arm"),
    ("arm32v6", "arm"),
    ("arm32v7", "arm"),
    ("i386", "386"),
    ("ppc64le", "ppc64le"),
    ("riscv64", "riscv64"),
    ("s390x", "s390x"),
];

/// The architecture that an image is made for alone, if its name says so: the first part of its repository (`arm64v8/alpine`) or the
/// end of its tag (`1.2-amd64`).
fn architecture(image: &Image<'_>) -> Option<&'static str> {
    let of = |word: &str| ARCHITECTURES.iter().find(|(name, _)| *name == word).map(|(_, architecture)| *architecture);
    let owner = image.repository.split_once('/').and_then(|(owner, _)| of(owner));
    owner.or_else(|| image.tag.and_then(|tag| of(tag.rsplit(['-', '_']).next()?)))
}

/// Of what BuildKit tells when it has pulled the image, the part that the file shows.
fn other_platform(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in &file.stages {
        let from = &file.of(stage)[0];
        let platform = from.flag("platform").map(|flag| flag.value.as_str()).filter(|text| !text.contains('$'));
        let base = stage.base.as_ref().filter(|base| stage.parent.is_none() && !base.text.contains('$'));
        let (Some(platform), Some(base)) = (platform, base) else { continue };
        let wanted = platform.split('/').nth(1).unwrap_or("").to_ascii_lowercase();
        let wanted = ARCHITECTURES.iter().find(|(name, _)| *name == wanted).map_or(wanted.as_str(), |(_, one)| one);
        if let Some(made) = Image::parse(&base.text).as_ref().and_then(architecture).filter(|made| *made != wanted) {
            let message = format!("{} is an image for {made}, --platform={platform} wants another", base.text);
            report(cx, file, from, message, out);
        }
    }
}
