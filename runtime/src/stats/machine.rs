//! What the kernel says of the machine and of this process.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where to look.
#[derive(Debug)]
pub struct Machine {
    data_dir: PathBuf,
    ticks_per_second: u64,
    page: u64,
}

/// What was read. Zero where the system does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Processor time of everything on the machine.
    pub cpu: Duration,
    /// Memory that is in use and could not be had, in bytes.
    pub memory_used: u64,
    /// Memory that could be had.
    pub memory_available: u64,
    /// The file system of the data directory: bytes in all, and left.
    pub disk: (u64, u64),
    /// Its inodes.
    pub inodes: (u64, u64),
    /// This process.
    pub process: Process,
}

/// This process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Processor time.
    pub cpu: Duration,
    /// Resident memory, in bytes.
    pub resident: u64,
    /// Address space, in bytes.
    pub virtual_size: u64,
    /// Threads.
    pub threads: u64,
    /// Open files.
    pub files: u64,
    /// When it started, in seconds since 1970.
    pub started: u64,
}

impl Machine {
    /// `data_dir` lies on the file system that counts.
    pub fn new(data_dir: &Path) -> Self {
        let (page, ticks_per_second) = (rustix::param::page_size() as u64, rustix::param::clock_ticks_per_second());
        Self { data_dir: data_dir.to_owned(), ticks_per_second, page }
    }

    /// Looks now: a few small files of the kernel's.
    pub fn read(&self) -> Reading {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (stat, meminfo) = (text("/proc/stat"), text("/proc/meminfo"));
        let available = kib(&meminfo, "MemAvailable");
        let disk = rustix::fs::statvfs(&self.data_dir);
        let bytes = disk.as_ref().map(|d| (d.f_blocks * d.f_frsize, d.f_bavail * d.f_frsize));
        Reading {
            cpu: self.ticks(busy(&stat)),
            memory_used: kib(&meminfo, "MemTotal").saturating_sub(available),
            memory_available: available,
            disk: bytes.unwrap_or_default(),
            inodes: disk.map(|d| (d.f_files, d.f_favail)).unwrap_or_default(),
            process: Process {
                files: fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64),
                ..self.process(&text("/proc/self/stat"), boot_time(&stat))
            },
        }
    }

    /// `/proc/self/stat`: the name in brackets may hold anything, the fields come after it (see proc(5)).
    fn process(&self, stat: &str, boot: u64) -> Process {
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
        Process {
            cpu: self.ticks(field(14) + field(15)),
            threads: field(20),
            started: boot + field(22) / self.ticks_per_second.max(1),
            virtual_size: field(23),
            resident: field(24) * self.page,
            files: 0,
        }
    }

    fn ticks(&self, ticks: u64) -> Duration {
        Duration::from_millis(ticks.saturating_mul(1000) / self.ticks_per_second.max(1))
    }
}

/// Ticks of all processors together that were neither idle nor waiting for a disk.
fn busy(stat: &str) -> u64 {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().map_while(|tick| tick.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; guests are counted as users already.
    ticks.iter().take(8).enumerate().filter(|(at, _)| !matches!(at, 3 | 4)).map(|(_, tick)| tick).sum()
}

fn boot_time(stat: &str) -> u64 {
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "));
    line.and_then(|seconds| seconds.trim().parse().ok()).unwrap_or(0)
}

fn kib(meminfo: &str, name: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib: Option<u64> = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        let stat = "cpu  10 1 20 1000 50 2 3 4 99 9\ncpu0 5 0 0 0\nbtime 1700000000\n";
        assert_eq!((busy(stat), boot_time(stat)), (40, 1_700_000_000));
        let machine = Machine { data_dir: "/".into(), ticks_per_second: 100, page: 4096 };
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 13 14 15 16 8 18 1000 4096000 12 19 20";
        let process = machine.process(stat, 100);
        let expected = Process {
            cpu: Duration::from_secs(2),
            resident: 12 * 4096,
            virtual_size: 4_096_000,
            threads: 8,
            files: 0,
            started: 110,
        };
        assert_eq!(process, expected);
    }

    #[test]
    fn this_process_is_there() {
        let reading = Machine::new(Path::new("/")).read();
        assert!(reading.process.resident > 0 && reading.process.files > 0 && reading.disk.0 > 0);
    }
}
