//! Update: one loop for every verb that changes an object that is there.

use std::sync::Arc;

use serde_json::Value;

use super::create::{conform, refused, reorder};
use super::managed::{self, Tracking};
use super::object::{finalizers, is_deleting, meta_str, metadata, same, set_meta};
use super::options::{Outcome, WriteOptions};
use super::part::Part;
use super::resources::{Resource, Target};
use super::{Registry, rules};
use crate::admission::{Charged, Operation, Review};
use crate::field::{Errors, Path};
use crate::status::Status;
use crate::store::{Draft, Entry, Expect, Write};

/// What an object is to become.
pub(super) struct Proposal<'a> {
    /// The successor, in full.
    pub object: Value,
    /// What to tell the client.
    pub warnings: Vec<String>,
    /// The client named a resource version: a lost race is its conflict, not ours to try again.
    pub pinned: bool,
    /// How its managed fields come about.
    pub tracking: Tracking<'a>,
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
        managed::save_reset(&mut object);
        let warnings = conform(&target.resource, &mut object, options)?;
        super::metadata::match_path(target, &mut object)?;
        let tracking = Tracking::Difference(&target.resource);
        let target = self.to_stored(target, &mut object)?;
        let pinned = !meta_str(&object, "resourceVersion").is_empty();
        let makes = part == Part::Main && !pinned && target.resource.behavior.allow_create_on_update;
        if makes && self.0.store.get(&target.key()).is_none() {
            self.admit_upsert(&target, options)?;
            return self.create_conformed(&target, tracking, object, warnings, options).await;
        }
        // A pinned update has one attempt only, so it may have the object itself.
        let mut sent = Some(object);
        let propose = |_: &Value| {
            let object = if pinned { sent.take() } else { sent.clone() };
            Ok(Proposal { object: object.unwrap_or_default(), warnings: warnings.clone(), pinned, tracking })
        };
        self.mutate(&target, part, options, propose).await
    }

    /// Reads, lets `propose` make the successor, admits and writes it; again, where someone wrote in between and the
    /// proposal does not insist on a resource version. Each new attempt means that another writer came through.
    pub(super) async fn mutate<'a>(
        &self,
        target: &Target,
        part: Part,
        options: &WriteOptions,
        mut propose: impl FnMut(&Value) -> Result<Proposal<'a>, Status>,
    ) -> Result<Outcome, Status> {
        loop {
            let entry = self.entry(target)?;
            let old = self.seen(&target.resource, &entry).await?;
            let proposal = propose(&old)?;
            let pinned = proposal.pinned;
            preconditions(target, &old, &proposal.object)?;
            match self.replace(target, part, &entry, &old, proposal, options).await {
                Err(lost) if lost.reason() == "Conflict" && !pinned => {}
                done => return done,
            }
        }
    }

    /// The stored entry of `target`.
    pub(super) fn entry(&self, target: &Target) -> Result<Arc<Entry>, Status> {
        let missing = || Status::not_found(&target.resource.qualified, &target.name);
        self.0.store.get(&target.key()).ok_or_else(missing)
    }

    async fn replace(
        &self,
        target: &Target,
        part: Part,
        entry: &Entry,
        old: &Value,
        proposal: Proposal<'_>,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        let Proposal { object: mut new, mut warnings, tracking, .. } = proposal;
        let resource = &target.resource;
        let review =
            Review { operation: Operation::Update, target, subresource: part.subresource(), old: Some(old), options };
        let admitted = part != Part::Internal;
        if admitted {
            resource.default(&mut new);
        }
        if part == Part::Main {
            warnings.extend(news(resource, &new, old));
        }
        self.manage_change(tracking, part, &mut new, old, options);
        if admitted {
            self.0.admission.mutate(self, &review, &mut new, &mut warnings).await?;
            self.admit_grant(target, &new, Some(old), options)?;
        }
        admit(resource, part, &mut new, old, &mut warnings)?;
        let claim = self.claim_addresses(target, &mut new, Some(old))?;
        reorder(resource, &mut new)?;
        if part.is_of_spec() && resource.moves_generation(&new, old) {
            super::metadata::next_generation(&mut new);
        }
        let _charged = Charged::new(self, target);
        if admitted {
            self.0.admission.validate(self, &review, Some(&new), &mut warnings).await?;
        }
        if same(&new, old) && self.is_kept_as_seen(resource, entry) {
            let bytes = self.told(resource, entry.bytes.clone()).await?;
            return Ok(Outcome { bytes, created: false, warnings });
        }
        if options.dry_run {
            set_meta(&mut new, "resourceVersion", Some(entry.revision.to_string().into()));
            reorder(resource, &mut new)?;
            return Ok(Outcome { bytes: new.to_string().into(), created: false, warnings });
        }
        let bytes = if is_deleting(&new) && nothing_holds(&new) {
            self.remove(target, entry, &new).await?.bytes.clone()
        } else {
            let kept = self.kept(resource, new).await?;
            let write = Write::Put {
                key: target.key(),
                expect: Expect::At(entry.revision),
                draft: Draft::new(&kept),
                class: resource.behavior.class,
            };
            let written = self.0.store.write(write).await.map_err(|e| refused(target, e))?;
            self.quotas().changed(self, target, &kept, old);
            written.bytes.clone()
        };
        claim.keep();
        Ok(Outcome { bytes: self.told(resource, bytes).await?, created: false, warnings })
    }

    /// Takes an object away for good; `last` is the state that watchers see.
    pub(super) async fn remove(&self, target: &Target, entry: &Entry, last: &Value) -> Result<Arc<Entry>, Status> {
        let draft = match target.resource.is_custom() {
            true => Draft::new(&self.kept(&target.resource, last.clone()).await?),
            false => Draft::new(last),
        };
        let write = Write::Delete { key: target.key(), expect: entry.revision, last: draft };
        let gone = self.0.store.write(write).await.map_err(|e| refused(target, e))?;
        self.release_addresses(target, last);
        self.quotas().removed(self, target);
        Ok(gone)
    }
}

