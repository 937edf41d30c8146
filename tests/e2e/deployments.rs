//! Deployments: create, scale, roll out, look back, roll back.

use crate::harness::Session;

fn deployment(name: &str, image: &str, extra: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: {name}, image: '{image}', ports: [{{containerPort: 80}}]}}]}}
{extra}"
    )
}

fn rolled_out(session: &Session, name: &str) -> String {
    session.run(&format!("kubectl rollout status deployment/{name} --timeout=90s"))
}

#[test]
fn is_created_and_seen() {
    let session = Session::new("deploy-create");
    assert_eq!(
        session.run("kubectl create deployment web --image=localhost/web:1.21 --replicas=3"),
        "deployment.apps/web created\n"
    );
    assert!(rolled_out(&session, "web").contains(r#"deployment "web" successfully rolled out"#));
    let listed = session.run("kubectl get deployment");
    let mut lines = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next(), Some(vec!["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]));
    assert_eq!(lines.next().expect("a row")[..4], ["web", "3/3", "3", "3"]);
    let wide = session.run("kubectl get deployment -o wide");
    for words in ["CONTAINERS", "IMAGES", "SELECTOR", "localhost/web:1.21", "app=web"] {
        assert!(wide.contains(words), "{words} in\n{wide}");
    }
    let described = session
        .until("kubectl describe deployment web | tr -s ' '", |described| described.contains("ScalingReplicaSet"));
    for words in [
        "Replicas: 3 desired | 3 updated | 3 total | 3 available | 0 unavailable",
        "StrategyType: RollingUpdate",
        "RollingUpdateStrategy: 25% max unavailable, 25% max surge",
        "NewReplicaSetAvailable",
        "OldReplicaSets:",
        "NewReplicaSet:",
        "Scaled up replica set web-",
    ] {
        assert!(described.contains(words), "{words} in\n{described}");
    }
}

#[test]
fn scaling_makes_no_replica_set() {
    let session = Session::new("deploy-scale");
    session.run("kubectl create deployment web --image=localhost/web:1.21");
    rolled_out(&session, "web");
    assert_eq!(session.run("kubectl scale deployments web --replicas=5"), "deployment.apps/web scaled\n");
    rolled_out(&session, "web");
    assert!(session.run("kubectl get deployment web").contains("5/5"));
    assert_eq!(session.names("rs").len(), 1);
    assert!(
        session
            .refused("kubectl scale deployments web --replicas=3 --current-replicas=4")
            .contains("Expected replicas")
    );
    session.run("kubectl scale deployments web --replicas=0");
    session.until("kubectl get pods -o name", str::is_empty);
}

#[test]
fn rolls_out_and_back() {
    let session = Session::new("deploy-rollout");
    session.file("deployment.yaml", deployment("web", "localhost/web:1.21", ""));
    session.run("kubectl apply -f deployment.yaml --record");
    rolled_out(&session, "web");
    let first = session.names("rs");
    let hash = session.field(&format!("rs {}", first[0]), ".metadata.labels.pod-template-hash");
    assert_eq!(first, [format!("web-{hash}")]);

    session.run("kubectl set image deployment/web web=localhost/web:1.22 --record");
    let progress = rolled_out(&session, "web");
    assert!(progress.contains("successfully rolled out"), "{progress}");
    assert_eq!(session.names("rs").len(), 2);
    assert_eq!(session.field(&format!("rs {}", first[0]), ".spec.replicas"), "0");
    assert_eq!(
        session.run("kubectl get pods -o jsonpath='{.items[*].spec.containers[0].image}'").matches("1.22").count(),
        3
    );

    let history = session.run("kubectl rollout history deployment web");
    assert!(history.contains("REVISION  CHANGE-CAUSE"), "{history}");
    assert!(history.contains("kubectl apply --filename=deployment.yaml --record=true"), "{history}");
    assert!(history.contains("kubectl set image deployment/web web=localhost/web:1.22 --record=true"), "{history}");
    let second = session.run("kubectl rollout history deployment web --revision=2");
    assert!(second.contains("localhost/web:1.22"), "{second}");

    session.run("kubectl rollout undo deployment web --to-revision=1");
    rolled_out(&session, "web");
    assert_eq!(session.field(&format!("rs {}", first[0]), ".spec.replicas"), "3");
    assert_eq!(session.field("deployment web", ".spec.template.spec.containers[0].image"), "localhost/web:1.21");
    let history = session.run("kubectl rollout history deployment web");
    let revisions: Vec<&str> = history.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(revisions, ["deployment.apps/web", "REVISION", "2", "3"]);
    assert!(session.refused("kubectl rollout undo deployment web --to-revision=9").contains("unable to find"));
}

#[test]
fn shows_its_progress() {
    let session = Session::new("deploy-progress");
    session.apply(&deployment("web", "localhost/web:1.21", "  minReadySeconds: 1\n"));
    rolled_out(&session, "web");
    session.run("kubectl set image deployment/web web=localhost/web:1.22");
    let progress = rolled_out(&session, "web");
    assert!(progress.contains(r#"Waiting for deployment "web" rollout to finish: "#), "{progress}");
    assert!(progress.contains("out of 3 new replicas have been updated..."), "{progress}");
}

#[test]
fn pauses_resumes_and_restarts() {
    let session = Session::new("deploy-pause");
    session.run("kubectl create deployment web --image=localhost/web:1.21");
    rolled_out(&session, "web");
    session.run("kubectl set image deployment/web web=localhost/web:1.22");
    rolled_out(&session, "web");
    session.run("kubectl rollout pause deployment/web");
    session.run("kubectl set env deployment/web STEP=1");
    let generations = "kubectl get deployment web -o jsonpath='{.status.observedGeneration}/{.metadata.generation}'";
    session.until(generations, |seen| seen.split_once('/').is_some_and(|(observed, wanted)| observed == wanted));
    assert_eq!(session.names("rs").len(), 2);
    assert!(session.run("kubectl describe deployment web").contains("DeploymentPaused"));
    assert!(session.refused("kubectl rollout undo deployment/web").contains("paused"));
    session.run("kubectl rollout resume deployment/web");
    rolled_out(&session, "web");
    assert_eq!(session.names("rs").len(), 3);

    session.run("kubectl rollout restart deployment/web");
    rolled_out(&session, "web");
    assert_eq!(session.names("rs").len(), 4);
}

#[test]
fn keeps_as_many_old_replica_sets_as_told() {
    let session = Session::new("deploy-history");
    session.apply(&deployment("web", "localhost/web:1.21", "  revisionHistoryLimit: 1\n"));
    for image in ["1.22", "1.21", "1.22"] {
        rolled_out(&session, "web");
        session.run(&format!("kubectl set image deployment/web web=localhost/web:{image}"));
        session.run("kubectl set env deployment/web STEP=$(date +%s%N)");
    }
    rolled_out(&session, "web");
    session.until("kubectl get rs -o name", |sets| sets.lines().count() == 2);
}

#[test]
fn recreate_never_mixes_versions() {
    let session = Session::new("deploy-recreate");
    session.apply(&deployment("web", "localhost/web:1.21", "  strategy: {type: Recreate}\n"));
    rolled_out(&session, "web");
    session.run("kubectl set image deployment/web web=localhost/web:1.22");
    let images = "kubectl get pods -o jsonpath='{.items[*].spec.containers[0].image}'";
    session.until(images, |images| {
        let (old, new) = (images.contains("1.21"), images.contains("1.22"));
        assert!(!(old && new), "two versions at once: {images}");
        images.matches("1.22").count() == 3
    });
    rolled_out(&session, "web");
    assert!(session.run("kubectl describe deployment web | tr -s ' '").contains("StrategyType: Recreate"));
}

#[test]
fn keeps_within_surge_and_unavailable() {
    let session = Session::new("deploy-limits");
    let strategy = "  minReadySeconds: 1\n  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: '34%'}}\n";
    session.apply(&deployment("web", "localhost/web:1.21", strategy));
    rolled_out(&session, "web");
    let described = session.run("kubectl describe deployment web");
    assert!(described.contains("34% max unavailable, 1 max surge"), "{described}");
    session.run("kubectl set image deployment/web web=localhost/web:1.22");
    // 34 % of three is one: never fewer than two available, never more than four.
    let counts = "kubectl get deployment web -o jsonpath='{.status.replicas} {.status.availableReplicas} {.status.updatedReplicas} {.status.observedGeneration}/{.metadata.generation}'";
    session.until(counts, |counts| {
        let counts: Vec<&str> = counts.split(' ').collect();
        let number = |index: usize| counts[index].parse::<u32>().unwrap_or(0);
        assert!(number(0) <= 4 && number(1) >= 2, "{counts:?}");
        number(0) == 3
            && number(1) == 3
            && number(2) == 3
            && counts[3].split_once('/').is_some_and(|(seen, wanted)| seen == wanted)
    });
}

#[test]
fn waits_for_pods_to_stay_ready() {
    let session = Session::new("deploy-min-ready");
    session.apply(&deployment("web", "localhost/web:1.21", "  minReadySeconds: 5\n"));
    let counts = "kubectl get deployment web -o jsonpath='{.status.readyReplicas}/{.status.availableReplicas}'";
    session.until(counts, |counts| counts == "3/");
    session.until(counts, |counts| counts == "3/3");
}

#[test]
fn gives_up_at_its_deadline() {
    let session = Session::new("deploy-deadline");
    session.apply(&deployment("web", "localhost/absent:v1", "  progressDeadlineSeconds: 2\n"));
    let complaint = session.refused("kubectl rollout status deployment/web --timeout=60s");
    assert!(complaint.contains(r#"deployment "web" exceeded its progress deadline"#), "{complaint}");
    assert!(session.run("kubectl describe deployment web").contains("ProgressDeadlineExceeded"));
}

#[test]
fn a_crashing_version_stops_at_the_surge() {
    let session = Session::new("deploy-crash");
    session.apply(&deployment("web", "localhost/web:1.21", ""));
    rolled_out(&session, "web");
    let good = session.names("rs")[0].clone();
    session.run("kubectl set image deployment/web web=localhost/crash:v1");
    session.until("kubectl get pods", |pods| pods.contains("CrashLoopBackOff"));
    let pods = session.run("kubectl get pods");
    assert_eq!(pods.matches("1/1").count(), 3, "the old pods go on serving\n{pods}");
    assert_eq!(pods.lines().count(), 1 + 3 + 1, "one more than three\n{pods}");

    session.run("kubectl rollout undo deployment/web");
    rolled_out(&session, "web");
    session.until("kubectl get pods -o name", |pods| pods.lines().count() == 3);
    for set in session.names("rs") {
        let replicas = session.field(&format!("rs {set}"), ".spec.replicas");
        assert_eq!(replicas, if set == good { "3" } else { "0" }, "{set}");
    }
}

#[test]
fn takes_everything_with_it() {
    let session = Session::new("deploy-delete");
    session.run("kubectl create deployment web --image=localhost/web:1.21 --replicas=2");
    rolled_out(&session, "web");
    assert_eq!(session.run("kubectl delete deployment web"), "deployment.apps \"web\" deleted\n");
    session.until("kubectl get rs,pods -o name", str::is_empty);
}
