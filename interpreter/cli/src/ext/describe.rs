//! What a library offers, as data that crosses from the child process that opened it.

use miniscript_abi::{
    MS_CLASS_NO_CALL, MS_FN_CALLS_BACK, MS_FN_CLASS, MS_FN_GETTER, MS_FN_SETTER, MS_FN_STATIC,
};
use miniscript_engine::registry::{self, Extension, LoadError};
use serde::{Deserialize, Serialize};

/// An extension.
#[derive(Debug, Serialize, Deserialize)]
pub struct Description {
    pub name: String,
    pub version: String,
    pub abi: String,
    pub language: String,
    pub doc: String,
    pub functions: Vec<Function>,
    pub classes: Vec<Class>,
    pub constants: Vec<Constant>,
    /// Other extensions, with version ranges.
    pub dependencies: Vec<(String, String)>,
    /// Kinds of rights, with scopes.
    pub permissions: Vec<(String, String)>,
}

/// A function or method.
#[derive(Debug, Serialize, Deserialize)]
pub struct Function {
    pub name: String,
    pub signature: String,
    pub doc: String,
    pub kind: Kind,
    /// It may run script code.
    pub calls_back: bool,
}

/// What a function is to its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Function,
    Method,
    Static,
    Class,
    Getter,
    Setter,
}

/// A class.
#[derive(Debug, Serialize, Deserialize)]
pub struct Class {
    pub name: String,
    /// Empty for `object`.
    pub base: String,
    pub doc: String,
    pub callable: bool,
    pub methods: Vec<Function>,
    pub constants: Vec<Constant>,
}

/// A constant, its value as source text.
#[derive(Debug, Serialize, Deserialize)]
pub struct Constant {
    pub name: String,
    pub value: String,
    pub doc: String,
}

/// Why a library cannot be used, as the loader words it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refusal {
    pub found: String,
    pub wanted: String,
    pub mend: String,
    /// For `--verbose`.
    pub details: Option<String>,
}

impl From<&LoadError> for Refusal {
    fn from(error: &LoadError) -> Refusal {
        Refusal {
            found: error.found(),
            wanted: error.wanted(),
            mend: error.mend().to_owned(),
            details: error.details(),
        }
    }
}

impl Refusal {
    /// One line: what was found, what is wanted.
    pub fn one_line(&self) -> String {
        let found = self.found.replace('\n', " ");
        format!("found {found}; wanted: {}; mend: {}", self.wanted, self.mend)
    }
}

impl From<&Extension> for Description {
    fn from(ext: &Extension) -> Description {
        let pairs = |list: &[(&str, &str)]| {
            list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        Description {
            name: ext.name.to_owned(),
            version: ext.version.to_owned(),
            abi: format!("{}.{}", ext.abi.0, ext.abi.1),
            language: ext.language.name().to_owned(),
            doc: ext.doc.to_owned(),
            functions: ext.functions.iter().map(|f| function(f, Kind::Function)).collect(),
            classes: ext.classes.iter().map(class).collect(),
            constants: ext.constants.iter().map(constant).collect(),
            dependencies: pairs(&ext.dependencies),
            permissions: pairs(&ext.permissions),
        }
    }
}

fn function(f: &registry::Function, plain: Kind) -> Function {
    let kinds = [
        (MS_FN_GETTER, Kind::Getter),
        (MS_FN_SETTER, Kind::Setter),
        (MS_FN_STATIC, Kind::Static),
        (MS_FN_CLASS, Kind::Class),
    ];
    let kind = kinds.iter().find(|(flag, _)| f.is(*flag)).map_or(plain, |(_, kind)| *kind);
    Function {
        name: f.name.to_owned(),
        signature: f.signature(),
        doc: f.doc.to_owned(),
        kind,
        calls_back: f.is(MS_FN_CALLS_BACK),
    }
}

fn class(c: &registry::Class) -> Class {
    let makes = c.methods.iter().any(|m| m.name == "__new__") || !c.base.is_empty();
    Class {
        name: c.name.to_owned(),
        base: c.base.to_owned(),
        doc: c.doc.to_owned(),
        callable: makes && c.record.flags & MS_CLASS_NO_CALL == 0,
        methods: c.methods.iter().map(|m| function(m, Kind::Method)).collect(),
        constants: c.constants.iter().map(constant).collect(),
    }
}

fn constant(c: &registry::Constant) -> Constant {
    Constant { name: c.name.to_owned(), value: c.text(), doc: c.doc.to_owned() }
}
