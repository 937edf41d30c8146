//! One object as it is stored and sent.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

/// The place of a change in the one order of all changes; what clients know as `resourceVersion`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// `pods`, `deployments.apps`.
    pub resource: Arc<str>,
    /// Empty for objects of the cluster.
    pub namespace: Arc<str>,
    /// The object's name.
    pub name: Arc<str>,
}

impl Key {
    /// A key from its parts.
    pub fn new(resource: &str, namespace: &str, name: &str) -> Self {
        Self { resource: resource.into(), namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.resource, self.namespace, self.name)
    }
}

/// What a crash may take away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing: on disk before it is acknowledged.
    Durable,
    /// The object, or its latest changes: leases, events.
    Volatile,
}

/// One state of one object. Immutable, shared by all who read it.
#[derive(Debug)]
pub struct Entry {
    /// Which object.
    pub key: Key,
    /// The change that made this state.
    pub revision: Revision,
    /// The object as JSON, with its `metadata.resourceVersion`.
    pub bytes: Bytes,
    /// What a crash may take away.
    pub class: Class,
}

impl Entry {
    /// The object, parsed. Not cached: an object in memory costs its bytes and no more.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| {
            // Unreachable for what Draft wrote. A file that was tampered with must not take the process down.
            tracing::error!(key = %self.key, error = %e, "a stored object is not JSON");
            Value::Null
        })
    }
}
