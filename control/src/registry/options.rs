//! What a writer may ask for, and what it gets back.

use bytes::Bytes;

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
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// Everything but the write itself.
    pub dry_run: bool,
    /// What to do about unknown and duplicate fields.
    pub validation: FieldValidation,
    /// Paths of fields that the body gave twice, from the decoder.
    pub duplicates: Vec<String>,
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
