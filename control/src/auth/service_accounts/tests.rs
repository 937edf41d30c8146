use super::*;
use crate::store::{Class, Config, Draft, Expect, Write};

const NOW: i64 = 1_700_000_000;

async fn put(store: &Store, resource: &str, namespace: &str, name: &str, uid: &str) -> store::Revision {
    let object = json!({"metadata": {"name": name, "namespace": namespace, "uid": uid}});
    let key = store::Key::new(resource, namespace, name);
    let write = Write::Put { key, expect: Expect::Absent, draft: Draft::new(&object), class: Class::Durable };
    store.write(write).await.unwrap().revision
}

async fn accounts() -> (ServiceAccounts, Store) {
    let store = Store::open(Config::default()).unwrap();
    put(&store, "serviceaccounts", "dev", "robot", "u1").await;
    (ServiceAccounts::new(Key::open(None).unwrap(), "cluster.local", store.clone()), store)
}

fn grant(accounts: &ServiceAccounts, pod: Option<Bound>, seconds: i64) -> Grant<'static> {
    let account = Bound { name: "robot".into(), uid: "u1".into() };
    let audiences = accounts.audiences().to_vec();
    Grant { namespace: "dev", account, audiences, seconds, pod, secret: None, node: None }
}

#[tokio::test]
async fn a_token_names_its_account_until_its_time_is_up() {
    let (accounts, _store) = accounts().await;
    let token = accounts.issue(grant(&accounts, None, 600), NOW).unwrap();
    let caller = accounts.authenticate(&token, &[], NOW).unwrap().caller;
    assert_eq!((&*caller.user, &*caller.uid), ("system:serviceaccount:dev:robot", "u1"));
    assert_eq!(caller.groups, ["system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"]);
    assert_eq!(caller.extra[0].0, "authentication.kubernetes.io/credential-id");
    assert!(accounts.authenticate(&token, &[], NOW + 600 + LEEWAY).is_none());
    assert!(accounts.authenticate(&token, &[], NOW - LEEWAY - 1).is_none());
    assert!(accounts.authenticate(&token, &["vault".to_owned()], NOW).is_none());
}

#[tokio::test]
async fn a_token_ends_with_its_pod_and_with_its_account() {
    let (accounts, store) = accounts().await;
    let revision = put(&store, "pods", "dev", "web", "p1").await;
    let pod = Some(Bound { name: "web".into(), uid: "p1".into() });
    let token = accounts.issue(grant(&accounts, pod, PROJECTED_SECONDS), NOW).unwrap();
    let good = |at| accounts.authenticate(&token, &[], at).is_some();
    assert!(good(NOW) && good(NOW + 30 * PROJECTED_SECONDS), "guests read their token once");
    let key = store::Key::new("pods", "dev", "web");
    store.write(Write::Delete { key, expect: revision, last: Draft::new(&json!({"metadata": {}})) }).await.unwrap();
    assert!(!good(NOW));
    put(&store, "pods", "dev", "web", "p2").await;
    assert!(!good(NOW), "another pod of that name");
}

#[tokio::test]
async fn a_token_of_a_secret_has_no_end_of_its_own() {
    let (accounts, store) = accounts().await;
    let account = Bound { name: "robot".into(), uid: "u1".into() };
    let token = accounts.issue_legacy("dev", &account, "robot-token").unwrap();
    assert!(accounts.authenticate(&token, &[], NOW).is_none(), "the Secret is not there");
    put(&store, "secrets", "dev", "robot-token", "s1").await;
    let found = accounts.authenticate(&token, &[], NOW * 2).unwrap();
    assert_eq!(found.caller.user, "system:serviceaccount:dev:robot");
    let other = Bound { uid: "u2".into(), ..account };
    let token = accounts.issue_legacy("dev", &other, "robot-token").unwrap();
    assert!(accounts.authenticate(&token, &[], NOW).is_none(), "an account that was made anew");
}
