//! Compiled code, kept: beside its source in `__mscache__`, and for bundled modules in the
//! installation.
//!
//! Code is run unchecked but for its form, so it must come from here. What lies beside a source
//! is sealed with a key that only the user has (a file in the user's cache folder): a cache file
//! that came with somebody's program does not open. The installation's files need no key, as who
//! can write there can replace `ms` itself. Whatever is stale, damaged, of another version or of
//! another user is compiled anew, and replaced if it may be. Nothing here is ever an error.

use std::cell::{Cell, OnceCell};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miniscript_stdlib::Source;
use miniscript_syntax::{Watch, ast::Mode, decode_source};
use miniscript_vm::code::proto::{CodeProto, PackedText, SourceInfo};
use miniscript_vm::code::store::{self, COMPILER_ID};
use miniscript_vm::prelude;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;

use crate::access::{Access, Unrestricted};
use crate::config::random_seed;
use crate::files::ops::{self, WriteOptions};
use crate::source::{BadSource, compile_bytes, compile_text};

const FOLDER: &str = "__mscache__";
const MARK: &[u8; 4] = b"MSC\x01";
/// Shorter sources are compiled faster than they are looked up.
const MIN_SOURCE: usize = 4096;
/// Mark, compiler, hash of the source, length before compression, seal.
const HEAD: usize = 4 + 16 + 16 + 4 + 16;
/// No code is larger than this.
const MAX_CODE: usize = 1 << 30;
const OPEN_KEY: Key = [0; 16];

type Key = [u8; 16];

/// The cache of an engine.
#[derive(Default)]
pub(crate) struct CodeCache {
    enabled: bool,
    key: OnceCell<Option<Key>>,
    /// Sources whose code was read, and whose code was written.
    pub(crate) counts: [Cell<u64>; 2],
}

impl CodeCache {
    pub(crate) fn new(enabled: bool) -> CodeCache {
        CodeCache { enabled, ..CodeCache::default() }
    }

    /// Whether code may be kept.
    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The code of the source file at `path`, whose content is `bytes`.
    pub(crate) fn compile(
        &self,
        access: &dyn Access,
        path: &Path,
        bytes: &[u8],
        name: &str,
        watch: &Watch<'_>,
    ) -> Result<Arc<CodeProto>, Box<BadSource>> {
        let key = match bytes.len() >= MIN_SOURCE && self.enabled {
            true => *self.key.get_or_init(users_key),
            false => None,
        };
        let (Some(key), Some(place)) = (key, place_for(path)) else {
            return compile_bytes(bytes, name, watch);
        };
        let kept = ops::read_regular(access, &place, MAX_CODE as u64).ok();
        if let Some(code) = kept.and_then(|kept| unseal(&key, bytes, &kept))
            && let Ok(text) = decode_source(bytes)
            && let Ok(code) = store::from_bytes(&code, &Arc::new(SourceInfo::new(name, text)))
        {
            self.counts[0].update(|n| n + 1);
            return Ok(code);
        }
        let code = compile_bytes(bytes, name, watch)?;
        if let Some(sealed) = seal(&key, bytes, &code) {
            if let Some(folder) = place.parent() {
                let _ = ops::mkdir(access, folder, false, 0o777);
            }
            // Something else that stands there is not written into.
            let free = ops::stat(access, &place, false).map_or(true, |found| found.is_file());
            let written =
                free && ops::write_whole(access, &place, &sealed, WriteOptions::default()).is_ok();
            self.counts[1].update(|n| n + u64::from(written));
        }
        Ok(code)
    }
}

/// The code of the bundled module `name`.
pub(crate) fn bundled(
    name: &str,
    source: &'static Source,
) -> Result<Arc<CodeProto>, Box<BadSource>> {
    let file = format!("<frozen {name}>");
    match installed(name, source.id(), SourceInfo::packed(&*file, source)) {
        Some(code) => Ok(code),
        None => compile_text(source.unpack(), &file, Mode::Module),
    }
}

/// The code of a part of the VM that is written in MiniScript, if the installation has it.
pub(crate) fn prelude(file: &str, text: &'static str) -> Option<Arc<CodeProto>> {
    let source = SourceInfo::new(prelude::source_name(file), text);
    installed(&prelude_name(file), text.as_bytes(), source)
}

/// Writes the code of all bundled modules into `lib/miniscript` of an installation.
pub fn freeze_bundled(installation: &Path) -> std::io::Result<()> {
    let folder = installation.join("frozen");
    fs::create_dir_all(&folder)?;
    let modules = crate::modules::sources().map(|(name, source)| {
        (name.to_owned(), format!("<frozen {name}>"), source.unpack(), source.id())
    });
    let prelude = prelude::FILES.iter().map(|(file, text)| {
        (prelude_name(file), prelude::source_name(file), (*text).to_owned(), text.as_bytes())
    });
    for (name, file, text, id) in modules.chain(prelude) {
        let code = compile_text(text, &file, Mode::Module)
            .map_err(|bad| std::io::Error::other(format!("{name}: {:?}", bad.error)))?;
        let sealed = seal(&OPEN_KEY, id, &code)
            .ok_or_else(|| std::io::Error::other(format!("{name}: cannot be stored")))?;
        fs::write(folder.join(format!("{name}.msc")), sealed)?;
    }
    Ok(())
}

