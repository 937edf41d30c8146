//! The entries of a tar archive, with their long names, and no more of it in memory than a name may be long.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use tar::{Archive, EntryType, PaxExtensions};

use super::unpack::{Error, broken};

/// The longest extended header. Names are limited to 4 KiB by every system there is.
const MAX_HEADER: u64 = 256 << 10;

/// One entry.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) link: PathBuf,
    pub(super) kind: EntryType,
    pub(super) mode: u32,
}

/// An archive that is being read.
pub(super) struct Entries<R: Read> {
    archive: Archive<R>,
}

/// What extended headers say of the entry after them.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl<R: Read> Entries<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { archive: Archive::new(reader) }
    }

    /// Hands over each entry with its content.
    pub(super) fn each(
        &mut self,
        mut take: impl FnMut(&Entry, &mut dyn Read) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut extension = Extension::default();
        // Raw: the library would read extended headers into memory, however long they say they are.
        for entry in self.archive.entries().map_err(broken)?.raw(true) {
            let mut entry = entry.map_err(broken)?;
            let kind = entry.header().entry_type();
            match kind {
                EntryType::GNULongName => extension.path = Some(text(&mut entry)?),
                EntryType::GNULongLink => extension.link = Some(text(&mut entry)?),
                EntryType::XHeader => extension.read(&bounded(&mut entry)?)?,
                EntryType::XGlobalHeader => drop(bounded(&mut entry)?),
                _ => {
                    let Extension { path, link } = std::mem::take(&mut extension);
                    let path = path.unwrap_or_else(|| entry.path_bytes().into_owned());
                    let link = link.or_else(|| entry.link_name_bytes().map(|link| link.into_owned()));
                    let mode = entry.header().mode().unwrap_or(0o644);
                    let whole =
                        Entry { path: from_bytes(path), link: from_bytes(link.unwrap_or_default()), kind, mode };
                    // Archives before POSIX mark directories by the name alone.
                    let is_directory =
                        kind == EntryType::Regular && whole.path.as_os_str().as_encoded_bytes().ends_with(b"/");
                    let kind = if is_directory { EntryType::Directory } else { kind };
                    take(&Entry { kind, ..whole }, &mut entry)?;
                }
            }
        }
        Ok(())
    }
}

impl Extension {
    fn read(&mut self, header: &[u8]) -> Result<(), Error> {
        for record in PaxExtensions::new(header) {
            let record = record.map_err(broken)?;
            match record.key_bytes() {
                b"path" => self.path = Some(record.value_bytes().to_vec()),
                b"linkpath" => self.link = Some(record.value_bytes().to_vec()),
                b"size" => return Err(Error::Entry("a size in an extended header")),
                key if key.starts_with(b"GNU.sparse.") => return Err(Error::Entry("a sparse file")),
                _ => {}
            }
        }
        Ok(())
    }
}

fn bounded(entry: &mut impl Read) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    entry.take(MAX_HEADER + 1).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 > MAX_HEADER { Err(Error::Entry("a header without end")) } else { Ok(bytes) }
}

/// Ends with a zero, which is not of the name.
fn text(entry: &mut impl Read) -> Result<Vec<u8>, Error> {
    let mut bytes = bounded(entry)?;
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    Ok(bytes)
}

fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}
