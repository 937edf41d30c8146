//! What a namespace demands of its pods: a level and a version each for refusing, auditing and warning, from its labels.

use std::fmt;

use crate::field::{Errors, Path};

const PREFIX: &str = "pod-security.kubernetes.io/";

/// How much a pod may do, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    Privileged,
    /// What does not lead out of the pod.
    Baseline,
    /// What follows today's best practice.
    Restricted,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        })
    }
}

/// The Kubernetes release whose rules are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `v1.x`.
    Minor(u32),
    /// The newest.
    Latest,
}

impl Version {
    /// True where a rule that came with release 1.`minor` holds.
    pub fn has(self, minor: u32) -> bool {
        match self {
            Self::Latest => true,
            Self::Minor(mine) => mine >= minor,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Minor(minor) => write!(f, "v1.{minor}"),
        }
    }
}

/// A level as a release had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standard {
    /// The level.
    pub level: Level,
    /// The release.
    pub version: Version,
}

impl Standard {
    const NONE: Self = Self { level: Level::Privileged, version: Version::Latest };
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.level, self.version)
    }
}

/// What a namespace demands. Nothing is audited here, but wrong labels for it are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Pods that break this are refused.
    pub enforce: Standard,
    /// Pods and workloads that break this are warned about.
    pub warn: Standard,
}

impl Policy {
    /// A namespace without labels of ours.
    pub const NONE: Self = Self { enforce: Standard::NONE, warn: Standard::NONE };

    /// Reads a namespace's labels. There is a policy in any case: a wrong level is the strictest where pods are refused,
    /// and none where they are warned about.
    pub fn of<'a>(label: impl Fn(&str) -> Option<&'a str>) -> (Self, Errors) {
        let mut errors = Errors::default();
        let mut mode = |name: &str, fallback: Level| Mode {
            level: read(&label, &format!("{PREFIX}{name}"), level, &mut errors).map(|l| l.ok_or(fallback)),
            version: read(&label, &format!("{PREFIX}{name}-version"), version, &mut errors),
        };
        let enforce = mode("enforce", Level::Restricted);
        mode("audit", Level::Privileged);
        let warn = mode("warn", Level::Privileged);
        let mut policy = Self { enforce: enforce.standard(), warn: warn.standard() };
        // Whoever refuses at a level warns about workloads that would fail at it, unless told otherwise.
        if warn.level.is_none() && matches!(enforce.level, Some(Ok(level)) if level > policy.warn.level) {
            policy.warn.level = policy.enforce.level;
            if warn.version.is_none() {
                policy.warn.version = policy.enforce.version;
            }
        }
        (policy, errors)
    }

    /// True where no pod can break it.
    pub fn is_none(&self) -> bool {
        self.enforce.level == Level::Privileged && self.warn.level == Level::Privileged
    }
}

/// The labels of one mode: absent, right, or wrong.
struct Mode {
    level: Option<Result<Level, Level>>,
    version: Option<Option<Version>>,
}

impl Mode {
    fn standard(&self) -> Standard {
        Standard {
            level: self.level.map_or(Level::Privileged, |read| read.unwrap_or_else(|fallback| fallback)),
            version: self.version.flatten().unwrap_or(Version::Latest),
        }
    }
}

/// None where the label is absent, `Some(None)` where it is wrong.
fn read<'a, T>(
    label: &impl Fn(&str) -> Option<&'a str>,
    key: &str,
    parse: fn(&str) -> Result<T, &'static str>,
    errors: &mut Errors,
) -> Option<Option<T>> {
    let text = label(key)?;
    Some(match parse(text) {
        Ok(parsed) => Some(parsed),
        Err(why) => {
            errors.invalid(&Path::new("metadata").child("labels").key(key), text, why);
            None
        }
    })
}

fn level(text: &str) -> Result<Level, &'static str> {
    match text {
        "privileged" => Ok(Level::Privileged),
        "baseline" => Ok(Level::Baseline),
        "restricted" => Ok(Level::Restricted),
        _ => Err("must be one of privileged, baseline, restricted"),
    }
}

fn version(text: &str) -> Result<Version, &'static str> {
    if text == "latest" {
        return Ok(Version::Latest);
    }
    let digits = text.strip_prefix("v1.").filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
    let canonical = digits.filter(|d| *d == "0" || !d.starts_with('0'));
    canonical.and_then(|d| d.parse().ok()).map(Version::Minor).ok_or("must be \"latest\" or \"v1.x\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(labels: &[(&str, &str)]) -> (String, String, String) {
        let (policy, errors) =
            Policy::of(|key| labels.iter().find(|(k, _)| key.strip_prefix(PREFIX) == Some(k)).map(|(_, v)| *v));
        let errors = if errors.is_empty() { String::new() } else { errors.to_string() };
        (policy.enforce.to_string(), policy.warn.to_string(), errors)
    }

    #[test]
    fn labels_make_a_policy() {
        for (labels, enforce, warn, errors) in [
            (&[][..], "privileged:latest", "privileged:latest", ""),
            (&[("enforce", "baseline")], "baseline:latest", "baseline:latest", ""),
            (&[("enforce", "restricted"), ("enforce-version", "v1.20")], "restricted:v1.20", "restricted:v1.20", ""),
            (&[("enforce", "restricted"), ("warn", "privileged")], "restricted:latest", "privileged:latest", ""),
            (&[("warn", "restricted"), ("warn-version", "v1.0")], "privileged:latest", "restricted:v1.0", ""),
            (
                &[("enforce", "strict"), ("warn-version", "v1.01")],
                "restricted:latest",
                "privileged:latest",
                "[metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"strict\": must be one of privileged, \
                 baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: \"v1.01\": \
                 must be \"latest\" or \"v1.x\"]",
            ),
        ] {
            let want = (enforce.to_owned(), warn.to_owned(), errors.to_owned());
            assert_eq!(policy(labels), want, "{labels:?}");
        }
    }
}
