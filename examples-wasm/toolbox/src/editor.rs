//! Line editing.
pub struct Editor;
pub enum Line {
    Text(String),
    Interrupt,
    End,
}
impl Editor {
    pub fn new() -> Editor {
        Editor
    }
    pub fn line(&mut self, _prompt: &str, _commands: &[String]) -> Line {
        Line::End
    }
    pub fn remember(&mut self, _text: &str) {}
}
