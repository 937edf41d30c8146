//! Patch: the successor is computed from what is stored.

use serde_json::Value;

use super::Registry;
use super::create::conform;
use super::object::{meta_str, set_meta};
use super::options::{Outcome, WriteOptions};
use super::resources::Target;
use super::subresource::Part;
use super::update::Proposal;
use crate::status::Status;

/// A change, in one of the three formats.
#[derive(Clone, Debug)]
pub enum Patch {
    /// RFC 6902.
    Json(json_patch::Patch),
    /// RFC 7386.
    Merge(Value),
    /// Kubernetes' strategic merge patch.
    Strategic(Value),
}

impl Patch {
    /// The patched object.
    fn apply(&self, target: &Target, old: &Value) -> Result<Value, Status> {
        let mut new = old.clone();
        match self {
            Self::Json(patch) => json_patch::patch(&mut new, patch).map_err(unprocessable)?,
            Self::Merge(patch) => json_patch::merge(&mut new, patch),
            Self::Strategic(patch) => {
                new = schema::merge::strategic(target.resource.ty, new, patch.clone())
                    .map_err(|e| Status::bad_request(e.to_string()))?;
            }
        }
        Ok(new)
    }

    /// The resource version that the patch itself insists on.
    fn pinned(&self) -> &str {
        match self {
            Self::Merge(patch) | Self::Strategic(patch) => meta_str(patch, "resourceVersion"),
            Self::Json(_) => "",
        }
    }
}

fn unprocessable(error: json_patch::PatchError) -> Status {
    Status::new(422, "Invalid", format!("the server rejected our request due to an error in our request: {error}"))
}

impl Registry {
    /// Applies `patch` to an object or a part of it.
    ///
    /// # Errors
    /// As [`Registry::update`], and 422 for a JSON patch whose test fails or whose path is missing.
    pub async fn patch(
        &self,
        target: &Target,
        part: Part,
        patch: &Patch,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        if part == Part::Scale {
            return self.patch_scale(target, patch, options).await;
        }
        self.mutate(target, part, options, |old| {
            let mut object = patch.apply(target, old)?;
            let warnings = conform(&target.resource, &mut object, options)?;
            same_identity(target, old, &object)?;
            let pinned = Some(patch.pinned()).filter(|v| !v.is_empty()).unwrap_or(meta_str(old, "resourceVersion"));
            set_meta(&mut object, "resourceVersion", Some(pinned.into()));
            Ok(Proposal { object, warnings, pinned: !patch.pinned().is_empty() })
        })
        .await
    }

    async fn patch_scale(&self, target: &Target, patch: &Patch, options: &WriteOptions) -> Result<Outcome, Status> {
        let current = self.scale(target)?;
        let mut scale = current.clone();
        match patch {
            Patch::Json(patch) => json_patch::patch(&mut scale, patch).map_err(unprocessable)?,
            Patch::Merge(patch) | Patch::Strategic(patch) => json_patch::merge(&mut scale, patch),
        }
        if matches!(patch, Patch::Json(_)) || patch.pinned().is_empty() {
            set_meta(&mut scale, "resourceVersion", None);
        }
        self.update_scale(target, scale, options).await
    }
}

fn same_identity(target: &Target, old: &Value, new: &Value) -> Result<(), Status> {
    for field in ["name", "namespace"] {
        let (was, is) = (meta_str(old, field), meta_str(new, field));
        if was != is {
            return Err(Status::bad_request(format!(
                "the {field} of the object ({is}) does not match the {field} on the URL ({was})"
            )));
        }
    }
    for field in ["kind", "apiVersion"] {
        if old.get(field) != new.get(field) {
            return Err(Status::bad_request(format!(
                "{field} of {} \"{}\" cannot be changed by a patch",
                target.resource.qualified, target.name
            )));
        }
    }
    Ok(())
}
