//! `/exec` and `/attach`: a program's streams, and the streams of a container's own.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use netproxy::fabric::Body;
use streaming::{Outcome, Session, Upgrade, Verdict, Wanted};
use tokio_util::sync::CancellationToken;

use super::{Place, Refusal, Server, switch};
use crate::container::{Exit, Handle};
use crate::exec::{self, Exec, Streams};

/// How long a program may go on after the client has gone that gave it input: clients of old protocols have no other way
/// to say that the input is at its end, and `tar` is to write what it was given.
const LAST: Duration = Duration::from_secs(5);

/// What a client asks for, as a kubelet's parameters have it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parameters {
    wanted: Wanted,
    command: Vec<String>,
}

impl Parameters {
    fn parse(query: &str) -> Self {
        let mut parameters = Self::default();
        let wanted = &mut parameters.wanted;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let set = matches!(&*value, "1" | "true");
            match &*name {
                "input" | "stdin" => wanted.stdin = set,
                "output" | "stdout" => wanted.stdout = set,
                "error" | "stderr" => wanted.stderr = set,
                "tty" => wanted.tty = set,
                "command" => parameters.command.push(value.into_owned()),
                _ => {}
            }
        }
        parameters
    }
}

impl Server {
    /// Runs a program in a container.
    pub(super) fn exec<B>(&self, place: &Place, request: &mut Request<B>) -> Result<Response<Body>, Refusal> {
        let Parameters { wanted, command } = Parameters::parse(request.uri().query().unwrap_or_default());
        let container = self.running(place)?;
        let Upgrade { response, established } = streaming::remote_command(request, wanted)?;
        let exec = self.exec.clone();
        self.spawn(request.extensions().clone(), async move {
            match established.await {
                Ok(session) => run(&exec, &container, command, session).await,
                Err(error) => tracing::debug!(%error, "no streams for a program"),
            }
        });
        Ok(switch(response))
    }

    /// Attaches to a container's own streams.
    pub(super) fn attach<B>(&self, place: &Place, request: &mut Request<B>) -> Result<Response<Body>, Refusal> {
        let Parameters { wanted, .. } = Parameters::parse(request.uri().query().unwrap_or_default());
        let container = self.running(place)?;
        let Upgrade { response, established } = streaming::remote_command(request, wanted)?;
        self.spawn(request.extensions().clone(), async move {
            match established.await {
                Ok(session) => attach(&container, session).await,
                Err(error) => tracing::debug!(%error, "no streams for a container"),
            }
        });
        Ok(switch(response))
    }

    fn running(&self, place: &Place) -> Result<Arc<Handle>, Refusal> {
        let found = self.exec.container(&place.namespace, &place.pod, &place.container);
        found.map_err(|error| {
            let status = match error {
                exec::Error::NoPod => StatusCode::NOT_FOUND,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            Refusal::new(status, error.to_string())
        })
    }
}

async fn run(exec: &Exec, container: &Handle, command: Vec<String>, session: Session) {
    let (streams, gone, outcome) = taken_apart(session);
    let said = format!("[{}]", command.join(" "));
    let given_input = streams.stdin.is_some();
    let verdict = tokio::select! {
        ended = exec::run_in(exec, container, command, streams) => verdict(ended, &said),
        () = left(gone, given_input) => return,
    };
    outcome.send(&verdict).await;
}

async fn attach(container: &Handle, session: Session) {
    let (streams, gone, outcome) = taken_apart(session);
    let given_input = streams.stdin.is_some();
    tokio::select! {
        () = exec::attach_to(container, streams) => {}
        () = left(gone, given_input) => return,
    }
    outcome.send(&Verdict::Success).await;
}

fn taken_apart(session: Session) -> (Streams, CancellationToken, Outcome) {
    let Session { stdin, stdout, stderr, tty, resize, gone, outcome } = session;
    let streams = Streams {
        stdin: stdin.map(|stdin| Box::new(stdin) as exec::Reader),
        stdout: stdout.map(|stdout| Box::new(stdout) as exec::Writer),
        stderr: stderr.map(|stderr| Box::new(stderr) as exec::Writer),
        tty,
        resize,
    };
    (streams, gone, outcome)
}

/// The client is gone, and what it gave had time to be heeded.
async fn left(gone: CancellationToken, given_input: bool) {
    gone.cancelled().await;
    if given_input {
        tokio::time::sleep(LAST).await;
    }
}

/// What the client is told, in the words of a kubelet with containerd.
fn verdict(ended: Result<Exit, exec::Error>, command: &str) -> Verdict {
    let code = match ended {
        Ok(Exit::Code(code)) => code,
        Ok(Exit::Trap { .. }) => 134,
        Ok(Exit::OutOfMemory) => 137,
        Ok(Exit::HostFault(why)) => return Verdict::Failure(format!("error executing command in container: {why}")),
        Err(error) => return Verdict::Failure(format!("error executing command in container: {error}")),
    };
    match code {
        0 => Verdict::Success,
        code => Verdict::ExitCode(code.into(), format!("error executing command {command}, exit code {code}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_a_kubelets() {
        let parsed = Parameters::parse("input=1&output=1&tty=0&command=sh&command=-c&command=echo+a%26b");
        let wanted = Wanted { stdin: true, stdout: true, ..Wanted::default() };
        assert_eq!(parsed, Parameters { wanted, command: ["sh", "-c", "echo a&b"].map(str::to_owned).into() });
    }

    #[test]
    fn how_a_program_ended_is_told() {
        let ends = [
            (Ok(Exit::Code(0)), Verdict::Success),
            (Ok(Exit::Code(3)), Verdict::ExitCode(3, "error executing command [x], exit code 3".to_owned())),
            (Ok(Exit::OutOfMemory), Verdict::ExitCode(137, "error executing command [x], exit code 137".to_owned())),
            (
                Err(exec::Error::NoCommand),
                Verdict::Failure(
                    "error executing command in container: you must specify at least one command for the container"
                        .to_owned(),
                ),
            ),
        ];
        for (ended, told) in ends {
            assert_eq!(verdict(ended, "[x]"), told);
        }
    }
}
