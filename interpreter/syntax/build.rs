//! Generates the parser from `src/grammar.lalrpop`, and packs the names of characters, into the
//! build directory.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use flate2::{Compress, Compression, FlushCompress};

fn main() {
    lalrpop::Configuration::new()
        .use_cargo_dir_conventions()
        .emit_rerun_directives(true)
        .process()
        .unwrap_or_else(|error| panic!("src/grammar.lalrpop: {error}"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={ALIASES}");
    pack_names();
}

/// Other names of characters, as the Unicode database has them.
const ALIASES: &str = "data/name_aliases.txt";

/// Writes what `src/names.rs` includes.
fn pack_names() {
    let (mut text, mut after) = (String::new(), 0);
    let mut ideographs: Vec<(u32, u32)> = Vec::new();
    for c in '\0'..=char::MAX {
        let Some(name) = unicode_names2::name(c).map(|name| name.to_string()) else { continue };
        let code = u32::from(c);
        if name == format!("CJK UNIFIED IDEOGRAPH-{code:X}") {
            match ideographs.last_mut() {
                Some((_, last)) if *last + 1 == code => *last = code,
                _ => ideographs.push((code, code)),
            }
        } else if !name.starts_with("HANGUL SYLLABLE ") {
            if code != after {
                let _ = write!(text, "{code:X}\t");
            }
            after = code + 1;
            text.push_str(&name);
            text.push('\n');
        }
    }
    let aliases = fs::read_to_string(ALIASES).unwrap_or_else(|e| panic!("{ALIASES}: {e}"));
    let aliases: String = aliases.lines().map(|line| line.replacen(' ', "\t", 1) + "\n").collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo tells where"));
    let mut code = String::new();
    for (name, len, file, text) in [
        ("PACKED", "LEN", "names.packed", text),
        ("PACKED_ALIASES", "ALIASES_LEN", "aliases.packed", aliases),
    ] {
        fs::write(out.join(file), pack(text.as_bytes())).expect("OUT_DIR can be written");
        let _ = writeln!(
            code,
            "static {name}: &[u8] = include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}\"));\n\
             const {len}: usize = {};",
            text.len(),
        );
    }
    let ranges: String = ideographs.iter().map(|(a, b)| format!("{a:#X}..={b:#X}, ")).collect();
    let _ = writeln!(code, "static IDEOGRAPHS: &[RangeInclusive<u32>] = &[{ranges}];");
    fs::write(out.join("names.rs"), code).expect("OUT_DIR can be written");
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
