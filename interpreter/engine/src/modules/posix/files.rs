//! Operations on paths.

use miniscript_stdlib::ClassDef;
use miniscript_stdlib::record::{Record, Type, field};
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::{Value, Vm};

use super::{
    carry_out, carry_out_only, flag, int32, int64, io_error, name_of, name_value, no_dir_fd,
};
use crate::files::{FileError, FileKind, Metadata, Time, ops, posix};

/// Bits of `access`.
pub(super) const ACCESS: &[(&str, i64)] = &[("F_OK", 0), ("X_OK", 1), ("W_OK", 2), ("R_OK", 4)];

/// `os.stat_result`: ten items, and attributes with the exact times.
pub(super) static STAT: Record = Record {
    class: ClassDef {
        name: "stat_result",
        module: "os",
        doc: "What stat() tells of a file.",
        base: Type::Tuple,
        layout: Kind::Tuple,
        second_base: None,
        open: true,
        has_dict: false,
        methods: &[
            NativeDef::new(
                "__repr__",
                "self, /",
                |vm, a| STAT.repr(vm, a[0]),
                "Return repr(self).",
            ),
            NativeDef::getter("st_mode", field::<0>, "kind and permissions"),
            NativeDef::getter("st_ino", field::<1>, "number of the inode"),
            NativeDef::getter("st_dev", field::<2>, "device it is on"),
            NativeDef::getter("st_nlink", field::<3>, "number of names"),
            NativeDef::getter("st_uid", field::<4>, "user"),
            NativeDef::getter("st_gid", field::<5>, "group"),
            NativeDef::getter("st_size", field::<6>, "size in bytes"),
        ],
    },
    fields: &[
        "st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size", "st_atime",
        "st_mtime", "st_ctime",
    ],
};

const STAT_PATH: &str = "stat: path should be string, bytes, os.PathLike or integer";

pub(super) const ROWS: &[NativeDef] = &[
    NativeDef::new("stat", "path, *, dir_fd=None, follow_symlinks=True", stat, "Look at a file."),
    NativeDef::new("lstat", "path, *, dir_fd=None", lstat, "Look at a file, not through a link."),
    NativeDef::new("fstat", "fd", fstat, "Look at an open file."),
    NativeDef::new("listdir", "path=None", listdir, "The names in a directory."),
    NativeDef::new("_scandir", "path", scandir, "(name, kind) of what is in a directory."),
    NativeDef::new("mkdir", "path, mode=0o777, *, dir_fd=None", mkdir, "Make a directory."),
    NativeDef::new("rmdir", "path, *, dir_fd=None", rmdir, "Remove an empty directory."),
    NativeDef::new("unlink", "path, *, dir_fd=None", unlink, "Remove a file."),
    NativeDef::new("remove", "path, *, dir_fd=None", unlink, "Remove a file."),
    NativeDef::new("rename", "src, dst, *, src_dir_fd=None, dst_dir_fd=None", rename, "Rename."),
    NativeDef::new("replace", "src, dst, *, src_dir_fd=None, dst_dir_fd=None", rename, "Rename."),
    NativeDef::new(
        "link",
        "src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True",
        link,
        "Make a further name of a file.",
    ),
    NativeDef::new(
        "symlink",
        "src, dst, target_is_directory=False, *, dir_fd=None",
        symlink,
        "Make dst a link to src.",
    ),
    NativeDef::new("readlink", "path, *, dir_fd=None", readlink, "Where a link leads."),
    NativeDef::new(
        "chmod",
        "path, mode, *, dir_fd=None, follow_symlinks=True",
        chmod,
        "Set the permissions.",
    ),
    NativeDef::new(
        "chown",
        "path, uid, gid, *, dir_fd=None, follow_symlinks=True",
        chown,
        "Set user and group.",
    ),
    NativeDef::new(
        "access",
        "path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True",
        may,
        "Whether the user may.",
    ),
    NativeDef::new("truncate", "path, length", truncate, "Set the length of a file."),
    NativeDef::new(
        "utime",
        "path, times=None, *, ns=None, dir_fd=None, follow_symlinks=True",
        utime,
        "Set the times of access and modification.",
    ),
    NativeDef::new("mkfifo", "path, mode=0o666, *, dir_fd=None", mkfifo, "Make a named pipe."),
    NativeDef::new("_statvfs", "path", statvfs, "Sizes of a file system."),
    NativeDef::new("_realpath", "path", realpath, "The path without links."),
    NativeDef::new("_kind", "path, follow, /", kind, "A letter for what is there, or ''."),
    NativeDef::new("_remove_tree", "path", remove_tree, "Remove a directory and what is in it."),
    NativeDef::new("_copy", "src, dst", copy, "Copy a file's content; its length."),
];

