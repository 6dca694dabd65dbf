//! Imports: where a module is looked for, and how its body is run.
//!
//! The order: a bundled module; then each entry of `sys.path` (of the parent's `__path__` for a
//! submodule) as a package, `NAME.ms` or `NAME.py`; then an extension; then a folder without
//! `__init__`, which is a namespace package. Module bodies run as frames of the importing task,
//! so they may suspend.

mod lock;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miniscript_stdlib::ModuleDef;
use miniscript_vm::builtins::Type;
use miniscript_vm::code::proto::CodeProto;
use miniscript_vm::native::{Answer, Exit, NResult, Row};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Module;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use crate::access::{Access, Unrestricted, Wanted, canonical_as_far_as_it_exists, refusal};
use crate::errors::{file_error, os_text};
use crate::files::{FileError, ops};
use crate::host::EngineHost;
use crate::{cache, modules, source};

/// File names of a package's body, and of a module after its name.
const SUFFIXES: [&str; 2] = ["ms", "py"];

/// What importing needs to remember.
#[derive(Default)]
pub(crate) struct Loader {
    /// The modules whose bodies run.
    pub(crate) locks: lock::Locks,
    /// The module whose import is explained.
    explain: Option<String>,
    /// The folders that the embedder or the command named, without links: where modules that are
    /// granted may be read. `sys.path` does not count, as scripts change it.
    roots: RefCell<Vec<PathBuf>>,
}

/// What was found under a name.
pub(crate) enum Found {
    /// A file; the folder if it is the body of a package.
    File(PathBuf, Option<PathBuf>),
    /// Folders of a namespace package.
    Folders(Vec<PathBuf>),
    /// Nothing.
    Nothing,
}

impl Loader {
    /// A loader that explains the import of one module.
    pub(crate) fn new(explain: Option<String>) -> Loader {
        Loader { explain, ..Loader::default() }
    }

    /// Sets the folders that modules may be granted from.
    pub(crate) fn set_roots(&self, access: &dyn Access, folders: &[PathBuf]) {
        if access.is_unrestricted() {
            return;
        }
        let here = |folder: &PathBuf| match folder.as_os_str().is_empty() {
            true => canonical_as_far_as_it_exists(Path::new(".")),
            false => canonical_as_far_as_it_exists(folder),
        };
        *self.roots.borrow_mut() = folders.iter().map(here).collect();
    }

    /// Whether the body of module `name` is running.
    pub(crate) fn is_importing(&self, name: &str) -> bool {
        self.locks.is_importing(name)
    }
}

/// `import NAME`: the module, which is not in `sys.modules` yet.
pub(crate) fn import<'v>(host: &EngineHost, vm: &'v Vm, name: &str) -> NResult<'v> {
    let explain = host.loader.explain.as_deref() == Some(name);
    let say = |text: &str| {
        if explain {
            let _ = host.stderr.write(format!("{name}: {text}\n").as_bytes());
        }
    };
    let mut tell = |what: &str, place: &Path| {
        if explain {
            say(&format!("{what} {}", shown(place).display()));
        }
    };
    if let Some(def) = modules::find(name) {
        say("bundled with MiniScript");
        return bundled(vm, host, def);
    }
    let folders = search_folders(vm, host, name)?;
    let source = with_access(host, name, |access| find(vm, access, name, &folders, &mut tell))?;
    if let Found::File(path, package) = &source {
        return load(vm, host, name, path, package.as_deref());
    }
    let importer = host.importer.borrow().clone();
    if let Some(importer) = &importer {
        if explain {
            for place in importer.places(name) {
                let found = place.is_file();
                tell(if found { "found" } else { "no" }, &place);
                if found {
                    break;
                }
            }
        }
        if let Some(result) = importer.import(vm, name) {
            return result;
        }
    }
    if let Found::Folders(folders) = source {
        for folder in &folders {
            tell("a package without __init__:", folder);
        }
        return namespace_package(vm, name, &folders);
    }
    let places = importer.map_or_else(Vec::new, |importer| importer.places(name));
    let mut text = format!("No module named '{name}'");
    let access = &**host.files.access();
    if !access.allows(&Wanted::Import(name)) {
        text += &format!(" ({})", refusal(access, &Wanted::Import(name)));
    }
    let error = not_found(vm, name, text);
    if let Exit::Raise(e) = error
        && instead_of(name).is_none()
    {
        vm.add_note(e, vm.str(&places_tried(name, &folders, &places))?)?;
    }
    Err(error)
}

