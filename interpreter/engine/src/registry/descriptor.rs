//! Reading a descriptor: tables of any age become records of our own shape, checked once.
#![allow(unsafe_code)]

use super::error::{LoadError, Problem};
use super::note::{Language, Note};
use miniscript_abi::*;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A loaded extension; lives as long as the process.
#[derive(Debug)]
pub struct Extension {
    /// Name of the module.
    pub name: &'static str,
    /// Version of the extension.
    pub version: &'static str,
    /// Documentation.
    pub doc: &'static str,
    /// ABI it was built against.
    pub abi: (u32, u32),
    /// The file; None where it is linked into the program.
    pub path: Option<PathBuf>,
    /// In what it is written.
    pub language: Language,
    /// Functions of the module.
    pub functions: Vec<Function>,
    /// Constants of the module.
    pub constants: Vec<Constant>,
    /// Classes of the module.
    pub classes: Vec<Class>,
    /// Extensions it needs: name and version range.
    pub dependencies: Vec<(&'static str, &'static str)>,
    /// Rights it asks for: kind and scope.
    pub permissions: Vec<(&'static str, &'static str)>,
    /// Prepares the extension for a VM.
    pub init: Option<MsInit>,
    /// Ends its use by a VM.
    pub shutdown: Option<MsShutdown>,
}

/// A function or method.
#[derive(Debug)]
pub struct Function {
    /// Name.
    pub name: &'static str,
    /// Documentation.
    pub doc: &'static str,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// Entry.
    pub call: MsCall,
    /// The whole record: data, flags, typed entry. Its tables are of the extension's age; use
    /// the fields above for them.
    pub record: MsFunction,
    /// `record`s of the parameters, for [`bind`].
    pub bindings: Vec<MsParam>,
    /// Return type, may be empty.
    pub returns: &'static str,
}

/// A parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Name.
    pub name: &'static str,
    /// `MS_PARAM_` kind.
    pub kind: u32,
    /// Default as source text.
    pub default: Option<String>,
    /// Type, may be empty.
    pub annotation: &'static str,
}

/// A constant.
#[derive(Debug)]
pub struct Constant {
    /// Name.
    pub name: &'static str,
    /// Value.
    pub value: MsLiteral,
    /// Documentation.
    pub doc: &'static str,
}

/// A native class.
#[derive(Debug)]
pub struct Class {
    /// Name.
    pub name: &'static str,
    /// Documentation.
    pub doc: &'static str,
    /// Name of the builtin base class; empty: `object`.
    pub base: &'static str,
    /// Methods, getters and setters.
    pub methods: Vec<Function>,
    /// Class attributes.
    pub constants: Vec<Constant>,
    /// Identity, size, drop, trace, flags.
    pub record: MsClass,
}

// SAFETY: everything refers to immutable statics of a library that is never unloaded.
unsafe impl Send for Extension {}
// SAFETY: as above.
unsafe impl Sync for Extension {}

/// Bytes of the records of ABI 1.0: a smaller one is damaged, not old.
const EXT_1_0: usize = offset_of!(MsExt, shutdown) + size_of::<usize>();
const FUNCTION_1_0: usize = offset_of!(MsFunction, returns) + size_of::<MsStr>();
const PARAM_1_0: usize = offset_of!(MsParam, annotation) + size_of::<MsStr>();
const CONST_1_0: usize = offset_of!(MsConst, doc) + size_of::<MsStr>();
const CLASS_1_0: usize = (offset_of!(MsClass, flags) + size_of::<u32>()).next_multiple_of(8);
const PAIR_1_0: usize = 2 * size_of::<MsStr>();

/// Reads the descriptor of a library whose note was accepted.
pub(super) fn describe(
    descriptor: *const MsExt,
    path: &Path,
    note: &Note,
) -> Result<&'static Extension, LoadError> {
    let refuse = |what: String| LoadError::new(path, Problem::Descriptor(what));
    // SAFETY: the library's own function returned it, and it starts with its size.
    let extension = unsafe { read(descriptor) }.map_err(refuse)?;
    if extension.name != note.name {
        let found = extension.name.to_owned();
        let problem = Problem::Name { found, wanted: note.name.clone() };
        return Err(LoadError::new(path, problem));
    }
    let path = Some(path.to_owned());
    Ok(Box::leak(Box::new(Extension { path, language: note.language, ..extension })))
}

