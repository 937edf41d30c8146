//! One node port: its sockets on the host, and the tasks behind them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::report::ListenError;
use super::{Key, connection, udp};
use crate::fabric::Fabric;
use crate::routes::{Protocol, ServicePort};

/// How long accepting rests when the host has no file descriptor left.
const REST: Duration = Duration::from_millis(50);

/// What the tasks of one port share.
#[derive(Debug)]
pub(super) struct Behind {
    pub fabric: Fabric,
    pub key: Key,
    /// The port closes: finish what is under way.
    pub closing: CancellationToken,
    /// The proxy stops: end now.
    pub stopping: CancellationToken,
}

impl Behind {
    /// The service as it is now: looked up for every connection and every request.
    pub fn service(&self) -> Option<Arc<ServicePort>> {
        self.fabric.routes().node_port(self.key.0, self.key.1).cloned()
    }
}

pub(super) struct Port {
    behind: Arc<Behind>,
    tasks: HashMap<IpAddr, JoinHandle<()>>,
}

impl Port {
    pub fn new(fabric: Fabric, key: Key, stopping: CancellationToken) -> Self {
        let behind = Arc::new(Behind { fabric, key, closing: stopping.child_token(), stopping });
        Self { behind, tasks: HashMap::new() }
    }

    /// Listens on each address on which it does not yet; the first failure is told when the rest has been tried.
    pub async fn listen(&mut self, addresses: &[IpAddr]) -> Result<(), ListenError> {
        let mut outcome = Ok(());
        for ip in addresses {
            if self.tasks.contains_key(ip) {
                continue;
            }
            let at = SocketAddr::new(*ip, self.behind.key.1);
            let opened = match self.behind.key.0 {
                Protocol::Tcp => {
                    TcpListener::bind(at).await.map(|socket| tokio::spawn(accept(socket, self.behind.clone())))
                }
                Protocol::Udp => {
                    UdpSocket::bind(at).await.map(|socket| tokio::spawn(udp::serve(socket, self.behind.clone())))
                }
            };
            match opened {
                Ok(task) => drop(self.tasks.insert(*ip, task)),
                Err(source) => outcome = outcome.and(Err(ListenError { at, source })),
            }
        }
        outcome
    }

    /// Whether it listens anywhere.
    pub fn is_open(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Frees the port before it returns. Connections finish what is under way.
    pub async fn close(mut self) {
        self.behind.closing.cancel();
        for (_, task) in self.tasks.drain() {
            task.abort();
            drop(task.await);
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.tasks.values().for_each(JoinHandle::abort);
    }
}

async fn accept(listener: TcpListener, behind: Arc<Behind>) {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => drop(tokio::spawn(connection::serve(tcp, behind.clone()))),
            Err(error) => {
                tracing::debug!(%error, port = behind.key.1, "accepting on a node port");
                tokio::time::sleep(REST).await;
            }
        }
    }
}
