use serde_json::{Value, from_value, json};

use super::*;

fn node(name: &str) -> Node {
    from_value(json!({"metadata": {"name": name, "labels": {"zone": name}}})).expect("a node")
}

fn volume(name: &str, zone: &str) -> Arc<PersistentVolume> {
    let affinity = json!({"required": {"nodeSelectorTerms": [{"matchExpressions":
        [{"key": "zone", "operator": "In", "values": [zone]}]}]}});
    let volume = json!({"metadata": {"name": name}, "status": {"phase": "Available"}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "s",
        "nodeAffinity": affinity}});
    Arc::new(from_value(volume).expect("a volume"))
}

fn waiting(name: &str, provisioner: &str, selected: Option<&str>) -> Waiting {
    let claim = json!({"metadata": {"name": name, "namespace": "n", "uid": name}, "spec": {"storageClassName": "s",
        "resources": {"requests": {"storage": "1Gi"}}, "accessModes": ["ReadWriteOnce"]}});
    let class = json!({"metadata": {"name": "s"}, "provisioner": provisioner,
        "allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": ["a", "b"]}]}]});
    Waiting {
        claim: Arc::new(from_value(claim).expect("a claim")),
        class: Arc::new(from_value(class).expect("a class")),
        selected: selected.map(str::to_owned),
    }
}

fn bound(demand: &Demand, on: &str) -> Result<Vec<String>, Reason> {
    if let Some(reason) = demand.objection(&node(on)) {
        return Err(reason);
    }
    let name = |bind: Bind| match bind {
        Bind::Reserve(_, volume) => volume.metadata.name.clone().unwrap_or_default(),
        Bind::Select(_) => "select".to_owned(),
        Bind::Await(_) => "await".to_owned(),
    };
    Ok(demand.binds(&node(on)).into_iter().flatten().map(name).collect())
}

#[test]
fn two_claims_get_two_volumes_and_then_the_provisioner() {
    let claims = |provisioner: &str| vec![waiting("x", provisioner, None), waiting("y", provisioner, None)];
    let volumes = vec![volume("va", "a"), volume("vb", "b"), volume("wb", "b")];
    let made = Demand { waiting: claims("example.com/p"), volumes: volumes.clone(), ..Demand::default() };
    assert_eq!(bound(&made, "a"), Ok(vec!["va".into(), "select".into()]));
    assert_eq!(bound(&made, "b"), Ok(vec!["vb".into(), "wb".into()]));
    assert_eq!(bound(&made, "c"), Err(Reason::NoVolume), "the class has none there");
    let by_hand = Demand { waiting: claims(volumes::NO_PROVISIONER), volumes, ..Demand::default() };
    assert_eq!(bound(&by_hand, "a"), Err(Reason::NoVolume));
    assert_eq!(bound(&by_hand, "b"), Ok(vec!["vb".into(), "wb".into()]));
}

#[test]
fn what_was_chosen_before_stays() {
    let demand = Demand { waiting: vec![waiting("x", "example.com/p", Some("b"))], ..Demand::default() };
    assert_eq!(bound(&demand, "a"), Err(Reason::NoVolume));
    assert_eq!(bound(&demand, "b"), Ok(vec!["await".into()]));
    let demand = Demand { bound: vec![volume("va", "a")], ..Demand::default() };
    assert_eq!(bound(&demand, "b"), Err(Reason::VolumeAffinity));
    assert_eq!(bound(&demand, "a"), Ok(Vec::new()));
    assert_eq!(bound(&Demand { lost: true, ..Demand::default() }, "a"), Err(Reason::LostVolume));
    assert_eq!(bound(&Demand { in_use: true, ..Demand::default() }, "a"), Err(Reason::ClaimInUse));
}

#[test]
fn a_claim_that_no_pod_can_have_says_why() {
    let pod = json!({"metadata": {"name": "web", "namespace": "n", "uid": "p"}, "spec": {"containers": [], "volumes":
        [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "e", "ephemeral": {}}]}});
    let pod: Pod = from_value(pod).expect("a pod");
    let said = |index: usize, claim: Option<Value>| {
        let claim = claim.map(|claim| Arc::new(from_value(claim).expect("a claim")));
        let (volume, name) = volumes::claims(&pod).nth(index).expect("a volume");
        usable(&pod, volume, &name, claim).map(drop).unwrap_err()
    };
    assert_eq!(said(0, None), "persistentvolumeclaim \"data\" not found");
    let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    assert_eq!(said(0, Some(going)), "persistentvolumeclaim \"data\" is being deleted");
    let lost = json!({"metadata": {}, "spec": {"volumeName": "v"}, "status": {"phase": "Lost"}});
    assert_eq!(said(0, Some(lost)), "persistentvolumeclaim \"data\" bound to non-existent persistentvolume \"v\"");
    let made = "waiting for ephemeral volume controller to create the persistentvolumeclaim \"web-e\"";
    assert_eq!(said(1, None), made);
    let stranger = "PVC n/web-e was not created for pod n/web (pod is not owner)";
    assert_eq!(said(1, Some(json!({"metadata": {}}))), stranger);
}
