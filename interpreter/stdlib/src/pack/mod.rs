//! `struct`: values as bytes and back.

pub(crate) mod format;
mod item;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use miniscript_vm::builtins::Type;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role};
use miniscript_vm::object::class::Class;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::text::{Bytes, Str};
use miniscript_vm::{Value, Vm};

use crate::{ClassDef, args};
use format::Format;

/// The functions of the module.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "calcsize",
        "format, /",
        |vm, a| Ok(Value::len(parsed(vm, a[0])?.size)),
        "Return the size in bytes of the struct described by the format string.",
    ),
    NativeDef::new(
        "pack",
        "*values",
        |vm, a| {
            let (format, values) = first(vm, a)?;
            pack(vm, &format, values)
        },
        "pack(format, v1, v2, ...): the values as bytes.",
    ),
    NativeDef::new(
        "pack_into",
        "*values",
        |vm, a| {
            let (format, values) = first(vm, a)?;
            pack_into(vm, &format, values)
        },
        "pack_into(format, buffer, offset, v1, v2, ...): write the values into a buffer.",
    ),
    NativeDef::new(
        "unpack",
        "format, buffer, /",
        |vm, a| {
            let format = parsed(vm, a[0])?;
            unpack(vm, &format, a[1])
        },
        "Return a tuple of the values in buffer.",
    ),
    NativeDef::new(
        "unpack_from",
        "format, /, buffer, offset=0",
        |vm, a| {
            let format = parsed(vm, a[0])?;
            unpack_from(vm, &format, a[1], a[2])
        },
        "Return a tuple of the values in buffer from offset on.",
    ),
    NativeDef::new(
        "iter_unpack",
        "format, buffer, /",
        |vm, a| {
            let format = parsed(vm, a[0])?;
            iter_unpack(vm, format, a[1])
        },
        "Iterate over the tuples of values in buffer.",
    ),
];

static ERROR: ClassDef = ClassDef {
    name: "error",
    module: "struct",
    doc: "What is wrong with a format or a value.",
    base: Type::Exception,
    layout: Kind::Exception,
    second_base: None,
    open: true,
    has_dict: false,
    methods: &[],
};

static STRUCT: ClassDef = ClassDef::open(
    "_struct",
    "Struct",
    "A format that was read.",
    &[
        NativeDef::new("__new__", "cls, format", new, "Read a format.").role(Role::Static),
        NativeDef::getter("format", |vm, a| with(vm, a[0])?.text(vm), "the format"),
        NativeDef::getter(
            "size",
            |vm, a| Ok(Value::len(with(vm, a[0])?.format.size)),
            "the size in bytes",
        ),
        NativeDef::new(
            "pack",
            "self, /, *values",
            |vm, a| pack(vm, &with(vm, a[0])?.format, &a[1..]),
            "The values as bytes.",
        ),
        NativeDef::new(
            "pack_into",
            "self, /, *values",
            |vm, a| pack_into(vm, &with(vm, a[0])?.format, &a[1..]),
            "pack_into(buffer, offset, v1, v2, ...): write the values into a buffer.",
        ),
        NativeDef::new(
            "unpack",
            "self, buffer, /",
            |vm, a| unpack(vm, &with(vm, a[0])?.format, a[1]),
            "Return a tuple of the values in buffer.",
        ),
        NativeDef::new(
            "unpack_from",
            "self, /, buffer, offset=0",
            |vm, a| unpack_from(vm, &with(vm, a[0])?.format, a[1], a[2]),
            "Return a tuple of the values in buffer from offset on.",
        ),
        NativeDef::new(
            "iter_unpack",
            "self, buffer, /",
            |vm, a| iter_unpack(vm, with(vm, a[0])?.format, a[1]),
            "Iterate over the tuples of values in buffer.",
        ),
    ],
);

static ITERATOR: ClassDef = ClassDef::closed(
    "_struct",
    "unpack_iterator",
    "",
    &[
        NativeDef::new("__iter__", "self, /", |_, a| Ok(a[0]), "Implement iter(self)."),
        NativeDef::new("__next__", "self, /", next, "Implement next(self)."),
        NativeDef::new(
            "__length_hint__",
            "self, /",
            |vm, a| Ok(Value::len(with_iterator(vm, a[0], |i| i.left())?)),
            "How many tuples are left.",
        ),
    ],
);

/// The classes of the module.
pub(crate) static CLASSES: &[&ClassDef] = &[&ERROR, &STRUCT];

/// The formats read lately, and the last one, which is often the next.
#[derive(Default)]
struct Formats {
    last: RefCell<Option<(Vec<u8>, Rc<Format>)>>,
    all: RefCell<HashMap<Vec<u8>, Rc<Format>>>,
}

