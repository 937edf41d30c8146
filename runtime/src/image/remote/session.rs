//! One repository of one registry, asked with one set of credentials.

mod upload;

use http::header::{ACCEPT, AUTHORIZATION, HeaderValue, RANGE};
use http::{Method, StatusCode};
use parking_lot::Mutex;
use serde::Deserialize;

use super::challenge::{self, Challenge};
use super::{Error, words};
use crate::image::credentials::Credentials;
use crate::image::digest::Digest;
use crate::image::manifest::{MAX_MANIFEST, media};
use crate::image::registries::Endpoint;

/// The largest answer of a token server, and the longest complaint.
const MAX_TOKEN: u64 = 256 << 10;
const MAX_COMPLAINT: u64 = 64 << 10;

/// A conversation about one repository.
#[derive(Debug)]
pub(super) struct Session {
    client: reqwest::Client,
    endpoint: Endpoint,
    repository: String,
    credentials: Option<Credentials>,
    authorization: Mutex<Option<HeaderValue>>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Complaints {
    errors: Vec<Complaint>,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Session {
    pub(super) fn new(
        client: reqwest::Client,
        endpoint: Endpoint,
        repository: &str,
        credentials: Option<Credentials>,
    ) -> Self {
        Self { client, endpoint, repository: repository.to_owned(), credentials, authorization: Mutex::default() }
    }

    pub(super) fn host(&self) -> String {
        self.endpoint.host.clone()
    }

    /// The digest that a tag has there. None: the registry does not say without sending the manifest.
    pub(super) async fn head(&self, target: &str) -> Result<Option<Digest>, Error> {
        let answer = self.ask(Method::HEAD, &format!("manifests/{target}"), Some(media::ACCEPT), None).await?;
        match answer.status() {
            StatusCode::OK => {
                let digest = answer.headers().get("docker-content-digest").and_then(|digest| digest.to_str().ok());
                Ok(digest.and_then(|digest| digest.parse().ok()))
            }
            // Whatever it is, the answer to GET says more than one without a body.
            _ => Ok(None),
        }
    }

    /// A manifest, by digest or tag, with its digest.
    pub(super) async fn manifest(&self, target: &str) -> Result<(Digest, Vec<u8>), Error> {
        let answer = self.ask(Method::GET, &format!("manifests/{target}"), Some(media::ACCEPT), None).await?;
        let mut answer = self.good(answer, target).await?;
        if answer.content_length().is_some_and(|length| length > MAX_MANIFEST) {
            return Err(Error::HugeManifest(self.host()));
        }
        let Some(bytes) = self.collect(&mut answer, MAX_MANIFEST).await? else {
            return Err(Error::HugeManifest(self.host()));
        };
        let actual = Digest::of(&bytes);
        match target.parse::<Digest>() {
            Ok(expected) if expected != actual => Err(Error::Digest { host: self.host(), expected, actual }),
            _ => Ok((actual, bytes)),
        }
    }

    /// The answer to a request for a blob from `offset` on: 200, 206 or 416, its body unread.
    pub(super) async fn blob(&self, digest: &Digest, offset: u64) -> Result<reqwest::Response, Error> {
        let answer = self.ask(Method::GET, &format!("blobs/{digest}"), None, Some(offset)).await?;
        match answer.status() {
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(answer),
            _ => self.good(answer, digest).await,
        }
    }

    /// Asks; when the registry wants to know who we are, tells it and asks again.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        accept: Option<&'static str>,
        offset: Option<u64>,
    ) -> Result<reqwest::Response, Error> {
        let answer = self.send(method.clone(), path, accept, offset).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        match challenge::read(answer.headers()) {
            Some(challenge) if self.log_in(&challenge).await? => self.send(method, path, accept, offset).await,
            _ => Ok(answer),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        accept: Option<&'static str>,
        offset: Option<u64>,
    ) -> Result<reqwest::Response, Error> {
        let Endpoint { base, origin, .. } = &self.endpoint;
        let url = format!("{base}/{}/{path}", self.repository);
        let mut request = self.client.request(method, url);
        if let Some(origin) = origin {
            request = request.query(&[("ns", origin)]);
        }
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(offset) = offset.filter(|offset| *offset > 0) {
            request = request.header(RANGE, format!("bytes={offset}-"));
        }
        let authorization = self.authorization.lock().clone();
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.send().await.map_err(|error| Error::Unreachable { host: self.host(), reason: words(error) })
    }

    /// Gets what the challenge asks for. False when we have nothing to give.
    async fn log_in(&self, challenge: &Challenge) -> Result<bool, Error> {
        let authorization = match (challenge, &self.credentials) {
            (Challenge::Basic, None) => return Ok(false),
            (Challenge::Basic, Some(credentials)) => {
                use base64::Engine as _;
                let pair = format!("{}:{}", credentials.username, credentials.password);
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
            }
            (Challenge::Bearer { realm, service, scope }, _) => {
                format!("Bearer {}", self.token(realm, service.as_deref(), scope.as_deref()).await?)
            }
        };
        let mut value = HeaderValue::try_from(authorization).map_err(|_| self.login("the token is not one"))?;
        value.set_sensitive(true);
        *self.authorization.lock() = Some(value);
        Ok(true)
    }

    async fn token(&self, realm: &str, service: Option<&str>, scope: Option<&str>) -> Result<String, Error> {
        let url: reqwest::Url = realm.parse().map_err(|_| self.login("its token server has no valid address"))?;
        match (self.endpoint.base.starts_with("https:"), url.scheme()) {
            (_, "https") | (false, "http") => {}
            _ => return Err(self.login("its token server is not spoken to over TLS")),
        }
        let scope = scope.map_or_else(|| format!("repository:{}:pull", self.repository), str::to_owned);
        let mut request = self.client.get(url).query(&[("scope", scope)]);
        if let Some(service) = service {
            request = request.query(&[("service", service)]);
        }
        if let Some(Credentials { username, password }) = &self.credentials {
            request = request.query(&[("account", username)]).basic_auth(username, Some(password));
        }
        let answer = request.send().await;
        let mut answer = answer.map_err(|error| Error::Unreachable { host: self.host(), reason: words(error) })?;
        match answer.status() {
            status if status.is_success() => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(Error::Denied {
                    host: self.host(),
                    status: answer.status(),
                    detail: self.complaint(&mut answer).await,
                });
            }
            status => return Err(self.login(&format!("its token server answers {status}"))),
        }
        let Some(bytes) = self.collect(&mut answer, MAX_TOKEN).await? else {
            return Err(self.login("its token server answers without end"));
        };
        let token: Token = serde_json::from_slice(&bytes).map_err(|_| self.login("the token is not one"))?;
        token.token.or(token.access_token).ok_or_else(|| self.login("its token server gives no token"))
    }

    fn login(&self, reason: &str) -> Error {
        Error::Login { host: self.host(), reason: reason.to_owned() }
    }

    /// An answer that is none is an error.
    async fn good(&self, answer: reqwest::Response, what: &str) -> Result<reqwest::Response, Error> {
        if matches!(answer.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
            return Ok(answer);
        }
        Err(self.refused(answer, what).await)
    }

    async fn refused(&self, mut answer: reqwest::Response, what: &str) -> Error {
        let status = answer.status();
        let (host, detail) = (self.host(), self.complaint(&mut answer).await);
        match status {
            StatusCode::NOT_FOUND => {
                let separator = if what.contains(':') { '@' } else { ':' };
                Error::NotFound(format!("{host}/{}{separator}{what}", self.repository))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::Denied { host, status, detail },
            StatusCode::TOO_MANY_REQUESTS => Error::Limited { host, detail },
            status if status.is_server_error() => Error::Unavailable { host, status, detail },
            status => Error::Status { host, status, detail },
        }
    }

    /// What the registry says is wrong, when it says so in its own format: other bodies are not repeated.
    async fn complaint(&self, answer: &mut reqwest::Response) -> String {
        let Ok(Some(bytes)) = self.collect(answer, MAX_COMPLAINT).await else { return String::new() };
        let Ok(Complaints { errors }) = serde_json::from_slice(&bytes) else { return String::new() };
        let words = errors.into_iter().take(3).map(|Complaint { code, message }| format!("{code}: {message}"));
        let words: String =
            words.collect::<Vec<_>>().join(", ").chars().filter(|c| !c.is_control()).take(300).collect();
        if words.is_empty() { words } else { format!(" ({words})") }
    }

    /// The whole body; None when there is more than `most`.
    async fn collect(&self, answer: &mut reqwest::Response, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let mut bytes = Vec::new();
        let broken = |error| Error::Broken { host: self.host(), reason: words(error) };
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if (bytes.len() + chunk.len()) as u64 > most {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    }
}
