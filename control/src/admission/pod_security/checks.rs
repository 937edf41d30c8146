//! The list of checks, in the order in which their messages stand: baseline first, each level by name.

use serde_json::Value;

use super::policy::{Level, Standard};
use super::words::Violation;
use super::{baseline, restricted};

/// A check of one pod: its metadata and its spec.
type Test = fn(&Value, &Value) -> Option<Violation>;

/// One rule through the releases.
struct Check {
    level: Level,
    /// With the first minor release that had the test so, oldest first.
    versions: &'static [(u32, Test)],
    /// Since this minor release a stricter check takes its place at the restricted level.
    replaced: Option<u32>,
}

const fn baseline(versions: &'static [(u32, Test)]) -> Check {
    Check { level: Level::Baseline, versions, replaced: None }
}

const fn restricted(versions: &'static [(u32, Test)]) -> Check {
    Check { level: Level::Restricted, versions, replaced: None }
}

const CHECKS: &[Check] = &[
    baseline(&[(0, baseline::app_armor)]),
    Check { replaced: Some(22), ..baseline(&[(0, baseline::capabilities)]) },
    baseline(&[(0, baseline::host_namespaces)]),
    Check { replaced: Some(0), ..baseline(&[(0, baseline::host_path)]) },
    baseline(&[(0, baseline::host_ports)]),
    baseline(&[(0, baseline::privileged)]),
    baseline(&[(0, baseline::proc_mount)]),
    baseline(&[(0, baseline::se_linux), (31, baseline::se_linux_31)]),
    Check { replaced: Some(19), ..baseline(&[(0, baseline::seccomp_annotations), (19, baseline::seccomp)]) },
    baseline(&[
        (0, baseline::sysctls),
        (27, baseline::sysctls_27),
        (29, baseline::sysctls_29),
        (32, baseline::sysctls_32),
    ]),
    baseline(&[(0, baseline::windows_host_process)]),
    restricted(&[
        (8, restricted::privilege_escalation),
        (25, |metadata, spec| restricted::unless_windows(restricted::privilege_escalation, metadata, spec)),
    ]),
    restricted(&[
        (22, restricted::capabilities),
        (25, |metadata, spec| restricted::unless_windows(restricted::capabilities, metadata, spec)),
    ]),
    restricted(&[(0, restricted::volumes)]),
    restricted(&[(0, restricted::non_root)]),
    restricted(&[(23, restricted::user)]),
    restricted(&[
        (19, restricted::seccomp),
        (25, |metadata, spec| restricted::unless_windows(restricted::seccomp, metadata, spec)),
    ]),
];

/// All that a pod does that the standard does not allow.
pub fn violations(standard: Standard, metadata: &Value, spec: &Value) -> Vec<Violation> {
    let Standard { level, version } = standard;
    let applies = |check: &&Check| {
        let replaced = level == Level::Restricted && check.replaced.is_some_and(|since| version.has(since));
        check.level <= level && !replaced
    };
    let test =
        |check: &Check| check.versions.iter().rev().find(|(since, _)| version.has(*since)).map(|(_, test)| *test);
    CHECKS.iter().filter(applies).filter_map(test).filter_map(|test| test(metadata, spec)).collect()
}

/// The violations as one text, with who is to blame.
pub fn details(violations: &[Violation]) -> String {
    violations.iter().map(Violation::text).collect::<Vec<_>>().join(", ")
}

/// The broken rules alone.
pub fn reasons(violations: &[Violation]) -> String {
    violations.iter().map(|v| v.reason).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
