//! Several sources in one directory: among them `kube-api-access`, which every pod with a service account has.

use k8s_openapi::api::core::v1::{Pod, ProjectedVolumeSource, ServiceAccountTokenProjection};

use super::payload::{DEFAULT_MODE, File};
use super::{Error, config_map, downward_api, secret};
use crate::agent::tokens::Known;
use crate::pod::given::{Given, wanted};

/// The admission plugin gives this volume to every pod; a pod that never calls the API must not wait for it.
const API_ACCESS: &str = "kube-api-access-";

/// The files of a `projected` volume. Later sources win over earlier ones.
pub fn files(name: &str, source: &ProjectedVolumeSource, pod: &Pod, given: &Given) -> Result<Vec<File>, Error> {
    let api_access = name.starts_with(API_ACCESS);
    let mode = source.default_mode;
    let mut files: Vec<File> = Vec::new();
    for source in source.sources.iter().flatten() {
        let mut more = Vec::new();
        if let Some(map) = &source.config_map {
            let optional = api_access || map.optional == Some(true);
            more.extend(config_map::keys(&map.name, map.items.as_deref(), mode, optional, given)?);
        }
        if let Some(wanted) = &source.secret {
            let optional = wanted.optional == Some(true);
            more.extend(secret::keys(&wanted.name, wanted.items.as_deref(), mode, optional, given)?);
        }
        if let Some(projection) = &source.service_account_token {
            more.extend(token(projection, mode, api_access, given)?);
        }
        if let Some(fields) = &source.downward_api {
            more.extend(downward_api::files(fields.items.as_deref(), mode, pod, given)?);
        }
        if source.cluster_trust_bundle.is_some() {
            return Err(Error::Unsupported("projected clusterTrustBundle"));
        }
        files.retain(|file| more.iter().all(|newer| newer.path() != file.path()));
        files.append(&mut more);
    }
    Ok(files)
}

/// The file of a token.
fn token(
    projection: &ServiceAccountTokenProjection,
    mode: Option<i32>,
    optional: bool,
    given: &Given,
) -> Result<Option<File>, Error> {
    match given.tokens.get(&wanted(projection)) {
        Some(Known::Given(token)) => {
            File::new(&projection.path, token.as_bytes(), mode.unwrap_or(DEFAULT_MODE)).map(Some)
        }
        _ if optional => Ok(None),
        Some(Known::Refused(why)) => Err(Error::Token(why.to_string())),
        Some(Known::Nothing) | None => Err(Error::Token("it was not asked for".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn api_access_is_written_as_far_as_it_goes() {
        let pod: Pod = from_value(json!({"metadata": {"name": "web", "namespace": "dev"}})).expect("pod");
        let source: ProjectedVolumeSource = from_value(json!({"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
        ]}))
        .expect("source");
        let paths = |name: &str, given: &Given| -> Result<Vec<String>, String> {
            let files = files(name, &source, &pod, given).map_err(|error| error.to_string())?;
            Ok(files.iter().map(|file| file.path().to_owned()).collect())
        };
        let mut given = Given::for_tests();
        assert_eq!(paths("kube-api-access-x7k2p", &given).expect("optional"), ["namespace"]);
        assert_eq!(paths("mine", &given).expect_err("needed"), "failed to fetch token: it was not asked for");
        let asked = ("".to_owned(), 3607);
        given.tokens.insert(asked.clone(), Known::Refused("serviceaccounts \"x\" not found".into()));
        assert_eq!(
            paths("mine", &given).expect_err("needed"),
            "failed to fetch token: serviceaccounts \"x\" not found"
        );
        given.tokens.insert(asked, Known::Given("a.b.c".into()));
        assert_eq!(paths("mine", &given).expect_err("needed"), "configmap \"kube-root-ca.crt\" not found");
        let map = json!({"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": "PEM"}});
        given.config_maps.insert("kube-root-ca.crt".into(), Arc::new(from_value(map).expect("map")));
        assert_eq!(paths("mine", &given).expect("there"), ["token", "ca.crt", "namespace"]);
    }
}
