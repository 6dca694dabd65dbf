//! `sys`: the interpreter as scripts see it.

use std::ffi::OsString;
use std::path::PathBuf;

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef, Row};
use miniscript_vm::object::exc::Exception;
use miniscript_vm::object::func::Native;
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Module;
use miniscript_vm::object::seq::{List, Tuple};
use miniscript_vm::object::text::Str;
use miniscript_vm::traceback::Extent;
use miniscript_vm::{Value, Vm};

use crate::errors::{os_path, os_text};
use crate::host::EngineHost;
use miniscript_stdlib::record;

pub(super) const DOC: &str = "The interpreter.";

/// The version of the language.
const VERSION: (i64, i64, i64) = (3, 12, 0);

/// What an engine tells its scripts by `sys`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// `sys.argv`.
    pub(crate) argv: Vec<OsString>,
    /// The first entries of `sys.path`.
    pub(crate) path: Vec<PathBuf>,
    /// `sys` is made: from then on its own lists count.
    made: bool,
}

impl Settings {
    pub(crate) fn new(argv: Vec<OsString>, path: Vec<PathBuf>) -> Settings {
        Settings { argv, path, made: false }
    }
}

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "exit",
        "status=None, /",
        super::interactive::exit,
        "Exit by raising SystemExit(status).",
    ),
    NativeDef::new("getrecursionlimit", "", get_recursion_limit, "The most frames of a task."),
    NativeDef::new("setrecursionlimit", "limit, /", set_recursion_limit, "Set it."),
    NativeDef::new(
        "_getframe",
        "depth=0, /",
        |vm, args| {
            let depth = if args[0].is_empty() { 0 } else { args[0].as_small().unwrap_or(0) };
            match vm.frames(depth.max(0) as usize)? {
                Some(frame) => Ok(frame),
                None => Err(vm.value_error("call stack is not deep enough")),
            }
        },
        "Return a picture of a frame: depth says how many calls below the top.",
    ),
    NativeDef::new(
        "_getframemodulename",
        "depth=0",
        |vm, args| {
            let depth = if args[0].is_empty() { 0 } else { args[0].as_small().unwrap_or(0) };
            let caller = vm.caller(depth.max(0) as usize)?;
            let globals = vm.tuple_items(caller).get(3).and_then(|g| g.get::<Dict>());
            Ok(globals.and_then(|g| vm.dict_get_str(g, "__name__")).unwrap_or(Value::NONE))
        },
        "Return the name of the module of a calling frame.",
    ),
    NativeDef::new(
        "exc_info",
        "",
        exc_info,
        "The exception being handled: (type, value, traceback).",
    ),
    NativeDef::new("exception", "", exception, "The exception being handled."),
    NativeDef::new("intern", "string, /", intern, "The one string of its text."),
    NativeDef::new("getsizeof", "object, default=0", getsizeof, "Bytes of an object, roughly."),
    NativeDef::new("getdefaultencoding", "", |vm, _| vm.str("utf-8"), "Return 'utf-8'."),
    NativeDef::new("getfilesystemencoding", "", |vm, _| vm.str("utf-8"), "Return 'utf-8'."),
    NativeDef::new("getrefcount", "object, /", |vm, _| Ok(vm.int(2)), "Objects are not counted."),
    NativeDef::new(
        "set_int_max_str_digits",
        "maxdigits",
        set_max_digits,
        "Set the limit of int and str conversions.",
    ),
    NativeDef::new(
        "get_int_max_str_digits",
        "",
        get_max_digits,
        "The limit of int and str conversions.",
    ),
    NativeDef::new(
        "excepthook",
        "exctype, value, traceback, /",
        excepthook,
        "Show an exception that nobody caught on sys.stderr.",
    ),
    NativeDef::new("getswitchinterval", "", |_, _| Ok(Value::float(0.005)), "Tasks take no turns."),
    NativeDef::new("setswitchinterval", "interval, /", nothing, "Tasks take no turns."),
    NativeDef::new("is_finalizing", "", |_, _| Ok(Value::FALSE), "Return False."),
    NativeDef::new(
        "getfilesystemencodeerrors",
        "",
        |vm, _| vm.str("surrogateescape"),
        "What stands for bytes in file names that are no UTF-8.",
    ),
    NativeDef::new("getallocatedblocks", "", allocated, "Objects allocated so far."),
    NativeDef::new("gettrace", "", nothing, "None: execution is not traced."),
    NativeDef::new("settrace", "function, /", no_trace, "Only None is possible."),
    NativeDef::new("getprofile", "", nothing, "None: execution is not profiled."),
    NativeDef::new("setprofile", "function, /", no_trace, "Only None is possible."),
    NativeDef::new("audit", "event, /, *args", nothing, "Nobody listens to events."),
];

