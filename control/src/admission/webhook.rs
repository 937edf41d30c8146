//! Admission webhooks: other people's servers are asked whether a request may be, and what has to change first.
//!
//! ```text
//! configurations (by name) ─► webhooks (in order) ─► matcher, conditions ─► call ─► answer
//!                                        mutating: one after the other, each sees what the one before made
//!                                        validating: all at once
//! ```

mod answer;
mod configuration;
mod mutating;
mod validating;

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Review;
use super::facts::{Fact, Facts};
use super::matching::Request;
use super::request::describe;
use crate::registry::{Registry, Resource};
use crate::status::Status;
use answer::{Answer, Failure};
use configuration::{Mutating, Validating, Webhook};
pub use mutating::Rounds;

/// The webhooks of the cluster.
#[derive(Default)]
pub struct Webhooks {
    mutating: Facts<Mutating>,
    validating: Facts<Validating>,
}

impl Webhooks {
    /// Lets mutating webhooks change the object; `rounds` says which of them this time.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn mutate(
        &self,
        registry: &Registry,
        review: &Review<'_>,
        object: &mut Value,
        rounds: &mut Rounds,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        if registry.store().count(Mutating::RESOURCE) == 0 || exempt(registry, review) {
            return Ok(());
        }
        let configurations = self.mutating.all(registry.store(), None);
        mutating::all(registry, review, &configurations, object, rounds, warnings).await
    }

    /// Asks mutating webhooks about a request without an object: they have nothing to change.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn consult(
        &self,
        registry: &Registry,
        review: &Review<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        if registry.store().count(Mutating::RESOURCE) == 0 || exempt(registry, review) {
            return Ok(());
        }
        let configurations = self.mutating.all(registry.store(), None);
        mutating::consult(registry, review, &configurations, warnings).await
    }

    /// Asks validating webhooks about the object as it is going to be.
    ///
    /// # Errors
    /// The refusal of the first of them.
    pub async fn validate(
        &self,
        registry: &Registry,
        review: &Review<'_>,
        object: Option<&Value>,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        if registry.store().count(Validating::RESOURCE) == 0 || exempt(registry, review) {
            return Ok(());
        }
        let configurations = self.validating.all(registry.store(), None);
        let request = Request { review, object, registry };
        validating::all(&request, &configurations, warnings).await
    }
}

fn exempt(registry: &Registry, review: &Review<'_>) -> bool {
    Request { review, object: None, registry }.is_exempt()
}

impl Webhook {
    /// Asks about a request that it is meant to be asked about. None: it gave no answer, which is let pass.
    async fn ask(&self, request: &Request<'_>, seen: &Resource, patches: bool) -> Result<Option<Answer>, Status> {
        if request.review.options.dry_run && !self.safe_on_dry_run {
            let why = format!("admission webhook {:?} does not support dry run", self.name);
            return Err(Status::bad_request(why));
        }
        match self.call(request, seen, patches).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Refused(status)) => Err(*status),
            Err(Failure::Unanswered(why)) => {
                let why = format!("failed calling webhook {:?}: {why}", self.name);
                if self.fails_closed {
                    return Err(Status::internal(why));
                }
                tracing::warn!(webhook = %self.name, why, "failing open");
                Ok(None)
            }
        }
    }

    async fn call(&self, request: &Request<'_>, seen: &Resource, patches: bool) -> Result<Answer, Failure> {
        let unanswered = |why: String| Failure::Unanswered(why);
        let config = self.client.as_ref().map_err(|why| unanswered(format!("could not get REST client: {why}")))?;
        let version = self.review_version.ok_or_else(|| {
            unanswered("could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)".to_owned())
        })?;
        let uid = uuid::Uuid::new_v4().to_string();
        let body = review_body(request, seen, &uid, version);
        let called = request.registry.webhooks().call(config, &body, self.timeout).await;
        let answer = called.map_err(|error| unanswered(format!("failed to call webhook: {error}")))?;
        answer::read(&self.name, version, &uid, patches, answer)
    }
}

/// The body of an AdmissionReview.
fn review_body(request: &Request<'_>, seen: &Resource, uid: &str, version: &str) -> Value {
    let mut described = describe(request, seen, uid);
    let object =
        |object: Option<&Value>| object.map_or(Value::Null, |object| shown(request, seen, object).into_owned());
    described.insert("object".to_owned(), object(request.object));
    described.insert("oldObject".to_owned(), object(request.review.old));
    json!({"kind": "AdmissionReview", "apiVersion": format!("admission.k8s.io/{version}"), "request": described})
}

fn shown<'v>(request: &Request<'_>, seen: &Resource, object: &'v Value) -> Cow<'v, Value> {
    request.shown_as(seen, object)
}
