//! The cluster's names, answered from the tables: what a cluster DNS server and `/etc/resolv.conf` do together.
//!
//! Names below the cluster's domain are answered here and never leave the process; with search domains and `ndots:5`
//! that keeps every short name a guest uses away from the host's resolver until the cluster has denied it.

use std::net::IpAddr;

use crate::routes::{Named, Routes};

/// Who asks: decides what short names mean.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The namespace of the pod.
    pub namespace: &'a str,
    /// The pod's host name.
    pub hostname: &'a str,
    /// The pod's address.
    pub ip: IpAddr,
    /// The cluster's domain, in lower case.
    pub cluster_domain: &'a str,
    /// Whether cluster names resolve for this pod.
    pub cluster: bool,
    /// Search domains besides the cluster's.
    pub search: &'a [String],
    /// A name with fewer dots is tried with the search domains first.
    pub ndots: u8,
    /// Aliases, as in `/etc/hosts`.
    pub hosts: &'a [(IpAddr, Vec<String>)],
}

/// What the tables say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These addresses.
    Addresses(Vec<IpAddr>),
    /// Not a name of the cluster: the resolver of the host is to be asked for these, in order.
    Outside(Vec<String>),
    /// The name exists and has no address.
    NoData,
    /// There is no such name.
    NotFound,
    /// Nobody can have such a name.
    Invalid,
}

/// CNAMEs followed before a chain is taken for a loop.
const MAX_ALIASES: usize = 8;

/// Answers `name` for this asker.
pub fn answer(routes: &Routes, asker: &Asker<'_>, name: &str) -> Answer {
    let lower = name.to_ascii_lowercase();
    let absolute = lower.strip_suffix('.');
    let name = absolute.unwrap_or(&lower);
    if !is_name(name) {
        return Answer::Invalid;
    }
    own_name(asker, name).unwrap_or_else(|| search(routes, asker, name, absolute.is_some()))
}

/// What `/etc/hosts` of the pod would answer.
fn own_name(asker: &Asker<'_>, name: &str) -> Option<Answer> {
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(Answer::Addresses(vec![[127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into()]));
    }
    let mut aliases =
        asker.hosts.iter().filter(|(_, names)| names.iter().any(|alias| alias.eq_ignore_ascii_case(name)));
    if let Some((ip, _)) = aliases.next() {
        return Some(Answer::Addresses(vec![*ip]));
    }
    (!name.is_empty() && name.eq_ignore_ascii_case(asker.hostname)).then(|| Answer::Addresses(vec![asker.ip]))
}

fn search(routes: &Routes, asker: &Asker<'_>, name: &str, absolute: bool) -> Answer {
    let candidates = candidates(asker, name, absolute);
    let (ours, theirs): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|name| asker.cluster && in_cluster(asker, name).is_some());
    let mut denied = Answer::NotFound;
    for candidate in &ours {
        match cluster_answer(routes, asker, candidate, 0) {
            Answer::NotFound => {}
            Answer::NoData => denied = Answer::NoData,
            found => return found,
        }
    }
    if theirs.is_empty() || ours.iter().any(|ours| ours == name) { denied } else { Answer::Outside(theirs) }
}

/// The absolute names that `name` may stand for, in the order a resolver tries them.
fn candidates(asker: &Asker<'_>, name: &str, absolute: bool) -> Vec<String> {
    if absolute {
        return vec![name.to_owned()];
    }
    let domain = asker.cluster_domain;
    let own = [format!("{}.svc.{domain}", asker.namespace), format!("svc.{domain}"), domain.to_owned()];
    let suffixes = own.iter().filter(|_| asker.cluster).chain(asker.search);
    let mut names: Vec<String> = suffixes.map(|suffix| format!("{name}.{suffix}").to_ascii_lowercase()).collect();
    names.retain(|name| is_name(name));
    let dots = name.bytes().filter(|byte| *byte == b'.').count();
    let at = if dots >= usize::from(asker.ndots) { 0 } else { names.len() };
    names.insert(at, name.to_owned());
    names
}

/// The part of an absolute name below the cluster's domain.
fn in_cluster<'n>(asker: &Asker<'_>, name: &'n str) -> Option<&'n str> {
    let rest = name.strip_suffix(asker.cluster_domain)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_suffix('.') }
}

fn cluster_answer(routes: &Routes, asker: &Asker<'_>, name: &str, aliases: usize) -> Answer {
    let Some(rest) = in_cluster(asker, name) else { return Answer::Outside(vec![name.to_owned()]) };
    let labels: Vec<&str> = rest.split('.').collect();
    match labels[..] {
        [""] | ["svc" | "pod"] => Answer::NoData,
        [namespace, "svc"] if routes.names.contains_key(namespace) => Answer::NoData,
        [service, namespace, "svc"] => match routes.named(namespace, service) {
            None => Answer::NotFound,
            Some(Named::Cluster(ips)) => addresses(ips),
            Some(Named::Headless { addresses: ips, .. }) => addresses(ips),
            Some(Named::External(_)) if aliases == MAX_ALIASES => Answer::NotFound,
            Some(Named::External(target)) => {
                let target = target.to_ascii_lowercase();
                cluster_answer(routes, asker, target.trim_end_matches('.'), aliases + 1)
            }
        },
        [host, service, namespace, "svc"] => match routes.named(namespace, service) {
            Some(Named::Headless { addresses: ips, hosts }) => match (hosts.get(host), dashed(host)) {
                (Some(ips), _) => addresses(ips),
                (None, Some(ip)) if ips.contains(&ip) => Answer::Addresses(vec![ip]),
                _ => Answer::NotFound,
            },
            _ => Answer::NotFound,
        },
        [host, _namespace, "pod"] => dashed(host).map_or(Answer::NotFound, |ip| Answer::Addresses(vec![ip])),
        _ => Answer::NotFound,
    }
}

