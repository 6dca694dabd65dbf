//! Values as the ABI has them, and the handles among them.
//!
//! A handle is a root of the VM (`vm::handles`: slot and generation) with the bridge's number.
//! Those of a call end with it. A *traced* handle is no root: it lives as long as the `trace`
//! function of a native object reports it, so each has the number of the collection that last
//! saw it, and is refused when that is not the latest one.

use miniscript_abi::*;
use miniscript_vm::builtins::Type;
use miniscript_vm::handles::Handle;
use miniscript_vm::heap::Marker;
use miniscript_vm::native::Exit;
use miniscript_vm::object::num::Int64;
use miniscript_vm::value::Word;
use miniscript_vm::{Value, Vm};

use super::Bridge;
use crate::reactor::{GenSlab, Key};

/// Set in the slot number of a traced handle.
const TRACED: u32 = 1 << 31;
/// Set in that of a root that an extension retained: it may be released while a call reads it.
const RETAINED: u32 = 1 << 30;
/// What a traced handle costs.
const TRACED_BYTES: usize = 48;

#[derive(Debug)]
struct Weak {
    word: Word,
    /// The collection that last saw it, or before which it was made.
    seen: u64,
    fresh: bool,
}

/// The traced handles of a bridge.
#[derive(Default, Debug)]
pub(super) struct Traced {
    slots: GenSlab<Weak>,
    collections: u64,
}

impl Traced {
    /// A collection begins. What the last one did not see is gone; what was made since then is
    /// kept once, as its owner may not have been made yet. Gives the bytes that came free.
    pub(super) fn begin_collection(&mut self, m: &mut Marker) -> usize {
        let now = self.collections;
        let dead: Vec<Key> =
            self.slots.iter().filter(|(_, w)| w.seen < now).map(|(key, _)| key).collect();
        let freed = dead.len() * TRACED_BYTES;
        for key in dead {
            self.slots.remove(key);
        }
        self.collections = now + 1;
        let keys: Vec<Key> = self.slots.iter().map(|(key, _)| key).collect();
        for key in keys {
            if let Some(weak) = self.slots.get_mut(key)
                && std::mem::replace(&mut weak.fresh, false)
            {
                weak.seen = now + 1;
                m.word(weak.word);
            }
        }
        freed
    }

    /// A native object reports a handle that it keeps.
    pub(super) fn visit(&mut self, key: Key, m: &mut Marker) {
        if let Some(weak) = self.slots.get_mut(key)
            && (weak.seen + 1 == self.collections || weak.seen == self.collections)
        {
            weak.seen = self.collections;
            m.word(weak.word);
        }
    }
}

/// The slot of a traced handle.
pub(super) fn traced_key(value: MsValue) -> Option<Key> {
    let index = value.payload as u32;
    (value.is_handle() && index & TRACED != 0).then(|| Key::new(index & !TRACED, value.aux))
}

/// Whether a handle is the extension's own to release, and not of a call.
pub(super) fn is_retained(value: MsValue) -> bool {
    value.is_handle() && value.payload as u32 & (TRACED | RETAINED) != 0
}

fn handle_of(value: MsValue) -> Handle {
    Handle { index: value.payload as u32 & !RETAINED, generation: value.aux }
}

/// A scalar as the ABI has it.
fn scalar(v: Value<'_>) -> Option<MsValue> {
    if let Some(f) = v.as_float() {
        Some(MsValue::float(f))
    } else if let Some(n) = v.as_small() {
        Some(MsValue::int(n))
    } else if let Some(b) = v.as_bool() {
        Some(MsValue::bool(b))
    } else if v.is_none() {
        Some(MsValue::NONE)
    } else if v.is_empty() {
        Some(MsValue::ABSENT)
    } else {
        v.get::<Int64>().map(|n| MsValue::int(n.value))
    }
}

