//! `memoryview`: the methods. What a view is lies in `object::view`; items are packed and
//! unpacked by the format characters of the `struct` module, in native order.

use num_bigint::BigInt;

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::range::{COMPARE, HASH, ITERABLE};
use crate::builtins::str::def;
use crate::heap::Kind;
use crate::native::{Exit, NResult, NativeDef, Role, Row};
use crate::object::iter::Iter;
use crate::object::opaque::Opaque;
use crate::object::seq::{List, Slice, Tuple};
use crate::object::text::{ByteArray, Bytes, Str};
use crate::object::view::{Layout, MemoryView};
use crate::ops::number::Num;
use crate::value::Value;

/// Most dimensions that a view may have.
const MAX_DIMENSIONS: usize = 64;

macro_rules! shown {
    ($name:literal, $doc:literal, $get:expr) => {
        NativeDef::getter(
            $name,
            |vm, args| {
                let m = live(vm, args[0])?;
                let get: for<'v> fn(&'v Vm, &'v MemoryView) -> NResult<'v> = $get;
                get(vm, m)
            },
            $doc,
        )
    };
}

const METHODS: &[NativeDef] = &[
    def!("__new__", "cls, object", new, "Create a new memoryview object.").role(Role::Static),
    def!("__len__", "self, /", len, "Return len(self)."),
    def!("__getitem__", "self, key, /", get_item, "Return self[key]."),
    def!("__setitem__", "self, key, value, /", set_item, "Set self[key] to value."),
    def!("__delitem__", "self, key, /", del_item, "Delete self[key]."),
    def!(
        "__enter__",
        "self, /",
        |vm, args| live(vm, args[0]).map(|_| args[0]),
        "Return the view itself."
    ),
    def!("__exit__", "self, /, *args", release, "Release the view."),
    def!("release", "self, /", release, "Release the underlying buffer."),
    def!("cast", "self, format, shape=None", cast, "Cast to a new format or shape."),
    def!("toreadonly", "self, /", to_readonly, "Return a readonly version of the memoryview."),
    def!("tolist", "self, /", to_list, "Return the data in the buffer as a list of elements."),
    def!(
        "tobytes",
        "self, /, order='C'",
        to_bytes,
        "Return the data in the buffer as a byte string."
    ),
    def!("hex", "self, /, sep=None, bytes_per_sep=1", hex, "Return the data as hexadecimal text."),
    shown!("obj", "The underlying object.", |_, m| Ok(m.owner().unwrap_or(Value::NONE))),
    shown!("nbytes", "Bytes of all items.", |_, m| Ok(Value::len(m.layout.byte_len()))),
    shown!("readonly", "Whether the memory is read only.", |_, m| Ok(Value::bool(m.readonly))),
    shown!("itemsize", "Bytes of an item.", |_, m| Ok(Value::len(m.layout.item))),
    shown!("format", "The format of the items.", |vm, m| vm.str(&format_text(&m.layout))),
    shown!("ndim", "Number of dimensions.", |_, m| Ok(Value::len(m.layout.shape.len()))),
    shown!("shape", "Items of each dimension.", |vm, m| {
        vm.tuple(&m.layout.shape.iter().map(|&n| Value::len(n)).collect::<Vec<_>>())
    }),
    shown!("strides", "Bytes between the items of each dimension.", |vm, m| {
        vm.tuple(&m.layout.strides.iter().map(|&n| vm.int(n as i64)).collect::<Vec<_>>())
    }),
    shown!("suboffsets", "Always empty.", |vm, _| vm.tuple(&[])),
    shown!("c_contiguous", "Whether the memory is C contiguous.", |_, m| {
        Ok(Value::bool(m.layout.is_contiguous(true)))
    }),
    shown!("f_contiguous", "Whether the memory is Fortran contiguous.", |_, m| {
        Ok(Value::bool(m.layout.is_contiguous(false)))
    }),
    shown!("contiguous", "Whether the memory is contiguous.", |_, m| {
        Ok(Value::bool(m.layout.is_contiguous(true) || m.layout.is_contiguous(false)))
    }),
];

/// The tables of `memoryview`.
pub(crate) const TABLES: &[&[NativeDef]] = &[METHODS, COMPARE, HASH, ITERABLE];

fn view<'v>(vm: &'v Vm, v: Value<'v>) -> Result<&'v MemoryView, Exit<'v>> {
    v.get::<MemoryView>().ok_or_else(|| vm.type_error("a memoryview is required"))
}

