//! Whose token is that?

use serde_json::{Value, json};

use crate::auth::Authenticator;
use crate::kinds::Look;
use crate::status::Status;

/// The status of a TokenReview.
///
/// # Errors
/// 400 without a token.
pub fn answer(authenticator: &Authenticator, review: &Value) -> Result<Value, Status> {
    let token = review.text("spec.token");
    if token.is_empty() {
        return Err(Status::bad_request("token is required for TokenReview in authentication"));
    }
    let audiences = review.items("spec.audiences").iter().filter_map(Value::as_str).map(str::to_owned);
    Ok(match authenticator.token(token, &audiences.collect::<Vec<_>>()) {
        Some(known) => {
            let user = super::user(&known.caller);
            json!({"authenticated": true, "user": user, "audiences": known.audiences})
        }
        None => json!({"user": {}, "error": "[invalid bearer token, token lookup failed]"}),
    })
}
