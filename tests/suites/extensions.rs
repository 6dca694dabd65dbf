//! Native extensions inside a running `ms`.
//!
//! `ext/rust/*.ms` use `probe` (a crate of this workspace, made with the SDK), `ext/c/*.ms` use
//! `cprobe` (`ext/cprobe.c`, compiled here with the system's C compiler, as is what the cases below
//! write themselves). Each script runs a second time under GC stress. `MS=PATH` tests another `ms`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use miniscript_engine::registry::file_name;
use miniscript_tests::{Ending, Invocation, Outcome, Subject, discover, workspace_root};

#[path = "../ext/engines.rs"]
mod engines;

type Check = fn(&Place) -> Result<(), String>;

const CASES: &[(&str, Check)] = &[
    ("ext/limits/the_time_ends_a_native_that_charges", |p| timed_out(p, "probe.spin()")),
    ("ext/limits/the_time_ends_a_list_built_by_a_native", |p| {
        timed_out(p, "probe.numbers(10**12)")
    }),
    ("ext/limits/the_time_ends_a_list_built_in_c", |p| timed_out(p, "cprobe.grow(10**12)")),
    ("ext/limits/the_memory_ends_a_list_built_by_a_native", |p| {
        out_of_memory(p, "probe.numbers(10**12)")
    }),
    ("ext/limits/the_memory_ends_a_list_built_in_c", |p| out_of_memory(p, "cprobe.grow(10**12)")),
    ("ext/limits/the_memory_ends_texts_made_by_a_native", |p| {
        out_of_memory(p, "probe.hoard(10**5)")
    }),
    ("ext/limits/the_memory_counts_payloads", |p| {
        out_of_memory(p, "kept = [probe.Big() for _ in range(10**5)]")
    }),
    ("ext/limits/the_memory_counts_handles_of_a_call", |p| {
        out_of_memory(p, "probe.many_handles(10**8)")
    }),
    ("ext/limits/the_memory_counts_roots", |p| out_of_memory(p, "probe.many_roots(10**8)")),
    ("ext/limits/the_memory_counts_traced_handles", |p| {
        out_of_memory(p, "probe.many_traced(10**8)")
    }),
    ("ext/limits/the_memory_counts_operations", |p| out_of_memory(p, "cprobe.timers(10**8)")),
    ("ext/limits/the_memory_counts_natives_that_wait", |p| {
        let program = "x = []\nfor i in range(10**5):\n    \
                       x.append(go(cprobe.apply, lambda: sleep(1000)))\n    sleep(0)";
        out_of_memory(p, program)
    }),
    ("ext/limits/given_up_memory_is_not_counted", |p| {
        let program = "import probe, cprobe\nfor i in range(50):\n    \
                       assert probe.many_roots(10**5) == 10**5\n    probe.many_handles(10**5)\n\
                       print('done')";
        prints(&p.run(&["--max-memory", "40M"], &p.path, program)?, "done\n")
    }),
    ("ext/import/a_failing_init_is_an_import_error", failing_init),
    ("ext/import/forty_extensions_and_a_thousand_functions", forty_and_a_thousand),
    ("ext/import/dependencies_come_first_and_have_versions", dependencies),
    ("ext/import/what_depends_on_another_ends_before_it", ends_in_order),
    ("ext/import/c_extensions_of_every_released_minor_run", released),
    ("ext/import/a_newer_c_extension_runs", newer),
    ("ext/import/a_bad_library_is_an_import_error", bad_library),
    ("ext/engines/two_vms_have_their_own_state", engines::two_vms),
    ("ext/engines/a_handle_of_another_vm_is_refused", engines::foreign_handle),
    ("ext/engines/what_ends_ends_once_and_in_order", engines::endings),
    ("ext/engines/what_is_held_may_outlive_its_vm", engines::outlived),
    ("ext/engines/a_failed_import_can_be_retried", engines::retried),
    ("ext/engines/an_extension_needs_its_grant", engines::granted),
];

/// Where things are.
pub struct Place {
    ms: PathBuf,
    /// The folder of compiled C extensions.
    c: PathBuf,
    /// Folders for `MS_EXT_PATH`.
    path: String,
}

