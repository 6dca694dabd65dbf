//! `MsHostFile`: requests to the file service.
//!
//! Each function keeps the contract of the table: pointers are those of a native that runs.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::task::Poll;

use miniscript_abi::*;
use miniscript_vm::native::Exit;

use super::Bridge;
use super::call::{bridge, host};
use super::error::io_of_file;
use super::ops::{FileDone, FileStage, FileWork, HandleWork, NOBODY, Op};
use crate::files::{
    FileError, FileKind, FileResult, How, Metadata, OpenFile, OpenMode, Time, WriteOptions,
};
use crate::reactor::{Key, TaskToken};

pub(super) static TABLE: MsHostFile = MsHostFile {
    size: size_of::<MsHostFile>(),
    submit: Some(submit),
    result: Some(result),
    close_handle: Some(close_handle),
};

/// A path as the system has it: on Unix bytes, where a surrogate U+DC80 + n stands for a byte n
/// that is not UTF-8.
fn path_of(text: MsStr) -> PathBuf {
    // SAFETY: borrowed for the call.
    let bytes = unsafe { text.as_bytes() };
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        let mut out = Vec::with_capacity(bytes.len());
        let mut i = 0;
        while let Some(&b) = bytes.get(i) {
            match bytes.get(i..i + 3) {
                Some([0xED, second @ 0xB2..=0xB3, third]) => {
                    out.push((second & 0x3F) << 6 | third & 0x3F);
                    i += 3;
                }
                _ => {
                    out.push(b);
                    i += 1;
                }
            }
        }
        PathBuf::from(std::ffi::OsString::from_vec(out))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// The inverse of [`path_of`].
fn text_of(name: &std::ffi::OsStr) -> Vec<u8> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let mut out = Vec::with_capacity(name.len());
        for chunk in name.as_bytes().utf8_chunks() {
            out.extend_from_slice(chunk.valid().as_bytes());
            for &b in chunk.invalid() {
                out.extend_from_slice(&[0xED, 0xB0 | b >> 6, 0x80 | b & 0x3F]);
            }
        }
        out
    }
    #[cfg(not(unix))]
    name.to_string_lossy().into_owned().into_bytes()
}

fn nanoseconds(time: Time) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

fn kind_of(kind: FileKind) -> u32 {
    match kind {
        FileKind::File => MS_KIND_FILE,
        FileKind::Dir => MS_KIND_DIR,
        FileKind::Symlink => MS_KIND_LINK,
        _ => MS_KIND_OTHER,
    }
}

const NO_META: MsMeta = MsMeta {
    kind: 0,
    mode: 0,
    size: 0,
    modified_ns: 0,
    accessed_ns: 0,
    changed_ns: 0,
    device: 0,
    inode: 0,
    links: 0,
    user: 0,
    group: 0,
};

fn meta_of(m: &Metadata) -> MsMeta {
    MsMeta {
        kind: kind_of(m.kind),
        mode: m.mode,
        size: m.size,
        modified_ns: nanoseconds(m.modified),
        accessed_ns: nanoseconds(m.accessed),
        changed_ns: nanoseconds(m.changed),
        device: m.dev,
        inode: m.ino,
        links: m.links,
        user: m.uid,
        group: m.gid,
    }
}

