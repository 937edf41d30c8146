//! `https` through `wasi:http`: the node makes the connection, checks the certificate and encrypts.

use std::io::Read;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::{InputStream, StreamError};

use super::{Error, Patience, Request, Response};

/// Bytes that a stream takes at once.
const PIECE: usize = 4 << 10;

pub fn send(request: &Request, patience: Patience) -> Result<Response, Error> {
    let told = |what: &str| Error::Secure(what.to_owned());
    let headers: Vec<(String, Vec<u8>)> =
        request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone().into_bytes())).collect();
    let fields = Fields::from_list(&headers).map_err(|error| told(&error.to_string()))?;
    let outgoing = OutgoingRequest::new(fields);
    let well = outgoing
        .set_method(&method(&request.method))
        .and_then(|()| outgoing.set_scheme(Some(&Scheme::Https)))
        .and_then(|()| outgoing.set_authority(Some(&request.url.authority())))
        .and_then(|()| outgoing.set_path_with_query(Some(&request.url.path)));
    well.map_err(|()| told("the request cannot be sent"))?;
    let body = outgoing.body().map_err(|()| told("the request has no body"))?;
    let options = RequestOptions::new();
    let nanoseconds = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let _ = options.set_connect_timeout(patience.connect.or(patience.all).map(nanoseconds));
    let _ = options.set_first_byte_timeout(patience.all.map(nanoseconds));
    let _ = options.set_between_bytes_timeout(patience.all.map(nanoseconds));
    let future = outgoing_handler::handle(outgoing, Some(options)).map_err(|code| error(request, &code))?;
    write(body, &request.body)?;
    future.subscribe().block();
    let answered = future.get().ok_or(Error::Empty)?.map_err(|()| Error::Empty)?;
    let response = answered.map_err(|code| error(request, &code))?;
    let headers = response.headers().entries();
    let headers =
        headers.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())).collect();
    let code = response.status();
    let body = response.consume().map_err(|()| Error::Empty)?;
    let stream = body.stream().map_err(|()| Error::Empty)?;
    Ok(Response {
        status_line: format!("HTTP/1.1 {code}"),
        code,
        headers,
        body: Box::new(Body { stream, _body: body }),
    })
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "PATCH" => Method::Patch,
        "OPTIONS" => Method::Options,
        other => Method::Other(other.to_owned()),
    }
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), Error> {
    let broken = |_| Error::Secure("the server takes no more of the request".to_owned());
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| Error::Secure("the request has no body".to_owned()))?;
        for piece in bytes.chunks(PIECE) {
            stream.blocking_write_and_flush(piece).map_err(broken)?;
        }
    }
    OutgoingBody::finish(body, None).map_err(|code| Error::Secure(code.to_string()))
}

fn error(request: &Request, code: &ErrorCode) -> Error {
    let host = || request.url.host.clone();
    match code {
        ErrorCode::DnsError(_) | ErrorCode::DnsTimeout | ErrorCode::DestinationNotFound => Error::Resolve(host()),
        ErrorCode::ConnectionRefused => {
            Error::Connect { host: host(), port: request.url.port, why: "Connection refused".to_owned() }
        }
        ErrorCode::ConnectionTimeout | ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            Error::Timeout
        }
        ErrorCode::DestinationIpUnroutable | ErrorCode::DestinationIpProhibited => {
            Error::Connect { host: host(), port: request.url.port, why: "No route to host".to_owned() }
        }
        other => Error::Secure(format!("{other:?}").trim_start_matches("ErrorCode::").to_owned()),
    }
}

/// The stream is dropped before the body that it is of.
struct Body {
    stream: InputStream,
    _body: IncomingBody,
}

impl Read for Body {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        match self.stream.blocking_read(bytes.len() as u64) {
            Ok(read) => {
                bytes[..read.len()].copy_from_slice(&read);
                Ok(read.len())
            }
            Err(StreamError::Closed) => Ok(0),
            Err(StreamError::LastOperationFailed(error)) => Err(std::io::Error::other(error.to_debug_string())),
        }
    }
}
