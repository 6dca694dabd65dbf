//! The modules that scripts import under Python's names and that need nothing but the VM: no
//! files, no clock, no scheduler. Those that do are the engine's, as rows of the same kind.
//!
//! [`MODULES`] is the table. A module is a source in `lib/`, natives in a file here, or both:
//! what is hot or intricate is native, the rest is MiniScript.

mod abc;
pub mod args;
mod array;
mod binascii;
mod bisect;
pub mod class;
mod collections;
mod csv;
mod functools;
mod hashes;
mod heapq;
mod iterate;
mod itertools;
mod json;
pub mod module;
mod operator;
mod pack;
mod pickle;
mod random;
mod re;
pub mod record;
mod types;
mod unicodedata;
mod weakref;
mod zlib;

pub use class::ClassDef;
pub use module::ModuleDef;

/// The text of a file in `lib/`.
macro_rules! source {
    ($name:literal, $file:literal) => {
        ModuleDef::source($name, include_str!(concat!("../lib/", $file)))
    };
}

/// The modules, by name.
pub static MODULES: &[ModuleDef] = &[
    source!("_codecs", "_codecs.ms"),
    source!("_json_pieces", "_json_pieces.ms"),
    source!("_pickler", "_pickler.ms"),
    source!("_unpickler", "_unpickler.ms"),
    source!("abc", "abc.ms").with(abc::FUNCTIONS),
    ModuleDef::native("array", "Numbers of one kind, as they lie in memory.", &[])
        .classes(&[&array::ARRAY])
        .fill(array::fill),
    source!("base64", "base64.ms"),
    ModuleDef::native("binascii", "Bytes as text and back.", binascii::FUNCTIONS)
        .classes(binascii::CLASSES),
    bisect::MODULE,
    source!("codecs", "codecs.ms"),
    collections::MODULE,
    source!("collections._wrappers", "collections/_wrappers.ms"),
    source!("collections.abc", "collections/abc.ms"),
    source!("contextlib", "contextlib.ms"),
    source!("copy", "copy.ms"),
    source!("copyreg", "copyreg.ms"),
    source!("csv", "csv.ms").with(csv::FUNCTIONS).classes(csv::CLASSES),
    functools::MODULE,
    source!("gzip", "gzip.ms"),
    source!("hashlib", "hashlib.ms").with(hashes::FUNCTIONS).classes(hashes::CLASSES),
    heapq::MODULE,
    source!("hmac", "hmac.ms").with(hashes::HMAC),
    itertools::MODULE,
    source!("json", "json/__init__.ms"),
    source!("json.decoder", "json/decoder.ms").with(json::DECODER),
    source!("json.encoder", "json/encoder.ms").with(json::ENCODER),
    source!("keyword", "keyword.ms"),
    operator::MODULE,
    source!("pickle", "pickle.ms").with(pickle::FUNCTIONS),
    source!("random", "random.ms").with(random::FUNCTIONS).classes(&[&random::TWISTER]),
    source!("secrets", "secrets.ms"),
    ModuleDef::native("struct", "Values as bytes and back.", pack::FUNCTIONS)
        .classes(pack::CLASSES),
    source!("types", "types.ms").fill(types::fill),
    ModuleDef::native("unicodedata", "Properties of characters.", unicodedata::FUNCTIONS)
        .fill(unicodedata::fill),
    source!("uuid", "uuid.ms"),
    weakref::MODULE,
    ModuleDef::native("zlib", "Data compressed by deflate.", zlib::FUNCTIONS)
        .classes(zlib::CLASSES)
        .fill(zlib::fill),
    source!("difflib", "difflib.ms"),
    source!("fnmatch", "fnmatch.ms"),
    source!("html", "html/__init__.ms"),
    source!("html.entities", "html/entities.ms"),
    source!("re", "re.ms").with(re::FUNCTIONS).classes(re::CLASSES),
    source!("shlex", "shlex.ms"),
    source!("string", "string.ms"),
    source!("textwrap", "textwrap.ms"),
];
