//! Events, of both groups: they are the same objects with other names for some fields.
//!
//! They are stored in the shape of core/v1; [`from_new_group`] and [`to_new_group`] translate at the edge.

use jiff::Timestamp;
use objects::names;
use serde_json::{Map, Value};

use super::access::{Change, Look};
use super::age;
use super::columns::{Column, NAME};
use super::{Behavior, cells};
use crate::field::{Errors, Path};
use crate::store::Class;

const TEXT_MAX: usize = 128;
const MESSAGE_MAX: usize = 1024;

/// What events do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    validate,
    columns: &[
        Column::text("Last Seen", "The time at which the most recent occurrence of this event was recorded."),
        Column::text("Type", "Type of this event (Normal, Warning), new types could be added in the future"),
        Column::text(
            "Reason",
            "This should be a short, machine understandable string that gives the reason for the transition into the \
             object's current status.",
        ),
        Column::text("Object", "The object that this event is about."),
        Column::text(
            "Subobject",
            "If referring to a piece of an object instead of an entire object, this string should contain a valid \
             JSON/Go field access statement, such as desiredState.manifest.containers[2]. For example, if the object \
             reference is to a container within a pod, this would take on a value like: \"spec.containers{name}\" \
             (where \"name\" refers to the name of the container that triggered the event) or if no container name is \
             specified \"spec.containers[2]\" (container with index 2 in this pod). This syntax is chosen only to \
             have some well-defined way of referencing a part of an object.",
        )
        .wide(),
        Column::text("Source", "The component reporting this event. Should be a short machine understandable string.")
            .wide(),
        Column::text("Message", "A human-readable description of the status of this operation."),
        Column::text(
            "First Seen",
            "The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)",
        )
        .wide(),
        Column::text("Count", "The number of times this event has occurred.").wide(),
        NAME.wide(),
    ],
    row,
    fields: &[
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ],
    field,
    class: Class::Volatile,
    allow_create_on_update: true,
    ..Behavior::GENERIC
};

fn default(event: &mut Value) {
    for field in ["eventTime", "reportingComponent", "reportingInstance"] {
        let absent = if field == "eventTime" { Value::Null } else { "".into() };
        event.map_at("").entry(field).or_insert(absent);
    }
}

/// What events of events.k8s.io do: the same, and their fields go by other names.
pub const NEW: Behavior = Behavior {
    fields: &[
        "regarding.kind",
        "regarding.namespace",
        "regarding.name",
        "regarding.uid",
        "regarding.apiVersion",
        "regarding.resourceVersion",
        "regarding.fieldPath",
        "reason",
        "reportingController",
        "type",
    ],
    field: |event, path| match path.strip_prefix("regarding.") {
        Some(of) => field(event, &format!("involvedObject.{of}")),
        None if path == "reportingController" => field(event, "reportingComponent"),
        None => field(event, path),
    },
    ..BEHAVIOR
};

/// Events that carry an `eventTime` are of the newer sort, and say more.
fn validate(event: &Value, errors: &mut Errors) {
    let (involved, namespace) = (event.text("involvedObject.namespace"), event.text("metadata.namespace"));
    let at = Path::new("involvedObject").child("namespace");
    let (newer, elsewhere) = (event.has("eventTime"), involved != namespace);
    let homeless = match namespace {
        "default" => true,
        "kube-system" => newer,
        _ => false,
    };
    if (involved.is_empty() && !homeless) || (!involved.is_empty() && elsewhere && !newer) {
        errors.invalid(&at, involved, "does not match event.namespace");
    }
    if newer {
        validate_newer(event, errors);
    }
}

fn validate_newer(event: &Value, errors: &mut Errors) {
    let reporter = event.text("reportingComponent");
    if reporter.is_empty() {
        errors.required(&Path::new("reportingController"), "");
    }
    errors.all_invalid(&Path::new("reportingController"), reporter, names::qualified_name(reporter));
    for field in ["reportingInstance", "action", "reason"] {
        let text = event.text(field);
        if text.is_empty() {
            errors.required(&Path::new(field), "");
        }
        if text.len() > TEXT_MAX {
            errors.invalid(&Path::new(field), "", &format!("can have at most {TEXT_MAX} characters"));
        }
    }
    if event.text("message").len() > MESSAGE_MAX {
        errors.invalid(&Path::new("message"), "", &format!("can have at most {MESSAGE_MAX} characters"));
    }
}

