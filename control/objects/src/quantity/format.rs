//! The canonical text of a quantity.

use std::fmt;

use super::{Format, NANOS, Quantity};

const DECIMAL: [(i32, &str); 10] =
    [(-9, "n"), (-6, "u"), (-3, "m"), (0, ""), (3, "k"), (6, "M"), (9, "G"), (12, "T"), (15, "P"), (18, "E")];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let whole = self.nanos % NANOS == 0;
        let small = self.nanos.abs() < 1024 * NANOS;
        match self.format {
            Format::BinarySi if whole && !small => binary(self.nanos / NANOS, f),
            Format::BinarySi | Format::DecimalSi => {
                let (mantissa, exponent) = thousands(self.nanos);
                let suffix = DECIMAL.iter().find(|(e, _)| *e == exponent).map_or("", |(_, s)| s);
                write!(f, "{mantissa}{suffix}")
            }
            Format::DecimalExponent => match thousands(self.nanos) {
                (mantissa, 0) => write!(f, "{mantissa}"),
                (mantissa, exponent) => write!(f, "{mantissa}e{exponent}"),
            },
        }
    }
}

/// The shortest mantissa over a power of a thousand that loses nothing.
fn thousands(nanos: i128) -> (i128, i32) {
    let (mut mantissa, mut exponent) = (nanos, -9);
    while mantissa % 1000 == 0 && exponent < 18 {
        mantissa /= 1000;
        exponent += 3;
    }
    (mantissa, exponent)
}

fn binary(whole: i128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mut mantissa, mut power) = (whole, 0);
    while mantissa % 1024 == 0 && power + 1 < BINARY.len() {
        mantissa /= 1024;
        power += 1;
    }
    write!(f, "{mantissa}{}", BINARY[power])
}
