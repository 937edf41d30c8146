//! Whether an object is what its schema says.

use serde_json::Value;

use super::Structural;
use super::rules::Run;
use super::values::At;
use crate::field::{Errors, Path};

/// Rules compute with values, and would fail oddly where those are missing or of other types.
const NOT_CHECKED: &str = "some validation rules were not checked because the object was invalid; correct the existing errors to \
                           complete validation";

impl Structural {
    /// Checks a new object: values, objects within, list types, and then rules.
    pub fn validate(&self, object: &Value, errors: &mut Errors) {
        let root = Path::default();
        self.check_value(object, &At::ROOT, None).tell(&root, errors);
        self.check_embedded(object, &root, errors);
        self.check_lists(object, &root, errors);
        self.check_rules(object, None, errors);
    }

    /// Checks a changed object. Values that were wrong before may stay so, and duplicates too. Returns warnings of rules
    /// that did not hold before either.
    pub fn validate_update(&self, new: &Value, old: &Value, errors: &mut Errors) -> Vec<String> {
        let root = Path::default();
        self.check_value(new, &At::ROOT, Some(old)).tell(&root, errors);
        self.check_embedded(new, &root, errors);
        let mut before = Errors::default();
        self.check_lists(old, &root, &mut before);
        if before.is_empty() {
            self.check_lists(new, &root, errors);
        }
        self.check_rules(new, Some(old), errors)
    }

    fn check_rules(&self, new: &Value, old: Option<&Value>, errors: &mut Errors) -> Vec<String> {
        if !self.governed {
            return Vec::new();
        }
        if errors.is_blocking() {
            errors.invalid(&Path::default(), "null", NOT_CHECKED);
            return Vec::new();
        }
        Run::all(self, new, old, errors)
    }

    /// Checks a value that stands at a place of its own, such as a default.
    pub(super) fn validate_part(&self, value: &Value, at: &Path, errors: &mut Errors) {
        let mut wrong = Errors::default();
        self.check_value(value, &At::ROOT, None).tell(at, &mut wrong);
        if wrong.is_empty() {
            Run::part(self, value, at, &mut wrong);
        }
        errors.append(wrong);
    }
}
