//! Update: one loop for every verb that changes an object that is there.

use serde_json::Value;

use super::create::{conform, encode, refused, reorder};
use super::object::{finalizers, is_deleting, meta_str, same, set_meta};
use super::options::{Outcome, WriteOptions};
use super::resources::{Resource, Target};
use super::subresource::Part;
use super::{Registry, metadata, rules};
use crate::field::Errors;
use crate::status::Status;
use crate::store::{Draft, Entry, Expect, Write, WriteError};

/// How often a change without a resource version is tried again when someone else wrote in between.
const ATTEMPTS: usize = 16;

/// Which body was sent: a whole object, or a change computed from the stored one.
pub(super) struct Proposal {
    /// The successor, in full.
    pub object: Value,
    /// What to tell the client.
    pub warnings: Vec<String>,
    /// The client named a resource version: a lost race is its conflict, not ours to try again.
    pub pinned: bool,
}

impl Registry {
    /// Replaces an object, or its `part`, by `object`.
    ///
    /// # Errors
    /// 404 where there is none, 409 where `object` names another resource version or uid, 422 where a rule is broken.
    pub async fn update(
        &self,
        target: &Target,
        part: Part,
        mut object: Value,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        let warnings = conform(&target.resource, &mut object, options)?;
        metadata::match_path(target, &mut object)?;
        let pinned = !meta_str(&object, "resourceVersion").is_empty();
        self.mutate(target, part, options, move |_| {
            Ok(Proposal { object: object.clone(), warnings: warnings.clone(), pinned })
        })
        .await
    }

    /// Reads, lets `propose` make the successor, admits and writes it; again, where someone wrote in between and the
    /// proposal does not insist on a resource version.
    pub(super) async fn mutate(
        &self,
        target: &Target,
        part: Part,
        options: &WriteOptions,
        propose: impl Fn(&Value) -> Result<Proposal, Status>,
    ) -> Result<Outcome, Status> {
        for _ in 0..ATTEMPTS {
            let entry = self.entry(target)?;
            let old = entry.value();
            let proposal = propose(&old)?;
            let pinned = proposal.pinned;
            preconditions(target, &old, &proposal.object)?;
            match self.replace(target, part, &entry, &old, proposal, options).await {
                Err(lost) if lost.reason() == "Conflict" && !pinned => {}
                done => return done,
            }
        }
        Err(Status::modified(&target.resource.qualified, &target.name))
    }

    /// The stored entry of `target`.
    pub(super) fn entry(&self, target: &Target) -> Result<std::sync::Arc<Entry>, Status> {
        let missing = || Status::not_found(&target.resource.qualified, &target.name);
        self.0.store.get(&target.key()).ok_or_else(missing)
    }

    async fn replace(
        &self,
        target: &Target,
        part: Part,
        entry: &Entry,
        old: &Value,
        proposal: Proposal,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        let Proposal { object: mut new, mut warnings, .. } = proposal;
        let resource = &target.resource;
        admit(resource, part, &mut new, old)?;
        if part == Part::Main {
            warnings.extend((resource.behavior.warnings)(&new));
        }
        let claim = self.claim_addresses(target, &mut new, Some(old))?;
        reorder(resource, &mut new)?;
        if same(&new, old) {
            return Ok(Outcome { bytes: entry.bytes.clone(), created: false, warnings });
        }
        if options.dry_run {
            set_meta(&mut new, "resourceVersion", Some(entry.revision.0.to_string().into()));
            return Ok(Outcome { bytes: encode(&new)?, created: false, warnings });
        }
        let bytes = if is_deleting(&new) && nothing_holds(&new) {
            self.remove(target, entry, &new).await?.bytes.clone()
        } else {
            let write = Write::Put {
                key: target.key(),
                expect: Expect::At(entry.revision),
                draft: Draft::new(&new),
                class: resource.behavior.class,
            };
            self.0.store.write(write).await.map_err(|e| lost(target, e))?.bytes.clone()
        };
        claim.keep();
        Ok(Outcome { bytes, created: false, warnings })
    }

