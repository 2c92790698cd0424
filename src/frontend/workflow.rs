//! The images that workflows and actions of GitHub build: by `docker/build-push-action`, and by `docker build` in a script.
//! What an expression or a variable decides is left out, but for those that the file sets itself.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::model::dockerfile::ImageBuild;
use crate::model::shell::{self, Command, Language};
use crate::model::{Lookup, Node};
use crate::path::join;
use crate::source::Span;

/// Programs that build images by the arguments of `docker build`.
const BUILDERS: &[&str] = &["docker", "podman", "nerdctl"];

/// Options of `docker build` that take no value.
const SWITCHES: &[&str] = &[
    "--check",
    "--compress",
    "--debug",
    "--disable-content-trust",
    "--force-rm",
    "--load",
    "--no-cache",
    "--pull",
    "--push",
    "--quiet",
    "--rm",
    "--squash",
    "-D",
    "-q",
];

/// The builds of a workflow or action at this path, whose scripts run in the folder that holds `.github`.
pub(super) fn builds(path: &str, root: &Node) -> Vec<ImageBuild> {
    // The workspace of an action elsewhere is that of its callers.
    let rooted = format!("/{path}");
    let Some((folder, _)) = rooted.split_once("/.github/") else { return Vec::new() };
    let workspace = folder.trim_start_matches('/');
    let mut found = Vec::new();
    let jobs = root.get("jobs").entries();
    let holders = jobs.iter().map(|job| &job.node).chain(root.get("runs").known());
    for job in holders {
        for step in job.get("steps").items() {
            let step = Step { workspace, root, job, step };
            found.extend(step.action());
            found.extend(step.script());
        }
    }
    found
}

/// A step with what surrounds it.
struct Step<'n> {
    /// The folder of the repository, relative to the root of the scan.
    workspace: &'n str,
    root: &'n Node,
    job: &'n Node,
    step: &'n Node,
}

