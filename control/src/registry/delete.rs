//! Delete: at once where nothing waits for it, else a mark that others act on.
//!
//! A pod on a node gets its grace period and is removed by the node. Finalizers hold an object until their owners take
//! them off. `Foreground` and `Orphan` are finalizers of the garbage collector.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use objects::time;
use serde_json::{Value, json};

use super::create::reorder;
use super::list::{Page, Start};
use super::managed::Tracking;
use super::metadata::next_generation;
use super::object::{finalizers, is_deleting, meta_str, metadata, set_meta};
use super::options::WriteOptions;
use super::part::Part;
use super::resources::Target;
use super::update::Proposal;
use super::{Registry, Selection};
use crate::admission::{Operation, Review};
use crate::auth::Caller;
use crate::custom;
use crate::kinds::Generation;
use crate::status::Status;
use crate::store::Entry;

/// What becomes of the objects that the deleted one owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They are collected afterwards.
    Background,
    /// They go first; the owner waits.
    Foreground,
    /// They stay.
    Orphan,
}

/// The options of a deletion.
#[derive(Clone, Debug)]
pub struct DeleteOptions {
    /// Seconds for a graceful end; the object's own default where absent.
    pub grace: Option<i64>,
    /// Delete only the object with this uid.
    pub uid: Option<String>,
    /// Delete only this resource version.
    pub resource_version: Option<String>,
    /// What becomes of dependents; the kind's default where absent.
    pub propagation: Option<Propagation>,
    /// Everything but the deletion.
    pub dry_run: bool,
    /// Who deletes.
    pub caller: Arc<Caller>,
}

impl Default for DeleteOptions {
    fn default() -> Self {
        let caller = Arc::new(Caller::system("system:kube-controller-manager"));
        Self { grace: None, uid: None, resource_version: None, propagation: None, dry_run: false, caller }
    }
}

impl DeleteOptions {
    /// What is said to a client who may not know what its deletion leaves behind.
    pub fn warning(&self, target: &Target) -> Option<&'static str> {
        let unsaid = self.propagation.is_none() && target.resource.is("batch", "jobs");
        unsaid.then_some(
            "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them \
             or set propagationPolicy=Orphan to suppress this warning",
        )
    }

    /// At once, and only this very object.
    pub fn now(uid: &str) -> Self {
        Self { grace: Some(0), uid: Some(uid.to_owned()), ..Self::default() }
    }
}

/// How many objects of a collection are deleted at a time: their commits share their wait for the disk.
const AT_A_TIME: usize = 64;

/// What a deletion came to. The objects are encoded.
#[derive(Clone, Debug)]
pub enum Deleted {
    /// Gone; the last state.
    Gone(Bytes),
    /// Still there: something has to happen first.
    Pending(Bytes),
}

/// What has to be done about one deletion.
enum Step {
    Remove,
    Mark(Value),
    Nothing,
}

impl Registry {
    /// Deletes one object.
    ///
    /// # Errors
    /// 404 where there is none, 409 where a precondition fails, 403 for namespaces that must stay.
    pub async fn delete(&self, target: &Target, options: &DeleteOptions) -> Result<Deleted, Status> {
        self.delete_telling(target, options, &mut Vec::new()).await
    }

    /// The same, with what admission has to tell the client.
    ///
    /// # Errors
    /// As [`Registry::delete`].
    pub async fn delete_telling(
        &self,
        target: &Target,
        options: &DeleteOptions,
        warnings: &mut Vec<String>,
    ) -> Result<Deleted, Status> {
        loop {
            let entry = self.entry(target)?;
            let object = self.seen(&target.resource, &entry).await?;
            precondition(target, &object, options)?;
            self.admit_delete(target, &object, options, warnings).await?;
            let outcome = match step(target, &object, options) {
                Step::Nothing => return Ok(Deleted::Pending(entry.bytes.clone())),
                Step::Mark(marked) => self.mark(target, &object, marked, options.dry_run).await.map(Deleted::Pending),
                Step::Remove if options.dry_run => return Ok(Deleted::Gone(entry.bytes.clone())),
                Step::Remove => self.remove_now(target, &entry, &object).await.map(Deleted::Gone),
            };
            match outcome {
                Err(lost) if lost.reason() == "Conflict" => {}
                done => return done,
            }
        }
    }

