//! One request, taken apart: what every verb is given.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::request::Parts;

use super::negotiate::Negotiated;
use super::path::ResourcePath;
use super::query::Query;
use crate::auth::Caller;
use crate::field::{Errors, Path};
use crate::registry::{FieldValidation, Registry, Target, WriteOptions};
use crate::status::Status;

/// The longest name of a field manager, in bytes.
const LONGEST_MANAGER: usize = 128;

/// One request for a resource that is served.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What it reads or writes.
    pub registry: &'a Registry,
    /// The path, as it was sent.
    pub path: &'a ResourcePath,
    /// The object or collection that the path names.
    pub target: &'a Target,
    /// Who asks.
    pub caller: &'a Arc<Caller>,
    /// What the client can read.
    pub form: Negotiated,
    /// The parameters.
    pub query: &'a Query<'a>,
    /// Method, URI and headers.
    pub head: &'a Parts,
}

impl<'a> Asked<'a> {
    /// The body's encoding; empty where none is named.
    pub fn content_type(&self) -> &'a str {
        self.head.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The options of a write; `kind` is what refusals call them.
    ///
    /// # Errors
    /// 422 for a parameter that makes no sense.
    pub fn write_options(&self, kind: &str) -> Result<WriteOptions, Status> {
        let validation: FieldValidation = self.query.field_validation(kind)?;
        check_manager(kind, self.query.text("fieldManager"))?;
        Ok(WriteOptions {
            dry_run: self.query.dry_run(kind)?,
            validation,
            findings: Vec::new(),
            caller: self.caller.clone(),
            manager: self.manager().into(),
            force: self.query.flag("force"),
        })
    }

    /// The options of a patch. Who applies must say as whom, and alone may use force.
    ///
    /// # Errors
    /// As [`Asked::write_options`].
    pub fn patch_options(&self, applies: bool) -> Result<WriteOptions, Status> {
        const KIND: &str = "PatchOptions";
        let mut errors = Errors::default();
        if applies && self.query.text("fieldManager").is_empty() {
            errors.required(&Path::new("fieldManager"), "is required for apply patch");
        }
        if !applies && self.query.has("force") {
            errors.forbidden(&Path::new("force"), "may not be specified for non-apply patch");
        }
        refuse(KIND, &errors)?;
        self.write_options(KIND)
    }

    /// Who is said to own the fields that are written: the manager that the client names, or else the client's program.
    fn manager(&self) -> &str {
        match self.query.text("fieldManager") {
            "" => self.program(),
            named => named,
        }
    }

    fn program(&self) -> &str {
        let agent = self.head.headers.get(USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let program = agent.split('/').next().unwrap_or_default();
        match program.char_indices().nth(LONGEST_MANAGER) {
            // The node agent of this process has no program of its own.
            _ if program.is_empty() && self.caller.user.starts_with("system:node:") => "kubelet",
            _ if program.is_empty() => "unknown",
            Some((end, _)) => &program[..end],
            None => program,
        }
    }
}

fn check_manager(kind: &str, manager: &str) -> Result<(), Status> {
    let (mut errors, at) = (Errors::default(), Path::new("fieldManager"));
    if manager.len() > LONGEST_MANAGER {
        errors.too_long(&at, LONGEST_MANAGER);
    }
    if manager.chars().any(char::is_control) {
        errors.invalid(&at, manager, "should only contain printable characters");
    }
    refuse(kind, &errors)
}

fn refuse(kind: &str, errors: &Errors) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(&format!("{kind}.meta.k8s.io"), "", errors))
}
