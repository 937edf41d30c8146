//! Everything that can be set, in one place: flags and environment (`SAMPAN_…`), over a YAML file, over defaults.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use runtime::image::Registry;
use serde::{Deserialize, Deserializer};

/// A part of the process that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// Binds pods to nodes.
    Scheduler,
    /// The node: runs pods.
    Agent,
    /// Services, names, node ports.
    Proxy,
    /// Deployments, ReplicaSets and the other loops.
    Controllers,
}

/// The settings of a server. What is absent has a default.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Where everything is kept that must survive a restart [default: ./sampan-data]
    #[arg(long, env = "SAMPAN_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where the API listens; port 0 picks a free one [default: 127.0.0.1:6443]
    #[arg(long, env = "SAMPAN_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Also write the administrator's kubeconfig here
    #[arg(long, env = "SAMPAN_WRITE_KUBECONFIG", value_name = "FILE")]
    pub write_kubeconfig: Option<PathBuf>,
    /// Name of this node [default: the host's name]
    #[arg(long, env = "SAMPAN_NODE_NAME", value_name = "NAME")]
    pub node_name: Option<String>,
    /// Address of this node, on which node ports are served [default: the address of --listen]
    #[arg(long, env = "SAMPAN_NODE_IP", value_name = "ADDR")]
    pub node_ip: Option<IpAddr>,
    /// Addresses of pods [default: 10.42.0.0/16]
    #[arg(long, env = "SAMPAN_CLUSTER_CIDR", value_name = "CIDR")]
    pub cluster_cidr: Option<String>,
    /// Addresses of services [default: 10.43.0.0/16]
    #[arg(long, env = "SAMPAN_SERVICE_CIDR", value_name = "CIDR")]
    pub service_cidr: Option<String>,
    /// Static bearer tokens: a CSV file of token,user,uid,"group1,group2"
    #[arg(long, env = "SAMPAN_TOKEN_AUTH_FILE", value_name = "FILE")]
    pub token_auth_file: Option<PathBuf>,
    /// Authorities of client certificates (PEM), beside the cluster's own: CN is the user, O the groups
    #[arg(long, env = "SAMPAN_CLIENT_CA_FILE", value_name = "FILE")]
    pub client_ca_file: Option<PathBuf>,
    /// Whether requests without credentials are of system:anonymous, or refused [default: true]
    #[arg(long, env = "SAMPAN_ANONYMOUS_AUTH", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub anonymous_auth: Option<bool>,
    /// Who decides what is allowed: Node, RBAC, AlwaysAllow, AlwaysDeny, comma-separated [default: Node,RBAC]
    #[arg(long, env = "SAMPAN_AUTHORIZATION_MODE", value_delimiter = ',', value_name = "LIST")]
    #[serde(default)]
    pub authorization_mode: Vec<String>,
    /// Admission plug-ins to have on, comma-separated, by the names of kube-apiserver; all that are known are by default
    #[arg(long, env = "SAMPAN_ENABLE_ADMISSION_PLUGINS", value_delimiter = ',', value_name = "LIST")]
    #[serde(default)]
    pub enable_admission_plugins: Vec<String>,
    /// Admission plug-ins to leave out, comma-separated
    #[arg(long, env = "SAMPAN_DISABLE_ADMISSION_PLUGINS", value_delimiter = ',', value_name = "LIST")]
    #[serde(default)]
    pub disable_admission_plugins: Vec<String>,
    /// Write down who does what: a line of JSON (audit.k8s.io/v1, level Metadata) for every request
    #[arg(long, alias = "audit-log-path", env = "SAMPAN_AUDIT_LOG", value_name = "FILE")]
    pub audit_log: Option<PathBuf>,
    /// Megabytes after which the audit log is put aside; five such files are kept [default: 100]
    #[arg(long, env = "SAMPAN_AUDIT_LOG_MAXSIZE", value_name = "MB")]
    pub audit_log_maxsize: Option<u64>,
    /// Directories of this machine below which pods may have hostPath and local volumes, comma-separated [default: none]
    #[arg(long = "host-path-root", env = "SAMPAN_HOST_PATH_ROOTS", value_delimiter = ',', value_name = "DIR")]
    #[serde(default)]
    pub host_path_roots: Vec<PathBuf>,
    /// A folder of pods (YAML or JSON, one a file) that this node runs by itself, shown in the API by mirror pods
    #[arg(long, alias = "pod-manifest-path", env = "SAMPAN_STATIC_POD_PATH", value_name = "DIR")]
    pub static_pod_path: Option<PathBuf>,
    /// Seconds that pods may take to end when the server is stopped; they come back with it [default: 10]
    #[arg(long, env = "SAMPAN_SHUTDOWN_GRACE_PERIOD", value_name = "SECONDS")]
    pub shutdown_grace_period: Option<u64>,
    /// When pods have to go, as a kubelet's evictionHard: memory.available<100Mi,nodefs.available<1Gi [default: those, or a twentieth where that is less]
    #[arg(long, env = "SAMPAN_EVICTION_HARD", value_delimiter = ',', value_name = "LIST", value_parser = threshold)]
    #[serde(default, deserialize_with = "thresholds")]
    pub eviction_hard: Vec<(String, String)>,
    /// Registries that are spoken to without TLS, comma-separated: HOST[:PORT]
    #[arg(long, env = "SAMPAN_INSECURE_REGISTRY", value_delimiter = ',', value_name = "LIST")]
    #[serde(default)]
    pub insecure_registry: Vec<String>,
    /// Registries by name, with their mirrors, authorities and manners: only in the file.
    #[arg(skip)]
    #[serde(default)]
    pub registries: BTreeMap<String, Registry>,
    /// What is run in place of images that manifests name: only in the file.
    #[arg(skip)]
    #[serde(default)]
    pub image_aliases: BTreeMap<String, String>,
    /// Components to leave out, comma-separated
    #[arg(long, env = "SAMPAN_DISABLE", value_delimiter = ',', value_name = "LIST")]
    #[serde(default)]
    pub disable: Vec<Component>,
    /// A `sampan` of this very version that compiles guests in a process of its own, which gives back the memory that it
    /// takes; None: they are compiled in this process
    #[arg(skip)]
    #[serde(skip)]
    pub compiler: Option<PathBuf>,
}

