//! Old and new pairs in Rust, which pass the check of `abi_stable`.
//!
//! Workspaces are made beside the build from the repository's sources: `present`, and `newer`
//! with a field appended to every record that may grow. Each has an extension made with its SDK
//! and a host made of its registry and of the SDK's test host; every host then loads every
//! extension and calls into it, and a whole engine of today does, too.

use crate::support::{Built, EXAMPLE, repo};
use miniscript_engine::access::Unrestricted;
use miniscript_engine::{Config, Engine};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const EXTENSION: &str = r#"
//! An extension of one age.
use miniscript_sdk as ms;
use ms::prelude::*;
use std::time::Duration;

/// Adds.
#[ms::function]
fn add(a: i64, #[ms(default = 1)] b: i64) -> i64 {
    a + b
}

#[ms::function]
fn plus(a: i64, #[ms(default = 1)] b: i64) -> i64 {
    a + b
}

/// callback(callback(x))
#[ms::function(calls_back)]
fn twice(cx: &Cx, callback: Value, x: Value) -> Result<Value> {
    let once = cx.call(callback, &[x])?;
    cx.call(callback, &[once])
}

/// Waits, then raises.
#[ms::function]
async fn fail(text: String) -> Result<i64> {
    ms::time::sleep(Duration::from_millis(1)).await?;
    Err(Error::new("PairError", text))
}

#[ms::class]
struct Counter {
    value: i64,
}

#[ms::methods]
impl Counter {
    #[ms(new)]
    fn new(value: i64) -> Self {
        Self { value }
    }

    fn count(&mut self, #[ms(default = 1)] by: i64) -> i64 {
        self.value += by;
        self.value
    }

    fn __eq__(&self, other: Instance<Counter>) -> Result<bool> {
        Ok(self.value == other.borrow()?.value)
    }
}

ms::module! {
    name: "pair",
    version: "1.0.0",
    functions: [add, plus, twice, fail],
    classes: [Counter],
    exceptions: { PairError: "ValueError" },
    constants: { ANSWER: 42 },
}
"#;

/// What a script of this engine does with it.
const SCRIPT: &str = "
import pair
assert pair.add(40, b=2) == pair.ANSWER and pair.plus(1) == 2
assert pair.twice(lambda x: [sleep(0), x + x][1], 'ab') == 'abababab'
try:
    pair.fail('so')
except ValueError as e:
    assert type(e) is pair.PairError and str(e) == 'so'
else:
    assert False
c = pair.Counter(5)
assert c.count() == 6 and c.count(by=4) == 10
assert c == pair.Counter(10) and c != pair.Counter(1) and c != 'c'
";

/// Prints the ABI and the signatures of an extension.
const HOST: &str = r#"
//! A host of one age.
#[path = "REGISTRY/mod.rs"]
#[allow(dead_code)]
mod registry;

fn main() {
    let path = std::env::args().nth(1).expect("a library");
    match registry::load_file(std::path::Path::new(&path), "pair") {
        Ok(extension) => {
            println!("{}.{}", extension.abi.0, extension.abi.1);
            for function in &extension.functions {
                println!("{}", function.signature());
            }
            if !extension.classes.is_empty() {
                calls(&path);
            }
        }
        Err(error) => println!("{error}\n{}", error.details().unwrap_or_default()),
    }
}

