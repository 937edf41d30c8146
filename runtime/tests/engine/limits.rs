//! Guests that take all they can get: they alone are refused, in words that they know.

use runtime::container::{Exit, Mount};

use crate::harness::{Ears, Net, exit, scratch, start, start_with};

fn refused_after(ears: &Ears) -> usize {
    let text = ears.text();
    let count = text.split("refused after ").nth(1).and_then(|rest| rest.split(':').next());
    count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

#[tokio::test]
async fn open_files_are_bounded_and_the_host_has_some_left() {
    let net = Net::new();
    let directory = scratch("greedy-files");
    std::fs::create_dir_all(&directory).unwrap();
    let (greedy, ears) = start_with(&net.pod("greedy"), &["greedy", "files", "/data"], |spec| {
        spec.mounts.push(Mount { host: directory.clone(), guest: "/data".to_owned(), read_only: false, pin: None });
    })
    .await;
    ears.hear("refused after").await;
    let count = refused_after(&ears);
    assert!((100..=4096).contains(&count), "{}", ears.text());
    assert_eq!(greedy.usage().files as usize, count);
    std::fs::File::open(directory.join("0")).expect("the host still opens files");
    greedy.kill().await;
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn connections_are_bounded_by_pod() {
    let net = Net::new();
    let pod = net.pod("greedy");
    let (greedy, ears) = start(&pod, &["greedy", "connections"]).await;
    ears.hear("refused after").await;
    assert_eq!(refused_after(&ears), 4095, "one socket listens: {}", ears.text());
    let (other, neighbour) = start(&net.pod("other"), &["greedy", "connections"]).await;
    neighbour.hear("refused after 4095").await;
    greedy.kill().await;
    assert_eq!(pod.plug.usage().connections, 0);
    other.kill().await;
}

#[tokio::test]
async fn a_stack_without_end_is_a_trap() {
    let net = Net::new();
    let (mut greedy, _) = start(&net.pod("greedy"), &["greedy", "stack"]).await;
    let Exit::Trap { message, .. } = exit(&mut greedy).await else { panic!("a trap") };
    assert!(message.contains("stack") || message.contains("memory"), "{message}");
}

#[tokio::test]
async fn a_flood_of_words_waits_for_its_log() {
    let net = Net::new();
    let logs = runtime::logs::Logs::new(&scratch("flood"));
    let directory = logs.pod_directory("default", "greedy", "flood");
    let sink = logs.open(&directory, "greedy", 0).unwrap();
    let (flood, _) = start_with(&net.pod("greedy"), &["greedy", "log"], |spec| spec.output = sink.clone()).await;
    let (hello, ears) = start(&net.pod("other"), &["greedy", "connections"]).await;
    ears.hear("refused after").await;
    // Long enough for the file to be turned over more than once, were it not held back.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    flood.kill().await;
    hello.kill().await;
    sink.flush();
    let files = std::fs::read_dir(directory.join("greedy")).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes > 0 && bytes <= 2 * (11 << 20), "{bytes} bytes of log");
    std::fs::remove_dir_all(directory).unwrap();
}
