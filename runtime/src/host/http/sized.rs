//! The functions of `wasi:http/types` with which a guest makes the host [hold](super::held) more for it: those that
//! write headers, and a request's setters. They do what wasmtime's do, as long as there is room.
//!
//! Who has none is told of a size that is exceeded; WASI 0.2 has no word for that, there it is a trap, as it is when one
//! header map is full.

use wasmtime::StoreContextMut;
use wasmtime::component::{Lift, Linker, LinkerInstance, Lower, Resource};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p2::bindings::http::types as p2;
use wasmtime_wasi_http::p3::bindings::http::types as p3;
use wasmtime_wasi_http::{FieldMap, FieldMapError, WasiHttpCtxView, WasiHttpView as _};

use super::held;
use crate::host::{HEADERS, Host};

/// As wasmtime's own bindings call it.
const TYPES: &str = "wasi:http/types@0.2.12";
const CONCURRENT_TYPES: &str = "wasi:http/types@0.3.0";

/// Puts these functions in the place of wasmtime's. The others must be there already.
pub(in crate::host) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    use p2::HostOutgoingRequest as Request;

    linker.allow_shadowing(true);
    let types = &mut linker.instance(TYPES)?;
    fields(types, |error| wasmtime_wasi_http::p2::HeaderError::from(error).downcast())?;
    let name = "[method]outgoing-request.set-";
    setter(types, &format!("{name}method"), held::of_method, |view, this, to| Request::set_method(view, this, to))?;
    setter(types, &format!("{name}scheme"), held::of_scheme, |view, this, to| Request::set_scheme(view, this, to))?;
    setter(types, &format!("{name}authority"), text, |view, this, to| Request::set_authority(view, this, to))?;
    setter(types, &format!("{name}path-with-query"), text, |view, this, to| {
        Request::set_path_with_query(view, this, to)
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The same for guests of WASI 0.3.
pub(in crate::host) fn add_concurrent_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    use p3::HostRequest as Request;

    linker.allow_shadowing(true);
    let types = &mut linker.instance(CONCURRENT_TYPES)?;
    fields(types, |error| TrappableError::<p3::HeaderError>::from(error).downcast())?;
    let name = "[method]request.set-";
    setter(types, &format!("{name}method"), of_method, |view, this, to| Request::set_method(view, this, to))?;
    setter(types, &format!("{name}scheme"), of_scheme, |view, this, to| Request::set_scheme(view, this, to))?;
    setter(types, &format!("{name}authority"), text, |view, this, to| Request::set_authority(view, this, to))?;
    setter(types, &format!("{name}path-with-query"), text, |view, this, to| {
        Request::set_path_with_query(view, this, to)
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

fn text(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

fn of_method(method: &p3::Method) -> usize {
    if let p3::Method::Other(name) = method { name.len() } else { 0 }
}

fn of_scheme(scheme: &Option<p3::Scheme>) -> usize {
    if let Some(p3::Scheme::Other(name)) = scheme { name.len() } else { 0 }
}

/// What one of a request's setters does.
type Set<R, V> = fn(&mut WasiHttpCtxView<'_>, Resource<R>, V) -> wasmtime::Result<Result<(), ()>>;

/// One of a request's setters.
fn setter<R: 'static, V: Lift + Send + Sync + 'static>(
    types: &mut LinkerInstance<'_, Host>,
    name: &str,
    size: fn(&V) -> usize,
    set: Set<R, V>,
) -> wasmtime::Result<()> {
    types.func_wrap(name, move |mut store: StoreContextMut<'_, Host>, (this, to): (Resource<R>, V)| {
        let (host, size) = (store.data_mut(), size(&to));
        let fits = size <= HEADERS && host.http_room(size);
        Ok((if fits { set(&mut host.http(), this, to)? } else { Err(()) },))
    })
}

type Outcome<T> = wasmtime::Result<Result<T, FieldMapError>>;

/// What writes headers.
fn fields<E: Lower + Send + Sync + 'static>(
    types: &mut LinkerInstance<'_, Host>,
    in_wasi_words: fn(FieldMapError) -> wasmtime::Result<E>,
) -> wasmtime::Result<()> {
    type Store<'a> = StoreContextMut<'a, Host>;
    type List = (Vec<(String, Vec<u8>)>,);
    type Append = (Resource<FieldMap>, String, Vec<u8>);
    type Replace = (Resource<FieldMap>, String, Vec<Vec<u8>>);

    types.func_wrap("[static]fields.from-list", move |mut store: Store<'_>, (entries,): List| {
        Ok((said(from_list(store.data_mut(), entries), in_wasi_words)?,))
    })?;
    types.func_wrap("[method]fields.append", move |mut store: Store<'_>, (this, name, value): Append| {
        Ok((said(append(store.data_mut(), &this, name, value), in_wasi_words)?,))
    })?;
    types.func_wrap("[method]fields.set", move |mut store: Store<'_>, (this, name, values): Replace| {
        Ok((said(set(store.data_mut(), &this, name, values), in_wasi_words)?,))
    })?;
    types.func_wrap("[method]fields.clone", |mut store: Store<'_>, (this,): (Resource<FieldMap>,)| {
        Ok((copy(store.data_mut(), &this)?,))
    })
}

fn said<T, E>(
    outcome: Outcome<T>,
    in_wasi_words: fn(FieldMapError) -> wasmtime::Result<E>,
) -> wasmtime::Result<Result<T, E>> {
    match outcome? {
        Ok(value) => Ok(Ok(value)),
        Err(error) => in_wasi_words(error).map(Err),
    }
}

fn from_list(host: &mut Host, entries: Vec<(String, Vec<u8>)>) -> Outcome<Resource<FieldMap>> {
    let size = entries.iter().map(|(name, value)| name.len() + held::one(value.len())).sum::<usize>();
    if !host.http_room(size.min(HEADERS)) {
        return Ok(Err(FieldMapError::TotalSizeTooBig));
    }
    let mut fields = FieldMap::new_mutable(HEADERS);
    for (name, value) in entries {
        if let Err(error) = fields.append(&mut host.outgoing, name, value) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(host.table.push(fields)?))
}

fn append(host: &mut Host, this: &Resource<FieldMap>, name: String, value: Vec<u8>) -> Outcome<()> {
    if !host.http_room(name.len() + held::one(value.len())) {
        return Ok(Err(FieldMapError::TotalSizeTooBig));
    }
    Ok(host.table.get_mut(this)?.append(&mut host.outgoing, name, value).map(drop))
}

fn set(host: &mut Host, this: &Resource<FieldMap>, name: String, values: Vec<Vec<u8>>) -> Outcome<()> {
    if !host.http_room(name.len() + values.iter().map(|value| held::one(value.len())).sum::<usize>()) {
        return Ok(Err(FieldMapError::TotalSizeTooBig));
    }
    Ok(host.table.get_mut(this)?.set(&mut host.outgoing, name, values))
}

/// A copy that can be changed is one from the start: a copy that becomes one at the first change would not be noticed.
fn copy(host: &mut Host, this: &Resource<FieldMap>) -> wasmtime::Result<Resource<FieldMap>> {
    let size = held::size(host.table.get(this)?);
    if !host.http_room(size) {
        return Err(FieldMapError::TotalSizeTooBig.into());
    }
    let mut copy = FieldMap::new_mutable(usize::MAX);
    for (name, value) in host.table.get(this)?.iter() {
        copy.append_raw(name.clone(), value.clone())?;
    }
    copy.set_mutable(HEADERS);
    Ok(host.table.push(copy)?)
}
