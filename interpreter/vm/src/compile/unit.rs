//! A unit (code object) under construction: its registers, constants and emitted code.
//!
//! Registers: parameters and other variables from 0, temporaries above them as a stack. An
//! operand names 256 registers. A unit with more than [`MAX_NEAR_VARS`] variables is *wide*: its
//! variables 128 to 255 live in far registers instead (parameters are moved there at the entry),
//! which leaves the registers 128 to 255 to the temporaries; variables from 256 on stay where
//! they are and are far as well.

use std::rc::Rc;
use std::sync::Arc;

use miniscript_syntax::{Span, SyntaxError, Watch};
use rustc_hash::{FxHashMap, FxHashSet};

use super::fold::Consts;
use super::ir::{Ir, IrCode, Kind, Label, Tracked};
use super::scope::{ScopeId, Symbols, VarId, mangle};
use super::unwind::Block;
use super::{assemble, flow};
use crate::code::op::{Op, Special};
use crate::code::proto::{Capture, CodeFlags, CodeProto, Const, SourceInfo};

/// What compiling a piece gives.
pub(super) type Res<T = ()> = Result<T, SyntaxError>;

/// Most variables of a unit that is not wide.
const MAX_NEAR_VARS: usize = 180;
/// First register of a wide unit's temporaries.
const WIDE_TEMPS: u32 = 128;
/// Temporaries stay below this register, so that a few more are there for fixed sequences.
const TEMP_LIMIT: u32 = 252;
/// Registers beyond all operands.
const FAR_START: u32 = 256;

/// Where a variable is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// Its register; a far one from 256 on.
    pub reg: u32,
    /// The register holds a cell.
    pub cell: bool,
    pub tracked: Tracked,
}

/// A unit under construction.
pub(super) struct Unit<'a> {
    /// The scope whose code is being made: the unit's own or a comprehension's in it.
    pub scope: ScopeId,
    pub code: IrCode,
    pub consts: Consts,
    pub caches: Vec<u32>,
    pub slots: FxHashMap<VarId, Slot>,
    /// First register that is no variable of the unit's own scope.
    pub temps: u32,
    /// The next free temporary.
    pub top: u32,
    /// Temporaries from here on may be moved away while an inner expression is computed.
    pub pin: u32,
    max: u32,
    /// The next free far register.
    far_top: u32,
    far_max: u32,
    pub blocks: Vec<Block<'a>>,
    /// The statement being compiled: where an error of the whole of it is.
    pub at: Span,
    pub proto: CodeProto,
}

/// The compiler: the unit being made and those around it.
pub(super) struct Compiler<'a> {
    pub syms: &'a Symbols,
    pub watch: &'a Watch<'a>,
    pub source: Arc<SourceInfo>,
    /// `from __future__ import annotations`
    pub lazy_annotations: bool,
    pub interactive: bool,
    /// Where `from __future__` imports must have come by.
    pub future_end: u32,
    pub u: Unit<'a>,
    pub outer: Vec<Unit<'a>>,
}

impl<'a> Unit<'a> {
    /// An empty unit for `scope`.
    pub fn new(scope: ScopeId) -> Unit<'a> {
        Unit {
            scope,
            code: IrCode::default(),
            consts: Consts::default(),
            caches: Vec::new(),
            slots: FxHashMap::default(),
            temps: 0,
            top: 0,
            pin: 0,
            max: 0,
            far_top: FAR_START,
            far_max: 0,
            blocks: Vec::new(),
            at: Span::default(),
            proto: CodeProto::default(),
        }
    }
}

impl<'a> Compiler<'a> {
    // ---- emitting

    /// Emits an instruction.
    pub fn op(&mut self, op: Op, a: u32, b: u32, c: u32, span: Span) {
        self.opx(op, a, b, c, 0, span);
    }

    /// Emits an instruction with an extra word.
    pub fn opx(&mut self, op: Op, a: u32, b: u32, c: u32, x: u32, span: Span) {
        self.opa(op, (a, b, c), x, span, Span::default());
    }

    /// Emits an instruction with an anchor for its caret line.
    pub fn opa(&mut self, op: Op, abc: (u32, u32, u32), x: u32, span: Span, anchor: Span) {
        let (a, b, c) = abc;
        self.u.code.list.push(Ir { kind: Kind::Op(op), a, b, c, x, span, anchor });
    }