fn main() -> ExitCode {
    match run(&Arguments::from_args()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("extensions: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let root = workspace_root().join("tests");
    let mut scripts = Vec::new();
    for part in ["ext/rust", "ext/c"] {
        scripts.extend(discover(&root, part).map_err(|error| format!("{part}: {error}"))?);
    }
    let libraries = tempfile::tempdir().map_err(|error| error.to_string())?;
    let place = if arguments.list { None } else { Some(Arc::new(prepare(libraries.path())?)) };
    let mut trials: Vec<Trial> = Vec::new();
    for script in scripts {
        let place = place.clone();
        trials.push(Trial::test(script.name.clone(), move || {
            let place = place.ok_or("no ms to test")?;
            script.run_with(&place.ms, &[("MS_EXT_PATH", &place.path)]).map_err(Failed::from)
        }));
    }
    for (name, check) in CASES {
        let place = place.clone();
        trials.push(Trial::test(*name, move || {
            check(&*place.ok_or("no ms to test")?).map_err(Failed::from)
        }));
    }
    Ok(libtest_mimic::run(arguments, trials).exit_code())
}

fn prepare(folder: &Path) -> Result<Place, String> {
    let source = workspace_root().join("tests/ext/cprobe.c");
    let text = fs::read_to_string(&source).map_err(|e| format!("{}: {e}", source.display()))?;
    compile("cprobe", &text, folder, &workspace_root().join("ext-sdk/include"))?;
    let test = env::current_exe().map_err(|error| error.to_string())?;
    let beside = test.parent().ok_or("the test has no folder")?;
    let path = env::join_paths([folder, beside]).map_err(|error| error.to_string())?;
    let path = path.into_string().map_err(|_| "a folder's name is not UTF-8")?;
    Ok(Place { ms: Subject::locate()?.path, c: folder.to_owned(), path })
}

/// Makes the library of a C extension against the headers of `include`.
fn compile(name: &str, source: &str, folder: &Path, include: &Path) -> Result<(), String> {
    let file = folder.join(format!("{name}.c"));
    fs::write(&file, source).map_err(|error| error.to_string())?;
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let built = Command::new(&compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread", "-I"])
        .arg(include)
        .arg("-o")
        .arg(folder.join(file_name(name)))
        .arg(&file)
        .output()
        .map_err(|error| format!("cannot run {compiler}: {error}"))?;
    if built.status.success() {
        Ok(())
    } else {
        Err(format!("{name}.c: {}", String::from_utf8_lossy(&built.stderr)))
    }
}

impl Place {
    /// Runs a program in a folder of its own.
    fn run(&self, flags: &[&str], path: &str, program: &str) -> Result<Outcome, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        Invocation::new(&self.ms, folder.path())
            .args(flags)
            .args(["-c", program])
            .env("MS_EXT_PATH", path)
            .time_limit(Duration::from_secs(30))
            .run()
            .map_err(|error| error.to_string())
    }
}

/// Whether a run printed this and ended well.
fn prints(outcome: &Outcome, wanted: &str) -> Result<(), String> {
    if outcome.ending == Ending::Exit(0) && outcome.stdout == wanted && outcome.stderr.is_empty() {
        return Ok(());
    }
    Err(format!(
        "wanted:\n{wanted}\ngot {:?}:\n{}\n{}",
        outcome.ending, outcome.stdout, outcome.stderr
    ))
}

/// The last line of standard error, and the exit status 1.
fn fails(outcome: &Outcome, wanted: &str) -> Result<(), String> {
    let last = outcome.stderr.lines().next_back().unwrap_or("");
    if outcome.ending == Ending::Exit(1) && last.starts_with(wanted) {
        return Ok(());
    }
    Err(format!("wanted '{wanted}', got {:?}:\n{}", outcome.ending, outcome.stderr))
}

fn timed_out(place: &Place, call: &str) -> Result<(), String> {
    let program = format!("import probe, cprobe\n{call}");
    let outcome = place.run(&["--timeout", "0.7"], &place.path, &program)?;
    // Some seconds more than it takes, for a machine that does much else.
    if outcome.elapsed > Duration::from_secs(5) {
        return Err(format!("it ended after {:?}", outcome.elapsed));
    }
    fails(&outcome, "TimeoutError: the time limit is over")
}

fn out_of_memory(place: &Place, call: &str) -> Result<(), String> {
    let program = format!("import probe, cprobe\n{call}");
    let outcome = place.run(&["--max-memory", "40M"], &place.path, &program)?;
    fails(&outcome, "MemoryError")
}

fn failing_init(place: &Place) -> Result<(), String> {
    let program = "import probe\nprobe.x";
    for (how, wanted) in [
        (
            "fail",
            "ImportError: cannot import the extension 'probe': its init raised ProbeError: init was told to fail",
        ),
        (
            "panic",
            "ImportError: cannot import the extension 'probe': its init raised RuntimeError: native code of probe() panicked: init was told to panic",
        ),
    ] {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let outcome = Invocation::new(&place.ms, folder.path())
            .args(["-c", program])
            .env("MS_EXT_PATH", &place.path)
            .env("PROBE_INIT", how)
            .run()
            .map_err(|error| error.to_string())?;
        fails(&outcome, wanted)?;
    }
    Ok(())
}

/// A C extension with `n` functions `f0`, `f1`, .. that return their own numbers.
fn numbered(name: &str, n: usize, dependencies: &str) -> String {
    let mut source = String::from("#include \"ms_ext.h\"\n");
    source += "static MsStatus f(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {\n";
    source += "    (void)argc, (void)args;\n    *out = ms_int((const char *)cx->data - (const char *)0);\n    return MS_OK;\n}\n";
    source += "static const MsFunction functions[] = {\n";
    for i in 0..n {
        source += &format!(
            "    {{ MS_STR(\"f{i}\"), MS_NO_STR, f, (const char *)0 + {i}, MS_NO_TABLE, 0, MS_TYPED_NONE, NULL, MS_NO_STR }},\n"
        );
    }
    source += "};\n";
    if dependencies.is_empty() {
        source += &format!(
            "MS_EXTENSION({name}, \"1.0.0\", \"\", MS_TABLE(functions, MsFunction), MS_NO_TABLE, MS_NO_TABLE, NULL, NULL)\n"
        );
        return source;
    }
    source += &format!("static const MsDependency needs[] = {{ {dependencies} }};\n");
    source += &format!(
        "MS_NOTE(\"{name}\", \"1.0.0\")\nMS_EXPORT const MsExt *ms_ext_{name}(void);\n\
         const MsExt *ms_ext_{name}(void) {{\n    static const MsExt descriptor = {{ sizeof(MsExt), \
         MS_ABI_MAJOR, MS_ABI_MINOR, MS_STR(\"{name}\"), MS_STR(\"1.0.0\"), MS_STR(\"\"), \
         MS_TABLE(functions, MsFunction), MS_NO_TABLE, MS_NO_TABLE, MS_TABLE(needs, MsDependency), \
         MS_NO_TABLE, NULL, NULL }};\n    return &descriptor;\n}}\n"
    );
    source
}

fn forty_and_a_thousand(place: &Place) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let include = workspace_root().join("ext-sdk/include");
    compile("thousand", &numbered("thousand", 1000, ""), folder.path(), &include)?;
    // One library under forty names would be one extension: the name is part of it.
    let names: Vec<String> = (0..40).map(|i| format!("one{i}")).collect();
    for name in &names {
        compile(name, &numbered(name, 1, ""), folder.path(), &include)?;
    }
    let program = format!(
        "import thousand, {}\nfs = [getattr(thousand, f'f{{i}}') for i in range(1000)]\n\
         print(sum(f() for f in fs), len(dir(thousand)) >= 1000)\nprint({})",
        names.join(", "),
        names.iter().map(|name| format!("{name}.f0()")).collect::<Vec<_>>().join(" + ")
    );
    let path = folder.path().to_string_lossy().into_owned();
    prints(&place.run(&[], &path, &program)?, "499500 True\n0\n")
}

fn dependencies(place: &Place) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let include = workspace_root().join("ext-sdk/include");
    let make =
        |name: &str, needs: &str| compile(name, &numbered(name, 2, needs), folder.path(), &include);
    make("base", "")?;
    make("fits", "{ MS_STR(\"base\"), MS_STR(\">=1, <2\") }")?;
    make("young", "{ MS_STR(\"base\"), MS_STR(\"2\") }")?;
    make("lonely", "{ MS_STR(\"nowhere\"), MS_NO_STR }")?;
    make("ping", "{ MS_STR(\"pong\"), MS_NO_STR }")?;
    make("pong", "{ MS_STR(\"ping\"), MS_NO_STR }")?;
    let program = "import sys\nimport fits\nprint(fits.f1(), 'base' in sys.modules)\n\
        for name in ['young', 'lonely', 'ping', 'young']:\n    try:\n        __import__(name)\n    \
        except ImportError as e:\n        print(str(e).splitlines()[0], '|', e.name)\n\
        print('young' in sys.modules, 'ping' in sys.modules)";
    let path = folder.path().to_string_lossy().into_owned();
    prints(
        &place.run(&[], &path, program)?,
        "1 True\n\
         the extension 'young' needs base 2, found 1.0.0 | young\n\
         cannot import the extension 'nowhere': found no extension named 'nowhere' | nowhere\n\
         the extension 'ping' needs itself | ping\n\
         the extension 'young' needs base 2, found 1.0.0 | young\n\
         False False\n",
    )
}

