//! What the settings of a control plane come to.

use std::sync::Arc;

use control::Config;
use control::admission::Choice;
use control::auth::Mode;
use control::http::{Body, Router};
use http::Request;
use serde_json::json;

use crate::harness::{Answer, Call, JSON};

fn config(disabled: &[&str]) -> Config {
    Config {
        data_dir: None,
        listen: ([127, 0, 0, 1], 0).into(),
        names: Vec::new(),
        cluster_cidr: "10.42.0.0/16".to_owned(),
        service_cidr: "10.43.0.0/16".to_owned(),
        kubeconfig: Vec::new(),
        token_auth_file: None,
        client_ca_file: None,
        anonymous_auth: true,
        authorization_modes: Mode::DEFAULT.to_vec(),
        admission: Choice { enabled: Vec::new(), disabled: disabled.iter().map(|name| (*name).to_owned()).collect() },
        audit: None,
        nodes: Arc::new(|_: &str, _: Request<Body>| None),
        images: None,
        dialer: None,
        without_scheduler: true,
        without_controllers: true,
    }
}

/// An object for a namespace that is not there.
async fn lost(router: Router) -> Answer {
    let object = json!({"metadata": {"name": "lost"}});
    let call = Call::new(router, "POST", "/api/v1/namespaces/nowhere/configmaps");
    call.body(JSON, object.to_string()).send().await
}

#[tokio::test]
async fn the_choice_of_plug_ins_reaches_every_request() {
    let usual = config(&[]).build().await.expect("it can be built");
    lost(usual.service("admin")).await.refused(404, "NotFound");
    let without = config(&["NamespaceLifecycle"]).build().await.expect("it can be built");
    lost(without.service("admin")).await.with(201);
}
