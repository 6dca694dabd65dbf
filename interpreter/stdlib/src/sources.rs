//! The sources of the bundled modules, packed: a fourth of what they are as text, and most runs
//! need none of them, since an installation has their code.

use flate2::{Decompress, FlushDecompress};
use miniscript_vm::code::proto::PackedText;

/// The source of a bundled module.
pub struct Source {
    file: &'static str,
    id: [u8; 16],
    packed: &'static [u8],
    len: usize,
}

// `FILES`, which the build script makes of `lib/`.
include!(concat!(env!("OUT_DIR"), "/sources.rs"));

impl Source {
    /// The file in `lib/`; that there is none is an error of the build.
    pub(crate) const fn of(file: &str) -> &'static Source {
        let mut at = 0;
        while at < FILES.len() {
            if is_same(FILES[at].file.as_bytes(), file.as_bytes()) {
                return &FILES[at];
            }
            at += 1;
        }
        panic!("no such file in lib/")
    }

    /// A hash of the text.
    pub fn id(&self) -> &[u8] {
        &self.id
    }
}

impl PackedText for Source {
    fn unpack(&self) -> String {
        let mut text = Vec::with_capacity(self.len);
        // What the build script packed is whole.
        let _ =
            Decompress::new(false).decompress_vec(self.packed, &mut text, FlushDecompress::Finish);
        String::from_utf8(text).unwrap_or_default()
    }
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unpacked_is_the_file() {
        assert!(FILES.len() > 100);
        for source in FILES {
            let path =
                std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lib").join(source.file);
            assert_eq!(source.unpack(), std::fs::read_to_string(path).unwrap(), "{}", source.file);
        }
    }
}
