//! Tests of the file service.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::*;
use crate::access::{Access, Grants, Right, Unrestricted};
use crate::reactor::{Reactor, TaskToken};

mod sessions;

const LONG: Duration = Duration::from_secs(10);
const TOKEN: TaskToken = TaskToken::from_bits(1 << 32 | 1);
const OTHER: TaskToken = TaskToken::from_bits(1 << 32 | 2);

struct World {
    dir: tempfile::TempDir,
    reactor: Rc<Reactor>,
    files: FileService,
}

impl World {
    fn new() -> World {
        World::with(|_| Arc::new(Unrestricted))
    }

    fn with(access: impl FnOnce(&Path) -> Arc<dyn Access>) -> World {
        let dir = tempfile::tempdir().unwrap();
        let reactor = Rc::new(Reactor::new());
        let files = FileService::new(Rc::clone(&reactor), access(dir.path()));
        World { dir, reactor, files }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Turns the reactor until `poll` is ready.
    fn wait<T>(&self, mut poll: impl FnMut(TaskToken) -> Poll<T>) -> T {
        let end = Instant::now() + LONG;
        let mut ready = Vec::new();
        loop {
            if let Poll::Ready(value) = poll(TOKEN) {
                return value;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "nothing happened in time");
            self.reactor.turn(Some(left), &mut ready).unwrap();
            ready.clear();
        }
    }

    fn open(&self, path: &Path, args: OpenArgs<'_>) -> FileResult<Rc<OpenFile>> {
        let mut opening = self.files.open(TOKEN, path, OpenMode::parse(&args)?);
        self.wait(|token| opening.poll(token))
    }

    fn mode(&self, path: &Path, mode: &str) -> FileResult<Rc<OpenFile>> {
        self.open(path, OpenArgs { mode, ..OpenArgs::default() })
    }

    fn run<T>(&self, mut op: FileOp<T>) -> FileResult<T> {
        self.wait(|token| op.poll(token))
    }

    fn write(&self, name: &str, data: &[u8]) -> FileResult<()> {
        let path = self.path(name);
        self.run(self.files.write_whole(TOKEN, &path, data.to_vec(), WriteOptions::default()))
    }

    fn names(&self) -> Vec<String> {
        let entries = self.run(self.files.list_dir(TOKEN, self.dir.path(), false)).unwrap();
        entries.iter().map(|e| e.name.to_string_lossy().into_owned()).collect()
    }
}

/// Runs this one test in a process of its own, for what holds for a whole process; true there.
fn alone(name: &str) -> bool {
    if std::env::var_os("MS_TEST_ALONE").is_some() {
        return true;
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("files::tests::{name}"), "--test-threads=1"])
        .env("MS_TEST_ALONE", "1")
        .status();
    assert!(child.unwrap().success());
    false
}

#[test]
fn errors_read_as_in_cpython() {
    let world = World::new();
    let read = |path: &Path| world.run(world.files.read_whole(TOKEN, path, None)).unwrap_err();
    let error = read(Path::new("no/such"));
    assert_eq!(error.to_string(), "[Errno 2] No such file or directory: 'no/such'");
    assert_eq!((error.class(), error.errno()), ("FileNotFoundError", Some(2)));
    let error = read(world.dir.path());
    let text = format!("[Errno 21] Is a directory: '{}'", world.dir.path().display());
    assert_eq!((error.class(), error.to_string()), ("IsADirectoryError", text));
    assert_eq!(read(Path::new("a\0b")).to_string(), "embedded null byte");
    let (from, to) = (world.path("from"), world.path("to"));
    let error = world.run(world.files.rename(TOKEN, &from, &to)).unwrap_err();
    let text =
        format!("[Errno 2] No such file or directory: '{}' -> '{}'", from.display(), to.display());
    assert_eq!(error.to_string(), text);
    world.write("f", b"").unwrap();
    let error = world.run(world.files.mkdir(TOKEN, &world.path("f/x"), false, 0o777)).unwrap_err();
    assert_eq!(error.class(), "NotADirectoryError");
    let error = world.run(world.files.mkdir(TOKEN, &world.path("f"), false, 0o777)).unwrap_err();
    assert_eq!(error.class(), "FileExistsError");
    let error = world.mode(&world.path("f"), "x").unwrap_err();
    assert_eq!((error.class(), error.errno()), ("FileExistsError", Some(17)));
}

