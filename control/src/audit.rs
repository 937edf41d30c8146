//! Who did what, and when: a line of JSON for every request, if somebody wants to know.
//!
//! ```text
//! router ─► Trail (who, what, decided how) ─► event ─► bounded queue ─► one thread ─► file, rotated by size
//! ```
//!
//! The events are `audit.k8s.io/v1` at the level `Metadata`, with the stage `ResponseStarted` for watches and
//! streams, and `ResponseComplete` for everything: of an upgraded connection, when it is over. Requests do not wait for the file: when the disk is too slow for them, events are left
//! out, and their number is told.

mod body;
mod event;
mod log;

pub use body::{Audited, Lasting};
pub use event::{Source, Stage, Trail};
pub use log::{Config, OpenError};

use std::sync::Arc;

use http::{HeaderValue, Response, StatusCode};

use crate::status::Status;
use log::Log;

/// The log of what was done; clones write into the same.
#[derive(Clone)]
pub struct Audit(Arc<Log>);

impl Audit {
    /// Opens the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        Log::open(config).map(|log| Self(Arc::new(log)))
    }

    /// Writes down what became of a request; one that goes on is written down once more when its body ends.
    pub fn answered<B>(
        &self,
        trail: Trail,
        failure: Option<&Status>,
        upgraded: &Lasting,
        mut response: Response<B>,
    ) -> Response<Audited<B>> {
        let code = response.status().as_u16();
        if let Ok(id) = HeaderValue::from_str(&trail.id) {
            response.headers_mut().insert("audit-id", id);
        }
        if !trail.goes_on() {
            self.record(&trail, Stage::ResponseComplete, code, failure);
            return response.map(|body| Audited::new(body, None));
        }
        self.record(&trail, Stage::ResponseStarted, code, failure);
        let (audit, mut trail) = (self.clone(), Some(trail));
        let end = move || {
            if let Some(trail) = trail.take() {
                audit.record(&trail, Stage::ResponseComplete, code, None);
            }
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            upgraded.then(end);
            return response.map(|body| Audited::new(body, None));
        }
        response.map(|body| Audited::new(body, Some(Box::new(end))))
    }

    fn record(&self, trail: &Trail, stage: Stage, code: u16, failure: Option<&Status>) {
        self.0.write(event::line(trail, stage, code, failure));
    }
}
