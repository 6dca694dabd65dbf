//! Handles of script values.

use crate::host::Host;
use crate::{Cx, FromMs, Result};
use miniscript_abi::*;
use std::marker::PhantomData;

/// A script value, valid for the running call. The host checks each use, so one that is kept for
/// longer is an exception and not undefined behaviour; keep with [`Value::keep`].
#[derive(Clone, Copy)]
pub struct Value(MsValue, PhantomData<*const ()>);

impl Value {
    /// None.
    pub const NONE: Self = Self(MsValue::NONE, PhantomData);

    /// Wraps a value of the ABI.
    pub const fn new(raw: MsValue) -> Self {
        Self(raw, PhantomData)
    }

    /// The value of the ABI.
    pub const fn raw(self) -> MsValue {
        self.0
    }

    /// Whether this stands for an argument that was not passed.
    pub const fn is_absent(self) -> bool {
        self.0.tag == MS_TAG_ABSENT
    }

    /// Converts to a Rust value.
    pub fn to<'a, T: FromMs<'a>>(self, cx: &'a Cx) -> Result<T> {
        T::from_ms(cx, self)
    }

    /// Keeps the value beyond the call.
    pub fn keep(self, cx: &Cx) -> Result<Kept> {
        Kept::new(cx, self, MS_RETAIN_ROOT)
    }

    /// Keeps the value for as long as the `trace` method of the class that holds it reports it;
    /// unlike [`Value::keep`] this lets cycles be collected.
    pub fn keep_traced(self, cx: &Cx) -> Result<Kept> {
        Kept::new(cx, self, MS_RETAIN_TRACED)
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A value that outlives the call; released when dropped.
pub struct Kept {
    value: MsValue,
    vm: *mut MsVm,
    host: &'static Host,
}

impl Kept {
    fn new(cx: &Cx, value: Value, mode: u32) -> Result<Self> {
        let kept =
            cx.out_value(|out| crate::cx::host_call!(cx, value.retain(value.raw(), mode, out)))?;
        Ok(Self { value: kept.raw(), vm: cx.vm(), host: cx.host() })
    }

    /// The value, for use in the running call.
    pub fn get(&self) -> Value {
        Value::new(self.value)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(release) = self.host.value.release
            && self.value.is_handle()
        {
            // SAFETY: a `Kept` is neither `Send` nor longer-lived than its VM: the host ends
            // payloads, futures and states while the VM lives, on the VM's thread.
            unsafe { release(self.vm, self.value) };
        }
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value.fmt(f)
    }
}
