//! Which moment a list or a watch asks for: `resourceVersion`, `resourceVersionMatch`, `continue`, `sendInitialEvents`.
//!
//! The rules are upstream's, and so are the words: reflectors fall back on them.

use super::query::Query;
use crate::field::{Errors, Path};
use crate::registry::{Registry, Start};
use crate::status::Status;
use crate::store::Revision;

/// Where a list starts.
///
/// # Errors
/// 400 for what is no number, 422 for what does not go together, 504 for a moment that is yet to come.
pub fn start<'q>(registry: &Registry, query: &'q Query) -> Result<Start<'q>, Status> {
    check(query, "list")?;
    let (token, matching) = (query.text("continue"), query.text("resourceVersionMatch"));
    let asked = revision(query)?;
    if !token.is_empty() {
        return match asked {
            None | Some(0) => Ok(Start::After(token)),
            Some(_) => Err(Status::bad_request("specifying resource version is not allowed when using continue")),
        };
    }
    let limited = query.number("limit")?.is_some_and(|limit| limit > 0);
    let Some(asked) = asked.filter(|rv| *rv > 0) else { return Ok(Start::Now) };
    not_in_the_future(registry, asked)?;
    // A page of a list at a moment shows that moment; without a limit, any later one will do.
    let exact = matching == "Exact" || (matching.is_empty() && limited);
    Ok(if exact { Start::At(Revision(asked)) } else { Start::Now })
}

/// The revision after which a watch starts; none where it starts with what is there.
///
/// # Errors
/// 400 and 422 for what makes no sense.
pub fn since(query: &Query) -> Result<Option<Revision>, Status> {
    check(query, "watch")?;
    Ok(revision(query)?.filter(|rv| *rv > 0).map(Revision))
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
            Status::bad_request(format!(
                "invalid resource version \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
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

/// What may stand together. `sendInitialEvents` is answered as by a server without the feature gate: clients list first.
fn check(query: &Query, verb: &str) -> Result<(), Status> {
    let mut errors = Errors::default();
    let (at, initial) = (Path::new("resourceVersionMatch"), Path::new("sendInitialEvents"));
    let (version, matching) = (query.text("resourceVersion"), query.text("resourceVersionMatch"));
    if query.has("sendInitialEvents") {
        if matching != "NotOlderThan" {
            errors.forbidden(&at, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }
        let gate = " unless the WatchList feature gate is enabled";
        let gate = if verb == "watch" { gate } else { "" };
        errors.forbidden(&initial, &format!("sendInitialEvents is forbidden for {verb}{gate}"));
    } else if !matching.is_empty() {
        if verb == "watch" {
            errors.forbidden(&at, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        } else if version.is_empty() {
            errors.forbidden(&at, "resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if query.has("continue") && !query.text("continue").is_empty() {
            errors.forbidden(&at, "resourceVersionMatch is forbidden when continue is provided");
        }
        if !matches!(matching, "Exact" | "NotOlderThan") {
            errors.not_supported(&at, matching, &["Exact", "NotOlderThan", ""]);
        }
        if matching == "Exact" && version == "0" {
            errors.forbidden(&at, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid("ListOptions.meta.k8s.io", "", &errors)) }
}
