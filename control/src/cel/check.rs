//! Checks a tree against its scope and turns it into a program.
//!
//! The crate's interpreter finds out about names and types while it runs; Kubernetes tells the author of a rule when
//! the rule is stored. So names are resolved, every call is matched with the overloads it could mean, and macros are
//! made loops here; what is left for later is what only values tell ([`Type::Dyn`]).

mod macros;
mod overload;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators};

use super::node::{Call, Node};
use super::syntax::Issue;
use super::types::Type;
use super::value::Value;
use super::{CompileError, Scope, escape, functions};

/// How deep a program may be nested: it recurses when it runs, on the stack of whoever runs it.
const DEEPEST: usize = 250;

/// A checked part: how to compute it, and its type.
pub(super) struct Checked {
    pub node: Node,
    pub ty: Type,
}

pub(super) struct Checker<'s> {
    scope: &'s Scope,
    info: &'s SourceInfo,
    locals: Vec<(String, Type)>,
    depth: usize,
    /// Which variables of the scope are asked for.
    pub used: Vec<bool>,
    issues: Vec<Issue>,
}

/// Checks a whole expression. With it which variables of the scope it uses.
pub(super) fn check(tree: &IdedExpr, info: &SourceInfo, scope: &Scope) -> Result<(Checked, Vec<bool>), CompileError> {
    let used = vec![false; scope.variables.len()];
    let mut checker = Checker { scope, info, locals: Vec::new(), depth: 0, used, issues: Vec::new() };
    let checked = checker.expression(tree);
    if checker.issues.is_empty() {
        return Ok((checked, checker.used));
    }
    checker.issues.sort();
    checker.issues.dedup();
    Err(CompileError::of(&info.source, checker.issues))
}

