//! A call of a `wasi:http/handler`, WASI 0.3's form of a handler.
//!
//! The handler returns the head of its response and goes on: its tasks write the body, and may have other things to do
//! after it. The instance lives until they are done, and the body has reached the caller or the caller has gone.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use netproxy::fabric::Body;
use tokio::sync::oneshot;
use wasmtime::Store;
use wasmtime::component::Accessor;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p3::Request as GuestRequest;
use wasmtime_wasi_http::p3::bindings::{Service, ServicePre};
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView as _};

use super::http::{Head, broken};
use crate::host::Host;

pub(super) async fn call(
    mut store: Store<Host>,
    entry: &ServicePre<Host>,
    request: Request<Body>,
    head: oneshot::Sender<Head>,
) -> wasmtime::Result<()> {
    let service = entry.instantiate_async(&mut store).await?;
    store.run_concurrent(async |store| handle(store, &service, request, head).await).await?
}

async fn handle(
    store: &Accessor<Host>,
    service: &Service,
    request: Request<Body>,
    head: oneshot::Sender<Head>,
) -> wasmtime::Result<()> {
    let request = request.map(|body| body.map_err(broken));
    let (request, received) = store.with(|mut access| {
        let (request, received) = GuestRequest::from_http(access.data_mut().http().hooks, request);
        (request, Box::pin(received) as BoxFuture<'static, Result<(), Error>>)
    });
    match service.handle(store, request).await? {
        Ok(response) => {
            let response = store.with(|access| response.into_http(access, received))?;
            let (response, delivered) = watched(response);
            // The caller may have gone; then the body goes, too, and the handler sees that.
            let _ = head.send(Ok(response));
            let _ = delivered.await;
        }
        Err(code) => {
            let _ = head.send(Err(ErrorCode::InternalError(Some(code.to_string()))));
        }
    }
    poll_fn(|cx| store.poll_no_interesting_tasks(cx)).await;
    Ok(())
}

/// A response that tells when its body is over, or nobody wants it.
fn watched(response: Response<WasiBody>) -> (Response<WasiBody>, oneshot::Receiver<()>) {
    let (over, delivered) = oneshot::channel();
    (response.map(|body| Watched { body, over: Some(over) }.boxed_unsync()), delivered)
}

struct Watched {
    body: WasiBody,
    /// Dropped is told.
    over: Option<oneshot::Sender<()>>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.over = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
