//! What the suite's tests share: the repository's paths and the system's C compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
pub fn repo() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The directory of the public headers.
pub fn include_dir() -> PathBuf {
    repo().join("ext-sdk/include")
}

/// Runs the system's C compiler (`CC`, else `cc`; `CXX`, else `c++`) and fails with its output.
pub fn compile(cxx: bool, args: &[&str]) {
    let (variable, default) = if cxx { ("CXX", "c++") } else { ("CC", "cc") };
    let compiler = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    let output = Command::new(&compiler)
        .args(args)
        .arg("-I")
        .arg(include_dir())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {compiler}: {error}"));
    assert!(
        output.status.success(),
        "{compiler} {args:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A C extension called NAME, whose constructor writes the file MARK.
pub const EXAMPLE: &str = r#"#include "ms_ext.h"
#include <stdio.h>

__attribute__((constructor)) static void leave_a_mark(void) {
    FILE *file = fopen(MARK, "w");
    if (file) fclose(file);
}

static MsStatus add(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    (void)argc;
    if (args[0].tag != MS_TAG_INT || args[1].tag != MS_TAG_INT)
        return ms_raise(cx, "TypeError", "add() wants two ints");
    *out = ms_int(args[0].payload.i + args[1].payload.i);
    return MS_OK;
}

static const MsParam add_params[] = {
    { MS_STR("a"), MS_PARAM_NORMAL, 0, MS_NO_DEFAULT, MS_STR("int") },
    { MS_STR("b"), MS_PARAM_NORMAL, MS_PARAM_HAS_DEFAULT, MS_DEFAULT_INT(1), MS_STR("int") },
};

static const MsFunction functions[] = {
    { MS_STR("add"), MS_STR("Adds two ints."), add, NULL,
      MS_TABLE(add_params, MsParam), MS_FN_PURE, MS_TYPED_NONE, NULL, MS_STR("int") },
};

/* Tables as they should not be: an argument of a macro holds no commas of its own. */
#define ROWS(POINTER, COUNT) { POINTER, COUNT, sizeof(MsFunction) }

#define EXTENSION(NAME) \
    MS_EXTENSION(NAME, "1.0.0", "An example.", \
                 MS_TABLE(functions, MsFunction), MS_NO_TABLE, MS_NO_TABLE, NULL, NULL)
EXTENSION(NAME)
"#;

/// A library in a folder of its own.
pub struct Built {
    /// The file.
    pub path: PathBuf,
    name: String,
    folder: tempfile::TempDir,
}

impl Built {
    /// Compiles a C source, with NAME and MARK defined, against the public headers.
    pub fn from_c(name: &str, source: &str) -> Self {
        Self::from_c_with(name, source, None)
    }

    /// As [`Built::from_c`], with headers that are found first.
    pub fn from_c_with(name: &str, source: &str, headers: Option<&Path>) -> Self {
        let built = Self::from_bytes(name, b"");
        let file = built.folder.path().join("source.c");
        std::fs::write(&file, source).expect("the source is written");
        let mark = format!("-DMARK=\"{}\"", built.mark().display());
        let name = format!("-DNAME={name}");
        let headers = headers.map(|folder| format!("-I{}", folder.display()));
        let (output, file) = (built.path.to_string_lossy(), file.to_string_lossy());
        let mut args: Vec<&str> = headers.iter().map(String::as_str).collect();
        args.extend(["-std=gnu99", "-shared", "-fPIC", &mark, &name, "-o", &output, &file]);
        compile(false, &args);
        built
    }

    /// A file with the name of a library.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(miniscript_engine::registry::file_name(name));
        std::fs::write(&path, bytes).expect("the file is written");
        Self { path, name: name.to_owned(), folder }
    }

    /// The same library under the name of another module.
    pub fn renamed(mut self, name: &str) -> Self {
        let path = self.path.with_file_name(miniscript_engine::registry::file_name(name));
        std::fs::rename(&self.path, &path).expect("renamed");
        self.path = path;
        self.name = name.to_owned();
        self
    }

    fn mark(&self) -> PathBuf {
        self.folder.path().join("mark")
    }

    /// Whether the constructor ran.
    pub fn mark_exists(&self) -> bool {
        self.mark().exists()
    }
}

/// Loads a library under its name.
pub fn load(
    built: &Built,
) -> Result<&'static miniscript_engine::registry::Extension, miniscript_engine::registry::LoadError>
{
    miniscript_engine::registry::load_file(&built.path, &built.name)
}
