//! The calls of preview 1 for sockets.
//!
//! Preview 1 has none that opens a socket: a host may hand some over, and this one does not. The adapter traps at such a
//! call; what a program would hear from a system is that its descriptor is no socket. Programs that only carry these
//! calls along (an interpreter with its library of sockets) so run, and those that make them are told.

use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, Module, TypeSection, ValType::I32,
};

/// What modules then import them from.
pub(super) const ADAPTER: &str = "sampan-sockets";

/// The calls, and how many numbers they take. All answer with one.
const CALLS: [(&str, usize); 4] = [("sock_accept", 3), ("sock_recv", 6), ("sock_send", 5), ("sock_shutdown", 2)];

/// `notsock`
const NO_SOCKET: i32 = 57;

/// Whether preview 1 has this call for sockets.
pub(super) fn is_call(name: &str) -> bool {
    CALLS.iter().any(|(call, _)| *call == name)
}

/// A module that has them all.
pub(super) fn adapter() -> Vec<u8> {
    let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    for (index, (name, parameters)) in (0..).zip(CALLS) {
        types.ty().function(vec![I32; parameters], [I32]);
        functions.function(index);
        exports.export(name, ExportKind::Func, index);
        let mut body = Function::new([]);
        body.instructions().i32_const(NO_SOCKET).end();
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&exports).section(&code);
    module.finish()
}
