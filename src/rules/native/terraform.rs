//! Checks of Terraform's own blocks.

use super::{Cx, Findings, Native};
use crate::model::{Lookup, Resource, ResourceId};
use crate::secret::{is_literal_secret, is_secret_name};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] =
    &[("tf-secret-variable-default", Native::Resource("terraform", &["variable"], secret_default))];

fn secret_default(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let Lookup::Known(default) = resource.body.get("default") else { return };
    let Some(text) = default.as_str() else { return };
    if is_secret_name(&resource.name) && is_literal_secret(text) {
        out.fail(default, "default", "the default is a secret written out in the code, wanted no default").holds(text);
    }
}
