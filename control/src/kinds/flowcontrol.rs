//! Flow schemas and priority levels: stored and shown; requests are not queued by them.

mod rules;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::{keep_status, text_of};
use super::{Behavior, Generation, cells};

/// FlowSchemas.
pub const SCHEMAS: Behavior = Behavior {
    default: |schema| schema.set_default("spec", "matchingPrecedence", 1000),
    prepare_create: |schema| schema.set("", "status", json!({})),
    prepare_update: keep_status,
    validate: rules::schema,
    columns: &[
        NAME,
        Column::text(
            "PriorityLevel",
            "`name` is the name of the priority level configuration being referenced Required.",
        ),
        Column::integer(
            "MatchingPrecedence",
            "`matchingPrecedence` is used to choose among the FlowSchemas that match a given request.",
        ),
        Column::text(
            "DistinguisherMethod",
            "`type` is the type of flow distinguisher method The supported types are \"ByUser\" and \"ByNamespace\".",
        ),
        AGE,
        Column::text("MissingPL", "references a broken or non-existent PriorityLevelConfiguration"),
    ],
    row: |schema: &Value, now: Timestamp| {
        let dangling = schema.items("status.conditions").iter().find(|c| c.text("type") == "Dangling");
        vec![
            cells::name(schema),
            schema.text("spec.priorityLevelConfiguration.name").into(),
            cells::count(schema, "spec.matchingPrecedence"),
            cells::text_or_none(schema, "spec.distinguisherMethod.type"),
            cells::age(schema, now),
            dangling.map_or("?", |c| c.text("status")).into(),
        ]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

/// PriorityLevelConfigurations.
pub const LEVELS: Behavior = Behavior {
    prepare_create: |level| level.set("", "status", json!({})),
    prepare_update: keep_status,
    validate: rules::level,
    columns: &[
        NAME,
        Column::text(
            "Type",
            "`type` indicates whether this priority level is subject to limitation on request execution.",
        ),
        Column::text(
            "NominalConcurrencyShares",
            "`nominalConcurrencyShares` (NCS) contributes to the computation of the NominalConcurrencyLimit of this level.",
        ),
        Column::text("Queues", "`queues` is the number of queues for this priority level."),
        Column::text(
            "HandSize",
            "`handSize` is a small positive number that configures the shuffle sharding of requests into queues.",
        ),
        Column::text(
            "QueueLengthLimit",
            "`queueLengthLimit` is the maximum number of requests allowed to be waiting in a given queue of this priority level at a time.",
        ),
        AGE,
    ],
    row: |level: &Value, now: Timestamp| {
        let text = |path: &str| cells::or(&text_of(level.at(path)), "<none>");
        let queuing = |field: &str| text(&format!("spec.limited.limitResponse.queuing.{field}"));
        vec![
            cells::name(level),
            level.text("spec.type").into(),
            text("spec.limited.nominalConcurrencyShares"),
            queuing("queues"),
            queuing("handSize"),
            queuing("queueLengthLimit"),
            cells::age(level, now),
        ]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};
