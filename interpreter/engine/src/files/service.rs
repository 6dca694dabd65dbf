//! Where an operation runs, and what a task waits for.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::error::{FileError, FileResult};
use super::local::{LocalMounts, QUICK_BYTES, QUICK_REMOVE};
use super::meta::{DirEntry, FileKind, Metadata};
use super::mode::OpenMode;
use super::open_file::{OpenFile, Opened};
use super::ops::{self, WriteOptions};
use crate::access::{Access, Unrestricted};
use crate::reactor::{Job, Reactor, TaskToken};

const EXIT_PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Inner {
    pub(super) reactor: Rc<Reactor>,
    access: Arc<dyn Access>,
    mounts: LocalMounts,
    /// Open files, so that what they hold is seen by whoever opens them next, and to be found by
    /// their descriptors.
    opened: RefCell<Vec<Weak<OpenFile>>>,
    /// Last writes of files that were dropped unclosed.
    pub(super) orphans: RefCell<Vec<Job<()>>>,
    /// Most bytes that a read may bring, or gather on the way.
    pub(super) most: usize,
}

/// The file service of one VM.
#[derive(Clone)]
pub struct FileService {
    inner: Rc<Inner>,
}

/// An operation under way; dropping it lets it end unobserved, or not begin.
#[derive(Debug)]
pub struct FileOp<T>(Stage<T>);

#[derive(Debug)]
enum Stage<T> {
    Ended(Option<FileResult<T>>),
    Running(Job<FileResult<T>>),
}

impl<T> FileOp<T> {
    fn ended(outcome: FileResult<T>) -> FileOp<T> {
        FileOp(Stage::Ended(Some(outcome)))
    }

    /// The result, or parks `token` until it is there. It comes once.
    pub fn poll(&mut self, token: TaskToken) -> Poll<FileResult<T>> {
        match &mut self.0 {
            Stage::Ended(outcome) => outcome.take().map_or(Poll::Pending, Poll::Ready),
            Stage::Running(job) => job.poll(token).map(|outcome| {
                outcome.unwrap_or_else(|panic| Err(FileError::Message(panic.to_string())))
            }),
        }
    }
}

/// An `open` under way.
pub struct Opening {
    service: Rc<Inner>,
    path: PathBuf,
    mode: OpenMode,
    op: FileOp<Opened>,
}

impl Opening {
    /// The open file, or parks `token` until it is there. It comes once.
    pub fn poll(&mut self, token: TaskToken) -> Poll<FileResult<Rc<OpenFile>>> {
        self.op.poll(token).map(|opened| {
            let (path, mode) = (self.path.clone(), self.mode.clone());
            let service = Rc::clone(&self.service);
            let file = Rc::new(OpenFile::new(service, path, mode, opened?)?);
            let mut all = self.service.opened.borrow_mut();
            if all.len() >= 16 && all.len().is_power_of_two() {
                all.retain(|file| file.strong_count() > 0);
            }
            all.push(Rc::downgrade(&file));
            Ok(file)
        })
    }
}

impl FileService {
    /// A service that waits through `reactor` and asks `access`.
    pub fn new(reactor: Rc<Reactor>, access: Arc<dyn Access>) -> FileService {
        FileService::limited(reactor, access, None)
    }

    /// The same with a memory limit: a read that would bring more is a MemoryError before it does.
    pub fn limited(
        reactor: Rc<Reactor>,
        access: Arc<dyn Access>,
        most: Option<usize>,
    ) -> FileService {
        let inner = Inner {
            reactor,
            access,
            mounts: LocalMounts::default(),
            opened: RefCell::default(),
            orphans: RefCell::default(),
            most: most.unwrap_or(usize::MAX),
        };
        FileService { inner: Rc::new(inner) }
    }

    /// Who decides about permissions.
    pub fn access(&self) -> &Arc<dyn Access> {
        &self.inner.access
    }

    /// Opens a file as Python's `open` does.
    pub fn open(&self, token: TaskToken, path: &Path, mode: OpenMode) -> Opening {
        self.settle(path);
        let quick = self.find(path).is_ok_and(|found| match found {
            Some(meta) => !meta.kind.may_wait(),
            None => true,
        });
        let mut how = mode.how;
        let mut op = None;
        if quick {
            how.nonblocking = true;
            let opened = ops::open(&*self.inner.access, path, &how)
                .and_then(|file| Opened::examine(file, how.append));
            how.nonblocking = false;
            // If it has become a FIFO meanwhile, it is opened again where it may wait.
            if !opened.as_ref().is_ok_and(|opened| opened.meta.kind.may_wait()) {
                op = Some(FileOp::ended(opened));
            }
        }
        let op = op.unwrap_or_else(|| {
            let path = path.to_owned();
            self.run(token, false, move |access| {
                Opened::examine(ops::open(access, &path, &how)?, how.append)
            })
        });
        Opening { service: Rc::clone(&self.inner), path: path.to_owned(), mode, op }
    }

