//! The configurations of webhooks, read and compiled.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::admission::authority::{Asker, of_request};
use crate::admission::expression::{Conditions, Meant, scope};
use crate::admission::facts::Fact;
use crate::admission::matching::{Matcher, Request};
use crate::admission::request::describe;
use crate::cel::Bindings;
use crate::kinds::Look;
use crate::registry::Resource;
use crate::status::Status;
use crate::webhook::ClientConfig;

static NOTHING: Value = Value::Null;

/// A MutatingWebhookConfiguration.
pub struct Mutating(pub Vec<Webhook>);

/// A ValidatingWebhookConfiguration.
pub struct Validating(pub Vec<Webhook>);

impl Fact for Mutating {
    const RESOURCE: &'static str = "mutatingwebhookconfigurations.admissionregistration.k8s.io";

    fn read(configuration: &Value) -> Self {
        Self(webhooks(configuration))
    }
}

impl Fact for Validating {
    const RESOURCE: &'static str = "validatingwebhookconfigurations.admissionregistration.k8s.io";

    fn read(configuration: &Value) -> Self {
        Self(webhooks(configuration))
    }
}

fn webhooks(configuration: &Value) -> Vec<Webhook> {
    let owner = configuration.text("metadata.name");
    configuration.items("webhooks").iter().enumerate().map(|(i, one)| Webhook::of(owner, i, one)).collect()
}

/// One webhook.
pub struct Webhook {
    /// Which one it is, among all: configuration and place.
    pub id: (String, usize),
    /// `x.example.com`
    pub name: String,
    /// Its server, or why there can't be one.
    pub client: Result<ClientConfig, String>,
    /// How long it has.
    pub timeout: Duration,
    /// No answer is a refusal.
    pub fails_closed: bool,
    /// It does nothing but answer where nothing is stored.
    pub safe_on_dry_run: bool,
    /// It wants to see again what others have changed after it.
    pub reinvoked: bool,
    /// Which AdmissionReview it understands.
    pub review_version: Option<&'static str>,
    matcher: Matcher,
    conditions: Conditions,
}

impl Webhook {
    fn of(owner: &str, place: usize, webhook: &Value) -> Self {
        let known = |version: &Value| ["v1", "v1beta1"].into_iter().find(|known| version == known);
        let seconds = webhook.int("timeoutSeconds").and_then(|s| u64::try_from(s).ok()).unwrap_or(10).clamp(1, 30);
        Self {
            id: (owner.to_owned(), place),
            name: webhook.text("name").to_owned(),
            client: ClientConfig::parse(webhook.at("clientConfig")).map_err(|error| error.to_string()),
            timeout: Duration::from_secs(seconds),
            fails_closed: webhook.text("failurePolicy") != "Ignore",
            safe_on_dry_run: matches!(webhook.text("sideEffects"), "None" | "NoneOnDryRun"),
            reinvoked: webhook.text("reinvocationPolicy") == "IfNeeded",
            review_version: webhook.items("admissionReviewVersions").iter().find_map(known),
            matcher: Matcher::webhook(webhook),
            conditions: Conditions::of(webhook, &scope(false, true)),
        }
    }

    /// The resource in the version that the webhook wants to see, where it is to be asked.
    ///
    /// # Errors
    /// Nobody can tell, and no answer is a refusal.
    pub fn meant(&self, request: &Request<'_>) -> Result<Option<Arc<Resource>>, Status> {
        let Some(seen) = self.matcher.matched(request)? else { return Ok(None) };
        if self.conditions.is_empty() {
            return Ok(Some(seen));
        }
        match self.conditions_hold(request, &seen)? {
            Meant::Yes => Ok(Some(seen)),
            Meant::Unknown(why) if self.fails_closed => Err(request.forbidden(&why)),
            Meant::No | Meant::Unknown(_) => Ok(None),
        }
    }

    fn conditions_hold(&self, request: &Request<'_>, seen: &Resource) -> Result<Meant, Status> {
        let described: Value = describe(request, seen, "").into_iter().filter(|(name, _)| name != "uid").collect();
        let object = request.shown_as(seen, request.object.unwrap_or(&NOTHING));
        let old = request.shown_as(seen, request.review.old.unwrap_or(&NOTHING));
        let namespace = request.namespace_object()?;
        let asker = Asker::of(request);
        let bindings = Bindings::new()
            .json("object", &object)
            .json("oldObject", &old)
            .json("request", &described)
            .json("namespaceObject", namespace.as_deref().unwrap_or(&NOTHING))
            .authorizer_of(&asker, of_request(request));
        Ok(self.conditions.meant(bindings))
    }
}
