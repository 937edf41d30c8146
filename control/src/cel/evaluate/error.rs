//! Why an expression came to nothing.

/// An error of evaluation, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// The object hasn't got the field, the map hasn't got the key.
    #[error("no such key: {0}")]
    NoSuchKey(String),
    /// The values don't fit the operator or the function.
    #[error("no such overload: {0}")]
    NoSuchOverload(String),
    /// The value has no fields.
    #[error("no such overload")]
    NoFields,
    /// More work than an evaluation may make.
    #[error("operation cancelled: actual cost limit exceeded")]
    CostExceeded,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}