pub(super) fn fill<'v>(vm: &'v Vm, d: &'v Dict) -> Result<(), Exit<'v>> {
    let Some(host) = EngineHost::of(vm) else { return Ok(()) };
    let set = |name: &str, v: Value<'v>| vm.dict_set_name(d, vm.intern(name), v);
    let mut argv = Vec::new();
    for arg in &host.settings.borrow().argv {
        argv.push(os_text(vm, arg)?);
    }
    let mut path = Vec::new();
    for entry in &host.settings.borrow().path {
        path.push(os_text(vm, entry.as_os_str())?);
    }
    set("argv", vm.list(argv)?)?;
    set("path", vm.list(path)?)?;
    set("modules", Value::object(vm.modules()))?;
    if let Some(hook) = vm.dict_get_str(d, "excepthook") {
        set("__excepthook__", hook)?;
    }
    let (major, minor, micro) = VERSION;
    let version = [vm.int(major), vm.int(minor), vm.int(micro), vm.str("final")?, vm.int(0)];
    let version_info = VERSION_INFO.make(vm, &version)?;
    set("version_info", version_info)?;
    set("flags", FLAGS.make(vm, &flags(vm))?)?;
    set(
        "version",
        vm.str(&format!("{major}.{minor}.{micro} (MiniScript {})", env!("CARGO_PKG_VERSION")))?,
    )?;
    set("hexversion", vm.int(major << 24 | minor << 16 | micro << 8 | 0xF0))?;
    set("api_version", vm.int(1013))?;
    set("platform", vm.str(platform())?)?;
    set("maxsize", vm.int(i64::MAX))?;
    set("maxunicode", vm.int(0x10_FFFF))?;
    set("byteorder", vm.str(if cfg!(target_endian = "little") { "little" } else { "big" })?)?;
    set("prefix", vm.str("")?)?;
    set("dont_write_bytecode", Value::bool(!host.cache.is_enabled()))?;
    let executable = match std::env::current_exe() {
        Ok(path) => os_text(vm, path.as_os_str())?,
        Err(_) => vm.str("")?,
    };
    set("executable", executable)?;
    let mut names = Vec::new();
    for name in super::bundled_modules() {
        names.push(vm.str(name)?);
    }
    set("builtin_module_names", vm.tuple(&names)?)?;
    let implementation = [("name", vm.str("miniscript")?), ("version", version_info)];
    set("implementation", namespace(vm, &implementation)?)?;
    set("float_info", float_info(vm)?)?;
    let hash_info = [
        vm.int(64),
        vm.int((1 << 61) - 1),
        vm.int(314_159),
        vm.int(0),
        vm.int(1_000_003),
        vm.str("siphash13")?,
        vm.int(64),
        vm.int(128),
        vm.int(0),
    ];
    set("hash_info", HASH_INFO.make(vm, &hash_info)?)?;
    set("int_info", INT_INFO.make(vm, &[30, 4, 4300, 640].map(|n| vm.int(n)))?)?;
    let thread_info = [vm.str("pthread")?, vm.str("semaphore")?, Value::NONE];
    set("thread_info", THREAD_INFO.make(vm, &thread_info)?)?;
    for name in ["base_prefix", "exec_prefix", "base_exec_prefix", "abiflags"] {
        set(name, vm.str("")?)?;
    }
    set("platlibdir", vm.str("lib")?)?;
    set("float_repr_style", vm.str("short")?)?;
    set("copyright", vm.str("MiniScript is free software, under the MIT license.")?)?;
    set("pycache_prefix", Value::NONE)?;
    for name in ["warnoptions", "meta_path", "path_hooks"] {
        set(name, vm.list(Vec::new())?)?;
    }
    for name in ["path_importer_cache", "_xoptions"] {
        set(name, Value::object(vm.dict()))?;
    }
    let mut orig_argv = vec![executable];
    for arg in std::env::args_os().skip(1) {
        orig_argv.push(os_text(vm, &arg)?);
    }
    set("orig_argv", vm.list(orig_argv)?)?;
    let public = super::bundled_modules().filter(|name| !name.contains('.'));
    let public = public.map(|name| vm.str(name)).collect::<Result<Vec<_>, _>>()?;
    set("stdlib_module_names", vm.set_of(&public)?)?;
    let [stdin, stdout, stderr] = crate::io::standard(vm)?;
    for (name, v) in [("stdin", stdin), ("stdout", stdout), ("stderr", stderr)] {
        set(name, v)?;
        set(&format!("__{name}__"), v)?;
    }
    vm.set_stdout(stdout);
    host.settings.borrow_mut().made = true;
    Ok(())
}

