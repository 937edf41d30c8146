//! URLs, as Go's `net/url.ParseRequestURI` reads them: absolute, or a path from the root.

use std::collections::BTreeMap;

use super::super::value::{Key, Map, Value};
use super::{Answer, Function, Run, failed, no_overload};

/// The parts of a URL.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    host: String,
    path: String,
    query: String,
}

impl Url {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("URL parse error during conversion from string: parse {text:?}: {why}");
        if text.is_empty() {
            return Err(wrong("empty url"));
        }
        if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
            return Err(wrong("net/url: invalid control character in URL"));
        }
        let (scheme, rest) = scheme(text).ok_or_else(|| wrong("missing protocol scheme"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !rest.starts_with('/') {
            return Err(wrong("invalid URI for request"));
        }
        let (host, path) = match rest.strip_prefix("//").filter(|_| !scheme.is_empty() || !rest.starts_with("///")) {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        if !escapes_are_right(path) {
            return Err(wrong("invalid URL escape"));
        }
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let port = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or("", |(_, port)| port);
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong(&format!("invalid port {:?} after host", format!(":{port}"))));
        }
        if let Some(wrong_byte) = host.chars().find(|c| c.is_ascii_whitespace() || "<>\"{}|\\^`".contains(*c)) {
            return Err(wrong(&format!("invalid character {:?} in host name", wrong_byte.to_string())));
        }
        Ok(Self { scheme: scheme.to_lowercase(), host: host.to_owned(), path: escaped(path), query: query.to_owned() })
    }

    /// True for the text of one.
    pub fn is(text: &str) -> bool {
        Self::parse(text).is_ok()
    }

    fn hostname(&self) -> &str {
        if let Some((inside, _)) = self.host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            return inside;
        }
        self.host.split_once(':').map_or(&self.host, |(name, _)| name)
    }

    fn port(&self) -> &str {
        self.host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or("", |(_, port)| port)
    }
}

/// The scheme, empty for a path; none where there is a colon and nothing in front.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(text.len());
    match text[end..].strip_prefix(':') {
        Some(_) if end == 0 => None,
        Some(rest) if text.starts_with(|c: char| c.is_ascii_alphabetic()) => Some((&text[..end], rest)),
        _ => Some(("", text)),
    }
}

fn escapes_are_right(path: &str) -> bool {
    path.split('%').skip(1).all(|after| after.len() >= 2 && after.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit))
}

/// What Go escapes in a path.
fn escaped(path: &str) -> String {
    path.bytes()
        .map(|b| match b {
            b if b.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@%!'()*[]".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "url" | "isURL" => read,
        ".getScheme" | ".getHost" | ".getHostname" | ".getPort" | ".getEscapedPath" => part,
        ".getQuery" => query,
        _ => return None,
    })
}

fn read<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::String(text)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    run.meter.charge(text.len() / 10)?;
    match (run.name, Url::parse(text)) {
        ("isURL", result) => Ok(Value::Bool(result.is_ok())),
        (_, Ok(url)) => Ok(Value::Url(url.into())),
        (_, Err(error)) => Err(failed(error)),
    }
}

fn part<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::Url(url)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    Ok(Value::text(match run.name {
        ".getScheme" => url.scheme.as_str(),
        ".getHost" => &url.host,
        ".getHostname" => url.hostname(),
        ".getPort" => url.port(),
        _ => &url.path,
    }))
}

fn query<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::Url(url)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    run.meter.charge(url.query.len())?;
    let mut values: BTreeMap<Key, Vec<Value<'a>>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(url.query.as_bytes()) {
        values.entry(Key::String((&*name).into())).or_default().push(Value::text(&*value));
    }
    let values = values.into_iter().map(|(name, values)| (name, Value::list(values))).collect::<BTreeMap<_, _>>();
    Ok(Value::Map(Map::Shared(values.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_urls_and_rooted_paths_are_read() {
        let url = Url::parse("https://user@example.com:80/a b/%20?x=1#y").unwrap();
        assert_eq!(
            (url.scheme.as_str(), url.host.as_str(), url.hostname(), url.port()),
            ("https", "example.com:80", "example.com", "80")
        );
        assert_eq!((url.path.as_str(), url.query.as_str()), ("/a%20b/%20", "x=1#y"));
        assert_eq!(Url::parse("https://[::1]:80/").unwrap().hostname(), "::1");
        assert_eq!(Url::parse("/path").unwrap().path, "/path");
        for wrong in ["", "path", "../path", "https://a:b/", ":x", "mailto:a@b"] {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }
}
