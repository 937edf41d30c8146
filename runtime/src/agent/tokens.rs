//! Tokens for the service accounts of pods: asked of the API, each bound to its pod, and asked for again in time.
//!
//! One task asks for all of them. A token is forgotten when its pod lets go of it; the API ends it with the pod.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;
use tokio_util::time::DelayQueue;

/// How soon a token is asked for again that was not given.
const RETRY: Duration = Duration::from_secs(10);
/// No token is kept for longer than a day, however long it is good.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// How many are asked for at once.
const AT_ONCE: usize = 32;

/// For whom a token is, and for how long: an audience (empty: the API) and seconds.
pub type Wanted = (String, i64);

/// What is known of a token.
#[derive(Clone, Debug)]
pub enum Known {
    /// Not asked for yet.
    Nothing,
    /// It was not given; why.
    Refused(Arc<str>),
    /// This is it.
    Given(Arc<str>),
}

/// A token that a pod holds.
pub struct Held {
    pod: Bearer,
    wanted: Wanted,
    known: watch::Sender<Known>,
}

/// The pod as a token names it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bearer {
    namespace: String,
    name: String,
    uid: String,
    account: String,
}

impl Held {
    /// For whom it is.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Its state, now and later.
    pub fn known(&self) -> watch::Receiver<Known> {
        self.known.subscribe()
    }
}

/// The way to the task that asks; clones share it.
#[derive(Clone)]
pub struct Tokens {
    orders: mpsc::UnboundedSender<Weak<Held>>,
    _task: Arc<AbortOnDropHandle<()>>,
}

impl Tokens {
    /// Starts the task.
    pub fn new(client: Client) -> Self {
        let (orders, queue) = mpsc::unbounded_channel();
        let task = AbortOnDropHandle::new(tokio::spawn(serve(client, queue)));
        Self { orders, _task: Arc::new(task) }
    }

    /// A token for a pod.
    pub fn hold(&self, pod: &Pod, wanted: Wanted) -> Arc<Held> {
        let meta = &pod.metadata;
        let account = pod.spec.as_ref().and_then(|spec| spec.service_account_name.clone()).filter(|a| !a.is_empty());
        let pod = Bearer {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            account: account.unwrap_or_else(|| "default".to_owned()),
        };
        let held = Arc::new(Held { pod, wanted, known: watch::Sender::new(Known::Nothing) });
        // The task ends with the last of its handles, so it is there.
        let _ = self.orders.send(Arc::downgrade(&held));
        held
    }
}

async fn serve(client: Client, mut orders: mpsc::UnboundedReceiver<Weak<Held>>) {
    let mut asking = FuturesUnordered::new();
    let mut due: DelayQueue<Weak<Held>> = DelayQueue::new();
    loop {
        let room = asking.len() < AT_ONCE;
        let next = async {
            tokio::select! {
                order = orders.recv(), if room => order,
                Some(expired) = due.next(), if room => Some(expired.into_inner()),
                else => pending().await,
            }
        };
        tokio::select! {
            Some((held, again)) = asking.next() => drop(due.insert(held, again)),
            order = next => match order {
                Some(order) => asking.extend(order.upgrade().map(|held| ask(client.clone(), held))),
                None => return,
            },
        }
    }
}

/// Asks for one token, and says when to ask again.
async fn ask(client: Client, held: Arc<Held>) -> (Weak<Held>, Duration) {
    let again = match request(client, &held).await {
        Ok((token, lifetime)) => {
            held.known.send_replace(Known::Given(token.into()));
            // As a kubelet does: when a fifth of its time is left.
            (lifetime * 4 / 5).min(LONGEST)
        }
        Err(error) => {
            // A token that is there already is better than none.
            held.known.send_if_modified(|known| {
                let first = !matches!(known, Known::Given(_));
                if first {
                    *known = Known::Refused(error.to_string().into());
                }
                first
            });
            RETRY
        }
    };
    (Arc::downgrade(&held), again)
}

async fn request(client: Client, held: &Held) -> Result<(String, Duration), kube::Error> {
    let Bearer { namespace, name, uid, account } = held.pod.clone();
    let (audience, seconds) = held.wanted.clone();
    let bound = BoundObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        name: Some(name),
        uid: Some(uid),
    };
    let audiences = if audience.is_empty() { Vec::new() } else { vec![audience] };
    let spec = TokenRequestSpec { audiences, bound_object_ref: Some(bound), expiration_seconds: Some(seconds) };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let api: Api<ServiceAccount> = Api::namespaced(client, &namespace);
    let given: TokenRequest = api.create_subresource("token", &account, &PostParams::default(), &request).await?;
    let token = given.status.map(|status| status.token).unwrap_or_default();
    Ok((token, Duration::from_secs(seconds.unsigned_abs())))
}

/// What is known of each token, by whom it is for.
pub type Bundle = HashMap<Wanted, Known>;
