//! What Go's JSON scanner says of a body that is not JSON. It runs only when parsing failed, so it is a plain recursive
//! walk over the bytes; all it has to get right is the words and the first offending byte.

use super::DEPTH;

/// The complaint, or nothing when the syntax is fine (then something else was wrong: too deep, a number out of range).
pub(super) fn complaint(body: &[u8]) -> Option<String> {
    let mut scan = Scan { body, at: 0 };
    scan.document().err().map(|wrong| match wrong {
        Wrong::End => "unexpected end of JSON input".to_owned(),
        Wrong::Byte(byte, context) => format!("invalid character {} {context}", quoted(byte)),
        Wrong::Depth => "exceeded max depth".to_owned(),
    })
}

enum Wrong {
    End,
    Byte(u8, &'static str),
    Depth,
}

struct Scan<'a> {
    body: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn document(&mut self) -> Result<(), Wrong> {
        self.value(0)?;
        match self.next_solid() {
            Err(_) => Ok(()),
            Ok(byte) => Err(Wrong::Byte(byte, "after top-level value")),
        }
    }

    fn peek(&self) -> Result<u8, Wrong> {
        self.body.get(self.at).copied().ok_or(Wrong::End)
    }

    fn next_solid(&mut self) -> Result<u8, Wrong> {
        while matches!(self.peek()?, b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        self.peek()
    }

    fn value(&mut self, depth: usize) -> Result<(), Wrong> {
        if depth > DEPTH {
            return Err(Wrong::Depth);
        }
        match self.next_solid()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string(),
            b't' => self.literal(
                "true",
                [
                    "in literal true (expecting 'r')",
                    "in literal true (expecting 'u')",
                    "in literal true (expecting 'e')",
                    "",
                ],
            ),
            b'f' => self.literal(
                "false",
                [
                    "in literal false (expecting 'a')",
                    "in literal false (expecting 'l')",
                    "in literal false (expecting 's')",
                    "in literal false (expecting 'e')",
                ],
            ),
            b'n' => self.literal(
                "null",
                [
                    "in literal null (expecting 'u')",
                    "in literal null (expecting 'l')",
                    "in literal null (expecting 'l')",
                    "",
                ],
            ),
            b'-' | b'0'..=b'9' => self.number(),
            byte => Err(Wrong::Byte(byte, "looking for beginning of value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Wrong> {
        self.at += 1;
        if self.next_solid()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            match self.next_solid()? {
                b'"' => self.string()?,
                byte => return Err(Wrong::Byte(byte, "looking for beginning of object key string")),
            }
            match self.next_solid()? {
                b':' => self.at += 1,
                byte => return Err(Wrong::Byte(byte, "after object key")),
            }
            self.value(depth + 1)?;
            match self.next_solid()? {
                b',' => self.at += 1,
                b'}' => break self.at += 1,
                byte => return Err(Wrong::Byte(byte, "after object key:value pair")),
            }
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Wrong> {
        self.at += 1;
        if self.next_solid()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            match self.next_solid()? {
                b',' => self.at += 1,
                b']' => break self.at += 1,
                byte => return Err(Wrong::Byte(byte, "after array element")),
            }
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), Wrong> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break self.at += 1,
                b'\\' => {
                    self.at += 1;
                    self.escape()?;
                }
                byte if byte < 0x20 => return Err(Wrong::Byte(byte, "in string literal")),
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Wrong> {
        match self.peek()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    match self.peek()? {
                        byte if byte.is_ascii_hexdigit() => self.at += 1,
                        byte => return Err(Wrong::Byte(byte, "in \\u hexadecimal character escape")),
                    }
                }
            }
            byte => return Err(Wrong::Byte(byte, "in string escape code")),
        }
        Ok(())
    }

    fn literal(&mut self, word: &str, contexts: [&'static str; 4]) -> Result<(), Wrong> {
        self.at += 1;
        for (&expected, context) in word.as_bytes()[1..].iter().zip(contexts) {
            match self.peek()? {
                byte if byte == expected => self.at += 1,
                byte => return Err(Wrong::Byte(byte, context)),
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Wrong> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            byte => return Err(Wrong::Byte(byte, "in numeric literal")),
        }
        if self.peek().is_ok_and(|byte| byte == b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
        }
        if self.peek().is_ok_and(|byte| matches!(byte, b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek()?, b'+' | b'-') {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digit(&mut self, context: &'static str) -> Result<(), Wrong> {
        match self.peek()? {
            b'0'..=b'9' => {
                self.digits();
                Ok(())
            }
            byte => Err(Wrong::Byte(byte, context)),
        }
    }

    fn digits(&mut self) {
        while self.peek().is_ok_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }
}

/// A byte as Go quotes it: as the rune of that number.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        0x20..0x7f | 0xa1..=0xac | 0xae.. => format!("'{}'", char::from(byte)),
        0..0x80 => format!(r"'\x{byte:02x}'"),
        _ => format!(r"'\u{byte:04x}'"),
    }
}
