//! Get and list.

use std::sync::Arc;

use super::resources::Target;
use super::token::Token;
use super::{Registry, Selection};
use crate::status::Status;
use crate::store::{Entry, Listing, Revision};

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

/// Where a list starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// The first object, as things are now.
    Now,
    /// The first object, as things were.
    At(Revision),
    /// After the page that came with a token.
    After {
        /// The token.
        token: &'a str,
        /// No moment is asked for beside it.
        plain: bool,
    },
}

impl Registry {
    /// One object.
    ///
    /// # Errors
    /// 404.
    pub fn get(&self, target: &Target) -> Result<Arc<Entry>, Status> {
        self.entry(target)
    }

    /// The objects of a collection that `selection` takes: `limit` of them (0: all), from `start`.
    ///
    /// # Errors
    /// 400 for a token that was not ours, 410 for a revision that is forgotten.
    pub fn list(&self, target: &Target, selection: &Selection, limit: usize, start: Start<'_>) -> Result<Page, Status> {
        let resource = &target.resource;
        let token = match start {
            Start::After { token, plain } => {
                let decoded = Token::decode(token)?;
                if !plain {
                    return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
                }
                Some(decoded)
            }
            _ => None,
        };
        let listing = self.listing(target, start, token.as_ref())?;
        if limit == 0 && token.is_none() && selection.takes_all() {
            return Ok(Page { revision: listing.revision, entries: listing.entries, next: None, remaining: None });
        }
        let after = |e: &Entry| token.as_ref().is_none_or(|t| t.is_before(&e.key));
        let mut rest = listing.entries.iter().filter(|e| after(e) && selection.takes(resource, e));
        let most = if limit == 0 { usize::MAX } else { limit };
        let entries: Vec<Arc<Entry>> = rest.by_ref().take(most).cloned().collect();
        // With a selection, counting would mean looking at all that follow.
        let follow = match selection.takes_all() {
            _ if entries.len() < most => 0,
            true => rest.count(),
            false => rest.take(1).count(),
        };
        let last = entries.last().filter(|_| follow > 0);
        let next = last.map(|last| Token::after(&last.key, spans_namespaces(target), listing.revision).encode());
        let remaining = Some(follow).filter(|n| *n > 0 && selection.takes_all());
        Ok(Page { revision: listing.revision, entries, next, remaining })
    }

    fn listing(&self, target: &Target, start: Start<'_>, token: Option<&Token>) -> Result<Listing, Status> {
        let namespace = Some(&*target.namespace).filter(|n| !n.is_empty());
        let name = &target.resource.stored;
        let store = &self.0.store;
        match (start, token) {
            (Start::At(then), _) => store
                .list_at(name, namespace, then)
                .map_err(|_| Status::expired("The resourceVersion for the provided list is too old.")),
            (_, Some(token)) => match token.revision() {
                None => Ok(store.list(name, namespace)),
                Some(then) => store.list_at(name, namespace, then).map_err(|_| token.expired()),
            },
            _ => Ok(store.list(name, namespace)),
        }
    }
}

/// True where keys in tokens need their namespace.
fn spans_namespaces(target: &Target) -> bool {
    target.resource.row.namespaced && target.namespace.is_empty()
}