/// Where a module was looked for, as a note of the error.
fn places_tried(name: &str, folders: &[PathBuf], extensions: &[PathBuf]) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let mut text = format!("looked for {last}.ms, {last}.py and {last}/__init__.ms (.py) in");
    if folders.is_empty() {
        text += " no folder: sys.path is empty";
    }
    for folder in folders {
        let _ = write!(text, "\n  {}", shown(folder).display());
    }
    if let Some(file) = extensions.first().and_then(|place| place.file_name()) {
        let _ = write!(text, "\nlooked for {} in", file.display());
    }
    for folder in extensions.iter().filter_map(|place| place.parent()) {
        let _ = write!(text, "\n  {}", folder.display());
    }
    text
}

/// A place as it is shown: whole, as an entry of `sys.path` may stand for the current folder.
fn shown(place: &Path) -> PathBuf {
    if place.as_os_str().is_empty() {
        return std::env::current_dir().unwrap_or_default();
    }
    std::path::absolute(place).unwrap_or_else(|_| place.to_owned())
}

/// Reads what may be read, and modules that may be imported where they may lie.
struct ModuleAccess<'a> {
    access: &'a dyn Access,
    roots: &'a [PathBuf],
}

impl Access for ModuleAccess<'_> {
    fn allows(&self, wanted: &Wanted<'_>) -> bool {
        self.access.allows(wanted)
            || matches!(wanted, Wanted::Read(path) if self.roots.iter().any(|r| path.starts_with(r)))
    }

    fn names_flags(&self) -> bool {
        self.access.names_flags()
    }
}

/// Calls `f` with the rights that the import of a module has.
fn with_access<R>(host: &EngineHost, name: &str, f: impl FnOnce(&dyn Access) -> R) -> R {
    let access = &**host.files.access();
    if access.is_unrestricted() || !access.allows(&Wanted::Import(name)) {
        return f(access);
    }
    f(&ModuleAccess { access, roots: &host.loader.roots.borrow() })
}

/// Where the source of the main module lies, without importing it; its parents are imported.
pub(crate) fn locate<'v>(vm: &'v Vm, host: &EngineHost, name: &str) -> Result<Found, Exit<'v>> {
    let folders = search_folders(vm, host, name)?;
    find(vm, &Unrestricted, name, &folders, &mut |_, _| {})
}

fn not_found<'v>(vm: &'v Vm, name: &str, text: String) -> Exit<'v> {
    let e = vm.exception(Type::ModuleNotFoundError, text);
    let told = || {
        vm.set_attr_raw(e, vm.intern("name"), vm.str(name)?)?;
        vm.set_attr_raw(e, vm.intern("path"), Value::NONE)?;
        match instead_of(name) {
            Some(other) => {
                let note = format!("MiniScript has no '{name}': use {other}");
                vm.add_note(e, vm.str(&note)?).map(|_| ())
            }
            None => Ok(()),
        }
    };
    match told() {
        Ok(()) => Exit::Raise(e),
        Err(e) => e,
    }
}

/// What serves in place of a module of CPython's that is not bundled.
fn instead_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "http.client" | "urllib.request" => "http.get(url) and the other functions of http",
        "http.server" | "wsgiref" | "socketserver" => "http.serve(handler)",
        "http.cookies" | "http.cookiejar" => "the headers of http.Response and http.request",
        "urllib.error" => "http.HTTPError, which the functions of http raise",
        "urllib.robotparser" => "http.get(url) and urllib.parse",
        _ => return None,
    })
}

/// The folders in which `name` may lie.
fn search_folders<'v>(vm: &'v Vm, host: &EngineHost, name: &str) -> Result<Vec<PathBuf>, Exit<'v>> {
    match name.rsplit_once('.') {
        None => Ok(modules::sys_folders(vm, host)),
        Some((parent, _)) => {
            let module = vm.dict_get_str(vm.modules(), parent);
            let path = module
                .and_then(|m| m.get::<Module>())
                .and_then(|m| m.dict().get::<Dict>())
                .and_then(|d| vm.dict_get_str(d, "__path__"));
            let Some(path) = path else {
                let text = format!("No module named '{name}'; '{parent}' is not a package");
                return Err(not_found(vm, name, text));
            };
            Ok(modules::folders_of(path))
        }
    }
}

