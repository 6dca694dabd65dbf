//! `ms ext new`, `build` and `install`: from nothing to an import, outside the repository.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Place, file_name, installation};

/// An environment with what a compiler needs; cargo's output is kept from run to run.
fn workplace() -> Place {
    let mut place = Place::new()
        .with("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("templates"))
        .with("CARGO_NET_OFFLINE", "true");
    for (name, value) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["PATH", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "TMPDIR"].contains(&&*name) {
            place = place.with(&name, value);
        }
    }
    // Without the variables, cargo and rustup look in the home, which is another here.
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let home = env::home_dir().map(|home| home.join(folder)).filter(|path| path.is_dir());
        if let (None, Some(path)) = (env::var_os(name), home) {
            place = place.with(name, path);
        }
    }
    place
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_rust_extension_from_nothing_to_an_import() {
    let place = workplace();
    let made = place.ms("", ["ext", "new", "rocks", "--rust"]).good();
    assert_eq!(made, "made rocks\nnext: cd rocks; ms ext install; ms example.ms\n");
    let built = place.ms("rocks", ["ext", "build", "--debug", "--offline"]);
    assert_eq!(built.status, Some(0), "{}", built.stderr);
    assert!(built.stdout.starts_with("built rocks 0.1.0: "), "{}", built.stdout);
    let library = PathBuf::from(built.stdout.trim().rsplit_once(": ").expect("a path").1);
    let expected = "42 Hello, you! 42\nCounter(7) 7\n";

    // Named by a folder, then installed into the project that it is.
    let folder = library.parent().expect("a folder").to_str().expect("Unicode");
    let ran = place.ms("rocks", ["--ext-path", folder, "example.ms"]);
    assert_eq!(ran.good(), expected);
    let file = library.to_str().expect("Unicode");
    place.ms("rocks", ["ext", "install", file]).good();
    assert_eq!(place.ms("rocks", ["example.ms"]).good(), expected);
    let code = "import rocks\ntry: rocks.add('x')\nexcept TypeError as e: print(e)\n\
                try: rocks.add(2**63 - 1)\nexcept OverflowError as e: print(e)\n\
                print(rocks.greet(name='A', loud=True), rocks.add.__doc__)";
    let text = place.ms("rocks", ["-c", code]).good();
    assert!(text.ends_with("the sum is too large\nHELLO, A! Adds two integers.\n"), "{text}");
    let info = place.ms("rocks", ["ext", "info", "rocks"]).good();
    assert!(info.contains("(project)") && info.contains("Counter(start: int = 0)"), "{info}");
    assert!(place.ms("rocks", ["ext", "check", "rocks"]).good().ends_with("\nusable\n"));
}

#[test]
fn a_c_extension_from_nothing_to_an_import() {
    let place = workplace();
    place.ms("", ["ext", "new", "pebbles", "--c", "--path", "deep/inner"]).good();
    let ran = place.ms("deep/inner", ["ext", "install"]);
    let library = place.path("deep/inner/ms_modules").join(file_name("pebbles"));
    assert_eq!(ran.good(), format!("installed pebbles 0.1.0: {}\n", library.display()));
    let expected = "42 5 ('Jo', 2)\n";
    assert_eq!(place.ms("deep/inner", ["example.ms"]).good(), expected);
    assert_eq!(
        files(&place.path("deep/inner/ms_modules")),
        [file_name("pebbles"), "pebbles.ext.toml".to_owned()]
    );

    // Into another project, by its folder.
    place.write("app/ms.toml", "");
    place.write("app/src/main.ms", "import pebbles\nprint(pebbles.add(1))\n");
    place.ms("app/src", ["ext", "install", "../../deep/inner"]).good();
    assert_eq!(place.ms("", ["app/src/main.ms"]).good(), "2\n");

    // For all of a user's, and into a folder.
    place.ms("deep/inner", ["ext", "install", "--user"]).good();
    assert_eq!(place.ms("", ["-c", "import pebbles; print(pebbles.add(2))"]).good(), "3\n");
    let text = place.ms("deep/inner", ["ext", "install", "--to", "../elsewhere"]).good();
    assert!(text.contains("note: programs here find "), "{text}");
    assert!(place.path("deep/elsewhere").join(file_name("pebbles")).is_file());
}

