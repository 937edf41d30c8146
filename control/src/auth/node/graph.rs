//! Which objects the pods of a node refer to.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::auth::follower::View;
use crate::kinds::Look;
use crate::store::Key;

/// What a node may have to do with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Account,
    Attachment,
    Claim,
    ConfigMap,
    Pod,
    Secret,
    Volume,
}

/// An object that a node may have to do with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thing {
    kind: Kind,
    namespace: Box<str>,
    name: Box<str>,
}

macro_rules! things {
    ($($of:ident: $kind:ident,)*) => {
        $(pub fn $of(namespace: &str, name: &str) -> Self {
            Self { kind: Kind::$kind, namespace: namespace.into(), name: name.into() }
        })*
    };
}

impl Thing {
    things! {
        account: Account,
        attachment: Attachment,
        claim: Claim,
        config_map: ConfigMap,
        pod: Pod,
        secret: Secret,
        volume: Volume,
    }

    /// False for a collection.
    pub fn is_named(&self) -> bool {
        !self.name.is_empty()
    }
}

/// Who needs what: pods of nodes need secrets, config maps, claims, accounts; a volume is needed by its claim's pods, and a
/// secret may be needed by a volume.
#[derive(Default)]
pub struct Graph {
    /// What each object asks for, to be taken back when it changes: by the object.
    edges: HashMap<Thing, Vec<(Thing, Needs)>>,
    /// Who needs a thing.
    needs: HashMap<Thing, HashMap<Thing, Needs>>,
}

/// Who needs something.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Needs {
    /// A node.
    Node(Box<str>),
    /// Whoever needs that.
    Whoever(Thing),
}

impl Graph {
    /// True where the node has to do with the thing.
    pub fn relates(&self, node: &str, thing: &Thing) -> bool {
        // Pods need volumes through claims, and secrets through volumes: nothing is further away than that.
        let (mut open, mut seen) = (vec![thing], HashSet::new());
        while let Some(thing) = open.pop() {
            for needs in self.needs.get(thing).into_iter().flat_map(HashMap::values) {
                match needs {
                    Needs::Node(name) if **name == *node => return true,
                    Needs::Node(_) => {}
                    Needs::Whoever(other) => {
                        if seen.insert(other) {
                            open.push(other);
                        }
                    }
                }
            }
        }
        false
    }

    fn take_out(&mut self, source: &Thing) {
        for (thing, _) in self.edges.remove(source).unwrap_or_default() {
            if let Some(needs) = self.needs.get_mut(&thing) {
                needs.remove(source);
                if needs.is_empty() {
                    self.needs.remove(&thing);
                }
            }
        }
    }

    fn put_in(&mut self, source: Thing, edges: Vec<(Thing, Needs)>) {
        for (thing, needs) in &edges {
            self.needs.entry(thing.clone()).or_default().insert(source.clone(), needs.clone());
        }
        if !edges.is_empty() {
            self.edges.insert(source, edges);
        }
    }
}

impl View for Graph {
    const RESOURCES: &'static [&'static str] = &["pods", "persistentvolumes", "volumeattachments.storage.k8s.io"];

    fn set(&mut self, key: &Key, object: Option<&Value>) {
        let (namespace, name) = (&*key.namespace, &*key.name);
        let (source, edges) = match &*key.resource {
            "pods" => (Thing::pod(namespace, name), object.map(|pod| of_pod(key, pod))),
            "persistentvolumes" => (Thing::volume(namespace, name), object.map(|volume| of_volume(key, volume))),
            _ => (Thing::attachment(namespace, name), object.map(|attachment| of_attachment(key, attachment))),
        };
        self.take_out(&source);
        self.put_in(source, edges.unwrap_or_default());
    }
}

fn of_pod(key: &Key, pod: &Value) -> Vec<(Thing, Needs)> {
    let (namespace, node) = (&*key.namespace, pod.text("spec.nodeName"));
    if node.is_empty() {
        return Vec::new();
    }
    let mirror = pod.at("metadata.annotations").get("kubernetes.io/config.mirror").is_some();
    let mut things = vec![Thing::pod(namespace, &key.name)];
    if !mirror {
        let account = pod.text("spec.serviceAccountName");
        things.extend((!account.is_empty()).then(|| Thing::account(namespace, account)));
        let pulls = pod.items("spec.imagePullSecrets").iter();
        things.extend(pulls.map(|secret| Thing::secret(namespace, secret.text("name"))));
        let containers = ["spec.containers", "spec.initContainers", "spec.ephemeralContainers"];
        let containers = containers.into_iter().flat_map(|at| pod.items(at));
        things.extend(containers.flat_map(|container| of_container(namespace, container)));
        let volumes = pod.items("spec.volumes").iter();
        things.extend(volumes.flat_map(|volume| of_pod_volume(namespace, &key.name, volume)));
    }
    let mut seen = HashSet::new();
    things.retain(|thing| thing.is_named() && seen.insert(thing.clone()));
    things.into_iter().map(|thing| (thing, Needs::Node(node.into()))).collect()
}