/// The tuple with its further attributes.
fn stat_value<'v>(vm: &'v Vm, m: &Metadata) -> NResult<'v> {
    let seconds = |t: Time| vm.int(t.secs);
    let items = [
        vm.int(m.mode.into()),
        vm.uint(m.ino),
        vm.uint(m.dev),
        vm.uint(m.links),
        vm.int(m.uid.into()),
        vm.int(m.gid.into()),
        vm.uint(m.size),
        seconds(m.accessed),
        seconds(m.modified),
        seconds(m.changed),
    ];
    let v = STAT.make(vm, &items)?;
    let set = |name: &str, x: Value<'v>| vm.set_attr_raw(v, vm.intern(name), x);
    let times = [
        ("st_atime", "st_atime_ns", m.accessed),
        ("st_mtime", "st_mtime_ns", m.modified),
        ("st_ctime", "st_ctime_ns", m.changed),
    ];
    for (name, ns, t) in times {
        set(name, Value::float(t.as_secs_f64()))?;
        set(ns, vm.bigint(t.as_nanos().into()))?;
    }
    set("st_blocks", vm.uint(m.blocks))?;
    set("st_blksize", vm.uint(m.block_size))?;
    set("st_rdev", vm.uint(m.rdev))?;
    Ok(v)
}

fn stat<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[1])?;
    if let Some(Ok(fd)) = vm.as_index_i64(args[0]) {
        return look_at(vm, fd);
    }
    let follow = flag(vm, args[2], true)?;
    let path = name_of(vm, args[0], STAT_PATH)?.path;
    carry_out(vm, |files, token| files.stat(token, &path, follow), |vm, m| stat_value(vm, &m))
}

fn lstat<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[1])?;
    let path = name_of(vm, args[0], "lstat: path should be string, bytes or os.PathLike")?.path;
    carry_out(vm, |files, token| files.stat(token, &path, false), |vm, m| stat_value(vm, &m))
}

fn fstat<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    look_at(vm, int32(vm, args[0])?.into())
}

fn look_at(vm: &Vm, fd: i64) -> NResult<'_> {
    let file = super::descriptors::any_file(vm, fd)?;
    let found = ops::stat_handle(&file).map_err(|e| crate::errors::file_error(vm, &e))?;
    stat_value(vm, &found)
}

/// The path of a directory: `.` if there is none.
fn folder<'v>(vm: &'v Vm, v: Value<'v>, what: &'static str) -> Result<super::Name, Exit<'v>> {
    if v.is_empty() || v.is_none() {
        return Ok(super::Name { path: ".".into(), is_bytes: false });
    }
    name_of(vm, v, what)
}

fn listdir<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let what = "listdir: path should be string, bytes, os.PathLike, integer or None";
    let name = folder(vm, args[0], what)?;
    carry_out(
        vm,
        |files, token| files.list_dir(token, &name.path, false),
        move |vm, entries| {
            let mut names = Vec::with_capacity(entries.len());
            for entry in &entries {
                vm.tick()?;
                names.push(name_value(vm, &entry.name, name.is_bytes)?);
            }
            vm.list(names)
        },
    )
}

fn letter(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "f",
        FileKind::Dir => "d",
        FileKind::Symlink => "l",
        FileKind::Fifo => "p",
        FileKind::CharDevice => "c",
        FileKind::BlockDevice => "b",
        FileKind::Socket => "s",
        FileKind::Unknown => "?",
    }
}

fn scandir<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let what = "scandir: path should be string, bytes, os.PathLike, integer or None";
    let name = folder(vm, args[0], what)?;
    carry_out(
        vm,
        |files, token| files.list_dir(token, &name.path, false),
        move |vm, entries| {
            let mut pairs = Vec::with_capacity(entries.len());
            for entry in &entries {
                vm.tick()?;
                let shown = name_value(vm, &entry.name, name.is_bytes)?;
                pairs.push(vm.tuple(&[shown, vm.short_str(letter(entry.kind))])?);
            }
            vm.list(pairs)
        },
    )
}

fn mkdir<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[2])?;
    let mode = if args[1].is_empty() { 0o777 } else { int32(vm, args[1])? };
    let path = name_of(vm, args[0], "mkdir: path should be string, bytes or os.PathLike")?.path;
    carry_out_only(vm, |files, token| files.mkdir(token, &path, false, mode as u32))
}

