//! What types and fields are, in Kubernetes' words. They are inflated while a document is made and then let go.

use std::collections::HashMap;
use std::io::Read as _;

use flate2::read::DeflateDecoder;
use serde_json::{Map, Value, json};

const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptions.deflate"));

/// The text of all descriptions.
pub(super) fn inflate() -> String {
    let mut text = String::new();
    match DeflateDecoder::new(PACKED).read_to_string(&mut text) {
        Ok(_) => text,
        // Without descriptions a document is poorer, not wrong.
        Err(_) => String::new(),
    }
}

/// Descriptions by type and field; the type's own is that of the field "".
///
/// Two kinds of lines are told apart by a word before the name: what the values of an enumeration mean, and which value of
/// a union's discriminator stands for which field.
pub(super) struct Descriptions<'a> {
    all: HashMap<(&'a str, &'a str), &'a str>,
    enums: HashMap<&'a str, Vec<&'a str>>,
    unions: HashMap<&'a str, Vec<(&'a str, &'a str)>>,
}

impl<'a> Descriptions<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut found = Self { all: HashMap::new(), enums: HashMap::new(), unions: HashMap::new() };
        let mut ty = "";
        for line in text.lines() {
            let mut cells = line.splitn(3, '\t');
            let mut cell = || cells.next().unwrap_or_default();
            match (cell(), cell(), cell()) {
                ("", field, description) => found.field(ty, field, description),
                (name, description, _) => {
                    ty = name;
                    found.all.insert((ty, ""), description);
                }
            }
        }
        found
    }

    fn field(&mut self, ty: &'a str, field: &'a str, description: &'a str) {
        self.all.insert((ty, field), description);
        if ty.starts_with("enum ") {
            self.enums.entry(ty).or_default().push(field);
        } else if ty.starts_with("union ") {
            self.unions.entry(ty).or_default().push((field, description));
        }
    }

    /// The description of a field, or of the type when `field` is "".
    pub(super) fn get(&self, ty: &str, field: &str) -> String {
        let packed = self.all.get(&(ty, field)).copied().or_else(|| common(field));
        packed.map(unescaped).unwrap_or_default()
    }

    /// The enumeration that a type of the package `near` calls `alias`: `v1.PullPolicy`.
    pub(super) fn enumeration(&self, near: &str, alias: &str) -> Option<Enumeration<'_>> {
        let (version, name) = alias.split_once('.')?;
        let own = near.rsplit_once('.').map_or(near, |(package, _)| package);
        let core = format!("io.k8s.api.core.{version}");
        [own, &core].into_iter().find_map(|package| {
            let (name, values) = self.enums.get_key_value(&*format!("enum {package}.{name}"))?;
            Some(Enumeration { of: self, name, values })
        })
    }

    /// `x-kubernetes-unions` of a type.
    pub(super) fn union(&self, ty: &str) -> Option<Value> {
        let name = format!("union {ty}");
        let (discriminator, fields) = (self.all.get(&(&*name, ""))?, self.unions.get(&*name)?);
        let fields: Map<_, _> = fields.iter().map(|(field, value)| ((*field).to_owned(), json!(value))).collect();
        let mut union = json!({});
        if !discriminator.is_empty() {
            union["discriminator"] = json!(discriminator);
        }
        union["fields-to-discriminateBy"] = Value::Object(fields);
        Some(json!([union]))
    }
}

/// The values of a string type.
pub(super) struct Enumeration<'a> {
    of: &'a Descriptions<'a>,
    name: &'a str,
    values: &'a [&'a str],
}

impl Enumeration<'_> {
    pub(super) fn values(&self) -> &[&str] {
        self.values
    }

    /// What follows the description of a field of this type. `values`: those that the field may have.
    pub(super) fn explain(&self, values: &[&str]) -> String {
        let mut text = "\n\nPossible enum values:".to_owned();
        for value in values {
            let meaning = self.of.all.get(&(self.name, value)).copied().map(unescaped).unwrap_or_default();
            text += format!("\n - `\"{value}\"` {meaning}").trim_end();
        }
        text
    }
}

fn unescaped(packed: &str) -> String {
    let (mut text, mut escape) = (String::with_capacity(packed.len()), false);
    for letter in packed.chars() {
        match (escape, letter) {
            (false, '\\') => escape = true,
            (true, letter) => {
                escape = false;
                text.push(match letter {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                });
            }
            (false, letter) => text.push(letter),
        }
    }
    text
}

/// Fields that every kind has, described here because `k8s-openapi` has them as constants.
fn common(field: &str) -> Option<&'static str> {
    match field {
        "apiVersion" => Some(
            "APIVersion defines the versioned schema of this representation of an object. Servers should convert \
             recognized schemas to the latest internal value, and may reject unrecognized values. More info: \
             https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
        ),
        "kind" => Some(
            "Kind is a string value representing the REST resource this object represents. Servers may infer this from \
             the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: \
             https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
        ),
        _ => None,
    }
}
