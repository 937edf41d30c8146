//! Several versions of a kind, and a webhook that converts between them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use control::auth::{Pki, server_names};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::harness::*;

const V2: &str = "/apis/stable.example.com/v2/namespaces/golden/crontabs";

/// A webhook on a port of the loopback: `spec.cron` of v1 is `spec.schedule` of v2. Returns its `clientConfig`.
async fn webhook() -> Value {
    let pki = Pki::open(None).expect("an authority");
    let names = server_names([127, 0, 0, 1].into(), [10, 43, 0, 1].into(), "cluster.local", &[]);
    let identity = pki.server(&names).expect("an identity");
    let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes()).filter_map(Result::ok).collect();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate");
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let serve = hyper::server::conn::http1::Builder::new();
                let _ = serve.serve_connection(TokioIo::new(stream), service_fn(convert)).await;
            });
        }
    });
    json!({"url": format!("https://127.0.0.1:{port}/convert"), "caBundle": STANDARD.encode(pki.authority())})
}

async fn convert(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let review: Value = serde_json::from_slice(&body).expect("a review");
    let desired = &review["request"]["desiredAPIVersion"];
    let mut objects = review["request"]["objects"].as_array().expect("objects").clone();
    let failed = objects.iter().any(|o| o["spec"]["cron"] == "never" || o["spec"]["schedule"] == "never");
    for object in &mut objects {
        object["apiVersion"] = desired.clone();
        let spec = object["spec"].as_object_mut().expect("a spec");
        let (from, to) = if desired == "stable.example.com/v2" { ("cron", "schedule") } else { ("schedule", "cron") };
        if let Some(value) = spec.shift_remove(from) {
            spec.insert(to.to_owned(), value);
        }
    }
    let result =
        if failed { json!({"status": "Failed", "message": "never say never"}) } else { json!({"status": "Success"}) };
    let answer = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
        "response": {"uid": review["request"]["uid"], "result": result, "convertedObjects": objects}});
    Ok(Response::new(Full::new(answer.to_string().into())))
}

async fn started() -> Server {
    let client = webhook().await;
    let mut definition = crontabs(json!({"type": "object", "properties": {"cron": {"type": "string"}}}));
    let mut v2 = definition["spec"]["versions"][0].clone();
    v2["name"] = "v2".into();
    v2["storage"] = false.into();
    v2["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] = json!({"schedule": {"type": "string"}});
    definition["spec"]["versions"].as_array_mut().expect("versions").push(v2);
    definition["spec"]["conversion"] =
        json!({"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]}});
    let server = Server::start().await;
    server.define(definition).await;
    server
}

#[tokio::test]
async fn a_webhook_converts_on_the_way_in_and_out() {
    let server = started().await;
    let mut sent = crontab("a", json!({"schedule": "*"}));
    sent["apiVersion"] = "stable.example.com/v2".into();
    let made = server.make(V2, sent).await;
    assert_eq!((&made["apiVersion"], &made["spec"]), (&json!("stable.example.com/v2"), &json!({"schedule": "*"})));
    let first = server.read(&format!("{CRONTABS}/a")).await;
    assert_eq!((&first["spec"], version(&first)), (&json!({"cron": "*"}), version(&made)));
    let after = server.patch(&format!("{V2}/a"), MERGE, json!({"spec": {"schedule": "x"}})).await.with(200);
    assert_eq!((&after["spec"], &after["metadata"]["generation"]), (&json!({"schedule": "x"}), &json!(2)));
    let list = server.read(V2).await;
    assert_eq!(list["items"][0]["spec"], json!({"schedule": "x"}));
    assert_eq!(server.read(&format!("{CRONTABS}/a")).await["spec"], json!({"cron": "x"}));
    server.delete(&format!("{V2}/a")).await.with(200);
}

#[tokio::test]
async fn watches_are_converted_too() {
    let server = started().await;
    server.make(CRONTABS, crontab("old", json!({"cron": "1"}))).await;
    let mut events = server.watch(&format!("{V2}?watch=1")).await;
    server.make(CRONTABS, crontab("new", json!({"cron": "2"}))).await;
    for (name, schedule) in [("old", "1"), ("new", "2")] {
        let event = events.next().await.expect("an event");
        assert_eq!(
            (&event["object"]["metadata"]["name"], &event["object"]["spec"]["schedule"]),
            (&json!(name), &json!(schedule))
        );
    }
}

#[tokio::test]
async fn what_the_webhook_refuses_is_a_failure_in_its_words() {
    let server = started().await;
    server.make(CRONTABS, crontab("a", json!({"cron": "never"}))).await;
    let failed = server.get(&format!("{V2}/a")).await;
    assert_eq!(failed.code, 500);
    let words = "conversion webhook for stable.example.com/v1, Kind=CronTab failed: never say never";
    assert_eq!(failed.json()["message"], words);
    // Its own version needs nobody.
    server.read(&format!("{CRONTABS}/a")).await;
}
