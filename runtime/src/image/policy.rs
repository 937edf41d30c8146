//! When a registry is asked.

use super::reference::Reference;

/// `imagePullPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Ask the registry each time. The local store is the registry of `localhost/…`.
    Always,
    /// Ask only when the image is not here.
    IfNotPresent,
    /// Never ask.
    Never,
}

impl Policy {
    /// The API server has filled in the default; this one is for objects that did not pass through it.
    pub fn of(policy: Option<&str>, image: &str) -> Self {
        match policy {
            Some("Always") => Self::Always,
            Some("Never") => Self::Never,
            Some(_) => Self::IfNotPresent,
            None if Reference::parse(image).is_ok_and(|reference| reference.is_latest()) => Self::Always,
            None => Self::IfNotPresent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_follows_the_tag() {
        assert_eq!(Policy::of(None, "web"), Policy::Always);
        assert_eq!(Policy::of(None, "web:1"), Policy::IfNotPresent);
        assert_eq!(Policy::of(Some("Never"), "web"), Policy::Never);
    }
}