impl Settings {
    /// These settings, with those of `file` where these say nothing.
    #[must_use]
    pub fn over(self, file: Self) -> Self {
        Self {
            data_dir: self.data_dir.or(file.data_dir),
            listen: self.listen.or(file.listen),
            write_kubeconfig: self.write_kubeconfig.or(file.write_kubeconfig),
            node_name: self.node_name.or(file.node_name),
            node_ip: self.node_ip.or(file.node_ip),
            cluster_cidr: self.cluster_cidr.or(file.cluster_cidr),
            service_cidr: self.service_cidr.or(file.service_cidr),
            token_auth_file: self.token_auth_file.or(file.token_auth_file),
            client_ca_file: self.client_ca_file.or(file.client_ca_file),
            anonymous_auth: self.anonymous_auth.or(file.anonymous_auth),
            authorization_mode: either(self.authorization_mode, file.authorization_mode),
            enable_admission_plugins: either(self.enable_admission_plugins, file.enable_admission_plugins),
            disable_admission_plugins: either(self.disable_admission_plugins, file.disable_admission_plugins),
            audit_log: self.audit_log.or(file.audit_log),
            audit_log_maxsize: self.audit_log_maxsize.or(file.audit_log_maxsize),
            static_pod_path: self.static_pod_path.or(file.static_pod_path),
            shutdown_grace_period: self.shutdown_grace_period.or(file.shutdown_grace_period),
            host_path_roots: either(self.host_path_roots, file.host_path_roots),
            eviction_hard: either(self.eviction_hard, file.eviction_hard),
            insecure_registry: either(self.insecure_registry, file.insecure_registry),
            registries: either_table(self.registries, file.registries),
            image_aliases: either_table(self.image_aliases, file.image_aliases),
            disable: either(self.disable, file.disable),
            compiler: self.compiler.or(file.compiler),
        }
    }

    /// True for a component that is to run.
    pub fn runs(&self, component: Component) -> bool {
        !self.disable.contains(&component)
    }
}

/// Reads `memory.available<100Mi`.
fn threshold(text: &str) -> Result<(String, String), String> {
    let (signal, amount) = text.split_once('<').ok_or("write it as memory.available<100Mi")?;
    Ok((signal.trim().to_owned(), amount.trim().to_owned()))
}

/// In a file it is a map, as kubelets have it.
fn thresholds<'de, D: Deserializer<'de>>(file: D) -> Result<Vec<(String, String)>, D::Error> {
    BTreeMap::deserialize(file).map(|map| map.into_iter().collect())
}

/// A list that says something wins.
fn either<T>(list: Vec<T>, otherwise: Vec<T>) -> Vec<T> {
    if list.is_empty() { otherwise } else { list }
}

/// A table that says something wins.
fn either_table<T>(table: BTreeMap<String, T>, otherwise: BTreeMap<String, T>) -> BTreeMap<String, T> {
    if table.is_empty() { otherwise } else { table }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file() {
        let file: Settings = serde_yaml::from_str("nodeName: a\ndataDir: /b\ndisable: [scheduler]").expect("settings");
        let flags = Settings { node_name: Some("c".to_owned()), ..Settings::default() };
        let both = flags.over(file);
        assert_eq!(both.node_name.as_deref(), Some("c"));
        assert_eq!(both.data_dir, Some(PathBuf::from("/b")));
        assert!(!both.runs(Component::Scheduler));
        assert!(both.runs(Component::Agent));
    }

    #[test]
    fn thresholds_are_read_as_kubelets_write_them() {
        let file: Settings = serde_yaml::from_str("evictionHard: {memory.available: 50Mi}").expect("settings");
        let flag = threshold("memory.available<50Mi").expect("a threshold");
        assert_eq!(file.eviction_hard, [flag]);
        assert!(threshold("50Mi").is_err());
    }

    #[test]
    fn a_misspelt_setting_is_an_error() {
        assert!(serde_yaml::from_str::<Settings>("nodename: a").is_err());
    }
}