fn rmdir<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[1])?;
    let path = name_of(vm, args[0], "rmdir: path should be string, bytes or os.PathLike")?.path;
    carry_out_only(vm, |files, token| files.remove(token, &path, FileKind::Dir))
}

fn unlink<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[1])?;
    let path = name_of(vm, args[0], "unlink: path should be string, bytes or os.PathLike")?.path;
    carry_out_only(vm, |files, token| files.remove(token, &path, FileKind::File))
}

fn rename<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[2])?;
    no_dir_fd(vm, args[3])?;
    let from = name_of(vm, args[0], "rename: src should be string, bytes or os.PathLike")?.path;
    let to = name_of(vm, args[1], "rename: dst should be string, bytes or os.PathLike")?.path;
    carry_out_only(vm, |files, token| files.rename(token, &from, &to))
}

fn link<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[2])?;
    no_dir_fd(vm, args[3])?;
    let follow = flag(vm, args[4], true)?;
    let from = name_of(vm, args[0], "link: src should be string, bytes or os.PathLike")?.path;
    let to = name_of(vm, args[1], "link: dst should be string, bytes or os.PathLike")?.path;
    carry_out_only(vm, |files, token| {
        files.perform(token, move |access| posix::link(access, &from, &to, follow))
    })
}

fn symlink<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[3])?;
    let target = name_of(vm, args[0], "symlink: src should be string, bytes or os.PathLike")?.path;
    let path = name_of(vm, args[1], "symlink: dst should be string, bytes or os.PathLike")?.path;
    carry_out_only(vm, |files, token| files.symlink(token, &target, &path))
}

fn readlink<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[1])?;
    let name = name_of(vm, args[0], "readlink: path should be string, bytes or os.PathLike")?;
    carry_out(
        vm,
        |files, token| files.read_link(token, &name.path),
        move |vm, target| name_value(vm, &target, name.is_bytes),
    )
}

fn chmod<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[2])?;
    let mode = int32(vm, args[1])?;
    if !flag(vm, args[3], true)? {
        let text = "chmod: follow_symlinks unavailable on this platform";
        return Err(vm.err(Type::NotImplementedError, text));
    }
    let what = "chmod: path should be string, bytes, os.PathLike or integer";
    let path = name_of(vm, args[0], what)?.path;
    carry_out_only(vm, |files, token| files.set_mode(token, &path, mode as u32))
}

fn chown<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[3])?;
    let id = |v| int64(vm, v).map(|n| u32::try_from(n).ok());
    let owner = (id(args[1])?, id(args[2])?);
    let follow = flag(vm, args[4], true)?;
    let what = "chown: path should be string, bytes, os.PathLike or integer";
    let path = name_of(vm, args[0], what)?.path;
    carry_out_only(vm, |files, token| {
        files.perform(token, move |access| posix::set_owner(access, &path, owner, follow))
    })
}

fn may<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[2])?;
    let mode = int32(vm, args[1])? as u32;
    let (effective, follow) = (flag(vm, args[3], false)?, flag(vm, args[4], true)?);
    let path = name_of(vm, args[0], "access: path should be string, bytes or os.PathLike")?.path;
    carry_out(
        vm,
        |files, token| {
            let work = move |access: &dyn crate::access::Access| {
                posix::may(access, &path, mode, effective, follow)
            };
            files.perform(token, work)
        },
        |_, yes| Ok(Value::bool(yes)),
    )
}

fn truncate<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Ok(len) = u64::try_from(int64(vm, args[1])?) else {
        return Err(io_error(vm, rustix::io::Errno::INVAL.into()));
    };
    if let Some(Ok(fd)) = vm.as_index_i64(args[0]) {
        return super::descriptors::set_len(vm, fd, len);
    }
    let what = "truncate: path should be string, bytes, os.PathLike or integer";
    let path = name_of(vm, args[0], what)?.path;
    carry_out_only(vm, |files, token| {
        files.settle(&path);
        files.perform(token, move |access| posix::truncate(access, &path, len))
    })
}

fn utime<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[3])?;
    let given = |v: Value<'v>| !v.is_empty() && !v.is_none();
    let follow = flag(vm, args[4], true)?;
    let times = match (given(args[1]), given(args[2])) {
        (false, false) => None,
        (true, true) => {
            let text = "utime: you may specify either 'times' or 'ns' but not both";
            return Err(vm.value_error(text));
        }
        (true, false) => {
            let pair =
                pair(vm, args[1], "utime: 'times' must be either a tuple of two ints or None")?;
            Some((seconds(vm, pair[0])?, seconds(vm, pair[1])?))
        }
        (false, true) => {
            let pair = pair(vm, args[2], "utime: 'ns' must be a tuple of two ints")?;
            let time = |v| {
                let ns = int64(vm, v)?;
                let nanos = ns.rem_euclid(1_000_000_000) as u32;
                Ok::<_, Exit<'v>>(Time { secs: ns.div_euclid(1_000_000_000), nanos })
            };
            Some((time(pair[0])?, time(pair[1])?))
        }
    };
    let what = "utime: path should be string, bytes, os.PathLike or integer";
    let path = name_of(vm, args[0], what)?.path;
    carry_out_only(vm, |files, token| {
        files.settle(&path);
        files.perform(token, move |access| posix::set_times(access, &path, times, follow))
    })
}

