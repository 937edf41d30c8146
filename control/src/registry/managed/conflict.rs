//! An apply that cannot be, in upstream's words.

use schema::apply::{ApplyError, Conflict};
use serde_json::Value;

use super::about;
use super::ledger::Manager;
use crate::status::Status;

/// The answer to an apply that failed.
pub fn status(error: ApplyError<Manager>, config: &Value) -> Status {
    match error {
        ApplyError::Config(problems) => {
            plain(format!("failed to create typed patch object ({}): {problems}", about(config)))
        }
        ApplyError::Conflicts(conflicts) => conflicted(&conflicts),
        ApplyError::NoType => {
            plain(format!("failed to create typed patch object ({}): no corresponding type", about(config)))
        }
    }
}

/// An error that upstream gives no reason to: 500 and the words alone.
pub fn plain(message: impl Into<String>) -> Status {
    Status::new(500, "", message)
}

fn conflicted(conflicts: &[Conflict<Manager>]) -> Status {
    let fields: Vec<(String, Vec<String>)> =
        conflicts.iter().map(|conflict| (conflict.manager.shown(), conflict.fields.shown())).collect();
    let mut status = Status::new(409, "Conflict", message(&fields)).with_empty_details();
    for (manager, paths) in &fields {
        for path in paths {
            status = status.because("FieldManagerConflict", format!("conflict with {manager}"), path);
        }
    }
    status
}

fn message(conflicts: &[(String, Vec<String>)]) -> String {
    let count: usize = conflicts.iter().map(|(_, paths)| paths.len()).sum();
    if let ([(manager, paths)], 1) = (conflicts, count) {
        return format!("Apply failed with 1 conflict: conflict with {manager}: {}", paths[0]);
    }
    let lines = conflicts.iter().flat_map(|(manager, paths)| {
        let head = format!("conflicts with {manager}:");
        std::iter::once(head).chain(paths.iter().map(|path| format!("- {path}")))
    });
    format!("Apply failed with {count} conflicts: {}", lines.collect::<Vec<_>>().join("\n"))
}
