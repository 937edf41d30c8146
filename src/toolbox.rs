//! The toolbox that every node has: `examples-wasm/toolbox`, compressed into this binary by the build script.

/// The component, in gzip's format. None where the sample guests were left out of the build.
#[cfg(has_toolbox)]
pub const COMPONENT: Option<&'static [u8]> = Some(include_bytes!(concat!(env!("OUT_DIR"), "/toolbox.wasm.gz")));

#[cfg(not(has_toolbox))]
pub const COMPONENT: Option<&'static [u8]> = None;
