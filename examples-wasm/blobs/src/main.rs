//! Does one thing after the other; `--` is between them. C is a container, O an object:
//! `put C O TEXT`, `promise C O TEXT` (says where before it says what), `break C O TEXT` (and never finishes),
//! `get C O [FIRST LAST]`, `stream C O`, `has C O`, `size C O`, `list C`, `delete C O`, `clear C`, `create C`, `drop C`,
//! `exists C`, `copy C O C O`, `move C O C O`, `fill C O MIB`.

use std::env;
use std::process::exit;

mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../runtime/wit/blobstore/deps/io.wit",
            "../../runtime/wit/blobstore/deps/blobstore.wit",
            "wit",
        ],
        world: "sampan:blobs/blobs",
        generate_all,
    });
}

use bindings::wasi::blobstore::blobstore;
use bindings::wasi::blobstore::container::Container;
use bindings::wasi::blobstore::types::{IncomingValue, ObjectId, OutgoingValue};
use bindings::wasi::io::streams::{OutputStream, StreamError};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    for words in args.split(|word| word == "--") {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let Err(why) = perform(&words) {
            println!("failed: {why}");
            exit(1);
        }
    }
}

fn perform(words: &[&str]) -> Result<(), String> {
    match *words {
        ["create", name] => blobstore::create_container(name).map(drop),
        ["drop", name] => blobstore::delete_container(name),
        ["exists", name] => say(blobstore::container_exists(name)?),
        ["copy", from, object, to, new] => blobstore::copy_object(&id(from, object), &id(to, new)),
        ["move", from, object, to, new] => blobstore::move_object(&id(from, object), &id(to, new)),
        [verb, container, ref rest @ ..] => within(verb, &blobstore::get_container(container)?, rest),
        _ => Err(format!("what? {words:?}")),
    }
}

fn within(verb: &str, container: &Container, words: &[&str]) -> Result<(), String> {
    match (verb, words) {
        ("put", [object, text]) => {
            let value = OutgoingValue::new_outgoing_value();
            write(&value, text.as_bytes())?;
            container.write_data(object, &value)?;
            OutgoingValue::finish(value)
        }
        ("promise", [object, text]) => {
            let value = OutgoingValue::new_outgoing_value();
            container.write_data(object, &value)?;
            say(container.has_object(object)?)?;
            write(&value, text.as_bytes())?;
            OutgoingValue::finish(value)
        }
        ("break", [object, text]) => {
            let value = OutgoingValue::new_outgoing_value();
            container.write_data(object, &value)?;
            write(&value, text.as_bytes())
        }
        ("get", [object]) => show(container.get_data(object, 0, u64::MAX)?),
        ("get", [object, first, last]) => show(container.get_data(object, number(first)?, number(last)?)?),
        ("stream", [object]) => say(sum(container.get_data(object, 0, u64::MAX)?)?),
        ("has", [object]) => say(container.has_object(object)?),
        ("size", [object]) => say(container.object_info(object)?.size),
        ("list", []) => list(container),
        ("delete", objects) => {
            container.delete_objects(&objects.iter().map(|object| (*object).to_owned()).collect::<Vec<_>>())
        }
        ("clear", []) => container.clear(),
        ("fill", [object, mib]) => {
            let value = OutgoingValue::new_outgoing_value();
            let body = value.outgoing_value_write_body().map_err(|()| "no body")?;
            for at in 0..number(mib)? * 256 {
                push(&body, &[at as u8; 4096])?;
            }
            drop(body);
            container.write_data(object, &value)?;
            OutgoingValue::finish(value)
        }
        _ => Err(format!("what? {verb} {words:?}")),
    }
}

fn write(value: &OutgoingValue, bytes: &[u8]) -> Result<(), String> {
    let body = value.outgoing_value_write_body().map_err(|()| "no body")?;
    bytes.chunks(4096).try_for_each(|some| push(&body, some))
}

fn push(body: &OutputStream, bytes: &[u8]) -> Result<(), String> {
    body.blocking_write_and_flush(bytes).map_err(told)
}

fn show(value: IncomingValue) -> Result<(), String> {
    let bytes = IncomingValue::incoming_value_consume_sync(value)?;
    say(String::from_utf8_lossy(&bytes))
}

/// How many bytes, and their sum.
fn sum(value: IncomingValue) -> Result<String, String> {
    let body = IncomingValue::incoming_value_consume_async(value)?;
    let (mut count, mut sum) = (0, 0);
    loop {
        match body.blocking_read(1 << 20) {
            Ok(bytes) => {
                count += bytes.len();
                sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
            }
            Err(StreamError::Closed) => return Ok(format!("{count} {sum}")),
            Err(error) => return Err(told(error)),
        }
    }
}

fn list(container: &Container) -> Result<(), String> {
    let names = container.list_objects()?;
    let mut all = Vec::new();
    loop {
        let (some, is_last) = names.read_stream_object_names(7)?;
        all.extend(some);
        if is_last {
            break;
        }
    }
    all.sort();
    say(all.join(" "))
}

fn id(container: &str, object: &str) -> ObjectId {
    ObjectId { container: container.to_owned(), object: object.to_owned() }
}

fn number(digits: &str) -> Result<u64, String> {
    digits.parse().map_err(|_| format!("{digits} is no number"))
}

fn say(what: impl std::fmt::Display) -> Result<(), String> {
    println!("{what}");
    Ok(())
}

fn told(error: StreamError) -> String {
    match error {
        StreamError::LastOperationFailed(error) => error.to_debug_string(),
        StreamError::Closed => "closed".to_owned(),
    }
}
