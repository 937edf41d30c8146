//! Kubernetes' own groups: a definition in one of them says who approved it.

use http::Uri;
use serde_json::Value;

use crate::custom::condition::Condition;
use crate::field::{Errors, Path};
use crate::kinds::Look;

const ANNOTATION: &str = "api-approved.kubernetes.io";
const MORE: &str = "see https://github.com/kubernetes/enhancements/pull/1111";

/// The condition that says so.
pub const CONDITION: &str = "KubernetesAPIApprovalPolicyConformant";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Approval {
    Missing,
    Invalid,
    Bypassed,
    Given,
}

/// Refuses a definition in a protected group without a word on its approval; one that was there stays.
pub fn validate(new: &Value, old: Option<&Value>, errors: &mut Errors) {
    if !is_protected(new.text("spec.group")) {
        return;
    }
    let (approval, reason) = state(new);
    if old.is_some_and(|old| state(old).0 == approval) {
        return;
    }
    let at = Path::new("metadata").child("annotations").key(ANNOTATION);
    match approval {
        Approval::Missing => errors.required(&at, &reason),
        Approval::Invalid => errors.invalid(&at, annotation(new), &reason),
        Approval::Bypassed | Approval::Given => {}
    }
}

/// What a definition's status says about its approval; nothing outside protected groups.
pub fn condition(definition: &Value) -> Option<Condition> {
    if !is_protected(definition.text("spec.group")) {
        return None;
    }
    let (approval, words) = state(definition);
    let reason = match approval {
        Approval::Missing => "MissingAnnotation",
        Approval::Invalid => "InvalidAnnotation",
        Approval::Bypassed => "UnapprovedAnnotation",
        Approval::Given => "ApprovedAnnotation",
    };
    Some(Condition::new(CONDITION, approval == Approval::Given, reason, words))
}

fn is_protected(group: &str) -> bool {
    ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|own| group.strip_suffix(own).is_some_and(|below| below.is_empty() || below.ends_with('.')))
}

fn annotation(definition: &Value) -> &str {
    definition.at("metadata.annotations").get(ANNOTATION).and_then(Value::as_str).unwrap_or_default()
}

fn state(definition: &Value) -> (Approval, String) {
    let text = annotation(definition);
    let is_url = || text.parse::<Uri>().is_ok_and(|u| u.scheme().is_some() && u.host().is_some_and(|h| !h.is_empty()));
    match text {
        "" => (Approval::Missing, format!("protected groups must have approval annotation {ANNOTATION:?}, {MORE}")),
        text if text.starts_with("unapproved") => (Approval::Bypassed, format!("not approved: {text:?}")),
        text if is_url() => (Approval::Given, format!("approved in {text}")),
        _ => {
            let either = "with either a URL or a reason starting with \"unapproved\"";
            (
                Approval::Invalid,
                format!("protected groups must have approval annotation {ANNOTATION:?} {either}, {MORE}"),
            )
        }
    }
}
