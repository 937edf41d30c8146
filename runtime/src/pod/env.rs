//! A container's environment and arguments, from everything they may be written with.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, Pod};

use super::downward;
use super::expand::expand;
use super::given::Given;
use super::services;
use crate::image::{Image, ImageConfig as Config};

/// Why the environment cannot be made: a `CreateContainerConfigError`, in a kubelet's words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A reference to nothing.
    #[error("{kind} {name:?} not found")]
    Missing {
        /// `configmap` or `secret`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A reference to a key that is not there.
    #[error("couldn't find key {key} in {kind} {namespace}/{name}")]
    Key {
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// Where it is.
        namespace: String,
        /// Its name.
        name: String,
        /// What it lacks.
        key: String,
    },
    /// Bytes that no variable can hold.
    #[error("the value of key {key} in {kind} {name} is not text")]
    NotText {
        /// `configmap` or `secret`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Which value.
        key: String,
    },
    /// The downward API.
    #[error(transparent)]
    Downward(#[from] downward::Error),
}

/// The environment of one container, by name: `envFrom`, over it `env`, under both the variables about services.
pub fn environment(pod: &Pod, container: &Container, given: &Given) -> Result<BTreeMap<String, String>, Error> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let links = pod.spec.as_ref().and_then(|spec| spec.enable_service_links).unwrap_or(true);
    let service_variables = services::variables(given.services.iter().map(|service| &**service), namespace, links);
    let mut variables = sources(container, given)?;
    for variable in container.env.iter().flatten() {
        let value = match value(pod, container, given, variable)? {
            Value::Literal(text) => {
                expand(text, |name| variables.get(name).or_else(|| service_variables.get(name)).map(String::as_str))
            }
            Value::Found(value) => value,
            Value::Absent => continue,
        };
        variables.insert(variable.name.clone(), value);
    }
    for (name, value) in service_variables {
        variables.entry(name).or_insert(value);
    }
    Ok(variables)
}

/// The whole argument list, the program's name first: `command` replaces the image's entry point, `args` its arguments.
/// Most images have no entry point but their one program, which goes by the name of the image then.
pub fn arguments(container: &Container, image: &Image, variables: &BTreeMap<String, String>) -> Vec<String> {
    let expanded = |text: &String| expand(text, |name| variables.get(name).map(String::as_str));
    let given = |list: &Option<Vec<String>>| -> Vec<String> { list.iter().flatten().map(expanded).collect() };
    let (command, args) = (given(&container.command), given(&container.args));
    let Config { entrypoint, cmd, .. } = &image.config;
    let (mut whole, rest) = match (command.is_empty(), args.is_empty()) {
        (false, _) => (command, args),
        (true, false) => (entrypoint.clone(), args),
        (true, true) => (entrypoint.clone(), cmd.clone()),
    };
    let has_program = !whole.is_empty() || (image.rootfs.is_some() && !rest.is_empty());
    if !has_program {
        whole.push(image.reference.program().to_owned());
    }
    whole.extend(rest);
    whole
}

fn sources(container: &Container, given: &Given) -> Result<BTreeMap<String, String>, Error> {
    let mut variables = BTreeMap::new();
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.as_deref().unwrap_or_default();
        let mut add = |key: &str, value: String| {
            let name = format!("{prefix}{key}");
            // Kubernetes takes any printable ASCII but `=`, and passes over the rest.
            if !name.is_empty() && name.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=') {
                variables.insert(name, value);
            }
        };
        if let Some(wanted) = &source.config_map_ref {
            match given.config_maps.get(&wanted.name) {
                Some(map) => map.data.iter().flatten().for_each(|(key, value)| add(key, value.clone())),
                None if wanted.optional == Some(true) => {}
                None => return Err(missing("configmap", &wanted.name)),
            }
        }
        if let Some(wanted) = &source.secret_ref {
            match given.secrets.get(&wanted.name) {
                Some(secret) => {
                    for (key, value) in secret.data.iter().flatten() {
                        add(key, text("secret", &wanted.name, key, &value.0)?);
                    }
                }
                None if wanted.optional == Some(true) => {}
                None => return Err(missing("secret", &wanted.name)),
            }
        }
    }
    Ok(variables)
}

