//! Descriptors: numbers of open files. A script may use those that it made and the three standard
//! ones; a right that was asked for at the opening is not asked for again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use miniscript_vm::host::Stream;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::{Value, Vm};
use rustix::io::Errno;

use super::{carry_out, int32, int64, io_error, name_of, no_dir_fd};
use crate::access::{Denied, Right, Wanted};
use crate::files::{FileError, posix};
use crate::io::engine;

/// The flags of `open`, and what `lseek` counts from.
pub(super) const FLAGS: &[(&str, i32)] = &[
    ("O_RDONLY", libc::O_RDONLY),
    ("O_WRONLY", libc::O_WRONLY),
    ("O_RDWR", libc::O_RDWR),
    ("O_APPEND", libc::O_APPEND),
    ("O_CREAT", libc::O_CREAT),
    ("O_EXCL", libc::O_EXCL),
    ("O_TRUNC", libc::O_TRUNC),
    ("O_NONBLOCK", libc::O_NONBLOCK),
    ("O_NOFOLLOW", libc::O_NOFOLLOW),
    ("O_CLOEXEC", libc::O_CLOEXEC),
    ("O_DIRECTORY", libc::O_DIRECTORY),
    ("O_SYNC", libc::O_SYNC),
    ("O_NOCTTY", libc::O_NOCTTY),
];

pub(super) const ROWS: &[NativeDef] = &[
    NativeDef::new(
        "open",
        "path, flags, mode=0o777, *, dir_fd=None",
        open,
        "Open a file; its descriptor.",
    ),
    NativeDef::new("close", "fd", close, "Close a descriptor."),
    NativeDef::new("read", "fd, length, /", read, "Read at most length bytes."),
    NativeDef::new("write", "fd, data, /", write, "Write; the number of bytes written."),
    NativeDef::new("lseek", "fd, position, whence, /", lseek, "Move the position."),
    NativeDef::new("pipe", "", pipe, "A pipe: (to read from, to write to)."),
    NativeDef::new("dup", "fd, /", dup, "Another descriptor of the same open file."),
    NativeDef::new("isatty", "fd, /", isatty, "Whether it is a terminal."),
    NativeDef::new("fsync", "fd", sync, "Bring what was written to the disk."),
    NativeDef::new("fdatasync", "fd", sync, "Bring what was written to the disk."),
    NativeDef::new("ftruncate", "fd, length, /", ftruncate, "Set the length of an open file."),
    NativeDef::new("_set_echo", "fd, on, /", set_echo, "Show what is typed or not; how it was."),
    NativeDef::new("_terminal_size", "fd, /", terminal_size, "(columns, lines)."),
];

/// The descriptors that scripts of a VM have made and not closed.
#[derive(Default)]
struct Descriptors {
    open: RefCell<BTreeMap<i32, OwnedFd>>,
}

/// Gives a script the number of a descriptor.
pub(super) fn give(vm: &Vm, fd: OwnedFd) -> Value<'_> {
    let n = fd.as_raw_fd();
    vm.local::<Descriptors>().open.borrow_mut().insert(n, fd);
    vm.int(n.into())
}

/// Another handle of what a number stands for.
fn handle_of<'v>(vm: &'v Vm, n: i64) -> Result<File, Exit<'v>> {
    let n = i32::try_from(n).unwrap_or(-1);
    let descriptors = vm.local::<Descriptors>();
    let open = descriptors.open.borrow();
    let own = open.get(&n).map(|fd| fd.as_fd());
    let Some(fd) = own.or_else(|| standard(n)) else {
        let file = engine(vm)?.files.handle_of(n);
        return file.unwrap_or_else(|| Err(Errno::BADF.into())).map_err(|e| io_error(vm, e));
    };
    if own.is_none() && n == 0 {
        let access = &**engine(vm)?.files.access();
        if !access.allows(&Wanted::Stdin) {
            return Err(io_error(vm, Denied::error(access, Right::Stdin)));
        }
    }
    fd.try_clone_to_owned().map(File::from).map_err(|e| io_error(vm, e))
}

