//! `gzip`, `gunzip`, `zcat`.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::failure::Failure;
use crate::files;
use crate::io::{Io, copy};
use crate::options::{self, Options};

pub fn gzip(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    run(arguments, false, io)
}

pub fn gunzip(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    run(arguments, true, io)
}

pub fn zcat(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    run(&[&["-c".to_owned()], arguments].concat(), true, io)
}

fn run(arguments: &[String], decompress: bool, io: &mut Io) -> Result<u8, Failure> {
    let long = [("stdout", 'c'), ("decompress", 'd'), ("keep", 'k'), ("force", 'f'), ("test", 't')];
    let options = options::parse(arguments, "cdkfqnvt123456789", &long)?;
    let decompress = decompress || options.has('d') || options.has('t');
    let names = &options.operands;
    if names.is_empty() || names.iter().all(|name| name == "-") {
        return Ok(convert(&mut io.input, &mut io.out, decompress, &options).map(|()| 0)?);
    }
    for name in names {
        if let Err(error) = one(name, decompress, &options, io) {
            if error.message.is_empty() {
                return Err(error);
            }
            io.complain(format!("{name}: {}", error.message));
        }
    }
    Ok(0)
}

fn one(name: &str, decompress: bool, options: &Options, io: &mut Io) -> Result<(), Failure> {
    let mut reader = BufReader::new(files::open(name)?);
    if options.has('t') {
        return Ok(convert(&mut reader, &mut std::io::sink(), true, options)?);
    }
    if options.has('c') {
        return Ok(convert(&mut reader, &mut io.out, decompress, options)?);
    }
    let target = match (decompress, name.strip_suffix(".gz"), name.strip_suffix(".tgz")) {
        (false, Some(_), _) => return Err("already has .gz suffix".into()),
        (false, None, _) => format!("{name}.gz"),
        (true, Some(bare), _) => bare.to_owned(),
        (true, None, Some(bare)) => format!("{bare}.tar"),
        (true, None, None) => return Err("unknown suffix".into()),
    };
    if files::exists(&target) && !options.has('f') {
        return Err(format!("{target} already exists").into());
    }
    let path = files::absolute(&target);
    let result = File::create(&path).and_then(|mut file| convert(&mut reader, &mut file, decompress, options));
    if let Err(error) = result {
        let _ = fs::remove_file(&path);
        return Err(error.into());
    }
    if !options.has('k') {
        fs::remove_file(files::absolute(name))?;
    }
    Ok(())
}

fn convert(reader: &mut dyn Read, out: &mut dyn Write, decompress: bool, options: &Options) -> std::io::Result<()> {
    if decompress {
        return copy(&mut MultiGzDecoder::new(reader), out).map(drop);
    }
    let level = options.given.iter().rev().find_map(|(letter, _)| letter.to_digit(10)).unwrap_or(6);
    let mut encoder = GzEncoder::new(out, Compression::new(level));
    copy(reader, &mut encoder)?;
    encoder.finish()?.flush()
}
