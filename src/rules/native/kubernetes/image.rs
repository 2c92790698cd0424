//! What the image of a container, built in the same tree, means for the pod.

use crate::model::dockerfile::{Dockerfile, Stage};
use crate::model::view::pod::Pod;
use crate::model::{Lookup, Node, ResourceId};
use crate::rules::native::containers::each;
use crate::rules::native::{Cx, Findings, Native};
use crate::source::Span;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[("k8s-non-root-image-user", Native::Pod(non_root))];

/// A container that must not run as root, of an image whose user the kubelet cannot take for another.
fn non_root(cx: &Cx, _: ResourceId, pod: Pod<'_>, out: &mut Findings) {
    each(pod, out, |container, out| {
        let must = container.security("runAsNonRoot").known().and_then(Node::as_bool) == Some(true);
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

/// Why the kubelet refuses an image that must not run as root, and where that is decided; none if it does not, or if the base
/// image decides.
fn refusal(file: &Dockerfile, stage: &Stage) -> Option<(String, Span)> {
    let Some(instruction) = file.effective(stage, "USER") else {
        let root = file.lineage(stage).last()?;
        let is_scratch = root.base.as_ref().is_some_and(|base| base.text == "scratch");
        return is_scratch.then(|| ("the image sets no USER and runs as root".into(), stage.head));
    };
    let written = instruction.words().first()?.text.trim_matches(['"', '\'']).to_string();
    let user = written.split(':').next().unwrap_or_default();
    if user.is_empty() || user.contains('$') {
        return None;
    }
    match user.parse::<u64>() {
        Ok(0) => Some(("the image runs as user 0".into(), instruction.span)),
        Ok(_) => None,
        Err(_) if user == "root" => Some(("the image runs as root".into(), instruction.span)),
        Err(_) => Some((format!("the image names its user ({user}) instead of numbering it"), instruction.span)),
    }
}
