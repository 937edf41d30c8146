//! Guests that take all they can get: they alone are refused, in words that they know.

use std::time::Duration;

use runtime::container::{Exit, Mount};
use tokio::time::timeout;

use crate::exec::{begin, node, try_ask, waiting};
use crate::harness::{Ears, Net, exit, sample, scratch, start, start_file, start_with};

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

#[tokio::test]
async fn files_of_a_guest_of_wasi_0_3_are_bounded_as_well() {
    let net = Net::new();
    let directory = scratch("greedy-files-0.3");
    std::fs::create_dir_all(&directory).unwrap();
    let (greedy, ears) = start_file(&net.pod("greedy"), &sample("net_p3"), &["net", "files"], |spec| {
        spec.mounts.push(Mount { host: directory.clone(), guest: "/".to_owned(), read_only: false, pin: None });
    })
    .await;
    ears.hear("refused after").await;
    let count = refused_after(&ears);
    assert!((100..=4096).contains(&count) && ears.text().contains("Quota"), "{}", ears.text());
    assert_eq!(greedy.usage().files as usize, count);
    greedy.kill().await;
    std::fs::remove_dir_all(directory).unwrap();
}

/// 32,768 header maps of 64 KiB each would be 2 GiB of the node's own memory.
#[tokio::test]
async fn what_is_held_of_http_is_bounded() {
    let net = Net::new();
    let (mut greedy, ears) = start(&net.pod("headers"), &["greedy", "headers"]).await;
    let Exit::Trap { message, .. } = exit(&mut greedy).await else { panic!("a trap") };
    assert!(message.contains("total size of fields exceeds limit"), "{message}");
    assert_eq!(ears.text().lines().last(), Some("headers 255"), "8 MiB, less what a header costs besides");

    let (greedy, ears) = start(&net.pod("methods"), &["greedy", "methods"]).await;
    ears.hear("refused after 170").await;
    greedy.kill().await;

    let (greedy, ears) = start_file(&net.pod("concurrent"), &sample("net_p3"), &["net", "headers"], |_| {}).await;
    ears.hear("refused after 255: HeaderError::SizeExceeded").await;
    greedy.kill().await;
}

#[tokio::test]
async fn requests_under_way_are_bounded_and_room_comes_back() {
    let net = Net::new();
    let (greedy, ears) = start(&net.pod("greedy"), &["greedy", "requests", "1025"]).await;
    ears.hear("the last: Some(ErrorCode::ConnectionLimitReached)").await;
    greedy.kill().await;

    let page = net.pod("page");
    let (_handler, _) = start_with(&page, &["echo-hostname"], |spec| spec.http_ports = vec![80]).await;
    let url = format!("http://{}/", page.plug.address());
    let args = [vec!["fetch-wasi-http"], vec![url.as_str(); 1100]].concat();
    let (mut client, heard) = start(&net.pod("client"), &args).await;
    assert_eq!(exit(&mut client).await, Exit::Code(0), "{}", heard.text());
    assert_eq!(heard.text().matches("<p>Hello, page</p>").count(), 1100);
}

#[tokio::test]
async fn timers_and_lists_of_them_are_bounded() {
    let net = Net::new();
    for (what, words) in [("timers", "resource table has no free keys"), ("poll", "fuel")] {
        let (mut greedy, ears) = start(&net.pod(what), &["greedy", what]).await;
        let Exit::Trap { message, .. } = exit(&mut greedy).await else { panic!("{what}: {}", ears.text()) };
        assert!(message.contains(words), "{what}: {message}");
    }
}

#[tokio::test]
async fn programs_that_start_programs_are_bounded_and_end_with_their_session() {
    let (net, node) = (Net::new(), node());
    let (container, _) = waiting(&net).await;
    let (task, mut client) = begin(&node, container.handle(), "programs fork", false);
    client.see("fork: Resource temporarily unavailable: 128 programs run in the container").await;
    // The container's own guest is there still, another pod is not concerned, and an end of the session is one of all.
    assert!(container.exit().is_none());
    let (_neighbour, ears) = start(&net.pod("neighbour"), &["programs", "pipeline"]).await;
    ears.hear("codes 0 0").await;
    task.abort();
    let gone = async {
        loop {
            // Refused as long as there is no room for it.
            if let Some(list) = try_ask(&node, &container, "programs list").await
                && !list.contains("programs fork")
            {
                return;
            }
        }
    };
    timeout(Duration::from_secs(60), gone).await.expect("all of them end");
}

/// A listing that nobody goes on with holds neither all names nor a thread.
#[tokio::test]
async fn listings_of_directories_count_as_open_files() {
    let net = Net::new();
    let directory = scratch("greedy-listings");
    std::fs::create_dir_all(&directory).unwrap();
    for number in 0..1000 {
        std::fs::File::create(directory.join(format!("file-{number}"))).unwrap();
    }
    let mount = |guest: &str| Mount { host: directory.clone(), guest: guest.to_owned(), read_only: true, pin: None };
    let (greedy, ears) =
        start_with(&net.pod("greedy"), &["greedy", "listings", "/data"], |spec| spec.mounts.push(mount("/data"))).await;
    ears.hear("refused after").await;
    assert!((100..=2048).contains(&refused_after(&ears)), "a directory and a listing are two: {}", ears.text());
    greedy.kill().await;

    let file = sample("net_p3");
    let (greedy, ears) =
        start_file(&net.pod("0-3"), &file, &["net", "listings"], |spec| spec.mounts.push(mount("/"))).await;
    ears.hear("1000 entries: Ok(())").await;
    ears.hear("refused after").await;
    assert!((600..=4096).contains(&refused_after(&ears)) && ears.text().contains("Quota"), "{}", ears.text());
    assert_eq!(greedy.usage().files as usize, refused_after(&ears));
    greedy.kill().await;
    std::fs::remove_dir_all(directory).unwrap();
}
