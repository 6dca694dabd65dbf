//! `str.format` and `str.format_map`.
//!
//! Values are fetched and formatted here as long as no script code has a say. If it has, the
//! prelude function `format_slow` begins anew: nothing was changed by then.

use super::{def, me};
use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef};
use crate::object::map::Dict;
use crate::object::seq::List;
use crate::object::text::Str;
use crate::text::strformat::{
    Access, Argument, Conversion, MAX_DEPTH, Numbering, Step, Template, split_name, too_deep,
};
use crate::value::Value;

/// The rows.
pub(super) const METHODS: &[NativeDef] = &[
    def!(
        "format",
        "self, /, *args, **kwargs",
        format,
        "Return a formatted version of S, using substitutions from args and kwargs."
    ),
    def!(
        "format_map",
        "self, mapping, /",
        format_map,
        "Return a formatted version of S, using substitutions from mapping."
    ),
];

/// Where fields find their values.
struct Source<'v, 'a> {
    args: Option<&'a [Value<'v>]>,
    mapping: Value<'v>,
}

fn format<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (mapping, items) = (args[1], &args[2..]);
    let source = Source { args: Some(items), mapping };
    let mut out = Vec::new();
    let text = me(vm, args[0])?.bytes();
    match render(vm, &mut out, text, &source, &mut Numbering::default(), MAX_DEPTH) {
        Ok(()) => vm.str_owned(out),
        Err(Exit::Do(_)) => {
            let items = vm.tuple(items)?;
            let mapping = if mapping.is_empty() { Value::object(vm.dict()) } else { mapping };
            Err(slow(vm, args[0], items, mapping))
        }
        Err(e) => Err(e),
    }
}

fn format_map<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let source = Source { args: None, mapping: args[1] };
    let mut out = Vec::new();
    let text = me(vm, args[0])?.bytes();
    match render(vm, &mut out, text, &source, &mut Numbering::default(), MAX_DEPTH) {
        Ok(()) => vm.str_owned(out),
        Err(Exit::Do(_)) => Err(slow(vm, args[0], Value::NONE, args[1])),
        Err(e) => Err(e),
    }
}

fn slow<'v>(vm: &'v Vm, text: Value<'v>, items: Value<'v>, mapping: Value<'v>) -> Exit<'v> {
    let numbering = match vm.list(vec![Value::int32(0), Value::FALSE]) {
        Ok(l) => l,
        Err(e) => return e,
    };
    let depth = Value::int32(MAX_DEPTH as i32);
    vm.prelude_tail("text", "format_slow", &[text, items, mapping, numbering, depth])
}

fn render<'v>(
    vm: &'v Vm,
    out: &mut Vec<u8>,
    text: &[u8],
    source: &Source<'v, '_>,
    numbering: &mut Numbering,
    depth: usize,
) -> Result<(), Exit<'v>> {
    if depth == 0 {
        return Err(vm.fault(too_deep()));
    }
    let mut template = Template::new(text);
    while let Some(step) = template.next() {
        let field = match vm.faulty(step)? {
            Step::Literal(s) => {
                out.extend_from_slice(s);
                continue;
            }
            Step::Field(f) => f,
        };
        let (argument, mut accesses) = vm.faulty(split_name(field.name, numbering))?;
        let mut value = fetch(vm, argument, source)?;
        while let Some(access) = accesses.next() {
            value = match vm.faulty(access)? {
                Access::Attribute(name) => vm.getattr(value, vm.intern_bytes(name))?,
                Access::Index(i) => vm.getitem(value, vm.int(i as i64))?,
                Access::Key(key) => vm.getitem(value, vm.str_bytes(key)?)?,
            };
        }
        if let Some(cp) = field.conversion {
            value = vm.convert(value, conversion(vm, cp)?)?;
        }
        let formatted = if field.nested {
            let mut spec = Vec::new();
            render(vm, &mut spec, field.spec, source, numbering, depth - 1)?;
            vm.format_value(value, vm.str_bytes(&spec)?)?
        } else if field.spec.is_empty() && vm.exact_type(value) == Some(Type::Str) {
            value
        } else {
            vm.format_value(value, vm.str_bytes(field.spec)?)?
        };
        if let Some(s) = formatted.get::<Str>() {
            out.extend_from_slice(s.bytes());
        }
        if out.len() > 1 << 16 {
            vm.check(out.len())?;
        }
    }
    Ok(())
}

