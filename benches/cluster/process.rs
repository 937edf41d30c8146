//! What the kernel says of a process: processor time, memory, bytes written.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// The unit of `/proc/PID/stat`: USER_HZ, which is 100 on every Linux that Sampan runs on.
const TICK: Duration = Duration::from_millis(10);

/// A process, by its id.
#[derive(Clone, Copy)]
pub struct Process(pub u32);

/// Memory that is resident.
#[derive(Clone, Copy)]
pub struct Memory {
    /// All of it, the mapped executable and compiled code included.
    pub resident: u64,
    /// What no file stands behind.
    pub anonymous: u64,
}

impl Process {
    /// Time on a processor since it started, in user mode and in the kernel, all threads together.
    pub fn cpu(self) -> anyhow::Result<Duration> {
        let stat = self.read("stat")?;
        // The name, in parentheses, may hold anything; 14 and 15 of all fields are 12 and 13 of those after it.
        let (_, after) = stat.rsplit_once(')').context("no name in /proc/PID/stat")?;
        let mut fields = after.split_ascii_whitespace().skip(11);
        let mut ticks =
            || fields.next().and_then(|field| field.parse::<u32>().ok()).context("no time in /proc/PID/stat");
        Ok(TICK * (ticks()? + ticks()?))
    }

    /// What it has in memory now.
    pub fn memory(self) -> anyhow::Result<Memory> {
        let rollup = self.read("smaps_rollup")?;
        Ok(Memory { resident: field(&rollup, "Rss:")? << 10, anonymous: field(&rollup, "Anonymous:")? << 10 })
    }

    /// Bytes that it caused to be sent to a disk.
    pub fn written(self) -> anyhow::Result<u64> {
        field(&self.read("io")?, "write_bytes:")
    }

    fn read(self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.0);
        fs::read_to_string(&path).with_context(|| format!("reading {path}"))
    }
}

/// The number after a name at the start of a line.
fn field(text: &str, name: &str) -> anyhow::Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    let number = line.split_ascii_whitespace().next().with_context(|| format!("nothing after {name}"))?;
    number.parse().with_context(|| format!("{name} {number}"))
}
