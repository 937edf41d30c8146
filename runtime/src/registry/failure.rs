//! Failures, as the distribution specification has them.

use http::{Response, StatusCode};
use netproxy::fabric::Body;
use serde_json::json;

use super::answer;
use crate::image::StoreError;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// There is no such content.
    BlobUnknown,
    /// There is no such upload.
    BlobUploadUnknown,
    /// A chunk that does not follow on the last one.
    RangeInvalid,
    /// Not the digest that was named.
    DigestInvalid,
    /// No manifest, or not a good one.
    ManifestInvalid,
    /// There is no such manifest.
    ManifestUnknown,
    /// It refers to content that is not here.
    ManifestBlobUnknown,
    /// No name of a repository.
    NameInvalid,
    /// No such repository.
    NameUnknown,
    /// Too large.
    SizeInvalid,
    /// Somebody else writes to it.
    Busy,
    /// Not done here.
    Unsupported,
    /// A fault of this side.
    Unknown,
}

impl Code {
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::BlobUnknown => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
            Self::BlobUploadUnknown => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
            Self::RangeInvalid => (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID"),
            Self::DigestInvalid => (StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
            Self::ManifestInvalid => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
            Self::ManifestUnknown => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
            Self::ManifestBlobUnknown => (StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN"),
            Self::NameInvalid => (StatusCode::BAD_REQUEST, "NAME_INVALID"),
            Self::NameUnknown => (StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
            Self::SizeInvalid => (StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID"),
            Self::Busy => (StatusCode::CONFLICT, "BLOB_UPLOAD_INVALID"),
            Self::Unsupported => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
            Self::Unknown => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN"),
        }
    }
}

/// A request that cannot be done.
#[derive(Debug)]
pub struct Failure {
    code: Code,
    message: String,
}

impl Failure {
    /// With words for people.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The answer.
    pub fn response(&self) -> Response<Body> {
        let (status, code) = self.code.parts();
        answer::json(status, &json!({"errors": [{"code": code, "message": self.message}]}))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Digest { .. } | StoreError::NoDigest(_) => Code::DigestInvalid,
            StoreError::Reference { .. } => Code::NameInvalid,
            StoreError::Incomplete(_) => Code::ManifestBlobUnknown,
            StoreError::Manifest(_) | StoreError::Layout(_) => Code::ManifestInvalid,
            StoreError::TooLarge { .. } => Code::SizeInvalid,
            StoreError::Busy(_) => Code::Busy,
            _ => Code::Unknown,
        };
        if code == Code::Unknown {
            tracing::warn!(%error, "the registry");
        }
        Self::new(code, error.to_string())
    }
}
