//! Takes as much as it can get of one thing, says how much that was, and keeps it.

use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::filesystem::preopens::get_directories;
use wasip3::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use wasip3::http::types::Fields;
use wasip3::sockets::types::ErrorCode;

const HOUR: u64 = 3_600_000_000_000;

pub async fn headers() -> Result<(), ErrorCode> {
    let (mut taken, value) = (Vec::new(), [b'x'; 32 << 10]);
    loop {
        let fields = Fields::new();
        match fields.append("x", &value) {
            Ok(()) => taken.push(fields),
            Err(error) => return keep(taken, &format!("{error:?}")).await,
        }
    }
}

pub async fn files() -> Result<(), ErrorCode> {
    let directories = get_directories();
    let (directory, _) = directories.first().expect("a directory");
    let (mut taken, new) = (Vec::new(), OpenFlags::CREATE);
    loop {
        let name = taken.len().to_string();
        match directory.open_at(PathFlags::empty(), name, new, DescriptorFlags::WRITE).await {
            Ok(file) => taken.push(file),
            Err(error) => return keep(taken, &format!("{error:?}")).await,
        }
    }
}

/// Lists its directory, and begins to many times more.
pub async fn listings() -> Result<(), ErrorCode> {
    let directories = get_directories();
    let (directory, _) = directories.first().expect("a directory");
    let (entries, outcome) = directory.read_directory();
    let entries = entries.collect().await;
    println!("{} entries: {:?}", entries.len(), outcome.await);
    let mut taken = Vec::new();
    loop {
        let (mut entries, outcome) = directory.read_directory();
        match entries.next().await {
            Some(_) => taken.push((entries, outcome)),
            None => return keep(taken, &format!("{:?}", outcome.await)).await,
        }
    }
}

async fn keep<T>(taken: Vec<T>, why: &str) -> Result<(), ErrorCode> {
    println!("refused after {}: {why}", taken.len());
    wait_for(HOUR).await;
    drop(taken);
    Ok(())
}