/// Looks for a module's source.
fn find<'v>(
    vm: &'v Vm,
    access: &dyn Access,
    name: &str,
    folders: &[PathBuf],
    tell: &mut dyn FnMut(&str, &Path),
) -> Result<Found, Exit<'v>> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let mut namespace = Vec::new();
    let is = |path: &Path, folder: bool| match ops::stat(access, path, true) {
        Ok(meta) => Ok(if folder { meta.is_dir() } else { !meta.is_dir() }),
        Err(FileError::Os(_)) => Ok(false),
        Err(e) => Err(file_error(vm, &e)),
    };
    let mut is_source = |path: &Path| {
        let found = is(path, false)?;
        tell(if found { "found" } else { "no" }, path);
        Ok(found)
    };
    for folder in folders {
        let package = folder.join(last);
        if is(&package, true)? {
            for suffix in SUFFIXES {
                let init = package.join(format!("__init__.{suffix}"));
                if is_source(&init)? {
                    return Ok(Found::File(init, Some(package)));
                }
            }
            namespace.push(package);
        }
        for suffix in SUFFIXES {
            let file = folder.join(format!("{last}.{suffix}"));
            if is_source(&file)? {
                return Ok(Found::File(file, None));
            }
        }
    }
    Ok(if namespace.is_empty() { Found::Nothing } else { Found::Folders(namespace) })
}

fn namespace_package<'v>(vm: &'v Vm, name: &str, folders: &[PathBuf]) -> NResult<'v> {
    let module = vm.new_module(name);
    let mut items = Vec::new();
    for f in folders {
        items.push(os_text(vm, f.as_os_str())?);
    }
    if let Some(d) = module.dict().get::<Dict>() {
        vm.dict_set_name(d, vm.intern("__path__"), vm.list(items)?)?;
        vm.dict_set_name(d, vm.intern("__package__"), vm.str(name)?)?;
        vm.dict_set_name(d, vm.intern("__file__"), Value::NONE)?;
    }
    let module = Value::object(module);
    vm.dict_set_name(vm.modules(), vm.intern(name), module)?;
    set_in_parent(vm, name, module)?;
    Ok(module)
}

/// A module object for a source file, with the attributes that its body may look at.
fn new_module<'v>(
    vm: &'v Vm,
    name: &str,
    path: &Path,
    package: Option<&Path>,
) -> Result<&'v Module, Exit<'v>> {
    let module = vm.new_module(name);
    if let Some(d) = module.dict().get::<Dict>() {
        let file = os_text(vm, path.as_os_str())?;
        let parent = match package {
            Some(_) => name,
            None => parent_of(name),
        };
        vm.dict_set_name(d, vm.intern("__package__"), vm.str(parent)?)?;
        vm.dict_set_name(d, vm.intern("__file__"), file)?;
        if let Some(folder) = package {
            let folder = os_text(vm, folder.as_os_str())?;
            vm.dict_set_name(d, vm.intern("__path__"), vm.list(vec![folder])?)?;
        }
        set_spec(vm, d, name, parent, file)?;
        set_builtins(vm, d)?;
    }
    Ok(module)
}

/// `__spec__`: the name, the package and the file, as tools ask for them.
pub(crate) fn set_spec<'v>(
    vm: &'v Vm,
    globals: &'v Dict,
    name: &str,
    parent: &str,
    origin: Value<'v>,
) -> Result<(), Exit<'v>> {
    let spec = vm.instance(vm.class(Type::SimpleNamespace));
    let locations = vm.dict_get_str(globals, "__path__").unwrap_or(Value::NONE);
    for (key, v) in [
        ("name", vm.str(name)?),
        ("loader", Value::NONE),
        ("origin", origin),
        ("submodule_search_locations", locations),
        ("parent", vm.str(parent)?),
        ("cached", Value::NONE),
        ("has_location", Value::TRUE),
    ] {
        vm.set_attr_raw(spec, vm.intern(key), v)?;
    }
    vm.dict_set_name(globals, vm.intern("__spec__"), spec)
}

/// `__builtins__`.
pub(crate) fn set_builtins<'v>(vm: &'v Vm, globals: &'v Dict) -> Result<(), Exit<'v>> {
    if let Some(builtins) = vm.dict_get_str(vm.modules(), "builtins") {
        vm.dict_set_name(globals, vm.intern("__builtins__"), builtins)?;
    }
    Ok(())
}

/// State: the module, its name. The body has ended.
static LOADED: Row = Row {
    name: "import_body",
    catches: true,
    resume: |vm, state, answer| {
        let name = state[1].get::<Str>().map(|s| s.to_display().into_owned()).unwrap_or_default();
        if let Some(host) = EngineHost::of(vm) {
            host.loader.locks.release(host, &name);
        }
        if let Answer::Raised(e) = answer {
            vm.dict_del_name(vm.modules(), vm.intern(&name))?;
            return Err(Exit::Raise(e));
        }
        // The body may have put something else in its place.
        let Some(module) = vm.dict_get_str(vm.modules(), &name) else {
            return Err(vm.key_error(state[1]));
        };
        set_in_parent(vm, &name, module)?;
        Ok(module)
    },
};