    /// Takes over a file that is open already, under a name for messages.
    pub fn adopt(&self, file: File, name: &Path, mode: OpenMode) -> FileResult<Rc<OpenFile>> {
        let opened = Opened::examine(file, mode.how.append)?;
        OpenFile::new(Rc::clone(&self.inner), name.to_owned(), mode, opened).map(Rc::new)
    }

    /// Reads a whole file; more than `limit` bytes are an error.
    pub fn read_whole(&self, token: TaskToken, path: &Path, limit: Option<u64>) -> FileOp<Vec<u8>> {
        self.settle(path);
        let quick = self.find(path).is_ok_and(|found| match found {
            // A size of 0 may be that of a pseudo file which waits.
            Some(meta) => meta.is_file() && (1..=QUICK_BYTES).contains(&meta.size),
            None => true,
        });
        let path = path.to_owned();
        let most = self.inner.most as u64;
        self.run(token, quick, move |access| match limit {
            Some(limit) if limit <= most => ops::read_whole(access, &path, Some(limit)),
            _ => ops::read_whole_within(access, &path, most),
        })
    }

    /// Writes a whole file, atomically if it is a regular one; see [`ops`].
    pub fn write_whole(
        &self,
        token: TaskToken,
        path: &Path,
        data: Vec<u8>,
        options: WriteOptions,
    ) -> FileOp<()> {
        self.settle(path);
        let small = data.len() as u64 <= QUICK_BYTES && !options.durable;
        let quick = small
            && self.find(path).is_ok_and(|found| found.is_none_or(|meta| !meta.kind.may_wait()));
        let path = path.to_owned();
        self.run(token, quick, move |access| ops::write_whole(access, &path, &data, options))
    }

    /// Looks at a file; with `follow`, at what a symlink leads to.
    pub fn stat(&self, token: TaskToken, path: &Path, follow: bool) -> FileOp<Metadata> {
        self.settle(path);
        let path = path.to_owned();
        self.run(token, self.all_local(), move |access| ops::stat(access, &path, follow))
    }

    /// Whether something is there.
    pub fn exists(&self, token: TaskToken, path: &Path) -> FileOp<bool> {
        let path = path.to_owned();
        self.run(token, self.all_local(), move |access| ops::exists(access, &path))
    }

    /// Lists a directory, sorted by name.
    pub fn list_dir(
        &self,
        token: TaskToken,
        path: &Path,
        with_metadata: bool,
    ) -> FileOp<Vec<DirEntry>> {
        if with_metadata {
            self.flush_writers(|_| true);
        }
        let path = path.to_owned();
        // It may be of any length.
        self.run(token, false, move |access| ops::list_dir(access, &path, with_metadata))
    }

    /// Makes a directory, with `parents` those above it too.
    pub fn mkdir(&self, token: TaskToken, path: &Path, parents: bool, mode: u32) -> FileOp<()> {
        let path = path.to_owned();
        self.run(token, self.all_local(), move |access| ops::mkdir(access, &path, parents, mode))
    }

    /// Removes a file or link, or (`FileKind::Dir`) an empty directory.
    pub fn remove(&self, token: TaskToken, path: &Path, kind: FileKind) -> FileOp<()> {
        let quick =
            self.find(path).is_ok_and(|found| found.is_none_or(|meta| meta.size <= QUICK_REMOVE));
        let path = path.to_owned();
        self.run(token, quick, move |access| ops::remove(access, &path, kind))
    }