const MOST_FORMATS: usize = 100;

#[derive(Clone)]
struct StructObject {
    source: Vec<u8>,
    format: Rc<Format>,
}

impl StructObject {
    fn text<'v>(&self, vm: &'v Vm) -> NResult<'v> {
        vm.str_bytes(&self.source)
    }
}

struct Packed(StructObject);

impl Payload for Packed {}

struct Iterator {
    format: Rc<Format>,
    data: Vec<u8>,
    at: usize,
}

impl Payload for Iterator {}

impl Iterator {
    fn left(&self) -> usize {
        (self.data.len() - self.at) / self.format.size.max(1)
    }
}

/// Raises `struct.error`.
#[cold]
pub(super) fn error<'v>(vm: &'v Vm, msg: impl AsRef<str>) -> Exit<'v> {
    ERROR.raise(vm, msg.as_ref())
}

fn format_text<'v>(vm: &'v Vm, v: Value<'v>) -> Result<&'v [u8], Exit<'v>> {
    if let Some(s) = v.get::<Str>() {
        if !s.is_ascii() {
            let encode = vm.getattr(v, vm.intern("encode"))?;
            return Err(Exit::tail(encode, vec![vm.intern("ascii")]));
        }
        return Ok(s.bytes());
    }
    match v.get::<Bytes>() {
        Some(b) => Ok(b.bytes()),
        None => Err(vm.type_error(format!(
            "Struct() argument 1 must be a str or bytes object, not {}",
            vm.type_name(v)
        ))),
    }
}

fn parsed<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Rc<Format>, Exit<'v>> {
    let text = format_text(vm, v)?;
    let known = vm.local::<Formats>();
    if let Some((last, format)) = &*known.last.borrow()
        && last == text
    {
        return Ok(Rc::clone(format));
    }
    let mut all = known.all.borrow_mut();
    let format = match all.get(text) {
        Some(format) => Rc::clone(format),
        None => {
            let format = Rc::new(Format::parse(text).map_err(|msg| error(vm, msg))?);
            if all.len() >= MOST_FORMATS {
                all.clear();
            }
            all.insert(text.to_vec(), Rc::clone(&format));
            format
        }
    };
    *known.last.borrow_mut() = Some((text.to_vec(), Rc::clone(&format)));
    Ok(format)
}

fn first<'a, 'v>(
    vm: &'v Vm,
    values: &'a [Value<'v>],
) -> Result<(Rc<Format>, &'a [Value<'v>]), Exit<'v>> {
    match values {
        [format, rest @ ..] => Ok((parsed(vm, *format)?, rest)),
        [] => Err(vm.type_error("missing format argument")),
    }
}

fn pack<'v>(vm: &'v Vm, format: &Format, values: &[Value<'v>]) -> NResult<'v> {
    check_count(vm, "pack", format, values)?;
    let mut out = Vec::new();
    vm.reserve(&mut out, format.size)?;
    out.resize(format.size, 0);
    write(vm, format, values, &mut out)?;
    Ok(vm.new_bytes(Type::Bytes.shape(), out))
}

fn check_count<'v>(
    vm: &'v Vm,
    name: &str,
    format: &Format,
    values: &[Value<'v>],
) -> Result<(), Exit<'v>> {
    if values.len() == format.items {
        return Ok(());
    }
    let (want, got) = (format.items, values.len());
    Err(error(vm, format!("{name} expected {want} items for packing (got {got})")))
}

fn write<'v>(
    vm: &'v Vm,
    format: &Format,
    values: &[Value<'v>],
    out: &mut [u8],
) -> Result<(), Exit<'v>> {
    let mut values = values.iter();
    for field in &format.fields {
        for (i, v) in values.by_ref().take(field.count).enumerate() {
            vm.tick()?;
            let at = field.offset + i * field.size;
            item::pack(vm, format, field.code, *v, &mut out[at..at + field.size])?;
        }
    }
    Ok(())
}

