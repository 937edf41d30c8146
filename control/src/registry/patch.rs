//! Patch: the successor is computed from what is stored.

use schema::admit::TypeError;
use serde_json::Value;

use super::Registry;
use super::create::report;
use super::json_patch as bounded;
use super::managed::{self, Tracking};
use super::object::{meta_str, set_meta};
use super::options::{Outcome, WriteOptions};
use super::part::Part;
use super::resources::Target;
use super::update::Proposal;
use crate::field::{Errors, Path};
use crate::status::Status;

/// What can be done to custom resources: their lists have no merge keys.
const CUSTOM_PATCHES: &[&str] =
    &["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];

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
    fn apply(&self, target: &Target, mut object: Value) -> Result<Value, Status> {
        match self {
            Self::Json(patch) => bounded::apply(&mut object, patch).map_err(unprocessable)?,
            Self::Merge(patch) => json_patch::merge(&mut object, patch),
            Self::Strategic(patch) => {
                let Some(ty) = target.resource.built_in_type() else {
                    return Err(Status::unsupported_media_type(CUSTOM_PATCHES));
                };
                object = schema::merge::strategic(ty, object, patch.clone())
                    .map_err(|e| Status::bad_request(e.to_string()))?;
            }
        }
        Ok(object)
    }

    /// The patched Scale; its type has no lists that could be merged in another way.
    pub(super) fn apply_to_scale(&self, mut scale: Value) -> Result<Value, Status> {
        match self {
            Self::Json(patch) => bounded::apply(&mut scale, patch).map_err(unprocessable)?,
            Self::Merge(patch) | Self::Strategic(patch) => json_patch::merge(&mut scale, patch),
        }
        Ok(scale)
    }

    /// True where the patch itself insists on a resource version.
    pub(super) fn is_pinned(&self) -> bool {
        match self {
            Self::Merge(patch) | Self::Strategic(patch) => !meta_str(patch, "resourceVersion").is_empty(),
            Self::Json(_) => false,
        }
    }
}

/// The words are upstream's, and say nothing of what is wrong; the log does.
fn unprocessable(error: bounded::Error) -> Status {
    if let bounded::Error::TooMany(_) = error {
        return Status::new(413, "RequestEntityTooLarge", error.to_string());
    }
    tracing::debug!(%error, "a JSON patch does not apply");
    Status::unprocessable()
}

/// A patch that makes something of the object that its type does not allow.
fn unfit(shown: String, why: &str) -> Status {
    let mut errors = Errors::default();
    errors.invalid(&Path::new("patch"), shown, why);
    Status::invalid("", "", &errors)
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
        let stored = self.stored_target(target)?;
        let propose = |old: &Value| {
            let patched = || {
                let mut was = old.clone();
                target.resource.show(&mut was);
                patch.apply(target, was)
            };
            let mut object = patched()?;
            same_kind(target, &object)?;
            managed::save_reset(&mut object);
            let findings = target.resource.conform(&mut object);
            let words = |wrong: TypeError| match patch {
                Patch::Strategic(_) => wrong.of_converter().to_owned(),
                Patch::Json(_) | Patch::Merge(_) => wrong.to_string(),
            };
            let said = findings.map_err(words).and_then(|found| report(found.unknown, options));
            let warnings = match said {
                Ok(warnings) => warnings,
                Err(why) => {
                    // Upstream's choice: the patch, where it is of the kind that knows the type; else the object as it
                    // was patched, anew, since conforming drops what is wrong with it.
                    let shown = match patch {
                        Patch::Strategic(patch) => schema::merge::go(patch),
                        Patch::Json(_) | Patch::Merge(_) => patched()?.to_string(),
                    };
                    return Err(unfit(shown, &why));
                }
            };
            same_name(old, &object)?;
            self.to_stored(target, &mut object)?;
            if meta_str(&object, "resourceVersion").is_empty() {
                set_meta(&mut object, "resourceVersion", Some(meta_str(old, "resourceVersion").into()));
            }
            Ok(Proposal {
                object,
                warnings,
                pinned: patch.is_pinned(),
                tracking: Tracking::Difference(&target.resource),
            })
        };
        self.mutate(&stored, part, options, propose).await
    }
}

fn same_kind(target: &Target, new: &Value) -> Result<(), Status> {
    let resource = &target.resource;
    for (field, was) in [("kind", resource.row.kind.as_str()), ("apiVersion", resource.api_version.as_str())] {
        let is = new.get(field).and_then(Value::as_str).unwrap_or_default();
        if is != was {
            return Err(Status::bad_request(format!(
                "the {field} of the object ({is}) does not match the {field} on the URL ({was})"
            )));
        }
    }
    Ok(())
}

fn same_name(old: &Value, new: &Value) -> Result<(), Status> {
    for field in ["name", "namespace"] {
        let (was, is) = (meta_str(old, field), meta_str(new, field));
        if was != is {
            return Err(Status::bad_request(format!(
                "the {field} of the object ({is}) does not match the {field} on the URL ({was})"
            )));
        }
    }
    Ok(())
}
