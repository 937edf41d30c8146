//! A body whose end is noticed.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};

/// A body, and what is to be done when nobody reads it any more.
pub struct Audited<B> {
    body: B,
    end: Option<Box<dyn FnMut() + Send>>,
}

impl<B> Audited<B> {
    pub(super) fn new(body: B, end: Option<Box<dyn FnMut() + Send>>) -> Self {
        Self { body, end }
    }
}

impl<B: Body + Unpin> Body for Audited<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Audited<B> {
    fn drop(&mut self) {
        if let Some(end) = &mut self.end {
            end();
        }
    }
}
