//! Content, whole or in part.

use std::io::SeekFrom;

use futures::StreamExt as _;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderMap, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use netproxy::fabric::Body;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::failure::{Code, Failure};
use super::{answer, blocking};
use crate::image::{Digest, Store};

/// Bytes read at once.
const PIECE: usize = 256 << 10;

/// GET and HEAD.
pub async fn get(store: Store, digest: &Digest, headers: &HeaderMap) -> Result<Response<Body>, Failure> {
    let wanted = digest.clone();
    let found = blocking(move || store.blob(&wanted)).await?;
    let blob = found.ok_or_else(|| Failure::new(Code::BlobUnknown, "blob unknown to registry"))?;
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let (status, first, length) = match range.map(|range| part(range, blob.size)) {
        None | Some(Part::Ignored) => (StatusCode::OK, 0, blob.size),
        Some(Part::Of(first, last)) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Some(Part::Beyond) => return Ok(beyond(blob.size)),
    };
    let gone = |_| Failure::new(Code::BlobUnknown, "blob unknown to registry");
    let mut file = tokio::fs::File::open(&blob.path).await.map_err(gone)?;
    file.seek(SeekFrom::Start(first)).await.map_err(gone)?;
    let pieces = ReaderStream::with_capacity(file.take(length), PIECE);
    let body = StreamBody::new(pieces.map(|piece| piece.map(Frame::data).map_err(Into::into))).boxed_unsync();
    let (length, etag) = (length.to_string(), format!("\"{digest}\""));
    let mut response = answer::with(
        status,
        body,
        &[
            (CONTENT_TYPE, "application/octet-stream"),
            (CONTENT_LENGTH, &length),
            (ACCEPT_RANGES, "bytes"),
            (answer::DIGEST, digest),
            (http::header::ETAG, &etag),
        ],
    );
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(length) = length.parse::<u64>()
        && let Ok(value) = format!("bytes {first}-{}/{}", first + length - 1, blob.size).parse()
    {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    Ok(response)
}

fn beyond(size: u64) -> Response<Body> {
    answer::empty(StatusCode::RANGE_NOT_SATISFIABLE, &[(CONTENT_RANGE, &format!("bytes */{size}"))])
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Not understood, or several at once: all of it is a right answer (RFC 9110, 14.2).
    Ignored,
    /// From the first byte to the last.
    Of(u64, u64),
    Beyond,
}

/// `bytes=0-99`, `bytes=100-`, `bytes=-5`.
fn part(range: &str, size: u64) -> Part {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Part::Ignored;
    };
    let end = size.saturating_sub(1);
    let part = match (first.trim().parse::<u64>(), last.trim()) {
        (Ok(first), "") => (first, end),
        (Ok(first), last) => match last.parse::<u64>() {
            Ok(last) if last >= first => (first, last.min(end)),
            _ => return Part::Ignored,
        },
        (Err(_), last) => match (first.trim(), last.parse::<u64>()) {
            ("", Ok(tail)) if tail > 0 => (size.saturating_sub(tail), end),
            _ => return Part::Ignored,
        },
    };
    if part.0 >= size { Part::Beyond } else { Part::Of(part.0, part.1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let cases = [
            ("bytes=0-9", Part::Of(0, 9)),
            ("bytes=90-", Part::Of(90, 99)),
            ("bytes=-5", Part::Of(95, 99)),
            ("bytes=50-1000", Part::Of(50, 99)),
            ("bytes=100-", Part::Beyond),
            ("bytes=9-1", Part::Ignored),
            ("bytes=0-1,5-6", Part::Ignored),
            ("items=0-1", Part::Ignored),
        ];
        for (range, expected) in cases {
            assert_eq!(part(range, 100), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Part::Beyond);
    }
}
