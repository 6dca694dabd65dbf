//! Checks that a code object is well-formed: whatever passes cannot make the dispatch loop read
//! outside its tables. Run on everything the compiler makes in debug builds, and on code that
//! comes from outside.

use crate::code::intrinsic::Intrinsic;
use crate::code::op::{Extra, Ins, Op, Shape};
use crate::code::proto::{Capture, CodeProto, Const};

/// Checks `code` and all code inside it.
pub fn verify(code: &CodeProto) -> Result<(), String> {
    let mut todo = vec![code];
    while let Some(code) = todo.pop() {
        Checker { code, starts: Vec::new() }
            .run()
            .map_err(|(pc, text)| format!("{} at {pc}: {text}", code.qualname))?;
        for inner in &code.consts {
            if let Const::Code(inner) = inner {
                captures(code, inner).map_err(|text| format!("{}: {text}", inner.qualname))?;
                todo.push(inner);
            }
        }
    }
    Ok(())
}

fn captures(outer: &CodeProto, inner: &CodeProto) -> Result<(), String> {
    if inner.captures.len() != inner.free.len() {
        return Err("captures and free variables differ in number".to_owned());
    }
    for capture in &inner.captures {
        let ok = match *capture {
            Capture::Local(r) => r < outer.reg_count,
            Capture::Free(n) => (n as usize) < outer.free.len(),
        };
        if !ok {
            return Err(format!("capture {capture:?} out of range"));
        }
    }
    Ok(())
}

type Fault = (usize, String);

struct Checker<'c> {
    code: &'c CodeProto,
    /// Which words begin an instruction.
    starts: Vec<bool>,
}