impl Checker<'_> {
    /// Notes what is wrong; the part goes on as something unknown, so that more is found.
    fn wrong(&mut self, id: u64, message: impl Into<String>) -> Checked {
        self.issues.push(Issue::at(self.info, id, message.into()));
        Checked { node: Node::Constant(Value::Null), ty: Type::Dyn }
    }

    fn undeclared(&mut self, id: u64, name: &str) -> Checked {
        self.wrong(id, format!("undeclared reference to '{name}' (in container '')"))
    }

    fn expression(&mut self, tree: &IdedExpr) -> Checked {
        if self.depth >= DEEPEST {
            if self.issues.iter().all(|issue| !issue.message.contains("recursion")) {
                return self.wrong(tree.id, format!("expression recursion limit exceeded: {DEEPEST}"));
            }
            return Checked { node: Node::Constant(Value::Null), ty: Type::Dyn };
        }
        self.depth += 1;
        let checked = self.by_kind(tree);
        self.depth -= 1;
        checked
    }

    fn by_kind(&mut self, tree: &IdedExpr) -> Checked {
        match &tree.expr {
            Expr::Literal(literal) => constant(literal),
            Expr::Ident(name) => self.name(tree.id, name),
            Expr::Select(select) => self.select(tree, select),
            Expr::Call(call) => self.call(tree.id, call),
            Expr::List(list) => {
                let parts = list.elements.iter().enumerate();
                let parts = parts.map(|(i, element)| (element, list.optional_indices.contains(&i))).collect();
                self.list(parts)
            }
            Expr::Map(map) => self.map(tree.id, map),
            Expr::Struct(object) => self.undeclared(tree.id, &object.type_name),
            Expr::Comprehension(_) | Expr::Unspecified => self.wrong(tree.id, "unsupported expression"),
        }
    }

    fn name(&mut self, id: u64, name: &str) -> Checked {
        match self.known(name) {
            Some(checked) => checked,
            None => self.undeclared(id, name),
        }
    }

    /// A macro's variable, one of the scope, or a type.
    fn known(&mut self, name: &str) -> Option<Checked> {
        if let Some(at) = self.locals.iter().rposition(|(local, _)| local == name) {
            return Some(Checked { node: Node::Local(at), ty: self.locals[at].1.clone() });
        }
        if let Some(at) = self.scope.variables.iter().position(|(variable, _)| **variable == *name) {
            self.used[at] = true;
            return Some(Checked { node: Node::Variable(at), ty: self.scope.variables[at].1.clone() });
        }
        let shown = functions::convert::type_named(name)?;
        Some(Checked { node: Node::Constant(Value::Type(shown.into())), ty: Type::Type })
    }

    /// A variable or a type whose name has dots in it: `authorizer.requestResource`, `google.protobuf.Duration`.
    fn qualified(&mut self, name: &str) -> Option<Checked> {
        let root = name.split('.').next().unwrap_or_default();
        let hidden = self.locals.iter().any(|(local, _)| local == root);
        if hidden || (self.is_variable(root) && self.scope.variables.iter().all(|(known, _)| **known != *name)) {
            return None;
        }
        self.known(name)
    }

    /// True for a name that somebody has declared, so that `name.f()` is no function of a namespace.
    fn is_variable(&self, name: &str) -> bool {
        self.locals.iter().any(|(local, _)| local == name)
            || self.scope.variables.iter().any(|(variable, _)| **variable == *name)
    }

    fn select(&mut self, tree: &IdedExpr, select: &SelectExpr) -> Checked {
        if let Some(checked) = dotted(tree).and_then(|name| self.qualified(&name)) {
            return checked;
        }
        let of = self.expression(&select.operand);
        let (field, ty) = self.field(tree.id, &of.ty, &select.field);
        let optional = matches!(of.ty, Type::Optional(_));
        let ty = if optional { Type::optional(ty) } else { ty };
        Checked { node: Node::Select { of: Box::new(of.node), field: field.into(), optional }, ty }
    }

    /// The field an identifier means in a type, and its type.
    fn field(&mut self, id: u64, of: &Type, identifier: &str) -> (String, Type) {
        match of {
            Type::Object(object) => {
                let field = if self.scope.escapes { escape::field(identifier) } else { identifier.to_owned() };
                match object.fields.get(&field) {
                    Some(ty) => (field, ty.clone()),
                    None => (field, self.wrong(id, format!("undefined field '{identifier}'")).ty),
                }
            }
            Type::Map(map) => (identifier.to_owned(), map.1.clone()),
            Type::Optional(inner) => self.field(id, &inner.clone(), identifier),
            Type::Dyn | Type::Parameter(_) => {
                let field = if self.scope.escapes { escape::field(identifier) } else { identifier.to_owned() };
                (field, Type::Dyn)
            }
            other => {
                let message = format!("type '{other}' does not support field selection");
                (identifier.to_owned(), self.wrong(id, message).ty)
            }
        }
    }

    fn call(&mut self, id: u64, call: &CallExpr) -> Checked {
        if let Some(checked) = self.macro_call(id, call) {
            return checked;
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::CONDITIONAL, [condition, yes, no]) => self.conditional(id, condition, yes, no),
            (operators::LOGICAL_AND, [a, b]) => self.either(id, false, a, b),
            (operators::LOGICAL_OR, [a, b]) => self.either(id, true, a, b),
            (operators::LOGICAL_NOT, [a]) => {
                let a = self.expression(a);
                self.must_be_bool(id, operators::LOGICAL_NOT, &[&a.ty]);
                Checked { node: Node::Not(Box::new(a.node)), ty: Type::Bool }
            }
            (operators::INDEX, [of, key]) => self.index(id, of, key, false),
            (operators::OPT_INDEX, [of, key]) => self.index(id, of, key, true),
            (operators::OPT_SELECT, [of, field]) => self.optional_select(id, of, field),
            _ => self.function(id, call),
        }
    }

    fn conditional(&mut self, id: u64, condition: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Checked {
        let (condition, yes, no) = (self.expression(condition), self.expression(yes), self.expression(no));
        let fits = matches!(condition.ty, Type::Bool | Type::Dyn) && overload::compatible(&yes.ty, &no.ty);
        if !fits {
            return self.no_overload(id, operators::CONDITIONAL, false, &[&condition.ty, &yes.ty, &no.ty]);
        }
        let ty = yes.ty.join(&no.ty);
        Checked { node: Node::If(Box::new((condition.node, yes.node, no.node))), ty }
    }

    fn either(&mut self, id: u64, when: bool, a: &IdedExpr, b: &IdedExpr) -> Checked {
        let (a, b) = (self.expression(a), self.expression(b));
        let name = if when { operators::LOGICAL_OR } else { operators::LOGICAL_AND };
        self.must_be_bool(id, name, &[&a.ty, &b.ty]);
        Checked { node: Node::Either { when, sides: Box::new((a.node, b.node)) }, ty: Type::Bool }
    }

    fn must_be_bool(&mut self, id: u64, name: &str, types: &[&Type]) {
        if types.iter().any(|ty| !matches!(ty, Type::Bool | Type::Dyn)) {
            self.no_overload(id, name, false, types);
        }
    }

    fn index(&mut self, id: u64, of: &IdedExpr, key: &IdedExpr, optional: bool) -> Checked {
        let (of, key) = (self.expression(of), self.expression(key));
        let (container, optional) = match &of.ty {
            Type::Optional(inner) => ((**inner).clone(), true),
            other => (other.clone(), optional),
        };
        let element = match &container {
            Type::Dyn => Some(Type::Dyn),
            Type::List(list) if matches!(key.ty, Type::Int | Type::Dyn) => Some(list.element.clone()),
            Type::Map(map) if overload::compatible(&map.0, &key.ty) => Some(map.1.clone()),
            _ => None,
        };
        let Some(element) = element else {
            let name = if optional { operators::OPT_INDEX } else { operators::INDEX };
            return self.no_overload(id, name, false, &[&of.ty, &key.ty]);
        };
        let ty = if optional { Type::optional(element) } else { element };
        Checked { node: Node::Index { of: Box::new(of.node), key: Box::new(key.node), optional }, ty }
    }

    fn optional_select(&mut self, id: u64, of: &IdedExpr, field: &IdedExpr) -> Checked {
        let of = self.expression(of);
        let Expr::Literal(LiteralValue::String(name)) = &field.expr else {
            return self.wrong(id, "unsupported optional field selection");
        };
        let (field, ty) = self.field(id, &of.ty, name.inner());
        let node = Node::Select { of: Box::new(of.node), field: field.into(), optional: true };
        Checked { node, ty: Type::optional(ty) }
    }

    fn list(&mut self, parts: Vec<(&IdedExpr, bool)>) -> Checked {
        let mut nodes = Vec::with_capacity(parts.len());
        let mut common: Option<Type> = None;
        for (part, optional) in parts {
            let checked = self.expression(part);
            common = Some(joined(common, unwrapped(checked.ty, optional)));
            nodes.push((checked.node, optional));
        }
        Checked { node: Node::List(nodes), ty: Type::list(common.unwrap_or(Type::Dyn)) }
    }

    fn map(&mut self, id: u64, map: &cel::common::ast::MapExpr) -> Checked {
        let mut nodes = Vec::with_capacity(map.entries.len());
        let (mut keys, mut values) = (None, None);
        for entry in &map.entries {
            let cel::common::ast::EntryExpr::MapEntry(entry) = &entry.expr else {
                return self.wrong(id, "unsupported map entry");
            };
            let (key, value) = (self.expression(&entry.key), self.expression(&entry.value));
            keys = Some(joined(keys, key.ty));
            values = Some(joined(values, unwrapped(value.ty, entry.optional)));
            nodes.push((key.node, value.node, entry.optional));
        }
        let ty = Type::map(keys.unwrap_or(Type::Dyn), values.unwrap_or(Type::Dyn));
        Checked { node: Node::Map(nodes), ty }
    }

    /// A function, a member's, or one of a namespace: `optional.of(1)`.
    fn function(&mut self, id: u64, call: &CallExpr) -> Checked {
        let Some(target) = &call.target else {
            return self.overloaded(id, &call.func_name, &call.func_name, None, &call.args);
        };
        if let Some(name) = dotted(target).filter(|name| !self.is_variable(name.split('.').next().unwrap_or_default()))
        {
            let qualified = format!("{name}.{}", call.func_name);
            if super::signatures::find(&qualified).is_some() {
                return self.overloaded(id, &qualified, &qualified, None, &call.args);
            }
        }
        self.overloaded(id, &format!(".{}", call.func_name), &call.func_name, Some(target), &call.args)
    }

    fn overloaded(
        &mut self,
        id: u64,
        key: &str,
        shown: &str,
        target: Option<&IdedExpr>,
        arguments: &[IdedExpr],
    ) -> Checked {
        let parts: Vec<Checked> = target.into_iter().chain(arguments).map(|part| self.expression(part)).collect();
        let types: Vec<&Type> = parts.iter().map(|part| &part.ty).collect();
        let declared = overload::declared_as(key);
        let Some((name, overloads)) = super::signatures::find(declared) else {
            return self.undeclared(id, shown);
        };
        let Some(ty) = overload::result(overloads, &types) else {
            return self.no_overload(id, shown, target.is_some(), &types);
        };
        let name = if declared == key { name } else { overload::ordering(key).unwrap_or(name) };
        let Some(function) = functions::find(name) else {
            return self.undeclared(id, shown);
        };
        let arguments: Vec<Node> = parts.into_iter().map(|part| part.node).collect();
        let pattern = match functions::regex::constant(name, &arguments) {
            Ok(pattern) => pattern,
            Err(error) => return self.wrong(id, error),
        };
        Checked { node: Node::Call(Call { name, function, arguments, pattern }), ty }
    }

    fn no_overload(&mut self, id: u64, name: &str, member: bool, types: &[&Type]) -> Checked {
        let shown: Vec<String> = types.iter().map(ToString::to_string).collect();
        let arguments = match (member, shown.split_first()) {
            (true, Some((receiver, rest))) => format!("{receiver}.({})", rest.join(", ")),
            _ => format!("({})", shown.join(", ")),
        };
        self.wrong(id, format!("found no matching overload for '{name}' applied to '{arguments}'"))
    }
}

