//! Objects that are seldom looked at are kept as JSON: as its type has it, a pod takes six times the room, most of it
//! for fields that nobody has set. A thousand pods that wait are a thousand of these.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An object of the API, open or packed.
pub struct Kept<T>(Mutex<Form<T>>);

enum Form<T> {
    Open(Arc<T>),
    Packed(Box<[u8]>),
}

impl<T: Serialize + DeserializeOwned + Default> Kept<T> {
    /// The object, open.
    pub fn new(object: impl Into<Arc<T>>) -> Self {
        Self(Mutex::new(Form::Open(object.into())))
    }

    /// The object. It stays as it is kept: for those who come by once.
    pub fn look(&self) -> Arc<T> {
        match &*self.0.lock() {
            Form::Open(object) => object.clone(),
            Form::Packed(json) => unpack(json),
        }
    }

    /// The object, which stays open: for those who begin to work with it.
    pub fn open(&self) -> Arc<T> {
        let mut form = self.0.lock();
        let object = match &*form {
            Form::Open(object) => object.clone(),
            Form::Packed(json) => unpack(json),
        };
        *form = Form::Open(object.clone());
        object
    }

    /// Packs it. Whoever has it open still has.
    pub fn pack(&self) {
        let mut form = self.0.lock();
        if let Form::Open(object) = &*form
            && let Ok(json) = serde_json::to_vec(&**object)
        {
            *form = Form::Packed(json.into());
        }
    }
}

/// What a type has written, it reads.
fn unpack<T: DeserializeOwned + Default>(json: &[u8]) -> Arc<T> {
    let read = serde_json::from_slice(json);
    read.unwrap_or_else(|error| {
        tracing::error!(%error, "an object that was packed cannot be read");
        Arc::default()
    })
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match &*self.0.lock() {
            Form::Open(_) => "open",
            Form::Packed(_) => "packed",
        };
        f.debug_tuple("Kept").field(&form).finish()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_packed_pod_is_the_same_pod() {
        let pod: Pod = from_value(json!({
            "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "250m"}},
                "livenessProbe": {"httpGet": {"port": "http"}}}],
                "volumes": [{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}]},
            "status": {"phase": "Running", "podIPs": [{"ip": "10.42.0.2"}]},
        }))
        .expect("pod");
        let kept = Kept::new(pod.clone());
        let open = kept.open();
        kept.pack();
        assert_eq!(format!("{kept:?}"), "Kept(\"packed\")");
        assert_eq!(*kept.look(), pod);
        assert_eq!(format!("{kept:?}"), "Kept(\"packed\")", "a look leaves it packed");
        assert_eq!((*kept.open()).clone(), pod);
        assert_eq!(format!("{kept:?}"), "Kept(\"open\")");
        assert_eq!(*open, pod, "who had it has it");
    }
}
