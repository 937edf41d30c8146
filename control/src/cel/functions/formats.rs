//! Named formats: `format.dns1123Label().validate(self.name)` is none, or what is wrong.

use objects::names;

use super::super::value::Value;
use super::{Answer, Function, Run, no_overload, time};

/// A format and what tells whether a text has it.
#[derive(Debug)]
pub struct Format {
    /// As it is asked for.
    pub name: &'static str,
    check: fn(&str) -> Vec<String>,
}

static FORMATS: [Format; 13] = [
    Format { name: "dns1123Label", check: names::dns1123_label },
    Format { name: "dns1123Subdomain", check: names::dns1123_subdomain },
    Format { name: "dns1035Label", check: names::dns1035_label },
    Format { name: "qualifiedName", check: names::qualified_name },
    Format { name: "dns1123LabelPrefix", check: |text| names::dns1123_label(&unmasked(text)) },
    Format { name: "dns1123SubdomainPrefix", check: |text| names::dns1123_subdomain(&unmasked(text)) },
    Format { name: "dns1035LabelPrefix", check: |text| names::dns1035_label(&unmasked(text)) },
    Format { name: "labelValue", check: names::label_value },
    Format { name: "uri", check: |text| unless(is_uri(text), "invalid URI") },
    Format { name: "uuid", check: |text| unless(is_uuid(text), "does not match the UUID format") },
    Format { name: "byte", check: |text| unless(is_base64(text), "invalid base64") },
    Format { name: "date", check: |text| unless(time::parse_date(text).is_some() && text.len() == 10, "invalid date") },
    Format { name: "datetime", check: |text| unless(time::parse_timestamp(text).is_some(), "invalid datetime") },
];

/// A prefix may end in a dash: what is generated comes after it.
fn unmasked(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(before) if !before.is_empty() => format!("{before}a"),
        _ => text.to_owned(),
    }
}

fn unless(right: bool, wrong: &str) -> Vec<String> {
    if right { Vec::new() } else { vec![wrong.to_owned()] }
}

fn is_uri(text: &str) -> bool {
    super::urls::Url::is(text)
}

fn is_base64(text: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).is_ok()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "format.named" => named,
        ".validate" => validate,
        name if name.starts_with("format.") => get,
        _ => return None,
    })
}

fn of_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

fn get<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let name = run.name.trim_start_matches("format.");
    of_name(name).map(Value::Format).ok_or_else(|| no_overload(run.name, &of))
}

fn named<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::String(name)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    Ok(Value::optional(of_name(name).map(Value::Format)))
}

fn validate<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::Format(format), Value::String(text)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    run.meter.charge(text.len() / 10)?;
    let wrong = (format.check)(text);
    let wrong = (!wrong.is_empty()).then(|| Value::list(wrong.into_iter().map(Value::text).collect()));
    Ok(Value::optional(wrong))
}