/// Reads the descriptor of an extension that is linked into the program.
pub(super) fn describe_static(descriptor: &'static MsExt) -> Result<&'static Extension, LoadError> {
    // By the descriptors' addresses: they are the same for every VM.
    static KNOWN: Mutex<BTreeMap<usize, &'static Extension>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let address = std::ptr::from_ref(descriptor) as usize;
    if let Some(extension) = known.get(&address) {
        return Ok(extension);
    }
    // SAFETY: a reference to a live descriptor.
    let extension = unsafe { read(descriptor) }
        .map_err(|what| LoadError::new(Path::new(""), Problem::Descriptor(what)))?;
    let extension = &*Box::leak(Box::new(extension));
    known.insert(address, extension);
    Ok(extension)
}

/// # Safety
/// `descriptor` points to a descriptor of any ABI minor that lives as long as the process.
unsafe fn read(descriptor: *const MsExt) -> Result<Extension, String> {
    if !descriptor.is_aligned() {
        return Err("the descriptor is not aligned".to_owned());
    }
    // SAFETY: `size` is the first field of every age.
    let size = unsafe { (*descriptor).size };
    if size < EXT_1_0 {
        return Err(format!("the descriptor has {size} bytes, ABI 1.0 has {EXT_1_0}"));
    }
    // SAFETY: `size` bytes by contract.
    let ext = unsafe { widen(descriptor, size) };
    if ext.abi_major != MS_ABI_MAJOR {
        return Err(format!("it is for ABI {}", ext.abi_major));
    }
    let name = text(ext.name, "the module's name")?;
    if name.is_empty() {
        return Err("the module has no name".to_owned());
    }
    // SAFETY: the tables are part of the descriptor; strides are checked.
    unsafe {
        let functions = functions(ext.functions, name)?;
        let constants = constants(ext.constants, name)?;
        let classes = classes(ext.classes)?;
        unique(
            name,
            functions
                .iter()
                .map(|f| f.name)
                .chain(constants.iter().map(|c| c.name))
                .chain(classes.iter().map(|c| c.name)),
        )?;
        Ok(Extension {
            name,
            version: text(ext.version, "the version")?,
            doc: text(ext.doc, "the documentation")?,
            abi: (ext.abi_major, ext.abi_minor),
            path: None,
            language: Language::Rust,
            functions,
            constants,
            classes,
            dependencies: table::<MsDependency>(ext.dependencies, PAIR_1_0, "dependencies")?
                .iter()
                .map(|d| Ok((text(d.name, "a dependency")?, text(d.range, "a range")?)))
                .collect::<Result<_, String>>()?,
            permissions: table::<MsPermission>(ext.permissions, PAIR_1_0, "permissions")?
                .iter()
                .map(|p| Ok((text(p.kind, "a permission")?, text(p.scope, "a scope")?)))
                .collect::<Result<_, String>>()?,
            init: ext.init,
            shutdown: ext.shutdown,
        })
    }
}

fn text(text: MsStr, what: &str) -> Result<&'static str, String> {
    if text.ptr.is_null() && text.len != 0 || text.len > isize::MAX as usize {
        return Err(format!("{what} has a bad length"));
    }
    // SAFETY: texts of a descriptor live as long as the process; the length was checked for
    // plausibility, the rest is the extension's word.
    unsafe { text.as_str() }.ok_or_else(|| format!("{what} is not UTF-8"))
}

/// # Safety
/// The table is part of a descriptor and holds records of type `T` of some minor.
unsafe fn table<T: Record>(table: MsTable, least: usize, what: &str) -> Result<Vec<T>, String> {
    if table.len == 0 {
        return Ok(Vec::new());
    }
    let refuse = |why: String| Err(format!("the table of {what} {why}"));
    if table.ptr.is_null() {
        return refuse(format!("has {} rows and no address", table.len));
    }
    if !(table.ptr as usize).is_multiple_of(align_of::<T>()) {
        return refuse("is not aligned".to_owned());
    }
    if table.stride < least || !table.stride.is_multiple_of(align_of::<T>()) {
        return refuse(format!("has a stride of {} bytes", table.stride));
    }
    let bytes = table.stride.checked_mul(table.len);
    if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
        return refuse(format!("has {} rows, more than there is memory", table.len));
    }
    // SAFETY: by contract, and the numbers are plausible.
    Ok(unsafe { table.read::<T>() })
}

