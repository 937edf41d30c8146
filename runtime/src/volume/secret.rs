//! A Secret as files, one a key.

use k8s_openapi::api::core::v1::{KeyToPath, SecretVolumeSource};

use super::payload::File;
use super::{Error, choose};
use crate::pod::given::Given;

/// The files of a `secret` volume.
pub fn files(source: &SecretVolumeSource, given: &Given) -> Result<Vec<File>, Error> {
    let name = source.secret_name.as_deref().unwrap_or_default();
    keys(name, source.items.as_deref(), source.default_mode, source.optional == Some(true), given)
}

/// The files of a Secret, or of some of its keys.
pub(super) fn keys(
    name: &str,
    items: Option<&[KeyToPath]>,
    mode: Option<i32>,
    optional: bool,
    given: &Given,
) -> Result<Vec<File>, Error> {
    let Some(secret) = given.secrets.get(name) else {
        let missing = Error::Missing { kind: "secret", name: name.to_owned() };
        return if optional { Ok(Vec::new()) } else { Err(missing) };
    };
    let content: Vec<_> = secret.data.iter().flatten().map(|(key, value)| (key, value.0.as_slice())).collect();
    choose("secret", "secret", &content, items, mode, optional)
}
