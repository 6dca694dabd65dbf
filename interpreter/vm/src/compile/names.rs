//! Loading, storing and deleting names.

use miniscript_syntax::Span;

use super::ir::Kind;
use super::scope::{Res as How, ScopeKind, VarId};
use super::unit::{Compiler, Res, Slot};
use crate::code::op::{MAX_REG, Op, Special};
use crate::code::proto::Const;

/// The register that holds the namespace of a class body.
pub(super) const NAMESPACE: u32 = 0;

/// How the current unit reaches a name.
#[derive(Clone, Copy)]
enum Place {
    Near(Slot),
    Far(Slot),
    Cell(Slot),
    Free(u32),
    Global,
    Namespace,
    NamespaceFree(VarId),
    ClassDict(VarId, Option<VarId>),
}

impl<'a> Compiler<'a> {
    fn var_place(&self, var: VarId) -> Place {
        match self.u.slots.get(&var) {
            Some(slot) if slot.cell => Place::Cell(*slot),
            Some(slot) if slot.reg > MAX_REG => Place::Far(*slot),
            Some(slot) => Place::Near(*slot),
            None => Place::Free(self.free_index(var)),
        }
    }

    fn place_of(&self, name: &str) -> Place {
        match self.syms.resolve(self.u.scope, name) {
            How::Var(var) => self.var_place(var),
            How::Global => Place::Global,
            How::Namespace => Place::Namespace,
            How::NamespaceVar(var) => Place::NamespaceFree(var),
            How::ClassDict(dict, var) => Place::ClassDict(dict, var),
        }
    }

    /// Whether the variable may change inside an expression.
    pub fn may_change(&self, name: &str) -> bool {
        match self.syms.resolve(self.u.scope, name) {
            How::Var(var) => self.syms.vars[var].walrus,
            _ => false,
        }
    }

    /// The register of `name` if it is a plain local, without a check.
    pub fn plain_reg(&self, name: &str) -> Option<u32> {
        match self.place_of(name) {
            Place::Near(slot) => Some(slot.reg),
            _ => None,
        }
    }

    /// The register that holds the value of the plain local `name`, checked.
    pub fn read_plain(&mut self, name: &str, span: Span) -> Option<u32> {
        let Place::Near(slot) = self.place_of(name) else { return None };
        self.check(slot, slot.reg, name, span);
        Some(slot.reg)
    }

    fn check(&mut self, slot: Slot, reg: u32, name: &str, span: Span) {
        let k = self.str_const(name);
        self.u.code.mark(Kind::Check, slot.tracked.0, reg, 0);
        if let Some(last) = self.u.code.list.last_mut() {
            last.x = k;
            last.span = span;
        }
    }

    /// `R[dst] = name` (mangled already)
    pub fn load_name(&mut self, dst: u32, name: &str, span: Span) -> Res {
        let none = Span::default();
        match self.place_of(name) {
            Place::Near(slot) => {
                self.check(slot, slot.reg, name, span);
                self.mov(dst, slot.reg);
            }
            Place::Far(slot) => {
                let mark = self.u.top;
                let t = self.scratch(dst)?;
                self.opx(Op::GETFAR, t, 0, 0, slot.reg, none);
                self.check(slot, t, name, span);
                self.mov(dst, t);
                self.u.top = mark;
            }
            Place::Cell(slot) => {
                let mark = self.u.top;
                let cell = self.cell_reg(slot)?;
                let k = self.str_const(name);
                self.opx(Op::GETCELL, dst, cell, 0, k, span);
                self.u.top = mark;
            }
            Place::Free(n) => self.opx(Op::GETFREE, dst, 0, 0, n, span),
            Place::Global if name == "__debug__" => self.load_const(dst, Const::Bool(true)),
            Place::Global => self.op_named(Op::GETGLOBAL, dst, 0, name, span),
            Place::Namespace => self.op_named(Op::GETNAME, dst, NAMESPACE, name, span),
            Place::NamespaceFree(var) => self.load_from(dst, NAMESPACE, var, name, span)?,
            Place::ClassDict(dict, var) => {
                let mark = self.u.top;
                let ns = self.tmp()?;
                self.load_var(ns, dict, span)?;
                match var {
                    Some(var) => self.load_from(dst, ns, var, name, span)?,
                    None => self.op_named(Op::GETNAME, dst, ns, name, span),
                }
                self.u.top = mark;
            }
        }
        Ok(())
    }

    /// `R[dst]` = `name` in namespace `R[ns]`, else the variable.
    fn load_from(&mut self, dst: u32, ns: u32, var: VarId, name: &str, span: Span) -> Res {
        match self.var_place(var) {
            Place::Free(n) if n <= MAX_REG => {
                let k = self.str_const(name);
                self.opx(Op::GETNAMEFREE, dst, ns, n, k, span);
                Ok(())
            }
            _ => self.load_var(dst, var, span),
        }
    }

    /// `R[dst]` = the variable, which is a cell or free variable.
    pub fn load_var(&mut self, dst: u32, var: VarId, span: Span) -> Res {
        let mark = self.u.top;
        match self.var_place(var) {
            Place::Free(n) => self.opx(Op::GETFREE, dst, 0, 0, n, span),
            Place::Cell(slot) => {
                let cell = self.cell_reg(slot)?;
                let k = self.str_const(&self.syms.vars[var].name.clone());
                self.opx(Op::GETCELL, dst, cell, 0, k, span);
            }
            Place::Near(slot) | Place::Far(slot) => self.mov(dst, slot.reg),
            _ => {}
        }
        self.u.top = mark;
        Ok(())
    }

