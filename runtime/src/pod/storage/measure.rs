//! What directories take on disk, as `du` counts it.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bytes of the blocks of everything in a directory: a file with two names once, what a link points to not at all.
/// What vanishes meanwhile, or can't be read, counts nothing.
pub fn usage(directory: &Path) -> u64 {
    let mut linked = HashSet::new();
    let mut directories = vec![directory.to_owned()];
    let mut bytes = 0;
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                directories.push(entry.path());
            } else if meta.nlink() > 1 && !linked.insert((meta.dev(), meta.ino())) {
                continue;
            }
            bytes += meta.blocks() * 512;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_add_nothing() {
        let directory = tempfile::tempdir().expect("directory");
        let path = |name: &str| directory.path().join(name);
        assert_eq!(usage(&path("nowhere")), 0);
        fs::create_dir(path("sub")).expect("made");
        fs::write(path("sub/file"), vec![1; 1 << 20]).expect("written");
        let before = usage(directory.path());
        assert!(before >= 1 << 20, "{before}");
        fs::hard_link(path("sub/file"), path("second")).expect("linked");
        std::os::unix::fs::symlink("/", path("elsewhere")).expect("linked");
        assert!(usage(directory.path()) < before + (64 << 10));
    }
}