    /// Emits an instruction that has a cache for `name`.
    pub fn op_named(&mut self, op: Op, a: u32, b: u32, name: &str, span: Span) {
        let name = self.str_const(name);
        self.u.caches.push(name);
        let cache = self.u.caches.len() as u32 - 1;
        self.opx(op, a, b, 0, cache, span);
    }

    /// Emits `R[a] = R[b]`.
    pub fn mov(&mut self, a: u32, b: u32) {
        if a != b {
            self.op(Op::MOVE, a, b, 0, Span::default());
        }
    }

    /// Emits a load of a value without a heap object.
    pub fn special(&mut self, a: u32, special: Special) {
        self.op(Op::LOADS, a, special as u32, 0, Span::default());
    }

    pub fn jump(&mut self, to: Label) {
        self.u.code.mark(Kind::Jump, to.0, 0, 0);
    }

    /// Branches to `to` if the truth of `R[a]` is `on`.
    pub fn branch(&mut self, on: bool, a: u32, to: Label, span: Span) {
        self.u.code.mark(Kind::Branch(on), a, to.0, 0);
        if let Some(last) = self.u.code.list.last_mut() {
            last.span = span;
        }
    }

    pub fn label(&mut self) -> Label {
        self.u.code.label()
    }

    pub fn place(&mut self, label: Label) {
        self.u.code.place(label);
    }

    // ---- constants

    /// The index of a string constant.
    pub fn str_const(&mut self, text: &str) -> u32 {
        self.u.consts.add_str(text)
    }

    /// `R[a] = value`
    pub fn load_const(&mut self, a: u32, value: Const) {
        let special = match &value {
            Const::None => Some(Special::None),
            Const::Bool(false) => Some(Special::False),
            Const::Bool(true) => Some(Special::True),
            Const::Ellipsis => Some(Special::Ellipsis),
            _ => None,
        };
        match value {
            _ if special.is_some() => self.special(a, special.unwrap_or(Special::None)),
            Const::Int(n) if i16::try_from(n).is_ok() => {
                self.opx(Op::LOADI, a, 0, 0, n as i16 as u16 as u32, Span::default());
            }
            value => {
                let k = self.u.consts.add(value);
                self.opx(Op::LOADK, a, 0, 0, k, Span::default());
            }
        }
    }

    /// `R[a] = text`
    pub fn load_str(&mut self, a: u32, text: &str) {
        self.load_const(a, Const::Str(text.as_bytes().into()));
    }

    // ---- temporaries

    /// A new temporary.
    pub fn tmp(&mut self) -> Res<u32> {
        self.tmps(1)
    }

    /// `n` new temporaries in a row; the first.
    pub fn tmps(&mut self, n: u32) -> Res<u32> {
        let first = self.u.top;
        if first + n > TEMP_LIMIT {
            let text = "too many nested constructs in one expression or block";
            return Err(SyntaxError::new("limit", text, self.u.at));
        }
        self.u.top = first + n;
        self.u.max = self.u.max.max(self.u.top);
        Ok(first)
    }

    /// How many temporaries are left.
    pub fn room(&self) -> u32 {
        TEMP_LIMIT.saturating_sub(self.u.top)
    }

    /// Whether `r` holds a variable, so that it must not be written before the value is complete.
    pub fn is_var(&self, r: u32) -> bool {
        r < self.u.temps
    }

    /// A temporary to compute into if the value is for `dst`: `dst` itself if it is a
    /// temporary.
    pub fn scratch(&mut self, dst: u32) -> Res<u32> {
        if self.is_var(dst) { self.tmp() } else { Ok(dst) }
    }

    /// A temporary at the top of the stack, `dst` itself if it is that.
    pub fn window(&mut self, dst: u32) -> Res<u32> {
        if !self.is_var(dst) && dst + 1 == self.u.top { Ok(dst) } else { self.tmp() }
    }

