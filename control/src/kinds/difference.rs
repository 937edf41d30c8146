//! What an update changed though it may not, for people.

use serde_json::Value;

use super::access::Look;

/// The fields that differ, one a line, as a diff shows them.
pub fn difference(new: &Value, old: &Value) -> String {
    let mut lines = String::new();
    for (field, before) in old.entries("").filter(|(field, before)| new.at(field) != *before) {
        lines.push_str(&format!("- \t{field}: {before},\n"));
        if new.has(field) {
            lines.push_str(&format!("+ \t{field}: {},\n", new.at(field)));
        }
    }
    for (field, now) in new.entries("").filter(|(field, _)| !old.has(field)) {
        lines.push_str(&format!("+ \t{field}: {now},\n"));
    }
    lines
}
