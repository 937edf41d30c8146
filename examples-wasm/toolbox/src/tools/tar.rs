//! `tar c|x|t`, as `kubectl cp` calls it: `tar cf - PATH`, `tar xmf - -C DIRECTORY`.

mod extract;

use std::fs::File;
use std::io::{Read, Write};
use std::time::SystemTime;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType, Header};

use crate::calendar::Moment;
use crate::failure::Failure;
use crate::files::{self, Facts, Kind};
use crate::io::Io;
use crate::options::{self, Options};
use crate::tools::walk::join;

/// How deep a tree is followed.
const DEPTH: u32 = 200;

const LONG: &[(&str, char)] = &[
    ("create", 'c'),
    ("extract", 'x'),
    ("list", 't'),
    ("file", 'f'),
    ("gzip", 'z'),
    ("verbose", 'v'),
    ("directory", 'C'),
    ("exclude", 'X'),
    ("to-stdout", 'O'),
    ("strip-components", 'S'),
    ("touch", 'm'),
    ("no-same-owner", 'o'),
    ("no-same-permissions", 'p'),
    ("warning", 'W'),
];

pub fn tar(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    // The old way has no dash: `tar xf -`.
    let mut arguments = arguments.to_vec();
    if let Some(first) = arguments.first_mut().filter(|first| !first.starts_with('-')) {
        first.insert(0, '-');
    }
    let options = options::parse(&arguments, "cxtf:zvC:mOopPkX:S:W:hT:", LONG)?;
    let result = match (options.has('c'), options.has('x'), options.has('t')) {
        (true, false, false) => create(&options, io),
        (false, true, false) => extract(&options, io),
        (false, false, true) => list(&options, io),
        _ => Err("You must specify one of the '-ctx' options".into()),
    };
    result.map(|()| 0)
}

/// Paths are below the directory of `-C`.
fn base(options: &Options) -> String {
    options.value('C').unwrap_or(".").to_owned()
}

fn excluded(options: &Options, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    options
        .values('X')
        .any(|pattern| crate::shell::pattern::matches(pattern, path) || crate::shell::pattern::matches(pattern, name))
}

/// Where an operand is.
fn place(options: &Options, operand: &str) -> String {
    if operand.starts_with('/') { operand.to_owned() } else { join(&base(options), operand) }
}

fn facts(options: &Options, path: &str) -> std::io::Result<files::Facts> {
    if options.has('h') { files::facts(path) } else { files::link_facts(path) }
}

fn cannot_stat(name: &str, error: &std::io::Error) -> String {
    format!("{name}: Cannot stat: {}", crate::failure::words(error))
}

fn create(options: &Options, io: &mut Io) -> Result<(), Failure> {
    if options.operands.is_empty() {
        return Err("Cowardly refusing to create an empty archive".into());
    }
    if options.operands.iter().all(|operand| facts(options, &place(options, operand)).is_err()) {
        // Not even an archive's end: `kubectl cp` would take that for all there is, and be gone before it hears the exit code.
        for operand in &options.operands {
            if let Err(error) = facts(options, &place(options, operand)) {
                io.complain(cannot_stat(operand, &error));
            }
        }
        return Ok(());
    }
    let name = options.value('f').unwrap_or("-").to_owned();
    let Io { out, .. } = io;
    let writer: Box<dyn Write + '_> = match name.as_str() {
        "-" => Box::new(out),
        path => Box::new(files::create(path).map_err(|error| Failure::of(path, &error))?),
    };
    let mut complaints = Vec::new();
    let zipped = options.has('z') || name.ends_with(".tgz") || name.ends_with(".tar.gz");
    if zipped {
        let encoder = GzEncoder::new(writer, Compression::default());
        pack(Builder::new(encoder), options, &mut complaints)?.finish()?.flush()?;
    } else {
        pack(Builder::new(writer), options, &mut complaints)?.flush()?;
    }
    complaints.iter().for_each(|complaint| io.complain(complaint));
    Ok(())
}

fn pack<W: Write>(mut builder: Builder<W>, options: &Options, complaints: &mut Vec<String>) -> Result<W, Failure> {
    builder.follow_symlinks(options.has('h'));
    for operand in &options.operands {
        let path = place(options, operand);
        // A leading slash would lead others astray.
        let name = operand.trim_start_matches('/');
        let name = if name.is_empty() { "." } else { name };
        add(&mut builder, &path, name, options, complaints, DEPTH)?;
    }
    Ok(builder.into_inner()?)
}