impl Checker<'_> {
    fn run(mut self) -> Result<(), Fault> {
        let code = self.code;
        let params = code.arg_count
            + code.kwonly_count
            + u32::from(code.flags.varargs)
            + u32::from(code.flags.varkw);
        if params > code.reg_count || code.locals.len() > code.reg_count as usize {
            return Err((0, "more variables than registers".to_owned()));
        }
        if code.posonly_count > code.arg_count {
            return Err((0, "more positional-only than positional parameters".to_owned()));
        }
        self.find_starts()?;
        let mut last = None;
        let mut pc = 0;
        while pc < code.words.len() {
            let op = self.op(pc)?;
            self.instruction(pc, op).map_err(|text| (pc, format!("{}: {text}", op.name())))?;
            last = Some(op);
            pc += op.len();
        }
        let ends = |op| {
            matches!(
                op,
                Op::RETURN
                    | Op::RETNONE
                    | Op::RAISE
                    | Op::RAISEFROM
                    | Op::RERAISE
                    | Op::RAISELAST
                    | Op::JUMP
                    | Op::JUMPX
            )
        };
        if !last.is_some_and(ends) {
            return Err((pc, "control runs off the end".to_owned()));
        }
        self.tables()
    }

    fn op(&self, pc: usize) -> Result<Op, Fault> {
        let word = self.code.words.get(pc).copied();
        word.and_then(Op::decode).ok_or_else(|| (pc, "no instruction".to_owned()))
    }

    fn find_starts(&mut self) -> Result<(), Fault> {
        self.starts = vec![false; self.code.words.len()];
        let mut pc = 0;
        while pc < self.code.words.len() {
            self.starts[pc] = true;
            pc += self.op(pc)?.len();
        }
        if pc > self.code.words.len() {
            return Err((pc, "the last instruction is cut off".to_owned()));
        }
        Ok(())
    }

    fn reg(&self, r: usize, count: usize) -> Result<(), String> {
        match r + count <= self.code.reg_count as usize {
            true => Ok(()),
            false => Err(format!("registers {r}..{} out of range", r + count)),
        }
    }

    fn target(&self, from: usize, distance: i64) -> Result<(), String> {
        let to = from as i64 + distance;
        match usize::try_from(to).ok().and_then(|t| self.starts.get(t)) {
            Some(true) => Ok(()),
            _ => Err(format!("jump to {to}, which is no instruction")),
        }
    }

    fn instruction(&self, pc: usize, op: Op) -> Result<(), String> {
        let code = self.code;
        let ins = Ins(code.words[pc]);
        let extra = code.words.get(pc + 1).copied().unwrap_or(0);
        match op.shape() {
            Shape::None => {}
            Shape::A | Shape::ABx | Shape::AsBx => self.reg(ins.a(), 1)?,
            Shape::AB | Shape::ABi => {
                self.reg(ins.a(), 1)?;
                if register_b(op) {
                    self.reg(ins.b(), 1)?;
                }
            }
            Shape::ABC => {
                self.reg(ins.a(), 1)?;
                if register_b(op) {
                    self.reg(ins.b(), 1)?;
                }
                if register_c(op) {
                    self.reg(ins.c(), 1)?;
                }
            }
            Shape::Jump => self.target(pc + 1, i64::from(ins.sj()))?,
            Shape::Branch => {
                self.reg(ins.a(), 1)?;
                self.target(pc + 1, i64::from(ins.sbx()))?;
            }
        }
        match op.extra() {
            Extra::None | Extra::Num => {}
            Extra::Const => self.constant(extra as usize)?,
            Extra::Cache => {
                let name = code.caches.get(extra as usize).ok_or("cache out of range")?;
                if !matches!(code.consts.get(*name as usize), Some(Const::Str(_))) {
                    return Err("a cache without a name".to_owned());
                }
            }
            Extra::Jump => self.target(pc + 2, i64::from(extra as i32))?,
            Extra::Intrinsic => {
                let which = Intrinsic::from_index((extra & 0xffff) as usize);
                which.ok_or("no such internal native")?;
                self.reg(ins.a(), 1 + (extra >> 16) as usize)?;
            }
        }
        self.rows(pc, op, ins, extra)
    }

    fn constant(&self, k: usize) -> Result<(), String> {
        if k < self.code.consts.len() { Ok(()) } else { Err(format!("constant {k} out of range")) }
    }

    /// Operands that stand for more than one register, and pairs of instructions.
    fn rows(&self, pc: usize, op: Op, ins: Ins, extra: u32) -> Result<(), String> {
        let next = || self.op(pc + op.len()).map_err(|f| f.1);
        let (a, b, c) = (ins.a(), ins.b(), ins.c());
        match op {
            Op::LOADK => self.constant(ins.bx()),
            Op::CLEAR => self.reg(a, b + 1),
            Op::GETFAR | Op::SETFAR => self.reg(extra as usize, 1),
            Op::GETFREE | Op::SETFREE | Op::FREECELL if ins.bx() >= self.code.free.len() => {
                Err("free variable out of range".to_owned())
            }
            Op::GETNAMEFREE if c >= self.code.free.len() => {
                Err("free variable out of range".to_owned())
            }
            Op::SELF | Op::WITHPREP | Op::AWITHPREP => self.reg(a, 2),
            Op::MKSLICE | Op::IMPORT => self.reg(b, if op == Op::IMPORT { 2 } else { 3 }),
            Op::FORPREP | Op::EXCARGS | Op::CALLEX => self.reg(a, 3),
            Op::FORITER => {
                self.reg(a, 3)?;
                match next()? {
                    Op::JUMP => Ok(()),
                    _ => Err("not followed by its jump".to_owned()),
                }
            }
            _ if op.takes_branch() => match next()? {
                Op::BRT | Op::BRF if Ins(self.code.words[pc + 1]).a() == a => Ok(()),
                _ => Err("not followed by its branch".to_owned()),
            },
            Op::CALL | Op::CALLKW => self.reg(a, 1 + b),
            Op::CALLM | Op::CALLMKW => self.reg(a, 2 + b),
            Op::KWNAMES => match (self.code.consts.get(extra as usize), next()?) {
                (Some(Const::Tuple(names)), Op::CALLKW | Op::CALLMKW) => {
                    match names.len() <= Ins(self.code.words[pc + 2]).b() {
                        true => Ok(()),
                        false => Err("more names than arguments".to_owned()),
                    }
                }
                _ => Err("not a tuple of names before a call".to_owned()),
            },
            Op::MKFUNC => match self.code.consts.get(extra as usize) {
                Some(Const::Code(_)) if b < 8 => self.reg(
                    a,
                    if b & 4 != 0 {
                        4
                    } else if b & 2 != 0 {
                        3
                    } else {
                        1 + (b & 1)
                    },
                ),
                _ => Err("no code constant".to_owned()),
            },
            Op::MKLIST | Op::MKTUPLE | Op::MKSET | Op::MKSTR => self.reg(b, c),
            Op::MKDICT => self.reg(b, 2 * c),
            Op::UNPACK => self.reg(a, c),
            Op::UNPACKEX => self.reg(a, (extra & 0xffff) as usize + 1 + (extra >> 16) as usize),
            Op::LOADS if b > 5 => Err("no such special value".to_owned()),
            Op::MKGEN if pc != 0 => Err("not the first instruction".to_owned()),
            _ => Ok(()),
        }
    }

    fn tables(&self) -> Result<(), Fault> {
        let code = self.code;
        let len = code.words.len() as u32;
        for row in &code.handlers {
            let bad = |text: &str| (row.start as usize, format!("handler row: {text}"));
            if row.start >= row.end || row.end > len {
                return Err(bad("empty or beyond the end"));
            }
            if !self.starts.get(row.target as usize).is_some_and(|s| *s) {
                return Err(bad("target is no instruction"));
            }
            if row.reg + 2 > code.reg_count {
                return Err(bad("register out of range"));
            }
        }
        for name in &code.caches {
            if *name as usize >= code.consts.len() {
                return Err((0, "name of a cache out of range".to_owned()));
            }
        }
        if code.doc.is_some_and(|k| k as usize >= code.consts.len()) {
            return Err((0, "docstring out of range".to_owned()));
        }
        Ok(())
    }
}

/// Whether operand `b` names a register (and not a count or a number).
pub(super) fn register_b(op: Op) -> bool {
    !matches!(
        op,
        Op::LOADS
            | Op::CLEAR
            | Op::CALL
            | Op::CALLM
            | Op::CALLKW
            | Op::CALLMKW
            | Op::MKFUNC
            | Op::GETGLOBAL
    )
}

/// Whether operand `c` names a register.
pub(super) fn register_c(op: Op) -> bool {
    !matches!(
        op,
        Op::GETNAMEFREE
            | Op::MKLIST
            | Op::MKTUPLE
            | Op::MKSET
            | Op::MKDICT
            | Op::MKSTR
            | Op::UNPACK
            | Op::FORMATS
            | Op::CONVERT
            | Op::AWAITABLE
    )
}
