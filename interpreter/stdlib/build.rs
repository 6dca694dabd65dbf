//! Packs the sources of the bundled modules (`src/sources.rs`).

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use flate2::{Compress, Compression, FlushCompress};
use siphasher::sip128::SipHasher24;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=lib");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo tells where"));
    let lib = Path::new("lib");
    let mut files = Vec::new();
    find(lib, &mut files);
    files.sort();
    let mut rows = String::new();
    for (number, path) in files.iter().enumerate() {
        let text = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let name = path.strip_prefix(lib).expect("it is in lib").to_str().expect("UTF-8");
        let packed_file = format!("{number}.packed");
        fs::write(out.join(&packed_file), pack(&text)).expect("OUT_DIR can be written");
        let id = SipHasher24::new().hash(&text).as_bytes();
        let _ = writeln!(
            rows,
            "    Source {{ file: {:?}, id: {id:?}, len: {}, \
             packed: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{packed_file}\")) }},",
            name.replace('\\', "/"),
            text.len(),
        );
    }
    let table = format!("static FILES: &[Source] = &[\n{rows}];\n");
    fs::write(out.join("sources.rs"), table).expect("OUT_DIR can be written");
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "ms") {
            found.push(path);
        }
    }
}

fn pack(text: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(text.len() + 64);
    let done = Compress::new(Compression::best(), false).compress_vec(
        text,
        &mut packed,
        FlushCompress::Finish,
    );
    assert!(matches!(done, Ok(flate2::Status::StreamEnd)), "the text does not get shorter");
    packed
}
