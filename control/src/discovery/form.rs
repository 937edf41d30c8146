//! Which form of the lists of groups a client understands.

use super::aggregated::Format;

/// The form of `/api` and `/apis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Names of groups and versions only.
    Plain,
    /// Everything in one document.
    Aggregated(Format),
}

impl Form {
    /// The first form of an `Accept` header that there is; an empty header takes what it gets.
    pub(super) fn of(accept: &str) -> Option<Self> {
        if accept.trim().is_empty() { Some(Self::Plain) } else { accept.split(',').find_map(one) }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "application/json",
            Self::Aggregated(Format::V2beta1) => {
                "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
            }
            Self::Aggregated(Format::V2) => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        }
    }
}

fn one(clause: &str) -> Option<Form> {
    let mut words = clause.split(';').map(str::trim);
    if !matches!(words.next()?, "application/json" | "application/*" | "*/*") {
        return None;
    }
    let parameters: Vec<(&str, &str)> = words.filter_map(|w| w.split_once('=')).collect();
    let parameter = |name| parameters.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
    match (parameter("g"), parameter("v"), parameter("as")) {
        (_, _, None) => Some(Form::Plain),
        (Some("apidiscovery.k8s.io"), Some("v2"), Some("APIGroupDiscoveryList")) => Some(Form::Aggregated(Format::V2)),
        (Some("apidiscovery.k8s.io"), Some("v2beta1"), Some("APIGroupDiscoveryList")) => {
            Some(Form::Aggregated(Format::V2beta1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_form_is_taken() {
        let newest = "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList";
        let v2 = Form::Aggregated(Format::V2).content_type();
        let beta = Form::Aggregated(Format::V2beta1).content_type();
        assert_eq!(Form::of(&format!("{newest},{v2},{beta},application/json")), Some(Form::Aggregated(Format::V2)));
        assert_eq!(Form::of(&format!("{beta},application/json")), Some(Form::Aggregated(Format::V2beta1)));
        assert_eq!(Form::of("application/json;q=0.9, */*"), Some(Form::Plain));
        assert_eq!(Form::of(""), Some(Form::Plain));
        assert_eq!(Form::of("application/vnd.kubernetes.protobuf"), None);
    }
}
