//! Removing what was left behind: uploads that broke off for good, blobs that no name leads to.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{Error, Store, at, unless_missing};
use crate::image::digest::Digest;

impl Store {
    /// Removes what nobody needs and nobody has touched for `age`. Says how many bytes that were.
    pub fn tidy(&self, age: Duration) -> Result<u64, Error> {
        let Some(before) = SystemTime::now().checked_sub(age) else { return Ok(0) };
        let _guard = self.lock()?;
        let mut needed = BTreeSet::new();
        for path in self.name_paths()? {
            if let Some(record) = self.record(&path)? {
                self.reach(&record.digest, &mut needed)?;
            }
        }
        let mut freed = 0;
        for (name, size) in older(&self.blobs(), before)? {
            match format!("sha256:{name}").parse::<Digest>() {
                Ok(digest) if needed.contains(&digest) => continue,
                Ok(digest) => self.remove_blob(&digest)?,
                Err(_) => remove(&self.blobs().join(name))?,
            }
            freed += size;
        }
        let uploads = self.root.join("uploads");
        for (name, size) in older(&uploads, before)? {
            remove(&uploads.join(name))?;
            freed += size;
        }
        self.tidy_rootfs(before)?;
        Ok(freed)
    }

    /// Directories that were half made when somebody died.
    fn tidy_rootfs(&self, before: SystemTime) -> Result<(), Error> {
        let all = self.root.join("rootfs");
        let entries = match fs::read_dir(&all) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(at(&all))?,
        };
        for entry in entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b".making-")) {
            if entry.metadata().and_then(|found| found.modified()).is_ok_and(|modified| modified < before) {
                fs::remove_dir_all(entry.path()).or_else(unless_missing).map_err(at(&entry.path()))?;
            }
        }
        Ok(())
    }
}

/// The files of a directory that were last written before then.
fn older(directory: &Path, before: SystemTime) -> Result<Vec<(String, u64)>, Error> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(at(directory))?,
    };
    for entry in entries.flatten() {
        let meta = entry.metadata().ok().filter(|meta| meta.is_file());
        let Some(meta) = meta.filter(|meta| meta.modified().is_ok_and(|modified| modified < before)) else { continue };
        found.push((entry.file_name().to_string_lossy().into_owned(), meta.len()));
    }
    Ok(found)
}

fn remove(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).or_else(unless_missing).map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_leads_to_stays() {
        let directory = tempfile::tempdir().expect("directory");
        let store = Store::open(directory.path()).expect("store");
        let file = directory.path().join("program.wasm");
        fs::write(&file, b"\0asm\x0d\0\x01\0").expect("written");
        let image = store.import(&file, "localhost/app:v1").expect("imported");
        let stray = store.put_blob(b"nobody's").expect("put");
        let upload = store.begin_upload().expect("begun").id();
        assert_eq!(store.tidy(Duration::from_secs(3600)).expect("tidy"), 0, "all of it is young");
        assert!(store.blob(&stray).expect("store").is_some());
        assert!(store.tidy(Duration::ZERO).expect("tidy") >= 8);
        assert!(store.blob(&stray).expect("store").is_none() && store.upload(&upload).expect("store").is_none());
        assert!(store.resolve("localhost/app:v1").expect("store").is_some_and(|found| found.module == image.module));
    }
}
