//! The moved installation, runs of its `ms`, and libraries to try it with.

use std::env::consts::{DLL_EXTENSION, EXE_SUFFIX};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use miniscript_tests::{build_packages, dist, workspace_root};

/// The installation, made once and moved to where nobody built it.
pub fn installation() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dist");
        let (made, moved) = (folder.join("made"), folder.join("moved to").join("here"));
        let profile = build_packages(&dist::PACKAGES, None).expect("the product is built");
        let _ = fs::remove_dir_all(&moved);
        dist::make(&workspace_root(), &profile, &made).expect("dist is made");
        fs::create_dir_all(moved.parent().expect("a parent")).expect("a folder");
        fs::rename(&made, &moved).expect("dist is moved");
        moved
    })
}

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Standard output of a run that succeeded in silence.
    #[track_caller]
    pub fn good(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self.stdout
    }

    /// Standard error of a run that failed with 1.
    #[track_caller]
    pub fn bad(self) -> String {
        assert_eq!(self.status, Some(1), "{} {}", self.stdout, self.stderr);
        self.stderr
    }
}

/// A place for one test: a home, and folders to work in.
pub struct Place {
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Place {
    pub fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("home")).expect("a home");
        Place { folder, env: Vec::new() }
    }

    /// Adds a variable to the environment of runs, which is empty but for the home.
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Place {
        self.env.push((name.to_owned(), value.as_ref().to_string_lossy().into_owned()));
        self
    }

    /// A path in the place.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("the folder").join(name)
    }

    /// A new file in the place.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, text).expect("written");
        path
    }

    /// Runs the installed `ms` in a folder of the place.
    pub fn ms<S: AsRef<OsStr>>(&self, folder: &str, args: impl IntoIterator<Item = S>) -> Ran {
        let ms = installation().join(format!("bin/ms{EXE_SUFFIX}"));
        self.run(&ms, folder, args)
    }

    /// Runs a program in a folder of the place.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        folder: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Ran {
        let output = Command::new(program)
            .args(args)
            .env_clear()
            .env("HOME", self.path("home"))
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path(folder))
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran {
            status: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Compiles a C extension with one function into a folder; the library. `extra` is code
    /// before the descriptor. Its constructor makes a file `opened` beside the library.
    pub fn library(&self, folder: &str, name: &str, version: &str, extra: &str) -> PathBuf {
        let library = self.path(folder).join(file_name(name));
        fs::create_dir_all(self.path(folder)).expect("a folder");
        let mark = self.path(folder).join(format!("{name}.opened"));
        let source = format!(
            "#include \"ms_ext.h\"\n#include <stdio.h>\n#include <stdlib.h>\n\
             __attribute__((constructor)) static void opened(void) {{\n\
             FILE *mark = fopen(\"{}\", \"w\");\nif (mark) fclose(mark);\n}}\n{extra}\n\
             static MsStatus version(const MsContext *cx, size_t argc, const MsValue *args, \
             MsValue *out) {{\n\
             MsStr text = MS_STR(\"{version}\");\n(void)argc; (void)args;\n\
             return cx->host->value->str_make(cx->vm, text, out);\n}}\n\
             static const MsFunction functions[] = {{\n\
             {{ MS_STR(\"version\"), MS_STR(\"Its version.\"), version, NULL, MS_NO_TABLE, 0, \
             MS_TYPED_NONE, NULL, MS_STR(\"str\") }},\n}};\n\
             MS_EXTENSION({name}, \"{version}\", \"A test.\", MS_TABLE(functions, MsFunction), \
             MS_NO_TABLE, MS_NO_TABLE, NULL, NULL)\n",
            mark.display()
        );
        let file = self.write(&format!("sources/{name}.c"), source);
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-I"])
            .arg(workspace_root().join("ext-sdk/include"))
            .arg("-o")
            .arg(&library)
            .arg(&file)
            .output()
            .expect("a C compiler");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        library
    }

    /// Whether code of a library ran since it was compiled.
    pub fn was_opened(&self, folder: &str, name: &str) -> bool {
        self.path(folder).join(format!("{name}.opened")).exists()
    }
}

/// The file of an extension.
pub fn file_name(name: &str) -> String {
    let prefix = if cfg!(windows) { "" } else { "lib" };
    format!("{prefix}ms_{name}.{DLL_EXTENSION}")
}
