//! Bad libraries: each is refused with its own reason, and those that can be refused before
//! their code runs are. Every library here has a constructor that writes a mark.

use crate::support::{Built, EXAMPLE, compile, load};
use miniscript_engine::registry::{Origin, file_name};
use miniscript_engine::registry::{Problem, Registry, SearchPath, load_file};

#[test]
fn a_good_library_loads_and_its_constructor_ran() {
    let built = Built::from_c("good", EXAMPLE);
    let extension = load(&built).expect("the library is good");
    assert!(built.mark_exists(), "the mark works");
    assert_eq!((extension.name, extension.version), ("good", "1.0.0"));
    assert_eq!(extension.functions.len(), 1);
    assert_eq!(extension.functions[0].signature(), "add(a: int, b: int = 1) -> int");
    assert!(std::ptr::eq(extension, load(&built).expect("again")), "loaded once");
}

/// Refused as expected, with three lines, and without running the constructor.
fn refused_unopened(built: &Built, expected: impl Fn(&Problem) -> bool) {
    let error = load(built).expect_err("the library is bad");
    assert!(expected(&error.problem), "{error:?}");
    assert!(!built.mark_exists(), "code of a refused library ran");
    let text = error.to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains(&*built.path.to_string_lossy()), "{text}");
    for part in [": found ", "wanted: ", "mend: "] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn another_abi_major() {
    let source = EXAMPLE.replace(
        "#include \"ms_ext.h\"",
        "#include \"ms_ext.h\"\n#undef MS_ABI_MAJOR\n#define MS_ABI_MAJOR 2",
    );
    refused_unopened(&Built::from_c("major", &source), |p| matches!(p, Problem::AbiMajor(2)));
}

#[test]
fn a_panic_strategy_that_cannot_be_caught() {
    let source = EXAMPLE.replace(
        "#include \"ms_ext.h\"",
        "#include \"ms_ext.h\"\n#undef MS_PANIC_NONE\n#define MS_PANIC_NONE MS_PANIC_ABORT",
    );
    refused_unopened(&Built::from_c("aborts", &source), |p| matches!(p, Problem::PanicAbort));
}

#[test]
fn another_name_than_the_file() {
    let built = Built::from_c("right", EXAMPLE).renamed("wrong");
    refused_unopened(
        &built,
        |p| matches!(p, Problem::Name { found, wanted } if found == "right" && wanted == "wrong"),
    );
}

#[test]
fn no_note() {
    let source = EXAMPLE.replace("MS_NOTE_PLACE", "").replace(
        "#include \"ms_ext.h\"",
        "#include \"ms_ext.h\"\n#undef MS_NOTE\n#define MS_NOTE(NAME, VERSION)",
    );
    refused_unopened(&Built::from_c("bare", &source), |p| matches!(p, Problem::NoNote));
}

#[test]
fn a_text_file_an_empty_file_and_noise() {
    for (name, content, what) in [
        ("text", &b"print('hello')\n"[..], "a text file"),
        ("empty", b"", "an empty file"),
        ("noise", b"\x00\x01\x02\xff\xfe", "a file that is not a library"),
    ] {
        let built = Built::from_bytes(name, content);
        refused_unopened(&built, |p| matches!(p, Problem::NotALibrary(found) if found == what));
    }
}

