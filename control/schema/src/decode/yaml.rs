//! YAML, as Kubernetes reads it: the scalars of YAML 1.1 (see [`super::yaml_scalar`]), keys turned into strings, merge keys,
//! duplicate keys noticed, aliases unfolded within a limit.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::{DEPTH, Decoded, Error, Trail, push_index, push_key, yaml_scalar};

/// How much aliases may add to a document, see [`weight`].
const UNFOLDED: usize = 100_000;

/// Reads a body of one YAML document. An empty body is `null`.
///
/// # Errors
/// Text that is not YAML, nests too deep or unfolds to too much.
pub fn yaml(body: &[u8]) -> Result<Decoded, Error> {
    let mut all = documents(body)?;
    match all.len() {
        0 => Ok(Decoded { value: Value::Null, duplicates: Vec::new() }),
        _ => Ok(all.swap_remove(0)),
    }
}

/// Reads every document of a manifest; empty ones are left out.
///
/// # Errors
/// As [`yaml`].
pub fn documents(body: &[u8]) -> Result<Vec<Decoded>, Error> {
    let text = std::str::from_utf8(body).map_err(|_| Error::Yaml("control characters are not allowed".to_owned()))?;
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        unfolded: 0,
        kept: 0,
        trail: Trail::default(),
    };
    let mut documents = Vec::new();
    while let Some((event, _)) = reader.events.next().transpose().map_err(syntax)? {
        if matches!(event, Event::DocumentStart(_)) {
            let first = reader.next()?;
            let value = reader.node(first, 0)?;
            let duplicates = std::mem::take(&mut reader.trail.duplicates);
            if !value.is_null() {
                documents.push(Decoded { value, duplicates });
            }
        }
    }
    Ok(documents)
}

/// The same for what is anchored: a document may well be anchored whole, and in parts.
const KEPT: usize = 4 * UNFOLDED;

/// As much text as weighs one node.
const LINE: usize = 64;

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    /// Anchored values, each with its weight.
    anchors: HashMap<usize, (Value, usize)>,
    unfolded: usize,
    kept: usize,
    trail: Trail,
}

fn syntax(error: ScanError) -> Error {
    Error::Yaml(format!("line {}: {}", error.marker().line(), error.info()))
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Error> {
        match self.events.next() {
            Some(event) => event.map_err(syntax),
            None => Err(Error::Yaml("unexpected end of stream".to_owned())),
        }
    }

    fn node(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Result<Value, Error> {
        if depth > DEPTH {
            return Err(Error::Depth);
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style, tag.as_deref())?, anchor),
            Event::SequenceStart(anchor, _) => (self.sequence(depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor),
            _ => return Err(Error::Yaml(format!("line {}: did not find expected node content", span.start.line()))),
        };
        if anchor != 0 {
            let weight = weight(&value);
            self.kept += weight;
            if self.kept > KEPT {
                return Err(Error::Aliases);
            }
            self.anchors.insert(anchor, (value.clone(), weight));
        }
        Ok(value)
    }

    fn alias(&mut self, anchor: usize) -> Result<Value, Error> {
        let Some((value, weight)) = self.anchors.get(&anchor) else {
            return Err(Error::Yaml("unknown anchor referenced".to_owned()));
        };
        self.unfolded += weight;
        if self.unfolded > UNFOLDED {
            return Err(Error::Aliases);
        }
        Ok(value.clone())
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, Error> {
        let mut list = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.0, Event::SequenceEnd) {
                return Ok(Value::Array(list));
            }
            let length = self.trail.path.len();
            push_index(&mut self.trail.path, list.len());
            list.push(self.node(event, depth + 1)?);
            self.trail.path.truncate(length);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Error> {
        self.trail.object()?;
        let (mut map, mut merged) = (Map::new(), Vec::new());
        loop {
            let event = self.next()?;
            if matches!(event.0, Event::MappingEnd) {
                break;
            }
            let merges = matches!(&event.0, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = key(self.node(event, depth + 1)?)?;
            let length = self.trail.path.len();
            push_key(&mut self.trail.path, &key);
            let next = self.next()?;
            let value = self.node(next, depth + 1)?;
            self.trail.path.truncate(length);
            if merges {
                merged.push(value);
                continue;
            }
            if map.contains_key(&key) {
                self.trail.duplicate(&key);
            }
            map.insert(key, value);
        }
        merged.into_iter().try_for_each(|from| merge(&mut map, from))?;
        Ok(Value::Object(map))
    }
}

/// `<<: *a` or `<<: [*a, *b]`: what is not yet there is taken over.
fn merge(map: &mut Map<String, Value>, from: Value) -> Result<(), Error> {
    match from {
        Value::Object(entries) => {
            for (key, value) in entries {
                map.entry(key).or_insert(value);
            }
            Ok(())
        }
        Value::Array(items) => items.into_iter().try_for_each(|item| merge(map, item)),
        _ => Err(Error::Yaml("map merge requires map or sequence of maps as the value".to_owned())),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, Error> {
    let core = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
    match (core, style) {
        (Some("str"), _) => Ok(Value::String(text.to_owned())),
        (Some("binary"), _) => yaml_scalar::binary(text)
            .ok_or_else(|| Error::Yaml("!!binary value contains invalid base64 data".to_owned())),
        (Some("int" | "float" | "bool" | "null"), _) | (None, ScalarStyle::Plain) => Ok(yaml_scalar::plain(text)),
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// Keys are strings in JSON; numbers and booleans become their text.
fn key(value: Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null => Ok("null".to_owned()),
        _ => Err(Error::Yaml("unsupported map key".to_owned())),
    }
}

/// What a value takes in memory: its nodes, and its text by [`LINE`]s.
fn weight(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(entries) => entries.iter().map(|(key, value)| key.len() / LINE + weight(value)).sum(),
        Value::String(text) => text.len() / LINE,
        _ => 0,
    }
}
