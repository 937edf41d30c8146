//! What expressions ask of the authorizer.

use super::matching::Request;
use crate::auth::{Action, Attributes, Authorizer, Caller};
use crate::cel::{Answer, Authority, Question};

/// The rules, asked about whoever makes a request.
pub struct Asker<'a> {
    /// Who decides.
    pub authorizer: &'a Authorizer,
    /// Who makes the request.
    pub caller: &'a Caller,
}

impl<'a> Asker<'a> {
    /// About the caller of this request.
    pub fn of(request: &Request<'a>) -> Self {
        Self { authorizer: request.registry.authorizer(), caller: &request.review.options.caller }
    }
}

impl Authority for Asker<'_> {
    fn decide(&self, question: &Question) -> Answer {
        let account = question.service_account.as_ref().map(|(namespace, name)| account(namespace, name));
        let caller = account.as_ref().unwrap_or(self.caller);
        let decision = self.authorizer.decide(caller, &wanted(question));
        Answer { allowed: decision.is_allowed(), reason: decision.reason().to_owned(), error: None }
    }
}

fn account(namespace: &str, name: &str) -> Caller {
    let groups = ["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
    Caller::authenticated(&format!("system:serviceaccount:{namespace}:{name}"), groups)
}

fn wanted(question: &Question) -> Attributes {
    let verb = question.verb.clone();
    match &question.path {
        Some(path) => Attributes::Path { verb, path: path.clone() },
        None => Attributes::Resource(Action {
            verb,
            group: question.group.clone(),
            resource: question.resource.clone(),
            subresource: question.subresource.clone(),
            namespace: question.namespace.clone(),
            name: question.name.clone(),
            ..Action::default()
        }),
    }
}

/// The resource that a request is about: `authorizer.requestResource`.
pub fn of_request(request: &Request<'_>) -> Question {
    let row = &request.review.target.resource.row;
    Question {
        group: row.group.clone(),
        resource: row.resource.clone(),
        subresource: request.review.subresource.to_owned(),
        namespace: request.review.target.namespace.to_string(),
        name: request.name().to_owned(),
        ..Question::default()
    }
}
