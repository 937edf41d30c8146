//! The pod's own fields as files.

use k8s_openapi::api::core::v1::{DownwardAPIVolumeFile, Pod};

use super::Error;
use super::payload::{DEFAULT_MODE, File};
use crate::pod::given::Given;
use crate::pod::{container, downward};

/// The files of a `downwardAPI` volume or projection.
pub fn files(
    items: Option<&[DownwardAPIVolumeFile]>,
    mode: Option<i32>,
    pod: &Pod,
    given: &Given,
) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for item in items.unwrap_or_default() {
        let value = if let Some(field) = &item.field_ref {
            downward::field(pod, given, &field.field_path)?
        } else if let Some(selector) = &item.resource_field_ref {
            let name = selector.container_name.as_deref().unwrap_or_default();
            let container = container(pod, name).ok_or_else(|| downward::Error::Container(name.to_owned()))?;
            downward::resource(container, given, selector)?
        } else {
            String::new()
        };
        files.push(File::new(&item.path, value.as_bytes(), item.mode.or(mode).unwrap_or(DEFAULT_MODE))?);
    }
    Ok(files)
}
