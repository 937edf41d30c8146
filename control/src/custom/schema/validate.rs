//! Whether an object is what its schema says.

use serde_json::Value;

use super::Structural;
use super::values::At;
use crate::field::{Errors, Path};

impl Structural {
    /// Checks a new object: values, objects within, list types.
    pub fn validate(&self, object: &Value, errors: &mut Errors) {
        let root = Path::default();
        self.check_value(object, &At::ROOT, None).tell(&root, errors);
        self.check_embedded(object, &root, errors);
        self.check_lists(object, &root, errors);
    }

    /// Checks a changed object. Values that were wrong before may stay so, and duplicates too.
    pub fn validate_update(&self, new: &Value, old: &Value, errors: &mut Errors) {
        let root = Path::default();
        self.check_value(new, &At::ROOT, Some(old)).tell(&root, errors);
        self.check_embedded(new, &root, errors);
        let mut before = Errors::default();
        self.check_lists(old, &root, &mut before);
        if before.is_empty() {
            self.check_lists(new, &root, errors);
        }
    }

    /// Checks a value that stands at a place of its own, such as a default.
    pub(super) fn validate_part(&self, value: &Value, at: &Path, errors: &mut Errors) {
        self.check_value(value, &At::ROOT, None).tell(at, errors);
    }
}
