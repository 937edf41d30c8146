//! Header blocks: names and values, compressed by one zlib stream per direction that begins with a dictionary.

use std::sync::LazyLock;

use bytes::{Buf as _, BufMut as _};
use flate2::{Compress, Compression, Decompress, DecompressError, FlushCompress, FlushDecompress};

/// What a block is at most, read out: a few kibibytes of zlib can say many mebibytes.
const LARGEST: usize = 64 << 10;

/// The words that the dictionary begins with, each after its length.
const WORDS: &[&str] = &[
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
    "200 OK",
    "version",
    "HTTP/1.1",
    "url",
    "public",
    "set-cookie",
    "keep-alive",
    "origin",
];

/// And what it ends with.
const TAIL: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
    203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden\
    404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable\
    Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT\
    chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,\
    publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

static DICTIONARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut dictionary = Vec::new();
    for word in WORDS {
        dictionary.put_u32(u32::try_from(word.len()).unwrap_or_default());
        dictionary.put_slice(word.as_bytes());
    }
    dictionary.put_slice(TAIL.as_bytes());
    dictionary
});

/// What is no header block.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// Not zlib, or with another dictionary.
    #[error("a header block that cannot be decompressed")]
    Compression(#[source] DecompressError),
    /// More than anybody needs.
    #[error("a header block that is too large")]
    Large,
    /// Its lengths do not fit.
    #[error("a header block that is cut off")]
    Short,
    /// Names and values are text.
    #[error("a header that is not UTF-8")]
    Text,
}

/// Names and values, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value with this name, in any case; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| &**value).unwrap_or_default()
    }

    fn read(mut block: &[u8]) -> Result<Self, HeaderError> {
        let pairs = block.try_get_u32().map_err(|_| HeaderError::Short)?;
        let mut headers = Vec::new();
        for _ in 0..pairs {
            headers.push((text(&mut block)?, text(&mut block)?));
        }
        Ok(Self(headers))
    }
}

impl FromIterator<(String, String)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

fn text(block: &mut &[u8]) -> Result<String, HeaderError> {
    let length = block.try_get_u32().map_err(|_| HeaderError::Short)?;
    let length = usize::try_from(length).map_err(|_| HeaderError::Short)?;
    let (text, rest) = block.split_at_checked(length).ok_or(HeaderError::Short)?;
    *block = rest;
    String::from_utf8(text.to_vec()).map_err(|_| HeaderError::Text)
}

/// Reads the blocks of one connection, in the order in which they arrive.
#[derive(Debug)]
pub struct Inflater(Decompress);

impl Default for Inflater {
    fn default() -> Self {
        Self(Decompress::new(true))
    }
}

impl Inflater {
    /// Reads the next block.
    ///
    /// # Errors
    /// After a failure no further block can be read.
    pub fn read(&mut self, block: &[u8]) -> Result<Headers, HeaderError> {
        Headers::read(&self.inflate(block)?)
    }

    fn inflate(&mut self, mut block: &[u8]) -> Result<Vec<u8>, HeaderError> {
        let mut inflated = Vec::with_capacity(1024);
        loop {
            let (read, written) = (self.0.total_in(), inflated.len());
            match self.0.decompress_vec(block, &mut inflated, FlushDecompress::Sync) {
                Ok(_) => {}
                Err(error) if error.needs_dictionary().is_some() => {
                    self.0.set_dictionary(&DICTIONARY).map_err(HeaderError::Compression)?;
                }
                Err(error) => return Err(HeaderError::Compression(error)),
            }
            let taken = usize::try_from(self.0.total_in() - read).unwrap_or_default();
            block.advance(taken.min(block.len()));
            if inflated.len() > LARGEST {
                return Err(HeaderError::Large);
            }
            if inflated.len() == inflated.capacity() {
                inflated.reserve(inflated.len());
            } else if block.is_empty() {
                return Ok(inflated);
            } else if taken == 0 && inflated.len() == written {
                // Behind the end of the zlib stream.
                return Err(HeaderError::Short);
            }
        }
    }
}

/// Writes the blocks of one connection, in the order in which they leave.
#[derive(Debug)]
pub struct Deflater(Compress);

impl Default for Deflater {
    fn default() -> Self {
        let mut compress = Compress::new(Compression::fast(), true);
        // The dictionary is a constant, and the stream is at its beginning.
        let _ = compress.set_dictionary(&DICTIONARY);
        Self(compress)
    }
}

impl Deflater {
    /// Writes a block.
    pub fn write(&mut self, headers: &Headers) -> Vec<u8> {
        let mut block = Vec::new();
        let number = |n: usize| u32::try_from(n).unwrap_or_default();
        block.put_u32(number(headers.0.len()));
        for text in headers.0.iter().flat_map(|(name, value)| [name, value]) {
            block.put_u32(number(text.len()));
            block.put_slice(text.as_bytes());
        }
        self.deflate(&block)
    }

    fn deflate(&mut self, mut block: &[u8]) -> Vec<u8> {
        let mut deflated = Vec::with_capacity(block.len() + 64);
        loop {
            let read = self.0.total_in();
            let done = self.0.compress_vec(block, &mut deflated, FlushCompress::Sync);
            block.advance(usize::try_from(self.0.total_in() - read).unwrap_or_default());
            if done.is_err() || block.is_empty() && deflated.len() < deflated.capacity() {
                return deflated;
            }
            deflated.reserve(64);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_dictionary_is_that_of_the_protocol() {
        let mut compress = Compress::new(Compression::fast(), true);
        assert_eq!(DICTIONARY.len(), 1423);
        assert_eq!(compress.set_dictionary(&DICTIONARY).expect("a dictionary"), 0xe3c6_a7c2);
    }

    #[test]
    fn what_says_too_much_is_refused() {
        let large = headers(&[("x", &"y".repeat(LARGEST))]);
        let block = Deflater::default().write(&large);
        assert!(block.len() < 1024);
        assert!(matches!(Inflater::default().read(&block), Err(HeaderError::Large)));
        assert!(matches!(Inflater::default().read(b"nonsense"), Err(HeaderError::Compression(_))));
        assert!(matches!(Headers::read(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]), Err(HeaderError::Short)));
    }

    proptest! {
        #[test]
        fn blocks_are_read_one_after_the_other(
            blocks in prop::collection::vec(prop::collection::vec(("[a-z]{1,12}", "\\PC{0,300}"), 0..6), 1..5)
        ) {
            let (mut deflater, mut inflater) = (Deflater::default(), Inflater::default());
            for block in blocks {
                let sent: Headers = block.into_iter().collect();
                prop_assert_eq!(inflater.read(&deflater.write(&sent)).expect("sound"), sent);
            }
        }

        #[test]
        fn nothing_makes_the_inflater_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Inflater::default().read(&bytes);
        }
    }
}
