use super::*;

#[tokio::test]
async fn datagrams_between_pods() {
    let fabric = fabric();
    let (one, two) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let server = one.bind_udp(at("0.0.0.0:53")).unwrap();
    let client = two.bind_udp(at("0.0.0.0:0")).unwrap();
    client.try_send_to(b"ask", Some(at("10.42.0.2:53"))).unwrap();
    let (data, from) = server.recv_from().await.unwrap();
    assert_eq!((&data[..], from.ip()), (&b"ask"[..], two.address()));
    server.try_send_to(b"answer", Some(from)).unwrap();
    assert_eq!(client.recv_from().await.unwrap().1, at("10.42.0.2:53"));

    for nobody in ["10.42.0.2:54", "10.42.0.77:53", "10.43.0.1:53"] {
        client.try_send_to(b"lost", Some(at(nobody))).unwrap();
    }
    assert!(matches!(client.try_send_to(&[0; MAX_DATAGRAM + 1], Some(from)), Err(SocketError::DatagramTooLarge)));
    assert!(matches!(client.try_send_to(b"x", None), Err(SocketError::InvalidState)));
    assert!(matches!(client.try_recv_from(), Err(SocketError::WouldBlock)));
}

#[tokio::test]
async fn a_connected_socket_hears_its_peer_only() {
    let fabric = fabric();
    let (one, two) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let server = one.bind_udp(at("0.0.0.0:53")).unwrap();
    let stranger = one.bind_udp(at("0.0.0.0:54")).unwrap();
    let client = two.bind_udp(at("0.0.0.0:9000")).unwrap();
    client.connect(Some(at("10.42.0.2:53"))).unwrap();
    stranger.try_send_to(b"spam", Some(at("10.42.0.3:9000"))).unwrap();
    server.try_send_to(b"good", Some(at("10.42.0.3:9000"))).unwrap();
    assert_eq!(&client.recv_from().await.unwrap().0[..], b"good");
    assert!(matches!(client.try_send_to(b"x", Some(at("10.42.0.2:54"))), Err(SocketError::InvalidArgument)));
}

#[tokio::test]
async fn a_service_sticks_and_answers_in_its_own_name() {
    let fabric = fabric();
    let pods = [plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3")];
    let servers = pods.each_ref().map(|pod| pod.bind_udp(at("0.0.0.0:80")).unwrap());
    serve_by(&fabric, &["10.42.0.2", "10.42.0.3"]);
    let pod = plug(&fabric, "10.42.0.4");
    let client = pod.bind_udp(at("0.0.0.0:0")).unwrap();
    for _ in 0..4 {
        client.try_send_to(b"ask", Some(at("10.43.0.10:80"))).unwrap();
    }
    let heard = |server: &UdpSocket| std::iter::from_fn(|| server.try_recv_from().ok()).collect::<Vec<_>>();
    let all = servers.each_ref().map(heard);
    let chosen = usize::from(all[0].is_empty());
    assert_eq!((all[chosen].len(), all[1 - chosen].len()), (4, 0));

    servers[chosen].try_send_to(b"answer", Some(all[chosen][0].1)).unwrap();
    assert_eq!(client.recv_from().await.unwrap().1, at("10.43.0.10:80"));

    serve_by(&fabric, &[["10.42.0.2", "10.42.0.3"][1 - chosen]]);
    client.try_send_to(b"ask", Some(at("10.43.0.10:80"))).unwrap();
    assert_eq!(heard(&servers[1 - chosen]).len(), 1, "an endpoint that went is replaced");
}