fn of_container(namespace: &str, container: &Value) -> Vec<Thing> {
    let from = container.items("envFrom").iter().flat_map(|from| {
        [
            Thing::secret(namespace, from.text("secretRef.name")),
            Thing::config_map(namespace, from.text("configMapRef.name")),
        ]
    });
    let each = container.items("env").iter().flat_map(|env| {
        [
            Thing::secret(namespace, env.text("valueFrom.secretKeyRef.name")),
            Thing::config_map(namespace, env.text("valueFrom.configMapKeyRef.name")),
        ]
    });
    from.chain(each).filter(Thing::is_named).collect()
}

fn of_pod_volume(namespace: &str, pod: &str, volume: &Value) -> Vec<Thing> {
    let mut things = vec![
        Thing::secret(namespace, volume.text("secret.secretName")),
        Thing::config_map(namespace, volume.text("configMap.name")),
        Thing::claim(namespace, volume.text("persistentVolumeClaim.claimName")),
        Thing::secret(namespace, volume.text("csi.nodePublishSecretRef.name")),
    ];
    if volume.has("ephemeral") {
        things.push(Thing::claim(namespace, &format!("{pod}-{}", volume.text("name"))));
    }
    things.extend(volume.items("projected.sources").iter().flat_map(|source| {
        [
            Thing::secret(namespace, source.text("secret.name")),
            Thing::config_map(namespace, source.text("configMap.name")),
        ]
    }));
    things
}

fn of_volume(key: &Key, volume: &Value) -> Vec<(Thing, Needs)> {
    let (namespace, name) = (volume.text("spec.claimRef.namespace"), volume.text("spec.claimRef.name"));
    if name.is_empty() {
        return Vec::new();
    }
    let own = Thing::volume("", &key.name);
    let secrets = ["nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef"].into_iter().map(|field| {
        let at = format!("spec.csi.{field}");
        Thing::secret(volume.text(&format!("{at}.namespace")), volume.text(&format!("{at}.name")))
    });
    let secrets = secrets.filter(Thing::is_named).map(|secret| (secret, Needs::Whoever(own.clone())));
    let claim = Needs::Whoever(Thing::claim(namespace, name));
    [(own.clone(), claim)].into_iter().chain(secrets).collect()
}

fn of_attachment(key: &Key, attachment: &Value) -> Vec<(Thing, Needs)> {
    match attachment.text("spec.nodeName") {
        "" => Vec::new(),
        node => vec![(Thing::attachment("", &key.name), Needs::Node(node.into()))],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(node: &str) -> Value {
        json!({"metadata": {"name": "p"}, "spec": {"nodeName": node, "imagePullSecrets": [{"name": "pull"}],
            "containers": [{"env": [{"valueFrom": {"configMapKeyRef": {"name": "settings"}}}],
                "envFrom": [{"secretRef": {"name": "env"}}]}],
            "volumes": [{"persistentVolumeClaim": {"claimName": "data"}},
                {"projected": {"sources": [{"configMap": {"name": "root"}}]}}]}})
    }

    #[test]
    fn pods_relate_their_node_to_what_they_refer_to() {
        let mut graph = Graph::default();
        graph.set(&Key::new("pods", "ns", "p"), Some(&pod("a")));
        for thing in [
            Thing::pod("ns", "p"),
            Thing::secret("ns", "pull"),
            Thing::secret("ns", "env"),
            Thing::config_map("ns", "settings"),
            Thing::config_map("ns", "root"),
            Thing::claim("ns", "data"),
        ] {
            assert!(graph.relates("a", &thing), "{thing:?}");
            assert!(!graph.relates("b", &thing), "{thing:?}");
        }
        assert!(!graph.relates("a", &Thing::secret("ns", "settings")));
        graph.set(&Key::new("pods", "ns", "p"), Some(&pod("b")));
        assert!(!graph.relates("a", &Thing::claim("ns", "data")));
        graph.set(&Key::new("pods", "ns", "p"), None);
        assert!(graph.edges.is_empty() && graph.needs.is_empty(), "nothing is left behind");
    }

    #[test]
    fn volumes_are_needed_through_their_claims() {
        let mut graph = Graph::default();
        let volume = json!({"spec": {"claimRef": {"namespace": "ns", "name": "data"},
            "csi": {"nodeStageSecretRef": {"namespace": "system", "name": "key"}}}});
        graph.set(&Key::new("persistentvolumes", "", "v"), Some(&volume));
        assert!(!graph.relates("a", &Thing::volume("", "v")));
        graph.set(&Key::new("pods", "ns", "p"), Some(&pod("a")));
        assert!(graph.relates("a", &Thing::volume("", "v")));
        assert!(graph.relates("a", &Thing::secret("system", "key")));
    }
}
