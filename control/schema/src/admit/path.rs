//! Where in an object a value is, kept as links on the stack and written out only for messages.

/// One step and the way to it.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

/// From a value to one within it.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Root,
    Field(&'a str),
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(super) const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    pub(super) fn then(&'a self, step: Step<'a>) -> Path<'a> {
        Path { parent: Some(self), step }
    }

    /// `spec.containers[0].name`
    pub(super) fn full(&self) -> String {
        let mut text = self.parent.map(Path::full).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Field(name) | Step::Key(name) => push(&mut text, name),
        }
        text
    }

    /// `spec.containers.name`: Go's errors name fields only.
    pub(super) fn go(&self) -> String {
        let mut text = self.parent.map(Path::go).unwrap_or_default();
        if let Step::Field(name) = self.step {
            push(&mut text, name);
        }
        text
    }
}

fn push(text: &mut String, name: &str) {
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(name);
}