    /// Takes an object away for good; `last` is the state that watchers see.
    pub(super) async fn remove(
        &self,
        target: &Target,
        entry: &Entry,
        last: &Value,
    ) -> Result<std::sync::Arc<Entry>, Status> {
        let write = Write::Delete { key: target.key(), expect: entry.revision, last: Draft::new(last) };
        let gone = self.0.store.write(write).await.map_err(|e| lost(target, e))?;
        self.release_addresses(target, last);
        Ok(gone)
    }
}

/// True where a deletion has nothing left to wait for: no finalizer, no grace period.
fn nothing_holds(object: &Value) -> bool {
    let in_spec = object.pointer("/spec/finalizers").and_then(Value::as_array).is_some_and(|f| !f.is_empty());
    let namespace = object.get("kind").and_then(Value::as_str) == Some("Namespace");
    let grace = super::object::metadata(object).and_then(|m| m.get("deletionGracePeriodSeconds"));
    finalizers(object).next().is_none()
        && !(namespace && in_spec)
        && grace.and_then(Value::as_i64).unwrap_or_default() == 0
}

fn lost(target: &Target, error: WriteError) -> Status {
    match error {
        WriteError::Missing => Status::not_found(&target.resource.qualified, &target.name),
        other => refused(target, other),
    }
}

/// The resource version and uid that a body insists on.
fn preconditions(target: &Target, old: &Value, new: &Value) -> Result<(), Status> {
    let (resource, name) = (&*target.resource.qualified, &*target.name);
    let (wanted, stored) = (meta_str(new, "uid"), meta_str(old, "uid"));
    if !wanted.is_empty() && wanted != stored {
        let why = format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {stored}");
        return Err(Status::conflict(resource, name, &why));
    }
    let pinned = meta_str(new, "resourceVersion");
    if pinned.is_empty() && !target.resource.behavior.allow_unconditional_update {
        let mut errors = Errors::default();
        let at = crate::field::Path::new("metadata").child("resourceVersion");
        errors.invalid(&at, 0, "must be specified for an update");
        return Err(Status::invalid(&target.resource.qualified_kind, name, &errors));
    }
    if !pinned.is_empty() && pinned != meta_str(old, "resourceVersion") {
        return Err(Status::modified(resource, name));
    }
    Ok(())
}

/// Defaults, preparation and rules for one part of an object.
fn admit(resource: &Resource, part: Part, new: &mut Value, old: &Value) -> Result<(), Status> {
    let behavior = resource.behavior;
    schema::default::apply(resource.ty, new);
    (behavior.default)(new);
    if part != Part::Internal {
        metadata::carry_over(new, old);
    }
    match part {
        Part::Status => {
            (behavior.prepare_status_update)(new, old);
            rules::check_status_update(resource, new, old)
        }
        Part::Main | Part::Scale => {
            (behavior.prepare_update)(new, old);
            metadata::bump_generation(new, old, behavior);
            rules::check_update(resource, new, old)
        }
        Part::Finalize => {
            finalize(new, old);
            Ok(())
        }
        Part::Internal => Ok(()),
    }
}

/// The `finalize` sub-resource of a namespace changes its finalizers and nothing else.
fn finalize(new: &mut Value, old: &Value) {
    let finalizers = new.pointer("/spec/finalizers").cloned();
    let version = super::object::metadata(new).and_then(|m| m.get("resourceVersion")).cloned();
    *new = old.clone();
    set_meta(new, "resourceVersion", version);
    if let Some(spec) = new.get_mut("spec").and_then(Value::as_object_mut) {
        match finalizers {
            Some(list) => drop(spec.insert("finalizers".to_owned(), list)),
            None => drop(spec.shift_remove("finalizers")),
        }
    }
}
