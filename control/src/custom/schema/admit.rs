//! The first step of an object: into the form that its schema gives it.

use serde_json::{Map, Value};

use super::Structural;
use crate::field::{Errors, Path};

impl Structural {
    /// Drops unknown fields and nulls that are no values, and puts the metadata of objects within into form. Says which
    /// fields were unknown, sorted.
    ///
    /// The object's own metadata is left as it is: it is the same for all kinds.
    ///
    /// # Errors
    /// Metadata that is none.
    pub fn admit(&self, object: &mut Value) -> Result<Vec<String>, Errors> {
        let mut unknown = self.prune(object);
        self.drop_nulls(object);
        let mut errors = Errors::default();
        self.coerce(object, &Path::default(), &mut unknown, &mut errors);
        unknown.sort();
        if errors.is_empty() { Ok(unknown) } else { Err(errors) }
    }

    /// Puts the fields of an object into the order in which Go encodes maps, at every depth.
    pub fn order(object: &mut Value) {
        order(object);
    }
}

fn order(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if !map.keys().is_sorted() {
                let mut entries: Vec<_> = std::mem::take(map).into_iter().collect();
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                *map = Map::from_iter(entries);
            }
            map.values_mut().for_each(order);
        }
        Value::Array(list) => list.iter_mut().for_each(order),
        _ => {}
    }
}
