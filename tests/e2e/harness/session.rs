//! What a test holds: a terminal on a cluster, in a namespace of its own, where commands are typed as they are in the
//! walk-through.

use super::eventually;
use super::server::Server;
use super::shell::{Run, Shell};
use super::terminal::Terminal;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

pub struct Session {
    shell: Shell,
    server: Held,
}

enum Held {
    Shared(Arc<Server>),
    Own(Server),
}

impl Session {
    /// A namespace on the shared server.
    pub fn new(namespace: &str) -> Session {
        let server = Server::shared();
        let shell = Shell::new(&server.kubeconfig());
        let session = Session { shell, server: Held::Shared(server) };
        session.enter(namespace);
        session
    }

    /// A server that no other test uses, in its namespace `default`.
    pub fn alone() -> Session {
        Session::alone_with(&[])
    }

    /// The same, on a server with flags of its own.
    pub fn alone_with(flags: &[&str]) -> Session {
        let server = Server::start_with(flags);
        let shell = Shell::new(&server.kubeconfig());
        let session = Session { shell, server: Held::Own(server) };
        session.await_service_account();
        session
    }

    /// A server of its own with this configuration (YAML), in its namespace `default`.
    pub fn configured(config: &str) -> Session {
        let server = Server::start_configured(config);
        let shell = Shell::new(&server.kubeconfig());
        let session = Session { shell, server: Held::Own(server) };
        session.await_service_account();
        session
    }

    /// Types `kubectl` for this one from now on.
    pub fn with_kubectl(mut self, kubectl: &Path) -> Session {
        self.shell.prefer(kubectl.parent().expect("the folder of a program"));
        self
    }

    fn enter(&self, namespace: &str) {
        self.run(&format!("kubectl create namespace {namespace}"));
        self.run(&format!("kubectl config set-context --current --namespace={namespace}"));
        self.await_service_account();
    }

    /// Pods are admitted once the namespace has its service account.
    fn await_service_account(&self) {
        self.until("kubectl get serviceaccounts", |accounts| accounts.contains("default"));
    }

    pub fn server(&self) -> &Server {
        match &self.server {
            Held::Shared(server) => server,
            Held::Own(server) => server,
        }
    }

    /// Kills the server and starts it again; only where no other test would notice.
    pub fn crash_and_restart(&mut self) {
        let Held::Own(server) = &mut self.server else { panic!("the shared server is not to be killed") };
        server.crash_and_restart();
        self.shell.adopt(&server.kubeconfig());
    }

    /// Ends the server as a machine that shuts down does, and starts it again.
    pub fn stop_and_restart(&mut self) {
        let Held::Own(server) = &mut self.server else { panic!("the shared server is not to be stopped") };
        server.stop_and_restart();
        self.shell.adopt(&server.kubeconfig());
    }

    /// Runs a command line that must succeed, and returns what it printed.
    pub fn run(&self, line: &str) -> String {
        let run = self.shell.run(line, "");
        assert!(run.well, "$ {line}\n{run}");
        run.stdout
    }

    /// Runs a command line that must succeed, and returns its warnings too.
    pub fn run_whole(&self, line: &str) -> Run {
        let run = self.shell.run(line, "");
        assert!(run.well, "$ {line}\n{run}");
        run
    }

    /// Runs a command line that must fail, and returns what it complained of.
    pub fn refused(&self, line: &str) -> String {
        let run = self.shell.run(line, "");
        assert!(!run.well, "$ {line}\nshould have failed\n{run}");
        run.stderr
    }

    /// `kubectl apply -f -`, with the manifest as its input.
    pub fn apply(&self, manifest: &str) -> String {
        let run = self.shell.run("kubectl apply -f -", manifest);
        assert!(run.well, "$ kubectl apply -f -\n{manifest}\n{run}");
        run.stdout
    }

    /// A command line with an input of its own, whatever becomes of it.
    pub fn feed(&self, line: &str, input: &str) -> Run {
        self.shell.run(line, input)
    }

    /// A command line at a terminal, or at a pipe: it runs beside the test.
    pub fn terminal(&self, line: &str) -> Terminal {
        Terminal::open(&self.shell, line)
    }

    /// Runs a command line until what it prints is as it should be, and returns that.
    pub fn until(&self, line: &str, is_so: impl Fn(&str) -> bool) -> String {
        eventually(line, || {
            let run = self.shell.run(line, "");
            match run.well && is_so(&run.stdout) {
                true => Ok(run.stdout),
                false => Err(run.to_string()),
            }
        })
    }

    /// Waits for every pod of these labels to be ready; there must be some.
    pub fn ready(&self, selector: &str) {
        self.until(&format!("kubectl get pods -l {selector} -o name"), |pods| !pods.is_empty());
        self.run(&format!("kubectl wait --for=condition=Ready pod -l {selector} --timeout=90s"));
    }

    /// The names that `kubectl get … -o name` lists, without the kind in front.
    pub fn names(&self, what: &str) -> Vec<String> {
        let names = self.run(&format!("kubectl get {what} -o name"));
        names.lines().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).collect()
    }

    /// One field of an object.
    pub fn field(&self, object: &str, path: &str) -> String {
        self.run(&format!("kubectl get {object} -o jsonpath='{{{path}}}'"))
    }

    /// The node's address, where node ports are reached.
    pub fn node(&self) -> String {
        self.field("nodes", r#".items[0].status.addresses[?(@.type=="InternalIP")].address"#)
    }

    /// Where a service is reached from outside the cluster.
    pub fn node_port(&self, service: &str) -> String {
        format!("{}:{}", self.node(), self.field(&format!("service {service}"), ".spec.ports[0].nodePort"))
    }

    /// Runs a pod to its end and returns what it printed; `spec` is the container's, without its name.
    pub fn task(&self, name: &str, container: &str) -> String {
        let container = container.trim().replace('\n', "\n      ");
        self.apply(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  restartPolicy: Never\n  containers:\n    - name: {name}\n      {container}\n"
        ));
        self.until(&format!("kubectl get pod {name} -o jsonpath='{{.status.phase}}'"), |phase| {
            ["Succeeded", "Failed"].contains(&phase)
        });
        self.run(&format!("kubectl logs {name}"))
    }

    /// Writes a file into the directory where command lines run.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.shell.dir().join(name);
        fs::write(&path, content).expect("a file for the test");
        path
    }

    pub fn dir(&self) -> &Path {
        self.shell.dir()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- the server's log, its end\n{}\n---", self.server().log());
            eprintln!("{}", self.shell.run("kubectl get pods,events 2>&1", ""));
        }
    }
}