/// The tag of an object.
fn tag_of(vm: &Vm, v: Value<'_>) -> u32 {
    match vm.exact_type(v) {
        Some(Type::Int) => MS_TAG_BIGINT,
        Some(Type::Str) => MS_TAG_STR,
        Some(Type::Bytes) => MS_TAG_BYTES,
        Some(Type::Tuple) => MS_TAG_TUPLE,
        Some(Type::List) => MS_TAG_LIST,
        Some(Type::Dict) => MS_TAG_DICT,
        Some(Type::Set | Type::FrozenSet) => MS_TAG_SET,
        Some(Type::Type) => MS_TAG_CLASS,
        _ if v.is_a::<miniscript_vm::object::class::Class>() => MS_TAG_CLASS,
        _ => MS_TAG_OBJECT,
    }
}

impl Bridge {
    fn pack(&self, tag: u32, index: u32, generation: u32) -> MsValue {
        MsValue { tag, aux: generation, payload: u64::from(self.number) << 32 | u64::from(index) }
    }

    /// A value for an extension; an object gets a root, which the caller gives up.
    pub(super) fn make(&self, v: Value<'_>) -> (MsValue, Option<Handle>) {
        if let Some(scalar) = scalar(v) {
            return (scalar, None);
        }
        let vm = self.vm();
        let handle = vm.retain(v);
        (self.pack(tag_of(vm, v), handle.index, handle.generation), Some(handle))
    }

    /// A root or traced handle of the extension's own.
    pub(super) fn make_retained(&self, v: Value<'_>, mode: u32) -> MsValue {
        if mode != MS_RETAIN_TRACED {
            let mut made = self.make(v).0;
            if made.is_handle() {
                made.payload |= u64::from(RETAINED);
            }
            return made;
        }
        if let Some(scalar) = scalar(v) {
            return scalar;
        }
        self.vm().heap.hold(TRACED_BYTES);
        let mut traced = self.traced.borrow_mut();
        let seen = traced.collections;
        let key = traced.slots.insert(Weak { word: v.word(), seen, fresh: true });
        self.pack(tag_of(self.vm(), v), key.index() | TRACED, key.generation())
    }

    /// The value behind what an extension gave.
    pub(super) fn value<'v>(&self, vm: &'v Vm, value: MsValue) -> Result<Value<'v>, Exit<'v>> {
        match value.tag {
            MS_TAG_NONE => Ok(Value::NONE),
            MS_TAG_BOOL => Ok(Value::bool(value.payload != 0)),
            MS_TAG_INT => Ok(vm.int(value.payload as i64)),
            MS_TAG_FLOAT => Ok(Value::float(f64::from_bits(value.payload))),
            MS_TAG_ABSENT => Err(vm.runtime_error("an extension used an absent value")),
            tag if tag < MS_TAG_HANDLE => {
                Err(vm.runtime_error(format!("an extension used a value with the bad tag {tag}")))
            }
            _ => self.object(vm, value),
        }
    }

    fn object<'v>(&self, vm: &'v Vm, value: MsValue) -> Result<Value<'v>, Exit<'v>> {
        if (value.payload >> 32) as u32 != self.number {
            return Err(vm.runtime_error("an extension used a handle of another VM"));
        }
        let stale = || vm.runtime_error("an extension used a handle that has ended");
        let Some(key) = traced_key(value) else {
            return vm.handle(handle_of(value)).ok_or_else(stale);
        };
        let word = {
            let traced = self.traced.borrow();
            let now = traced.collections;
            traced.slots.get(key).filter(|weak| weak.seen == now).map(|weak| weak.word)
        };
        // SAFETY: the latest collection saw the object, or it was made after it.
        word.map(|word| unsafe { Value::from_word(word) }).ok_or_else(stale)
    }

    /// Ends a retained handle.
    pub(super) fn release(&self, value: MsValue) {
        if !value.is_handle() || (value.payload >> 32) as u32 != self.number {
            return;
        }
        match traced_key(value) {
            Some(key) => {
                let removed = self.traced.borrow_mut().slots.remove(key).is_some();
                if removed && !self.closing.get() {
                    self.vm().heap.refund(TRACED_BYTES);
                }
            }
            // While the VM ends its handles end with it.
            None if self.closing.get() => {}
            None => {
                self.vm().release(handle_of(value));
            }
        }
    }
}
