//! Native classes: a Rust value as the payload of a script object.

use crate::convert::IntoReturn;
use crate::cx::host_call;
use crate::entry::{EntryResult, contain};
use crate::{Cx, Error, FromMs, IntoMs, Kept, Result, Value};
use miniscript_abi::*;
use std::cell::{Ref, RefCell, RefMut};
use std::ffi::c_void;

/// A struct with `#[class]`.
pub trait NativeClass: NativeMethods + 'static {
    /// Name in the script.
    const NAME: &'static str;
    /// Documentation.
    const DOC: &'static str;
    /// `MS_CLASS_` flags.
    const FLAGS: u32;
    /// Address that identifies the class.
    const ID: *const c_void;
}

/// What `#[methods]` writes.
#[doc(hidden)]
pub trait NativeMethods: Sized {
    const METHODS: &'static [MsFunction];
    const CONSTANTS: &'static [MsConst];
    const TRACE: Option<fn(&Self, &mut Tracer)>;
}

/// Receives the values that an object keeps with [`Value::keep_traced`].
pub struct Tracer {
    visit: MsVisit,
    visitor: *mut c_void,
}

impl Tracer {
    /// Reports a value.
    pub fn visit(&mut self, kept: &Kept) {
        let value = kept.get().raw();
        // SAFETY: the host's function with the host's visitor.
        unsafe { (self.visit)(self.visitor, &value) };
    }
}

/// The record of a class.
#[doc(hidden)]
pub const fn class_record<T: NativeClass>() -> MsClass {
    assert!(align_of::<RefCell<T>>() <= 16, "the payload of a class may be aligned to 16 at most");
    MsClass {
        name: MsStr::new(T::NAME),
        doc: MsStr::new(T::DOC),
        id: T::ID,
        base: MsStr::EMPTY,
        methods: MsTable::new(T::METHODS),
        constants: MsTable::new(T::CONSTANTS),
        payload_size: size_of::<RefCell<T>>(),
        payload_align: align_of::<RefCell<T>>(),
        drop: Some(drop_payload::<T>),
        trace: if T::TRACE.is_some() { Some(trace_payload::<T>) } else { None },
        flags: T::FLAGS,
    }
}

/// The record of an exception class.
#[doc(hidden)]
pub const fn exception_record(
    name: &'static str,
    doc: &'static str,
    base: &'static str,
    id: *const c_void,
) -> MsClass {
    MsClass {
        name: MsStr::new(name),
        doc: MsStr::new(doc),
        id,
        base: MsStr::new(base),
        methods: MsTable::EMPTY,
        constants: MsTable::EMPTY,
        payload_size: 0,
        payload_align: 0,
        drop: None,
        trace: None,
        flags: MS_CLASS_SUBCLASSABLE,
    }
}

unsafe extern "C" fn drop_payload<T>(payload: *mut c_void) {
    // SAFETY: the host passes each payload here once, and does not touch it afterwards.
    contain(|| unsafe { std::ptr::drop_in_place(payload.cast::<RefCell<T>>()) });
}

unsafe extern "C" fn trace_payload<T: NativeClass>(
    payload: *mut c_void,
    visit: MsVisit,
    visitor: *mut c_void,
) {
    contain(|| {
        if let Some(trace) = T::TRACE {
            // SAFETY: a live payload. It may be mutably borrowed by a method that is waiting for
            // a call of the host: that method does not run now, and tracing only reads.
            let object = unsafe { &*(*payload.cast::<RefCell<T>>()).as_ptr() };
            trace(object, &mut Tracer { visit, visitor });
        }
    });
}

/// An object of a native class, valid for the running call.
pub struct Instance<'a, T> {
    value: Value,
    cell: &'a RefCell<T>,
}

impl<T: NativeClass> Instance<'_, T> {
    /// The script object.
    pub fn value(&self) -> Value {
        self.value
    }

    /// Reads the payload; RuntimeError while a method that changes it is running.
    pub fn borrow(&self) -> Result<Ref<'_, T>> {
        self.cell.try_borrow().map_err(|_| in_use::<T>())
    }

    /// Changes the payload; RuntimeError while another method is running.
    pub fn borrow_mut(&self) -> Result<RefMut<'_, T>> {
        self.cell.try_borrow_mut().map_err(|_| in_use::<T>())
    }
}

fn in_use<T: NativeClass>() -> Error {
    Error::new("RuntimeError", format!("'{}' object is in use by another call", T::NAME))
}