#[test]
fn arguments_of_open_are_checked_in_cpythons_words() {
    let parse = |args: OpenArgs<'_>| OpenMode::parse(&args).unwrap_err().to_string();
    let mode = |mode| parse(OpenArgs { mode, ..OpenArgs::default() });
    assert_eq!(mode("rw"), "must have exactly one of create/read/write/append mode");
    assert_eq!(
        mode(""),
        "Must have exactly one of create/read/write/append mode and at most one plus"
    );
    assert_eq!(mode("rbt"), "can't have text and binary mode at once");
    assert_eq!(mode("r+b+"), "invalid mode: 'r+b+'");
    assert_eq!(mode("q"), "invalid mode: 'q'");
    let binary = OpenArgs { mode: "rb", ..OpenArgs::default() };
    assert_eq!(
        parse(OpenArgs { encoding: Some("utf-8"), ..binary }),
        "binary mode doesn't take an encoding argument"
    );
    let text = OpenArgs::default();
    assert_eq!(parse(OpenArgs { buffering: 0, ..text }), "can't have unbuffered text I/O");
    assert_eq!(parse(OpenArgs { newline: Some("q"), ..text }), "illegal newline value: q");
    assert_eq!(parse(OpenArgs { encoding: Some("nope"), ..text }), "unknown encoding: nope");
}

#[test]
fn bad_bytes_are_decoded_as_in_cpython() {
    let world = World::new();
    let path = world.path("f");
    let decode = |encoding: &str, errors: &str, data: &[u8]| {
        std::fs::write(&path, data).unwrap();
        let (encoding, errors) = (Some(encoding), Some(errors));
        let file = world.open(&path, OpenArgs { encoding, errors, ..OpenArgs::default() }).unwrap();
        match world.wait(|t| file.poll_read(t, None)) {
            Ok(text) => {
                String::from_utf8(text).unwrap_or_else(|e| format!("{:02x?}", e.as_bytes()))
            }
            Err(error) => format!("{}: {error}", error.class()),
        }
    };
    let bad = b"a\xff\xe2\x82(b\xf0\x9f\x98\xed\xa0\x80\xc0\x80z\xe2\x82";
    let f = '\u{fffd}';
    assert_eq!(decode("utf-8", "replace", bad), format!("a{f}{f}(b{f}{f}{f}{f}{f}{f}z{f}"));
    assert_eq!(decode("utf-8", "ignore", bad), "a(bz");
    assert_eq!(
        decode("utf-8", "backslashreplace", bad),
        "a\\xff\\xe2\\x82(b\\xf0\\x9f\\x98\\xed\\xa0\\x80\\xc0\\x80z\\xe2\\x82"
    );
    assert_eq!(decode("utf-8", "surrogateescape", b"\xff"), "[ed, b3, bf]");
    assert_eq!(decode("utf-8", "surrogatepass", b"\xed\xa0\x80"), "[ed, a0, 80]");
    let table: &[(&str, &[u8], &str)] = &[
        ("utf-8", bad, "'utf-8' codec can't decode byte 0xff in position 1: invalid start byte"),
        (
            "utf-8",
            b"ab\xe2\x82",
            "'utf-8' codec can't decode bytes in position 2-3: unexpected end of data",
        ),
        (
            "utf-8",
            b"\xe2(a",
            "'utf-8' codec can't decode byte 0xe2 in position 0: invalid continuation byte",
        ),
        (
            "utf-16-le",
            b"\x00\xd8a\x00",
            "'utf-16-le' codec can't decode bytes in position 0-1: illegal UTF-16 surrogate",
        ),
        (
            "utf-16-le",
            b"\x00\xdca\x00",
            "'utf-16-le' codec can't decode bytes in position 0-1: illegal encoding",
        ),
        (
            "utf-16-le",
            b"\x00\xd8a",
            "'utf-16-le' codec can't decode bytes in position 0-2: unexpected end of data",
        ),
        (
            "utf-32-le",
            b"abc",
            "'utf-32-le' codec can't decode bytes in position 0-2: truncated data",
        ),
        (
            "utf-32-le",
            b"\x00\xd8\x00\x00",
            "'utf-32-le' codec can't decode bytes in position 0-3: \
             code point in surrogate code point range(0xd800, 0xe000)",
        ),
        (
            "ascii",
            b"a\x80b",
            "'ascii' codec can't decode byte 0x80 in position 1: ordinal not in range(128)",
        ),
    ];
    for (encoding, data, message) in table {
        let expected = format!("UnicodeDecodeError: {message}");
        assert_eq!(decode(encoding, "strict", data), expected, "{encoding} {data:?}");
    }
    let expected = "UnicodeError: UTF-16 stream does not start with BOM";
    assert_eq!(decode("utf-16", "replace", b"a\0"), expected);
    assert_eq!(decode("utf-16", "strict", b"\xfe\xff\0a"), "a");
}

