//! One word says what to do:
//! `config [KEY]`, `log LEVEL CONTEXT MESSAGE`, `set|get|delete|exists|add BUCKET KEY [VALUE]`, `keys BUCKET`,
//! `count BUCKET KEY TIMES` (adds one by one, and says each sum once it is kept), `fill BUCKET` (until nothing more fits).

use std::env;
use std::process::exit;

mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../runtime/wit/keyvalue/deps/keyvalue.wit",
            "../../runtime/wit/logging/deps/logging.wit",
            "wit",
        ],
        world: "sampan:interfaces/interfaces",
        generate_all,
    });
}

use bindings::wasi::config::store as config;
use bindings::wasi::keyvalue::{atomics, batch, store};
use bindings::wasi::logging::logging::{Level, log};

fn main() {
    let args: Vec<String> = env::args().collect();
    let args: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let outcome = match args[..] {
        ["config"] => all_config(),
        ["config", key] => one_config(key),
        ["log", level, context, message] => say(level, context, message),
        _ => keyvalue(&args).map_err(|error| format!("{error:?}")),
    };
    if let Err(why) = outcome {
        println!("failed: {why}");
        exit(1);
    }
}

fn all_config() -> Result<(), String> {
    let mut pairs = config::get_all().map_err(|error| format!("{error:?}"))?;
    pairs.sort();
    pairs.iter().for_each(|(key, value)| println!("{key}={value}"));
    Ok(())
}

fn one_config(key: &str) -> Result<(), String> {
    let value = config::get(key).map_err(|error| format!("{error:?}"))?;
    println!("{key}: {value:?}");
    Ok(())
}

fn say(level: &str, context: &str, message: &str) -> Result<(), String> {
    let level = match level {
        "info" => Level::Info,
        "error" => Level::Error,
        other => return Err(format!("no level {other}")),
    };
    log(level, context, message);
    Ok(())
}

fn keyvalue(args: &[&str]) -> Result<(), store::Error> {
    let bucket = store::open(args[1])?;
    let key = args.get(2).copied().unwrap_or_default();
    match (args[0], args.get(3).copied()) {
        ("set", Some(value)) => bucket.set(key, value.as_bytes())?,
        ("delete", _) => bucket.delete(key)?,
        ("exists", _) => println!("{}", bucket.exists(key)?),
        ("get", _) => match bucket.get(key)? {
            Some(value) => println!("{key}={}", String::from_utf8_lossy(&value)),
            None => println!("{key} is not there"),
        },
        ("add", Some(delta)) => println!("{}", atomics::increment(&bucket, key, delta.parse().expect("a number"))?),
        ("count", Some(times)) => {
            for _ in 0..times.parse().expect("a number") {
                println!("{}", atomics::increment(&bucket, key, 1)?);
            }
        }
        ("keys", _) => {
            let mut cursor = None;
            loop {
                let page = bucket.list_keys(cursor)?;
                page.keys.iter().for_each(|key| println!("{key}"));
                cursor = page.cursor;
                if cursor.is_none() {
                    break;
                }
            }
        }
        ("fill", _) => {
            let value = vec![0; 1 << 20];
            for at in 0.. {
                batch::set_many(&bucket, &[(format!("{key}{at}"), value.clone())])?;
            }
        }
        _ => panic!("what? {args:?}"),
    }
    Ok(())
}
