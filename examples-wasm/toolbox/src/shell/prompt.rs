//! Prompts.

use super::Shell;
use crate::files;

impl Shell {
    /// The prompt that a variable describes.
    pub(super) fn prompt(&mut self, variable: &str) -> String {
        let usual = if variable == "PS1" { "\\w # " } else { "> " };
        let told = self.variables.get(variable).unwrap_or(usual).to_owned();
        let home = self.variables.get("HOME").unwrap_or("/").to_owned();
        let facts = Facts {
            directory: files::working().to_string_lossy().into_owned(),
            home,
            host: self.variables.get("HOSTNAME").unwrap_or("localhost").to_owned(),
            name: self.name.clone(),
        };
        let status = self.status;
        let text = self.expanded(&unescape(&told, &facts)).unwrap_or(told);
        self.status = status;
        text
    }
}

struct Facts {
    directory: String,
    home: String,
    host: String,
    name: String,
}

/// Without the backslashes: `\w`, `\W`, `\h`, `\H`, `\u`, `\$`, `\s`, `\n`, `\e`; `\[` and `\]` are left out.
fn unescape(told: &str, facts: &Facts) -> String {
    let mut text = String::new();
    let mut letters = told.chars();
    while let Some(c) = letters.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match letters.next() {
            Some('w') => text.push_str(&short(&facts.directory, &facts.home)),
            Some('W') => text.push_str(facts.directory.rsplit('/').find(|name| !name.is_empty()).unwrap_or("/")),
            Some('h') => text.push_str(facts.host.split('.').next().unwrap_or_default()),
            Some('H') => text.push_str(&facts.host),
            Some('u') => text.push_str("root"),
            Some('$') => text.push('#'),
            Some('s') => text.push_str(&facts.name),
            Some('n') => text.push('\n'),
            Some('e') => text.push('\u{1b}'),
            Some('0') => text.push_str(octal(&mut letters)),
            Some('[' | ']') | None => {}
            Some(other) => text.extend(['\\', other]),
        }
    }
    text
}

/// `\033`; nobody writes another.
fn octal(letters: &mut std::str::Chars) -> &'static str {
    match letters.as_str().starts_with("33") {
        true => {
            letters.nth(1);
            "\u{1b}"
        }
        false => "",
    }
}

fn short(directory: &str, home: &str) -> String {
    match directory.strip_prefix(home) {
        Some(rest) if home != "/" && (rest.is_empty() || rest.starts_with('/')) => format!("~{rest}"),
        _ => directory.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_say_where_one_is() {
        let facts = Facts {
            directory: "/root/work".to_owned(),
            home: "/root".to_owned(),
            host: "web-1.sub".to_owned(),
            name: "sh".to_owned(),
        };
        assert_eq!(unescape("\\u@\\h:\\w\\$ ", &facts), "root@web-1:~/work# ");
        assert_eq!(unescape("\\[\\033[1m\\]\\W", &facts), "\u{1b}[1mwork");
        assert_eq!(unescape("$x \\q", &facts), "$x \\q");
    }
}