/// The names of `sys`, if it is made.
fn names(vm: &Vm) -> Option<&Dict> {
    vm.dict_get_str(vm.modules(), "sys")?.get::<Module>()?.dict().get::<Dict>()
}

fn namespace<'v>(vm: &'v Vm, fields: &[(&str, Value<'v>)]) -> NResult<'v> {
    let v = vm.instance(vm.class(Type::SimpleNamespace));
    for (name, field) in fields {
        vm.set_attr_raw(v, vm.intern(name), *field)?;
    }
    Ok(v)
}

record!(VERSION_INFO, "sys", "version_info", "The version of the language.",
    0 "major", 1 "minor", 2 "micro", 3 "releaselevel", 4 "serial");

record!(FLAGS, "sys", "flags", "Switches of the interpreter.",
    0 "debug", 1 "inspect", 2 "interactive", 3 "optimize", 4 "dont_write_bytecode",
    5 "no_user_site", 6 "no_site", 7 "ignore_environment", 8 "verbose", 9 "bytes_warning",
    10 "quiet", 11 "hash_randomization", 12 "isolated", 13 "dev_mode", 14 "utf8_mode",
    15 "warn_default_encoding", 16 "safe_path", 17 "int_max_str_digits");

/// The switches there are, in the order of [`FLAGS`].
fn flags(vm: &Vm) -> [Value<'_>; 18] {
    let (off, on) = (vm.int(0), vm.int(1));
    let digits = vm.len_value(vm.int_max_str_digits.get());
    let (dev_mode, safe_path) = (Value::FALSE, Value::FALSE);
    [
        off, off, off, off, on, on, on, off, off, off, off, on, off, dev_mode, on, off, safe_path,
        digits,
    ]
}

record!(FLOAT_INFO, "sys", "float_info", "What floats can hold.",
    0 "max", 1 "max_exp", 2 "max_10_exp", 3 "min", 4 "min_exp", 5 "min_10_exp", 6 "dig",
    7 "mant_dig", 8 "epsilon", 9 "radix", 10 "rounds");

record!(INT_INFO, "sys", "int_info", "How ints are kept.",
    0 "bits_per_digit", 1 "sizeof_digit", 2 "default_max_str_digits",
    3 "str_digits_check_threshold");

record!(HASH_INFO, "sys", "hash_info", "How numbers and strings are hashed.",
    0 "width", 1 "modulus", 2 "inf", 3 "nan", 4 "imag", 5 "algorithm", 6 "hash_bits",
    7 "seed_bits", 8 "cutoff");

record!(THREAD_INFO, "sys", "thread_info", "What threads there are.",
    0 "name", 1 "lock", 2 "version");

fn float_info(vm: &Vm) -> NResult<'_> {
    let int = |n: i32| vm.int(n.into());
    let items = [
        Value::float(f64::MAX),
        int(f64::MAX_EXP),
        int(f64::MAX_10_EXP),
        Value::float(f64::MIN_POSITIVE),
        int(f64::MIN_EXP),
        int(f64::MIN_10_EXP),
        vm.int(f64::DIGITS.into()),
        vm.int(f64::MANTISSA_DIGITS.into()),
        Value::float(f64::EPSILON),
        vm.int(f64::RADIX.into()),
        vm.int(1),
    ];
    FLOAT_INFO.make(vm, &items)
}

fn platform() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    }
}

/// Fills `sys.argv` and `sys.path` anew, in place.
pub(crate) fn set_start<'v>(
    vm: &'v Vm,
    argv: &[OsString],
    path: &[PathBuf],
) -> Result<(), Exit<'v>> {
    let Some(d) = names(vm) else { return Ok(()) };
    let mut names = Vec::new();
    for a in argv {
        names.push(os_text(vm, a)?);
    }
    let mut folders = Vec::new();
    for p in path {
        folders.push(os_text(vm, p.as_os_str())?);
    }
    vm.dict_set_name(d, vm.intern("argv"), vm.list(names)?)?;
    vm.dict_set_name(d, vm.intern("path"), vm.list(folders)?)
}

/// The folders of `sys.path` as it is now.
pub(crate) fn folders(vm: &Vm, host: &EngineHost) -> Vec<PathBuf> {
    let settings = host.settings.borrow();
    if !settings.made {
        return settings.path.clone();
    }
    let path = names(vm).and_then(|d| vm.dict_get_str(d, "path"));
    path.map_or_else(Vec::new, folders_of)
}

/// The paths in a list or tuple.
pub(crate) fn folders_of(list: Value<'_>) -> Vec<PathBuf> {
    let items = match (list.get::<List>(), list.get::<Tuple>()) {
        (Some(l), _) => l.to_vec(),
        (_, Some(t)) => t.items().to_vec(),
        _ => Vec::new(),
    };
    items.iter().filter_map(|v| v.get::<Str>()).map(|s| os_path(s.bytes())).collect()
}

