//! Programs in pods that run: exec, attach, run -i, at pipes and at terminals.

use crate::harness::terminal::Terminal;
use crate::harness::{Session, eventually};

/// Two containers that wait: one for ever, one for its input, at a terminal.
const PODS: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: two
  labels:
    app: two
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: one
      image: localhost/programs:v1
      args: [wait]
      env:
        - name: GREETING
          value: hello
      workingDir: /work
      volumeMounts:
        - name: work
          mountPath: /work
    - name: other
      image: localhost/programs:v1
      args: [wait]
  volumes:
    - name: work
      emptyDir: {}
";

const TALK: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: talk
  labels:
    app: talk
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: talk
      image: localhost/programs:v1
      args: [prompt]
      stdin: true
      tty: true
";

fn two(namespace: &str) -> Session {
    let session = Session::new(namespace);
    session.apply(PODS);
    session.ready("app=two");
    session
}

#[test]
fn a_program_runs_in_its_container() {
    let session = two("exec-program");
    let seen = session.run("kubectl exec two -c one -- programs where");
    for line in ["GREETING=hello", "HOSTNAME=two", "in /work", "terminal false"] {
        assert!(seen.lines().any(|one| one == line), "{line} in\n{seen}");
    }
    let other = session.run("kubectl exec two -c other -- /usr/bin/programs where");
    assert!(!other.contains("GREETING"), "{other}");
    assert_eq!(
        session.run("kubectl exec two -- programs exit 42 2>err; echo $?; cat err"),
        "42\nDefaulted container \"one\" out of: one, other\ncommand terminated with exit code 42\n"
    );
    let trapped = session.refused("kubectl exec two -c one -- programs trap");
    assert!(
        trapped.contains("asked to panic") && trapped.ends_with("command terminated with exit code 134\n"),
        "{trapped}"
    );
}

#[test]
fn what_cannot_be_run_is_refused_as_by_a_kubelet() {
    let session = two("exec-refused");
    let refused = session.refused("kubectl exec two -c one -- nosuch");
    assert!(
        refused.contains("OCI runtime exec failed: exec failed: unable to start container process: exec: \"nosuch\": executable file not found in $PATH: unknown"),
        "{refused}"
    );
    let refused = session.refused("kubectl exec two -c none -- programs where");
    assert!(
        refused.contains("container none is not valid for pod two") || refused.contains("container not found"),
        "{refused}"
    );
    session.refused("kubectl exec gone -- programs where");
}

#[test]
fn input_ends_where_it_ends_and_bytes_stay_as_they_are() {
    let session = two("exec-bytes");
    assert_eq!(session.feed("kubectl exec -i two -c one -- programs cat", "one\ntwo").stdout, "one\ntwo");
    let sums = session.run(
        "head -c 100000000 /dev/urandom > big && sha256sum < big && kubectl exec -i two -c one -- programs cat < big | sha256sum",
    );
    let sums: Vec<_> = sums.lines().collect();
    assert_eq!(sums[0], sums[1]);
    assert_eq!(session.run("kubectl exec -i two -c one -- programs count < big"), "100000000\n");
    assert_eq!(session.run("kubectl exec two -c one -- programs flood 100000000 | wc -c").trim(), "100000000");
    let both = "(kubectl exec -i two -c one -- programs count < big & kubectl exec -i two -c other -- programs count < big & wait)";
    assert_eq!(session.run(both), "100000000\n100000000\n");
}

#[test]
fn a_terminal_is_one_from_end_to_end() {
    let session = two("exec-terminal");
    let mut shell = session.terminal("kubectl exec -it two -c one -- programs prompt");
    shell.see("$ ");
    has_the_clients_size(&mut shell);
    shell.say("where\r");
    shell.see("TERM=xterm\r\n");
    shell.see("terminal true\r\nsize 132x43\r\n");
    shell.see("code 0\r\n$ ");
    shell.say("run wait\r");
    shell.see("waiting\r\n");
    shell.say("\x03");
    shell.see("^Ccode 130\r\n$ ");
    shell.say("nonsemse\x15keys\r");
    shell.see("ready\r\n");
    shell.say("\x1b[A\x03q");
    shell.see("<1b><5b><41><03>");
    shell.see("$ ");
    shell.say("\x04");
    shell.see("bye\r\n");
    assert_eq!(shell.code(), Some(0));
}

#[test]
fn who_goes_away_ends_what_he_started_and_nothing_else() {
    let session = two("exec-gone");
    let waiting = || {
        session.run("kubectl exec two -c one -- programs list").lines().filter(|line| line.ends_with("wait")).count()
    };
    let mut stays = session.terminal("kubectl exec -it two -c one -- programs run wait");
    stays.see("waiting");
    let mut goes = session.terminal("kubectl exec two -c one -- programs run wait");
    goes.see("waiting");
    assert_eq!(waiting(), 2 + 2 + 2);
    goes.kill();
    session.until("kubectl exec two -c one -- programs list | grep -c wait$", |count| count.trim() == "4");
    stays.say("\x03");
    assert_eq!(stays.code(), Some(130));
    assert_eq!(waiting(), 2);
    assert_eq!(session.field("pod two", ".status.containerStatuses[*].restartCount"), "0 0");
}

/// The client tells of its size when it is connected, and a program may ask before.
fn has_the_clients_size(screen: &mut Terminal) {
    eventually("the terminal to have the client's size", || {
        screen.say("where\r");
        screen.see("size ");
        match screen.see("\r\n").as_str() {
            "132x43" => Ok(()),
            other => Err(other.to_owned()),
        }
    });
}

#[test]
fn clients_attach_to_a_container_and_leave_it() {
    let session = Session::new("exec-attach");
    session.apply(TALK);
    session.ready("app=talk");
    let mut first = session.terminal("kubectl attach -it talk");
    first.see("$ ");
    has_the_clients_size(&mut first);
    first.see("$ ");
    first.kill();
    let mut second = session.terminal("kubectl attach -it talk");
    second.see("If you don");
    second.say("exit 7\r");
    second.see("code 7\r\n$ ");
    second.say("\x04");
    second.see("bye");
    session.until("kubectl logs talk --previous || kubectl logs talk", |log| {
        log.contains("code 7") && log.contains("bye")
    });
}

#[test]
fn what_is_typed_into_a_new_pod_is_not_lost() {
    let session = Session::new("exec-run");
    let counted = session.feed(
        "kubectl run -i --rm --quiet count --image=localhost/programs:v1 --restart=Never -- count",
        &"x".repeat(1_000_000),
    );
    assert_eq!(counted.stdout, "1000000\n", "{counted}");
    let mut shell =
        session.terminal("kubectl run -it --rm shell --image=localhost/programs:v1 --restart=Never -- prompt");
    shell.see("$ ");
    shell.say("exit 9\r");
    shell.see("code 9\r\n$ ");
    shell.say("\x04");
    shell.see("bye\r\n");
    shell.see("deleted");
    assert_eq!(shell.code(), Some(0));
}
