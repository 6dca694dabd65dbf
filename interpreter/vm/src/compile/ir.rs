//! The intermediate code: one flat list of instructions whose jumps name labels, with marks for
//! what the flow analysis needs to know (variables assigned, dropped and checked; try regions).

use miniscript_syntax::Span;

use crate::code::op::Op;

/// A jump target. Stands in the list as [`Kind::Label`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Label(pub u32);

/// A try region: all code between its `TryBegin` and `TryEnd` marks. It may be interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region(pub u32);

/// A variable that lives in a register, for the definite-assignment analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tracked(pub u32);

/// What an entry of the list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An instruction that needs no fixing; operands as in its row, `x` the extra word.
    Op(Op),
    /// Label `a` stands here.
    Label,
    /// Jump to label `a`.
    Jump,
    /// Branch to label `b` if the truth of `R[a]` is the flag.
    Branch(bool),
    /// `FORITER a b`, and a jump to label `c` if there was a value.
    ForIter,
    /// Variable `a` has been assigned.
    Def,
    /// Variable `a` in register `b` has no value from here on. Clears the register if a check
    /// could see it, or at all events if `c` is 1; never if `b` is `u32::MAX` (far registers).
    Kill,
    /// Variable `a`, its value in register `b`, must be assigned; `x` is its name's constant.
    Check,
    /// Region `a` starts or goes on.
    TryBegin,
    /// Region `a` ends or is interrupted.
    TryEnd,
}

/// An entry of the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ir {
    pub kind: Kind,
    pub a: u32,
    pub b: u32,
    /// Immediate operands are kept as the two's complement byte.
    pub c: u32,
    pub x: u32,
    pub span: Span,
    pub anchor: Span,
}

/// Where a region's exceptions go.
#[derive(Clone, Copy, Debug)]
pub(super) struct RegionInfo {
    pub handler: Label,
    pub reg: u32,
}

/// A body in intermediate form.
#[derive(Debug, Default)]
pub(super) struct IrCode {
    pub list: Vec<Ir>,
    pub labels: u32,
    pub regions: Vec<RegionInfo>,
    /// Number of tracked variables.
    pub tracked: u32,
    /// Keep every `Kill`, because something (`locals()`) reads registers by name.
    pub clear_all: bool,
}

impl IrCode {
    /// A new label, not yet placed.
    pub fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// Places `label` here.
    pub fn place(&mut self, label: Label) {
        self.mark(Kind::Label, label.0, 0, 0);
    }

    /// Appends an entry without a place in the source.
    pub fn mark(&mut self, kind: Kind, a: u32, b: u32, c: u32) {
        let none = Span::default();
        self.list.push(Ir { kind, a, b, c, x: 0, span: none, anchor: none });
    }

    /// A new region whose exceptions go to `handler`.
    pub fn region(&mut self, handler: Label, reg: u32) -> Region {
        self.regions.push(RegionInfo { handler, reg });
        Region(self.regions.len() as u32 - 1)
    }

    /// A new tracked variable.
    pub fn track(&mut self) -> Tracked {
        self.tracked += 1;
        Tracked(self.tracked - 1)
    }
}

/// Whether control never goes on to the next instruction after `op`.
pub(super) fn ends_flow(op: Op) -> bool {
    matches!(op, Op::RETURN | Op::RETNONE | Op::RAISE | Op::RAISEFROM | Op::RERAISE | Op::RAISELAST)
}