impl<'a, T: NativeClass> FromMs<'a> for Instance<'a, T> {
    fn from_ms(cx: &'a Cx, value: Value) -> Result<Self> {
        if !value.raw().is_handle() {
            return Err(Error::mismatch(cx, T::NAME, value));
        }
        let mut payload = std::ptr::null_mut();
        cx.check(host_call!(cx, object.native_payload(T::ID, value.raw(), &mut payload)))?;
        // SAFETY: the host answers MS_OK only for instances of the class with this id, whose
        // payload was made from a `RefCell<T>` below; the object is an argument of the running
        // call or held by it, so it outlives `'a`.
        Ok(Self { value, cell: unsafe { &*payload.cast::<RefCell<T>>() } })
    }
}

/// An object of a native class, kept alive beyond the call: what an `async` function takes.
pub struct Held<T> {
    kept: Kept,
    cell: *const RefCell<T>,
}

impl<T: NativeClass> Held<T> {
    /// The script object, for use in the running call.
    pub fn value(&self) -> Value {
        self.kept.get()
    }

    /// Reads the payload; RuntimeError while a method that changes it is running.
    pub fn borrow(&self) -> Result<Ref<'_, T>> {
        self.cell().try_borrow().map_err(|_| in_use::<T>())
    }

    /// Changes the payload; RuntimeError while another method is running.
    pub fn borrow_mut(&self) -> Result<RefMut<'_, T>> {
        self.cell().try_borrow_mut().map_err(|_| in_use::<T>())
    }

    fn cell(&self) -> &RefCell<T> {
        // SAFETY: payloads do not move, and the object lives: it is kept by a root. The host ends
        // futures and states, which may hold this, before the objects of a VM that ends.
        unsafe { &*self.cell }
    }
}

impl<T: NativeClass> FromMs<'_> for Held<T> {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        let cell = std::ptr::from_ref(Instance::<T>::from_ms(cx, value)?.cell);
        Ok(Self { kept: value.keep(cx)?, cell })
    }
}

impl<T: NativeClass> IntoMs for &Held<T> {
    fn into_ms(self, _: &Cx) -> Result<Value> {
        Ok(self.value())
    }
}

/// What an async method came to.
#[doc(hidden)]
pub enum Outcome<R> {
    /// Its object could not be borrowed.
    InUse(Error),
    /// It returned this.
    Done(R),
}

impl<R: IntoReturn> IntoReturn for Outcome<R> {
    fn into_return(self, cx: &Cx) -> Result<EntryResult> {
        match self {
            Self::InUse(error) => Err(error),
            Self::Done(result) => result.into_return(cx),
        }
    }
}

/// A native object on its way to the script, of a class or one derived from it.
pub struct New<T> {
    payload: T,
    exact: Value,
}

impl<T: NativeClass> New<T> {
    /// An object of `exact`, which is the class or a script class derived from it.
    pub fn of(exact: Value, payload: T) -> Self {
        Self { payload, exact }
    }
}

impl<T: NativeClass> IntoMs for New<T> {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        // The host moves the bytes; on failure they are still ours to drop.
        let mut cell = std::mem::ManuallyDrop::new(RefCell::new(self.payload));
        let source = std::ptr::from_ref(&*cell).cast::<c_void>();
        let made = cx.out_value(|out| {
            host_call!(cx, object.native_new(T::ID, self.exact.raw(), source, out))
        });
        if made.is_err() {
            // SAFETY: not moved away, and not used afterwards.
            unsafe { std::mem::ManuallyDrop::drop(&mut cell) };
        }
        made
    }
}

/// Ends a constructor: the payload it returned becomes an object of the class it was called on.
#[doc(hidden)]
pub fn new_object<T: NativeClass, R: Constructed<T>>(
    result: R,
    exact: Value,
    cx: &Cx,
) -> Result<EntryResult> {
    New::of(exact, result.payload()?).into_ms(cx).map(EntryResult::Value)
}

/// What a constructor may return.
#[doc(hidden)]
pub trait Constructed<T> {
    fn payload(self) -> Result<T>;
}

impl<T: NativeClass> Constructed<T> for T {
    fn payload(self) -> Result<T> {
        Ok(self)
    }
}

impl<T: NativeClass, E: Into<Error>> Constructed<T> for Result<T, E> {
    fn payload(self) -> Result<T> {
        self.map_err(Into::into)
    }
}
