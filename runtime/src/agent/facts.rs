//! What the machine is, asked once.

use std::collections::BTreeMap;
use std::fs;
use std::thread::available_parallelism;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use objects::quantity::Quantity;

use super::Config;

/// The machine under the node.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Processors.
    pub cores: usize,
    /// What pods may have, in all. Nothing is set aside: the guests share the process with the node.
    pub capacity: BTreeMap<String, Text>,
    /// `uname -r`.
    pub kernel: String,
    /// `amd64`, `arm64` …, as Go names it.
    pub architecture: &'static str,
    /// The pretty name of the distribution.
    pub os_image: String,
    /// Identifies the installation.
    pub machine_id: String,
    /// Identifies the boot.
    pub boot_id: String,
}

impl Facts {
    /// Looks around.
    pub fn gather(config: &Config) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        let read = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
        let memory = memory(&read("/proc/meminfo")).unwrap_or(1 << 30);
        let disk = rustix::fs::statvfs(&config.data_dir).map_or(0, |disk| disk.f_blocks.saturating_mul(disk.f_frsize));
        let bytes = |bytes: u64| Quantity::from_bytes(i64::try_from(bytes).unwrap_or(i64::MAX)).to_text();
        let mut capacity = BTreeMap::from([
            ("cpu".to_owned(), Quantity::from_whole(i64::try_from(cores).unwrap_or(1)).to_text()),
            ("memory".to_owned(), bytes(memory)),
            ("ephemeral-storage".to_owned(), bytes(disk)),
            ("pods".to_owned(), Quantity::from_whole(config.max_pods.into()).to_text()),
        ]);
        capacity.extend(config.capacity.clone());
        Self {
            cores,
            capacity,
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            architecture: architecture(std::env::consts::ARCH),
            os_image: os_image(&read("/etc/os-release")),
            machine_id: read("/etc/machine-id"),
            boot_id: read("/proc/sys/kernel/random/boot_id"),
        }
    }
}

/// Bytes of memory, from `/proc/meminfo`.
fn memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

fn os_image(os_release: &str) -> String {
    let name = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(|| "Linux".to_owned(), |name| name.trim_matches(['"', '\'']).to_owned())
}

fn architecture(rust: &'static str) -> &'static str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        assert_eq!(memory("MemTotal:       16315476 kB\nMemFree: 1 kB"), Some(16_315_476 * 1024));
        assert_eq!(
            os_image("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
            "Debian GNU/Linux 12 (bookworm)"
        );
        assert_eq!(os_image(""), "Linux");
    }
}
