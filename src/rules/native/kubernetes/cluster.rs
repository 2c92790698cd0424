//! Configuration of the cluster itself: encryption at rest.

use crate::model::{Lookup, Resource, ResourceId};
use crate::rules::native::{Cx, Findings, Native};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[(
    "k8s-unencrypted-secrets-at-rest",
    Native::Resource("kubernetes", &["EncryptionConfiguration", "EncryptionConfig"], encryption),
)];

/// The first provider of a list writes; the others only read.
fn encryption(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let resources = resource.body.get("resources").items();
    for group in resources {
        let Lookup::Known(providers) = group.get("providers") else {
            out.at(group.span, "resources.providers", "no provider encrypts, wanted kms, secretbox or aescbc");
            continue;
        };
        let Some(first) = providers.items().first() else { continue };
        if first.entries().iter().any(|entry| &*entry.key == "identity") {
            out.fail(
                first,
                "resources.providers",
                "the first provider is identity, which does not encrypt, wanted kms, secretbox or aescbc",
            );
        }
    }
}
