//! The links in a page, found while it passes by.
//!
//! Only tags are looked into, and only attributes that hold a link; scripts and comments are none. What is no HTML passes
//! unchanged, and a tag that does not end passes too.

/// A tag is at most so long; what is longer is no tag.
const LONGEST: usize = 64 << 10;

/// Elements whose content is text, whatever it looks like.
const RAW: [&str; 6] = ["script", "style", "textarea", "title", "noscript", "iframe"];

/// Which attributes of which elements are links.
const LINKS: [(&str, &[&str]); 30] = [
    ("a", &["href"]),
    ("applet", &["codebase"]),
    ("area", &["href"]),
    ("audio", &["src"]),
    ("base", &["href"]),
    ("blockquote", &["cite"]),
    ("body", &["background"]),
    ("button", &["formaction"]),
    ("command", &["icon"]),
    ("del", &["cite"]),
    ("embed", &["src"]),
    ("form", &["action"]),
    ("frame", &["longdesc", "src"]),
    ("head", &["profile"]),
    ("html", &["manifest"]),
    ("iframe", &["longdesc", "src"]),
    ("img", &["longdesc", "src", "usemap"]),
    ("input", &["src", "usemap", "formaction"]),
    ("ins", &["cite"]),
    ("link", &["href"]),
    ("object", &["classid", "codebase", "data", "usemap"]),
    ("q", &["cite"]),
    ("script", &["src"]),
    ("source", &["src"]),
    ("track", &["src"]),
    ("video", &["poster", "src"]),
    ("image", &["href"]),
    ("use", &["href"]),
    ("menuitem", &["icon"]),
    ("portal", &["src"]),
];

/// Rewrites the links of one page.
pub struct Html<F> {
    rewrite: F,
    /// What may be the beginning of a tag.
    held: Vec<u8>,
    /// Within this element, whose content is text.
    raw: Option<&'static str>,
}

impl<F: Fn(&str) -> String> Html<F> {
    /// With what becomes of a link.
    pub fn new(rewrite: F) -> Self {
        Self { rewrite, held: Vec::new(), raw: None }
    }

    /// The page as far as it is clear.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(piece);
        let (mut out, mut rest) = (Vec::with_capacity(held.len()), &held[..]);
        while let Some(start) = rest.iter().position(|byte| *byte == b'<') {
            let (before, tag) = rest.split_at(start);
            out.extend_from_slice(before);
            match end(tag) {
                Some(end) => {
                    let (tag, after) = tag.split_at(end);
                    self.tag(tag, &mut out);
                    rest = after;
                }
                None if tag.len() > LONGEST => {
                    out.push(b'<');
                    rest = &tag[1..];
                }
                None => {
                    self.held = tag.to_vec();
                    return out;
                }
            }
        }
        out.extend_from_slice(rest);
        out
    }

    /// What is left when the page is at its end.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    fn tag(&mut self, tag: &[u8], out: &mut Vec<u8>) {
        let text = match std::str::from_utf8(tag) {
            Ok(text) if tag.len() > 1 => text,
            _ => return out.extend_from_slice(tag),
        };
        let closing = text.starts_with("</");
        let name = name(&text[if closing { 2 } else { 1 }..]);
        match self.raw {
            Some(raw) if closing && name.eq_ignore_ascii_case(raw) => self.raw = None,
            // Something that looks like a tag within a script.
            Some(_) => return out.extend_from_slice(tag),
            None if !closing => self.raw = RAW.into_iter().find(|raw| name.eq_ignore_ascii_case(raw)),
            None => {}
        }
        let links = LINKS.iter().find(|(element, _)| !closing && name.eq_ignore_ascii_case(element));
        match links {
            Some((_, attributes)) => out.extend_from_slice(self.rewritten(text, 1 + name.len(), attributes).as_bytes()),
            None => out.extend_from_slice(tag),
        }
    }

    fn rewritten(&self, tag: &str, start: usize, attributes: &[&str]) -> String {
        let (mut out, mut at) = (tag[..start].to_owned(), start);
        while let Some(attribute) = Attribute::find(tag, at) {
            let Attribute { name, value } = attribute;
            out.push_str(&tag[at..value.start]);
            let link = &tag[value.clone()];
            if attributes.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                out.push_str(&(self.rewrite)(link));
            } else {
                out.push_str(link);
            }
            at = value.end;
        }
        out.push_str(&tag[at..]);
        out
    }
}

