//! What goes on behind an answer, and its end: a body, or an upgraded connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;

/// A body, and what is to be done when nobody reads it any more.
pub struct Audited<B> {
    body: B,
    end: Option<Box<dyn FnMut() + Send>>,
}

/// Is held, as an extension of a request, by whoever goes on with its connection.
#[derive(Clone, Default)]
pub struct Lasting(Arc<Last>);

#[derive(Default)]
struct Last(Mutex<Option<Box<dyn FnMut() + Send>>>);

impl Lasting {
    /// What is to be done when nobody holds it any more.
    pub(super) fn then(&self, end: impl FnMut() + Send + 'static) {
        *self.0.0.lock() = Some(Box::new(end));
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(end) = self.0.get_mut() {
            end();
        }
    }
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
