//! Registries, by the OCI distribution API: what this node asks them, and how little it believes of the answers.
//!
//! The client is small and its own, on the HTTP client that `oci-client` has beneath it: that library reads manifests
//! and tokens whole before it looks at their length, keeps the first credentials that anybody gave for a registry, and
//! has no way to go on with a broken download.
//!
//! # Guarantees
//! Credentials go to the host they are for, and never from TLS to plain HTTP. Nothing from a registry is in memory but a
//! manifest of at most 4 MiB and a piece of a blob. A registry that falls silent is given up.

mod challenge;
mod client;
mod download;
mod fetch;
mod push;
mod session;
mod trust;

use std::time::Duration;

use super::digest::Digest;
use super::manifest::{self, MAX_MANIFEST};
use super::{layout, store};

pub(super) use client::{Clients, authorities};
pub(super) use download::Downloads;
pub(super) use fetch::{Fetch, Progress, Want};
pub use push::push;

/// How long registries are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until there is a connection.
    pub(super) connect: Duration,
    /// Without a byte.
    pub(super) silence: Duration,
    /// Before a broken download is gone on with; doubled each time.
    pub(super) retry: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), silence: Duration::from_secs(30), retry: Duration::from_millis(500) }
    }
}

/// What a registry did not do for us.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no answer.
    #[error("ask {host}: {reason}")]
    Unreachable {
        /// Whom.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// It went silent, or broke off, once too often.
    #[error("the download from {host} broke off: {reason}")]
    Broken {
        /// Whom.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// It is not well.
    #[error("{host} is not available: it answers {status}{detail}")]
    Unavailable {
        /// Whom.
        host: String,
        /// 5xx.
        status: http::StatusCode,
        /// In its words.
        detail: String,
    },
    /// There is no such image, as far as we may know.
    #[error("{0}: not found")]
    NotFound(String),
    /// Our credentials are not good enough, or we have none.
    #[error(
        "pull access denied, repository does not exist or may require authorization: {host} answers {status}{detail}"
    )]
    Denied {
        /// Whom.
        host: String,
        /// 401 or 403.
        status: http::StatusCode,
        /// In its words.
        detail: String,
    },
    /// The same, for what we wanted to give it.
    #[error("push access denied: {host} answers {status}{detail}")]
    PushDenied {
        /// Whom.
        host: String,
        /// 401 or 403.
        status: http::StatusCode,
        /// In its words.
        detail: String,
    },
    /// It takes content, and names no place for it that it could be brought to.
    #[error("{0} does not say where to upload to, or leads there from TLS to plain HTTP")]
    Upload(String),
    /// It wants to be asked less.
    #[error("{host} limits how often it may be asked: it answers 429 Too Many Requests{detail}")]
    Limited {
        /// Whom.
        host: String,
        /// In its words.
        detail: String,
    },
    /// Some other answer.
    #[error("unexpected status from {host}: {status}{detail}")]
    Status {
        /// Whom.
        host: String,
        /// Which.
        status: http::StatusCode,
        /// In its words.
        detail: String,
    },
    /// Where to log in can't be told, or is not to be trusted.
    #[error("log in to {host}: {reason}")]
    Login {
        /// Whom.
        host: String,
        /// Why not.
        reason: String,
    },
    /// A manifest larger than any.
    #[error("{0} sends a manifest of more than {MAX_MANIFEST} bytes")]
    HugeManifest(String),
    /// What it sends is not what it was asked for.
    #[error("{host} sends content with the digest {actual} instead of {expected}")]
    Digest {
        /// Whom.
        host: String,
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// It lies about lengths.
    #[error("{host} sends {actual} bytes of {digest}, which has {expected}")]
    Length {
        /// Whom.
        host: String,
        /// The content.
        digest: Digest,
        /// As the manifest says.
        expected: u64,
        /// As it comes.
        actual: u64,
    },
    /// A manifest that is none.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
    /// An image that is nothing for us.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// What was pulled can't be kept.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The authorities of a registry can't be read.
    #[error("read the authorities in {path}: {reason}")]
    Authorities {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

impl Error {
    /// No other registry would help.
    fn is_final(&self) -> bool {
        matches!(self, Self::Layout(_) | Self::Store(_) | Self::Stopping)
    }

    /// The same may do better in a moment.
    fn is_passing(&self) -> bool {
        matches!(self, Self::Broken { .. } | Self::Unavailable { .. } | Self::Unreachable { .. })
    }
}

/// An error of the HTTP client with all that is behind it, and without the address, which may have secrets in it.
fn words(error: reqwest::Error) -> String {
    if error.is_timeout() && !error.is_connect() {
        return "it sends nothing any more".to_owned();
    }
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words.chars().take(400).collect()
}

/// Runs what blocks on the disk where it disturbs nobody.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, store::Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(Error::Stopping),
    }
}