    /// Deletes every object of a collection that the selection takes, and returns what was there and what admission says.
    ///
    /// # Errors
    /// The first failure that is not a 404.
    pub async fn delete_collection(
        &self,
        target: &Target,
        selection: &Selection,
        options: &DeleteOptions,
    ) -> Result<(Page, Vec<String>), Status> {
        let page = self.list(target, selection, 0, Start::Now)?;
        let targets: Vec<Target> = page.entries.iter().map(|entry| target.at(&entry.key)).collect();
        let delete = |one: Target| async move {
            let mut warnings = Vec::new();
            let deleted = self.delete_telling(&one, options, &mut warnings).await.map(drop);
            deleted.or_else(gone_is_fine).map(|()| warnings)
        };
        let told: Vec<Vec<String>> = stream::iter(targets).map(delete).buffered(AT_A_TIME).try_collect().await?;
        Ok((page, told.concat()))
    }

    async fn admit_delete(
        &self,
        target: &Target,
        object: &Value,
        options: &DeleteOptions,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        let write =
            WriteOptions { dry_run: options.dry_run, caller: options.caller.clone(), ..WriteOptions::default() };
        let review =
            Review { operation: Operation::Delete, target, subresource: "", old: Some(object), options: &write };
        self.0.admission.validate(self, &review, None, warnings).await
    }

    async fn mark(&self, target: &Target, old: &Value, marked: Value, dry_run: bool) -> Result<Bytes, Status> {
        let options = WriteOptions { dry_run, ..WriteOptions::default() };
        let seen = meta_str(old, "resourceVersion").to_owned();
        let propose = |now: &Value| {
            if meta_str(now, "resourceVersion") != seen {
                return Err(Status::modified(&target.resource.qualified, &target.name));
            }
            Ok(Proposal { object: marked.clone(), warnings: Vec::new(), pinned: true, tracking: Tracking::Kept })
        };
        self.mutate(target, Part::Internal, &options, propose).await.map(|outcome| outcome.bytes)
    }

    async fn remove_now(&self, target: &Target, entry: &Entry, object: &Value) -> Result<Bytes, Status> {
        let mut last = object.clone();
        if is_deleting(&last) || target.resource.is("", "pods") {
            set_meta(&mut last, "deletionGracePeriodSeconds", Some(0.into()));
            if !is_deleting(object) {
                set_meta(&mut last, "deletionTimestamp", Some(time::text(&time::now()).into()));
            }
        }
        reorder(&target.resource, &mut last)?;
        self.remove(target, entry, &last).await.map(|gone| gone.bytes.clone())
    }
}

fn gone_is_fine(status: Status) -> Result<(), Status> {
    if status.is_not_found() { Ok(()) } else { Err(status) }
}

fn precondition(target: &Target, object: &Value, options: &DeleteOptions) -> Result<(), Status> {
    let failed = |what: &str, wanted: &str, found: &str| {
        let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}");
        Err(Status::conflict(&target.resource.qualified, &target.name, &why))
    };
    match (&options.uid, &options.resource_version) {
        (Some(uid), _) if uid != meta_str(object, "uid") => failed("UID", uid, meta_str(object, "uid")),
        (_, Some(version)) if version != meta_str(object, "resourceVersion") => {
            failed("ResourceVersion", version, meta_str(object, "resourceVersion"))
        }
        _ => Ok(()),
    }
}

