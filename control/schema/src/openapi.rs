//! The OpenAPI v3 documents, made from the table.
//!
//! They are what kubectl computes its patches from, checks fields with and explains kinds by, so operations, kinds, merge
//! keys and descriptions have to be there. A document is made when it is first asked for and kept compressed: clients keep
//! their own copy under the hash in its URL, so a second request is rare.

mod descriptions;
mod document;
mod operation;
mod paths;
mod schemas;
mod v2;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::sync::{LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::table::{Table, builtin};

static MADE: LazyLock<Mutex<HashMap<String, Bytes>>> = LazyLock::new(Mutex::default);

/// The index: where each group's document is.
pub fn v3_index() -> Value {
    let places = versions().into_iter().filter_map(|version| {
        let (path, hash) = (path(&version), hash(&version)?);
        let url = format!("/openapi/v3/{path}?hash={hash}");
        Some((path, json!({ "serverRelativeURL": url })))
    });
    json!({ "paths": places.collect::<Map<_, _>>() })
}

/// The document of a group and version, named `apps/v1` and `v1` or as in the index, `apis/apps/v1` and `api/v1`.
pub fn v3(group_version: &str) -> Option<Bytes> {
    inflate(&v3_gzip(group_version)?)
}

/// The same as [`v3`], compressed with gzip: as it is kept, and as clients ask for it.
pub fn v3_gzip(group_version: &str) -> Option<Bytes> {
    let version = named(group_version)?;
    made(&version, |encoder| serde_json::to_writer(encoder, &document(builtin(), &version)?).ok())
}

/// One document of several groups and versions in the second version of OpenAPI, as protobuf.
pub fn v2(group_versions: &[String]) -> Option<Bytes> {
    let packed = made(&format!("v2 {}", group_versions.join(" ")), |encoder| {
        let documents = group_versions.iter().filter_map(|version| document(builtin(), version));
        encoder.write_all(&v2::encode(&documents.collect::<Vec<_>>())).ok()
    });
    inflate(&packed?)
}

/// The document under `name`, made if it is not there yet, and compressed.
fn made(name: &str, make: impl FnOnce(&mut GzEncoder<Vec<u8>>) -> Option<()>) -> Option<Bytes> {
    if let Some(made) = MADE.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
        return Some(made.clone());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    make(&mut encoder)?;
    encoder.flush().ok()?;
    let made = Bytes::from(encoder.finish().ok()?);
    MADE.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), made.clone());
    Some(made)
}

fn inflate(packed: &[u8]) -> Option<Bytes> {
    let mut document = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut document).ok()?;
    Some(document.into())
}

/// The document of a group and version of any table, such as one of custom resources.
pub fn document(table: &Table, group_version: &str) -> Option<Value> {
    document::document(table, group_version)
}

/// The hash that stands in the index for a document: of all that the document is made from.
pub fn hash(group_version: &str) -> Option<String> {
    let version = named(group_version)?;
    Some(digest(&version))
}

/// The same for [`v2`].
pub fn v2_hash(group_versions: &[String]) -> String {
    digest(&group_versions.join(" "))
}

fn digest(name: &str) -> String {
    format!("{:X}", Sha256::digest(format!("{} {name}", env!("OPENAPI_SOURCES"))))
}

/// The served groups and versions.
fn versions() -> Vec<String> {
    let mut versions: Vec<String> = builtin().resources().iter().map(|row| row.group_version()).collect();
    versions.dedup();
    versions
}

fn named(group_version: &str) -> Option<String> {
    let plain =
        group_version.strip_prefix("apis/").or_else(|| group_version.strip_prefix("api/")).unwrap_or(group_version);
    versions().into_iter().find(|version| version == plain)
}

/// Where the resources of a group and version are: `api/v1`, `apis/apps/v1`.
fn path(group_version: &str) -> String {
    if group_version.contains('/') { format!("apis/{group_version}") } else { format!("api/{group_version}") }
}

#[cfg(test)]
mod tests;
