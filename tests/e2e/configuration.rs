//! Configuration: ConfigMaps, Secrets and the pod's own facts, as environment and as files.

use crate::harness::{Session, http};

#[test]
fn config_maps_and_secrets_are_made_in_every_form() {
    let session = Session::new("config-forms");
    session.file("app.properties", "colour=blue\n");
    session.file("vars.env", "ONE=1\nTWO=2\n");
    session.run("kubectl create configmap literal --from-literal=colour=red --from-literal=size=big");
    session.run("kubectl create configmap file --from-file=app.properties");
    session.run("kubectl create configmap keyed --from-file=settings=app.properties");
    session.run("kubectl create configmap vars --from-env-file=vars.env");
    assert_eq!(session.field("configmap literal", ".data.colour"), "red");
    assert_eq!(session.field("configmap file", r".data.app\.properties"), "colour=blue\n");
    assert_eq!(session.field("configmap keyed", ".data.settings"), "colour=blue\n");
    assert_eq!(session.field("configmap vars", ".data.TWO"), "2");
    assert!(session.run("kubectl get configmaps").contains("DATA"));
    assert!(session.run("kubectl describe configmap literal").contains("colour"));

    session.run("kubectl create secret generic password --from-literal=password=s3cret");
    assert_eq!(session.field("secret password", ".data.password"), "czNjcmV0");
    assert!(session.run("kubectl get secrets").contains("Opaque"));
    session.run(
        "kubectl create secret docker-registry pull --docker-server=r.example --docker-username=u --docker-password=p",
    );
    assert_eq!(session.field("secret pull", ".type"), "kubernetes.io/dockerconfigjson");
    session.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: plain}\nstringData: {word: ahoy}\n");
    assert_eq!(session.field("secret plain", ".data.word"), "YWhveQ==");
    let described = session.run("kubectl describe secret plain | tr -s ' '");
    assert!(described.contains("word: 4 bytes") && !described.contains("ahoy"), "{described}");
}

#[test]
fn they_become_environment() {
    let session = Session::new("config-env");
    session.run("kubectl create configmap colours --from-literal=sky=blue --from-literal=grass=green");
    session.run("kubectl create secret generic keys --from-literal=password=s3cret");
    let said = session.task(
        "env",
        "
image: localhost/env:v1
args: ['$(PLAIN)-$(SKY)', '$(UNKNOWN)', '$$(PLAIN)']
env:
  - {name: PLAIN, value: plain}
  - {name: SKY, valueFrom: {configMapKeyRef: {name: colours, key: sky}}}
  - {name: PASSWORD, valueFrom: {secretKeyRef: {name: keys, key: password}}}
  - {name: ABSENT, valueFrom: {configMapKeyRef: {name: colours, key: sea, optional: true}}}
  - {name: COMPOSED, value: 'the sky is $(SKY)'}
envFrom:
  - {configMapRef: {name: colours}}
  - {prefix: SECRET_, secretRef: {name: keys}}
",
    );
    for line in [
        "arg 1: plain-blue",
        "arg 2: $(UNKNOWN)",
        "arg 3: $(PLAIN)",
        "PLAIN=plain",
        "SKY=blue",
        "PASSWORD=s3cret",
        "COMPOSED=the sky is blue",
        "sky=blue",
        "grass=green",
        "SECRET_password=s3cret",
    ] {
        assert!(said.lines().any(|said| said == line), "{line} in\n{said}");
    }
    assert!(!said.contains("ABSENT="), "{said}");
}

#[test]
fn a_pod_knows_itself() {
    let session = Session::new("config-downward");
    let said = session.task(
        "downward",
        "
image: localhost/env:v1
resources: {limits: {memory: 64Mi, cpu: 500m}}
env:
  - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
  - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
  - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
  - {name: HOST_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
  - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory}}}
",
    );
    let node = session.field("nodes", ".items[0].metadata.name");
    let host_ip = session.node();
    for line in [
        "NAME=downward",
        "NAMESPACE=config-downward",
        "HOSTNAME=downward",
        "KUBERNETES_SERVICE_HOST=10.43.0.1",
        "MEMORY=67108864",
        &format!("NODE={node}"),
        &format!("HOST_IP={host_ip}"),
    ] {
        assert!(said.lines().any(|said| said == line), "{line} in\n{said}");
    }
    assert!(said.lines().any(|line| line.starts_with("IP=10.42.")), "{said}");
}

#[test]
fn they_become_files() {
    let session = Session::new("config-files");
    session.run("kubectl create configmap pages --from-literal=index.html='<h1>from a ConfigMap</h1>' --from-literal=skipped=no");
    session.run("kubectl create secret generic keys --from-literal=key.txt=s3cret");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
    - name: web
      image: localhost/web:1.21
      env: [{name: WEB_ROOT, value: /www}]
      volumeMounts: [{name: pages, mountPath: /www}, {name: keys, mountPath: /www/keys, readOnly: true}]
  volumes:
    - {name: pages, configMap: {name: pages, items: [{key: index.html, path: index.html}]}}
    - {name: keys, secret: {secretName: keys}}
",
    );
    session.run("kubectl expose pod web --port=80 --type=NodePort");
    session.ready("app=web");
    let address = session.node_port("web");
    http::answers(&address, "/", "<h1>from a ConfigMap</h1>");
    http::answers(&address, "/keys/key.txt", "s3cret");
    assert!(http::get(&address, "/skipped").expect("an answer").contains("404 Not Found"));
}

#[test]
fn a_missing_config_map_holds_the_container_back() {
    let session = Session::new("config-missing");
    session.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: env, labels: {app: env}}
spec:
  containers: [{name: env, image: 'localhost/sleep:v1', envFrom: [{configMapRef: {name: late}}]}]
",
    );
    session.until("kubectl get pod env", |pod| pod.contains("CreateContainerConfigError"));
    session.until("kubectl describe pod env", |described| described.contains(r#"configmap "late" not found"#));
    session.run("kubectl create configmap late --from-literal=in=time");
    session.ready("app=env");
}
