//! Content negotiation: in which form the client wants its answer.

use http::HeaderValue;
use http::header::{ACCEPT, USER_AGENT};
use http::request::Parts;

use super::query::Query;
use crate::status::Status;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The encoding of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/json`.
    Json,
    /// `application/yaml`.
    Yaml,
    /// `application/vnd.kubernetes.protobuf`.
    Protobuf,
}

/// The shape of the objects in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The object itself.
    Object,
    /// A Table, as `kubectl get` asks for.
    Table,
    /// Only the metadata.
    Metadata,
}

/// What was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The encoding.
    pub encoding: Encoding,
    /// The shape.
    pub shape: Shape,
    /// Laid out for people.
    pub pretty: bool,
}

impl Negotiated {
    /// JSON, in short.
    pub const PLAIN: Self = Self { encoding: Encoding::Json, shape: Shape::Object, pretty: false };

    /// How a failure is told to a client with these headers: protobuf where it is the first choice, else JSON.
    pub fn of_failure(head: &Parts, pretty: bool) -> Self {
        let accepted = head.headers.get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let encoding = if accepted.starts_with(PROTOBUF) { Encoding::Protobuf } else { Encoding::Json };
        Self { encoding, shape: Shape::Object, pretty }
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self.encoding {
            Encoding::Json => "application/json",
            Encoding::Yaml => "application/yaml",
            Encoding::Protobuf => PROTOBUF,
        }
    }
}

/// In which forms a resource can be shown.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Its fields have numbers: protobuf.
    pub numbered: bool,
    /// It is kept, and so has columns: Tables.
    pub tabular: bool,
}

impl Offer {
    fn holds(self, form: &Negotiated) -> bool {
        (self.numbered || form.encoding != Encoding::Protobuf) && (self.tabular || form.shape != Shape::Table)
    }
}

/// Picks the first range of an `Accept` header that can be served.
///
/// # Errors
/// 406 where there is none.
pub fn accept(header: &str, offer: Offer) -> Result<Negotiated, Status> {
    if header.trim().is_empty() {
        return Ok(Negotiated::PLAIN);
    }
    header.split(',').filter_map(range).find(|form| offer.holds(form)).ok_or_else(|| none_of(header))
}

/// The refusal of all ranges. Upstream's router looks at the media types alone, its negotiation at the rest.
fn none_of(header: &str) -> Status {
    let media = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
    let bare = |range: &str| range.split(';').next().and_then(|media| encoding(media.trim()));
    if header.split(',').any(|range| bare(range).is_some()) {
        return Status::new(406, "NotAcceptable", format!("only the following media types are accepted: {media}"));
    }
    let words = format!("406: Not Acceptable\n\nAvailable representations: {media}");
    Status::new(406, "NotAcceptable", words).with_empty_details()
}

/// The refusal of a watch in an encoding that has no stream.
pub fn no_stream() -> Status {
    let media = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
    Status::new(406, "NotAcceptable", format!("only the following media types are accepted: {media}"))
}

/// True where a person reads the answer: the query says so, or the program is one that people use.
pub fn pretty(head: &Parts) -> bool {
    let query = head.uri.query().filter(|query| query.contains("pretty"));
    match Query::parse(query.unwrap_or_default()).text("pretty") {
        "" => {
            let agent = head.headers.get(USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
            [&b"curl"[..], b"Wget", b"Mozilla/5.0"].iter().any(|program| agent.starts_with(program))
        }
        text => matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True"),
    }
}

fn encoding(media: &str) -> Option<Encoding> {
    match media {
        "application/json" | "*/*" | "application/*" | "text/*" => Some(Encoding::Json),
        "application/yaml" | "application/x-yaml" | "text/yaml" => Some(Encoding::Yaml),
        PROTOBUF => Some(Encoding::Protobuf),
        _ => None,
    }
}

fn range(text: &str) -> Option<Negotiated> {
    let mut parts = text.split(';').map(str::trim);
    let encoding = encoding(parts.next()?)?;
    let mut shape = Shape::Object;
    let mut meta_v1 = (false, false);
    for parameter in parts {
        match parameter.split_once('=') {
            Some(("as", "Table")) => shape = Shape::Table,
            Some(("as", "PartialObjectMetadata" | "PartialObjectMetadataList")) => shape = Shape::Metadata,
            Some(("as", _)) => return None,
            Some(("g", "meta.k8s.io")) => meta_v1.0 = true,
            Some(("v", "v1")) => meta_v1.1 = true,
            _ => {}
        }
    }
    let table = shape == Shape::Table && encoding == Encoding::Protobuf;
    (!table && (shape == Shape::Object || meta_v1 == (true, true))).then_some(Negotiated {
        encoding,
        shape,
        pretty: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_can_be_served_is_taken() {
        let all = Offer { numbered: true, tabular: true };
        let shape = |h: &str| accept(h, all).map(|n| (n.encoding, n.shape)).ok();
        let table = [
            ("", Some((Encoding::Json, Shape::Object))),
            ("*/*", Some((Encoding::Json, Shape::Object))),
            ("application/yaml", Some((Encoding::Yaml, Shape::Object))),
            ("application/vnd.kubernetes.protobuf,application/json", Some((Encoding::Protobuf, Shape::Object))),
            (
                "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json",
                Some((Encoding::Json, Shape::Object)),
            ),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Some((Encoding::Json, Shape::Table))),
            (
                "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
                Some((Encoding::Json, Shape::Object)),
            ),
            ("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", Some((Encoding::Json, Shape::Metadata))),
            ("image/png", None),
        ];
        for (header, wanted) in table {
            assert_eq!(shape(header), wanted, "{header}");
        }
        let custom = |h: &str| accept(h, Offer { numbered: false, ..all }).map(|n| n.encoding).ok();
        assert_eq!(custom("application/vnd.kubernetes.protobuf,application/json"), Some(Encoding::Json));
        assert_eq!(custom("application/vnd.kubernetes.protobuf"), None);
    }
}
