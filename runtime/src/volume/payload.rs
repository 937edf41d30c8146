//! Writing a volume's files so that a reader never sees half of an update.
//!
//! The layout is a kubelet's, because programs that watch their configuration know it: the files are in a directory
//! of their own, `..data` is a link to it, and each file's name is a link through `..data`. An update makes a new
//! directory and renames one link.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;

use super::Error;

/// `defaultMode` where the API did not fill it in.
pub const DEFAULT_MODE: i32 = 0o644;
const DATA: &str = "..data";

/// One file of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    path: String,
    bytes: Vec<u8>,
    mode: u32,
}

impl File {
    /// A file at a path below the volume.
    pub fn new(path: &str, bytes: &[u8], mode: i32) -> Result<Self, Error> {
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if path.is_empty() || !inside || path.starts_with("..") {
            return Err(Error::Path(path.to_owned()));
        }
        Ok(Self { path: path.to_owned(), bytes: bytes.to_vec(), mode: u32::try_from(mode).unwrap_or(0o644) & 0o777 })
    }

    /// Where it is in the volume.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Makes `directory` hold exactly `files`. Does nothing when it does already.
pub fn write(directory: &Path, files: &[File]) -> Result<(), Error> {
    replace(directory, files).map_err(|source| Error::Io { path: directory.to_owned(), source })
}

fn replace(directory: &Path, files: &[File]) -> io::Result<()> {
    if fs::read_link(directory.join(DATA)).is_ok_and(|old| unchanged(&directory.join(&old), files)) {
        return link_names(directory, files);
    }
    fs::create_dir_all(directory)?;
    let prefix = Timestamp::now().strftime("..%Y_%m_%d_%H_%M_%S.").to_string();
    let fresh = tempfile::Builder::new().prefix(&prefix).tempdir_in(directory)?;
    fs::set_permissions(fresh.path(), fs::Permissions::from_mode(0o755))?;
    for file in files {
        let path = fresh.path().join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, &file.bytes)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(file.mode))?;
    }
    // From here on it is the volume's, not ours to clean up.
    let fresh = fresh.keep();
    let name = fresh.file_name().map(PathBuf::from).unwrap_or_default();
    let link = directory.join("..data_tmp");
    let _ = fs::remove_file(&link);
    symlink(&name, &link)?;
    fs::rename(&link, directory.join(DATA))?;
    link_names(directory, files)?;
    remove_old(directory, &name)
}

/// Removes the content before this one, and what a server that was killed had begun.
fn remove_old(directory: &Path, current: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_content = entry.file_name().as_encoded_bytes().starts_with(b"..") && entry.file_type()?.is_dir();
        if is_content && entry.file_name() != current.as_os_str() {
            fs::remove_dir_all(entry.path()).or_else(unless_missing)?;
        }
    }
    Ok(())
}

/// Links for the first part of every path; those of files that are gone are removed.
fn link_names(directory: &Path, files: &[File]) -> io::Result<()> {
    let names: BTreeSet<&str> = files.iter().filter_map(|file| file.path.split('/').next()).collect();
    for name in &names {
        match symlink(Path::new(DATA).join(name), directory.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let known = name.to_str().is_some_and(|name| name.starts_with("..") || names.contains(name));
        // What is no link was made for a `subPath`, and is in use.
        if !known && entry.file_type()?.is_symlink() {
            fs::remove_file(directory.join(&name)).or_else(unless_missing)?;
        }
    }
    Ok(())
}

fn unchanged(data: &Path, files: &[File]) -> bool {
    let same = |file: &File| {
        let path = data.join(&file.path);
        fs::read(&path).is_ok_and(|bytes| bytes == file.bytes)
            && fs::metadata(&path).is_ok_and(|found| found.permissions().mode() & 0o777 == file.mode)
    };
    count(data).is_ok_and(|count| count == files.len()) && files.iter().all(same)
}

fn count(directory: &Path) -> io::Result<usize> {
    let mut sum = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() { count(&entry.path())? } else { 1 };
    }
    Ok(sum)
}

fn unless_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File::new(path, text.as_bytes(), 0o640).expect("a path")
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("read");
        let names = entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned());
        let mut names: Vec<_> = names.filter(|name| !name.starts_with("..") || name == DATA).collect();
        names.sort();
        names
    }

    #[test]
    fn an_update_replaces_everything_at_once() {
        let root = tempfile::tempdir().expect("directory");
        let volume = root.path().join("config");
        let read = |path: &str| fs::read_to_string(volume.join(path)).ok();
        write(&volume, &[file("a", "1"), file("deep/b", "2")]).expect("write");
        assert_eq!((read("a"), read("deep/b")), (Some("1".into()), Some("2".into())));
        let first = fs::read_link(volume.join(DATA)).expect("link");
        write(&volume, &[file("a", "1"), file("deep/b", "2")]).expect("same");
        assert_eq!(fs::read_link(volume.join(DATA)).expect("link"), first, "nothing changed");

        write(&volume, &[file("a", "new"), file("c", "3")]).expect("update");
        assert_eq!((read("a"), read("c"), read("deep/b")), (Some("new".into()), Some("3".into()), None));
        assert_eq!(names(&volume), [DATA, "a", "c"]);
        assert!(!volume.join(first).exists(), "the old content is gone");
        let mode = fs::metadata(volume.join("a")).expect("file").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[test]
    fn an_empty_volume_is_a_directory() {
        let root = tempfile::tempdir().expect("directory");
        let volume = root.path().join("none");
        write(&volume, &[]).expect("write");
        assert!(volume.is_dir());
    }

    #[test]
    fn no_path_leaves_the_volume() {
        for path in ["/etc/passwd", "../x", "a/../../x", "", "..data", "./a/.."] {
            assert!(File::new(path, b"", 0o644).is_err(), "{path}");
        }
    }
}
