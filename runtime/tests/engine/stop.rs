//! Guests that are asked to end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use netproxy::fabric::{Origin, Stream};
use runtime::container::{Container, Exit, Spec, Stdin};
use runtime::sandbox::Sandbox;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Net, exit, sample, start, start_file, start_with};

#[tokio::test]
async fn a_guest_that_cannot_notice_ends_at_once() {
    let net = Net::new();
    let (mut ticker, ears) = start(&net.pod("ticker"), &["ticker"]).await;
    ears.hear("1").await;
    let begun = Instant::now();
    ticker.stop();
    assert_eq!(exit(&mut ticker).await, Exit::Code(143));
    assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_finishes_what_it_has_accepted() {
    let net = Net::new();
    let pod = net.pod("echo");
    let (mut server, ears) = start(&pod, &["tcp-echo"]).await;
    ears.hear("listening on").await;
    let mut stream = net.fabric.dial(Origin::Host, SocketAddr::new(pod.plug.address(), 7)).await.unwrap();
    stream.write_all(b"one").await.unwrap();
    let mut heard = [0; 3];
    stream.read_exact(&mut heard).await.unwrap();
    server.stop();
    let soon = tokio::time::timeout(Duration::from_millis(900), server.exited()).await;
    assert!(soon.is_err(), "a connection is open: {soon:?}");
    stream.write_all(b"two").await.unwrap();
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"two");
    drop(stream);
    assert_eq!(exit(&mut server).await, Exit::Code(143));
}

#[tokio::test]
async fn a_server_that_a_shell_started_finishes_too() {
    let net = Net::new();
    let pod = net.pod("shell");
    let (mut shell, stream) = serving_shell(&net, &pod).await;
    shell.stop();
    let soon = tokio::time::timeout(Duration::from_millis(900), shell.exited()).await;
    assert!(soon.is_err(), "a connection is open: {soon:?}");
    drop(stream);
    assert_eq!(exit(&mut shell).await, Exit::Code(143));
}

#[tokio::test]
async fn a_shell_whose_child_reads_its_input_ends_by_itself() {
    let net = Net::new();
    let args = ["sh", "-c", "echo begun; cat; echo bye; exit 3"];
    let open = |spec: &mut Spec| spec.stdin = Stdin::Open { once: false };
    let (mut shell, ears) = start_file(&net.pod("shell"), &sample("toolbox"), &args, open).await;
    ears.hear("begun").await;
    // Until it reads; nothing tells from outside.
    let waits = |shell: &Container| shell.handle().reads_stdin();
    tokio::time::timeout(Duration::from_secs(60), async {
        while !waits(&shell) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the child reads");
    shell.stop();
    assert_eq!(exit(&mut shell).await, Exit::Code(3));
    assert!(ears.text().ends_with("bye\n"), "{}", ears.text());
}

#[tokio::test]
async fn what_was_killed_has_left_its_ports_with_all_that_it_started() {
    let net = Net::new();
    let pod = net.pod("shell");
    for _ in 0..5 {
        let (shell, stream) = serving_shell(&net, &pod).await;
        shell.kill().await;
        pod.plug.bind_tcp(SERVER).expect("the port is free");
        drop(stream);
    }
}

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);

/// A shell that waits for a server, and a connection to that.
async fn serving_shell(net: &Net, pod: &Sandbox) -> (Container, Stream) {
    let args = ["sh", "-c", "httpd -f -p 8080; true"];
    let (shell, ears) = start_file(pod, &sample("toolbox"), &args, |_| {}).await;
    let at = SocketAddr::new(pod.plug.address(), SERVER.port());
    let connected = async {
        loop {
            match net.fabric.dial(Origin::Host, at).await {
                Ok(stream) => return stream,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let connected = tokio::time::timeout(Duration::from_secs(60), connected).await;
    (shell, connected.unwrap_or_else(|_| panic!("no server: {}", ears.text())))
}

#[tokio::test]
async fn a_stopped_handler_ends_well() {
    let net = Net::new();
    let (mut handler, _) = start_with(&net.pod("page"), &["echo-hostname"], |spec| spec.http_ports = vec![80]).await;
    handler.stop();
    assert_eq!(exit(&mut handler).await, Exit::Code(0));
}
