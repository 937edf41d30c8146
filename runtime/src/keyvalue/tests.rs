use super::*;

fn stores() -> (tempfile::TempDir, Arc<Stores>) {
    let directory = tempfile::tempdir().unwrap();
    let stores = Stores::new(directory.path().join("keyvalue"));
    (directory, stores)
}

fn pair(key: &str, value: &str) -> (String, Option<Vec<u8>>) {
    (key.to_owned(), Some(value.as_bytes().to_vec()))
}

#[tokio::test]
async fn what_was_written_is_there_after_a_crash() {
    let (directory, stores) = stores();
    let store = stores.namespace("default").open().await.unwrap();
    store.write("a", vec![pair("k", "one"), pair("l", "two")]).await.unwrap();
    store.write("a", vec![("l".to_owned(), None)]).await.unwrap();
    assert_eq!(store.increment("a", "n".into(), 41).await, Ok(41));
    assert_eq!(store.increment("a", "n".into(), 1).await, Ok(42));
    // As the disk has it while the process still lives: nothing was closed in an orderly way.
    let (file, copy) = (directory.path().join("keyvalue/default.redb"), directory.path().join("copy/default.redb"));
    std::fs::create_dir(copy.parent().unwrap()).unwrap();
    std::fs::copy(file, copy).unwrap();
    let again = Stores::new(directory.path().join("copy")).namespace("default").open().await.unwrap();
    let found = again.get_many("a", ["k", "l", "n"].map(str::to_owned).to_vec()).await.unwrap();
    let values: Vec<_> =
        found.into_iter().map(|pair| pair.map(|(_, value)| String::from_utf8(value).unwrap())).collect();
    assert_eq!(values, [Some("one".to_owned()), None, Some("42".to_owned())]);
}

#[tokio::test]
async fn namespaces_and_buckets_are_apart_and_containers_share() {
    let (_directory, stores) = stores();
    let one = stores.namespace("one").open().await.unwrap();
    let two = stores.namespace("two").open().await.unwrap();
    one.write("a", vec![pair("k", "v")]).await.unwrap();
    let same = stores.namespace("one").open().await.unwrap();
    assert!(Arc::ptr_eq(&one, &same));
    assert_eq!(same.get("a", "k".into()).await, Ok(Some(b"v".to_vec())));
    assert_eq!(same.get("b", "k".into()).await, Ok(None));
    assert_eq!(two.get("a", "k".into()).await, Ok(None));
}

#[tokio::test]
async fn keys_come_in_pages() {
    let (_directory, stores) = stores();
    let store = stores.namespace("default").open().await.unwrap();
    for part in 0..3 {
        let pairs = (0..PAGE / 2).map(|at| pair(&format!("{part}-{at:04}"), "")).collect();
        store.write("many", pairs).await.unwrap();
    }
    store.write("n", vec![pair("other", "")]).await.unwrap();
    let first = store.keys("many", 0).await.unwrap();
    assert_eq!((first.keys.len(), first.next), (PAGE, Some(PAGE as u64)));
    let last = store.keys("many", PAGE as u64).await.unwrap();
    assert_eq!((last.keys.len(), last.next), (PAGE / 2, None));
    assert_eq!(last.keys[0], "2-0000");
}

#[tokio::test]
async fn bounds_hold() {
    let (_directory, stores) = stores();
    let store = stores.namespace("default").open().await.unwrap();
    let long = "k".repeat(MAX_KEY + 1);
    assert_eq!(store.write("a", vec![pair(&long, "v")]).await, Err(Error::Key));
    let big = vec![0; MAX_VALUE + MAX_KEY + 1];
    assert_eq!(store.write("a", vec![("k".into(), Some(big))]).await, Err(Error::Value));
    let many = (0..=PAGE).map(|at| pair(&at.to_string(), "")).collect();
    assert_eq!(store.write("a", many).await, Err(Error::Keys));
    store.write("a", vec![pair("k", "no number")]).await.unwrap();
    assert_eq!(store.increment("a", "k".into(), 1).await, Err(Error::Number));
    let most = u64::MAX.to_string();
    store.write("a", vec![pair("k", &most)]).await.unwrap();
    assert_eq!(store.increment("a", "k".into(), 1).await, Err(Error::Number));
}

#[tokio::test]
async fn a_full_store_takes_nothing_more_and_gives_back() {
    let (_directory, stores) = stores();
    let store = stores.namespace("default").open().await.unwrap();
    let value = vec![7; MAX_VALUE];
    let mut held = 0;
    while store.write("a", vec![(held.to_string(), Some(value.clone()))]).await.is_ok() {
        held += 1;
    }
    assert_eq!(held, QUOTA / MAX_VALUE as u64 - 1, "keys count, too");
    assert_eq!(store.write("a", vec![("x".into(), Some(value.clone()))]).await, Err(Error::Full));
    store.write("a", vec![("0".into(), None)]).await.unwrap();
    store.write("a", vec![("x".into(), Some(value))]).await.unwrap();
}

#[tokio::test]
async fn many_writers_share_commits() {
    let (_directory, stores) = stores();
    let store = stores.namespace("default").open().await.unwrap();
    let begun = std::time::Instant::now();
    let adds = (0..1_000).map(|_| store.increment("a", "n".into(), 1));
    futures::future::try_join_all(adds).await.unwrap();
    assert_eq!(store.get("a", "n".into()).await, Ok(Some(b"1000".to_vec())));
    // One by one they would take twenty seconds.
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_is_no_database_is_an_error() {
    let (directory, stores) = stores();
    std::fs::create_dir(directory.path().join("keyvalue")).unwrap();
    std::fs::write(directory.path().join("keyvalue/default.redb"), "rubbish").unwrap();
    assert!(matches!(stores.namespace("default").open().await.map(drop), Err(Error::Disk(_))));
}

#[tokio::test]
async fn a_store_goes_with_its_namespace() {
    let (_directory, stores) = stores();
    for name in ["one", "two"] {
        let store = stores.namespace(name).open().await.unwrap();
        store.write("b", vec![pair("k", name)]).await.unwrap();
    }
    let two = stores.namespace("two").open().await.unwrap();
    assert_eq!(stores.names().await, ["one", "two"].map(str::to_owned).into());
    for name in ["one", "two", "never"] {
        stores.remove(name).await.unwrap();
    }
    assert!(stores.names().await.is_empty());
    assert_eq!(two.get("b", "k".into()).await.unwrap(), Some(b"two".to_vec()), "who has it open keeps it");
    two.write("b", vec![pair("k", "more")]).await.unwrap();
    let new = stores.namespace("two").open().await.unwrap();
    assert_eq!(new.get("b", "k".into()).await.unwrap(), None, "a namespace of the same name has nothing");
    drop(two);
    new.write("b", vec![pair("k", "new")]).await.unwrap();
    assert_eq!(stores.names().await, ["two".to_owned()].into());
}
