//! `array`: numbers of one kind, as they lie in memory.

mod kind;
mod methods;

use std::rc::Rc;

use miniscript_vm::native::{Exit, NResult, NativeDef, Role, Row};
use miniscript_vm::object::class::{Class, class_flags};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::opaque::{Buffer, Opaque, Payload};
use miniscript_vm::object::seq::{List, Slice};
use miniscript_vm::object::text::Str;
use miniscript_vm::object::view::data_of;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

use crate::{ClassDef, args};
use kind::Kind;

/// The class.
pub(crate) static ARRAY: ClassDef =
    ClassDef::open("array", "array", "A sequence of numbers of one kind.", methods::METHODS);

/// `ArrayType` and `typecodes`.
pub(crate) fn fill<'v>(vm: &'v Vm, d: &'v Dict) -> Result<(), Exit<'v>> {
    let class = ARRAY.of(vm)?;
    class.set_flag(class_flags::SEQUENCE);
    vm.dict_set_name(d, vm.intern("ArrayType"), Value::object(class))?;
    vm.dict_set_name(d, vm.intern("typecodes"), vm.str(kind::CODES)?)
}

/// What an array holds.
pub(crate) struct Items {
    kind: Kind,
    bytes: Vec<u8>,
    /// What the heap was charged for.
    charged: usize,
    /// Shared with the views of the bytes.
    exports: Rc<()>,
}

impl Payload for Items {
    fn buffer(&self) -> Option<Buffer<'_>> {
        if self.kind.is_text() {
            return None;
        }
        Some(Buffer {
            bytes: &self.bytes,
            format: self.kind.code,
            item: self.kind.size,
            exports: &self.exports,
        })
    }

    fn buffer_mut(&mut self) -> Option<&mut [u8]> {
        Some(&mut self.bytes)
    }
}

impl Items {
    fn len(&self) -> usize {
        self.bytes.len() / self.kind.size
    }

    fn item(&self, i: usize) -> Option<&[u8]> {
        let size = self.kind.size;
        self.bytes.get(i * size..(i + 1) * size)
    }

    /// Adds an item's bytes.
    fn push(&mut self, packed: &[u8; 8]) {
        self.bytes.extend_from_slice(&packed[..self.kind.size]);
    }
}

/// Runs `f` on the items of an array.
fn with<'v, R>(vm: &'v Vm, v: Value<'v>, f: impl FnOnce(&mut Items) -> R) -> Result<R, Exit<'v>> {
    let r = v.get::<Opaque>().and_then(|o| {
        o.with(|items: &mut Items| {
            let r = f(items);
            let now = items.bytes.capacity();
            let grown = now.saturating_sub(items.charged);
            vm.heap.refund(items.charged.saturating_sub(now));
            items.charged = now;
            (r, grown)
        })
    });
    match r {
        Some((r, grown)) => {
            vm.charge(grown)?;
            Ok(r)
        }
        None => Err(vm.type_error(format!("an array is required, not {}", vm.type_name(v)))),
    }
}

/// The same, where the number of items changes.
fn resize<'v, R>(vm: &'v Vm, v: Value<'v>, f: impl FnOnce(&mut Items) -> R) -> Result<R, Exit<'v>> {
    check_resizable(vm, v)?;
    with(vm, v, f)
}

/// While views show the items, their number stays.
fn check_resizable<'v>(vm: &'v Vm, v: Value<'v>) -> Result<(), Exit<'v>> {
    let exported = with(vm, v, |items| Rc::strong_count(&items.exports) > 1)?;
    vm.check_exported(exported, "cannot resize an array that is exporting buffers")
}

/// The kind and a copy of the bytes of an array; `None` if it is none.
fn copy_of(v: Value<'_>) -> Option<(Kind, Vec<u8>)> {
    v.get::<Opaque>()?.with(|items: &mut Items| (items.kind, items.bytes.clone()))
}

/// A new array.
fn make<'v>(vm: &'v Vm, kind: Kind, bytes: Vec<u8>) -> NResult<'v> {
    make_of(vm, ARRAY.of(vm)?, kind, bytes)
}

fn make_of<'v>(vm: &'v Vm, class: &Class, kind: Kind, bytes: Vec<u8>) -> NResult<'v> {
    let charged = bytes.capacity();
    vm.charge(charged)?;
    Ok(vm.opaque(class, Some(Box::new(Items { kind, bytes, charged, exports: Rc::default() }))))
}

const NEW: NativeDef =
    NativeDef::new("__new__", "cls, typecode, initializer=(), /", new, "Make an array.")
        .role(Role::Static);