#[test]
fn odd_text_is_encoded_as_in_cpython() {
    let world = World::new();
    let path = world.path("f");
    // 'a\u00e9\u20ac\udc80\ud800\U0001f600'
    let text = b"a\xc3\xa9\xe2\x82\xac\xed\xb2\x80\xed\xa0\x80\xf0\x9f\x98\x80";
    let encode = |encoding: &str, errors: &str| {
        let args = OpenArgs {
            mode: "w",
            encoding: Some(encoding),
            errors: Some(errors),
            ..OpenArgs::default()
        };
        let file = world.open(&path, args).unwrap();
        let mut taken = false;
        match world.wait(|t| file.poll_write(t, text, &mut taken)) {
            Ok(n) => assert_eq!(n, 6),
            Err(error) => return format!("{}: {error}", error.class()),
        }
        world.wait(|t| file.poll_close(t)).unwrap();
        std::fs::read(&path).unwrap().escape_ascii().to_string()
    };
    assert_eq!(
        encode("utf-8", "strict"),
        "UnicodeEncodeError: 'utf-8' codec can't encode characters in position 3-4: \
         surrogates not allowed"
    );
    assert_eq!(
        encode("utf-8", "surrogateescape"),
        "UnicodeEncodeError: 'utf-8' codec can't encode character '\\ud800' in position 4: \
         surrogates not allowed"
    );
    assert_eq!(
        encode("ascii", "surrogatepass"),
        "UnicodeEncodeError: 'ascii' codec can't encode characters in position 1-5: \
         ordinal not in range(128)"
    );
    assert_eq!(
        encode("utf-16-le", "strict"),
        "UnicodeEncodeError: 'utf-16-le' codec can't encode character '\\udc80' in position 3: \
         surrogates not allowed"
    );
    assert_eq!(encode("latin-1", "ignore"), "a\\xe9");
    assert_eq!(encode("ascii", "replace"), "a?????");
    assert_eq!(encode("utf-16-le", "replace"), r"a\x00\xe9\x00\xac ?\x00?\x00=\xd8\x00\xde");
    assert_eq!(encode("ascii", "backslashreplace"), r"a\\xe9\\u20ac\\udc80\\ud800\\U0001f600");
    assert_eq!(encode("latin-1", "xmlcharrefreplace"), r"a\xe9&#8364;&#56448;&#55296;&#128512;");
    assert_eq!(
        encode("utf-8", "surrogatepass"),
        r"a\xc3\xa9\xe2\x82\xac\xed\xb2\x80\xed\xa0\x80\xf0\x9f\x98\x80"
    );
}

