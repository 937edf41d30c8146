//! ConversionReview: the question to a conversion webhook, and what its answer must be.

use serde_json::{Value, json};

use crate::kinds::{Change, Look};

/// Asks for `objects` in the version `desired`.
pub fn question(objects: &[Value], desired: &str, uid: &str, review: &str) -> Value {
    json!({
        "kind": "ConversionReview",
        "apiVersion": format!("apiextensions.k8s.io/{review}"),
        "request": {"uid": uid, "desiredAPIVersion": desired, "objects": objects},
    })
}

/// The converted objects of an answer.
///
/// # Errors
/// What is wrong with it, or what the webhook says.
pub fn answer(mut answer: Value, uid: &str, review: &str) -> Result<Vec<Value>, String> {
    if review == "v1" {
        let (version, kind) = (answer.text("apiVersion"), answer.text("kind"));
        if (version, kind) != ("apiextensions.k8s.io/v1", "ConversionReview") {
            let wanted = "apiextensions.k8s.io/v1, Kind=ConversionReview";
            return Err(format!("expected webhook response of {wanted}, got {version}, Kind={kind}"));
        }
    }
    if !answer.at("response").is_object() {
        return Err("no response provided".to_owned());
    }
    let said = answer.text("response.uid");
    if review == "v1" && said != uid {
        return Err(format!("expected response.uid={uid:?}, got {said:?}"));
    }
    let result = answer.at("response.result");
    match (result.text("status"), result.text("message")) {
        ("Success", _) => {}
        (status, "") => return Err(format!("response.result.status was '{status}', not 'Success'")),
        (_, message) => return Err(message.to_owned()),
    }
    match answer.pointer_mut("/response/convertedObjects").map(Value::take) {
        Some(Value::Array(objects)) => Ok(objects),
        _ => Ok(Vec::new()),
    }
}

/// Checks that a converted object is still the same one, and gives it back the metadata that conversion may not change.
///
/// # Errors
/// What a webhook may not do.
pub fn restore(original: &Value, mut converted: Value, desired: &str) -> Result<Value, String> {
    let got = converted.text("apiVersion");
    if got != desired {
        return Err(format!("invalid groupVersion (expected {desired}, received {got})"));
    }
    if converted.at("kind") != original.at("kind") {
        let (expected, got) = (original.text("kind"), converted.text("kind"));
        return Err(format!("invalid kind (expected {expected}, received {got})"));
    }
    for (field, words) in [("name", "name"), ("namespace", "namespace"), ("uid", "UID")] {
        let (was, is) = (original.at("metadata").text(field), converted.at("metadata").text(field));
        if was != is {
            return Err(format!("must have the same {words}: {was} != {is}"));
        }
    }
    let mut metadata = original.at("metadata").clone();
    for field in ["labels", "annotations"] {
        metadata.restore("", field, converted.at("metadata"));
    }
    converted.set("", "metadata", metadata);
    Ok(converted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_must_answer_the_question() {
        let good = |uid: &str| {
            json!({"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1",
            "response": {"uid": uid, "result": {"status": "Success"}, "convertedObjects": [{}]}})
        };
        assert_eq!(answer(good("u"), "u", "v1"), Ok(vec![json!({})]));
        assert_eq!(answer(good("x"), "u", "v1"), Err("expected response.uid=\"u\", got \"x\"".to_owned()));
        let failed = json!({"response": {"result": {"status": "Failed", "message": "no way"}}});
        assert_eq!(answer(failed, "u", "v1beta1"), Err("no way".to_owned()));
        assert_eq!(answer(json!({}), "u", "v1beta1"), Err("no response provided".to_owned()));
    }

    #[test]
    fn conversion_leaves_identity_alone() {
        let original = json!({"apiVersion": "a/v1", "kind": "K", "metadata": {"name": "n", "labels": {"a": "b"},
            "generation": 3}});
        let converted = json!({"apiVersion": "a/v2", "kind": "K", "metadata": {"name": "n", "labels": {"a": "c"},
            "generation": 9}});
        let restored = restore(&original, converted.clone(), "a/v2").expect("a good conversion");
        assert_eq!(restored["metadata"], json!({"name": "n", "labels": {"a": "c"}, "generation": 3}));
        let mut renamed = converted;
        renamed["metadata"]["name"] = "m".into();
        assert_eq!(restore(&original, renamed, "a/v2"), Err("must have the same name: n != m".to_owned()));
    }
}
