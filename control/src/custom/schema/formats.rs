//! The formats of text that are checked; others are ignored, as upstream does.

mod codes;
mod hosts;
mod times;

use objects::quantity::Quantity;
use serde_json::Value;

use super::{Type, parse};
use crate::kinds::access::Look;

type Rule = fn(&str) -> bool;

/// By their names without dashes.
const FORMATS: [(&str, Rule); 25] = [
    ("bsonobjectid", codes::is_object_id),
    ("byte", codes::is_base64),
    ("cidr", hosts::is_cidr),
    ("creditcard", codes::is_credit_card),
    ("date", times::is_date),
    ("datetime", times::is_date_time),
    ("duration", times::is_duration),
    ("email", hosts::is_email),
    ("hexcolor", codes::is_hex_color),
    ("hostname", hosts::is_hostname),
    ("ipv4", hosts::is_ipv4),
    ("ipv6", hosts::is_ipv6),
    ("isbn", codes::is_isbn),
    ("isbn10", codes::is_isbn10),
    ("isbn13", codes::is_isbn13),
    ("mac", hosts::is_mac),
    ("password", |_| true),
    ("quantity", |text| text.parse::<Quantity>().is_ok()),
    ("rgbcolor", codes::is_rgb_color),
    ("ssn", codes::is_social_security_number),
    ("uri", hosts::is_uri),
    ("uuid", |text| codes::is_uuid(text, None)),
    ("uuid3", |text| codes::is_uuid(text, Some('3'))),
    ("uuid4", |text| codes::is_uuid(text, Some('4'))),
    ("uuid5", |text| codes::is_uuid(text, Some('5'))),
];

fn rule(format: &str) -> Option<Rule> {
    let plain = format.replace('-', "");
    FORMATS.iter().find(|(name, _)| *name == plain).map(|(_, rule)| *rule)
}

/// The format, if it means something for a type.
pub(super) fn known(format: &str, ty: Option<Type>) -> Option<&str> {
    let is_known = match ty {
        None | Some(Type::String) => rule(format).is_some(),
        Some(Type::Integer) => matches!(format, "int32" | "int64"),
        Some(Type::Number) => matches!(format, "float" | "double"),
        Some(_) => false,
    };
    is_known.then_some(format)
}

/// True when a text is of a format, or the format is not one of text.
pub(super) fn is_valid(format: &str, text: &str) -> bool {
    rule(format).is_none_or(|rule| rule(text))
}

/// The formats in a schema that are ignored, each once: for a warning.
pub fn unrecognized(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(schema, &mut found);
    found
}

fn collect(schema: &Value, found: &mut Vec<String>) {
    let format = schema.text("format");
    let ty = if schema.flag("x-kubernetes-int-or-string") { None } else { Type::named(schema.text("type")) };
    if !format.is_empty() && known(format, ty).is_none() && !found.iter().any(|known| known == format) {
        found.push(format.to_owned());
    }
    parse::children(schema).for_each(|child| collect(child, found));
}

#[cfg(test)]
mod tests;
