//! PriorityClasses as clients meet them.

use serde_json::{Value, json};

use super::harness::{PODS, Server, pod};

const CLASSES: &str = "/apis/scheduling.k8s.io/v1/priorityclasses";

fn class(name: &str, value: i64, more: Value) -> Value {
    let mut class = json!({"metadata": {"name": name}, "value": value});
    if let (Value::Object(class), Value::Object(more)) = (&mut class, more) {
        class.extend(more);
    }
    class
}

fn of_class(name: &str, class: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["priorityClassName"] = class.into();
    pod
}

#[tokio::test]
async fn a_class_becomes_a_number() {
    let server = Server::start().await;
    server.make(CLASSES, class("high", 1000, json!({"preemptionPolicy": "Never"}))).await;
    let made = server.make(PODS, of_class("a", "high")).await;
    assert_eq!((&made["spec"]["priority"], &made["spec"]["preemptionPolicy"]), (&json!(1000), &json!("Never")));
    let plain = server.make(PODS, pod("b")).await;
    assert_eq!((&plain["spec"]["priority"], &plain["spec"]["priorityClassName"]), (&json!(0), &Value::Null));
    assert_eq!(
        server.post(PODS, of_class("c", "low")).await.refused(403, "Forbidden"),
        "pods \"c\" is forbidden: no PriorityClass with name low was found"
    );
    let mut contrary = of_class("c", "high");
    contrary["spec"]["priority"] = 7.into();
    assert_eq!(
        server.post(PODS, contrary).await.refused(403, "Forbidden"),
        "pods \"c\" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission \
         controller computed 1000 from the given PriorityClass name"
    );
}

#[tokio::test]
async fn one_class_is_everybodys() {
    let server = Server::start().await;
    server.make(CLASSES, class("usual", 5, json!({"globalDefault": true}))).await;
    let made = server.make(PODS, pod("a")).await;
    assert_eq!((&made["spec"]["priority"], &made["spec"]["priorityClassName"]), (&json!(5), &json!("usual")));
    assert_eq!(
        server.post(CLASSES, class("other", 6, json!({"globalDefault": true}))).await.refused(403, "Forbidden"),
        "priorityclasses.scheduling.k8s.io \"other\" is forbidden: PriorityClass usual is already marked as default. Only one \
         default can exist"
    );
}

#[tokio::test]
async fn the_systems_classes_are_the_systems() {
    let server = Server::start().await;
    let invalid = |name: &str| format!("PriorityClass.scheduling.k8s.io \"{name}\" is invalid: ");
    let reserved = "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. \
                    error: ";
    assert_eq!(
        server.post(CLASSES, class("system-mine", 1, json!({}))).await.refused(422, "Invalid"),
        format!("{}{reserved}system-mine is not a known system priority class", invalid("system-mine"))
    );
    assert_eq!(
        server.post(CLASSES, class("system-node-critical", 1, json!({}))).await.refused(422, "Invalid"),
        format!(
            "{}{reserved}value of system-node-critical PriorityClass must be 2000001000",
            invalid("system-node-critical")
        )
    );
    assert_eq!(
        server.post(CLASSES, class("huge", 1_000_000_001, json!({}))).await.refused(422, "Invalid"),
        format!("{}value: Forbidden: maximum allowed value of a user defined priority is 1000000000", invalid("huge"))
    );
    server.make(CLASSES, class("system-node-critical", 2_000_001_000, json!({}))).await;
    assert_eq!(
        server.delete(&format!("{CLASSES}/system-node-critical")).await.refused(403, "Forbidden"),
        "priorityclasses.scheduling.k8s.io \"system-node-critical\" is forbidden: this is a system priority class and cannot \
         be deleted"
    );
}
