//! One container's image: looked for, pulled where the policy says so, and told of in a kubelet's words.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, ObjectReference, Pod, Secret};
use kube::Api;
use objects::events::Level::{self, Normal, Warning};
use tokio::time::{Instant, sleep_until};

use super::ground::Ground;
use crate::agent::recorder::Recorder;
use crate::image::{Found, Image, Keyring, Policy, PullError, Purpose, Reference, Took};

/// A pull that takes longer is told of, and again each time it has taken twice as long.
const LONG: Duration = Duration::from_secs(15);

/// Reports what happens to one container.
#[derive(Clone)]
pub struct Teller {
    /// Writes them.
    pub recorder: Recorder,
    /// The container.
    pub regarding: ObjectReference,
}

impl Teller {
    fn tell(&self, level: Level, reason: &str, message: impl Into<String>) {
        self.recorder.record(&self.regarding, level, reason, message);
    }
}

/// What a container's image is called and when a registry is asked for it.
pub struct Wanted {
    /// As the manifest has it.
    name: String,
    /// What the node's aliases put in its place.
    alias: Option<String>,
    policy: Policy,
}

impl Wanted {
    /// By the container.
    pub fn of(ground: &Ground, container: &Container) -> Self {
        let name = container.image.clone().unwrap_or_default();
        let alias = ground.puller.alias(&name).map(str::to_owned);
        let policy = Policy::of(container.image_pull_policy.as_deref(), &name);
        Self { name, alias, policy }
    }

    /// What is looked for.
    fn effective(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }

    /// What events add about it.
    fn note(&self) -> String {
        let note = self.alias.as_ref().map(|_| format!(" (by imageAliases, for {:?})", self.name));
        note.unwrap_or_default()
    }

    /// Looks into the node's store. Reads a file or two: not for an async worker's own thread.
    pub fn look(&self, ground: &Ground, teller: &Teller) -> Result<Found<Image>, PullError> {
        let (name, note) = (self.effective(), self.note());
        let asked = Instant::now();
        let found = ground.puller.look(name, self.policy);
        let of_this_node = self.policy == Policy::Always || matches!(found, Err(PullError::NotFound(_)));
        if of_this_node && !matches!(found, Ok(Found::Ask(_)) | Err(PullError::InvalidName { .. })) {
            teller.tell(Normal, "Pulling", format!("Pulling image {name:?}{note}"));
        }
        match &found {
            Ok(Found::Here(image)) if self.policy == Policy::Always => {
                let took = Took { working: asked.elapsed(), waiting: asked.elapsed() };
                teller.tell(Normal, "Pulled", pulled(name, took, image.size));
            }
            Ok(Found::Here(_)) => {
                teller.tell(Normal, "Pulled", format!("Container image {name:?} already present on machine{note}"));
            }
            _ => {}
        }
        found
    }

    /// Asks a registry.
    ///
    /// # Cancel safety
    /// The pull ends with the future unless others wait for it; what came stays for the next.
    pub async fn pull(
        &self,
        ground: &Ground,
        pod: &Pod,
        reference: Reference,
        teller: &Teller,
    ) -> Result<Image, PullError> {
        let name = self.effective();
        let asked = Instant::now();
        let keyring = keyring(&ground.client, pod, teller).await;
        teller.tell(Normal, "Pulling", format!("Pulling image {name:?}{}", self.note()));
        let pull = ground.puller.pull(reference, keyring, Purpose::Run);
        let (mut next, mut pause) = (asked + LONG, LONG);
        let image = loop {
            tokio::select! {
                image = ground.puller.image(&pull) => break image?,
                () = sleep_until(next) => {
                    teller.tell(Normal, "Pulling", progress(name, pull.progress(), asked.elapsed()));
                    next += pause;
                    pause *= 2;
                }
            }
        };
        teller.tell(Normal, "Pulled", pulled(name, pull.took(asked), image.size));
        Ok(image)
    }
}

/// The credentials that the pod has for registries. What cannot be read is told, and done without.
pub async fn keyring(client: &kube::Client, pod: &Pod, teller: &Teller) -> Keyring {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let (mut keyring, mut missing) = (Keyring::default(), Vec::new());
    let names = pod.spec.iter().flat_map(|spec| spec.image_pull_secrets.iter().flatten()).map(|secret| &secret.name);
    for name in names.filter(|name| !name.is_empty()) {
        match api.get_opt(name).await {
            Ok(Some(secret)) => {
                if let Err(error) = keyring.add(&secret) {
                    teller.tell(Warning, "FailedToRetrieveImagePullSecret", error.to_string());
                }
            }
            Ok(None) => missing.push(name.clone()),
            Err(error) => {
                tracing::debug!(%namespace, %name, %error, "an image pull secret could not be read");
                missing.push(name.clone());
            }
        }
    }
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let message = format!(
            "Unable to retrieve some image pull secrets ({missing}); attempting to pull the image may not succeed."
        );
        teller.tell(Warning, "FailedToRetrieveImagePullSecret", message);
    }
    keyring
}

fn pulled(name: &str, took: Took, size: u64) -> String {
    let (working, waiting) = (go_duration(took.working), go_duration(took.waiting));
    format!("Successfully pulled image {name:?} in {working} ({waiting} including waiting). Image size: {size} bytes.")
}

fn progress(name: &str, (done, total): (u64, u64), since: Duration) -> String {
    let so_far =
        format!("Pulling image {name:?}: still at it after {}", go_duration(Duration::from_secs(since.as_secs())));
    if total == 0 {
        return so_far;
    }
    let mebibytes = |bytes: u64| format!("{}.{}", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20);
    let percent = done.min(total) * 100 / total;
    format!("{so_far}, {percent}% ({} of {} MiB)", mebibytes(done.min(total)), mebibytes(total))
}

/// As Go prints a duration that was cut to milliseconds: `12ms`, `1.234s`, `1m2.5s`.
pub(crate) fn go_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        return if millis == 0 { "0s".to_owned() } else { format!("{millis}ms") };
    }
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let fraction = match rest % 1000 {
        0 => String::new(),
        fraction => format!(".{fraction:03}").trim_end_matches('0').to_owned(),
    };
    let seconds = format!("{}{fraction}s", rest / 1000);
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        let printed = [0, 12, 1000, 1234, 1200, 62_500, 160_000, 300_000, 3_600_000]
            .map(|millis| go_duration(Duration::from_millis(millis)));
        assert_eq!(printed, ["0s", "12ms", "1s", "1.234s", "1.2s", "1m2.5s", "2m40s", "5m0s", "1h0m0s"]);
    }

    #[test]
    fn a_long_pull_says_how_far_it_is() {
        let said = progress("x", (13 << 20, 27 << 20), Duration::from_millis(15_020));
        assert_eq!(said, "Pulling image \"x\": still at it after 15s, 48% (13.0 of 27.0 MiB)");
        assert_eq!(progress("x", (0, 0), LONG), "Pulling image \"x\": still at it after 15s");
    }
}
