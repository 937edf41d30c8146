//! `exec`: a command inside the container, whose exit code is the answer.

use std::time::Duration;

use tokio::time::timeout;

use super::Complaint;
use crate::pod::inside::{Failure, Inside};

/// Runs the command once. What it printed is the complaint; in time it is ended.
pub(super) async fn ask(inside: &Inside, command: &[String], patience: Duration) -> Result<(), Complaint> {
    match timeout(patience, inside.run(command)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Failure::Exit { output, .. })) => Err(Complaint::Failed(output)),
        Ok(Err(Failure::NotRun(why))) => Err(Complaint::Errored(why)),
        Err(_) => Err(Complaint::Failed(format!("command {:?} timed out", command.join(" ")))),
    }
}
