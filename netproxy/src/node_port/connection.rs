//! A connection to a node port: HTTP or bytes?

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::http;
use super::listen::Behind;
use super::sniff::{LONGEST, Verdict, judge};
use crate::fabric::{Stream, splice};
use crate::routes::{ServicePort, Spoken};

/// How long a client may say nothing before it is taken to wait for the server to speak first.
const SILENCE: Duration = Duration::from_millis(200);

/// Serves it to its end, or until the proxy stops.
pub(super) async fn serve(tcp: TcpStream, behind: Arc<Behind>) {
    let stopping = behind.stopping.clone();
    let served = async {
        match behind.service() {
            Some(service) => speak(tcp, &behind, &service).await,
            None => refuse(&tcp),
        }
    };
    tokio::select! {
        // A client or a pod that breaks off is no event here.
        served = served => drop(served),
        () = stopping.cancelled() => {}
    }
}

async fn speak(tcp: TcpStream, behind: &Arc<Behind>, service: &ServicePort) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let stream = Stream::from_host(tcp)?;
    let mut first = First::default();
    let verdict = match service.spoken {
        Spoken::Bytes => Verdict::Bytes,
        Spoken::Http => first.read(&stream).await?,
        Spoken::Unknown => timeout(SILENCE, first.read(&stream)).await.unwrap_or(Ok(Verdict::Bytes))?,
    };
    match (verdict, service.spoken) {
        (Verdict::Http2, _) => http::serve2(first.before(stream), behind.clone()).await,
        // What is announced as HTTP and is none gets HTTP's own answer to that.
        (Verdict::Http1, _) | (_, Spoken::Http) => http::serve1(first.before(stream), behind.clone()).await,
        (Verdict::Bytes | Verdict::More, _) => carry(stream, first.bytes(), behind, service).await?,
    }
    Ok(())
}

/// Splices the connection to the first endpoint that takes it.
async fn carry(stream: Stream, first: &[u8], behind: &Behind, service: &ServicePort) -> io::Result<()> {
    for endpoint in service.turns(true) {
        if let Ok(pod) = behind.fabric.dial_endpoint(endpoint).await {
            pod.send_all(first).await?;
            return splice(stream, pod).await;
        }
    }
    stream.reset();
    Ok(())
}

fn refuse(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_zero_linger()
}

/// The bytes read to find out what is spoken.
#[derive(Default)]
struct First {
    bytes: [u8; LONGEST],
    count: usize,
}

impl First {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.count]
    }

    async fn read(&mut self, stream: &Stream) -> io::Result<Verdict> {
        loop {
            stream.readable().await?;
            match stream.try_read(&mut self.bytes[self.count..]) {
                Ok(0) => return Ok(Verdict::Bytes),
                Ok(count) => self.count += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            }
            match judge(self.bytes()) {
                Verdict::More => {}
                verdict => return Ok(verdict),
            }
        }
    }

    /// The stream with these bytes put back.
    fn before(self, stream: Stream) -> Rewound {
        Rewound { first: self, given: 0, stream }
    }
}

pub(super) use self::rewound::Rewound;

mod rewound {
    //! A stream that begins with bytes read before.

    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::{First, Stream};

    pub(in crate::node_port) struct Rewound {
        pub(super) first: First,
        pub(super) given: usize,
        pub(super) stream: Stream,
    }

    impl AsyncRead for Rewound {
        fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let this = self.get_mut();
            let left = &this.first.bytes()[this.given..];
            if left.is_empty() {
                return Pin::new(&mut this.stream).poll_read(cx, buf);
            }
            let count = left.len().min(buf.remaining());
            buf.put_slice(&left[..count]);
            this.given += count;
            // What follows is most often there already: one read for both.
            match Pin::new(&mut this.stream).poll_read(cx, buf) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                _ => Poll::Ready(Ok(())),
            }
        }
    }

    impl AsyncWrite for Rewound {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.stream).poll_write(cx, from)
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            from: &[io::IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.stream).poll_write_vectored(cx, from)
        }

        fn is_write_vectored(&self) -> bool {
            self.stream.is_write_vectored()
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.stream).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.stream).poll_shutdown(cx)
        }
    }
}
