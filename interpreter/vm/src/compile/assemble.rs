//! From intermediate code to instruction words: lays out, picks short or long jumps, and writes
//! the handler and position tables.

use miniscript_syntax::Span;

use super::ir::{Ir, IrCode, Kind};
use crate::code::op::{Extra, Ins, MAX_REG, Op};
use crate::code::proto::{CodeProto, HandlerRow, PosRow, Positions};

/// The word distance that a branch's 16-bit operand reaches, with some slack.
const NEAR: i64 = 32_000;
/// The word distance that a jump's 24-bit operand reaches, with some slack.
const FAR: i64 = (1 << 23) - 16;

/// An operand that does not fit its field: a bug of the compiler, never of the source.
#[derive(Debug)]
pub(super) struct Misfit(pub &'static str);

/// Writes `words`, `handlers` and `positions` of `proto`.
pub(super) fn assemble(code: &IrCode, proto: &mut CodeProto) -> Result<(), Misfit> {
    let list = &code.list;
    // Offsets if every jump were long: an upper bound, from which the choice is made once.
    let mut label_max = vec![0i64; code.labels as usize];
    let mut starts_max = Vec::with_capacity(list.len());
    let mut pc = 0i64;
    for ir in list {
        starts_max.push(pc);
        if ir.kind == Kind::Label {
            label_max[ir.a as usize] = pc;
        }
        pc += max_len(ir);
    }
    let mut long = vec![false; list.len()];
    let mut label_pc = vec![0u32; code.labels as usize];
    let mut pc = 0u32;
    for (i, ir) in list.iter().enumerate() {
        let distance = |label: u32| (label_max[label as usize] - starts_max[i]).abs();
        match ir.kind {
            Kind::Label => label_pc[ir.a as usize] = pc,
            Kind::Jump => {
                long[i] = distance(ir.a) > FAR;
                // A jump to the next instruction vanishes.
                if !falls_into(list, i, ir.a) {
                    pc += if long[i] { 2 } else { 1 };
                }
            }
            Kind::Branch(_) => {
                long[i] = distance(ir.b) > NEAR;
                pc += match (long[i], distance(ir.b) > FAR) {
                    (false, _) => 1,
                    (true, false) => 2,
                    (true, true) => 3,
                };
            }
            Kind::ForIter => {
                long[i] = distance(ir.c) > FAR;
                pc += if long[i] { 5 } else { 2 };
            }
            _ => pc += max_len(ir) as u32,
        }
    }
    let mut out = Writer { proto, positions: Vec::new(), last: None };
    let mut open: Vec<(u32, u32)> = Vec::new();
    for (i, ir) in list.iter().enumerate() {
        let pc = out.pc();
        let far = |label: u32| (label_max[label as usize] - starts_max[i]).abs() > FAR;
        match ir.kind {
            Kind::Label | Kind::Def | Kind::Kill => {}
            Kind::TryBegin => {
                open.push((ir.a, pc));
            }
            Kind::TryEnd => {
                let Some((region, start)) = open.pop().filter(|r| r.0 == ir.a) else {
                    return Err(Misfit("try regions do not nest"));
                };
                if start < pc {
                    let info = &code.regions[region as usize];
                    let target = label_pc[info.handler.0 as usize];
                    out.proto.handlers.push(HandlerRow { start, end: pc, target, reg: info.reg });
                }
            }
            Kind::Jump => {
                if !falls_into(list, i, ir.a) {
                    out.position(ir);
                    out.jump(label_pc[ir.a as usize], long[i])?;
                }
            }
            Kind::Branch(on) => {
                out.position(ir);
                let a = reg(ir.a)?;
                let op = |on| if on { Op::BRT } else { Op::BRF };
                if long[i] {
                    let over = if far(ir.b) { 2 } else { 1 };
                    out.word(Ins::abx(op(!on), a, over).0);
                    out.jump(label_pc[ir.b as usize], far(ir.b))?;
                } else {
                    let distance = i64::from(label_pc[ir.b as usize]) - i64::from(pc) - 1;
                    let distance = i16::try_from(distance).map_err(|_| Misfit("branch"))?;
                    out.word(Ins::abx(op(on), a, distance as u16).0);
                }
            }
            Kind::ForIter => {
                out.position(ir);
                out.word(Ins::abc(Op::FORITER, reg(ir.a)?, reg(ir.b)?, 0).0);
                if long[i] {
                    out.jump(pc + 3, false)?;
                    out.jump(pc + 5, false)?;
                }
                out.jump(label_pc[ir.c as usize], long[i])?;
            }
            Kind::Check => {
                out.position(ir);
                out.word(Ins::abc(Op::CHECK, reg(ir.b)?, 0, 0).0);
                out.word(ir.x);
            }
            Kind::Op(op) => out.op(op, ir)?,
        }
    }
    out.proto.positions = Positions::pack(&out.positions);
    Ok(())
}

/// Whether `label` stands right after entry `i`, with nothing but labels between.
fn falls_into(list: &[Ir], i: usize, label: u32) -> bool {
    list[i + 1..].iter().take_while(|ir| ir.kind == Kind::Label).any(|ir| ir.a == label)
}

fn max_len(ir: &Ir) -> i64 {
    match ir.kind {
        Kind::Label | Kind::Def | Kind::Kill | Kind::TryBegin | Kind::TryEnd => 0,
        Kind::Jump | Kind::Check => 2,
        Kind::Branch(_) => 3,
        Kind::ForIter => 5,
        Kind::Op(op) => match op {
            // May grow into the wide form.
            Op::LOADK if ir.x > 0xffff => 2,
            _ => op.len() as i64,
        },
    }
}

fn reg(n: u32) -> Result<u8, Misfit> {
    if n <= MAX_REG { Ok(n as u8) } else { Err(Misfit("register")) }
}

struct Writer<'p> {
    proto: &'p mut CodeProto,
    positions: Vec<PosRow>,
    last: Option<(Span, Span)>,
}

