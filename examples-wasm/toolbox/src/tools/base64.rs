//! `base64 [-d] [-w COLUMNS] [FILE]`.

use std::io::Write as _;

use crate::failure::Failure;
use crate::io::Io;
use crate::options;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub fn base64(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let long = [("decode", 'd'), ("wrap", 'w'), ("ignore-garbage", 'i')];
    let options = options::parse(arguments, "dDw:i", &long)?;
    let name = options.operands.first().map_or("-", String::as_str);
    let bytes = io.read(name).map_err(|error| Failure::of(name, &error))?;
    if options.has('d') || options.has('D') {
        let (decoded, well) = decode(&bytes);
        io.out.write_all(&decoded)?;
        return if well || options.has('i') { Ok(0) } else { Err("invalid input".into()) };
    }
    let text = encode(&bytes);
    match options.number('w')?.unwrap_or(76_usize) {
        0 => io.out.write_all(text.as_bytes())?,
        width => {
            for line in text.as_bytes().chunks(width) {
                io.out.write_all(line)?;
                io.out.write_all(b"\n")?;
            }
        }
    }
    Ok(0)
}

pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let value = three.iter().fold(0u32, |value, byte| value << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(value >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// The bytes up to the first mistake, and whether there was none.
fn decode(text: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut value, mut count, mut padding) = (0u32, 0, 0);
    for letter in text.iter().filter(|letter| !letter.is_ascii_whitespace()) {
        if *letter == b'=' {
            padding += 1;
            continue;
        }
        let Some(digit) = LETTERS.iter().position(|known| known == letter).filter(|_| padding == 0) else {
            return (bytes, false);
        };
        value = value << 6 | digit as u32;
        count += 1;
        if count % 4 == 0 {
            bytes.extend_from_slice(&value.to_be_bytes()[1..]);
            value = 0;
        }
    }
    let rest = count % 4;
    if rest > 1 {
        bytes.extend_from_slice(&(value << (6 * (4 - rest))).to_be_bytes()[1..rest]);
    }
    (bytes, rest != 1 && padding <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::tests::{output, run_on};

    #[test]
    fn there_and_back() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded.as_bytes()), (plain.as_bytes().to_vec(), true));
        }
        assert_eq!(output("base64 -w 4", "foobar"), "Zm9v\nYmFy\n");
        assert_eq!(output("base64 -d", "Zm9v\nYg==\n"), "foob");
        assert_eq!(run_on("base64 -d", "Zm9v!").0, 1);
    }
}
