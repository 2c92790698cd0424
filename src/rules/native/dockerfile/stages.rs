//! Stages: base images, names, users, and what a stage may have once.

use super::{Cx, Findings, Native, acting, mount_option, of_keyword, report, report_command, runs};
use crate::model::dockerfile::{Dockerfile, Instruction, Stage, Word};
use crate::model::image::Image;
use crate::model::shell::Command;
use crate::model::user::number;
use crate::source::Span;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("docker-untagged-base-image", Native::Dockerfile(untagged)),
    ("docker-latest-base-image", Native::Dockerfile(latest)),
    ("docker-full-base-image", Native::Dockerfile(full_base)),
    ("docker-single-stage-build", Native::Dockerfile(single_stage)),
    ("docker-untrusted-registry", Native::Dockerfile(untrusted)),
    ("docker-last-user-root", Native::Dockerfile(last_user)),
    ("docker-missing-user", Native::Dockerfile(missing_user)),
    ("docker-named-user", Native::Dockerfile(named_user)),
    ("docker-duplicate-stage-name", Native::Dockerfile(duplicate_stage)),
    ("docker-reserved-stage-name", Native::Dockerfile(reserved_stage)),
    ("docker-copy-from-own-stage", Native::Dockerfile(copy_from_self)),
    ("docker-copy-from-unknown-stage", Native::Dockerfile(copy_from_unknown)),
    ("docker-copy-from-stage-number", Native::Dockerfile(copy_from_number)),
    ("docker-entire-stage-copied", Native::Dockerfile(entire_stage)),
    ("docker-fixed-platform", Native::Dockerfile(fixed_platform)),
    ("docker-redundant-target-platform", Native::Dockerfile(redundant_platform)),
    ("docker-repeated-cmd", Native::Dockerfile(|cx, file, out| repeated(cx, file, "CMD", out))),
    ("docker-repeated-entrypoint", Native::Dockerfile(|cx, file, out| repeated(cx, file, "ENTRYPOINT", out))),
    ("docker-repeated-healthcheck", Native::Dockerfile(|cx, file, out| repeated(cx, file, "HEALTHCHECK", out))),
    ("docker-missing-healthcheck", Native::Dockerfile(missing_healthcheck)),
    ("docker-instruction-before-from", Native::Dockerfile(before_from)),
];

/// The base of a stage that is an image and no other stage.
fn stage_image(stage: &Stage) -> Option<&Word> {
    stage.base.as_ref().filter(|base| stage.parent.is_none() && base.text != "scratch")
}

/// Whether arguments without a default decide which image it is.
fn is_open(base: &Word) -> bool {
    base.text.contains('$')
}

fn untagged(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in &file.stages {
        let Some(base) = stage_image(stage).filter(|base| !is_open(base)) else { continue };
        if let Some(image) = Image::parse(&base.text)
            && image.tag.is_none()
            && image.digest.is_none()
        {
            let at = line(cx, file, stage);
            out.at(at, "from", format!("base image {:?} has no tag, wanted a version or digest", base.text));
        }
    }
}

fn latest(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in &file.stages {
        let Some(base) = stage_image(stage).filter(|base| !is_open(base)) else { continue };
        if let Some(image) = Image::parse(&base.text)
            && image.tag == Some("latest")
            && image.digest.is_none()
        {
            let at = line(cx, file, stage);
            out.at(at, "from", format!("base image {:?} moves, wanted a version or digest", base.text));
        }
    }
}

/// The line of a stage's FROM.
fn line(cx: &Cx, file: &Dockerfile, stage: &Stage) -> Span {
    cx.sources.get(file.file).first_line(stage.head)
}

/// The images that the stages that ship are built on, through the stages between.
fn shipped_bases(file: &Dockerfile) -> Vec<(&Stage, &Word)> {
    let mut roots: Vec<&Stage> = file.shipped().filter_map(|stage| file.lineage(stage).last()).collect();
    roots.sort_by_key(|root| root.index);
    roots.dedup_by_key(|root| root.index);
    roots.into_iter().filter_map(|root| Some((root, stage_image(root)?))).collect()
}

/// Parts of names and tags of images that leave out what a running program does not need.
const SMALL: &[&str] = &[
    "slim",
    "alpine",
    "distroless",
    "chainguard",
    "wolfi",
    "minimal",
    "micro",
    "busybox",
    "nanoserver",
    "static",
    "chiseled",
    "tiny",
];

fn full_base(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let is_small = |base: &Word| SMALL.iter().any(|word| base.text.to_ascii_lowercase().contains(word));
    for (stage, base) in shipped_bases(file).into_iter().filter(|(_, base)| !is_open(base) && !is_small(base)) {
        let message = format!("the image ships on {:?}, wanted a slim, minimal or distroless base", base.text);
        out.at(line(cx, file, stage), "from", message);
    }
}

