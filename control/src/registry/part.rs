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
    /// What the server itself does to an object: a deletion under way, a binding.
    Internal,
}

impl Part {
    /// The sub-resource through which it is written; empty for the object itself.
    pub fn subresource(self) -> &'static str {
        match self {
            Self::Main | Self::Internal => "",
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Finalize => "finalize",
        }
    }
}
