//! Which functions there are: name, parameters and result of every overload, read from `signatures.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::types::{Library, Type};

/// One overload.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The receiver of a member comes first.
    pub parameters: Vec<Type>,
    /// What it answers.
    pub result: Type,
}

/// The name of a function, a member's with a dot in front, and its overloads.
type Table = HashMap<&'static str, Vec<Signature>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::new();
    let lines = include_str!("signatures.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for (name, signature) in lines.filter_map(read) {
        table.entry(name).or_default().push(signature);
    }
    table
});

/// The overloads of `name`, or `.name` for a member; none for what is no function. With it the name for good.
pub fn find(name: &str) -> Option<(&'static str, &'static [Signature])> {
    TABLE.get_key_value(name).map(|(name, overloads)| (*name, overloads.as_slice()))
}

fn read(line: &'static str) -> Option<(&'static str, Signature)> {
    let (call, result) = line.split_once(" -> ")?;
    let (name, parameters) = call.split_once('(')?;
    let parameters = parameters.strip_suffix(')')?;
    Some((name, Signature { parameters: types(parameters)?, result: ty(result)? }))
}

/// Types between commas, those in parentheses left whole.
fn types(text: &str) -> Option<Vec<Type>> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(ty(text[start..at].trim())?);
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        found.push(ty(last)?);
    }
    Some(found)
}

fn ty(text: &str) -> Option<Type> {
    if let Some((name, inner)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let mut inner = types(inner)?.into_iter();
        return Some(match name {
            "list" => Type::list(inner.next()?),
            "map" => Type::map(inner.next()?, inner.next()?),
            "optional" => Type::optional(inner.next()?),
            _ => return None,
        });
    }
    Some(match text {
        "A" => Type::Parameter('A'),
        "B" => Type::Parameter('B'),
        "dyn" => Type::Dyn,
        "null" => Type::Null,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "duration" => Type::Duration,
        "timestamp" => Type::Timestamp,
        "type" => Type::Type,
        "quantity" => Type::Library(Library::Quantity),
        "ip" => Type::Library(Library::Ip),
        "cidr" => Type::Library(Library::Cidr),
        "url" => Type::Library(Library::Url),
        "format" => Type::Library(Library::Format),
        "semver" => Type::Library(Library::Semver),
        "authorizer" => Type::Library(Library::Authorizer),
        "path_check" => Type::Library(Library::PathCheck),
        "group_check" => Type::Library(Library::GroupCheck),
        "resource_check" => Type::Library(Library::ResourceCheck),
        "decision" => Type::Library(Library::Decision),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::functions;

    #[test]
    fn every_line_is_read_and_can_be_called() {
        let lines = include_str!("signatures.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            let (name, _) = read(line).unwrap_or_else(|| panic!("not read: {line}"));
            assert!(functions::find(name).is_some(), "nothing does what is declared: {name}");
        }
    }
}
