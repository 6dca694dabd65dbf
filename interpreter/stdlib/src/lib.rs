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
pub mod callers;
pub mod class;
mod cmath;
mod collections;
mod csv;
mod decimal;
mod functools;
mod hashes;
mod heapq;
mod iterate;
mod itertools;
mod json;
pub mod memory_file;
pub mod module;
mod operator;
mod pack;
mod pickle;
mod random;
mod re;
pub mod record;
mod sources;
mod types;
mod typing;
mod unicodedata;
mod weakref;
mod zlib;

pub use class::ClassDef;
pub use module::ModuleDef;
pub use sources::Source;

/// A module that is a file in `lib/`.
macro_rules! source {
    ($name:literal, $file:literal) => {
        ModuleDef::source($name, $file)
    };
}

/// The modules, by name.
pub static MODULES: &[ModuleDef] = &[
    source!("__future__", "__future__.ms"),
    source!("_codecs", "_codecs.ms"),
    source!("_decimal_more", "_decimal_more.ms"),
    source!("_inspect_signatures", "_inspect_signatures.ms"),
    source!("_json_pieces", "_json_pieces.ms"),
    source!("_pickler", "_pickler.ms"),
    source!("_unpickler", "_unpickler.ms"),
    source!("_weak_containers", "_weak_containers.ms"),
    source!("abc", "abc.ms").with(abc::FUNCTIONS),
    source!("argparse", "argparse/__init__.ms"),
    source!("argparse._actions", "argparse/_actions.ms"),
    source!("argparse._help", "argparse/_help.ms"),
    ModuleDef::native("array", "Numbers of one kind, as they lie in memory.", &[])
        .classes(&[&array::ARRAY])
        .fill(array::fill),
    source!("atexit", "atexit.ms"),
    source!("base64", "base64.ms").with(binascii::coders::FUNCTIONS),
    ModuleDef::native("binascii", "Bytes as text and back.", binascii::FUNCTIONS)
        .classes(binascii::CLASSES),
    bisect::MODULE,
    source!("cmath", "cmath.ms").with(&[cmath::IS_CLOSE]),
    source!("cmd", "cmd.ms"),
    source!("codecs", "codecs.ms"),
    collections::MODULE,
    source!("collections._wrappers", "collections/_wrappers.ms"),
    source!("collections.abc", "collections/abc.ms"),
    source!("colorsys", "colorsys.ms"),
    source!("configparser", "configparser/__init__.ms"),
    source!("configparser._interpolation", "configparser/_interpolation.ms"),
    source!("contextlib", "contextlib.ms"),
    source!("copy", "copy.ms").with(miniscript_vm::builtins::PLAIN_REDUCE),
    source!("copyreg", "copyreg.ms"),
    source!("csv", "csv.ms").with(csv::FUNCTIONS).classes(csv::CLASSES),
    source!("dataclasses", "dataclasses.ms"),
    source!("decimal", "decimal.ms").with(decimal::NATIVES),
    source!("difflib", "difflib.ms"),
    source!("doctest", "doctest/__init__.ms"),
    source!("doctest._finder", "doctest/_finder.ms"),
    source!("doctest._parts", "doctest/_parts.ms"),
    source!("doctest._unittest", "doctest/_unittest.ms"),
    source!("enum", "enum.ms"),
    source!("fnmatch", "fnmatch.ms"),
    source!("fractions", "fractions.ms"),
    functools::MODULE,
    source!("getopt", "getopt.ms"),
    source!("graphlib", "graphlib.ms"),
    source!("gzip", "gzip.ms"),
    source!("hashlib", "hashlib.ms").with(hashes::FUNCTIONS).classes(hashes::CLASSES),
    heapq::MODULE,
    source!("hmac", "hmac.ms").with(hashes::HMAC),
    source!("html", "html/__init__.ms"),
    source!("html.entities", "html/entities.ms"),
    source!("importlib", "importlib/__init__.ms"),
    source!("importlib.util", "importlib/util.ms"),
    source!("inspect", "inspect.ms"),
    itertools::MODULE,
    source!("json", "json/__init__.ms"),
    source!("json.decoder", "json/decoder.ms").with(json::DECODER),
    source!("json.encoder", "json/encoder.ms").with(json::ENCODER),
    source!("json.tool", "json/tool.ms"),
    source!("keyword", "keyword.ms"),
    source!("linecache", "linecache.ms"),
    source!("locale", "locale.ms"),
    source!("logging", "logging/__init__.ms").with(callers::CALLER),
    source!("logging.handlers", "logging/handlers.ms"),
    source!("numbers", "numbers.ms"),
    operator::MODULE,
    source!("pickle", "pickle.ms").with(pickle::FUNCTIONS),
    source!("pprint", "pprint.ms"),
    source!("random", "random.ms").with(random::FUNCTIONS).classes(&[&random::TWISTER]),
    source!("re", "re.ms").with(re::FUNCTIONS).more(re::SCANNER).classes(re::CLASSES),
    source!("reprlib", "reprlib.ms"),
    source!("secrets", "secrets.ms"),
    source!("shlex", "shlex.ms"),
    source!("stat", "stat.ms"),
    source!("statistics", "statistics.ms"),
    source!("string", "string.ms"),
    ModuleDef::native("struct", "Values as bytes and back.", pack::FUNCTIONS)
        .classes(pack::CLASSES),
    source!("textwrap", "textwrap.ms"),
    source!("tomllib", "tomllib.ms"),
    source!("types", "types.ms").fill(types::fill),
    source!("typing", "typing.ms").with(&[typing::SUBSTITUTE]),
    ModuleDef::native("unicodedata", "Properties of characters.", unicodedata::FUNCTIONS)
        .fill(unicodedata::fill),
    source!("unittest", "unittest/__init__.ms"),
    source!("unittest.__main__", "unittest/__main__.ms"),
    source!("unittest._program", "unittest/_program.ms"),
    source!("unittest.async_case", "unittest/async_case.ms"),
    source!("unittest.case", "unittest/case.ms"),
    source!("unittest.loader", "unittest/loader.ms"),
    source!("unittest.mock", "unittest/mock.ms"),
    source!("unittest.result", "unittest/result.ms"),
    source!("unittest.runner", "unittest/runner.ms"),
    source!("unittest.suite", "unittest/suite.ms"),
    source!("unittest.util", "unittest/util.ms"),
    source!("urllib", "urllib/__init__.ms"),
    source!("urllib.parse", "urllib/parse.ms"),
    source!("uuid", "uuid.ms"),
    source!("warnings", "warnings.ms").with(callers::CALLER),
    weakref::MODULE,
    ModuleDef::native("zlib", "Data compressed by deflate.", zlib::FUNCTIONS)
        .classes(zlib::CLASSES)
        .fill(zlib::fill),
];
