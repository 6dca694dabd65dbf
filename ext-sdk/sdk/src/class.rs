//! Native classes: a Rust value as the payload of a script object.

use crate::convert::IntoReturn;
use crate::cx::host_call;
use crate::entry::{EntryResult, contain};
use crate::life::Life;
use crate::{Cx, Error, FromMs, IntoMs, Kept, Result, Value};
use miniscript_abi::*;
use std::cell::{Ref, RefCell, RefMut};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::rc::Rc;

/// A struct with `#[class]`, which writes this.
///
/// # Safety
/// `ID` is the address of a static that no other class has as its own: the host knows by it of
/// which Rust type a payload is.
pub unsafe trait NativeClass: NativeMethods + 'static {
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
///
/// # Safety
/// The records are true: entries are what `MsCall` says, typed entries of the kind they name.
#[doc(hidden)]
pub unsafe trait NativeMethods: Sized {
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

/// An object's Rust value. The payload that the host has is one share of it, each [`Held`] is
/// another: the host ends the objects of a VM in any order, and may not be followed into what it
/// has ended.
struct Shelf<T> {
    life: Rc<Life>,
    /// None once the object has ended.
    value: RefCell<Option<T>>,
}

impl<T: NativeClass> Shelf<T> {
    fn borrow(&self) -> Result<Ref<'_, T>> {
        let value = self.value.try_borrow().map_err(|_| in_use::<T>())?;
        Ref::filter_map(value, Option::as_ref).map_err(|_| ended::<T>())
    }

    fn borrow_mut(&self) -> Result<RefMut<'_, T>> {
        let value = self.value.try_borrow_mut().map_err(|_| in_use::<T>())?;
        RefMut::filter_map(value, Option::as_mut).map_err(|_| ended::<T>())
    }
}

/// What the host moves and keeps.
type Share<T> = Rc<Shelf<T>>;

/// What an object costs beside the share.
const fn shelf_bytes<T>() -> i64 {
    (size_of::<Shelf<T>>() + 2 * size_of::<usize>()) as i64
}

/// The record of a class.
#[doc(hidden)]
pub const fn class_record<T: NativeClass>() -> MsClass {
    MsClass {
        name: MsStr::new(T::NAME),
        doc: MsStr::new(T::DOC),
        id: T::ID,
        base: MsStr::EMPTY,
        methods: MsTable::new(T::METHODS),
        constants: MsTable::new(T::CONSTANTS),
        payload_size: size_of::<Share<T>>(),
        payload_align: align_of::<Share<T>>(),
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
    let share = unsafe { payload.cast::<Share<T>>().read() };
    if let Some(vm) = share.life.vm()
        && let Some(account) = share.life.host().flow.account
    {
        // SAFETY: the VM lives, and payloads end on its thread; memory may be given back here.
        unsafe { account(vm, -shelf_bytes::<T>()) };
    }
    contain(|| {
        // A borrow that was forgotten keeps the value for ever; it may be in use.
        let value = share.value.try_borrow_mut().ok().and_then(|mut value| value.take());
        drop(value);
        drop(share);
    });
}

unsafe extern "C" fn trace_payload<T: NativeClass>(
    payload: *mut c_void,
    visit: MsVisit,
    visitor: *mut c_void,
) {
    // SAFETY: a live payload.
    let share = unsafe { &*payload.cast::<Share<T>>() };
    contain(|| match (T::TRACE, share.value.try_borrow()) {
        (Some(trace), Ok(value)) => {
            if let Some(object) = &*value {
                trace(object, &mut Tracer { visit, visitor });
            }
        }
        // A method that is waiting for a call of the host has it for writing.
        (Some(_), Err(_)) => share.life.each_traced(|value| {
            // SAFETY: the host's function with the host's visitor.
            unsafe { visit(visitor, value) };
        }),
        (None, _) => {}
    });
}

/// An object of a native class, valid for the running call.
pub struct Instance<'a, T> {
    value: Value,
    share: Share<T>,
    call: PhantomData<&'a Cx>,
}

impl<T: NativeClass> Instance<'_, T> {
    /// The script object.
    pub fn value(&self) -> Value {
        self.value
    }

    /// Reads the payload; RuntimeError while a method that changes it is running.
    pub fn borrow(&self) -> Result<Ref<'_, T>> {
        self.share.borrow()
    }

    /// Changes the payload; RuntimeError while another method is running.
    pub fn borrow_mut(&self) -> Result<RefMut<'_, T>> {
        self.share.borrow_mut()
    }
}

fn in_use<T: NativeClass>() -> Error {
    Error::new("RuntimeError", format!("'{}' object is in use by another call", T::NAME))
}

fn ended<T: NativeClass>() -> Error {
    Error::new("RuntimeError", format!("'{}' object has ended", T::NAME))
}

impl<'a, T: NativeClass> FromMs<'a> for Instance<'a, T> {
    fn from_ms(cx: &'a Cx, value: Value) -> Result<Self> {
        if !value.raw().is_handle() {
            return Err(Error::mismatch(cx, T::NAME, value));
        }
        let mut payload = std::ptr::null_mut();
        cx.check(host_call!(cx, object.native_payload(T::ID, value.raw(), &mut payload)))?;
        // SAFETY: the host answers MS_OK only for live instances of the class with this id, whose
        // payload was made from a `Share<T>` below.
        let share = Rc::clone(unsafe { &*payload.cast::<Share<T>>() });
        Ok(Self { value, share, call: PhantomData })
    }
}

/// An object of a native class, kept alive beyond the call: what an `async` function takes.
///
/// It may be stored wherever a [`Kept`] may. Once the VM ends, and in the `Drop` of a payload or
/// a state while it is being ended, the object may have ended before: borrowing is an error then.
pub struct Held<T> {
    kept: Kept,
    share: Share<T>,
}

impl<T: NativeClass> Held<T> {
    /// The script object, for use in the running call.
    pub fn value(&self) -> Value {
        self.kept.get()
    }

    /// Reads the payload; RuntimeError while a method that changes it is running.
    pub fn borrow(&self) -> Result<Ref<'_, T>> {
        self.share.borrow()
    }

    /// Changes the payload; RuntimeError while another method is running.
    pub fn borrow_mut(&self) -> Result<RefMut<'_, T>> {
        self.share.borrow_mut()
    }
}

impl<T: NativeClass> FromMs<'_> for Held<T> {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        let share = Instance::<T>::from_ms(cx, value)?.share;
        Ok(Self { kept: value.keep(cx)?, share })
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
        cx.account(shelf_bytes::<T>())?;
        let shelf = Shelf { life: cx.life(), value: RefCell::new(Some(self.payload)) };
        // The host moves the bytes; on failure they are still ours to drop.
        let mut share = std::mem::ManuallyDrop::new(Rc::new(shelf));
        let source = std::ptr::from_ref(&*share).cast::<c_void>();
        let made = cx.out_value(|out| {
            host_call!(cx, object.native_new(T::ID, self.exact.raw(), source, out))
        });
        if made.is_err() {
            // SAFETY: not moved away, and not used afterwards.
            unsafe { std::mem::ManuallyDrop::drop(&mut share) };
            cx.account(-shelf_bytes::<T>())?;
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
