//! The `continue` token of a list: where the next page starts, and what moment it shows. The form is upstream's.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

use crate::status::Status;
use crate::store::{Key, Revision};

/// As lenient about the last bits as Go's decoder.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const VERSION: &str = "meta.k8s.io/v1";

/// A token that shows whatever is there when it is used.
const ANY: i64 = -1;

/// Where the next page starts.
#[derive(Serialize, Deserialize)]
pub struct Token {
    v: String,
    rv: i64,
    /// The last key of the page before, `namespace/name` or `name`, with a NUL after it.
    start: String,
}

impl Token {
    /// The page after `last`; `spans` where the list goes over namespaces.
    pub fn after(last: &Key, spans: bool, shown: Revision) -> Self {
        let start = if spans { format!("{}/{}\0", last.namespace, last.name) } else { format!("{}\0", last.name) };
        Self { v: VERSION.to_owned(), rv: shown.0.cast_signed(), start }
    }

    /// The token as clients send it back.
    pub fn encode(&self) -> String {
        BASE64.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads a token.
    ///
    /// # Errors
    /// 400 for what is none.
    pub fn decode(text: &str) -> Result<Self, Status> {
        let bad = |why: String| Status::bad_request(format!("invalid continue token: continue key is not valid{why}"));
        let bytes = BASE64.decode(text).map_err(|e| bad(format!(": {e}")))?;
        let token: Self = serde_json::from_slice(&bytes).map_err(|_| {
            let first = bytes.first().map(|b| char::from(*b)).unwrap_or(' ');
            bad(format!(": invalid character '{first}' looking for beginning of value"))
        })?;
        if token.v != VERSION {
            return Err(bad(format!(": server does not recognize this encoded version {}", token.v)));
        }
        if token.rv == 0 {
            return Err(bad(format!(": incorrect encoded start resourceVersion (version {VERSION})")));
        }
        if token.start.is_empty() {
            return Err(bad(format!(": encoded start key empty (version {VERSION})")));
        }
        // Nobody gets out of the collection by a key.
        if token.start.trim_start_matches('/').split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(bad(format!(": {}", token.start)));
        }
        Ok(token)
    }

    /// The moment that the list shows; none for what is there now.
    pub fn revision(&self) -> Option<Revision> {
        u64::try_from(self.rv).ok().map(Revision)
    }

    /// True for keys on later pages.
    pub fn is_before(&self, key: &Key) -> bool {
        let start = self.start.trim_end_matches('\0').trim_start_matches('/');
        let (namespace, name) = start.split_once('/').unwrap_or((&key.namespace, start));
        (&*key.namespace, &*key.name) > (namespace, name)
    }

    /// The answer to a token whose moment is forgotten: a new one, for whoever can do with a mix of moments.
    pub fn expired(&self) -> Status {
        let fresh = Self { v: self.v.clone(), rv: ANY, start: self.start.clone() };
        Status::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list \
             without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
             results. Continuing with the provided token results in an inconsistent list - objects that were created, \
             modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        )
        .to_continue(fresh.encode())
    }
}