fn ends_in_order(place: &Place) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let include = workspace_root().join("ext-sdk/include");
    for (name, needs) in [
        ("base", "MS_NO_TABLE"),
        ("upper", "{ &base, 1, sizeof(MsDependency) }"),
        ("other", "MS_NO_TABLE"),
    ] {
        let source = format!(
            "#include \"ms_ext.h\"\n#include <stdio.h>\n\
             const MsDependency base = {{ MS_STR(\"base\"), MS_NO_STR }};\n\
             static MsStatus start(const MsContext *cx, void **state) {{\n    (void)cx, (void)state;\n    \
             fprintf(stderr, \"start {name}\\n\");\n    return MS_OK;\n}}\n\
             static void end(const MsContext *cx) {{\n    (void)cx;\n    \
             fprintf(stderr, \"end {name}\\n\");\n}}\n\
             MS_NOTE(\"{name}\", \"1.0.0\")\nMS_EXPORT const MsExt *ms_ext_{name}(void);\n\
             const MsExt *ms_ext_{name}(void) {{\n    static const MsExt descriptor = {{ \
             sizeof(MsExt), MS_ABI_MAJOR, MS_ABI_MINOR, MS_STR(\"{name}\"), MS_STR(\"1.0.0\"), \
             MS_NO_STR, MS_NO_TABLE, MS_NO_TABLE, MS_NO_TABLE, {needs}, MS_NO_TABLE, start, end \
             }};\n    return &descriptor;\n}}\n"
        );
        compile(name, &source, folder.path(), &include)?;
    }
    let path = folder.path().to_string_lossy().into_owned();
    let outcome = place.run(&[], &path, "import other, upper, base\nimport upper")?;
    let wanted = "start other\nstart base\nstart upper\nend upper\nend base\nend other\n";
    if outcome.stderr == wanted { Ok(()) } else { Err(outcome.stderr) }
}

