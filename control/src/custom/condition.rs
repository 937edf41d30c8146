//! The conditions of a definition.

use objects::time;
use serde_json::{Value, json};

use crate::kinds::Look;

/// A condition before it has its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `Established`
    pub kind: &'static str,
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// A word for machines.
    pub reason: &'static str,
    /// Words for people.
    pub message: String,
}

impl Condition {
    /// A condition.
    pub fn new(kind: &'static str, status: bool, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, status: if status { "True" } else { "False" }, reason, message: message.into() }
    }

    /// True where the status has it already.
    fn is_in(&self, condition: &Value) -> bool {
        condition.text("status") == self.status
            && condition.text("reason") == self.reason
            && condition.text("message") == self.message
    }
}

/// True where a definition has a condition, and it is `True`.
pub fn holds(definition: &Value, kind: &str) -> bool {
    find(definition, kind).is_some_and(|c| c.text("status") == "True")
}

/// A condition of a definition.
pub fn find<'a>(definition: &'a Value, kind: &str) -> Option<&'a Value> {
    definition.items("status.conditions").iter().find(|c| c.text("type") == kind)
}

/// Sets a condition of a definition. Its time moves only with its status.
pub fn set(definition: &mut Value, wanted: &Condition, now: &str) {
    if !definition["status"]["conditions"].is_array() {
        definition["status"]["conditions"] = json!([]);
    }
    let Some(conditions) = definition["status"]["conditions"].as_array_mut() else { return };
    let found = conditions.iter_mut().find(|c| c.text("type") == wanted.kind);
    match found {
        Some(present) if wanted.is_in(present) => {}
        Some(present) => {
            let since = match present.text("status") == wanted.status {
                true => present.text("lastTransitionTime").to_owned(),
                false => now.to_owned(),
            };
            *present = made(wanted, &since);
        }
        None => conditions.push(made(wanted, now)),
    }
}

/// Takes a condition off a definition.
pub fn remove(definition: &mut Value, kind: &str) {
    if let Some(conditions) = definition["status"]["conditions"].as_array_mut() {
        conditions.retain(|c| c.text("type") != kind);
    }
}

/// The time of conditions that are set now.
pub fn now() -> String {
    time::text(&time::now())
}

fn made(condition: &Condition, since: &str) -> Value {
    json!({
        "type": condition.kind,
        "status": condition.status,
        "lastTransitionTime": since,
        "reason": condition.reason,
        "message": condition.message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_with_the_status_only() {
        let mut definition = json!({"status": {}});
        set(&mut definition, &Condition::new("Established", false, "Installing", "x"), "t1");
        set(&mut definition, &Condition::new("Established", false, "NotAccepted", "y"), "t2");
        assert_eq!(find(&definition, "Established").map(|c| c.text("lastTransitionTime")), Some("t1"));
        set(&mut definition, &Condition::new("Established", true, "InitialNamesAccepted", "z"), "t3");
        assert_eq!(find(&definition, "Established").map(|c| c.text("lastTransitionTime")), Some("t3"));
        assert!(holds(&definition, "Established"));
        remove(&mut definition, "Established");
        assert_eq!(find(&definition, "Established"), None);
    }
}
