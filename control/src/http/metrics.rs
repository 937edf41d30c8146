//! GET of what nodes and pods use: asked of the nodes, kept nowhere.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use http::{Request, Response, StatusCode};
use serde_json::Value;

use super::asked::Asked;
use super::{Body, NodeTransport, read, respond};
use crate::kinds::Look;
use crate::metrics::{Summary, node_metrics, pod_metrics};
use crate::registry::{Page, Resource, Selection, Start, Target};
use crate::status::Status;
use crate::store::{Class, Entry, Key};

/// Nodes that are asked at the same time.
const AT_ONCE: usize = 16;

/// GET of one.
///
/// # Errors
/// 404 where there is no such pod or node, or nothing is known of it.
pub async fn get(asked: Asked<'_>, nodes: &NodeTransport) -> Result<Response<Body>, Status> {
    let resource = &asked.target.resource;
    let missing = || Status::not_found(&resource.qualified, &asked.target.name);
    let subject = asked.registry.get(&subject(asked)?.named(&asked.target.name)).map_err(|_| missing())?.value();
    let measured = measure(resource, vec![subject], nodes).await;
    let entry = measured.into_iter().next().map(|metrics| entry(asked, metrics)).ok_or_else(missing)?;
    read::object(resource, StatusCode::OK, asked.form, asked.query, &entry.bytes)
}

/// GET of those of a namespace, or of all.
///
/// # Errors
/// 400 for selectors that cannot be read.
pub async fn list(asked: Asked<'_>, nodes: &NodeTransport) -> Result<Response<Body>, Status> {
    let resource = &asked.target.resource;
    let selection = Selection::parse(resource, asked.query.text("labelSelector"), asked.query.text("fieldSelector"))?;
    let subjects = asked.registry.list(&subject(asked)?, &Selection::all(), 0, Start::Now)?.entries;
    // They have the names and labels of what they are about.
    let chosen = subjects.iter().map(|s| s.value()).filter(|s| selection.matches(resource, s)).collect();
    let measured = measure(resource, chosen, nodes).await;
    let entries = measured.into_iter().map(|metrics| Arc::new(entry(asked, metrics))).collect();
    let page = Page { revision: asked.registry.store().revision(), entries, next: None, remaining: None };
    read::page_in_shape(resource, asked.form, asked.query, page)
}

/// The collection that metrics are about: pods or nodes.
fn subject(asked: Asked<'_>) -> Result<Target, Status> {
    let resources = asked.registry.resources();
    let resource =
        resources.find("", "v1", &asked.target.resource.row.resource).ok_or_else(Status::no_such_resource)?;
    Ok(Target::new(resource, &asked.target.namespace, ""))
}

async fn measure(resource: &Resource, subjects: Vec<Value>, nodes: &NodeTransport) -> Vec<Value> {
    let of_pods = resource.row.namespaced;
    let node_of = |subject: &Value| -> String {
        if of_pods { subject.text("spec.nodeName") } else { subject.text("metadata.name") }.to_owned()
    };
    let mut names: Vec<String> = subjects.iter().map(node_of).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    let ask = |name: String| async move { Some((summary(&name, nodes).await?, name)) };
    let answers = stream::iter(names).map(ask).buffer_unordered(AT_ONCE).filter_map(std::future::ready);
    let summaries: HashMap<String, Summary> = answers.map(|(summary, name)| (name, summary)).collect().await;
    let of = |subject: &Value| {
        let summary = summaries.get(&node_of(subject))?;
        if of_pods { pod_metrics(subject, summary) } else { node_metrics(subject, summary) }
    };
    subjects.iter().filter_map(of).collect()
}

/// A node that does not answer has no metrics, and the others have theirs.
async fn summary(node: &str, nodes: &NodeTransport) -> Option<Summary> {
    let request = Request::get("/stats/summary").body(respond::full("")).ok()?;
    let answer = nodes(node, request)?.await.ok().filter(|answer| answer.status().is_success())?;
    let text = super::body::read(answer.into_body()).await.ok()?;
    serde_json::from_slice(&text).ok().map(Summary::new)
}

fn entry(asked: Asked<'_>, metrics: Value) -> Entry {
    let key = |path: &str| metrics.text(path).into();
    let stored = asked.target.resource.stored.clone();
    Entry {
        key: Key { resource: stored, namespace: key("metadata.namespace"), name: key("metadata.name") },
        revision: asked.registry.store().revision(),
        bytes: metrics.to_string().into(),
        class: Class::Volatile,
    }
}
