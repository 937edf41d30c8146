//! Secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use objects::names;
use serde_json::Value;

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::configmaps::{SIZE_MAX, decoded_len, keep_immutable};
use super::{Behavior, cells, metadata};
use crate::field::{Errors, Path};

/// What secrets do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_update: |new, old| {
        if new.text("type").is_empty() {
            new.restore("", "type", old);
        }
    },
    validate,
    validate_update,
    columns: &[
        NAME,
        Column::text(
            "Type",
            "Used to facilitate programmatic handling of secret data. More info: \
             https://kubernetes.io/docs/concepts/configuration/secret/#secret-types",
        ),
        Column::text(
            "Data",
            "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The \
             serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly \
             non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4",
        ),
        AGE,
    ],
    row: |secret, now: Timestamp| {
        vec![
            cells::name(secret),
            secret.text("type").into(),
            cells::len(secret.at("data")).into(),
            cells::age(secret, now),
        ]
    },
    fields: &["type"],
    ..Behavior::GENERIC
};

/// `stringData` is only ever written: it goes into `data`.
fn default(secret: &mut Value) {
    if let Some(Value::Object(plain)) = secret.unset("", "stringData") {
        for (key, value) in plain {
            let value = STANDARD.encode(value.as_str().unwrap_or_default());
            secret.set("data", &key, value);
        }
    }
    if secret.text("type").is_empty() {
        secret.set("", "type", "Opaque");
    }
}

fn validate(secret: &Value, errors: &mut Errors) {
    let data = Path::new("data");
    let mut size = 0;
    for (key, value) in secret.entries("data") {
        errors.all_invalid(&data.key(key), key, names::config_map_key(key));
        size += decoded_len(value);
    }
    if size > SIZE_MAX {
        errors.too_long(&data, SIZE_MAX);
    }
    let need = |keys: &[&str], errors: &mut Errors| {
        for key in keys {
            if secret.at("data").get(key).is_none() {
                errors.required(&data.key(key), "");
            }
        }
    };
    match secret.text("type") {
        "kubernetes.io/service-account-token" => {
            let account = "kubernetes.io/service-account.name";
            let named = secret.at("metadata.annotations").get(account).and_then(Value::as_str).unwrap_or_default();
            if named.is_empty() {
                errors.required(&Path::new("metadata").child("annotations").key(account), "");
            }
        }
        "kubernetes.io/dockercfg" => {
            need(&[".dockercfg"], errors);
            json_data(secret, ".dockercfg", errors);
        }
        "kubernetes.io/dockerconfigjson" => {
            need(&[".dockerconfigjson"], errors);
            json_data(secret, ".dockerconfigjson", errors);
        }
        "kubernetes.io/basic-auth" => {
            let has = |key: &str| secret.at("data").get(key).is_some();
            if !has("username") && !has("password") {
                need(&["username", "password"], errors);
            }
        }
        "kubernetes.io/ssh-auth" => {
            let empty = secret.at("data").get("ssh-privatekey").is_none_or(|k| k.as_str() == Some(""));
            if empty {
                errors.required(&data.key("ssh-privatekey"), "");
            }
        }
        "kubernetes.io/tls" => need(&["tls.crt", "tls.key"], errors),
        _ => {}
    }
}

/// The value of a key is a JSON object. Nothing of it is shown.
fn json_data(secret: &Value, key: &str, errors: &mut Errors) {
    let Some(text) = secret.at("data").get(key).and_then(Value::as_str) else { return };
    let bytes = STANDARD.decode(text).unwrap_or_default();
    if let Err(wrong) = serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes) {
        let why = match wrong.is_eof() {
            true => "unexpected end of JSON input".to_owned(),
            false => wrong.to_string(),
        };
        errors.invalid(&Path::new("data").key(key), "<secret contents redacted>", &why);
    }
}

fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    if new.text("type") != old.text("type") {
        errors.invalid(&Path::new("type"), new.text("type"), metadata::IMMUTABLE);
    }
    keep_immutable(new, old, &["data"], errors);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_text_is_encoded_once() {
        let mut secret = json!({"stringData": {"a": "b"}});
        default(&mut secret);
        assert_eq!(secret, json!({"data": {"a": "Yg=="}, "type": "Opaque"}));
        let once = secret.clone();
        default(&mut secret);
        assert_eq!(secret, once);
    }

    #[test]
    fn types_need_their_keys() {
        let mut errors = Errors::default();
        validate(&json!({"type": "kubernetes.io/tls", "data": {"tls.crt": ""}}), &mut errors);
        assert_eq!(errors.to_string(), "data[tls.key]: Required value");
        let mut errors = Errors::default();
        validate_update(&json!({"type": "a"}), &json!({"type": "Opaque"}), &mut errors);
        assert_eq!(errors.to_string(), "type: Invalid value: \"a\": field is immutable");
    }
}
