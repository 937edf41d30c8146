//! A guest that handles HTTP requests: an instance each, none while it is idle. (WASI 0.3's call is [its own](http3).)
//!
//! The pod's ports are registered with the fabric, which calls the handler with a request, wherever that came from: the
//! proxy, a probe, another guest. The instance then runs on the guests' threads, to its end even when the caller has
//! gone; the head of the response and both bodies go through as they come. A handler that fails has failed one request:
//! the container runs until it is stopped.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures::future::BoxFuture;
use http::header::HOST;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use netproxy::fabric::{Body, BoxError, HandlerError, HttpBinding, HttpHandler};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use wasmtime::Store;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::{Error, WasiHttpView};

use super::gate::Unfinished;
use super::output::Stdio;
use super::processes::Listed;
use super::program::Program;
use super::verdict::{self, Exit};
use super::{Setting, StartError, http3};
use crate::guest::Service;
use crate::host::Host;

/// Requests that one container handles at once; more wait their turn.
const AT_ONCE: u64 = 256;

/// The handler that the fabric calls.
#[derive(Clone)]
struct Handler(Arc<Inner>);

struct Inner {
    setting: Arc<Setting>,
    program: Arc<Program>,
    entry: Service,
    room: Arc<Semaphore>,
}

pub(super) fn start(setting: Arc<Setting>, entry: Service) -> Result<JoinHandle<Exit>, StartError> {
    // Found now rather than by the first request: a mount that can't be opened.
    let program = setting.main();
    let listed = Listed::new(&setting.sandbox.processes, &program.process);
    drop(Host::new(&setting, program.clone())?);
    let room = at_once(setting.memory.limit(), setting.guest.initial_memory);
    let handler =
        Handler(Arc::new(Inner { setting: setting.clone(), program, entry, room: Arc::new(Semaphore::new(room)) }));
    let bind = |&port| {
        let bound = setting.sandbox.plug.serve_http(port, Arc::new(handler.clone()));
        bound.map_err(|source| StartError::Port { port, source })
    };
    let bindings = setting.spec.http_ports.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
    setting.gate.serves();
    setting.gate.waits().cancel();
    let engine = setting.engine.clone();
    Ok(engine.inner().guests.spawn(hold(setting, listed, bindings)))
}

/// As many instances as the container's memory has room for twice over, so that they can grow a little.
fn at_once(limit: u64, initial: u64) -> usize {
    (limit / (2 * initial).max(1)).clamp(1, AT_ONCE) as usize
}

async fn hold(setting: Arc<Setting>, listed: Listed, bindings: Vec<HttpBinding>) -> Exit {
    let process = listed.process().clone();
    let exit = tokio::select! {
        () = setting.gate.over() => Exit::Code(0),
        code = process.stopped() => Exit::Code(code),
    };
    drop(bindings);
    setting.console.close();
    listed.finish(exit.clone());
    exit
}

impl HttpHandler for Handler {
    fn call(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, HandlerError>> {
        let handler = Arc::clone(&self.0);
        Box::pin(async move {
            let unfinished = handler.setting.gate.begin();
            if handler.setting.gate.is_shut() {
                return Err(HandlerError::Stopping(Box::new(request)));
            }
            Ok(answer(handler, unfinished, request).await)
        })
    }
}

pub(super) type Head = Result<Response<HyperOutgoingBody>, ErrorCode>;

async fn answer(handler: Arc<Inner>, unfinished: Unfinished, request: Request<Body>) -> Response<Body> {
    // Never closed.
    let room = Arc::clone(&handler.room).acquire_owned().await;
    let (send, head) = oneshot::channel();
    let setting = Arc::clone(&handler.setting);
    let instance = setting.engine.inner().guests.spawn(async move {
        let _while_it_lives = (unfinished, room);
        let setting = &handler.setting;
        let guest = setting.cpu.paced(&handler.program.process.meter, run(&handler, request, send));
        tokio::select! {
            outcome = guest => outcome.inspect_err(|why| complain(setting, why)),
            () = setting.gate.gone() => Err("the container was stopped".to_owned()),
        }
    });
    match head.await {
        Ok(Ok(response)) => response.map(|body| body.map_err(BoxError::from).boxed_unsync()),
        Ok(Err(code)) => refusal(StatusCode::BAD_GATEWAY, &format!("the handler answered with an error: {code}")),
        // The instance is over and has not answered.
        Err(_) => match instance.await {
            Ok(Ok(())) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the handler returned without an answer"),
            Ok(Err(why)) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &why),
            Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the handler is gone"),
        },
    }
}

/// One instance, from its making to its end, which may be long after the head of its response is out.
async fn run(handler: &Inner, request: Request<Body>, head: oneshot::Sender<Head>) -> Result<(), String> {
    let Inner { setting, program, entry, .. } = handler;
    let host = Host::new(setting, program.clone()).map_err(|error| error.to_string())?;
    let denied = host.limits.denied();
    let store = host.into_store();
    let request = named(request, setting);
    let result = match entry {
        Service::Sequential(entry) => call(store, entry, request, head).await,
        Service::Concurrent(entry) => http3::call(store, entry, request, head).await,
    };
    match verdict::judge(result.map(Ok), denied.load(Relaxed)) {
        // Some toolchains end a handler with exit(0).
        Exit::Code(0) => Ok(()),
        Exit::Code(code) => Err(format!("the handler exited with code {code}")),
        Exit::Trap { message, backtrace } => Err(format!("the handler trapped: {message}\n{backtrace}")),
        Exit::OutOfMemory => Err(format!("the handler needs more than {} bytes of memory", setting.memory.limit())),
        Exit::HostFault(why) => Err(why),
    }
}

async fn call(
    mut store: Store<Host>,
    entry: &ProxyPre<Host>,
    request: Request<Body>,
    head: oneshot::Sender<Head>,
) -> wasmtime::Result<()> {
    let request = request.map(|body| body.map_err(broken));
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let answer = store.data_mut().http().new_response_outparam(head)?;
    let instance = entry.instantiate_async(&mut store).await?;
    instance.wasi_http_incoming_handler().call_handle(&mut store, request, answer).await
}

/// HTTP/1.1 without a host makes no sense to a guest; callers inside the node may leave it out.
fn named(mut request: Request<Body>, setting: &Setting) -> Request<Body> {
    if request.uri().authority().is_none() && !request.headers().contains_key(HOST) {
        let name = setting.sandbox.plug.address().to_string();
        if let Ok(name) = HeaderValue::from_maybe_shared(name.into_bytes()) {
            request.headers_mut().insert(HOST, name);
        }
    }
    request
}

pub(super) fn broken(error: BoxError) -> Error {
    match error.downcast::<hyper::Error>() {
        Ok(error) => Error::Hyper(*error),
        Err(error) => Error::InternalError(Some(error.to_string())),
    }
}

/// Into the pod's log, where its other troubles are.
fn complain(setting: &Setting, why: &str) {
    setting.console.write(Stdio::Stderr, format!("{}\n", why.trim_end()).as_bytes());
}

/// The caller gets the first line; the rest is for the log.
fn refusal(status: StatusCode, why: &str) -> Response<Body> {
    let line = format!("{}\n", why.lines().next().unwrap_or_default());
    let mut response = Response::new(Full::from(line).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_at_once_fit_the_memory_limit() {
        const MIB: u64 = 1 << 20;
        assert_eq!(at_once(64 * MIB, MIB), 32);
        assert_eq!(at_once(MIB, MIB), 1, "one is always tried");
        assert_eq!(at_once(4096 * MIB, MIB), 256);
        assert_eq!(at_once(64 * MIB, 0), 256);
    }
}
