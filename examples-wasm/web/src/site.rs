//! What is served: the files under `WEB_ROOT` where a volume is mounted there, else a page of welcome.

use serve::Page;
use std::env;
use std::path::{Component, Path, PathBuf};

/// Where volumes are usually mounted for a web server.
const USUAL_ROOT: &str = "/usr/share/nginx/html";

pub fn port() -> u16 {
    env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(80)
}

pub fn page(path: &str, version: &str) -> Page {
    let root = env::var("WEB_ROOT").unwrap_or_else(|_| USUAL_ROOT.to_owned());
    let root = Path::new(&root);
    match root.is_dir() {
        true => Page::file(&within(root, path))
            .unwrap_or_else(|error| Page::text("404 Not Found", format!("{path}: {error}\n"))),
        false => welcome(path, version),
    }
}

fn welcome(path: &str, version: &str) -> Page {
    match path {
        "/" | "/index.html" => Page::html(format!("<h1>Welcome to web {version}!</h1>\n")),
        _ => Page::text("404 Not Found", format!("{path}: no such page\n")),
    }
}

/// The file that `path` names below `root`: `..` leads nowhere, and a directory stands for its index.
fn within(root: &Path, path: &str) -> PathBuf {
    let names = Path::new(path).components().filter(|part| matches!(part, Component::Normal(_)));
    let file = root.join(names.collect::<PathBuf>());
    match file.is_dir() {
        true => file.join("index.html"),
        false => file,
    }
}
