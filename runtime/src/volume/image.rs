//! The files of an image as a volume: pulled before the pod's containers start, and only to be read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::{ImageVolumeSource, Pod};
use objects::events::Level::Normal;
use objects::events::regarding;
use tokio::time::Instant;

use crate::image::{Files, Found, Policy, PullError, Purpose};
use crate::pod::ground::Ground;
use crate::pod::pulling::{Teller, go_duration, keyring};

/// Where the files of images are, by the name of the pod's volume.
pub type Unpacked = BTreeMap<String, PathBuf>;

/// Gets the images of all volumes; the first that cannot be had is the error, with the volume's name.
pub async fn resolve(ground: &Ground, pod: &Pod) -> Result<Unpacked, (String, PullError)> {
    let mut unpacked = Unpacked::new();
    for volume in pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
        let Some(source) = &volume.image else { continue };
        let files = one(ground, pod, source).await.map_err(|error| (volume.name.clone(), error))?;
        unpacked.insert(volume.name.clone(), files.path);
    }
    Ok(unpacked)
}

async fn one(ground: &Ground, pod: &Pod, source: &ImageVolumeSource) -> Result<Files, PullError> {
    let name = source.reference.clone().unwrap_or_default();
    let policy = Policy::of(source.pull_policy.as_deref(), &name);
    let (puller, wanted) = (ground.puller.clone(), name.clone());
    let found = tokio::task::spawn_blocking(move || puller.look_for_files(&wanted, policy)).await;
    let reference = match found.map_err(|_| PullError::NotFound(name.clone()))?? {
        Found::Here(files) => return Ok(files),
        Found::Ask(reference) => reference,
    };
    let teller = Teller { recorder: ground.recorder.clone(), regarding: regarding(pod) };
    let tell = |reason: &str, message| teller.recorder.record(&teller.regarding, Normal, reason, message);
    tell("Pulling", format!("Pulling image {name:?}"));
    let asked = Instant::now();
    let pull = ground.puller.pull(reference, keyring(&ground.client, pod, &teller).await, Purpose::Volume);
    let files = ground.puller.files(&pull).await?;
    tell("Pulled", format!("Successfully pulled image {name:?} in {}", go_duration(pull.took(asked).working)));
    Ok(files)
}
