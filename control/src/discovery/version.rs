//! `/version`: what clients compare with their own.

use serde_json::{Value, json};

/// The Kubernetes release whose API this is, and ours as its build. Clients parse it as semantic version.
pub const VERSION: &str = concat!("v1.33.13+sampan.", env!("CARGO_PKG_VERSION"));

/// The document, with the fields in the order of Go's struct.
pub fn version() -> Value {
    json!({
        "major": "1",
        "minor": "33",
        "emulationMajor": "1",
        "emulationMinor": "33",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "32",
        "gitVersion": VERSION,
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, architecture()),
    })
}

/// The processor, in Go's words.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
