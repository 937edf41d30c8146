//! Create: a body becomes an object.

use bytes::Bytes;
use objects::names;
use serde_json::Value;

use super::managed::{self, Tracking};
use super::object::{meta_str, set_meta};
use super::options::{FieldValidation, Outcome, WriteOptions};
use super::resources::{Resource, Target};
use super::{Registry, metadata, rules};
use crate::admission::{Charged, Operation, Review};
use crate::status::Status;
use crate::store::{Draft, Expect, LARGEST_OBJECT, Write, WriteError};

/// How often a generated name may collide before the create gives up, as upstream has it.
const NAME_ATTEMPTS: usize = 8;

impl Registry {
    /// Creates `object` in the collection `target` (a name in the target must match the object's).
    ///
    /// # Errors
    /// 400 for a body of the wrong shape, 404 and 403 for the namespace, 409 where the name is taken, 422 where a rule
    /// is broken.
    pub async fn create(&self, target: &Target, mut object: Value, options: &WriteOptions) -> Result<Outcome, Status> {
        let warnings = conform(&target.resource, &mut object, options)?;
        metadata::match_path(target, &mut object)?;
        if !meta_str(&object, "resourceVersion").is_empty() {
            return Err(Status::bad_request("resourceVersion should not be set on objects to be created"));
        }
        self.check_version(target, &object)?;
        let stored = self.to_stored(target, &mut object)?;
        self.create_conformed(&stored, Tracking::Difference(&target.resource), object, warnings, options).await
    }

    /// The rest of a create: the object is of its type, agrees with its path and is of the stored version.
    pub(super) async fn create_conformed(
        &self,
        target: &Target,
        tracking: Tracking<'_>,
        mut object: Value,
        mut warnings: Vec<String>,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        let resource = &target.resource;
        refuse_while_terminating(target)?;
        let generated = meta_str(&object, "name").is_empty() && !meta_str(&object, "generateName").is_empty();
        if generated {
            rename(&mut object);
        }
        resource.default(&mut object);
        // Of what the client wrote; what admission puts in is nobody's doing.
        warnings.extend((resource.behavior.warnings)(&object));
        metadata::wipe(&mut object);
        if let Tracking::Difference(requested) = tracking {
            self.manage_new(requested, &mut object, options);
        }
        let named = target.named(if generated { "" } else { meta_str(&object, "name") });
        let review = Review { operation: Operation::Create, target: &named, subresource: "", old: None, options };
        self.0.admission.mutate(self, &review, &mut object, &mut warnings).await?;
        resource.default(&mut object);
        self.admit_grant(target, &object, None, options)?;
        metadata::begin(&mut object, resource.behavior.generation);
        resource.prepare_create(&mut object);
        (resource.behavior.sign)(&mut object, &options.caller);
        rules::check_create(resource, &object)?;
        let named = target.named(meta_str(&object, "name"));
        if !generated && let Some(present) = self.0.store.get(&named.key()) {
            return Err(taken(&named, &present.value()));
        }
        let claim = self.claim_addresses(&named, &mut object, None)?;
        reorder(resource, &mut object)?;
        let _charged = Charged::new(self, &named);
        self.0.admission.validate(self, &review, Some(&object), &mut warnings).await?;
        let attempts = if generated { NAME_ATTEMPTS } else { 1 };
        let mut object = self.kept(resource, object).await?;
        let bytes = self.insert(target, &mut object, attempts, options).await?;
        let bytes = self.told(resource, bytes).await?;
        if !options.dry_run {
            claim.keep();
        }
        Ok(Outcome { bytes, created: true, warnings })
    }