fn nothing<'v>(_: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::NONE)
}

fn no_trace<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if args[0].is_none() {
        return Ok(Value::NONE);
    }
    Err(vm.err(Type::NotImplementedError, "execution cannot be traced or profiled"))
}

fn allocated<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.uint(vm.heap.stats().allocated_objects))
}

fn get_recursion_limit<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.len_value(vm.recursion_limit()))
}

fn set_recursion_limit<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(n) = args[0].as_small() else {
        let t = vm.type_name(args[0]);
        if t == "int" {
            return Err(vm.overflow_error("Python int too large to convert to C int"));
        }
        return Err(vm.type_error(format!("'{t}' object cannot be interpreted as an integer")));
    };
    if n < 1 {
        return Err(vm.value_error("recursion limit must be greater or equal than 1"));
    }
    if n > i64::from(i32::MAX) {
        return Err(vm.overflow_error("Python int too large to convert to C int"));
    }
    vm.set_recursion_limit(n as usize);
    Ok(Value::NONE)
}

fn excepthook<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static SHOWN: Row = Row {
        name: "excepthook",
        catches: false,
        resume: |vm, _, answer| {
            let text = answer.value()?;
            if let Some(stderr) = replaced_stderr(vm) {
                let write = vm.getattr(stderr, vm.intern("write"))?;
                return Err(Exit::tail(write, vec![text]));
            }
            if let (Some(host), Some(s)) = (EngineHost::of(vm), text.get::<Str>()) {
                // There is nowhere to tell that standard error cannot be written.
                let _ = host.stderr.write(crate::report::shown(host, &s.to_display()).as_bytes());
            }
            Ok(Value::NONE)
        },
    };
    vm.and_then(vm.format_exception(args[1], Extent::Whole), &SHOWN, Vec::new())
}

/// What a script put in the place of `sys.stderr`.
fn replaced_stderr(vm: &Vm) -> Option<Value<'_>> {
    let names = names(vm)?;
    let stderr = vm.dict_get_str(names, "stderr").filter(|v| !v.is_none())?;
    let own = vm.dict_get_str(names, "__stderr__").is_none_or(|own| own.is(stderr));
    (!own).then_some(stderr)
}

/// What a script put in the place of `sys.excepthook`.
pub(crate) fn script_hook(vm: &Vm) -> Option<Value<'_>> {
    let hook = vm.dict_get_str(names(vm)?, "excepthook")?;
    let own = hook.get::<Native>().is_some_and(|n| n.def.name == "excepthook");
    (!own && !hook.is_none()).then_some(hook)
}

fn exception<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.handled_exception().unwrap_or(Value::NONE))
}

fn exc_info<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    let Some(e) = vm.handled_exception() else {
        return vm.tuple(&[Value::NONE; 3]);
    };
    let traceback = e.get::<Exception>().map(|e| miniscript_vm::object::read(&e.traceback));
    let traceback = traceback.filter(|t| !t.is_empty()).unwrap_or(Value::NONE);
    vm.tuple(&[vm.class_value_of(e), e, traceback])
}

fn intern<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args[0].get::<Str>() {
        Some(s) => Ok(Value::object(vm.intern_str(s))),
        None => {
            let t = vm.type_name(args[0]);
            Err(vm.type_error(format!("intern() argument must be str, not {t}")))
        }
    }
}

fn getsizeof<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    use miniscript_vm::object::{map::Dict, seq::List, seq::Tuple, text::Bytes};
    let v = args[0];
    let owned = if let Some(s) = v.get::<Str>() {
        s.bytes().len()
    } else if let Some(b) = v.get::<Bytes>() {
        b.bytes().len()
    } else if let Some(l) = v.get::<List>() {
        l.len() * 8
    } else if let Some(t) = v.get::<Tuple>() {
        t.len() * 8
    } else if let Some(d) = v.get::<Dict>() {
        d.len() * 32
    } else {
        0
    };
    Ok(vm.len_value(if v.is_object() { 48 + owned } else { 24 }))
}

fn set_max_digits<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args[0].as_small() {
        Some(n) if n == 0 || n >= 640 => {
            vm.int_max_str_digits.set(n as usize);
            Ok(Value::NONE)
        }
        Some(_) => Err(vm.value_error("maxdigits must be 0 or larger than 640")),
        None => {
            let t = vm.type_name(args[0]);
            Err(vm.type_error(format!("'{t}' object cannot be interpreted as an integer")))
        }
    }
}

fn get_max_digits<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.len_value(vm.int_max_str_digits.get()))
}
