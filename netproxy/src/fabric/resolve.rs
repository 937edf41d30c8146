//! Names to addresses, for a pod: the tables first, then the resolver of the host.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

use super::Fabric;
use super::address::PodAddress;
use super::error::ResolveError;
use crate::zone::{self, Answer, Asker};

/// As long as a resolver tries all its servers.
const PATIENCE: Duration = Duration::from_secs(10);

impl Fabric {
    pub(super) async fn resolve(&self, pod: &PodAddress, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        if let Ok(ip) = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Ok(vec![ip]);
        }
        let asker = Asker {
            namespace: &pod.namespace,
            hostname: &pod.hostname,
            ip: pod.ip,
            cluster_domain: &self.config().cluster_domain,
            cluster: pod.dns.cluster,
            search: &pod.dns.search,
            ndots: pod.dns.ndots,
            hosts: &pod.dns.hosts,
        };
        let answer = zone::answer(&self.routes(), &asker, name);
        match answer {
            Answer::Addresses(ips) => Ok(ips),
            Answer::NoData => Err(ResolveError::NoData),
            Answer::NotFound => Err(ResolveError::NotFound),
            Answer::Invalid => Err(ResolveError::InvalidName),
            Answer::Outside(_) if !self.config().outside => Err(ResolveError::NotFound),
            Answer::Outside(names) => self.ask_host(&names).await,
        }
    }

    async fn ask_host(&self, names: &[String]) -> Result<Vec<IpAddr>, ResolveError> {
        let mut denied = ResolveError::NotFound;
        for name in names {
            let asked = timeout(PATIENCE, tokio::spawn(look_up(self.clone(), name.clone())));
            match asked.await {
                Ok(Ok(Ok(found))) if found.is_empty() => denied = ResolveError::NoData,
                Ok(Ok(Ok(found))) => return Ok(distinct(found)),
                Ok(Ok(Err(error))) => match kind(&error) {
                    ResolveError::NotFound => {}
                    other => denied = other,
                },
                Ok(Err(_)) | Err(_) => denied = ResolveError::Temporary,
            }
        }
        Err(denied)
    }
}

/// A task of its own, because the permit stands for the thread that asks: that goes on when the caller has given up.
async fn look_up(fabric: Fabric, name: String) -> io::Result<Vec<IpAddr>> {
    let _permit = fabric.0.lookups.acquire().await;
    let found = lookup_host((name.as_str(), 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

fn distinct(found: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut ips = Vec::new();
    for ip in found {
        if !ips.contains(&ip) {
            ips.push(ip);
        }
    }
    ips
}

/// The standard library keeps getaddrinfo's reason only in the words of the C library.
fn kind(error: &io::Error) -> ResolveError {
    let words = error.to_string();
    let says = |part: &str| words.contains(part);
    if says("Temporary failure") || says("Try again") || says("System error") {
        ResolveError::Temporary
    } else if says("No address associated") {
        ResolveError::NoData
    } else if says("Non-recoverable") {
        ResolveError::Permanent
    } else {
        ResolveError::NotFound
    }
}