/// Decides what this deletion does to this object now.
fn step(target: &Target, object: &Value, options: &DeleteOptions) -> Step {
    if target.resource.is("apiextensions.k8s.io", "customresourcedefinitions") && !is_deleting(object) {
        return Step::Mark(custom::mark_deleted(object));
    }
    let grace = grace(target, object, options);
    let wanted = finalizers_after(target, object, options);
    let held = !wanted.is_empty() || holds_namespace(object);
    let graced = metadata(object).and_then(|m| m.get("deletionGracePeriodSeconds")).and_then(Value::as_i64);
    if !held && grace == 0 {
        return Step::Remove;
    }
    let same_finalizers = wanted.iter().map(String::as_str).eq(finalizers(object));
    if is_deleting(object) && same_finalizers && graced.unwrap_or_default() <= grace {
        return Step::Nothing;
    }
    Step::Mark(mark(target, object, grace, &wanted))
}

fn mark(target: &Target, object: &Value, grace: i64, wanted: &[String]) -> Value {
    let mut marked = object.clone();
    let now = time::now();
    let at = time::text(&time::plus_seconds(&now, grace));
    if !is_deleting(object) && target.resource.behavior.generation != Generation::Absent {
        next_generation(&mut marked);
    }
    set_meta(&mut marked, "deletionTimestamp", Some(at.into()));
    let is_namespace = target.resource.is("", "namespaces");
    if !is_namespace {
        set_meta(&mut marked, "deletionGracePeriodSeconds", Some(grace.into()));
    }
    set_meta(&mut marked, "finalizers", Some(json!(wanted)).filter(|_| !wanted.is_empty()));
    if is_namespace {
        marked["status"]["phase"] = "Terminating".into();
    }
    marked
}

/// The seconds that this object gets: only pods that run on a node get any.
fn grace(target: &Target, object: &Value, options: &DeleteOptions) -> i64 {
    if !target.resource.is("", "pods") {
        return 0;
    }
    let text = |at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let over = matches!(text("/status/phase"), "Succeeded" | "Failed");
    if text("/spec/nodeName").is_empty() || over {
        return 0;
    }
    let default = object.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(30);
    let asked = match options.grace.unwrap_or(default) {
        // As upstream has it: a negative grace is as short as one can be.
        negative if negative < 0 => 1,
        seconds => seconds,
    };
    let current = metadata(object).and_then(|m| m.get("deletionGracePeriodSeconds")).and_then(Value::as_i64);
    match current {
        Some(current) if is_deleting(object) => asked.min(current),
        _ => asked,
    }
}

/// The finalizers that the object has once the propagation is taken into account.
fn finalizers_after(target: &Target, object: &Value, options: &DeleteOptions) -> Vec<String> {
    const COLLECTOR: [&str; 2] = ["foregroundDeletion", "orphan"];
    let present: Vec<String> = finalizers(object).map(str::to_owned).collect();
    let wanted = match options.propagation {
        None if present.iter().any(|f| COLLECTOR.contains(&f.as_str())) => return present,
        None if orphans(target) => Some("orphan"),
        None | Some(Propagation::Background) => None,
        Some(Propagation::Foreground) => Some("foregroundDeletion"),
        Some(Propagation::Orphan) => Some("orphan"),
    };
    let kept = present.into_iter().filter(|f| !COLLECTOR.contains(&f.as_str()) || wanted == Some(f.as_str()));
    let mut after: Vec<String> = kept.collect();
    if let Some(wanted) = wanted.filter(|w| !after.iter().any(|f| f == w)) {
        after.push(wanted.to_owned());
    }
    after
}

/// Kinds from a time before there was a collector: their dependents stay unless somebody says otherwise.
fn orphans(target: &Target) -> bool {
    target.resource.is("", "replicationcontrollers") || target.resource.is("batch", "jobs")
}

fn holds_namespace(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("Namespace")
        && object.pointer("/spec/finalizers").and_then(Value::as_array).is_some_and(|f| !f.is_empty())
}
