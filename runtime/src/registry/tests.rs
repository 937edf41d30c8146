use http::header::{CONTENT_RANGE, LOCATION, RANGE};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::image::Digest;

struct Client {
    registry: Registry,
    _directory: tempfile::TempDir,
}

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Client {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("directory");
        let store = Store::open(directory.path()).expect("store");
        Self { registry: Registry::new(store), _directory: directory }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_vec())).expect("request");
        let response = self.registry.clone().oneshot(request).await.expect("infallible");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("body").to_bytes();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").await
    }

    async fn push_blob(&self, name: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        assert_eq!(self.send("POST", &path, &[], bytes).await.status, 201);
        digest
    }

    /// Pushes a program as the CNCF's layout has it; the manifest's digest.
    async fn push(&self, name: &str, tag: &str, program: &[u8]) -> String {
        let layer = self.push_blob(name, program).await;
        let config = json!({"architecture": "wasm", "os": "wasip2", "layerDigests": [layer]}).to_string();
        let config_digest = self.push_blob(name, config.as_bytes()).await;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": config_digest, "size": config.len()},
            "layers": [{"mediaType": "application/wasm", "digest": layer, "size": program.len()}],
        });
        let path = format!("/v2/{name}/manifests/{tag}");
        let put = self.send("PUT", &path, &[("content-type", MANIFEST)], manifest.to_string().as_bytes()).await;
        assert_eq!(put.status, 201, "{:?}", put.body);
        put.header("docker-content-digest").to_owned()
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const PROGRAM: &[u8] = b"\0asm\x0d\0\x01\0";

#[tokio::test]
async fn what_was_pushed_can_be_pulled_and_run() {
    let client = Client::new();
    assert_eq!(client.get("/v2/").await.header("docker-distribution-api-version"), "registry/2.0");
    let digest = client.push("team/app", "v1", PROGRAM).await;
    let by_tag = client.get("/v2/team/app/manifests/v1").await;
    assert_eq!((by_tag.status, by_tag.header("content-type")), (200, MANIFEST));
    assert_eq!(by_tag.header("docker-content-digest"), digest);
    assert_eq!(client.get(&format!("/v2/team/app/manifests/{digest}")).await.body, by_tag.body);
    let layer = by_tag.json()["layers"][0]["digest"].as_str().expect("digest").to_owned();
    assert_eq!(client.get(&format!("/v2/team/app/blobs/{layer}")).await.body, PROGRAM);
    let head = client.send("HEAD", "/v2/team/app/manifests/v1", &[], b"").await;
    assert_eq!((head.header("content-length"), head.body.len()), (by_tag.body.len().to_string().as_str(), 0));
    let image = client.registry.store.resolve("localhost/team/app:v1").expect("store").expect("image");
    assert_eq!(std::fs::read(image.module.path).expect("read"), PROGRAM);
}

#[tokio::test]
async fn chunks_follow_on_each_other() {
    let client = Client::new();
    let begun = client.send("POST", "/v2/app/blobs/uploads/", &[], b"").await;
    let location = begun.header(LOCATION.as_str()).to_owned();
    assert_eq!(begun.status, 202);
    let first = client.send("PATCH", &location, &[(CONTENT_RANGE.as_str(), "0-2")], b"abc").await;
    assert_eq!((first.status, first.header(RANGE.as_str())), (202, "0-2"));
    let skipped = client.send("PATCH", &location, &[(CONTENT_RANGE.as_str(), "5-6")], b"xx").await;
    assert_eq!(skipped.status, 416);
    assert_eq!(client.get(&location).await.header(RANGE.as_str()), "0-2", "nothing of the wrong chunk was kept");
    let digest = Digest::of(b"abcdef");
    let wrong = client.send("PUT", &format!("{location}?digest={}", Digest::of(b"other")), &[], b"def").await;
    assert_eq!((wrong.status, wrong.code()), (400, "DIGEST_INVALID".into()));
    assert_eq!(client.get(&location).await.status, 404, "nothing is left of what was not what it was said to be");
    let again = client.send("POST", "/v2/app/blobs/uploads/", &[], b"").await.header(LOCATION.as_str()).to_owned();
    client.send("PATCH", &again, &[], b"abc").await;
    assert_eq!(client.send("PUT", &format!("{again}?digest={digest}"), &[], b"def").await.status, 201);
    let part = client.send("GET", &format!("/v2/app/blobs/{digest}"), &[("range", "bytes=1-3")], b"").await;
    assert_eq!((part.status, &part.body[..], part.header("content-range")), (206, &b"bcd"[..], "bytes 1-3/6"));
}