/// The view, which must not have been released.
fn live<'v>(vm: &'v Vm, v: Value<'v>) -> Result<&'v MemoryView, Exit<'v>> {
    view(vm, v).and_then(|m| if m.owner().is_some() { Ok(m) } else { Err(released(vm)) })
}

fn released(vm: &Vm) -> Exit<'_> {
    vm.value_error("operation forbidden on released memoryview object")
}

fn make<'v>(vm: &'v Vm, owner: Value<'v>, readonly: bool, layout: Layout) -> NResult<'v> {
    let m = MemoryView::new(Type::MemoryView.shape(), owner, readonly, layout);
    Ok(Value::object(vm.heap.alloc(m, 0, true)))
}

/// Another view of the same memory.
fn derive<'v>(vm: &'v Vm, m: &'v MemoryView, layout: Layout) -> NResult<'v> {
    make(vm, m.owner().ok_or_else(|| released(vm))?, m.readonly, layout)
}

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let v = args[1];
    if v.is_a::<MemoryView>() {
        let m = live(vm, v)?;
        return derive(vm, m, m.layout.clone());
    }
    if let Some(b) = v.get::<Bytes>() {
        return make(vm, v, true, Layout::bytes(b.bytes().len()));
    }
    if let Some(b) = v.get::<ByteArray>() {
        return make(vm, v, false, Layout::bytes(b.bytes().len()));
    }
    let lent = lent_layout(v);
    if let Some(layout) = lent {
        return make(vm, v, false, layout);
    }
    Err(vm.type_error(format!(
        "memoryview: a bytes-like object is required, not '{}'",
        vm.type_name(v)
    )))
}

fn len<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match live(vm, args[0])?.layout.shape.first() {
        Some(&n) => Ok(Value::len(n)),
        None => Err(vm.type_error("0-dim memory has no length")),
    }
}

/// What a subscript asks for.
enum Key<'v> {
    /// One item, at this byte.
    Item(usize),
    /// An index along the first of several dimensions.
    Row,
    /// A slice along the first dimension.
    Part(&'v Slice),
    /// All of it.
    Whole,
    /// Too few indices.
    SubView,
    /// Several slices.
    Slices,
}

fn key<'v>(vm: &'v Vm, m: &'v MemoryView, k: Value<'v>) -> Result<Key<'v>, Exit<'v>> {
    let l = &m.layout;
    let tuple = k.get::<Tuple>().map(Tuple::items);
    if l.shape.is_empty() {
        return match tuple {
            Some([]) => Ok(Key::Item(l.offset)),
            _ if k.is(Value::ELLIPSIS) => Ok(Key::Whole),
            _ => Err(vm.type_error("invalid indexing of 0-dim memory")),
        };
    }
    if let Some(parts) = tuple {
        if parts.iter().all(|p| vm.as_index_i64(*p).is_some()) {
            if parts.len() < l.shape.len() {
                return Ok(Key::SubView);
            }
            if parts.len() > l.shape.len() {
                return Err(vm.type_error(format!(
                    "cannot index {}-dimension view with {}-element tuple",
                    l.shape.len(),
                    parts.len()
                )));
            }
            return Ok(Key::Item(place(vm, l, parts)?));
        }
        if parts.iter().all(|p| p.is_a::<Slice>()) {
            return Ok(Key::Slices);
        }
    } else if let Some(s) = k.get::<Slice>() {
        return Ok(Key::Part(s));
    } else if vm.as_index_i64(k).is_some() {
        return match l.shape.len() {
            1 => Ok(Key::Item(place(vm, l, &[k])?)),
            _ => Ok(Key::Row),
        };
    } else if vm.class_lookup(vm.class_of(k), vm.names.__index__).is_some() {
        return Err(vm.not_an_integer(k));
    }
    Err(vm.type_error("memoryview: invalid slice key"))
}

