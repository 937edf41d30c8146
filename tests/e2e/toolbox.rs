//! The toolbox in pods: its scripts, its tools on the pod's network, its prompt.

use std::fs;
use std::path::Path;

use crate::harness::Session;

/// A pod whose image is something else, with a directory to write to; and a page on port 8080, by the toolbox's own server.
const PODS: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: box
  labels:
    app: box
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: box
      image: localhost/toolbox
      command: [sleep, infinity]
      workingDir: /data
      volumeMounts:
        - name: data
          mountPath: /data
  volumes:
    - name: data
      emptyDir: {}
---
apiVersion: v1
kind: Pod
metadata:
  name: page
  labels:
    app: box
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: page
      image: localhost/toolbox
      command: [sh, -c]
      args:
        - echo '<p>a page</p>' > /data/index.html; exec httpd -f -p 8080 -h /data
      volumeMounts:
        - name: data
          mountPath: /data
  volumes:
    - name: data
      emptyDir: {}
---
apiVersion: v1
kind: Service
metadata:
  name: page
spec:
  selector:
    app: box
  ports:
    - port: 80
      targetPort: 8080
";

fn boxes(namespace: &str) -> Session {
    let session = Session::new(namespace);
    session.apply(PODS);
    session.ready("app=box");
    session
}

/// What dash prints for the toolbox's own scripts, a pod's shell prints, too.
#[test]
fn scripts_do_in_a_pod_what_they_do_in_dash() {
    let session = boxes("toolbox-scripts");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-wasm/toolbox/tests/scripts");
    for name in ["words", "flow", "pipes", "tools"] {
        let file = |ending: &str| fs::read_to_string(scripts.join(format!("{name}.{ending}"))).expect("a script");
        session.run(&format!("kubectl exec box -- mkdir /data/{name}"));
        let script = session.file(&format!("{name}.sh"), file("sh"));
        let line = format!(
            "kubectl exec box -- env -i PATH=/bin HOME=/ sh -c \"cd /data/{name}; $(cat {})\" 2>err; true",
            script.display()
        );
        let printed = session.run(&line);
        let complaints = session.run("cat err");
        for (number, (printed, expected)) in printed.lines().zip(file("out").lines()).enumerate() {
            assert_eq!(printed, expected, "{name}, line {}\n{complaints}", number + 1);
        }
        assert_eq!(printed.lines().count(), file("out").lines().count(), "{name}\n{complaints}");
    }
}

#[test]
fn exit_codes_come_through() {
    let session = boxes("toolbox-codes");
    for (command, code) in
        [("true", 0), ("false", 1), ("sh -c 'exit 42'", 42), ("grep x /nowhere", 2), ("test a = b", 1)]
    {
        assert_eq!(
            session.run(&format!("kubectl exec box -- {command} 2>/dev/null; echo $?")),
            format!("{code}\n"),
            "{command}"
        );
    }
    assert_eq!(
        session.feed("kubectl exec -i box -- sh", "echo from $0; read x\nline\necho $x\nexit 3\n").stdout,
        "from sh\nline\n"
    );
    assert_eq!(session.run("kubectl exec box -- pwd"), "/data\n");
}

#[test]
fn the_network_is_the_pods() {
    let session = boxes("toolbox-network");
    let ask = |command: &str| session.run(&format!("kubectl exec box -- {command}"));
    session.until("kubectl exec box -- sh -c 'curl -s -m 2 http://page/ || true'", |page| page.contains("a page"));
    assert_eq!(ask("curl -s http://page"), "<p>a page</p>\n");
    assert_eq!(ask("curl -s -o /dev/null -w '%{http_code}' http://page/none"), "404");
    assert_eq!(ask("wget -q -O - http://page.toolbox-network.svc.cluster.local"), "<p>a page</p>\n");
    let found = ask("nslookup page.toolbox-network.svc.cluster.local");
    let address = session.field("service/page", ".spec.clusterIP");
    assert!(found.contains("Server:\t\t") && found.contains(&format!("Address: {address}\n")), "{found}");
    assert!(session.run("kubectl exec box -- nslookup nosuch.example; echo $?").ends_with("\n1\n"));
    assert_eq!(ask("sh -c 'nc -z page 80 && echo open; nc -z -w 1 page 81 || echo shut'"), "open\nshut\n");
    let said = ask("sh -c 'printf \"GET / HTTP/1.0\\r\\n\\r\\n\" | nc page 80 | tail -n 1'");
    assert_eq!(said, "<p>a page</p>\n");
    assert!(ask("ping -c 1 page").contains("1 answered, 0% lost"));
}

#[test]
fn a_prompt_edits_lines_and_interrupts_what_runs() {
    let session = boxes("toolbox-prompt");
    let mut shell = session.terminal("kubectl exec -it box -- bash");
    shell.see("/data # ");
    shell.say("echo onX\x7fe tw\x01\x05o\r");
    shell.see("\r\none two\r\n");
    shell.say("x=1\recho \"a\r");
    shell.see("> ");
    shell.say("b$x\"\r");
    shell.see("a\r\nb1\r\n");
    shell.say("sleep 1000\r");
    shell.see("\n");
    shell.say("\x03");
    shell.see("/data # ");
    shell.say("echo code $?\r");
    shell.see("code 130\r\n");
    shell.say("echo typed\x03");
    shell.see("echo typed\r\x1b[18C^C");
    shell.see("/data # ");
    shell.say("\x1b[A\r");
    shell.see("code 130\r\n");
    shell.say("touch long-name\rls lo\t\r");
    shell.see("\r\nlong-name\r\n");
    shell.say("sleep 1000 | cat &\rps\r");
    shell.see(" 0:00 sleep 1000\r\n");
    shell.say("kill %1; wait; false\r");
    shell.see("/data # ");
    shell.say("\x04");
    assert_eq!(shell.code(), Some(1));
}

#[test]
fn a_pod_to_debug_with_is_one_command_away() {
    let session = Session::new("toolbox-debug");
    let mut shell =
        session.terminal("kubectl run -i --tty --rm debug --image=localhost/toolbox --restart=Never -- bash");
    shell.see("# ");
    shell.say("echo $((6 * 7))\r");
    shell.see("\r\n42\r\n");
    shell.say("\x04");
    assert_eq!(shell.code(), Some(0));
}

#[test]
fn files_are_copied_both_ways() {
    let session = boxes("toolbox-copy");
    let copied = "mkdir -p from/sub && seq 100000 > from/numbers && echo x > from/sub/x
        kubectl cp from box:/data/to && kubectl cp box:/data/to back && diff -r from back && echo same";
    assert!(session.run(copied).ends_with("same\n"));
    assert_eq!(session.run("kubectl exec box -- sh -c 'wc -l < to/numbers; cat to/sub/x'"), "100000\nx\n");
}
