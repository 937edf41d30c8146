//! Random changes of pods, carried out on simulated slices.

use k8s_openapi::api::core::v1::{Pod, PodCondition, PodSpec, PodStatus, ServicePort, ServiceSpec};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::desired;
use super::*;

fn service() -> Service {
    let ports = vec![ServicePort { port: 80, ..ServicePort::default() }];
    Service {
        metadata: ObjectMeta { name: Some("web".into()), uid: Some("s".into()), ..ObjectMeta::default() },
        spec: Some(ServiceSpec {
            selector: Some(BTreeMap::from([("app".to_owned(), "web".to_owned())])),
            ports: Some(ports),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

fn pod(n: usize, ready: bool) -> Arc<Pod> {
    let condition = PodCondition {
        type_: "Ready".into(),
        status: if ready { "True" } else { "False" }.into(),
        ..PodCondition::default()
    };
    Arc::new(Pod {
        metadata: ObjectMeta {
            name: Some(format!("p{n}")),
            uid: Some(format!("u{n}")),
            labels: Some(BTreeMap::from([("app".to_owned(), "web".to_owned())])),
            ..ObjectMeta::default()
        },
        spec: Some(PodSpec { node_name: Some("node".into()), ..PodSpec::default() }),
        status: Some(PodStatus {
            pod_ip: Some(format!("10.42.{}.{}", n / 250, n % 250 + 1)),
            conditions: Some(vec![condition]),
            ..PodStatus::default()
        }),
    })
}

fn apply(slices: &mut Vec<Arc<EndpointSlice>>, steps: Vec<Step>, names: &mut usize) {
    for step in steps {
        match step {
            Step::Create(mut slice) => {
                *names += 1;
                slice.metadata.name = Some(format!("web-{names}"));
                slices.push(Arc::new(slice));
            }
            Step::Update(slice) => {
                let place = slices.iter_mut().find(|s| s.metadata.name == slice.metadata.name);
                *place.expect("an updated slice is there") = Arc::new(slice);
            }
            Step::Delete(slice) => slices.retain(|s| s.metadata.name != slice.metadata.name),
        }
    }
}

#[test]
fn slices_always_hold_exactly_the_wanted_endpoints() {
    let (service, mut names) = (service(), 0);
    let mut slices = Vec::new();
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..50 {
        let most = rng.random_range(0..450);
        let pods: Vec<_> = (0..most).filter(|_| rng.random()).map(|n| pod(n, n % 3 != 0)).collect();
        let wanted = desired::endpoints(&service, &pods);
        let writes = steps(&service, wanted.clone(), &slices);
        apply(&mut slices, writes, &mut names);
        let mut held: Vec<&Endpoint> = slices.iter().flat_map(|s| &s.endpoints).collect();
        let mut asked: Vec<&Endpoint> = wanted.values().flat_map(BTreeMap::values).collect();
        held.sort_by_key(|e| uid(e));
        asked.sort_by_key(|e| uid(e));
        assert_eq!(held, asked);
        assert!(!slices.is_empty() && slices.iter().all(|s| s.endpoints.len() <= MOST));
        assert!(steps(&service, wanted, &slices).is_empty(), "a second pass changes nothing");
    }
}

#[test]
fn one_pod_changes_one_slice() {
    let (service, mut names, mut slices) = (service(), 0, Vec::new());
    let mut pods: Vec<_> = (0..250).map(|n| pod(n, true)).collect();
    apply(&mut slices, steps(&service, desired::endpoints(&service, &pods), &[]), &mut names);
    assert_eq!(slices.len(), 3);
    pods[120] = pod(120, false);
    let again = steps(&service, desired::endpoints(&service, &pods), &slices);
    assert!(matches!(again.as_slice(), [Step::Update(_)]), "{again:?}");
}

#[test]
fn conditions_follow_the_pod() {
    let service = service();
    let mut leaving = (*pod(1, true)).clone();
    leaving.metadata.deletion_timestamp = Some(time::now());
    let wanted = desired::endpoints(&service, &[pod(0, false), Arc::new(leaving)]);
    let conditions: Vec<_> = wanted
        .values()
        .flat_map(BTreeMap::values)
        .filter_map(|e| e.conditions.as_ref().map(|c| (c.ready, c.serving, c.terminating)))
        .collect();
    assert_eq!(conditions, [(Some(false), Some(false), Some(false)), (Some(false), Some(true), Some(true)),]);
}
