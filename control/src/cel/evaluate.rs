//! Runs a program, counting what it does.

mod bindings;
mod error;
mod loops;
mod meter;

use super::functions::{Run, no_overload};
use super::node::{Call, Node};
use super::value::{Key, List, Map, Value};
use super::{Program, Type};

pub use bindings::Bindings;
pub use error::EvalError;
pub use meter::{CALL_LIMIT, Meter};

/// What an expression came to.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// The value.
    pub value: Value<'a>,
    /// What it cost, to be taken from the caller's budget.
    pub cost: u64,
}

impl Outcome<'_> {
    /// The answer of a rule.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// The answer of a message expression.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

type Result<T> = std::result::Result<T, EvalError>;

/// Runs a program within what is left of the bindings' budget, and takes from it what was spent.
pub(super) fn run<'a>(program: &'a Program, bindings: &Bindings<'a>) -> Result<Outcome<'a>> {
    let meter = Meter::new(bindings.budget().min(CALL_LIMIT));
    let mut machine = Machine { program, bindings, locals: Vec::new(), meter };
    let value = machine.node(&program.node);
    let cost = machine.meter.spent();
    bindings.spend(cost);
    Ok(Outcome { value: value?, cost })
}

struct Machine<'a, 'b> {
    program: &'a Program,
    bindings: &'b Bindings<'a>,
    locals: Vec<Value<'a>>,
    meter: Meter,
}

impl<'a> Machine<'a, '_> {
    fn node(&mut self, node: &'a Node) -> Result<Value<'a>> {
        let value = if self.bindings.enter() {
            self.by_kind(node)
        } else {
            Err(EvalError::Other("expression recursion limit exceeded".to_owned()))
        };
        self.bindings.leave();
        value
    }

    fn by_kind(&mut self, node: &'a Node) -> Result<Value<'a>> {
        match node {
            Node::Constant(value) => Ok(value.clone()),
            Node::Variable(at) => self.variable(*at),
            Node::Local(at) => self.local(*at),
            Node::Select { of, field, optional } => self.select(of, field, *optional),
            Node::Has { of, field } => self.has(of, field),
            Node::Index { of, key, optional } => self.index(of, key, *optional),
            Node::Not(of) => self.not(of),
            Node::Either { when, sides } => self.either(*when, &sides.0, &sides.1),
            Node::If(parts) => self.conditional(&parts.0, &parts.1, &parts.2),
            Node::Call(call) => self.call(call),
            Node::List(parts) => self.list(parts),
            Node::Map(parts) => self.map(parts),
            Node::Loop(of) => self.looped(of),
            Node::WithValue { of, body, flat } => self.with_value(of, body, *flat),
        }
    }

    fn variable(&mut self, at: usize) -> Result<Value<'a>> {
        self.meter.charge(1)?;
        let (name, ty): &'a (_, Type) = &self.program.variables[at];
        self.bindings.find(name, ty).ok_or_else(|| EvalError::Other(format!("no such attribute(s): {name}")))
    }

    fn local(&mut self, at: usize) -> Result<Value<'a>> {
        self.meter.charge(1)?;
        self.locals.get(at).cloned().ok_or_else(|| EvalError::Other("no such attribute(s)".to_owned()))
    }

    fn select(&mut self, of: &'a Node, field: &str, optional: bool) -> Result<Value<'a>> {
        let of = self.node(of)?;
        self.meter.charge(1)?;
        if !optional {
            return self.field(&of, field)?.ok_or_else(|| EvalError::NoSuchKey(field.to_owned()));
        }
        let found = match inner(of) {
            Some(of) => self.field(&of, field)?,
            None => None,
        };
        Ok(Value::optional(found))
    }

    /// A field of an object; none where it hasn't got it.
    fn field(&mut self, of: &Value<'a>, field: &str) -> Result<Option<Value<'a>>> {
        match of {
            Value::Map(map) => Ok(map.field(field)),
            Value::Variables => self.bindings.computed(field).map(Some),
            Value::Optional(Some(inner)) => self.field(&inner.clone(), field),
            Value::Optional(None) => Ok(None),
            _ => Err(EvalError::NoFields),
        }
    }

    fn has(&mut self, of: &'a Node, field: &str) -> Result<Value<'a>> {
        let of = self.node(of)?;
        self.meter.charge(1)?;
        if let Value::Variables = of {
            return Ok(Value::Bool(self.bindings.is_computed(field)));
        }
        Ok(Value::Bool(self.field(&of, field)?.is_some()))
    }

    fn index(&mut self, of: &'a Node, key: &'a Node, optional: bool) -> Result<Value<'a>> {
        let (of, key) = (self.node(of)?, self.node(key)?);
        self.meter.charge(1)?;
        if !optional {
            return element(&of, &key);
        }
        let found = match inner(of) {
            Some(of) => element(&of, &key).ok(),
            None => None,
        };
        Ok(Value::optional(found))
    }

    fn not(&mut self, of: &'a Node) -> Result<Value<'a>> {
        match self.node(of)? {
            Value::Bool(b) => self.meter.charge(1).map(|()| Value::Bool(!b)),
            other => Err(no_overload("!_", &[other])),
        }
    }

    /// An error on one side counts only if the other doesn't decide.
    fn either(&mut self, when: bool, a: &'a Node, b: &'a Node) -> Result<Value<'a>> {
        let a = self.node(a);
        if is(&a, when) || is_final(&a) {
            return a;
        }
        let b = self.node(b);
        if is(&b, when) || is_final(&b) {
            return b;
        }
        match (a?, b?) {
            (Value::Bool(_), b @ Value::Bool(_)) => Ok(b),
            (a, b) => Err(no_overload(if when { "_||_" } else { "_&&_" }, &[a, b])),
        }
    }

    fn conditional(&mut self, condition: &'a Node, yes: &'a Node, no: &'a Node) -> Result<Value<'a>> {
        match self.node(condition)? {
            Value::Bool(true) => self.node(yes),
            Value::Bool(false) => self.node(no),
            other => Err(no_overload("_?_:_", &[other])),
        }
    }

    fn call(&mut self, call: &'a Call) -> Result<Value<'a>> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.node(argument)?);
        }
        self.meter.charge(1)?;
        let mut run = Run {
            name: call.name,
            meter: &mut self.meter,
            pattern: call.pattern.as_deref(),
            authority: self.bindings.authority(),
        };
        (call.function)(&mut run, arguments)
    }

    fn list(&mut self, parts: &'a [(Node, bool)]) -> Result<Value<'a>> {
        self.meter.charge(10)?;
        let mut elements = Vec::with_capacity(parts.len());
        for (part, optional) in parts {
            let value = self.node(part)?;
            match (optional, value) {
                (true, Value::Optional(inner)) => elements.extend(inner.map(|inner| (*inner).clone())),
                (true, other) => return Err(no_overload("[?_]", &[other])),
                (false, value) => elements.push(value),
            }
        }
        Ok(Value::list(elements))
    }

    fn map(&mut self, parts: &'a [(Node, Node, bool)]) -> Result<Value<'a>> {
        self.meter.charge(30)?;
        let mut entries = std::collections::BTreeMap::new();
        for (key, value, optional) in parts {
            let (key, value) = (self.node(key)?, self.node(value)?);
            let value = match (optional, value) {
                (true, Value::Optional(None)) => continue,
                (true, Value::Optional(Some(inner))) => (*inner).clone(),
                (_, value) => value,
            };
            insert(&mut entries, &key, value)?;
        }
        Ok(Value::Map(Map::Shared(entries.into())))
    }

    fn with_value(&mut self, of: &'a Node, body: &'a Node, flat: bool) -> Result<Value<'a>> {
        let Value::Optional(of) = self.node(of)? else {
            return Err(EvalError::NoFields);
        };
        let Some(value) = of else {
            return Ok(Value::Optional(None));
        };
        self.locals.push((*value).clone());
        let answer = self.node(body);
        self.locals.pop();
        Ok(if flat { answer? } else { Value::optional(Some(answer?)) })
    }
}

fn insert<'a>(
    entries: &mut std::collections::BTreeMap<Key, Value<'a>>,
    key: &Value<'a>,
    value: Value<'a>,
) -> Result<()> {
    let Some(known) = Key::of(key) else {
        return Err(EvalError::Other(format!("unsupported key type: {}", key.type_name())));
    };
    match entries.insert(known, value) {
        None => Ok(()),
        Some(_) => Err(EvalError::Other(format!("Failed with repeated key: {}", shown(key)))),
    }
}

