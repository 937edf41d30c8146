//! What types and fields are, in Kubernetes' words. They are inflated while a document is made and then let go.

use std::collections::HashMap;
use std::io::Read as _;

use flate2::read::DeflateDecoder;

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
pub(super) struct Descriptions<'a>(HashMap<(&'a str, &'a str), &'a str>);

impl<'a> Descriptions<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let (mut ty, mut all) = ("", HashMap::new());
        for line in text.lines() {
            let mut cells = line.splitn(3, '\t');
            let mut cell = || cells.next().unwrap_or_default();
            match (cell(), cell(), cell()) {
                ("", field, description) => all.insert((ty, field), description),
                (name, description, _) => {
                    ty = name;
                    all.insert((ty, ""), description)
                }
            };
        }
        Self(all)
    }

    /// The description of a field, or of the type when `field` is "".
    pub(super) fn get(&self, ty: &str, field: &str) -> String {
        let packed = self.0.get(&(ty, field)).copied().or_else(|| common(field));
        let Some(packed) = packed else { return String::new() };
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
}

/// Fields that every kind has, described here because `k8s-openapi` has them as constants.
fn common(field: &str) -> Option<&'static str> {
    match field {
        "apiVersion" => Some("The group and version of the schema this object is written in."),
        "kind" => Some("What the object is. It is given by the resource's endpoint and cannot be changed."),
        "metadata" => Some("Standard metadata."),
        "items" => Some("The objects of the list."),
        _ => None,
    }
}