enum Value<'a> {
    Literal(&'a str),
    Found(String),
    /// An optional reference to nothing: the variable is not set.
    Absent,
}

fn value<'a>(pod: &Pod, container: &Container, given: &Given, variable: &'a EnvVar) -> Result<Value<'a>, Error> {
    match (variable.value.as_deref(), &variable.value_from) {
        (None | Some(""), Some(source)) => reference(pod, container, given, source),
        (text, _) => Ok(Value::Literal(text.unwrap_or_default())),
    }
}

fn reference<'a>(pod: &Pod, container: &Container, given: &Given, source: &EnvVarSource) -> Result<Value<'a>, Error> {
    let namespace = || pod.metadata.namespace.clone().unwrap_or_default();
    if let Some(field) = &source.field_ref {
        return Ok(Value::Found(downward::field(pod, given, &field.field_path)?));
    }
    if let Some(selector) = &source.resource_field_ref {
        let named = selector.container_name.as_deref().filter(|name| !name.is_empty());
        let of = match named {
            Some(name) => super::container(pod, name).ok_or_else(|| downward::Error::Container(name.to_owned()))?,
            None => container,
        };
        return Ok(Value::Found(downward::resource(of, given, selector)?));
    }
    if let Some(wanted) = &source.config_map_key_ref {
        let optional = wanted.optional == Some(true);
        let Some(map) = given.config_maps.get(&wanted.name) else {
            return if optional { Ok(Value::Absent) } else { Err(missing("configmap", &wanted.name)) };
        };
        let (name, key) = (wanted.name.clone(), wanted.key.clone());
        return match map.data.as_ref().and_then(|data| data.get(&key)) {
            Some(value) => Ok(Value::Found(value.clone())),
            None if optional => Ok(Value::Absent),
            None => Err(Error::Key { kind: "ConfigMap", namespace: namespace(), name, key }),
        };
    }
    if let Some(wanted) = &source.secret_key_ref {
        let optional = wanted.optional == Some(true);
        let Some(secret) = given.secrets.get(&wanted.name) else {
            return if optional { Ok(Value::Absent) } else { Err(missing("secret", &wanted.name)) };
        };
        let (name, key) = (wanted.name.clone(), wanted.key.clone());
        return match secret.data.as_ref().and_then(|data| data.get(&key)) {
            Some(value) => Ok(Value::Found(text("secret", &name, &key, &value.0)?)),
            None if optional => Ok(Value::Absent),
            None => Err(Error::Key { kind: "Secret", namespace: namespace(), name, key }),
        };
    }
    Ok(Value::Found(String::new()))
}

fn missing(kind: &'static str, name: &str) -> Error {
    Error::Missing { kind, name: name.to_owned() }
}

