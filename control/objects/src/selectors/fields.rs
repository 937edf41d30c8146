//! Field selectors: `status.phase=Running,spec.nodeName!=`.

use std::fmt;
use std::str::FromStr;

/// Why a text is no field selector, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A term without an operator.
    #[error("invalid selector: '{selector}'; can't understand '{term}'")]
    Term {
        /// The whole text.
        selector: String,
        /// The term.
        term: String,
    },
    /// A backslash before something that needs none.
    #[error("invalid field selector: invalid escape sequence: {0}")]
    Escape(String),
    /// A comma or equals sign that needed a backslash.
    #[error("invalid field selector: unescaped character in value: {0}")]
    Unescaped(char),
}

/// One comparison of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The field: `spec.nodeName`.
    pub field: String,
    /// What it is compared with.
    pub value: String,
    /// `=` or `!=`.
    pub equal: bool,
}

/// All terms must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

impl FieldSelector {
    /// The terms: the caller refuses fields that the kind does not know.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// True when every object is selected.
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// Do the fields behind this look-up satisfy all terms?
    pub fn matches(&self, field: impl Fn(&str) -> String) -> bool {
        self.terms.iter().all(|t| (field(&t.field) == t.value) == t.equal)
    }

    /// The value that the selector demands of a field, if it does: `metadata.name=x` makes a list a get.
    pub fn required(&self, field: &str) -> Option<&str> {
        self.terms.iter().find(|t| t.equal && t.field == field).map(|t| t.value.as_str())
    }
}

impl FromStr for FieldSelector {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let mut parts = split_terms(text);
        parts.sort_unstable();
        let mut terms = Vec::new();
        for part in parts.into_iter().filter(|p| !p.is_empty()) {
            let Some((field, value, equal)) = split_term(part) else {
                return Err(FieldError::Term { selector: text.to_owned(), term: part.to_owned() });
            };
            terms.push(Term { field: field.to_owned(), value: unescaped(value)?, equal });
        }
        Ok(Self { terms })
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            let operator = if term.equal { "=" } else { "!=" };
            let value = term.value.replace('\\', "\\\\").replace(',', "\\,").replace('=', "\\=");
            write!(f, "{comma}{}{operator}{value}", term.field)?;
        }
        Ok(())
    }
}

/// Splits at commas that no backslash protects.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn split_term(term: &str) -> Option<(&str, &str, bool)> {
    let at = term.char_indices().find(|(i, c)| *c == '=' || term[*i..].starts_with("!="))?.0;
    let (field, rest) = term.split_at(at);
    [("!=", false), ("==", true), ("=", true)]
        .into_iter()
        .find_map(|(operator, equal)| rest.strip_prefix(operator).map(|value| (field, value, equal)))
}

fn unescaped(value: &str) -> Result<String, FieldError> {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => text.push(c),
                other => return Err(FieldError::Escape(format!("\\{}", other.map(String::from).unwrap_or_default()))),
            },
            ',' | '=' => return Err(FieldError::Unescaped(c)),
            c => text.push(c),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects_by_fields() {
        let field = |name: &str| if name == "spec.nodeName" { "a".to_owned() } else { String::new() };
        for (text, want) in [
            ("", true),
            ("spec.nodeName=a", true),
            ("spec.nodeName==a", true),
            ("spec.nodeName!=a", false),
            ("spec.nodeName=a,status.phase!=Failed", true),
            ("spec.nodeName=", false),
        ] {
            assert_eq!(text.parse::<FieldSelector>().map(|s| s.matches(field)), Ok(want), "{text}");
        }
    }

    #[test]
    fn errors_and_escapes() {
        assert_eq!(
            "foo".parse::<FieldSelector>().map_err(|e| e.to_string()),
            Err("invalid selector: 'foo'; can't understand 'foo'".to_owned())
        );
        assert_eq!("a=b=c".parse::<FieldSelector>(), Err(FieldError::Unescaped('=')));
        let escaped: Result<FieldSelector, _> = "a=b\\,c\\=".parse();
        assert_eq!(escaped.as_ref().map(|s| s.required("a")), Ok(Some("b,c=")));
        assert_eq!(escaped.map(|s| s.to_string()), Ok("a=b\\,c\\=".to_owned()));
    }
}
