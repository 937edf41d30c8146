//! `/portForward`: connections to what listens in a pod, as it would be reached from within by `localhost`.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use netproxy::fabric::{Body, Fabric, SocketError, Stream};
use streaming::{Forward, Forwards, Upgrade};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, copy_buf, split};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Place, Refusal, Server, switch};

/// How long the client's rest may take to be delivered once the pod has said all.
const REST: Duration = Duration::from_secs(1);

/// Bytes that are moved at a time.
const PIECE: usize = 32 << 10;

/// The pod that connections lead to.
struct Target {
    fabric: Fabric,
    address: IpAddr,
    name: String,
    uid: String,
}

impl Server {
    /// Connects to ports of a pod, as many as the client likes and whenever it does.
    pub(super) fn forward<B>(&self, place: &Place, request: &mut Request<B>) -> Result<Response<Body>, Refusal> {
        let ports = ports(request.uri().query().unwrap_or_default()).map_err(Refusal::bad_request)?;
        let target = self.target(place)?;
        let Upgrade { response, established } = streaming::port_forward(request, &ports)?;
        self.spawn(request.extensions().clone(), async move {
            match established.await {
                Ok(forwards) => serve(Arc::new(target), forwards).await,
                Err(error) => tracing::debug!(%error, "no streams to a pod's ports"),
            }
        });
        Ok(switch(response))
    }

    fn target(&self, place: &Place) -> Result<Target, Refusal> {
        let view = self.directory.find(&place.namespace, &place.pod);
        let pod = view.map(|view| view.pod());
        let pod = pod.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "pod does not exist".to_owned()))?;
        let address = pod.status.as_ref().and_then(|status| status.pod_ip.as_deref()).and_then(|ip| ip.parse().ok());
        let name = format!("{}_{}", place.pod, place.namespace);
        let gone = || Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, format!("pod not found ({name:?})"));
        let address = address.ok_or_else(gone)?;
        Ok(Target { fabric: self.fabric.clone(), address, name, uid: pod.metadata.uid.unwrap_or_default() })
    }
}

/// The ports that the query names, as lists and one by one.
fn ports(query: &str) -> Result<Vec<u16>, String> {
    let named = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| matches!(&**name, "port" | "ports"));
    let lists: Vec<_> = named.map(|(_, list)| list.into_owned()).collect();
    let texts = lists.iter().flat_map(|list| list.split(','));
    let port = |text: &str| match text.parse() {
        Ok(0) => Err(format!("port {text:?} must be > 0")),
        Ok(port) => Ok(port),
        Err(error) => Err(format!("unable to parse {text:?} as a port: {error}")),
    };
    texts.map(port).collect()
}

/// Every connection has its own task: one that ends ends no other, and the client's end is the end of all.
async fn serve(target: Arc<Target>, mut forwards: Forwards) {
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            next = forwards.next() => match next {
                Some(forward) => drop(under_way.spawn(connect(target.clone(), forward))),
                None => break,
            },
            Some(_) = under_way.join_next() => {}
        }
    }
    while under_way.join_next().await.is_some() {}
    forwards.finish().await;
}

async fn connect(target: Arc<Target>, forward: Forward) {
    let Forward { port, data, mut error, gone } = forward;
    let connected = async {
        let stream = target.fabric.dial_localhost(target.address, port).await;
        match stream {
            Ok(stream) => carry(data, stream).await.map_err(|why| why.to_string()),
            Err(why) => Err(target.refused(port, &why)),
        }
    };
    if let Some(Err(why)) = gone.run_until_cancelled(connected).await {
        let Target { name, uid, .. } = &*target;
        let said = format!("error forwarding port {port} to pod {name}, uid {uid}: {why}");
        // Who is gone does not want to know.
        let _ = error.write_all(said.as_bytes()).await;
    }
}

impl Target {
    fn refused(&self, port: u16, why: &SocketError) -> String {
        format!(
            "failed to connect to localhost:{port} inside namespace {:?}, IPv4: dial tcp4 127.0.0.1:{port}: connect: \
             {why} IPv6: dial tcp6 [::1]:{port}: connect: {why} ",
            self.name
        )
    }
}

/// Carries bytes both ways. A client that has said all still gets the whole answer; a pod that has said all is not kept
/// waiting for a client that may never end.
async fn carry(data: streaming::Data, stream: Stream) -> io::Result<()> {
    let ((from_client, to_client), (from_pod, to_pod)) = (split(data), split(stream));
    let mut up = Box::pin(pour(from_client, to_pod));
    let mut down = Box::pin(pour(from_pod, to_client));
    tokio::select! {
        said = &mut up => match said {
            Ok(()) => down.await,
            // The client broke off, or the pod has closed and may still have something to say.
            Err(_) => timeout(REST, down).await.unwrap_or(Ok(())),
        },
        said = &mut down => {
            let _ = timeout(REST, up).await;
            said
        }
    }
}

async fn pour(from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    copy_buf(&mut BufReader::with_capacity(PIECE, from), &mut to).await?;
    to.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_in_lists_and_one_by_one() {
        assert_eq!(ports("port=80,81&ports=443&tty=1"), Ok(vec![80, 81, 443]));
        assert_eq!(ports("port=0"), Err("port \"0\" must be > 0".to_owned()));
        assert!(ports("ports=http").is_err_and(|why| why.starts_with("unable to parse \"http\" as a port: ")));
    }
}
