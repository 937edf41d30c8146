//! A roll-out while clients keep asking: not one request may fail.

use crate::harness::Session;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Half of them keep their connection, half open one a request.
const CLIENTS: usize = 4;

#[test]
fn of_a_handler_loses_no_request() {
    roll_out("load-handler", "localhost/echo-hostname:v1", "localhost/echo-hostname:v2", ["<p>Hello,", "<p>Hello v2,"]);
}

#[test]
fn of_a_socket_server_loses_no_request() {
    roll_out("load-socket", "localhost/web:1.21", "localhost/web:1.22", ["web 1.21!", "web 1.22!"]);
}

fn roll_out(namespace: &str, old: &str, new: &str, pages: [&'static str; 2]) {
    let session = Session::new(namespace);
    session.run(&format!("kubectl create deployment app --image={old} --replicas=3 --port=80"));
    session.run("kubectl expose deployment app --port=80 --type=NodePort");
    session.run("kubectl rollout status deployment/app --timeout=90s");
    let address = session.node_port("app");
    crate::harness::http::answers(&address, "/", pages[0]);

    let load = Load::start(&address, pages);
    session.run(&format!("kubectl set image deployment/app *={new}"));
    session.run("kubectl rollout status deployment/app --timeout=90s");
    session.until("kubectl get pods -o name", |pods| pods.lines().count() == 3);
    let answers = load.stop();

    assert_eq!(answers.failures, Vec::<String>::new(), "{answers:?}");
    assert!(answers.pages[pages[1]] > 0 && answers.pages[pages[0]] > 0, "both versions answered: {answers:?}");
}

struct Load {
    runtime: Runtime,
    clients: JoinSet<Answers>,
    over: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Answers {
    pages: BTreeMap<&'static str, usize>,
    failures: Vec<String>,
}

impl Load {
    fn start(address: &str, pages: [&'static str; 2]) -> Load {
        let runtime = Runtime::new().expect("a runtime for the clients");
        let over = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let client = Client { address: address.to_owned(), pages, keep: number % 2 == 0, connection: None };
            clients.spawn_on(client.ask_until(over.clone()), runtime.handle());
        }
        Load { runtime, clients, over }
    }

    fn stop(self) -> Answers {
        self.over.store(true, Ordering::Relaxed);
        let each = self.runtime.block_on(self.clients.join_all());
        each.into_iter().fold(Answers::default(), |mut all, answers| {
            answers.pages.into_iter().for_each(|(page, count)| *all.pages.entry(page).or_default() += count);
            all.failures.extend(answers.failures);
            all
        })
    }
}

struct Client {
    address: String,
    pages: [&'static str; 2],
    keep: bool,
    connection: Option<SendRequest<Empty<Bytes>>>,
}

impl Client {
    async fn ask_until(mut self, over: Arc<AtomicBool>) -> Answers {
        let mut answers = Answers::default();
        while !over.load(Ordering::Relaxed) && answers.failures.len() < 10 {
            match self.ask().await {
                Ok(body) => match self.pages.into_iter().find(|page| body.contains(page)) {
                    Some(page) => *answers.pages.entry(page).or_default() += 1,
                    None => answers.failures.push(body),
                },
                Err(error) => answers.failures.push(format!("{error:#}")),
            }
            // A steady load, not as much as the machine can bear: the pods to come need some of it.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        answers
    }

    async fn ask(&mut self) -> anyhow::Result<String> {
        let mut connection = match self.connection.take().filter(|connection| !connection.is_closed()) {
            Some(connection) => connection,
            None => connect(&self.address).await?,
        };
        connection.ready().await?;
        let request = hyper::Request::get("/").header("Host", &self.address).body(Empty::new())?;
        let response = connection.send_request(request).await?;
        anyhow::ensure!(response.status().is_success(), "{}", response.status());
        let body = response.into_body().collect().await?.to_bytes();
        self.connection = self.keep.then_some(connection);
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

async fn connect(address: &str) -> anyhow::Result<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    Ok(connection)
}
