//! `pods/NAME/proxy`, `services/NAME/proxy`, `nodes/NAME/proxy`: HTTP by way of the API.
//!
//! ```text
//! request ─► place: which address? ─► headers: what is between two hops only ─► backend: dial, TLS ─► the other side
//!      answer ◄─ cross-origin headers gone ◄─ links and Location led back through here ◄─────────────────────┘
//! ```

mod backend;
mod headers;
mod html;
mod links;
mod page;
mod place;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::asked::Asked;
use super::connect::is_upgrade;
use super::node_proxy::NodeTransport;
use super::{Body, respond};
use crate::status::Status;
use links::Links;
use place::Place;

/// Passes a request on and its answer back.
///
/// # Errors
/// What [`Place::find`] has against it; 503 where nobody answers.
pub async fn proxy(asked: Asked<'_>, nodes: &NodeTransport, body: Body) -> Result<Response<Body>, Status> {
    let head = asked.head;
    let rest = rest(head.uri.path(), !asked.target.namespace.is_empty());
    let upgrade = is_upgrade(head);
    let place = Place::find(asked)?;
    if rest.is_empty() && !upgrade && matches!(head.method, Method::GET | Method::HEAD) {
        return Ok(to_the_root(&head.uri));
    }
    let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = if rest.is_empty() { "/" } else { rest };
    let uri: Uri = format!("{path}{query}").parse().map_err(|_| Status::bad_request("invalid proxied path"))?;
    let links = Links::new(head.uri.path(), path, head.headers.get(HOST), place.authority());
    let mut request = Request::builder().method(head.method.clone()).uri(uri).body(body).map_err(Status::internal)?;
    *request.headers_mut() = headers::forwarded(head, upgrade);
    links.announce(request.headers_mut());
    let client = head.extensions.get::<OnUpgrade>().cloned().filter(|_| upgrade);
    let response = match place {
        Place::Node { name } => {
            *request.extensions_mut() = head.extensions.clone();
            let asked = nodes(&name, request);
            let asked = asked.ok_or_else(|| trying(format_args!("node \"{name}\" cannot be reached")))?;
            // The node takes the connection over by itself.
            return Ok(led_back(asked.await.map_err(trying)?, &links));
        }
        Place::Address { address, tls } => {
            backend::send(asked.registry.webhooks(), address, tls, request).await.map_err(trying)?
        }
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(joined(response, client, head.extensions.clone()));
    }
    Ok(led_back(response, &links))
}

/// The path behind `/proxy`, as the client encoded it; with its slash, or empty.
fn rest(path: &str, namespaced: bool) -> &str {
    let segments = if namespaced { 8 } else { 6 };
    let start = path.match_indices('/').nth(segments - 1).map(|(at, _)| at);
    start.map_or("", |start| &path[start..])
}

/// A page without a slash behind it would have links that lead elsewhere.
fn to_the_root(uri: &Uri) -> Response<Body> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut response = Response::new(respond::full(""));
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    if let Ok(location) = HeaderValue::try_from(format!("{}/{query}", uri.path())) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn trying(why: impl std::fmt::Display) -> Status {
    Status::new(503, "ServiceUnavailable", format!("error trying to reach service: {why}"))
}

/// Carries bytes between the client and the other side, once both have changed the protocol.
fn joined(mut response: Response<Body>, client: Option<OnUpgrade>, held: http::Extensions) -> Response<Body> {
    let server = response.extensions_mut().remove::<OnUpgrade>();
    if let (Some(client), Some(server)) = (client, server) {
        // Ends with either side; it belongs to both connections and to nobody else.
        tokio::spawn(async move {
            let _held = held;
            let (Ok(client), Ok(server)) = (client.await, server.await) else { return };
            let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        });
    }
    response
}

/// The answer with what would lead past the proxy led back to it.
fn led_back(mut response: Response<Body>, links: &Links) -> Response<Body> {
    headers::cleaned(response.headers_mut());
    let text = |response: &Response<Body>, name| {
        let value = response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let location = text(&response, LOCATION);
    if !location.is_empty() {
        if let Ok(location) = HeaderValue::try_from(links.rewrite(&location)) {
            response.headers_mut().insert(LOCATION, location);
        }
        return response;
    }
    let kind = text(&response, CONTENT_TYPE);
    if kind.split(';').next().map(str::trim) != Some("text/html") {
        return response;
    }
    let Some(page) = page::Page::new(&text(&response, CONTENT_ENCODING), links.clone()) else { return response };
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().remove(CONTENT_ENCODING);
    response.map(|body| page.rewrite(body))
}
