//! Main programs: found, read, compiled and run to their end.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miniscript_vm::Value;
use miniscript_vm::code::proto::CodeProto;

use crate::access::Unrestricted;
use crate::engine::{Engine, Failure, raised, unreadable};
use crate::loader::{self, Found};
use crate::modules;
use crate::project::Start;
use crate::scheduler::{self, Ended};
use crate::source;

/// A main program.
#[derive(Clone, Debug)]
pub enum Program {
    /// A file.
    File(PathBuf),
    /// Text under the name that tracebacks show.
    Text {
        /// The name.
        name: String,
        /// The bytes, not decoded yet.
        bytes: Vec<u8>,
    },
    /// Compiled code.
    Code(Arc<CodeProto>),
    /// A module, or the `__main__` of a package, found as an import finds it.
    Module(String),
}

impl Engine {
    /// Runs a main program to its end, reports what it did not catch on standard error, and
    /// gives the exit status: 0, 1 for an uncaught exception, 2 for a program that cannot start.
    pub fn run_program(&mut self, program: &Program) -> i32 {
        self.start_clock();
        let outcome = self.prepare(program).and_then(|proto| {
            if !matches!(program, Program::Code(_)) {
                self.complain(&source::warnings(&proto));
            }
            self.run_code(&proto, true)
        });
        let status = match outcome {
            Ok(v) => {
                self.vm.release(v);
                i32::from(self.host.scheduler.showed_failure.get())
            }
            Err(failure) => self.report(failure),
        };
        self.finish(status)
    }

    /// Reads and compiles a main program and fills `sys.argv` and `sys.path`.
    fn prepare(&mut self, program: &Program) -> Result<Arc<CodeProto>, Failure> {
        match program {
            Program::Text { name, bytes } => {
                let zero = if name == "<string>" { "-c" } else { "-" };
                self.set_start(zero.into(), Start::here())?;
                self.compile_main(bytes, name)
            }
            Program::File(path) => {
                let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                let name = absolute.to_string_lossy().into_owned();
                // The user names it, not a script.
                let bytes = source::read(&Unrestricted, path).map_err(|e| unreadable(path, &e))?;
                self.set_start(path.clone().into_os_string(), Start::script(&absolute))?;
                self.set_main("__file__", &name)?;
                self.compile_file(path, &bytes, &name)
            }
            Program::Code(proto) => {
                self.set_start("-".into(), Start::here())?;
                Ok(Arc::clone(proto))
            }
            Program::Module(name) => self.prepare_module(name),
        }
    }

    fn compile_main(&self, bytes: &[u8], name: &str) -> Result<Arc<CodeProto>, Failure> {
        self.vm.check_source(bytes).map_err(|e| raised(&self.vm, e))?;
        self.watched(|watch| source::compile_bytes(bytes, name, watch))
    }

    /// The code of the main program, which the user named; what is kept of it is the script's.
    fn compile_file(
        &self,
        path: &Path,
        bytes: &[u8],
        name: &str,
    ) -> Result<Arc<CodeProto>, Failure> {
        self.vm.check_source(bytes).map_err(|e| raised(&self.vm, e))?;
        let access = &**self.host.files.access();
        self.watched(|watch| self.host.cache.compile(access, path, bytes, name, watch))
    }

    fn prepare_module(&mut self, name: &str) -> Result<Arc<CodeProto>, Failure> {
        self.set_start("-m".into(), Start::module())?;
        let mut wanted = name.to_owned();
        loop {
            if let Some((parent, _)) = wanted.rsplit_once('.') {
                let parent = parent.to_owned();
                self.import(&parent)?;
            }
            if let Some(def) = modules::find(&wanted) {
                if modules::is_package(&wanted) {
                    wanted.push_str(".__main__");
                    continue;
                }
                // As if it lay in a file.
                let zero = format!("{}.py", wanted.replace('.', "/"));
                self.set_start(zero.into(), Start::default())?;
                let vm = &*self.vm;
                let Some(d) = self.globals() else { return Err(Failure::Unreadable(wanted)) };
                return loader::bundled_main(vm, def, d).map_err(|e| raised(vm, e));
            }
            let found = {
                let vm = &*self.vm;
                loader::locate(vm, &self.host, &wanted).map_err(|e| raised(vm, e))?
            };
            match found {
                Found::File(_, Some(_)) | Found::Folders(_) if !wanted.ends_with(".__main__") => {
                    wanted.push_str(".__main__");
                }
                Found::File(path, None) => {
                    let file = path.to_string_lossy().into_owned();
                    self.set_start(path.clone().into_os_string(), Start::default())?;
                    self.set_main("__file__", &file)?;
                    let package = wanted.rsplit_once('.').map_or("", |(p, _)| p);
                    self.set_main("__package__", package)?;
                    let vm = &*self.vm;
                    if let Some(d) = self.globals() {
                        vm.str(&file)
                            .and_then(|f| loader::set_spec(vm, d, &wanted, package, f))
                            .map_err(|e| raised(vm, e))?;
                    }
                    let bytes =
                        source::read(&Unrestricted, &path).map_err(|e| unreadable(&path, &e))?;
                    return self.compile_file(&path, &bytes, &file);
                }
                _ if wanted != name => {
                    return Err(Failure::Unreadable(format!(
                        "No module named {wanted}; '{name}' is a package and cannot be directly \
                         executed"
                    )));
                }
                _ => return Err(Failure::Unreadable(format!("No module named {name}"))),
            }
        }
    }

    fn import(&mut self, name: &str) -> Result<(), Failure> {
        let call = {
            let vm = &*self.vm;
            let import = vm.dict_get_str(vm.builtins(), "__import__").unwrap_or(Value::NONE);
            let args = vm.str(name).and_then(|n| vm.tuple(&[n])).map_err(|e| raised(vm, e))?;
            [vm.retain(import), vm.retain(args)]
        };
        match scheduler::call(&mut self.vm, &self.host, call) {
            Ended::Returned(v) => {
                self.vm.release(v);
                Ok(())
            }
            Ended::Raised(e) => Err(Failure::Raised(e)),
        }
    }

    /// `sys.argv`, `sys.path` and the project of what is typed at a prompt.
    ///
    /// # Errors
    /// When there is no memory for them.
    pub fn start_prompt(&mut self) -> Result<(), Failure> {
        self.set_start(OsString::new(), Start::here())
    }

    /// `sys.argv[0]`, what comes first in `sys.path`, and the project.
    fn set_start(&mut self, zero: OsString, start: Start) -> Result<(), Failure> {
        if let (Some(project), Some(importer)) =
            (start.project, self.host.importer.borrow().as_ref())
        {
            importer.set_project(project);
        }
        let vm = &*self.vm;
        let mut settings = self.host.settings.borrow_mut();
        settings.argv = std::iter::once(zero).chain(self.args.iter().cloned()).collect();
        settings.path.splice(0..0, start.path);
        let (argv, path) = (settings.argv.clone(), settings.path.clone());
        drop(settings);
        self.host.loader.set_roots(&**self.host.files.access(), &path);
        modules::set_start(vm, &argv, &path).map_err(|e| raised(vm, e))
    }

    pub(crate) fn set_main(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        let vm = &*self.vm;
        let Some(d) = self.globals() else { return Ok(()) };
        let set = vm.str(text).and_then(|v| vm.dict_set_name(d, vm.intern(name), v));
        set.map_err(|e| raised(vm, e))
    }
}
