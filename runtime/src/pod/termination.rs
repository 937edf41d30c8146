//! Last words: what a container leaves in its termination message, from the file it was given, from its trap, or from
//! its log.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Container;
use rustix::fs::{Mode, OFlags};

use crate::container::{LazyMount, Mount};
use crate::logs::{Query, Source, stream};

/// Where the file is for who says nothing else.
const DEFAULT_PATH: &str = "/dev/termination-log";
/// A message is cut to this …
const MOST: usize = 4096;
/// … and all of a pod's together to this: the API stores them with the pod.
const MOST_OF_POD: usize = 12 << 10;
/// What is taken from a log: so many of its last bytes, and of these so many of the last lines.
const LOG_BYTES: usize = 2048;
const LOG_LINES: usize = 80;

/// How one container leaves its last words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The folder that the container sees.
    pub folder: PathBuf,
    /// Where that is for the container.
    pub guest: String,
    /// The file's name in it.
    pub file: String,
    /// The folder is one of the container's own volumes, in which there is more.
    pub shared: bool,
    /// `FallbackToLogsOnError`: when it fails without a word, the end of its log is the message.
    pub or_log: bool,
}

impl Words {
    /// Of `container`, whose own folder on this node is `own`, and which has these mounts. None where the path is not one
    /// of a file that it could write.
    pub fn of(container: &Container, own: &Path, mounts: &[Mount]) -> Option<Self> {
        let path = container.termination_message_path.as_deref().filter(|path| !path.is_empty());
        let path = Path::new(path.unwrap_or(DEFAULT_PATH));
        let (guest, file) = (path.parent()?, path.file_name()?);
        let guest = guest.to_str().filter(|guest| guest.starts_with('/'))?;
        let volume = mounts.iter().find(|mount| mount.guest == guest);
        if volume.is_some_and(|volume| volume.read_only) {
            return None;
        }
        Some(Self {
            folder: volume.map_or_else(|| own.join("termination"), |volume| volume.host.clone()),
            shared: volume.is_some(),
            guest: guest.to_owned(),
            file: file.to_str()?.to_owned(),
            or_log: container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError"),
        })
    }

    /// The folder as the container is given it; one that it has already is not given again.
    pub fn mount(&self) -> Option<LazyMount> {
        let mount = Mount { host: self.folder.clone(), guest: self.guest.clone(), read_only: false, pin: None };
        let words = self.clone();
        (!self.shared).then(|| LazyMount { mount, make: Arc::new(move || words.make()) })
    }

    /// An empty file, for programs that do not make one. Blocks on the disk.
    fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        match File::create_new(self.folder.join(&self.file)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes the words of an instance that is over, so that the next one begins without. Blocks on the disk.
    pub fn take(&self) -> Option<String> {
        let said = self.read().ok().filter(|said| !said.is_empty());
        // What no guest ever looked at is not there.
        let _ =
            if self.shared { fs::remove_file(self.folder.join(&self.file)) } else { fs::remove_dir_all(&self.folder) };
        said
    }

    /// The guest may have put anything in the folder: a link is not followed, a pipe not waited for.
    fn read(&self) -> io::Result<String> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(self.folder.join(&self.file), flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        file.take(MOST as u64).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The message of a container that ended: what it wrote itself, else why it trapped, else the end of its log where it
/// asked for that. `parts` is how many containers share the pod's room.
pub async fn message(
    words: Option<Words>,
    trap: Option<String>,
    code: i32,
    log: Source,
    parts: usize,
) -> Option<String> {
    let or_log = code != 0 && words.as_ref().is_some_and(|words| words.or_log);
    let taking = tokio::task::spawn_blocking(move || words.and_then(|words| words.take()));
    // A task is lost only with the whole runtime.
    let said = match taking.await.unwrap_or(None).or(trap) {
        None if or_log => tail(log).await,
        said => said,
    };
    said.map(|said| cut(&said, MOST.min(MOST_OF_POD / parts.max(1))).to_owned())
}

/// The end of a log.
async fn tail(log: Source) -> Option<String> {
    let query = Query { tail: Some(LOG_LINES), ..Query::default() };
    let mut lines = pin!(stream(log, query));
    let mut end = Vec::new();
    while let Some(Ok(bytes)) = lines.next().await {
        end.extend_from_slice(&bytes);
        end.drain(..end.len().saturating_sub(LOG_BYTES));
    }
    Some(String::from_utf8_lossy(&end).into_owned()).filter(|end| !end.is_empty())
}

fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn words(own: &Path) -> Words {
        let container = json!({"name": "c", "terminationMessagePath": "/var/run/last"});
        Words::of(&from_value(container).expect("container"), own, &[]).expect("words")
    }

    #[test]
    fn the_file_is_where_the_container_wants_it() {
        let own = Path::new("/pods/1");
        let words = words(own);
        assert_eq!((words.guest.as_str(), words.file.as_str()), ("/var/run", "last"));
        let usual = Words::of(&Container::default(), own, &[]).expect("words");
        assert_eq!((usual.guest.as_str(), usual.file.as_str()), ("/dev", "termination-log"));
        for nowhere in ["/", "relative/path"] {
            let container = json!({"name": "c", "terminationMessagePath": nowhere});
            assert_eq!(Words::of(&from_value(container).expect("container"), own, &[]), None);
        }
    }

    #[test]
    fn a_volume_of_its_own_may_hold_the_file() {
        let volume = tempfile::tempdir().expect("directory");
        let mut mount = Mount { host: volume.path().to_owned(), guest: "/dev".into(), read_only: false, pin: None };
        let words = Words::of(&Container::default(), Path::new("/none"), std::slice::from_ref(&mount)).expect("words");
        assert!(words.mount().is_none());
        for name in ["termination-log", "other"] {
            fs::write(volume.path().join(name), name).expect("write");
        }
        assert_eq!(words.take().as_deref(), Some("termination-log"));
        assert!(volume.path().join("other").exists());
        mount.read_only = true;
        assert_eq!(Words::of(&Container::default(), Path::new("/none"), &[mount]), None);
    }

    #[test]
    fn words_are_taken_once_and_have_an_end() {
        let own = tempfile::tempdir().expect("directory");
        let words = words(own.path());
        assert_eq!(words.take(), None, "nobody looked at it");
        words.make().expect("a file");
        assert_eq!(words.take(), None, "nothing was said");
        words.make().expect("a file");
        fs::write(words.folder.join("last"), "ä".repeat(5000)).expect("write");
        assert_eq!(words.take().map(|said| said.len()), Some(MOST));
        assert_eq!(words.take(), None);
    }

    #[test]
    fn a_link_is_not_followed_nor_a_pipe_waited_for() {
        let own = tempfile::tempdir().expect("directory");
        let words = words(own.path());
        words.make().expect("a file");
        let place = words.folder.join("last");
        fs::remove_file(&place).expect("remove");
        std::os::unix::fs::symlink("/etc/hostname", &place).expect("link");
        assert_eq!(words.take(), None);
        words.make().expect("a file");
        fs::remove_file(&place).expect("remove");
        rustix::fs::mknodat(rustix::fs::CWD, &place, rustix::fs::FileType::Fifo, Mode::RWXU, 0).expect("pipe");
        assert_eq!(words.take(), None);
    }

    #[test]
    fn all_of_a_pods_messages_fit() {
        assert_eq!(cut("abc", 2), "ab");
        assert_eq!(cut("ä", 1), "");
        assert_eq!(MOST.min(MOST_OF_POD / 6), 2048);
    }
}
