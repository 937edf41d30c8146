//! LimitRanges: stored; nothing limits by them yet.

use serde_json::Value;

use super::Behavior;
use super::access::{Change, Look};

/// What limit ranges do.
pub const BEHAVIOR: Behavior = Behavior { default, ..Behavior::GENERIC };

/// For containers a maximum is the limit by default, a limit the request, and so is a minimum.
fn default(range: &mut Value) {
    for limit in range.items_mut("spec.limits").iter_mut().filter(|l| l.text("type") == "Container") {
        for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
            let amounts: Vec<(String, Value)> =
                limit.entries(from).map(|(name, amount)| (name.to_owned(), amount.clone())).collect();
            for (name, amount) in amounts {
                limit.set_default(to, &name, amount);
            }
        }
    }
}
