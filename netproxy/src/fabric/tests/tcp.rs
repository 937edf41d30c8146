use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn listen(plug: &Plug, addr: &str) -> Listener {
    plug.bind_tcp(at(addr)).unwrap().listen(16).unwrap()
}

#[tokio::test]
async fn two_pods_talk() {
    let fabric = fabric();
    let (server, client) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let listener = listen(&server, "0.0.0.0:80");
    let mut near = client.connect(at("10.42.0.2:80")).await.unwrap();
    let (mut far, peer) = listener.accept().await.unwrap();
    assert_eq!((near.peer_addr(), near.local_addr()), (at("10.42.0.2:80"), peer));
    assert_eq!(peer.ip(), client.address());
    near.write_all(b"hello").await.unwrap();
    near.shutdown().await.unwrap();
    let mut heard = String::new();
    far.read_to_string(&mut heard).await.unwrap();
    far.write_all(b"bye").await.unwrap();
    drop(far);
    near.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "hellobye");
    drop((near, listener));
    for plug in [server, client] {
        assert_eq!(plug.usage(), Usage { sockets: 0, connections: 0 });
    }
}

#[tokio::test]
async fn containers_of_a_pod_share_its_loopback_and_nobody_else_does() {
    let fabric = fabric();
    let (one, other) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let listener = listen(&one, "127.0.0.1:80");
    let near = one.clone().connect(at("127.0.0.1:80")).await.unwrap();
    assert_eq!(near.local_addr().ip(), at("127.0.0.1:0").ip());
    listener.accept().await.unwrap();
    for (plug, to) in [(&one, "10.42.0.2:80"), (&other, "127.0.0.1:80"), (&other, "10.42.0.2:80")] {
        assert!(matches!(plug.connect(at(to)).await, Err(SocketError::ConnectionRefused)), "{to}");
    }
    assert!(matches!(one.bind_tcp(at("127.0.0.1:80")), Err(SocketError::AddressInUse)));
    assert!(matches!(one.bind_tcp(at("10.42.0.3:80")), Err(SocketError::AddressNotBindable)));
    assert!(matches!(other.connect(at("10.42.0.9:80")).await, Err(SocketError::HostUnreachable)));
}

