//! ValidatingAdmissionPolicies: rules in CEL about requests, put into force by their bindings.
//!
//! ```text
//! policy (what is checked) ─► its bindings (where, and what follows) ─► their parameters ─► a verdict for each
//! ```
//!
//! Policies are compiled once a revision and found in the store at each request: without any, a request pays for two
//! look-ups of an empty table.

mod definition;
mod params;
mod typing;
mod verdict;

use serde_json::Value;

use super::Review;
use super::facts::{Fact, Facts};
use super::matching::Request;
use crate::registry::Registry;
use crate::status::Status;
use crate::store::Store;
pub use definition::{Binding, Policy, variables};
pub use typing::check as check_types;
use verdict::Verdict;

/// The policies and bindings of the cluster.
#[derive(Default)]
pub struct Policies {
    policies: Facts<Policy>,
    bindings: Facts<Binding>,
}

impl Policies {
    /// Asks every policy that is in force about a request.
    ///
    /// # Errors
    /// The first denial.
    pub fn validate(
        &self,
        registry: &Registry,
        review: &Review<'_>,
        object: Option<&Value>,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        if is_unused(registry.store()) {
            return Ok(());
        }
        let request = Request { review, object, registry };
        if request.is_exempt() {
            return Ok(());
        }
        let bindings = self.bindings.all(registry.store(), None);
        let mut denials = Vec::new();
        for policy in self.policies.all(registry.store(), None) {
            let bound: Vec<&Binding> =
                bindings.iter().map(AsRef::as_ref).filter(|binding| binding.policy == policy.name).collect();
            if !bound.is_empty() {
                judge(&request, &policy, &bound, &mut denials, warnings)?;
            }
        }
        denials.into_iter().next().map_or(Ok(()), |denial| Err(denial.status(&request)))
    }
}

fn is_unused(store: &Store) -> bool {
    store.count(Binding::RESOURCE) == 0 || store.count(Policy::RESOURCE) == 0
}

/// A refusal by a policy.
struct Denial {
    by: String,
    message: String,
    reason: Option<String>,
}

impl Denial {
    fn new(policy: &Policy, binding: Option<&Binding>, message: String, reason: Option<String>) -> Self {
        let by = match binding {
            Some(binding) => format!("ValidatingAdmissionPolicy '{}' with binding '{}'", policy.name, binding.name),
            None => format!("ValidatingAdmissionPolicy '{}'", policy.name),
        };
        Self { by, message, reason }
    }

    fn status(self, request: &Request<'_>) -> Status {
        let message = format!("{} denied request: {}", self.by, self.message);
        let reason = self.reason.as_deref().unwrap_or("Invalid");
        let code = match reason {
            "Forbidden" => 403,
            "Unauthorized" => 401,
            "RequestEntityTooLarge" => 413,
            _ => 422,
        };
        request.forbidden(&message).with_code(code, reason).because("", message, "")
    }
}

/// One policy, with each binding and each of its parameters.
fn judge(
    request: &Request<'_>,
    policy: &Policy,
    bindings: &[&Binding],
    denials: &mut Vec<Denial>,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let seen = match policy.seen(request) {
        Ok(Some(seen)) => seen,
        Ok(None) => return Ok(()),
        Err(why) => {
            denials.extend(misconfigured(policy, None, &why));
            return Ok(());
        }
    };
    let mut described = None;
    for binding in bindings {
        let params = match params::of_binding(request, policy, binding) {
            Ok(params) => params,
            Err(why) => {
                denials.extend(misconfigured(policy, Some(binding), &why));
                continue;
            }
        };
        for param in &params {
            if described.is_none() {
                described = Some(verdict::Case::new(request, &seen)?);
            }
            let verdicts = described.as_ref().map(|case| case.judge(policy, param)).unwrap_or_default();
            follow(policy, binding, verdicts, denials, warnings);
        }
    }
    Ok(())
}

/// What keeps a policy from being asked denies where the policy fails closed.
fn misconfigured(policy: &Policy, binding: Option<&Binding>, why: &str) -> Option<Denial> {
    let what = if binding.is_some() { "binding" } else { "policy" };
    let message = format!("failed to configure {what}: {why}");
    policy.fails_closed.then(|| Denial::new(policy, binding, message, None))
}

/// What follows from verdicts, as the binding has it.
fn follow(
    policy: &Policy,
    binding: &Binding,
    verdicts: Vec<Verdict>,
    denials: &mut Vec<Denial>,
    warnings: &mut Vec<String>,
) {
    for verdict in verdicts {
        if verdict.always || binding.denies {
            denials.push(Denial::new(policy, Some(binding), verdict.message.clone(), verdict.reason.clone()));
        }
        if !verdict.always && binding.warns {
            warnings.push(format!(
                "Validation failed for ValidatingAdmissionPolicy '{}' with binding '{}': {}",
                policy.name, binding.name, verdict.message
            ));
        }
        if !verdict.always && binding.audits {
            let (policy, binding) = (&policy.name, &binding.name);
            tracing::info!(%policy, %binding, message = %verdict.message, "a request fails an admission policy");
        }
    }
}
