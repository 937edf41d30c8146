//! The rules of a kind and of all metadata, as one verdict.

use serde_json::Value;

use super::object::meta_str;
use super::resources::Resource;
use crate::field::Errors;
use crate::kinds::PartRules;
use crate::status::Status;

/// Checks a new object.
pub fn check_create(resource: &Resource, object: &Value) -> Result<(), Status> {
    verdict(resource, object, &resource.check_create(object))
}

/// Checks a changed object.
pub fn check_update(resource: &Resource, new: &Value, old: &Value, warnings: &mut Vec<String>) -> Result<(), Status> {
    verdict(resource, new, &resource.check_update(new, old, warnings))
}

/// Checks a changed status.
pub fn check_status_update(
    resource: &Resource,
    new: &Value,
    old: &Value,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    verdict(resource, new, &resource.check_status_update(new, old, warnings))
}

/// Checks an object that changed through another sub-resource.
pub fn check_part_update(resource: &Resource, part: &PartRules, new: &Value, old: &Value) -> Result<(), Status> {
    verdict(resource, new, &resource.behavior.check_part_update(part, new, old))
}

fn verdict(resource: &Resource, object: &Value, errors: &Errors) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(&resource.qualified_kind, meta_str(object, "name"), errors))
}
