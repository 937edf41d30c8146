//! Processor time: counted, limited, shared.

use std::time::{Duration, Instant};

use runtime::container::{Container, Cpu};

use crate::harness::{Net, start, start_with};

/// Long enough for a dozen periods of the limit.
const WHILE: Duration = Duration::from_millis(1500);

async fn burning(net: &Net, cpu: Cpu) -> Container {
    let pod = net.pod("burn");
    let (container, ears) = start_with(&pod, &["burn"], |spec| spec.cpu = cpu).await;
    ears.hear("burning").await;
    container
}

#[tokio::test]
async fn a_limit_holds_and_can_be_changed_while_it_runs() {
    let net = Net::new();
    let burn = burning(&net, Cpu { limit: Some(200), request: None }).await;
    let (begun, before) = (Instant::now(), burn.usage());
    tokio::time::sleep(WHILE).await;
    let (used, took) = (burn.usage().cpu - before.cpu, begun.elapsed());
    assert!(used <= took / 4 + Duration::from_millis(20), "{used:?} in {took:?}");
    assert!(burn.usage().throttled > before.throttled);

    burn.set_limits(Cpu::default(), None);
    // The period that is paid for already, and then the wait is over.
    let deadline = Instant::now() + Duration::from_secs(30);
    let before = burn.usage();
    while burn.usage().cpu - before.cpu < WHILE / 2 {
        assert!(Instant::now() < deadline, "it runs freely: {:?}", burn.usage());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(burn.usage().throttled <= before.throttled + 1);
    burn.kill().await;
}

#[tokio::test]
async fn busy_containers_share_by_their_requests() {
    let net = Net::new();
    let cores = std::thread::available_parallelism().unwrap().get();
    let cpu = |request| Cpu { limit: None, request: Some(request) };
    let mut containers = Vec::new();
    for _ in 0..cores {
        containers.push((burning(&net, cpu(600)).await, burning(&net, cpu(200)).await));
    }
    let used = |containers: &[(Container, Container)]| {
        let sum = |(more, less): (Duration, Duration), (one, other): &(Container, Container)| {
            (more + one.usage().cpu, less + other.usage().cpu)
        };
        containers.iter().fold(Default::default(), sum)
    };
    let before = used(&containers);
    // However slow the machine: as long as it takes to share out a second.
    let after = loop {
        let after = used(&containers);
        if after.0 + after.1 > before.0 + before.1 + Duration::from_secs(1) {
            break after;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let ratio = (after.0 - before.0).as_secs_f64() / (after.1 - before.1).as_secs_f64();
    // Three, on a machine that does nothing else; one would be no share at all.
    assert!((1.5..10.0).contains(&ratio), "{ratio}");
    for (one, other) in containers {
        one.kill().await;
        other.kill().await;
    }
}

#[tokio::test]
async fn a_guest_that_waits_uses_next_to_nothing() {
    let net = Net::new();
    let (echo, ears) = start(&net.pod("echo"), &["tcp-echo"]).await;
    ears.hear("listening").await;
    // Until it has come to its accept, which ends the turn that is counted.
    while echo.usage().cpu == Duration::ZERO {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let before = echo.usage().cpu;
    tokio::time::sleep(WHILE / 5).await;
    assert_eq!(echo.usage().cpu, before);
    echo.kill().await;
}
