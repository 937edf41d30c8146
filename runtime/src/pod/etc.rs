//! What a system keeps in `/etc` and every program looks for there: `hosts`, `hostname`, `resolv.conf`, as a kubelet
//! writes them.
//!
//! Names are looked up through the node, which answers from its tables; the files are for programs (and people) that
//! read them. They are made when a guest of the pod first looks at its directories.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{PodDNSConfigOption, PodSpec};

const FILES: [&str; 3] = ["hosts", "hostname", "resolv.conf"];
/// A resolver takes no more of them.
const NAMESERVERS: usize = 3;
const SEARCHES: usize = 32;

/// What the cluster says about names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterNames {
    /// `cluster.local`
    pub domain: String,
    /// The address that cluster DNS would have.
    pub nameserver: Option<IpAddr>,
}

/// The three files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Etc {
    hosts: String,
    hostname: String,
    resolver: Option<Resolver>,
}

/// `resolv.conf`; where a pod has none of its own, the node's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Resolver {
    searches: Vec<String>,
    nameservers: Vec<String>,
    options: Vec<String>,
}

/// How a pod is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its host name, the first part alone.
    pub hostname: &'a str,
    /// What it calls itself: the host name, or all of it with `setHostnameAsFQDN`.
    pub called: &'a str,
}

/// The name with subdomain, namespace and cluster, of a pod that has a subdomain.
pub fn qualified(spec: &PodSpec, hostname: &str, namespace: &str, domain: &str) -> Option<String> {
    let subdomain = spec.subdomain.as_deref().filter(|name| !name.is_empty())?;
    Some(format!("{hostname}.{subdomain}.{namespace}.svc.{domain}"))
}

impl Etc {
    /// The files of a pod at `ip`.
    pub fn of(spec: &PodSpec, names: &Names<'_>, ip: IpAddr, cluster: &ClusterNames) -> Self {
        Self {
            hosts: hosts(spec, names, ip, cluster),
            hostname: format!("{}\n", names.called),
            resolver: resolver(spec, names.namespace, cluster),
        }
    }

    /// Writes them into a directory of their own, all of them or none. Blocks on the disk.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        let parent = directory.parent().ok_or(io::ErrorKind::InvalidInput)?;
        fs::create_dir_all(parent)?;
        let fresh = tempfile::Builder::new().prefix("..etc").tempdir_in(parent)?;
        let resolver = match &self.resolver {
            Some(resolver) => resolver.text(),
            None => node_resolver(),
        };
        for (name, text) in FILES.into_iter().zip([&self.hosts, &self.hostname, &resolver]) {
            fs::write(fresh.path().join(name), text)?;
        }
        match fs::remove_dir_all(directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let fresh: PathBuf = fresh.keep();
        fs::rename(fresh, directory)
    }
}

