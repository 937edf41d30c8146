//! CertificateSigningRequests: those that were approved are signed, and none stays for ever.
//!
//! Who approves is somebody else's business; `kubectl certificate approve` is one way.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use serde_json::{Value, json};

use super::{Context, Key, Next, Queue};
use crate::auth::{Pki, Signer};
use crate::kinds::Look;
use crate::registry::{Api, DeleteOptions, Registry};
use crate::status::Status;
use crate::store::{self, Change, Entry, Event, Interest};

const AT_ONCE: usize = 2;
const RESOURCE: &str = "certificatesigningrequests.certificates.k8s.io";
/// How long a request is kept once it was answered, and while nobody decides; upstream's times.
const ANSWERED: Duration = Duration::from_secs(3600);
const PENDING: Duration = Duration::from_secs(24 * 3600);

/// Signs; does nothing where there is no authority.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    let registry = context.registry.clone();
    let requests = context.config.authority.clone().map(|authority| Requests {
        api: registry.api(),
        registry,
        authority,
        queue: Queue::new(),
    });
    async {
        match requests {
            Some(requests) => requests.run().await,
            None => std::future::pending().await,
        }
    }
}

struct Requests {
    registry: Registry,
    api: Api<CertificateSigningRequest>,
    authority: Arc<Pki>,
    queue: Queue<Key>,
}

/// What to do about one request.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Sign it.
    Sign(Signer),
    /// Nothing before so much time has gone by; then delete it.
    Keep(Duration),
    /// Its time is up.
    Delete,
}

impl Requests {
    async fn run(self) {
        futures::join!(self.follow(), self.queue.work(AT_ONCE, |key| self.reconcile(key)));
    }

    async fn follow(&self) {
        let store = self.registry.store();
        let add = |entry: &Entry| self.queue.add(Key::new("", &entry.key.name));
        let list = || {
            let listing = store.list(RESOURCE, None);
            listing.entries.iter().for_each(|entry| add(entry));
            listing.revision
        };
        let change = |event: &Event| {
            if event.change != Change::Deleted {
                add(&event.entry);
            }
        };
        store.follow(Interest::all(RESOURCE), list, change).await;
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some(entry) = self.registry.store().get(&store::Key::new(RESOURCE, "", &key.name)) else {
            return Ok(Next::Done);
        };
        let request = entry.value();
        let done = match step(&request, Timestamp::now()) {
            Step::Keep(time) => return Ok(Next::After(time)),
            Step::Sign(signer) => {
                let status = self.answer(signer, &request);
                let patch = json!({"metadata": {"resourceVersion": entry.revision.0.to_string()}, "status": status});
                self.api.patch_status_merge("", &key.name, patch).await.map(drop)
            }
            Step::Delete => {
                let options = DeleteOptions::now(request.text("metadata.uid"));
                self.api.delete("", &key.name, &options).await.map(drop)
            }
        };
        match done {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Next::Done),
        }
    }

    /// The status of a request that was approved: its certificate, or why there is none.
    fn answer(&self, signer: Signer, request: &Value) -> Value {
        let spec = request.at("spec");
        let pem = STANDARD.decode(spec.text("request")).unwrap_or_default();
        let usages: Vec<String> =
            spec.items("usages").iter().filter_map(|usage| usage.as_str().map(str::to_owned)).collect();
        let pem = String::from_utf8_lossy(&pem);
        match self.authority.sign(signer, &pem, &usages, spec.int("expirationSeconds")) {
            Ok(certificate) => json!({"certificate": STANDARD.encode(certificate)}),
            Err(why) => {
                let mut conditions = request.items("status.conditions").to_vec();
                conditions.push(json!({
                    "type": "Failed",
                    "status": "True",
                    "reason": "SignerValidationFailure",
                    "message": why.to_string(),
                }));
                json!({ "conditions": conditions })
            }
        }
    }
}

/// Decides about one request.
fn step(request: &Value, now: Timestamp) -> Step {
    let conditions = request.items("status.conditions");
    let has = |kind: &str| conditions.iter().any(|condition| condition.text("type") == kind);
    let is_answered = has("Denied") || has("Failed") || !request.text("status.certificate").is_empty();
    let (patience, since) = match (is_answered, has("Approved")) {
        (false, true) => match Signer::named(request.text("spec.signerName")) {
            Some(signer) => return Step::Sign(signer),
            None => (PENDING, request.text("metadata.creationTimestamp")),
        },
        (true, _) => (ANSWERED, conditions.first().map_or("", |condition| condition.text("lastUpdateTime"))),
        (false, false) => (PENDING, request.text("metadata.creationTimestamp")),
    };
    let age = since.parse::<Timestamp>().map(|since| now.duration_since(since)).unwrap_or_default();
    match patience.checked_sub(age.try_into().unwrap_or_default()) {
        Some(left) if !left.is_zero() => Step::Keep(left),
        _ => Step::Delete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(conditions: &Value, signer: &str) -> Value {
        json!({
            "metadata": {"creationTimestamp": "2026-11-20T10:00:00Z"},
            "spec": {"signerName": signer},
            "status": {"conditions": conditions},
        })
    }

    #[test]
    fn what_is_approved_is_signed_and_nothing_stays() {
        const OURS: &str = "kubernetes.io/kube-apiserver-client";
        let at = |time: &str| time.parse::<Timestamp>().expect("a time");
        let (early, late) = (at("2026-11-20T10:30:00Z"), at("2026-11-21T10:00:01Z"));
        let approved = json!([{"type": "Approved", "lastUpdateTime": "2026-11-20T10:00:00Z"}]);
        let denied = json!([{"type": "Denied", "lastUpdateTime": "2026-11-20T10:00:00Z"}]);
        assert_eq!(step(&request(&approved, OURS), late), Step::Sign(Signer::Client));
        let half_an_hour = Duration::from_secs(1800);
        assert_eq!(step(&request(&json!([]), OURS), early), Step::Keep(PENDING - half_an_hour));
        assert_eq!(step(&request(&denied, OURS), early), Step::Keep(ANSWERED - half_an_hour));
        assert_eq!(step(&request(&approved, "example.com/other"), early), Step::Keep(PENDING - half_an_hour));
        for conditions in [json!([]), denied] {
            assert_eq!(step(&request(&conditions, OURS), late), Step::Delete);
        }
    }
}
