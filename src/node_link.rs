//! The way from the API to the agent of a node: in this process, a call.

use std::sync::{Arc, OnceLock};

use control::http::NodeTransport;
use futures::{FutureExt as _, TryFutureExt as _};
use runtime::server::Server as NodeServer;
use tower::Service as _;

/// The agent of this process's node; empty until it is built.
#[derive(Clone, Default)]
pub struct NodeLink(Arc<OnceLock<(String, NodeServer)>>);

impl NodeLink {
    /// The node is there.
    pub fn connect(&self, name: &str, server: NodeServer) {
        let _ = self.0.set((name.to_owned(), server));
    }

    /// What the API calls.
    pub fn transport(&self) -> NodeTransport {
        let link = self.clone();
        Arc::new(move |node, request| {
            let (_, server) = link.0.get().filter(|(name, _)| name == node)?;
            Some(server.clone().call(request).map_err(|never| match never {}).boxed())
        })
    }
}