/// The end of a tag or a comment that begins here. What is neither ends at once.
fn end(tag: &[u8]) -> Option<usize> {
    match tag {
        [b'<', b'!', b'-', b'-', ..] => tag.windows(3).skip(4).position(|three| three == b"-->").map(|at| at + 7),
        [b'<', next, ..] if !(next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?')) => Some(1),
        _ => {
            let mut quote = None;
            let closes = |byte: &u8| match (quote, *byte) {
                (None, b'>') => true,
                (None, b'"' | b'\'') => {
                    quote = Some(*byte);
                    false
                }
                (Some(open), byte) if open == byte => {
                    quote = None;
                    false
                }
                _ => false,
            };
            tag.iter().position(closes).map(|at| at + 1)
        }
    }
}

fn name(text: &str) -> &str {
    &text[..text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(text.len())]
}

/// An attribute with a value, and where in the tag that is.
struct Attribute<'a> {
    name: &'a str,
    value: std::ops::Range<usize>,
}

impl<'a> Attribute<'a> {
    /// The next one from here on.
    fn find(tag: &'a str, mut at: usize) -> Option<Self> {
        let bytes = tag.as_bytes();
        let blank = |byte: &u8| byte.is_ascii_whitespace();
        loop {
            at += bytes.get(at..)?.iter().position(|b| !blank(b) && !matches!(b, b'/' | b'"' | b'\''))?;
            let name = &tag[at..at + bytes[at..].iter().position(|b| blank(b) || matches!(b, b'=' | b'>' | b'/'))?];
            if name.is_empty() && bytes[at] == b'>' {
                return None;
            }
            at += name.len();
            let sign = at + bytes[at..].iter().position(|b| !blank(b))?;
            if bytes[sign] != b'=' {
                at = sign;
                continue;
            }
            let start = sign + 1 + bytes[sign + 1..].iter().position(|b| !blank(b))?;
            let value = match bytes[start] {
                quote @ (b'"' | b'\'') => start + 1..start + 1 + bytes[start + 1..].iter().position(|b| *b == quote)?,
                _ => start..start + bytes[start..].iter().position(|b| blank(b) || *b == b'>')?,
            };
            return Some(Self { name, value });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn led(link: &str) -> String {
        if link.starts_with('/') { format!("/proxy{link}") } else { link.to_owned() }
    }

    fn whole(page: &[u8]) -> Vec<u8> {
        let mut html = Html::new(led);
        let mut out = html.push(page);
        out.extend(html.finish());
        out
    }

    const PAGE: &str = "<!DOCTYPE html><html><head><link rel=stylesheet href=/s.css><script src='/x.js'>\
        if (a < b) { t = '<a href=\"/no\">' }</script></head><!-- <a href=\"/no\"> --><body>1 < 2\
        <A class=\"a>b\" HREF = \"/a\" title='/no'>a</A><img src=\"rel.png\" alt=\"/no\"/><br/><form action=/f></form>";
    const LED: &str = "<!DOCTYPE html><html><head><link rel=stylesheet href=/proxy/s.css><script src='/proxy/x.js'>\
        if (a < b) { t = '<a href=\"/no\">' }</script></head><!-- <a href=\"/no\"> --><body>1 < 2\
        <A class=\"a>b\" HREF = \"/proxy/a\" title='/no'>a</A><img src=\"rel.png\" alt=\"/no\"/><br/><form action=/proxy/f></form>";

    #[test]
    fn links_are_rewritten_and_nothing_else() {
        assert_eq!(String::from_utf8(whole(PAGE.as_bytes())).unwrap(), LED);
    }

    #[test]
    fn what_does_not_end_passes() {
        assert_eq!(whole(b"<a href=\"/x"), b"<a href=\"/x");
        let long = [b"<a ".to_vec(), vec![b'x'; 2 * LONGEST]].concat();
        assert_eq!(whole(&long), long);
    }

    proptest! {
        #[test]
        fn pages_are_rewritten_however_they_are_cut(cuts in prop::collection::vec(0usize..400, 0..6)) {
            let (mut html, mut out, mut at) = (Html::new(led), Vec::new(), 0);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(PAGE.len())).collect();
            cuts.sort_unstable();
            cuts.push(PAGE.len());
            for cut in cuts {
                out.extend(html.push(&PAGE.as_bytes()[at..cut]));
                at = cut;
            }
            out.extend(html.finish());
            prop_assert_eq!(String::from_utf8(out).unwrap(), LED);
        }

        #[test]
        fn nothing_makes_it_panic(page in "[<>a-z=\"'/! é-]{0,80}") {
            whole(page.as_bytes());
        }
    }
}
