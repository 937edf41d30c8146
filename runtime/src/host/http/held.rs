//! How many bytes of `wasi:http` an instance holds.
//!
//! One header map is bounded by wasmtime, the number of resources by their table; the product of both is gigabytes of
//! the node's memory. So what a guest writes into headers, methods and paths, and the headers that come back to it, is
//! added up. Nobody says when something goes, so a sum that is too high is counted again, over what is there.

use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use http::{HeaderMap, HeaderName, HeaderValue};
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::p2::bindings::http::types::{Method, Scheme};
use wasmtime_wasi_http::p2::types::{HostIncomingResponse, HostOutgoingRequest, HostOutgoingResponse};
use wasmtime_wasi_http::{FieldMap, p3};

/// For all headers, methods and addresses of an instance's requests and responses.
const MOST: usize = 8 << 20;

/// Never less than what is there, as soon as it matters.
#[derive(Debug, Default)]
pub(super) struct Held {
    known: usize,
    /// Of responses that have come since.
    arrived: Arc<AtomicUsize>,
}

impl Held {
    /// Where the headers of responses are to be added.
    pub(super) fn arrivals(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.arrived)
    }

    /// Takes in what has come; whether the guest holds no more than it may.
    pub(super) fn is_within(&mut self, table: &mut ResourceTable) -> bool {
        self.room(table, 0)
    }

    /// Whether there is room for so many bytes more, which are then taken.
    pub(super) fn room(&mut self, table: &mut ResourceTable, bytes: usize) -> bool {
        self.known = self.known.saturating_add(self.arrived.swap(0, Relaxed));
        if self.known.saturating_add(bytes) > MOST {
            self.known = count(table);
        }
        let room = self.known.saturating_add(bytes) <= MOST;
        if room {
            self.known += bytes;
        }
        room
    }
}

/// What a header map takes, as wasmtime counts it.
pub(super) fn size(map: &HeaderMap) -> usize {
    map.keys().map(|name| name.as_str().len() + size_of::<HeaderName>()).sum::<usize>()
        + map.values().map(|value| one(value.len())).sum::<usize>()
}

/// What a header's value of this length takes.
pub(super) const fn one(length: usize) -> usize {
    length.saturating_add(size_of::<HeaderValue>())
}

pub(super) fn of_method(method: &Method) -> usize {
    if let Method::Other(name) = method { name.len() } else { 0 }
}

pub(super) fn of_scheme(scheme: &Option<Scheme>) -> usize {
    if let Some(Scheme::Other(name)) = scheme { name.len() } else { 0 }
}

fn count(table: &mut ResourceTable) -> usize {
    // Handles of the same headers share them.
    let mut seen = HashSet::new();
    let mut once = |map: &FieldMap| if seen.insert(std::ptr::from_ref::<HeaderMap>(map)) { size(map) } else { 0 };
    table.iter_mut().map(|entry| of(entry, &mut once)).sum()
}

fn of(entry: &dyn Any, headers: &mut impl FnMut(&FieldMap) -> usize) -> usize {
    if let Some(map) = entry.downcast_ref::<FieldMap>() {
        headers(map)
    } else if let Some(request) = entry.downcast_ref::<HostOutgoingRequest>() {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let rest = of_method(&request.method) + of_scheme(&request.scheme);
        headers(&request.headers) + rest + text(&request.authority) + text(&request.path_with_query)
    } else if let Some(response) = entry.downcast_ref::<HostOutgoingResponse>() {
        headers(&response.headers)
    } else if let Some(response) = entry.downcast_ref::<HostIncomingResponse>() {
        headers(&response.headers)
    } else if let Some(request) = entry.downcast_ref::<p3::Request>() {
        let scheme = request.scheme.as_ref().map_or(0, |scheme| scheme.as_str().len());
        let authority = request.authority.as_ref().map_or(0, |authority| authority.as_str().len());
        let path = request.path_with_query.as_ref().map_or(0, |path| path.as_str().len());
        headers(&request.headers) + request.method.as_str().len() + scheme + authority + path
    } else if let Some(response) = entry.downcast_ref::<p3::Response>() {
        headers(&response.headers)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> FieldMap {
        let mut map = FieldMap::new_mutable(usize::MAX);
        map.append_raw(HeaderName::from_static("x"), HeaderValue::from_bytes(&vec![b'y'; 1 << 20]).expect("a value"))
            .expect("room");
        map
    }

    #[test]
    fn what_goes_makes_room_and_what_is_shared_counts_once() {
        let (mut table, mut held) = (ResourceTable::new(), Held::default());
        let mut all = Vec::new();
        while held.room(&mut table, size(&fields())) {
            all.push(table.push(fields()).expect("room"));
        }
        assert_eq!(all.len(), 7, "seven, and not quite eight");
        let shared = table.get(&all[0]).expect("there").clone();
        table.push(shared).expect("room");
        assert!(held.room(&mut table, 1000));
        for fields in all.drain(1..4) {
            table.delete(fields).expect("there");
        }
        assert!(held.room(&mut table, 3 << 20), "what is gone is found out when it matters");
        assert!(!held.room(&mut table, 5 << 20), "and no more than that");
        held.arrivals().fetch_add(MOST, Relaxed);
        assert!(held.is_within(&mut table), "what has come and gone again does not count");
    }
}
