//! `true` and `false`.

use crate::failure::Failure;
use crate::io::Io;

pub fn yes(_: &[String], _: &mut Io) -> Result<u8, Failure> {
    Ok(0)
}

pub fn no(_: &[String], _: &mut Io) -> Result<u8, Failure> {
    Ok(1)
}
