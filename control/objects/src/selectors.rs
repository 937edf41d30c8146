//! Label and field selectors: which objects a list, a watch or a controller is about.

mod fields;
mod labels;
mod lexer;
mod parser;

pub use fields::{FieldError, FieldSelector, Term};
pub use labels::{LabelSelector, Operator, Requirement, SelectorError};