#[test]
fn a_whole_write_keeps_mode_and_link_and_leaves_nothing() {
    let world = World::new();
    world.write("f", b"old").unwrap();
    assert_eq!(world.run(world.files.read_whole(TOKEN, &world.path("f"), None)).unwrap(), b"old");
    std::fs::set_permissions(world.path("f"), PermissionsExt::from_mode(0o640)).unwrap();
    symlink("f", world.path("link")).unwrap();
    symlink("link", world.path("chain")).unwrap();
    let before = std::fs::metadata(world.path("f")).unwrap();
    world.write("chain", b"new").unwrap();
    let after = std::fs::symlink_metadata(world.path("f")).unwrap();
    assert_eq!(std::fs::read(world.path("f")).unwrap(), b"new");
    assert_eq!(after.mode(), before.mode());
    assert_ne!(after.ino(), before.ino(), "it was not replaced as a whole");
    assert!(std::fs::symlink_metadata(world.path("link")).unwrap().is_symlink());
    assert_eq!(world.names(), ["chain", "f", "link"]);
    // A link to nothing makes the file it names.
    symlink("made", world.path("dangling")).unwrap();
    world.write("dangling", b"x").unwrap();
    assert_eq!(std::fs::read(world.path("made")).unwrap(), b"x");
    let append = WriteOptions { append: true, ..WriteOptions::default() };
    let path = world.path("made");
    world.run(world.files.write_whole(TOKEN, &path, b"y".to_vec(), append)).unwrap();
    let durable = WriteOptions { durable: true, append: false };
    let path = world.path("durable");
    world.run(world.files.write_whole(TOKEN, &path, b"z".to_vec(), durable)).unwrap();
    assert_eq!(std::fs::read(world.path("made")).unwrap(), b"xy");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_old_file_and_nothing_else() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    if !alone("a_full_disk_leaves_the_old_file_and_nothing_else") {
        return;
    }
    let world = World::new();
    world.write("f", b"old").unwrap();
    // SIGXFSZ would end the process; in a shell that ignores it, so do its children.
    let old = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(4096), ..old }).unwrap();
    if std::env::var_os("MS_TEST_XFSZ_IGNORED").is_none() {
        setrlimit(Resource::Fsize, old).unwrap();
        let exe = std::env::current_exe().unwrap();
        let name = "files::tests::a_full_disk_leaves_the_old_file_and_nothing_else";
        let script = format!("trap '' XFSZ; exec '{}' --exact {name}", exe.display());
        let child = std::process::Command::new("sh")
            .args(["-c", &script])
            .env("MS_TEST_XFSZ_IGNORED", "1")
            .status();
        assert!(child.unwrap().success());
        return;
    }
    let error = world.write("f", &[b'n'; 100_000]).unwrap_err();
    let fresh = world.write("fresh", &[b'n'; 100_000]).unwrap_err();
    setrlimit(Resource::Fsize, old).unwrap();
    assert_eq!((error.class(), error.errno()), ("OSError", Some(27)));
    assert_eq!(fresh.errno(), Some(27));
    assert_eq!(world.names(), ["f"]);
    assert_eq!(std::fs::read(world.path("f")).unwrap(), b"old");
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_written_to_and_never_replaced() {
    let world = World::new();
    let null = Path::new("/dev/null");
    let write = |path: &Path| {
        world.run(world.files.write_whole(TOKEN, path, vec![0; 10], WriteOptions::default()))
    };
    write(null).unwrap();
    assert!(!std::fs::metadata(null).unwrap().is_file());
    let full = write(Path::new("/dev/full")).unwrap_err();
    assert_eq!(full.to_string(), "[Errno 28] No space left on device: '/dev/full'");
    let endless = world.run(world.files.read_whole(TOKEN, Path::new("/dev/zero"), Some(1 << 20)));
    assert_eq!(endless.unwrap_err().errno(), Some(27));
}

fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_slow_fifo_delays_nobody() {
    let world = World::new();
    let slow: Vec<_> = (0..20).map(|i| world.path(&format!("fifo{i}"))).collect();
    slow.iter().for_each(|path| fifo(path));
    let mode = OpenMode::parse(&OpenArgs::default()).unwrap();
    let mut stuck: Vec<_> =
        slow.iter().map(|path| world.files.open(OTHER, path, mode.clone())).collect();
    for opening in &mut stuck {
        assert!(opening.poll(OTHER).is_pending());
    }
    let begin = Instant::now();
    world.write("f", b"text").unwrap();
    world.files.list_dir(TOKEN, world.dir.path(), true);
    assert_eq!(world.names().len(), 21);
    assert!(begin.elapsed() < LONG / 4, "{:?}", begin.elapsed());
    // Each gets its writer in the end, and what it reads arrives in pieces.
    for (path, opening) in slow.iter().zip(&mut stuck) {
        let path = path.clone();
        let writer = std::thread::spawn(move || {
            use std::io::Write;
            let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            pipe.write_all("ä\nb".as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(2));
            pipe.write_all(b"c\r").unwrap();
        });
        let file = world.wait(|t| opening.poll(t)).unwrap();
        assert!(!file.abilities().seekable);
        let mut lines = Vec::new();
        world.wait(|t| file.poll_read_lines(t, None, &mut lines)).unwrap();
        assert_eq!(lines, ["ä\n".as_bytes(), b"bc\n"]);
        let error = world.wait(|t| file.poll_tell(t)).unwrap_err();
        assert_eq!(error.to_string(), "underlying stream is not seekable");
        writer.join().unwrap();
    }
}

#[test]
fn two_tasks_may_wait_for_one_file() {
    let world = World::new();
    let path = world.path("fifo");
    fifo(&path);
    let keep = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let file = world.mode(&path, "r").unwrap();
    assert!(file.poll_read_line(OTHER, None).is_pending());
    assert!(file.poll_read_line(TOKEN, None).is_pending());
    std::io::Write::write_all(&mut &keep, b"one\ntwo\n").unwrap();
    assert_eq!(world.wait(|t| file.poll_read_line(t, None)).unwrap(), b"one\n");
    let mut ready = Vec::new();
    world.reactor.turn(Some(LONG), &mut ready).unwrap();
    assert!(ready.contains(&OTHER), "{ready:?}");
    assert_eq!(file.poll_read_line(OTHER, None), Poll::Ready(Ok(b"two\n".to_vec())));
    // Closing does not wait for a read that nobody will answer.
    assert!(file.poll_read_line(OTHER, None).is_pending());
    assert_eq!(file.poll_close(TOKEN), Poll::Ready(Ok(())));
    std::io::Write::write_all(&mut &keep, b"end").unwrap();
}

#[test]
fn a_dropped_file_is_flushed_before_its_path_is_used_again() {
    let world = World::new();
    let path = world.path("f");
    let put = |text: &[u8]| {
        let file = world.mode(&path, "w").unwrap();
        assert!(file.poll_write(TOKEN, text, &mut false).is_ready());
        file
    };
    let first = put(b"first");
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    assert_eq!(world.run(world.files.read_whole(TOKEN, &path, None)).unwrap(), b"first");
    let second = put(b"2nd");
    let third = world.mode(&path, "r").unwrap();
    assert_eq!(world.wait(|t| third.poll_read(t, None)).unwrap(), b"2nd");
    drop(first);
    assert_eq!(std::fs::read(&path).unwrap(), b"2nd");
    assert!(second.poll_write(TOKEN, b"!", &mut false).is_ready());
    drop(second);
    assert_eq!(std::fs::read(&path).unwrap(), b"2nd!");
    let last = put(b"at exit");
    world.files.flush_all();
    assert_eq!(std::fs::read(&path).unwrap(), b"at exit");
    drop(last);
}

