//! How a registry wants us to say who we are: `WWW-Authenticate`.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// What it asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password.
    Basic,
    /// A token, to be had there.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// The challenge to answer: a token rather than a password.
pub(super) fn read(headers: &HeaderMap) -> Option<Challenge> {
    let all = headers.get_all(WWW_AUTHENTICATE).iter().take(8).filter_map(|value| value.to_str().ok());
    let read: Vec<_> = all.filter_map(|value| http_auth::parse_challenges(value).ok()).flatten().collect();
    let bearer = read.iter().filter(|challenge| challenge.scheme.eq_ignore_ascii_case("Bearer"));
    let bearer = bearer.filter_map(|challenge| {
        let value = |name: &str| {
            let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped()).filter(|value| !value.is_empty())
        };
        Some(Challenge::Bearer { realm: value("realm")?, service: value("service"), scope: value("scope") })
    });
    let basic =
        || read.iter().any(|challenge| challenge.scheme.eq_ignore_ascii_case("Basic")).then_some(Challenge::Basic);
    bearer.into_iter().next().or_else(basic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().expect("a header"));
        }
        read(&headers)
    }

    #[test]
    fn a_token_is_preferred() {
        let bearer = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let expected = Challenge::Bearer {
            realm: "https://auth.docker.io/token".to_owned(),
            service: Some("registry.docker.io".to_owned()),
            scope: Some("repository:a/b:pull,push".to_owned()),
        };
        assert_eq!(challenge(&["Basic realm=\"x\"", bearer]), Some(expected));
        assert_eq!(challenge(&["Basic realm=\"x\""]), Some(Challenge::Basic));
    }

    #[test]
    fn nonsense_is_no_challenge() {
        for value in ["", "Bearer", "Bearer service=\"x\"", "Negotiate abc", "\"\"\",,=", "Bearer realm=\"\""] {
            assert_eq!(challenge(&[value]), None, "{value}");
        }
    }
}