#[test]
fn installing_replaces_a_library_that_is_in_use() {
    let place = workplace();
    place.write("app/ms.toml", "");
    let old = place.library("old", "live", "1.0.0", "");
    let new = place.library("new", "live", "2.0.0", "");
    let install = |file: &Path| place.ms("app", [Path::new("ext"), Path::new("install"), file]);
    install(&old).good();
    let installed = place.path("app/ms_modules").join(file_name("live"));
    let in_use = fs::File::open(&installed).expect("installed");
    assert!(install(&new).good().ends_with("it replaces 1.0.0\n"));
    let version = "import live; print(live.version())";
    assert_eq!(place.ms("app", ["-c", version]).good(), "2.0.0\n");
    // Whoever has the old file mapped keeps it whole.
    let kept = in_use.metadata().expect("the old file").len();
    assert_eq!(kept, fs::metadata(&old).expect("the source").len());

    // A library that fails a check changes nothing.
    let bad = "__attribute__((constructor)) static void bad(void) { abort(); }";
    let bad = place.library("bad", "live", "3.0.0", bad);
    let error = install(&bad).bad();
    assert!(error.starts_with("ms: not installed: "), "{error}");
    assert!(error.contains(&*bad.to_string_lossy()), "{error}");
    assert!(
        error.contains("found a library that crashed (SIGABRT) while it was loaded"),
        "{error}"
    );
    assert_eq!(place.ms("app", ["-c", version]).good(), "2.0.0\n");
    assert_eq!(files(&place.path("app/ms_modules")), [file_name("live")]);
}

#[test]
fn what_an_extension_needs_is_installed_before_it() {
    let place = Place::new();
    place.write("app/ms.toml", "");
    let base = place.library("libs/base", "base", "1.2.0", "");
    // The macro with a table of dependencies.
    let needs = "#undef MS_EXTENSION\n\
        static const MsDependency needs[] = { { MS_STR(\"base\"), MS_STR(\">=1.1\") } };\n\
        #define MS_EXTENSION(NAME, VERSION, DOC, F, C, K, I, S) MS_NOTE(#NAME, VERSION) \\\n\
        MS_EXPORT const MsExt *ms_ext_##NAME(void); const MsExt *ms_ext_##NAME(void) { \\\n\
        static const MsExt d = { sizeof(MsExt), 1, 0, MS_STR(#NAME), MS_STR(VERSION), \\\n\
        MS_STR(DOC), F, C, K, MS_TABLE(needs, MsDependency), MS_NO_TABLE, I, S }; return &d; }";
    let upper = place.library("libs/upper", "upper", "1.0.0", needs);
    let install = |file: &Path| place.ms("app", [Path::new("ext"), Path::new("install"), file]);
    let error = install(&upper).bad();
    assert!(error.contains("an import that raises ImportError"), "{error}");
    assert!(error.contains("base"), "{error}");
    install(&base).good();
    install(&upper).good();
    let code = "import upper, sys; print(upper.version(), 'base' in sys.modules)";
    assert_eq!(place.ms("app", ["-c", code]).good(), "1.0.0 True\n");
    let info = place.ms("app", ["ext", "info", "upper"]).good();
    assert!(info.contains("\n  needs        base >=1.1\n"), "{info}");
}