#[test]
fn a_truncated_library_wherever_it_ends() {
    let whole = Built::from_c("cut", EXAMPLE);
    let bytes = std::fs::read(&whole.path).expect("the library");
    for part in [20, 64, 100, bytes.len() / 4, bytes.len() / 2, bytes.len() - 8] {
        std::fs::write(&whole.path, &bytes[..part]).expect("written");
        refused_unopened(&whole, |p| {
            matches!(p, Problem::Truncated | Problem::NoNote | Problem::NotALibrary(_))
        });
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn another_processor() {
    let built = Built::from_c("foreign", EXAMPLE);
    let mut bytes = std::fs::read(&built.path).expect("the library");
    // `e_machine` of an ELF header; 183 is AArch64.
    bytes[18..20].copy_from_slice(&183u16.to_le_bytes());
    std::fs::write(&built.path, bytes).expect("written");
    refused_unopened(
        &built,
        |p| matches!(p, Problem::Architecture { found, .. } if found == "aarch64"),
    );
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_newer_c_library() {
    let built = Built::from_c("modern", EXAMPLE);
    let mut bytes = std::fs::read(&built.path).expect("the library");
    let wanted = b"GLIBC_2.";
    let places: Vec<usize> =
        (0..bytes.len() - 8).filter(|at| &bytes[*at..at + 8] == wanted).collect();
    assert!(!places.is_empty(), "the example uses the C library");
    for at in places {
        bytes[at + 6] = b'9';
    }
    std::fs::write(&built.path, bytes).expect("written");
    refused_unopened(
        &built,
        |p| matches!(p, Problem::Glibc { found, .. } if found.starts_with('9')),
    );
}

#[test]
fn a_missing_symbol() {
    let source = EXAMPLE.replace(
        "#include \"ms_ext.h\"",
        "#include \"ms_ext.h\"\n#undef MS_EXPORT\n#define MS_EXPORT __attribute__((visibility(\"hidden\")))",
    );
    let error = load(&Built::from_c("hidden", &source)).expect_err("no symbol");
    assert!(matches!(&error.problem, Problem::Symbol(name) if name == "ms_ext_hidden"), "{error}");
}

#[test]
fn descriptors_that_are_wrong() {
    for (name, from, to, reason) in [
        (
            "noentry",
            "MS_STR(\"Adds two ints.\"), add,",
            "MS_STR(\"Adds two ints.\"), NULL,",
            "noentry.add has no entry",
        ),
        (
            "stride",
            "MS_TABLE(functions, MsFunction)",
            "MS_TABLE(functions, uint64_t)",
            "the table of functions has a stride of 8 bytes",
        ),
        (
            "nowhere",
            "MS_TABLE(functions, MsFunction)",
            "ROWS(NULL, 2)",
            "the table of functions has 2 rows and no address",
        ),
        (
            "endless",
            "MS_TABLE(functions, MsFunction)",
            "ROWS(functions, SIZE_MAX)",
            "the table of functions has 18446744073709551615 rows, more than there is memory",
        ),
        (
            "twice",
            "{ MS_STR(\"b\"), MS_PARAM_NORMAL",
            "{ MS_STR(\"a\"), MS_PARAM_NORMAL",
            "add has two things named 'a'",
        ),
        (
            "order",
            "{ MS_STR(\"a\"), MS_PARAM_NORMAL",
            "{ MS_STR(\"a\"), MS_PARAM_KEYWORD",
            "the parameters of add() are out of order",
        ),
        (
            "kinds",
            "{ MS_STR(\"a\"), MS_PARAM_NORMAL",
            "{ MS_STR(\"a\"), 77",
            "add() has a parameter without name or of unknown kind",
        ),
        (
            "typed",
            "MS_TYPED_NONE, NULL, MS_STR(\"int\")",
            "MS_TYPED_F_F, NULL, MS_STR(\"int\")",
            "typed.add names a typed entry and has none",
        ),
    ] {
        assert!(EXAMPLE.contains(from), "the example changed: {from}");
        let built = Built::from_c(name, &EXAMPLE.replace(from, to));
        let error = load(&built).expect_err(name);
        assert_eq!(error.problem, Problem::Descriptor(reason.to_owned()));
    }
}

/// The example with a descriptor written by hand: its size, ABI major and name, and what the
/// extension's function returns.
fn by_hand(size: &str, major: &str, name: &str, returned: &str) -> String {
    let end = EXAMPLE.rfind("EXTENSION(NAME)").expect("the example ends with its macro");
    format!(
        "{}#define TEXT_(name) #name\n#define TEXT(name) TEXT_(name)\n\
         #define ENTRY_(name) ms_ext_##name\n#define ENTRY(name) ENTRY_(name)\n\
         MS_NOTE(TEXT(NAME), \"1.0.0\")\n\
         static const MsExt descriptor = {{ {size}, {major}, MS_ABI_MINOR, MS_STR({name}), \
         MS_STR(\"1.0.0\"), MS_STR(\"\"), MS_TABLE(functions, MsFunction), MS_NO_TABLE, MS_NO_TABLE, \
         MS_NO_TABLE, MS_NO_TABLE, NULL, NULL }};\n\
         MS_EXPORT const MsExt *ENTRY(NAME)(void);\n\
         const MsExt *ENTRY(NAME)(void) {{ return {returned}; }}\n",
        &EXAMPLE[..end]
    )
}

#[test]
fn descriptors_that_disagree_with_the_note() {
    let whole = "sizeof(MsExt)";
    let load_it = |name: &str, size, major, inner, returned| {
        load(&Built::from_c(name, &by_hand(size, major, inner, returned)))
    };
    load_it("whole", whole, "MS_ABI_MAJOR", "\"whole\"", "&descriptor").expect("a good one");
    let problem = |name: &str, size, major, inner, returned| {
        load_it(name, size, major, inner, returned).expect_err(name).problem
    };
    let found = problem("small", "16", "MS_ABI_MAJOR", "\"small\"", "&descriptor");
    assert!(
        matches!(&found, Problem::Descriptor(what) if what.starts_with("the descriptor has 16 bytes")),
        "{found:?}"
    );
    let found = problem("later", whole, "9", "\"later\"", "&descriptor");
    assert_eq!(found, Problem::Descriptor("it is for ABI 9".to_owned()));
    let found = problem("outer", whole, "MS_ABI_MAJOR", "\"inner\"", "&descriptor");
    let (inner, outer) = ("inner".to_owned(), "outer".to_owned());
    assert_eq!(found, Problem::Name { found: inner, wanted: outer });
    let found = problem("nothing", whole, "MS_ABI_MAJOR", "\"nothing\"", "NULL");
    assert_eq!(found, Problem::Descriptor("the descriptor is null".to_owned()));
}

#[test]
fn a_note_without_its_mark() {
    let built = Built::from_c("unmarked", EXAMPLE);
    let mut bytes = std::fs::read(&built.path).expect("the library");
    let mark = b"MSABI\r\n\0";
    let places: Vec<usize> =
        (0..bytes.len() - 8).filter(|at| &bytes[*at..at + 8] == mark).collect();
    assert!(!places.is_empty(), "the note has its mark");
    places.into_iter().for_each(|at| bytes[at] = b'X');
    std::fs::write(&built.path, bytes).expect("written");
    refused_unopened(
        &built,
        |p| matches!(p, Problem::BadNote(what) if what == "it does not start with its mark"),
    );
}

#[test]
fn an_object_file_that_is_not_linked() {
    let built = Built::from_bytes("object", b"");
    let source = built.path.with_file_name("source.c");
    std::fs::write(&source, EXAMPLE).expect("written");
    let (output, source) = (built.path.to_string_lossy(), source.to_string_lossy());
    compile(false, &["-c", "-fPIC", "-DNAME=object", "-DMARK=\"\"", "-o", &output, &source]);
    refused_unopened(
        &built,
        |p| matches!(p, Problem::NotALibrary(what) if what == "an object file that is not linked"),
    );
}

#[test]
fn what_is_not_there_names_the_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut search = SearchPath::default();
    search.push(Origin::Option, folder.path());
    let registry = Registry::new(search);
    let error = registry.load("nowhere").expect_err("not there");
    let details = error.details().expect("the places");
    assert!(details.contains(&file_name("nowhere")), "{details}");
    assert!(load_file(folder.path(), "nowhere").is_err(), "a folder is not a library");
}

#[test]
fn listing_opens_nothing() {
    let built = Built::from_c("listed", EXAMPLE);
    std::fs::write(built.path.with_file_name(file_name("broken")), "text").expect("written");
    let manifest = "name = \"listed\"\nversion = \"1.0.0\"\ndescription = \"An example\"\n";
    std::fs::write(built.path.with_file_name("listed.ext.toml"), manifest).expect("written");
    let mut search = SearchPath::default();
    search.push(Origin::Option, built.path.parent().expect("a folder"));
    let list = Registry::new(search).list();
    let names: Vec<&str> = list.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!(names, ["broken", "listed"]);
    assert!(list[0].note.is_err());
    assert_eq!(list[1].note.as_ref().map(|note| note.abi), Ok((1, 0)));
    assert_eq!(list[1].manifest.as_ref().map(|m| m.description.as_str()), Some("An example"));
    assert!(!built.mark_exists());
}

#[test]
fn a_thousand_functions_and_forty_extensions() {
    use std::fmt::Write as _;
    let row = "{ MS_STR(\"add\"), MS_STR(\"Adds two ints.\"), add, NULL,\n      MS_TABLE(add_params, MsParam), MS_FN_PURE, MS_TYPED_NONE, NULL, MS_STR(\"int\") },";
    assert!(EXAMPLE.contains(row), "the example changed");
    let mut rows = String::new();
    for index in 0..1000 {
        let _ = writeln!(rows, "{}", row.replace("\"add\"", &format!("\"add{index}\"")));
    }
    let built = Built::from_c("thousand", &EXAMPLE.replace(row, &rows));
    let extension = load(&built).expect("a large table");
    assert_eq!(extension.functions.len(), 1000);
    assert_eq!(extension.functions[999].name, "add999");
    for index in 0..40 {
        let built = Built::from_c(&format!("many{index}"), EXAMPLE);
        assert_eq!(load(&built).expect("one of many").functions.len(), 1);
    }
}

/// A Rust extension: found in the build tree, its layouts checked with `abi_stable`.
#[test]
fn a_rust_extension_loads_and_its_layouts_are_checked() {
    let registry = Registry::new(SearchPath::standard(&[], None));
    let found = registry.find("math").expect("the library lies in the build tree");
    assert_eq!(found.origin, Origin::BuildTree);
    let math = registry.load("math").expect("math is good");
    assert_eq!(math.language, miniscript_engine::registry::Language::Rust);
    assert_eq!(math.functions.len(), 56);
    let signature = |name: &str| {
        let function = math.functions.iter().find(|function| function.name == name);
        function.map(miniscript_engine::registry::Function::signature)
    };
    assert_eq!(signature("sqrt").as_deref(), Some("sqrt(x: float, /) -> float"));
    assert_eq!(signature("gcd").as_deref(), Some("gcd(*integers)"));
    // The example is a C library: renamed to pass as Rust it lacks the root module.
    let source = EXAMPLE.replace(
        "#include \"ms_ext.h\"",
        "#include \"ms_ext.h\"\n#undef MS_LANG_C\n#define MS_LANG_C MS_LANG_RUST",
    );
    let error = load(&Built::from_c("claims", &source)).expect_err("no root module");
    assert!(matches!(&error.problem, Problem::Symbol(name) if name == "ms_root_claims"), "{error}");
}
