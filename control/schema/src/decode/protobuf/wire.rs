//! The wire format: tagged varints, fixed numbers and byte strings.

use serde_json::Value as Json;

use super::Error;

/// A tagged value.
pub(super) struct Part<'a> {
    pub(super) number: u64,
    pub(super) value: Value<'a>,
}

/// What a tag announces.
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(super) fn bytes(&self) -> Result<&'a [u8], Error> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Error::Protobuf("wrong wireType")),
        }
    }

    pub(super) fn varint(&self) -> Result<u64, Error> {
        match self {
            Value::Varint(number) => Ok(*number),
            _ => Err(Error::Protobuf("wrong wireType")),
        }
    }

    pub(super) fn fixed64(&self) -> Result<u64, Error> {
        match self {
            Value::Fixed64(bits) => Ok(*bits),
            Value::Fixed32(bits) => Ok(f64::from(f32::from_bits(*bits)).to_bits()),
            _ => Err(Error::Protobuf("wrong wireType")),
        }
    }
}

/// The parts of a message.
pub(super) struct Wire<'a> {
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Error> {
        let count = usize::try_from(count).ok().filter(|&count| count <= self.rest.len());
        let (taken, rest) = self.rest.split_at(count.ok_or(Error::Protobuf("unexpected EOF"))?);
        self.rest = rest;
        Ok(taken)
    }

    fn part(&mut self) -> Result<Part<'a>, Error> {
        let tag = varint(&mut self.rest)?;
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut self.rest)?),
            1 => Value::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().unwrap_or_default())),
            2 => {
                let length = varint(&mut self.rest)?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.take(4)?.try_into().unwrap_or_default())),
            _ => return Err(Error::Protobuf("illegal wireType")),
        };
        Ok(Part { number: tag >> 3, value })
    }
}

impl<'a> Iterator for Wire<'a> {
    type Item = Result<Part<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let part = self.part();
        if part.is_err() {
            self.rest = &[];
        }
        Some(part)
    }
}

fn varint(rest: &mut &[u8]) -> Result<u64, Error> {
    let mut number = 0u64;
    for shift in (0..70).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or(Error::Protobuf("unexpected EOF"))?;
        *rest = after;
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Error::Protobuf("integer overflow"))
}

/// Numbers packed into one byte string.
pub(super) fn packed(mut bytes: &[u8]) -> Result<Vec<Json>, Error> {
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        numbers.push(Json::from(varint(&mut bytes)? as i64));
    }
    Ok(numbers)
}

pub(super) fn text(bytes: &[u8]) -> Result<String, Error> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Error::Protobuf("string field contains invalid UTF-8"))
}
