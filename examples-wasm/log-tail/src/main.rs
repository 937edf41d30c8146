//! A sidecar: prints a file as it grows, from its start. The file need not be there yet, and may be cut short.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::time::Duration;
use std::{env, thread};

/// Where the file is when no argument says so.
const USUAL_FILE: &str = "/var/log/app.log";

fn main() -> io::Result<()> {
    let path = env::args().nth(1).unwrap_or_else(|| USUAL_FILE.to_owned());
    let mut printed = 0;
    loop {
        if let Ok(mut file) = File::open(&path) {
            if file.metadata()?.len() < printed {
                printed = 0;
            }
            file.seek(SeekFrom::Start(printed))?;
            printed += io::copy(&mut file, &mut io::stdout())?;
        }
        thread::sleep(Duration::from_millis(200));
    }
}