/// The byte at which the item with these indices begins.
fn place<'v>(vm: &'v Vm, l: &Layout, index: &[Value<'v>]) -> Result<usize, Exit<'v>> {
    let mut at = l.offset as isize;
    for (d, v) in index.iter().enumerate() {
        let n = l.shape[d] as i64;
        let i = match vm.as_index_i64(*v) {
            Some(Ok(i)) => i,
            _ => return Err(vm.index_error("cannot fit 'int' into an index-sized integer")),
        };
        let i = if i < 0 { i.saturating_add(n) } else { i };
        if !(0..n).contains(&i) {
            return Err(vm.index_error(format!("index out of bounds on dimension {}", d + 1)));
        }
        at += i as isize * l.strides[d];
    }
    Ok(at as usize)
}

/// The layout of a slice along the first dimension.
fn slice<'v>(vm: &'v Vm, l: &Layout, s: &'v Slice) -> Result<Layout, Exit<'v>> {
    let Some(b) = vm.slice_bounds(s, l.shape[0])? else {
        return Err(vm.not_an_integer(Value::object(s)));
    };
    let mut l = l.clone();
    let step = l.strides[0];
    l.offset = (l.offset as isize + b.start as isize * step) as usize;
    l.shape[0] = b.count;
    l.strides[0] = step.saturating_mul(b.step as isize);
    Ok(l)
}

fn get_item<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = live(vm, args[0])?;
    match key(vm, m, args[1])? {
        Key::Item(at) => item(vm, m, at),
        Key::Part(s) => derive(vm, m, slice(vm, &m.layout, s)?),
        Key::Whole => Ok(args[0]),
        Key::Row => {
            Err(vm
                .err(Type::NotImplementedError, "multi-dimensional sub-views are not implemented"))
        }
        Key::SubView => Err(vm.err(Type::NotImplementedError, "sub-views are not implemented")),
        Key::Slices => {
            Err(vm.err(Type::NotImplementedError, "multi-dimensional slicing is not implemented"))
        }
    }
}

fn item<'v>(vm: &'v Vm, m: &'v MemoryView, at: usize) -> NResult<'v> {
    let all = m.owner_bytes().ok_or_else(|| released(vm))?;
    unpack(vm, m.layout.format, all.get(at..at + m.layout.item).unwrap_or(&[]))
}

/// After the truth of what is stored as a bool.
static SET_ROW: Row = Row {
    name: "memory_set",
    catches: false,
    resume: |vm, state, answer| set_item(vm, &[state[0], state[1], answer.value()?]),
};

fn set_item<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = writable(vm, args[0])?;
    match key(vm, m, args[1])? {
        Key::Item(at) => {
            if m.layout.format == b'?' && args[2].as_bool().is_none() {
                return vm.truth_then(args[2], &SET_ROW, vec![args[0], args[1]]);
            }
            let (bytes, n) = pack(vm, m.layout.format, args[2])?;
            write(m, at, &bytes[..n]);
        }
        Key::Whole => {
            let (bytes, n) = pack(vm, m.layout.format, args[2])?;
            write(m, m.layout.offset, &bytes[..n]);
        }
        Key::Part(s) if m.layout.shape.len() == 1 => {
            let target = slice(vm, &m.layout, s)?;
            let Some(bytes) = vm.buffer_copy(args[2])? else {
                return Err(vm.type_error(format!(
                    "a bytes-like object is required, not '{}'",
                    vm.type_name(args[2])
                )));
            };
            let (format, shape) = match args[2].get::<MemoryView>() {
                Some(o) => (o.layout.format, o.layout.shape.clone()),
                None => args[2]
                    .get::<Opaque>()
                    .and_then(|o| o.with_buffer(|b| (b.format, vec![b.bytes.len() / b.item])))
                    .unwrap_or((b'B', vec![bytes.len()])),
            };
            if format != target.format || shape != target.shape {
                return Err(vm.value_error(
                    "memoryview assignment: lvalue and rvalue have different structures",
                ));
            }
            let mut items = bytes.chunks(target.item);
            target.for_each_item(|at| write(m, at, items.next().unwrap_or(&[])));
        }
        Key::Row | Key::SubView => {
            return Err(vm.err(Type::NotImplementedError, "sub-views are not implemented"));
        }
        Key::Part(_) | Key::Slices => {
            return Err(vm.err(
                Type::NotImplementedError,
                "memoryview slice assignments are currently restricted to ndim = 1",
            ));
        }
    }
    Ok(Value::NONE)
}

fn writable<'v>(vm: &'v Vm, v: Value<'v>) -> Result<&'v MemoryView, Exit<'v>> {
    let m = live(vm, v)?;
    if m.readonly {
        return Err(vm.type_error("cannot modify read-only memory"));
    }
    Ok(m)
}

fn write(m: &MemoryView, at: usize, bytes: &[u8]) {
    if let Some(lender) = m.owner().and_then(|o| o.get::<Opaque>()) {
        lender.write(at, bytes);
    } else if let Some(array) = m.owner().and_then(|o| o.get::<ByteArray>())
        && let Some(target) = array.bytes_mut().get_mut(at..at + bytes.len())
    {
        target.copy_from_slice(bytes);
    }
}

