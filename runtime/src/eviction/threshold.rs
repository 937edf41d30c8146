//! Below which level the node acts: `memory.available<100Mi`, as a kubelet's `evictionHard` has it.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use objects::quantity::Quantity;

use super::signals::Level;

/// Something that may run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// `memory.available`
    Memory,
    /// `nodefs.available`
    Disk,
    /// `nodefs.inodesFree`
    Inodes,
}

impl Signal {
    const ALL: [(&str, Self); 3] =
        [("memory.available", Self::Memory), ("nodefs.available", Self::Disk), ("nodefs.inodesFree", Self::Inodes)];

    /// What pods are asked for when it is low.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "ephemeral-storage",
            Self::Inodes => "inodes",
        }
    }

    /// The node's condition while it is low.
    pub fn condition(self) -> &'static str {
        match self {
            Self::Memory => "MemoryPressure",
            Self::Disk | Self::Inodes => "DiskPressure",
        }
    }
}

/// An amount, or a part of what there is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Amount {
    Bytes(u64),
    /// Of a thousand.
    Permille(u64),
    /// A part, and at most so much.
    Least(u64, u64),
}

/// A level below which the node acts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Of what.
    pub signal: Signal,
    amount: Amount,
}

impl Threshold {
    /// The bytes (or inodes) that must be left of `capacity`.
    pub fn of(self, capacity: u64) -> u64 {
        let part =
            |permille: u64| u64::try_from(u128::from(capacity) * u128::from(permille) / 1000).unwrap_or(u64::MAX);
        match self.amount {
            Amount::Bytes(bytes) => bytes,
            Amount::Permille(permille) => part(permille),
            Amount::Least(permille, bytes) => part(permille).min(bytes),
        }
    }

    /// True when there is too little left.
    pub fn is_met(self, level: Level) -> bool {
        level.available < self.of(level.capacity)
    }
}

/// Why a threshold cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// No such signal.
    #[error("{0:?} is no eviction signal; there are memory.available, nodefs.available and nodefs.inodesFree")]
    Signal(String),
    /// The amount.
    #[error("{signal}: {amount:?} is neither a quantity such as 100Mi nor a percentage")]
    Amount {
        /// Of which signal.
        signal: String,
        /// As it was written.
        amount: String,
    },
}

/// All of a node's thresholds.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds(Vec<Threshold>);

impl Default for Thresholds {
    /// A kubelet's for memory, but no more than a twentieth of a small machine. Of a disk a twentieth, as k3s has it, but no
    /// more than what guests can do with: a laptop's disk is not the node's alone.
    fn default() -> Self {
        Self(vec![
            Threshold { signal: Signal::Memory, amount: Amount::Least(50, 100 << 20) },
            Threshold { signal: Signal::Disk, amount: Amount::Least(50, 1 << 30) },
            Threshold { signal: Signal::Inodes, amount: Amount::Permille(50) },
        ])
    }
}

impl Thresholds {
    /// Reads a kubelet's `evictionHard`: signals and amounts. What it does not name has no threshold; `0` and `0%` are
    /// none either.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub fn parse(hard: &BTreeMap<String, String>) -> Result<Self, ThresholdError> {
        let one = |(name, amount): (&String, &String)| {
            let known = Signal::ALL.iter().find(|(known, _)| known == name);
            let (_, signal) = *known.ok_or_else(|| ThresholdError::Signal(name.clone()))?;
            let wrong = || ThresholdError::Amount { signal: name.clone(), amount: amount.clone() };
            Ok(Threshold { signal, amount: parse(amount).ok_or_else(wrong)? })
        };
        hard.iter().map(one).collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// In the order in which they are looked at.
    pub fn iter(&self) -> impl Iterator<Item = Threshold> + '_ {
        self.0.iter().copied()
    }
}

fn parse(amount: &str) -> Option<Amount> {
    if let Some(percent) = amount.strip_suffix('%') {
        let percent: f64 = percent.trim().parse().ok().filter(|p| (0.0..=100.0).contains(p))?;
        return Some(Amount::Permille((percent * 10.0).round() as u64));
    }
    let quantity = Quantity::of(&Text(amount.to_owned())).ok()?;
    u64::try_from(quantity.whole()).ok().map(Amount::Bytes)
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, signal)| signal == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str, amount: &str) -> Result<Thresholds, ThresholdError> {
        Thresholds::parse(&BTreeMap::from([(name.to_owned(), amount.to_owned())]))
    }

    #[test]
    fn amounts_and_parts_are_read() {
        let met = |amount: &str, available, capacity| {
            let thresholds = parsed("memory.available", amount).expect("a threshold");
            thresholds.iter().all(|t| t.is_met(Level { available, capacity }))
        };
        assert!(met("100Mi", (100 << 20) - 1, 1 << 30) && !met("100Mi", 100 << 20, 1 << 30));
        assert!(met("7.5%", 74, 1000) && !met("7.5%", 75, 1000));
        assert!(!met("0%", 0, 1000));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let words = |name: &str, amount: &str| parsed(name, amount).expect_err("an error").to_string();
        assert!(words("memory.free", "1").contains("\"memory.free\" is no eviction signal"));
        assert!(words("nodefs.available", "lots").contains("nodefs.available: \"lots\" is neither"));
        assert!(words("nodefs.available", "101%").contains("101%"));
        assert!(words("memory.available", "-1").contains("-1"));
    }

    #[test]
    fn a_small_machine_keeps_a_twentieth_and_a_large_one_less() {
        let memory = Thresholds::default().iter().find(|t| t.signal == Signal::Memory).expect("memory");
        assert_eq!(memory.of(64 << 30), 100 << 20);
        assert_eq!(memory.of(200 << 20), 10 << 20);
        let disk = Thresholds::default().iter().find(|t| t.signal == Signal::Disk).expect("disk");
        assert_eq!((disk.of(10 << 30), disk.of(1 << 40)), ((10 << 30) / 20, 1 << 30));
    }
}
