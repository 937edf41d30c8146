//! Label selectors.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;

use super::parser;

/// Why a text or an object is no selector, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// The grammar was broken.
    #[error("{0}")]
    Syntax(String),
    /// A requirement was broken.
    #[error("unable to parse requirement: {0}")]
    Requirement(String),
    /// An operator of a `LabelSelector` object is unknown.
    #[error("\"{0}\" is not a valid label selector operator")]
    Operator(String),
}

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// `k in (a,b)`.
    In,
    /// `k notin (a,b)`.
    NotIn,
    /// `k=a`.
    Equals,
    /// `k==a`.
    DoubleEquals,
    /// `k!=a`.
    NotEquals,
    /// `k`.
    Exists,
    /// `!k`.
    DoesNotExist,
    /// `k>1`.
    GreaterThan,
    /// `k<1`.
    LessThan,
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// The comparison.
    pub operator: Operator,
    /// What it is compared with.
    pub values: BTreeSet<String>,
}

/// All requirements must hold; none at all selects everything. [`LabelSelector::nothing`] selects nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
    nothing: bool,
}

impl LabelSelector {
    /// Selects every object.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Selects no object.
    pub fn nothing() -> Self {
        Self { requirements: Vec::new(), nothing: true }
    }

    /// Selects objects with all of these labels: `spec.selector` of services and replication controllers.
    pub fn of_map(labels: &BTreeMap<String, String>) -> Self {
        Self { requirements: labels.iter().map(equals).collect(), nothing: false }
    }

    /// Selects what a `LabelSelector` object does: an absent one nothing, an empty one everything.
    ///
    /// # Errors
    /// An expression with an unknown operator.
    pub fn of(selector: Option<&meta::LabelSelector>) -> Result<Self, SelectorError> {
        let Some(selector) = selector else { return Ok(Self::nothing()) };
        let mut requirements: Vec<Requirement> = selector.match_labels.iter().flatten().map(equals).collect();
        for expression in selector.match_expressions.iter().flatten() {
            let operator = match expression.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => return Err(SelectorError::Operator(other.to_owned())),
            };
            let values = expression.values.iter().flatten().cloned().collect();
            requirements.push(Requirement { key: expression.key.clone(), operator, values });
        }
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self { requirements, nothing: false })
    }

    pub(super) fn all_of(requirements: Vec<Requirement>) -> Self {
        Self { requirements, nothing: false }
    }

    /// Do these labels satisfy all requirements?
    pub fn matches(&self, labels: Option<&BTreeMap<String, String>>) -> bool {
        self.matches_with(|key| labels.and_then(|l| l.get(key)).map(String::as_str))
    }

    /// Do the labels behind this look-up satisfy all requirements?
    pub fn matches_with<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        !self.nothing && self.requirements.iter().all(|r| r.matches(label(&r.key)))
    }

    /// True when every object is selected.
    pub fn is_everything(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }

    /// The requirements.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }
}

impl Requirement {
    /// Does the label's value (none when the label is absent) satisfy the requirement?
    pub fn matches(&self, value: Option<&str>) -> bool {
        let among = |v: &str| self.values.contains(v);
        match (self.operator, value) {
            (Operator::In | Operator::Equals | Operator::DoubleEquals, v) => v.is_some_and(among),
            (Operator::NotIn | Operator::NotEquals, v) => !v.is_some_and(among),
            (Operator::Exists, v) => v.is_some(),
            (Operator::DoesNotExist, v) => v.is_none(),
            (Operator::GreaterThan, v) => self.compared(v).is_some_and(|(a, b)| a > b),
            (Operator::LessThan, v) => self.compared(v).is_some_and(|(a, b)| a < b),
        }
    }

    fn compared(&self, value: Option<&str>) -> Option<(i64, i64)> {
        Some((value?.parse().ok()?, self.values.first()?.parse().ok()?))
    }
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    /// Reads the query-string form: `app=web,tier in (a,b),!canary`.
    fn from_str(text: &str) -> Result<Self, SelectorError> {
        parser::parse(text)
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<&str> = self.values.iter().map(String::as_str).collect();
        let (key, values) = (&self.key, values.join(","));
        match self.operator {
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}

impl fmt::Display for LabelSelector {
    /// The query-string form, as `status.selector` of a Scale carries it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, requirement) in self.requirements.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

fn equals((key, value): (&String, &String)) -> Requirement {
    Requirement { key: key.clone(), operator: Operator::Equals, values: BTreeSet::from([value.clone()]) }
}
