//! `ms ext list`, `info` and `check` over good, bad and crashing libraries.

use std::fs;
use std::path::Path;

use crate::support::{Place, file_name, installation};

/// A constructor that does something bad.
fn constructor(body: &str) -> String {
    format!("__attribute__((constructor)) static void bad(void) {{ {body} }}")
}

const CRASH: &str = "*(volatile int *)0 = 1;";

#[test]
fn list_opens_nothing() {
    let place = Place::new();
    place.library("libs", "crashes", "1.0.0", &constructor(CRASH));
    place.write(&format!("libs/{}", file_name("text")), "not a library\n");
    place.write(&format!("libs/{}", file_name("empty")), "");
    place.write("libs/notes.txt", "");
    place.write("libs/crashes.ext.toml", "name = \"crashes\"\ndescription = \"Falls over\"\n");
    let text = place.ms("", ["ext", "list", "--ext-path", "libs"]).good();
    let row = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).to_owned()
    };
    assert!(row("NAME").ends_with("FILE"));
    let shown = place.path("libs").join(file_name("crashes")).display().to_string();
    let words: Vec<String> = row("crashes").split_whitespace().map(str::to_owned).collect();
    assert_eq!(words[..5], ["crashes", "1.0.0", "1.0", "C", "--ext-path"], "{text}");
    assert!(row("crashes").ends_with(&shown), "{text}");
    assert!(row("math").contains("installation") && row("math").contains("Rust"), "{text}");
    assert!(row("text").contains("unusable"), "{text}");
    assert!(text.contains("\ntext: found a text file; wanted: a shared library"), "{text}");
    assert!(!place.was_opened("libs", "crashes"));

    let json = place.ms("", ["ext", "list", "--json", "--ext-path", "libs"]).good();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let names: Vec<&str> =
        json.as_array().expect("a list").iter().filter_map(|e| e["name"].as_str()).collect();
    assert_eq!(names, ["crashes", "empty", "file", "http", "math", "text"]);
    assert_eq!(json[0]["description"], "Falls over");
    assert_eq!(json[0]["usable"], true);
    assert_eq!(json[1]["refusal"]["found"], "an empty file");
}

#[test]
fn info_shows_what_is_offered() {
    let place = Place::new();
    let text = place.ms("", ["ext", "info", "math"]).good();
    let file = installation().join("lib/miniscript/abi1").join(file_name("math"));
    assert!(text.starts_with("math "), "{text}");
    for part in [
        &*format!("\n  file         {} (installation)\n", file.display()),
        "\n  ABI          1.0, Rust\n",
        "\n  permissions  none\n",
        "\nfunctions\n",
        "\n  sqrt(x: float, /) -> float\n      Return the square root",
        "\nconstants\n",
        "\n  pi = 3.141592653589793\n",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    let text = place.ms("", ["ext", "info", "http"]).good();
    assert!(text.contains("\nexceptions\n") && text.contains("\nclasses\n"), "{text}");
    assert!(text.contains("  permissions  net"), "{text}");

    let json = place.ms("", ["ext", "info", "--json", file.to_str().expect("Unicode")]).good();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["name"], &json["abi"]), (&"math".into(), &"1.0".into()));
    let functions = json["functions"].as_array().expect("a list");
    let sqrt = functions.iter().find(|f| f["name"] == "sqrt").expect("sqrt");
    assert_eq!(sqrt["signature"], "sqrt(x: float, /) -> float");
}