    /// A near register with the variable's cell.
    fn cell_reg(&mut self, slot: Slot) -> Res<u32> {
        if slot.reg <= MAX_REG {
            return Ok(slot.reg);
        }
        let t = self.tmp()?;
        self.opx(Op::GETFAR, t, 0, 0, slot.reg, Span::default());
        Ok(t)
    }

    /// Notes that the plain local `name` has been written directly.
    pub fn defined(&mut self, name: &str) {
        if let Place::Near(slot) | Place::Far(slot) = self.place_of(name) {
            self.u.code.mark(Kind::Def, slot.tracked.0, 0, 0);
        }
    }

    /// `name = R[src]` (mangled already)
    pub fn store_name(&mut self, name: &str, src: u32, span: Span) -> Res {
        let none = Span::default();
        match self.place_of(name) {
            Place::Near(slot) => {
                self.mov(slot.reg, src);
                self.u.code.mark(Kind::Def, slot.tracked.0, 0, 0);
            }
            Place::Far(slot) => {
                self.opx(Op::SETFAR, src, 0, 0, slot.reg, none);
                self.u.code.mark(Kind::Def, slot.tracked.0, 0, 0);
            }
            Place::Cell(slot) => {
                let mark = self.u.top;
                let cell = self.cell_reg(slot)?;
                self.op(Op::SETCELL, cell, src, 0, none);
                self.u.top = mark;
            }
            Place::Free(n) => self.opx(Op::SETFREE, src, 0, 0, n, none),
            Place::Global => self.op_named(Op::SETGLOBAL, src, 0, name, span),
            Place::NamespaceFree(var) => match self.var_place(var) {
                Place::Free(n) => self.opx(Op::SETFREE, src, 0, 0, n, none),
                _ => self.store_namespace(name, src, span),
            },
            Place::Namespace | Place::ClassDict(..) => self.store_namespace(name, src, span),
        }
        Ok(())
    }

    /// Namespace `[name] = R[src]`, in a class body.
    pub fn store_namespace(&mut self, name: &str, src: u32, span: Span) {
        let k = self.str_const(name);
        self.opx(Op::SETNAME, src, NAMESPACE, 0, k, span);
    }

    /// `del name` (mangled already); no error if it is unassigned when `quiet`.
    pub fn delete_name(&mut self, name: &str, span: Span, quiet: bool) -> Res {
        let none = Span::default();
        let mark = self.u.top;
        match self.place_of(name) {
            Place::Near(slot) => {
                if !quiet {
                    self.check(slot, slot.reg, name, span);
                }
                self.u.code.mark(Kind::Kill, slot.tracked.0, slot.reg, 1);
            }
            Place::Far(slot) => {
                let t = self.tmp()?;
                if !quiet {
                    self.opx(Op::GETFAR, t, 0, 0, slot.reg, none);
                    self.check(slot, t, name, span);
                }
                self.special(t, Special::Empty);
                self.opx(Op::SETFAR, t, 0, 0, slot.reg, none);
                self.u.code.mark(Kind::Kill, slot.tracked.0, u32::MAX, 0);
            }
            Place::Cell(slot) => {
                let t = self.tmp()?;
                let cell = self.cell_reg(slot)?;
                if !quiet {
                    let k = self.str_const(name);
                    self.opx(Op::GETCELL, t, cell, 0, k, span);
                }
                self.special(t, Special::Empty);
                self.op(Op::SETCELL, cell, t, 0, none);
            }
            Place::Free(n) => self.delete_free(n, span, quiet)?,
            Place::NamespaceFree(var) => {
                if let Place::Free(n) = self.var_place(var) {
                    self.delete_free(n, span, quiet)?;
                }
            }
            Place::Global => {
                if quiet {
                    let t = self.tmp()?;
                    self.special(t, Special::None);
                    self.op_named(Op::SETGLOBAL, t, 0, name, span);
                }
                let k = self.str_const(name);
                self.opx(Op::DELGLOBAL, 0, 0, 0, k, span);
            }
            Place::Namespace | Place::ClassDict(..) => {
                if quiet {
                    let t = self.tmp()?;
                    self.special(t, Special::None);
                    self.store_namespace(name, t, span);
                }
                let k = self.str_const(name);
                self.opx(Op::DELNAME, NAMESPACE, 0, 0, k, span);
            }
        }
        self.u.top = mark;
        Ok(())
    }

    fn delete_free(&mut self, n: u32, span: Span, quiet: bool) -> Res {
        let t = self.tmp()?;
        if !quiet {
            self.opx(Op::GETFREE, t, 0, 0, n, span);
        }
        self.special(t, Special::Empty);
        self.opx(Op::SETFREE, t, 0, 0, n, Span::default());
        Ok(())
    }

    /// What the scope of the current unit is.
    pub fn unit_kind(&self) -> ScopeKind {
        self.syms.scopes[self.syms.scopes[self.u.scope].unit].kind
    }
}