/// What is in an optional value, or the value itself.
fn inner(value: Value<'_>) -> Option<Value<'_>> {
    match value {
        Value::Optional(inner) => inner.map(|inner| (*inner).clone()),
        value => Some(value),
    }
}

fn element<'a>(of: &Value<'a>, key: &Value<'a>) -> Result<Value<'a>> {
    match (of, key) {
        (Value::List(list), key) => at(list, key),
        (Value::Map(map), key) => map.get(key).ok_or_else(|| EvalError::NoSuchKey(shown(key))),
        (Value::Optional(_), _) => Err(EvalError::Other("optional.none() dereference".to_owned())),
        (of, key) => Err(no_overload("_[_]", &[of.clone(), key.clone()])),
    }
}

fn at<'a>(list: &List<'a>, key: &Value<'a>) -> Result<Value<'a>> {
    let index = match Key::of(key) {
        Some(Key::Int(i)) => i,
        _ => return Err(EvalError::Other(format!("unsupported index type '{}' in list", key.type_name()))),
    };
    usize::try_from(index)
        .ok()
        .and_then(|index| list.get(index))
        .ok_or_else(|| EvalError::Other(format!("index out of bounds: {index}")))
}

/// A key as errors show it.
fn shown(key: &Value<'_>) -> String {
    match key {
        Value::String(text) => text.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Uint(u) => u.to_string(),
        Value::Double(d) => d.to_string(),
        Value::Bool(b) => b.to_string(),
        other => other.type_name().to_owned(),
    }
}

fn is(value: &Result<Value<'_>>, wanted: bool) -> bool {
    matches!(value, Ok(Value::Bool(b)) if *b == wanted)
}

/// True for an error that nothing makes good.
fn is_final(value: &Result<Value<'_>>) -> bool {
    matches!(value, Err(EvalError::CostExceeded))
}