#[tokio::test]
async fn a_blob_that_is_here_need_not_be_sent_again() {
    let client = Client::new();
    let digest = client.push_blob("one", b"shared").await;
    let mounted = client.send("POST", &format!("/v2/two/blobs/uploads/?mount={digest}&from=one"), &[], b"").await;
    assert_eq!((mounted.status, mounted.header("docker-content-digest")), (201, &*digest.to_string()));
    let unknown = Digest::of(b"unknown");
    let begun = client.send("POST", &format!("/v2/two/blobs/uploads/?mount={unknown}&from=one"), &[], b"").await;
    assert_eq!(begun.status, 202);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let client = Client::new();
    for tag in ["a", "b", "c"] {
        client.push("app", tag, PROGRAM).await;
    }
    let first = client.get("/v2/app/tags/list?n=2").await;
    assert_eq!(first.json(), json!({"name": "app", "tags": ["a", "b"]}));
    assert_eq!(first.header("link"), "</v2/app/tags/list?n=2&last=b>; rel=\"next\"");
    assert_eq!(client.get("/v2/app/tags/list?n=2&last=b").await.json()["tags"], json!(["c"]));
    assert_eq!(client.get("/v2/_catalog").await.json(), json!({"repositories": ["app"]}));
    assert_eq!(client.get("/v2/none/tags/list").await.code(), "NAME_UNKNOWN");
}

#[tokio::test]
async fn deletes_take_tags_and_what_only_they_had() {
    let client = Client::new();
    let digest = client.push("app", "v1", PROGRAM).await;
    client.push("app", "v2", PROGRAM).await;
    assert_eq!(client.send("DELETE", "/v2/app/manifests/v1", &[], b"").await.status, 202);
    assert_eq!(client.get("/v2/app/manifests/v2").await.status, 200);
    assert_eq!(client.send("DELETE", &format!("/v2/app/manifests/{digest}"), &[], b"").await.status, 202);
    assert_eq!(client.get("/v2/app/manifests/v2").await.code(), "MANIFEST_UNKNOWN");
    let blob = format!("/v2/app/blobs/{}", Digest::of(PROGRAM));
    assert_eq!(client.get(&blob).await.status, 404, "nobody needs it any more");
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let client = Client::new();
    let manifest =
        json!({"schemaVersion": 2, "config": {"mediaType": "x", "digest": Digest::of(b"no"), "size": 2}, "layers": []});
    let cases = [
        ("GET", "/v2/app/manifests/v1", String::new(), 404, "MANIFEST_UNKNOWN"),
        ("PUT", "/v2/app/manifests/v1", "{".to_owned(), 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/app/manifests/v1", manifest.to_string(), 400, "MANIFEST_BLOB_UNKNOWN"),
        ("PUT", "/v2/app/manifests/v1", " ".repeat(5 << 20), 413, "SIZE_INVALID"),
        ("GET", "/v2/APP/manifests/v1", String::new(), 400, "NAME_INVALID"),
        ("GET", "/v2/app/blobs/sha256:1", String::new(), 400, "DIGEST_INVALID"),
        ("PATCH", "/v2/app/blobs/uploads/none", String::new(), 404, "BLOB_UPLOAD_UNKNOWN"),
        ("PATCH", "/v2/app/blobs/uploads/..%2fx", String::new(), 404, "BLOB_UPLOAD_UNKNOWN"),
        ("POST", "/v2/app/manifests/v1", String::new(), 405, "UNSUPPORTED"),
    ];
    for (method, path, body, status, code) in cases {
        let answer = client.send(method, path, &[], body.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {path}");
    }
}
