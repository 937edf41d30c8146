//! Reading directories, piece by piece. wasmtime reads all of a directory into memory first (WASI 0.2), or keeps a
//! thread waiting until the guest has read the last entry (0.3): a large directory, or many listings that nobody goes on
//! with, would be the node's trouble. Here a listing is a file that the container has open, and some names.

pub(super) mod concurrent;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, DirEntry, FileType, Mode, OFlags, openat};
use tokio::task::spawn_blocking;
use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Resource, ResourceType};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::FsError;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};

use super::Host;

/// Entries that are read at once.
const PIECE: usize = 64;

/// Puts our listings in the place of wasmtime's.
pub(super) fn add_to_linker(types: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    types.resource("directory-entry-stream", ResourceType::host::<Listing>(), |mut store, index| {
        store.data_mut().table.delete(Resource::<Listing>::new_own(index))?;
        Ok(())
    })?;
    types.func_wrap("[method]descriptor.read-directory", |mut store: StoreContextMut<'_, Host>, (this,)| {
        Ok((read_directory(store.data_mut(), &this)?,))
    })?;
    types.func_wrap_async(
        "[method]directory-entry-stream.read-directory-entry",
        |mut store: StoreContextMut<'_, Host>, (this,): (Resource<Listing>,)| {
            Box::new(async move {
                let next = store.data_mut().table.get_mut(&this)?.next().await;
                Ok((match next {
                    Ok(entry) => Ok(entry.map(|(type_, name)| DirectoryEntry { type_: kind(type_), name })),
                    Err(error) => Err(FsError::from(error).downcast()?),
                },))
            })
        },
    )
}

fn read_directory(
    host: &mut Host,
    this: &Resource<Descriptor>,
) -> wasmtime::Result<Result<Resource<Listing>, ErrorCode>> {
    let Descriptor::Dir(dir) = host.table.get(this)? else { return Ok(Err(ErrorCode::NotDirectory)) };
    let dir = Arc::clone(&dir.dir);
    let Some(listing) = begin(host, dir) else { return Ok(Err(ErrorCode::Quota)) };
    Ok(Ok(host.table.push(listing)?))
}

/// A listing, if the container may have one more file open.
fn begin(host: &mut Host, dir: Arc<File>) -> Option<Listing> {
    host.files.promise().then(|| {
        let counted = Arc::new(());
        host.files.opened(&counted);
        Listing { place: Place::Front(dir), read: VecDeque::new(), _counted: counted }
    })
}

fn kind(kind: FileType) -> DescriptorType {
    match kind {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::Unknown => DescriptorType::Unknown,
    }
}

type Entry = (FileType, String);

/// A directory that is being read.
struct Listing {
    place: Place,
    read: VecDeque<io::Result<Entry>>,
    _counted: Arc<()>,
}

/// How far it is.
enum Place {
    Front(Arc<File>),
    Middle(Dir),
    End,
}

impl Listing {
    /// The next entry, without those for the directory itself and the one above it.
    async fn next(&mut self) -> io::Result<Option<Entry>> {
        if self.read.is_empty() {
            let place = std::mem::replace(&mut self.place, Place::End);
            let piece = spawn_blocking(move || piece(place)).await;
            (self.place, self.read) = piece.map_err(io::Error::other)??;
        }
        self.read.pop_front().transpose()
    }
}

const READ: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Some more entries, none only at the end.
fn piece(place: Place) -> io::Result<(Place, VecDeque<io::Result<Entry>>)> {
    let mut dir = match place {
        // A volume's root is held in a way that it can't be read in.
        Place::Front(directory) => Dir::new(openat(&directory, ".", READ, Mode::empty())?)?,
        Place::Middle(dir) => dir,
        Place::End => return Ok((Place::End, VecDeque::new())),
    };
    let mut read = VecDeque::with_capacity(PIECE);
    while read.len() < PIECE {
        match dir.next() {
            None => return Ok((Place::End, read)),
            Some(Ok(entry)) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
            Some(Ok(entry)) => read.push_back(known(&dir, &entry)),
            Some(Err(error)) => {
                read.push_back(Err(error.into()));
                return Ok((Place::End, read));
            }
        }
    }
    Ok((Place::Middle(dir), read))
}

fn known(dir: &Dir, entry: &DirEntry) -> io::Result<Entry> {
    let Ok(name) = entry.file_name().to_str() else { return Err(rustix::io::Errno::ILSEQ.into()) };
    let kind = match entry.file_type() {
        FileType::Unknown => {
            let stat = rustix::fs::statat(dir.fd()?, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
            FileType::from_raw_mode(stat.st_mode)
        }
        kind => kind,
    };
    Ok((kind, name.to_owned()))
}
