//! Where an import looks: `sys.path`, the extension path, and what errors tell about both.

use miniscript_tests::dist;

use crate::support::{Place, file_name, installation};

#[test]
fn the_order_of_the_extension_path() {
    let place = Place::new().with("MS_EXT_PATH", "");
    place.write("project/ms.toml", "");
    let script = place.write("project/src/main.ms", "import pick\nprint(pick.version())\n");
    let script = script.to_str().expect("Unicode");
    let run = |place: &Place, args: &[&str]| {
        let all = args.iter().copied().chain([script]);
        place.ms("", all).good()
    };
    place.library("home/.local/share/miniscript/abi1", "pick", "1.0.0-user", "");
    assert_eq!(run(&place, &[]), "1.0.0-user\n");
    place.library("project/ms_modules", "pick", "1.0.0-project", "");
    assert_eq!(run(&place, &[]), "1.0.0-project\n");
    place.library("env", "pick", "1.0.0-env", "");
    let folder = place.path("env");
    let place = place.with("MS_EXT_PATH", folder);
    assert_eq!(run(&place, &[]), "1.0.0-env\n");
    place.library("option", "pick", "1.0.0-option", "");
    let empty = place.path("empty").display().to_string();
    let option = place.path("option").display().to_string();
    let args = ["--ext-path", &empty, "--ext-path", &option];
    assert_eq!(run(&place, &args), "1.0.0-option\n");
}

#[test]
fn the_current_folder_is_not_searched_by_itself() {
    let place = Place::new();
    let library = place.library("here", "stray", "1.0.0", "");
    let error = place.ms("here", ["-c", "import stray"]).bad();
    assert!(error.contains("ModuleNotFoundError: No module named 'stray'"), "{error}");
    assert!(!place.was_opened("here", "stray"));
    // With a project around it, only the project's own folder counts.
    place.write("here/ms.toml", "");
    assert!(place.ms("here", ["-c", "import stray"]).bad().contains("No module named 'stray'"));
    place.library("here/ms_modules", "stray", "1.0.0", "");
    assert_eq!(place.ms("here", ["-c", "import stray; print(1)"]).good(), "1\n");
    assert!(library.is_file());
}

#[test]
fn source_comes_before_an_extension() {
    let place = Place::new();
    place.library("both/lib", "twice", "1.0.0", "");
    let script = place.write("both/main.ms", "import twice\nprint(twice.__file__)\n");
    let args = [script.clone().into_os_string()];
    let with = |place: &Place| {
        let folder = place.path("both/lib").into_os_string();
        place.ms("", ["--ext-path".into(), folder].into_iter().chain(args.clone())).good()
    };
    let library = place.path("both/lib").join(file_name("twice"));
    assert_eq!(with(&place), format!("{}\n", library.display()));
    let source = place.write("both/modules/twice.ms", "");
    assert_eq!(with(&place), format!("{}\n", source.display()));
}

#[test]
fn scripts_find_modules_of_their_project() {
    let place = Place::new();
    place.write("project/ms.toml", "");
    place.write("project/modules/one.ms", "print('one')\n");
    place.write("project/two.ms", "print('two')\n");
    place.write("project/tools/modules/three.ms", "print('three')\n");
    place.write("project/tools/main.ms", "import one, two, three\nimport sys\nprint(sys.path)\n");
    let folders = ["project/tools", "project/tools/modules", "project", "project/modules"];
    let folders = folders.map(|name| format!("'{}'", place.path(name).display())).join(", ");
    let expected = format!("one\ntwo\nthree\n[{folders}]\n");
    assert_eq!(place.ms("", ["project/tools/main.ms"]).good(), expected);
    assert_eq!(place.ms("project/tools", ["-m", "main"]).good(), expected);
    let code = "import one, two, three";
    assert_eq!(place.ms("project/tools", ["-c", code]).good(), "one\ntwo\nthree\n");
}

/// The whole text, as nothing about the machine is in it.
#[test]
fn a_missing_module_names_the_places() {
    let place = Place::new();
    place.write("project/ms.toml", "");
    let script = place.write("project/src/main.ms", "def f():\n    import no_such\n\nf()\n");
    let root = place.path("project").display().to_string();
    let installed = installation().join(dist::EXTENSIONS).canonicalize().expect("a folder");
    let expected = format!(
        "Traceback (most recent call last):\n\
         \x20 File \"{script}\", line 4, in <module>\n    f()\n\
         \x20 File \"{script}\", line 2, in f\n    import no_such\n\
         ModuleNotFoundError: No module named 'no_such'\n\
         looked for no_such.ms, no_such.py and no_such/__init__.ms (.py) in\n\
         \x20 {root}/src\n  {root}/src/modules\n  {root}\n  {root}/modules\n\
         looked for {file} in\n\
         \x20 {root}/ms_modules\n  {user}\n  {installed}\n",
        script = script.display(),
        file = file_name("no_such"),
        user = place.path("home/.local/share/miniscript/abi1").display(),
        installed = installed.display(),
    );
    assert_eq!(place.ms("", [&script]).bad(), expected);
    // The text of the exception itself is CPython's.
    let code = "try:\n    import no_such\nexcept ImportError as e: print(e, e.name)";
    assert_eq!(place.ms("", ["-c", code]).good(), "No module named 'no_such' no_such\n");
}

#[test]
fn explain_import_shows_each_place() {
    let place = Place::new();
    place.write("src/main.ms", "import math, time, helper\n");
    place.write("src/modules/helper.py", "");
    let explain = |name: &str| {
        let ran = place.ms("", ["--explain-import", name, "src/main.ms"]);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        ran.stderr
    };
    let src = place.path("src").display().to_string();
    let library = installation().join(dist::EXTENSIONS).join(file_name("math"));
    let user = place.path("home/.local/share/miniscript/abi1").join(file_name("math"));
    let expected = format!(
        "math: no {src}/math.ms\nmath: no {src}/math.py\n\
         math: no {src}/modules/math.ms\nmath: no {src}/modules/math.py\n\
         math: no {}\nmath: found {}\n",
        user.display(),
        library.canonicalize().expect("the library").display(),
    );
    assert_eq!(explain("math"), expected);
    assert_eq!(explain("time"), "time: bundled with MiniScript\n");
    let expected = format!(
        "helper: no {src}/helper.ms\nhelper: no {src}/helper.py\n\
         helper: no {src}/modules/helper.ms\nhelper: found {src}/modules/helper.py\n"
    );
    assert_eq!(explain("helper"), expected);
}
