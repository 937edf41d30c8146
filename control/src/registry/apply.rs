//! Apply: the client says what it wants of an object, and the server keeps account of who wants what.

use serde_json::Value;

use super::managed::{self, Tracking};
use super::object::{meta_str, set_meta};
use super::options::{FieldValidation, Outcome, WriteOptions};
use super::part::Part;
use super::resources::{Resource, Target};
use super::update::Proposal;
use super::{Registry, metadata};
use crate::status::Status;

/// An applied configuration: part of an object.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the client wants.
    pub object: Value,
    /// The paths of keys that it gives twice.
    pub duplicates: Vec<String>,
}

impl Registry {
    /// Applies a configuration to an object or a part of it; makes the object where there is none.
    ///
    /// # Errors
    /// 409 where others manage what it changes, 400 for a configuration of another kind, 500 for one that does not fit its
    /// type, and as [`Registry::update`].
    pub async fn apply(
        &self,
        target: &Target,
        part: Part,
        config: &Config,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        if part == Part::Scale {
            return self.apply_scale(target, config, options).await;
        }
        check_kind(&config.object, &target.resource.api_version, &target.resource.row.kind)?;
        let stored = self.stored_target(target)?;
        loop {
            if self.0.store.get(&stored.key()).is_some() {
                return self.apply_to_live(target, &stored, part, config, options).await;
            }
            if part != Part::Main {
                return Err(Status::not_found(&target.resource.qualified, &target.name));
            }
            match self.apply_to_nothing(target, config, options).await {
                Err(lost) if lost.reason() == "AlreadyExists" && self.0.store.get(&stored.key()).is_some() => {}
                done => return done,
            }
        }
    }

    async fn apply_to_live(
        &self,
        target: &Target,
        stored: &Target,
        part: Part,
        config: &Config,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        let form = self.form(&target.resource, part);
        let pinned = !meta_str(&config.object, "resourceVersion").is_empty();
        let propose = |old: &Value| {
            let live = form.requested_form(old).ok_or_else(|| Status::internal("the object cannot be converted"))?;
            let applied = managed::apply_config(&form, &live, &config.object, part.subresource(), options)?;
            let (mut object, warnings) = (applied.object, strictness(config, options)?);
            fit(&target.resource, &mut object)?;
            metadata::match_path(target, &mut object)?;
            self.to_stored(target, &mut object)?;
            Ok(Proposal { object, warnings, pinned, tracking: Tracking::Settled })
        };
        self.mutate(stored, part, options, propose).await
    }

    async fn apply_to_nothing(
        &self,
        target: &Target,
        config: &Config,
        options: &WriteOptions,
    ) -> Result<Outcome, Status> {
        self.admit_upsert(target, options)?;
        let form = self.form(&target.resource, Part::Main);
        let applied = managed::apply_config(&form, &form.blank(), &config.object, "", options)?;
        let (mut object, warnings) = (applied.object, strictness(config, options)?);
        let uid = meta_str(&object, "uid");
        if !uid.is_empty() {
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(Status::conflict(&target.resource.qualified, &target.name, &why));
        }
        fit(&target.resource, &mut object)?;
        metadata::match_path(target, &mut object)?;
        set_meta(&mut object, "resourceVersion", None);
        self.check_version(target, &object)?;
        let stored = self.to_stored(target, &mut object)?;
        self.admit_upsert(target, options)?;
        self.create_conformed(&stored, Tracking::Settled, object, warnings, options).await
    }
}

/// Brings the object that a configuration made into the form of its type. Its fields are of the type already, not so all
/// values: a quantity may be no number.
fn fit(resource: &Resource, object: &mut Value) -> Result<(), Status> {
    let of = managed::about(object);
    let words = |why| managed::plain(format!("failed to convert new typed object ({of}) to object: {why}"));
    resource.conform(object).map(drop).map_err(words)
}

/// What a configuration must say of itself.
pub(super) fn check_kind(config: &Value, api_version: &str, kind: &str) -> Result<(), Status> {
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
    if text("apiVersion") != api_version || text("kind") != kind {
        let version = match text("apiVersion") {
            "" => "/".to_owned(),
            version if version.contains('/') => version.to_owned(),
            version => format!("/{version}"),
        };
        return Err(Status::bad_request(format!("invalid object type: {version}, Kind={}", text("kind"))));
    }
    if managed::entries(config).is_some() {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    Ok(())
}

/// What is said of keys given twice.
pub(super) fn strictness(config: &Config, options: &WriteOptions) -> Result<Vec<String>, Status> {
    if config.duplicates.is_empty() || options.validation == FieldValidation::Ignore {
        return Ok(Vec::new());
    }
    let said: Vec<String> = config.duplicates.iter().map(|path| format!("key {path:?} already set in map")).collect();
    let said = format!("error converting YAML to JSON: yaml: unmarshal errors:\n  {}", said.join("\n  "));
    match options.validation {
        FieldValidation::Strict => Err(Status::bad_request(format!("error strict decoding YAML: {said}"))),
        FieldValidation::Warn | FieldValidation::Ignore => Ok(vec![said]),
    }
}