fn text(kind: &'static str, name: &str, key: &str, bytes: &[u8]) -> Result<String, Error> {
    let not_text = |_| Error::NotText { kind, name: name.to_owned(), key: key.to_owned() };
    String::from_utf8(bytes.to_vec()).map_err(not_text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value as Json, from_value, json};

    use super::*;

    fn given() -> Given {
        let mut given = Given::for_tests();
        let map = json!({"metadata": {"name": "map"}, "data": {"a": "1", "b": "2", "bad=key": "x"}});
        given.config_maps.insert("map".into(), Arc::new(from_value(map).expect("map")));
        let secret = json!({"metadata": {"name": "secret"}, "data": {"token": "czNjcmV0"}});
        given.secrets.insert("secret".into(), Arc::new(from_value(secret).expect("secret")));
        let service = json!({"metadata": {"name": "db", "namespace": "dev"},
            "spec": {"clusterIP": "10.43.0.5", "ports": [{"port": 5432}]}});
        given.services.push(Arc::new(from_value(service).expect("service")));
        given
    }

    fn made(container: Json) -> Result<(BTreeMap<String, String>, Vec<String>), Error> {
        let pod: Pod = from_value(json!({
            "metadata": {"name": "web-0", "namespace": "dev"}, "spec": {"containers": [container]},
        }))
        .expect("pod");
        let container = &pod.spec.as_ref().expect("spec").containers[0];
        let variables = environment(&pod, container, &given())?;
        let arguments = arguments(container, &image(Config::default(), None), &variables);
        Ok((variables, arguments))
    }

    fn image(config: Config, rootfs: Option<&str>) -> Image {
        use crate::image::{Digest, Module, Reference};
        let digest = Digest::of(b"web");
        Image {
            reference: Reference::parse("web:v1").expect("a name"),
            digest: digest.clone(),
            module: Module { path: "/web".into(), digest },
            config,
            rootfs: rootfs.map(Into::into),
            size: 3,
            imported: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_pods_words_replace_the_images() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let image =
            image(Config { entrypoint: words("/a.wasm serve"), cmd: words("--port 1"), ..Config::default() }, None);
        let made = |command: &str, args: &str| {
            let container =
                Container { command: Some(words(command)), args: Some(words(args)), ..Container::default() };
            arguments(&container, &image, &BTreeMap::new()).join(" ")
        };
        assert_eq!(made("", ""), "/a.wasm serve --port 1");
        assert_eq!(made("", "--port 2"), "/a.wasm serve --port 2");
        assert_eq!(made("/b.wasm", ""), "/b.wasm");
        assert_eq!(made("/b.wasm", "x"), "/b.wasm x");
        let shell = self::image(Config { cmd: words("/sh.wasm -l"), ..Config::default() }, Some("/rootfs"));
        assert_eq!(arguments(&Container::default(), &shell, &BTreeMap::new()), ["/sh.wasm", "-l"]);
    }

    #[test]
    fn everything_comes_together_in_kubernetes_order() {
        let (variables, arguments) = made(json!({
            "name": "c",
            "envFrom": [{"configMapRef": {"name": "map"}, "prefix": "P_"}, {"secretRef": {"name": "gone", "optional": true}}],
            "env": [
                {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "P_b", "value": "over"},
                {"name": "URL", "value": "pg://$(DB_SERVICE_HOST):$(DB_SERVICE_PORT)/$(ME)?$(LATER)"},
                {"name": "LATER", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "token"}}},
                {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "map", "key": "z", "optional": true}}},
            ],
            "args": ["--url=$(URL)", "$(P_a)", "$$(P_a)"],
        }))
        .expect("made");
        let value = |name: &str| variables.get(name).map(String::as_str);
        assert_eq!(value("P_a"), Some("1"));
        assert_eq!(value("P_b"), Some("over"));
        assert_eq!(value("URL"), Some("pg://10.43.0.5:5432/web-0?$(LATER)"));
        assert_eq!(value("LATER"), Some("s3cret"));
        assert_eq!(value("NONE"), None);
        assert!(variables.keys().all(|name| !name.contains('=')));
        assert_eq!(arguments, ["web", "--url=pg://10.43.0.5:5432/web-0?$(LATER)", "1", "$(P_a)"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let message = |container: Json| made(container).expect_err("missing").to_string();
        let env = |source: Json| json!({"name": "c", "env": [{"name": "X", "valueFrom": source}]});
        let cases = [
            (env(json!({"configMapKeyRef": {"name": "gone", "key": "k"}})), "configmap \"gone\" not found"),
            (env(json!({"secretKeyRef": {"name": "gone", "key": "k"}})), "secret \"gone\" not found"),
            (env(json!({"configMapKeyRef": {"name": "map", "key": "k"}})), "couldn't find key k in ConfigMap dev/map"),
            (env(json!({"secretKeyRef": {"name": "secret", "key": "k"}})), "couldn't find key k in Secret dev/secret"),
            (json!({"name": "c", "envFrom": [{"secretRef": {"name": "gone"}}]}), "secret \"gone\" not found"),
        ];
        for (container, expected) in cases {
            assert_eq!(message(container), expected);
        }
    }

    #[test]
    fn a_command_stands_for_itself() {
        let (_, arguments) = made(json!({"name": "c", "command": ["sh", "-c"], "args": ["env"]})).expect("made");
        assert_eq!(arguments, ["sh", "-c", "env"]);
    }
}
