//! Acting as somebody else: `kubectl --as`.
//!
//! A header that were ignored would let a request do more than whoever wrote it meant.

use http::HeaderMap;

use crate::status::Status;

use super::authorize::authorize;
use super::{AUTHENTICATED, Attributes, Caller, Decision, UNAUTHENTICATED};

const USER: &str = "impersonate-user";
const UID: &str = "impersonate-uid";
const GROUP: &str = "impersonate-group";
const EXTRA: &str = "impersonate-extra-";

/// Whom the request is to be taken for: the caller, where it names nobody else.
///
/// # Errors
/// 403 for a caller who may not, 400 where groups are named without a user.
pub fn impersonate(caller: Caller, headers: &HeaderMap) -> Result<Caller, Status> {
    let values =
        |name: &str| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok()).map(str::to_owned);
    let Some(user) = values(USER).next().filter(|user| !user.is_empty()) else {
        let others = |name: &&str| matches!(*name, UID | GROUP) || name.starts_with(EXTRA);
        return match headers.keys().map(|name| name.as_str()).find(others) {
            Some(name) => Err(Status::bad_request(format!("{name} was asked for without {USER}"))),
            None => Ok(caller),
        };
    };
    let wanted = Attributes::Resource {
        verb: "impersonate".to_owned(),
        group: String::new(),
        resource: "users".to_owned(),
        subresource: String::new(),
        namespace: String::new(),
        name: user.clone(),
    };
    if authorize(&caller, &wanted) == Decision::Deny {
        return Err(wanted.forbidden(&caller));
    }
    let mut groups: Vec<String> = values(GROUP).collect();
    let known = if user == "system:anonymous" { UNAUTHENTICATED } else { AUTHENTICATED };
    if !groups.iter().any(|group| group == known) {
        groups.push(known.to_owned());
    }
    let extra = headers.keys().filter_map(|name| {
        let key = name.as_str().strip_prefix(EXTRA)?;
        Some((key.to_owned(), values(name.as_str()).collect()))
    });
    let (uid, extra) = (values(UID).next().unwrap_or_default(), extra.collect());
    Ok(Caller { user, uid, groups, extra })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_trusted_caller_may_be_anybody() {
        let admin = Caller::authenticated("admin", []);
        assert_eq!(impersonate(admin.clone(), &headers(&[])).unwrap(), admin);
        let bob = impersonate(admin.clone(), &headers(&[(USER, "bob"), (GROUP, "dev"), (GROUP, "ops")])).unwrap();
        assert_eq!((bob.user.as_str(), bob.groups.len()), ("bob", 3));
        assert_eq!(impersonate(admin.clone(), &headers(&[(USER, "system:anonymous")])).unwrap(), Caller::anonymous());
        assert_eq!(impersonate(admin, &headers(&[(GROUP, "dev")])).unwrap_err().code(), 400);
    }

    #[test]
    fn nobody_in_particular_may_be_nobody_else() {
        let refused = impersonate(Caller::anonymous(), &headers(&[(USER, "bob")])).unwrap_err();
        assert_eq!(
            (refused.code(), refused.message()),
            (
                403,
                "users \"bob\" is forbidden: User \"system:anonymous\" cannot impersonate resource \"users\" in API \
                 group \"\" at the cluster scope"
            )
        );
    }
}
