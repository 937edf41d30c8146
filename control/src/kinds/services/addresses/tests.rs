use super::*;

fn addresses() -> Addresses {
    Addresses::new("10.43.0.0/16".parse().expect("a range"), [])
}

fn service(spec: Value) -> Value {
    json!({"spec": spec})
}

/// Prepares and commits.
fn create(addresses: &Addresses, spec: Value) -> Result<Value, String> {
    let mut new = service(spec);
    match addresses.prepare(&mut new, None) {
        Ok(reservation) => reservation.commit(),
        Err(errors) => return Err(errors.to_string()),
    }
    Ok(new)
}

#[test]
fn a_service_gets_an_address_and_ports() {
    let made =
        create(&addresses(), json!({"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]})).expect("addresses");
    assert!(made.text("spec.clusterIP").starts_with("10.43."));
    assert_eq!(made.at("spec.clusterIPs"), &json!([made.text("spec.clusterIP")]));
    assert_eq!((made.at("spec.ipFamilies"), made.text("spec.ipFamilyPolicy")), (&json!(["IPv4"]), "SingleStack"));
    let ports: Vec<i64> = made.items("spec.ports").iter().filter_map(|p| p.int("nodePort")).collect();
    assert!(ports.len() == 2 && ports[0] != ports[1] && ports.iter().all(|p| (30000..=32767).contains(p)), "{ports:?}");
}

#[test]
fn what_is_asked_for_must_be_free_and_in_range() {
    let addresses = addresses();
    let fixed = json!({"type": "NodePort", "clusterIP": "10.43.0.1", "ports": [{"port": 80, "nodePort": 30000}]});
    create(&addresses, fixed.clone()).expect("free");
    assert_eq!(
        create(&addresses, fixed).expect_err("taken"),
        "[spec.clusterIPs: Invalid value: []string{\"10.43.0.1\"}: failed to allocate IP 10.43.0.1: provided IP is already \
         allocated, spec.ports[0].nodePort: Invalid value: 30000: provided port is already allocated]"
    );
    assert_eq!(
        create(&addresses, json!({"type": "ClusterIP", "clusterIP": "1.2.3.4"})).expect_err("foreign"),
        "spec.clusterIPs: Invalid value: []string{\"1.2.3.4\"}: failed to allocate IP 1.2.3.4: the provided IP (1.2.3.4) is \
         not in the valid range. The range of valid IPs is 10.43.0.0/16"
    );
    assert_eq!(
        create(&addresses, json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]})).expect_err("foreign"),
        "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is \
         30000-32767"
    );
}

#[test]
fn a_failed_create_gives_everything_back() {
    let addresses = addresses();
    let fixed = || json!({"type": "NodePort", "clusterIP": "10.43.0.7", "ports": [{"port": 80, "nodePort": 30007}]});
    let mut lost = service(fixed());
    drop(addresses.prepare(&mut lost, None).expect("free"));
    let half = json!({"type": "NodePort", "clusterIP": "10.43.0.7", "ports": [{"port": 80, "nodePort": 1}]});
    create(&addresses, half).expect_err("a port out of range");
    create(&addresses, fixed()).expect("free again");
}

#[test]
fn an_update_keeps_takes_and_gives_back() {
    let addresses = addresses();
    let old =
        create(&addresses, json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]})).expect("free");
    let mut new = old.clone();
    new.items_mut("spec.ports")[0].set("", "nodePort", 30002);
    addresses.prepare(&mut new, Some(&old)).expect("free").commit();
    assert_eq!(new.text("spec.clusterIP"), old.text("spec.clusterIP"));
    create(&addresses, json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30002}]})).expect_err("taken");
    create(&addresses, json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]})).expect("given back");
    addresses.release(&new);
    create(&addresses, json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30002}]})).expect("released");
}

#[test]
fn protocols_share_a_port_within_a_service() {
    let ports =
        json!([{"port": 53, "protocol": "TCP", "nodePort": 30053}, {"port": 53, "protocol": "UDP", "nodePort": 30053}]);
    create(&addresses(), json!({"type": "NodePort", "ports": ports})).expect("one number, two protocols");
}

#[test]
fn stored_services_are_known_and_the_range_ends() {
    let stored = service(json!({"type": "ClusterIP", "clusterIP": "10.0.0.2"}));
    let addresses = Addresses::new("10.0.0.0/29".parse().expect("a range"), [&stored]);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(create(&addresses, json!({"type": "ClusterIP"})).expect("free").text("spec.clusterIP").to_owned());
    }
    seen.sort();
    assert_eq!(seen, ["10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]);
    assert!(create(&addresses, json!({"type": "ClusterIP"})).expect_err("full").ends_with("range is full"));
    assert_eq!(addresses.first().to_string(), "10.0.0.1");
}

#[test]
fn headless_and_external_names_take_nothing() {
    let addresses = addresses();
    let headless =
        create(&addresses, json!({"type": "ClusterIP", "clusterIP": "None", "selector": {"a": "b"}})).expect("ok");
    assert_eq!(
        (headless.text("spec.ipFamilyPolicy"), headless.at("spec.ipFamilies")),
        ("SingleStack", &json!(["IPv4"]))
    );
    let external = create(&addresses, json!({"type": "ExternalName", "externalName": "x.y"})).expect("ok");
    assert!(!external.has("spec.ipFamilies") && !external.has("spec.clusterIP"));
}
