//! The module's functions on a temporary directory, over the test host's file service.

#![allow(clippy::cloned_ref_to_slice_refs)] // Lists of arguments read alike.

use miniscript_sdk::testing::{Object, Py, Raised, Vm};
use tempfile::TempDir;

struct World {
    vm: Box<Vm>,
    dir: TempDir,
}

impl World {
    fn new() -> Self {
        let vm = Vm::new(ms_file::descriptor()).expect("the module can be imported");
        Self { vm, dir: tempfile::tempdir().expect("a directory") }
    }

    fn path(&self, name: &str) -> Py {
        Py::str(&self.text(name))
    }

    fn text(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn call(&self, function: &str, args: &[Py]) -> String {
        self.call_with(function, args, &[])
    }

    fn call_with(&self, function: &str, args: &[Py], named: &[(&str, Py)]) -> String {
        self.shown(self.vm.call(function, args, named))
    }

    fn shown(&self, result: Result<Py, Raised>) -> String {
        let text = match result {
            Ok(value) => format!("{value:?}"),
            Err(raised) => format!("{}: {}", raised.class, raised.message),
        };
        text.replace(self.dir.path().to_str().expect("UTF-8"), "DIR")
    }
}

fn bytes(content: &[u8]) -> Py {
    Py::object(Object::Bytes(content.to_vec()))
}

#[test]
fn text_and_bytes_go_both_ways() {
    let world = World::new();
    let path = world.path("a.txt");
    assert_eq!(world.call("write", &[path.clone(), Py::str("é\r\n1")]), "4");
    assert_eq!(world.call("append", &[path.clone(), Py::str("\nx\ry")]), "4");
    assert_eq!(world.call("read", &[path.clone()]), "'é\r\n1\nx\ry'");
    assert_eq!(world.call("read_bytes", &[path.clone()]), r"b'\xc3\xa9\r\n1\nx\ry'");
    assert_eq!(world.call("lines", &[path.clone()]), "['é', '1', 'x', 'y']");
    assert_eq!(world.call("write_bytes", &[path.clone(), bytes(b"\x00\xff")]), "2");
    assert_eq!(world.call("append_bytes", &[path.clone(), bytes(b"z")]), "1");
    assert_eq!(world.call("read_bytes", &[path]), r"b'\x00\xffz'");
    assert_eq!(world.vm.open_operations(), 0);
    assert_eq!(world.vm.retained(), 0);
}

#[test]
fn directories_are_made_listed_and_removed() {
    let world = World::new();
    let nested = world.path("a/b/c");
    let missing = "FileNotFoundError: [Errno 2] No such file or directory: 'DIR/a/b/c'";
    assert_eq!(world.call("mkdir", &[nested.clone()]), missing);
    assert_eq!(world.call("mkdir", &[nested.clone(), Py::Bool(true)]), "None");
    let exists = "FileExistsError: [Errno 17] File exists: 'DIR/a/b/c'";
    assert_eq!(world.call("mkdir", &[nested.clone(), Py::Bool(true)]), exists);
    let exist_ok = [("exist_ok", Py::Bool(true))];
    assert_eq!(world.call_with("mkdir", &[nested], &exist_ok), "None");
    world.call("write", &[world.path("a/f"), Py::str("12345")]);
    let entries = world.vm.call("list_dir", &[world.path("a")], &[]).expect("entries");
    let Py::Object(list) = &entries else { panic!("a list") };
    let Object::List(entries) = &**list else { panic!("a list") };
    let shown: Vec<String> = entries
        .borrow()
        .iter()
        .map(|entry| {
            let of = |name| world.shown(world.vm.method(entry, name, &[]));
            format!(
                "{} {} {} {} {}",
                of("name"),
                of("path"),
                of("is_dir"),
                of("is_file"),
                of("size")
            )
        })
        .collect();
    assert!(shown[0].starts_with("'b' 'DIR/a/b' True False"), "{}", shown[0]);
    assert_eq!(shown[1], "'f' 'DIR/a/f' False True 5");
    let full = world.call("remove", &[world.path("a")]);
    assert!(full.starts_with("OSError: [Errno 39] Directory not empty: 'DIR/a'"), "{full}");
    let recursive = [("recursive", Py::Bool(true))];
    assert_eq!(world.call_with("remove", &[world.path("a")], &recursive), "None");
    assert_eq!(world.call("exists", &[world.path("a")]), "False");
}

#[test]
fn files_are_described_moved_and_copied() {
    let world = World::new();
    let (a, b) = (world.path("a"), world.path("b"));
    world.call("write", &[a.clone(), Py::str("abc")]);
    assert_eq!(world.call("copy", &[a.clone(), b.clone()]), "3");
    assert_eq!(world.call("rename", &[a.clone(), b.clone()]), "None");
    assert_eq!(world.call("exists", &[a.clone()]), "False");
    assert_eq!(world.call("is_file", &[b.clone()]), "True");
    assert_eq!(world.call("is_dir", &[world.path("")]), "True");
    assert_eq!(world.call("exists", &[world.path("b/c")]), "False");
    let stat = world.vm.call("stat", &[b.clone()], &[]).expect("metadata");
    let mode = world.shown(world.vm.method(&stat, "mode", &[]));
    assert_eq!(mode.parse::<u32>().expect("a number") & 0o170000, 0o100000);
    assert_eq!(world.shown(world.vm.method(&stat, "name", &[])), "'b'");
    let text = world.shown(world.vm.method(&stat, "__repr__", &[]));
    assert!(text.contains("FileInfo(name='b', is_dir=False, size=3, mode=0o100"), "{text}");
    let missing = "FileNotFoundError: [Errno 2] No such file or directory: 'DIR/a'";
    for function in ["read", "read_bytes", "lines", "stat", "remove", "real_path"] {
        assert_eq!(world.call(function, &[a.clone()]), missing, "{function}");
    }
    assert_eq!(world.call("rename", &[a.clone(), b.clone()]), missing);
    assert_eq!(world.call("copy", &[a, b]), missing);
}

#[test]
fn wrong_arguments_are_refused() {
    let world = World::new();
    let text = world.call("read", &[Py::Int(3)]);
    let expected =
        "TypeError: read() argument 'path' must be str, bytes or os.PathLike object, not int";
    assert_eq!(text, expected);
    assert_eq!(world.call("read", &[Py::str("a\0b")]), "ValueError: embedded null character");
    let text = world.call("write", &[world.path("a"), Py::Int(1)]);
    assert_eq!(text, "TypeError: write() argument 'text' must be str, not int");
    let fspath = Py::function(|_, _| Ok(Py::Int(1)));
    let odd = Py::object(Object::Instance("Odd", vec![("__fspath__", fspath)]));
    let text = world.call("read", &[odd]);
    assert_eq!(text, "TypeError: expected Odd.__fspath__() to return str or bytes, not int");
    world.call("write", &[world.path("p"), Py::str("text")]);
    let name = world.text("p");
    let fspath = Py::function(move |_, _| Ok(Py::str(&name)));
    let path = Py::object(Object::Instance("P", vec![("__fspath__", fspath)]));
    assert_eq!(world.call("read", &[path]), "'text'");
}