    /// Renames, replacing a file that is there.
    pub fn rename(&self, token: TaskToken, from: &Path, to: &Path) -> FileOp<()> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.run(token, self.all_local(), move |access| ops::rename(access, &from, &to))
    }

    /// Removes a directory with all that is in it.
    pub fn remove_tree(&self, token: TaskToken, path: &Path) -> FileOp<()> {
        let path = path.to_owned();
        self.run(token, false, move |access| ops::remove_tree(access, &path))
    }

    /// Copies a file's content; returns its length.
    pub fn copy(&self, token: TaskToken, from: &Path, to: &Path) -> FileOp<u64> {
        self.settle(from);
        self.settle(to);
        let (from, to) = (from.to_owned(), to.to_owned());
        self.run(token, false, move |access| ops::copy(access, &from, &to))
    }

    /// The absolute path without links; everything must exist.
    pub fn real_path(&self, token: TaskToken, path: &Path) -> FileOp<PathBuf> {
        let path = path.to_owned();
        self.run(token, self.all_local(), move |access| ops::real_path(access, &path))
    }

    /// What a symlink says.
    pub fn read_link(&self, token: TaskToken, path: &Path) -> FileOp<OsString> {
        let path = path.to_owned();
        self.run(token, self.all_local(), move |access| ops::read_link(access, &path))
    }

    /// Makes `path` a symlink to `target`.
    pub fn symlink(&self, token: TaskToken, target: &Path, path: &Path) -> FileOp<()> {
        let (target, path) = (target.to_owned(), path.to_owned());
        self.run(token, self.all_local(), move |access| ops::symlink(access, &target, &path))
    }

    /// Sets the mode bits.
    pub fn set_mode(&self, token: TaskToken, path: &Path, mode: u32) -> FileOp<()> {
        let path = path.to_owned();
        self.run(token, self.all_local(), move |access| ops::set_mode(access, &path, mode))
    }

    /// Carries out an operation on paths that [`FileService`] has no function for.
    pub fn perform<T, F>(&self, token: TaskToken, work: F) -> FileOp<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Access) -> FileResult<T> + Send + 'static,
    {
        self.run(token, self.all_local(), work)
    }

    /// Carries out what may take long, on the pool.
    pub fn perform_slow<T, F>(&self, token: TaskToken, work: F) -> FileOp<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Access) -> FileResult<T> + Send + 'static,
    {
        self.run(token, false, work)
    }

    /// Writes out what open files hold, and waits for those dropped unclosed: at exit, and
    /// before another program is started.
    pub fn flush_all(&self) {
        self.flush_writers(|_| true);
        let end = Instant::now() + EXIT_PATIENCE;
        let orphans = std::mem::take(&mut *self.inner.orphans.borrow_mut());
        for mut orphan in orphans {
            let _ = orphan.wait(end.saturating_duration_since(Instant::now()));
        }
    }

    fn all_local(&self) -> bool {
        self.inner.mounts.all_local()
    }

    /// What stands at `path`, if looking cannot wait (`Err`: it could). It decides where an
    /// operation runs and nothing else, so no permission is asked and nothing is told.
    fn find(&self, path: &Path) -> Result<Option<Metadata>, ()> {
        if !self.all_local() {
            return Err(());
        }
        Ok(ops::stat(&Unrestricted, path, true).ok())
    }

    /// Makes files opened before show their content to whoever comes by `path` now.
    pub(crate) fn settle(&self, path: &Path) {
        let inner = &self.inner;
        let dirty = |file: &Weak<OpenFile>| file.upgrade().is_some_and(|f| f.has_unwritten());
        if !inner.opened.borrow().iter().any(dirty) {
            return;
        }
        if let Ok(Some(meta)) = self.find(path) {
            self.flush_writers(|file| file.is_same_file(&meta));
        } else if !self.all_local() {
            self.flush_writers(|_| true);
        }
    }

    /// Another handle of the open file whose descriptor is `n`.
    #[cfg(unix)]
    pub fn handle_of(&self, n: i32) -> Option<std::io::Result<std::fs::File>> {
        let opened = self.inner.opened.borrow();
        opened.iter().filter_map(Weak::upgrade).find_map(|file| file.handle_if(n))
    }

    fn flush_writers(&self, wanted: impl Fn(&OpenFile) -> bool) {
        let writers: Vec<_> = self.inner.opened.borrow().iter().filter_map(Weak::upgrade).collect();
        for file in writers.iter().filter(|file| file.has_unwritten() && wanted(file)) {
            // The error belongs to the file's owner, who meets it at the next flush.
            let _ = file.flush_blocking();
        }
    }

    fn run<T, F>(&self, token: TaskToken, quick: bool, work: F) -> FileOp<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Access) -> FileResult<T> + Send + 'static,
    {
        if quick {
            return FileOp::ended(work(&*self.inner.access));
        }
        let access = Arc::clone(&self.inner.access);
        match self.inner.reactor.blocking(token, move || work(&*access)) {
            Ok(job) => FileOp(Stage::Running(job)),
            Err(error) => FileOp::ended(Err(FileError::from_io(error))),
        }
    }
}