/// Calls into the extension, which is loaded already, through the tables of this age.
fn calls(path: &str) {
    use miniscript_sdk::abi::MsDescriptor;
    use miniscript_sdk::testing::{Py, Vm};
    // SAFETY: the library was built for this test against the ABI whose descriptor its symbol
    // gives, and it is never closed.
    let vm = unsafe {
        let library = std::mem::ManuallyDrop::new(libloading::Library::new(path).expect("opens"));
        let descriptor: MsDescriptor = *library.get(b"ms_ext_pair").expect("the symbol");
        Vm::new(&*descriptor()).unwrap_or_else(|error| panic!("{}", error.message))
    };
    let shown = |result: Result<Py, miniscript_sdk::testing::Raised>| match result {
        Ok(Py::Int(n)) => n.to_string(),
        Ok(_) => "another value".to_owned(),
        Err(error) => format!("{}: {}", error.class, error.message),
    };
    let int = Py::Int;
    println!("{}", shown(vm.call("add", &[int(40)], &[("b", int(2))])));
    println!("{}", shown(vm.call("plus", &[int(1)], &[])));
    println!("{}", shown(vm.call("plus", &[Py::str("x")], &[])));
    let double = Py::function(|_, args| match &args[0] {
        Py::Int(n) => Ok(Py::Int(n + n)),
        _ => Err(miniscript_sdk::testing::Raised::new("TypeError", "no int")),
    });
    println!("{}", shown(vm.call("twice", &[double, int(3)], &[])));
    println!("{}", shown(vm.call("fail", &[Py::str("so")], &[])));
    let counter = vm.construct("Counter", &[int(5)]).unwrap_or_else(|e| panic!("{}", e.message));
    println!("{}", shown(vm.method(&counter, "count", &[int(4)])));
}
"#;

/// What it prints of its calls.
const CALLS: &str = "42\n2\nTypeError: 'str' object cannot be interpreted as an integer\n12\n\
                     PairError: so\n9\n";

/// What makes the newer sources: file, text, its replacement.
const APPENDED: &[(&str, &str, &str)] = &[
    ("abi/src/lib.rs", "MS_ABI_MINOR: u32 = 0", "MS_ABI_MINOR: u32 = 1"),
    ("abi/Cargo.toml", "version = \"1.0.0\"", "version = \"1.1.0\""),
    (
        "abi/src/ext.rs",
        "        pub annotation: MsStr,\n",
        "        pub annotation: MsStr,\n        /// Newer.\n        pub newer: u64,\n",
    ),
    (
        "abi/src/ext.rs",
        "        pub returns: MsStr,\n",
        "        pub returns: MsStr,\n        /// Newer.\n        pub newer: u64,\n",
    ),
    (
        "abi/src/ext.rs",
        "        pub shutdown: Option<MsShutdown>,\n",
        "        pub shutdown: Option<MsShutdown>,\n        /// Newer.\n        pub newer: u64,\n",
    ),
    (
        "abi/src/host/task.rs",
        "        fn op_close(op: MsOp);\n",
        "        fn op_close(op: MsOp);\n        /// Newer.\n        fn newer(op: MsOp);\n",
    ),
    (
        "sdk/src/testing/flow.rs",
        "    op_close: Some(op_close),\n",
        "    op_close: Some(op_close),\n    newer: None,\n",
    ),
    (
        "macros/src/signature.rs",
        "annotation: #abi::MsStr::new(#shown),",
        "annotation: #abi::MsStr::new(#shown), newer: 7,",
    ),
    (
        "macros/src/signature.rs",
        "returns: #abi::MsStr::new(#returns),",
        "returns: #abi::MsStr::new(#returns), newer: 7,",
    ),
    (
        "macros/src/module.rs",
        "shutdown: ::core::option::Option::Some(__ms_shutdown),",
        "shutdown: ::core::option::Option::Some(__ms_shutdown), newer: 7,",
    ),
];

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Writes a workspace of one age and builds its extension and its host.
fn build(age: &str, folder: &Path, target: &Path) -> (PathBuf, PathBuf) {
    let root = folder.join(age);
    for part in ["abi", "sdk", "macros"] {
        copy_tree(&repo().join("ext-sdk").join(part), &root.join("ext-sdk").join(part));
    }
    let registry = root.join("registry");
    copy_tree(&repo().join("interpreter/engine/src/registry"), &registry);
    if age == "newer" {
        for (file, from, to) in APPENDED {
            let path = root.join("ext-sdk").join(file);
            let text = std::fs::read_to_string(&path).expect("a source");
            assert_eq!(text.matches(from).count(), 1, "{file}: {from}");
            std::fs::write(&path, text.replace(from, to)).expect("written");
        }
    }
    let workspace = std::fs::read_to_string(repo().join("Cargo.toml")).expect("the workspace");
    let begin = workspace.find("members = [").expect("members");
    let end = workspace.find("[workspace.package]").expect("the package");
    // Without the profiles: built fast, run once.
    let profiles = workspace.find("[profile.dev]").expect("profiles");
    let members = "members = [\"ext-sdk/*\", \"pair\", \"host\"]\n\n";
    let workspace = format!("{}{members}{}", &workspace[..begin], &workspace[end..profiles]);
    // Other versions, so that cargo keeps the two ages apart in one target folder.
    let workspace = match age {
        "newer" => workspace.replace("\nversion = \"0.1.0\"", "\nversion = \"0.1.1\""),
        _ => workspace,
    };
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    };
    write("Cargo.toml", &workspace);
    std::fs::copy(repo().join("Cargo.lock"), root.join("Cargo.lock")).expect("copied");
    let head = |name: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion.workspace = true\nedition.workspace = true\n"
        )
    };
    write(
        "pair/Cargo.toml",
        &format!(
            "{}[lib]\nname = \"ms_pair\"\ncrate-type = [\"cdylib\"]\n[dependencies]\nminiscript-sdk = {{ workspace = true }}\n",
            head("ms-ext-pair")
        ),
    );
    write("pair/src/lib.rs", EXTENSION);
    let engine = std::fs::read_to_string(repo().join("interpreter/engine/Cargo.toml"))
        .expect("the engine's manifest");
    let needs: Vec<&str> = engine
        .lines()
        .filter(|line| {
            ["miniscript-abi", "abi_stable", "libloading", "object", "serde ", "toml"]
                .iter()
                .any(|name| line.starts_with(name))
        })
        .collect();
    write(
        "host/Cargo.toml",
        &format!(
            "{}[dependencies]\nminiscript-sdk = {{ workspace = true, features = [\"testing\"] }}\n{}\n",
            head("pair-host"),
            needs.join("\n")
        ),
    );
    write("host/src/main.rs", &HOST.replace("REGISTRY", &registry.to_string_lossy()));
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "-p", "ms-ext-pair", "-p", "pair-host"])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "-Adead_code -Aunused")
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{age}:\n{}", String::from_utf8_lossy(&output.stderr));
    // Both ages share the target folder, and so what they depend on.
    let library = miniscript_engine::registry::file_name("pair");
    let host = format!("pair-host{}", std::env::consts::EXE_SUFFIX);
    for file in [&library, &host] {
        std::fs::copy(target.join("debug").join(file), root.join(file)).expect("built");
    }
    (root.join(library), root.join(host))
}