/// True where a deletion has nothing left to wait for: no finalizer, no grace period.
fn nothing_holds(object: &Value) -> bool {
    let in_spec = object.pointer("/spec/finalizers").and_then(Value::as_array).is_some_and(|f| !f.is_empty());
    let namespace = object.get("kind").and_then(Value::as_str) == Some("Namespace");
    let grace = metadata(object).and_then(|m| m.get("deletionGracePeriodSeconds"));
    finalizers(object).next().is_none()
        && !(namespace && in_spec)
        && grace.and_then(Value::as_i64).unwrap_or_default() == 0
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
        let at = Path::new("metadata").child("resourceVersion");
        errors.invalid_as(&at, "0x0", "must be specified for an update");
        return Err(Status::invalid(&target.resource.qualified_kind, name, &errors));
    }
    if !pinned.is_empty() && pinned != meta_str(old, "resourceVersion") {
        return Err(Status::modified(resource, name));
    }
    Ok(())
}

/// What the kind says of a changed object, and did not say of it before.
fn news(resource: &Resource, new: &Value, old: &Value) -> Vec<String> {
    let mut said = (resource.behavior.warnings)(new);
    if !said.is_empty() {
        let before = (resource.behavior.warnings)(old);
        said.retain(|warning| !before.contains(warning));
    }
    said
}

/// Defaults, preparation and rules for one part of an object.
fn admit(
    resource: &Resource,
    part: Part,
    new: &mut Value,
    old: &Value,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let behavior = resource.behavior;
    if part == Part::Internal {
        return Ok(());
    }
    resource.default(new);
    super::metadata::carry_over(new, old);
    match part {
        Part::Status => {
            (behavior.prepare_status_update)(new, old);
            rules::check_status_update(resource, new, old, warnings)
        }
        Part::Main | Part::Scale => {
            resource.prepare_update(new, old);
            rules::check_update(resource, new, old, warnings)
        }
        Part::Finalize => {
            finalize(new, old);
            Ok(())
        }
        Part::EphemeralContainers | Part::Resize | Part::Approval => {
            let part = behavior.parts.iter().find(|p| p.name == part.subresource());
            let part = part.ok_or_else(Status::no_such_resource)?;
            (part.prepare)(new, old);
            rules::check_part_update(resource, part, new, old)
        }
        Part::Internal => Ok(()),
    }
}

/// The `finalize` sub-resource of a namespace changes its finalizers and nothing else.
fn finalize(new: &mut Value, old: &Value) {
    let finalizers = new.pointer("/spec/finalizers").cloned();
    let entries = managed::take(new);
    *new = old.clone();
    set_meta(new, "managedFields", entries);
    if let Some(spec) = new.get_mut("spec").and_then(Value::as_object_mut) {
        match finalizers {
            Some(list) => drop(spec.insert("finalizers".to_owned(), list)),
            None => drop(spec.shift_remove("finalizers")),
        }
    }
}
