//! `ms_config`: what a VM is granted and where its output goes.

use std::ffi::{c_char, c_void};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use miniscript_engine::access::{Grants, Right, Unrestricted};
use miniscript_engine::{Buffering, Config, OutputStream};

use crate::error::Fail;
use crate::text;

/// A callback that takes output.
pub type MsWriteFn =
    Option<unsafe extern "C" fn(data: *mut c_void, bytes: *const c_char, len: usize)>;

/// `ms_config`. Fields are only ever added at the end; the caller's size tells which it knows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MsConfig {
    /// `sizeof(ms_config)` of the caller.
    pub size: usize,
    /// `MS_ALLOW_` flags.
    pub flags: u32,
    /// Depth of calls; 0: the usual one.
    pub recursion: u32,
    /// Seconds that one run may take; 0: no limit.
    pub timeout: f64,
    /// Bytes of the heap; 0: no limit.
    pub memory: u64,
    /// Loop iterations that one run may make, to the next 5,000; 0: no limit.
    pub fuel: u64,
    /// Files and folders that may be read.
    pub allow_read: *const *const c_char,
    /// Their number.
    pub allow_read_count: usize,
    /// Files and folders that may be written.
    pub allow_write: *const *const c_char,
    /// Their number.
    pub allow_write_count: usize,
    /// Folders in which modules are looked for.
    pub module_path: *const *const c_char,
    /// Their number.
    pub module_path_count: usize,
    /// Takes standard output; null: the process's.
    pub write_out: MsWriteFn,
    /// Takes standard error; null: the process's.
    pub write_err: MsWriteFn,
    /// Handed to the callbacks.
    pub data: *mut c_void,
    /// Hosts and addresses that may be reached.
    pub allow_net: *const *const c_char,
    /// Their number.
    pub allow_net_count: usize,
    /// Variables of the environment.
    pub allow_env: *const *const c_char,
    /// Their number.
    pub allow_env_count: usize,
    /// Programs that may be run.
    pub allow_run: *const *const c_char,
    /// Their number.
    pub allow_run_count: usize,
    /// Modules that may be imported from `module_path`.
    pub allow_import: *const *const c_char,
    /// Their number.
    pub allow_import_count: usize,
    /// Extensions that may be loaded.
    pub allow_ext: *const *const c_char,
    /// Their number.
    pub allow_ext_count: usize,
    /// Folders in which extensions are looked for.
    pub ext_path: *const *const c_char,
    /// Their number.
    pub ext_path_count: usize,
}

/// The script has all rights of the process.
pub const MS_ALLOW_ALL: u32 = 1;

/// The flags that grant one right without bounds.
const FLAGS: [(u32, Right); 8] = [
    (1 << 1, Right::Read),
    (1 << 2, Right::Write),
    (1 << 3, Right::Net),
    (1 << 4, Right::Env),
    (1 << 5, Right::Run),
    (1 << 6, Right::Import),
    (1 << 7, Right::Ext),
    (1 << 8, Right::Stdin),
];

impl Default for MsConfig {
    fn default() -> MsConfig {
        // SAFETY: all fields are numbers, pointers or optional functions.
        unsafe { std::mem::zeroed() }
    }
}

struct Callback {
    write: unsafe extern "C" fn(*mut c_void, *const c_char, usize),
    data: *mut c_void,
}

