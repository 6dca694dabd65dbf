//! Parses files and folders of Python source and reports errors and speed.
//!
//!     cargo run -p miniscript-syntax --example parse_files -- [--json] [--list-errors] PATH...
//!
//! With `--json` it prints the tree of each file, one line a file: path, tab, JSON.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use miniscript_syntax::ast::Mode;
use miniscript_syntax::{ast_to_json, decode_source, parse};

fn main() {
    let (flags, paths): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let json = flags.iter().any(|flag| flag == "--json");
    let mut files = Vec::new();
    for path in &paths {
        collect(Path::new(path), &mut files);
    }
    let (mut bytes, mut failed, mut spent) = (0, 0, Duration::ZERO);
    for file in &files {
        let Ok(raw) = std::fs::read(file) else { continue };
        let start = Instant::now();
        let result = decode_source(&raw).and_then(|text| parse(&text, Mode::Module));
        spent += start.elapsed();
        bytes += raw.len();
        match result {
            Ok(module) if json => println!("{}\t{}", file.display(), ast_to_json(&module)),
            Ok(_) => {}
            Err(error) => {
                failed += 1;
                println!("{}\tERROR {error} at {:?}", file.display(), error.span);
            }
        }
    }
    let speed = bytes as f64 / 1e6 / spent.as_secs_f64();
    eprintln!(
        "{} files, {failed} errors, {bytes} bytes, {spent:.2?}, {speed:.1} MB/s",
        files.len()
    );
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let Ok(entries) = std::fs::read_dir(path) else { return };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths.iter().for_each(|path| collect(path, files));
    } else if path.extension().is_some_and(|ext| ext == "py" || ext == "ms") {
        files.push(path.to_path_buf());
    }
}
