//! What a policy says of a request.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::Policy;
use super::definition::Validation;
use crate::admission::authority::{Asker, of_request};
use crate::admission::expression::Meant;
use crate::admission::matching::Request;
use crate::admission::request::describe;
use crate::cel::{self, Bindings};
use crate::registry::Resource;
use crate::status::Status;

/// What all expressions of one policy may cost, for one parameter.
const BUDGET: u64 = 10_000_000;
/// How long a computed message may be.
const LONGEST_MESSAGE: usize = 5 * 1024;

static NOTHING: Value = Value::Null;

/// Something that doesn't hold.
#[derive(Debug)]
pub struct Verdict {
    /// What is said.
    pub message: String,
    /// The reason that the policy gives.
    pub reason: Option<String>,
    /// It denies whatever the binding says.
    pub always: bool,
}

/// A request, ready to be asked about.
pub struct Case<'a> {
    request: &'a Request<'a>,
    object: Cow<'a, Value>,
    old: Cow<'a, Value>,
    described: Value,
    namespace: Option<Arc<Value>>,
}

impl<'a> Case<'a> {
    /// Describes the request in the version that the policy's rules ask for.
    ///
    /// # Errors
    /// Its namespace is not there.
    pub fn new(request: &'a Request<'a>, seen: &Resource) -> Result<Self, Status> {
        let described = describe(request, seen, "");
        Ok(Self {
            request,
            object: request.shown_as(seen, request.object.unwrap_or(&NOTHING)),
            old: request.shown_as(seen, request.review.old.unwrap_or(&NOTHING)),
            described: described.into_iter().filter(|(name, _)| name != "uid").collect(),
            namespace: request.namespace_object()?,
        })
    }

    fn bindings<'b>(&'b self, policy: &'b Policy, param: &'b Option<Value>, asker: &'b Asker<'_>) -> Bindings<'b> {
        let programs = policy.variables.iter().filter_map(|(name, one)| Some((name.as_str(), one.program()?)));
        Bindings::new()
            .json("object", &self.object)
            .json("oldObject", &self.old)
            .json("request", &self.described)
            .json("namespaceObject", self.namespace.as_deref().unwrap_or(&NOTHING))
            .json("params", param.as_ref().unwrap_or(&NOTHING))
            .variables(programs)
            .authorizer_of(asker, of_request(self.request))
    }

    /// Everything that doesn't hold.
    pub fn judge(&self, policy: &Policy, param: &Option<Value>) -> Vec<Verdict> {
        let asker = Asker::of(self.request);
        let error = |message: String, always| {
            policy.fails_closed.then_some(Verdict { message, reason: None, always }).into_iter().collect()
        };
        if !policy.conditions.is_empty() {
            match policy.conditions.meant(self.bindings(policy, param, &asker)) {
                Meant::Yes => {}
                Meant::No => return Vec::new(),
                Meant::Unknown(why) => return error(why, false),
            }
        }
        let bindings = self.bindings(policy, param, &asker).within(BUDGET);
        let mut verdicts: Vec<Verdict> = Vec::new();
        for validation in &policy.validations {
            match validation.rule.evaluate(&bindings) {
                Ok(cel::Value::Bool(true)) => {}
                Ok(_) => verdicts.push(Verdict {
                    message: message(validation, &bindings),
                    reason: Some(validation.reason.clone().unwrap_or_else(|| "Invalid".to_owned())),
                    always: false,
                }),
                Err(why) => verdicts.extend(error(why, false)),
            }
        }
        for annotation in &policy.annotations {
            if let Err(why) = annotation.evaluate(&bindings) {
                verdicts.extend(error(why, true));
            }
        }
        verdicts
    }
}

/// What is said where a rule doesn't hold: the computed words, the written ones, or the rule itself.
fn message<'a>(validation: &'a Validation, bindings: &Bindings<'a>) -> String {
    let computed = validation.message_expression.as_ref().and_then(|expression| match expression.evaluate(bindings) {
        Ok(cel::Value::String(text)) => Some(text.trim().to_owned()),
        Ok(_) => None,
        Err(why) => {
            tracing::warn!(why, "a messageExpression fails");
            None
        }
    });
    let usable = |text: &String| !text.is_empty() && text.len() <= LONGEST_MESSAGE && !text.contains('\n');
    computed.filter(usable).unwrap_or_else(|| match validation.message.as_str() {
        "" => format!("failed expression: {}", validation.rule.text.trim()),
        message => message.to_owned(),
    })
}
