//! What a webhook answers: yes, with a patch and warnings perhaps, or no.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use serde_json::Value;

use crate::kinds::Look;
use crate::status::Status;

/// A yes.
#[derive(Debug, Default)]
pub struct Answer {
    /// What has to change.
    pub patch: Option<json_patch::Patch>,
    /// For the client.
    pub warnings: Vec<String>,
}

/// No yes.
#[derive(Debug)]
pub enum Failure {
    /// A no.
    Refused(Box<Status>),
    /// Nothing that could be understood.
    Unanswered(String),
}

/// Reads the AdmissionReview that came back.
///
/// # Errors
/// See [`Failure`].
pub fn read(webhook: &str, version: &str, uid: &str, patches: bool, review: Value) -> Result<Answer, Failure> {
    verify(version, uid, &review).map_err(invalid)?;
    let response = review.at("response");
    let warnings = response.items("warnings").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if !response.flag("allowed") {
        return Err(Failure::Refused(Box::new(refusal(webhook, response.at("status")))));
    }
    let patch = patch(version, patches, response).map_err(invalid)?;
    Ok(Answer { patch, warnings })
}

fn invalid(why: String) -> Failure {
    Failure::Unanswered(format!("received invalid webhook response: {why}"))
}

fn verify(version: &str, uid: &str, review: &Value) -> Result<(), String> {
    let (api_version, kind) = (review.text("apiVersion"), review.text("kind"));
    let wanted = format!("admission.k8s.io/{version}");
    // The first version let servers answer without saying what.
    if (api_version != wanted || kind != "AdmissionReview") && version == "v1" {
        return Err(format!(
            "expected webhook response of {wanted}, Kind=AdmissionReview, got {api_version}, Kind={kind}"
        ));
    }
    if !review.at("response").is_object() {
        return Err("webhook response was absent".to_owned());
    }
    let answered = review.text("response.uid");
    if version == "v1" && answered != uid {
        return Err(format!("expected response.uid={uid:?}, got {answered:?}"));
    }
    Ok(())
}

fn patch(version: &str, allowed: bool, response: &Value) -> Result<Option<json_patch::Patch>, String> {
    let (encoded, kind) = (response.text("patch"), response.text("patchType"));
    if encoded.is_empty() {
        return if kind.is_empty() || version != "v1" {
            Ok(None)
        } else if allowed {
            Err("webhook returned response.patchType but not response.patch".to_owned())
        } else {
            Err("validating webhook may not return response.patchType".to_owned())
        };
    }
    if !allowed {
        return if version == "v1" {
            Err("validating webhook may not return response.patch".to_owned())
        } else {
            Ok(None)
        };
    }
    if version == "v1" && kind.is_empty() {
        return Err("webhook returned response.patch but not response.patchType".to_owned());
    }
    if !kind.is_empty() && kind != "JSONPatch" {
        return Err(format!("webhook returned invalid response.patchType of {kind:?}"));
    }
    let bytes = STANDARD.decode(encoded).map_err(|error| format!("response.patch: {error}"))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("response.patch: {error}"))
}

/// The status that the webhook gives, with its name in front of the words.
fn refusal(webhook: &str, result: &Value) -> Status {
    let mut status: meta::Status = serde_json::from_value(result.clone()).unwrap_or_default();
    status.code = Some(status.code.unwrap_or_default().max(400));
    if !matches!(status.status.as_deref(), Some(given) if !given.is_empty() && given != "Success") {
        status.status = Some("Failure".to_owned());
    }
    let denied = format!("admission webhook {webhook:?} denied the request");
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    status.message = Some(match filled(&status.message).or_else(|| filled(&status.reason)) {
        Some(why) => format!("{denied}: {why}"),
        None => format!("{denied} without explanation"),
    });
    status.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(patches: bool, response: Value) -> Result<Answer, String> {
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
        read("a.b.c", "v1", "u", patches, review).map_err(|failure| match failure {
            Failure::Refused(status) => format!("{} {}", status.code(), status.message()),
            Failure::Unanswered(why) => why,
        })
    }

    #[test]
    fn refusals_are_in_upstreams_words() {
        for (response, words) in [
            (json!({"uid": "u"}), "400 admission webhook \"a.b.c\" denied the request without explanation"),
            (
                json!({"uid": "u", "allowed": false, "status": {"code": 403, "message": "no"}}),
                "403 admission webhook \"a.b.c\" denied the request: no",
            ),
            (
                json!({"uid": "u", "status": {"code": 200, "reason": "Why"}}),
                "400 admission webhook \"a.b.c\" denied the request: Why",
            ),
            (
                json!({"uid": "x", "allowed": true}),
                "received invalid webhook response: expected response.uid=\"u\", got \"x\"",
            ),
            (json!(null), "received invalid webhook response: webhook response was absent"),
            (
                json!({"uid": "u", "allowed": true, "patch": "W10="}),
                "received invalid webhook response: webhook returned response.patch but not response.patchType",
            ),
            (
                json!({"uid": "u", "allowed": true, "patch": "W10=", "patchType": "X"}),
                "received invalid webhook response: webhook returned invalid response.patchType of \"X\"",
            ),
        ] {
            assert_eq!(said(true, response).unwrap_err(), words);
        }
        let patch = json!({"uid": "u", "allowed": true, "patch": "W10=", "patchType": "JSONPatch", "warnings": ["w"]});
        assert_eq!(said(true, patch.clone()).unwrap().warnings, ["w"]);
        assert_eq!(
            said(false, patch).unwrap_err(),
            "received invalid webhook response: validating webhook may not return response.patch"
        );
    }
}
