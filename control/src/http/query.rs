//! The query string of a request, read with Kubernetes' rules and error words.

use std::borrow::Cow;

use crate::field::{Errors, Path};
use crate::registry::{DeleteOptions, FieldValidation, Propagation};
use crate::status::Status;

/// The decoded parameters of a request.
pub struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Decodes a query string.
    pub fn parse(text: &'a str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).collect())
    }

    /// A parameter, empty where it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(k, _)| k == name).map(|(_, v)| &**v).unwrap_or_default()
    }

    /// All values of a parameter.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(k, _)| k == name).map(|(_, v)| &**v)
    }

    /// True for a parameter that is there, whatever it says.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(k, _)| k == name)
    }

    /// A boolean, as Go's conversion reads it: everything but `false` and `0` is true.
    pub fn flag(&self, name: &str) -> bool {
        self.has(name) && !matches!(self.text(name).to_ascii_lowercase().as_str(), "false" | "0")
    }

    /// A number, none where it is missing.
    ///
    /// # Errors
    /// 400 for what is no number.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Status> {
        match self.text(name) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"))),
        }
    }

    /// `dryRun=All`.
    ///
    /// # Errors
    /// 422 for another value; `options` is the kind of options that the verb takes.
    pub fn dry_run(&self, options: &str) -> Result<bool, Status> {
        let values: Vec<&str> = self.0.iter().filter(|(k, _)| k == "dryRun").map(|(_, v)| &**v).collect();
        dry_run(options, &values)
    }

    /// `fieldValidation`.
    ///
    /// # Errors
    /// 422 for an unknown one.
    pub fn field_validation(&self, options: &str) -> Result<FieldValidation, Status> {
        match self.text("fieldValidation") {
            "" | "Warn" => Ok(FieldValidation::Warn),
            "Ignore" => Ok(FieldValidation::Ignore),
            "Strict" => Ok(FieldValidation::Strict),
            other => {
                let shown = format!("\"{other}\"");
                Err(unsupported(options, "fieldValidation", &shown, &["", "Ignore", "Strict", "Warn"]))
            }
        }
    }

    /// Adds to `options` what the query says of a deletion.
    ///
    /// # Errors
    /// 400 or 422 for values that make no sense.
    pub fn delete_options(&self, options: &mut DeleteOptions) -> Result<(), Status> {
        if let Some(grace) = self.number("gracePeriodSeconds")? {
            options.grace = Some(grace);
        }
        if self.has("propagationPolicy") {
            options.propagation = propagation(self.text("propagationPolicy"))?;
        }
        if self.has("orphanDependents") {
            options.propagation =
                Some(if self.flag("orphanDependents") { Propagation::Orphan } else { Propagation::Background });
        }
        options.dry_run |= self.dry_run("DeleteOptions")?;
        Ok(())
    }
}

/// True where `All` is said; `options` is the kind of options.
///
/// # Errors
/// 422 for another value.
pub fn dry_run(options: &str, values: &[&str]) -> Result<bool, Status> {
    match values {
        [] | [""] => Ok(false),
        all if all.iter().all(|value| *value == "All") => Ok(true),
        others => {
            let shown: Vec<String> = others.iter().map(|value| format!("\"{value}\"")).collect();
            Err(unsupported(options, "dryRun", &format!("[]string{{{}}}", shown.join(", ")), &["All"]))
        }
    }
}

/// Reads a propagation policy.
///
/// # Errors
/// 422 for an unknown one.
pub fn propagation(text: &str) -> Result<Option<Propagation>, Status> {
    match text {
        "" => Ok(None),
        "Background" => Ok(Some(Propagation::Background)),
        "Foreground" => Ok(Some(Propagation::Foreground)),
        "Orphan" => Ok(Some(Propagation::Orphan)),
        other => Err(unsupported(
            "DeleteOptions",
            "propagationPolicy",
            &format!("\"{other}\""),
            &["Foreground", "Background", "Orphan", "nil"],
        )),
    }
}

fn unsupported(options: &str, field: &str, shown: &str, supported: &[&str]) -> Status {
    let mut errors = Errors::default();
    errors.not_supported_text(&Path::new(field), shown, supported);
    Status::invalid(&format!("{options}.meta.k8s.io"), "", &errors)
}
