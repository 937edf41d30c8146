//! Random objects of any type, for property tests. They fit their type and are not in canonical form. No list or map is
//! empty: protobuf cannot tell that from absent.

use serde_json::{Map, Value, json};

use crate::table::{Shape, TypeRef};

/// A random object.
pub(crate) fn object(ty: TypeRef, seed: u64) -> Value {
    Sample(seed).structure(ty, 0)
}

struct Sample(u64);

impl Sample {
    /// One of `0..n`.
    fn pick(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn structure(&mut self, ty: TypeRef, depth: u64) -> Value {
        let mut fields: Vec<_> = ty.get().fields().iter().filter(|field| field.numbers[0] != 0).collect();
        if self.pick(2) == 0 {
            fields.reverse();
        }
        let mut map = Map::new();
        for field in fields {
            if self.pick(3 + depth) == 0 {
                map.insert(field.name.to_string(), self.value(ty, &field.shape, depth));
            }
        }
        Value::Object(map)
    }

    fn value(&mut self, ty: TypeRef, shape: &Shape, depth: u64) -> Value {
        match shape {
            Shape::String => json!(["", "a", "b c", "é\n\"", "TCP"][self.pick(5) as usize]),
            Shape::Bool => json!(self.pick(2) == 0),
            Shape::Int32 => json!(self.pick(7) as i32 - 3),
            Shape::Int64 => json!(self.pick(1 << 31) as i64 * 4_000_000_000 - 9),
            Shape::Float => json!([0.5, 3.0, -1.25, 0.0][self.pick(4) as usize]),
            Shape::Bytes => json!(["", "YQ==", "YWI=\n", "AAEC"][self.pick(4) as usize]),
            Shape::Time => json!(["2026-11-20T09:25:29Z", "2026-11-20T09:25:29.123+02:00"][self.pick(2) as usize]),
            Shape::MicroTime => json!(["2026-11-20T09:25:29Z", "2026-11-20T09:25:29.123456Z"][self.pick(2) as usize]),
            Shape::Quantity => json!(["1", "0.5", "1024Mi", "1e3", "100m", "0"][self.pick(6) as usize]),
            Shape::IntOrString => [json!(80), json!("http"), json!(0)][self.pick(3) as usize].clone(),
            Shape::Raw => json!({"z": [1, null, "a"], "a": {"b": 1.5}}),
            Shape::Json => [json!({"a": 1}), json!("x"), json!([true])][self.pick(3) as usize].clone(),
            Shape::Fields => json!({"f:spec": {".": {}}}),
            Shape::SchemaOrArray(_) | Shape::SchemaOrStrings(_) if depth > 4 => json!([]),
            Shape::SchemaOrBool(_) if depth > 4 || self.pick(2) == 0 => json!(self.pick(2) == 0),
            Shape::SchemaOrArray(id) | Shape::SchemaOrBool(id) | Shape::SchemaOrStrings(id) => {
                self.structure(ty.at(*id), depth + 2)
            }
            Shape::Struct(id) => self.structure(ty.at(*id), depth + 1),
            Shape::List(item) | Shape::Wrapped(item) => {
                (0..1 + self.pick(2)).map(|_| self.value(ty, item, depth + 1)).collect()
            }
            Shape::Map(item) => {
                let keys = ["b", "a", "app.kubernetes.io/name"];
                let entries =
                    (0..1 + self.pick(3) as usize).map(|at| (keys[at % 3].to_owned(), self.value(ty, item, depth + 1)));
                Value::Object(entries.collect())
            }
        }
    }
}
