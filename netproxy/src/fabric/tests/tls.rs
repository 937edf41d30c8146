use ::http::{Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server of TLS at port 443 of the pod, with its own certificate.
fn serve_tls(plug: &Plug, own: &rcgen::CertifiedKey<rcgen::KeyPair>) {
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = plug.bind_tcp(at("0.0.0.0:443")).unwrap().listen(4).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let service =
                service_fn(|_| async { Ok::<_, std::convert::Infallible>(Response::new(Empty::<Bytes>::new())) });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
    });
}

#[tokio::test]
async fn requests_of_a_pod_trust_whom_the_fabric_trusts() {
    let get = || Request::get("/").body(Empty::new().map_err(|never| match never {}).boxed_unsync()).unwrap();
    let own = rcgen::generate_simple_self_signed(["web-1".to_owned()]).unwrap();
    for (trusted, expected) in [(vec![], false), (vec![own.cert.der().to_vec()], true)] {
        let pod = plug(&Fabric::new(Config { trusted, ..Config::default() }), "10.42.0.2");
        serve_tls(&pod, &own);
        let answered = pod.request("web-1", true, get()).await;
        assert_eq!(answered.is_ok(), expected, "{answered:?}");
        if let Err(error) = answered {
            assert!(matches!(error, RequestError::Tls { .. }), "{error}");
        }
    }
}
