//! Exact amounts of resources: `250m`, `64Mi`, `1e3`.
//!
//! A quantity is a whole number of billionths, so that everything Kubernetes can write (nine decimals, up to 2^63-1) is
//! exact in an `i128`. It remembers which family of suffixes it was written with and is shown in Kubernetes' canonical
//! form: no precision lost, no fraction shown, the largest suffix that allows it.

mod format;
mod parse;

use std::cmp::Ordering;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

pub use parse::Error;

const NANOS: i128 = 1_000_000_000;
/// The largest magnitude Kubernetes keeps; larger amounts are capped to it.
const MAX: i128 = i64::MAX as i128 * NANOS;

/// The family of suffixes a quantity is written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `n u m k M G T P E`.
    #[default]
    DecimalSi,
    /// `Ki Mi Gi Ti Pi Ei`.
    BinarySi,
    /// `e3`.
    DecimalExponent,
}

/// An exact amount. Equality and order are of the amount: `1Gi == 1024Mi`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0, format: Format::DecimalSi };

    /// A whole amount, shown with decimal suffixes.
    pub const fn from_whole(n: i64) -> Self {
        Self { nanos: n as i128 * NANOS, format: Format::DecimalSi }
    }

    /// An amount in thousandths: CPU.
    pub const fn from_milli(n: i64) -> Self {
        Self { nanos: n as i128 * 1_000_000, format: Format::DecimalSi }
    }

    /// An amount in bytes, shown with binary suffixes: memory.
    pub const fn from_bytes(n: i64) -> Self {
        Self { nanos: n as i128 * NANOS, format: Format::BinarySi }
    }

    /// The amount an object carries.
    ///
    /// # Errors
    /// Text that is no quantity.
    pub fn of(text: &Text) -> Result<Self, Error> {
        text.0.parse()
    }

    /// The amount an object carries, nothing where the text is no quantity: for objects that validation has passed.
    pub fn lenient(text: &Text) -> Self {
        Self::of(text).unwrap_or_default()
    }

    /// The canonical text, as an object carries it.
    pub fn to_text(self) -> Text {
        Text(self.to_string())
    }

    /// True for nothing.
    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Less, equal or more than nothing: -1, 0, 1.
    pub const fn signum(self) -> i32 {
        self.nanos.signum() as i32
    }

    /// The amount in whole units, rounded away from zero.
    pub fn whole(self) -> i64 {
        self.scaled_up(NANOS)
    }

    /// The amount in thousandths, rounded away from zero.
    pub fn milli(self) -> i64 {
        self.scaled_up(1_000_000)
    }

    fn scaled_up(self, unit: i128) -> i64 {
        let (quotient, rest) = (self.nanos / unit, self.nanos % unit);
        let rounded = if rest == 0 { quotient } else { quotient + self.nanos.signum() };
        i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
    }

    fn capped(nanos: i128, format: Format) -> Self {
        Self { nanos: nanos.clamp(-MAX, MAX), format }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Add for Quantity {
    type Output = Self;

    /// A sum takes the format of its first part that is not zero, as upstream's does.
    fn add(self, other: Self) -> Self {
        let format = if self.is_zero() { other.format } else { self.format };
        Self::capped(self.nanos + other.nanos, format)
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let format = if self.is_zero() { other.format } else { self.format };
        Self::capped(self.nanos - other.nanos, format)
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    fn canonical(text: &str) -> String {
        text.parse::<Quantity>().map_or_else(|e| format!("error: {e}"), |q| q.to_string())
    }

    #[test]
    fn canonical_form_is_upstreams() {
        for (text, want) in [
            ("0", "0"),
            ("0Mi", "0"),
            ("1024Mi", "1Gi"),
            ("1000Mi", "1000Mi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Mi", "512Ki"),
            ("1023Ki", "1023Ki"),
            ("1000m", "1"),
            ("0.1", "100m"),
            ("1500m", "1500m"),
            ("1000k", "1M"),
            ("12345678", "12345678"),
            ("10E", "9223372036854775807"),
            ("1e3", "1e3"),
            ("1E3", "1e3"),
            ("1500e0", "1500"),
            ("100e-3", "100e-3"),
            ("0.1n", "1n"),
            ("-5", "-5"),
            ("+3k", "3k"),
            ("1E", "1E"),
            ("1.5Ki", "1536"),
            ("0.3Ki", "307200m"),
            ("1.", "1"),
            (".5", "500m"),
        ] {
            assert_eq!(canonical(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", ".", "Mi", "1.1.M", "1+1.0M", "0.1mi", "aoeu", "1i", "1 Gi", "12e", "--1", "1e99999999999"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
        assert_eq!(
            "1 Gi".parse::<Quantity>().map_err(|e| e.to_string()),
            Err("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                .to_owned())
        );
    }

    #[test]
    fn amounts_round_away_from_zero() {
        let q: Quantity = "1500m".parse().unwrap_or_default();
        assert_eq!((q.whole(), q.milli()), (2, 1500));
        let q: Quantity = "-1500m".parse().unwrap_or_default();
        assert_eq!(q.whole(), -2);
    }

    #[test]
    fn canonical_text_means_the_same_amount() {
        let mut rng = rand::rng();
        for _ in 0..20_000 {
            let n: u32 = rng.random();
            let mantissa = format!("{}.{}", n >> rng.random_range(0..32), rng.random_range(0..1000));
            let suffixes = ["", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e2", "e-4", "E5"];
            let text = format!("{mantissa}{}", suffixes[rng.random_range(0..suffixes.len())]);
            let Ok(q) = text.parse::<Quantity>() else { panic!("{text}") };
            let shown = q.to_string();
            assert_eq!(shown.parse(), Ok(q), "{text} → {shown}");
            // Binary amounts that are no multiple of 1024 lose their format with their suffix, as in Go.
            if !text.ends_with('i') || shown.ends_with('i') {
                assert_eq!(canonical(&shown), shown, "{text}");
            }
        }
    }
}