/// Starts a request; None for a code that is not known.
///
/// # Safety
/// The texts of the request are borrowed for the call.
unsafe fn start(bridge: &Bridge, request: &MsFileRequest) -> Option<FileWork> {
    let (path, target) = (path_of(request.path), path_of(request.target));
    let files = &bridge.files;
    // SAFETY: by contract.
    let data = || unsafe { request.data.as_bytes() }.to_vec();
    let flag = |bit: u32| request.flags & bit != 0;
    let write = |append: bool| {
        let options = WriteOptions { append, durable: false };
        FileWork::Unit(files.write_whole(NOBODY, &path, data(), options))
    };
    let open = || bridge.open_files.borrow().get(Key::from_bits(request.handle)).cloned();
    let with_handle = |work: HandleWork| match open() {
        Some(file) => FileWork::Handle(file, work),
        None => FileWork::Ended(Some(Err(FileError::closed()))),
    };
    let length = usize::try_from(request.length).unwrap_or(usize::MAX);
    Some(match request.code {
        MS_FILE_READ_ALL => {
            let room = bridge.vm().heap.room().map(|room| room as u64);
            FileWork::Bytes(files.read_whole(NOBODY, &path, room))
        }
        MS_FILE_WRITE_ALL => write(false),
        MS_FILE_APPEND => write(true),
        MS_FILE_OPEN => {
            let how = How {
                read: flag(MS_OPEN_READ),
                write: flag(MS_OPEN_WRITE),
                append: flag(MS_OPEN_APPEND),
                create: flag(MS_OPEN_CREATE),
                create_new: flag(MS_OPEN_EXCLUSIVE),
                truncate: flag(MS_OPEN_TRUNCATE),
                nonblocking: false,
            };
            FileWork::Open(files.open(NOBODY, &path, OpenMode::raw(how)))
        }
        MS_FILE_READ => with_handle(HandleWork::Read(length)),
        MS_FILE_WRITE => with_handle(HandleWork::Write(data(), false)),
        MS_FILE_SEEK => with_handle(HandleWork::Seek(request.offset, request.flags)),
        MS_FILE_SYNC => with_handle(HandleWork::Sync),
        MS_FILE_TRUNCATE => with_handle(HandleWork::Truncate(request.length)),
        MS_FILE_CLOSE => {
            let key = Key::from_bits(request.handle);
            match bridge.open_files.borrow_mut().remove(key) {
                Some(file) => FileWork::Handle(file, HandleWork::Close),
                None => FileWork::Ended(Some(Err(FileError::closed()))),
            }
        }
        MS_FILE_STAT if request.handle != 0 => FileWork::Ended(Some(match open() {
            Some(file) => file.stat(),
            None => Err(FileError::closed()),
        })),
        MS_FILE_STAT => FileWork::Meta(files.stat(NOBODY, &path, !flag(1))),
        MS_FILE_LIST => FileWork::List(files.list_dir(NOBODY, &path, flag(1))),
        MS_FILE_MKDIR => FileWork::Unit(files.mkdir(NOBODY, &path, flag(1), 0o777)),
        MS_FILE_REMOVE if flag(2) => FileWork::Unit(files.remove_tree(NOBODY, &path)),
        MS_FILE_REMOVE => {
            let kind = if flag(1) { FileKind::Dir } else { FileKind::File };
            FileWork::Unit(files.remove(NOBODY, &path, kind))
        }
        MS_FILE_RENAME => FileWork::Unit(files.rename(NOBODY, &path, &target)),
        MS_FILE_COPY => FileWork::Number(files.copy(NOBODY, &path, &target)),
        MS_FILE_REAL_PATH => FileWork::Path(files.real_path(NOBODY, &path)),
        MS_FILE_CHMOD => FileWork::Unit(files.set_mode(NOBODY, &path, request.length as u32)),
        MS_FILE_SYMLINK => FileWork::Unit(files.symlink(NOBODY, &target, &path)),
        MS_FILE_READ_LINK => FileWork::Link(files.read_link(NOBODY, &path)),
        _ => return None,
    })
}

fn finished<T>(
    result: Poll<FileResult<T>>,
    fill: impl FnOnce(T, &mut FileDone),
) -> Option<FileDone> {
    let Poll::Ready(result) = result else { return None };
    let mut done = FileDone::default();
    match result {
        Ok(v) => fill(v, &mut done),
        Err(e) => done.io = Some(io_of_file(&e)),
    }
    Some(done)
}

fn keep_count(n: u64, done: &mut FileDone) {
    done.number = n;
}

fn keep_path(path: &Path, done: &mut FileDone) {
    done.data = text_of(path.as_os_str());
}

