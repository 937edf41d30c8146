//! Reads `data/types.txt` and `data/defaults.tsv`.
//!
//! `@package`; then a line a type: name, `atomic`, `g=group/version/kind`…; then a line a field, indented: name, protobuf
//! number (`2.19` where Go flattens), letters, attributes.
//!
//! Letters: `*` pointer, `[]` list, `w[]` list in a message, `{}` map; `s` string (`s:v1.PullPolicy` another name for it),
//! `b` bool, `i` int32, `l` int64, `d` float64, `y` bytes, `t` time, `u` micro-time, `q` quantity, `x` int or string, `r` raw
//! object, `j` any JSON, `f` fields, `oa` `ob` `os` schema or (array, bool, strings); a capital or a dot: a struct.
//! Attributes: `!` no omitempty, `R` required, `m=` merge key, `p=` patch strategy, `l=` list type, `k=` list keys, `a=` map type,
//! `e=` values, `d=` the default OpenAPI tells.
//!
//! The files are part of the program, so a mistake in them is a bug: parsing panics, and a test parses them.

use std::collections::{HashMap, HashSet};
use std::io::Read as _;
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use serde_json::Value;

use super::{Detail, Field, ListKind, Shape, Strategy, Table, Type, resource};

const TYPES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/types.deflate"));
const DEFAULTS: &str = include_str!("../../data/defaults.tsv");
const RESOURCES: &str = include_str!("../../data/resources.tsv");

/// The built-in table.
pub(super) fn builtin() -> Table {
    let mut text = String::new();
    DeflateDecoder::new(TYPES).read_to_string(&mut text).expect("the built-in table inflates");
    let mut table = table(&text, DEFAULTS);
    table.rows = resource::rows(RESOURCES);
    table
}

/// A table of types alone.
pub(super) fn table(text: &str, defaults: &str) -> Table {
    let mut reader = Reader::new(text, defaults);
    let mut table = Table::default();
    let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        if let Some(package) = line.strip_prefix('@') {
            reader.package = package;
            continue;
        }
        let mut fields = Vec::new();
        let mut cells = line.split('\t');
        let name = format!("{}.{}", reader.package, cells.next().unwrap_or_default());
        while let Some(field) = lines.next_if(|line| line.starts_with('\t')) {
            fields.push(reader.field(&name, &field[1..]));
        }
        let rule = crate::default::rule(&name);
        let mut ty = Type::new(name, fields);
        ty.defaults |= rule.is_some();
        ty.rule = rule;
        for cell in cells {
            match cell.strip_prefix("g=") {
                Some(kind) => ty.kinds.extend(reader.kind(kind)),
                None => ty.atomic |= cell == "atomic",
            }
        }
        table.add_type(ty);
    }
    assert!(reader.defaults.is_empty(), "defaults of unknown fields: {:?}", reader.defaults);
    spread_defaults(&mut table.types);
    table
}

/// Marks the types from which a default can be reached.
fn spread_defaults(types: &mut [Type]) {
    loop {
        let marked: Vec<usize> = (0..types.len())
            .filter(|&at| !types[at].defaults)
            .filter(|&at| types[at].fields.iter().filter_map(|f| f.shape.inner()).any(|id| types[id as usize].defaults))
            .collect();
        if marked.is_empty() {
            return;
        }
        marked.into_iter().for_each(|at| types[at].defaults = true);
    }
}