    /// Saves the temporaries that may be moved in far registers, lets `inner` compute a value with
    /// the registers so gained, and puts them back; the value comes to `dst`.
    pub fn spilled(&mut self, dst: u32, inner: impl FnOnce(&mut Compiler<'a>, u32) -> Res) -> Res {
        let none = Span::default();
        let (low, high) = (self.u.pin, self.u.top);
        let far = self.far_tmps(high - low + 1);
        self.save_far(low, far, high - low);
        self.u.top = low;
        let value = self.tmp()?;
        inner(self, value)?;
        self.opx(Op::SETFAR, value, 0, 0, far + high - low, none);
        self.load_far(low, far, high - low);
        self.opx(Op::GETFAR, dst, 0, 0, far + high - low, none);
        self.u.top = high;
        self.free_far(far);
        Ok(())
    }

    /// Takes `n` far registers in a row; the first. Whoever takes them gives them back by
    /// [`Self::free_far`].
    pub fn far_tmps(&mut self, n: u32) -> u32 {
        let first = self.u.far_top;
        self.u.far_top += n;
        self.u.far_max = self.u.far_max.max(self.u.far_top);
        first
    }

    /// Gives back the far registers from `first` on.
    pub fn free_far(&mut self, first: u32) {
        self.u.far_top = first;
    }

    /// The next free far register.
    pub fn far_mark(&self) -> u32 {
        self.u.far_top
    }

    /// `R[far ..]` = `n` near registers from `r` on.
    pub fn save_far(&mut self, r: u32, far: u32, n: u32) {
        for i in 0..n {
            self.opx(Op::SETFAR, r + i, 0, 0, far + i, Span::default());
        }
    }

    /// The opposite of [`Self::save_far`].
    pub fn load_far(&mut self, r: u32, far: u32, n: u32) {
        for i in 0..n {
            self.opx(Op::GETFAR, r + i, 0, 0, far + i, Span::default());
        }
    }

    // ---- units

    /// Starts the unit of `scope`; `params` are the names in its first registers.
    pub fn begin(
        &mut self,
        scope: ScopeId,
        name: &str,
        params: &[Rc<str>],
        flags: CodeFlags,
    ) -> Res {
        let mut inner = Unit::new(scope);
        inner.proto.flags = flags;
        inner.at = self.u.at;
        let outer = std::mem::replace(&mut self.u, inner);
        self.u.proto.qualname = self.qualname(&outer, name);
        self.u.proto.name = name.to_owned();
        self.outer.push(outer);
        self.lay_out(params)
    }

    /// Gives every variable of the unit's scope its register, and emits the entry code.
    pub fn lay_out(&mut self, params: &[Rc<str>]) -> Res {
        let none = Span::default();
        let syms = self.syms;
        let id = self.u.scope;
        let scope = &syms.scopes[id];
        self.u.code.clear_all = scope.reads_locals;
        if self.u.proto.flags.generator || self.u.proto.flags.coroutine {
            self.op(Op::MKGEN, 0, 0, 0, none);
        }
        let mut names: Vec<Rc<str>> = params.to_vec();
        let given: FxHashSet<&str> = params.iter().map(|p| &**p).collect();
        let mut vars: Vec<Option<VarId>> = params.iter().map(|p| syms.own_var(id, p)).collect();
        for name in &scope.order {
            let Some(var) = syms.own_var(id, name) else { continue };
            if !scope.syms[name].param || !given.contains(&**name) {
                names.push(name.clone());
                vars.push(Some(var));
            }
        }
        for var in [scope.class_cell, scope.class_dict].into_iter().flatten() {
            names.push(syms.vars[var].name.clone());
            vars.push(Some(var));
        }
        let count = names.len() as u32;
        let wide = names.len() > MAX_NEAR_VARS;
        self.u.temps = if wide { WIDE_TEMPS } else { count };
        self.u.top = self.u.temps;
        self.u.pin = self.u.top;
        self.u.max = self.u.top.max(count);
        let moved = count.max(FAR_START);
        if wide {
            self.u.far_top = moved + (FAR_START - WIDE_TEMPS);
            self.u.far_max = self.u.far_top;
            for r in WIDE_TEMPS..FAR_START.min(params.len() as u32) {
                self.opx(Op::SETFAR, r, 0, 0, moved + r - WIDE_TEMPS, none);
            }
        }
        let reg_of = |i: u32| match i {
            WIDE_TEMPS..FAR_START if wide => moved + i - WIDE_TEMPS,
            _ => i,
        };
        if wide {
            self.u.proto.local_regs = (0..count).map(reg_of).collect();
        }
        for (i, var) in vars.into_iter().enumerate() {
            let i = i as u32;
            let Some(var) = var else { continue };
            let reg = reg_of(i);
            let slot = Slot { reg, cell: syms.vars[var].captured, tracked: self.u.code.track() };
            self.u.slots.insert(var, slot);
            self.enter_var(slot, i < params.len() as u32)?;
            if slot.cell {
                self.u.proto.cells.push(reg);
            }
        }
        self.u.proto.locals = names.iter().map(|n| n.to_string()).collect();
        Ok(())
    }

    /// Entry code of a variable: its cell, or the mark that it has no value yet.
    pub fn enter_var(&mut self, slot: Slot, has_value: bool) -> Res {
        let none = Span::default();
        let far = slot.reg >= FAR_START;
        if slot.cell {
            let mark = self.u.top;
            let r = if far { self.tmp()? } else { slot.reg };
            if !has_value {
                self.special(r, Special::Empty);
            } else if far {
                self.opx(Op::GETFAR, r, 0, 0, slot.reg, none);
            }
            self.op(Op::MKCELL, r, r, 0, none);
            if far {
                self.opx(Op::SETFAR, r, 0, 0, slot.reg, none);
            }
            self.u.top = mark;
        } else if has_value {
            self.u.code.mark(Kind::Def, slot.tracked.0, 0, 0);
        } else if far {
            let mark = self.u.top;
            let t = self.tmp()?;
            self.special(t, Special::Empty);
            self.opx(Op::SETFAR, t, 0, 0, slot.reg, none);
            self.u.code.mark(Kind::Kill, slot.tracked.0, u32::MAX, 0);
            self.u.top = mark;
        } else {
            self.u.code.mark(Kind::Kill, slot.tracked.0, slot.reg, 0);
        }
        Ok(())
    }

    /// Ends the unit and goes back to the one around it.
    pub fn end(&mut self) -> Res<Arc<CodeProto>> {
        let outer = self.outer.pop().unwrap_or_else(|| Unit::new(0));
        let mut unit = std::mem::replace(&mut self.u, outer);
        unit.proto.captures = Vec::new();
        for &var in self.syms.scopes[unit.scope].free.list() {
            unit.proto.free.push(self.syms.vars[var].name.to_string());
            let capture = match self.u.slots.get(&var) {
                Some(slot) => Capture::Local(slot.reg),
                None => Capture::Free(self.free_index(var)),
            };
            unit.proto.captures.push(capture);
        }
        unit.finish(self.source.clone()).map(Arc::new)
    }

    /// The position of `var` among the free variables of the current unit.
    pub fn free_index(&self, var: VarId) -> u32 {
        let unit = self.syms.scopes[self.u.scope].unit;
        self.syms.scopes[unit].free.position(var).unwrap_or(0)
    }

    /// `name` as it is stored in the current class, if it is private.
    pub fn mangled(&self, name: &'a str) -> std::borrow::Cow<'a, str> {
        mangle(self.syms.scopes[self.u.scope].private.as_deref(), name)
    }

    fn qualname(&self, outer: &Unit<'a>, name: &str) -> String {
        use super::scope::{Res as How, ScopeKind};
        let scope = &self.syms.scopes[self.syms.scopes[outer.scope].unit];
        // Hidden functions of type parameters do not show in names.
        let (kind, prefix) = match scope.kind {
            ScopeKind::TypeScope => {
                let around = scope.parent.map_or(ScopeKind::Module, |p| self.syms.scopes[p].kind);
                let hidden = &outer.proto.qualname;
                let prefix = hidden.rsplit_once('.').map_or("", |(p, _)| p);
                (around, prefix.trim_end_matches(".<locals>"))
            }
            kind => (kind, outer.proto.qualname.as_str()),
        };
        if let How::Global = self.syms.resolve(outer.scope, name)
            && self.syms.scopes[outer.scope].syms.get(name).is_some_and(|s| s.global)
        {
            return name.to_owned();
        }
        match kind {
            ScopeKind::Module => name.to_owned(),
            _ if prefix.is_empty() => name.to_owned(),
            ScopeKind::Class => format!("{prefix}.{name}"),
            _ => format!("{prefix}.<locals>.{name}"),
        }
    }
}

impl Unit<'_> {
    /// Turns what was emitted into a code object.
    pub fn finish(mut self, source: Arc<SourceInfo>) -> Res<CodeProto> {
        flow::simplify(&mut self.code);
        self.proto.reg_count = self.max.max(self.far_max).max(1);
        self.proto.source = Some(source);
        if let Err(misfit) = assemble::assemble(&self.code, &mut self.proto) {
            let text = format!("internal: {} does not fit its encoding", misfit.0);
            return Err(SyntaxError::new("internal", text, Span::default()));
        }
        self.proto.consts = self.consts.list;
        self.proto.caches = self.caches;
        Ok(self.proto)
    }
}
