//! Evictions: a deletion that a pod's disruption budget has a say in.

use http::Response;
use serde_json::Value;

use super::asked::Asked;
use super::{Body, body, delete, write};
use crate::registry::DeleteOptions;
use crate::status::Status;

/// POST of `pods/NAME/eviction`.
///
/// # Errors
/// As [`Registry::evict`](crate::registry::Registry::evict), and 400 for what is no eviction of this pod.
pub async fn create(asked: Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
    let dry_run = asked.write_options("CreateOptions")?.dry_run;
    let eviction = body::decode(asked.content_type(), &body::read(body).await?)?.value;
    let text = |at: &str| eviction.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let (kind, version) = (text("/kind"), text("/apiVersion"));
    if !matches!((kind, version), ("Eviction" | "", "policy/v1" | "policy/v1beta1" | "")) {
        let short = version.rsplit('/').next().unwrap_or_default();
        return Err(Status::bad_request(format!(
            "{kind} in version \"{short}\" cannot be handled as a Eviction: converting ({version}.{kind}) to \
             (policy.Eviction): unknown conversion"
        )));
    }
    if text("/metadata/name") != &*asked.target.name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let mut options = DeleteOptions { caller: asked.caller.clone(), ..DeleteOptions::default() };
    if let Some(sent) = eviction.get("deleteOptions").filter(|sent| sent.is_object()) {
        delete::fill(&mut options, sent)?;
    }
    options.dry_run |= dry_run;
    asked.registry.evict(asked.target, &options).await?;
    Ok(write::done(asked))
}