fn del_item<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    writable(vm, args[0])?;
    Err(vm.type_error("cannot delete memory"))
}

fn release<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    view(vm, args[0])?.release();
    Ok(Value::NONE)
}

fn to_readonly<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = live(vm, args[0])?;
    make(vm, m.owner().ok_or_else(|| released(vm))?, true, m.layout.clone())
}

// ---- formats ----

/// Bytes of an item of a native format.
fn item_size(format: u8) -> Option<usize> {
    Some(match format {
        b'c' | b'b' | b'B' | b'?' => 1,
        b'h' | b'H' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'd' | b'P' => 8,
        _ => return None,
    })
}

fn format_text(l: &Layout) -> String {
    let mark = if l.native_mark { "@" } else { "" };
    format!("{mark}{}", l.format as char)
}

fn is_byte(format: u8) -> bool {
    matches!(format, b'b' | b'B' | b'c')
}

fn is_signed(format: u8) -> bool {
    matches!(format, b'b' | b'h' | b'i' | b'l' | b'q' | b'n')
}

/// The item in `bytes`, which are as many as the format needs.
fn unpack<'v>(vm: &'v Vm, format: u8, bytes: &[u8]) -> NResult<'v> {
    match format {
        b'c' => vm.bytes(bytes),
        b'?' => Ok(Value::bool(bytes.iter().any(|b| *b != 0))),
        b'f' => {
            let bytes = bytes.try_into().unwrap_or_default();
            Ok(Value::float(f64::from(f32::from_ne_bytes(bytes))))
        }
        b'd' => Ok(Value::float(f64::from_ne_bytes(bytes.try_into().unwrap_or_default()))),
        _ => {
            // Two's complement, the most significant byte first.
            let big_endian =
                |b: &mut dyn Iterator<Item = &u8>| b.fold(0u64, |n, b| n << 8 | u64::from(*b));
            let n = match cfg!(target_endian = "big") {
                true => big_endian(&mut bytes.iter()),
                false => big_endian(&mut bytes.iter().rev()),
            };
            let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
            if is_signed(format) {
                return Ok(vm.int((n << unused) as i64 >> unused));
            }
            Ok(vm.uint(n))
        }
    }
}

/// The bytes of `v` as an item, and how many they are.
fn pack<'v>(vm: &'v Vm, format: u8, v: Value<'v>) -> Result<([u8; 8], usize), Exit<'v>> {
    let shown = format as char;
    let bad_type = || vm.type_error(format!("memoryview: invalid type for format '{shown}'"));
    let bad_value = || vm.value_error(format!("memoryview: invalid value for format '{shown}'"));
    let size = item_size(format).unwrap_or(1);
    let mut out = [0; 8];
    match format {
        b'c' => match v.get::<Bytes>().ok_or_else(bad_type)?.bytes() {
            [one] => out[0] = *one,
            _ => return Err(bad_value()),
        },
        b'?' => out[0] = u8::from(v.is(Value::TRUE)),
        b'f' | b'd' => {
            let x = match vm.number(v) {
                None | Some(Num::Complex(_)) => return Err(bad_type()),
                Some(n) => n.to_f64().map_err(|e| vm.fault(e))?,
            };
            if format == b'f' {
                out[..4].copy_from_slice(&(x as f32).to_ne_bytes());
            } else {
                out = x.to_ne_bytes();
            }
        }
        _ => {
            if vm.as_index_i64(v).is_none() {
                let has = vm.class_lookup(vm.class_of(v), vm.names.__index__).is_some();
                return Err(if has { vm.not_an_integer(v) } else { bad_type() });
            }
            let n = vm.to_bigint(v).unwrap_or_default();
            let bits = 8 * size as u32;
            let one = BigInt::from(1);
            let (low, high) = match format {
                b'P' => (-(one.clone() << 63u32), (one << 64u32) - 1),
                f if is_signed(f) => (-(one.clone() << (bits - 1)), (one << (bits - 1)) - 1),
                _ => (BigInt::from(0), (one << bits) - 1),
            };
            if n < low || n > high {
                return Err(bad_value());
            }
            // Within 65 bits: the low 64 are the item in two's complement.
            let word =
                i64::try_from(&n).map_or_else(|_| u64::try_from(&n).unwrap_or(0), |n| n as u64);
            let bytes = word.to_ne_bytes();
            match cfg!(target_endian = "big") {
                true => out[..size].copy_from_slice(&bytes[8 - size..]),
                false => out[..size].copy_from_slice(&bytes[..size]),
            }
        }
    }
    Ok((out, size))
}