/// What events.k8s.io asks of a new event, in its own names.
pub fn check_new_group(event: &Value, errors: &mut Errors) {
    if !event.has("eventTime") {
        errors.required(&Path::new("eventTime"), "");
    }
    let kind = event.text("type");
    if !matches!(kind, "Normal" | "Warning") {
        errors.invalid(&Path::new("type"), "", &format!("has invalid value: {kind}"));
    }
    for (field, name) in [
        ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
        ("deprecatedSource", "source"),
    ] {
        let zero = match event.at(field) {
            Value::Null => true,
            Value::Number(n) => n.as_i64() == Some(0),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if !zero {
            errors.invalid(&Path::new(name), "", "needs to be unset");
        }
    }
}

fn field(event: &Value, path: &str) -> String {
    match path {
        "source" if event.text("source.component").is_empty() => event.text("reportingComponent").to_owned(),
        "source" => event.text("source.component").to_owned(),
        _ => event.text(path).to_owned(),
    }
}

fn row(event: &Value, now: Timestamp) -> Vec<Value> {
    let seen = |path: &str| Some(event.text(path)).filter(|t| !t.is_empty()).map(|t| age::since(t, now));
    let first = seen("firstTimestamp").or_else(|| seen("eventTime")).unwrap_or_else(|| "<unknown>".into());
    let (last, count) = if event.has("series") {
        let last = seen("series.lastObservedTime").unwrap_or_else(|| "<unknown>".into());
        (last, event.int("series.count").unwrap_or_default())
    } else {
        (seen("lastTimestamp").unwrap_or_else(|| first.clone()), event.int("count").filter(|c| *c != 0).unwrap_or(1))
    };
    vec![
        last.into(),
        event.text("type").into(),
        event.text("reason").into(),
        object(event).into(),
        event.text("involvedObject.fieldPath").into(),
        source(event).into(),
        event.text("message").trim().into(),
        first.into(),
        count.into(),
        cells::name(event),
    ]
}

fn object(event: &Value) -> String {
    let kind = event.text("involvedObject.kind").to_lowercase();
    match event.text("involvedObject.name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    }
}

fn source(event: &Value) -> String {
    let either =
        |a: &'static str, b: &'static str| if event.text(a).is_empty() { event.text(b) } else { event.text(a) };
    let component = either("source.component", "reportingComponent");
    match either("source.host", "reportingInstance") {
        "" => component.to_owned(),
        host => format!("{component}, {host}"),
    }
}

/// Names of fields in core/v1 and in events.k8s.io/v1.
const RENAMED: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// An event of events.k8s.io/v1 in the shape in which it is stored.
pub fn from_new_group(event: Value) -> Value {
    renamed(event, "v1", |field| RENAMED.iter().find(|(_, new)| *new == field).map(|(old, _)| *old))
}

/// A stored event in the shape of events.k8s.io/v1.
pub fn to_new_group(event: Value) -> Value {
    renamed(event, "events.k8s.io/v1", |field| RENAMED.iter().find(|(old, _)| *old == field).map(|(_, new)| *new))
}

fn renamed(event: Value, version: &str, name: impl Fn(&str) -> Option<&'static str>) -> Value {
    let Value::Object(fields) = event else { return event };
    let mut shaped = Map::new();
    for (field, value) in fields {
        let value = if field == "apiVersion" { version.into() } else { value };
        let field = name(&field).map_or(field, str::to_owned);
        shaped.insert(field, value);
    }
    Value::Object(shaped)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_of_both_kinds_of_events() {
        let now = "2026-11-20T09:25:32Z".parse().expect("a time");
        let event = json!({"metadata": {"name": "d1.18"}, "involvedObject": {"kind": "Deployment", "name": "d1"},
            "reason": "ScalingReplicaSet", "message": "Scaled up ", "source": {"component": "deployment-controller"},
            "firstTimestamp": "2026-11-20T09:25:02Z", "lastTimestamp": "2026-11-20T09:25:29Z", "type": "Normal", "count": 2});
        assert_eq!(
            Value::from(row(&event, now)),
            json!([
                "3s",
                "Normal",
                "ScalingReplicaSet",
                "deployment/d1",
                "",
                "deployment-controller",
                "Scaled up",
                "30s",
                2,
                "d1.18"
            ])
        );
        let new = json!({"metadata": {"name": "e"}, "eventTime": "2026-11-20T09:25:22.000000Z", "reportingComponent": "r",
            "reportingInstance": "i", "involvedObject": {"kind": "Pod"}});
        assert_eq!(Value::from(row(&new, now)), json!(["10s", "", "", "pod", "", "r, i", "", "10s", 1, "e"]));
        assert_eq!(field(&new, "source"), "r");
    }

    #[test]
    fn shapes_translate_both_ways() {
        let core =
            json!({"apiVersion": "v1", "kind": "Event", "involvedObject": {"kind": "Pod"}, "message": "m", "count": 1});
        let new = to_new_group(core.clone());
        assert_eq!(
            new,
            json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "regarding": {"kind": "Pod"}, "note": "m",
                "deprecatedCount": 1})
        );
        assert_eq!(from_new_group(new), core);
    }
}
