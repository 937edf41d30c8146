//! Which moment a list or a watch asks for: `resourceVersion`, `resourceVersionMatch`, `continue`, `sendInitialEvents`.
//!
//! The rules are upstream's, and so are the words: reflectors fall back on them.

use super::query::Query;
use crate::field::{Errors, Path};
use crate::registry::{Registry, Start};
use crate::status::Status;
use crate::store::Revision;

/// Where a list starts, and how many objects it may hold (0: all).
///
/// # Errors
/// 400 for what is no number, 422 for what does not go together, 504 for a moment that is yet to come.
pub fn list<'q>(registry: &Registry, query: &'q Query) -> Result<(Start<'q>, usize), Status> {
    let limit = query.number("limit")?.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    query.number("timeoutSeconds")?;
    check_list(query)?;
    let (token, matching) = (query.text("continue"), query.text("resourceVersionMatch"));
    if !token.is_empty() {
        return Ok((Start::After { token, plain: matches!(query.text("resourceVersion"), "" | "0") }, limit));
    }
    let Some(asked) = revision(query)? else { return Ok((Start::Now, limit)) };
    not_in_the_future(registry, asked)?;
    // A page of a list at a moment shows that moment; without a limit, any later one will do.
    let exact = matching == "Exact" || (matching.is_empty() && limit > 0 && asked > 0);
    Ok(match asked {
        // Who takes what is at hand gets all of it.
        0 => (Start::Now, 0),
        _ if exact => (Start::At(Revision(asked)), limit),
        _ => (Start::Now, limit),
    })
}

/// Where a watch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With everything that is there. `marked`: a bookmark says where that ends.
    Present {
        /// Whether a bookmark is sent.
        marked: bool,
    },
    /// With what happens next.
    Next,
    /// With what happened after this.
    After(Revision),
}

/// Where a watch begins.
///
/// # Errors
/// 400 and 422 for what makes no sense, 504 for a list of a moment that is yet to come.
pub fn watch(registry: &Registry, query: &Query) -> Result<Begin, Status> {
    query.number("limit")?;
    check_watch(query)?;
    let initial = query.has("sendInitialEvents").then(|| query.flag("sendInitialEvents"));
    let asked = revision(query)?.unwrap_or_default();
    Ok(match (initial, asked) {
        (Some(true), _) => {
            not_in_the_future(registry, asked)?;
            Begin::Present { marked: query.flag("allowWatchBookmarks") }
        }
        (None, 0) => Begin::Present { marked: false },
        (Some(false), 0) => Begin::Next,
        (_, asked) => Begin::After(Revision(asked)),
    })
}

/// Refuses a moment that is yet to come: nobody can wait for it here.
///
/// # Errors
/// 504, with the seconds after which to ask again.
pub fn reached(registry: &Registry, query: &Query) -> Result<(), Status> {
    revision(query)?.map_or(Ok(()), |asked| not_in_the_future(registry, asked))
}

fn revision(query: &Query) -> Result<Option<u64>, Status> {
    match query.text("resourceVersion") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            let why = if text.bytes().all(|b| b.is_ascii_digit()) { "value out of range" } else { "invalid syntax" };
            Status::bad_request(format!(
                "invalid resource version: resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \
                 \"{text}\": {why}"
            ))
        }),
    }
}

fn not_in_the_future(registry: &Registry, asked: u64) -> Result<(), Status> {
    let current = registry.store().revision().0;
    if asked <= current {
        return Ok(());
    }
    let why = format!("Timeout: Too large resource version: {asked}, current: {current}");
    Err(Status::new(504, "Timeout", why)
        .because("ResourceVersionTooLarge", "Too large resource version", "")
        .retry_after(1))
}

/// What may stand together in a list.
fn check_list(query: &Query) -> Result<(), Status> {
    let mut errors = Errors::default();
    let at = Path::new("resourceVersionMatch");
    let matching = query.text("resourceVersionMatch");
    if !matching.is_empty() {
        if query.text("resourceVersion").is_empty() {
            errors.forbidden(&at, "resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if !query.text("continue").is_empty() {
            errors.forbidden(&at, "resourceVersionMatch is forbidden when continue is provided");
        }
        if !matches!(matching, "Exact" | "NotOlderThan") {
            errors.not_supported(&at, matching, &["Exact", "NotOlderThan", ""]);
        }
        if matching == "Exact" && query.text("resourceVersion") == "0" {
            errors.forbidden(&at, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
    }
    if query.has("sendInitialEvents") {
        errors.forbidden(&Path::new("sendInitialEvents"), "sendInitialEvents is forbidden for list");
    }
    checked(&errors)
}

/// What may stand together in a watch.
fn check_watch(query: &Query) -> Result<(), Status> {
    let mut errors = Errors::default();
    let at = Path::new("resourceVersionMatch");
    let (matching, initial) = (query.text("resourceVersionMatch"), query.has("sendInitialEvents"));
    if initial && matching != "NotOlderThan" {
        errors.forbidden(&at, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        // A request that was wrong anyway is refused in the words of 1.33 as it comes; clients know them.
        let gate = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        errors.forbidden(&Path::new("sendInitialEvents"), gate);
    }
    if !matching.is_empty() {
        if !initial {
            errors.forbidden(&at, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        }
        if matching != "NotOlderThan" {
            errors.not_supported(&at, matching, &["NotOlderThan"]);
        }
        if !query.text("continue").is_empty() {
            errors.forbidden(&at, "resourceVersionMatch is forbidden when continue is provided");
        }
    }
    checked(&errors)
}

fn checked(errors: &Errors) -> Result<(), Status> {
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid("ListOptions.meta.k8s.io", "", errors)) }
}
