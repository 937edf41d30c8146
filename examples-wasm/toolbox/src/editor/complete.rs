//! What Tab does: commands for a first word, paths for others.

use crate::files;

#[derive(Debug, PartialEq, Eq)]
pub enum Completion {
    Nothing,
    /// What is missing.
    Insert(String),
    /// All that it could be.
    Several(Vec<String>),
}

/// Completes the word before the cursor.
pub fn complete(before: String, commands: &[String]) -> Completion {
    let start = word_start(&before);
    let word = unescape(&before[start..]);
    let first = before[..start].trim_end().is_empty() || before[..start].trim_end().ends_with(['|', ';', '&', '(']);
    let (known, candidates) = match first && !word.contains('/') {
        true => (word.len(), commands.iter().filter(|name| name.starts_with(&word)).cloned().collect()),
        false => paths(&word),
    };
    choose(&word[word.len() - known..], candidates)
}

/// Names that a path may go on with; a directory's with a slash. The first is how much of the last name is there.
fn paths(word: &str) -> (usize, Vec<String>) {
    let (directory, name) = match word.rfind('/') {
        Some(at) => (&word[..=at], &word[at + 1..]),
        None => (".", word),
    };
    let expanded = match directory.strip_prefix("~/") {
        Some(rest) => format!("{}/{rest}", std::env::var("HOME").unwrap_or_default()),
        None => directory.to_owned(),
    };
    let names = files::names(&expanded).unwrap_or_default();
    let wanted =
        |candidate: &String| candidate.starts_with(name) && (!candidate.starts_with('.') || name.starts_with('.'));
    let slashed = |candidate: String| match files::is_directory(&format!("{expanded}/{candidate}")) {
        true => candidate + "/",
        false => candidate,
    };
    (name.len(), names.into_iter().filter(wanted).map(slashed).collect())
}

fn choose(known: &str, candidates: Vec<String>) -> Completion {
    let Some(first) = candidates.first() else { return Completion::Nothing };
    let common = candidates.iter().skip(1).fold(first.as_str(), |common, next| {
        let same = common.chars().zip(next.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
        &common[..same]
    });
    let missing = common.strip_prefix(known).unwrap_or_default();
    match candidates.len() {
        1 if !first.ends_with('/') => Completion::Insert(escape(missing) + " "),
        _ if !missing.is_empty() => Completion::Insert(escape(missing)),
        1 => Completion::Nothing,
        _ => Completion::Several(candidates),
    }
}

/// Where the word before the cursor begins.
fn word_start(text: &str) -> usize {
    let mut start = 0;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if !escaped && (c.is_whitespace() || "|;&()<>=".contains(c)) {
            start = at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    start
}

fn unescape(word: &str) -> String {
    let mut text = String::new();
    let mut letters = word.chars();
    while let Some(c) = letters.next() {
        match c {
            '\\' => text.extend(letters.next()),
            '"' | '\'' => {}
            c => text.push(c),
        }
    }
    text
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        if " \t'\"\\$&|;<>()*?[]#`".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

/// Names side by side, for the lines below the prompt.
pub fn columns(names: &[String], width: usize) -> String {
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 2;
    let across = (width / longest).max(1);
    let row = |names: &[String]| names.iter().map(|name| format!("{name:<longest$}")).collect::<String>();
    names.chunks(across).map(|names| format!("{}\r\n", row(names).trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands() -> Vec<String> {
        ["cat", "curl", "cut", "sort"].map(str::to_owned).to_vec()
    }

    fn insert(text: &str) -> Completion {
        Completion::Insert(text.to_owned())
    }

    #[test]
    fn commands_come_first() {
        assert_eq!(complete("so".to_owned(), &commands()), insert("rt "));
        assert_eq!(complete("ls | so".to_owned(), &commands()), insert("rt "));
        assert_eq!(complete("zz".to_owned(), &commands()), Completion::Nothing);
        assert_eq!(complete("cu".to_owned(), &commands()), Completion::Several(vec!["curl".into(), "cut".into()]));
    }

    #[test]
    fn then_paths() {
        let directory = std::env::temp_dir().join(format!("toolbox-complete-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("inner dir")).unwrap();
        std::fs::write(directory.join("inside"), "").unwrap();
        let base = directory.to_string_lossy().into_owned();
        assert_eq!(complete(format!("cat {base}/i"), &commands()), insert("n"));
        assert_eq!(complete(format!("cat {base}/inn"), &commands()), insert("er\\ dir/"));
        assert_eq!(complete(format!("cat >{base}/ins"), &commands()), insert("ide "));
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn names_are_shown_in_columns() {
        assert_eq!(columns(&["a".into(), "bb".into(), "c".into()], 8), "a   bb\r\nc\r\n");
    }
}
