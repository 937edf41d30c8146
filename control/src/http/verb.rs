//! Which verb a request is, and whether the resource has it.

use http::Method;

use super::path::ResourcePath;
use crate::registry::Resource;

/// What is to be done, in the API's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// One object.
    Get,
    /// A collection.
    List,
    /// A collection's future.
    Watch,
    /// A new object.
    Create,
    /// Another object in place of one.
    Update,
    /// A change of one.
    Patch,
    /// An end of one.
    Delete,
    /// An end of all.
    DeleteCollection,
}

impl Verb {
    /// The verb of a request for a resource; none where the resource has no such verb.
    pub fn of(method: &Method, resource: &Resource, path: &ResourcePath, watching: bool) -> Option<Self> {
        let (whole, named) = (path.subresource.is_empty(), !path.name.is_empty());
        let verb = match (method, named) {
            (&Method::GET, _) if whole && watching && (path.watch || !named) => Self::Watch,
            (&Method::GET, true) => Self::Get,
            (&Method::GET, false) => Self::List,
            (&Method::POST, false) => Self::Create,
            (&Method::POST, true) if !whole => Self::Create,
            (&Method::PUT, true) => Self::Update,
            (&Method::PATCH, true) => Self::Patch,
            (&Method::DELETE, true) => Self::Delete,
            (&Method::DELETE, false) => Self::DeleteCollection,
            _ => return None,
        };
        let everywhere = resource.row.namespaced && path.namespace.is_empty();
        if everywhere && !matches!(verb, Self::List | Self::Watch) {
            return None;
        }
        let served = match &*path.subresource {
            "" => &resource.row.verbs,
            part => &resource.row.subresource(part)?.verbs,
        };
        served.contains(&verb.name()).then_some(verb)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}
