//! A checked expression, ready to run: names are places, functions are found, macros are loops.

use std::sync::Arc;

use regex::Regex;

use super::functions::Function;
use super::value::Value;

/// One step of a program.
#[derive(Debug)]
pub enum Node {
    /// A literal, or the name of a type.
    Constant(Value<'static>),
    /// What the caller binds, by its place in the scope.
    Variable(usize),
    /// What a macro binds, by how many were bound before it.
    Local(usize),
    /// `a.b`, `a.?b`
    Select { of: Box<Node>, field: Box<str>, optional: bool },
    /// `has(a.b)`
    Has { of: Box<Node>, field: Box<str> },
    /// `a[b]`, `a[?b]`
    Index { of: Box<Node>, key: Box<Node>, optional: bool },
    /// `!a`
    Not(Box<Node>),
    /// `a && b` (`when` is false) and `a || b` (`when` is true): done where one side is `when`.
    Either { when: bool, sides: Box<(Node, Node)> },
    /// `a ? b : c`
    If(Box<(Node, Node, Node)>),
    /// Any other function.
    Call(Call),
    /// `[a, ?b]`
    List(Vec<(Node, bool)>),
    /// `{a: b, ?c: d}`
    Map(Vec<(Node, Node, bool)>),
    /// A macro over a list or a map.
    Loop(Box<Loop>),
    /// `a.optMap(x, b)`, `a.optFlatMap(x, b)`
    WithValue { of: Box<Node>, body: Box<Node>, flat: bool },
}

/// A call of what is no operator with rules of its own.
#[derive(Debug)]
pub struct Call {
    pub name: &'static str,
    pub function: Function,
    pub arguments: Vec<Node>,
    /// The compiled second argument of `matches` and the like, where it is a literal.
    pub pattern: Option<Arc<Regex>>,
}

/// A macro over the elements of a list or the entries of a map.
#[derive(Debug)]
pub struct Loop {
    pub range: Node,
    /// True with two variables: index and element, or key and value.
    pub two: bool,
    /// Which elements count; all, where nothing is said.
    pub filter: Option<Node>,
    /// What is done with one.
    pub body: Node,
    pub collect: Collect,
}

/// What becomes of the answers of a loop's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collect {
    /// `all`
    All,
    /// `exists`
    Exists,
    /// `exists_one`
    One,
    /// `map`, `filter`, `transformList`
    List,
    /// `transformMap`: the key stays.
    Map,
    /// `transformMapEntry`: the body makes the entries.
    Entries,
}