#[test]
fn a_failed_flush_is_reported_and_the_file_is_closed() {
    let world = World::new();
    let file = world.mode(Path::new("/dev/full"), "w").unwrap();
    assert!(file.poll_write(TOKEN, b"x", &mut false).is_ready());
    let error = world.wait(|t| file.poll_close(t)).unwrap_err();
    assert_eq!(error.to_string(), "[Errno 28] No space left on device");
    assert!(file.is_closed());
    assert_eq!(file.poll_close(TOKEN), Poll::Ready(Ok(())));
}

#[test]
fn attributes_and_directories() {
    let world = World::new();
    let path = world.path("a/b/c");
    world.run(world.files.mkdir(TOKEN, &path, true, 0o777)).unwrap();
    world.run(world.files.mkdir(TOKEN, &path, true, 0o777)).unwrap();
    world.write("a/f", b"12345").unwrap();
    symlink("nowhere", world.path("a/broken")).unwrap();
    symlink("b", world.path("a/tob")).unwrap();
    let entries = world.run(world.files.list_dir(TOKEN, &world.path("a"), true)).unwrap();
    let seen: Vec<_> = entries
        .iter()
        .map(|e| (e.name.to_str().unwrap(), e.kind, e.metadata.as_ref().unwrap().is_dir()))
        .collect();
    use FileKind::{Dir, File, Symlink};
    let expected =
        [("b", Dir, true), ("broken", Symlink, false), ("f", File, false), ("tob", Symlink, true)];
    assert_eq!(seen, expected);
    let meta = world.run(world.files.stat(TOKEN, &world.path("a/f"), true)).unwrap();
    let std = std::fs::metadata(world.path("a/f")).unwrap();
    assert_eq!((meta.size, meta.mode, meta.ino), (5, std.mode(), std.ino()));
    assert_eq!((meta.modified.secs, meta.modified.nanos as i64), (std.mtime(), std.mtime_nsec()));
    let exists = |name: &str| world.run(world.files.exists(TOKEN, &world.path(name))).unwrap();
    assert_eq!([exists("a/f"), exists("a/broken"), exists("a/f/x")], [true, false, false]);
    let remove = |name: &str, kind| world.run(world.files.remove(TOKEN, &world.path(name), kind));
    assert_eq!(remove("a/b", Dir).unwrap_err().to_string().split(':').next().unwrap(), {
        "[Errno 39] Directory not empty"
    });
    remove("a/b/c", Dir).unwrap();
    remove("a/broken", File).unwrap();
    let (from, to) = (world.path("a/f"), world.path("a/b/g"));
    world.run(world.files.rename(TOKEN, &from, &to)).unwrap();
    assert_eq!(std::fs::read(to).unwrap(), b"12345");
}

#[test]
fn links_copies_modes_and_trees() {
    let world = World::new();
    let files = &world.files;
    world.write("f", b"content").unwrap();
    let (f, link, copy) = (world.path("f"), world.path("link"), world.path("copy"));
    world.run(files.symlink(TOKEN, Path::new("f"), &link)).unwrap();
    assert_eq!(world.run(files.read_link(TOKEN, &link)).unwrap(), "f");
    let real = std::fs::canonicalize(&f).unwrap();
    assert_eq!(world.run(files.real_path(TOKEN, &link)).unwrap(), real);
    assert_eq!(world.run(files.copy(TOKEN, &link, &copy)).unwrap(), 7);
    assert_eq!(std::fs::read(&copy).unwrap(), b"content");
    world.run(files.set_mode(TOKEN, &link, 0o600)).unwrap();
    assert_eq!(std::fs::metadata(&f).unwrap().mode() & 0o7777, 0o600);
    std::fs::create_dir_all(world.path("tree/a/b")).unwrap();
    symlink(world.dir.path(), world.path("tree/a/up")).unwrap();
    std::fs::write(world.path("tree/a/b/x"), "x").unwrap();
    world.run(files.remove_tree(TOKEN, &world.path("tree"))).unwrap();
    assert_eq!(world.names(), ["copy", "f", "link"]);
    let error = world.run(files.remove_tree(TOKEN, &link)).unwrap_err();
    assert_eq!(error.class(), "NotADirectoryError");
    assert_eq!(world.names(), ["copy", "f", "link"]);
}