// ---- conversions ----

fn cast<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = live(vm, args[0])?;
    let Some(text) = args[1].get::<Str>() else {
        return Err(vm.type_error(format!(
            "cast() argument 'format' must be str, not {}",
            vm.type_name_or_none(args[1])
        )));
    };
    let list: Vec<Value<'v>>;
    let shape = if args[2].is_empty() {
        None
    } else if let Some(t) = args[2].get::<Tuple>() {
        Some(t.items())
    } else if let Some(l) = args[2].get::<List>() {
        list = l.to_vec();
        Some(&list[..])
    } else {
        return Err(vm.type_error("shape must be a list or a tuple"));
    };
    let from = &m.layout;
    if !from.is_contiguous(true) {
        return Err(vm.type_error("memoryview: casts are restricted to C-contiguous views"));
    }
    if (shape.is_some() || from.shape.len() != 1) && from.shape.contains(&0) {
        return Err(vm.type_error("memoryview: cannot cast view with zeros in shape or strides"));
    }
    if let Some(s) = shape {
        if s.len() > MAX_DIMENSIONS {
            return Err(vm.value_error("memoryview: number of dimensions must not exceed 64"));
        }
        if from.shape.len() != 1 && s.len() != 1 {
            return Err(vm.type_error("memoryview: cast must be 1D -> ND or ND -> 1D"));
        }
    }
    let (mark, format) = match text.bytes() {
        [f] => (false, *f),
        [b'@', f] => (true, *f),
        _ => (false, 0),
    };
    let Some(size) = item_size(format) else {
        return Err(vm.value_error(
            "memoryview: destination format must be a native single character format prefixed \
             with an optional '@'",
        ));
    };
    if !is_byte(from.format) && !is_byte(format) {
        return Err(vm.type_error("memoryview: cannot cast between two non-byte formats"));
    }
    let total = from.byte_len();
    if total % size != 0 {
        return Err(vm.type_error("memoryview: length is not a multiple of itemsize"));
    }
    let shape = match shape {
        None => vec![total / size],
        Some(s) => dimensions(vm, s, total, size)?,
    };
    let mut strides = vec![0; shape.len()];
    let mut step = size as isize;
    for (stride, n) in strides.iter_mut().zip(&shape).rev() {
        *stride = step;
        step *= *n as isize;
    }
    let offset = from.offset;
    derive(vm, m, Layout { offset, format, native_mark: mark, item: size, shape, strides })
}

fn dimensions<'v>(
    vm: &'v Vm,
    shape: &[Value<'v>],
    total: usize,
    item: usize,
) -> Result<Vec<usize>, Exit<'v>> {
    let mut out = Vec::with_capacity(shape.len());
    let mut bytes = item;
    for v in shape {
        let Some(n) = vm.as_index_i64(*v) else {
            return Err(vm.type_error("memoryview.cast(): elements of shape must be integers"));
        };
        let Some(n) = n.ok().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0) else {
            return Err(vm.value_error("memoryview.cast(): elements of shape must be integers > 0"));
        };
        bytes = bytes.saturating_mul(n);
        out.push(n);
    }
    if bytes != total {
        return Err(vm.type_error("memoryview: product(shape) * itemsize != buffer size"));
    }
    Ok(out)
}

fn to_list<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = live(vm, args[0])?;
    let mut items = Vec::new();
    vm.check(m.layout.count().saturating_mul(8))?;
    let mut places = Vec::with_capacity(m.layout.count());
    m.layout.for_each_item(|at| places.push(at));
    for at in places {
        items.push(item(vm, m, at)?);
    }
    if m.layout.shape.is_empty() {
        return items.first().copied().ok_or_else(|| released(vm));
    }
    // From the innermost dimension outwards.
    for &n in m.layout.shape.iter().skip(1).rev() {
        let lists: Result<Vec<_>, _> =
            items.chunks(n.max(1)).map(|c| vm.list(c.to_vec())).collect();
        items = lists?;
    }
    vm.list(items)
}

