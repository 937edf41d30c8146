//! Macros: calls whose arguments are not computed before the call but name variables and say what to do with them.

use cel::common::ast::{CallExpr, Expr, IdedExpr};

use super::{Checked, Checker};
use crate::cel::node::{Collect, Loop, Node};
use crate::cel::types::Type;

impl Checker<'_> {
    /// The call as a macro, if it is one.
    pub(super) fn macro_call(&mut self, id: u64, call: &CallExpr) -> Option<Checked> {
        let name = call.func_name.as_str();
        let Some(target) = &call.target else {
            return match call.args.as_slice() {
                [field] if name == "has" => Some(self.has(id, field)),
                _ => None,
            };
        };
        Some(match (name, call.args.as_slice()) {
            ("all", [v, body]) => self.quantify(id, target, &[v], body, Collect::All),
            ("all", [k, v, body]) => self.quantify(id, target, &[k, v], body, Collect::All),
            ("exists", [v, body]) => self.quantify(id, target, &[v], body, Collect::Exists),
            ("exists", [k, v, body]) => self.quantify(id, target, &[k, v], body, Collect::Exists),
            ("exists_one" | "existsOne", [v, body]) => self.quantify(id, target, &[v], body, Collect::One),
            ("exists_one" | "existsOne", [k, v, body]) => self.quantify(id, target, &[k, v], body, Collect::One),
            ("map", [v, body]) => self.looped(id, target, &[v], None, body, Collect::List),
            ("map", [v, filter, body]) => self.looped(id, target, &[v], Some(filter), body, Collect::List),
            ("filter", [v, filter]) => self.looped(id, target, &[v], Some(filter), v, Collect::List),
            ("transformList", [k, v, body]) => self.looped(id, target, &[k, v], None, body, Collect::List),
            ("transformList", [k, v, filter, body]) => {
                self.looped(id, target, &[k, v], Some(filter), body, Collect::List)
            }
            ("transformMap", [k, v, body]) => self.looped(id, target, &[k, v], None, body, Collect::Map),
            ("transformMap", [k, v, filter, body]) => {
                self.looped(id, target, &[k, v], Some(filter), body, Collect::Map)
            }
            ("transformMapEntry", [k, v, body]) => self.looped(id, target, &[k, v], None, body, Collect::Entries),
            ("transformMapEntry", [k, v, filter, body]) => {
                self.looped(id, target, &[k, v], Some(filter), body, Collect::Entries)
            }
            ("optMap", [v, body]) => self.with_value(id, target, v, body, false),
            ("optFlatMap", [v, body]) => self.with_value(id, target, v, body, true),
            _ => return None,
        })
    }

    fn has(&mut self, id: u64, field: &IdedExpr) -> Checked {
        match &field.expr {
            Expr::Select(select) => {
                let of = self.expression(&select.operand);
                let (field, _) = self.field(field.id, &of.ty, &select.field);
                Checked { node: Node::Has { of: Box::new(of.node), field: field.into() }, ty: Type::Bool }
            }
            _ => self.wrong(id, "invalid argument to has() macro"),
        }
    }

    fn quantify(
        &mut self,
        id: u64,
        range: &IdedExpr,
        names: &[&IdedExpr],
        body: &IdedExpr,
        collect: Collect,
    ) -> Checked {
        self.looped(id, range, names, None, body, collect)
    }

    fn looped(
        &mut self,
        id: u64,
        range: &IdedExpr,
        names: &[&IdedExpr],
        filter: Option<&IdedExpr>,
        body: &IdedExpr,
        collect: Collect,
    ) -> Checked {
        let range_id = range.id;
        let range = self.expression(range);
        let Some(variables) = self.variables(names, &range.ty) else {
            let message = format!(
                "expression of type '{}' cannot be range of a comprehension (must be list, map, or dynamic)",
                range.ty
            );
            return self.wrong(range_id, message);
        };
        let Some(variables) = variables else {
            return Checked { node: Node::Constant(crate::cel::Value::Null), ty: Type::Dyn };
        };
        let (key, two) = (variables[0].1.clone(), variables.len() == 2);
        let before = self.locals.len();
        self.locals.extend(variables);
        let filter = filter.map(|filter| self.condition(filter));
        let body_id = body.id;
        let body = self.expression(body);
        self.locals.truncate(before);
        let ty = match collect {
            Collect::All | Collect::Exists | Collect::One => {
                if !matches!(body.ty, Type::Bool | Type::Dyn) {
                    return self.not_bool(body_id, collect, &body.ty, id);
                }
                Type::Bool
            }
            Collect::List => Type::list(body.ty),
            Collect::Map => Type::map(key, body.ty),
            Collect::Entries => body.ty,
        };
        Checked { node: Node::Loop(Box::new(Loop { range: range.node, two, filter, body: body.node, collect })), ty }
    }

    /// What upstream says of a body that is no condition: its macro is made of operators.
    fn not_bool(&mut self, body: u64, collect: Collect, ty: &Type, id: u64) -> Checked {
        match collect {
            Collect::All => self.no_overload(body, "_&&_", false, &[&Type::Bool, ty]),
            Collect::Exists => self.no_overload(body, "_||_", false, &[&Type::Bool, ty]),
            _ => self.no_overload(id, "_?_:_", false, &[ty, &Type::Int, &Type::Int]),
        }
    }

    fn condition(&mut self, filter: &IdedExpr) -> Node {
        let checked = self.expression(filter);
        if !matches!(checked.ty, Type::Bool | Type::Dyn) {
            self.no_overload(filter.id, "_?_:_", false, &[&checked.ty, &Type::Dyn, &Type::Dyn]);
        }
        checked.node
    }

    /// The variables that a loop over this type binds: none over what can't be looped over; `Some(None)` where an
    /// argument is no name, which is noted.
    #[expect(clippy::option_option, reason = "two ways of having none, told apart by the caller at once")]
    fn variables(&mut self, names: &[&IdedExpr], range: &Type) -> Option<Option<Vec<(String, Type)>>> {
        let types = match (range, names.len()) {
            (Type::Dyn, _) => vec![Type::Dyn; names.len()],
            (Type::List(list), 1) => vec![list.element.clone()],
            (Type::List(list), _) => vec![Type::Int, list.element.clone()],
            (Type::Map(map), 1) => vec![map.0.clone()],
            (Type::Map(map), _) => vec![map.0.clone(), map.1.clone()],
            _ => return None,
        };
        let mut variables = Vec::with_capacity(names.len());
        for (name, ty) in names.iter().zip(types) {
            let Expr::Ident(text) = &name.expr else {
                self.wrong(name.id, "argument must be a simple name");
                return Some(None);
            };
            variables.push((text.clone(), ty));
        }
        Some(Some(variables))
    }

    fn with_value(&mut self, id: u64, of: &IdedExpr, name: &IdedExpr, body: &IdedExpr, flat: bool) -> Checked {
        let of = self.expression(of);
        let Expr::Ident(name) = &name.expr else {
            return self.wrong(name.id, "optMap() variable name must be a simple identifier");
        };
        let inner = match &of.ty {
            Type::Optional(inner) => (**inner).clone(),
            Type::Dyn => Type::Dyn,
            other => return self.no_overload(id, "hasValue", true, &[other]),
        };
        self.locals.push((name.clone(), inner));
        let body = self.expression(body);
        self.locals.pop();
        let ty = match (flat, body.ty) {
            (true, ty @ (Type::Optional(_) | Type::Dyn)) => ty,
            (true, other) => {
                return self.no_overload(id, "_?_:_", false, &[&Type::Bool, &other, &Type::optional(Type::Dyn)]);
            }
            (false, ty) => Type::optional(ty),
        };
        Checked { node: Node::WithValue { of: Box::new(of.node), body: Box::new(body.node), flat }, ty }
    }
}
