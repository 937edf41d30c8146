//! Which component a command is.

use std::sync::Arc;

use super::Error;
use super::toolbox::Toolbox;
use crate::container::Setting;
use crate::guest::{CompiledGuest, Entry};

/// What is run for a command.
pub(crate) enum Choice {
    /// The container's own image.
    Own,
    /// The toolbox.
    Toolbox(Arc<CompiledGuest>),
    /// It is not there.
    None,
}

pub(super) async fn choose(command: &[String], container: &Arc<Setting>, toolbox: &Toolbox) -> Result<Choice, Error> {
    let Some(name) = command.first() else { return Err(Error::NoCommand) };
    let runs = matches!(container.guest.entry, Entry::Command(_));
    let spec = &container.spec;
    if runs && is_own(name, &spec.program, spec.args.first().map(String::as_str)) {
        return Ok(Choice::Own);
    }
    let tools = toolbox.tools(container).await.map_err(|error| Error::Start(error.to_string()))?;
    Ok(match tools {
        Some(tools) if tools.has(name) => Choice::Toolbox(tools.guest.clone()),
        _ => Choice::None,
    })
}

/// Whether a command means the container's own image: it goes by the image's name or by that of its entry point.
fn is_own(name: &str, program: &str, entry: Option<&str>) -> bool {
    !name.is_empty() && (base(name) == program || entry == Some(name))
}

/// What a path calls the program.
fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_name_and_its_entry_point() {
        let cases = [
            ("web", "web", Some("web"), true),
            ("/bin/web", "web", None, true),
            ("/app/start", "web", Some("/app/start"), true),
            ("start", "web", Some("/app/start"), false),
            ("sh", "web", Some("web"), false),
            ("", "", None, false),
        ];
        for (name, program, entry, own) in cases {
            assert_eq!(is_own(name, program, entry), own, "{name}");
        }
    }
}