/// Goes on with a request; its result when it is finished.
pub(super) fn advance(bridge: &Bridge, work: &mut FileWork, token: TaskToken) -> Option<FileDone> {
    match work {
        FileWork::Bytes(op) => {
            // The only limit is that of the memory.
            let read = op.poll(token).map_err(|error| match error {
                FileError::Os(e) if e.kind == io::ErrorKind::FileTooLarge => FileError::Memory,
                other => other,
            });
            finished(read, |bytes, done| done.data = bytes)
        }
        FileWork::Unit(op) => finished(op.poll(token), |(), _| {}),
        FileWork::Number(op) => finished(op.poll(token), keep_count),
        FileWork::Meta(op) => finished(op.poll(token), |meta, done| done.meta = Some(meta)),
        FileWork::Path(op) => finished(op.poll(token), |path, done| keep_path(&path, done)),
        FileWork::Link(op) => finished(op.poll(token), |name, done| done.data = text_of(&name)),
        FileWork::Open(op) => finished(op.poll(token), |file, done| {
            done.number = bridge.open_files.borrow_mut().insert(file).to_bits();
        }),
        FileWork::List(op) => finished(op.poll(token), |entries, done| {
            for entry in entries {
                let meta = match &entry.metadata {
                    Some(meta) => meta_of(meta),
                    None => MsMeta { kind: kind_of(entry.kind), ..NO_META },
                };
                let name = text_of(&entry.name);
                done.entries.push(MsDirEntry { name: MsStr::bytes(&name), meta });
                done.names.push(name);
            }
        }),
        FileWork::Ended(result) => {
            let result = result.take().unwrap_or_else(|| Err(FileError::closed()));
            finished(Poll::Ready(result), |meta, done| done.meta = Some(meta))
        }
        FileWork::Handle(file, work) => advance_handle(file, work, token),
    }
}

fn advance_handle(
    file: &Rc<OpenFile>,
    work: &mut HandleWork,
    token: TaskToken,
) -> Option<FileDone> {
    match work {
        HandleWork::Read(n) => {
            finished(file.poll_read1(token, *n), |bytes, done| done.data = bytes)
        }
        HandleWork::Write(bytes, taken) => {
            let count = bytes.len() as u64;
            finished(file.poll_write(token, bytes, taken), |_, done| done.number = count)
        }
        HandleWork::Seek(offset, whence) => {
            finished(file.poll_seek(token, *offset, *whence), keep_count)
        }
        HandleWork::Sync => finished(file.poll_sync(token), |(), _| {}),
        HandleWork::Truncate(len) => {
            let len = i64::try_from(*len).unwrap_or(i64::MAX);
            finished(file.poll_truncate(token, Some(len)), keep_count)
        }
        HandleWork::Close => finished(file.poll_close(token), |(), _| {}),
    }
}

unsafe extern "C" fn submit(
    at: *mut MsVm,
    request: *const MsFileRequest,
    out: *mut MsOp,
) -> MsStatus {
    // SAFETY: the contract of the table: the record starts with its size.
    unsafe {
        host(at, |call| {
            let bridge = call.bridge();
            let request = widen(request, (*request).size);
            let Some(mut work) = start(bridge, &request) else { return Ok(MS_UNSUPPORTED) };
            let stage = match advance(bridge, &mut work, NOBODY) {
                Some(done) => FileStage::Done(Box::new(done)),
                None => FileStage::Running(Box::new(work)),
            };
            out.write(bridge.add_op(Op::File(stage)));
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn result(at: *mut MsVm, op: MsOp, out: *mut MsFileResult) -> MsStatus {
    // SAFETY: the contract of the table: the caller set `size`.
    unsafe {
        host(at, |call| {
            let ops = call.bridge().ops.borrow();
            let Some(Op::File(FileStage::Done(done))) = ops.get(Key::from_bits(op)) else {
                let e: Exit<'_> =
                    call.vm().runtime_error("the file request is not finished or not open");
                return Err(e);
            };
            let size = (*out).size.min(size_of::<MsFileResult>());
            let count = if done.data.is_empty() { done.number } else { done.data.len() as u64 };
            let full = MsFileResult {
                size: (*out).size,
                io: done.io.unwrap_or(MsIo { count, ..MsIo::NONE }),
                number: done.number,
                data: MsStr::bytes(&done.data),
                meta: done.meta.as_ref().map_or(NO_META, meta_of),
                entries: MsTable {
                    ptr: done.entries.as_ptr().cast(),
                    len: done.entries.len(),
                    stride: size_of::<MsDirEntry>(),
                },
            };
            std::ptr::copy_nonoverlapping((&raw const full).cast::<u8>(), out.cast::<u8>(), size);
            Ok(if done.io.is_some() { MS_FAILED } else { MS_OK })
        })
    }
}

unsafe extern "C" fn close_handle(at: *mut MsVm, handle: u64) -> MsStatus {
    // SAFETY: the contract of the table.
    match unsafe { bridge(at) } {
        Ok(bridge) => {
            let closed = bridge.open_files.borrow_mut().remove(Key::from_bits(handle));
            drop(closed);
            MS_OK
        }
        Err(status) => status,
    }
}