fn prelude_name(file: &str) -> String {
    format!("_prelude_{file}")
}

/// What the installation keeps under `name`, if it was made of the text that `id` stands for.
fn installed(name: &str, id: &[u8], source: SourceInfo) -> Option<Arc<CodeProto>> {
    let kept = fs::read(installed_file(name)?).ok()?;
    let code = unseal(&OPEN_KEY, id, &kept)?;
    store::from_bytes(&code, &Arc::new(source)).ok()
}

fn installed_file(name: &str) -> Option<PathBuf> {
    let executable = std::env::current_exe().and_then(|path| path.canonicalize()).ok()?;
    let root = executable.parent()?.parent()?;
    Some(root.join("lib/miniscript/frozen").join(format!("{name}.msc")))
}

fn place_for(source: &Path) -> Option<PathBuf> {
    let mut name = source.file_name()?.to_owned();
    name.push(".msc");
    Some(source.parent()?.join(FOLDER).join(name))
}

fn seal(key: &Key, source: &[u8], code: &CodeProto) -> Option<Vec<u8>> {
    let raw = store::to_bytes(code).ok()?;
    let packed = lz4_flex::block::compress(&raw);
    let mut sealed = Vec::with_capacity(HEAD + packed.len());
    sealed.extend_from_slice(MARK);
    sealed.extend_from_slice(COMPILER_ID.as_bytes());
    sealed.extend_from_slice(&digest(key, &[source]));
    sealed.extend_from_slice(&u32::try_from(raw.len()).ok()?.to_le_bytes());
    let mark = digest(key, &[&sealed, &packed]);
    sealed.extend_from_slice(&mark);
    sealed.extend_from_slice(&packed);
    Some(sealed)
}

/// The stored code, if it was sealed with this key, by this compiler, for this source.
fn unseal(key: &Key, source: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (head, packed) = sealed.split_at_checked(HEAD)?;
    let (head, mark) = head.split_at(HEAD - 16);
    let (what, len) = head.split_at(HEAD - 20);
    let (what, source_digest) = what.split_at(4 + 16);
    let len = u32::from_le_bytes(len.try_into().ok()?) as usize;
    let known = what[..4] == *MARK && what[4..] == *COMPILER_ID.as_bytes();
    let fits = known
        && len <= MAX_CODE
        && source_digest == digest(key, &[source])
        && mark == digest(key, &[head, packed]);
    if !fits {
        return None;
    }
    lz4_flex::block::decompress(packed, len).ok()
}

fn digest(key: &Key, parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = SipHasher24::new_with_key(key);
    for part in parts {
        hasher.write(part);
    }
    hasher.finish128().as_bytes()
}

/// The user's key, made if there is none; nothing if there is no place for it.
fn users_key() -> Option<Key> {
    let folder = users_folder()?;
    let file = folder.join("key");
    let read = || {
        let mut key = OPEN_KEY;
        ops::read_regular(&Unrestricted, &file, key.len() as u64)
            .ok()
            .filter(|bytes| bytes.len() == key.len())
            .map(|bytes| key.copy_from_slice(&bytes))?;
        (key != OPEN_KEY).then_some(key)
    };
    if let Some(key) = read() {
        return Some(key);
    }
    fs::create_dir_all(&folder).ok()?;
    let [a, b] = [random_seed(), random_seed()].map(u64::to_le_bytes);
    let key: Key = [a, b].concat().try_into().ok()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&file) {
        Ok(mut new) => new.write_all(&key).ok().map(|()| key),
        // Another process was first.
        Err(_) => read(),
    }
}

/// Where the user's key lies.
fn users_folder() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Caches"))
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))
    };
    Some(caches?.join("miniscript"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = [7; 16];

    fn code(text: &str) -> Arc<CodeProto> {
        compile_text(text.to_owned(), "t.ms", Mode::Module).unwrap()
    }

    #[test]
    fn a_seal_opens_with_its_key_and_source_alone() {
        let text = "def f(x):\n    return x + 1\n";
        let sealed = seal(&KEY, text.as_bytes(), &code(text)).unwrap();
        assert!(unseal(&KEY, text.as_bytes(), &sealed).is_some());
        assert!(unseal(&[8; 16], text.as_bytes(), &sealed).is_none());
        assert!(unseal(&KEY, b"other", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert!(unseal(&KEY, text.as_bytes(), &other).is_none(), "byte {at}");
            assert!(unseal(&KEY, text.as_bytes(), &sealed[..at]).is_none(), "cut at {at}");
        }
    }
}
