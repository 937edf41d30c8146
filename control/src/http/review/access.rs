//! May he? The caller himself, or whoever the question names.

use serde_json::{Value, json};

use crate::auth::{Action, Attributes, Authorizer, Caller, Decision, selector_fields};
use crate::field::{Errors, Path};
use crate::kinds::Look;
use crate::status::Status;

const RESOURCE: &str = "spec.resourceAttributes";
const PATH: &str = "spec.nonResourceAttributes";

/// What the caller may.
///
/// # Errors
/// 422 for a question that makes no sense.
pub fn of_self(authorizer: &Authorizer, caller: &Caller, review: &Value) -> Result<Value, Status> {
    let mut errors = Errors::default();
    check_attributes(review, &mut errors);
    check_selectors(review, &mut errors);
    check_metadata(review, "must be empty", &mut errors);
    verdict(&errors)?;
    Ok(status(&authorizer.decide(caller, &wanted(review))))
}

/// What somebody else may.
///
/// # Errors
/// 422 for a question that makes no sense.
pub fn of_subject(authorizer: &Authorizer, review: &Value) -> Result<Value, Status> {
    let mut errors = Errors::default();
    check_subject(review, &mut errors);
    check_metadata(review, "must be empty", &mut errors);
    verdict(&errors)?;
    Ok(status(&authorizer.decide(&subject(review), &wanted(review))))
}

/// What somebody else may in the namespace of the question.
///
/// # Errors
/// 422 for a question that makes no sense.
pub fn of_local_subject(authorizer: &Authorizer, review: &Value) -> Result<Value, Status> {
    let mut errors = Errors::default();
    check_subject(review, &mut errors);
    check_metadata(review, "must be empty except for namespace", &mut errors);
    let at = Path::new(RESOURCE).child("namespace");
    let namespace = review.text(&at.to_string());
    if review.has(RESOURCE) && namespace != review.text("metadata.namespace") {
        errors.invalid(&at, namespace, "must match metadata.namespace");
    }
    if review.has(PATH) {
        errors.invalid_as(&Path::new(PATH), &shown_path(review), "disallowed on this kind of request");
    }
    verdict(&errors)?;
    Ok(status(&authorizer.decide(&subject(review), &wanted(review))))
}

fn status(decision: &Decision) -> Value {
    let mut status = json!({"allowed": decision.is_allowed()});
    if matches!(decision, Decision::Deny(_)) {
        status["denied"] = true.into();
    }
    if !decision.reason().is_empty() {
        status["reason"] = decision.reason().into();
    }
    status
}

/// Upstream has forgotten the kind by the time that it refuses.
fn verdict(errors: &Errors) -> Result<(), Status> {
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid(".authorization.k8s.io", "", errors)) }
}

fn wanted(review: &Value) -> Attributes {
    let text = |at: &str, field: &str| review.text(&format!("{at}.{field}")).to_owned();
    if review.has(PATH) {
        return Attributes::Path { verb: text(PATH, "verb"), path: text(PATH, "path") };
    }
    Attributes::Resource(Action {
        verb: text(RESOURCE, "verb"),
        group: text(RESOURCE, "group"),
        version: text(RESOURCE, "version"),
        resource: text(RESOURCE, "resource"),
        subresource: text(RESOURCE, "subresource"),
        namespace: text(RESOURCE, "namespace"),
        name: text(RESOURCE, "name"),
        fields: fields(review),
    })
}

/// The fields that the selector in question pins to one value.
fn fields(review: &Value) -> Vec<(String, String)> {
    let at = format!("{RESOURCE}.fieldSelector");
    let required = review.items(&format!("{at}.requirements")).iter().filter_map(|r| match r.items("values") {
        [value] if r.text("operator") == "In" => Some((r.text("key").to_owned(), value.as_str()?.to_owned())),
        _ => None,
    });
    required.chain(selector_fields(review.text(&format!("{at}.rawSelector")))).collect()
}

fn subject(review: &Value) -> Caller {
    let texts = |list: &[Value]| list.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    let extra = review.entries("spec.extra");
    Caller {
        user: review.text("spec.user").to_owned(),
        uid: review.text("spec.uid").to_owned(),
        groups: texts(review.items("spec.groups")),
        extra: extra.map(|(key, values)| (key.to_lowercase(), texts(values.items("")))).collect(),
    }
}

fn check_subject(review: &Value, errors: &mut Errors) {
    check_attributes(review, errors);
    if review.text("spec.user").is_empty() && review.items("spec.groups").is_empty() {
        errors.invalid(&Path::new("spec").child("user"), "", "at least one of user or group must be specified");
    }
    check_selectors(review, errors);
}

