//! Directories, and files as a whole.

use crate::info::FileInfo;
use crate::path::Path;
use miniscript_sdk::abi::{
    MS_IO_EXISTS, MS_IO_NOT_DIR, MS_IO_NOT_FOUND, MS_KIND_DIR, MS_KIND_FILE,
};
use miniscript_sdk::prelude::*;
use miniscript_sdk::{self as ms, fs};

/// The entries of a directory as FileInfo objects, ordered by name.
///
/// A symbolic link is described as such and not followed.
#[ms::function(calls_back)]
pub async fn list_dir(#[ms(default = ".")] path: Path) -> Result<Vec<FileInfo>> {
    let mut entries = fs::list_dir(&path.0, true).await?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let dir = if path.0 == "." { "" } else { path.0.as_str() };
    Ok(entries.into_iter().map(|entry| FileInfo::in_dir(dir, entry)).collect())
}

/// Metadata of the file at path; with follow=False that of a symbolic link itself.
#[ms::function(calls_back)]
pub async fn stat(path: Path, #[ms(keyword, default = true)] follow: bool) -> Result<FileInfo> {
    let meta = fs::metadata(&path.0, !follow).await?;
    Ok(FileInfo::at(&path.0, meta))
}

/// Kind of the file at path, if it can be found.
async fn kind(path: &str) -> Result<Option<u32>> {
    match fs::metadata(path, false).await {
        Ok(meta) => Ok(Some(meta.kind)),
        Err(error) if failed_with(&error, &[MS_IO_NOT_FOUND, MS_IO_NOT_DIR]) => Ok(None),
        Err(error) => Err(error),
    }
}

fn failed_with(error: &Error, kinds: &[u32]) -> bool {
    error.io_record().is_some_and(|io| kinds.contains(&io.kind))
}

/// Whether there is a file or directory at path. A broken symbolic link is none.
#[ms::function(calls_back)]
pub async fn exists(path: Path) -> Result<bool> {
    Ok(kind(&path.0).await?.is_some())
}

/// Whether there is a directory at path.
#[ms::function(calls_back)]
pub async fn is_dir(path: Path) -> Result<bool> {
    Ok(kind(&path.0).await? == Some(MS_KIND_DIR))
}

/// Whether there is a regular file at path.
#[ms::function(calls_back)]
pub async fn is_file(path: Path) -> Result<bool> {
    Ok(kind(&path.0).await? == Some(MS_KIND_FILE))
}

/// Makes a directory.
///
/// With parents=True the directories above it are made too; with exist_ok=True it may be there
/// already.
#[ms::function(calls_back)]
pub async fn mkdir(
    path: Path,
    #[ms(default = false)] parents: bool,
    #[ms(default = false)] exist_ok: bool,
) -> Result<()> {
    if parents && let Some((above, _)) = split(&path.0) {
        fs::mkdir(above, true).await?;
    }
    match fs::mkdir(&path.0, false).await {
        Err(error) if exist_ok && failed_with(&error, &[MS_IO_EXISTS]) => {
            match kind(&path.0).await? == Some(MS_KIND_DIR) {
                true => Ok(()),
                false => Err(error),
            }
        }
        done => done,
    }
}

/// Directory and name.
fn split(path: &str) -> Option<(&str, &str)> {
    let path = path.trim_end_matches(std::path::is_separator);
    let at = path.rfind(std::path::is_separator)?;
    let above = path[..at].trim_end_matches(std::path::is_separator);
    (!above.is_empty()).then(|| (above, &path[at + 1..]))
}

/// Removes a file, a symbolic link or an empty directory; with recursive=True also a directory
/// with all that is in it.
#[ms::function(calls_back)]
pub async fn remove(path: Path, #[ms(keyword, default = false)] recursive: bool) -> Result<()> {
    let what = match fs::metadata(&path.0, true).await?.kind {
        MS_KIND_DIR if recursive => fs::Remove::Tree,
        MS_KIND_DIR => fs::Remove::Dir,
        _ => fs::Remove::File,
    };
    fs::remove(&path.0, what).await
}

/// Renames a file or directory; a file at the target is replaced.
#[ms::function(calls_back)]
pub async fn rename(source: Path, target: Path) -> Result<()> {
    fs::rename(&source.0, &target.0).await.map_err(|error| with_target(error, &target.0))
}

/// Copies a file with its mode; the result is its length.
#[ms::function(calls_back)]
pub async fn copy(source: Path, target: Path) -> Result<u64> {
    fs::copy(&source.0, &target.0).await.map_err(|error| with_target(error, &target.0))
}

/// The absolute path without symbolic links. The file must be there.
#[ms::function(calls_back)]
pub async fn real_path(path: Path) -> Result<String> {
    fs::real_path(&path.0).await
}

/// Names the second path in the error, as CPython does: `[Errno 2] ...: 'a' -> 'b'`.
fn with_target(error: Error, target: &str) -> Error {
    if error.io_record().is_none() {
        return error;
    }
    ms::with_cx(|cx| {
        let exception = cx.catch(error)?;
        cx.set_attr(exception, "filename2", target)?;
        exception.keep(cx)
    })
    .map_or_else(|error| error, Error::object)
}
