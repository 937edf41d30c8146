//! Guests that run from start to exit.

use std::time::Duration;

use runtime::container::{Exit, Mount};

use crate::harness::{Net, exit, start, start_with};

#[tokio::test]
async fn arguments_environment_and_output() {
    let net = Net::new();
    let (mut env, ears) = start_with(&net.pod("web-0"), &["env", "one", "two words"], |spec| {
        spec.env = vec![("GREETING".into(), "hello".into())];
    })
    .await;
    assert_eq!(exit(&mut env).await, Exit::Code(0));
    assert_eq!(ears.text(), "arg 0: env\narg 1: one\narg 2: two words\nGREETING=hello\nHOSTNAME=web-0\n");
    assert_eq!(exit(&mut env).await, Exit::Code(0), "asked again");
}

#[tokio::test]
async fn an_exit_code_and_a_trap_are_told_apart() {
    let net = Net::new();
    let pod = net.pod("crash");
    let (mut one, ears) = start(&pod, &["crash"]).await;
    assert_eq!(exit(&mut one).await, Exit::Code(1));
    assert_eq!(ears.text(), "crash: giving up\n");
    let (mut two, ears) = start(&pod, &["crash", "panic"]).await;
    let Exit::Trap { message, backtrace } = exit(&mut two).await else { panic!("a panic is a trap") };
    assert!(message.contains("unreachable"), "{message}");
    assert!(backtrace.contains("wasm backtrace") || backtrace.contains("0:"), "{backtrace}");
    assert!(ears.text().contains("asked to panic"));
}

#[tokio::test]
async fn over_the_memory_limit_is_out_of_memory() {
    let net = Net::new();
    let (mut hog, ears) = start_with(&net.pod("hog"), &["hog"], |spec| spec.memory_limit = Some(16 << 20)).await;
    ears.hear("holding 4 MiB").await;
    assert!((4 << 20..=16 << 20).contains(&hog.usage().memory), "{}", hog.usage().memory);
    assert_eq!(exit(&mut hog).await, Exit::OutOfMemory);
    assert!(ears.text().contains("holding 8 MiB") && !ears.text().contains("holding 16 MiB"), "{}", ears.text());
    assert_eq!(hog.usage().memory, 0, "the Store is gone");
}

#[tokio::test]
async fn a_limit_below_what_it_starts_with_is_out_of_memory_too() {
    let net = Net::new();
    let (mut env, _) = start_with(&net.pod("tiny"), &["env"], |spec| spec.memory_limit = Some(64 << 10)).await;
    assert_eq!(exit(&mut env).await, Exit::OutOfMemory);
}

#[tokio::test]
async fn busy_guests_starve_nobody_and_can_be_killed() {
    let net = Net::new();
    let pod = net.pod("burn");
    let mut burning = Vec::new();
    for _ in 0..8 {
        let (container, ears) = start(&pod, &["burn"]).await;
        ears.hear("burning").await;
        burning.push(container);
    }
    let begun = std::time::Instant::now();
    let (mut env, ears) = start(&pod, &["env"]).await;
    assert_eq!(exit(&mut env).await, Exit::Code(0));
    assert!(ears.text().contains("HOSTNAME=burn"));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    for container in burning {
        assert_eq!(container.kill().await, Exit::Code(137));
    }
}

#[tokio::test]
async fn mounts_can_be_read_only() {
    let net = Net::new();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("log"), "first\n").unwrap();
    let mount = |read_only| Mount { host: dir.path().to_owned(), guest: "/data".into(), read_only, pin: None };
    let (tail, ears) = start_with(&net.pod("tail"), &["log-tail", "/data/log"], |spec| {
        spec.mounts = vec![mount(true)];
    })
    .await;
    ears.hear("first").await;
    std::fs::write(dir.path().join("log"), "first\nsecond\n").unwrap();
    ears.hear("second").await;
    drop(tail);
}
