//! Macros over lists and maps.

use std::collections::BTreeMap;

use super::{EvalError, Machine, Result, insert, is_final};
use crate::cel::functions::no_overload;
use crate::cel::node::{Collect, Loop};
use crate::cel::value::{Key, Map, Value};

/// What an iteration costs beside what its body does.
const ROUND: usize = 4;

/// What the answers have come to so far.
enum Sum<'a> {
    /// The first error of an answer that didn't decide.
    Quantified(Option<EvalError>),
    Count(usize),
    List(Vec<Value<'a>>),
    Entries(BTreeMap<Key, Value<'a>>),
}

impl<'a> Machine<'a, '_> {
    pub(super) fn looped(&mut self, of: &'a Loop) -> Result<Value<'a>> {
        let range = self.node(&of.range)?;
        let mut sum = match of.collect {
            Collect::All | Collect::Exists => Sum::Quantified(None),
            Collect::One => Sum::Count(0),
            Collect::List => Sum::List(Vec::new()),
            Collect::Map | Collect::Entries => Sum::Entries(BTreeMap::new()),
        };
        let decided = match &range {
            Value::List(list) => {
                let rounds = list.iter().enumerate();
                self.rounds(
                    of,
                    rounds.map(|(i, value)| (Value::Int(i64::try_from(i).unwrap_or(i64::MAX)), value)),
                    true,
                    &mut sum,
                )?
            }
            Value::Map(map) => {
                self.meter.charge(map.len())?;
                let rounds = map.keys().into_iter().filter_map(|key| map.get(&key).map(|value| (key, value)));
                self.rounds(of, rounds, false, &mut sum)?
            }
            other => return Err(no_overload(of.collect.name(), std::slice::from_ref(other))),
        };
        if let Some(decided) = decided {
            return Ok(Value::Bool(decided));
        }
        match sum {
            Sum::Quantified(None) => Ok(Value::Bool(of.collect == Collect::All)),
            Sum::Quantified(Some(error)) => Err(error),
            Sum::Count(count) => Ok(Value::Bool(count == 1)),
            Sum::List(list) => Ok(Value::list(list)),
            Sum::Entries(entries) => Ok(Value::Map(Map::Shared(entries.into()))),
        }
    }

    /// Goes through the elements: the answer, where one of them has decided it.
    fn rounds(
        &mut self,
        of: &'a Loop,
        rounds: impl Iterator<Item = (Value<'a>, Value<'a>)>,
        list: bool,
        sum: &mut Sum<'a>,
    ) -> Result<Option<bool>> {
        let before = self.locals.len();
        for (key, value) in rounds {
            self.meter.charge(ROUND)?;
            match (of.two, list) {
                (true, _) => self.locals.extend([key.clone(), value]),
                (false, true) => self.locals.push(value),
                (false, false) => self.locals.push(key.clone()),
            }
            let decided = self.round(of, &key, sum);
            self.locals.truncate(before);
            if let Some(decided) = decided? {
                return Ok(Some(decided));
            }
        }
        Ok(None)
    }

    fn round(&mut self, of: &'a Loop, key: &Value<'a>, sum: &mut Sum<'a>) -> Result<Option<bool>> {
        if let Some(filter) = &of.filter {
            match self.node(filter)? {
                Value::Bool(true) => {}
                Value::Bool(false) => return Ok(None),
                other => return Err(no_overload("_?_:_", &[other])),
            }
        }
        let answer = self.node(&of.body);
        match sum {
            Sum::Quantified(error) => return quantified(of.collect, answer, error),
            Sum::Count(count) => match answer? {
                Value::Bool(counts) => *count += usize::from(counts),
                other => return Err(no_overload("_?_:_", &[other])),
            },
            Sum::List(list) => list.push(answer?),
            Sum::Entries(entries) if of.collect == Collect::Map => insert(entries, key, answer?)?,
            Sum::Entries(entries) => match answer? {
                Value::Map(map) => {
                    self.meter.charge(map.len())?;
                    for key in map.keys() {
                        let value = map.get(&key).unwrap_or(Value::Null);
                        insert(entries, &key, value)?;
                    }
                }
                other => return Err(no_overload("transformMapEntry", &[other])),
            },
        }
        Ok(None)
    }
}

/// `all` is decided by a false, `exists` by a true; an error counts if nothing decides.
fn quantified(collect: Collect, answer: Result<Value<'_>>, error: &mut Option<EvalError>) -> Result<Option<bool>> {
    if is_final(&answer) {
        return Err(EvalError::CostExceeded);
    }
    match answer {
        Ok(Value::Bool(b)) if b == (collect == Collect::Exists) => return Ok(Some(b)),
        Ok(Value::Bool(_)) => {}
        Ok(other) => drop(error.get_or_insert_with(|| no_overload(collect.name(), &[other]))),
        Err(first) => drop(error.get_or_insert(first)),
    }
    Ok(None)
}

impl Collect {
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::One => "exists_one",
            Self::List => "map",
            Self::Map | Self::Entries => "transformMap",
        }
    }
}