fn add<W: Write>(
    builder: &mut Builder<W>,
    path: &str,
    name: &str,
    options: &Options,
    complaints: &mut Vec<String>,
    depth: u32,
) -> Result<(), Failure> {
    if excluded(options, name) {
        return Ok(());
    }
    let facts = match facts(options, path) {
        Ok(facts) => facts,
        Err(error) => {
            complaints.push(cannot_stat(name, &error));
            return Ok(());
        }
    };
    let mut header = header(&facts);
    match facts.kind {
        Kind::Directory => {
            builder.append_data(&mut header, format!("{}/", name.trim_end_matches('/')), std::io::empty())?;
            if depth == 0 {
                complaints.push(format!("{name}: nested too deeply"));
                return Ok(());
            }
            for child in files::names(path).map_err(|error| Failure::of(name, &error))? {
                add(
                    builder,
                    &join(path, &child),
                    &join(name.trim_end_matches('/'), &child),
                    options,
                    complaints,
                    depth - 1,
                )?;
            }
        }
        Kind::Link => {
            let target = std::fs::read_link(files::absolute(path)).map_err(|error| Failure::of(name, &error))?;
            header.set_entry_type(EntryType::Symlink);
            header.set_size(0);
            builder.append_link(&mut header, name, target)?;
        }
        Kind::Other => {}
        Kind::File => match File::open(files::absolute(path)) {
            // A file that grows or shrinks meanwhile must not spoil what follows it.
            Ok(file) => builder.append_data(
                &mut header,
                name,
                file.take(facts.size).chain(std::io::repeat(0)).take(facts.size),
            )?,
            Err(error) => complaints.push(format!("{name}: Cannot open: {}", crate::failure::words(&error))),
        },
    }
    Ok(())
}

fn header(facts: &Facts) -> Header {
    let mut header = Header::new_gnu();
    let directory = facts.kind == Kind::Directory;
    header.set_entry_type(if directory { EntryType::Directory } else { EntryType::Regular });
    header.set_size(if directory { 0 } else { facts.size });
    header.set_mode(match (facts.kind, facts.read_only) {
        (Kind::Directory, _) => 0o755,
        (_, true) => 0o444,
        (_, false) => 0o644,
    });
    let modified = facts.modified.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    header.set_mtime(modified);
    header
}

/// The archive, unpacked from gzip when it is that.
fn opened<'a>(options: &Options, io: &'a mut Io) -> Result<Box<dyn Read + 'a>, Failure> {
    use std::io::{BufRead, BufReader};
    let name = options.value('f').unwrap_or("-");
    let mut reader: Box<dyn BufRead + 'a> = match name {
        "-" => Box::new(&mut io.input),
        path => Box::new(BufReader::new(files::open(path).map_err(|error| Failure::of(path, &error))?)),
    };
    let zipped = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if zipped { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) })
}

/// Whether an entry is one of those that were asked for.
fn wanted(options: &Options, path: &str) -> bool {
    let bare = |path: &str| path.trim_start_matches("./").trim_matches('/').to_owned();
    let path = bare(path);
    let below = |operand: &String| {
        let operand = bare(operand);
        path == operand || path.strip_prefix(&operand).is_some_and(|rest| rest.starts_with('/'))
    };
    !excluded(options, &path) && (options.operands.is_empty() || options.operands.iter().any(below))
}

fn list(options: &Options, io: &mut Io) -> Result<(), Failure> {
    let mut lines = Vec::new();
    {
        let mut archive = Archive::new(opened(options, io)?);
        for entry in archive.entries()? {
            let entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            if !wanted(options, &path) {
                continue;
            }
            let header = entry.header();
            let target = entry.link_name()?.map(|target| format!(" -> {}", target.display())).unwrap_or_default();
            let time = Moment::new(header.mtime().unwrap_or(0) as i64, 0).format("%F %T");
            lines.push(match options.has('v') {
                true => format!("{} root/root {:>9} {time} {path}{target}", mode(header), entry.size()),
                false => path,
            });
        }
    }
    lines.iter().try_for_each(|line| writeln!(io.out, "{line}"))?;
    Ok(())
}

fn mode(header: &Header) -> String {
    let kind = match header.entry_type() {
        EntryType::Directory => 'd',
        EntryType::Symlink => 'l',
        _ => '-',
    };
    let bits = header.mode().unwrap_or(0o644);
    let letters = (0..9).map(|bit| if bits >> (8 - bit) & 1 == 1 { char::from(b"rwx"[bit % 3]) } else { '-' });
    std::iter::once(kind).chain(letters).collect()
}

fn extract(options: &Options, io: &mut Io) -> Result<(), Failure> {
    let extractor = extract::Extractor {
        base: base(options),
        strip: options.number('S')?.unwrap_or(0),
        keep_times: !options.has('m'),
        keep_files: options.has('k'),
    };
    if !files::is_directory(&extractor.base) {
        return Err(format!("{}: Cannot open: No such file or directory", extractor.base).into());
    }
    let (mut complaints, mut shown, mut contents) = (Vec::new(), Vec::new(), Vec::new());
    {
        let mut archive = Archive::new(opened(options, io)?);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            if !wanted(options, &path) {
                continue;
            }
            if options.has('v') {
                shown.push(path.clone());
            }
            if options.has('O') {
                entry.read_to_end(&mut contents)?;
            } else if let Err(error) = extractor.entry(&mut entry, &path) {
                complaints.push(error);
            }
        }
    }
    io.out.write_all(&contents)?;
    shown.iter().try_for_each(|path| writeln!(io.out, "{path}"))?;
    complaints.iter().for_each(|complaint| io.complain(complaint));
    Ok(())
}
