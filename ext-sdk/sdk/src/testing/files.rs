//! The file service of the test host, over `std::fs`: each request is done when it is submitted.

use super::flow::Op;
use super::values::vm;
use super::*;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

/// What a request gave.
#[derive(Default)]
pub struct Outcome {
    error: Option<io::Error>,
    number: u64,
    data: Vec<u8>,
    meta: Option<MsMeta>,
    names: Vec<(Vec<u8>, MsMeta)>,
    entries: Vec<MsDirEntry>,
}

pub(super) static TABLE: MsHostFile = MsHostFile {
    size: size_of::<MsHostFile>(),
    submit: Some(submit),
    result: Some(result),
    close_handle: None,
};

fn meta_of(meta: &fs::Metadata) -> MsMeta {
    let kind = match meta.file_type() {
        kind if kind.is_file() => MS_KIND_FILE,
        kind if kind.is_dir() => MS_KIND_DIR,
        kind if kind.is_symlink() => MS_KIND_LINK,
        _ => MS_KIND_OTHER,
    };
    let modified = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    #[cfg(unix)]
    let mode = std::os::unix::fs::MetadataExt::mode(meta);
    #[cfg(not(unix))]
    let mode = 0;
    MsMeta {
        kind,
        mode,
        size: meta.len(),
        modified_ns: modified.map_or(0, |time| time.as_nanos() as i64),
        accessed_ns: 0,
        changed_ns: 0,
        device: 0,
        inode: 0,
        links: 1,
        user: 0,
        group: 0,
    }
}

fn run(code: u32, flags: u32, path: &Path, target: &Path, data: &[u8]) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    match code {
        MS_FILE_READ_ALL => outcome.data = fs::read(path)?,
        MS_FILE_WRITE_ALL => fs::write(path, data)?,
        MS_FILE_APPEND => {
            let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
            file.write_all(data)?;
        }
        MS_FILE_STAT => {
            let meta = if flags == 1 { fs::symlink_metadata(path) } else { fs::metadata(path) };
            outcome.meta = Some(meta_of(&meta?));
        }
        MS_FILE_LIST => {
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                let name = entry.file_name().into_encoded_bytes();
                outcome.names.push((name, meta_of(&entry.metadata()?)));
            }
            outcome.names.sort_by(|a, b| a.0.cmp(&b.0));
        }
        MS_FILE_MKDIR if flags == 1 => fs::create_dir_all(path)?,
        MS_FILE_MKDIR => fs::create_dir(path)?,
        MS_FILE_REMOVE => match flags {
            1 => fs::remove_dir(path)?,
            2 => fs::remove_dir_all(path)?,
            _ => fs::remove_file(path)?,
        },
        MS_FILE_RENAME => fs::rename(path, target)?,
        MS_FILE_COPY => outcome.number = fs::copy(path, target)?,
        MS_FILE_REAL_PATH => {
            outcome.data = fs::canonicalize(path)?.into_os_string().into_encoded_bytes();
        }
        _ => return Err(io::ErrorKind::Unsupported.into()),
    }
    Ok(outcome)
}

unsafe extern "C" fn submit(
    at: *mut MsVm,
    request: *const MsFileRequest,
    out: *mut MsOp,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let request = &*request;
        let path = Path::new(request.path.as_str().unwrap_or_default());
        let target = Path::new(request.target.as_str().unwrap_or_default());
        let done = run(request.code, request.flags, path, target, request.data.as_bytes());
        let mut outcome =
            done.unwrap_or_else(|error| Outcome { error: Some(error), ..Outcome::default() });
        outcome.entries = outcome
            .names
            .iter()
            .map(|(name, meta)| MsDirEntry { name: MsStr::bytes(name), meta: *meta })
            .collect();
        *out = vm(at).open(Op::File(Rc::new(outcome)));
    }
    MS_OK
}

unsafe extern "C" fn result(at: *mut MsVm, op: MsOp, out: *mut MsFileResult) -> MsStatus {
    // SAFETY: the contract of the table.
    let vm = unsafe { vm(at) };
    let Some(outcome) = vm.outcome_of(op) else {
        return MS_UNSUPPORTED;
    };
    // SAFETY: the contract of the table; the operation holds what the result points to.
    unsafe {
        let out = &mut *out;
        if let Some(error) = &outcome.error {
            out.io = crate::net::io_record(error);
            return MS_FAILED;
        }
        out.number = outcome.number;
        out.data = MsStr::bytes(&outcome.data);
        if let Some(meta) = outcome.meta {
            out.meta = meta;
        }
        out.entries = MsTable {
            ptr: outcome.entries.as_ptr().cast(),
            len: outcome.entries.len(),
            stride: size_of::<MsDirEntry>(),
        };
    }
    MS_OK
}
