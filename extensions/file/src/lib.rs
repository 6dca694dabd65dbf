//! The file extension of MiniScript: whole files, directories and metadata in one call each.
//!
//! All work is done by the host's file service, on its threads and behind its permission point;
//! a call suspends only its task. Errors are the `OSError`s that `open` raises. Texts are read
//! and written as they are: line ends are not translated.

mod content;
mod info;
mod path;
mod tree;

use content::*;
use info::FileInfo;
use miniscript_sdk as ms;
use tree::*;

ms::module! {
    name: "file",
    doc: "Read and write whole files, list and change directories.\n\nA call suspends only the task that makes it. Whole-file writes are atomic: a reader sees the\nold content or the new one. Errors are OSErrors, as those of open().",
    functions: [
        append, append_bytes, copy, exists, is_dir, is_file, lines, list_dir, mkdir, read,
        read_bytes, real_path, remove, rename, stat, write, write_bytes,
    ],
    classes: [FileInfo],
    permissions: [("read", ""), ("write", "")],
}