fn unique<'a>(owner: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{owner} has two things named '{name}'"));
        }
    }
    Ok(())
}

/// # Safety
/// As for [`table`].
unsafe fn functions(records: MsTable, owner: &str) -> Result<Vec<Function>, String> {
    // SAFETY: by contract.
    unsafe { table::<MsFunction>(records, FUNCTION_1_0, "functions")? }
        .into_iter()
        .enumerate()
        // SAFETY: the parameter table of a function of this descriptor.
        .map(|(index, record)| unsafe { function(record, owner, index) })
        .collect()
}

/// # Safety
/// The record is part of a descriptor.
unsafe fn function(record: MsFunction, owner: &str, index: usize) -> Result<Function, String> {
    let name = text(record.name, "a function's name")?;
    if name.is_empty() {
        return Err(format!("function {index} of {owner} has no name"));
    }
    let call = record.call.ok_or_else(|| format!("{owner}.{name} has no entry"))?;
    if record.typed_kind != MS_TYPED_NONE && record.typed.is_none() {
        return Err(format!("{owner}.{name} names a typed entry and has none"));
    }
    // SAFETY: by contract.
    let bindings = unsafe { table::<MsParam>(record.params, PARAM_1_0, "parameters")? };
    let parameters =
        bindings.iter().map(|param| parameter(param, name)).collect::<Result<Vec<_>, String>>()?;
    unique(name, parameters.iter().map(|parameter| parameter.name))?;
    check_order(&bindings, name)?;
    Ok(Function {
        name,
        doc: text(record.doc, "a function's documentation")?,
        parameters,
        call,
        returns: text(record.returns, "a return type")?,
        record,
        bindings,
    })
}

fn parameter(param: &MsParam, function: &str) -> Result<Parameter, String> {
    let name = text(param.name, "a parameter's name")?;
    if name.is_empty() || param.kind > MS_PARAM_KWARGS {
        return Err(format!("{function}() has a parameter without name or of unknown kind"));
    }
    let default = if param.flags & MS_PARAM_HAS_DEFAULT != 0 {
        Some(literal_text(&param.default_value)?)
    } else if param.flags & MS_PARAM_OPTIONAL != 0 {
        Some("...".to_owned())
    } else {
        None
    };
    let annotation = text(param.annotation, "a parameter's type")?;
    Ok(Parameter { name, kind: param.kind, default, annotation })
}

/// As Python wants it: positional, normal, `*args`, keyword, `**kwargs`; one of each star.
fn check_order(params: &[MsParam], function: &str) -> Result<(), String> {
    let rank = |param: &MsParam| match param.kind {
        MS_PARAM_VARARGS => 2,
        MS_PARAM_KEYWORD => 3,
        MS_PARAM_KWARGS => 4,
        kind => kind,
    };
    let star = |rank| matches!(rank, 2 | 4);
    for pair in params.windows(2) {
        let (before, after) = (rank(&pair[0]), rank(&pair[1]));
        if before > after || before == after && star(before) {
            return Err(format!("the parameters of {function}() are out of order"));
        }
    }
    Ok(())
}

/// A literal as source text, for signatures.
fn literal_text(literal: &MsLiteral) -> Result<String, String> {
    // SAFETY: literals of a descriptor live as long as the process.
    let bytes = unsafe { literal.text.as_bytes() };
    Ok(match literal.value.tag {
        MS_TAG_NONE => "None".to_owned(),
        MS_TAG_BOOL if literal.value.payload != 0 => "True".to_owned(),
        MS_TAG_BOOL => "False".to_owned(),
        MS_TAG_INT => (literal.value.payload as i64).to_string(),
        MS_TAG_FLOAT => format!("{:?}", f64::from_bits(literal.value.payload)),
        MS_TAG_STR => format!("'{}'", text(literal.text, "a default")?.escape_debug()),
        MS_TAG_BYTES => format!("b'{}'", bytes.escape_ascii()),
        MS_TAG_BIGINT => text(literal.text, "a default")?.to_owned(),
        tag => return Err(format!("a literal has the unknown tag {tag}")),
    })
}

