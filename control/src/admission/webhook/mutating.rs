//! Mutating webhooks: one after the other, and once more where one has changed what another has seen.

use std::sync::Arc;

use serde_json::Value;

use super::configuration::{Mutating, Webhook};
use crate::admission::matching::Request;
use crate::admission::{Operation, Review};
use crate::registry::{Registry, Resource, json_patch as bounded};
use crate::status::Status;

/// Which webhooks are asked in the first round of plug-ins, and which in the second.
#[derive(Debug, Default)]
pub struct Rounds {
    second: bool,
    changed: bool,
    /// Those that want to see later changes.
    asked: Vec<(String, usize)>,
    /// Those that have to.
    due: Vec<(String, usize)>,
    left: Option<Value>,
}

impl Rounds {
    /// Goes to the second round, if there has to be one: a webhook changed the object, so everybody looks again.
    pub fn again(&mut self) -> bool {
        let again = self.changed && !self.second;
        self.second = true;
        again
    }

    /// The second round begins with a changed object if a plug-in of ours did something after the webhooks.
    fn begin(&mut self, object: &Value) {
        if self.second && self.left.take().is_some_and(|left| left != *object) {
            self.due.append(&mut self.asked);
        }
    }

    fn is_due(&self, webhook: &Webhook) -> bool {
        !self.second || self.due.contains(&webhook.id)
    }

    fn asked(&mut self, webhook: &Webhook, changed: bool) {
        if changed {
            self.changed = true;
            let others: Vec<_> = self.asked.drain(..).filter(|id| *id != webhook.id).collect();
            self.due.extend(others);
        }
        if webhook.reinvoked && !self.second {
            self.asked.push(webhook.id.clone());
        }
    }
}

/// Lets each webhook that is due change the object.
pub async fn all(
    registry: &Registry,
    review: &Review<'_>,
    configurations: &[Arc<Mutating>],
    object: &mut Value,
    rounds: &mut Rounds,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    rounds.begin(object);
    for webhook in configurations.iter().flat_map(|configuration| &configuration.0) {
        if !rounds.is_due(webhook) {
            continue;
        }
        let request = Request { review, object: Some(object), registry };
        let Some(seen) = webhook.meant(&request)? else { continue };
        let Some(answer) = webhook.ask(&request, &seen, true).await? else { continue };
        warnings.extend(answer.warnings);
        let changed = match answer.patch {
            Some(patch) => patched(&request, &seen, &patch)?.filter(|patched| patched != object),
            None => None,
        };
        rounds.asked(webhook, changed.is_some());
        if let Some(changed) = changed {
            *object = changed;
        }
    }
    if !rounds.second {
        rounds.left = Some(object.clone());
    }
    Ok(())
}

/// The object as the patch makes it: of its type, with defaults.
fn patched(request: &Request<'_>, seen: &Resource, patch: &json_patch::Patch) -> Result<Option<Value>, Status> {
    let Some(object) = request.object else { return Ok(None) };
    let mut patched = request.shown_as(seen, object).into_owned();
    bounded::apply(&mut patched, patch).map_err(Status::internal)?;
    if request.review.operation == Operation::Connect {
        // The options of a stream, which are of none of the resource's types.
        return Ok(Some(patched));
    }
    let asked = &request.review.target.resource;
    if seen.api_version != asked.api_version {
        patched = seen.to_stored_form(patched);
        patched["apiVersion"] = asked.api_version.as_str().into();
    }
    asked.conform(&mut patched).map_err(Status::internal)?;
    asked.default(&mut patched);
    Ok(Some(patched))
}

/// Asks about a request that has no object to change.
pub async fn consult(
    registry: &Registry,
    review: &Review<'_>,
    configurations: &[Arc<Mutating>],
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let request = Request { review, object: None, registry };
    for webhook in configurations.iter().flat_map(|configuration| &configuration.0) {
        let Some(seen) = webhook.meant(&request)? else { continue };
        let Some(answer) = webhook.ask(&request, &seen, true).await? else { continue };
        warnings.extend(answer.warnings);
        if answer.patch.is_some_and(|patch| !patch.is_empty()) {
            let why = "attempted to modify the object, which is not supported for this operation";
            return Err(Status::internal(format!("admission webhook {:?} {why}", webhook.name)));
        }
    }
    Ok(())
}
