//! Create: a body becomes an object.

use serde_json::Value;

use super::object::{meta_str, set_meta};
use super::options::{FieldValidation, Outcome, WriteOptions};
use super::resources::{Resource, Target};
use super::{Registry, metadata, rules};
use crate::status::Status;
use crate::store::{Draft, Expect, Write, WriteError};

/// How often a generated name may collide before the create gives up, as upstream has it.
const NAME_ATTEMPTS: usize = 8;

impl Registry {
    /// Creates `object` in the collection `target` (a name in the target must match the object's).
    ///
    /// # Errors
    /// 400 for a body of the wrong shape, 404 and 403 for the namespace, 409 where the name is taken, 422 where a rule
    /// is broken.
    pub async fn create(&self, target: &Target, mut object: Value, options: &WriteOptions) -> Result<Outcome, Status> {
        let mut warnings = conform(&target.resource, &mut object, options)?;
        metadata::match_path(target, &mut object)?;
        if !meta_str(&object, "resourceVersion").is_empty() {
            return Err(Status::bad_request("resourceVersion should not be set on objects to be created"));
        }
        self.admit_namespace(&target.named(meta_str(&object, "name")))?;
        let resource = &target.resource;
        schema::default::apply(resource.ty, &mut object);
        (resource.behavior.default)(&mut object);
        warnings.extend((resource.behavior.warnings)(&object));
        let generated = meta_str(&object, "name").is_empty();
        for attempt in 1.. {
            let mut candidate = object.clone();
            metadata::begin(&mut candidate, resource.behavior.generation);
            (resource.behavior.prepare_create)(&mut candidate);
            match self.insert(target, candidate, options).await {
                Err(taken) if generated && taken.reason() == "AlreadyExists" && attempt < NAME_ATTEMPTS => {}
                Ok(bytes) => return Ok(Outcome { bytes, created: true, warnings }),
                Err(status) => return Err(status),
            }
        }
        Err(Status::internal("no name could be generated"))
    }

    async fn insert(&self, target: &Target, mut object: Value, options: &WriteOptions) -> Result<bytes::Bytes, Status> {
        let resource = &target.resource;
        rules::check_create(resource, &object)?;
        let target = target.named(meta_str(&object, "name"));
        if self.0.store.get(&target.key()).is_some() {
            return Err(Status::already_exists(&resource.qualified, &target.name));
        }
        let claim = self.claim_addresses(&target, &mut object, None)?;
        reorder(resource, &mut object)?;
        if options.dry_run {
            return encode(&object);
        }
        let write = Write::Put {
            key: target.key(),
            expect: Expect::Absent,
            draft: Draft::new(&object),
            class: resource.behavior.class,
        };
        let entry = self.0.store.write(write).await.map_err(|e| refused(&target, e))?;
        claim.keep();
        Ok(entry.bytes.clone())
    }
}

/// Checks the body's types against the schema, drops what it does not know, and reports that as asked.
pub(super) fn conform(resource: &Resource, object: &mut Value, options: &WriteOptions) -> Result<Vec<String>, Status> {
    let findings = schema::admit::conform(resource.ty, object).map_err(|e| {
        Status::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {e}",
            resource.row.kind, resource.row.version, resource.row.kind
        ))
    })?;
    let unknown = findings.unknown.iter().map(|path| format!("unknown field \"{path}\""));
    let said: Vec<String> =
        options.duplicates.iter().map(|path| format!("duplicate field \"{path}\"")).chain(unknown).collect();
    match options.validation {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Warn => Ok(said),
        FieldValidation::Strict if said.is_empty() => Ok(said),
        FieldValidation::Strict => Err(Status::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
            resource.row.kind,
            resource.row.version,
            resource.row.kind,
            said.join(", ")
        ))),
    }
}

/// Puts fields that defaults and preparation added into the order of the schema.
pub(super) fn reorder(resource: &Resource, object: &mut Value) -> Result<(), Status> {
    schema::admit::conform(resource.ty, object).map(drop).map_err(Status::internal)
}

/// The bytes of an object that is not stored (a dry run).
pub(super) fn encode(object: &Value) -> Result<bytes::Bytes, Status> {
    let mut object = object.clone();
    set_meta(&mut object, "resourceVersion", None);
    serde_json::to_vec(&object).map(Into::into).map_err(Status::internal)
}

/// A refused write in the API's words.
pub(super) fn refused(target: &Target, error: WriteError) -> Status {
    let resource = &*target.resource.qualified;
    match error {
        WriteError::Exists => Status::already_exists(resource, &target.name),
        WriteError::Missing => Status::not_found(resource, &target.name),
        WriteError::Conflict { .. } => Status::modified(resource, &target.name),
        other => Status::internal(other),
    }
}
