//! The OpenAPI documents, made from the table and from the schemas of custom kinds.
//!
//! They are what kubectl computes its patches from, checks fields with and explains kinds by, so operations, kinds, merge
//! keys and descriptions have to be there. A document is made when it is first asked for and kept compressed: clients keep
//! their own copy under the hash in its URL, so a second request is rare.
//!
//! # Custom kinds
//!
//! Whoever serves custom kinds hands [`Custom`]s (the row and the definition's own `openAPIV3Schema`) to
//! [`custom_v3_gzip`], all kinds of one group and version at a time, and to [`v2_gzip`], all that are served. Nothing is kept
//! for them here; [`custom_hash`] changes whenever a document would.

mod custom;
mod descriptions;
mod document;
mod operation;
mod paths;
mod roots;
mod schemas;
mod v2;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read as _, Write as _};
use std::sync::{LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::table::{Table, builtin};
use descriptions::Descriptions;

pub use custom::Custom;

static MADE: LazyLock<Mutex<HashMap<String, Bytes>>> = LazyLock::new(Mutex::default);

/// How the second version is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As clients and people read it.
    Json,
    /// As kubectl up to 1.28 reads it.
    Protobuf,
}

/// Where documents are that are of no resources: of the given groups (built-in ones or others), and of all of them.
pub fn roots(groups: &[String]) -> Vec<String> {
    roots::places(groups)
}

/// The document of built-in kinds at a place: a group and version (`apis/apps/v1`, also `apps/v1`), or one of [`roots`].
/// Compressed with gzip: as it is kept, and as clients ask for it.
pub fn v3_gzip(place: &str) -> Option<Bytes> {
    let named = Named::of(place)?;
    let make = |encoder: &mut Encoder| {
        let text = descriptions::inflate();
        let words = Descriptions::of(&text);
        let document = match &named {
            Named::Version(version) => document::document(builtin(), version, &words)?,
            Named::Root(place) => roots::document(place, &words),
        };
        serde_json::to_writer(encoder, &document).ok()
    };
    // Groups of custom kinds come and go.
    if matches!(named, Named::Root(_)) { packed(make) } else { made(&format!("v3 {place}"), make) }
}

/// The same as [`v3_gzip`], in the open.
pub fn v3(place: &str) -> Option<Bytes> {
    inflate(&v3_gzip(place)?)
}

/// The document of custom kinds of one group and version, compressed with gzip; nothing where there are none.
pub fn custom_v3_gzip(kinds: &[Custom]) -> Option<Bytes> {
    let text = descriptions::inflate();
    let document = custom::document(kinds, &Descriptions::of(&text))?;
    packed(|encoder| serde_json::to_writer(encoder, &document).ok())
}

/// One document of these groups and versions of built-in kinds, and of all `kinds`, in the second version of OpenAPI, compressed
/// with gzip.
pub fn v2_gzip(form: Form, group_versions: &[String], kinds: &[Custom]) -> Option<Bytes> {
    let lines = inflate(&builtin_entries(group_versions)?)?;
    let mut all = v2::Entries::read(std::str::from_utf8(&lines).ok()?);
    drop(lines);
    add_custom(&mut all, kinds);
    packed(|encoder| match form {
        Form::Json => all.json(encoder).ok(),
        Form::Protobuf => encoder.write_all(&v2::protobuf(&all)).ok(),
    })
}

fn add_custom(all: &mut v2::Entries, kinds: &[Custom]) {
    if kinds.is_empty() {
        return;
    }
    let text = descriptions::inflate();
    let words = Descriptions::of(&text);
    let mut versions: BTreeMap<String, Vec<Custom>> = BTreeMap::new();
    for kind in kinds {
        versions.entry(kind.row.group_version()).or_default().push(*kind);
    }
    versions.values().filter_map(|kinds| custom::document(kinds, &words)).for_each(|document| all.add(&document));
}

