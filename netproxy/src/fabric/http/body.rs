//! Bodies that look after what they came from.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::pool::Lent;
use super::{Body, BoxError};

/// How long what nobody reads is read on.
const DRAIN: Duration = Duration::from_secs(30);

/// A request whose body, when the handler drops it unread, is read to its end: a client that is still sending would
/// otherwise see a reset in place of the response.
pub(super) fn drained(request: Request<Body>) -> Request<Body> {
    if http_body::Body::is_end_stream(request.body()) {
        return request;
    }
    request.map(|body| Body::new(Drained(Some(body))))
}

struct Drained(Option<Body>);

impl http_body::Body for Drained {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let Some(mut body) = self.0.take().filter(|body| !http_body::Body::is_end_stream(body)) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // Ends with the body, or by its own clock.
            runtime.spawn(timeout(DRAIN, async move { while let Some(Ok(_)) = body.frame().await {} }));
        }
    }
}

/// A body off the wire.
pub(crate) fn incoming(body: Incoming) -> Body {
    if http_body::Body::is_end_stream(&body) {
        return Body::new(http_body_util::Empty::new().map_err(|never| match never {}));
    }
    Body::new(body.map_err(BoxError::from))
}

/// A response whose connection goes back to the pool when its body has been read to the end.
pub(super) fn lent(response: Response<Incoming>, lent: Lent) -> Response<Body> {
    response.map(|body| {
        if http_body::Body::is_end_stream(&body) {
            lent.give_back();
            return Body::new(http_body_util::Empty::new().map_err(|never| match never {}));
        }
        Body::new(LentBody { body, lent: Some(lent) })
    })
}

struct LentBody {
    body: Incoming,
    lent: Option<Lent>,
}

impl http_body::Body for LentBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Err(_)) => self.lent = None,
            None => self.lent.take().into_iter().for_each(Lent::give_back),
            Some(Ok(_)) if self.body.is_end_stream() => self.lent.take().into_iter().for_each(Lent::give_back),
            Some(Ok(_)) => {}
        }
        Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
