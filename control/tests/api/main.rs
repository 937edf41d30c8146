//! The API through its router: no socket, no disk, no controllers. What clients see, and nothing of what is behind it.

mod addresses;
mod bad_input;
mod create;
mod delete;
mod encodings;
mod every_kind;
mod finalizers;
mod harness;
mod limit_ranger;
mod lists;
mod namespaces;
mod patch;
mod pod_parts;
mod pod_security;
mod priority;
mod quota;
mod refusals;
mod reviews;
mod selectors;
mod service_account_admission;
mod subresources;
mod tables;
mod update;
mod validation;
mod versions;
mod watch;