fn constant(literal: &LiteralValue) -> Checked {
    let (value, ty) = match literal {
        LiteralValue::Boolean(b) => (Value::Bool(*b.inner()), Type::Bool),
        LiteralValue::Bytes(b) => (Value::Bytes(b.inner().into()), Type::Bytes),
        LiteralValue::Double(d) => (Value::Double(*d.inner()), Type::Double),
        LiteralValue::Int(i) => (Value::Int(*i.inner()), Type::Int),
        LiteralValue::Null => (Value::Null, Type::Null),
        LiteralValue::String(s) => (Value::text(s.inner()), Type::String),
        LiteralValue::UInt(u) => (Value::Uint(*u.inner()), Type::Uint),
    };
    Checked { node: Node::Constant(value), ty }
}

/// `a.b.c` as one name.
fn dotted(tree: &IdedExpr) -> Option<String> {
    match &tree.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => Some(format!("{}.{}", dotted(&select.operand)?, select.field)),
        _ => None,
    }
}

fn joined(common: Option<Type>, next: Type) -> Type {
    match common {
        Some(common) => common.join(&next),
        None => next,
    }
}

fn unwrapped(ty: Type, optional: bool) -> Type {
    match ty {
        Type::Optional(inner) if optional => (*inner).clone(),
        ty => ty,
    }
}