/// Makes a bundled module.
fn bundled<'v>(vm: &'v Vm, host: &EngineHost, def: &'static ModuleDef) -> NResult<'v> {
    let module = def.make(vm)?;
    if let Some(d) = module.dict().get::<Dict>() {
        let package = modules::is_package(def.name);
        if package {
            vm.dict_set_name(d, vm.intern("__path__"), vm.list(Vec::new())?)?;
            vm.dict_set_name(d, vm.intern("__package__"), vm.str(def.name)?)?;
        }
        let parent = if package { def.name } else { parent_of(def.name) };
        set_spec(vm, d, def.name, parent, vm.str("built-in")?)?;
        set_builtins(vm, d)?;
    }
    let Some(source) = def.source else {
        let module = Value::object(module);
        vm.dict_set_name(vm.modules(), vm.intern(def.name), module)?;
        set_in_parent(vm, def.name, module)?;
        return Ok(module);
    };
    let proto = cache::bundled(def.name, source)
        .map_err(|bad| vm.syntax_error(&bad.error, &bad.text, &bad.name))?;
    run_body(vm, host, def.name, module, &proto)
}

/// Makes a bundled module the main program: its natives are put into `main`, the globals of
/// `__main__`; the code of its source is the program.
pub(crate) fn bundled_main<'v>(
    vm: &'v Vm,
    def: &'static ModuleDef,
    main: &'v Dict,
) -> Result<Arc<CodeProto>, Exit<'v>> {
    if let Some(made) = def.make(vm)?.dict().get::<Dict>() {
        for (name, v) in made.entries() {
            if name.get::<Str>().is_none_or(|name| name.bytes() != b"__name__") {
                vm.dict_set_name(main, name, v)?;
            }
        }
    }
    let parent = parent_of(def.name);
    set_spec(vm, main, def.name, parent, vm.str("built-in")?)?;
    let code = match def.source {
        Some(source) => cache::bundled(def.name, source),
        None => source::compile_text(String::new(), def.name, miniscript_syntax::ast::Mode::Module),
    };
    code.map_err(|bad| vm.syntax_error(&bad.error, &bad.text, &bad.name))
}

/// The name of the package that a module is in; empty if it is in none.
fn parent_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(parent, _)| parent)
}

fn load<'v>(
    vm: &'v Vm,
    host: &EngineHost,
    name: &str,
    path: &Path,
    package: Option<&Path>,
) -> NResult<'v> {
    host.files.settle(path);
    let bytes = with_access(host, name, |access| source::read(access, path));
    let bytes = bytes.map_err(|e| file_error(vm, &e))?;
    let shown = path.to_string_lossy();
    vm.check_source(&bytes)?;
    let compiled = vm.watched(|watch| {
        with_access(host, name, |access| host.cache.compile(access, path, &bytes, &shown, watch))
    })?;
    let proto = compiled.map_err(|bad| vm.syntax_error(&bad.error, &bad.text, &bad.name))?;
    // There is nowhere to tell that standard error cannot be written.
    let _ = host.stderr.write(source::warnings(&proto).as_bytes());
    let module = new_module(vm, name, path, package)?;
    run_body(vm, host, name, module, &proto)
}

fn run_body<'v>(
    vm: &'v Vm,
    host: &EngineHost,
    name: &str,
    module: &'v Module,
    proto: &Arc<CodeProto>,
) -> NResult<'v> {
    let func = vm.module_function(proto, module.dict())?;
    let module = Value::object(module);
    vm.dict_set_name(vm.modules(), vm.intern(name), module)?;
    host.loader.locks.acquire(host, name);
    Err(Exit::call(func, Vec::new(), &LOADED, vec![module, vm.str(name)?]))
}

/// A submodule becomes an attribute of its package.
fn set_in_parent<'v>(vm: &'v Vm, name: &str, module: Value<'v>) -> Result<(), Exit<'v>> {
    let Some((parent, last)) = name.rsplit_once('.') else { return Ok(()) };
    let parent = vm.dict_get_str(vm.modules(), parent).and_then(|m| m.get::<Module>());
    match parent.and_then(|m| m.dict().get::<Dict>()) {
        Some(d) => vm.dict_set_name(d, vm.intern(last), module),
        None => Ok(()),
    }
}