/// The number by which `Vm::convert` knows a conversion.
fn conversion<'v>(vm: &'v Vm, cp: u32) -> Result<usize, Exit<'v>> {
    Ok(match vm.faulty(Conversion::from_char(cp))? {
        Conversion::Str => 1,
        Conversion::Repr => 2,
        Conversion::Ascii => 3,
    })
}

fn fetch<'v>(vm: &'v Vm, argument: Argument<'_>, source: &Source<'v, '_>) -> NResult<'v> {
    match (argument, source.args) {
        (Argument::Position(i), Some(args)) => args.get(i).copied().ok_or_else(|| {
            vm.index_error(format!("Replacement index {i} out of range for positional args tuple"))
        }),
        (Argument::Position(_), None) => {
            Err(vm.value_error("Format string contains positional fields"))
        }
        (Argument::Keyword(name), Some(_)) => {
            let key = vm.intern_bytes(name);
            let found = source.mapping.get::<Dict>().and_then(|d| vm.dict_get_name(d, key));
            found.ok_or_else(|| vm.key_error(key))
        }
        (Argument::Keyword(name), None) => vm.getitem(source.mapping, vm.str_bytes(name)?),
    }
}

/// What only the prelude calls.
pub(crate) const INTERNAL: &[&[NativeDef]] = &[
    &[
        NativeDef::new("format_steps", "text, /", format_steps, ""),
        NativeDef::new("format_field", "name, numbering, args, /", format_field, ""),
        NativeDef::new(
            "format_convert",
            "value, conversion, /",
            |vm, args| {
                let cp = args[1].as_small().unwrap_or(0);
                vm.convert(args[0], conversion(vm, cp as u32)?)
            },
            "",
        ),
        NativeDef::new("format_too_deep", "", |vm, _| Err(vm.fault(too_deep())), ""),
    ],
    super::change::INTERNAL,
];

/// The steps of a template: literals, and fields as `(name, conversion, spec, nested)`.
fn format_steps<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let mut template = Template::new(me(vm, args[0])?.bytes());
    let mut steps = Vec::new();
    while let Some(step) = template.next() {
        steps.push(match vm.faulty(step)? {
            Step::Literal(s) => vm.str_bytes(s)?,
            Step::Field(f) => vm.tuple(&[
                vm.str_bytes(f.name)?,
                f.conversion.map_or(Value::NONE, |cp| Value::int32(cp as i32)),
                vm.str_bytes(f.spec)?,
                Value::bool(f.nested),
            ])?,
        });
    }
    vm.list(steps)
}

/// What a field begins with (an int or a str), then pairs of whether it is an attribute and the
/// name or key. Counts in `numbering`.
fn format_field<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(state) = args[1].get::<List>() else { return Ok(Value::NONE) };
    let next = state.get(0).and_then(|v| v.as_small()).unwrap_or(0) as usize;
    let manual = state.get(1).is_some_and(|v| v.is(Value::TRUE));
    let mut numbering = Numbering::resume(next, manual);
    let name = me(vm, args[0])?.bytes();
    let (argument, mut accesses) = vm.faulty(split_name(name, &mut numbering))?;
    let (next, manual) = numbering.state();
    state.set(0, Value::len(next));
    state.set(1, Value::bool(manual));
    let items = args[2].get::<crate::object::seq::Tuple>().map_or(&[][..], |t| t.items());
    let mut out = vec![match argument {
        Argument::Position(_) => {
            let args = if args[2].is_none() { None } else { Some(items) };
            let value = fetch(vm, argument, &Source { args, mapping: Value::NONE })?;
            vm.tuple(&[value])?
        }
        Argument::Keyword(name) => vm.str_bytes(name)?,
    }];
    while let Some(access) = accesses.next() {
        let (is_attr, key) = match vm.faulty(access)? {
            Access::Attribute(name) => (true, vm.intern_bytes(name)),
            Access::Index(i) => (false, vm.int(i as i64)),
            Access::Key(key) => (false, vm.str_bytes(key)?),
        };
        out.extend([Value::bool(is_attr), key]);
    }
    vm.list(out)
}
