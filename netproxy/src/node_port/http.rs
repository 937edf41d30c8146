//! HTTP at a node port: every request goes to the endpoint whose turn it is.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_util::sync::CancellationToken;

use super::connection::Rewound;
use super::listen::Behind;
use crate::fabric::{Body, RequestError, incoming, plain};

/// Serves an HTTP/1.1 connection, WebSocket and other upgrades included.
pub(super) async fn serve1(stream: Rewound, behind: Arc<Behind>) {
    let closing = behind.closing.clone();
    let service = service_fn(move |request| answer(behind.clone(), request));
    let mut builder = http1::Builder::new();
    builder.auto_date_header(false).half_close(true);
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        served = connection.as_mut() => return drop(served),
        () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

/// Serves an HTTP/2 connection in the clear, as gRPC clients open it.
pub(super) async fn serve2(stream: Rewound, behind: Arc<Behind>) {
    let closing = behind.closing.clone();
    let service = service_fn(move |request| answer(behind.clone(), request));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.auto_date_header(false);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        served = connection.as_mut() => return drop(served),
        () = closing.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

async fn answer(behind: Arc<Behind>, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let Some(service) = behind.service() else { return Ok(failure(&RequestError::NoEndpoints)) };
    let upgrade = request.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let answered = behind.fabric.balance(&service, request.map(incoming)).await;
    Ok(match (answered, upgrade) {
        (Ok(mut response), Some(client)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            let server = hyper::upgrade::on(&mut response);
            tokio::spawn(carry(client, server, behind.stopping.clone()));
            response
        }
        (Ok(response), _) => response,
        (Err(error), _) => {
            tracing::debug!(service = %service.service, %error, "a request brought no response");
            failure(&error)
        }
    })
}

/// Carries what follows an upgrade, until both have ended or the proxy stops.
async fn carry(client: OnUpgrade, server: OnUpgrade, stopping: CancellationToken) {
    let carried = async {
        let (Ok(client), Ok(server)) = tokio::join!(client, server) else { return };
        let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
        drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
    };
    tokio::select! {
        () = carried => {}
        () = stopping.cancelled() => {}
    }
}

fn failure(error: &RequestError) -> Response<Body> {
    match error {
        RequestError::NoEndpoints => plain(StatusCode::SERVICE_UNAVAILABLE, "no endpoint of the service is ready\n"),
        error if error.is_timeout() => plain(StatusCode::GATEWAY_TIMEOUT, "the endpoint does not answer\n"),
        RequestError::Invalid(_) => plain(StatusCode::BAD_REQUEST, "bad request\n"),
        RequestError::Connect { .. } | RequestError::Gone(_) => {
            plain(StatusCode::BAD_GATEWAY, "no endpoint of the service took the request\n")
        }
        _ => plain(StatusCode::BAD_GATEWAY, "the endpoint broke off before it answered\n"),
    }
}
