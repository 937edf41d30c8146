//! Which overloads a call could mean, and what it answers then.

use std::collections::BTreeMap;

use crate::cel::signatures::Signature;
use crate::cel::types::Type;

/// What the parameters of a signature stand for in one call.
type Bound = BTreeMap<char, Type>;

/// The four orders share the declarations of `_<_`.
pub fn declared_as(name: &str) -> &str {
    if ordering(name).is_some() { "_<_" } else { name }
}

/// The name of an order, for good.
pub fn ordering(name: &str) -> Option<&'static str> {
    ["_<_", "_<=_", "_>_", "_>=_"].into_iter().find(|order| *order == name)
}

/// The type a call answers with; unknown where overloads that differ in it could be meant, none where none fits.
pub fn result(overloads: &[Signature], arguments: &[&Type]) -> Option<Type> {
    let mut answers = overloads.iter().filter_map(|overload| answer(overload, arguments));
    let first = answers.next()?;
    Some(if answers.all(|other| other == first) { first } else { Type::Dyn })
}

fn answer(overload: &Signature, arguments: &[&Type]) -> Option<Type> {
    let mut bound = Bound::new();
    let fits = overload.parameters.len() == arguments.len()
        && overload.parameters.iter().zip(arguments).all(|(formal, actual)| assign(formal, actual, &mut bound));
    fits.then(|| substitute(&overload.result, &bound))
}

fn assign(formal: &Type, actual: &Type, bound: &mut Bound) -> bool {
    match (formal, actual) {
        (Type::Parameter(letter), actual) => match bound.get(letter) {
            None => {
                bound.insert(*letter, actual.clone());
                true
            }
            Some(known) if compatible(known, actual) => {
                let both = known.clone().join(actual);
                bound.insert(*letter, both);
                true
            }
            Some(_) => false,
        },
        (Type::Dyn, _) | (_, Type::Dyn) => true,
        (Type::List(formal), Type::List(actual)) => assign(&formal.element, &actual.element, bound),
        (Type::Map(formal), Type::Map(actual)) => {
            assign(&formal.0, &actual.0, bound) && assign(&formal.1, &actual.1, bound)
        }
        (Type::Optional(formal), Type::Optional(actual)) => assign(formal, actual, bound),
        (formal, actual) => compatible(formal, actual),
    }
}

/// True for types that one value could have both of.
pub fn compatible(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (a, b) if a.is_dyn() || b.is_dyn() => true,
        (Type::Null, other) | (other, Type::Null) => other.is_nullable(),
        (Type::List(a), Type::List(b)) => compatible(&a.element, &b.element),
        (Type::Map(a), Type::Map(b)) => compatible(&a.0, &b.0) && compatible(&a.1, &b.1),
        (Type::Optional(a), Type::Optional(b)) => compatible(a, b),
        (a, b) => a == b,
    }
}

fn substitute(ty: &Type, bound: &Bound) -> Type {
    match ty {
        Type::Parameter(letter) => bound.get(letter).cloned().unwrap_or(Type::Dyn),
        Type::List(list) => Type::list(substitute(&list.element, bound)),
        Type::Map(map) => Type::map(substitute(&map.0, bound), substitute(&map.1, bound)),
        Type::Optional(inner) => Type::optional(substitute(inner, bound)),
        other => other.clone(),
    }
}