fn pack_into<'v>(vm: &'v Vm, format: &Format, values: &[Value<'v>]) -> NResult<'v> {
    let (buffer, offset, values) = match values {
        [] => return Err(error(vm, "pack_into expected buffer argument")),
        [_] => return Err(error(vm, "pack_into expected offset argument")),
        [buffer, offset, values @ ..] => (*buffer, *offset, values),
    };
    check_count(vm, "pack_into", format, values)?;
    let offset = args::size(vm, offset, 0)?;
    let room = args::with_writable(buffer, |b| b.len()).ok_or_else(|| {
        vm.type_error(format!(
            "argument must be read-write bytes-like object, not {}",
            vm.type_name(buffer)
        ))
    })?;
    let at = place(vm, format, offset, room, true)?;
    let mut packed = vec![0; format.size];
    write(vm, format, values, &mut packed)?;
    args::with_writable(buffer, |b| {
        if let Some(to) = b.get_mut(at..at + packed.len()) {
            to.copy_from_slice(&packed);
        }
    });
    Ok(Value::NONE)
}

/// Where in a buffer of `room` bytes the items begin.
fn place<'v>(
    vm: &'v Vm,
    format: &Format,
    offset: i64,
    room: usize,
    packs: bool,
) -> Result<usize, Exit<'v>> {
    let size = format.size;
    let mut at = offset;
    if offset < 0 {
        if offset.checked_add_unsigned(size as u64).is_some_and(|end| end > 0) {
            return Err(error(
                vm,
                match packs {
                    true => format!("no space to pack {size} bytes at offset {offset}"),
                    false => format!("not enough data to unpack {size} bytes at offset {offset}"),
                },
            ));
        }
        at += room as i64;
        if at < 0 {
            let text = format!("offset {offset} out of range for {room}-byte buffer");
            return Err(error(vm, text));
        }
    }
    let at = at as usize;
    if room.checked_sub(at).is_none_or(|left| left < size) {
        let needed = at as u128 + size as u128;
        let (name, doing) =
            if packs { ("pack_into", "packing") } else { ("unpack_from", "unpacking") };
        return Err(error(
            vm,
            format!(
                "{name} requires a buffer of at least {needed} bytes for {doing} {size} bytes at \
                 offset {at} (actual buffer size is {room})"
            ),
        ));
    }
    Ok(at)
}

fn read<'v>(vm: &'v Vm, format: &Format, data: &[u8]) -> NResult<'v> {
    let mut items = Vec::with_capacity(format.items.min(data.len()));
    for field in &format.fields {
        for i in 0..field.count {
            vm.tick()?;
            let at = field.offset + i * field.size;
            let bytes = data.get(at..at + field.size).unwrap_or(&[]);
            items.push(item::unpack(vm, format, field.code, bytes)?);
        }
    }
    vm.tuple(&items)
}

fn unpack<'v>(vm: &'v Vm, format: &Format, v: Value<'v>) -> NResult<'v> {
    let data = args::buffer(vm, v)?;
    if data.len() != format.size {
        let text = format!("unpack requires a buffer of {} bytes", format.size);
        return Err(error(vm, text));
    }
    read(vm, format, &data)
}

fn unpack_from<'v>(vm: &'v Vm, format: &Format, v: Value<'v>, offset: Value<'v>) -> NResult<'v> {
    let data = args::buffer(vm, v)?;
    let at = place(vm, format, args::size(vm, offset, 0)?, data.len(), false)?;
    read(vm, format, &data[at..at + format.size])
}

fn iter_unpack<'v>(vm: &'v Vm, format: Rc<Format>, v: Value<'v>) -> NResult<'v> {
    let data = args::buffer(vm, v)?;
    if format.size == 0 {
        return Err(error(vm, "cannot iteratively unpack with a struct of length 0"));
    }
    if !data.len().is_multiple_of(format.size) {
        let text =
            format!("iterative unpacking requires a buffer of a multiple of {} bytes", format.size);
        return Err(error(vm, text));
    }
    let iterator = Iterator { format, data: data.to_vec(), at: 0 };
    Ok(vm.opaque(ITERATOR.of(vm)?, Some(Box::new(iterator))))
}

fn with_iterator<'v, R>(
    vm: &'v Vm,
    v: Value<'v>,
    f: impl FnOnce(&mut Iterator) -> R,
) -> Result<R, Exit<'v>> {
    let found = v.get::<Opaque>().and_then(|o| o.with(f));
    found.ok_or_else(|| vm.type_error("an unpack_iterator is required"))
}

fn next<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let made = with_iterator(vm, a[0], |i| {
        let data = i.data.get(i.at..i.at + i.format.size)?;
        i.at += i.format.size;
        Some(read(vm, &i.format, data))
    })?;
    made.unwrap_or_else(|| Err(vm.stop_iteration(Value::NONE)))
}

fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(class) = a[0].get::<Class>() else {
        return Err(vm.type_error("Struct.__new__(X): X is not a type object"));
    };
    let format = parsed(vm, a[1])?;
    let source = format_text(vm, a[1])?.to_vec();
    Ok(vm.opaque(class, Some(Box::new(Packed(StructObject { source, format })))))
}

fn with<'v>(vm: &'v Vm, v: Value<'v>) -> Result<StructObject, Exit<'v>> {
    let found = v.get::<Opaque>().and_then(|o| o.with(|p: &mut Packed| p.0.clone()));
    found.ok_or_else(|| vm.type_error("a Struct is required"))
}