#[test]
fn a_raw_file_does_one_read_at_a_time() {
    let world = World::new();
    let path = world.path("f");
    let how = How { read: true, write: true, create: true, ..How::default() };
    let mut opening = world.files.open(TOKEN, &path, OpenMode::raw(how));
    let file = world.wait(|t| opening.poll(t)).unwrap();
    assert_eq!(world.wait(|t| file.poll_write(t, b"abcdef", &mut false)), Ok(6));
    assert_eq!(std::fs::read(&path).unwrap(), b"abcdef");
    world.wait(|t| file.poll_sync(t)).unwrap();
    assert_eq!(world.wait(|t| file.poll_seek(t, -4, 2)), Ok(2));
    assert_eq!(world.wait(|t| file.poll_read1(t, 3)), Ok(b"cde".to_vec()));
    assert_eq!(world.wait(|t| file.poll_tell(t)), Ok(5));
}

/// A world with `in` granted for reading and writing, and a secret outside.
fn guarded() -> World {
    World::with(|dir| {
        std::fs::create_dir_all(dir.join("in/sub")).unwrap();
        std::fs::create_dir(dir.join("out")).unwrap();
        std::fs::write(dir.join("out/secret"), "secret").unwrap();
        std::fs::write(dir.join("in/f"), "fine").unwrap();
        symlink("../out/secret", dir.join("in/leak")).unwrap();
        symlink("../out", dir.join("in/leakdir")).unwrap();
        symlink("../out/new", dir.join("in/leaknew")).unwrap();
        symlink("sub", dir.join("in/fair")).unwrap();
        fifo(&dir.join("out/fifo"));
        symlink("../out/fifo", dir.join("in/leakfifo")).unwrap();
        let mut grants = Grants::default();
        grants.grant(Right::Read, dir.join("in")).unwrap();
        grants.grant(Right::Write, dir.join("in")).unwrap();
        Arc::new(grants)
    })
}

#[test]
fn a_guard_lets_through_what_was_granted() {
    let world = guarded();
    let read = |name: &str| world.run(world.files.read_whole(TOKEN, &world.path(name), None));
    assert_eq!(read("in/f").unwrap(), b"fine");
    assert_eq!(read("in/sub/../f").unwrap(), b"fine");
    world.write("in/fair/new", b"1").unwrap();
    assert_eq!(read("in/sub/new").unwrap(), b"1");
    world.run(world.files.mkdir(TOKEN, &world.path("in/x/y"), true, 0o777)).unwrap();
    let file = world.mode(&world.path("in/x/y/z"), "w+").unwrap();
    assert!(file.poll_write(TOKEN, b"abc", &mut false).is_ready());
    assert_eq!(world.wait(|t| file.poll_seek(t, 1, 0)).unwrap(), 1);
    assert_eq!(world.wait(|t| file.poll_read(t, None)).unwrap(), b"bc");
    let entries = world.run(world.files.list_dir(TOKEN, &world.path("in"), true)).unwrap();
    let leak = entries.iter().find(|e| e.name == "leak").unwrap();
    assert_eq!(leak.metadata.unwrap().kind, FileKind::Symlink);
    assert_eq!(read("in/none").unwrap_err().class(), "FileNotFoundError");
}

