//! A request's body, in any of the three encodings, as a value.
//!
//! JSON and YAML know nothing of types; they report duplicate keys, which Kubernetes warns of or refuses. Protobuf cannot
//! be read without the table, and its values are complete: they have `apiVersion` and `kind` from the envelope.
//!
//! # Errors
//! Texts are those of the reference server as far as clients show them.

mod json;
mod protobuf;
mod syntax;
mod yaml;
mod yaml_scalar;

pub use json::json;
pub(crate) use protobuf::MAGIC;
pub use protobuf::protobuf;
pub use yaml::{documents, yaml};

use serde_json::Value;

/// How deep a body may nest.
pub(crate) const DEPTH: usize = 128;

/// How many objects a body may hold. An empty one is two bytes in a body and a hundred times that with its defaults.
const OBJECTS: usize = 100_000;

/// How many duplicate keys are told, as upstream has it.
const DUPLICATES: usize = 100;

/// How long the path of a duplicate key may be to be told.
const TOLD: usize = 4096;

/// A body without types.
#[derive(Debug)]
pub struct Decoded {
    /// What it says. Of duplicate keys the last counts.
    pub value: Value,
    /// The paths of keys that occur more than once, once each: `spec.replicas`.
    pub duplicates: Vec<String>,
}

/// Why a body cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Not JSON.
    #[error("couldn't get version/kind; json parse error: {0}")]
    Json(String),
    /// Not YAML.
    #[error("error converting YAML to JSON: yaml: {0}")]
    Yaml(String),
    /// More than `DEPTH` levels.
    #[error("exceeded max depth")]
    Depth,
    /// More than `OBJECTS` objects.
    #[error("exceeded max number of objects")]
    Objects,
    /// Aliases that unfold to more than a body may hold.
    #[error("yaml: document contains excessive aliasing")]
    Aliases,
    /// Bytes that are no Kubernetes protobuf envelope.
    #[error("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")]
    Envelope,
    /// An envelope of a kind that is not in the table.
    #[error("no kind {kind:?} is registered for version {version:?}")]
    Kind {
        /// `apps/v1`
        version: String,
        /// `Deployment`
        kind: String,
    },
    /// A protobuf message cut short or malformed.
    #[error("proto: {0}")]
    Protobuf(&'static str),
}

/// The path of the value being read, and the duplicates met so far.
#[derive(Default)]
struct Trail {
    path: String,
    duplicates: Vec<String>,
    objects: usize,
}

impl Trail {
    /// Runs `then` one step deeper.
    fn step<T>(&mut self, step: impl FnOnce(&mut String), then: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        step(&mut self.path);
        let result = then(self);
        self.path.truncate(length);
        result
    }

    /// Counts one more object.
    fn object(&mut self) -> Result<(), Error> {
        self.objects += 1;
        if self.objects > OBJECTS { Err(Error::Objects) } else { Ok(()) }
    }

    fn duplicate(&mut self, key: &str) {
        if self.duplicates.len() == DUPLICATES || self.path.len() + key.len() > TOLD {
            return;
        }
        let mut path = self.path.clone();
        push_key(&mut path, key);
        if !self.duplicates.contains(&path) {
            self.duplicates.push(path);
        }
    }
}

fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

fn push_index(path: &mut String, index: usize) {
    path.push_str(&format!("[{index}]"));
}

#[cfg(test)]
mod tests;
