//! Validating webhooks: all at once, as none changes what another sees.

use std::sync::Arc;

use futures::future::join_all;

use super::configuration::{Validating, Webhook};
use crate::admission::matching::Request;
use crate::registry::Resource;
use crate::status::Status;

/// Asks every webhook that is meant.
pub async fn all(
    request: &Request<'_>,
    configurations: &[Arc<Validating>],
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let mut meant: Vec<(&Webhook, Arc<Resource>)> = Vec::new();
    for webhook in configurations.iter().flat_map(|configuration| &configuration.0) {
        if let Some(seen) = webhook.meant(request)? {
            meant.push((webhook, seen));
        }
    }
    let asked = meant.iter().map(|(webhook, seen)| webhook.ask(request, seen, false));
    let answers = join_all(asked).await;
    for answer in answers {
        if let Some(answer) = answer? {
            warnings.extend(answer.warnings);
        }
    }
    Ok(())
}
