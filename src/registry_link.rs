//! The way from the API to the images of this process's node.

use std::sync::{Arc, OnceLock};

use control::http::ImageRegistry;
use futures::{FutureExt as _, TryFutureExt as _};
use runtime::registry::Registry;
use tower::Service as _;

/// The registry of this process's node; empty until it is built.
#[derive(Clone, Default)]
pub struct RegistryLink(Arc<OnceLock<Registry>>);

impl RegistryLink {
    /// The node is there.
    pub fn connect(&self, registry: Registry) {
        let _ = self.0.set(registry);
    }

    /// What the API calls.
    pub fn transport(&self) -> ImageRegistry {
        let link = self.clone();
        Arc::new(move |request| {
            let registry = link.0.get()?;
            Some(registry.clone().call(request).unwrap_or_else(|never| match never {}).boxed())
        })
    }
}
