//! An extension's tables as native rows, made once for the process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use miniscript_abi::*;
use miniscript_vm::interp::typed::TypedFn;
use miniscript_vm::native::{Arity, NResult, NativeDef, NativeFn, Quick, Role};
use miniscript_vm::{Value, Vm};
use num_bigint::BigInt;

use crate::registry::{Extension, Function};

/// Most parameters of one function; the VM counts them in a byte.
const MAX_PARAMS: usize = 250;

/// A function of an extension.
pub(super) struct Row {
    pub(super) def: NativeDef,
    pub(super) function: &'static Function,
    /// What stands for arguments that are not passed, by place.
    pub(super) slots: Vec<Slot>,
    pub(super) calls_back: bool,
    /// `module.name` or `Class.name`, for messages.
    pub(super) shown: String,
}

/// What a native gets for a parameter that was not passed.
pub(super) enum Slot {
    /// A default of the table.
    Default(MsLiteral),
    /// `MS_TAG_ABSENT`.
    Optional,
    /// An empty dict.
    Keywords,
    /// An error: the argument is missing.
    Required(&'static str),
    /// The value of a setter, which is missing when the attribute is deleted.
    NewValue,
}

/// The rows of an extension.
pub(super) struct Rows {
    pub(super) functions: Vec<Row>,
    /// By class, in the order of the tables.
    pub(super) methods: Vec<Vec<Row>>,
}

// SAFETY: rows refer to immutable statics of libraries that are never unloaded.
unsafe impl Send for Rows {}
// SAFETY: as above.
unsafe impl Sync for Rows {}

/// Rows by the address of their extension.
static ROWS: Mutex<Option<HashMap<usize, &'static Rows>>> = Mutex::new(None);

/// The rows of an extension.
///
/// # Errors
/// What cannot be expressed.
pub(super) fn rows(ext: &'static Extension) -> Result<&'static Rows, String> {
    let mut all = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_with(HashMap::new);
    let key = std::ptr::from_ref(ext) as usize;
    if let Some(rows) = all.get(&key) {
        return Ok(rows);
    }
    let functions = ext
        .functions
        .iter()
        .map(|f| row(f, format!("{}.{}", ext.name, f.name), false))
        .collect::<Result<_, _>>()?;
    let methods = ext
        .classes
        .iter()
        .map(|class| {
            let methods = class.methods.iter();
            methods.map(|f| row(f, format!("{}.{}", class.name, f.name), true)).collect()
        })
        .collect::<Result<_, _>>()?;
    let rows: &'static Rows = Box::leak(Box::new(Rows { functions, methods }));
    all.insert(key, rows);
    Ok(rows)
}

fn role(f: &Function, method: bool) -> Role {
    let flags = f.record.flags;
    match () {
        () if !method || flags & MS_FN_STATIC != 0 => Role::Static,
        () if flags & MS_FN_GETTER != 0 => Role::Getter,
        () if flags & MS_FN_SETTER != 0 => Role::Setter,
        () if flags & MS_FN_CLASS != 0 => Role::Class,
        () => Role::Method,
    }
}

fn row(f: &'static Function, shown: String, method: bool) -> Result<Row, String> {
    if f.bindings.len() > MAX_PARAMS {
        return Err(format!("{shown}() has more than {MAX_PARAMS} parameters"));
    }
    let role = role(f, method);
    let first = match role {
        Role::Static if method && f.name == "__new__" => Some("cls"),
        Role::Static => None,
        Role::Class => Some("cls"),
        _ => Some("self"),
    };
    let (sig, mut slots) = match role {
        Role::Getter => ("self, /".to_owned(), Vec::new()),
        Role::Setter => ("self, value, /".to_owned(), vec![Slot::NewValue]),
        _ => signature(f, first),
    };
    if first.is_some() {
        slots.insert(0, Slot::Optional);
    }
    let sig: &'static str = Box::leak(sig.into_boxed_str());
    let arity = Arity::parse(sig);
    let func = match typed(f) {
        Some(typed) if first.is_none() && takes(&arity, typed.arg_count()) => {
            NativeFn::Typed(typed, super::call::entry)
        }
        _ => NativeFn::Host(super::call::entry),
    };
    let def = NativeDef { name: f.name, sig, arity, role, func, doc: f.doc, quick: Quick::No };
    let calls_back = f.record.flags & MS_FN_CALLS_BACK != 0;
    Ok(Row { def, function: f, slots, calls_back, shown })
}

/// Whether a call with `n` positional arguments needs no others.
fn takes(arity: &Arity, n: usize) -> bool {
    let positional = arity.fixed == arity.max && !arity.varargs && !arity.varkw;
    positional && (arity.min as usize..=arity.max as usize).contains(&n)
}

/// The signature in the form of a native row, and what stands for missing arguments.
fn signature(f: &Function, first: Option<&str>) -> (String, Vec<Slot>) {
    let mut parts: Vec<String> = first.into_iter().map(str::to_owned).collect();
    if f.record.flags & MS_FN_VARIADIC != 0 {
        if first.is_some() {
            parts.push("/".to_owned());
        }
        parts.push("*args".to_owned());
        return (parts.join(", "), Vec::new());
    }
    let mut slots = Vec::new();
    let mut before = MS_PARAM_POSITIONAL;
    let mut starred = false;
    for (param, shown) in f.bindings.iter().zip(&f.parameters) {
        if before == MS_PARAM_POSITIONAL && param.kind != before && !parts.is_empty() {
            parts.push("/".to_owned());
        }
        before = param.kind;
        match param.kind {
            MS_PARAM_VARARGS => {
                starred = true;
                parts.push(format!("*{}", shown.name));
                continue;
            }
            MS_PARAM_KWARGS => {
                parts.push(format!("**{}", shown.name));
                slots.push(Slot::Keywords);
                continue;
            }
            MS_PARAM_KEYWORD if !starred => {
                starred = true;
                parts.push("*".to_owned());
            }
            _ => {}
        }
        parts.push(match &shown.default {
            // What the row's own reader could take for something else is only hinted at.
            Some(default) if default.contains('\\') => format!("{}=...", shown.name),
            Some(default) => format!("{}={default}", shown.name),
            None => shown.name.to_owned(),
        });
        slots.push(if param.flags & MS_PARAM_HAS_DEFAULT != 0 {
            Slot::Default(param.default_value)
        } else if param.flags & MS_PARAM_OPTIONAL != 0 {
            Slot::Optional
        } else {
            Slot::Required(shown.name)
        });
    }
    if before == MS_PARAM_POSITIONAL && !parts.is_empty() {
        parts.push("/".to_owned());
    }
    (parts.join(", "), slots)
}

/// The typed entry, by its kind.
fn typed(f: &Function) -> Option<TypedFn> {
    let entry = f.record.typed?;
    // SAFETY: the record names the signature of its entry.
    unsafe {
        use std::mem::transmute as cast;
        type Any = unsafe extern "C" fn();
        Some(match f.record.typed_kind {
            MS_TYPED_F_F => TypedFn::F_F(cast::<Any, unsafe extern "C" fn(f64) -> f64>(entry)),
            MS_TYPED_FF_F => {
                TypedFn::FF_F(cast::<Any, unsafe extern "C" fn(f64, f64) -> f64>(entry))
            }
            MS_TYPED_FFF_F => {
                TypedFn::FFF_F(cast::<Any, unsafe extern "C" fn(f64, f64, f64) -> f64>(entry))
            }
            MS_TYPED_I_I => {
                TypedFn::I_I(cast::<Any, unsafe extern "C" fn(i64, *mut u32) -> i64>(entry))
            }
            MS_TYPED_II_I => {
                TypedFn::II_I(cast::<Any, unsafe extern "C" fn(i64, i64, *mut u32) -> i64>(entry))
            }
            MS_TYPED_F_I => {
                TypedFn::F_I(cast::<Any, unsafe extern "C" fn(f64, *mut u32) -> i64>(entry))
            }
            MS_TYPED_F_B => TypedFn::F_B(cast::<Any, unsafe extern "C" fn(f64) -> u32>(entry)),
            MS_TYPED_I_F => TypedFn::I_F(cast::<Any, unsafe extern "C" fn(i64) -> f64>(entry)),
            _ => return None,
        })
    }
}

/// The value of a literal of a descriptor.
pub(super) fn literal<'v>(vm: &'v Vm, literal: &MsLiteral) -> NResult<'v> {
    // SAFETY: literals of a descriptor live as long as the process.
    let bytes = unsafe { literal.text.as_bytes() };
    match literal.value.tag {
        MS_TAG_BOOL => Ok(Value::bool(literal.value.payload != 0)),
        MS_TAG_INT => Ok(vm.int(literal.value.payload as i64)),
        MS_TAG_FLOAT => Ok(Value::float(f64::from_bits(literal.value.payload))),
        MS_TAG_STR => vm.str(&String::from_utf8_lossy(bytes)),
        MS_TAG_BYTES => vm.bytes(bytes),
        MS_TAG_BIGINT => match BigInt::parse_bytes(bytes, 10) {
            Some(n) => Ok(vm.bigint(n)),
            None => Err(vm.value_error("a constant of an extension is no number")),
        },
        _ => Ok(Value::NONE),
    }
}
