//! The symbol table: which scope each name belongs to, and which variables are shared by cells.
//!
//! A *scope* is a namespace of the language; a *unit* is a scope that becomes a code object.
//! List, set and dict comprehensions are scopes without a unit: their code is part of the
//! function around them (as in PEP 709), their variables are registers of it.

use std::borrow::Cow;
use std::rc::Rc;

use miniscript_syntax::{Span, SyntaxError};
use rustc_hash::{FxHashMap, FxHashSet};

/// Index of a scope.
pub(super) type ScopeId = usize;
/// Index of a variable.
pub(super) type VarId = usize;

/// What a scope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeKind {
    Module,
    Class,
    /// `def`
    Function,
    Lambda,
    /// The hidden function that makes type parameters, or evaluates an alias or a bound.
    TypeScope,
    GeneratorExp,
    /// A list, set or dict comprehension.
    Comp,
}

impl ScopeKind {
    /// Comprehensions of every kind.
    pub fn is_comp(self) -> bool {
        matches!(self, ScopeKind::GeneratorExp | ScopeKind::Comp)
    }
}

/// How a name is reached from a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Res {
    /// A variable of a function or comprehension, of this unit or an outer one.
    Var(VarId),
    /// A global or builtin.
    Global,
    /// By name in the namespace of a class body (or of code run with a mapping), else global.
    Namespace,
    /// In a class body: by name in its namespace, else the variable.
    NamespaceVar(VarId),
    /// In a type scope of a class: by name in the class namespace that the variable holds, else
    /// the second variable, else global.
    ClassDict(VarId, Option<VarId>),
}

/// What is known of a name in a scope.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sym {
    pub param: bool,
    /// Assigned here, in whatever way.
    pub bound: bool,
    /// By imports alone.
    pub only_imported: bool,
    pub used: bool,
    pub annotated: bool,
    pub global: bool,
    pub nonlocal: bool,
    /// Target of `:=`: may change in the midst of an expression.
    pub walrus: bool,
    /// Target of a comprehension's `for`.
    pub comp_target: bool,
    /// A type parameter.
    pub type_param: bool,
    /// The statement that declared it `global` or `nonlocal`.
    pub declared_at: Span,
    pub res: Option<Res>,
}

/// A variable that lives in a register or a cell.
#[derive(Debug)]
pub(super) struct Var {
    pub name: Rc<str>,
    pub scope: ScopeId,
    /// An inner unit uses it, so it lives in a cell.
    pub captured: bool,
    pub walrus: bool,
}

/// The free variables of a unit, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct FreeVars {
    list: Vec<VarId>,
    places: FxHashMap<VarId, u32>,
}

impl FreeVars {
    /// The variables.
    pub fn list(&self) -> &[VarId] {
        &self.list
    }

    /// The place of `var` among them.
    pub fn position(&self, var: VarId) -> Option<u32> {
        self.places.get(&var).copied()
    }

    /// Adds a variable; false if it is there.
    fn add(&mut self, var: VarId) -> bool {
        let next = self.list.len() as u32;
        let new = *self.places.entry(var).or_insert(next) == next;
        if new {
            self.list.push(var);
        }
        new
    }
}

/// A scope.
#[derive(Debug)]
pub(super) struct Scope {
    pub kind: ScopeKind,
    pub parent: Option<ScopeId>,
    /// The scope whose code object holds this scope's code.
    pub unit: ScopeId,
    pub syms: FxHashMap<Rc<str>, Sym>,
    /// Bound names in order of appearance, parameters first.
    pub order: Vec<Rc<str>>,
    /// The class whose private names are mangled here.
    pub private: Option<Rc<str>>,
    /// Free variables of the unit.
    pub free: FreeVars,
    /// The cell of `__class__` that methods of this class body use.
    pub class_cell: Option<VarId>,
    /// The cell of `__classdict__` that type scopes in this class body use.
    pub class_dict: Option<VarId>,
    pub is_async: bool,
    /// Has a `yield`.
    pub is_generator: bool,
    /// Has an `await` or an asynchronous comprehension of its own.
    pub has_await: bool,
    /// Has variable annotations at its own level.
    pub annotates: bool,
    /// Mentions `locals`, `vars`, `dir`, `eval` or `exec`.
    pub reads_locals: bool,
    /// In a method: the first parameter, whose attributes are counted for the class.
    pub self_name: Option<Rc<str>>,
    /// In a class: attributes that methods assign on `self`.
    pub self_attrs: FxHashSet<Rc<str>>,
    /// Comprehensions around this one in its unit.
    pub comp_depth: u32,
    /// Of a type scope or a comprehension: what messages call it.
    pub role: &'static str,
}

