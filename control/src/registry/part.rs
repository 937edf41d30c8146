//! The parts of an object that can be written each for itself.

/// The part of an object that a write is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All but the status.
    Main,
    /// The status alone.
    Status,
    /// The replica count.
    Scale,
    /// A namespace's finalizers.
    Finalize,
    /// The debuggers in a pod.
    EphemeralContainers,
    /// The resources of a pod's containers.
    Resize,
    /// What was decided about a certificate.
    Approval,
    /// What the server itself does to an object: a deletion under way, a binding.
    Internal,
}

impl Part {
    /// True where a change counts as one of the object's own: its generation may move.
    pub fn is_of_spec(self) -> bool {
        matches!(self, Self::Main | Self::Scale | Self::EphemeralContainers | Self::Resize)
    }

    /// The sub-resource through which it is written; empty for the object itself.
    pub fn subresource(self) -> &'static str {
        match self {
            Self::Main | Self::Internal => "",
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Finalize => "finalize",
            Self::EphemeralContainers => "ephemeralcontainers",
            Self::Resize => "resize",
            Self::Approval => "approval",
        }
    }
}