struct Reader<'a> {
    package: &'a str,
    numbers: HashMap<String, u32>,
    defaults: HashMap<(&'a str, &'a str), Value>,
    words: HashSet<Arc<str>>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, defaults: &'a str) -> Self {
        let (mut numbers, mut package) = (HashMap::new(), "");
        for line in text.lines().filter(|line| !line.starts_with(['#', '\t'])) {
            match line.strip_prefix('@') {
                Some(name) => package = name,
                None => {
                    let name = format!("{package}.{}", line.split('\t').next().unwrap_or_default());
                    numbers.insert(name, numbers.len() as u32);
                }
            }
        }
        let defaults = defaults.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let mut cells = line.split('\t');
            let mut cell = || cells.next().expect("three cells a line");
            ((cell(), cell()), serde_json::from_str(cell()).expect("a default is JSON"))
        });
        Self { package: "", numbers, defaults: defaults.collect(), words: HashSet::new() }
    }

    /// One allocation for each distinct word.
    fn word(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.words.get(text) {
            return known.clone();
        }
        let word: Arc<str> = text.into();
        self.words.insert(word.clone());
        word
    }

    fn kind(&mut self, text: &str) -> Option<(Arc<str>, Arc<str>, Arc<str>)> {
        let mut parts = text.split('/');
        let mut part = || Some(self.word(parts.next()?));
        Some((part()?, part()?, part()?))
    }

    fn field(&mut self, ty: &str, line: &'a str) -> Field {
        let mut cells = line.split('\t');
        let name = cells.next().unwrap_or_default();
        let mut numbers = [0; 3];
        for (place, number) in numbers.iter_mut().zip(cells.next().unwrap_or_default().split('.')) {
            *place = number.parse().expect("a protobuf number under 256");
        }
        let letters = cells.next().unwrap_or_default();
        let (pointer, letters) = letters.strip_prefix('*').map_or((false, letters), |rest| (true, rest));
        let (shape, alias) = self.shape(letters);
        let short = ty.strip_prefix("io.k8s.").unwrap_or(ty);
        let default = self.defaults.iter().find(|((of, field), _)| *of == short && *field == name).map(|(key, _)| *key);
        let default = default.and_then(|key| self.defaults.remove(&key)).map(Box::new);
        let name = self.word(name);
        let mut field =
            Field { name, shape, alias, numbers, pointer, always: false, required: false, default, detail: None };
        cells.for_each(|cell| self.attribute(&mut field, cell));
        field
    }

    fn attribute(&mut self, field: &mut Field, cell: &str) {
        let Some((letter, text)) = cell.split_once('=') else {
            field.always |= cell == "!";
            field.required |= cell == "R";
            return;
        };
        let detail =
            field.detail.get_or_insert_with(|| Box::new(Detail { list: ListKind::Unsaid, ..Detail::default() }));
        match letter {
            "m" => detail.merge_key = Some(self.word(text)),
            "p" => detail.strategy = strategy(text),
            "l" => detail.list = list_kind(text),
            "k" => detail.list_keys = text.split(',').map(|key| self.word(key)).collect(),
            "a" => detail.atomic_map = Some(text == "atomic"),
            "e" => detail.values = text.split(',').map(|value| self.word(value)).collect(),
            "d" => detail.declared = serde_json::from_str(text).ok(),
            _ => panic!("unknown attribute {cell}"),
        }
    }

    fn shape(&mut self, letters: &str) -> (Shape, Option<Arc<str>>) {
        let within = |reader: &mut Self, rest: &str, wrap: fn(Box<Shape>) -> Shape| {
            let (shape, alias) = reader.shape(rest.trim_start_matches('*'));
            (wrap(Box::new(shape)), alias)
        };
        if let Some(rest) = letters.strip_prefix("[]") {
            return within(self, rest, Shape::List);
        }
        if let Some(rest) = letters.strip_prefix("w[]") {
            return within(self, rest, Shape::Wrapped);
        }
        if let Some(rest) = letters.strip_prefix("{}") {
            return within(self, rest, Shape::Map);
        }
        if let Some(alias) = letters.strip_prefix("s:") {
            return (Shape::String, Some(self.word(alias)));
        }
        let shape = match letters {
            "s" => Shape::String,
            "b" => Shape::Bool,
            "i" => Shape::Int32,
            "l" => Shape::Int64,
            "d" => Shape::Float,
            "y" => Shape::Bytes,
            "t" => Shape::Time,
            "u" => Shape::MicroTime,
            "q" => Shape::Quantity,
            "x" => Shape::IntOrString,
            "r" => Shape::Raw,
            "j" => Shape::Json,
            "f" => Shape::Fields,
            "oa" => Shape::SchemaOrArray(self.number("JSONSchemaProps")),
            "ob" => Shape::SchemaOrBool(self.number("JSONSchemaProps")),
            "os" => Shape::SchemaOrStrings(self.number("JSONSchemaProps")),
            name => Shape::Struct(self.number(name)),
        };
        (shape, None)
    }

    fn number(&self, name: &str) -> u32 {
        let full = if name.contains('.') { format!("io.k8s.{name}") } else { format!("{}.{name}", self.package) };
        *self.numbers.get(&full).unwrap_or_else(|| panic!("no type {full}"))
    }
}

fn strategy(text: &str) -> Strategy {
    let has = |word| text.split(',').any(|part| part == word);
    Strategy { merge: has("merge"), replace: has("replace"), retain_keys: has("retainKeys") }
}

fn list_kind(text: &str) -> ListKind {
    match text {
        "map" => ListKind::Map,
        "set" => ListKind::Set,
        _ => ListKind::Atomic,
    }
}
