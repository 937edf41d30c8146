//! Bearer tokens that are known in advance: those of a file, and those handed out at start.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::Caller;

/// Why a token file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It cannot be read.
    #[error("cannot read the token file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not `token,user,uid,"group,group"`.
    #[error("{}, line {line}: {what}; a line is: token,user,uid,\"group1,group2\"", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from one.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
}

/// Tokens and whom they name. Only digests are kept and compared, so that the time of a look-up tells nothing
/// about a token.
#[derive(Debug, Default)]
pub struct Tokens {
    callers: HashMap<[u8; 32], Arc<Caller>>,
}

impl Tokens {
    /// Adds one token.
    pub fn add(&mut self, token: &str, caller: Caller) {
        self.callers.insert(digest(token), Arc::new(caller));
    }

    /// Makes a token up for the caller; it is good until the process ends.
    pub fn issue(&mut self, caller: Caller) -> String {
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        self.add(&token, caller);
        token
    }

    /// Adds those of a file in the format of `--token-auth-file`.
    ///
    /// # Errors
    ///
    /// When it cannot be read or understood.
    pub fn add_file(&mut self, path: &Path) -> Result<(), TokenFileError> {
        let text = fs::read_to_string(path).map_err(|source| TokenFileError::Read { path: path.into(), source })?;
        for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let (token, caller) =
                parse(line).map_err(|what| TokenFileError::Line { path: path.into(), line: number + 1, what })?;
            self.add(&token, caller);
        }
        Ok(())
    }

    pub(super) fn caller(&self, token: &str) -> Option<&Arc<Caller>> {
        self.callers.get(&digest(token))
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn parse(line: &str) -> Result<(String, Caller), &'static str> {
    let cells = cells(line)?;
    let [token, user, uid, groups @ ..] = cells.as_slice() else { return Err("fewer than three columns") };
    if token.is_empty() || user.is_empty() {
        return Err("the token or the user is empty");
    }
    let groups = groups.first().into_iter().flat_map(|g| g.split(',')).map(str::trim).filter(|g| !g.is_empty());
    let caller = Caller::authenticated(user, groups.map(str::to_owned));
    Ok((token.clone(), Caller { uid: uid.clone(), ..caller }))
}

/// One line of CSV; a cell in quotes may hold commas, and a quote as two.
fn cells(line: &str) -> Result<Vec<String>, &'static str> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let cell = cells.last_mut().ok_or("no cell")?;
        match (c, quoted) {
            ('"', true) if rest.peek() == Some(&'"') => cell.extend(rest.next()),
            ('"', _) => quoted = !quoted,
            (',', false) => cells.push(String::new()),
            (other, true) => cell.push(other),
            (other, false) => {
                if !(other.is_whitespace() && cell.is_empty()) {
                    cell.push(other);
                }
            }
        }
    }
    if quoted { Err("a quote is not closed") } else { Ok(cells) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_users_and_their_groups() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens.csv");
        fs::write(&path, "t1,alice,u1,\"dev, ops\"\n\nt2, bob,u2\nt3,carol,u3,solo\n").unwrap();
        let mut tokens = Tokens::default();
        tokens.add_file(&path).unwrap();
        let alice = tokens.caller("t1").unwrap();
        assert_eq!((&*alice.user, &*alice.uid), ("alice", "u1"));
        assert_eq!(alice.groups, ["dev", "ops", "system:authenticated"]);
        assert_eq!(tokens.caller("t2").unwrap().user, "bob");
        assert_eq!(tokens.caller("t3").unwrap().groups, ["solo", "system:authenticated"]);
        assert!(tokens.caller("t4").is_none());
    }

    #[test]
    fn a_bad_line_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens.csv");
        for bad in ["t,u", ",u,1", "t,u,1,\"g"] {
            fs::write(&path, format!("t1,alice,u1\n{bad}\n")).unwrap();
            let error = Tokens::default().add_file(&path).unwrap_err();
            assert!(error.to_string().contains("tokens.csv, line 2"), "{error}");
        }
    }

    #[test]
    fn issued_tokens_differ() {
        let mut tokens = Tokens::default();
        let (a, b) = (tokens.issue(Caller::system("a")), tokens.issue(Caller::system("b")));
        assert_ne!(a, b);
        assert_eq!(tokens.caller(&b).unwrap().user, "b");
    }
}
