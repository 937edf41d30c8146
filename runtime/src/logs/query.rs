//! What `kubectl logs` asks for, from the query string of its request.

use jiff::{SignedDuration, Timestamp};

/// The parts of one instance's log that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Go on until the container ends.
    pub follow: bool,
    /// The instance before this one.
    pub previous: bool,
    /// Put the time before each line.
    pub timestamps: bool,
    /// No more than this many lines from the end.
    pub tail: Option<usize>,
    /// Nothing older.
    pub since: Option<Timestamp>,
    /// Stop after so many bytes.
    pub limit: Option<usize>,
}

/// A parameter that makes no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidQuery {
    /// Not of its type.
    #[error("invalid value {value:?} for {name}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// What it says.
        value: String,
    },
    /// Two that exclude each other.
    #[error("at most one of `sinceTime` or `sinceSeconds` may be specified")]
    TwoStarts,
}

impl Query {
    /// Reads a query string such as `follow=true&tailLines=10`. Unknown parameters are passed over.
    pub fn parse(query: &str, now: Timestamp) -> Result<Self, InvalidQuery> {
        let mut wanted = Self::default();
        let mut starts = 0;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            let value = percent_encoding::percent_decode_str(&value).decode_utf8_lossy();
            match name {
                "follow" => wanted.follow = flag("follow", &value)?,
                "previous" => wanted.previous = flag("previous", &value)?,
                "timestamps" => wanted.timestamps = flag("timestamps", &value)?,
                "tailLines" => wanted.tail = Some(number("tailLines", &value)?),
                "limitBytes" => wanted.limit = Some(number("limitBytes", &value)?),
                "sinceSeconds" => {
                    let seconds: u32 = number("sinceSeconds", &value)?;
                    wanted.since = now.checked_sub(SignedDuration::from_secs(seconds.into())).ok();
                    starts += 1;
                }
                "sinceTime" => {
                    // A `+` of the zone's offset that nobody escaped has become a space.
                    let time = value.replace(' ', "+").parse();
                    wanted.since = Some(time.map_err(|_| invalid("sinceTime", &value))?);
                    starts += 1;
                }
                _ => {}
            }
        }
        if starts > 1 { Err(InvalidQuery::TwoStarts) } else { Ok(wanted) }
    }
}

fn flag(name: &'static str, value: &str) -> Result<bool, InvalidQuery> {
    match value {
        "" | "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(invalid(name, value)),
    }
}

fn number<N: std::str::FromStr>(name: &'static str, value: &str) -> Result<N, InvalidQuery> {
    value.parse().map_err(|_| invalid(name, value))
}

fn invalid(name: &'static str, value: &str) -> InvalidQuery {
    InvalidQuery::Value { name, value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_string_is_read() {
        let now: Timestamp = "2026-11-20T09:25:29Z".parse().expect("time");
        let parse = |query| Query::parse(query, now);
        let query = parse("follow=true&tailLines=3&timestamps=true&limitBytes=9&container=x").expect("valid");
        assert!(query.follow && query.timestamps && !query.previous);
        assert_eq!((query.tail, query.limit), (Some(3), Some(9)));
        let since = parse("sinceSeconds=29").expect("valid").since.expect("a start");
        assert_eq!(since.to_string(), "2026-11-20T09:25:00Z");
        let since = parse("sinceTime=2026-11-20T10%3A25%3A00%2B01%3A00").expect("valid").since.expect("a start");
        assert_eq!(since.to_string(), "2026-11-20T09:25:00Z");
        assert_eq!(parse("sinceTime=2026-11-20T09:25:00Z&sinceSeconds=1"), Err(InvalidQuery::TwoStarts));
        assert!(parse("tailLines=-1").is_err());
    }
}