/// Uses the C extension as other headers make it.
fn runs_with(place: &Place, include: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let source = workspace_root().join("tests/ext/cprobe.c");
    let source = fs::read_to_string(source).map_err(|error| error.to_string())?;
    compile("cprobe", &source, folder.path(), include)?;
    let program = "import cprobe\nb = cprobe.Box([1])\nb.content = 2\n\
        print(b, len(b), cprobe.Box.SIDES, cprobe.BIG, cprobe.add(1), cprobe.half(5), cprobe.nap(1), \
        cprobe.gather(1, 2, 3, key='k', z=4), cprobe.sum_of(lambda i: i, 4), \
        cprobe.apply(lambda: 7), cprobe.CError.__mro__[1], cprobe.threaded())";
    let path = folder.path().to_string_lossy().into_owned();
    prints(
        &place.run(&[], &path, program)?,
        "Box 2 1 6 -123456789012345678901234567890 41 2.5 1 ((1, 2, 'k', [3]), {'z': 4}) 6 7 \
         <class 'ValueError'> 7\n",
    )
}

fn released(place: &Place) -> Result<(), String> {
    let snapshots = workspace_root().join("tests/abi");
    let mut seen = 0;
    for entry in fs::read_dir(&snapshots).map_err(|error| error.to_string())?.flatten() {
        let include = entry.path().join("include");
        if include.is_dir() {
            runs_with(place, &include).map_err(|e| format!("{}: {e}", include.display()))?;
            seen += 1;
        }
    }
    if seen > 0 { Ok(()) } else { Err("no snapshot".to_owned()) }
}

/// A minor that is not there yet: each record of an extension has grown.
fn newer(place: &Place) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let include = workspace_root().join("ext-sdk/include");
    let read = |name| fs::read_to_string(include.join(name)).map_err(|error| error.to_string());
    let mut header = read("ms_ext.h")?.replace("MS_ABI_MINOR 0", "MS_ABI_MINOR 1");
    for record in ["MsParam", "MsFunction", "MsConst", "MsClass", "MsDependency", "MsExt"] {
        let end = format!("}} {record};");
        if header.matches(&end).count() != 1 {
            return Err(format!("the header has no record {record}"));
        }
        header = header.replace(&end, &format!("    uint64_t newer[3];\n{end}"));
    }
    // What the tables of the source leave out is zero, which the compiler warns of.
    header = format!("#pragma GCC diagnostic ignored \"-Wmissing-field-initializers\"\n{header}");
    let write = |name, text: &str| {
        fs::write(folder.path().join(name), text).map_err(|error| error.to_string())
    };
    write("ms_ext.h", &header)?;
    write("ms_value.h", &read("ms_value.h")?)?;
    runs_with(place, folder.path())
}

fn bad_library(place: &Place) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join(file_name("broken"));
    fs::write(&file, "print('hello')\n").map_err(|error| error.to_string())?;
    let program = "try:\n    import broken\nexcept ImportError as e:\n    print(e)\n    print(e.name, e.path)";
    let path = folder.path().to_string_lossy().into_owned();
    let shown = file.canonicalize().map_err(|error| error.to_string())?.display().to_string();
    let system = format!("{} on {}", env::consts::OS, env::consts::ARCH);
    prints(
        &place.run(&[], &path, program)?,
        &format!(
            "cannot import the extension 'broken': {shown}: found a text file\n  \
             wanted: a shared library for {system}\n  mend: build or install the extension again\n\
             broken {shown}\n"
        ),
    )
}