/// The items that script code iterated over. State: the array.
static COLLECTED: Row = Row {
    name: "array_collected",
    catches: false,
    resume: |vm, state, answer| {
        let items = answer.value()?;
        if let Some(list) = items.get::<List>() {
            append_all(vm, state[0], &list.to_vec())?;
        }
        Ok(state[0])
    },
};

/// The same, where nothing is wanted back.
static EXTENDED: Row = Row {
    name: "array_extended",
    catches: false,
    resume: |vm, state, answer| {
        (COLLECTED.resume)(vm, state, answer)?;
        Ok(Value::NONE)
    },
};

fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(class) = a[0].get::<Class>() else {
        return Err(vm.type_error("array.__new__(X): X is not a type object"));
    };
    let code = match a[1].get::<Str>().map(|s| s.bytes()) {
        Some([code]) => *code,
        _ => {
            let class = vm.type_name(a[1]);
            return Err(vm.type_error(format!(
                "array() argument 1 must be a unicode character, not {class}"
            )));
        }
    };
    let init = a[2];
    let text = init.get::<Str>();
    if text.is_some() && code != b'u' {
        let code = char::from(code);
        return Err(vm.type_error(format!(
            "cannot use a str to initialize an array with typecode '{code}'"
        )));
    }
    let Some(kind) = Kind::of(code) else {
        let text = "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)";
        return Err(vm.value_error(text));
    };
    let same = copy_of(init);
    let data = if same.is_none() { data_of(init) } else { None };
    let done = init.is_empty() || text.is_some() || data.is_some();
    let bytes = match (text, data, &same) {
        (Some(s), ..) => wtf8::code_points(s.bytes()).flat_map(u32::to_le_bytes).collect(),
        (_, Some(data), _) => {
            if data.len() % kind.size != 0 {
                return Err(vm.value_error("bytes length not a multiple of item size"));
            }
            data.to_vec()
        }
        (.., Some((same, bytes))) if *same == kind => bytes.clone(),
        _ => Vec::new(),
    };
    let done = done || !bytes.is_empty();
    let array = make_of(vm, class, kind, bytes)?;
    if done {
        return Ok(array);
    }
    if let Some((from, bytes)) = same {
        append_all(vm, array, &values(vm, from, &bytes)?)?;
        return Ok(array);
    }
    match vm.items_leaf(init)? {
        Some(items) => {
            append_all(vm, array, &items)?;
            Ok(array)
        }
        None => Err(vm.collect_then(init, &COLLECTED, vec![array])),
    }
}

fn append_all<'v>(vm: &'v Vm, array: Value<'v>, items: &[Value<'v>]) -> Result<(), Exit<'v>> {
    let kind = with(vm, array, |a| a.kind)?;
    let mut packed = Vec::new();
    for item in items {
        vm.tick()?;
        packed.extend_from_slice(&kind.pack(vm, *item)?[..kind.size]);
    }
    if packed.is_empty() {
        return Ok(());
    }
    resize(vm, array, |a| a.bytes.extend_from_slice(&packed))
}

/// The values of items.
fn values<'v>(vm: &'v Vm, kind: Kind, bytes: &[u8]) -> Result<Vec<Value<'v>>, Exit<'v>> {
    vm.check(bytes.len() / kind.size * 8)?;
    let mut out = Vec::with_capacity(bytes.len() / kind.size);
    for item in bytes.chunks_exact(kind.size) {
        vm.tick()?;
        out.push(kind.unpack(vm, item)?);
    }
    Ok(out)
}

/// An index within the array.
fn index<'v>(vm: &'v Vm, v: Value<'v>, len: usize, out_of_range: &str) -> Result<usize, Exit<'v>> {
    if args::int_of(v).is_none() && vm.class_lookup(vm.class_of(v), vm.names.__index__).is_none() {
        return Err(vm.type_error("array indices must be integers"));
    }
    let i = args::size(vm, v, 0)?;
    let i = if i < 0 { i + len as i64 } else { i };
    usize::try_from(i).ok().filter(|i| *i < len).ok_or_else(|| vm.index_error(out_of_range))
}

/// The indices of a slice.
fn slice<'v>(
    vm: &'v Vm,
    s: &'v Slice,
    len: usize,
) -> Result<miniscript_vm::ops::item::Bounds, Exit<'v>> {
    match vm.slice_bounds(s, len)? {
        Some(bounds) => Ok(bounds),
        None => Err(vm.not_an_integer(Value::object(s))),
    }
}
