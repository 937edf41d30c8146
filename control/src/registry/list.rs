//! Get and list.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::resources::Target;
use super::{Registry, Selection};
use crate::status::Status;
use crate::store::{Entry, Revision};

/// One page of a list: what is stored, as it is stored.
pub struct Page {
    /// The revision that the page shows.
    pub revision: Revision,
    /// The objects, ordered by namespace and name.
    pub entries: Vec<Arc<Entry>>,
    /// The token for the next page; none on the last.
    pub next: Option<String>,
    /// How many objects follow, where that is known.
    pub remaining: Option<usize>,
}

/// Where the next page starts. The shape is upstream's.
#[derive(Serialize, Deserialize)]
struct Continue {
    v: String,
    rv: u64,
    /// The last key of the page before, `namespace/name` or `name`, with a NUL after it.
    start: String,
}

impl Registry {
    /// One object.
    ///
    /// # Errors
    /// 404.
    pub fn get(&self, target: &Target) -> Result<Arc<Entry>, Status> {
        self.entry(target)
    }

    /// The objects of a collection that `selection` takes: `limit` of them (0: all), from where `token` says.
    ///
    /// # Errors
    /// 400 for a token that was not ours, 410 for one whose revision is forgotten.
    pub fn list(
        &self,
        target: &Target,
        selection: &Selection,
        limit: usize,
        token: Option<&str>,
    ) -> Result<Page, Status> {
        let resource = &target.resource;
        let namespace = Some(&*target.namespace).filter(|n| !n.is_empty());
        let from = token.map(decode).transpose()?;
        let listing = match &from {
            None => self.0.store.list(&resource.qualified, namespace),
            Some(from) => self.0.store.list_at(&resource.qualified, namespace, Revision(from.rv)).map_err(|_| {
                Status::expired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.")
            })?,
        };
        let place = |e: &Entry| match namespace {
            None if resource.row.namespaced => format!("{}/{}\0", e.key.namespace, e.key.name),
            _ => format!("{}\0", e.key.name),
        };
        let after = |e: &Entry| match &from {
            None => true,
            Some(from) => (e.key.namespace.as_ref(), e.key.name.as_ref()) > split(&from.start, &e.key.namespace),
        };
        let taken = |e: &&Arc<Entry>| {
            after(e)
                && selection.name().is_none_or(|n| n == &*e.key.name)
                && (selection.takes_all() || selection.matches(resource, &e.value()))
        };
        if limit == 0 && from.is_none() && selection.takes_all() {
            return Ok(Page { revision: listing.revision, entries: listing.entries, next: None, remaining: None });
        }
        let mut rest = listing.entries.iter().filter(taken);
        let most = if limit == 0 { usize::MAX } else { limit };
        let entries: Vec<Arc<Entry>> = rest.by_ref().take(most).cloned().collect();
        let more = if entries.len() == most { rest.count() } else { 0 };
        let next = entries.last().filter(|_| more > 0).map(|last| encode(listing.revision, place(last)));
        let remaining = Some(more).filter(|_| next.is_some() && selection.takes_all());
        Ok(Page { revision: listing.revision, entries, next, remaining })
    }
}

/// Namespace and name of the key that a token names; `default` is the namespace of a list within one.
fn split<'a>(start: &'a str, default: &'a str) -> (&'a str, &'a str) {
    let key = start.trim_end_matches('\0').trim_start_matches('/');
    key.split_once('/').unwrap_or((default, key))
}

fn encode(revision: Revision, start: String) -> String {
    let token = Continue { v: "meta.k8s.io/v1".to_owned(), rv: revision.0, start };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
}

fn decode(token: &str) -> Result<Continue, Status> {
    let bad = |why: String| Status::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
    let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).map_err(|e| bad(e.to_string()))?;
    let token: Continue = serde_json::from_slice(&bytes).map_err(|_| {
        let first = bytes.first().map(|b| char::from(*b)).unwrap_or(' ');
        bad(format!("invalid character '{first}' looking for beginning of value"))
    })?;
    if token.v != "meta.k8s.io/v1" {
        return Err(bad("incorrect encoded version".to_owned()));
    }
    Ok(token)
}