/// The symbol table of a module.
pub(super) struct Symbols {
    pub scopes: Vec<Scope>,
    pub vars: Vec<Var>,
    /// The scope that a node of the tree opens, by the node's address and a number for nodes
    /// that open two.
    pub by_node: FxHashMap<(usize, u8), ScopeId>,
    /// What is no error but hardly meant.
    pub warnings: Vec<(Span, String)>,
}

impl Symbols {
    /// How `name` (mangled) is reached from `scope`.
    pub fn resolve(&self, scope: ScopeId, name: &str) -> Res {
        match self.scopes[scope].syms.get(name).and_then(|s| s.res) {
            Some(res) => res,
            None => Res::Global,
        }
    }

    /// The variable `name` of `scope` itself.
    pub fn own_var(&self, scope: ScopeId, name: &str) -> Option<VarId> {
        match self.scopes[scope].syms.get(name)?.res? {
            Res::Var(var) if self.vars[var].scope == scope => Some(var),
            _ => None,
        }
    }

    /// The unit that holds the variable.
    pub fn var_unit(&self, var: VarId) -> ScopeId {
        self.scopes[self.vars[var].scope].unit
    }
}

/// `name` as it is stored inside class `private`: `__x` becomes `_Class__x`.
pub(super) fn mangle<'n>(private: Option<&str>, name: &'n str) -> Cow<'n, str> {
    let Some(class) = private else { return Cow::Borrowed(name) };
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return Cow::Borrowed(name);
    }
    let class = class.trim_start_matches('_');
    if class.is_empty() {
        return Cow::Borrowed(name);
    }
    Cow::Owned(format!("_{class}{name}"))
}

/// Settles every name of every scope. `namespaced`: the module's own names live in a mapping.
pub(super) fn resolve_all(symbols: &mut Symbols, namespaced: bool) -> Result<(), SyntaxError> {
    // Parents come before their children.
    for id in 0..symbols.scopes.len() {
        let names: Vec<Rc<str>> = {
            let scope = &symbols.scopes[id];
            // Bound names first and in order, so that registers follow the text.
            let mut names = scope.order.clone();
            let mut rest: Vec<_> =
                scope.syms.keys().filter(|n| !scope.syms[*n].bound).cloned().collect();
            rest.sort();
            names.extend(rest);
            names
        };
        for name in names {
            let res = resolve_one(symbols, id, &name, namespaced)?;
            if let Some(sym) = symbols.scopes[id].syms.get_mut(&name) {
                sym.res = Some(res);
            }
            if let Res::Var(v) | Res::NamespaceVar(v) = res {
                capture(symbols, id, v);
            }
            if let Res::ClassDict(dict, var) = res {
                capture(symbols, id, dict);
                if let Some(v) = var {
                    capture(symbols, id, v);
                }
            }
        }
    }
    Ok(())
}

fn resolve_one(
    symbols: &mut Symbols,
    id: ScopeId,
    name: &Rc<str>,
    namespaced: bool,
) -> Result<Res, SyntaxError> {
    let sym = symbols.scopes[id].syms.get(name).copied().unwrap_or_default();
    let kind = symbols.scopes[id].kind;
    if sym.global {
        if sym.nonlocal {
            let text = format!("name '{name}' is nonlocal and global");
            return Err(SyntaxError::new("scope", text, sym.declared_at));
        }
        return Ok(Res::Global);
    }
    if sym.nonlocal {
        return match outer(symbols, id, name) {
            Outer::Var(v) if symbols.is_type_param(v) => {
                let text = format!("nonlocal binding not allowed for type parameter '{name}'");
                Err(SyntaxError::new("scope", text, sym.declared_at))
            }
            Outer::Var(v) if kind == ScopeKind::Class => Ok(Res::NamespaceVar(v)),
            Outer::Var(v) => Ok(Res::Var(v)),
            _ => {
                let text = format!("no binding for nonlocal '{name}' found");
                Err(SyntaxError::new("scope", text, sym.declared_at))
            }
        };
    }
    if sym.bound {
        return Ok(match kind {
            ScopeKind::Module if namespaced => Res::Namespace,
            ScopeKind::Module => Res::Global,
            ScopeKind::Class => Res::Namespace,
            _ => Res::Var(symbols.new_var(name, id, sym.walrus)),
        });
    }
    Ok(match kind {
        ScopeKind::Module => {
            if namespaced {
                Res::Namespace
            } else {
                Res::Global
            }
        }
        ScopeKind::Class => match outer(symbols, id, name) {
            Outer::Var(v) => Res::NamespaceVar(v),
            Outer::Global => Res::Global,
            Outer::Nothing => Res::Namespace,
        },
        _ => {
            let found = outer(symbols, id, name);
            match symbols.enclosing_class_of_type_scope(id) {
                // Names of the class come before those further out.
                Some(class) if !matches!(found, Outer::Var(v) if symbols.inside(v, class)) => {
                    let dict = symbols.class_dict_var(class);
                    match found {
                        Outer::Var(v) => Res::ClassDict(dict, Some(v)),
                        Outer::Nothing => Res::ClassDict(dict, None),
                        Outer::Global => Res::Global,
                    }
                }
                _ => match found {
                    Outer::Var(v) => Res::Var(v),
                    // Functions in code that runs with a mapping see the globals only; its own
                    // comprehensions see the mapping.
                    _ if namespaced && symbols.scopes[id].unit == 0 => match found {
                        Outer::Global => Res::Global,
                        _ if symbols.scopes[0].syms.get(name).is_some_and(|s| s.global) => {
                            Res::Global
                        }
                        _ => Res::Namespace,
                    },
                    _ => Res::Global,
                },
            }
        }
    })
}