fn check_attributes(review: &Value, errors: &mut Errors) {
    match (review.has(RESOURCE), review.has(PATH)) {
        (true, true) => {
            let why = "cannot be specified in combination with resourceAttributes";
            errors.invalid_as(&Path::new(PATH), &shown_path(review), why);
        }
        (false, false) => {
            let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            errors.invalid(&Path::new(RESOURCE), "null", why);
        }
        _ => {}
    }
}

/// Non-resource attributes as Go shows them.
fn shown_path(review: &Value) -> String {
    let text = |field: &str| Value::from(review.text(&format!("{PATH}.{field}")));
    format!("authorization.NonResourceAttributes{{Path:{}, Verb:{}}}", text("path"), text("verb"))
}

fn check_metadata(review: &Value, why: &str, errors: &mut Errors) {
    let other = |field: &str| !matches!(field, "namespace" | "managedFields" | "creationTimestamp");
    let filled =
        |value: &Value| !matches!(value, Value::Null) && value != "" && value != &json!({}) && value != &json!([]);
    if review.entries("metadata").any(|(field, value)| other(field) && filled(value)) {
        errors.invalid(&Path::new("metadata"), review.at("metadata").clone(), why);
    }
}

fn check_selectors(review: &Value, errors: &mut Errors) {
    for selector in ["fieldSelector", "labelSelector"] {
        let path = format!("{RESOURCE}.{selector}");
        if review.has(&path) {
            check_selector(review.at(&path), &Path::new(&path), errors);
        }
    }
}

fn check_selector(selector: &Value, at: &Path, errors: &mut Errors) {
    let (raw, requirements) = (selector.text("rawSelector"), selector.items("requirements"));
    match (raw, requirements) {
        ("", []) => {
            let why = format!("when {at} is specified, requirements or rawSelector is required");
            errors.required(&at.child("requirements"), &why);
        }
        ("", _) | (_, []) => {}
        (raw, _) => errors.invalid(&at.child("rawSelector"), raw, "may not specified at the same time as requirements"),
    }
    for (i, requirement) in requirements.iter().enumerate() {
        let at = at.child("requirements").index(i);
        if requirement.text("key").is_empty() {
            errors.required(&at.child("key"), "must be specified");
        }
        let values = requirement.items("values");
        match requirement.text("operator") {
            "In" | "NotIn" if values.is_empty() => {
                errors.required(&at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.forbidden(&at.child("values"), why);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Mode;
    use crate::store::{self, Store};

    fn authorizer() -> Authorizer {
        Authorizer::new(&[Mode::AlwaysAllow], &Store::open(store::Config::default()).unwrap())
    }

    fn refused(spec: &Value) -> String {
        of_subject(&authorizer(), &json!({"metadata": {}, "spec": spec})).unwrap_err().message().to_owned()
    }

    #[test]
    fn questions_that_make_no_sense_are_refused() {
        assert_eq!(
            refused(&json!({})),
            ".authorization.k8s.io \"\" is invalid: [spec.resourceAttributes: Invalid value: \"null\": exactly one of \
             nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value: \"\": at least one \
             of user or group must be specified]"
        );
        let both =
            json!({"user": "bob", "resourceAttributes": {}, "nonResourceAttributes": {"path": "/x", "verb": "get"}});
        assert_eq!(
            refused(&both),
            ".authorization.k8s.io \"\" is invalid: spec.nonResourceAttributes: Invalid value: \
             authorization.NonResourceAttributes{Path:\"/x\", Verb:\"get\"}: cannot be specified in combination with \
             resourceAttributes"
        );
        let selector = json!({"user": "bob", "resourceAttributes": {"fieldSelector": {}, "labelSelector":
            {"rawSelector": "a=b", "requirements": [{"key": "", "operator": "In"}]}}});
        let words = refused(&selector);
        for part in [
            "spec.resourceAttributes.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector \
             is specified, requirements or rawSelector is required",
            "spec.resourceAttributes.labelSelector.rawSelector: Invalid value: \"a=b\": may not specified at the same time \
             as requirements",
            "spec.resourceAttributes.labelSelector.requirements[0].key: Required value: must be specified",
            "requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ] {
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn a_local_question_stays_in_its_namespace() {
        let review = |attributes: Value| {
            json!({"metadata": {"namespace": "a"}, "spec": {"user": "bob",
            "resourceAttributes": attributes}})
        };
        assert!(of_local_subject(&authorizer(), &review(json!({"namespace": "a", "verb": "get"}))).is_ok());
        let words = of_local_subject(&authorizer(), &review(json!({"namespace": "b"}))).unwrap_err();
        assert!(words.message().contains("namespace: Invalid value: \"b\": must match metadata.namespace"), "{words}");
    }
}
