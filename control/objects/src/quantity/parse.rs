//! Reading a quantity.

use std::str::FromStr;

use super::{Format, MAX, NANOS, Quantity};

/// Why a text is no quantity, in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not of the form at all.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// No number before the suffix.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// A suffix that is none of the three families.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

/// What a suffix multiplies by.
enum Scale {
    Ten(i32),
    Two(u32),
}

impl FromStr for Quantity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (negative, unsigned) = match text.strip_prefix(['+', '-']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        let (whole, rest) = digits(unsigned);
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(if unsigned.starts_with('.') { Error::Numeric } else { Error::Format });
        }
        if !is_suffix_shaped(suffix) {
            return Err(Error::Format);
        }
        let (scale, format) = scale(suffix)?;
        let nanos = magnitude(whole, fraction, &scale);
        Ok(Self { nanos: if negative { -nanos } else { nanos }, format })
    }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// Letters of suffixes, then perhaps a signed number.
fn is_suffix_shaped(suffix: &str) -> bool {
    let exponent = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    exponent.strip_prefix(['+', '-']).unwrap_or(exponent).bytes().all(|b| b.is_ascii_digit())
}

fn scale(suffix: &str) -> Result<(Scale, Format), Error> {
    let decimal = |e| Ok((Scale::Ten(e), Format::DecimalSi));
    let binary = |e| Ok((Scale::Two(e), Format::BinarySi));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => match suffix.strip_prefix(['e', 'E']).map(str::parse) {
            Some(Ok(exponent)) => Ok((Scale::Ten(exponent), Format::DecimalExponent)),
            _ => Err(Error::Suffix),
        },
    }
}

/// The billionths of `whole.fraction × scale`, rounded up, capped. Long decimal numbers cost no more than their length.
fn magnitude(whole: &str, fraction: &str, scale: &Scale) -> i128 {
    let number = whole.bytes().chain(fraction.bytes()).map(|b| i128::from(b - b'0'));
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    match *scale {
        Scale::Ten(exponent) => {
            // The digits stand for number × 10^shift billionths.
            shifted(number, i64::from(exponent) + 9 - places)
        }
        Scale::Two(power) => {
            // Multiplying first keeps `1.5Ki` exact: the fraction is cut to what an i128 holds.
            let kept = fraction.len().min(15);
            let digits = whole.bytes().chain(fraction.bytes().take(kept)).map(|b| i128::from(b - b'0'));
            let mantissa = digits.fold(0_i128, |n, d| n.saturating_mul(10).saturating_add(d).min(MAX));
            let unit = 10_i128.pow(u32::try_from(kept).unwrap_or(0));
            // 2^power × 10^9 / 10^kept, in an order that neither overflows nor loses.
            let wholes = mantissa / unit;
            let rest = mantissa % unit;
            let wide = wholes.saturating_mul((1 << power) * NANOS);
            let narrow = ceil_div(rest.saturating_mul(1 << power), unit.max(1), NANOS);
            wide.saturating_add(narrow).min(MAX)
        }
    }
}

/// `n × times / unit`, rounded up; `n / unit` is split off first so that nothing overflows.
fn ceil_div(n: i128, unit: i128, times: i128) -> i128 {
    let (quotient, rest) = (n / unit, n % unit);
    let product = rest * times;
    quotient.saturating_mul(times).saturating_add(product / unit + i128::from(product % unit != 0))
}

fn shifted(number: impl Iterator<Item = i128> + Clone, shift: i64) -> i128 {
    let length = i64::try_from(number.clone().count()).unwrap_or(i64::MAX);
    let keep = if shift < 0 { usize::try_from(length + shift).unwrap_or(0) } else { usize::MAX };
    let mut kept = 0_i128;
    let mut lost = false;
    for (i, digit) in number.enumerate() {
        if i < keep {
            kept = kept.saturating_mul(10).saturating_add(digit).min(MAX);
        } else {
            lost |= digit != 0;
        }
    }
    for _ in 0..shift.clamp(0, 40) {
        kept = kept.saturating_mul(10).min(MAX);
    }
    (kept + i128::from(lost)).min(MAX)
}
