//! Acting as somebody else: `kubectl --as`.
//!
//! Every attribute that is taken on has to be allowed for itself. A header that were ignored would let a request do more than
//! whoever wrote it meant.

use http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::attributes::{Action, Attributes};
use super::{AUTHENTICATED, Authorizer, Caller, SERVICE_ACCOUNT, UNAUTHENTICATED};
use crate::status::Status;

const USER: &str = "impersonate-user";
const UID: &str = "impersonate-uid";
const GROUP: &str = "impersonate-group";
const EXTRA: &str = "impersonate-extra-";
const AUTHENTICATION: &str = "authentication.k8s.io";
const ANONYMOUS: &str = "system:anonymous";

/// Whom the request is to be taken for; nobody else, where it names nobody.
///
/// # Errors
/// 403 for a caller who may not, 500 where something of a user is asked for without the user.
pub fn impersonate(caller: &Caller, headers: &HeaderMap, rules: &Authorizer) -> Result<Option<Caller>, Status> {
    let asked = asked(headers);
    if asked.is_empty() {
        return Ok(None);
    }
    if !asked.iter().any(|part| matches!(part, Part::User(_) | Part::Account { .. })) {
        let parts: Vec<String> = asked.iter().map(Part::shown).collect();
        let why = format!("requested [{}] without impersonating a user", parts.join(" "));
        return Err(Status::internal(why));
    }
    for part in &asked {
        rules.require(caller, &Attributes::Resource(part.action()))?;
    }
    Ok(Some(whole(asked)))
}

/// One attribute of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    User(String),
    Account { namespace: String, name: String },
    Group(String),
    Extra { key: String, value: String },
    Uid(String),
}

/// What the headers ask for, in the order in which it is checked.
fn asked(headers: &HeaderMap) -> Vec<Part> {
    let values = |name: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let first = |name: &str| values(name).into_iter().next().filter(|value| !value.is_empty());
    let user = first(USER).map(|user| match account(&user) {
        Some((namespace, name)) => Part::Account { namespace: namespace.to_owned(), name: name.to_owned() },
        None => Part::User(user),
    });
    let groups = values(GROUP).into_iter().map(Part::Group);
    let extra = headers.keys().filter_map(|name| {
        let key = name.as_str().strip_prefix(EXTRA)?;
        let key = percent_decode_str(key).decode_utf8_lossy().into_owned();
        Some(values(name.as_str()).into_iter().map(move |value| Part::Extra { key: key.clone(), value }))
    });
    user.into_iter().chain(groups).chain(extra.flatten()).chain(first(UID).map(Part::Uid)).collect()
}

/// Namespace and name of a service account's user name.
fn account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
    let label = |word: &str| objects::names::dns1123_label(word).is_empty();
    (label(namespace) && objects::names::dns1123_subdomain(name).is_empty()).then_some((namespace, name))
}

impl Part {
    /// What has to be allowed.
    fn action(&self) -> Action {
        let (group, resource, subresource, namespace, name) = match self {
            Self::User(name) => ("", "users", "", "", name),
            Self::Account { namespace, name } => ("", "serviceaccounts", "", namespace.as_str(), name),
            Self::Group(name) => ("", "groups", "", "", name),
            Self::Extra { key, value } => (AUTHENTICATION, "userextras", key.as_str(), "", value),
            Self::Uid(uid) => (AUTHENTICATION, "uids", "", "", uid),
        };
        Action {
            verb: "impersonate".to_owned(),
            group: group.to_owned(),
            version: "v1".to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.clone(),
            fields: Vec::new(),
        }
    }

    /// As Go shows the reference to it.
    fn shown(&self) -> String {
        let v1 = format!("{AUTHENTICATION}/v1");
        let (kind, name, version, field) = match self {
            Self::User(name) | Self::Account { name, .. } => ("User", name, "", ""),
            Self::Group(name) => ("Group", name, "", ""),
            Self::Extra { key, value } => ("UserExtra", value, v1.as_str(), key.as_str()),
            Self::Uid(uid) => ("UID", uid, v1.as_str(), ""),
        };
        format!("{{{kind}  {name}  {version}  {field}}}")
    }
}