/// Programs that compile or bundle, with the words that make them do so; none when they do nothing else.
const BUILDERS: &[(&str, &[&str])] = &[
    ("go", &["build", "install"]),
    ("cargo", &["build", "install"]),
    ("mvn", &["package", "install", "verify"]),
    ("mvnw", &["package", "install", "verify"]),
    ("gradle", &[]),
    ("gradlew", &[]),
    ("gcc", &[]),
    ("g++", &[]),
    ("make", &[]),
    ("cmake", &[]),
    ("dotnet", &["build", "publish"]),
    ("tsc", &[]),
    ("webpack", &[]),
];

fn single_stage(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    if file.stages.len() > 1 {
        return;
    }
    let builds = |command: &Command| {
        let name = command.name();
        let compiles = BUILDERS.iter().any(|(builder, actions)| {
            *builder == name && (actions.is_empty() || actions.iter().any(|action| command.has(action)))
        });
        compiles || matches!(name, "npm" | "yarn" | "pnpm") && (command.has("build") || command.has("bundle"))
    };
    let first = runs(file).find_map(|run| {
        let command = run.run.commands().iter().find(|one| builds(one))?;
        Some((run, command))
    });
    if let Some((run, command)) = first {
        let message = format!("{} builds in the stage that ships, wanted a build stage of its own", command.name());
        report_command(cx, &run, command, message, out);
    }
}

/// Whether an image comes from one of the registries; `*.acme.test` means all below, `*` all.
fn is_trusted(text: &str, registries: &[String]) -> bool {
    let registry = Image::parse(text).and_then(|image| image.registry).unwrap_or("docker.io");
    let same = |pattern: &str| match pattern.strip_prefix('*') {
        Some(end) => registry.ends_with(end),
        None => {
            registry == pattern
                || matches!((registry, pattern), ("docker.io", "hub.docker.com") | ("hub.docker.com", "docker.io"))
        }
    };
    registries.iter().any(|pattern| same(pattern))
}

fn untrusted(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let Some(registries) = &cx.options.dockerfile.trusted_registries else { return };
    let message = |image: &str| format!("image {image:?} comes from a registry that is not trusted");
    for stage in &file.stages {
        if let Some(base) = stage_image(stage) {
            if Image::parse(&base.text).is_none() {
                out.undecided();
            } else if !is_trusted(&base.text, registries) {
                out.at(line(cx, file, stage), "from", message(&base.text));
            }
        }
        for outer in file.of(stage) {
            let instruction = acting(outer);
            let images = instruction.flags.iter().filter_map(|flag| match (instruction.keyword, flag.name.as_str()) {
                ("COPY", "from") => Some(flag.value.as_str()),
                ("RUN", "mount") => mount_option(flag, &["from"]),
                _ => None,
            });
            for image in images.filter(|image| earlier_stage(file, stage, image).is_none()) {
                if image.parse::<usize>().is_ok() {
                    continue;
                }
                if Image::parse(image).is_some() && !is_trusted(image, registries) {
                    report(cx, file, outer, message(image), out);
                }
            }
        }
    }
}

fn last_user(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in &file.stages {
        let last = file.of(stage).iter().rev().find(|one| one.keyword == "USER");
        // What the build may set is told where the user of the image is judged.
        let user = last.and_then(|one| Some((one, one.user.as_ref().filter(|user| user.argument.is_none())?)));
        if let Some((one, user)) = user
            && user.is_root() == Some(true)
        {
            let name = user.name().filter(|name| !name.is_empty()).unwrap_or("empty");
            report(cx, file, one, format!("the last USER is {name}, wanted an unprivileged user"), out);
        }
    }
}

fn missing_user(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in file.shipped().filter(|stage| stage.base.is_some() && file.effective(stage, "USER").is_none()) {
        out.at(line(cx, file, stage), "user", "the image has no USER, wanted an unprivileged user");
    }
}

fn named_user(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (index, one) in file.instructions.iter().enumerate() {
        let Some(user) = one.user.as_ref().filter(|user| user.argument.is_none()) else { continue };
        // Users of Windows have names only.
        let is_windows = || file.stage_of(index).is_some_and(|stage| file.is_windows(stage));
        match user.name() {
            None => out.undecided(),
            Some("") => {}
            Some(name) if number(name).is_none() && !is_windows() => {
                report(cx, file, one, format!("USER {name} is a name, wanted a number above 0"), out);
            }
            Some(_) => {}
        }
    }
}

fn duplicate_stage(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (index, stage) in file.stages.iter().enumerate() {
        if let Some(name) = &stage.name
            && file.stages[..index].iter().any(|earlier| earlier.name.as_ref() == Some(name))
        {
            out.at(line(cx, file, stage), "from", format!("stage name {name:?} is used twice"));
        }
    }
}

