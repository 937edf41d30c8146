//! Which rules apply: `--authorization-mode`.

use std::str::FromStr;

/// One source of decisions. The first that allows or denies is the one that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nodes may do what their pods need.
    Node,
    /// Roles and bindings.
    Rbac,
    /// Everybody may do everything.
    AlwaysAllow,
    /// Nobody may do anything, members of `system:masters` excepted.
    AlwaysDeny,
}

impl Mode {
    /// What applies unless a setting says otherwise.
    pub const DEFAULT: [Self; 2] = [Self::Node, Self::Rbac];
}

/// There is no such mode.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is no authorization mode; there are Node, RBAC, AlwaysAllow and AlwaysDeny")]
pub struct UnknownMode(String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        match name {
            "Node" => Ok(Self::Node),
            "RBAC" => Ok(Self::Rbac),
            "AlwaysAllow" => Ok(Self::AlwaysAllow),
            "AlwaysDeny" => Ok(Self::AlwaysDeny),
            other => Err(UnknownMode(other.to_owned())),
        }
    }
}