fn addresses(ips: &[IpAddr]) -> Answer {
    if ips.is_empty() { Answer::NoData } else { Answer::Addresses(ips.to_vec()) }
}

/// `10-42-0-5` is 10.42.0.5, `fd00--5` is fd00::5.
fn dashed(label: &str) -> Option<IpAddr> {
    label.replace('-', ".").parse().or_else(|_| label.replace('-', ":").parse()).ok()
}

/// Whether DNS can carry the name: at most 253 bytes, labels of 1 to 63.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn routes() -> Routes {
        let hosts = HashMap::from([("db-0".to_owned(), ips(&["10.42.0.8"]))]);
        let of = |entries: Vec<(&str, Named)>| entries.into_iter().map(|(name, named)| (name.into(), named)).collect();
        let default = of(vec![
            ("web", Named::Cluster(ips(&["10.43.0.10"]))),
            ("db", Named::Headless { addresses: ips(&["10.42.0.8", "10.42.0.9"]), hosts }),
            ("empty", Named::Headless { addresses: vec![], hosts: HashMap::new() }),
            ("outside", Named::External("My.Database.com".into())),
            ("alias", Named::External("api.dev.svc.cluster.local.".into())),
            ("loop", Named::External("loop.default.svc.cluster.local".into())),
        ]);
        let dev = of(vec![("api", Named::Cluster(ips(&["10.43.0.20"])))]);
        Routes { names: HashMap::from([("default".into(), default), ("dev".into(), dev)]), ..Routes::default() }
    }

    fn asker() -> Asker<'static> {
        Asker {
            namespace: "default",
            hostname: "web-1",
            ip: [10, 42, 0, 5].into(),
            cluster_domain: "cluster.local",
            cluster: true,
            search: &[],
            ndots: 5,
            hosts: &[],
        }
    }

    #[test]
    fn names_and_their_answers() {
        let found = |texts: &[&str]| Answer::Addresses(ips(texts));
        let outside = |name: &str| Answer::Outside(vec![name.to_owned()]);
        for (name, expected) in [
            ("web", found(&["10.43.0.10"])),
            ("WEB.Default", found(&["10.43.0.10"])),
            ("web.default.svc", found(&["10.43.0.10"])),
            ("web.default.svc.cluster.local", found(&["10.43.0.10"])),
            ("web.default.svc.cluster.local.", found(&["10.43.0.10"])),
            ("api.dev", found(&["10.43.0.20"])),
            ("api", outside("api")),
            ("web.", outside("web")),
            ("db", found(&["10.42.0.8", "10.42.0.9"])),
            ("db-0.db", found(&["10.42.0.8"])),
            ("10-42-0-9.db.default.svc.cluster.local", found(&["10.42.0.9"])),
            ("10-42-0-7.db.default.svc.cluster.local", Answer::NotFound),
            ("10-42-0-7.default.pod.cluster.local", found(&["10.42.0.7"])),
            ("empty.default.svc.cluster.local", Answer::NoData),
            ("nobody.default.svc.cluster.local", Answer::NotFound),
            ("default.svc.cluster.local", Answer::NoData),
            ("outside", outside("my.database.com")),
            ("alias", found(&["10.43.0.20"])),
            ("loop.default.svc.cluster.local.", Answer::NotFound),
            ("example.com", outside("example.com")),
            ("a.b.c.d.e.example.com", outside("a.b.c.d.e.example.com")),
            ("web-1", found(&["10.42.0.5"])),
            ("localhost", found(&["127.0.0.1", "::1"])),
            ("", Answer::Invalid),
            ("a..b", Answer::Invalid),
            ("spa ce", Answer::Invalid),
        ] {
            assert_eq!(answer(&routes(), &asker(), name), expected, "{name}");
        }
        assert_eq!(answer(&routes(), &asker(), &"a".repeat(64)), Answer::Invalid);
        assert_eq!(answer(&routes(), &asker(), &["a"; 130].join(".")), Answer::Invalid);
    }

    #[test]
    fn own_search_domains_come_after_the_clusters() {
        let search = ["corp.example".to_owned()];
        let asker = Asker { search: &search, ..asker() };
        let names = |names: &[&str]| Answer::Outside(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(answer(&routes(), &asker, "git"), names(&["git.corp.example", "git"]));
        assert_eq!(answer(&routes(), &Asker { ndots: 1, ..asker }, "git.x"), names(&["git.x", "git.x.corp.example"]));
        assert_eq!(answer(&routes(), &asker, "gone.default.svc.cluster.local"), Answer::NotFound);
        assert_eq!(answer(&routes(), &Asker { cluster: false, ..asker }, "web"), names(&["web.corp.example", "web"]));
    }

    #[test]
    fn aliases_of_the_pod() {
        let hosts = [([192, 0, 2, 1].into(), vec!["foo.local".to_owned()])];
        let asker = Asker { hosts: &hosts, ..asker() };
        assert_eq!(answer(&routes(), &asker, "Foo.local"), Answer::Addresses(ips(&["192.0.2.1"])));
    }
}
