//! An object serialised before its revision is known.
//!
//! The callers serialise, in parallel; the one writer only copies bytes and puts the digits of the revision
//! into the hole that was left for them. It copies them right into the frame of the watch event, and the stored
//! object is a slice of that frame: one allocation for the object, its event and every watcher.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Change, Revision};

/// The fields that stand before `resourceVersion` in `ObjectMeta`.
const BEFORE: [&str; 5] = ["name", "generateName", "namespace", "selfLink", "uid"];

/// A serialised object with a hole where the digits of its `metadata.resourceVersion` go.
#[derive(Clone, Debug)]
pub struct Draft {
    json: Vec<u8>,
    hole: usize,
}

/// An object in the frame of its event.
pub(super) struct Sealed {
    /// `{"type":"ADDED","object":…}` and a line feed.
    pub(super) frame: Bytes,
    /// The object alone, a slice of the frame.
    pub(super) object: Bytes,
}

impl Draft {
    /// Serialises an object; a `metadata.resourceVersion` that it has is left out.
    pub fn new(object: &Value) -> Self {
        let none = Map::new();
        let fields = object.as_object().unwrap_or(&none);
        let mut draft = Self { json: Vec::with_capacity(1024), hole: 0 };
        // Custom resources have their fields in the order of the alphabet; other kinds begin with `kind`.
        let sorted = fields.keys().next().is_some_and(|first| first == "apiVersion");
        draft.json.push(b'{');
        for (name, value) in fields {
            draft.name(name);
            match value {
                Value::Object(metadata) if name == "metadata" => draft.metadata(metadata, sorted),
                other => draft.value(other),
            }
        }
        if draft.hole == 0 {
            draft.name("metadata");
            draft.metadata(&none, sorted);
        }
        draft.json.push(b'}');
        draft
    }

    /// The bytes of the object, but for the digits.
    #[expect(clippy::len_without_is_empty, reason = "an object has at least its braces")]
    pub fn len(&self) -> usize {
        self.json.len()
    }

    /// Puts the revision in, and the whole into a frame.
    pub(super) fn seal(self, change: Change, revision: Revision) -> Sealed {
        const MIDDLE: &[u8] = b"\",\"object\":";
        const END: &[u8] = b"}\n";
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(revision.0).as_bytes();
        let (head, tail) = self.json.split_at(self.hole);
        let parts = [b"{\"type\":\"", change.as_str().as_bytes(), MIDDLE, head, digits, tail, END];
        let frame = Bytes::from(parts.concat());
        let start: usize = parts[..3].iter().map(|p| p.len()).sum();
        let object = frame.slice(start..frame.len() - END.len());
        Sealed { frame, object }
    }

    fn metadata(&mut self, fields: &Map<String, Value>, sorted: bool) {
        let before = |name: &str| if sorted { name < "resourceVersion" } else { BEFORE.contains(&name) };
        self.json.push(b'{');
        for (name, value) in fields {
            if name == "resourceVersion" {
                continue;
            }
            if self.hole == 0 && !before(name) {
                self.leave_hole();
            }
            self.name(name);
            self.value(value);
        }
        if self.hole == 0 {
            self.leave_hole();
        }
        self.json.push(b'}');
    }

    fn leave_hole(&mut self) {
        self.name("resourceVersion");
        self.json.extend_from_slice(b"\"\"");
        self.hole = self.json.len() - 1;
    }

    fn name(&mut self, name: &str) {
        if self.json.last() != Some(&b'{') {
            self.json.push(b',');
        }
        // Names of our own fields need no escapes, those of a client's may.
        serde_json::to_writer(&mut self.json, name).expect("a string serialises into memory");
        self.json.push(b':');
    }

    fn value(&mut self, value: &Value) {
        serde_json::to_writer(&mut self.json, value).expect("a value serialises into memory");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sealed(object: &Value) -> (String, String) {
        let Sealed { frame, object } = Draft::new(object).seal(Change::Modified, Revision(42));
        (String::from_utf8(frame.to_vec()).unwrap(), String::from_utf8(object.to_vec()).unwrap())
    }

    #[test]
    fn revision_goes_where_go_puts_it() {
        let pod = json!({"kind": "Pod", "apiVersion": "v1", "metadata":
            {"name": "a", "uid": "u", "resourceVersion": "7", "labels": {"x": "{"}}, "spec": {}});
        let (frame, object) = sealed(&pod);
        assert_eq!(
            object,
            r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u","resourceVersion":"42","labels":{"x":"{"}},"spec":{}}"#
        );
        assert_eq!(frame, format!("{{\"type\":\"MODIFIED\",\"object\":{object}}}\n"));
    }

    #[test]
    fn custom_resources_are_sorted() {
        let custom = json!({"apiVersion": "a/v1", "kind": "K", "metadata": {"labels": {}, "name": "a", "uid": "u"}});
        let (_, object) = sealed(&custom);
        let wanted =
            r#"{"apiVersion":"a/v1","kind":"K","metadata":{"labels":{},"name":"a","resourceVersion":"42","uid":"u"}}"#;
        assert_eq!(object, wanted);
    }

    #[test]
    fn revision_is_there_whatever_the_metadata() {
        for object in
            [json!({}), json!({"metadata": {}}), json!({"metadata": {"name": "a"}}), json!({"metadata": null})]
        {
            let (_, text) = sealed(&object);
            assert!(text.contains(r#""resourceVersion":"42""#), "{text}");
            serde_json::from_str::<Value>(&text).unwrap();
        }
    }
}
