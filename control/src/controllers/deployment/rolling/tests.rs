//! Random roll-outs, watched at every step.

use k8s_openapi::api::apps::v1::{
    DeploymentSpec, DeploymentStrategy, ReplicaSetSpec, ReplicaSetStatus, RollingUpdateDeployment,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use k8s_openapi::jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

/// One set of the simulation: what it asks for, what is really available, and what it last reported.
struct Simulated {
    wanted: i32,
    available: i32,
    reported: i32,
    healthy: bool,
}

impl Simulated {
    fn set(&self, index: usize) -> Arc<ReplicaSet> {
        let born = Timestamp::from_second(i64::try_from(index).unwrap_or(0)).unwrap_or_default();
        Arc::new(ReplicaSet {
            metadata: ObjectMeta {
                name: Some(index.to_string()),
                uid: Some(index.to_string()),
                creation_timestamp: Some(Time(born)),
                ..ObjectMeta::default()
            },
            spec: Some(ReplicaSetSpec { replicas: Some(self.wanted), ..ReplicaSetSpec::default() }),
            status: Some(ReplicaSetStatus { available_replicas: Some(self.reported), ..ReplicaSetStatus::default() }),
        })
    }

    /// A ReplicaSet controller deletes pods that are not ready first.
    fn resize(&mut self, to: i32) {
        self.wanted = to;
        self.available = self.available.min(to);
    }
}

fn deployment(replicas: i32, surge: IntOrString, unavailable: IntOrString) -> Deployment {
    let rolling = RollingUpdateDeployment { max_surge: Some(surge), max_unavailable: Some(unavailable) };
    let strategy = DeploymentStrategy { type_: Some("RollingUpdate".into()), rolling_update: Some(rolling) };
    Deployment {
        spec: Some(DeploymentSpec { replicas: Some(replicas), strategy: Some(strategy), ..DeploymentSpec::default() }),
        ..Deployment::default()
    }
}

fn sets(simulated: &[Simulated]) -> Sets {
    let mut all: Vec<_> = simulated.iter().enumerate().map(|(i, s)| s.set(i)).collect();
    Sets { new: all.pop(), old: all }
}

fn plan(deployment: &Deployment, simulated: &[Simulated]) -> Vec<Scale> {
    let sets = sets(simulated);
    sets.new.as_ref().map(|new| scales(deployment, new, &sets)).unwrap_or_default()
}

fn apply(simulated: &mut [Simulated], scales: &[Scale]) {
    for scale in scales {
        if let Ok(index) = scale.name.parse::<usize>() {
            simulated[index].resize(scale.to);
        }
    }
}

fn limit(rng: &mut StdRng) -> IntOrString {
    if rng.random() {
        IntOrString::Int(rng.random_range(0..5))
    } else {
        IntOrString::String(format!("{}%", rng.random_range(0..101)))
    }
}

#[test]
fn no_random_roll_out_breaks_its_limits_and_all_end() {
    for seed in 0..2000 {
        let mut rng = StdRng::seed_from_u64(seed);
        let replicas = rng.random_range(1..20);
        let deployment = deployment(replicas, limit(&mut rng), limit(&mut rng));
        let (surge, unavailable) = (limits::max_surge(&deployment), limits::max_unavailable(&deployment));
        let split = rng.random_range(0..=replicas);
        let old = |n| Simulated { wanted: n, available: n, reported: n, healthy: true };
        let new = Simulated { wanted: 0, available: 0, reported: 0, healthy: true };
        let mut simulated = vec![old(split), old(replicas - split), new];
        for turn in 0.. {
            assert!(turn < 10_000, "seed {seed} does not end");
            let scales = plan(&deployment, &simulated);
            apply(&mut simulated, &scales);
            let total: i32 = simulated.iter().map(|s| s.wanted).sum();
            let available: i32 = simulated.iter().map(|s| s.available).sum();
            assert!(total <= replicas + surge, "seed {seed}: {total} pods");
            assert!(available >= replicas - unavailable, "seed {seed}: {available} available");
            let one = rng.random_range(0..simulated.len());
            let set = &mut simulated[one];
            match rng.random_range(0..3) {
                0 if set.healthy => set.available = (set.available + 1).min(set.wanted),
                _ => set.reported = set.available,
            }
            if simulated[2].available == replicas && simulated[..2].iter().all(|s| s.wanted == 0) {
                break;
            }
        }
    }
}

#[test]
fn a_broken_image_stops_at_the_surge_and_the_old_pods_stay() {
    let deployment = deployment(3, IntOrString::Int(1), IntOrString::Int(0));
    let mut simulated = vec![
        Simulated { wanted: 3, available: 3, reported: 3, healthy: true },
        Simulated { wanted: 0, available: 0, reported: 0, healthy: false },
    ];
    for _ in 0..10 {
        let scales = plan(&deployment, &simulated);
        apply(&mut simulated, &scales);
    }
    assert_eq!((simulated[0].wanted, simulated[1].wanted), (3, 1));
}

#[test]
fn unhealthy_old_pods_go_first() {
    let deployment = deployment(4, IntOrString::Int(0), IntOrString::Int(1));
    let simulated = [
        Simulated { wanted: 2, available: 2, reported: 2, healthy: true },
        Simulated { wanted: 2, available: 1, reported: 1, healthy: false },
        Simulated { wanted: 0, available: 0, reported: 0, healthy: true },
    ];
    assert_eq!(plan(&deployment, &simulated), [Scale { name: "1".into(), to: 1 }]);
}

#[test]
fn a_new_set_that_is_too_large_shrinks() {
    let deployment = deployment(2, IntOrString::Int(1), IntOrString::Int(0));
    let simulated = [Simulated { wanted: 5, available: 5, reported: 5, healthy: true }];
    assert_eq!(plan(&deployment, &simulated), [Scale { name: "0".into(), to: 2 }]);
}
