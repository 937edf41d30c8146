//! `mkdir`, `rmdir`, `touch`, `ln`, and `chmod` and `chown`, which have nothing to change on WASI.

use std::fs::{self, File, FileTimes};
use std::time::SystemTime;

use crate::calendar::Moment;
use crate::failure::{Failure, words};
use crate::files;
use crate::io::Io;
use crate::options;
use crate::tools::date;
use crate::tools::walk::join;

pub fn mkdir(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "pm:v", &[("parents", 'p'), ("mode", 'm')])?;
    if options.operands.is_empty() {
        return Err("missing operand".into());
    }
    for path in &options.operands {
        let whole = files::absolute(path);
        let made = match options.has('p') {
            true if files::is_directory(path) => Ok(()),
            true => fs::create_dir_all(&whole),
            false if files::exists(path) => Err(std::io::ErrorKind::AlreadyExists.into()),
            false => fs::create_dir(&whole),
        };
        if let Err(error) = made {
            io.complain(format!("can't create directory '{path}': {}", words(&error)));
        }
    }
    Ok(0)
}

pub fn rmdir(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "p", &[("parents", 'p'), ("ignore-fail-on-non-empty", 'i')])?;
    for path in &options.operands {
        let mut whole = files::absolute(path);
        let mut result = fs::remove_dir(&whole);
        if options.has('p') {
            for _ in 1..path.split('/').filter(|part| !part.is_empty()).count() {
                if result.is_err() || !whole.pop() {
                    break;
                }
                result = fs::remove_dir(&whole);
            }
        }
        if let Err(error) = result {
            io.complain(format!("'{path}': {}", words(&error)));
        }
    }
    Ok(0)
}

pub fn touch(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "camd:t:r:", &[("no-create", 'c'), ("date", 'd'), ("reference", 'r')])?;
    let now = SystemTime::now();
    let time = match (options.value('d'), options.value('r')) {
        (Some(text), _) => {
            let moment = date::parse(text, Moment::from(now));
            moment.ok_or_else(|| Failure::from(format!("invalid date '{text}'")))?.time()
        }
        (None, Some(path)) => files::facts(path).map_err(|error| Failure::of(path, &error))?.modified,
        (None, None) => now,
    };
    for path in &options.operands {
        if options.has('c') && !files::exists(path) {
            continue;
        }
        let whole = files::absolute(path);
        let opened = match files::is_directory(path) {
            true => File::open(&whole),
            false => File::options().append(true).create(true).open(&whole),
        };
        let times = FileTimes::new().set_modified(time).set_accessed(time);
        if let Err(error) = opened.and_then(|file| file.set_times(times)) {
            io.complain_of(path, &error);
        }
    }
    Ok(0)
}

pub fn ln(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "sfnvT", &[("symbolic", 's'), ("force", 'f')])?;
    let (target, place) = match &options.operands[..] {
        [target] => (target, target.rsplit('/').next().unwrap_or_default().to_owned()),
        [target, place] if files::is_directory(place) && !options.has('n') => {
            (target, join(place, target.trim_end_matches('/').rsplit('/').next().unwrap_or_default()))
        }
        [target, place] => (target, place.clone()),
        _ => return Err("usage: ln [-sf] TARGET [LINK]".into()),
    };
    let whole = files::absolute(&place);
    if options.has('f') && files::link_facts(&place).is_ok() {
        fs::remove_file(&whole).map_err(|error| Failure::of(&place, &error))?;
    }
    let made = match options.has('s') {
        true => symlink(target, &whole),
        false => fs::hard_link(files::absolute(target), &whole),
    };
    if let Err(error) = made {
        io.complain(format!("{place}: {}", words(&error)));
    }
    Ok(0)
}

/// Makes a symbolic link.
#[cfg(unix)]
pub fn symlink(target: &str, place: &std::path::Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

/// Makes a symbolic link. The standard library has no stable call for it, so it is the C library's.
#[cfg(not(unix))]
pub fn symlink(target: &str, place: &std::path::Path) -> std::io::Result<()> {
    use std::ffi::{CString, c_char, c_int};
    unsafe extern "C" {
        fn symlink(target: *const c_char, place: *const c_char) -> c_int;
    }
    let target = CString::new(target)?;
    let place = CString::new(place.to_string_lossy().as_bytes())?;
    // SAFETY: both are strings that end with a zero and live until the call is over.
    match unsafe { symlink(target.as_ptr(), place.as_ptr()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Files have neither modes nor owners on WASI. Scripts that set them go on; a file that is missing is still an error.
pub fn change(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let operands = arguments.iter().filter(|argument| !argument.starts_with('-') || argument.len() < 2);
    for path in operands.skip(1) {
        if let Err(error) = files::link_facts(path) {
            io.complain_of(path, &error);
        }
    }
    Ok(0)
}