fn pair<'v>(vm: &'v Vm, v: Value<'v>, text: &str) -> Result<&'v [Value<'v>], Exit<'v>> {
    let is_tuple = v.is_a::<miniscript_vm::object::seq::Tuple>();
    match vm.tuple_items(v) {
        pair if is_tuple && pair.len() == 2 => Ok(pair),
        _ => Err(vm.type_error(text)),
    }
}

fn seconds<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Time, Exit<'v>> {
    let Some(f) = v.as_float() else {
        return Ok(Time { secs: int64(vm, v)?, nanos: 0 });
    };
    let whole = f.floor();
    if f.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if whole.abs() >= 9.3e18 {
        return Err(vm.overflow_error("timestamp out of range for platform time_t"));
    }
    Ok(Time { secs: whole as i64, nanos: (((f - whole) * 1e9) as u32).min(999_999_999) })
}

fn mkfifo<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[2])?;
    let mode = if args[1].is_empty() { 0o666 } else { int32(vm, args[1])? } as u32;
    let path = name_of(vm, args[0], "mkfifo: path should be string, bytes or os.PathLike")?.path;
    carry_out_only(vm, |files, token| {
        files.perform(token, move |access| posix::make_fifo(access, &path, mode))
    })
}

fn statvfs<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let what = "statvfs: path should be string, bytes, os.PathLike or integer";
    let path = name_of(vm, args[0], what)?.path;
    carry_out(
        vm,
        |files, token| files.perform(token, move |access| posix::file_system(access, &path)),
        |vm, s| {
            let all = [
                s.f_bsize,
                s.f_frsize,
                s.f_blocks,
                s.f_bfree,
                s.f_bavail,
                s.f_files,
                s.f_ffree,
                s.f_favail,
                s.f_flag.bits(),
                s.f_namemax,
            ];
            vm.tuple(&all.map(|n| vm.uint(n)))
        },
    )
}

fn realpath<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = name_of(vm, args[0], "realpath: path should be string, bytes or os.PathLike")?;
    carry_out(
        vm,
        |files, token| files.real_path(token, &name.path),
        move |vm, path| name_value(vm, path.as_os_str(), name.is_bytes),
    )
}

/// What `os.path.exists`, `isdir` and the like ask. Whatever the system refuses to tell is not
/// there; a missing grant is an error.
fn kind<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if let Some(Ok(fd)) = vm.as_index_i64(args[0]) {
        let found = super::descriptors::any_file(vm, fd).ok();
        let found = found.and_then(|file| ops::stat_handle(&file).ok());
        return Ok(vm.short_str(found.map_or("", |m| letter(m.kind))));
    }
    let follow = flag(vm, args[1], true)?;
    let name = match name_of(vm, args[0], STAT_PATH) {
        Ok(name) => name,
        Err(Exit::Raise(e)) if vm.is_exception_of(e, Type::ValueError) => {
            return Ok(vm.short_str(""));
        }
        Err(e) => return Err(e),
    };
    carry_out(
        vm,
        |files, token| {
            files.perform(token, move |access| match ops::stat(access, &name.path, follow) {
                Ok(found) => Ok(Some(found.kind)),
                Err(FileError::Os(e)) if e.denied => Err(FileError::Os(e)),
                Err(_) => Ok(None),
            })
        },
        |vm, found| Ok(vm.short_str(found.map_or("", letter))),
    )
}

fn remove_tree<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let path = name_of(vm, args[0], "rmtree: path should be string, bytes or os.PathLike")?.path;
    carry_out_only(vm, |files, token| files.remove_tree(token, &path))
}

fn copy<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let from = name_of(vm, args[0], "copyfile: src should be string, bytes or os.PathLike")?.path;
    let to = name_of(vm, args[1], "copyfile: dst should be string, bytes or os.PathLike")?.path;
    carry_out(vm, |files, token| files.copy(token, &from, &to), |vm, n| Ok(vm.uint(n)))
}
