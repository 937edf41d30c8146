//! A body that is HTML, rewritten while it passes.

use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use flate2::write::GzDecoder;
use http_body::Frame;
use http_body_util::BodyExt as _;

use super::html::Html;
use super::links::Links;
use crate::http::{Body, BoxError};

/// So many bytes are read at a time: packed, they may stand for a thousand times as many.
const STEP: usize = 4 << 10;

type Rewriter = Html<Box<dyn Fn(&str) -> String + Send>>;

/// How a page is read.
pub struct Page {
    html: Rewriter,
    unpacker: Option<GzDecoder<Vec<u8>>>,
}

impl Page {
    /// None for an encoding that nobody here knows: such pages pass as they are.
    pub fn new(encoding: &str, links: Links) -> Option<Self> {
        let unpacker = match encoding {
            "" | "identity" => None,
            "gzip" => Some(GzDecoder::new(Vec::new())),
            _ => return None,
        };
        Some(Self { html: Html::new(Box::new(move |link| links.rewrite(link))), unpacker })
    }

    /// The body as it leaves.
    pub fn rewrite(self, body: Body) -> Body {
        Rewritten { page: self, body, waiting: Bytes::new(), done: false }.boxed_unsync()
    }

    fn piece(&mut self, piece: &[u8]) -> Result<Vec<u8>, BoxError> {
        let Some(unpacker) = &mut self.unpacker else { return Ok(self.html.push(piece)) };
        unpacker.write_all(piece)?;
        let plain = std::mem::take(unpacker.get_mut());
        Ok(self.html.push(&plain))
    }

    fn end(&mut self) -> Result<Vec<u8>, BoxError> {
        let mut last = Vec::new();
        if let Some(mut unpacker) = self.unpacker.take() {
            unpacker.try_finish()?;
            last = self.html.push(unpacker.get_ref());
        }
        last.extend(self.html.finish());
        Ok(last)
    }
}

struct Rewritten {
    page: Page,
    body: Body,
    /// What has come and is not read yet.
    waiting: Bytes,
    done: bool,
}

impl http_body::Body for Rewritten {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        loop {
            if this.done {
                return Poll::Ready(None);
            }
            if !this.waiting.is_empty() {
                let length = this.waiting.len().min(STEP);
                let rewritten = this.page.piece(&this.waiting.split_to(length))?;
                if rewritten.is_empty() {
                    continue;
                }
                return Poll::Ready(Some(Ok(Frame::data(rewritten.into()))));
            }
            let rewritten = match ready!(Pin::new(&mut this.body).poll_frame(context)?) {
                Some(frame) => match frame.into_data() {
                    Ok(data) => {
                        this.waiting = data;
                        continue;
                    }
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                None => {
                    this.done = true;
                    this.page.end()?
                }
            };
            if !rewritten.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(rewritten.into()))));
            }
        }
    }
}
