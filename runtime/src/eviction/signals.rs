//! How much of the machine is left.

use std::fs;
use std::path::Path;

use super::threshold::Signal;

/// An amount that is left of a whole, in bytes (inodes for those).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Left.
    pub available: u64,
    /// Of that much.
    pub capacity: u64,
}

/// Reads one signal; none where the system does not say. `data` lies on the node's file system.
pub fn read(signal: Signal, data: &Path) -> Option<Level> {
    match signal {
        Signal::Memory => memory(&fs::read_to_string("/proc/meminfo").ok()?),
        Signal::Disk => {
            let disk = rustix::fs::statvfs(data).ok()?;
            let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
            Some(Level { available: bytes(disk.f_bavail), capacity: bytes(disk.f_blocks) })
        }
        Signal::Inodes => {
            let disk = rustix::fs::statvfs(data).ok()?;
            // Some file systems make inodes as they need them, and count none.
            (disk.f_files > 0).then_some(Level { available: disk.f_favail, capacity: disk.f_files })
        }
    }
}

/// `MemAvailable` is what could be had without swapping, caches included.
fn memory(meminfo: &str) -> Option<Level> {
    let field = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib * 1024)
    };
    Some(Level { available: field("MemAvailable")?, capacity: field("MemTotal")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_could_be_had() {
        let meminfo = "MemTotal:       1000 kB\nMemFree:         10 kB\nMemAvailable:    400 kB\n";
        assert_eq!(memory(meminfo), Some(Level { available: 400 * 1024, capacity: 1000 * 1024 }));
        assert_eq!(memory("MemTotal: 1 kB"), None, "an old kernel does not say");
    }

    #[test]
    fn this_machine_has_a_disk() {
        let level = read(Signal::Disk, Path::new("/")).expect("a level");
        assert!(level.available <= level.capacity && level.capacity > 0);
    }
}