/// The paths and definitions of the built-in kinds, one document of the third version at a time.
fn builtin_entries(group_versions: &[String]) -> Option<Bytes> {
    made(&format!("v2 {}", group_versions.join(" ")), |encoder| {
        let text = descriptions::inflate();
        let words = Descriptions::of(&text);
        let mut all = v2::Entries::default();
        let mut groups: Vec<String> = Vec::new();
        for version in group_versions {
            groups.extend(version.split_once('/').map(|(group, _)| group.to_owned()));
            document::document(builtin(), version, &words).iter().for_each(|document| all.add(document));
        }
        groups.dedup();
        roots(&groups).iter().for_each(|place| all.add(&roots::document(place, &words)));
        all.write(encoder).ok()
    })
}

/// The document under `name`, made if it is not there yet.
fn made(name: &str, make: impl FnOnce(&mut Encoder) -> Option<()>) -> Option<Bytes> {
    if let Some(made) = MADE.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
        return Some(made.clone());
    }
    let made = packed(make)?;
    MADE.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), made.clone());
    Some(made)
}

/// Small pieces are gathered before they are compressed.
type Encoder = io::BufWriter<GzEncoder<Vec<u8>>>;

fn packed(make: impl FnOnce(&mut Encoder) -> Option<()>) -> Option<Bytes> {
    let mut encoder = io::BufWriter::new(GzEncoder::new(Vec::new(), Compression::fast()));
    make(&mut encoder)?;
    Some(encoder.into_inner().ok()?.finish().ok()?.into())
}

/// A document as it was before it was compressed.
pub fn inflate(packed: &[u8]) -> Option<Bytes> {
    let mut document = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut document).ok()?;
    Some(document.into())
}

/// The document of a group and version of any table.
pub fn document(table: &Table, group_version: &str) -> Option<Value> {
    let text = descriptions::inflate();
    document::document(table, group_version, &Descriptions::of(&text))
}

/// The hash that stands in the index for a document: of all that the document is made from.
pub fn hash(place: &str) -> Option<String> {
    Some(match Named::of(place)? {
        Named::Version(name) | Named::Root(name) => digest(&name),
    })
}

/// The same for the document of custom kinds of one group and version.
pub fn custom_hash(kinds: &[Custom]) -> String {
    let told: Vec<String> = kinds.iter().map(|kind| format!("{:?} {}", kind.row, kind.schema)).collect();
    digest(&told.join("\n"))
}

/// The same for [`v2_gzip`].
pub fn v2_hash(form: Form, group_versions: &[String], kinds: &[Custom]) -> String {
    digest(&format!("{form:?} {} {}", group_versions.join(" "), custom_hash(kinds)))
}

fn digest(name: &str) -> String {
    format!("{:X}", Sha256::digest(format!("{} {name}", env!("OPENAPI_SOURCES"))))
}

/// What a document is of.
enum Named {
    Version(String),
    Root(String),
}

impl Named {
    fn of(place: &str) -> Option<Self> {
        let versions = versions();
        let plain = place.strip_prefix("apis/").or_else(|| place.strip_prefix("api/")).unwrap_or(place);
        if versions.iter().any(|version| version == plain) {
            return Some(Self::Version(plain.to_owned()));
        }
        let group = place.strip_prefix("apis/").is_some_and(|group| !group.is_empty() && !group.contains('/'));
        (group || matches!(place, "api" | "apis" | "version")).then(|| Self::Root(place.to_owned()))
    }
}

/// The served groups and versions.
fn versions() -> Vec<String> {
    let mut versions: Vec<String> = builtin().resources().iter().map(|row| row.group_version()).collect();
    versions.dedup();
    versions
}

/// Where the resources of a group and version are: `api/v1`, `apis/apps/v1`.
fn place_of(group_version: &str) -> String {
    if group_version.contains('/') { format!("apis/{group_version}") } else { format!("api/{group_version}") }
}

#[cfg(test)]
mod tests;
