//! What a registry is given: blobs and manifests.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{Method, StatusCode};
use reqwest::{Client, RequestBuilder, Response, Url};

use super::super::{Error, words};
use super::{Session, challenge};
use crate::image::digest::Digest;

impl Session {
    /// Whether this content is there already.
    pub(in crate::image::remote) async fn has(&self, digest: &Digest) -> Result<bool, Error> {
        let answer = self.ask(Method::HEAD, &format!("blobs/{digest}"), None, None).await?;
        Ok(answer.status() == StatusCode::OK)
    }

    /// Gives it content, in one piece.
    pub(in crate::image::remote) async fn put_blob(&self, digest: &Digest, bytes: Bytes) -> Result<(), Error> {
        let begin = self.url("blobs/uploads/")?;
        let answer = self.tell(|client| client.post(begin.clone()).header(CONTENT_LENGTH, 0)).await?;
        let mut place = self.place(&answer)?;
        place.query_pairs_mut().append_pair("digest", digest);
        let put = |client: &Client| {
            client.put(place.clone()).header(CONTENT_TYPE, "application/octet-stream").body(bytes.clone())
        };
        self.tell(put).await.map(drop)
    }

    /// Gives it a manifest under a tag or its digest.
    pub(in crate::image::remote) async fn put_manifest(
        &self,
        target: &str,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<(), Error> {
        let place = self.url(&format!("manifests/{target}"))?;
        let put = |client: &Client| client.put(place.clone()).header(CONTENT_TYPE, media_type).body(bytes.clone());
        self.tell(put).await.map(drop)
    }

    fn url(&self, path: &str) -> Result<Url, Error> {
        let url = format!("{}/{}/{path}", self.endpoint.base, self.repository);
        url.parse().map_err(|_| self.login("it has no valid address"))
    }

    /// Where the content goes. Registries may have it elsewhere, but not without the TLS that there was.
    fn place(&self, answer: &Response) -> Result<Url, Error> {
        let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let place = location.and_then(|location| answer.url().join(location).ok());
        match place {
            Some(place) if place.scheme() == "https" || answer.url().scheme() == "http" => Ok(place),
            _ => Err(Error::Upload(self.host())),
        }
    }

    /// Sends what `make` makes; when the registry wants to know who we are, tells it and sends it again.
    async fn tell(&self, make: impl Fn(&Client) -> RequestBuilder) -> Result<Response, Error> {
        let mut answer = self.send_once(&make).await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(challenge) = challenge::read(answer.headers())
            && self.log_in(&challenge).await?
        {
            answer = self.send_once(&make).await?;
        }
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(match self.refused(answer, "").await {
            Error::Denied { host, status, detail } => Error::PushDenied { host, status, detail },
            error => error,
        })
    }

    /// Who we are is for the registry alone, wherever it wants the content.
    async fn send_once(&self, make: &impl Fn(&Client) -> RequestBuilder) -> Result<Response, Error> {
        let unreachable = |error| Error::Unreachable { host: self.host(), reason: words(error) };
        let mut request = make(&self.client).build().map_err(unreachable)?;
        let ours = self.url("")?;
        if is_same_host(request.url(), &ours)
            && let Some(authorization) = self.authorization.lock().clone()
        {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        self.client.execute(request).await.map_err(unreachable)
    }
}

fn is_same_host(one: &Url, other: &Url) -> bool {
    one.host_str() == other.host_str() && one.port_or_known_default() == other.port_or_known_default()
}
