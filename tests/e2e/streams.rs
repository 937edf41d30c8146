//! Ways into a pod from outside of the cluster: `port-forward`, big transfers through `exec`, and the API's proxies.

use crate::clients::installed;
use crate::harness::terminal::Terminal;
use crate::harness::{Session, http};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

const BOTH: [&str; 2] = ["debian", "newest"];

/// A server of bytes and one of pages, in one pod behind a service.
const PAIR: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: pair
  labels: {app: pair}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: echo
      image: localhost/tcp-echo:v1
      env: [{name: PORT, value: '7000'}]
      ports: [{containerPort: 7000}]
      readinessProbe: {tcpSocket: {port: 7000}, periodSeconds: 1}
    - name: pages
      image: localhost/echo-hostname:v1
      ports: [{name: http, containerPort: 80}]
      readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: pair}
spec:
  selector: {app: pair}
  ports: [{name: http, port: 8080, targetPort: http}]
";

fn pair(namespace: &str) -> Session {
    let session = Session::new(namespace);
    session.apply(PAIR);
    session.ready("app=pair");
    session
}

/// The address in `Forwarding from 127.0.0.1:4711 -> 80`, once it is on the screen.
fn address(screen: &mut Terminal, port: u16) -> String {
    screen.see("Forwarding from 127.0.0.1:");
    format!("127.0.0.1:{}", screen.see(&format!(" -> {port}")))
}

/// Sends and reads at once, and closes its own side first.
fn echoed(address: &str, bytes: &'static [u8]) -> Vec<u8> {
    let stream = TcpStream::connect(address).expect("a connection");
    let mut writer = stream.try_clone().expect("a second handle");
    let sending = thread::spawn(move || {
        writer.write_all(bytes).expect("sent");
        writer.shutdown(Shutdown::Write).expect("closed");
    });
    let (mut stream, mut back) = (stream, Vec::new());
    stream.read_to_end(&mut back).expect("the echo");
    sending.join().expect("no panic");
    back
}

#[test]
fn ports_are_forwarded_several_at_once() {
    static SENT: [u8; 300_000] = [7; 300_000];
    for version in BOTH {
        let kubectl = installed("kubectl", &format!("kubectl/{version}/kubectl"));
        let session = pair(&format!("forward-{version}")).with_kubectl(&kubectl);
        let mut screen = session.terminal("kubectl port-forward pod/pair :7000 :80");
        let (bytes, pages) = (address(&mut screen, 7000), address(&mut screen, 80));
        // A connection that nobody uses, one that is busy, and requests beside them.
        let _idle = TcpStream::connect(&bytes).expect("a connection");
        let at = bytes.clone();
        let busy = thread::spawn(move || echoed(&at, &SENT));
        for _ in 0..3 {
            http::answers(&pages, "/", "<p>Hello, pair</p>");
        }
        assert!(busy.join().expect("no panic") == SENT, "{version}");
        assert_eq!(echoed(&bytes, b"again"), b"again", "{version}");
        // Whoever leaves takes nobody else along.
        let mut other = session.terminal("kubectl port-forward svc/pair :8080");
        let service = address(&mut other, 80);
        screen.kill();
        http::answers(&service, "/", "<p>Hello, pair</p>");
    }
}

#[test]
fn a_port_that_nobody_listens_on_is_told() {
    let session = pair("forward-refused");
    let mut screen = session.terminal("kubectl port-forward pod/pair :81");
    let at = address(&mut screen, 81);
    let mut stream = TcpStream::connect(at).expect("kubectl listens");
    let _ = stream.read(&mut [0; 1]);
    screen.see("error forwarding port 81 to pod pair_forward-refused, uid ");
    screen.see("dial tcp4 127.0.0.1:81: connect: connection refused");
}

#[test]
fn big_transfers_pass_both_ways() {
    for version in BOTH {
        let kubectl = installed("kubectl", &format!("kubectl/{version}/kubectl"));
        let session = pair(&format!("transfer-{version}")).with_kubectl(&kubectl);
        let blob: Vec<u8> = (0..5_000_000_u32).flat_map(|n| n.to_le_bytes()).take(5_000_000).collect();
        session.file("blob", &blob);
        session.run("kubectl exec -i pair -c pages -- cat < blob > back");
        session.run("cmp blob back");
        let counted = session.run("kubectl exec -i pair -c pages -- wc -c < blob");
        assert_eq!(counted.trim(), "5000000", "{version}");
    }
}

