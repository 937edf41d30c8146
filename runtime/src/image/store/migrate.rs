//! Stores of earlier versions: their names point at the program itself.

use std::fs::{self, File};
use std::io::Read as _;

use super::names::Record;
use super::{Error, Store, at};
use crate::image::reference::Reference;

/// What the file `version` says.
const VERSION: &str = "2\n";

impl Store {
    /// Gives every program of an old store its manifest. Done once; a new store is only marked.
    pub(super) fn migrate(&self) -> Result<(), Error> {
        let path = self.root.join("version");
        if fs::read_to_string(&path).is_ok_and(|version| version == VERSION) {
            return Ok(());
        }
        for name in self.name_paths()? {
            if let Some(record) = self.record(&name)?.filter(Record::is_bare) {
                self.renew(&record)?;
            }
        }
        fs::write(&path, VERSION).map_err(at(&path))
    }

    fn renew(&self, record: &Record) -> Result<(), Error> {
        let (Ok(reference), Some(blob)) = (Reference::parse(&record.reference), self.blob(&record.digest)?) else {
            return Ok(());
        };
        let mut head = Vec::with_capacity(8);
        File::open(&blob.path).and_then(|file| file.take(8).read_to_end(&mut head)).map_err(at(&blob.path))?;
        self.name_program(&reference, &head, record.digest.clone(), blob.size).map(drop)
    }
}
