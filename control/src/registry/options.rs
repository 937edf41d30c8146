//! What a writer may ask for, and what it gets back.

use std::sync::Arc;

use bytes::Bytes;

use crate::auth::Caller;

/// What happens to fields that the schema does not know, and to fields given twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// Dropped in silence.
    Ignore,
    /// Dropped, each named in a `Warning` header. The server's default.
    #[default]
    Warn,
    /// 400, all of them listed.
    Strict,
}

/// The options of create, update and patch.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Everything but the write itself.
    pub dry_run: bool,
    /// What to do about unknown and duplicate fields.
    pub validation: FieldValidation,
    /// What the decoder has to say of the body: fields that are there twice.
    pub findings: Vec<String>,
    /// Who writes.
    pub caller: Arc<Caller>,
    /// Who is said to own the fields that are written.
    pub manager: Arc<str>,
    /// An apply takes fields away from other managers.
    pub force: bool,
}

/// What the loops of this process write.
impl Default for WriteOptions {
    fn default() -> Self {
        Self::of("system:kube-controller-manager")
    }
}

impl WriteOptions {
    /// What a component of this process writes under its own name.
    pub fn of(user: &str) -> Self {
        Self {
            dry_run: false,
            validation: FieldValidation::default(),
            findings: Vec::new(),
            caller: Arc::new(Caller::system(user)),
            manager: user.strip_prefix("system:").unwrap_or(user).into(),
            force: false,
        }
    }
}

/// What a write left behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The object as it is now, encoded.
    pub bytes: Bytes,
    /// True where the object is new.
    pub created: bool,
    /// For `Warning` headers.
    pub warnings: Vec<String>,
}
