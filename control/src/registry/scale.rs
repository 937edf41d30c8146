//! The `scale` of a workload: its replica count as an object of its own.

use serde_json::{Map, Value, json};

use super::Registry;
use super::apply::{Config, check_kind, strictness};
use super::managed::scaled::{self, Parent};
use super::managed::{self, Tracking};
use super::object::{meta_str, metadata, set_meta};
use super::options::{Outcome, WriteOptions};
use super::part::Part;
use super::patch::Patch;
use super::resources::{Resource, Target};
use super::update::Proposal;
use crate::custom::Scale;
use crate::field::{Errors, Path};
use crate::status::Status;

impl Registry {
    /// The `scale` of a workload.
    ///
    /// # Errors
    /// 404 where the workload does not exist.
    pub async fn scale(&self, target: &Target) -> Result<Value, Status> {
        let object = self.seen(&target.resource, &*self.entry(target)?).await?;
        scale_of(&target.resource, &object)
    }

    /// Sets the replica count of a workload from a Scale.
    ///
    /// # Errors
    /// 400 for what is no Scale, and as [`Registry::update`].
    pub async fn update_scale(
        &self,
        target: &Target,
        mut scale: Value,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        let ty = schema::builtin().kind("autoscaling", "v1", "Scale");
        let ty = ty.ok_or_else(|| Status::internal("the type Scale is missing"))?;
        schema::admit::conform(ty, &mut scale)
            .map_err(|e| Status::bad_request(format!("Scale in version \"v1\" cannot be handled as a Scale: {e}")))?;
        same_name(target, &scale)?;
        let replicas = scale.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or_default();
        check_replicas(target, replicas)?;
        let path = replicas_path(&target.resource);
        let parent = Parent { path: &path, version: &target.resource.api_version };
        let propose = |old: &Value| {
            let mut proposal = scaled(&target.resource, old, replicas, &scale);
            if let Some(ledger) = scaled::by_difference(&parent, old, count(&path, old), replicas, options) {
                managed::put(&mut proposal.object, &ledger);
            }
            Ok(proposal)
        };
        let outcome = self.mutate(target, Part::Scale, options, propose).await?;
        as_scale(&target.resource, outcome)
    }

    /// Applies a Scale to the replica count of a workload.
    pub(super) async fn apply_scale(
        &self,
        target: &Target,
        config: &Config,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        check_kind(&config.object, "autoscaling/v1", "Scale")?;
        let path = replicas_path(&target.resource);
        let parent = Parent { path: &path, version: &target.resource.api_version };
        let propose = |old: &Value| {
            let (scale, ledger) =
                scaled::by_apply(&parent, old, &scale_of(&target.resource, old)?, &config.object, options)?;
            same_name(target, &scale)?;
            let replicas = scale.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or_default();
            check_replicas(target, replicas)?;
            let mut proposal = scaled(&target.resource, old, replicas, &config.object);
            managed::put(&mut proposal.object, &ledger);
            proposal.warnings = strictness(config, options)?;
            Ok(proposal)
        };
        let outcome = self.mutate(target, Part::Scale, options, propose).await?;
        as_scale(&target.resource, outcome)
    }

    pub(super) async fn patch_scale(
        &self,
        target: &Target,
        patch: &Patch,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        let mut scale = patch.apply_to_scale(self.scale(target).await?)?;
        if !patch.is_pinned() {
            set_meta(&mut scale, "resourceVersion", None);
        }
        self.update_scale(target, scale, options).await
    }
}

/// Where a kind keeps its replica count.
fn replicas_path(resource: &Resource) -> Vec<&str> {
    match resource.custom_kind().and_then(|kind| kind.scale.as_ref()) {
        Some(paths) => paths.replicas(),
        None => vec!["spec", "replicas"],
    }
}

fn count(path: &[&str], object: &Value) -> i64 {
    path.iter().try_fold(object, |value, step| value.get(step)).and_then(Value::as_i64).unwrap_or_default()
}

fn as_scale(resource: &Resource, outcome: Outcome) -> Result<Outcome, Status> {
    let mut object = serde_json::from_slice(&outcome.bytes).map_err(Status::internal)?;
    resource.show(&mut object);
    Ok(Outcome { bytes: scale_of(resource, &object)?.to_string().into(), ..outcome })
}

fn same_name(target: &Target, scale: &Value) -> Result<(), Status> {
    let (named, url) = (meta_str(scale, "name"), &target.name);
    if !named.is_empty() && named != &**url {
        return Err(Status::bad_request(format!(
            "the name of the object ({named}) does not match the name on the URL ({url})"
        )));
    }
    Ok(())
}

fn check_replicas(target: &Target, replicas: i64) -> Result<(), Status> {
    if replicas >= 0 {
        return Ok(());
    }
    let mut errors = Errors::default();
    let at = Path::new("spec").child("replicas");
    errors.invalid(&at, replicas, "must be greater than or equal to 0");
    Err(Status::invalid("Scale.autoscaling", &target.name, &errors))
}

fn scaled(resource: &Resource, old: &Value, replicas: i64, scale: &Value) -> Proposal<'static> {
    let mut object = old.clone();
    match resource.custom_kind().and_then(|kind| kind.scale.as_ref()) {
        Some(paths) => drop(paths.set(&mut object, replicas)),
        None => {
            if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
                spec.insert("replicas".to_owned(), replicas.into());
            }
        }
    }
    let pinned = meta_str(scale, "resourceVersion");
    if !pinned.is_empty() {
        set_meta(&mut object, "resourceVersion", Some(pinned.into()));
    }
    let uid = meta_str(scale, "uid");
    if !uid.is_empty() {
        set_meta(&mut object, "uid", Some(uid.into()));
    }
    Proposal { object, warnings: Vec::new(), pinned: !pinned.is_empty(), tracking: Tracking::Settled }
}

/// What a workload's scale shows of it.
fn scale_of(resource: &Resource, object: &Value) -> Result<Value, Status> {
    let shown = match resource.custom_kind().and_then(|kind| kind.scale.as_ref()) {
        Some(paths) => paths.read(object).map_err(Status::internal)?,
        None => of_workload(object),
    };
    let mut meta = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = metadata(object).and_then(|m| m.get(field)) {
            meta.insert(field.to_owned(), value.clone());
        }
    }
    let mut status = json!({"replicas": shown.present});
    if !shown.selector.is_empty() {
        status["selector"] = shown.selector.into();
    }
    let mut spec = json!({});
    if shown.wanted != 0 {
        spec["replicas"] = shown.wanted.into();
    }
    Ok(json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": status}))
}

/// Where built-in workloads have it.
fn of_workload(object: &Value) -> Scale {
    let count = |at: &str| object.pointer(at).and_then(Value::as_i64).unwrap_or_default();
    let selector = object.pointer("/spec/selector").map(selector_text).unwrap_or_default();
    Scale { wanted: count("/spec/replicas"), present: count("/status/replicas"), selector }
}

/// A selector as a query string: a plain map, or a LabelSelector.
fn selector_text(selector: &Value) -> String {
    let is_label_selector = selector.get("matchLabels").is_some_and(Value::is_object)
        || selector.get("matchExpressions").is_some_and(Value::is_array);
    let wrapped = if is_label_selector { selector.clone() } else { json!({"matchLabels": selector}) };
    serde_json::from_value(wrapped)
        .ok()
        .and_then(|s| objects::selectors::LabelSelector::of(Some(&s)).ok())
        .map(|s| s.to_string())
        .unwrap_or_default()
}