fn to_bytes<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = live(vm, args[0])?;
    let order = if args[1].is_empty() || args[1].is_none() {
        "C".into()
    } else {
        vm.text_arg(args[1], "tobytes() argument 'order'", "C")?
    };
    vm.check(m.layout.byte_len())?;
    let bytes = match &*order {
        "C" | "A" => m.copy(),
        "F" => {
            // The first index changes first: that of the same memory with its axes swapped.
            let mut l = m.layout.clone();
            l.shape.reverse();
            l.strides.reverse();
            let all = m.owner_bytes().ok_or_else(|| released(vm))?;
            let mut out = Vec::new();
            l.for_each_item(|at| out.extend_from_slice(all.get(at..at + l.item).unwrap_or(&[])));
            Some(out)
        }
        _ => return Err(vm.value_error("order must be 'C', 'F' or 'A'")),
    };
    vm.bytes_owned(bytes.ok_or_else(|| released(vm))?)
}

fn hex<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let bytes = live(vm, args[0])?.copy().ok_or_else(|| released(vm))?;
    super::bytes::hex_text(vm, &bytes, args[1], args[2])
}

/// The next item of a `memory_iterator`: `n` is the index.
pub(crate) fn memory_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let v = i.get(0);
    if v.is_empty() {
        return Ok(v);
    }
    let n = i.n.get();
    let m = live(vm, v)?;
    if m.layout.shape.first().is_none_or(|&len| n >= len) {
        i.set(0, Value::EMPTY);
        return Ok(Value::EMPTY);
    }
    i.n.set(n + 1);
    get_item(vm, &[v, Value::len(n)])
}

impl Vm {
    /// An iterator over a memoryview.
    pub(crate) fn memory_iter<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        if live(self, v)?.layout.shape.is_empty() {
            return Err(self.type_error("invalid indexing of 0-dim memory"));
        }
        let e = Value::EMPTY;
        Ok(self.iter(Type::MemoryIter, memory_next, [v, e, e], 0, 0))
    }

    /// Whether a memoryview equals another object that has bytes; `None` if that has none.
    pub(crate) fn memory_equal<'v>(
        &'v self,
        a: Value<'v>,
        b: Value<'v>,
    ) -> Result<Option<bool>, Exit<'v>> {
        let layout = |v: Value<'v>| match v.get::<MemoryView>() {
            Some(m) => m.copy().map(|bytes| (bytes, m.layout.clone())),
            None => self
                .buffer(v)
                .map(|b| (b.to_vec(), lent_layout(v).unwrap_or_else(|| Layout::bytes(b.len())))),
        };
        let views = a.is_a::<MemoryView>() || b.is_a::<MemoryView>();
        let has_bytes = |v| self.has_bytes(v) || views && lent_layout(v).is_some();
        if !has_bytes(a) || !has_bytes(b) {
            return Ok(None);
        }
        let (Some((x, p)), Some((y, q))) = (layout(a), layout(b)) else {
            // One is released: equal to nothing but itself.
            return Ok(Some(a.is(b)));
        };
        if p.shape != q.shape {
            return Ok(Some(false));
        }
        if p.format == q.format && !matches!(p.format, b'f' | b'd' | b'?') {
            return Ok(Some(x == y));
        }
        for (s, t) in x.chunks(p.item).zip(y.chunks(q.item)) {
            let (s, t) = (unpack(self, p.format, s)?, unpack(self, q.format, t)?);
            // NaN is not equal to itself here.
            let nan = s.as_float().is_some_and(f64::is_nan);
            if nan || self.equal_leaf(s, t)? != Some(true) {
                return Ok(Some(false));
            }
        }
        Ok(Some(true))
    }

    fn has_bytes(&self, v: Value<'_>) -> bool {
        matches!(v.kind(), Some(Kind::Bytes | Kind::ByteArray | Kind::MemoryView))
    }

    /// The bytes that decide the hash of a memoryview.
    pub(crate) fn memory_hashed<'v>(&'v self, m: &'v MemoryView) -> Result<Vec<u8>, Exit<'v>> {
        if m.owner().is_none() {
            return Err(released(self));
        }
        if !m.readonly {
            return Err(self.value_error("cannot hash writable memoryview object"));
        }
        if !is_byte(m.layout.format) {
            return Err(
                self.value_error("memoryview: hashing is restricted to formats 'B', 'b' or 'c'")
            );
        }
        m.copy().ok_or_else(|| released(self))
    }

    /// The error of using a memoryview that was released.
    pub(crate) fn memory_released(&self) -> Exit<'_> {
        released(self)
    }
}

/// The layout of the bytes that an object lends.
fn lent_layout(v: Value<'_>) -> Option<Layout> {
    v.get::<Opaque>()?.with_buffer(|b| Layout {
        format: b.format,
        item: b.item,
        shape: vec![b.bytes.len() / b.item],
        strides: vec![b.item as isize],
        ..Layout::bytes(0)
    })
}
