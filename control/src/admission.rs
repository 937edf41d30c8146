//! Admission: what the cluster has to say about a write, after its form is good and before it is stored.
//!
//! ```text
//! create, update: defaults ─► mutate (each plug-in in turn) ─► defaults ─► rules of the kind ─► validate ─► store
//! delete, connect:                                                                              validate ─► store
//! ```
//!
//! The plug-ins are upstream's, in upstream's order, a file each. Everybody passes through here, controllers of this
//! process too: an owner of a quota wants it to hold for the pods of a ReplicaSet.

use serde_json::Value;

use crate::registry::{Registry, Target, WriteOptions};
use crate::status::Status;

/// What is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A new object.
    Create,
    /// A change.
    Update,
    /// An end.
    Delete,
    /// A stream into a pod.
    Connect,
}

/// A write that asks to be admitted.
pub struct Review<'a> {
    /// What is about to be done.
    pub operation: Operation,
    /// To which object. The name of a created object is known, except where it is still to be generated.
    pub target: &'a Target,
    /// `status`, `scale`, …; empty for the object itself.
    pub subresource: &'a str,
    /// The object as it is stored; none for a create.
    pub old: Option<&'a Value>,
    /// Who writes, and whether in earnest.
    pub options: &'a WriteOptions,
}

/// A step of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plugin {}

/// Every plug-in, in the order in which they are asked.
const CHAIN: &[Plugin] = &[];

/// The plug-ins that are switched on.
#[derive(Debug, Default)]
pub struct Admission {
    chain: Vec<Plugin>,
}

impl Admission {
    /// All plug-ins.
    pub fn new() -> Self {
        Self { chain: CHAIN.to_vec() }
    }

    /// Lets each plug-in change the object.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn mutate(
        &self,
        _registry: &Registry,
        _review: &Review<'_>,
        _object: &mut Value,
        _warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        for plugin in &self.chain {
            match *plugin {}
        }
        Ok(())
    }

    /// Asks each plug-in about the object as it is going to be; none is left by a deletion.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn validate(
        &self,
        _registry: &Registry,
        _review: &Review<'_>,
        _object: Option<&Value>,
        _warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        for plugin in &self.chain {
            match *plugin {}
        }
        Ok(())
    }
}
