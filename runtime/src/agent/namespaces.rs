//! What a namespace keeps on the node, its `wasi:keyvalue` store, goes with it.
//!
//! A store is removed when the API says that its namespace was deleted, or no longer lists it. What is on the disk at the
//! start counts as known, so namespaces that went while the node was down are missed, too. One that was deleted and made
//! again meanwhile looks like the same: names are all that stores have.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, Client, ResourceExt};

use crate::keyvalue::Stores;

/// Follows the API's namespaces.
pub(super) async fn follow(client: Client, stores: Arc<Stores>) -> Infallible {
    // Before the list is asked for: what is made after it is nobody's leftover.
    let mut known = Known { names: stores.names().await, listed: HashSet::new() };
    let api = Api::<PartialObjectMeta<Namespace>>::all(client);
    let mut events = std::pin::pin!(watcher(api, Config::default()).default_backoff());
    loop {
        match events.next().await {
            Some(Ok(event)) => {
                for name in known.learn(event) {
                    if let Err(error) = stores.remove(&name).await {
                        tracing::warn!(namespace = name, %error, "the store of a namespace that is gone stays");
                    }
                }
            }
            Some(Err(error)) => tracing::debug!(%error, "watching the namespaces"),
            // A watcher goes on for ever.
            None => std::future::pending().await,
        }
    }
}

/// The namespaces there were at last.
struct Known {
    names: HashSet<String>,
    /// A list that is not complete yet.
    listed: HashSet<String>,
}

impl Known {
    /// The namespaces that are gone.
    fn learn(&mut self, event: Event<PartialObjectMeta<Namespace>>) -> Vec<String> {
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(namespace) => drop(self.listed.insert(namespace.name_any())),
            // There is no cluster without any: this one has not said all.
            Event::InitDone if self.listed.is_empty() => {}
            Event::InitDone => {
                let before = std::mem::replace(&mut self.names, std::mem::take(&mut self.listed));
                return before.into_iter().filter(|name| !self.names.contains(name)).collect();
            }
            Event::Apply(namespace) => drop(self.names.insert(namespace.name_any())),
            Event::Delete(namespace) => {
                self.names.remove(&namespace.name_any());
                return vec![namespace.name_any()];
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use kube::core::ObjectMeta;

    use super::*;

    fn namespace(name: &str) -> PartialObjectMeta<Namespace> {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        PartialObjectMeta { metadata, ..PartialObjectMeta::default() }
    }

    fn list(known: &mut Known, names: &[&str]) -> Vec<String> {
        known.learn(Event::Init);
        for name in names {
            assert!(known.learn(Event::InitApply(namespace(name))).is_empty(), "a list is nothing before its end");
        }
        let mut gone = known.learn(Event::InitDone);
        gone.sort();
        gone
    }

    #[test]
    fn what_is_deleted_or_no_longer_listed_is_gone() {
        let mut known = Known { names: ["default", "old"].map(str::to_owned).into(), listed: HashSet::new() };
        assert!(list(&mut known, &[]).is_empty(), "an empty list says nothing");
        assert_eq!(list(&mut known, &["default", "new"]), ["old"]);
        assert!(known.learn(Event::Apply(namespace("third"))).is_empty());
        assert_eq!(known.learn(Event::Delete(namespace("new"))), ["new"]);
        assert_eq!(list(&mut known, &["default"]), ["third"]);
        assert!(list(&mut known, &["default"]).is_empty());
    }

    #[test]
    fn a_list_that_breaks_off_says_nothing() {
        let mut known = Known { names: ["default", "old"].map(str::to_owned).into(), listed: HashSet::new() };
        known.learn(Event::Init);
        known.learn(Event::InitApply(namespace("default")));
        assert!(list(&mut known, &["default", "old"]).is_empty());
    }
}
