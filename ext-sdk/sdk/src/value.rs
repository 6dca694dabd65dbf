//! Handles of script values.

use crate::life::Life;
use crate::{Cx, FromMs, Result};
use miniscript_abi::*;
use std::marker::PhantomData;
use std::rc::Rc;

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
    /// unlike [`Value::keep`] this lets cycles be collected. What is traced while a method has
    /// its object for writing cannot be read; then everything that was kept so stays.
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
///
/// It may be stored anywhere on its thread: in a payload, a future, the module's state, a
/// `thread_local!`. When its VM has ended it stands for nothing: using it is an exception, and
/// dropping it does nothing.
pub struct Kept {
    value: MsValue,
    life: Rc<Life>,
    /// Where the VM's life has it, if it is traced.
    traced: Option<usize>,
}

impl Kept {
    fn new(cx: &Cx, value: Value, mode: u32) -> Result<Self> {
        let kept =
            cx.out_value(|out| crate::cx::host_call!(cx, value.retain(value.raw(), mode, out)))?;
        let (value, life) = (kept.raw(), cx.life());
        let traced =
            (mode == MS_RETAIN_TRACED && value.is_handle()).then(|| life.add_traced(value));
        Ok(Self { value, life, traced })
    }

    /// The value, for use in the running call.
    pub fn get(&self) -> Value {
        Value::new(self.value)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(place) = self.traced {
            self.life.remove_traced(place);
        }
        if let Some(vm) = self.life.vm()
            && let Some(release) = self.life.host().value.release
            && self.value.is_handle()
        {
            // SAFETY: the VM lives, and this is its thread, since a `Kept` is not `Send`.
            unsafe { release(vm, self.value) };
        }
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value.fmt(f)
    }
}