fn standard(n: i32) -> Option<BorrowedFd<'static>> {
    match n {
        0 => Some(rustix::stdio::stdin()),
        1 => Some(rustix::stdio::stdout()),
        2 => Some(rustix::stdio::stderr()),
        _ => None,
    }
}

/// A handle to look at an open file by its number: also of one that the process was started with,
/// if nothing is withheld from the script.
pub(super) fn any_file<'v>(vm: &'v Vm, n: i64) -> Result<File, Exit<'v>> {
    match handle_of(vm, n) {
        Err(_) if n > 2 && engine(vm)?.files.access().is_unrestricted() => {
            posix::by_number(i32::try_from(n).unwrap_or(-1)).map_err(|e| io_error(vm, e))
        }
        found => found,
    }
}

/// Takes a descriptor of the script's over into a file object: it is closed with that.
pub(crate) fn open_descriptor(vm: &Vm, n: i64, keep: bool) -> Option<io::Result<File>> {
    let n = i32::try_from(n).ok()?;
    let descriptors = vm.local::<Descriptors>();
    let mut open = descriptors.open.borrow_mut();
    if keep {
        return Some(open.get(&n)?.try_clone().map(File::from));
    }
    open.remove(&n).map(|fd| Ok(File::from(fd)))
}

/// Takes a descriptor out of the script's hands, for a program that is started.
pub(super) fn duplicate<'v>(vm: &'v Vm, n: i64) -> Result<OwnedFd, Exit<'v>> {
    any_file(vm, n).map(OwnedFd::from)
}

fn open<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    no_dir_fd(vm, args[3])?;
    let flags = int32(vm, args[1])?;
    let mode = if args[2].is_empty() { 0o777 } else { int32(vm, args[2])? } as u32;
    let path = name_of(vm, args[0], "open: path should be string, bytes or os.PathLike")?.path;
    carry_out(
        vm,
        |files, token| {
            files.settle(&path);
            // It may be a FIFO without another side.
            files.perform_slow(token, move |access| posix::open_raw(access, &path, flags, mode))
        },
        |vm, fd| Ok(give(vm, fd)),
    )
}

fn close<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = int32(vm, args[0])?;
    match vm.local::<Descriptors>().open.borrow_mut().remove(&n) {
        Some(fd) => {
            drop(fd);
            Ok(Value::NONE)
        }
        None => Err(io_error(vm, Errno::BADF.into())),
    }
}

/// Whether reading and writing may wait.
fn may_wait(file: &File) -> bool {
    file.metadata().map_or(true, |m| !m.is_file())
}

fn read<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = int64(vm, args[1])?;
    let Ok(n) = usize::try_from(n) else {
        return Err(io_error(vm, Errno::INVAL.into()));
    };
    let mut file = handle_of(vm, int32(vm, args[0])?.into())?;
    vm.check(n)?;
    let slow = may_wait(&file);
    let work = move |_: &dyn crate::access::Access| {
        let mut data = Vec::new();
        data.try_reserve_exact(n).map_err(|_| FileError::Memory)?;
        data.resize(n, 0);
        let n = retry(|| file.read(&mut data)).map_err(FileError::from_io)?;
        data.truncate(n);
        Ok(data)
    };
    carry_out(
        vm,
        |files, token| match slow {
            true => files.perform_slow(token, work),
            false => files.perform(token, work),
        },
        |vm, data| vm.bytes_owned(data),
    )
}

