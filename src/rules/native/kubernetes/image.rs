//! What the image of a container, built in the same tree, means for the pod.

use crate::model::dockerfile::{Dockerfile, Stage};
use crate::model::image::runs_as_root;
use crate::model::view::pod::{Container, Pod};
use crate::model::{Lookup, ResourceId, user};
use crate::rules::native::containers::each;
use crate::rules::native::{Cx, Findings, Native};
use crate::source::Span;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[("k8s-non-root-image-user", Native::Pod(non_root))];

/// A container that must not run as root, of an image whose user the kubelet cannot take for another.
fn non_root(cx: &Cx, _: ResourceId, pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        let must = container.security("runAsNonRoot").as_bool() == Some(true);
        if !must || !container.security("runAsUser").is_absent() {
            return;
        }
        let Lookup::Known(image) = container.body.get("image") else { return };
        let built = cx.model.builds().of_image(image.as_str().unwrap_or(""));
        let reasons: Option<Vec<(String, Span)>> = built
            .iter()
            .map(|built| {
                let (file, stage) = cx.model.built(*built);
                refusal(file, stage)
            })
            .collect();
        // Where one of several builds would do, the file does not tell.
        if let Some((reason, at)) = reasons.and_then(|reasons| reasons.into_iter().next()) {
            let message = format!("runAsNonRoot is true, but {reason}: the kubelet does not start it");
            let at = cx.sources.get(at.file).first_line(at);
            out.fail(image, "image", message).related(at, "the image is built here");
        }
    });
}

/// Whether the image of a container is built in this tree and names a user that is not root, so that the container does not run
/// as root where the pod says nothing.
pub fn has_user(cx: &Cx, container: Container<'_>) -> bool {
    let image = container.body.get("image").as_str().unwrap_or_default();
    let built = cx.model.builds().of_image(image);
    !built.is_empty()
        && built.iter().all(|built| {
            let (file, stage) = cx.model.built(*built);
            match file.effective(stage, "USER") {
                Some(instruction) => instruction.user.as_ref().is_some_and(|user| {
                    // A build may set an argument to another user.
                    user.argument.is_none() && user.is_root() == Some(false)
                }),
                None => file.base_user(stage).is_some_and(|(user, _)| !user::is_root(user)),
            }
        })
}

/// Why the kubelet refuses an image that must not run as root, and where that is decided; none if it does not, or if the base
/// image decides.
fn refusal(file: &Dockerfile, stage: &Stage) -> Option<(String, Span)> {
    let Some(instruction) = file.effective(stage, "USER") else {
        let base = &file.lineage(stage).last()?.base.as_ref()?.text;
        let is_known = file.base_user(stage).is_some();
        let is_root = !is_known && (base == "scratch" || runs_as_root(base));
        return is_root.then(|| (format!("the image sets no USER and runs as root, as {base} does"), stage.head));
    };
    let user = instruction.user.as_ref().filter(|user| user.argument.is_none())?;
    let name = user.name()?;
    match user::number(name) {
        Some(0) => Some(("the image runs as user 0".into(), instruction.span)),
        Some(_) => None,
        None if user.is_root() == Some(true) => Some(("the image runs as root".into(), instruction.span)),
        None => Some((format!("the image names its user ({name}) instead of numbering it"), instruction.span)),
    }
}
