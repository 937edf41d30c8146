//! `sampan:toolbox/terminal`: what a line editor asks of the terminal it is at.

use crate::host::processes::View;
use crate::host::processes::bindings::sampan::toolbox::terminal as wit;
use crate::host::stdio::Input;

impl wit::Host for View<'_> {
    fn window(&mut self) -> wasmtime::Result<Option<wit::Size>> {
        let Input::Terminal(tty, _) = &self.program.streams.stdin else { return Ok(None) };
        let size = tty.size();
        Ok(Some(wit::Size { columns: size.width, rows: size.height }))
    }

    fn set_raw(&mut self, raw: bool) -> wasmtime::Result<()> {
        if let Some(tty) = &self.program.streams.terminal {
            self.program.process.heed_interrupts();
            tty.set_raw(raw);
        }
        Ok(())
    }

    fn take_interrupt(&mut self) -> wasmtime::Result<bool> {
        self.program.process.heed_interrupts();
        Ok(self.program.streams.terminal.as_ref().is_some_and(|tty| tty.take_interrupt()))
    }
}
