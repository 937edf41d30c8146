//! An operator as kube-rs has it: a derived kind, a `Controller` that owns what it makes, a finalizer, and a network on
//! which no connection lasts.

use super::flaky_kubeconfig;
use crate::harness::{PATIENCE, Session};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::conditions::is_crd_established;
use kube::runtime::controller::{Action, Controller};
use kube::runtime::finalizer::{self, Event, finalizer};
use kube::runtime::wait::{Condition, await_condition, conditions};
use kube::runtime::watcher;
use kube::{Api, Client, Config, CustomResource, CustomResourceExt as _, Resource as _, ResourceExt as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const MANAGER: &str = "greeter";

/// Whom to greet.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[kube(group = "kube-rs.sampan.test", version = "v1", kind = "Greeting", namespaced, status = "GreetingStatus")]
struct GreetingSpec {
    name: String,
    #[serde(default = "once")]
    times: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GreetingStatus {
    observed_generation: i64,
    words: String,
}

fn once() -> u32 {
    1
}

type Failure = finalizer::Error<kube::Error>;

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_of_kube_rs_works() {
    let session = tokio::task::spawn_blocking(|| Session::new("kube-rs")).await.expect("a session");
    let client = client(&session.dir().join("kubeconfig")).await;
    define(client.clone()).await;
    let operator = operate(self::client(&flaky_kubeconfig(&session)).await);
    live(client.clone()).await;
    operator.abort();
    let definitions: Api<CustomResourceDefinition> = Api::all(client);
    definitions.delete(Greeting::crd_name(), &DeleteParams::default()).await.expect("the definition is deleted");
}

async fn client(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("the kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("the kubeconfig's context")).expect("a client")
}

/// Applies the derived definition, twice: the second time changes nothing.
async fn define(client: Client) {
    let definitions: Api<CustomResourceDefinition> = Api::all(client);
    let (name, apply) = (Greeting::crd_name(), PatchParams::apply(MANAGER));
    definitions.patch(name, &apply, &Patch::Apply(Greeting::crd())).await.expect("the definition is applied");
    until(&definitions, name, is_crd_established()).await;
    let first = definitions.get(name).await.expect("the definition");
    let second = definitions.patch(name, &apply, &Patch::Apply(Greeting::crd())).await.expect("it is applied again");
    assert_eq!(first.resource_version(), second.resource_version(), "nothing has changed");
}

fn operate(client: Client) -> JoinHandle<()> {
    let greetings: Api<Greeting> = Api::default_namespaced(client.clone());
    let owned: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let controller = Controller::new(greetings, watcher::Config::default())
        .owns(owned, watcher::Config::default())
        .run(reconcile, |_, _: &Failure, _| Action::requeue(Duration::from_millis(200)), Arc::new(client));
    // What fails is tried again, and it fails all the time on this network.
    tokio::spawn(controller.for_each(|_| async {}))
}

async fn reconcile(greeting: Arc<Greeting>, client: Arc<Client>) -> Result<Action, Failure> {
    let greetings: Api<Greeting> = Api::default_namespaced(client.as_ref().clone());
    let client = client.as_ref().clone();
    finalizer(&greetings, "kube-rs.sampan.test/farewell", greeting, |event| async {
        match event {
            Event::Apply(greeting) => greet(client, &greeting).await,
            Event::Cleanup(greeting) => farewell(client, &greeting).await,
        }
    })
    .await
}

async fn greet(client: Client, greeting: &Greeting) -> Result<Action, kube::Error> {
    let words = vec![format!("Hello, {}", greeting.spec.name); greeting.spec.times as usize].join("! ");
    let mut said = said(&greeting.name_any(), &words);
    said.metadata.owner_references = greeting.controller_owner_ref(&()).map(|owner| vec![owner]);
    let apply = PatchParams::apply(MANAGER).force();
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    maps.patch(&greeting.name_any(), &apply, &Patch::Apply(said)).await?;
    let status = GreetingStatus { observed_generation: greeting.metadata.generation.unwrap_or_default(), words };
    let status = json!({"apiVersion": Greeting::api_version(&()), "kind": Greeting::kind(&()), "status": status});
    let greetings: Api<Greeting> = Api::default_namespaced(client);
    greetings.patch_status(&greeting.name_any(), &apply, &Patch::Apply(status)).await?;
    Ok(Action::await_change())
}

async fn farewell(client: Client, greeting: &Greeting) -> Result<Action, kube::Error> {
    let name = format!("farewell-{}", greeting.name_any());
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    maps.patch(&name, &PatchParams::apply(MANAGER), &Patch::Apply(said(&name, "Goodbye"))).await?;
    Ok(Action::await_change())
}

fn said(name: &str, words: &str) -> ConfigMap {
    let data = BTreeMap::from([("words".to_owned(), words.to_owned())]);
    let mut map = ConfigMap { data: Some(data), ..ConfigMap::default() };
    map.metadata.name = Some(name.to_owned());
    map
}

/// A greeting's life, as one who uses the operator sees it.
async fn live(client: Client) {
    let greetings: Api<Greeting> = Api::default_namespaced(client.clone());
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let new = Greeting::new("ann", GreetingSpec { name: "Ann".into(), times: 1, note: None });
    let made = greetings.create(&PostParams::default(), &new).await.expect("a greeting");
    assert_eq!(made.metadata.generation, Some(1));
    until(&maps, "ann", says("Hello, Ann")).await;
    until(&greetings, "ann", told("Hello, Ann", 1)).await;

    let patch = Patch::Merge(json!({"spec": {"times": 2}}));
    greetings.patch("ann", &PatchParams::default(), &patch).await.expect("a change");
    until(&maps, "ann", says("Hello, Ann! Hello, Ann")).await;
    until(&greetings, "ann", told("Hello, Ann! Hello, Ann", 2)).await;

    // What the operator owns comes back.
    maps.delete("ann", &DeleteParams::default()).await.expect("the map is deleted");
    until(&maps, "ann", says("Hello, Ann! Hello, Ann")).await;

    let ann = greetings.get("ann").await.expect("the greeting");
    let uid = ann.uid().expect("a uid");
    assert_eq!(ann.finalizers(), ["kube-rs.sampan.test/farewell"]);
    greetings.delete("ann", &DeleteParams::default()).await.expect("the greeting is deleted");
    until(&greetings, "ann", conditions::is_deleted(&uid)).await;
    until(&maps, "farewell-ann", says("Goodbye")).await;
    assert!(greetings.list(&ListParams::default()).await.expect("a list").items.is_empty());

    let wrong =
        json!({"apiVersion": "kube-rs.sampan.test/v1", "kind": "Greeting", "metadata": {"name": "bob"}, "spec": {}});
    let refused = greetings.patch("bob", &PatchParams::apply(MANAGER), &Patch::Apply(wrong)).await;
    let Err(kube::Error::Api(status)) = refused else { panic!("a greeting of nobody: {refused:?}") };
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert!(status.message.contains("spec.name: Required value"), "{}", status.message);
}

fn says(words: &str) -> impl Condition<ConfigMap> {
    let words = words.to_owned();
    move |map: Option<&ConfigMap>| {
        let said = map.and_then(|map| map.data.as_ref()).and_then(|data| data.get("words"));
        said == Some(&words)
    }
}

fn told(words: &str, generation: i64) -> impl Condition<Greeting> {
    let expected = GreetingStatus { observed_generation: generation, words: words.to_owned() };
    move |greeting: Option<&Greeting>| greeting.and_then(|greeting| greeting.status.as_ref()) == Some(&expected)
}

async fn until<K>(api: &Api<K>, name: &str, condition: impl Condition<K>)
where
    K: kube::Resource + Clone + std::fmt::Debug + Send + for<'de> Deserialize<'de> + 'static,
{
    let awaited = timeout(PATIENCE, await_condition(api.clone(), name, condition)).await;
    awaited.unwrap_or_else(|_| panic!("{name}: not within {PATIENCE:?}")).expect("a watch");
}
