//! Blobs, from a registry to the disk: gone on with where the last try stopped, this morning's too.

use std::collections::HashMap;
use std::sync::Arc;

use http::StatusCode;
use http::header::CONTENT_RANGE;
use parking_lot::Mutex;
use tokio::time::sleep;

use super::fetch::Progress;
use super::session::Session;
use super::{Error, Patience, on_disk, words};
use crate::image::digest::Digest;
use crate::image::manifest::Descriptor;
use crate::image::store::{self, Store, Upload};

/// So much is written at once: the disk is not asked for every packet.
const PIECE: usize = 1 << 20;
/// So often in a row nothing may come.
const TRIES: u32 = 4;

/// The downloads under way: two images that share a layer fetch it once.
#[derive(Debug, Default)]
pub(in crate::image) struct Downloads {
    running: Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<()>>>>,
}

/// One blob on its way.
struct Download<'a> {
    session: &'a Session,
    blob: &'a Descriptor,
    progress: &'a Progress,
    patience: Patience,
}

/// How a try ended without an error.
enum Tried {
    Complete,
    /// The connection broke; what came is on the disk.
    Broken(String),
    /// What is here is of no use.
    Afresh,
}

impl Downloads {
    /// Brings a blob into the store, unless it is there.
    ///
    /// # Cancel safety
    /// What came stays on the disk for the next.
    pub(super) async fn fetch(
        &self,
        store: &Store,
        session: &Session,
        blob: &Descriptor,
        progress: &Progress,
        patience: Patience,
    ) -> Result<(), Error> {
        let turn = self.running.lock().entry(blob.digest.clone()).or_default().clone();
        let _forget = Forget { downloads: self, digest: &blob.digest };
        let _turn = turn.lock().await;
        let (shelf, digest) = (store.clone(), blob.digest.clone());
        if let Some(found) = on_disk(move || shelf.blob(&digest)).await? {
            progress.add(found.size);
            return Ok(());
        }
        Download { session, blob, progress, patience }.run(store).await
    }
}

/// Whoever is last clears up.
struct Forget<'a> {
    downloads: &'a Downloads,
    digest: &'a Digest,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        let mut running = self.downloads.running.lock();
        // The map's own and this holder's, which is dropped after this.
        if running.get(self.digest).is_some_and(|turn| Arc::strong_count(turn) <= 2) {
            running.remove(self.digest);
        }
    }
}

impl Download<'_> {
    async fn run(&self, store: &Store) -> Result<(), Error> {
        let (shelf, digest) = (store.clone(), self.blob.digest.clone());
        let mut upload = on_disk(move || shelf.download(&digest)).await?;
        let (mut failures, mut from_the_start) = (0, upload.size() == 0);
        self.progress.add(upload.size());
        loop {
            let before = upload.size();
            let (after, tried) = self.attempt(upload).await?;
            upload = after;
            let reason = match tried {
                Tried::Complete => match self.finish(upload).await {
                    // The part that was here before may have suffered.
                    Err(Error::Digest { .. }) if !from_the_start => {
                        let (shelf, digest) = (store.clone(), self.blob.digest.clone());
                        upload = on_disk(move || shelf.download(&digest)).await?;
                        self.progress.take(self.blob.size);
                        from_the_start = true;
                        continue;
                    }
                    finished => return finished,
                },
                Tried::Afresh if from_the_start => "it answers with the wrong part".to_owned(),
                Tried::Afresh => {
                    self.progress.take(upload.size());
                    upload = on_disk(move || upload.restart().map(|()| upload)).await?;
                    from_the_start = true;
                    continue;
                }
                Tried::Broken(reason) => reason,
            };
            failures = if upload.size() > before { 1 } else { failures + 1 };
            if failures >= TRIES {
                return Err(Error::Broken { host: self.session.host(), reason });
            }
            sleep(self.patience.retry * 2u32.pow(failures - 1)).await;
        }
    }

    /// One request, from where we are to the end.
    async fn attempt(&self, upload: Upload) -> Result<(Upload, Tried), Error> {
        let offset = upload.size();
        if offset == self.blob.size {
            return Ok((upload, Tried::Complete));
        }
        if offset > self.blob.size {
            return Ok((upload, Tried::Afresh));
        }
        let answer = match self.session.blob(&self.blob.digest, offset).await {
            Err(error) if error.is_passing() => return Ok((upload, Tried::Broken(error.to_string()))),
            answer => answer?,
        };
        match answer.status() {
            StatusCode::PARTIAL_CONTENT if begins_at(&answer, offset) => {}
            // It sends all of it whatever was asked for.
            StatusCode::OK if offset == 0 => {}
            StatusCode::OK => {
                self.progress.take(offset);
                let upload = on_disk(move || {
                    let mut upload = upload;
                    upload.restart().map(|()| upload)
                })
                .await?;
                return self.receive(upload, answer).await;
            }
            _ => return Ok((upload, Tried::Afresh)),
        }
        self.receive(upload, answer).await
    }

    /// Writes down what comes.
    async fn receive(&self, mut upload: Upload, mut answer: reqwest::Response) -> Result<(Upload, Tried), Error> {
        let length = |actual| Error::Length {
            host: self.session.host(),
            digest: self.blob.digest.clone(),
            expected: self.blob.size,
            actual,
        };
        if let Some(more) = answer.content_length()
            && upload.size().saturating_add(more) != self.blob.size
        {
            return Err(length(upload.size().saturating_add(more)));
        }
        let (mut piece, mut reason) = (Vec::with_capacity(PIECE), None);
        loop {
            let chunk = match answer.chunk().await {
                Ok(chunk) => chunk,
                Err(error) => {
                    reason = Some(words(error));
                    None
                }
            };
            let is_last = chunk.is_none();
            if let Some(chunk) = chunk {
                let total = upload.size() + (piece.len() + chunk.len()) as u64;
                if total > self.blob.size {
                    return Err(length(total));
                }
                self.progress.add(chunk.len() as u64);
                piece.extend_from_slice(&chunk);
            }
            if piece.len() >= PIECE || (is_last && !piece.is_empty()) {
                let full = std::mem::replace(&mut piece, Vec::with_capacity(if is_last { 0 } else { PIECE }));
                upload = on_disk(move || upload.append(&full).map(|()| upload)).await?;
            }
            if is_last {
                break;
            }
        }
        let tried = match reason {
            Some(reason) => Tried::Broken(reason),
            None if upload.size() == self.blob.size => Tried::Complete,
            None => Tried::Broken(format!("it ends after {} of {} bytes", upload.size(), self.blob.size)),
        };
        Ok((upload, tried))
    }

    async fn finish(&self, upload: Upload) -> Result<(), Error> {
        let expected = self.blob.digest.clone();
        match on_disk(move || upload.finish(&expected)).await {
            Ok(_) => Ok(()),
            Err(Error::Store(store::Error::Digest { expected, actual })) => {
                Err(Error::Digest { host: self.session.host(), expected, actual })
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether a part is the one that was asked for.
fn begins_at(answer: &reqwest::Response, offset: u64) -> bool {
    let range = answer.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let start = range.and_then(|range| range.strip_prefix("bytes ")).and_then(|range| range.split('-').next());
    start.and_then(|start| start.parse::<u64>().ok()) == Some(offset)
}
