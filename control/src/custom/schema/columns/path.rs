//! From the text of a path to its steps.

use super::filter::{self, Filter};

/// How long a path may be.
const LONGEST: usize = 4096;

/// How deep filters may be within filters.
const DEEPEST: usize = 8;

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// `.name`; an empty name stays where it is.
    Field(String),
    /// `[from:to:by]`, and `[n]` as the slice of one.
    Slice { from: Option<i64>, to: Option<i64>, by: i64 },
    /// `[n]`
    Index(i64),
    /// `.*`
    Each,
    /// `..`
    Descend,
    /// `[a,b]`
    Union(Vec<Vec<Step>>),
    /// `[?(…)]`
    Filter(Box<Filter>),
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A bracket without its other half.
    #[error("unterminated array")]
    Unterminated,
    /// Something that no step starts with.
    #[error("unrecognized character in action: {0:?}")]
    Unexpected(char),
    /// Something in brackets that is neither index, slice, key nor filter.
    #[error("invalid array index {0}")]
    Index(String),
    /// A filter that compares nothing.
    #[error("unterminated filter")]
    Filter,
    /// More than a path is allowed to be.
    #[error("path is too long or nested too deep")]
    Size,
}

/// The steps of a path.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, PathError> {
    if text.len() > LONGEST {
        return Err(PathError::Size);
    }
    steps(text, DEEPEST)
}

/// The same within a filter.
pub(super) fn steps(text: &str, depth: usize) -> Result<Vec<Step>, PathError> {
    let depth = depth.checked_sub(1).ok_or(PathError::Size)?;
    let mut steps = Vec::new();
    let mut rest = text.strip_prefix(['$', '@']).unwrap_or(text);
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '.' if rest.starts_with("..") => {
                steps.push(Step::Descend);
                if rest[2..].starts_with('[') { &rest[2..] } else { field(&rest[2..], &mut steps) }
            }
            '.' => field(&rest[1..], &mut steps),
            '[' => {
                let end = closing(rest).ok_or(PathError::Unterminated)?;
                steps.push(bracket(&rest[1..end], depth)?);
                &rest[end + 1..]
            }
            other => return Err(PathError::Unexpected(other)),
        };
    }
    Ok(steps)
}

/// Reads a name up to the next step; a backslash takes the next sign as it is.
fn field<'t>(text: &'t str, steps: &mut Vec<Step>) -> &'t str {
    let (mut name, mut end, mut escaped) = (String::new(), text.len(), false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => {
                name.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '.' | '[' => {
                end = at;
                break;
            }
            c => name.push(c),
        }
    }
    steps.push(if name == "*" { Step::Each } else { Step::Field(name) });
    &text[end..]
}

/// Where the bracket at the start of a text ends: quotes and brackets within are skipped.
fn closing(text: &str) -> Option<usize> {
    let (mut open, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => open += 1,
            (None, ']') => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn bracket(text: &str, depth: usize) -> Result<Step, PathError> {
    if let Some(inner) = text.trim().strip_prefix("?(").and_then(|rest| rest.strip_suffix(')')) {
        return Ok(Step::Filter(Box::new(filter::parse(inner, depth)?)));
    }
    let parts: Vec<&str> = filter::split(text, ",");
    if parts.len() > 1 {
        let each = parts.into_iter().map(|part| Ok(vec![single(part.trim())?]));
        return Ok(Step::Union(each.collect::<Result<_, PathError>>()?));
    }
    single(text.trim())
}

fn single(text: &str) -> Result<Step, PathError> {
    if text == "*" {
        return Ok(Step::Each);
    }
    for quote in ['\'', '"'] {
        if let Some(name) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return Ok(Step::Field(name.to_owned()));
        }
    }
    let wrong = || PathError::Index(text.to_owned());
    if let Ok(index) = text.parse() {
        return Ok(Step::Index(index));
    }
    let parts: Vec<&str> = text.split(':').collect();
    let number = |at: usize| match parts.get(at).copied().unwrap_or_default() {
        "" => Ok(None),
        digits => digits.parse().map(Some).map_err(|_| wrong()),
    };
    if !(2..=3).contains(&parts.len()) {
        return Err(wrong());
    }
    Ok(Step::Slice { from: number(0)?, to: number(1)?, by: number(2)?.unwrap_or(1) })
}