#[test]
fn a_crashing_library_is_one_line() {
    let place = Place::new();
    for (name, body, what) in [
        ("crashes", CRASH, "crashed (SIGSEGV) while it was loaded"),
        ("aborts", "abort();", "crashed (SIGABRT) while it was loaded"),
        ("leaves", "exit(0);", "ended the process while it was loaded"),
        ("fails", "exit(3);", "ended the process (exit status 3) while it was loaded"),
    ] {
        let noise = format!("puts(\"noise\"); fputs(\"noise\", stderr); {body}");
        let library = place.library("libs", name, "1.0.0", &constructor(&noise));
        let ran = place.ms("", ["ext", "info", "--ext-path", "libs", name]);
        assert_eq!(ran.stdout, "");
        assert_eq!(ran.bad(), format!("ms: {}: {what}\n", library.display()));
        let ran = place.ms("", ["ext", "check", "--ext-path", "libs", name]);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(1), ""));
        assert!(
            ran.stdout.contains(&format!("  loads    BAD  a library that {what}\n")),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn a_noisy_library_is_read_all_the_same() {
    let place = Place::new();
    let noise = "fputs(\"{\\\"Loaded\\\"\", stdout); fflush(stdout); fputs(\"oh\", stderr);";
    place.library("libs", "noisy", "1.0.0", &constructor(noise));
    let text = place.ms("", ["ext", "info", "--ext-path", "libs", "noisy"]).good();
    assert!(text.contains("\n  version() -> str\n      Its version.\n"), "{text}");
    assert!(!text.contains("oh"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_library_that_leaves_a_process_behind_is_read_all_the_same() {
    let place = Place::new();
    let fork = "#include <unistd.h>\n__attribute__((constructor)) static void leave(void) {\n\
                if (fork() == 0) { sleep(3); _exit(0); }\n}";
    place.library("libs", "forks", "1.0.0", fork);
    let text = place.ms("", ["ext", "info", "--ext-path", "libs", "forks"]).good();
    assert!(text.starts_with("forks 1.0.0\n"), "{text}");
}

#[test]
fn check_tells_a_verdict() {
    let place = Place::new();
    let library = place.library("libs", "sound", "2.1.0", "");
    let text = place.ms("", [Path::new("ext"), Path::new("check"), &library]).good();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], library.display().to_string());
    assert!(lines[1].starts_with("  file     ok   sound 2.1.0, ABI 1.0, C, "), "{text}");
    assert_eq!(lines[3], "  loads    ok   1 function, 0 classes, 0 constants");
    assert_eq!(lines[4], "  imports  ok   as 'sound'");
    assert_eq!(lines[5], "usable");

    let check = |path: &Path| {
        let ran = place.ms("", [Path::new("ext"), Path::new("check"), path]);
        assert_eq!(ran.status, Some(1), "{}", ran.stdout);
        ran.stdout + &ran.stderr
    };
    // What can be told before its code runs is told before.
    fs::remove_file(place.path("libs/sound.opened")).expect("it was opened");
    let mut bytes = fs::read(&library).expect("the library");
    let renamed = place.write(&format!("libs/{}", file_name("other")), &bytes);
    assert!(check(&renamed).contains("unusable: found the extension 'sound'"));
    let short = place.write(&format!("short/{}", file_name("sound")), &bytes[..bytes.len() / 2]);
    assert!(check(&short).contains("unusable: found a"));
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        // `e_machine` of an ELF header; 183 is AArch64.
        bytes[18..20].copy_from_slice(&183u16.to_le_bytes());
        let foreign = place.write(&format!("foreign/{}", file_name("sound")), &bytes);
        assert!(check(&foreign).contains("unusable: found a library for aarch64"));
    }
    assert!(!place.was_opened("libs", "sound"));

    let plain = place.write("libs/sound.bin", "");
    assert!(check(&plain).contains("is not named as an extension is"));
    assert!(check(&place.path("libs")).contains("is not a file"));
    assert!(check(&place.path("nowhere/libms_x.so")).contains("cannot read"));
}

#[test]
fn an_initialiser_that_raises_is_no_usable_library() {
    let place = Place::new();
    let source = "#undef MS_EXTENSION\n\
        #define MS_EXTENSION(NAME, VERSION, DOC, F, C, K, I, S) MS_NOTE(#NAME, VERSION) \\\n\
        MS_EXPORT const MsExt *ms_ext_##NAME(void); const MsExt *ms_ext_##NAME(void) { \\\n\
        static const MsExt d = { sizeof(MsExt), 1, 0, MS_STR(#NAME), MS_STR(VERSION), \\\n\
        MS_STR(DOC), F, C, K, MS_NO_TABLE, MS_NO_TABLE, refuse, S }; return &d; }\n\
        static MsStatus refuse(const MsContext *cx, void **state) { (void)state; \
        return ms_raise(cx, \"OSError\", \"no licence key\"); }";
    let library = place.library("libs", "keyed", "1.0.0", source);
    let ran = place.ms("", [Path::new("ext"), Path::new("check"), &library]);
    assert_eq!(ran.status, Some(1));
    assert!(
        ran.stdout.contains(
            "  imports  BAD  an import that raises ImportError: cannot import the extension \
             'keyed': its init raised OSError: no licence key\n"
        ),
        "{}",
        ran.stdout
    );
}

#[test]
fn names_that_are_nowhere() {
    let place = Place::new();
    let error = place.ms("", ["ext", "info", "nowhere"]).bad();
    assert!(error.starts_with("ms: no extension 'nowhere'; looked for "), "{error}");
    assert!(error.contains("(installation)"), "{error}");
    let error = place.ms("", ["ext", "info", "sys"]).bad();
    assert_eq!(error, "ms: 'sys' is a module of MiniScript itself and comes before extensions\n");
}
