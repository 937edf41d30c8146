//! How a tool fails: what it says, and the code it ends with.

use std::io;

/// Why a tool could not do its work.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The code to end with.
    pub code: u8,
    /// What follows the tool's name; empty: nothing is said.
    pub message: String,
}

/// What a program ends with when nobody reads its output any more.
pub const BROKEN_PIPE: u8 = 141;

impl Failure {
    pub fn new(code: u8, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }

    /// Ends without a word.
    pub fn silent(code: u8) -> Failure {
        Failure::new(code, "")
    }

    /// An error about a file or a host.
    pub fn of(name: impl AsRef<str>, error: &io::Error) -> Failure {
        Failure::from_words(error, format!("{}: {}", name.as_ref(), words(error)))
    }

    fn from_words(error: &io::Error, message: String) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::silent(BROKEN_PIPE),
            _ => Failure::new(1, message),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::from_words(&error, words(&error))
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Failure {
        Failure::new(1, message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Failure {
        Failure::new(1, message)
    }
}

/// An error in the words that every Unix has for it.
pub fn words(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let known = match error.kind() {
        Kind::NotFound => "No such file or directory",
        Kind::PermissionDenied => "Permission denied",
        Kind::AlreadyExists => "File exists",
        Kind::NotADirectory => "Not a directory",
        Kind::IsADirectory => "Is a directory",
        Kind::DirectoryNotEmpty => "Directory not empty",
        Kind::ReadOnlyFilesystem => "Read-only file system",
        Kind::StorageFull | Kind::QuotaExceeded => "No space left on device",
        Kind::CrossesDevices => "Invalid cross-device link",
        Kind::ConnectionRefused => "Connection refused",
        Kind::ConnectionReset => "Connection reset by peer",
        Kind::AddrInUse => "Address already in use",
        Kind::AddrNotAvailable => "Cannot assign requested address",
        Kind::HostUnreachable => "No route to host",
        Kind::NetworkUnreachable => "Network is unreachable",
        Kind::TimedOut => "Operation timed out",
        Kind::Unsupported => "Operation not supported",
        _ => return plain(&error.to_string()),
    };
    known.to_owned()
}

/// Without the number that the standard library adds.
fn plain(message: &str) -> String {
    message.split(" (os error").next().unwrap_or(message).to_owned()
}
