//! Secrets of type `kubernetes.io/service-account-token`: filled with a token that ends with the Secret, and deleted
//! with the account.
//!
//! Pods have had better tokens for long; these are for what runs outside the cluster and keeps its credentials in a file.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use serde_json::{Value, json};

use super::{Context, Key, Next, Queue, feed};
use crate::auth::{Bound, ServiceAccounts};
use crate::kinds::Look;
use crate::registry::{Api, DeleteOptions, Informer, Registry};
use crate::status::Status;
use crate::store::{self, Change, Entry, Event, Interest};

const AT_ONCE: usize = 2;
const TYPE: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";
const UID: &str = "kubernetes.io/service-account.uid";

/// Fills the Secrets; does nothing where nobody signs.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    let registry = context.registry.clone();
    let tokens = context.config.accounts.clone().map(|signer| Tokens {
        accounts: registry.informer(),
        api: registry.api(),
        registry,
        signer,
        authority: context.config.root_certificate.clone(),
        queue: Queue::new(),
    });
    async {
        match tokens {
            Some(tokens) => tokens.run().await,
            None => std::future::pending().await,
        }
    }
}

struct Tokens {
    registry: Registry,
    accounts: Arc<Informer<ServiceAccount>>,
    api: Api<Secret>,
    signer: Arc<ServiceAccounts>,
    authority: String,
    queue: Queue<Key>,
}

impl Tokens {
    async fn run(self) {
        self.accounts.synced().await;
        futures::join!(
            self.follow(),
            feed(self.accounts.subscribe(), |change| {
                if let (Some(gone), None) = (&change.old, &change.new) {
                    self.account_gone(gone);
                }
            }),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    /// Looks at Secrets as they are written; no copy of them is kept.
    async fn follow(&self) {
        let store = self.registry.store();
        let list = || {
            let listing = store.list("secrets", None);
            listing.entries.iter().for_each(|entry| self.observe(entry));
            listing.revision
        };
        let change = |event: &Event| {
            if event.change != Change::Deleted {
                self.observe(&event.entry);
            }
        };
        store.follow(Interest::all("secrets"), list, change).await;
    }

    fn observe(&self, entry: &Entry) {
        if may_be_ours(&entry.bytes) {
            self.queue.add(Key::new(&entry.key.namespace, &entry.key.name));
        }
    }

    fn account_gone(&self, account: &ServiceAccount) {
        let namespace = account.metadata.namespace.as_deref().unwrap_or_default();
        self.registry.store().list("secrets", Some(namespace)).entries.iter().for_each(|entry| self.observe(entry));
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let found = self.registry.store().get(&store::Key::new("secrets", &key.namespace, &key.name));
        let Some(secret) = found.map(|entry| entry.value()).filter(|secret| secret.text("type") == TYPE) else {
            return Ok(Next::Done);
        };
        let note = |name: &str| secret.at("metadata.annotations").get(name).and_then(Value::as_str).unwrap_or_default();
        let account = self.account(&key.namespace, note(ACCOUNT)).filter(|a| [&*a.uid, ""].contains(&note(UID)));
        let Some(account) = account else {
            let options = DeleteOptions::now(secret.text("metadata.uid"));
            return match self.api.delete(&key.namespace, &key.name, &options).await {
                Err(status) if !status.is_not_found() && !status.is_conflict() => Err(status),
                _ => Ok(Next::Done),
            };
        };
        let Some(patch) = self.missing(&secret, &key, &account)? else { return Ok(Next::Done) };
        match self.api.patch_merge(&key.namespace, &key.name, patch).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Next::Done),
        }
    }

    /// The account as the store has it: the Secret may have come right after it.
    fn account(&self, namespace: &str, name: &str) -> Option<Bound> {
        let found = self.registry.store().get(&store::Key::new("serviceaccounts", namespace, name))?;
        Some(Bound { name: name.to_owned(), uid: found.value().text("metadata.uid").to_owned() })
    }

    /// What the Secret still lacks, as a merge patch.
    fn missing(&self, secret: &Value, key: &Key, account: &Bound) -> Result<Option<Value>, Status> {
        let has = |field: &str| secret.at("data").get(field).is_some();
        let annotated = secret.at("metadata.annotations").get(UID).is_some();
        if has("token") && has("ca.crt") && has("namespace") && annotated {
            return Ok(None);
        }
        let mut data = json!({
            "ca.crt": STANDARD.encode(&self.authority),
            "namespace": STANDARD.encode(&*key.namespace),
        });
        if !has("token") {
            let token = self.signer.issue_legacy(&key.namespace, account, &key.name).map_err(Status::internal)?;
            data["token"] = STANDARD.encode(token).into();
        }
        let uid = secret.text("metadata.uid");
        Ok(Some(json!({"metadata": {"uid": uid, "annotations": {UID: account.uid}}, "data": data})))
    }
}

/// True where the type may be ours: looks at the bytes, since few Secrets are.
fn may_be_ours(bytes: &[u8]) -> bool {
    bytes.windows(TYPE.len()).any(|window| window == TYPE.as_bytes())
}
