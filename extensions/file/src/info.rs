//! Metadata of a file as a script sees it.

use miniscript_sdk::abi::{MS_KIND_DIR, MS_KIND_FILE, MS_KIND_LINK};
use miniscript_sdk::prelude::*;
use miniscript_sdk::{self as ms, fs};

/// Metadata of a file or directory.
#[ms::class]
pub struct FileInfo {
    name: String,
    path: String,
    meta: fs::Metadata,
}

impl FileInfo {
    /// Of an entry of a directory.
    pub fn in_dir(dir: &str, entry: fs::DirEntry) -> Self {
        let separator =
            if dir.is_empty() || dir.ends_with(std::path::is_separator) { "" } else { "/" };
        let path = format!("{dir}{separator}{}", entry.name);
        Self { name: entry.name, path, meta: entry.meta }
    }

    /// Of the file at a path.
    pub fn at(path: &str, meta: fs::Metadata) -> Self {
        let trimmed = path.trim_end_matches(std::path::is_separator);
        let name = trimmed.rsplit(std::path::is_separator).next().unwrap_or(trimmed);
        Self { name: name.to_owned(), path: path.to_owned(), meta }
    }
}

fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[ms::methods]
impl FileInfo {
    /// Name without the directory.
    #[ms(getter)]
    fn name(&self) -> String {
        self.name.clone()
    }

    /// Name with the directory that was asked for.
    #[ms(getter)]
    fn path(&self) -> String {
        self.path.clone()
    }

    /// Whether it is a directory.
    #[ms(getter)]
    fn is_dir(&self) -> bool {
        self.meta.kind == MS_KIND_DIR
    }

    /// Whether it is a regular file.
    #[ms(getter)]
    fn is_file(&self) -> bool {
        self.meta.kind == MS_KIND_FILE
    }

    /// Whether it is a symbolic link.
    #[ms(getter)]
    fn is_link(&self) -> bool {
        self.meta.kind == MS_KIND_LINK
    }

    /// Length in bytes.
    #[ms(getter)]
    fn size(&self) -> u64 {
        self.meta.size
    }

    /// Type and permission bits, as os.stat() has them.
    #[ms(getter)]
    fn mode(&self) -> u32 {
        self.meta.mode
    }

    /// Last modification in seconds since 1970.
    #[ms(getter)]
    fn mod_time(&self) -> f64 {
        seconds(self.meta.modified_ns)
    }

    /// Last modification in nanoseconds since 1970.
    #[ms(getter)]
    fn mod_time_ns(&self) -> i64 {
        self.meta.modified_ns
    }

    /// Last access in seconds since 1970.
    #[ms(getter)]
    fn access_time(&self) -> f64 {
        seconds(self.meta.accessed_ns)
    }

    /// Last change of the metadata (on Windows the creation) in seconds since 1970.
    #[ms(getter)]
    fn change_time(&self) -> f64 {
        seconds(self.meta.changed_ns)
    }

    /// Number of the device.
    #[ms(getter)]
    fn device(&self) -> u64 {
        self.meta.device
    }

    /// Number of the inode.
    #[ms(getter)]
    fn inode(&self) -> u64 {
        self.meta.inode
    }

    /// Number of hard links.
    #[ms(getter)]
    fn links(&self) -> u64 {
        self.meta.links
    }

    /// Number of the owner.
    #[ms(getter)]
    fn uid(&self) -> u32 {
        self.meta.user
    }

    /// Number of the owning group.
    #[ms(getter)]
    fn gid(&self) -> u32 {
        self.meta.group
    }

    fn __repr__(&self, cx: &Cx) -> Result<String> {
        let name = cx.make(&self.name)?;
        Ok(format!(
            "FileInfo(name={}, is_dir={}, size={}, mode=0o{:o}, mod_time={:?})",
            cx.repr(name)?,
            if self.is_dir() { "True" } else { "False" },
            self.meta.size,
            self.meta.mode,
            self.mod_time()
        ))
    }
}
