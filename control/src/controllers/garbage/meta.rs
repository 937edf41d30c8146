//! The part of an object that the collector reads.

use serde::{Deserialize, Serialize};

use super::{FOREGROUND, ORPHAN};
use crate::store::Entry;

/// A few fields of `metadata`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    pub uid: String,
    pub resource_version: String,
    pub deletion_timestamp: Option<String>,
    pub finalizers: Vec<String>,
    pub owner_references: Vec<Owner>,
}

/// An owner reference.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owner {
    pub api_version: String,
    pub kind: String,
    pub name: String,
    pub uid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_owner_deletion: Option<bool>,
}

#[derive(Deserialize)]
struct Object {
    metadata: Meta,
}

impl Meta {
    /// The metadata of a stored object.
    pub fn of(entry: &Entry) -> Option<Self> {
        serde_json::from_slice::<Object>(&entry.bytes).ok().map(|object| object.metadata)
    }

    /// True once a deletion was asked for.
    pub fn is_deleting(&self) -> bool {
        self.deletion_timestamp.is_some()
    }

    /// True for a finalizer that holds the object.
    pub fn has(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|f| f == finalizer)
    }

    /// True for an object that waits for the collector.
    pub fn is_waiting(&self) -> bool {
        self.is_deleting() && (self.has(FOREGROUND) || self.has(ORPHAN))
    }
}
