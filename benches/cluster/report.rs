//! The table that is printed at the end.

use std::fmt::Write as _;
use std::time::Duration;

/// One measured figure.
pub struct Row {
    what: String,
    measured: String,
    budget: &'static str,
    peer: String,
}

impl Row {
    /// A figure with nothing to hold it against yet.
    pub fn new(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self { what: what.into(), measured: measured.into(), budget: "", peer: String::new() }
    }

    /// What it should be.
    pub fn budget(self, budget: &'static str) -> Self {
        Self { budget, ..self }
    }

    /// What it is elsewhere.
    pub fn peer(self, peer: impl Into<String>) -> Self {
        Self { peer: peer.into(), ..self }
    }
}

/// The rows as a Markdown table, which is also how `docs/performance.md` has them.
pub fn table(rows: &[Row]) -> String {
    let header = ["what", "measured", "budget", "peer"].map(str::to_owned);
    let cells =
        rows.iter().map(|row| [&row.what, &row.measured, row.budget, &row.peer].map(|cell: &str| cell.to_owned()));
    let lines: Vec<[String; 4]> = std::iter::once(header).chain(cells).collect();
    let widths: [usize; 4] =
        std::array::from_fn(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
            let _ = writeln!(text, "|{}|", rules.join("|"));
        }
    }
    text
}

pub fn micros(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6)
}

pub fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

pub fn kib(bytes: f64) -> String {
    format!("{:.1} KiB", bytes / 1024.0)
}

pub fn mb(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// The value below which `percent` of the sorted times are.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}
