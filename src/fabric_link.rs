//! The way from the API to the addresses of pods: in this process, through the fabric.

use std::io;
use std::sync::{Arc, OnceLock};

use control::webhook::{Connection, Dialer};
use futures::FutureExt as _;
use netproxy::fabric::{Fabric, Origin};

/// The network of this process's node; empty until it is built.
#[derive(Clone, Default)]
pub struct FabricLink(Arc<OnceLock<Fabric>>);

impl FabricLink {
    /// The network is there.
    pub fn connect(&self, fabric: &Fabric) {
        let _ = self.0.set(fabric.clone());
    }

    /// What the API dials through.
    pub fn dialer(&self) -> Dialer {
        let link = self.clone();
        Arc::new(move |address| {
            let fabric = link.0.get().cloned();
            let dial = async move {
                let fabric = fabric.ok_or(io::ErrorKind::NetworkUnreachable)?;
                let stream = fabric.dial(Origin::Host, address).await.map_err(|e| io::Error::other(e.source))?;
                Ok(Box::new(stream) as Box<dyn Connection>)
            };
            dial.boxed()
        })
    }
}