#[test]
fn pods_services_and_nodes_are_reached_through_the_api() {
    let session = pair("proxies");
    let api = "/api/v1/namespaces/proxies";
    for path in ["pods/pair:80/proxy/", "services/pair:http/proxy/a?b=c", "services/http:pair:8080/proxy/"] {
        assert_eq!(session.run(&format!("kubectl get --raw '{api}/{path}'")), "<p>Hello, pair</p>\n", "{path}");
    }
    let node = session.names("nodes").remove(0);
    assert_eq!(session.run(&format!("kubectl get --raw /api/v1/nodes/{node}/proxy/healthz")), "ok");
    let logs = format!("/api/v1/nodes/{node}/proxy/containerLogs/proxies/pair/echo?tailLines=1");
    assert!(!session.run(&format!("kubectl get --raw '{logs}'")).is_empty());
    for (path, why) in [
        ("services/pair:81/proxy/", "no service port 81 found for service \"pair\""),
        ("services/none/proxy/", "services \"none\" not found"),
        ("services/pair/proxy/", "no endpoints available for service \"pair\""),
        ("pods/pair:81/proxy/", "error trying to reach service: dial tcp"),
        ("pods/ftp:pair:80/proxy/", "invalid pod request \"ftp:pair:80\""),
    ] {
        let said = session.refused(&format!("kubectl get --raw '{api}/{path}'"));
        assert!(said.contains(why), "{path}: {said}");
    }
}

#[test]
fn kubectl_proxy_leads_browsers_to_a_pod() {
    let session = pair("kubectl-proxy");
    let mut screen = session.terminal("kubectl proxy --port=0");
    screen.see("Starting to serve on ");
    let at = screen.see("\r\n");
    let root = "/api/v1/namespaces/kubectl-proxy/pods/pair:80/proxy";
    http::answers(&at, &format!("{root}/"), "<p>Hello, pair</p>");
    let moved = http::get(&at, root).expect("an answer");
    assert!(moved.starts_with("HTTP/1.1 301 ") && moved.contains(&format!("Location: {root}/\r\n")), "{moved}");
}

/// Sends a text and more than a frame's worth of bytes, and says farewell.
const WEBSOCKET: &str = "import sys, websocket
for way in sys.argv[2:]:
    socket = websocket.create_connection(f'ws://{sys.argv[1]}/api/v1/namespaces/websockets/{way}/proxy/a?b=c', timeout=20)
    socket.send('hello')
    text = socket.recv()
    socket.send_binary(b'x' * 300_000)
    print(way, text, len(socket.recv()))
    socket.close()
";

#[test]
fn websockets_pass_through_the_proxies() {
    let python = installed("the Python clients", "python/bin/python");
    let session = Session::new("websockets");
    let script = session.file("passes.py", WEBSOCKET);
    session.apply(WEBSOCKETS);
    session.ready("app=ws-echo");
    let mut screen = session.terminal("kubectl proxy --port=0");
    screen.see("Starting to serve on ");
    let at = screen.see("\r\n");
    let ways = ["pods/ws-echo:8080", "pods/ws-echo", "services/ws-echo:80", "services/http:ws-echo:ws"];
    let run = session.run(&format!("{} {} {at} {}", python.display(), script.display(), ways.join(" ")));
    let expected: Vec<_> = ways.iter().map(|way| format!("{way} hello 300000")).collect();
    assert_eq!(run.lines().collect::<Vec<_>>(), expected);
}

const WEBSOCKETS: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: ws-echo
  labels: {app: ws-echo}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: server
      image: localhost/ws-echo:v1
      env: [{name: PORT, value: '8080'}]
      ports: [{containerPort: 8080}]
      readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: ws-echo}
spec:
  selector: {app: ws-echo}
  ports: [{name: ws, port: 80, targetPort: 8080}]
";
