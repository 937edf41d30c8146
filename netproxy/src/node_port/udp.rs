//! Datagrams at a node port: each client is a flow with an endpoint of its own, until it has been silent for a while.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::listen::Behind;
use crate::fabric::{self, MAX_DATAGRAM};

/// A flow ends after this much silence, as conntrack has it for answered flows.
const SILENCE: Duration = Duration::from_secs(120);
/// Clients at a time; more are lost.
const MAX_FLOWS: usize = 1024;

/// Serves the port until it is dropped.
pub(super) async fn serve(host: UdpSocket, behind: Arc<Behind>) {
    let host = Arc::new(host);
    let mut flows: HashMap<SocketAddr, Arc<fabric::UdpSocket>> = HashMap::new();
    let mut answering: JoinSet<SocketAddr> = JoinSet::new();
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        tokio::select! {
            Some(ended) = answering.join_next() => {
                if let Ok(client) = ended {
                    flows.remove(&client);
                }
            }
            received = host.recv_from(&mut buffer) => {
                // An error is an ICMP answer to an earlier send; the socket lives on.
                let Ok((count, client)) = received else { continue };
                let flow = match flows.get(&client) {
                    Some(flow) => flow.clone(),
                    None if flows.len() >= MAX_FLOWS => continue,
                    None => {
                        let Ok(flow) = behind.fabric.bind_host_udp() else { continue };
                        let flow = Arc::new(flow);
                        answering.spawn(answer(host.clone(), flow.clone(), client));
                        flows.insert(client, flow.clone());
                        flow
                    }
                };
                forward(&behind, &flow, &buffer[..count]);
            }
        }
    }
}

/// Sends to the flow's endpoint while that is ready, else to the one whose turn it is.
fn forward(behind: &Behind, flow: &fabric::UdpSocket, data: &[u8]) {
    let Some(service) = behind.service() else { return };
    let endpoints = service.external_endpoints();
    if !flow.peer_addr().is_some_and(|peer| endpoints.contains(&peer)) {
        let next = service.turns(true).next();
        if next.is_none() || flow.connect(next).is_err() {
            return;
        }
    }
    // What does not arrive is lost, as datagrams are.
    drop(flow.try_send_to(data, None));
}

async fn answer(host: Arc<UdpSocket>, flow: Arc<fabric::UdpSocket>, client: SocketAddr) -> SocketAddr {
    while let Ok(Ok((data, _))) = timeout_at(Instant::now() + SILENCE, flow.recv_from()).await {
        drop(host.send_to(&data, client).await);
    }
    client
}
