//! Finds the labels of an encoded object and stops there.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};

/// Labels, borrowed from the encoded object where they can be.
pub(super) type Labels<'a> = HashMap<Text<'a>, Text<'a>>;

/// A string that is borrowed unless it has escapes.
#[derive(Debug, Deserialize, PartialEq, Eq, Hash)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Walks into `metadata`, then into `labels`.
pub(super) struct Finder<'f, 'a> {
    /// True within `metadata`.
    pub(super) inside: bool,
    pub(super) found: &'f mut Option<Labels<'a>>,
}

impl<'a> Visitor<'a> for Finder<'_, 'a> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("an object with metadata")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text>()? {
            match (self.inside, &*key) {
                (false, "metadata") => {
                    map.next_value_seed(Finder { inside: true, found: self.found })?;
                    return Err(A::Error::custom("found"));
                }
                (true, "labels") => {
                    *self.found = map.next_value()?;
                    return Err(A::Error::custom("found"));
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

impl<'a> serde::de::DeserializeSeed<'a> for Finder<'_, 'a> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserializer as _;

    use super::*;

    fn labels(text: &str) -> Vec<(String, String)> {
        let mut found = None;
        let _ = serde_json::Deserializer::from_str(text).deserialize_map(Finder { inside: false, found: &mut found });
        let all = found.unwrap_or_default().into_iter().map(|(key, value)| (key.to_string(), value.to_string()));
        all.collect()
    }

    #[test]
    fn labels_are_those_of_the_object_itself() {
        let pair = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
        assert_eq!(
            labels(r#"{"kind":"Pod","metadata":{"name":"x","labels":{"a":"b\u0041"}},"spec":BROKEN"#),
            pair("a", "bA")
        );
        assert_eq!(
            labels(r#"{"spec":{"metadata":{"labels":{"no":"no"}}},"metadata":{"labels":{"a":"b"}}}"#),
            pair("a", "b")
        );
        for none in ["{}", "3", r#"{"metadata":{}}"#, r#"{"metadata":{"labels":null}}"#, r#"{"labels":{"a":"b"}}"#] {
            assert_eq!(labels(none), [], "{none}");
        }
    }
}