impl Writer<'_> {
    fn pc(&self) -> u32 {
        self.proto.words.len() as u32
    }

    fn word(&mut self, word: u32) {
        self.proto.words.push(word);
    }

    fn jump(&mut self, target: u32, long: bool) -> Result<(), Misfit> {
        let len = if long { 2 } else { 1 };
        let distance = i64::from(target) - i64::from(self.pc()) - len;
        let distance = i32::try_from(distance).map_err(|_| Misfit("jump distance"))?;
        if long {
            self.word(Op::JUMPX as u32);
            self.word(distance as u32);
        } else {
            let ins = Ins::jump(Op::JUMP, distance).ok_or(Misfit("jump distance"))?;
            self.word(ins.0);
        }
        Ok(())
    }

    /// Notes where the next instruction comes from, unless it is as before.
    fn position(&mut self, ir: &Ir) {
        if ir.span == Span::default() || self.last == Some((ir.span, ir.anchor)) {
            return;
        }
        self.last = Some((ir.span, ir.anchor));
        let pc = self.pc();
        self.positions.push(PosRow { pc, span: ir.span, anchor: ir.anchor });
    }

    fn op(&mut self, op: Op, ir: &Ir) -> Result<(), Misfit> {
        if may_raise(op) {
            self.position(ir);
        }
        match op {
            Op::LOADK => {
                let a = reg(ir.a)?;
                match u16::try_from(ir.x) {
                    Ok(k) => self.word(Ins::abx(op, a, k).0),
                    Err(_) => {
                        self.word(Ins::abc(Op::LOADKX, a, 0, 0).0);
                        self.word(ir.x);
                    }
                }
                return Ok(());
            }
            Op::LOADI | Op::GETFREE | Op::SETFREE | Op::FREECELL => {
                self.word(Ins::abx(op, reg(ir.a)?, ir.x as u16).0);
                return Ok(());
            }
            _ => {}
        }
        self.word(Ins::abc(op, reg(ir.a)?, reg(ir.b)?, reg(ir.c)?).0);
        if op.extra() != Extra::None {
            self.word(ir.x);
        }
        Ok(())
    }
}

/// Whether an instruction needs a position of its own.
fn may_raise(op: Op) -> bool {
    !matches!(
        op,
        Op::NOP
            | Op::MOVE
            | Op::LOADK
            | Op::LOADKX
            | Op::LOADI
            | Op::LOADS
            | Op::CLEAR
            | Op::GETFAR
            | Op::SETFAR
            | Op::MKCELL
            | Op::SETCELL
            | Op::SETFREE
            | Op::FREECELL
            | Op::ENDCATCH
            | Op::MKGEN
            | Op::RETURN
            | Op::RETNONE
            | Op::KWNAMES
    )
}