impl Step<'_> {
    /// A text with the expressions that the file decides replaced, and a variable without a name for all others.
    fn filled(&self, text: &str) -> String {
        static EXPRESSION: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\$\{\{\s*(.*?)\s*\}\}").expect("the pattern is constant"));
        let value = |found: &Captures<'_>| match &found[1] {
            "github.workspace" => "$GITHUB_WORKSPACE".to_string(),
            name => {
                let known = name.strip_prefix("env.").and_then(|name| self.variable(name));
                known.unwrap_or_else(|| "$_".into())
            }
        };
        EXPRESSION.replace_all(text, value).into_owned()
    }

    /// What the file sets a variable to: the step before its job, the job before the workflow.
    fn variable(&self, name: &str) -> Option<String> {
        let value = |holder: &Node| holder.get("env").known()?.get(name).known()?.to_text();
        [self.step, self.job, self.root].into_iter().filter_map(value).find(|value| !value.contains("${{"))
    }

    /// A path relative to the root of the scan; none where it is elsewhere or not known.
    fn path(&self, folder: &str, path: &str) -> Option<String> {
        let from_workspace =
            ["$GITHUB_WORKSPACE", "${GITHUB_WORKSPACE}"].iter().find_map(|name| path.strip_prefix(name));
        let (folder, path) = match from_workspace {
            Some(rest) => (self.workspace, rest.trim_start_matches('/')),
            None => (folder, path),
        };
        let is_elsewhere = path.contains(['$', '`']) || path.contains("://") || path.starts_with(['/', '~', '-']);
        if is_elsewhere || path.starts_with("git@") { None } else { join(folder, path) }
    }

    /// What `docker/build-push-action` is told.
    fn action(&self) -> Option<ImageBuild> {
        let uses = self.step.get("uses").known()?;
        if uses.as_str()?.split('@').next() != Some("docker/build-push-action") {
            return None;
        }
        let input = |name: &str| match self.step.get("with").known().map(|with| with.get(name)) {
            Some(Lookup::Known(node)) => node.to_text().map(|text| self.filled(&text)).filter(|text| !text.is_empty()),
            _ => None,
        };
        let written = input("context");
        // Without a context, or with its placeholder, the action takes the repository as it is committed; the path of the
        // Dockerfile is relative to that then, and to the workspace otherwise.
        let committed = match written.as_deref() {
            None => Some(""),
            Some(text) => text.strip_prefix("{{defaultContext}}").map(|rest| rest.trim_start_matches(':')),
        };
        let context = self.path(self.workspace, committed.or(written.as_deref())?)?;
        let dockerfile = match input("file") {
            Some(file) => self.path(if committed.is_some() { &context } else { self.workspace }, &file)?,
            None => join(&context, "Dockerfile")?,
        };
        let target = input("target");
        if target.as_ref().is_some_and(|target| target.contains('$')) {
            return None;
        }
        let tags = input("tags").unwrap_or_default();
        let images = tags.split([',', '\n']).filter_map(|tag| name_of(tag.trim())).collect();
        Some(ImageBuild { span: uses.span, context, dockerfile, target, images })
    }

    /// What the script builds.
    fn script(&self) -> Vec<ImageBuild> {
        let Some(script) = self.step.get("run").known() else { return Vec::new() };
        let Some(text) = script.as_str().filter(|text| text.contains("build")) else { return Vec::new() };
        let setting = |name: &str| {
            let of_job = self.job.at(&format!("defaults.run.{name}")).known();
            let of_all = || self.root.at(&format!("defaults.run.{name}")).known();
            let node = self.step.get(name).known().or(of_job).or_else(of_all)?;
            Some(self.filled(&node.to_text()?))
        };
        let program = setting("shell").unwrap_or_else(|| "bash".into());
        let language = match shell::language_of(program.split_whitespace().next().unwrap_or_default()) {
            Language::Other => return Vec::new(),
            language => language,
        };
        let mut folder = self.path(self.workspace, setting("working-directory").as_deref().unwrap_or("."));
        let mut left = Vec::new();
        let mut found = Vec::new();
        for command in shell::commands(&self.filled(text), language).list.iter().filter(|one| !one.is_inner) {
            let enter = |folder: &Option<String>| self.path(folder.as_deref()?, &command.operands().next()?.text);
            match command.name() {
                "cd" => folder = enter(&folder),
                "pushd" => {
                    let entered = enter(&folder);
                    left.push(std::mem::replace(&mut folder, entered));
                }
                "popd" => folder = left.pop().flatten(),
                name if BUILDERS.contains(&name) => {
                    found.extend(folder.as_deref().and_then(|folder| self.command(folder, command, script.span)));
                }
                _ => {}
            }
        }
        found
    }

    /// What a command builds in a folder: `docker build -f F -t NAME --target STAGE CONTEXT`.
    fn command(&self, folder: &str, command: &Command, span: Span) -> Option<ImageBuild> {
        let words: Vec<&str> = command.arguments().iter().map(|word| word.text.as_str()).collect();
        let options = match words[..] {
            ["build", ..] => &words[1..],
            ["buildx" | "image" | "builder", "build", ..] => &words[2..],
            _ => return None,
        };
        let (mut context, mut file, mut target, mut images) = (None, None, None, Vec::new());
        let mut options = options.iter().copied();
        while let Some(word) = options.next() {
            let (name, own) = match (word.starts_with("--"), word.starts_with('-') && word.len() > 1) {
                (true, _) => word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value))),
                (_, true) if word.is_char_boundary(2) => {
                    let (name, value) = word.split_at(2);
                    (name, Some(value.trim_start_matches('=')).filter(|value| !value.is_empty()))
                }
                _ => {
                    context = Some(word);
                    continue;
                }
            };
            if SWITCHES.contains(&name) {
                continue;
            }
            let value = own.or_else(|| options.next())?;
            match name {
                "-f" | "--file" => file = Some(value),
                "-t" | "--tag" => images.extend(name_of(value)),
                "--target" => target = Some(value),
                _ => {}
            }
        }
        let context = self.path(folder, context?)?;
        let dockerfile = match file {
            Some(file) => self.path(folder, file)?,
            None => join(&context, "Dockerfile")?,
        };
        if target.is_some_and(|target| target.contains(['$', '`'])) {
            return None;
        }
        Some(ImageBuild { span, context, dockerfile, target: target.map(str::to_string), images })
    }
}