/// # Safety
/// As for [`table`].
unsafe fn constants(records: MsTable, owner: &str) -> Result<Vec<Constant>, String> {
    // SAFETY: by contract.
    unsafe { table::<MsConst>(records, CONST_1_0, "constants")? }
        .into_iter()
        .map(|record| {
            let name = text(record.name, "a constant's name")?;
            if name.is_empty() {
                return Err(format!("a constant of {owner} has no name"));
            }
            literal_text(&record.value)?;
            let doc = text(record.doc, "a constant's documentation")?;
            Ok(Constant { name, value: record.value, doc })
        })
        .collect()
}

/// # Safety
/// As for [`table`].
unsafe fn classes(records: MsTable) -> Result<Vec<Class>, String> {
    let mut identities = HashSet::new();
    // SAFETY: by contract.
    unsafe { table::<MsClass>(records, CLASS_1_0, "classes")? }
        .into_iter()
        .map(|record| {
            let name = text(record.name, "a class's name")?;
            if name.is_empty() || record.id.is_null() || !identities.insert(record.id as usize) {
                return Err(format!("the class '{name}' has no name or no identity of its own"));
            }
            let align = record.payload_align;
            if record.payload_size != 0 && (!align.is_power_of_two() || align > 16) {
                return Err(format!("the payload of {name} has an alignment of {align}"));
            }
            // SAFETY: tables of a class of this descriptor.
            let (methods, constants) =
                unsafe { (functions(record.methods, name)?, constants(record.constants, name)?) };
            // A getter and a setter share their name.
            unique(name, methods.iter().filter(|m| !m.is(MS_FN_SETTER)).map(|m| m.name))?;
            Ok(Class {
                name,
                doc: text(record.doc, "a class's documentation")?,
                base: text(record.base, "a base class")?,
                methods,
                constants,
                record,
            })
        })
        .collect()
}

impl Constant {
    /// The value as source text.
    pub fn text(&self) -> String {
        // It was checked when the descriptor was read.
        literal_text(&self.value).unwrap_or_default()
    }
}

impl Function {
    /// Whether a flag is set.
    pub fn is(&self, flag: u32) -> bool {
        self.record.flags & flag != 0
    }

    /// `name(a: int, b: float = 1.0) -> float`, as `ms ext info` and `help` show it.
    pub fn signature(&self) -> String {
        if self.is(MS_FN_VARIADIC) {
            return format!("{}(*args)", self.name);
        }
        let mut parts = Vec::new();
        let mut previous = None;
        for parameter in &self.parameters {
            if previous == Some(MS_PARAM_POSITIONAL) && parameter.kind != MS_PARAM_POSITIONAL {
                parts.push("/".to_owned());
            }
            let star_seen = matches!(previous, Some(MS_PARAM_VARARGS | MS_PARAM_KEYWORD));
            if parameter.kind == MS_PARAM_KEYWORD && !star_seen {
                parts.push("*".to_owned());
            }
            parts.push(parameter.text());
            previous = Some(parameter.kind);
        }
        if previous == Some(MS_PARAM_POSITIONAL) {
            parts.push("/".to_owned());
        }
        let mut text = format!("{}({})", self.name, parts.join(", "));
        if self.is(MS_FN_ASYNC) {
            text.insert_str(0, "async ");
        }
        if !self.returns.is_empty() {
            let _ = write!(text, " -> {}", self.returns);
        }
        text
    }
}

impl Parameter {
    fn text(&self) -> String {
        let star = match self.kind {
            MS_PARAM_VARARGS => "*",
            MS_PARAM_KWARGS => "**",
            _ => "",
        };
        let mut text = format!("{star}{}", self.name);
        if !self.annotation.is_empty() {
            let _ = write!(text, ": {}", self.annotation);
        }
        if let Some(default) = &self.default {
            let equals = if self.annotation.is_empty() { "=" } else { " = " };
            let _ = write!(text, "{equals}{default}");
        }
        text
    }
}
