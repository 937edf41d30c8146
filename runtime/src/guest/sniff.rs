//! What a file is that was handed to us as an image, told from its first bytes.

/// What the bytes begin like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Component,
    CoreModule,
    /// Something else, in words that fit after "it is".
    Other(&'static str),
}

/// The prefix that `look` wants to see: a tar names itself at byte 257.
pub(crate) fn look(bytes: &[u8]) -> Found {
    match bytes {
        [] => Found::Other("empty"),
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => Found::CoreModule,
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Found::Component,
        [0, b'a', b's', b'm', ..] => Found::Other("a WebAssembly file cut short"),
        [0x7f, b'E', b'L', b'F', ..] => Found::Other("a native Linux executable"),
        [0x1f, 0x8b, ..] => Found::Other("a gzip archive, as the layers of Linux container images are"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Found::Other("a zstd archive, as the layers of Linux container images are"),
        [b'M', b'Z', ..] => Found::Other("a Windows executable"),
        [b'#', b'!', ..] => Found::Other("a script"),
        [b'P', b'K', 3, 4, ..] => Found::Other("a zip archive"),
        _ if bytes.get(257..262) == Some(b"ustar") => {
            Found::Other("a tar archive, as Linux container images and their layers are")
        }
        _ => text(bytes),
    }
}

fn text(bytes: &[u8]) -> Found {
    match bytes.trim_ascii_start() {
        [b'(', rest @ ..] if rest.starts_with(b"component") || rest.starts_with(b"module") => {
            Found::Other("WebAssembly text; compile it with `wasm-tools parse`")
        }
        [b'{', ..] => Found::Other("JSON"),
        _ => Found::Other("of no kind known here"),
    }
}

/// The root of an error, on one line that fits into a pod's status.
pub(crate) fn brief(error: &wasmtime::Error) -> String {
    shorten(&error.root_cause().to_string())
}

/// The first line, at most 300 bytes of it.
pub(crate) fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let end = line.floor_char_boundary(300);
    if end < line.len() { format!("{}…", &line[..end]) } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell() {
        assert_eq!(look(b"\0asm\x0d\0\x01\0rest"), Found::Component);
        assert_eq!(look(b"\0asm\x01\0\0\0rest"), Found::CoreModule);
        assert!(matches!(look(b"\0asm"), Found::Other(what) if what.contains("cut short")));
        assert!(matches!(look(b"\x7fELF\x02"), Found::Other(what) if what.contains("native")));
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(matches!(look(&tar), Found::Other(what) if what.contains("tar")));
        assert!(matches!(look(b"  (component)"), Found::Other(what) if what.contains("text")));
    }

    #[test]
    fn long_errors_are_cut_at_a_character() {
        let cut = shorten(&"é".repeat(400));
        assert!(cut.len() <= 303 && cut.ends_with('…'));
        assert_eq!(shorten("one\ntwo"), "one");
    }
}