#[test]
fn a_project_is_made_only_where_nothing_is() {
    let place = Place::new();
    place.write("taken/mine.txt", "dear");
    let error = place.ms("", ["ext", "new", "taken", "--c"]).bad();
    assert!(error.contains("exists and is not empty"), "{error}");
    assert_eq!(files(&place.path("taken")), ["mine.txt"]);
    fs::create_dir_all(place.path("started/.git")).expect("a folder");
    place.ms("started", ["ext", "new", "taken", "--c", "--path", "."]).good();
    assert!(place.path("started/taken.c").is_file());
    let error = place.ms("", ["ext", "new", "x", "--c", "--path", "taken/mine.txt/x"]).bad();
    assert!(error.starts_with("ms: cannot use 'taken/mine.txt/x': "), "{error}");
    for name in ["class", "Stone", "a-b", "../x", "9x", "sys", "http", ""] {
        let error = place.ms("", ["ext", "new", name, "--rust"]).bad();
        assert!(error.starts_with("ms: cannot call an extension"), "{error}");
    }
    assert_eq!(files(&place.path("")), ["home", "started", "taken"]);
}

#[test]
fn what_is_missing_is_named() {
    let place = Place::new().with("CC", "no-such-cc -x").with("CARGO", "/nowhere/cargo");
    place.ms("", ["ext", "new", "one", "--c"]).good();
    let error = place.ms("one", ["ext", "build"]).bad();
    assert!(error.starts_with("ms: 'no-such-cc' is not there; install a C compiler"), "{error}");
    place.ms("", ["ext", "new", "two", "--rust"]).good();
    let error = place.ms("two", ["ext", "install"]).bad();
    assert!(error.starts_with("ms: '/nowhere/cargo' is not there; install Rust"), "{error}");

    let error = place.ms("", ["ext", "build"]).bad();
    assert!(error.contains("no ext.toml in"), "{error}");
    let error = place.ms("", ["ext", "build", "nowhere"]).bad();
    assert!(error.starts_with("ms: cannot use 'nowhere': "), "{error}");
    place.write("three/ext.toml", "name = \"three\"\n");
    let error = place.ms("three", ["ext", "build"]).bad();
    assert!(error.contains("nothing says how to build"), "{error}");
    place.write("three/ext.toml", "name = [");
    assert!(place.ms("three", ["ext", "build"]).bad().contains("ext.toml: "));

    // An SDK that went away is told with its new place.
    let manifest = place.path("two/Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("the manifest");
    let sdk = installation().join("share/miniscript/sdk/sdk");
    let sdk = sdk.to_str().expect("Unicode");
    assert!(text.contains(sdk), "{text}");
    fs::write(&manifest, text.replace(sdk, "/nowhere/sdk")).expect("written");
    let error = place.ms("two", ["ext", "build"]).bad();
    assert!(error.contains("no SDK at '/nowhere/sdk'") && error.contains(sdk), "{error}");
}

#[test]
fn a_library_needs_a_place_to_go() {
    let place = Place::new();
    let library = place.library("libs", "lost", "1.0.0", "");
    let library = library.to_str().expect("Unicode");
    let error = place.ms("", ["ext", "install", library]).bad();
    assert!(error.starts_with("ms: no project here: "), "{error}");
    place.write("file", "");
    let error = place.ms("", ["ext", "install", library, "--to", "file"]).bad();
    assert!(error.starts_with("ms: cannot make 'file': "), "{error}");
}

#[test]
fn a_source_that_does_not_compile_leaves_the_old_library() {
    let place = workplace();
    place.ms("", ["ext", "new", "broken", "--c"]).good();
    place.ms("broken", ["ext", "install"]).good();
    let source = place.path("broken/broken.c");
    let text = fs::read_to_string(&source).expect("the source");
    fs::write(&source, text + "\n#error no\n").expect("written");
    let ran = place.ms("broken", ["ext", "install"]);
    assert!(
        ran.stderr
            .ends_with(&format!("ms: cc could not build {}\n", place.path("broken").display()))
    );
    assert_eq!(ran.status, Some(1));
    assert_eq!(place.ms("broken", ["example.ms"]).good(), "42 5 ('Jo', 2)\n");
}