#[test]
fn every_host_loads_every_extension() {
    let test = std::env::current_exe().expect("the test has a path");
    let target = test.parent().and_then(Path::parent).expect("target/PROFILE").join("abi-pairs");
    let folder = target.join("sources");
    let _ = std::fs::remove_dir_all(&folder);
    let ages: Vec<(&str, PathBuf, PathBuf)> = ["present", "newer"]
        .into_iter()
        .map(|age| {
            let (library, host) = build(age, &folder, &target);
            (age, library, host)
        })
        .collect();
    let c = Built::from_c("pair", EXAMPLE);
    for (host_age, _, host) in &ages {
        let run = |library: &Path| {
            let output = Command::new(host).arg(library).output().expect("the host runs");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        for (age, library, _) in &ages {
            let minor = usize::from(*age == "newer");
            let expected = format!(
                "1.{minor}\nadd(a: int, b: int = 1) -> int\nplus(a: int, b: int = 1) -> int\n\
                 twice(callback, x)\nasync fail(text: str) -> int\n{CALLS}"
            );
            assert_eq!(run(library), expected, "host {host_age}, extension {age}");
        }
        assert_eq!(
            run(&c.path),
            "1.0\nadd(a: int, b: int = 1) -> int\n",
            "host {host_age}, extension in C"
        );
    }
    for (age, library, _) in &ages {
        let ext_path = vec![library.parent().expect("its folder").to_path_buf()];
        let access = Arc::new(Unrestricted);
        let mut engine = Engine::new(Config { ext_path, access, ..Config::default() });
        if let Err(failure) = engine.run_source(SCRIPT, "pair.ms") {
            engine.report(failure);
            panic!("an extension that is {age} does not run");
        }
    }
}
