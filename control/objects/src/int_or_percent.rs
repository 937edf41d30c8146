//! `3` or `25%`: numbers that may be given relative to a total.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Which way a percentage is rounded: `maxSurge` up, `maxUnavailable` down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// To the next whole number.
    Up,
    /// To the whole number below.
    Down,
}

/// Why a value is neither a number nor a percentage. The words are upstream's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid value for IntOrString: {0}")]
pub struct Error(String);

/// The percentage of `25%`, or `None` for a plain number.
///
/// # Errors
/// A string that is not digits and a percent sign.
pub fn percent(value: &IntOrString) -> Result<Option<i32>, Error> {
    match value {
        IntOrString::Int(_) => Ok(None),
        IntOrString::String(text) => match text.strip_suffix('%') {
            None => Err(Error("invalid type: string is not a percentage".into())),
            Some(digits) => digits.parse().map(Some).map_err(|_| {
                Error(format!("invalid value \"{digits}\": strconv.Atoi: parsing \"{digits}\": invalid syntax"))
            }),
        },
    }
}

/// The number that `value` stands for out of `total`.
///
/// # Errors
/// A string that is not digits and a percent sign.
pub fn scaled(value: &IntOrString, total: i32, round: Round) -> Result<i32, Error> {
    let percent = match (value, percent(value)?) {
        (IntOrString::Int(n), _) => return Ok(*n),
        (_, Some(p)) => i64::from(p),
        (_, None) => 0,
    };
    let product = percent * i64::from(total);
    let result = match round {
        Round::Up => product.div_euclid(100) + i64::from(product.rem_euclid(100) != 0),
        Round::Down => product.div_euclid(100),
    };
    Ok(i32::try_from(result).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_as_asked() {
        let quarter = IntOrString::String("25%".into());
        assert_eq!(scaled(&quarter, 10, Round::Up), Ok(3));
        assert_eq!(scaled(&quarter, 10, Round::Down), Ok(2));
        assert_eq!(scaled(&IntOrString::Int(7), 10, Round::Down), Ok(7));
        assert!(scaled(&IntOrString::String("x".into()), 10, Round::Up).is_err());
        assert!(scaled(&IntOrString::String("a%".into()), 10, Round::Up).is_err());
    }
}
