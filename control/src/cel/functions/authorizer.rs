//! `authorizer.group('apps').resource('deployments').namespace('x').check('get').allowed()`

use std::sync::Arc;

use super::super::types::Library;
use super::super::value::Value;
use super::{Answer as CelAnswer, Function, Run, failed, no_overload};

/// What a check costs: rules are looked through (upstream's price).
const CHECK: usize = 350_000;

/// Who knows what whoever makes the request may do.
pub trait Authority {
    /// May they, or the service account that is asked about?
    fn decide(&self, question: &Question) -> Answer;
}

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// A service account's namespace and name, where it is not about the caller.
    pub service_account: Option<(String, String)>,
    /// A path that is no resource.
    pub path: Option<String>,
    /// The resource's group.
    pub group: String,
    /// In plural: `pods`.
    pub resource: String,
    /// Empty for the object itself.
    pub subresource: String,
    /// Empty for all.
    pub namespace: String,
    /// Empty for all.
    pub name: String,
    /// `get`
    pub verb: String,
}

/// What is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Yes.
    pub allowed: bool,
    /// Why.
    pub reason: String,
    /// What kept it from being found out.
    pub error: Option<String>,
}

/// A question as far as it has been put, or its answer.
#[derive(Clone, Debug)]
pub struct Check {
    stage: Library,
    question: Question,
    answer: Answer,
}

impl Check {
    /// Nothing asked.
    pub fn start() -> Self {
        Self { stage: Library::Authorizer, question: Question::default(), answer: Answer::default() }
    }

    /// A resource, and nothing asked of it yet.
    pub fn about(resource: Question) -> Self {
        Self { stage: Library::ResourceCheck, question: resource, answer: Answer::default() }
    }

    /// How far it has been put, as a type.
    pub fn library(&self) -> Library {
        self.stage
    }

    fn then<'a>(&self, stage: Library, put: impl FnOnce(&mut Question)) -> Value<'a> {
        let mut next = Self { stage, ..self.clone() };
        put(&mut next.question);
        Value::Check(Arc::new(next))
    }
}

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        ".path" | ".group" | ".serviceAccount" | ".resource" | ".subresource" | ".namespace" | ".name"
        | ".fieldSelector" | ".labelSelector" => put,
        ".check" => check,
        ".allowed" | ".reason" | ".errored" | ".error" => answer,
        _ => return None,
    })
}

fn put<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> CelAnswer<'a> {
    use Library::{Authorizer, GroupCheck, PathCheck, ResourceCheck};
    let [Value::Check(check), Value::String(text), rest @ ..] = of.as_slice() else {
        return Err(no_overload(run.name, &of));
    };
    let text = text.to_string();
    Ok(match (run.name, check.stage, rest) {
        (".path", Authorizer, []) => check.then(PathCheck, |question| question.path = Some(text)),
        (".group", Authorizer, []) => check.then(GroupCheck, |question| question.group = text),
        (".serviceAccount", Authorizer, [Value::String(name)]) => {
            check.then(Authorizer, |question| question.service_account = Some((text, name.to_string())))
        }
        (".resource", GroupCheck, []) => check.then(ResourceCheck, |question| question.resource = text),
        (".subresource", ResourceCheck, []) => check.then(ResourceCheck, |question| question.subresource = text),
        (".namespace", ResourceCheck, []) => check.then(ResourceCheck, |question| question.namespace = text),
        (".name", ResourceCheck, []) => check.then(ResourceCheck, |question| question.name = text),
        // Rules of RBAC do not look at selectors.
        (".fieldSelector" | ".labelSelector", ResourceCheck, []) => check.then(ResourceCheck, |_| {}),
        _ => return Err(no_overload(run.name, &of)),
    })
}

fn check<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> CelAnswer<'a> {
    let [Value::Check(check), Value::String(verb)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    if !matches!(check.stage, Library::PathCheck | Library::ResourceCheck) {
        return Err(no_overload(run.name, &of));
    }
    run.meter.charge(CHECK)?;
    let Some(authority) = run.authority else { return Err(failed("no authorizer")) };
    let question = Question { verb: verb.to_string(), ..check.question.clone() };
    let answer = authority.decide(&question);
    Ok(Value::Check(Arc::new(Check { stage: Library::Decision, question, answer })))
}

fn answer<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> CelAnswer<'a> {
    let [Value::Check(check)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    if check.stage != Library::Decision {
        return Err(no_overload(run.name, &of));
    }
    Ok(match run.name {
        ".allowed" => Value::Bool(check.answer.allowed),
        ".reason" => Value::text(check.answer.reason.as_str()),
        ".errored" => Value::Bool(check.answer.error.is_some()),
        _ => Value::text(check.answer.error.as_deref().unwrap_or_default()),
    })
}