enum Outer {
    Var(VarId),
    /// Declared `global` further out.
    Global,
    Nothing,
}

/// Looks for `name` in the scopes around `id`; class bodies are seen through.
fn outer(symbols: &mut Symbols, id: ScopeId, name: &Rc<str>) -> Outer {
    let mut at = symbols.scopes[id].parent;
    while let Some(scope) = at {
        match symbols.scopes[scope].kind {
            ScopeKind::Module => return Outer::Nothing,
            ScopeKind::Class => {
                if &**name == "__class__" {
                    return Outer::Var(symbols.class_cell_var(scope));
                }
            }
            _ => {
                if let Some(sym) = symbols.scopes[scope].syms.get(name) {
                    if sym.global {
                        return Outer::Global;
                    }
                    if sym.bound {
                        return match sym.res {
                            Some(Res::Var(v)) => Outer::Var(v),
                            _ => Outer::Nothing,
                        };
                    }
                }
            }
        }
        at = symbols.scopes[scope].parent;
    }
    Outer::Nothing
}

/// Notes that `id` uses `var`: if they are of different units it becomes a cell, which every
/// unit between them hands on.
fn capture(symbols: &mut Symbols, id: ScopeId, var: VarId) {
    let home = symbols.var_unit(var);
    let mut unit = symbols.scopes[id].unit;
    while unit != home {
        symbols.vars[var].captured = true;
        if !symbols.scopes[unit].free.add(var) {
            return;
        }
        let Some(parent) = symbols.scopes[unit].parent else { return };
        unit = symbols.scopes[parent].unit;
    }
}

impl Symbols {
    fn new_var(&mut self, name: &Rc<str>, scope: ScopeId, walrus: bool) -> VarId {
        self.vars.push(Var { name: name.clone(), scope, captured: false, walrus });
        self.vars.len() - 1
    }

    fn is_type_param(&self, var: VarId) -> bool {
        let Var { name, scope, .. } = &self.vars[var];
        self.scopes[*scope].syms.get(name).is_some_and(|s| s.type_param)
    }

    fn class_cell_var(&mut self, class: ScopeId) -> VarId {
        match self.scopes[class].class_cell {
            Some(v) => v,
            None => {
                let v = self.new_var(&"__class__".into(), class, false);
                self.scopes[class].class_cell = Some(v);
                v
            }
        }
    }

    fn class_dict_var(&mut self, class: ScopeId) -> VarId {
        match self.scopes[class].class_dict {
            Some(v) => v,
            None => {
                let v = self.new_var(&"__classdict__".into(), class, false);
                self.scopes[class].class_dict = Some(v);
                v
            }
        }
    }

    /// The class that a type scope stands in directly, seen through further type scopes.
    fn enclosing_class_of_type_scope(&self, id: ScopeId) -> Option<ScopeId> {
        let mut at = id;
        while self.scopes[at].kind == ScopeKind::TypeScope {
            at = self.scopes[at].parent?;
        }
        (at != id && self.scopes[at].kind == ScopeKind::Class).then_some(at)
    }

    /// Whether the variable belongs to a scope inside `class`.
    fn inside(&self, var: VarId, class: ScopeId) -> bool {
        let mut at = Some(self.vars[var].scope);
        while let Some(scope) = at {
            if scope == class {
                return true;
            }
            at = self.scopes[scope].parent;
        }
        false
    }
}