#[tokio::test(start_paused = true)]
async fn a_full_backlog_makes_connects_wait() {
    let fabric = fabric();
    let (server, client) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let listener = server.bind_tcp(at("0.0.0.0:80")).unwrap().listen(1).unwrap();
    let _first = client.connect(at("10.42.0.2:80")).await.unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.connect(at("10.42.0.2:80")).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished());
    listener.accept().await.unwrap();
    let _second = waiting.await.unwrap().unwrap();

    let (timed_out, sockets) = (client.connect(at("10.42.0.2:80")).await, client.usage().sockets);
    assert!(matches!(timed_out, Err(SocketError::Timeout)));
    assert_eq!(sockets, 2, "the port of the failed connect is free");

    let refused = tokio::spawn({
        let client = client.clone();
        async move { client.connect(at("10.42.0.2:80")).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(listener);
    assert!(matches!(refused.await.unwrap(), Err(SocketError::ConnectionRefused)));
}

#[tokio::test]
async fn dropping_the_plug_frees_everything() {
    let fabric = fabric();
    let (server, client) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let listener = Arc::new(listen(&server, "0.0.0.0:80"));
    let mut near = client.connect(at("10.42.0.2:80")).await.unwrap();
    let (_far, _) = listener.accept().await.unwrap();
    let unaccepted = client.connect(at("10.42.0.2:80")).await.unwrap();
    let accepting = tokio::spawn({
        let listener = listener.clone();
        async move {
            drop(listener.accept().await.unwrap());
            listener.accept().await.map(drop)
        }
    });
    tokio::task::yield_now().await;
    let udp = server.bind_udp(at("0.0.0.0:53")).unwrap();

    drop(server);
    // The listener and an accepted stream are still held, as by a guest that was not dropped yet.
    assert!(matches!(accepting.await.unwrap(), Err(SocketError::ConnectionAborted)));
    assert!(matches!(udp.try_recv_from(), Err(SocketError::ConnectionAborted)));
    let error = near.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(matches!(client.connect(at("10.42.0.2:80")).await, Err(SocketError::HostUnreachable)));

    let successor = plug(&fabric, "10.42.0.2");
    let _again = listen(&successor, "0.0.0.0:80");
    let _udp_again = successor.bind_udp(at("0.0.0.0:53")).unwrap();
    drop((listener, udp));
    client.connect(at("10.42.0.2:80")).await.expect("what the old pod still held took nothing of the new one");
    drop((near, unaccepted));
}

#[tokio::test]
async fn services_take_turns_pass_over_the_dead_and_hairpin() {
    let fabric = fabric();
    let (one, two) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let (first, second) = (listen(&one, "0.0.0.0:80"), listen(&two, "0.0.0.0:80"));
    serve_by(&fabric, &["10.42.0.2", "10.42.0.3", "10.42.0.99"]);
    for _ in 0..6 {
        let near = one.connect(at("10.43.0.10:80")).await.unwrap();
        assert_eq!(near.peer_addr(), at("10.43.0.10:80"));
    }
    let count = |listener: &Listener| std::iter::from_fn(|| listener.try_accept().ok()).count();
    let counts = (count(&first), count(&second));
    assert_eq!(counts.0 + counts.1, 6);
    assert!(counts.0 >= 2 && counts.1 >= 2, "{counts:?}");

    serve_by(&fabric, &[]);
    for to in ["10.43.0.10:80", "10.43.0.10:81"] {
        assert!(matches!(one.connect(at(to)).await, Err(SocketError::ConnectionRefused)), "{to}");
    }
}

#[tokio::test]
async fn the_host_is_reached_where_it_made_itself_known() {
    let fabric = fabric();
    let pod = plug(&fabric, "10.42.0.2");
    let api = fabric.listen_host(at("192.0.2.1:6443")).unwrap();
    pod.connect(at("192.0.2.1:6443")).await.unwrap();
    assert_eq!(api.accept().await.unwrap().1.ip(), pod.address());
    drop(api);
    assert!(fabric.listen_host(at("192.0.2.1:6443")).is_ok());
}

#[tokio::test]
async fn a_service_leads_to_the_hosts_loopback_only_where_a_server_made_itself_known() {
    let fabric = fabric();
    let pod = plug(&fabric, "10.42.0.2");
    serve_by(&fabric, &["127.0.0.1"]);
    assert!(matches!(pod.connect(at("10.43.0.10:80")).await, Err(SocketError::HostUnreachable)));
    let api = fabric.listen_host(at("127.0.0.1:80")).unwrap();
    let near = pod.connect(at("10.43.0.10:80")).await.unwrap();
    assert_eq!(near.peer_addr(), at("10.43.0.10:80"));
    assert_eq!(api.accept().await.unwrap().1.ip(), pod.address());
    assert!(matches!(pod.connect(at("127.0.0.1:80")).await, Err(SocketError::ConnectionRefused)), "its own loopback");
    drop(api);
    assert!(matches!(pod.connect(at("10.43.0.10:80")).await, Err(SocketError::HostUnreachable)));
}

#[tokio::test]
async fn the_host_dials_pods_and_a_draining_pod_refuses_others() {
    let fabric = fabric();
    let pod = plug(&fabric, "10.42.0.2");
    let listener = listen(&pod, "0.0.0.0:80");
    let _probe = fabric.dial(Origin::Host, at("10.42.0.2:80")).await.unwrap();
    assert_eq!(listener.accept().await.unwrap().1.ip(), fabric.config().host_address);
    pod.drain();
    let refused = fabric.dial(Origin::Host, at("10.42.0.2:80")).await.unwrap_err();
    assert!(matches!(refused.source, SocketError::ConnectionRefused));
    pod.connect(at("127.0.0.1:80")).await.expect("its own loopback stays");
}

#[tokio::test]
async fn budgets_hold() {
    let limits = Limits { sockets: 2, connections: 1, ..Limits::default() };
    let fabric = Fabric::new(Config { limits, ..Config::default() });
    let (server, client) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let _listener = listen(&server, "0.0.0.0:80");
    let first = client.connect(at("10.42.0.2:80")).await.unwrap();
    assert!(matches!(client.connect(at("10.42.0.2:80")).await, Err(SocketError::LimitReached)));
    assert!(fabric.dial(Origin::Host, at("10.42.0.2:80")).await.is_err(), "the server's connections are counted, too");
    let _bound = client.bind_tcp(at("0.0.0.0:0")).unwrap();
    assert!(matches!(client.bind_udp(at("0.0.0.0:0")), Err(SocketError::LimitReached)));
    drop(first);
    assert_eq!(client.usage(), Usage { sockets: 1, connections: 0 });
}

#[tokio::test]
async fn outside_goes_through_sockets_of_the_host() {
    let fabric = fabric();
    let pod = plug(&fabric, "10.42.0.2");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for trick in [format!("127.0.0.1:{port}"), format!("[::ffff:127.0.0.1]:{port}"), format!("127.0.0.2:{port}")] {
        assert!(pod.connect(at(&trick)).await.is_err(), "{trick}");
    }
    let mut dialed = fabric.dial(Origin::Host, listener.local_addr().unwrap()).await.unwrap();
    let (mut accepted, _) = listener.accept().await.unwrap();
    dialed.write_all(b"hi").await.unwrap();
    dialed.shutdown_now(How::Write).unwrap();
    let mut heard = String::new();
    accepted.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "hi");
}

#[tokio::test]
async fn connections_to_outside_end_with_the_pod() {
    let fabric = fabric();
    let pod = plug(&fabric, "10.42.0.2");
    // Loopback is not for pods; as the caller is made by hand, so is the route past that rule.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let mut caller = Some(connect::Caller::pod(pod.pod(), pod.address()).unwrap());
    let near = fabric.connect_outside(&mut caller, to).await.unwrap();
    let (mut far, _) = listener.accept().await.unwrap();
    drop(pod);
    assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0);
    near.readable().await.unwrap();
    assert_eq!(near.try_read(&mut [0; 8]).unwrap(), 0);
}
