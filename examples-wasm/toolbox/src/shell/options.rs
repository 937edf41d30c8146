//! What `set` sets.

/// The options of a shell.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `-e`: a command that fails ends the shell.
    pub errexit: bool,
    /// `-u`: what is not set is an error.
    pub nounset: bool,
    /// `-x`: commands are shown before they run.
    pub xtrace: bool,
    /// `-f`: `*` is a star.
    pub noglob: bool,
    /// `-n`: nothing runs.
    pub noexec: bool,
    /// `-C`: `>` leaves files that are there.
    pub noclobber: bool,
    /// `-a`: what is set is exported.
    pub allexport: bool,
    /// `-v`: the script is shown.
    pub verbose: bool,
    /// `-o pipefail`: a pipeline fails with the last of its members that did.
    pub pipefail: bool,
}

impl Options {
    /// The option of a letter.
    pub fn by_letter(&mut self, letter: char) -> Option<&mut bool> {
        Some(match letter {
            'e' => &mut self.errexit,
            'u' => &mut self.nounset,
            'x' => &mut self.xtrace,
            'f' => &mut self.noglob,
            'n' => &mut self.noexec,
            'C' => &mut self.noclobber,
            'a' => &mut self.allexport,
            'v' => &mut self.verbose,
            _ => return None,
        })
    }

    /// The option of `-o`'s name.
    pub fn by_name(&mut self, name: &str) -> Option<&mut bool> {
        if name == "pipefail" {
            return Some(&mut self.pipefail);
        }
        let (_, letter) = NAMES.iter().find(|(known, _)| *known == name)?;
        self.by_letter(*letter)
    }

    /// All with their names.
    pub fn all(&self) -> Vec<(&'static str, bool)> {
        let mut copy = self.clone();
        let named = NAMES.iter().map(|(name, letter)| (*name, copy.by_letter(*letter).is_some_and(|on| *on)));
        let mut all: Vec<_> = named.collect();
        all.push(("pipefail", self.pipefail));
        all
    }

    /// `$-`.
    pub fn letters(&self, interactive: bool) -> String {
        let mut copy = self.clone();
        let on = |(_, letter): &&(&str, char)| copy.by_letter(*letter).is_some_and(|on| *on);
        let letters: String = NAMES.iter().filter(on).map(|(_, letter)| *letter).collect();
        letters + if interactive { "i" } else { "" }
    }
}

const NAMES: &[(&str, char)] = &[
    ("allexport", 'a'),
    ("errexit", 'e'),
    ("noclobber", 'C'),
    ("noexec", 'n'),
    ("noglob", 'f'),
    ("nounset", 'u'),
    ("verbose", 'v'),
    ("xtrace", 'x'),
];
