//! The blocks around a statement, and the code that leaves them: `break`, `continue` and
//! `return` run the `finally` bodies, close the `with` blocks and end the handlers on their way.

use miniscript_syntax::Span;
use miniscript_syntax::ast::{Expr, Ident, Stmt};

use super::ir::{Kind, Label, Region};
use super::scope::ScopeKind;
use super::unit::{Compiler, Res};
use crate::code::op::{Op, Special};

/// As many blocks nest, as in CPython.
const MAX_BLOCKS: usize = 20;
/// Copies of `finally` bodies multiply; no body may grow beyond this many instructions.
const MAX_BODY: usize = 1 << 26;

/// A block that the code being made stands in.
#[derive(Clone, Copy)]
pub(super) enum Block<'a> {
    Loop {
        exit: Label,
        next: Label,
    },
    /// The body of a `try` with handlers.
    Try {
        region: Region,
    },
    /// What a `finally` body guards.
    Finally {
        region: Region,
        body: &'a [Stmt],
    },
    /// A `finally` body run because of an exception.
    FinallyEnd {
        region: Region,
        reg: u32,
    },
    /// The body of a `with`, its exit method in a register.
    With {
        region: Region,
        exit: u32,
        is_async: bool,
        span: Span,
    },
    /// The body of an `except`.
    Handler {
        region: Region,
        reg: u32,
        name: Option<&'a Ident>,
        star: bool,
    },
}

/// The blocks left for a while, to be entered again after the jump out of them.
pub(super) struct Left<'a>(Vec<Block<'a>>);

impl<'a> Compiler<'a> {
    /// Opens `block` around the code that follows.
    pub fn push_block(&mut self, block: Block<'a>, span: Span) -> Res {
        if self.u.blocks.len() >= MAX_BLOCKS {
            return Err(super::error("limit", "too many statically nested blocks", span));
        }
        if self.u.code.list.len() > MAX_BODY {
            return Err(super::error("limit", "function too large", span));
        }
        self.u.blocks.push(block);
        if let Some(region) = block.region() {
            self.try_begin(region);
        }
        Ok(())
    }

    /// Closes the innermost block.
    pub fn pop_block(&mut self) {
        if let Some(region) = self.u.blocks.pop().and_then(|b| b.region()) {
            self.try_end(region);
        }
    }

    pub fn try_begin(&mut self, region: Region) {
        self.u.code.mark(Kind::TryBegin, region.0, 0, 0);
    }

    pub fn try_end(&mut self, region: Region) {
        self.u.code.mark(Kind::TryEnd, region.0, 0, 0);
    }

    /// Emits what leaves all blocks from `depth` on, from the inside.
    fn unwind(&mut self, depth: usize) -> Res<Left<'a>> {
        let all = self.u.blocks.clone();
        for &block in all[depth..].iter().rev() {
            self.u.blocks.pop();
            if let Some(region) = block.region() {
                self.try_end(region);
            }
            match block {
                Block::Loop { .. } | Block::Try { .. } => {}
                Block::Finally { body, .. } => self.stmts(body)?,
                Block::FinallyEnd { reg, .. } => self.end_catch(reg),
                Block::With { exit, is_async, span, .. } => {
                    self.leave_with(exit, is_async, span)?
                }
                Block::Handler { reg, name, .. } => {
                    self.end_catch(reg);
                    if let Some(name) = name {
                        let mangled = self.mangled(&name.name);
                        self.delete_name(&mangled, name.span, true)?;
                    }
                }
            }
        }
        Ok(Left(all[depth..].to_vec()))
    }

    /// Enters the blocks again for the code after the jump.
    fn rewind(&mut self, left: Left<'a>) {
        for block in left.0 {
            if let Some(region) = block.region() {
                self.try_begin(region);
            }
            self.u.blocks.push(block);
        }
    }

    /// `R[reg]` is the handled exception again.
    pub fn end_catch(&mut self, reg: u32) {
        self.op(Op::ENDCATCH, reg, 0, 0, Span::default());
    }

    /// `break` (or `continue`)
    pub fn break_stmt(&mut self, go_on: bool, span: Span) -> Res {
        let mut target = None;
        for (i, block) in self.u.blocks.iter().enumerate().rev() {
            match *block {
                Block::Loop { exit, next } => {
                    target = Some((i, if go_on { next } else { exit }));
                    break;
                }
                Block::Handler { star: true, .. } => return Err(star_exit(span)),
                _ => {}
            }
        }
        let Some((depth, label)) = target else {
            let text =
                if go_on { "'continue' not properly in loop" } else { "'break' outside loop" };
            return Err(super::error("control-flow", text, span));
        };
        let left = self.unwind(depth + 1)?;
        self.jump(label);
        self.rewind(left);
        Ok(())
    }

    /// `return value`
    pub fn return_stmt(&mut self, value: Option<&'a Expr>, span: Span) -> Res {
        if self.unit_kind() != ScopeKind::Function {
            return Err(super::error("control-flow", "'return' outside function", span));
        }
        let flags = self.u.proto.flags;
        if value.is_some() && flags.generator && flags.coroutine {
            let text = "'return' with value in async generator";
            return Err(super::error("control-flow", text, span));
        }
        if self.u.blocks.iter().any(|b| matches!(b, Block::Handler { star: true, .. })) {
            return Err(star_exit(value.map_or(span, |v| v.span)));
        }
        let runs_code = self.u.blocks.iter().any(|b| {
            matches!(b, Block::Finally { .. } | Block::With { .. })
                || matches!(b, Block::Handler { name: Some(_), .. })
        });
        let value = value.filter(|v| !is_none(v));
        let r = match value {
            None => None,
            Some(value) if runs_code => {
                let t = self.tmp()?;
                self.expr(value, t)?;
                Some(t)
            }
            Some(value) => Some(self.operand(value, None, true)?),
        };
        let left = self.unwind(0)?;
        match r {
            Some(r) => self.op(Op::RETURN, r, 0, 0, span),
            None => self.op(Op::RETNONE, 0, 0, 0, span),
        }
        self.rewind(left);
        Ok(())
    }

    /// Calls the exit method of a `with` block that ends without an exception.
    pub fn leave_with(&mut self, exit: u32, is_async: bool, span: Span) -> Res {
        let mark = self.u.top;
        let f = self.tmps(4)?;
        self.mov(f, exit);
        for i in 1..4 {
            self.special(f + i, Special::None);
        }
        self.op(Op::CALL, f, 3, 0, span);
        if is_async {
            self.await_value(f, 2, span);
        }
        self.u.top = mark;
        Ok(())
    }
}

impl Block<'_> {
    fn region(&self) -> Option<Region> {
        match *self {
            Block::Loop { .. } => None,
            Block::Try { region }
            | Block::Finally { region, .. }
            | Block::FinallyEnd { region, .. }
            | Block::With { region, .. }
            | Block::Handler { region, .. } => Some(region),
        }
    }
}

fn is_none(e: &Expr) -> bool {
    use miniscript_syntax::ast::{Constant, ExprKind};
    matches!(e.kind, ExprKind::Constant(Constant::None))
}

fn star_exit(span: Span) -> miniscript_syntax::SyntaxError {
    let text = "'break', 'continue' and 'return' cannot appear in an except* block";
    super::error("control-flow", text, span)
}
