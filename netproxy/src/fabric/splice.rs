//! Carrying bytes between two streams, both ways, until both directions have ended.
//!
//! Nothing is allocated while nothing moves: bytes go through the stack, and only what the other side has no room for
//! yet waits in memory.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;

use super::stream::{How, Stream};

const STEP: usize = 16 * 1024;

impl Stream {
    /// A socket of the host as a stream.
    pub fn from_host(tcp: TcpStream) -> io::Result<Self> {
        let ends: (SocketAddr, SocketAddr) = (tcp.local_addr()?, tcp.peer_addr()?);
        Ok(Self::outside(Arc::new(tcp), ends, (None, None)))
    }

    /// Writes all of it.
    pub async fn send_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.try_write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable().await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Carries bytes both ways. An end of one direction is passed on, the other goes on; an error ends both.
pub async fn splice(a: Stream, b: Stream) -> io::Result<()> {
    let carried = futures::future::try_join(carry(&a, &b), carry(&b, &a)).await;
    if carried.is_err() {
        a.reset();
        b.reset();
    }
    carried.map(drop)
}

async fn carry(from: &Stream, to: &Stream) -> io::Result<()> {
    loop {
        from.readable().await?;
        match step(from, to) {
            Ok(Step::End) => return to.shutdown_now(How::Write).or_else(ignore_gone),
            Ok(Step::Moved) => tokio::task::consume_budget().await,
            Ok(Step::Left(rest)) => to.send_all(&rest).await?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

enum Step {
    Moved,
    Left(Vec<u8>),
    End,
}

/// Not async, so that the buffer is no part of the waiting future.
fn step(from: &Stream, to: &Stream) -> io::Result<Step> {
    let mut buffer = [0; STEP];
    let count = from.try_read(&mut buffer)?;
    if count == 0 {
        return Ok(Step::End);
    }
    match to.try_write(&buffer[..count]) {
        Ok(all) if all == count => Ok(Step::Moved),
        Ok(some) => Ok(Step::Left(buffer[some..count].to_vec())),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Step::Left(buffer[..count].to_vec())),
        Err(error) => Err(error),
    }
}

/// The other side of a finished direction may be gone altogether.
fn ignore_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotConnected { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric::pipe;

    fn stream(end: pipe::End) -> Stream {
        let at: SocketAddr = "10.42.0.2:1".parse().unwrap();
        Stream::piped(end, (at, at), (None, None))
    }

    #[tokio::test]
    async fn carries_both_ways_with_back_pressure_and_half_close() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (near, a) = pipe::pair();
        let (far, b) = pipe::pair();
        let carrying = tokio::spawn(splice(stream(a), stream(b)));
        let (mut near, mut far) = (stream(near), stream(far));
        let sent = vec![7; 1 << 20];
        let sender = tokio::spawn(async move {
            near.write_all(&sent).await.unwrap();
            near.shutdown().await.unwrap();
            let mut answer = String::new();
            near.read_to_string(&mut answer).await.unwrap();
            answer
        });
        let mut received = Vec::new();
        far.read_to_end(&mut received).await.unwrap();
        assert_eq!(received.len(), 1 << 20);
        far.write_all(b"thanks").await.unwrap();
        drop(far);
        assert_eq!(sender.await.unwrap(), "thanks");
        carrying.await.unwrap().unwrap();
    }
}
