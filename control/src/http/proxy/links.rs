//! Links that would lead past the proxy: of the other side's own pages, from its root on.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Uri};

const X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// How links of one answer are led back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// The path of the request without what was passed on: `/api/v1/namespaces/a/pods/p/proxy`.
    before: String,
    /// What was passed on.
    passed: String,
    /// The names under which the other side may know itself.
    hosts: [String; 2],
}

impl Links {
    /// For a request for `path`, of which `passed` goes to `authority`; `host` is whom the client believes to ask.
    pub fn new(path: &str, passed: &str, host: Option<&HeaderValue>, authority: String) -> Self {
        let before = path.strip_suffix(passed).unwrap_or(path).trim_end_matches('/').to_owned();
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
        Self { before, passed: passed.to_owned(), hosts: [authority, host] }
    }

    /// Tells the other side where it is.
    pub fn announce(&self, headers: &mut HeaderMap) {
        if let Ok(uri) = HeaderValue::try_from(format!("{}{}", self.before, self.passed)) {
            headers.insert(X_FORWARDED_URI, uri);
        }
    }

    /// The link as it works through the proxy. What is relative does, and what leads elsewhere is left alone.
    pub fn rewrite(&self, link: &str) -> String {
        let (authority, path) = match split(link) {
            Some(parts) => parts,
            None => return link.to_owned(),
        };
        let own = authority.is_empty() || self.hosts.iter().any(|host| host == authority);
        if !own || !path.starts_with('/') {
            return link.to_owned();
        }
        if path.starts_with(&self.before) && !self.before.is_empty() {
            return path.to_owned();
        }
        format!("{}{path}", self.before)
    }
}

/// The authority of a link, which may be empty, and what follows it. None for what is no link to a page.
fn split(link: &str) -> Option<(&str, &str)> {
    let rest = match link.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => rest,
        Some(_) if !link.starts_with("//") => return Some(("", link)),
        _ => match link.strip_prefix("//") {
            Some(rest) => rest,
            None => return Some(("", link)),
        },
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // Who cannot be parsed cannot be one of ours.
    authority.parse::<Uri>().is_ok().then_some((authority, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_the_other_side_come_back_through_the_proxy() {
        let host = HeaderValue::from_static("127.0.0.1:8001");
        let before = "/api/v1/namespaces/a/pods/p/proxy";
        let links = Links::new(&format!("{before}/x/y"), "/x/y", Some(&host), "10.42.0.7:80".to_owned());
        let cases = [
            ("/style.css?v=1", "/api/v1/namespaces/a/pods/p/proxy/style.css?v=1"),
            ("/", "/api/v1/namespaces/a/pods/p/proxy/"),
            ("http://10.42.0.7:80/z", "/api/v1/namespaces/a/pods/p/proxy/z"),
            ("http://127.0.0.1:8001/z#f", "/api/v1/namespaces/a/pods/p/proxy/z#f"),
            ("//10.42.0.7:80/z", "/api/v1/namespaces/a/pods/p/proxy/z"),
            ("/api/v1/namespaces/a/pods/p/proxy/z", "/api/v1/namespaces/a/pods/p/proxy/z"),
            ("z/w", "z/w"),
            ("#top", "#top"),
            ("mailto:a@b", "mailto:a@b"),
            ("/go?to=http://other/", "/api/v1/namespaces/a/pods/p/proxy/go?to=http://other/"),
            ("https://example.com/z", "https://example.com/z"),
        ];
        for (link, led) in cases {
            assert_eq!(links.rewrite(link), led, "{link}");
        }
        let mut headers = HeaderMap::new();
        links.announce(&mut headers);
        assert_eq!(headers[X_FORWARDED_URI], "/api/v1/namespaces/a/pods/p/proxy/x/y");
    }
}
