//! Volumes: what a pod keeps, what it is shown, and what it is refused.

use std::fs;

use crate::harness::{Session, http};

/// A deployment that counts into a file on a claim, and a sidecar that prints the file.
const COUNTER: &str = "
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 64Mi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: counter}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app: counter}}
  template:
    metadata: {labels: {app: counter}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - {name: count, image: 'localhost/ticker:v1', args: [/data/deep/log], env: [{name: INTERVAL_MS, value: '100'}],
           volumeMounts: [{name: data, mountPath: /data}, {name: data, mountPath: /data/deep, subPath: logs}]}
        - {name: tail, image: 'localhost/log-tail:v1', args: [/logs/log],
           volumeMounts: [{name: data, mountPath: /logs, subPath: logs, readOnly: true}]}
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
";

/// How often the counting began anew, in what the claim's directory has.
fn begun(session: &Session) -> usize {
    let volumes = fs::read_dir(session.server().data().join("volumes")).expect("the volumes");
    let logs = volumes.filter_map(|volume| fs::read_to_string(volume.ok()?.path().join("logs/log")).ok());
    logs.map(|log| log.lines().filter(|line| *line == "tick 1").count()).sum()
}

#[test]
fn a_claim_keeps_its_data_from_pod_to_pod_and_from_server_to_server() {
    let mut session = Session::alone();
    session.until("kubectl get storageclass", |classes| {
        classes.contains("local-path (default)") && classes.contains("rancher.io/local-path")
    });
    let (claim, rest) = COUNTER.split_once("---").expect("two objects");
    session.apply(claim);
    session.until("kubectl describe pvc data", |claim| {
        claim.contains("waiting for first consumer to be created before binding") && claim.contains("Pending")
    });
    session.apply(rest);
    session.ready("app=counter");
    assert_eq!(session.field("pvc data", ".status.phase"), "Bound");
    let volumes = session.run("kubectl get pv");
    assert!(volumes.contains("RWO") && volumes.contains("Delete") && volumes.contains("default/data"), "{volumes}");
    session.run("kubectl describe pvc data | grep ProvisioningSucceeded");
    assert_eq!(begun(&session), 1);
    session.run("kubectl delete pod -l app=counter --wait=true");
    session.ready("app=counter");
    assert_eq!(begun(&session), 2);
    session.until("kubectl logs deploy/counter -c tail", |log| log.matches("tick 1\n").count() == 2);

    session.run("kubectl patch pvc data -p '{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"1Gi\"}}}}'");
    session.until("kubectl get pvc data", |claim| claim.contains("1Gi"));
    let smaller =
        session.refused("kubectl patch pvc data -p '{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"1Mi\"}}}}'");
    assert!(smaller.contains("field can not be less than status.capacity"), "{smaller}");

    session.crash_and_restart();
    session.until("kubectl get pods -l app=counter", |pods| pods.contains("2/2"));
    session.until("kubectl logs deploy/counter -c tail", |log| log.matches("tick 1\n").count() == 3);
    session.run("kubectl delete pvc data --wait=false");
    session.until("kubectl get pvc data", |claim| claim.contains("Terminating"));
    session.run("kubectl delete deployment counter");
    session.until("kubectl get pvc,pv", |left| left.is_empty());
    let left = fs::read_dir(session.server().data().join("volumes")).expect("the volumes").count();
    assert_eq!(left, 0, "and nothing is left on the disk");
}

#[test]
fn what_cannot_be_mounted_says_why() {
    let session = Session::new("volumes-refused");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: nosy}
spec:
  containers: [{name: c, image: 'localhost/ticker:v1', volumeMounts: [{name: host, mountPath: /host}]}]
  volumes: [{name: host, hostPath: {path: /etc}}]
---
apiVersion: v1
kind: Pod
metadata: {name: lonely}
spec:
  containers: [{name: c, image: 'localhost/ticker:v1', volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: nothing}}]
",
    );
    session.until("kubectl describe pod nosy", |pod| {
        pod.contains("FailedMount") && pod.contains("this node allows no paths of its host (--host-path-root)")
    });
    session.until("kubectl describe pod lonely", |pod| {
        pod.contains("0/1 nodes are available: persistentvolumeclaim \"nothing\" not found.")
    });
    assert_eq!(session.field("pod nosy", ".status.containerStatuses[0].state.waiting.reason"), "ContainerCreating");
}

#[test]
fn pages_come_from_everywhere() {
    let host = tempfile::tempdir().expect("a directory of the host");
    fs::write(host.path().join("index.html"), "from the host").expect("a page");
    let session = Session::configured(&format!("hostPathRoots: [{}]", host.path().display()));
    let pod = format!(
        "
apiVersion: v1
kind: ConfigMap
metadata: {{name: pages}}
data: {{one: first, two: second}}
---
apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {{app: web}}}}
spec:
  containers:
    - name: web
      image: localhost/web:1.21
      volumeMounts:
        - {{name: host, mountPath: /usr/share/nginx/html}}
        - {{name: pages, mountPath: /usr/share/nginx/html/live}}
        - {{name: pages, mountPath: /usr/share/nginx/html/fixed, subPath: one}}
        - {{name: cache, mountPath: /usr/share/nginx/html/cache}}
        - {{name: image, mountPath: /usr/share/nginx/html/image}}
        - {{name: own, mountPath: /usr/share/nginx/html/own}}
  volumes:
    - {{name: host, hostPath: {{path: {}/site, type: DirectoryOrCreate}}}}
    - {{name: pages, configMap: {{name: pages}}}}
    - {{name: cache, emptyDir: {{medium: Memory}}}}
    - {{name: image, image: {{reference: 'localhost/ticker:v1'}}}}
    - {{name: own, ephemeral: {{volumeClaimTemplate: {{spec: {{accessModes: [ReadWriteOnce],
        resources: {{requests: {{storage: 1Mi}}}}}}}}}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{type: NodePort, selector: {{app: web}}, ports: [{{port: 80}}]}}
",
        host.path().display()
    );
    fs::create_dir(host.path().join("site")).expect("a directory");
    fs::rename(host.path().join("index.html"), host.path().join("site/index.html")).expect("moved");
    session.apply(&pod);
    session.ready("app=web");
    let address = session.node_port("web");
    http::answers(&address, "/", "from the host");
    http::answers(&address, "/live/two", "second");
    http::answers(&address, "/fixed", "first");
    let magic = session.run(&format!("curl -s {address}/image/module.wasm | head -c 4 | od -An -c"));
    assert!(magic.contains("a   s   m"), "{magic}");
    assert_eq!(session.field("pvc web-own", ".status.phase"), "Bound");
    session.run("kubectl patch configmap pages -p '{\"data\":{\"one\":\"changed\"}}'");
    http::answers(&address, "/live/one", "changed");
    http::answers(&address, "/fixed", "first");
    for place in ["live", "cache", "image", "own"] {
        assert!(host.path().join("site").join(place).is_dir(), "the mount point of {place}");
    }
    session.run("kubectl delete pod web");
    session.until("kubectl get pvc,pv", |left| left.is_empty());
}