    /// Writes a new object; under another generated name, where one is taken and attempts are left.
    async fn insert(
        &self,
        target: &Target,
        object: &mut Value,
        attempts: usize,
        options: &WriteOptions,
    ) -> Result<Bytes, Status> {
        for left in (0..attempts).rev() {
            let target = target.named(meta_str(object, "name"));
            match self.insert_once(&target, object, options).await {
                Err(WriteError::Exists) if left > 0 => rename(object),
                // An object that is too large with the account of its managers may be stored without.
                Err(WriteError::TooLarge) if managed::take(object).is_some() => {
                    let stored = self.insert_once(&target, object, options).await;
                    return stored.map_err(|e| refused(&target, e));
                }
                done => return done.map_err(|e| refused(&target, e)),
            }
        }
        Err(Status::internal("no name could be generated"))
    }

    async fn insert_once(&self, target: &Target, object: &Value, options: &WriteOptions) -> Result<Bytes, WriteError> {
        let key = target.key();
        if self.0.store.get(&key).is_some() {
            return Err(WriteError::Exists);
        }
        if options.dry_run {
            return Ok(object.to_string().into());
        }
        let class = target.resource.behavior.class;
        let write = Write::Put { key, expect: Expect::Absent, draft: Draft::new(object), class };
        self.0.store.write(write).await.map(|entry| entry.bytes.clone())
    }
}

/// Nothing new comes to a definition that goes.
fn refuse_while_terminating(target: &Target) -> Result<(), Status> {
    match target.resource.custom_kind() {
        Some(kind) if kind.family.terminating => {
            let words = "create not allowed while custom resource definition is terminating";
            Err(Status::new(405, "MethodNotAllowed", words).about(&target.resource.qualified, ""))
        }
        _ => Ok(()),
    }
}

/// The name is an object's that is there, or is only on its way out yet.
fn taken(target: &Target, present: &Value) -> Status {
    let resource = &target.resource.qualified;
    match meta_str(present, "deletionTimestamp") {
        "" => Status::already_exists(resource, &target.name),
        _ => Status::being_deleted(resource, &target.name),
    }
}

fn rename(object: &mut Value) {
    let name = names::generate(meta_str(object, "generateName"));
    set_meta(object, "name", Some(name.into()));
}

/// Checks the body's types against the schema, drops what it does not know, and reports that as asked.
pub(super) fn conform(resource: &Resource, object: &mut Value, options: &WriteOptions) -> Result<Vec<String>, Status> {
    let refused = |why: &dyn std::fmt::Display| {
        let (kind, version) = (&resource.row.kind, &resource.row.version);
        Status::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
    };
    let findings = resource.conform(object).map_err(|e| refused(&e))?;
    report(findings.unknown, options).map_err(|strict| refused(&strict))
}

/// What is said of unknown and duplicate fields: warnings, or where the client is strict, one refusal.
pub(super) fn report(unknown: Vec<String>, options: &WriteOptions) -> Result<Vec<String>, String> {
    let unknown = unknown.into_iter().map(|path| format!("unknown field \"{path}\""));
    let said: Vec<String> = options.findings.iter().cloned().chain(unknown).collect();
    match options.validation {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Strict if !said.is_empty() => Err(format!("strict decoding error: {}", said.join(", "))),
        FieldValidation::Warn | FieldValidation::Strict => Ok(said),
    }
}

/// Puts fields that defaults and preparation added into the order of the schema.
pub(super) fn reorder(resource: &Resource, object: &mut Value) -> Result<(), Status> {
    resource.conform(object).map(drop).map_err(Status::internal)
}

/// A refused write in the API's words.
pub(super) fn refused(target: &Target, error: WriteError) -> Status {
    let resource = &*target.resource.qualified;
    match error {
        WriteError::Exists => Status::already_exists(resource, &target.name),
        WriteError::Missing => Status::not_found(resource, &target.name),
        WriteError::Conflict { .. } => Status::modified(resource, &target.name),
        WriteError::TooLarge => Status::too_large(LARGEST_OBJECT),
        WriteError::Closed(why) => Status::new(503, "ServiceUnavailable", why.to_string()),
    }
}