impl Write for Callback {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: the embedder promises a callback that can be called while the VM lives.
        unsafe { (self.write)(self.data, bytes.as_ptr().cast(), bytes.len()) };
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the caller's struct, whatever its version; what it does not know is zero.
///
/// # Safety
/// Null, or a struct of the size that it says.
pub(crate) unsafe fn read(config: *const MsConfig) -> Result<MsConfig, Fail> {
    let mut known = MsConfig::default();
    if config.is_null() {
        return Ok(known);
    }
    // SAFETY: the size is the first field of every version.
    let size = unsafe { config.cast::<usize>().read() };
    if size < size_of::<usize>() || size > 1 << 16 {
        return Err(Fail::argument("ms_config.size is not sizeof(ms_config)"));
    }
    // Whole words: a size that ends inside a field does not tell that field.
    let count = size.min(size_of::<MsConfig>()) / size_of::<usize>() * size_of::<usize>();
    let (from, to) = (config.cast::<u8>(), std::ptr::from_mut(&mut known).cast::<u8>());
    // SAFETY: both have at least `count` bytes; any bytes are a valid `MsConfig` of C's.
    unsafe { std::ptr::copy_nonoverlapping(from, to, count) };
    // What a newer caller asks for and this version does not know must not be passed over: it
    // may be a limit.
    // SAFETY: the caller's struct has `size` bytes.
    if (size_of::<MsConfig>()..size).any(|i| unsafe { from.add(i).read() } != 0) {
        return Err(Fail::argument("ms_config has fields that this version does not know"));
    }
    Ok(known)
}

/// The engine's settings for it.
///
/// # Safety
/// The arrays have as many strings as they say.
pub(crate) unsafe fn engine_config(c: &MsConfig) -> Result<Config, Fail> {
    let mut config = Config { linked: vec![ms_math::descriptor()], ..Config::default() };
    if c.timeout.is_nan() || c.timeout < 0.0 {
        return Err(Fail::argument("ms_config.timeout is negative or no number"));
    }
    if c.timeout > 0.0 {
        // More than the clock can count means no limit.
        config.limits.timeout = Duration::try_from_secs_f64(c.timeout).ok();
    }
    let some = |n: u64| (n != 0).then(|| usize::try_from(n).unwrap_or(usize::MAX));
    config.limits.max_memory = some(c.memory);
    config.limits.recursion = some(c.recursion.into());
    config.limits.fuel = (c.fuel != 0).then_some(c.fuel);
    let known = FLAGS.iter().fold(MS_ALLOW_ALL, |all, (flag, _)| all | flag);
    if c.flags & !known != 0 {
        return Err(Fail::argument("ms_config.flags has bits that this version does not know"));
    }
    let mut grants = Grants::default();
    let lists = [
        (Right::Read, c.allow_read, c.allow_read_count, "ms_config.allow_read"),
        (Right::Write, c.allow_write, c.allow_write_count, "ms_config.allow_write"),
        (Right::Net, c.allow_net, c.allow_net_count, "ms_config.allow_net"),
        (Right::Env, c.allow_env, c.allow_env_count, "ms_config.allow_env"),
        (Right::Run, c.allow_run, c.allow_run_count, "ms_config.allow_run"),
        (Right::Import, c.allow_import, c.allow_import_count, "ms_config.allow_import"),
        (Right::Ext, c.allow_ext, c.allow_ext_count, "ms_config.allow_ext"),
    ];
    for (right, list, count, what) in lists {
        // SAFETY: by contract.
        for &item in unsafe { text::array(list, count, what)? } {
            // SAFETY: by contract.
            let scope = unsafe { text::path(item, what)? };
            grants.grant(right, scope).map_err(|e| Fail::argument(format!("{what}: {e}")))?;
        }
    }
    for (_, right) in FLAGS.iter().filter(|(flag, _)| c.flags & flag != 0) {
        grants.grant_all(*right);
    }
    let folders = [
        (&mut config.path, c.module_path, c.module_path_count, "ms_config.module_path"),
        (&mut config.ext_path, c.ext_path, c.ext_path_count, "ms_config.ext_path"),
    ];
    for (to, list, count, what) in folders {
        // SAFETY: by contract.
        for &item in unsafe { text::array(list, count, what)? } {
            // SAFETY: by contract.
            to.push(unsafe { text::path(item, what)? });
        }
    }
    config.access = match c.flags & MS_ALLOW_ALL {
        0 => Arc::new(grants),
        _ => Arc::new(Unrestricted),
    };
    let stream = |write: MsWriteFn, buffering| {
        write.map(|write| OutputStream::new(Box::new(Callback { write, data: c.data }), buffering))
    };
    if let Some(out) = stream(c.write_out, Buffering::Full) {
        config.stdout = out;
    }
    if let Some(err) = stream(c.write_err, Buffering::None) {
        config.stderr = err;
    }
    Ok(config)
}