fn reserved_stage(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in file.stages.iter().filter(|stage| matches!(stage.name.as_deref(), Some("scratch" | "context"))) {
        out.at(line(cx, file, stage), "from", "the stage's name is reserved");
    }
}

/// The stage before this one that a name or number means.
fn earlier_stage<'f>(file: &'f Dockerfile, stage: &Stage, name: &str) -> Option<&'f Stage> {
    let name = name.trim_matches(['"', '\'']).to_lowercase();
    let earlier = &file.stages[..stage.index];
    earlier.iter().rev().find(|one| one.name.as_deref() == Some(name.as_str())).or_else(|| {
        let index: usize = name.parse().ok()?;
        earlier.get(index)
    })
}

/// COPY instructions with `--from`, and the stage that they stand in.
fn copies(file: &Dockerfile) -> impl Iterator<Item = (&Stage, &Instruction, &str)> {
    file.stages.iter().flat_map(move |stage| {
        let copies = file.of(stage).iter().filter(|one| one.keyword == "COPY");
        copies.filter_map(move |one| Some((stage, one, one.flag("from")?.value.as_str())))
    })
}

fn names_itself(stage: &Stage, from: &str) -> bool {
    stage.name.as_deref() == Some(from.to_lowercase().as_str())
        || stage.base.is_some() && from == stage.index.to_string()
}

fn copy_from_self(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (stage, copy, from) in copies(file) {
        if names_itself(stage, from) {
            report(cx, file, copy, format!("COPY --from={from} names its own stage"), out);
        }
    }
}

fn copy_from_unknown(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (stage, copy, from) in copies(file) {
        let is_stage = earlier_stage(file, stage, from).is_some() || names_itself(stage, from);
        if !is_stage && !from.contains([':', '/', '$', '@']) {
            report(cx, file, copy, format!("COPY --from={from} names no earlier stage"), out);
        }
    }
}

fn copy_from_number(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (_, copy, from) in copies(file) {
        if from.parse::<usize>().is_ok() {
            report(cx, file, copy, format!("COPY --from={from} counts stages, wanted the stage's name"), out);
        }
    }
}

fn entire_stage(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for copy in of_keyword(file, "COPY").filter(|copy| copy.flag("from").is_some()) {
        let words = copy.words();
        let Some((target, sources)) = words.split_last() else { continue };
        let is_root = |text: &str| text.trim_end_matches(['/', '.', '*']).is_empty() && text.starts_with('/');
        if is_root(&target.text) && sources.iter().any(|source| is_root(&source.text)) {
            report(cx, file, copy, "COPY --from takes the whole file system, wanted the files that are needed", out);
        }
    }
}

fn platforms(file: &Dockerfile) -> impl Iterator<Item = (&Instruction, &str)> {
    of_keyword(file, "FROM").filter_map(|from| Some((from, from.flag("platform")?.value.as_str())))
}

fn fixed_platform(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (from, platform) in platforms(file) {
        if !platform.contains("BUILDPLATFORM") && !platform.contains("TARGETPLATFORM") {
            let message = format!("--platform={platform} is fixed, wanted $BUILDPLATFORM, $TARGETPLATFORM or none");
            report(cx, file, from, message, out);
        }
    }
}

fn redundant_platform(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for (from, platform) in platforms(file) {
        if matches!(platform, "$TARGETPLATFORM" | "${TARGETPLATFORM}") {
            report(cx, file, from, "--platform=$TARGETPLATFORM is what a build does without it", out);
        }
    }
}

fn repeated(cx: &Cx, file: &Dockerfile, keyword: &str, out: &mut Findings) {
    for stage in &file.stages {
        for again in file.of(stage).iter().filter(|one| one.keyword == keyword).skip(1) {
            let message = format!("{keyword} stands more than once in this stage; only the last counts");
            report(cx, file, again, message, out);
        }
    }
}

fn missing_healthcheck(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    for stage in file.shipped().filter(|stage| stage.base.is_some() && file.effective(stage, "HEALTHCHECK").is_none()) {
        out.at(line(cx, file, stage), "healthcheck", "the image has no HEALTHCHECK");
    }
}

fn before_from(cx: &Cx, file: &Dockerfile, out: &mut Findings) {
    let has_from = file.instructions.iter().any(|one| one.keyword == "FROM");
    let before = file.instructions.iter().take_while(|one| one.keyword != "FROM").filter(|one| one.keyword != "ARG");
    // That FROM is missing is one mistake.
    for one in before.take(if has_from { usize::MAX } else { 1 }) {
        report(cx, file, one, format!("{} stands before FROM, wanted FROM or ARG first", one.keyword), out);
    }
}
