//! What an evaluation has spent.

use super::EvalError;

/// The most that one expression may cost (upstream's `PerCallLimit`).
pub const CALL_LIMIT: u64 = 1_000_000;

/// A count with a limit.
#[derive(Debug)]
pub struct Meter {
    spent: u64,
    limit: u64,
}

impl Meter {
    /// Nothing spent.
    pub(super) fn new(limit: u64) -> Self {
        Self { spent: 0, limit }
    }

    /// Pays for something, before it is done.
    pub fn charge(&mut self, cost: usize) -> Result<(), EvalError> {
        self.spent = self.spent.saturating_add(cost as u64);
        if self.spent > self.limit { Err(EvalError::CostExceeded) } else { Ok(()) }
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent
    }
}