#[test]
fn a_guard_stops_every_way_out() {
    let world = guarded();
    let files = &world.files;
    let path = |name: &str| world.path(name);
    let denied = |error: FileError| {
        assert_eq!((error.class(), error.errno()), ("PermissionError", Some(13)), "{error}");
        assert!(matches!(error, FileError::Os(OsError { denied: true, .. })), "{error}");
    };
    for name in [
        "out/secret",
        "in/leak",
        "in/leakdir/secret",
        "in/../out/secret",
        "out/none",
        "in/../none/x",
        "in/none/../../out/x",
        "in/leakdir/none/x",
    ] {
        let path = path(name);
        denied(world.run(files.read_whole(TOKEN, &path, None)).unwrap_err());
        denied(world.run(files.stat(TOKEN, &path, true)).unwrap_err());
        denied(world.run(files.exists(TOKEN, &path)).unwrap_err());
        for mode in ["r", "w", "a", "r+", "x"] {
            let error = world.mode(&path, mode).unwrap_err();
            // A link inside is itself no secret: `x` may say that it is there.
            if (name, mode) != ("in/leak", "x") {
                denied(error);
            }
        }
        denied(world.write(name, b"overwritten").unwrap_err());
    }
    denied(world.write("in/leaknew", b"x").unwrap_err());
    denied(world.run(files.remove_tree(TOKEN, &path("out"))).unwrap_err());
    denied(world.run(files.copy(TOKEN, &path("in/leak"), &path("in/c"))).unwrap_err());
    denied(world.run(files.copy(TOKEN, &path("in/f"), &path("in/leaknew"))).unwrap_err());
    denied(world.run(files.real_path(TOKEN, &path("in/leak"))).unwrap_err());
    denied(world.run(files.set_mode(TOKEN, &path("in/leak"), 0o777)).unwrap_err());
    denied(world.run(files.read_link(TOKEN, &path("out/secret"))).unwrap_err());
    denied(world.run(files.list_dir(TOKEN, &path("in/leakdir"), true)).unwrap_err());
    denied(world.run(files.list_dir(TOKEN, &path("in/.."), true)).unwrap_err());
    denied(world.run(files.mkdir(TOKEN, &path("in/leakdir/d"), true, 0o777)).unwrap_err());
    denied(world.run(files.remove(TOKEN, &path("out/secret"), FileKind::File)).unwrap_err());
    denied(world.run(files.rename(TOKEN, &path("in/f"), &path("out/f"))).unwrap_err());
    denied(world.run(files.rename(TOKEN, &path("out/secret"), &path("in/s"))).unwrap_err());
    denied(world.run(files.read_whole(TOKEN, Path::new("/etc/passwd"), None)).unwrap_err());
    let outside: Vec<_> = std::fs::read_dir(path("out")).unwrap().flatten().collect();
    assert_eq!(outside.len(), 2);
    // Nobody waits at a FIFO that is not granted.
    for name in ["out/fifo", "in/leakfifo"] {
        denied(world.mode(&path(name), "r").unwrap_err());
        denied(world.mode(&path(name), "w").unwrap_err());
    }
    // What the system shows of the process itself is a way as any other.
    for link in ["/proc/self/root", "/proc/self/cwd", "/proc/self/fd/0", "/dev/fd/0", "/dev/stdin"]
    {
        denied(world.run(files.read_whole(TOKEN, Path::new(link), None)).unwrap_err());
        let inside = format!("{link}{}", path("out/secret").display());
        denied(world.run(files.read_whole(TOKEN, Path::new(&inside), None)).unwrap_err());
    }
    let around = format!("/proc/self/root{}", path("in/f").display());
    assert_eq!(world.run(files.read_whole(TOKEN, Path::new(&around), None)).unwrap(), b"fine");
    assert_eq!(std::fs::read(path("out/secret")).unwrap(), b"secret");
    assert_eq!(std::fs::read(path("in/f")).unwrap(), b"fine");
}
