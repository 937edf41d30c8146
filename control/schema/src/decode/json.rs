//! JSON, with duplicate keys noticed.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Decoded, Error, OBJECTS, Trail, push_index, push_key, syntax};

/// Reads a JSON body.
///
/// # Errors
/// What Go's scanner says of the first byte that is not JSON, or that it nests too deep.
pub fn json(body: &[u8]) -> Result<Decoded, Error> {
    let mut trail = Trail::default();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = Seed(&mut trail).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match read {
        Ok(value) => Ok(Decoded { value, duplicates: trail.duplicates }),
        Err(_) if trail.objects > OBJECTS => Err(Error::Objects),
        Err(error) => Err(match syntax::complaint(body) {
            Some(text) => Error::Json(text),
            None if error.to_string().starts_with("recursion limit") => Error::Depth,
            None => Error::Json(error.to_string()),
        }),
    }
}

struct Seed<'a>(&'a mut Trail);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let index = list.len();
            match self.0.step(|path| push_index(path, index), |trail| items.next_element_seed(Seed(trail)))? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.0.object().map_err(A::Error::custom)?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = self.0.step(|path| push_key(path, &key), |trail| entries.next_value_seed(Seed(trail)))?;
            if map.contains_key(&key) {
                self.0.duplicate(&key);
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