/// Puts the files beside what a directory has already: single files that a container mounts into its `/etc` are shown
/// through a directory of their own, which would hide these. Blocks on the disk.
pub fn complete(directory: &Path, etc: &Path) -> io::Result<()> {
    for name in FILES {
        let made = fs::File::create_new(directory.join(name));
        match made {
            Ok(mut file) => drop(io::copy(&mut fs::File::open(etc.join(name))?, &mut file)?),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn hosts(spec: &PodSpec, names: &Names<'_>, ip: IpAddr, cluster: &ClusterNames) -> String {
    let mut text = String::from(
        "# Kubernetes-managed hosts file.\n\
         127.0.0.1\tlocalhost\n\
         ::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::0\tip6-localnet\n\
         fe00::0\tip6-mcastprefix\n\
         fe00::1\tip6-allnodes\n\
         fe00::2\tip6-allrouters\n",
    );
    match qualified(spec, names.hostname, names.namespace, &cluster.domain) {
        Some(whole) => text.push_str(&format!("{ip}\t{whole}\t{}\n", names.hostname)),
        None => text.push_str(&format!("{ip}\t{}\n", names.hostname)),
    }
    if spec.host_aliases.as_ref().is_some_and(|aliases| !aliases.is_empty()) {
        text.push_str("\n# Entries added by HostAliases.\n");
    }
    for alias in spec.host_aliases.iter().flatten() {
        let names: Vec<_> = alias.hostnames.iter().flatten().map(String::as_str).collect();
        text.push_str(&format!("{}\t{}\n", alias.ip, names.join("\t")));
    }
    text
}

/// None where the node's own is to be had: `dnsPolicy: Default` with nothing beside it.
fn resolver(spec: &PodSpec, namespace: &str, cluster: &ClusterNames) -> Option<Resolver> {
    let mut resolver = match spec.dns_policy.as_deref() {
        Some("None") => Resolver::default(),
        Some("Default") if spec.dns_config.is_none() => return None,
        Some("Default") => Resolver::parse(&node_resolver()),
        _ => Resolver {
            searches: [&format!("{namespace}.svc."), "svc.", ""]
                .map(|below| format!("{below}{}", cluster.domain))
                .into(),
            nameservers: cluster.nameserver.iter().map(IpAddr::to_string).collect(),
            options: vec!["ndots:5".to_owned()],
        },
    };
    if let Some(config) = &spec.dns_config {
        resolver.nameservers.extend(config.nameservers.iter().flatten().cloned());
        resolver.searches.extend(config.searches.iter().flatten().cloned());
        config.options.iter().flatten().for_each(|option| resolver.set(option));
    }
    distinct(&mut resolver.nameservers, NAMESERVERS);
    distinct(&mut resolver.searches, SEARCHES);
    Some(resolver)
}

impl Resolver {
    /// Of two options with one name the pod's own counts.
    fn set(&mut self, option: &PodDNSConfigOption) {
        let Some(name) = option.name.as_deref() else { return };
        self.options.retain(|other| other.split(':').next() != Some(name));
        self.options.push(match option.value.as_deref() {
            Some(value) if !value.is_empty() => format!("{name}:{value}"),
            _ => name.to_owned(),
        });
    }

    fn parse(text: &str) -> Self {
        let mut resolver = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let list = match words.next() {
                Some("nameserver") => &mut resolver.nameservers,
                Some("search") => &mut resolver.searches,
                Some("options") => &mut resolver.options,
                _ => continue,
            };
            list.extend(words.map(str::to_owned));
        }
        resolver
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if !self.searches.is_empty() {
            text.push_str(&format!("search {}\n", self.searches.join(" ")));
        }
        for nameserver in &self.nameservers {
            text.push_str(&format!("nameserver {nameserver}\n"));
        }
        if !self.options.is_empty() {
            text.push_str(&format!("options {}\n", self.options.join(" ")));
        }
        text
    }
}

fn node_resolver() -> String {
    fs::read_to_string("/etc/resolv.conf").unwrap_or_default()
}

fn distinct(list: &mut Vec<String>, most: usize) {
    let mut seen = std::collections::HashSet::new();
    list.retain(|entry| seen.insert(entry.clone()));
    list.truncate(most);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn etc(spec: Value) -> Etc {
        let mut spec = spec;
        spec["containers"] = json!([]);
        let cluster = ClusterNames { domain: "cluster.local".into(), nameserver: Some([10, 43, 0, 10].into()) };
        let names = Names { namespace: "dev", hostname: "web-1", called: "web-1" };
        Etc::of(&from_value(spec).expect("spec"), &names, [10, 42, 0, 7].into(), &cluster)
    }

    fn resolv_conf(spec: Value) -> String {
        etc(spec).resolver.expect("a resolver of its own").text()
    }

    #[test]
    fn hosts_are_a_kubelets() {
        let plain = etc(json!({})).hosts;
        assert!(plain.starts_with("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"), "{plain}");
        assert!(plain.ends_with("10.42.0.7\tweb-1\n"), "{plain}");
        let more = etc(json!({"subdomain": "db", "hostAliases": [{"ip": "192.0.2.9", "hostnames": ["a", "b"]}]})).hosts;
        let end =
            "10.42.0.7\tweb-1.db.dev.svc.cluster.local\tweb-1\n\n# Entries added by HostAliases.\n192.0.2.9\ta\tb\n";
        assert!(more.ends_with(end), "{more}");
    }

    #[test]
    fn the_resolver_is_the_clusters_and_the_pods() {
        let usual =
            "search dev.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.43.0.10\noptions ndots:5\n";
        assert_eq!(resolv_conf(json!({})), usual);
        let config = json!({"nameservers": ["192.0.2.53"], "searches": ["example.com", "cluster.local"],
            "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]});
        assert_eq!(
            resolv_conf(json!({"dnsConfig": config})),
            "search dev.svc.cluster.local svc.cluster.local cluster.local example.com\nnameserver 10.43.0.10\n\
             nameserver 192.0.2.53\noptions ndots:2 edns0\n"
        );
        assert_eq!(
            resolv_conf(json!({"dnsPolicy": "None", "dnsConfig": config})),
            "search example.com cluster.local\nnameserver 192.0.2.53\noptions ndots:2 edns0\n"
        );
        assert_eq!(etc(json!({"dnsPolicy": "Default"})).resolver, None);
    }

    #[test]
    fn what_a_container_mounts_stands_beside_the_rest() {
        let root = tempfile::tempdir().expect("directory");
        let (place, own) = (root.path().join("etc"), root.path().join("files"));
        etc(json!({})).write(&place).expect("write");
        fs::create_dir(&own).expect("directory");
        fs::write(own.join("hosts"), "its own").expect("write");
        fs::write(own.join("app.conf"), "a=1").expect("write");
        complete(&own, &place).expect("completed");
        let read = |name: &str| fs::read_to_string(own.join(name)).expect("a file");
        assert_eq!([read("hosts"), read("app.conf"), read("hostname")], ["its own", "a=1", "web-1\n"]);
        assert!(read("resolv.conf").starts_with("search dev.svc"));
    }

    #[test]
    fn the_files_are_replaced_together() {
        let root = tempfile::tempdir().expect("directory");
        let place = root.path().join("pod/etc");
        etc(json!({})).write(&place).expect("write");
        etc(json!({"subdomain": "db"})).write(&place).expect("write again");
        assert_eq!(fs::read_to_string(place.join("hostname")).expect("hostname"), "web-1\n");
        assert!(fs::read_to_string(place.join("hosts")).expect("hosts").contains("web-1.db"));
        assert_eq!(fs::read_dir(root.path().join("pod")).expect("read").count(), 1, "nothing is left beside it");
    }
}
