//! A ConfigMap as files, one a key.

use k8s_openapi::api::core::v1::{ConfigMapVolumeSource, KeyToPath};

use super::payload::File;
use super::{Error, choose};
use crate::pod::given::Given;

/// The files of a `configMap` volume.
pub fn files(source: &ConfigMapVolumeSource, given: &Given) -> Result<Vec<File>, Error> {
    let optional = source.optional == Some(true);
    keys(&source.name, source.items.as_deref(), source.default_mode, optional, given)
}

/// The files of a ConfigMap, or of some of its keys.
pub(super) fn keys(
    name: &str,
    items: Option<&[KeyToPath]>,
    mode: Option<i32>,
    optional: bool,
    given: &Given,
) -> Result<Vec<File>, Error> {
    let Some(map) = given.config_maps.get(name) else {
        let missing = Error::Missing { kind: "configmap", name: name.to_owned() };
        return if optional { Ok(Vec::new()) } else { Err(missing) };
    };
    let text = map.data.iter().flatten().map(|(key, value)| (key, value.as_bytes()));
    let binary = map.binary_data.iter().flatten().map(|(key, value)| (key, value.0.as_slice()));
    let content: Vec<_> = text.chain(binary).collect();
    choose("configmap", "config", &content, items, mode, optional)
}
