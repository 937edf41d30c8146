//! The scale of a custom resource: where its definition says that replicas are counted.

use serde_json::Value;

use super::path::FieldPath;
use crate::field::{Errors, Path};
use crate::kinds::Look;

/// Where the parts of a scale are.
#[derive(Debug)]
pub struct ScalePaths {
    spec: FieldPath,
    status: FieldPath,
    selector: Option<FieldPath>,
}

/// What an object's scale shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scale {
    /// How many are wanted.
    pub wanted: i64,
    /// How many there are.
    pub present: i64,
    /// Which pods they are.
    pub selector: String,
}

impl ScalePaths {
    /// The paths of a version's `subresources.scale`.
    pub fn of(scale: &Value) -> Option<Self> {
        let path = |field: &str| FieldPath::parse(scale.text(field));
        let selector = Some(path("labelSelectorPath")).filter(|_| !scale.text("labelSelectorPath").is_empty());
        scale.is_object().then(|| Self { spec: path("specReplicasPath"), status: path("statusReplicasPath"), selector })
    }

    /// Reads the scale of an object.
    ///
    /// # Errors
    /// Where it does not say how many are wanted.
    pub fn read(&self, object: &Value) -> Result<Scale, String> {
        let missing = || format!("the spec replicas field {:?} does not exist", self.spec.to_string());
        let number = |path: &FieldPath| path.find(object).and_then(Value::as_i64);
        let selector = self.selector.as_ref().and_then(|p| p.find(object)?.as_str()).unwrap_or_default().to_owned();
        let wanted = number(&self.spec).ok_or_else(missing)?;
        Ok(Scale { wanted, present: number(&self.status).unwrap_or_default(), selector })
    }

    /// The way to how many are wanted.
    pub fn replicas(&self) -> Vec<&str> {
        self.spec.steps()
    }

    /// Sets how many are wanted.
    pub fn set(&self, object: &mut Value, wanted: i64) -> bool {
        self.spec.set(object, wanted.into())
    }

    /// Checks that the numbers are such.
    pub fn validate(&self, object: &Value, errors: &mut Errors) {
        count(&self.spec, object, errors);
        self.validate_status(object, errors);
    }

    /// Checks those of the status.
    pub fn validate_status(&self, object: &Value, errors: &mut Errors) {
        count(&self.status, object, errors);
        if let Some((path, value)) = self.selector.as_ref().and_then(|p| Some((p, p.find(object)?)))
            && !value.is_string()
        {
            let words = format!("{path} accessor error: {value} is of the type {}, expected string", go_type(value));
            errors.invalid(&Path::new(&path.to_string()), "", &words);
        }
    }
}

fn count(path: &FieldPath, object: &Value, errors: &mut Errors) {
    let Some(value) = path.find(object) else { return };
    let at = Path::new(&path.to_string());
    match value.as_i64() {
        None => {
            let words = format!("{path} accessor error: {value} is of the type {}, expected int64", go_type(value));
            errors.invalid(&at, 0, &words);
        }
        Some(n) if n < 0 => errors.invalid(&at, n, "should be a non-negative integer"),
        Some(n) if n > i64::from(i32::MAX) => {
            errors.invalid(&at, n, &format!("should be less than or equal to {}", i32::MAX));
        }
        Some(_) => {}
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
