//! Puts an archive's entries into a directory, and nowhere else.
//!
//! An archive comes from anybody: its names may lead upwards, and its links may lead anywhere. Names are taken apart and
//! put below the base; what would be written through a link that is there is refused.

use std::fs::{self, File, FileTimes};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use tar::{Entry, EntryType};

use crate::failure::words;
use crate::files;
use crate::tools::make::symlink;

pub struct Extractor {
    pub base: String,
    /// So many leading names are left out.
    pub strip: usize,
    pub keep_times: bool,
    pub keep_files: bool,
}

impl Extractor {
    /// Makes one entry.
    pub fn entry<R: Read>(&self, entry: &mut Entry<'_, R>, path: &str) -> Result<(), String> {
        let told = |error: std::io::Error| format!("{path}: Cannot open: {}", words(&error));
        let Some(name) = below(path, self.strip)? else { return Ok(()) };
        let base = files::absolute(&self.base);
        let place = base.join(&name);
        if let Some(parent) = name.parent() {
            no_link_on_the_way(&base, parent, path)?;
            fs::create_dir_all(base.join(parent)).map_err(told)?;
        }
        let there = fs::symlink_metadata(&place).ok();
        match entry.header().entry_type() {
            EntryType::Directory => match there {
                Some(data) if data.is_dir() => Ok(()),
                Some(_) => Err(format!("{path}: Cannot mkdir: File exists")),
                None => fs::create_dir(&place).map_err(told),
            },
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                if there.is_some_and(|data| self.keep_files || !data.is_dir()) {
                    if self.keep_files {
                        return Err(format!("{path}: Cannot open: File exists"));
                    }
                    // A link is replaced, not followed.
                    fs::remove_file(&place).map_err(told)?;
                }
                let mut file = File::create(&place).map_err(told)?;
                std::io::copy(entry, &mut file).map_err(told)?;
                self.set_time(entry, &file);
                Ok(())
            }
            EntryType::Symlink => {
                let target = target(entry, path)?;
                if there.is_some_and(|data| !data.is_dir()) {
                    fs::remove_file(&place).map_err(told)?;
                }
                symlink(&target.to_string_lossy(), &place).map_err(told)
            }
            EntryType::Link => {
                let Some(target) = below(&target(entry, path)?.to_string_lossy(), self.strip)? else { return Ok(()) };
                no_link_on_the_way(&base, &target, path)?;
                let target = base.join(target);
                fs::hard_link(&target, &place).or_else(|_| fs::copy(&target, &place).map(drop)).map_err(told)
            }
            other => Err(format!("{path}: entries of type {other:?} are not supported")),
        }
    }

    fn set_time<R: Read>(&self, entry: &Entry<'_, R>, file: &File) {
        if !self.keep_times {
            return;
        }
        let seconds = entry.header().mtime().unwrap_or(0).min(u64::from(u32::MAX) * 4);
        let _ = file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)));
    }
}

fn target<R: Read>(entry: &Entry<'_, R>, path: &str) -> Result<PathBuf, String> {
    let target = entry.link_name().map_err(|error| format!("{path}: {error}"))?;
    Ok(target.ok_or_else(|| format!("{path}: a link to nothing"))?.into_owned())
}

/// A name as a path below the base; None: there is nothing left of it.
fn below(path: &str, strip: usize) -> Result<Option<PathBuf>, String> {
    let mut names = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::ParentDir => return Err(format!("{path}: Member name contains '..': refused")),
            _ => {}
        }
    }
    let rest: PathBuf = names.into_iter().skip(strip).collect();
    Ok(Some(rest).filter(|rest| !rest.as_os_str().is_empty()))
}

/// What an earlier entry linked elsewhere is no way to write there.
fn no_link_on_the_way(base: &Path, parent: &Path, path: &str) -> Result<(), String> {
    let mut place = base.to_path_buf();
    for name in parent.components() {
        place.push(name);
        if fs::symlink_metadata(&place).is_ok_and(|data| data.is_symlink()) {
            return Err(format!("{path}: leads through the symbolic link {}: refused", place.display()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below() {
        assert_eq!(below("/etc/passwd", 0), Ok(Some(PathBuf::from("etc/passwd"))));
        assert_eq!(below("./a/./b", 1), Ok(Some(PathBuf::from("b"))));
        assert_eq!(below("a", 1), Ok(None));
        assert!(below("a/../../b", 0).is_err());
    }
}