fn write<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = int32(vm, args[0])?;
    let Some(data) = vm.buffer_copy(args[1])? else {
        let t = vm.type_name(args[1]);
        return Err(vm.type_error(format!("a bytes-like object is required, not '{t}'")));
    };
    let own = vm.local::<Descriptors>().open.borrow().contains_key(&n);
    if !own && (n == 1 || n == 2) {
        // The script's standard streams are the engine's, whatever it does with them.
        let stream = if n == 1 { Stream::Out } else { Stream::Err };
        let written = vm.host().write(stream, &data).and_then(|()| vm.host().flush(stream));
        written.map_err(|e| io_error(vm, e))?;
        return Ok(vm.len_value(data.len()));
    }
    let mut file = handle_of(vm, n.into())?;
    let slow = may_wait(&file);
    let work = move |_: &dyn crate::access::Access| {
        retry(|| file.write(&data)).map_err(FileError::from_io)
    };
    carry_out(
        vm,
        |files, token| match slow {
            true => files.perform_slow(token, work),
            false => files.perform(token, work),
        },
        |vm, n| Ok(vm.len_value(n)),
    )
}

fn retry(mut transfer: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match transfer() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn lseek<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    use rustix::fs::SeekFrom;
    let file = handle_of(vm, int32(vm, args[0])?.into())?;
    let offset = int64(vm, args[1])?;
    let from = match (int32(vm, args[2])?, u64::try_from(offset)) {
        (0, Ok(offset)) => SeekFrom::Start(offset),
        (1, _) => SeekFrom::Current(offset),
        (2, _) => SeekFrom::End(offset),
        _ => return Err(io_error(vm, Errno::INVAL.into())),
    };
    rustix::fs::seek(&file, from).map(|n| vm.uint(n)).map_err(|e| io_error(vm, e.into()))
}

fn pipe<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    let (reader, writer) = io::pipe().map_err(|e| io_error(vm, e))?;
    vm.tuple(&[give(vm, reader.into()), give(vm, writer.into())])
}

fn dup<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(give(vm, handle_of(vm, int32(vm, args[0])?.into())?.into()))
}

fn isatty<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let file = any_file(vm, int32(vm, args[0])?.into());
    Ok(Value::bool(file.is_ok_and(|file| rustix::termios::isatty(&file))))
}

fn set_echo<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let file = any_file(vm, int32(vm, args[0])?.into())?;
    let mut settings = tcgetattr(&file).map_err(|e| io_error(vm, e.into()))?;
    let was = settings.local_modes.contains(LocalModes::ECHO);
    settings.local_modes.set(LocalModes::ECHO, args[1].is(Value::TRUE));
    // What was typed ahead is thrown away, as it was shown already.
    tcsetattr(&file, OptionalActions::Flush, &settings).map_err(|e| io_error(vm, e.into()))?;
    Ok(Value::bool(was))
}

fn sync<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = match vm.as_index_i64(args[0]) {
        Some(Ok(n)) => n,
        _ => int32(vm, args[0])?.into(),
    };
    let file = any_file(vm, n)?;
    carry_out(
        vm,
        |files, token| {
            files.perform_slow(token, move |_| file.sync_all().map_err(FileError::from_io))
        },
        |_, ()| Ok(Value::NONE),
    )
}

fn ftruncate<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match u64::try_from(int64(vm, args[1])?) {
        Ok(len) => set_len(vm, int32(vm, args[0])?.into(), len),
        Err(_) => Err(io_error(vm, Errno::INVAL.into())),
    }
}

/// Sets the length of an open file of the script's.
pub(super) fn set_len(vm: &Vm, fd: i64, len: u64) -> NResult<'_> {
    let file = handle_of(vm, fd)?;
    match rustix::fs::ftruncate(&file, len) {
        Ok(()) => Ok(Value::NONE),
        Err(e) => Err(io_error(vm, e.into())),
    }
}

fn terminal_size<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let file = any_file(vm, int32(vm, args[0])?.into())?;
    match rustix::termios::tcgetwinsize(&file) {
        Ok(size) => vm.tuple(&[vm.int(size.ws_col.into()), vm.int(size.ws_row.into())]),
        Err(e) => Err(io_error(vm, e.into())),
    }
}