/// The name of an image whose tag may be a variable; none where its name is.
fn name_of(image: &str) -> Option<String> {
    match image.split_once(['$', '`']) {
        Some((known, _)) => known.strip_suffix(':').filter(|name| !name.is_empty()).map(str::to_string),
        None => Some(image.to_string()).filter(|image| !image.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::yaml::{self, Dialect};
    use crate::source::FileId;

    /// `DOCKERFILE TARGET CONTEXT IMAGES` of each build.
    fn found(path: &str, text: &str) -> Vec<String> {
        let read = yaml::read_as(FileId(0), text, Dialect::GitHub);
        let builds = builds(path, &read.documents[0].root);
        let show = |one: ImageBuild| {
            let target = one.target.unwrap_or_else(|| "-".into());
            format!("{} {target} {:?} {}", one.dockerfile, one.context, one.images.join(","))
        };
        builds.into_iter().map(show).collect()
    }

    #[test]
    fn actions_say_what_they_build() {
        let text = "env:\n  IMAGE: ghcr.io/acme/web\njobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: ./api\n          target: test\n          tags: |\n            ${{ env.IMAGE }}:1\n            acme/web:${{ github.sha }}\n            ${{ github.repository }}:1\n      - uses: docker/build-push-action@v6\n        with: { file: docker/web.Dockerfile }\n      - uses: docker/build-push-action@v6\n        with: { context: '{{defaultContext}}:sub', file: F }\n      - uses: docker/build-push-action@v6\n        with: { context: \"${{ github.workspace }}/x\", target: \"${{ matrix.target }}\" }\n      - uses: docker/build-push-action@v6\n        with: { context: 'https://github.com/acme/web.git' }\n      - uses: docker/setup-buildx-action@v3\n";
        let wanted = [
            "api/Dockerfile test \"api\" ghcr.io/acme/web:1,acme/web",
            "docker/web.Dockerfile - \"\" ",
            "sub/F - \"sub\" ",
        ];
        assert_eq!(found(".github/workflows/ci.yml", text), wanted);
        assert_eq!(found("shop/.github/workflows/ci.yml", text)[0], wanted[0].replace("api", "shop/api"));
    }

    #[test]
    fn scripts_say_what_they_build() {
        let text = "defaults:\n  run:\n    working-directory: app\njobs:\n  a:\n    steps:\n      - run: |\n          docker build --target dev -t x -f F \\\n            --build-arg A=b --no-cache .\n          cd web && docker buildx build --push --target=ci --tag=reg/team/web:${{ github.sha }} .\n          cd \"$ELSEWHERE\"\n          docker build .\n      - run: docker image build -q -t a:1 \"$GITHUB_WORKSPACE/b\"\n        working-directory: .\n      - run: docker build --target $T . && docker build - < Dockerfile && docker run build .\n      - run: docker build c\n        shell: pwsh\n";
        assert_eq!(
            found(".github/workflows/ci.yml", text),
            [
                "app/F dev \"app\" x",
                "app/web/Dockerfile ci \"app/web\" reg/team/web",
                "b/Dockerfile - \"b\" a:1",
                "app/c/Dockerfile - \"app/c\" ",
            ]
        );
        let action = "runs:\n  steps:\n    - run: docker build --target t .\n";
        assert_eq!(found(".github/actions/build/action.yml", action), ["Dockerfile t \"\" "]);
        assert_eq!(found("action.yml", action), [""; 0]);
    }
}
