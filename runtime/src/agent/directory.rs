//! Which pods are here, for those who ask by name.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use parking_lot::RwLock;

use crate::pod::resize::Amounts;
use crate::pod::view::View;

/// Namespace and name.
type Name = (String, String);

/// The pods of this node by namespace and name, with their uids.
#[derive(Debug, Default)]
pub struct Directory {
    pods: RwLock<HashMap<Name, (String, Arc<View>)>>,
}

impl Directory {
    /// A pod has come. It takes the name over from one that is on its way out.
    pub fn enter(&self, pod: &Pod, view: Arc<View>) {
        let (name, uid) = key(pod);
        self.pods.write().insert(name, (uid, view));
    }

    /// It has gone.
    pub fn leave(&self, pod: &Pod) {
        let (name, uid) = key(pod);
        let mut pods = self.pods.write();
        if pods.get(&name).is_some_and(|(known, _)| *known == uid) {
            pods.remove(&name);
        }
    }

    /// The pod of that name.
    pub fn find(&self, namespace: &str, name: &str) -> Option<Arc<View>> {
        let pods = self.pods.read();
        pods.get(&(namespace.to_owned(), name.to_owned())).map(|(_, view)| view.clone())
    }

    /// What all pods but this one ask for together.
    pub fn asked_by_others(&self, than: &Arc<View>) -> Amounts {
        let pods = self.pods.read();
        pods.values().filter(|(_, view)| !Arc::ptr_eq(view, than)).map(|(_, view)| view.asked()).sum()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<View>> {
        self.pods.read().values().map(|(_, view)| view.clone()).collect()
    }
}

fn key(pod: &Pod) -> (Name, String) {
    let meta = &pod.metadata;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    ((text(&meta.namespace), text(&meta.name)), text(&meta.uid))
}
