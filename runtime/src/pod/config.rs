//! What `wasi:config` tells a container: what its own spec configures it with, by the names that people gave.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;

use super::given::Given;

/// Every key of the ConfigMaps and Secrets that `envFrom` lists, as it is called there, and over them the variables of
/// `env`, with the values that they have in the `environment`. Variables about services and the host name are not
/// configuration.
pub fn entries(
    container: &Container,
    given: &Given,
    environment: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    for source in container.env_from.iter().flatten() {
        let map = source.config_map_ref.as_ref().and_then(|wanted| given.config_maps.get(&wanted.name));
        let pairs = map.iter().flat_map(|map| map.data.iter().flatten());
        entries.extend(pairs.map(|(key, value)| (key.clone(), value.clone())));
        let secret = source.secret_ref.as_ref().and_then(|wanted| given.secrets.get(&wanted.name));
        for (key, value) in secret.iter().flat_map(|secret| secret.data.iter().flatten()) {
            // What is no text is an error of the environment already.
            if let Ok(text) = std::str::from_utf8(&value.0) {
                entries.insert(key.clone(), text.to_owned());
            }
        }
    }
    let own = container.env.iter().flatten();
    entries.extend(
        own.filter_map(|variable| environment.get_key_value(&variable.name)).map(|(k, v)| (k.clone(), v.clone())),
    );
    entries
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use serde_json::json;

    #[test]
    fn keys_keep_their_names_and_env_wins() {
        let container: Container = serde_json::from_value(json!({"name": "c",
            "envFrom": [{"prefix": "APP_", "configMapRef": {"name": "settings"}}, {"secretRef": {"name": "keys"}}],
            "env": [{"name": "mode", "value": "fast"}]}))
        .unwrap();
        let map = json!({"data": {"log.level": "debug", "mode": "slow"}});
        let secret = json!({"data": {"token": "c2VzYW1l"}});
        let given = Given {
            config_maps: [("settings".to_owned(), Arc::new(serde_json::from_value(map).unwrap()))].into(),
            secrets: [("keys".to_owned(), Arc::new(serde_json::from_value(secret).unwrap()))].into(),
            ..Given::for_tests()
        };
        let environment = [("mode", "fast"), ("APP_mode", "slow"), ("KUBERNETES_SERVICE_HOST", "10.43.0.1")];
        let environment = environment.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let entries: Vec<_> = entries(&container, &given, &environment).into_iter().collect();
        let expected = [("log.level", "debug"), ("mode", "fast"), ("token", "sesame")];
        assert_eq!(entries, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