/// Somebody with these attributes. Groups that were named are the only ones, but for the one that tells the known from the
/// unknown; a service account has its own unless some are named.
fn whole(parts: Vec<Part>) -> Caller {
    let mut caller = Caller { user: String::new(), uid: String::new(), groups: Vec::new(), extra: Vec::new() };
    let own_groups = !parts.iter().any(|part| matches!(part, Part::Group(_)));
    for part in parts {
        match part {
            Part::User(name) => caller.user = name,
            Part::Account { namespace, name } => {
                caller.user = format!("{SERVICE_ACCOUNT}{namespace}:{name}");
                if own_groups {
                    caller.groups =
                        vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
                }
            }
            Part::Group(group) => caller.groups.push(group),
            Part::Uid(uid) => caller.uid = uid,
            Part::Extra { key, value } => match caller.extra.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) => values.push(value),
                None => caller.extra.push((key, vec![value])),
            },
        }
    }
    let known = if caller.user == ANONYMOUS { UNAUTHENTICATED } else { AUTHENTICATED };
    let told = caller.is_in(UNAUTHENTICATED) || known == AUTHENTICATED && caller.is_in(AUTHENTICATED);
    if !told {
        caller.groups.push(known.to_owned());
    }
    caller
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::auth::Mode;
    use crate::store::{self, Store};

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn acting(caller: &Caller, list: &[(&'static str, &'static str)]) -> Result<Option<Caller>, Status> {
        let rules = Authorizer::new(&Mode::DEFAULT, &Store::open(store::Config::default()).unwrap());
        impersonate(caller, &headers(list), &rules)
    }

    fn groups(list: &[(&'static str, &'static str)]) -> Vec<String> {
        acting(&Caller::system("admin"), list).unwrap().unwrap().groups
    }

    #[test]
    fn a_trusted_caller_may_be_anybody() {
        let admin = Caller::system("admin");
        assert_eq!(acting(&admin, &[]).unwrap(), None);
        let bob = [(USER, "bob"), (GROUP, "dev"), (GROUP, "ops"), (UID, "7"), ("impersonate-extra-a%2fb", "x")];
        assert_eq!(
            acting(&admin, &bob).unwrap().unwrap(),
            Caller {
                user: "bob".to_owned(),
                uid: "7".to_owned(),
                groups: ["dev", "ops", AUTHENTICATED].map(str::to_owned).to_vec(),
                extra: vec![("a/b".to_owned(), vec!["x".to_owned()])],
            }
        );
        assert_eq!(acting(&admin, &[(USER, ANONYMOUS)]).unwrap().unwrap(), Caller::anonymous());
    }

    #[test]
    fn groups_follow_from_the_user_unless_they_are_named() {
        let robot = "system:serviceaccount:a:robot";
        assert_eq!(groups(&[(USER, robot)]), ["system:serviceaccounts", "system:serviceaccounts:a", AUTHENTICATED]);
        assert_eq!(groups(&[(USER, robot), (GROUP, "dev")]), ["dev", AUTHENTICATED]);
        assert_eq!(groups(&[(USER, "bob"), (GROUP, UNAUTHENTICATED)]), [UNAUTHENTICATED]);
    }

    #[test]
    fn every_attribute_is_asked_for() {
        let bob = Caller::authenticated("bob", []);
        let refused = |list| acting(&bob, list).unwrap_err().message().to_owned();
        assert_eq!(
            refused(&[(USER, "amy")]),
            "users \"amy\" is forbidden: User \"bob\" cannot impersonate resource \"users\" in API group \"\" at the cluster \
             scope"
        );
        assert_eq!(
            refused(&[(USER, "system:serviceaccount:a:robot")]),
            "serviceaccounts \"robot\" is forbidden: User \"bob\" cannot impersonate resource \"serviceaccounts\" in API \
             group \"\" in the namespace \"a\""
        );
        let extra = Part::Extra { key: "scopes".to_owned(), value: "x".to_owned() };
        assert_eq!(
            Attributes::Resource(extra.action()).forbidden(&bob, "").message(),
            "userextras.authentication.k8s.io \"x\" is forbidden: User \"bob\" cannot impersonate resource \
             \"userextras/scopes\" in API group \"authentication.k8s.io\" at the cluster scope"
        );
    }

    #[test]
    fn attributes_belong_to_a_user() {
        let refused = acting(&Caller::system("admin"), &[(GROUP, "dev")]).unwrap_err();
        assert_eq!(refused.code(), 500);
        assert!(refused.message().ends_with("requested [{Group  dev    }] without impersonating a user"), "{refused}");
    }
}
